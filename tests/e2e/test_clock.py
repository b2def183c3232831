"""The machine's clock is set by an hour, ahead and behind, under a running service that people type for and that CRMs send to: nothing that was acknowledged is
lost, nothing comes twice, schedules go on at their pace, leases hold, and sign-ins live on."""

import os
import random
import struct
import subprocess
import threading
import time
import unittest

from deliveries import PATHS, dumps, hubspot_event, hubspot_signed
from deliveries import Service as Receiving
from test_serve import SERVICE, STOP_S, Service, Typist, names_at_pipedrive
from test_signin import SignInWorld
from world import BOTH, WorldTest, compare, duplicates, wait_until

HOUR_MS = 3600000
SEED = int(os.environ.get("SEED", "5"))
PHASE_S = 6
STEPS = (("as it is", 0), ("an hour ahead", HOUR_MS), ("an hour behind", -HOUR_MS), ("right again", 0))


class Step:
    """The clock of processes that are started with env()."""

    def __init__(self, folder):
        self.file, self.library = os.path.join(folder, "clock-step"), os.path.join(folder, "clock_step.so")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clock_step.c")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", self.library, source], check=True)
        self.ms = 0
        with open(self.file, "wb") as file:
            file.write(struct.pack("=q", 0))

    def env(self):
        return {"LD_PRELOAD": self.library, "CLOCK_STEP": self.file}

    def set(self, ms):
        """In place: the file is mapped."""
        with open(self.file, "r+b") as file:
            file.write(struct.pack("=q", ms))
        self.ms = ms


class ClockIsSet(WorldTest):
    def serving(self, world):
        step = Step(world.folder)
        usual, world.env = world.env, {**world.env, **step.env()}
        service = Service(world)
        world.env = usual
        self.addCleanup(service.close)
        self.assertIn("serves", service.said, service.log())
        return step, service

    def phase(self, world, step, ms):
        """What happened at the CRMs in the time after a step: calls, and tokens that were fetched."""
        calls, exchanges = world.sims.calls(), sum(world.exchanges(crm) for crm in BOTH)
        step.set(ms)
        time.sleep(PHASE_S)
        return world.sims.calls() - calls, sum(world.exchanges(crm) for crm in BOTH) - exchanges

    def test_schedules_leases_and_sign_ins(self):
        print(f"seed={SEED}", flush=True)
        world = SignInWorld(records=20, more=SERVICE)
        self.addCleanup(world.close)
        world.sign_in_all()
        world.sync(expect=0)
        step, service = self.serving(world)
        typist = Typist(world, random.Random(SEED), pause_s=0.2)
        self.addCleanup(typist.stop)
        seen = {}
        for name, ms in STEPS:
            seen[name] = self.phase(world, step, ms)
            print(f"clock={name!r} calls={seen[name][0]} tokens={seen[name][1]}", flush=True)
            typed = set(list(typist.names.values()))
            wait_until(lambda: typed <= names_at_pipedrive(world) | self.overwritten(typist, typed), 30)
        names = typist.stop()
        usual = seen["as it is"][0]
        for name, (calls, tokens) in seen.items():
            self.assertLess(calls, 3 * usual, f"wild: {name}")
            self.assertGreater(calls, usual / 3, f"asleep: {name}")
            self.assertLessEqual(tokens, 2 * len(BOTH), f"tokens are thrown away: {name}")
        wait_until(lambda: set(names.values()) <= names_at_pipedrive(world), 60)
        code, took_s = service.stop()
        self.assertEqual(code, 0)
        self.assertLess(took_s, STOP_S)
        self.assertNotIn("lease", "".join(line for line in service_log(world) if '"level":"error"' in line or '"level":"warn"' in line))
        for crm in BOTH:
            self.assertEqual(world.state_of(crm)["state"], "active", crm)
        self.assertEqual(world.sync()["problems"], [])
        self.assertEqual(compare(world)[1], [], f"seed={SEED}")
        self.assertEqual(duplicates(world), [], f"seed={SEED}")

    def overwritten(self, typist, typed):
        """Names that somebody typed over."""
        return typed - set(typist.names.values())


def service_log(world):
    with open(os.path.join(world.folder, "serve.log")) as file:
        return file.readlines()


class ClockIsSetWhileCrmsSend(unittest.TestCase):
    def test_nothing_acknowledged_is_lost(self):
        service = Receiving()
        self.addCleanup(service.close)
        service.end()
        step = Step(service.world.folder)
        service.world.env.update(step.env())
        service.start()
        acked, refused, stop = [], [], threading.Event()

        def send(first):
            """HubSpot's clock is right, so while ours is wrong its signatures are too old, or not valid yet: it is told so and sends them again later."""
            for number in range(first, first + 10**6):
                if stop.is_set():
                    return
                body = dumps([hubspot_event(number)])
                status, _, _ = service.post(PATHS["hubspot"], body, hubspot_signed(body))
                (acked if status // 100 == 2 else refused).append((str(number), status, step.ms))

        threads = [threading.Thread(target=send, args=(10**6 * (i + 1),)) for i in range(4)]
        for thread in threads:
            thread.start()
        for _, ms in STEPS:
            step.set(ms)
            time.sleep(1)
        stop.set()
        for thread in threads:
            thread.join()
        inbox = service.inbox("hubspot")
        print(f"acknowledged={len(acked)} refused={len(refused)} lost={len({number for number, _, _ in acked} - set(inbox))}", flush=True)
        self.assertEqual({status for _, status, _ in refused}, {401})
        self.assertGreater(len(acked), 100)
        self.assertEqual({number for number, _, _ in acked} - set(inbox), set())
        self.assertEqual(len(inbox), len(set(inbox)))
        self.assertEqual(service.end(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
