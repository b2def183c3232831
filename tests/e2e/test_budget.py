"""Calls are counted as the CRMs count them, a schedule's cost follows from quiet syncs, and a run keeps to the calls it is allowed."""

import unittest

from world import WorldTest


class Budget(WorldTest):
    def day(self, world, crm, *options):
        return next(d for d in world.json("budget", *options) if d["connection"] == crm)

    def calls(self, world, crm):
        return world.sims.ask(crm, "/__sim/stats")["calls_total"]

    def test_calls_are_counted_as_the_crms_count_them(self):
        world = self.world(records=150, settle="0s")
        self.assertEqual(self.day(world, "hubspot")["calls"], 0)
        self.assertIn("no quiet sync yet", world.run("budget", expect=0).stdout)
        world.sync()
        for crm in ("hubspot", "pipedrive"):
            self.assertEqual(self.day(world, crm)["calls"], self.calls(world, crm))
        before = {crm: self.calls(world, crm) for crm in ("hubspot", "pipedrive")}
        world.sync()
        world.sync()
        for crm, unit in (("hubspot", "calls"), ("pipedrive", "tokens")):
            day = self.day(world, crm, "--every", "30m")
            self.assertEqual(day["calls"], self.calls(world, crm))
            self.assertEqual(day["unit"], unit)
            self.assertEqual(day["schedule"]["quiet_syncs"], 2)
            quiet = self.calls(world, crm) - before[crm]
            self.assertEqual(day["schedule"]["calls_each"] * 2, quiet)
            self.assertEqual(day["schedule"]["calls_per_day"], quiet * 48 // 2)
            self.assertAlmostEqual(day["schedule"]["percent_of_limit"], day["schedule"]["used_per_day"] / day["limit"] * 100, delta=0.1)
            left = {lane["lane"]: lane["left"] for lane in day["lanes"]}
            self.assertEqual(left["interactive"], day["limit"] - day["used"])
            self.assertEqual(left["batch"], left["interactive"] - day["limit"] // 10)
            self.assertEqual(left["reconcile"], left["interactive"] - day["limit"] // 5)
        self.assertEqual(self.day(world, "hubspot")["used"], self.day(world, "hubspot")["calls"])
        self.assertGreater(self.day(world, "pipedrive")["used"], self.day(world, "pipedrive")["calls"])
        self.assertIn("of the limit", world.run("budget", expect=0).stdout)

    def test_a_run_keeps_to_its_calls_and_the_next_goes_on(self):
        world = self.world(records=300, settle="0s")
        used = 0
        for _ in range(15):
            done = world.run("sync", "--budget", "150", "--json", expect=(0, 3, 4))
            now = world.sims.calls()
            self.assertLessEqual(now - used, 150)
            used = now
            if '"budget_spent": false' in done.stdout:
                break
            self.assertEqual(done.returncode, 3)
        else:
            self.fail("it never came to its end")
        whole = self.world(records=300, settle="0s")
        whole.sync()
        self.assertEqual(len(world.sims.live("pipedrive", "persons")), len(whole.sims.live("pipedrive", "persons")))
        self.assertEqual(len(world.sims.live("hubspot", "contacts")), len(whole.sims.live("hubspot", "contacts")))

    def test_one_call_is_enough_to_end_well(self):
        world = self.world(records=10, settle="0s")
        done = world.run("sync", "--budget", "1", expect=3)
        self.assertIn("the calls of --budget are used up", done.stdout)
        self.assertEqual(done.stderr, "")
        self.assertEqual(world.sims.calls(), 1)
        self.assertIn("calls were used up", world.json("runs")[0]["message"])
        self.assertEqual(world.sync()["problems"], [])

    def test_wrong_input(self):
        world = self.world()
        world.run("sync", "--budget", "-1", expect=2)
        world.run("sync", "--budget", "few", expect=2)
        world.run("budget", "--every", "0s", expect=2)
        world.run("budget", "--every", "25h", expect=2)
        world.run("budget", "today", expect=2)


if __name__ == "__main__":
    unittest.main()
