"""HubSpot by its webhooks journal over real sockets: a service that nobody can call hears of edits within seconds, what it costs, what `setup` and
`disconnect` do there, what is said when there is no journal, and that no kill loses an event."""

import os
import random
import signal
import statistics
import time
import unittest

from test_serve import Service
from test_signin import SignInWorld
from world import WorldTest, wait_until

SEED = int(os.environ.get("SEED", "11"))
KILLS = int(os.environ.get("EVENT_KILLS", "12"))
EDITS = 8
PULL = "schedule: {pull: '@every 1s', reconcile: never}\nservice: {listen: '127.0.0.1:0'}\n"


class Journal(WorldTest):
    def signed(self, changes="events", setup=True, **more):
        world = SignInWorld(
            records=20, seed=SEED, sim=("--no-limits",), settle="1s", signed=("hubspot",), init=False, hubspot_more=f"changes: {changes}", **more
        )
        self.addCleanup(world.close)
        world.run("init", expect=0)
        world.sign_in("hubspot")
        if setup:
            self.made = world.json("setup", "hubspot", expect=0)
        return world

    def settled(self, **more):
        world = self.signed(**more)
        for _ in range(8):
            counts = world.sync()["counts"]
            if not any(counts[name] for name in ("created_here", "updated_here", "created_there", "updated_there")):
                return world
        self.fail(f"still moving: {counts}")

    def journal(self, world, **order):
        return world.sims.ask("hubspot", "/__sim/journal", order or None)

    def both(self, world):
        """(id at HubSpot, id at Pipedrive) of people who are at both."""
        rows = world.json("records", "list", "contact", "--limit", "1000")
        ends = [{link["connection"]: link["remote_id"] for link in row["links"]} for row in rows]
        return [(end["hubspot"], end["pipedrive"]) for end in ends if len(end) == 2]

    def looks(self, world):
        """Calls at HubSpot since the last reset: searches, calls of the journal and its files, others."""
        calls = world.sims.ask("hubspot", "/__sim/stats")["calls"]
        world.sims.ask("hubspot", "/__sim/stats/reset", {})
        searches = sum(count for name, count in calls.items() if "search" in name)
        journal = sum(count for name, count in calls.items() if "journal" in name)
        return searches, journal, sum(calls.values()) - searches - journal

    def test_setup_and_disconnect(self):
        world = self.signed()
        self.assertEqual(self.made["events"]["removed"], 0)
        self.assertGreaterEqual(self.made["events"]["created"], 3)
        again = world.json("setup", "hubspot", expect=0)["events"]
        self.assertEqual((again["created"], again["removed"]), (0, 0))
        self.assertEqual(again["present"], self.made["events"]["created"])
        self.assertEqual(len(self.journal(world)["subscriptions"]), again["present"])
        world.write_config(settle="1s", hubspot_more="changes: polling")
        off = world.json("setup", "hubspot", expect=0)["events"]
        self.assertEqual(off["removed"], again["present"])
        self.assertNotIn("events", world.json("setup", "hubspot", expect=0), "nothing to do any more")
        world.write_config(settle="1s", hubspot_more="changes: events")
        world.json("setup", "hubspot", expect=0)
        said = world.run("disconnect", "hubspot", expect=0).stdout
        self.assertIn(f"{again['present']} removed at the CRM", said)
        self.assertEqual(self.journal(world)["subscriptions"], [])

    def test_an_edit_comes_by_the_journal(self):
        world = self.settled()
        here, there = self.both(world)[0]
        world.sims.edit("hubspot", "contacts", here, lastname="Heard")
        self.looks(world)
        world.sync()
        searches, journal, others = self.looks(world)
        self.assertEqual(searches, 0)
        self.assertGreater(journal, 0)
        self.assertEqual(world.sims.state("pipedrive", "persons")[there]["fields"]["last_name"], "Heard")
        world.sync()
        searches, journal, others = self.looks(world)
        print(f"quiet: searches={searches} journal={journal} others={others}", flush=True)
        self.assertEqual(searches, 0)

    def serve_and_edit(self, changes):
        """Latencies of edits from HubSpot to Pipedrive, then the calls of ten quiet seconds."""
        world = self.settled(changes=changes, more=PULL, setup=changes == "events")
        service = Service(world)
        self.addCleanup(service.close)
        self.assertIn("serves", service.said, service.log())
        people = self.both(world)
        time.sleep(3)
        waits = []
        for number in range(EDITS):
            here, there = people[number]
            began = time.monotonic()
            world.sims.edit("hubspot", "contacts", here, lastname=f"Served{number}")
            wait_until(lambda: world.sims.state("pipedrive", "persons")[there]["fields"].get("last_name") == f"Served{number}", 30)
            waits.append(time.monotonic() - began)
        time.sleep(3)
        self.looks(world)
        time.sleep(10)
        searches, journal, others = self.looks(world)
        self.assertEqual(service.stop()[0], 0)
        print(
            f"changes={changes} median_s={statistics.median(waits):.2f} most_s={max(waits):.2f} ten_quiet_seconds: searches={searches} journal={journal} others={others}",
            flush=True,
        )
        return waits, searches, journal, others

    def test_a_service_nobody_can_call_hears_within_seconds(self):
        polled = self.serve_and_edit("polling")
        told = self.serve_and_edit("events")
        self.assertLess(max(told[0]), 10)
        self.assertEqual(told[1], 0, "no searches while the journal is heard")
        self.assertGreater(told[2], 0)
        self.assertLess(told[1] + told[3], polled[1] + polled[3], "fewer calls that the account's limits count")

    def test_no_journal_is_told_and_polled(self):
        world = self.settled()
        here, there = self.both(world)[0]
        self.journal(world, lacking="developer.webhooks_journal.read")
        world.sims.edit("hubspot", "contacts", here, lastname="Polled")
        done = world.run("sync", expect=0)
        self.assertEqual(done.stderr.count("changes are polled"), 1, done.stderr)
        self.assertIn("developer.webhooks_journal.read", done.stderr)
        self.assertEqual(world.sims.state("pipedrive", "persons")[there]["fields"]["last_name"], "Polled")

    def test_addresses_and_secrets_are_not_told(self):
        world = self.settled()
        here, there = self.both(world)[0]
        self.journal(world, files_broken=True)
        world.sims.edit("hubspot", "contacts", here, lastname="Hidden")
        done = world.run("sync", "--verbose", expect=0)
        self.assertIn("the file is not JSON", done.stderr)
        self.journal(world, files_at="https://files.example")
        world.sims.edit("hubspot", "contacts", here, lastname="Hidden2")
        done.stderr += world.run("sync", "--verbose", expect=0).stderr
        self.assertIn("files.example", done.stderr)
        for secret in ("X-Amz", "Signature", world.sims.where["hubspot"]["client_secret"], "Hidden", "Bearer"):
            self.assertNotIn(secret, done.stderr)
        self.assertEqual(world.sims.state("pipedrive", "persons")[there]["fields"]["last_name"], "Hidden2")

    def test_who_selected_nothing_is_told_what_to_do(self):
        world = self.signed(setup=False)
        done = world.run("sync", expect=(0, 3))
        self.assertIn("crmsync setup", done.stderr)
        self.assertEqual(done.stderr.count("changes are polled"), 2, done.stderr)

    def test_no_kill_loses_an_event(self):
        print(f"seed={SEED} kills={KILLS}", flush=True)
        rng = random.Random(SEED)
        world = self.settled()
        people = self.both(world)
        wanted = {}
        began = time.monotonic()
        world.sync()
        whole_s = time.monotonic() - began
        killed = 0
        for number in range(KILLS):
            here, there = people[number % len(people)]
            wanted[there] = f"Killed{number}"
            world.sims.edit("hubspot", "contacts", here, lastname=wanted[there])
            process = world.start("sync", "--quiet")
            time.sleep(rng.uniform(whole_s / 8, whole_s))
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                killed += 1
            process.wait()
        for _ in range(3):
            self.assertEqual(world.sync()["problems"], [])
            time.sleep(1.1)  # as long as a delayed write may take: `settle` of this world
        print(f"killed={killed} uninterrupted_s={whole_s:.2f}", flush=True)
        state = world.sims.state("pipedrive", "persons")
        self.assertEqual({there: state[there]["fields"]["last_name"] for there in wanted}, wanted)


if __name__ == "__main__":
    unittest.main(verbosity=2)
