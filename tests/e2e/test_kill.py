"""kill -9 of a first import with pushes, 50 times at random moments, each followed by another sync: the end equals an uninterrupted run."""

import os
import random
import signal
import sys
import time
import unittest

from world import WorldTest, compare, duplicates

RECORDS = int(os.environ.get("KILL_RECORDS", "400"))
KILLS = int(os.environ.get("KILLS", "50"))
LOAD_RECORDS, LOAD_KILLS = 5200, 6
SEED = int(os.environ.get("SEED", "5"))


def people(world):
    """What lives at both CRMs, without ids and times."""
    sides = []
    for crm, word, names in (("hubspot", "contacts", ("email", "firstname", "lastname")), ("pipedrive", "persons", ("emails", "first_name", "last_name"))):
        rows = []
        for record in world.sims.live(crm, word).values():
            row = []
            for name in names:
                value = record["fields"].get(name)
                row.append(value[0]["value"].lower() if isinstance(value, list) and value else (value or ""))
            rows.append(tuple(str(v) for v in row))
        sides.append(sorted(rows))
    sides.append(sorted(r["fields"].get("name") or "" for r in world.sims.live("hubspot", "companies").values()))
    sides.append(sorted(r["fields"].get("name") or "" for r in world.sims.live("pipedrive", "organizations").values()))
    return sides


class Kill(WorldTest):
    def test_killed_fifty_times(self):
        print(f"seed={SEED} kills={KILLS} records={RECORDS}", flush=True)
        rng = random.Random(SEED)
        twin = self.world(records=RECORDS, seed=SEED)
        began = time.monotonic()
        twin.sync()
        whole_s = time.monotonic() - began
        want = people(twin)

        world = self.world(records=RECORDS, seed=SEED, settle="1s")
        killed = 0
        for _ in range(KILLS):
            process = world.start("sync", "--quiet")
            time.sleep(rng.uniform(0.005, max(0.05, whole_s / 8)))
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                killed += 1
            process.wait()
        report = world.sync()
        self.assertEqual(report["problems"], [])
        print(f"killed={killed} uninterrupted_s={whole_s:.2f}", flush=True)
        self.assertGreater(killed, KILLS // 3, "the kills came too late to mean anything")
        self.assertEqual(duplicates(world), [])
        for mine, theirs in zip(people(world), want):
            self.assertEqual(mine, theirs)
        self.assertEqual(compare(world)[0], compare(twin)[0])
        before = world.sims.writes()
        world.sync()
        self.assertEqual(world.sims.writes(), before, "a sync after the end state wrote")

    def test_killed_while_a_load_is_at_work(self):
        """More creates than collections take: Salesforce gets them as one load, and the process dies somewhere on the way."""
        print(f"seed={SEED} kills={LOAD_KILLS} records={LOAD_RECORDS}", flush=True)
        rng = random.Random(SEED)
        only = "kinds: [contact]"
        world = self.world(records=LOAD_RECORDS, seed=SEED, crms=("hubspot", "salesforce"), sim=("--no-limits",), hubspot_more=only, salesforce_more=only)
        for object_id in world.sims.live("salesforce", "Contact"):
            world.sims.ask("salesforce", "/__sim/delete", {"object": "Contact", "id": object_id})
        world.run("setup", "salesforce", expect=0)
        world.run("sync", "hubspot", "--pull", "--quiet", expect=0)
        world.run("sync", "salesforce", "--pull", "--quiet", expect=0)
        killed = 0
        for _ in range(LOAD_KILLS):
            process = world.start("sync", "salesforce", "--push", "--quiet")
            time.sleep(rng.uniform(0.05, 1.5))
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                killed += 1
            process.wait()
        for _ in range(3):
            report = world.sync()
        self.assertEqual(report["problems"], [])
        self.assertGreater(killed, 0, "the kills came too late to mean anything")
        loads = [n for call, n in world.sims.ask("salesforce", "/__sim/stats")["calls"].items() if call.startswith("POST") and call.endswith("/jobs/ingest")]
        self.assertGreater(sum(loads), 0, "nothing went by a load")
        self.assertEqual(duplicates(world), [])
        names = [sorted(r["fields"].get(name) or "" for r in world.sims.live(crm, word).values()) for crm, word, name in (("hubspot", "contacts", "email"), ("salesforce", "Contact", "Email"))]
        self.assertEqual([n for n in names[0] if n not in set(names[1])], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
