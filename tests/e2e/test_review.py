"""Strategies per connection, kind and field; manual review as a queue that keeps itself current."""

import unittest

from world import WorldTest

MANUAL = {"hubspot_more": "strategy: manual-review", "pipedrive_more": "strategy: manual-review"}


class Review(WorldTest):
    def pair(self, **more):
        world = self.world(settle="0s", **more)
        h = str(world.sims.edit("hubspot", "contacts", None, email="ada@review.example", firstname="Ada", lastname="One")["id"])
        world.sync(expect=0)
        (p,) = world.sims.live("pipedrive", "persons")
        return world, h, p

    def at_hubspot(self, world, h, name="lastname"):
        return world.sims.state("hubspot", "contacts")[h]["fields"].get(name)

    def at_pipedrive(self, world, p, name="last_name"):
        return world.sims.state("pipedrive", "persons")[p]["fields"].get(name)

    def here(self, world):
        return world.json("records", "list", "contact")[0]["fields"]

    def edit_both(self, world, h, p, at_hubspot="Hub", at_pipedrive="Pipe"):
        world.sims.edit("hubspot", "contacts", h, lastname=at_hubspot)
        world.sims.ask("pipedrive", "/__sim/advance", {"ms": 5000})
        world.sims.edit("pipedrive", "persons", p, last_name=at_pipedrive)

    def queue(self, world):
        return world.json("conflicts", "list")

    def test_rules_of_field_merge(self):
        for rule, want in (("remote-first", None), ("local-first", None), ("min", "Alpha"), ("max", "Beta"), ("append", None), ("union", None)):
            with self.subTest(rule):
                more = f"strategies: {{contact.last_name: 'field-merge:{rule}'}}"
                world, h, p = self.pair(hubspot_more=more, pipedrive_more=more)
                self.edit_both(world, h, p, "Beta", "Alpha")
                world.sync(expect=0)
                values = {self.at_hubspot(world, h), self.at_pipedrive(world, p), self.here(world)["last_name"]}
                self.assertEqual(len(values), 1, "the sides do not agree")
                (value,) = values
                if want:
                    self.assertEqual(value, want)
                elif rule in ("append", "union"):
                    self.assertIn("Alpha", value)
                    self.assertIn("Beta", value)
                else:
                    # HubSpot is read first and its value is here when Pipedrive's comes.
                    self.assertEqual(value, "Alpha" if rule == "remote-first" else "Beta")
                before = world.sims.writes()
                world.sync(expect=0)
                self.assertEqual(world.sims.writes(), before)

    def test_the_most_specific_strategy_counts(self):
        more = "strategy: manual-review\nstrategies: {contact: local-master, contact.last_name: external-master}"
        world, h, p = self.pair(hubspot_more=more, pipedrive_more=more)
        world.sims.edit("hubspot", "contacts", h, lastname="Theirs", firstname="Theirs")
        world.run("records", "update", "contact", "ada@review.example", "last_name=Ours", "first_name=Ours", expect=0)
        world.sync("hubspot", expect=0)
        self.assertEqual((self.at_hubspot(world, h), self.at_hubspot(world, h, "firstname")), ("Theirs", "Ours"))
        self.assertEqual((self.here(world)["last_name"], self.here(world)["first_name"]), ("Theirs", "Ours"))

    def test_one_connection_reviews_and_the_other_does_not(self):
        world, h, p = self.pair(hubspot_more="strategy: manual-review", pipedrive_more="strategy: local-master")
        world.sims.edit("hubspot", "contacts", h, lastname="Hub")
        world.sims.edit("pipedrive", "persons", p, last_name="Pipe")
        world.run("records", "update", "contact", "ada@review.example", "last_name=Here", expect=0)
        world.sync(expect=4)
        self.assertEqual([c["connection"] for c in self.queue(world)], ["hubspot"])
        self.assertEqual(self.at_pipedrive(world, p), "Here")
        self.assertEqual(self.at_hubspot(world, h), "Hub")

    def test_one_open_conflict_with_current_candidates(self):
        world, h, p = self.pair(**MANUAL)
        self.edit_both(world, h, p)
        world.sync(expect=4)
        (first,) = self.queue(world)
        self.assertEqual((first["field"], first["here"], first["there"], first["before"]), ("last_name", "Hub", "Pipe", "One"))
        world.sync(expect=4)
        self.assertEqual(self.queue(world), [first], "nothing moved, so nothing changes")
        world.sims.edit("pipedrive", "persons", p, last_name="Piper")
        world.sync(expect=4)
        (second,) = self.queue(world)
        self.assertEqual((second["id"], second["there"]), (first["id"], "Piper"))
        self.assertGreater(second["version"], first["version"])
        world.sims.edit("hubspot", "contacts", h, lastname="Hubert")
        world.sync(expect=4)
        (third,) = self.queue(world)
        self.assertEqual((third["id"], third["here"], third["there"]), (first["id"], "Hubert", "Piper"))
        refused = world.run("conflicts", "resolve", str(first["id"]), "--hub", "--version", str(first["version"]), expect=1)
        self.assertIn("has moved", refused.stderr)
        world.run("conflicts", "resolve", str(first["id"]), "--hub", "--version", str(third["version"]), expect=0)
        world.sync(expect=0)
        self.assertEqual(self.at_pipedrive(world, p), "Hubert")

    def test_only_the_field_is_frozen(self):
        world, h, p = self.pair(**MANUAL)
        self.edit_both(world, h, p)
        world.sync(expect=4)
        world.sims.edit("hubspot", "contacts", h, firstname="Augusta")
        world.sims.edit("pipedrive", "persons", p, phones=[{"value": "+442079460999", "primary": True, "label": "work"}])
        world.sync(expect=4)
        self.assertEqual(self.at_pipedrive(world, p, "first_name"), "Augusta")
        self.assertEqual(self.at_hubspot(world, h, "phone"), "+442079460999")
        self.assertEqual((self.at_hubspot(world, h), self.at_pipedrive(world, p)), ("Hub", "Pipe"))
        self.assertEqual(len(self.queue(world)), 1)

    def test_it_closes_itself_when_the_sides_agree(self):
        for who in ("there", "here"):
            with self.subTest(who):
                world, h, p = self.pair(**MANUAL)
                self.edit_both(world, h, p)
                world.sync(expect=4)
                if who == "there":
                    world.sims.edit("pipedrive", "persons", p, last_name="Hub")
                else:
                    world.sims.edit("hubspot", "contacts", h, lastname="Pipe")
                before = world.sims.writes()
                world.sync(expect=0)
                self.assertEqual(self.queue(world), [])
                self.assertEqual(world.json("conflicts", "list", "--all")[0]["state"], "closed")
                self.assertEqual(world.sims.writes(), before)

    def test_resolved_by_side_field_and_value(self):
        world, h, p = self.pair(**MANUAL)
        for how, want in ((("--hub",), "Hub1"), (("--remote",), "Pipe2"), (("--value", "Third"), "Third")):
            number = {"Hub1": 1, "Pipe2": 2, "Third": 3}[want]
            self.edit_both(world, h, p, f"Hub{number}", f"Pipe{number}")
            world.sync(expect=4)
            world.run("conflicts", "resolve", str(self.queue(world)[0]["id"]), *how, expect=0)
            world.sync(expect=0)
            self.assertEqual({self.at_hubspot(world, h), self.at_pipedrive(world, p), self.here(world)["last_name"]}, {want})
        lost = [entry["value"] for entry in world.json("explain", "contact", "ada@review.example", "last_name")[0]["lost"]]
        self.assertIn("Hub2", lost)
        # Two fields wait; one is decided for all records, the other stays.
        world.sims.edit("hubspot", "contacts", h, lastname="HubL", firstname="HubF")
        world.sims.edit("pipedrive", "persons", p, last_name="PipeL", first_name="PipeF")
        world.sync(expect=4)
        self.assertEqual(len(self.queue(world)), 2)
        done = world.run("conflicts", "resolve", "--all", "--kind", "contact", "--field", "last_name", "--connection", "pipedrive", "--remote", expect=0)
        self.assertIn("1 resolved", done.stdout)
        self.assertIn("0 resolved", world.run("conflicts", "resolve", "--all", "--connection", "hubspot", "--hub", expect=0).stdout)
        world.sync(expect=4)
        self.assertEqual(self.at_hubspot(world, h), "PipeL")
        self.assertEqual([c["field"] for c in self.queue(world)], ["first_name"])
        world.run("conflicts", "resolve", "--all", "--hub", expect=0)
        world.sync(expect=0)
        self.assertEqual(self.at_pipedrive(world, p, "first_name"), "HubF")

    def test_a_deleted_pair_leaves_no_conflict(self):
        more = {side: text + "\ndeletes: archive" for side, text in MANUAL.items()}
        world, h, p = self.pair(**more)
        self.edit_both(world, h, p)
        world.sync(expect=4)
        world.run("records", "delete", "contact", "ada@review.example", expect=0)
        world.sync(expect=0)
        self.assertEqual(self.queue(world), [])
        self.assertEqual(world.sims.live("hubspot", "contacts"), {})

    def test_last_write_wins_by_the_times_of_properties(self):
        world, h, p = self.pair()
        world.sims.edit("hubspot", "contacts", h, lastname="Early")
        for crm in ("hubspot", "pipedrive"):
            world.sims.ask(crm, "/__sim/advance", {"ms": 60000})
        world.sims.edit("pipedrive", "persons", p, last_name="Later")
        for crm in ("hubspot", "pipedrive"):
            world.sims.ask(crm, "/__sim/advance", {"ms": 60000})
        world.sims.edit("hubspot", "contacts", h, phone="+442079460123")  # the record's time is now the latest of all
        world.sync(expect=0)
        world.sync(expect=0)
        self.assertEqual({self.at_hubspot(world, h), self.at_pipedrive(world, p), self.here(world)["last_name"]}, {"Later"})

    def test_wrong_input(self):
        world, h, p = self.pair(**MANUAL)
        for arguments, code in (
            (("1",), 2),
            (("1", "--hub", "--remote"), 2),
            (("--hub",), 2),
            (("1", "--all", "--hub"), 2),
            (("1", "--field", "last_name", "--hub"), 2),
            (("--all", "--value", "x"), 2),
            (("--all", "--kind", "nothing", "--hub"), 2),
            (("--all", "--kind", "contact", "--field", "nothing", "--hub"), 2),
            (("--all", "--connection", "nobody", "--hub"), 2),
            (("x", "--hub"), 2),
            (("99", "--hub"), 1),
        ):
            self.assertTrue(world.run("conflicts", "resolve", *arguments, expect=code).stderr, arguments)


if __name__ == "__main__":
    unittest.main()
