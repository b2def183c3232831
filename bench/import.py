"""bench/import: contacts from the HubSpot simulator into the store, against a floor measured in the same run: the same pages fetched and discarded
with libcurl, plus the same rows inserted with bare SQLite. Prints lines of key=value; ratios end in _x_floor.

    scripts/build release && python3 bench/import.py [RECORDS]
"""

import json
import os
import re
import subprocess
import sys
import tempfile

from measure import floor, line, measured
from world import BINARY, World

RECORDS = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
FLOOR = floor("import_floor")


def main():
    world = World(records=RECORDS, seed=3, sim=("--no-limits",), hubspot_more="kinds: [contact]", pipedrive_more="kinds: [contact]")
    try:
        world.sims.ask("hubspot", "/__sim/stats/reset", {})
        ours = measured([BINARY, "sync", "hubspot", "--pull", "--quiet", "--json"], cwd=world.folder, env=world.env)
        stats = world.sims.ask("hubspot", "/__sim/stats")
        pages = max(count for path, count in stats["calls"].items() if path.startswith("GET"))
        imported = json.loads(ours["out"])["counts"]["created_here"]
        calls = json.loads(ours["out"])["counts"]["calls"]
        line("import", records=imported, wall_s=ours["wall_s"], cpu_s=ours["cpu_s"], rss_mb=ours["rss_mb"], calls=calls, pages=pages)

        query = "/crm/objects/2026-09/contacts?limit=100&properties=" + ",".join(properties(world)) + "&associations=companies"
        fetch = measured([FLOOR, "fetch", world.sims.url("hubspot"), world.sims.token("hubspot"), query])
        copy = os.path.join(tempfile.mkdtemp(dir=world.folder), "floor.db")
        insert = measured([FLOOR, "insert", os.path.join(world.folder, "store.db"), copy])
        insert_cpu = float(re.search(r"cpu_s=([0-9.]+)", insert["out"]).group(1))
        line("import-floor", fetch_wall_s=fetch["wall_s"], fetch_cpu_s=fetch["cpu_s"], insert_cpu_s=insert_cpu, pages=int(fetch["out"].split()[0][6:]))
        line(
            "import-ratio",
            cpu_x_floor=ours["cpu_s"] / (fetch["cpu_s"] + insert_cpu),
            calls_x_floor=calls / int(fetch["out"].split()[0][6:]),
            calls_beyond_pages=calls - int(fetch["out"].split()[0][6:]),
            us_per_record=ours["cpu_s"] * 1e6 / imported,
        )
    finally:
        world.close()


def properties(world):
    """What the built-in mapping reads, as the adapter asked for it in its own listing."""
    text = subprocess.run([BINARY, "init", "--mappings"], cwd=world.folder, env=world.env, capture_output=True, text=True)
    del text
    names = []
    with open(os.path.join(world.folder, "mappings", "hubspot.yaml")) as file:
        in_contact = False
        for row in file:
            if re.match(r"  \w+:\s*$", row):
                in_contact = row.strip() == "contact:"
            found = re.search(r"property: *\"?([\w.]+)", row)
            if in_contact and found and not found.group(1).startswith("associations.") and not row.lstrip().startswith("#"):
                names.append(found.group(1))
    return names


if __name__ == "__main__":
    main()
