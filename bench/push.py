"""bench/push: contacts and deals that changed at one CRM are written to the other.

The changes are made by a person at one simulator and read into the store beforehand; what is measured is `sync CRM --push` of the other. The floor
is the fewest requests that write them: HubSpot 100 per read and per update, Pipedrive one PATCH each after reading 100 by id; the same requests
with fixed bodies are sent with libcurl alone for the CPU.

Salesforce's floor is counted alone: 1,000 records to a writing call, 2,000 to a reading one; more than 5,000 creates are one load of five calls (made,
filled, closed, looked at, read). Creates are measured both ways.

    scripts/build release && python3 bench/push.py [CHANGED [KIND | salesforce]]
"""

import json
import sys

from measure import costs, floor, line, measured
from world import BINARY, World

CHANGED = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
ONLY = sys.argv[2] if len(sys.argv) > 2 else None
RSS_MB_MAX = 64
COLLECTIONS_MAX, LOAD_CALLS = 5000, 5
# A mass change is what is measured: nobody is asked.
BRAKE = "brake: {updates_percent: 100}\n"

# kind: (where it is edited, its word there, what is edited, where it is pushed to, its word there, what the floor writes)
ROUTES = {
    "contact": [
        ("pipedrive", "persons", "first_name", "hubspot", "contacts", "city"),
        ("hubspot", "contacts", "firstname", "pipedrive", "persons", "first_name"),
    ],
    "deal": [
        ("pipedrive", "deals", "title", "hubspot", "deals", "description"),
        ("hubspot", "deals", "dealname", "pipedrive", "deals", "title"),
    ],
}


def sync(world, *more):
    return measured([BINARY, "sync", *more, "--quiet", "--json"], cwd=world.folder, env=world.env)


def settled(world):
    for _ in range(6):
        counts = json.loads(sync(world)["out"])["counts"]
        if all(counts[name] == 0 for name in ("created_here", "updated_here", "created_there", "updated_there")):
            return
    raise AssertionError(counts)


def changed_ids(world, crm, word, writes):
    """What the push wrote, in the simulator's own log: each object once."""
    ids = [row["id"] for row in world.sims.ask(crm, "/__sim/writes")["writes"] if row["object"] == word]
    assert len(ids) == len(set(ids)) == writes, (len(ids), len(set(ids)), writes)
    return ids


def push(world, kind, source, source_word, member, target, target_word, floor_member):
    linked = sorted(world.sims.live(source, source_word), key=int)[:CHANGED]
    for i, object_id in enumerate(linked):
        world.sims.edit(source, source_word, object_id, **{member: f"Changed {i}"})
    sync(world, source, "--pull", "--kind", kind)
    world.sims.ask(target, "/__sim/writes/clear", {})
    world.sims.ask(target, "/__sim/stats/reset", {})
    ours = sync(world, target, "--push", "--kind", kind)
    calls = world.sims.ask(target, "/__sim/stats")["calls_total"]
    written = json.loads(ours["out"])["counts"]["updated_there"]
    ids = changed_ids(world, target, target_word, written)
    batches = (written + 99) // 100
    fewest = 2 * batches if target == "hubspot" else batches + written
    base = measured([floor("push_floor"), target, world.sims.url(target), world.sims.token(target), target_word, floor_member], input_text="\n".join(ids))
    assert f"calls={fewest}\n" == base["out"], (fewest, base["out"])
    name = f"push-{kind}-{target}"
    line(name, changed=len(linked), written=written, calls=calls, **costs(ours))
    line(name + "-floor", calls=fewest, cpu_s=base["cpu_s"], wall_s=base["wall_s"])
    line(
        name + "-ratio",
        calls_x_floor=calls / fewest,
        calls_beyond_floor=calls - fewest,
        cpu_x_floor=ours["cpu_s"] / base["cpu_s"],
        us_per_record=ours["cpu_s"] * 1e6 / max(1, written),
    )
    return [] if ours["rss_mb"] < RSS_MB_MAX else [f"{name}: {ours['rss_mb']:.0f} MB"]


def calls_of(world, crm):
    """Without what a run asks once: descriptions, users."""
    calls = world.sims.ask(crm, "/__sim/stats")["calls"]
    return sum(n for call, n in calls.items() if "/describe" not in call), sum(calls.values())


