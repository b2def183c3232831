"""Who did what is written down by the commands that do it, without any value of a record, and a change of it is noticed."""

import getpass
import os
import sqlite3
import subprocess
import unittest

from world import WorldTest

CANARY = "Zanzibarowa"


class Audit(WorldTest):
    def entries(self, world):
        return world.json("audit", "--limit", "1000")

    def about(self, world, action):
        return [e for e in self.entries(world) if e["action"] == action]

    def test_commands_leave_their_entry(self):
        more = "strategy: manual-review"
        world = self.world(settle="0s", hubspot_more=more, pipedrive_more=more)
        h = str(world.sims.edit("hubspot", "contacts", None, email="a@audit.example", firstname="Ada", lastname=CANARY)["id"])
        world.sync(expect=0)
        self.assertEqual(len(self.about(world, "configuration.changed")), 1)
        mappings = {e["subject"]: e["details"]["version"] for e in self.about(world, "mapping.changed")}
        self.assertEqual(set(mappings), {f"connection {c} {k}" for c in ("hubspot", "pipedrive") for k in ("company", "contact")})

        (p,) = world.sims.live("pipedrive", "persons")
        world.sims.edit("hubspot", "contacts", h, lastname=CANARY + "1")
        world.sims.edit("pipedrive", "persons", p, last_name=CANARY + "2")
        world.sync(expect=4)
        (conflict,) = world.json("conflicts", "list")
        world.run("conflicts", "resolve", str(conflict["id"]), "--hub", expect=0)
        (resolved,) = self.about(world, "conflict.resolved")
        self.assertEqual(resolved["subject"], f"conflict {conflict['id']}")
        self.assertEqual(resolved["details"]["field"], "last_name")
        self.assertEqual(resolved["details"]["decision"], "hub")
        self.assertEqual(resolved["actor"], "user:" + getpass.getuser())

        world.sync(expect=0)
        run = world.json("runs")[0]["run"]
        world.run("undo", str(run), expect=(0, 3))
        self.assertEqual(self.about(world, "run.undo-begun"), [], "only looked")
        world.run("undo", str(run), "--yes", expect=(0, 3))
        self.assertEqual([e["subject"] for e in self.about(world, "run.undo-begun")], [f"run {run}"])

        world.run("export", "contact", "-o", "contacts.csv", expect=0)
        self.assertEqual([e["subject"] for e in self.about(world, "records.exported")], ["kind contact"])
        world.run("keys", "rotate", expect=0)
        self.assertEqual(len(self.about(world, "keys.rotated")), 1)

        world.write_config(settle="1s", hubspot_more=more, pipedrive_more=more)
        world.sync(expect=(0, 4))
        world.sync(expect=(0, 4))
        self.assertEqual(len(self.about(world, "configuration.changed")), 2)
        self.assertEqual(len(self.about(world, "mapping.changed")), len(mappings), "those are the same")
        self.assertNotIn(CANARY, world.run("audit", "--json", "--limit", "1000").stdout)
        self.assertTrue(world.json("audit", "--verify")["whole"])
        self.assertEqual(world.json("audit", "--since", "2030-01-01"), [])

    def test_a_confirmation_of_the_brake(self):
        world = self.world(settle="0s", hubspot_more="deletes: archive", pipedrive_more="deletes: archive")
        for i in range(40):
            world.sims.edit("hubspot", "contacts", None, email=f"p{i}@audit.example", lastname=f"Nr{i}")
        world.sync(expect=0)
        for object_id in list(world.sims.live("hubspot", "contacts"))[:30]:
            world.sims.ask("hubspot", "/__sim/delete", {"object": "contacts", "id": object_id})
        world.sync(expect=5)
        world.run("brake", "confirm", "hubspot", "contact", "--count", "30", expect=0)
        (entry,) = self.about(world, "brake.confirmed")
        self.assertEqual(entry["subject"], "connection hubspot")
        self.assertEqual((entry["details"]["count"], entry["details"]["what"]), ("30", "deletes"))

    def test_an_export_beside_a_sync_waits_for_nobody(self):
        world = self.world(records=60, settle="0s")
        running = world.start("sync")
        world.run("export", "contact", "-o", "contacts.csv", expect=0)
        running.wait(60)
        self.assertEqual(len(self.about(world, "records.exported")), 1)

    def test_a_change_is_noticed(self):
        world = self.world(settle="0s")
        world.sync(expect=0)
        anchor = world.json("audit", "--verify")["anchor"]
        world.run("export", "contact", expect=0)
        world.run("audit", "--verify", "--anchor", anchor, expect=0)
        database = sqlite3.connect(os.path.join(world.folder, "store.db"))
        with self.assertRaises(sqlite3.Error):
            database.execute("UPDATE audit SET actor = 'user:nobody'")
        database.execute("DROP TRIGGER audit_is_not_changed")
        database.execute("UPDATE audit SET actor = 'user:nobody' WHERE number = 2")
        database.commit()
        database.close()
        refused = world.run("audit", "--verify", expect=1)
        self.assertIn("entry 2 was changed", refused.stderr)

    def test_usage(self):
        world = self.world(settle="0s")
        for wrong in (["--since", "soon"], ["--anchor", "1:ab"], ["--verify", "--anchor", "x"], ["--limit", "0"]):
            world.run("audit", *wrong, expect=2)
        self.assertIn("--anchor", world.run("audit", "--help", expect=0).stdout)


if __name__ == "__main__":
    unittest.main()
