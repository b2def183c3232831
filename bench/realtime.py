"""bench/realtime: from a person's edit at one CRM to the write at the other, over signed webhooks and a running `crmsync serve`.

People edit at HubSpot and at Pipedrive, each their own objects, so that no edit competes with another; each edit has a name of its own, and what is
measured is the time until the other simulator shows it (looked at every 20 ms), the simulators' own sending included; ack_… is how long the simulators
waited for the answer to a delivery that was taken, the worse of the two. First over a network that
delivers, without any listing; then one that loses, doubles and overtakes events, with 1 % server errors: there the listings, every 10 s, find what was lost, and in the end both
sides are compared record by record.

    scripts/build release && python3 bench/realtime.py [SECONDS [EDITS_PER_SECOND]]
"""

import os
import random
import sys
import threading
import time

from measure import line

import test_webhooks
import world

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 60
RATE = float(sys.argv[2]) if len(sys.argv) > 2 else 10.0
SEED = int(os.environ.get("SEED", "7"))
RECORDS = 40
LOOK_S = 0.02
LATE_S = 15
P95_MS_MAX = 1000
GOOD = {}
BAD = {"drop_percent": 5, "duplicate_percent": 5, "reorder_percent": 10}
FAULTS = {"seed": SEED, "rules": [{"fault": "server_error", "per_million": 10000}]}
OTHER = {"hubspot": "pipedrive", "pipedrive": "hubspot"}


class Watch:
    """When each name was first seen at a CRM."""

    def __init__(self, service, crm):
        self.service, self.crm = service, crm
        self.seen = {}
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self):
        while not self.is_over.wait(LOOK_S):
            for name in self.service.first_names(self.crm) - self.seen.keys():
                self.seen[name] = time.monotonic()

    def stop(self):
        self.is_over.set()
        self.thread.join()


def edits(service, people, prefix, rng):
    """Returns when each name was typed, and where it has to appear."""
    typed = {}
    began = time.monotonic()
    for number in range(int(SECONDS * RATE)):
        time.sleep(max(0, began + number / RATE - time.monotonic()))
        crm = rng.choice(world.BOTH)
        some = people[crm][number % len(people[crm])]
        name = f"{prefix}-{number}"
        service.world.sims.edit(crm, world.PEOPLE_AT[crm][0], some, **test_webhooks.person(crm, name))
        typed[name] = (time.monotonic(), OTHER[crm])
    return typed


def share(values, part):
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def run(service, people, network, manners):
    for crm in world.BOTH:
        service.sends(crm, **manners)
    watches = {crm: Watch(service, crm) for crm in world.BOTH}
    typed = edits(service, people, network, random.Random(SEED))
    deadline = time.monotonic() + LATE_S
    while time.monotonic() < deadline and any(name not in watches[crm].seen for name, (_, crm) in typed.items()):
        time.sleep(0.1)
    for watch in watches.values():
        watch.stop()
    taken = [1000 * (watches[crm].seen[name] - at) for name, (at, crm) in typed.items() if name in watches[crm].seen]
    numbers = {f"p{int(100 * p)}_ms": round(share(taken, p)) for p in (0.5, 0.95, 0.99)}
    states = [service.world.sims.ask(crm, "/__sim/webhooks") for crm in world.BOTH]
    acks = {key: max(state[key] for state in states) for key in ("ack_p50_ms", "ack_p95_ms", "ack_p99_ms")}
    delivered, lost = (sum(state[key] for state in states) for key in ("delivered", "lost"))
    line("realtime", network=network, seed=SEED, seconds=SECONDS, edits=len(typed), arrived=len(taken), **numbers, **acks, delivered=delivered, lost=lost)
    return numbers, len(typed) - len(taken)


def begin(pull):
    service = test_webhooks.Service(RECORDS, world.BOTH, SEED, pull=pull)
    return service, service.shared_people()


def main():
    service, people = begin("never")
    try:
        numbers, missing = run(service, people, "good", GOOD)
    finally:
        service.close()
    service, people = begin("'@every 10s'")
    try:
        for crm in world.BOTH:
            service.world.sims.ask(crm, "/__sim/faults", FAULTS)
        run(service, people, "bad", BAD)
        for crm in world.BOTH:
            service.world.sims.ask(crm, "/__sim/faults", {})
        time.sleep(30)
        agreeing, differing = world.compare(service.world)
        doubled = world.duplicates(service.world)
        line("realtime", network="bad", agreeing=agreeing, differing=len(differing), doubled=len(doubled))
    finally:
        service.close()
    return 1 if missing or differing or doubled or numbers["p95_ms"] > P95_MS_MAX else 0


if __name__ == "__main__":
    sys.exit(main())
