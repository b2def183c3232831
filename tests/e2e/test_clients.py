"""The CRMs' own npm clients against `crmsync sim`: a reading of the APIs that is not ours. Needs npm once, for the pinned packages."""

import fcntl
import json
import os
import shutil
import subprocess
import unittest

import world

FOLDER = os.path.join(world.ROOT, "tests", "e2e", "clients")
NODE = os.path.join(FOLDER, "node_modules", ".bin", "node")


def is_installed():
    with open(os.path.join(FOLDER, "package.json")) as file:
        wanted = json.load(file)["dependencies"]
    return all(os.path.isdir(os.path.join(FOLDER, "node_modules", name)) for name in wanted) and os.path.exists(NODE)


def why_not():
    if is_installed():
        return None
    if not shutil.which("npm"):
        return "npm is not installed"
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=FOLDER, capture_output=True, text=True)
    return None if done.returncode == 0 else "npm ci failed: " + " ".join(done.stderr.split())[-300:]


def install():
    """Returns why the packages are not there, or None. Test files run at the same time; one of them installs, the others wait."""
    with open(os.path.join(FOLDER, "package.json")) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        reason = why_not()
    if reason:
        print(f"skipped {reason!r}", flush=True)
    return reason


class OfficialClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = install()
        if reason:
            raise unittest.SkipTest(reason)
        cls.simulators = world.Simulators(crms=world.THREE)

    @classmethod
    def tearDownClass(cls):
        cls.simulators.stop()

    def run_client(self, crm, script=None):
        where = self.simulators.where[crm]
        names = {"SIM_URL": "base_url", "SIM_TOKEN": "token", "SIM_CLIENT_ID": "client_id", "SIM_CLIENT_SECRET": "client_secret"}
        names.update({"SIM_USERNAME": "username", "SIM_PASSWORD": "password"})
        done = subprocess.run(
            [NODE, (script or crm) + ".mjs"],
            cwd=FOLDER,
            env={**os.environ, **{name: where[member] for name, member in names.items() if member in where}},
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"\d+ checks passed")

    def test_hubspot_client(self):
        self.run_client("hubspot")

    def test_pipedrive_client(self):
        self.run_client("pipedrive")

    def test_pipedrive_client_at_work(self):
        self.run_client("pipedrive", "pipedrive_work")

    def test_salesforce_client(self):
        self.run_client("salesforce")


if __name__ == "__main__":
    unittest.main()
