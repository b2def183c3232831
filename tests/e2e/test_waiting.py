"""A CRM that does not answer: said early, waited for in measure, and the run has failed although the others were synced."""

import socket
import time
import unittest

from world import World


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Waiting(unittest.TestCase):
    def setUp(self):
        self.world = World(records=5, settle="0s")
        self.addCleanup(self.world.close)
        path = self.world.folder + "/crmsync.yaml"
        with open(path) as file:
            text = file.read().replace(self.world.sims.url("pipedrive"), f"http://127.0.0.1:{closed_port()}")
        with open(path, "w") as file:
            file.write(text)

    def test_it_is_said_at_once_and_the_run_has_failed(self):
        began = time.monotonic()
        process = self.world.start_listening("sync")
        first = process.stderr.readline()
        self.assertLess(time.monotonic() - began, 5, "the first word about it comes early")
        self.assertIn("crmsync: pipedrive, all kinds: ", first)
        self.assertIn("tried again", first)
        out, rest = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 1, rest)
        self.assertEqual((first + rest).count("; it is tried again"), 1, "said once, not each time")
        self.assertIn("records read", out, "HubSpot was synced")
        run = self.world.json("runs")[0]
        self.assertEqual(run["state"], "failed")
        self.assertIn("pipedrive, all kinds: ", run["message"])

    def test_quiet_is_quiet(self):
        done = self.world.run("sync", "pipedrive", "--quiet", "--wait", "0s", expect=1)
        self.assertNotIn("tried again", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
