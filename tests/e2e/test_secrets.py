"""Known secrets go through everything that a person does, and must be found nowhere: not in what is printed or logged, not in the store, its log, plans,
exports and other files, not in arguments, and in the environment only under the name that somebody gave them with."""

import base64
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

from test_signin import Connecting, SignInWorld
from world import BINARY, THREE, World, WorldTest


def disguises(text):
    """The ways in which a secret is still a secret."""
    raw = text.encode()
    found = {"as it is": raw, "percent-encoded": urllib.parse.quote(text, safe="").encode(), "in UTF-16": text.encode("utf-16-le")}
    for name, data in (("", raw), (" of a key", bytes.fromhex(text) if re.fullmatch(r"[0-9a-f]{64}", text) else raw)):
        found["in hexadecimal" + name] = data.hex().encode()
        found["bare" + name] = data
        for skip in range(3):  # at whatever place in a longer text
            coded = base64.b64encode(data[skip:] if (len(data) - skip) % 3 == 0 else data[skip : len(data) - (len(data) - skip) % 3])
            found[f"in base64{name}, from {skip}"] = coded
            found[f"in base64 for URLs{name}, from {skip}"] = coded.replace(b"+", b"-").replace(b"/", b"_")
    return found


class Canary:
    """Looks for secrets in whatever it is shown. hits: (which, disguise, where)."""

    def __init__(self):
        self.needles = {}
        self.hits = set()
        self.looked_at = 0
        self.lock = threading.Lock()

    def learn(self, name, text):
        assert len(text) >= 12, f"{name} is too short to be recognised"
        with self.lock:
            self.needles[name] = disguises(text)

    def look(self, where, data, but=()):
        if isinstance(data, str):
            data = data.encode()
        with self.lock:
            self.looked_at += len(data)
            for name, forms in self.needles.items():
                if name not in but:
                    self.hits.update((name, form, where) for form, needle in forms.items() if needle in data)


