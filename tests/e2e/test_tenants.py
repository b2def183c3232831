"""Two tenants in one store, with connections of the same names to different accounts: each sees its own records only."""

import os
import unittest

from world import CONFIG, CONNECTION, PEOPLE, Simulators, World, WorldTest


class Tenants(WorldTest):
    def two(self):
        """The default tenant at one pair of accounts, acme at another, by a drop-in file."""
        world = self.world(more="include: more.d\n", init=False)
        other = Simulators(0, 8)
        self.addCleanup(other.stop)
        os.mkdir(os.path.join(world.folder, "more.d"))
        text = "tenants:\n  acme:\n    connections:\n"
        for crm in ("hubspot", "pipedrive"):
            lines = CONNECTION.format(crm=crm, url=other.url(crm), variable="ACME_" + crm.upper(), priority=1, settle="0s", more="    " + PEOPLE)
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


if __name__ == "__main__":
    unittest.main()
