"""Two tenants in one store, with connections of the same names to different accounts: each sees its own records only."""

import os
import re
import unittest

from world import CONFIG, CONNECTION, PEOPLE, Simulators, World, WorldTest


class Tenants(WorldTest):
    def two(self, more=""):
        """The default tenant at one pair of accounts, acme at another, by a drop-in file."""
        world = self.world(more="include: more.d\n", init=False)
        other = Simulators(0, 8)
        self.addCleanup(other.stop)
        os.mkdir(os.path.join(world.folder, "more.d"))
        text = "tenants:\n  acme:\n    connections:\n"
        for crm in ("hubspot", "pipedrive"):
            lines = CONNECTION.format(crm=crm, url=other.url(crm), variable="ACME_" + crm.upper(), priority=1, settle="0s", more=f"    {PEOPLE}\n    {more}")
            text += "".join("    " + line + "\n" for line in lines.splitlines())
            world.env["ACME_" + crm.upper()] = other.token(crm)
        with open(os.path.join(world.folder, "more.d", "acme.yaml"), "w") as file:
            file.write(text)
        world.run("init", expect=0)
        return world, other

    def test_each_sees_its_own(self):
        world, other = self.two()
        world.sims.edit("hubspot", "contacts", None, email="ada@default.example", firstname="Ada")
        other.edit("hubspot", "contacts", None, email="bob@acme.example", firstname="Bob")
        world.run("status", "--tenant", "acme", expect=0)  # before its first sync
        world.sync(expect=0)
        self.assertEqual(len(other.live("pipedrive", "persons")), 0)
        world.sync("--tenant", "acme", expect=0)
        names = lambda *tenant: [r["fields"]["first_name"] for r in world.json("records", "list", "contact", *tenant)]
        self.assertEqual(names(), ["Ada"])
        self.assertEqual(names("--tenant", "acme"), ["Bob"])
        self.assertEqual([p["fields"]["first_name"] for p in other.live("pipedrive", "persons").values()], ["Bob"])
        self.assertEqual([p["fields"]["first_name"] for p in world.sims.live("pipedrive", "persons").values()], ["Ada"])
        found = world.json("records", "list", "contact", "--tenant", "acme")[0]["id"]
        self.assertIn("no ", world.run("records", "get", "contact", found, expect=(1, 2)).stderr)
        self.assertEqual(len(world.json("runs", "--tenant", "acme")), 1)
        done = world.run("status", "--tenant", "acmee", expect=2)
        self.assertIn("there are: default, acme", done.stderr)
        self.assertEqual(world.run("--tenant", "acme", "doctor").returncode, 0)
        self.assertIn("'crmsync --tenant acme conflicts list'", world.run("conflicts", "show", "99", "--tenant", "acme", expect=1).stderr)

    def test_what_is_advised_is_for_the_tenant(self):
        """Every command that is offered can be typed as it stands."""
        world, other = self.two("deletes: archive")
        for i in range(40):
            other.edit("hubspot", "contacts", None, email=f"p{i}@acme.example", lastname=f"Nr{i}")
        world.sync("--tenant", "acme", expect=0)
        for object_id in list(other.live("hubspot", "contacts"))[:30]:
            other.ask("hubspot", "/__sim/delete", {"object": "contacts", "id": object_id})
        shown = world.run("sync", "--tenant", "acme", expect=5).stdout
        offered = re.search("if that is wanted: crmsync (.*)", shown)[1].split()
        self.assertEqual(offered[:2], ["--tenant", "acme"])
        report = world.sync("--tenant", "acme", expect=5)
        (row,) = world.json("brake", "list", "--tenant", "acme")
        notes = [s["note"] for s in world.json("status", "--tenant", "acme")]
        for text in (report["brakes"][0]["try"], row["try"]):
            self.assertEqual(text.split()[1:], offered)
        self.assertIn(" ".join(offered), " ".join(notes))
        world.run(*offered, expect=0)
        (row,) = world.json("brake", "list", "--tenant", "acme")
        self.assertEqual(row["try"], "crmsync --tenant acme sync")
        world.run(*row["try"].split()[1:], expect=0)
        self.assertEqual(len(other.live("pipedrive", "persons")), 10)
        world.env["ACME_HUBSPOT"] = "wrong"
        self.assertIn("'crmsync --tenant acme connect'", world.run("sync", "--tenant", "acme", expect=1).stderr)
        self.assertIn("'crmsync --tenant acme connect'", str(world.sync("--tenant", "acme", expect=1)["problems"]))
        world.env["HUBSPOT_TOKEN"] = "wrong"
        self.assertIn("'crmsync connect'", world.run("sync", expect=1).stderr)


if __name__ == "__main__":
    unittest.main()
