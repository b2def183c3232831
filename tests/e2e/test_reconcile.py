"""`crmsync reconcile`: what every sync missed, and damage to the store itself, is found, marked and repaired by the ordinary sync."""

import signal
import sqlite3
import time
import unittest

import missed
from test_serve import Service as Running
from world import World, compare, wait_until

QUIET = ("created_here", "updated_here", "deleted_here", "created_there", "updated_there", "deleted_there")


def found(report):
    """{connection: {what: how many}} of contacts, without zeros."""
    return {
        s["connection"]: {what: n for what, n in s["by_sort"].items() if n} for s in report["streams"] if s["kind"] == "contact"
    }


class Reconcile(unittest.TestCase):
    def setUp(self):
        self.world = World(records=40)
        for _ in range(3):
            self.world.sync()
        missed.an_hour_goes_by(self.world)
        self.world.sync()

    def tearDown(self):
        self.world.close()

    def reconcile(self, *more, expect):
        writes = self.world.sims.writes()
        report = self.world.json("reconcile", *more, expect=expect)
        self.assertEqual(self.world.sims.writes(), writes, "a comparison writes nothing at the CRMs")
        return report

    def repaired(self, ended=0):
        """Marked, synced, and nothing is left: neither a difference nor a write. ended: pairs of which one side is gone for good."""
        self.reconcile("--repair", expect=(0, 3))
        for _ in range(3):
            self.world.sync()
        after = self.reconcile(expect=0)
        self.assertEqual(found(after), {"hubspot": {}, "pipedrive": {}}, after)
        writes = self.world.sims.writes()
        counts = self.world.sync()["counts"]
        self.assertEqual([counts[name] for name in QUIET], [0] * len(QUIET), counts)
        self.assertEqual(self.world.sims.writes(), writes)
        self.assertEqual(len(compare(self.world)[1]), ended)

    def test_nothing_differs(self):
        report = self.reconcile(expect=0)
        self.assertEqual(found(report), {"hubspot": {}, "pipedrive": {}})
        for stream in report["streams"]:
            self.assertEqual(stream["pairs_read"], stream["pairs"], "every pair was looked at the first time")
        again = self.reconcile(expect=0)
        self.assertEqual([s["pairs_read"] for s in again["streams"]], [0] * len(again["streams"]), "and no bucket changed since")
        self.assertEqual(self.world.json("reconcile", "--report")["streams"], again["streams"], "the last result can be shown again")

    def test_what_every_sync_missed(self):
        world = self.world
        here, there = missed.links(world, "hubspot"), missed.links(world, "pipedrive")

        def change(world):
            for _, _, remote in here[:5]:
                world.sims.edit("hubspot", "contacts", remote, firstname="Canary-Moved")
            for _, _, remote in there[5:8]:
                world.sims.edit("pipedrive", "persons", remote, first_name="Canary-Moved")
            for _, _, remote in there[10:12]:  # HubSpot shows all it has archived at every sync
                world.sims.ask("pipedrive", "/__sim/delete", {"object": "persons", "id": remote})
            for i in range(3):
                world.sims.edit("hubspot", "contacts", None, email=f"canary{i}@new.example", lastname="New")

        missed.miss(world, change)
        counts = world.sync()["counts"]
        self.assertEqual([counts[name] for name in QUIET], [0] * len(QUIET), "no sync sees it any more")
        report = self.reconcile(expect=3)
        want = {
            "hubspot": {"changed-there": 5, "created-there": 3},
            "pipedrive": {"changed-there": 3, "deleted-there": 2},
        }
        self.assertEqual(found(report), want)
        stream = next(s for s in report["streams"] if s["connection"] == "hubspot" and s["kind"] == "contact")
        self.assertEqual({tuple(f["fields"]) for f in stream["found"] if f["what"] == "changed-there"}, {("first_name",)})
        other = next(s for s in report["streams"] if s["connection"] == "pipedrive" and s["kind"] == "contact")
        self.assertEqual({f["object"] for f in other["found"] if f["what"] == "deleted-there"}, {remote for _, _, remote in there[10:12]})
        self.assertEqual(stream["fields_differ"], 5)
        self.assertTrue(stream["oldest"])
        shown = world.run("reconcile", "--report", expect=3).stdout
        self.assertIn("differences; the oldest since ", shown)
        self.assertIn("8 of ", shown)
        for text in (str(report).lower(), shown.lower()):
            self.assertNotIn("canary", text, "no value is ever shown")
        self.assertEqual(found(self.reconcile(expect=3)), want, "looking changed nothing")
        marked = self.reconcile("--repair", expect=0)
        self.assertEqual([s["marked"] for s in marked["streams"]], [s["differences"] for s in marked["streams"]])
        self.repaired(ended=2)
        self.assertEqual(len([1 for r in world.json("records", "list", "contact", "--limit", "1000") if "canary" in str(r).lower()]), 11)

    def test_beside_a_running_service(self):
        """The service holds the store: it compares, and shows the same as the command alone; marks are read at once."""
        world = self.world
        here = missed.links(world, "hubspot")
        world.write_config(more="service: {listen: '127.0.0.1:0'}\nschedule: {pull: never, reconcile: never}\n")

        def change(world):
            for _, _, remote in here[:5]:
                world.sims.edit("hubspot", "contacts", remote, firstname="Canary-Moved")

        missed.miss(world, change)
        service = Running(world)
        self.addCleanup(service.close)
        self.assertIn("serves", service.said, service.log())
        report = self.reconcile(expect=3)
        self.assertEqual(found(report), {"hubspot": {"changed-there": 5}, "pipedrive": {}})
        self.assertGreater(report["run"], 0)
        shown = world.run("reconcile", "hubspot", "--kind", "contact", expect=3).stdout
        self.assertIn("5 of ", shown)
        self.assertNotIn("pipedrive", shown)
        self.assertNotIn("canary", (str(report) + shown).lower())
        self.assertIn("takes no --budget", world.run("reconcile", "--budget", "5", expect=2).stderr)
        self.assertIn("takes no --wait", world.run("reconcile", "--wait", "5s", expect=2).stderr)
        self.assertIn("no connection", world.run("reconcile", "nothing", expect=(1, 2)).stderr)
        refused = world.run("undo", "1", "--yes", expect=2).stderr
        self.assertIn("'crmsync serve'", refused)
        self.assertIn("stop the service", refused)
        self.assertEqual(world.run("doctor").stderr, "")
        self.assertNotIn("not held against", world.run("mapping", "check").stderr)
        marked = world.json("reconcile", "--repair", expect=0)
        self.assertEqual(sum(s["marked"] for s in marked["streams"]), 5)
        wait_until(lambda: sum(r["fields"].get("first_name") == "Canary-Moved" for r in world.sims.live("pipedrive", "persons").values()) == 5)
        wait_until(lambda: found(world.json("reconcile", expect=(0, 3))) == {"hubspot": {}, "pipedrive": {}})
        self.assertEqual(service.stop()[0], 0)

    def test_damage_to_the_store(self):
        """Values altered without a version, a record that is gone, two links that changed places, a write that the link only claims."""
        world = self.world
        here = missed.links(world, "hubspot")
        there = {record: remote for _, record, remote in missed.links(world, "pipedrive")}
        self.reconcile(expect=0)
        missed.damage(
            world,
            ("UPDATE record SET fields = json_set(fields, '$.first_name', 'Altered') WHERE id = ?", (here[3][1],)),
            ("DELETE FROM record WHERE id = ?", (here[4][1],)),
            ("DELETE FROM match_key WHERE record_id = ?", (here[4][1],)),
            ("UPDATE link SET remote_id = 'swapped' WHERE id = ?", (here[5][0],)),
            ("UPDATE link SET remote_id = ? WHERE id = ?", (here[5][2], here[6][0])),
            ("UPDATE link SET remote_id = ? WHERE id = ?", (here[6][2], here[5][0])),
            ("UPDATE record SET version = version + 1, fields = json_set(fields, '$.last_name', 'Claimed') WHERE id = ?", (here[7][1],)),
            ("UPDATE link SET synced_version = synced_version + 1, record_version = record_version + 1 WHERE record_id = ?", (here[7][1],)),
        )
        report = self.reconcile(expect=3)
        both = {"changed-here": 2, "broken-link": 1}
        self.assertEqual(found(report), {"hubspot": {**both, "changed-there": 2}, "pipedrive": both})
        self.assertLess(next(s for s in report["streams"] if s["kind"] == "contact")["pairs_read"], len(here), "only in buckets that changed")
        self.repaired()
        self.assertEqual(world.sims.state("pipedrive", "persons")[there[here[3][1]]]["fields"]["first_name"], "Altered")
        self.assertEqual(world.sims.state("hubspot", "contacts")[here[7][2]]["fields"]["lastname"], "Claimed")

    def test_what_is_explained(self):
        """A record that the CRM refuses waits as a failure: said, and not marked."""
        world = self.world
        _, record, remote = missed.links(world, "pipedrive")[2]
        world.sims.ask("hubspot", "/__sim/edit", {"object": "contacts", "set": {"email": "twin@one.example", "lastname": "Twin"}, "by": "person"})
        world.sync()
        world.sims.edit("pipedrive", "persons", None, name="Twin Two", emails=[{"value": "twin@one.example", "primary": True, "label": "work"}])
        world.sync(expect=(0, 3))
        report = self.reconcile(expect=(0, 3))
        aside = [f for s in report["streams"] for f in s["found"]]
        self.assertEqual([f["what"] for f in aside], ["created-there"], aside)
        self.assertIn("set aside: duplicate", aside[0]["why"])

    def test_usage(self):
        self.assertIn("nothing to --repair", self.world.run("reconcile", "--report", "--repair", expect=2).stderr)
        self.assertIn("no connection", self.world.run("reconcile", "nowhere", expect=2).stderr.lower())
        self.assertIn("nowhere", self.world.run("reconcile", "nowhere", "--report", expect=2).stderr)
        self.assertIn("contact", self.world.run("reconcile", "--kind", "contract", expect=2).stderr)


