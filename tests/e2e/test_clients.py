"""The CRMs' own npm clients against `crmsync sim`: a reading of the APIs that is not ours. Needs npm once, for the pinned packages."""

import os
import shutil
import subprocess
import unittest

import world

FOLDER = os.path.join(world.ROOT, "tests", "e2e", "clients")
NODE = os.path.join(FOLDER, "node_modules", ".bin", "node")


def install():
    """Returns why the packages are not there, or None."""
    if os.path.exists(NODE):
        return None
    if not shutil.which("npm"):
        return "npm is not installed"
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=FOLDER, capture_output=True, text=True)
    return None if done.returncode == 0 else "npm ci failed: " + done.stderr.strip()[-300:]


class OfficialClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = install()
        if reason:
            raise unittest.SkipTest(reason)
        cls.simulators = world.Simulators()

    @classmethod
    def tearDownClass(cls):
        cls.simulators.stop()

    def run_client(self, crm, script=None):
        done = subprocess.run(
            [NODE, (script or crm) + ".mjs"],
            cwd=FOLDER,
            env={**os.environ, "SIM_URL": self.simulators.url(crm), "SIM_TOKEN": self.simulators.token(crm)},
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


if __name__ == "__main__":
    unittest.main()
