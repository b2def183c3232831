"""What is installed works where it is installed: the files, the package, the unit's sandbox, the manual and the completions against what --help says."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from world import BINARY, ROOT

BUILD = os.path.dirname(BINARY)
UNIT = os.path.join(ROOT, "packaging", "crmsync.service")
EXPOSURE_MAX = 2.0


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def is_there(program):
    """What a machine without the program leaves out is said."""
    if shutil.which(program):
        return True
    print(f"without {program}, this is not looked at")
    return False


def commands():
    """Names of all commands, and of the verbs of each."""
    listed = re.findall(r"^  (\S+) +\S", run(BINARY, "--help").split("Commands:")[1], re.M)
    found = {}
    for name in listed:
        text = run(BINARY, name, "--help")
        found[name] = re.findall(r"^  (\S+)", text.split("\nVerbs:\n")[1].split("\n\n")[0], re.M) if "\nVerbs:\n" in text else []
    return found


def options(*words):
    return re.findall(r"^  --([a-z-]+)", run(BINARY, *words, "--help"), re.M)


class Package(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="crmsync-package-")
        self.addCleanup(shutil.rmtree, self.folder)

    def install(self):
        run("cmake", "--build", BUILD, "--target", "printed")
        run("cmake", "--install", BUILD, env={**os.environ, "DESTDIR": self.folder})

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def test_installed_binary_works(self):
        self.install()
        binary = self.path("usr/bin/crmsync")
        self.assertIn("crmsync", run(binary, "version"))
        run(binary, "init", cwd=self.folder)
        run(binary, "status", cwd=self.folder)
        for name in ("etc/crmsync/crmsync.yaml", "usr/lib/systemd/system/crmsync.service", "usr/lib/systemd/system/crmsync.socket", "usr/share/bash-completion/completions/crmsync", "usr/share/zsh/vendor-completions/_crmsync", "usr/share/doc/crmsync/operations.md"):
            self.assertTrue(os.path.getsize(self.path(name)), name)
        with open(self.path("etc/crmsync/crmsync.yaml")) as file:
            text = file.read()
        self.assertIn("store: /var/lib/crmsync/crmsync.db", text)
        self.assertIn("key_file: /var/lib/crmsync/crmsync.key", text)
        with open(self.path("usr/lib/systemd/system/crmsync.service")) as file:
            self.assertIn("ExecStart=/usr/bin/crmsync serve --config /etc/crmsync/crmsync.yaml", file.read())

    def test_installed_configuration_is_read(self):
        self.install()
        config = self.path("etc/crmsync/crmsync.yaml")
        done = subprocess.run([BINARY, "status", "--config", config], capture_output=True, text=True)
        self.assertIn("/var/lib/crmsync/crmsync.db", done.stderr, "it is read, and names the store that is not there yet")

    def test_debian_package(self):
        if not is_there("dpkg-deb"):
            return
        run("cmake", "--build", BUILD, "--target", "printed")
        run("cpack", "-G", "DEB", "-B", self.folder, cwd=BUILD)
        (package,) = [name for name in os.listdir(self.folder) if name.endswith(".deb")]
        package = self.path(package)
        depends = run("dpkg-deb", "-f", package, "Depends")
        for wanted in ("libc6", "libcurl4", "libjansson4", "libsqlite3-0", "libssl3", "adduser"):
            self.assertIn(wanted, depends)
        self.assertRegex(depends, r"libevent-extra-2\.1-7 \(>= 2\.1\.12-stable-8\+deb12u1\)")
        contents = run("dpkg-deb", "-c", package)
        for name in ("./usr/bin/crmsync", "./etc/crmsync/crmsync.yaml", "./usr/lib/systemd/system/crmsync.service"):
            self.assertRegex(contents, rf"root/root .*{re.escape(name)}\n")
        self.assertNotIn("/usr/local", contents)
        run("dpkg-deb", "-e", package, self.path("control"))
        with open(self.path("control/conffiles")) as file:
            self.assertEqual(file.read(), "/etc/crmsync/crmsync.yaml\n")
        for script in ("postinst", "prerm", "postrm"):
            self.assertTrue(os.access(self.path("control", script), os.X_OK), script)
            run("sh", "-n", self.path("control", script))

    def test_unit_is_sandboxed(self):
        if not is_there("systemd-analyze"):
            return
        told = run("systemd-analyze", "security", "--offline=true", "--no-pager", UNIT)
        (level,) = re.findall(r"Overall exposure level for crmsync.service: ([0-9.]+)", told)
        print(f"exposure={level}")
        self.assertLessEqual(float(level), EXPOSURE_MAX)

    def test_manual_knows_every_word(self):
        manual = run(BINARY, "manual")
        parts = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |^# )", manual, re.M | re.S))
        for name, verbs in commands().items():
            self.assertIn(name, parts)
            for words in [[name, verb] for verb in verbs] or [[name]]:
                self.assertIn("crmsync " + " ".join(words), parts[name].replace("\\", ""))
                for option in options(*words):
                    self.assertTrue(f"*--{option}*" in parts[name] or f"*--{option}*" in manual.split("# OPTIONS OF ALL COMMANDS")[1], (words, option))

    def test_manual_is_a_manual(self):
        if not is_there("scdoc"):
            return
        for words, title in ((["manual"], ".TH \"crmsync\" \"1\""), (["manual", "crmsync.yaml"], ".TH \"crmsync.yaml\" \"5\"")):
            page = run("scdoc", input=run(BINARY, *words))
            self.assertIn(title, page)
        with open(os.path.join(ROOT, "config", "crmsync.yaml")) as file:
            self.assertIn(file.read().strip(), run(BINARY, "manual", "crmsync.yaml"))

    def complete(self, *words):
        script = f'source <({BINARY} completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _crmsync; printf "%s\\n" "${{COMPREPLY[@]}}"'
        return set(run("bash", "-c", script, "bash", *words).split())

    def test_bash_completes_every_word(self):
        known = commands()
        self.assertEqual({word for word in self.complete("crmsync", "") if not word.startswith("-")}, set(known))
        for name, verbs in known.items():
            if verbs:
                self.assertEqual(self.complete("crmsync", name, ""), set(verbs))
            for words in [[name, verb] for verb in verbs] or [[name]]:
                self.assertEqual(self.complete("crmsync", *words, "--"), {"--" + option for option in options(*words)}, words)
        self.assertEqual(self.complete("crmsync", "--config", "x", "sy"), {"sync"})
        self.assertEqual(self.complete("crmsync", "sync", "--du"), set())

    def test_zsh_reads_its_completions(self):
        if not is_there("zsh"):
            return
        script = self.path("_crmsync")
        with open(script, "w") as file:
            file.write(run(BINARY, "completion", "zsh"))
        run("zsh", "-n", script)


if __name__ == "__main__":
    unittest.main(verbosity=2)
