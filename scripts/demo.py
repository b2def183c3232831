"""The demo's course; scripts/demo builds first and then calls this."""

import os
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))

from world import PEOPLE_AT, THREE, World, compare, duplicates  # noqa: E402

RECORDS = int(os.environ.get("DEMO_RECORDS", "1000"))
DEALS, ACTIVITIES = RECORDS // 6, RECORDS // 4


def step(text):
    print(f"\n── {text}", flush=True)


def shell(world, *args, expect=(0, 3, 4)):
    """Runs a command as a user would and shows it with its answer."""
    print("$ crmsync " + " ".join(f"'{a}'" if " " in a else a for a in args), flush=True)
    done = world.run(*args, expect=expect)
    if done.stdout:
        print("  " + done.stdout.rstrip().replace("\n", "\n  "), flush=True)
    return done


def some_person(world):
    """Somebody who lives in all CRMs and agrees."""
    for record in world.json("records", "list", "contact", "--limit", "300"):
        whole = world.json("records", "get", "contact", record["id"])
        links = {l["connection"]: l["remote_id"] for l in whole["links"] if l["state"] == "live"}
        if len(links) == len(world.crms) and record["fields"].get("last_name") and record["fields"].get("email"):
            return record, links
    raise SystemExit("demo: nobody lives in all CRMs")


def main():
    began = time.monotonic()
    problems = []
    step(
        f"HubSpot, Pipedrive and Salesforce, simulated, start on this machine: {RECORDS} people each, about two thirds of them the same, "
        f"{DEALS} deals and {ACTIVITIES} activities each"
    )
    world = World(records=RECORDS, seed=2026, sim=("--deals", str(DEALS), "--activities", str(ACTIVITIES)), all_kinds=True, crms=THREE)
    try:
        counts_before = {crm: len(world.sims.live(crm, PEOPLE_AT[crm][0])) for crm in THREE}
        shell(world, "doctor", expect=(0, 1))

        step("before anything is written: what would the first sync do, and what would it cost?")
        before = world.sims.writes()
        shell(world, "plan", "-o", "first.jsonl", "--lines", "2", "--quiet")
        if world.sims.writes() != before:
            problems.append("the plan wrote")

        step("exactly that is applied: import, recognise who is in several, create what is missing anywhere")
        shell(world, "apply", "first.jsonl", "--quiet")
        refused = world.json("apply", "first.jsonl", "--quiet", expect=(0, 3))["plan"]
        if refused["done"] != 0:
            problems.append("the plan was applied twice")

        step("what the CRMs filled in by themselves (a stage, a default) is taken up; after that a sync has nothing to write")
        shell(world, "sync", "--quiet")
        before = world.sims.writes()
        shell(world, "sync", "--quiet")
        if world.sims.writes() != before:
            problems.append("a sync without changes wrote")

        person, links = some_person(world)
        email = person["fields"]["email"]
        step(f"people edit everywhere: {email} gets a phone in HubSpot, a first name in Pipedrive and a city in Salesforce")
        world.sims.edit("hubspot", "contacts", links["hubspot"], phone="+442079460111")
        world.sims.edit("pipedrive", "persons", links["pipedrive"], first_name="Renamed")
        world.sims.edit("salesforce", "Contact", links["salesforce"], MailingCity="Bath")
        shell(world, "sync", "--quiet")
        record = world.json("records", "get", "contact", person["id"])
        if [record["fields"][name] for name in ("phone", "first_name", "city")] != ["+442079460111", "Renamed", "Bath"]:
            problems.append("an edit was lost")

        step("two CRMs change the same last name; its strategy is now set to manual-review, so a person decides")
        review = "strategies:\n  contact.last_name: manual-review"
        world.write_config(hubspot_more=review, pipedrive_more=review, salesforce_more=review)
        world.sims.edit("hubspot", "contacts", links["hubspot"], lastname="Hopper")
        world.sims.edit("pipedrive", "persons", links["pipedrive"], last_name="Lovelace")
        shell(world, "sync", "--quiet")
        shell(world, "conflicts", "list")
        waiting = world.json("conflicts", "list")
        if len(waiting) != 1:
            problems.append(f"{len(waiting)} conflicts instead of one")
        else:
            shell(world, "conflicts", "resolve", str(waiting[0]["id"]), "--remote", "--version", str(waiting[0]["version"]))
            shell(world, "sync", "--quiet")

        step("somebody loads a bad list into Pipedrive, and the sync spreads it")
        victims = [i for i in sorted(world.sims.live("pipedrive", "persons"), key=int) if i not in links.values()][:12]
        former = {i: world.sims.state("pipedrive", "persons")[i]["fields"]["last_name"] for i in victims}
        for i in victims:
            world.sims.edit("pipedrive", "persons", i, last_name="TEST")
        run = world.sync("--quiet")["run"]
        print(f"  run {run} wrote 'TEST' to HubSpot and Salesforce as well")

        step("undo takes that run back at HubSpot, Salesforce and here; the list is corrected where it was loaded")
        shell(world, "undo", str(run), "--yes", "--lines", "4")
        names = [r["fields"].get("lastname") for r in world.sims.live("hubspot", "contacts").values()]
        names += [r["fields"].get("LastName") for r in world.sims.live("salesforce", "Contact").values()]
        if "TEST" in names:
            problems.append("the undo left something behind")
        for i in victims:
            world.sims.edit("pipedrive", "persons", i, last_name=former[i] or "")
        shell(world, "sync", "--quiet")

        step("where does the last name come from?")
        shell(world, "explain", "contact", email, "last_name")

        step("what was set aside, and why (the first few)")
        failures = world.json("failures", "list")
        for failure in failures[:3]:
            print(f"  {failure['connection']} {failure['kind']} {failure['remote_id'] or failure['record']}: {failure['message']}")

        step("the result, read from the three CRMs and compared by an independent script")
        agreeing, differences = compare(world)
        runs = world.json("runs")
        rows = (
            *((f"people in {crm} before / now", f"{counts_before[crm]} / {len(world.sims.live(crm, PEOPLE_AT[crm][0]))}") for crm in THREE),
            ("records that agree in all four places", agreeing),
            ("objects recognised as known", sum_of(world, "matched")),
            ("created at the CRMs", sum_of(world, "created_there")),
            ("set aside for a person", len(failures)),
            ("not in agreement and not set aside", max(0, len(differences) - len(failures))),
            ("duplicates made", len(duplicates(world))),
            ("API calls", sum(run["calls"] for run in runs)),
            ("seconds", f"{time.monotonic() - began:.1f}"),
        )
        for label, value in rows:
            print(f"  {label:<42} {value:>12}")
        if len(differences) > len(failures):
            problems.append(f"{len(differences)} records differ, {len(failures)} are set aside; for example {differences[0]}")
        if duplicates(world):
            problems.append("duplicates were made")
    finally:
        world.close()
    if problems:
        print("\nNOT IN AGREEMENT: " + "; ".join(problems))
        return 1
    print("\nEverything agrees.")
    return 0


def sum_of(world, counter):
    """Sum of a counter over all runs, from the store."""
    import json
    import sqlite3

    database = sqlite3.connect("file:" + os.path.join(world.folder, "store.db") + "?mode=ro", uri=True)
    rows = database.execute("SELECT counts FROM run").fetchall()
    database.close()
    return sum(json.loads(row[0] or "{}").get(counter, 0) for row in rows)


if __name__ == "__main__":
    sys.exit(main())
