"""A mass change does not spread before a person confirms it, and after that exactly it happens."""

import re
import unittest

from proxy import behind
from world import WorldTest

ARCHIVE = {"hubspot_more": "deletes: archive", "pipedrive_more": "deletes: archive"}


class Brake(WorldTest):
    def filled(self, count, **more):
        """So many people at both CRMs, linked and in agreement."""
        world = self.world(settle="0s", **{**ARCHIVE, **more})
        for i in range(count):
            world.sims.edit("hubspot", "contacts", None, email=f"p{i}@brake.example", firstname="P", lastname=f"Nr{i}")
        world.sync(expect=0)
        self.assertEqual(len(world.sims.live("pipedrive", "persons")), count)
        return world

    def delete(self, world, crm, word, count):
        for object_id in list(world.sims.live(crm, word))[:count]:
            world.sims.ask(crm, "/__sim/delete", {"object": word, "id": object_id})

    def waiting(self, world):
        return [b for b in world.json("brake", "list") if b["state"] == "waits"]

    def stopped(self, world, what, count, *options):
        """A sync that the brake stops; returns the command that it offers."""
        before = world.sims.writes()
        report = world.sync(*options, expect=5)
        self.assertTrue(report["brake_stopped"])
        self.assertEqual(world.sims.writes(), before, "something spread")
        (row,) = self.waiting(world)
        self.assertEqual((row["what"], row["count"]), (what, count))
        self.assertEqual(report["brakes"][0]["try"], row["try"])
        self.assertIn(row["try"], [n for s in world.json("status") for n in re.findall("crmsync brake confirm.*", s["note"])])
        self.assertIn(row["seen"], world.json("runs")[0]["message"])
        return row["try"].split()[1:]

    def test_thirty_percent_deleted(self):
        world = self.filled(100)
        self.delete(world, "hubspot", "contacts", 30)
        command = self.stopped(world, "deletes", 30)
        self.stopped(world, "deletes", 30)  # again: it keeps waiting
        self.assertEqual(len(world.json("records", "list", "contact", "--limit", "1000")), 100)
        world.run(*command, expect=0)
        report = world.sync(expect=0)
        self.assertEqual(report["counts"]["deleted_here"], 30)
        self.assertEqual(report["counts"]["deleted_there"], 30)
        self.assertEqual(len(world.sims.live("pipedrive", "persons")), 70)
        self.assertEqual(len(world.json("records", "list", "contact", "--limit", "1000")), 70)
        self.assertEqual(world.json("brake", "list"), [])

    def test_everything_deleted_and_used_once(self):
        world = self.filled(60)
        self.delete(world, "pipedrive", "persons", 60)
        command = self.stopped(world, "emptied", 60, "--full")
        world.run(*command, expect=0)
        world.sync(expect=0)
        self.assertEqual(world.sims.live("hubspot", "contacts"), {})
        world.run(*command, expect=1)  # nothing is held any more

    def test_more_than_was_confirmed(self):
        world = self.filled(100)
        self.delete(world, "hubspot", "contacts", 30)
        command = self.stopped(world, "deletes", 30)
        world.run(*command, expect=0)
        self.delete(world, "hubspot", "contacts", 10)
        second = self.stopped(world, "deletes", 40)
        refused = world.run(*command, expect=1)
        self.assertIn("40 now, not 30", refused.stderr)
        self.assertIn("--count 40", refused.stderr)
        world.run(*second, expect=0)
        world.sync(expect=0)
        self.assertEqual(len(world.sims.live("pipedrive", "persons")), 60)

    def test_restored_before_anybody_confirmed(self):
        world = self.filled(60)
        gone = list(world.sims.live("hubspot", "contacts"))[:40]
        self.delete(world, "hubspot", "contacts", 40)
        self.stopped(world, "deletes", 40)
        for object_id in gone:
            world.sims.ask("hubspot", "/__sim/restore", {"object": "contacts", "id": object_id})
        world.sync("--full", expect=0)
        self.assertEqual(world.json("brake", "list"), [])
        self.assertEqual(len(world.sims.live("pipedrive", "persons")), 60)

    def test_deleted_here(self):
        world = self.filled(60)
        for record in world.json("records", "list", "contact")[:40]:
            world.run("records", "delete", "contact", record["id"], expect=0)
        before = world.sims.writes()
        world.sync(expect=5)
        self.assertEqual(world.sims.writes(), before)
        rows = self.waiting(world)
        self.assertEqual({(r["connection"], r["what"], r["count"]) for r in rows}, {("hubspot", "removals", 40), ("pipedrive", "removals", 40)})
        # Other changes of the kind go on.
        kept = world.json("records", "list", "contact")[0]["id"]
        world.run("records", "update", "contact", kept, "last_name=Goes", expect=0)
        world.sync(expect=5)
        self.assertIn("Goes", [p["fields"]["last_name"] for p in world.sims.live("pipedrive", "persons").values()])
        world.run("brake", "confirm", "pipedrive", "contact", "--count", "40", expect=0)
        world.sync(expect=5)
        self.assertEqual(len(world.sims.live("pipedrive", "persons")), 20)
        self.assertEqual(len(world.sims.live("hubspot", "contacts")), 60)
        world.run("brake", "confirm", "hubspot", "contact", "--count", "40", expect=0)
        world.sync(expect=0)
        self.assertEqual(len(world.sims.live("hubspot", "contacts")), 20)

    def test_many_updates(self):
        world = self.filled(60)
        with open(world.folder + "/crmsync.yaml", "a") as file:
            file.write("brake:\n  updates_floor: 20\n  updates_percent: 30\n")
        for object_id in list(world.sims.live("hubspot", "contacts"))[:25]:
            world.sims.edit("hubspot", "contacts", object_id, lastname="Blank")
        command = self.stopped(world, "updates", 25)
        self.assertEqual(command[3:5], ["hubspot", "contact"][-1:] + ["--what"])
        self.assertNotIn("Blank", [p["fields"]["last_name"] for p in world.sims.live("pipedrive", "persons").values()])
        world.run(*command, expect=0)
        self.assertEqual(world.sync(expect=0)["counts"]["updated_there"], 25)
        self.assertEqual([p["fields"]["last_name"] for p in world.sims.live("pipedrive", "persons").values()].count("Blank"), 25)
        self.assertEqual(world.json("brake", "list"), [])

    def test_updates_taken_back(self):
        world = self.filled(40)
        with open(world.folder + "/crmsync.yaml", "a") as file:
            file.write("brake: {updates_floor: 20, updates_percent: 30}\n")
        old = {i: c["fields"]["lastname"] for i, c in world.sims.live("hubspot", "contacts").items()}
        for object_id in old:
            world.sims.edit("hubspot", "contacts", object_id, lastname="Blank")
        self.stopped(world, "updates", 40)
        for object_id, name in old.items():
            world.sims.edit("hubspot", "contacts", object_id, lastname=name)
        world.sync(expect=5)  # the values here go back first, and still count
        command = self.waiting(world)[0]["try"].split()[1:]
        world.run(*command, expect=0)
        self.assertEqual(world.sync(expect=0)["counts"]["updated_there"], 0)

    def test_a_mapping_that_is_edited(self):
        """Another property becomes everybody's last name: nothing of it spreads before a person says so, and nothing at all when the mapping is put right again."""
        world = self.filled(60)
        world.run("init", "--mappings", expect=0)
        with open(world.folder + "/mappings/hubspot.yaml") as file:
            mapping = file.read()

        def use(text):
            with open(world.folder + "/mappings/hubspot.yaml", "w") as file:
                file.write(text)

        more = {**ARCHIVE, "hubspot_more": "deletes: archive\nkinds: [company, contact]\nmapping: mappings/hubspot.yaml"}
        world.write_config(settle="0s", more="brake: {updates_floor: 20, updates_percent: 30}\n", **more)
        use(mapping.replace("property: lastname", "property: salutation"))
        before = world.sims.writes()
        command = self.stopped(world, "updates", 60)
        print(f"fault=mapping-edited records=60 written_before_confirmed={world.sims.writes() - before}", flush=True)
        use(mapping)
        world.sync(expect=5)  # the values here go back first, and still count
        self.assertEqual(self.waiting(world)[0]["try"].split()[1:], command)
        world.run(*command, expect=0)
        self.assertEqual(world.sync(expect=0)["counts"]["updated_there"], 0)
        self.assertEqual(world.sims.writes(), before)

    def test_an_empty_listing(self):
        world = self.filled(40)
        proxy = behind(world, "hubspot", settle="0s", **ARCHIVE)
        self.addCleanup(proxy.close)
        listing = re.compile(r"/crm/objects/[^?]*/contacts(\?|$)")
        proxy.rule = lambda method, path, body: (200, {"results": []}) if method == "GET" and listing.search(path) else None
        command = self.stopped(world, "emptied", 40, "--full")
        self.stopped(world, "emptied", 40)  # looked at again without being asked
        # Believed, and yet nothing happens: the objects are there when they are read one by one.
        world.run(*command, expect=0)
        world.sync(expect=0)
        self.assertEqual(len(world.json("records", "list", "contact", "--limit", "1000")), 40)
        self.assertEqual(len(world.sims.live("pipedrive", "persons")), 40)

    def test_an_empty_listing_that_is_true(self):
        world = self.filled(40)
        self.delete(world, "hubspot", "contacts", 40)
        proxy = behind(world, "hubspot", settle="0s", **ARCHIVE)
        self.addCleanup(proxy.close)
        proxy.rule = lambda method, path, body: (200, {"results": [], "total": 0}) if path.endswith("/contacts/search") else None
        world.sync("--full", expect=5)
        self.assertEqual([r["what"] for r in self.waiting(world)], ["deletes", "emptied"])
        self.assertIn("--what", world.run("brake", "confirm", "hubspot", "contact", "--count", "40", expect=1).stderr)
        world.run("brake", "confirm", "hubspot", "contact", "--what", "emptied", "--count", "40", expect=0)
        world.sync(expect=0)  # the deletes were meant with it
        self.assertEqual(world.sims.live("pipedrive", "persons"), {})

    def test_a_revoked_permission(self):
        world = self.filled(40)
        proxy = behind(world, "hubspot", settle="0s", **ARCHIVE)
        self.addCleanup(proxy.close)
        refusal = {"status": "error", "category": "MISSING_SCOPES", "message": "This app hasn't been granted all required scopes"}
        proxy.rule = lambda method, path, body: (403, refusal) if "/contacts" in path else None
        before = world.sims.writes()
        world.sync("--full", expect=1)
        proxy.rule = lambda method, path, body: None
        world.sync(expect=0)
        self.assertEqual(world.sims.writes(), before)
        self.assertEqual(len(world.json("records", "list", "contact", "--limit", "1000")), 40)

    def test_objects_left_out(self):
        world = self.filled(40)
        hidden = set(list(world.sims.live("hubspot", "contacts"))[:30])
        proxy = behind(world, "hubspot", settle="0s", **ARCHIVE)
        self.addCleanup(proxy.close)

        def leave_out(path, answer):
            if "/contacts" in path and isinstance(answer.get("results"), list):
                answer["results"] = [r for r in answer["results"] if r.get("id") not in hidden]
            return answer

        proxy.edit = leave_out
        proxy.rule = lambda method, path, body: (403, {"status": "error", "category": "FORBIDDEN"}) if method == "GET" and re.search(r"/contacts/\d+", path) else None
        before = world.sims.writes()
        world.sync("--full", expect=(0, 1, 3))
        self.assertEqual(world.sims.writes(), before)
        self.assertEqual(len(world.json("records", "list", "contact", "--limit", "1000")), 40)

    def test_wrong_input(self):
        world = self.filled(1)
        for arguments, code, word in (
            (("confirm", "hubspot", "contact"), 2, "--count"),
            (("confirm", "hubspot", "contact", "--count", "0"), 2, "--count"),
            (("confirm", "hubspot", "contact", "--count", "x"), 2, "'x' is no whole number from 1 up"),
            (("confirm", "hubspot", "contact", "--count", "1", "--what", "all"), 2, "--what"),
            (("confirm", "nobody", "contact", "--count", "1"), 2, "no connection 'nobody'"),
            (("confirm", "hubspot", "nothing", "--count", "1"), 2, "nothing"),
            (("confirm", "hubspot", "contact", "--count", "1"), 1, "holds nothing"),
            (("release",), 2, "release"),
        ):
            self.assertIn(word, world.run("brake", *arguments, expect=code).stderr, arguments)
        with open(world.folder + "/crmsync.yaml", "a") as file:
            file.write("brake: {updates_percent: 101}\n")
        self.assertIn("crmsync.yaml:", world.run("status", expect=2).stderr)


if __name__ == "__main__":
    unittest.main()
