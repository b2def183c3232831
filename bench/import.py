"""bench/import: contacts from a simulator into the store, against a floor measured in the same run: the same pages fetched and discarded
with libcurl, plus the same rows inserted with bare SQLite. Prints lines of key=value; ratios end in _x_floor.

The same work costs a process a third more or less CPU from one moment to the next on a machine that does other things as well, so ours and the floor
take turns: one import, one fetch, one insert, RUNS times. Each figure is the median of the runs, cpu_x_floor the median of ours divided by the floor
beside it, and lowest and highest are told too.

    scripts/build release && python3 bench/import.py [RECORDS] [--crm hubspot|pipedrive|salesforce] [--runs RUNS]
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.parse
import urllib.request
from statistics import median

from measure import floor, line, measured
from world import BINARY, World

FLOOR = floor("import_floor")
HOUR_MS = 60 * 60 * 1000


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("records", nargs="?", type=int, default=100000)
    arguments.add_argument("--crm", choices=sorted(PAGES), default="hubspot")
    arguments.add_argument("--runs", type=int, default=5)
    given = arguments.parse_args()
    made = 0 if given.crm == "salesforce" else given.records
    world = World(records=made, seed=3, sim=("--no-limits",), crms=(given.crm,), **{given.crm + "_more": "kinds: [contact]"})
    try:
        if given.crm == "salesforce":
            fill(world, given.records)
        pages = PAGES[given.crm](properties(world, given.crm))
        report(given.crm, given.records, [turn(world, given.crm, pages) for _ in range(given.runs)])
    finally:
        world.close()


def turn(world, crm, pages):
    """One import into a store of its own, and the floor beside it."""
    folder = tempfile.mkdtemp(prefix="crmsync-import-")
    try:
        shutil.copytree(world.folder, folder, dirs_exist_ok=True)
        world.sims.ask(crm, "/__sim/stats/reset", {})
        ours = measured([BINARY, "sync", crm, "--pull", "--quiet", "--json"], cwd=folder, env=world.env)
        ours["calls"] = world.sims.ask(crm, "/__sim/stats")["calls_total"]
        ours["records"] = json.loads(ours["out"])["counts"]["created_here"]
        fetch = measured([FLOOR, "fetch", world.sims.url(crm), world.sims.token(crm), *pages])
        insert = measured([FLOOR, "insert", os.path.join(folder, "store.db"), os.path.join(folder, "floor.db")])
        ours["pages"] = int(fetch["out"].split()[0][6:])
        ours["fetch"] = fetch
        ours["insert_cpu_s"] = float(re.search(r"cpu_s=([0-9.]+)", insert["out"]).group(1))
        ours["ratio"] = ours["cpu_s"] / (fetch["cpu_s"] + ours["insert_cpu_s"])
        return ours
    finally:
        shutil.rmtree(folder)


def report(crm, records, turns):
    def middle(name):
        return median(turn[name] for turn in turns)

    imported, calls, pages = turns[0]["records"], turns[0]["calls"], turns[0]["pages"]
    assert all(turn["records"] == imported for turn in turns), [turn["records"] for turn in turns]
    assert imported == records, (imported, records)
    ratios = sorted(turn["ratio"] for turn in turns)
    line("import", crm=crm, records=imported, runs=len(turns), wall_s=middle("wall_s"), cpu_s=middle("cpu_s"), rss_mb=max(turn["rss_mb"] for turn in turns), calls=calls)
    line(
        "import-floor",
        fetch_wall_s=median(turn["fetch"]["wall_s"] for turn in turns),
        fetch_cpu_s=median(turn["fetch"]["cpu_s"] for turn in turns),
        insert_cpu_s=middle("insert_cpu_s"),
        pages=pages,
    )
    line(
        "import-ratio",
        cpu_x_floor=median(ratios),
        cpu_x_floor_lowest=ratios[0],
        cpu_x_floor_highest=ratios[-1],
        calls_x_floor=calls / pages,
        calls_beyond_pages=calls - pages,
        us_per_record=middle("cpu_s") * 1e6 / imported,
    )


def hubspot_pages(names):
    return ["/crm/objects/2026-09/contacts?limit=100&properties=" + ",".join(names) + "&associations=companies"]


def salesforce_pages(names):
    query = f"SELECT Id, IsDeleted, CreatedDate, LastModifiedDate, SystemModstamp, MasterRecordId, {', '.join(names)} FROM Contact ORDER BY Id"
    return ["/services/data/v66.0/queryAll?q=" + urllib.parse.quote(query), "", "nextRecordsUrl"]


def pipedrive_pages(names):
    return ["/api/v2/persons?limit=500&sort_by=id&sort_direction=asc", "cursor", "next_cursor"]


PAGES = {"hubspot": hubspot_pages, "pipedrive": pipedrive_pages, "salesforce": salesforce_pages}


def fill(world, records):
    """People there, all of them made an hour before the import begins."""
    for first in range(0, records, 200):
        rows = [person(number) for number in range(first, min(first + 200, records))]
        request = urllib.request.Request(
            world.sims.url("salesforce") + "/services/data/v66.0/composite/sobjects",
            data=json.dumps({"allOrNone": False, "records": rows}).encode(),
            headers={"authorization": "Bearer " + world.sims.token("salesforce"), "content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert all(row["success"] for row in json.loads(answer.read()))
    world.sims.ask("salesforce", "/__sim/advance", {"ms": HOUR_MS})


def person(number):
    return {
        "attributes": {"type": "Contact"},
        "FirstName": "Ida",
        "LastName": f"Ray {number}",
        "Email": f"ida.{number}@ray.example",
        "Phone": f"+49 30 {number:07}",
        "MailingStreet": f"Quay {number % 200}",
        "MailingCity": "Lyon",
        "MailingPostalCode": f"{number % 100000:05}",
    }


def properties(world, crm):
    """What the built-in mapping reads, as the adapter asked for it in its own listing."""
    subprocess.run([BINARY, "init", "--mappings"], cwd=world.folder, env=world.env, capture_output=True, text=True)
    names = []
    with open(os.path.join(world.folder, "mappings", crm + ".yaml")) as file:
        in_contact = False
        for row in file:
            if re.match(r"  \w+:\s*$", row):
                in_contact = row.strip() == "contact:"
            found = re.search(r"property: *\"?([\w.]+)", row)
            if in_contact and found and "." not in found.group(1) and not row.lstrip().startswith("#"):
                names.append(found.group(1))
    shutil.rmtree(os.path.join(world.folder, "mappings"))
    return names


if __name__ == "__main__":
    main()
