"""bench/import: contacts from a simulator into the store, against a floor measured in the same run: the same pages fetched and discarded
with libcurl, plus the same rows inserted with bare SQLite. Prints lines of key=value; ratios end in _x_floor.

    scripts/build release && python3 bench/import.py [RECORDS] [--crm hubspot|salesforce]
"""

import argparse
import json
import os
import re
import subprocess
import tempfile
import urllib.parse
import urllib.request

from measure import floor, line, measured
from world import BINARY, World

FLOOR = floor("import_floor")
HOUR_MS = 60 * 60 * 1000


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("records", nargs="?", type=int, default=100000)
    arguments.add_argument("--crm", choices=("hubspot", "salesforce"), default="hubspot")
    given = arguments.parse_args()
    made = given.records if given.crm == "hubspot" else 0
    contacts = "kinds: [contact]"
    world = World(records=made, seed=3, sim=("--no-limits",), crms=(given.crm,), hubspot_more=contacts, salesforce_more=contacts)
    try:
        if given.crm == "salesforce":
            fill(world, given.records)
        world.sims.ask(given.crm, "/__sim/stats/reset", {})
        ours = measured([BINARY, "sync", given.crm, "--pull", "--quiet", "--json"], cwd=world.folder, env=world.env)
        calls = world.sims.ask(given.crm, "/__sim/stats")["calls_total"]
        imported = json.loads(ours["out"])["counts"]["created_here"]
        assert imported == given.records, (imported, given.records)
        line("import", crm=given.crm, records=imported, wall_s=ours["wall_s"], cpu_s=ours["cpu_s"], rss_mb=ours["rss_mb"], calls=calls)

        fetch = measured([FLOOR, "fetch", world.sims.url(given.crm), world.sims.token(given.crm), *PAGES[given.crm](properties(world, given.crm))])
        copy = os.path.join(tempfile.mkdtemp(dir=world.folder), "floor.db")
        insert = measured([FLOOR, "insert", os.path.join(world.folder, "store.db"), copy])
        insert_cpu = float(re.search(r"cpu_s=([0-9.]+)", insert["out"]).group(1))
        pages = int(fetch["out"].split()[0][6:])
        line("import-floor", fetch_wall_s=fetch["wall_s"], fetch_cpu_s=fetch["cpu_s"], insert_cpu_s=insert_cpu, pages=pages)
        line(
            "import-ratio",
            cpu_x_floor=ours["cpu_s"] / (fetch["cpu_s"] + insert_cpu),
            calls_x_floor=calls / pages,
            calls_beyond_pages=calls - pages,
            us_per_record=ours["cpu_s"] * 1e6 / imported,
        )
    finally:
        world.close()


def hubspot_pages(names):
    return ["/crm/objects/2026-09/contacts?limit=100&properties=" + ",".join(names) + "&associations=companies"]


def salesforce_pages(names):
    query = f"SELECT Id, IsDeleted, CreatedDate, LastModifiedDate, SystemModstamp, MasterRecordId, {', '.join(names)} FROM Contact ORDER BY Id"
    return ["/services/data/v66.0/queryAll?q=" + urllib.parse.quote(query), "", "nextRecordsUrl"]


PAGES = {"hubspot": hubspot_pages, "salesforce": salesforce_pages}


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
    return names


if __name__ == "__main__":
    main()
