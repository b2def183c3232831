"""A person is exported and erased: no copy of hers is left in any file of the store, she does not come back by herself, and a restore does not bring her back."""

import glob
import json
import os
import signal
import unittest

from world import WorldTest, wait_until

ANN = "ann.canary@privacy.example"
CANARIES = [ANN, "Zuzannacanary", "Kowalskacanary", "5550123987"]


class Privacy(WorldTest):
    def filled(self, **more):
        world = self.world(settle="0s", hubspot_more="deletes: archive\n" + more.get("h", ""), pipedrive_more="deletes: archive\n" + more.get("p", ""))
        self.h = str(world.sims.edit("hubspot", "contacts", None, email=ANN, firstname="Zuzannacanary", lastname="Kowalskacanary", phone="+48 555 012 3987")["id"])
        for i in range(4):
            world.sims.edit("hubspot", "contacts", None, email=f"p{i}@privacy.example", firstname="P", lastname=f"Nr{i}")
        world.sync(expect=(0, 3, 4))
        # history: the values before are copies as well
        world.sims.edit("hubspot", "contacts", self.h, city="Zuzannacanary-City")
        world.sync(expect=(0, 3, 4))
        return world

    def grep(self, world, names="store.db*"):
        found = []
        for path in glob.glob(os.path.join(world.folder, names)):
            with open(path, "rb") as file:
                content = file.read().lower()
            found += [(os.path.basename(path), canary) for canary in CANARIES if canary.lower().encode() in content]
        return found

    def people(self, world):
        return {r["fields"]["email"] for r in world.json("records", "list", "contact") if r["fields"].get("email")}

    def test_export_of_a_person(self):
        world = self.filled()
        world.run("export", "--person", ANN, "-o", "ann.json", expect=0)
        with open(os.path.join(world.folder, "ann.json")) as file:
            ann = json.load(file)
        self.assertEqual(os.stat(file.name).st_mode & 0o777, 0o600)
        self.assertEqual(ann["records"][0]["fields"]["email"], ANN)
        self.assertEqual({l["connection"] for l in ann["links"]}, {"hubspot", "pipedrive"})
        self.assertTrue(any(c["to"] == "Zuzannacanary" for h in ann["history"] for c in h["changes"]))
        self.assertEqual([e["action"] for e in ann["audit"]], ["person.exported"])
        self.assertNotIn("p1@privacy.example", json.dumps(ann))
        world.run("export", "--person", ANN, "-o", "ann.json", expect=2)  # never over a file
        world.run("export", "--person", "nobody@privacy.example", expect=1)
        world.run("export", "contact", "--person", ANN, expect=2)

    def test_erased_here(self):
        world = self.filled()
        world.run("records", "search", "contact", "Zuzannacanary", expect=0)
        self.assertTrue(self.grep(world))
        said = world.json("erase", "--person", ANN, expect=0)
        self.assertTrue(said["dry_run"])
        self.assertGreater(said["here"]["journal"], 0)
        self.assertIn(ANN, self.people(world), "only said")
        done = world.json("erase", "--person", ANN, "--yes", expect=0)
        self.assertEqual((done["here"]["records"], done["here"]["links"]), (1, 2))
        self.assertTrue(done["log_wiped"])
        self.assertEqual(self.grep(world), [])
        self.assertEqual(len(self.people(world)), 4)
        # She is still at the CRMs, and stays out.
        before = world.sims.writes()
        world.sims.edit("hubspot", "contacts", self.h, lastname="Kowalskacanary2")
        world.sync("--full", expect=(0, 3, 4))
        self.assertEqual(self.grep(world), [])
        self.assertEqual(len(self.people(world)), 4)
        self.assertEqual(world.sims.writes(), before)
        (row,) = world.json("erase", "--list", expect=0)
        self.assertGreater(row["refused"], 0)
        # Nor does an import or a person's hand bring her back without a word.
        refused = world.run("records", "create", "contact", "email=" + ANN, "last_name=X", expect=1)
        self.assertIn("erased", refused.stderr)
        self.assertTrue(world.json("audit", "--verify", expect=0)["whole"])
        self.assertEqual([e["action"] for e in world.json("audit") if e["action"].startswith("person.")], ["person.erased", "person.erasure-ordered"])
        # Until it is lifted.
        world.run("erase", "--lift", str(row["id"]), expect=0)
        world.sync("--full", expect=(0, 3, 4))
        self.assertIn(ANN, self.people(world))
        world.run("erase", "--lift", str(row["id"]), expect=1)

    def test_erased_at_the_crms(self):
        world = self.filled()
        done = world.json("erase", "--person", ANN, "--at-crms", "--yes", expect=0)
        places = {p["connection"]: p for p in done["at_crms"]}
        self.assertTrue(places["hubspot"]["final"])
        self.assertEqual(places["pipedrive"], {"connection": "pipedrive", "final": False, "bin_days": 30})
        self.assertEqual(self.grep(world), [])
        for crm, word in (("hubspot", "contacts"), ("pipedrive", "persons")):
            self.assertNotIn(ANN, json.dumps(world.sims.live(crm, word)))
        self.assertNotIn(ANN, json.dumps(world.sims.state("hubspot", "contacts")), "not even in the bin")
        world.sync("--full", expect=(0, 3, 4))
        self.assertEqual(len(self.people(world)), 4)

    def test_a_crm_that_fails_leaves_the_order_open(self):
        world = self.filled()
        rules = [{"fault": "server_error", "per_million": 1000000, "method": "DELETE"}]
        world.sims.ask("pipedrive", "/__sim/faults", {"seed": 1, "rules": rules})
        refused = world.run("erase", "--person", ANN, "--at-crms", "--yes", expect=1)
        self.assertIn("--resume", refused.stderr)
        self.assertEqual([r["state"] for r in world.json("erase", "--list", expect=0)], ["open"])
        self.assertTrue(self.grep(world), "nothing here goes before the CRMs are through")
        world.sims.ask("pipedrive", "/__sim/faults", {})
        world.run("erase", "--resume", expect=0)
        self.assertEqual([r["state"] for r in world.json("erase", "--list", expect=0)], ["done"])
        self.assertEqual(self.grep(world), [])

    def test_killed_at_any_moment(self):
        for delay in range(6):
            with self.subTest(delay):
                world = self.filled()
                running = world.start("erase", "--person", ANN, "--at-crms", "--yes")
                calls = world.sims.calls()
                try:
                    wait_until(lambda: world.sims.calls() >= calls + delay or running.poll() is not None, 20)
                finally:
                    running.send_signal(signal.SIGKILL)
                    running.wait(20)
                orders = world.json("erase", "--list", expect=0)
                if not orders:  # killed before the order stood
                    self.assertIn(ANN, self.people(world))
                    world.run("erase", "--person", ANN, "--at-crms", "--yes", expect=0)
                world.run("erase", "--resume", expect=0)
                world.sync("--full", expect=(0, 3, 4))
                found = self.grep(world)
                self.assertEqual(found, [])
                self.assertEqual(len(self.people(world)), 4)
                print(f"fault=killed-while-erasing kills=1 found={len(found)}", flush=True)
                world.close()

    def test_a_restore_does_not_bring_her_back(self):
        world = self.filled()
        os.mkdir(os.path.join(world.folder, "backups"))
        world.run("backup", "backups/b.db", expect=0)
        world.run("erase", "--person", ANN, "--yes", expect=0)
        self.assertTrue(self.grep(world, "backups/*"), "the backup is from before")
        told = world.json("restore", "backups/b.db", expect=0)
        self.assertEqual(told["erased_again"], 1)
        for path in glob.glob(os.path.join(world.folder, "store.db.before-*")):
            os.unlink(path)
        self.assertEqual(self.grep(world), [])
        world.sync(expect=(0, 3, 4))
        world.sync(expect=(0, 3, 4))
        self.assertEqual(self.grep(world), [])
        self.assertEqual(len(self.people(world)), 4)

    def test_a_ledger_beside_a_later_backup_counts(self):
        world = self.filled()
        os.mkdir(os.path.join(world.folder, "backups"))
        world.run("backup", "backups/monday.db", expect=0)
        world.run("erase", "--person", ANN, "--yes", expect=0)
        world.run("backup", "backups/tuesday.db", expect=0)
        for path in glob.glob(os.path.join(world.folder, "store.db*")):
            os.unlink(path)  # the machine is lost; the folder of backups is not
        told = world.json("restore", "backups/monday.db", expect=0)
        self.assertEqual(told["erased_again"], 1)
        self.assertEqual(self.grep(world), [])
        world.sync(expect=(0, 3, 4))
        self.assertEqual(len(self.people(world)), 4)
        # What was learned is kept beside the store for the next time.
        world.run("restore", "backups/monday.db", expect=0)
        self.assertNotIn(ANN, self.people(world))

    def test_usage(self):
        world = self.world(settle="0s")
        for wrong in ([], ["contact"], ["--person", "a@b.c", "contact", "x"], ["--list", "--resume"], ["--person", "a@b.c", "--yes", "--dry-run"], ["--lift", "0"]):
            world.run("erase", *wrong, expect=2)
        world.run("erase", "--person", "a@b.c", "--yes", expect=1)
        self.assertEqual(world.json("erase", "--list", expect=0), [])


if __name__ == "__main__":
    unittest.main()
