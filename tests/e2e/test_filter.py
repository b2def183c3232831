"""Which records take part at a connection: filters, a person's selection, back-fill after a change of either."""

import unittest

from world import WorldTest

BERLIN = "filters:\n  contact:\n    - {field: city, is: Berlin}\n"
QUICK = {"settle": "0s"}


class Filters(WorldTest):
    def person(self, world, name, **more):
        made = world.sims.edit("hubspot", "contacts", None, email=f"{name}@filter.example", firstname=name, **more)
        return str(made["id"])

    def there(self, world):
        return {p["fields"]["first_name"]: i for i, p in world.sims.live("pipedrive", "persons").items()}

    def here(self, world):
        return {r["fields"]["first_name"]: r for r in world.json("records", "list", "contact")}

    def test_what_does_not_pass_is_not_imported(self):
        world = self.world(hubspot_more=BERLIN, **QUICK)
        self.person(world, "Ada", city="Berlin")
        bob = self.person(world, "Bob", city="Paris")
        world.sync(expect=0)
        self.assertEqual(set(self.here(world)), {"Ada"})
        self.assertEqual(set(self.there(world)), {"Ada"})
        world.sims.edit("hubspot", "contacts", bob, city="Berlin")
        world.sync(expect=0)
        self.assertEqual(set(self.there(world)), {"Ada", "Bob"})

    def test_what_does_not_pass_is_not_created_there(self):
        more = "filters:\n  contact: [{any: [{field: city, contains: BERL}, {field: city, is: [Rome, Oslo]}]}]\n"
        world = self.world(pipedrive_more=more, **QUICK)
        for name, city in (("Ada", "Berlin Mitte"), ("Bob", "Paris"), ("Cyd", "Rome"), ("Dan", "")):
            self.person(world, name, city=city)
        report = world.sync(expect=0)
        self.assertEqual(set(self.here(world)), {"Ada", "Bob", "Cyd", "Dan"})
        self.assertEqual(set(self.there(world)), {"Ada", "Cyd"})
        self.assertEqual(report["counts"]["set_aside"], 0)
        before = world.sims.writes()
        world.sync(expect=0)
        self.assertEqual(world.sims.writes(), before)

    def test_a_field_that_cannot_be_read_opens_no_filter(self):
        more = "filters:\n  contact:\n    - {field: phone, is_not: '+4930999'}\n"
        world = self.world(hubspot_more=more, **QUICK)
        self.person(world, "Ada", phone="+4930111")
        self.person(world, "Bob", phone="+4930999")
        world.sync(expect=0)
        self.assertEqual(set(self.here(world)), {"Ada"})
        self.person(world, "Cyd", phone="+4930999")
        world.sims.ask("hubspot", "/__sim/schema", {"object": "contacts", "property": "phone", "change": "remove"})
        world.sync("--full", expect=3)
        self.assertEqual(set(self.here(world)), {"Ada"}, "nobody comes in unseen, and who is in stays")
        self.assertEqual(set(self.there(world)), {"Ada"})
        world.sims.ask("hubspot", "/__sim/schema", {"object": "contacts", "property": "phone", "change": "restore"})
        world.sync(expect=0)
        self.assertEqual(set(self.here(world)), {"Ada"})

    def linked(self, **more):
        world = self.world(**{**QUICK, **more})
        ada = self.person(world, "Ada", city="Berlin", lastname="One")
        world.sync(expect=0)
        return world, ada, self.there(world)["Ada"]

    def last_name(self, world, there):
        return world.sims.state("pipedrive", "persons")[there]["fields"]["last_name"]

    def test_a_pair_that_leaves_rests_and_goes_on_from_its_base(self):
        world, ada, there = self.linked(hubspot_more=BERLIN)
        world.sims.edit("hubspot", "contacts", ada, city="Paris")
        world.run("records", "update", "contact", "ada@filter.example", "city=Paris", expect=0)
        world.sync(expect=0)
        self.assertIn("resting", world.run("records", "list", "contact").stdout)
        self.assertIn("hubspot: resting", world.run("explain", "contact", "ada@filter.example").stdout)
        # Neither pulled …
        world.sims.edit("hubspot", "contacts", ada, firstname="Augusta")
        # … nor pushed.
        world.run("records", "update", "contact", "ada@filter.example", "last_name=Two", expect=0)
        world.sync("--full", expect=0)
        self.assertEqual(set(self.here(world)), {"Ada"})
        self.assertEqual(world.sims.state("hubspot", "contacts")[ada]["fields"]["lastname"], "One")
        self.assertEqual(self.last_name(world, there), "Two")  # the other connection has no filter
        # It passes again there: both edits travel.
        world.sims.edit("hubspot", "contacts", ada, city="Berlin")
        world.sync(expect=0)
        self.assertEqual(set(self.here(world)), {"Augusta"})
        self.assertEqual(world.sims.state("hubspot", "contacts")[ada]["fields"]["lastname"], "Two")
        self.assertEqual(world.json("records", "list", "contact")[0]["part"], [])

    def test_a_resting_record_that_passes_here_again(self):
        world, ada, _ = self.linked(hubspot_more=BERLIN)
        world.sims.edit("hubspot", "contacts", ada, city="Paris")
        world.run("records", "update", "contact", "ada@filter.example", "city=Paris", expect=0)
        world.sync(expect=0)
        world.run("records", "update", "contact", "ada@filter.example", "city=Berlin", "last_name=Two", expect=0)
        world.sync(expect=0)
        self.assertEqual(world.sims.state("hubspot", "contacts")[ada]["fields"]["lastname"], "Two")

    def test_a_changed_filter_acts_on_the_next_run(self):
        world, ada, there = self.linked()
        self.person(world, "Bob", city="Paris")
        world.sync(expect=0)
        world.write_config(settle="0s", hubspot_more=BERLIN, pipedrive_more=BERLIN)
        self.assertEqual([s["note"] for s in world.json("status") if s["kind"] == "contact"], ["back-fill: the mapping or the filter changed"] * 2)
        world.sync(expect=0)
        self.assertEqual([s["note"] for s in world.json("status") if s["kind"] == "contact"], [""] * 2)
        resting = {r["fields"]["first_name"]: {p["connection"] for p in r["part"] if p["resting"]} for r in world.json("records", "list", "contact")}
        self.assertEqual(resting, {"Ada": set(), "Bob": {"hubspot", "pipedrive"}})
        bob = next(i for i, c in world.sims.live("hubspot", "contacts").items() if c["fields"]["firstname"] == "Bob")
        world.sims.edit("hubspot", "contacts", bob, lastname="Late")
        world.sync(expect=0)
        world.write_config(settle="0s")
        world.sync(expect=0)
        self.assertEqual(self.last_name(world, self.there(world)["Bob"]), "Late")

    def test_pin_exclude_include_unselect(self):
        world, ada, there = self.linked()
        uuid = self.here(world)["Ada"]["id"]
        world.run("records", "pin", uuid, "pipedrive", expect=0)
        world.sims.edit("hubspot", "contacts", ada, lastname="Two")
        world.sims.edit("pipedrive", "persons", there, first_name="Held")
        world.sync("--full", expect=0)
        self.assertEqual(self.last_name(world, there), "One")
        self.assertEqual(set(self.here(world)), {"Ada"})
        self.assertEqual(world.json("records", "list", "contact")[0]["part"], [{"connection": "pipedrive", "selection": "pin", "resting": True}])
        self.assertIn("pipedrive: pin, resting", world.run("explain", "contact", uuid).stdout)
        world.run("records", "unselect", uuid, "pipedrive", expect=0)
        world.sync(expect=0)
        self.assertEqual(self.last_name(world, there), "Two")
        self.assertEqual(set(self.here(world)), {"Held"})
        world.run("records", "unselect", uuid, "pipedrive", expect=1)
        # Not created where it is excluded, created where it is included against the filter.
        world.write_config(settle="0s", pipedrive_more="filters: {contact: [{field: city, is: Oslo}]}")
        world.run("records", "create", "contact", "email=eve@filter.example", "first_name=Eve", expect=0)
        world.run("records", "create", "contact", "email=fay@filter.example", "first_name=Fay", "city=Oslo", expect=0)
        records = self.here(world)
        world.run("records", "include", records["Eve"]["id"], "pipedrive", expect=0)
        world.run("records", "exclude", records["Fay"]["id"], "pipedrive", expect=0)
        world.sync(expect=0)
        self.assertIn("Eve", self.there(world))
        self.assertNotIn("Fay", self.there(world))

    def test_a_delete_there_of_a_resting_pair_stays_there(self):
        archive = "deletes: archive"
        world, ada, there = self.linked(hubspot_more=archive, pipedrive_more=archive)
        uuid = self.here(world)["Ada"]["id"]
        world.run("records", "pin", uuid, "hubspot", expect=0)
        world.sync(expect=0)
        world.sims.ask("hubspot", "/__sim/delete", {"object": "contacts", "id": ada})
        world.sync("--full", expect=0)
        self.assertEqual(set(self.here(world)), {"Ada"})
        world.run("records", "delete", "contact", uuid, expect=0)
        world.run("records", "unselect", uuid, "hubspot", expect=0)
        world.sync(expect=0)
        self.assertEqual(self.there(world), {})

    def test_no_duplicate_of_what_was_not_imported(self):
        more = "filters:\n  contact: [{field: last_name, is: Vip}]\n"
        world = self.world(pipedrive_more=more, **QUICK)
        world.sims.edit("pipedrive", "persons", None, name="Ada Old", emails=[{"value": "ada@filter.example", "primary": True, "label": "work"}])
        world.sync(expect=0)
        self.assertEqual(self.here(world), {})
        world.sims.ask("pipedrive", "/__sim/advance", {"ms": 86400000})  # far behind every overlap of the cursor
        world.sims.edit("pipedrive", "persons", None, name="Bob Old", emails=[{"value": "bob@filter.example", "primary": True, "label": "work"}])
        world.sync(expect=0)
        self.person(world, "Ada", lastname="Vip")
        self.person(world, "New", lastname="Vip")
        world.sync(expect=0)
        names = [p["fields"]["first_name"] for p in world.sims.live("pipedrive", "persons").values()]
        self.assertEqual(sorted(names), ["Ada", "Bob", "New"])

    def test_a_changed_mapping_looks_at_old_records_again(self):
        world = self.world(init=False, **QUICK)
        world.run("init", "--mappings", expect=0)
        path = world.folder + "/mappings/hubspot.yaml"
        with open(path) as file:
            text = file.read()
        start = text.index("city:")
        with open(path, "w") as file:
            file.write(text[:start].rsplit("\n", 1)[0] + "\n" + text[text.index("\n", start) + 1 :])
        world.write_config(settle="0s", hubspot_more="mapping: mappings/hubspot.yaml")
        self.person(world, "Ada", city="Berlin")
        world.sync(expect=0)
        self.assertNotIn("city", self.here(world)["Ada"]["fields"])
        with open(path, "w") as file:
            file.write(text)
        world.sync(expect=0)
        self.assertEqual(self.here(world)["Ada"]["fields"]["city"], "Berlin")

    def test_wrong_input(self):
        world = self.world(**QUICK)
        uuid = "00000000-0000-7000-8000-000000000000"
        for arguments, code in ((("pin", uuid, "hubspot"), 1), (("pin", uuid), 2), (("exclude", uuid, "nobody"), 2), (("unselect", "x", "hubspot"), 1)):
            self.assertTrue(world.run("records", *arguments, expect=code).stderr)
        for filters, word in (
            ("[]", "filters"),
            ("{contact: []}", "conditions are a list"),
            ("{person: [{field: city, is: x}]}", "unknown kind 'person'"),
            ("{contact: [{field: town, is: x}]}", "no field 'town'"),
            ("{contact: [{field: city}]}", "exactly one"),
            ("{contact: [{field: city, is: x, has: y}]}", "exactly one"),
            ("{contact: [{field: city, at_least: x}]}", "cannot be asked"),
            ("{contact: [{field: total_revenue, at_least: many}]}", "is not a number"),
            ("{contact: [{field: city, are: x}]}", "are"),
            ("{contact: [{is: x}]}", "needs 'field'"),
            ("{contact: [{any: [{any: [{field: city, is: x}]}]}]}", "any"),
        ):
            world.write_config(settle="0s", hubspot_more="filters: " + filters)
            stderr = world.run("status", expect=2).stderr
            self.assertRegex(stderr, r"crmsync\.yaml:\d+:\d+")
            self.assertIn(word, stderr)


if __name__ == "__main__":
    unittest.main()
