"""Salesforce by its change events over real sockets: what a sync sees, what it says when there are none, and that no kill loses an event."""

import os
import random
import signal
import time
import unittest

from world import WorldTest

KILLS = int(os.environ.get("EVENT_KILLS", "12"))
SEED = int(os.environ.get("SEED", "11"))
TWO = ("hubspot", "salesforce")


class Events(WorldTest):
    def told(self, **more):
        world = self.world(records=20, seed=SEED, sim=("--no-limits",), salesforce_more="changes: events", crms=TWO, settle="1s", **more)
        self.select(world, "Account", "Contact")
        for _ in range(6):
            counts = world.sync()["counts"]
            if not any(counts[name] for name in ("created_here", "updated_here", "created_there", "updated_there")):
                return world
        self.fail(f"still moving: {counts}")

    def select(self, world, *objects):
        world.sims.ask("salesforce", "/__sim/events", {"selected": list(objects)})

    def looks(self, world):
        """Calls at Salesforce since the last reset: of events, of listings."""
        calls = world.sims.ask("salesforce", "/__sim/stats")["calls"]
        events = sum(count for name, count in calls.items() if "/cometd" in name)
        world.sims.ask("salesforce", "/__sim/stats/reset", {})
        return events, sum(calls.values()) - events

    def both(self, world):
        """(id there, id at HubSpot) of people who are at both."""
        rows = world.json("records", "list", "contact", "--limit", "1000")
        ends = [{link["connection"]: link["remote_id"] for link in row["links"]} for row in rows]
        return [(end["salesforce"], end["hubspot"]) for end in ends if len(end) == 2]

    def test_an_edit_comes_by_its_event(self):
        world = self.told()
        there, here = self.both(world)[0]
        world.sims.edit("salesforce", "Contact", there, Phone="+49305550199")
        self.looks(world)
        counts = world.sync()["counts"]
        events, others = self.looks(world)
        self.assertGreater(events, 0)
        self.assertEqual(world.sims.state("hubspot", "contacts")[here]["fields"]["phone"], "+49305550199")
        world.sync()
        events, others = self.looks(world)
        print(f"quiet: events={events} counted_calls={others} (the edit: {counts['updated_there']} written)", flush=True)
        self.assertGreater(events, 0)
        self.assertLess(others, 6, "two kinds polled are six calls and more")

    def test_no_events_are_told_and_polled(self):
        world = self.told()
        there, here = self.both(world)[0]
        world.sims.ask("salesforce", "/__sim/events", {"busy": 1000})
        world.sims.edit("salesforce", "Contact", there, Phone="+49305550198")
        done = world.run("sync", "--verbose", expect=0)
        self.assertEqual(done.stderr.count("changes are polled"), 2, "once for each kind")
        self.assertIn("too busy", done.stderr)
        self.assertEqual(world.sims.state("hubspot", "contacts")[here]["fields"]["phone"], "+49305550198")

    def test_who_selected_nothing_is_told_what_to_do(self):
        world = self.world(records=5, seed=SEED, sim=("--no-limits",), salesforce_more="changes: events", crms=TWO, settle="1s")
        done = world.run("sync", expect=(0, 3))
        self.assertEqual(done.stderr.count("changes are polled"), 2, done.stderr)
        self.assertIn("Setup > Change Data Capture", done.stderr)

    def test_no_kill_loses_an_event(self):
        print(f"seed={SEED} kills={KILLS}", flush=True)
        rng = random.Random(SEED)
        world = self.told()
        people = self.both(world)
        wanted = {}
        began = time.monotonic()
        world.sync()
        whole_s = time.monotonic() - began
        killed = 0
        for number in range(KILLS):
            there, here = people[number % len(people)]
            wanted[here] = f"+4930555{number:04d}"
            world.sims.edit("salesforce", "Contact", there, Phone=wanted[here])
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
        state = world.sims.state("hubspot", "contacts")
        self.assertEqual({here: state[here]["fields"]["phone"] for here in wanted}, wanted)


if __name__ == "__main__":
    unittest.main(verbosity=2)