class Watch:
    """Mixed into a world: every process is watched while it runs, and the folder after it."""

    # Under which names somebody gave a secret in the environment.
    given = ("HUBSPOT_TOKEN", "PIPEDRIVE_TOKEN", "SALESFORCE_TOKEN", "HUBSPOT_SECRET", "PIPEDRIVE_SECRET", "SALESFORCE_SECRET", "GIVEN")

    def watch(self):
        self.canary = Canary()
        self.unreadable = 0
        self.learn_key()

    def learn_key(self):
        with open(os.path.join(self.folder, "key")) as file:
            text = file.read().strip()
        self.canary.learn("key " + text[:4], text)

    def look_at_process(self, pid, label):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                self.canary.look(f"arguments of {label}", file.read())
            with open(f"/proc/{pid}/environ", "rb") as file:
                for entry in file.read().split(b"\0"):
                    name, _, value = entry.partition(b"=")
                    if name.decode(errors="replace") not in self.given:
                        self.canary.look(f"environment of {label}: {name.decode(errors='replace')}", value)
        except PermissionError:
            self.unreadable += 1  # nobody but root can look: so much the better
        except (FileNotFoundError, ProcessLookupError):
            pass

    def look_at_files(self, label):
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(folder, name)
                if name.endswith(".given"):
                    continue
                try:
                    with open(path, "rb") as file:
                        data = file.read()
                except FileNotFoundError:
                    continue
                own = [n for n in self.canary.needles if n.startswith("key ")] if name in ("key", "key.next") else []
                self.canary.look(f"file {name} at '{label}'", data, but=own)

    def run(self, *args, expect=None, env=None, text=None):
        if not hasattr(self, "canary"):
            return super().run(*args, expect=expect, env=env, text=text)
        label = " ".join(args)
        process = subprocess.Popen(
            [BINARY, *args], cwd=self.folder, env=env or self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        ended = threading.Event()

        def sample():
            while not ended.wait(0.02):
                self.look_at_process(process.pid, label)
                self.look_at_files(label)

        sampler = threading.Thread(target=sample)
        sampler.start()
        out, err = process.communicate((text or "").encode(), timeout=600)
        ended.set()
        sampler.join()
        self.canary.look(f"output of '{label}'", out)
        self.canary.look(f"errors of '{label}'", err)
        self.look_at_files(label)
        done = subprocess.CompletedProcess(process.args, process.returncode, out.decode(), err.decode())
        if expect is not None and done.returncode not in (expect if isinstance(expect, tuple) else (expect,)):
            raise AssertionError(f"crmsync {label} gave {done.returncode}, not {expect}\n{done.stdout}\n{done.stderr}")
        return done

    def verbose(self, *args, **more):
        return self.run(*args, "--verbose", **more)


class WatchedWorld(Watch, World):
    pass


class WatchedSignInWorld(Watch, SignInWorld):
    def learn_tokens(self):
        for crm in self.signed:
            for i, token in enumerate(self.sims.ask(crm, "/__sim/oauth?show=tokens")["tokens"]):
                self.canary.learn(f"{crm} {token['kind']} {i}", token["token"])

    def sign_in(self, crm):
        connecting = Connecting(self, crm, "--verbose")
        self.look_at_process(connecting.process.pid, f"connect {crm}")
        redirect = connecting.redirect()
        self.canary.learn("code of " + redirect, urllib.parse.parse_qs(urllib.parse.urlsplit(redirect).query)["code"][0])
        _, _, text = connecting.answer(redirect)
        code, out, err = connecting.end()
        self.learn_tokens()
        for where, data in (("page", text), ("output", out), ("errors", err)):
            self.canary.look(f"{where} of connect {crm}", data)
        self.look_at_files(f"connect {crm}")
        if code != 0:
            raise AssertionError(f"connect {crm} gave {code}\n{out}\n{err}")


class Secrets(WorldTest):
    def end(self, world):
        self.assertEqual(sorted(world.canary.hits), [])
        self.assertGreater(world.canary.looked_at, 1000000, "too little was looked at to mean anything")

    def config(self, world, old, new):
        path = os.path.join(world.folder, "crmsync.yaml")
        with open(path) as file:
            text = file.read()
        self.assertIn(old, text)
        with open(path, "w") as file:
            file.write(text.replace(old, new))

    def put(self, world, name, text, mode=0o600):
        path = os.path.join(world.folder, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def watched(self, kind=WatchedWorld, **more):
        world = kind(**more)
        self.addCleanup(world.close)
        world.watch()
        for name, value in world.env.items():
            if name in world.given:
                world.canary.learn(name, value)
        return world

    def by_events(self, kind, **more):
        """All three; Salesforce's change events come in a session with a cookie of its own."""
        world = self.watched(kind, records=12, crms=THREE, salesforce_more="changes: events", **more)
        world.sims.ask("salesforce", "/__sim/events", {"selected": ["Account", "Contact"]})
        world.canary.learn("cookie of Salesforce", "BAYEUX_BROWSER=")
        return world

    def ordinary_work(self, world):
        """What a person does in a week, with logs at their most talkative."""
        world.verbose("doctor", expect=(0, 1))
        world.verbose("sync", "--json", expect=(0, 3))
        world.verbose("test", "hubspot")
        if "salesforce" in world.crms:
            world.verbose("test", "salesforce")
            world.verbose("setup", "salesforce", expect=0)
        contact = next(iter(world.sims.live("hubspot", "contacts")))
        world.sims.edit("hubspot", "contacts", contact, city="Delft")
        world.verbose("plan", "--output", "plan.jsonl", expect=0)
        world.verbose("plan", "--json", expect=0)
        world.verbose("apply", "plan.jsonl", expect=(0, 3))
        record = world.json("records", "list", "contact", "--limit", "1")[0]
        world.verbose("records", "update", "contact", record["id"], "city=Gent", expect=0)
        world.verbose("sync", "--full", expect=(0, 3))
        world.verbose("explain", "contact", record["id"], expect=0)
        world.verbose("records", "history", "contact", record["id"], expect=0)
        world.verbose("export", "contact", "-o", "contacts.csv", expect=0)
        world.verbose("import", "contact", "contacts.csv", "--dry-run", expect=(0, 3))
        if "salesforce" in world.crms:
            world.verbose("sync", expect=(0, 3))
            calls = world.sims.ask("salesforce", "/__sim/stats")["calls"]
            self.assertGreater(sum(count for name, count in calls.items() if "/cometd" in name), 2, "no change events were asked for")
        run = world.json("runs")[0]["run"]
        world.verbose("undo", str(run), "--dry-run")
        for words in (("status",), ("runs",), ("connections",), ("budget",), ("failures", "list"), ("conflicts", "list"), ("mapping", "check")):
            world.verbose(*words)
            world.verbose(*words, "--json")

    def keys(self, world):
        world.verbose("keys", "verify", expect=0)
        world.verbose("keys", "rotate", expect=0)
        world.learn_key()
        world.verbose("keys", "verify", "--json", expect=0)

    def test_tokens_that_were_given(self):
        world = self.by_events(WatchedWorld)
        token = world.env.pop("PIPEDRIVE_TOKEN")
        self.config(world, "    token: ${PIPEDRIVE_TOKEN}\n", "")
        world.verbose("connect", "pipedrive", text=token + "\n", expect=0)
        self.put(world, "token.given", token + "\n")
        world.verbose("connect", "pipedrive", "--token-file", "token.given", expect=0)
        world.verbose("connect", "pipedrive", "--token-env", "GIVEN", env=dict(world.env, GIVEN=token), expect=0)
        world.verbose("setup", "pipedrive", expect=0)
        self.ordinary_work(world)
        self.keys(world)
        self.config(world, "adapter: pipedrive\n", "adapter: pipedrive\n    token_file: token.given\n")
        world.verbose("sync", expect=0)
        os.chmod(os.path.join(world.folder, "token.given"), 0o644)
        self.assertIn("can be read", world.verbose("sync").stderr)
        self.end(world)

    def test_failures(self):
        world = self.watched(records=5)
        token = world.env["HUBSPOT_TOKEN"]
        world.verbose("sync", expect=0)
        for i, wrong in enumerate((secrets.token_urlsafe(24), "canary\tblank " + secrets.token_hex(9), "canary-line\n" + secrets.token_hex(9), "é" * 9 + token)):
            world.canary.learn(f"wrong {i}", wrong)
            world.verbose("sync", env=dict(world.env, HUBSPOT_TOKEN=wrong), expect=(1, 2))
            world.verbose("test", "hubspot", "--json", env=dict(world.env, HUBSPOT_TOKEN=wrong), expect=(1, 2))
            world.verbose("doctor", "--json", env=dict(world.env, HUBSPOT_TOKEN=wrong), expect=1)
        for fault in ("throttle", "server_error", "truncate", "wrong_type", "reset", "html"):
            world.sims.ask("hubspot", "/__sim/faults", {"rules": [{"fault": fault, "per_million": 1000000, "from_call": 1, "count": 1}]})
            world.verbose("sync", "--full", "--json", "--wait", "5s")
        world.sims.ask("hubspot", "/__sim/faults", {})
        address = world.sims.url("hubspot")
        for other in ("https://api.hubapi.com.evil.example", "http://169.254.169.254", "https://user:pass@api.hubapi.com", "http://127.0.0.1:1"):
            self.config(world, address, other)
            world.verbose("sync", "hubspot", "--wait", "0s", expect=(1, 2))
            if other != "http://127.0.0.1:1":  # where nobody listens it tries for minutes
                world.verbose("test", "hubspot", expect=(1, 2))
            self.config(world, other, address)
        self.config(world, "${HUBSPOT_TOKEN}", token)  # what the documentation says not to do
        os.rename(os.path.join(world.folder, "crmsync.yaml"), os.path.join(world.folder, "yaml.given"))
        self.assertIn("token", world.run("--config", "yaml.given", "sync", expect=2).stderr)
        self.end(world)

    def test_signing_in(self):
        world = self.by_events(WatchedSignInWorld, signed=THREE)
        for crm in world.signed:
            world.control(crm, rotation=True)
        world.sign_in_all()
        self.ordinary_work(world)
        for crm in world.signed:
            world.control(crm, expire_access=True)
        world.verbose("sync", expect=(0, 3))
        world.learn_tokens()
        self.keys(world)
        world.verbose("sync", "--json", expect=(0, 3))
        for how in ("truncated", "lost"):
            world.control("hubspot", expire_access=True, next_exchange=how)
            world.verbose("sync")
            world.learn_tokens()
            world.sign_in("hubspot")
        world.verbose("connect", "hubspot", "--paste", text="https://elsewhere.example/?code=x&state=y\n", expect=1)
        world.env["HUBSPOT_SECRET"] = "a-wrong-secret-" + secrets.token_hex(8)
        world.canary.learn("wrong secret", world.env["HUBSPOT_SECRET"])
        world.control("hubspot", expire_access=True)
        world.verbose("sync")
        world.env["HUBSPOT_SECRET"] = world.sims.where["hubspot"]["client_secret"]
        world.control("hubspot", revoke_refresh=True, expire_access=True)
        world.verbose("sync", "--json")
        world.sign_in("hubspot")
        for crm in world.signed:
            world.verbose("disconnect", crm, expect=0)
        world.verbose("connections", "--json")
        self.assertGreater(len(world.canary.needles), 10)
        self.end(world)

    def test_key_of_the_environment_is_gone_while_it_runs(self):
        world = self.watched(WatchedSignInWorld)
        path = os.path.join(world.folder, "key")
        with open(path) as file:
            key = file.read().strip()
        os.unlink(path)
        world.env["CRMSYNC_KEY"] = key
        connecting = Connecting(world, "hubspot")  # waits for a browser
        world.look_at_process(connecting.process.pid, "connect hubspot")
        connecting.stop()
        self.assertEqual(sorted(world.canary.hits), [])
        self.assertGreater(world.canary.looked_at, 100)

    def test_processes_cannot_be_dumped(self):
        """What may not be dumped or traced belongs to root in /proc, whoever runs it; so it must run as somebody else."""
        folder = tempfile.mkdtemp(prefix="crmsync-e2e-")
        self.addCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        binary = shutil.copy(BINARY, folder)
        os.chmod(binary, 0o755)
        user = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        for allowed in (False, True):
            env = dict(os.environ, CRMSYNC_DEBUG_DUMPS="1") if allowed else os.environ
            process = subprocess.Popen([binary, "sim", "--hubspot", "0"], cwd=folder, env=env, stdout=subprocess.PIPE, **user)
            process.stdout.readline()  # it runs
            with open(f"/proc/{process.pid}/limits") as file:
                core = re.search(r"^Max core file size\s+(\S+)", file.read(), re.M).group(1)
            owner = os.stat(f"/proc/{process.pid}/environ").st_uid
            process.terminate()
            process.communicate()
            if allowed:
                self.assertEqual(owner, user.get("user", os.geteuid()))
            else:
                self.assertEqual((core, owner), ("0", 0))

    def test_killed_while_the_key_is_changed(self):
        """Whenever it is killed, the next command opens everything; and then neither key stands anywhere but in its file."""
        world = self.watched(WatchedSignInWorld, signed=("hubspot",))
        world.sign_in("hubspot")
        began = time.monotonic()
        world.run("keys", "rotate", expect=0)
        whole = time.monotonic() - began
        interrupted = waiting = 0
        for i in range(30):
            process = subprocess.Popen([BINARY, "keys", "rotate"], cwd=world.folder, env=world.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(whole * i / 30)
            process.send_signal(signal.SIGKILL)
            interrupted += process.wait() != 0
            waiting += os.path.exists(os.path.join(world.folder, "key.next"))
            world.run("keys", "verify", expect=0)
        print(f"{interrupted} of 30 were interrupted, {waiting} with the next key beside the one before")
        self.assertGreater(interrupted, 0)
        world.run("test", "hubspot", expect=(0, 1))
        world.run("keys", "rotate", expect=0)
        world.learn_key()
        self.assertFalse(os.path.exists(os.path.join(world.folder, "key.next")))
        world.look_at_files("the end")
        self.assertEqual(sorted(world.canary.hits), [])

    def test_the_key_is_changed_beside_a_sign_in(self):
        """Who read the key before it was changed seals with the one that is there now."""
        world = self.watched(WatchedSignInWorld, records=5)
        world.sign_in("pipedrive")
        connecting = Connecting(world, "hubspot")
        world.run("keys", "rotate", expect=0)
        world.learn_key()
        connecting.consent()
        self.assertEqual(connecting.end()[0], 0, connecting.err)
        world.learn_tokens()
        world.verbose("keys", "verify", expect=0)
        world.verbose("sync", expect=(0, 3))
        self.assertEqual(sorted(world.canary.hits), [])

    def test_the_canary_sees(self):
        """What it is planted in on purpose, it finds."""
        world = self.watched(records=0)
        token = world.env["HUBSPOT_TOKEN"]
        where = lambda: {(name, place.split(" ")[0]) for name, _, place in world.canary.hits}

        world.run("records", "create", "contact", "email=a@b.example", f"last_name={token}")
        self.assertIn(("HUBSPOT_TOKEN", "file"), where())  # the store or its log
        world.canary.hits.clear()
        world.run("records", "list", "contact")
        self.assertIn(("HUBSPOT_TOKEN", "output"), where())
        world.run("records", "get", "contact", token)
        self.assertIn(("HUBSPOT_TOKEN", "errors"), where())
        world.canary.hits.clear()
        process = subprocess.Popen([BINARY, "--config", token, "sim", "--hubspot", "0"], env=dict(world.env, ELSEWHERE=token), stdout=subprocess.PIPE)
        process.stdout.readline()  # it runs
        world.look_at_process(process.pid, "sim")
        process.terminate()
        process.communicate()
        self.assertIn(("HUBSPOT_TOKEN", "arguments"), where())
        if not world.unreadable:
            self.assertIn(("HUBSPOT_TOKEN", "environment"), where())
        for form, text in (("in hexadecimal", token.encode().hex()), ("base64", "xx" + base64.b64encode(b"Bearer " + token.encode()).decode())):
            world.canary.hits.clear()
            self.put(world, "planted", text)
            world.look_at_files("planted")
            self.assertTrue(any(form in hit[1] for hit in world.canary.hits), form)


if __name__ == "__main__":
    unittest.main(verbosity=2)
