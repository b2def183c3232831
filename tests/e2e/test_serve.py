"""`crmsync serve` over sockets: it follows its schedules, takes a new configuration without losing anything, stops in time, is alone on its store, keeps one
CRM's trouble from the others, and survives being killed under load."""

import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
import unittest

from world import BINARY, THREE, WorldTest, compare, duplicates, wait_until

SEED = int(os.environ.get("SEED", "5"))
KILLS = int(os.environ.get("KILLS", "8"))
SERVICE = "schedule: {pull: '@every 1s', reconcile: never}\nservice: {listen: '127.0.0.1:0'}\n"
STOP_S = 10
HANGS = {"seed": 1, "rules": [{"fault": "timeout_after_apply"}]}
FLOODS = {"seed": 1, "rules": [{"fault": "throttle"}]}


class Service:
    """A running `crmsync serve`."""

    def __init__(self, world, *options):
        self.world = world
        self.errors = open(os.path.join(world.folder, "serve.log"), "a+")
        self.process = subprocess.Popen(
            [BINARY, "serve", *(options or ["--verbose"])], cwd=world.folder, env=world.env, stdout=subprocess.PIPE, stderr=self.errors, text=True
        )
        self.said = self.process.stdout.readline()

    def log(self):
        with open(self.errors.name) as file:
            return file.read()

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """Returns the exit code and how long it took."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            code = self.process.wait(3 * STOP_S)
        finally:
            self.close()
        return code, time.monotonic() - began

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()


class Typist:
    """Types names in at HubSpot, one person after the other, until it is stopped; knows who is called what."""

    def __init__(self, world, rng, pause_s=0.05):
        self.world, self.rng, self.pause_s = world, rng, pause_s
        self.ids = sorted(world.sims.live("hubspot", "contacts"))
        self.names = {}
        self.is_stopping = threading.Event()
        self.thread = threading.Thread(target=self.type)
        self.thread.start()

    def type(self):
        number = 0
        while not self.is_stopping.wait(self.pause_s):
            object_id = self.rng.choice(self.ids)
            name = f"Name{number}"
            self.world.sims.edit("hubspot", "contacts", object_id, lastname=name)
            self.names[object_id] = name
            number += 1

    def stop(self):
        self.is_stopping.set()
        self.thread.join()
        return self.names


def names_at_pipedrive(world):
    return {r["fields"].get("last_name") for r in world.sims.live("pipedrive", "persons").values()}


class Serve(WorldTest):
    def serving(self, **more):
        world = self.world(more=SERVICE, **more)
        return world, self.serve(world)

    def serve(self, world):
        service = Service(world)
        self.addCleanup(service.close)
        self.assertIn("serves", service.said, service.log())
        return service

    def typing(self, world, seed):
        typist = Typist(world, random.Random(seed))
        self.addCleanup(typist.stop)
        return typist

    def until_imported(self, world):
        """Everybody is at every CRM, seen by the public state of the simulators."""

        def is_even():
            counts = {len(world.sims.live(crm, word)) for crm, word in (("hubspot", "contacts"), ("pipedrive", "persons"))}
            return len(counts) == 1 and counts.pop() > 0

        wait_until(is_even, 120)
        self.at_rest(world, 120)

    def at_rest(self, world, seconds=60):
        """No write for the time of some listings."""

        def is_quiet():
            before = world.sims.writes()
            time.sleep(3)
            return before == world.sims.writes()

        wait_until(is_quiet, seconds)

    def expect_agreement(self, world):
        differing = compare(world)[1]
        self.assertEqual(differing, [], f"seed={SEED}")
        self.assertEqual(duplicates(world), [], f"seed={SEED}")

    def latency(self, world, number, seconds=60):
        """From a person's edit at HubSpot until Pipedrive shows it."""
        object_id = sorted(world.sims.live("hubspot", "contacts"))[number % 5]
        name = f"Probe{number}"
        began = time.monotonic()
        world.sims.edit("hubspot", "contacts", object_id, lastname=name)
        wait_until(lambda: name in names_at_pipedrive(world), seconds)
        return time.monotonic() - began

    def test_follows_its_schedule(self):
        world, service = self.serving(records=20)
        self.until_imported(world)
        self.assertLess(self.latency(world, 1), 15)
        code, took_s = service.stop()
        self.assertEqual(code, 0)
        self.assertLess(took_s, STOP_S)
        self.assertEqual(world.sync()["problems"], [])
        self.expect_agreement(world)

    def test_takes_a_new_configuration_under_load(self):
        print(f"seed={SEED}", flush=True)
        world, service = self.serving(records=20)
        self.until_imported(world)
        typist = self.typing(world, SEED)
        for number in range(3):
            time.sleep(0.7)
            world.write_config(more=SERVICE, pipedrive_more=f"# {number}\n")
            service.signal(signal.SIGHUP)
        wait_until(lambda: "configuration read again" in service.log(), 30)
        with open(os.path.join(world.folder, "crmsync.yaml"), "a") as file:
            file.write("nonsense: [\n")
        service.signal(signal.SIGHUP)
        wait_until(lambda: "the new configuration is not used" in service.log(), 30)
        names = typist.stop()
        self.assertGreater(len(names), 5)
        wait_until(lambda: set(names.values()) <= names_at_pipedrive(world), 60)
        self.assertIsNone(service.process.poll())
        world.write_config(more=SERVICE)
        self.at_rest(world)
        service.stop()
        self.expect_agreement(world)

    def test_stops_in_time_while_a_crm_hangs(self):
        world, service = self.serving(records=20)
        self.until_imported(world)
        world.sims.ask("pipedrive", "/__sim/faults", HANGS)
        world.sims.edit("hubspot", "contacts", sorted(world.sims.live("hubspot", "contacts"))[0], lastname="Hung")
        calls = world.sims.ask("pipedrive", "/__sim/stats")["calls_total"]
        wait_until(lambda: world.sims.ask("pipedrive", "/__sim/stats")["calls_total"] > calls, 30)
        code, took_s = service.stop()
        print(f"stopped_in_s={took_s:.2f}", flush=True)
        self.assertEqual(code, 0)
        self.assertLess(took_s, STOP_S)
        world.sims.ask("pipedrive", "/__sim/faults", {})
        service = self.serve(world)
        wait_until(lambda: "Hung" in names_at_pipedrive(world), 60)
        self.at_rest(world)
        service.stop()
        self.expect_agreement(world)

    def test_stops_in_time_in_a_long_import_and_goes_on(self):
        world, service = self.serving(records=3000)
        wait_until(lambda: world.sims.ask("hubspot", "/__sim/stats")["calls_total"] > 3, 60)
        code, took_s = service.stop()
        imported = len(world.json("records", "list", "contact", "--limit", "1000000"))
        print(f"stopped_in_s={took_s:.2f} imported={imported}", flush=True)
        self.assertEqual(code, 0)
        self.assertLess(took_s, STOP_S)
        self.assertLess(imported, 6000, "the import was over before the stop")
        service = self.serve(world)
        wait_until(lambda: len(world.json("records", "list", "contact", "--limit", "1000000")) > imported, 120)
        self.assertLess(service.stop()[1], STOP_S)

    def test_says_what_goes_wrong_without_being_asked(self):
        world = self.world(records=2, more=SERVICE)
        world.env["PIPEDRIVE_TOKEN"] = "wrong"
        service = Service(world, "--json")
        self.addCleanup(service.close)
        wait_until(lambda: "connection in trouble" in service.log(), 30)
        self.assertNotIn("http request", service.log())

    def test_is_alone_on_its_store(self):
        world, service = self.serving()
        second = world.run("serve", expect=2)
        self.assertIn("in use by process", second.stderr)
        self.assertIn("crmsync serve", second.stderr)
        self.assertIsNone(service.process.poll())

    def healthy_latencies(self, world, first, count=9):
        return statistics.median(self.latency(world, first + i) for i in range(count))

    def test_trouble_of_one_is_not_anothers(self):
        world, service = self.serving(records=10, crms=THREE)
        self.until_imported(world)
        base_s = self.healthy_latencies(world, 0)
        for number, (name, faults) in enumerate((("hangs", HANGS), ("floods", FLOODS))):
            world.sims.ask("salesforce", "/__sim/faults", faults)
            time.sleep(2)
            beside_s = self.healthy_latencies(world, 100 * (number + 1))
            print(f"trouble={name} healthy_median_s={base_s:.2f} beside_median_s={beside_s:.2f}", flush=True)
            self.assertLessEqual(beside_s, 2 * base_s)
        world.sims.ask("salesforce", "/__sim/faults", {})
        self.assertLess(service.stop()[1], STOP_S)

    def test_killed_under_load(self):
        print(f"seed={SEED} kills={KILLS}", flush=True)
        rng = random.Random(SEED)
        world, service = self.serving(records=30, settle="1s")
        typist = self.typing(world, SEED + 1)
        for _ in range(KILLS):
            time.sleep(rng.uniform(0.1, 2.5))
            service.kill()
            service = self.serve(world)
        names = typist.stop()
        wait_until(lambda: set(names.values()) <= names_at_pipedrive(world), 120)
        self.at_rest(world)
        service.stop()
        self.assertEqual(world.sync()["problems"], [])
        self.expect_agreement(world)
        self.assertEqual(len(world.sims.live("hubspot", "contacts")), len(world.sims.live("pipedrive", "persons")))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[1:], verbosity=2)