def tell_salesforce(name, world, ours, count, fewest):
    calls, all_calls = calls_of(world, "salesforce")
    line(name, written=count, calls=all_calls, **costs(ours))
    line(name + "-ratio", calls_x_floor=calls / fewest, calls_beyond_floor=all_calls - fewest, us_per_record=ours["cpu_s"] * 1e6 / max(1, count))
    return [] if ours["rss_mb"] < RSS_MB_MAX else [f"{name}: {ours['rss_mb']:.0f} MB"]


def fewest_of_creates(made):
    return LOAD_CALLS if made > COLLECTIONS_MAX else (made + 999) // 1000


def create_salesforce(world, name):
    """The account is empty before."""
    for object_id in world.sims.live("salesforce", "Contact"):
        world.sims.ask("salesforce", "/__sim/delete", {"object": "Contact", "id": object_id})
    world.run("setup", "salesforce", expect=0)
    for crm in ("hubspot", "salesforce"):
        sync(world, crm, "--pull")
    world.sims.ask("salesforce", "/__sim/stats/reset", {})
    ours = sync(world, "salesforce", "--push")
    made = json.loads(ours["out"])["counts"]["created_there"]
    assert made == len(world.sims.live("hubspot", "contacts")) == len(world.sims.live("salesforce", "Contact")), made
    loads = sum(n for call, n in world.sims.ask("salesforce", "/__sim/stats")["calls"].items() if call.startswith("POST") and call.endswith("/jobs/ingest"))
    assert loads == (made > COLLECTIONS_MAX), loads
    return tell_salesforce(name, world, ours, made, fewest_of_creates(made))


def update_salesforce(world):
    settled(world)
    for i, object_id in enumerate(sorted(world.sims.live("hubspot", "contacts"), key=int)):
        world.sims.edit("hubspot", "contacts", object_id, firstname=f"Changed {i}")
    sync(world, "hubspot", "--pull")
    world.sims.ask("salesforce", "/__sim/writes/clear", {})
    world.sims.ask("salesforce", "/__sim/stats/reset", {})
    ours = sync(world, "salesforce", "--push")
    written = json.loads(ours["out"])["counts"]["updated_there"]
    changed_ids(world, "salesforce", "Contact", written)
    return tell_salesforce("push-contact-salesforce", world, ours, written, (written + 1999) // 2000 + (written + 999) // 1000)


def salesforce_world(records):
    only = "kinds: [contact]"
    return World(records=records, seed=3, sim=("--no-limits",), crms=("hubspot", "salesforce"), more=BRAKE, hubspot_more=only, salesforce_more=only)


def push_salesforce():
    """Creates by a load and by collections; updates are read 2,000 and written 1,000 to a call."""
    too_large = []
    if CHANGED > COLLECTIONS_MAX:
        world = salesforce_world(min(CHANGED, COLLECTIONS_MAX))
        try:
            too_large += create_salesforce(world, "push-create-salesforce")
        finally:
            world.close()
    world = salesforce_world(CHANGED)
    try:
        too_large += create_salesforce(world, "push-load-salesforce" if CHANGED > COLLECTIONS_MAX else "push-create-salesforce")
        too_large += update_salesforce(world)
    finally:
        world.close()
    return too_large


def main():
    if ONLY == "salesforce":
        too_large = push_salesforce()
        assert not too_large, too_large
        return
    kinds = "kinds: [company, contact, deal]" if ONLY != "contact" else "kinds: [contact]"
    sim = ("--no-limits", "--deals", "0" if ONLY == "contact" else str(CHANGED // 2 + CHANGED // 50))
    world = World(records=CHANGED, seed=3, sim=sim, hubspot_more=kinds, pipedrive_more=kinds, more=BRAKE)
    too_large = []
    try:
        settled(world)
        for kind, routes in ROUTES.items():
            for route in routes if ONLY in (None, kind) else ():
                too_large += push(world, kind, *route)
                settled(world)
    finally:
        world.close()
    if ONLY is None:
        too_large += push_salesforce()
    assert not too_large, too_large


if __name__ == "__main__":
    main()
