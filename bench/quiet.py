"""bench/quiet: a sync of contacts that both simulators hold and that are all linked, when nothing has changed.

Two lines for our own work: `quiet` is the ordinary run, which reads what changed since its cursor; `quiet-full` lists everything again, as
`sync --full` does. The floor of both is the same number of calls answered and discarded with libcurl alone: for `quiet` one empty listing of each
connection, for `quiet-full` every page of both. Costs are also given per 100,000 linked contacts.

    scripts/build release && python3 bench/quiet.py [CONTACTS]
"""

import json
import sys

from measure import costs, floor, line, measured
from world import BINARY, World

CONTACTS = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
# Of the people in each account 7 in 10 are in both; the first sync creates the others.
RECORDS = CONTACTS * 10 // 13
KINDS = "kinds: [contact]"
HUBSPOT = "/crm/objects/2026-09/contacts?limit=100&associations=companies&properties=email,firstname,lastname,phone,address,city,zip,lifecyclestage,crmsync_id"
PIPEDRIVE = "/api/v2/persons?limit=500&sort_by=id&sort_direction=asc"


def fetched(world, crm, query, *cursor):
    found = measured([floor("import_floor"), "fetch", world.sims.url(crm), world.sims.token(crm), query, *cursor])
    found["calls"] = int(found["out"].split()[0].removeprefix("calls="))
    return found


def floor_of_pages(world):
    return [fetched(world, "hubspot", HUBSPOT), fetched(world, "pipedrive", PIPEDRIVE, "cursor", "next_cursor")]


def floor_of_nothing(world):
    """One listing with nothing in it of each: no call can be saved."""
    return [
        fetched(world, "hubspot", "/crm/objects/2026-09/contacts?limit=1&after=999999999999"),
        fetched(world, "pipedrive", "/api/v2/persons?limit=1&updated_since=2099-01-01T00:00:00Z", "cursor", "next_cursor"),
    ]


def sync(world, *more):
    before, writes = world.sims.calls(), world.sims.writes()
    found = measured([BINARY, "sync", "--quiet", "--json", *more], cwd=world.folder, env=world.env)
    found["calls"] = world.sims.calls() - before
    found["counts"] = json.loads(found["out"])["counts"]
    assert world.sims.writes() == writes, "a quiet sync wrote"
    assert found["counts"]["updated_here"] + found["counts"]["created_here"] == 0, found["counts"]
    return found


def report(name, ours, floors, linked):
    floor_cpu = sum(f["cpu_s"] for f in floors)
    floor_calls = sum(f["calls"] for f in floors)
    scale = 100000 / linked
    line(name, linked=linked, calls=ours["calls"], **costs(ours))
    line(name + "-floor", calls=floor_calls, cpu_s=floor_cpu, wall_s=sum(f["wall_s"] for f in floors))
    line(
        name + "-ratio",
        calls_x_floor=ours["calls"] / floor_calls,
        cpu_x_floor=ours["cpu_s"] / floor_cpu,
        calls_per_100k=ours["calls"] * scale,
        cpu_s_per_100k=ours["cpu_s"] * scale,
        wall_s_per_100k=ours["wall_s"] * scale,
    )


def settled(world):
    """Syncs until nothing moves; then an hour goes by at the CRMs: what they show again because it is recent would not be a quiet run."""
    for _ in range(4):
        counts = json.loads(measured([BINARY, "sync", "--quiet", "--json"], cwd=world.folder, env=world.env)["out"])["counts"]
        if all(counts[name] == 0 for name in ("created_here", "updated_here", "created_there", "updated_there")):
            for crm in ("hubspot", "pipedrive"):
                world.sims.ask(crm, "/__sim/advance", {"ms": 3600000})
            measured([BINARY, "sync", "--quiet"], cwd=world.folder, env=world.env)
            return
    raise AssertionError(counts)


def fully_linked(world):
    return min(stream["linked"] for stream in json.loads(measured([BINARY, "status", "--json"], cwd=world.folder, env=world.env)["out"]))


def main():
    world = World(records=RECORDS, seed=3, sim=("--no-limits",), hubspot_more=KINDS, pipedrive_more=KINDS)
    try:
        settled(world)
        linked = fully_linked(world)
        report("quiet", sync(world), floor_of_nothing(world), linked)
        report("quiet-full", sync(world, "--full"), floor_of_pages(world), linked)
    finally:
        world.close()


if __name__ == "__main__":
    main()