class Stopped(unittest.TestCase):
    def test_a_killed_one_goes_on_where_it_was(self):
        world = World(records=6000, sim=("--no-limits",), hubspot_more="kinds: [contact]", pipedrive_more="kinds: [contact]")
        try:
            for _ in range(3):
                world.sync()
            before = world.sims.calls()
            whole = world.json("reconcile", "hubspot", expect=0)
            calls = world.sims.calls() - before
            began = world.start("reconcile", "hubspot", "--repair")
            deadline = time.monotonic() + 60
            listed = 0
            while listed == 0 and began.poll() is None and time.monotonic() < deadline:
                listed = self.listed(world)
            began.send_signal(signal.SIGKILL)
            began.wait(30)
            listed = self.listed(world)
            self.assertGreater(listed, 0, "it was killed in the middle")
            before = world.sims.calls()
            after = world.json("reconcile", "hubspot", "--repair", expect=0)
            self.assertEqual(after["streams"][0]["objects"], whole["streams"][0]["objects"])
            self.assertEqual(after["streams"][0]["differences"], 0)
            self.assertLessEqual(world.sims.calls() - before, calls - listed // 100, "what was listed is not listed again")
        finally:
            world.close()

    def listed(self, world):
        opened = sqlite3.connect("file:" + missed.path(world) + "?mode=ro", uri=True)
        try:
            row = opened.execute("SELECT listed FROM reconcile").fetchone()
            return row[0] if row else 0
        finally:
            opened.close()


class Service(unittest.TestCase):
    """The service compares by schedule, marks, and looks at what it marked; a restart does not begin with comparing everything."""

    SERVE = "service: {{listen: 'unix:{}/serve.sock'}}\nschedule: {{reconcile: '{}', pull: '{}'}}\n"

    def serve(self, world, reconcile, pull="never"):
        world.write_config(more=self.SERVE.format(world.folder, reconcile, pull))
        return world.start("serve")

    def stop(self, service):
        service.send_signal(signal.SIGTERM)
        service.wait(30)

    def wait_for(self, holds, seconds=60):
        deadline = time.monotonic() + seconds
        while not holds() and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertTrue(holds())

    def test_what_every_sync_missed_is_repaired_by_the_service(self):
        world = World(records=20)
        try:
            for _ in range(3):
                world.sync()
            missed.an_hour_goes_by(world)
            world.sync()
            link, record, remote = missed.links(world, "hubspot")[0]
            there = next(r for _, other, r in missed.links(world, "pipedrive") if other == record)
            missed.miss(world, lambda w: w.sims.edit("hubspot", "contacts", remote, firstname="Late"))
            service = self.serve(world, "@every 1s")
            try:
                self.wait_for(lambda: world.sims.state("pipedrive", "persons")[there]["fields"]["first_name"] == "Late")
                self.assertTrue(all(s["repair"] for s in world.json("reconcile", "--report")["streams"]))
            finally:
                self.stop(service)
            last = max(r["run"] for r in world.json("runs"))
            service = self.serve(world, "@every 1h", "@every 1s")

            def commands():
                return [r["command"] for r in world.json("runs", "--limit", "1000") if r["run"] > last]

            try:
                self.wait_for(lambda: commands().count("serve, listing") >= 8)
                self.assertNotIn("serve, comparing", commands(), "it was done a moment ago, before the restart")
            finally:
                self.stop(service)
        finally:
            world.close()


if __name__ == "__main__":
    unittest.main()
