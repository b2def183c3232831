"""bench/reconcile: a complete comparison of contacts that both simulators hold, with 1 % of them apart.

What differs was planted behind the engine's back: edits, deletes and new objects at the CRMs that no sync saw (the store is put back to before, but
for its cursors), values altered in the store's file, and links that changed places. `reconcile` is the first comparison, which looks at every pair;
`reconcile-repaired` the one after the repair, `reconcile-quiet` one more, in which no bucket has changed. The floor is the same listings fetched and discarded
with libcurl alone: every page of both CRMs once. The peer is `sync --full`, which lists the same.

    scripts/build release && python3 bench/reconcile.py [CONTACTS]
"""

import json
import sys

from measure import costs, line, measured
from quiet import KINDS, RECORDS, floor_of_pages, fully_linked, settled

import missed
from world import BINARY, World

RSS_MB_MAX = 64


def reconcile(world, *more):
    world_calls, writes = world.sims.calls(), world.sims.writes()
    ours = measured([BINARY, "reconcile", "--quiet", "--json", *more], cwd=world.folder, env=world.env)
    ours["calls"] = world.sims.calls() - world_calls
    assert world.sims.writes() == writes, "a comparison wrote"
    ours["streams"] = json.loads(ours["out"])["streams"]
    return ours


def sorts(ours):
    sums = {}
    for stream in ours["streams"]:
        for what, count in stream["by_sort"].items():
            if count:
                sums[what] = sums.get(what, 0) + count
    return sums


def report(name, ours, floors, linked):
    floor_calls = sum(f["calls"] for f in floors)
    found = {what.replace("-", "_"): count for what, count in sorts(ours).items()}
    pairs_read = sum(s["pairs_read"] for s in ours["streams"])
    line(name, linked=linked, pairs_read=pairs_read, calls=ours["calls"], **costs(ours), **found)
    line(
        name + "-ratio",
        calls_x_floor=ours["calls"] / floor_calls,
        cpu_x_floor=ours["cpu_s"] / sum(f["cpu_s"] for f in floors),
        cpu_us_per_object=ours["cpu_s"] * 1e6 / sum(s["objects"] for s in ours["streams"]),
    )
    assert ours["rss_mb"] < RSS_MB_MAX, f"{ours['rss_mb']:.0f} MB"


def plant(world):
    """1 % of the pairs, each apart in one way. Returns what has to be found."""
    here = missed.links(world, "hubspot")
    there = {record: remote for _, record, remote in missed.links(world, "pipedrive")}
    step = 100
    chosen = here[step // 2 :: step]
    fifth = len(chosen) // 5
    edited, deleted, made, altered, moved = (chosen[i * fifth : (i + 1) * fifth] for i in range(5))
    moved = moved[: len(moved) // 2 * 2]

    def change(world):
        for i, (_, _, remote) in enumerate(edited):
            world.sims.edit("hubspot", "contacts", remote, firstname=f"Moved {i}")
        for _, record, _ in deleted:
            world.sims.ask("pipedrive", "/__sim/delete", {"object": "persons", "id": there[record]})
        for i in range(len(made)):
            world.sims.edit("hubspot", "contacts", None, email=f"made{i}@new.example", lastname="Made")

    missed.miss(world, change)
    statements = [("UPDATE record SET fields = json_set(fields, '$.city', 'Altered') WHERE id = ?", (record,)) for _, record, _ in altered]
    for (one, _, a), (other, _, b) in zip(moved[::2], moved[1::2]):
        statements += [
            ("UPDATE link SET remote_id = 'in between' WHERE id = ?", (one,)),
            ("UPDATE link SET remote_id = ? WHERE id = ?", (a, other)),
            ("UPDATE link SET remote_id = ? WHERE id = ?", (b, one)),
        ]
    missed.damage(world, *statements)
    return {
        "changed-there": len(edited) + len(moved),
        "deleted-there": len(deleted),
        "created-there": len(made),
        "changed-here": len(altered),  # at HubSpot alone: Pipedrive has no city
    }


def main():
    world = World(records=RECORDS, seed=3, sim=("--no-limits",), hubspot_more=KINDS, pipedrive_more=KINDS, more="brake: {updates_percent: 100, deletes_percent: 100}\n")
    try:
        settled(world)
        linked = fully_linked(world)
        floors = floor_of_pages(world)
        line("reconcile-floor", calls=sum(f["calls"] for f in floors), cpu_s=sum(f["cpu_s"] for f in floors), wall_s=sum(f["wall_s"] for f in floors))
        wanted = plant(world)
        first = reconcile(world, "--repair")
        report("reconcile", first, floors, linked)
        assert sorts(first) == wanted, (sorts(first), wanted)
        for _ in range(3):
            measured([BINARY, "sync", "--quiet"], cwd=world.folder, env=world.env)
        for name in ("reconcile-repaired", "reconcile-quiet"):
            again = reconcile(world)
            report(name, again, floors, linked)
            assert sorts(again) == {}, sorts(again)
        full = measured([BINARY, "sync", "--full", "--quiet"], cwd=world.folder, env=world.env)
        line("reconcile-peer", **costs(full), cpu_x_peer=again["cpu_s"] / full["cpu_s"], wall_x_peer=again["wall_s"] / full["wall_s"])
        writes = world.sims.writes()
        measured([BINARY, "sync", "--quiet"], cwd=world.folder, env=world.env)
        assert world.sims.writes() == writes, "something was left to write"
    finally:
        world.close()


if __name__ == "__main__":
    main()
