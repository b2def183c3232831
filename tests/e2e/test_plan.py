"""plan, apply, undo over real sockets: what a plan says is what happens, no more and no less, and it can be taken back."""

import hashlib
import json
import os
import sqlite3
import unittest

from world import World, flat

OBJECTS = {
    ("hubspot", "contact"): {"contacts"},
    ("hubspot", "company"): {"companies"},
    ("hubspot", "deal"): {"deals"},
    ("hubspot", "activity"): {"calls", "emails", "meetings", "notes", "tasks"},
    ("pipedrive", "contact"): {"persons"},
    ("pipedrive", "company"): {"organizations"},
    ("pipedrive", "deal"): {"deals"},
    ("pipedrive", "activity"): {"activities", "notes"},
}
KIND_OF = {(crm, word): kind for (crm, kind), words in OBJECTS.items() for word in words}
STAMPS = ("modif", "update_time", "updatedAt", "crmsync_id")


def read_plan(world, name="plan.jsonl"):
    with open(os.path.join(world.folder, name)) as file:
        lines = [json.loads(line) for line in file]
    return lines[0], lines[1:-1], lines[-1]["end"]


def listen(world):
    for crm in world.sims.where:
        world.sims.ask(crm, "/__sim/writes/clear", {})


def heard(world):
    """Writes that the CRMs accepted, one for each record: associations belong to its create or update, or are one by themselves."""
    rows, written = [], set()
    for crm in world.sims.where:
        log = world.sims.ask(crm, "/__sim/writes")["writes"]
        for row in log:
            if row["method"] in ("create", "update", "delete"):
                rows.append((crm, row))
                written.add((crm, row["object"], row["id"]))
        for row in log:
            name = (crm, row["object"], row["id"])
            if row["method"] in ("associate", "dissociate") and name not in written:
                rows.append((crm, dict(row, method="update")))
                written.add(name)
    return rows


def bare_id(remote_id):
    return remote_id.split(":")[-1]


def by_name(crm, row):
    """(crm, kind, what, id): creates under the key that travelled with them, or without a key under nothing."""
    kind = KIND_OF[(crm, row["object"])]
    if row["method"] != "create":
        return (crm, kind, row["method"], str(row["id"]))
    keys = [v for k, v in flat(row["fields"]) if isinstance(v, str) and len(v) == 36 and v.count("-") == 4]
    return (crm, kind, "create", keys[0] if keys else "")


def planned(changes):
    rows = []
    for change in changes:
        if change["at"] == "here" or change["change"] not in ("create", "update", "delete"):
            continue
        crm, kind = change["at"], change["kind"]
        if change["change"] == "create":
            rows.append((crm, kind, "create", "" if (crm, kind) == ("pipedrive", "activity") else change["record"]))
        else:
            rows.append((crm, kind, change["change"], bare_id(change["remote_id"])))
    return sorted(rows)


def snapshot(world):
    words = [(crm, word) for (crm, _), all_words in OBJECTS.items() for word in all_words]
    return {(crm, word): {i: plain(r["fields"]) for i, r in world.sims.live(crm, word).items()} for crm, word in words}


def plain(fields):
    """Values that people see: without time stamps, without what is empty, without our own key."""
    kept = {}
    for name, value in fields.items():
        if any(stamp in name for stamp in STAMPS) or value in (None, "", [], {}):
            continue
        if isinstance(value, dict):
            value = {k: v for k, v in value.items() if v is not None and not (isinstance(v, str) and v.count("-") == 4)}
            if not value:
                continue
        kept[name] = value
    return kept


def differences(before, after):
    return [
        (key, i, before[key].get(i), after[key].get(i))
        for key in before
        for i in set(before[key]) | set(after[key])
        if before[key].get(i) != after[key].get(i)
    ]


def records(world):
    return {
        r["id"]: r["fields"]
        for kind in ("company", "contact", "deal", "activity")
        for r in world.json("records", "list", kind, "--limit", "100000")
    }


def store_digest(world, without=()):
    """Of every row of every table: the file itself may be checkpointed by who only reads."""
    database = sqlite3.connect("file:" + os.path.join(world.folder, "store.db") + "?mode=ro", uri=True)
    digest = hashlib.sha256()
    for (table,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall():
        if table in without:
            continue
        for row in database.execute(f"SELECT * FROM {table}"):
            digest.update(repr(row).encode())
    database.close()
    return digest.hexdigest()


# May be noted while a plan is checked: whose account it is, and in the audit log that other settings are in use than before.
ABOUT_THE_ACCOUNT = ("connection", "property_seen", "audit", "audit_head")
SOME_KINDS = "kinds: [company, contact, deal]"  # activities are five searches, of which HubSpot allows few a second


class AllKinds(unittest.TestCase):
    def setUp(self):
        self.world = World(records=60, sim=("--deals", "16", "--activities", "24"), all_kinds=True)

    def tearDown(self):
        self.world.close()

    def test_plan_of_a_first_sync_is_applied_item_by_item(self):
        world = self.world
        before, stored = snapshot(world), store_digest(world)
        listen(world)
        world.run("plan", "-o", "plan.jsonl", expect=0)
        self.assertEqual(heard(world), [], "a plan writes nothing at a CRM")
        self.assertEqual(differences(before, snapshot(world)), [])
        self.assertEqual(store_digest(world), stored, "a plan writes nothing here")
        head, changes, end = read_plan(world)
        self.assertEqual(end["items"], len(changes))
        self.assertGreater(len(changes), 150)

        result = world.json("apply", "plan.jsonl", expect=(0, 3))["plan"]
        self.assertEqual(result["refusals"], [])
        self.assertEqual(result["done"], len(changes))
        self.assertEqual(sorted(by_name(crm, row) for crm, row in heard(world)), planned(changes))

        again = world.json("apply", "plan.jsonl", expect=3)["plan"]
        self.assertEqual(again["done"], 0, "what is done is not done twice")
        self.assertEqual(again["refused"], len(changes))

    def test_undo_of_a_first_sync_leaves_both_sides_as_they_were(self):
        world = self.world
        before = snapshot(world)
        run = world.sync()["run"]
        world.run("undo", str(run), "--yes", expect=0)
        self.assertEqual(differences(before, snapshot(world)), [])
        self.assertEqual(records(world), {})
        world.sync()
        self.assertEqual(world.sync()["counts"]["updated_there"], 0)


class Changes(unittest.TestCase):
    def setUp(self):
        self.world = World(records=60, sim=("--deals", "16"), hubspot_more=SOME_KINDS, pipedrive_more=SOME_KINDS)

    def tearDown(self):
        self.world.close()

    def edit_everywhere(self):
        """20 edits at each side of contacts and deals; returns how many objects."""
        sims = self.world.sims
        for n, i in enumerate(sorted(sims.live("hubspot", "contacts"))[:20]):
            sims.edit("hubspot", "contacts", i, lastname=f"Edited {n}")
        for n, i in enumerate(sorted(sims.live("pipedrive", "persons"))[30:50]):
            sims.edit("pipedrive", "persons", i, first_name=f"Renamed {n}")
        for n, i in enumerate(sorted(sims.live("hubspot", "deals"))[:10]):
            sims.edit("hubspot", "deals", i, dealname=f"Deal {n}", amount=str(1000 + n))

    def test_what_moves_between_plan_and_apply_is_refused_and_nothing_else(self):
        world = self.world
        world.sync()
        world.sync()
        self.edit_everywhere()
        world.run("plan", "-o", "plan.jsonl", expect=0)
        _, changes, _ = read_plan(world)
        moved = next(c for c in changes if c["at"] == "here" and c["from"] == "hubspot" and c["kind"] == "contact")
        world.sims.edit("hubspot", "contacts", moved["remote_id"], lastname="Moved meanwhile")
        stranger = sorted(world.sims.live("hubspot", "contacts"))[-1]
        world.sims.edit("hubspot", "contacts", stranger, lastname="Not in the plan")

        listen(world)
        result = world.json("apply", "plan.jsonl", expect=3)["plan"]
        refused = {(c["at"], c["record"]) for c in result["refusals"]}
        of_record = {(c["at"], c["record"]) for c in changes if c["record"] == moved["record"]}
        self.assertEqual(refused, of_record, "exactly the changes of the moved record are refused")
        kept = [c for c in changes if c["record"] != moved["record"]]
        self.assertEqual(sorted(by_name(crm, row) for crm, row in heard(world)), planned(kept))
        self.assertEqual(result["done"], len(kept))
        self.assertGreaterEqual(result["put_off"], 1)

        world.sync()  # what was put off comes with the next sync
        hub = {f.get("last_name") for f in records(world).values()}
        self.assertIn("Moved meanwhile", hub)
        self.assertIn("Not in the plan", hub)

    def test_dry_run_is_the_same_planner(self):
        world = self.world
        stored = store_digest(world)
        listen(world)
        said = world.run("sync", "--dry-run", expect=0).stdout
        self.assertIn("changes", said)
        self.assertEqual(heard(world), [])
        self.assertEqual(store_digest(world), stored)
        lines = [json.loads(line) for line in world.run("plan", "--json", expect=0).stdout.splitlines()]
        self.assertIn(f"{lines[-1]['end']['items']} changes", said)

    def test_undo_brings_everything_back(self):
        world = self.world
        world.sync()
        world.sync()
        self.edit_everywhere()
        before, here = snapshot(world), records(world)
        run = world.sync()["run"]
        after = snapshot(world)
        self.assertNotEqual(before, after)

        listen(world)
        said = world.json("undo", str(run), expect=0)["undo"]
        self.assertFalse(said["done"])
        self.assertEqual(heard(world), [], "undo without --yes only says")
        done = world.json("undo", str(run), "--yes", expect=0)["undo"]
        self.assertEqual(done["changes_count"], said["changes_count"])
        self.assertEqual(differences(before, snapshot(world)), [])
        self.assertEqual(records(world), here)
        world.sync()  # nothing was said to be wanted otherwise: the same happens again
        self.assertEqual(differences(after, snapshot(world)), [])
        self.assertEqual(sum(world.sync()["counts"][c] for c in ("updated_here", "updated_there")), 0)

    def test_a_plan_shows_who_enters_and_leaves(self):
        world = self.world
        world.sync()
        world.sync()
        ids = sorted(world.sims.live("hubspot", "contacts"))
        for i in ids[:30]:
            world.sims.edit("hubspot", "contacts", i, city="Berlin")
        world.sync()
        only = SOME_KINDS + "\nfilters:\n  contact: [{field: city, is: Berlin}]"
        world.write_config(hubspot_more=only, pipedrive_more=SOME_KINDS)
        world.run("plan", "-o", "plan.jsonl", expect=0)
        leaving = {c["record"] for c in read_plan(world)[1] if c["change"] == "leave"}
        self.assertGreater(len(leaving), 10)
        self.assertEqual(world.json("apply", "plan.jsonl", expect=(0, 3))["plan"]["refused"], 0)
        world.sims.edit("hubspot", "contacts", ids[-1], city="Berlin")
        world.run("plan", "-o", "plan.jsonl", expect=0)
        entering = [c for c in read_plan(world)[1] if c["change"] == "enter"]
        self.assertEqual([c["remote_id"] for c in entering], [ids[-1]])
        self.assertEqual(world.json("apply", "plan.jsonl", expect=(0, 3))["plan"]["refused"], 0)

    def test_a_person_who_was_added_there_meanwhile_is_not_made_twice(self):
        world = self.world
        world.sync()
        world.sims.edit("hubspot", "contacts", None, email="anna@meanwhile.example", firstname="Anna")
        world.run("plan", "-o", "plan.jsonl", expect=0)
        emails = [{"value": "anna@meanwhile.example", "primary": True, "label": "work"}]
        world.sims.edit("pipedrive", "persons", None, emails=emails, first_name="Anna")
        result = world.json("apply", "plan.jsonl", expect=3)["plan"]
        self.assertGreaterEqual(result["refused"], 1)
        world.sync()
        named = [p for p in world.sims.live("pipedrive", "persons").values() if "anna@meanwhile" in str(p["fields"]["emails"])]
        self.assertEqual(len(named), 1)

    def test_writes_that_fail_are_not_called_done(self):
        world = self.world
        world.sync()
        world.sims.edit("hubspot", "contacts", None, email="bob@refused.example", firstname="Bob")
        world.run("plan", "-o", "plan.jsonl", expect=0)
        rules = [{"fault": "server_error", "method": "POST", "per_million": 1000000}]
        world.sims.ask("pipedrive", "/__sim/faults", {"seed": 1, "rules": rules})
        done = world.run("apply", "plan.jsonl", "--wait", "1s", "--json", expect=(1, 3))
        plan = json.loads(done.stdout)["plan"]
        self.assertEqual((plan["done"], plan["refused"]), (1, 1), "the create there is not done")

    def test_undo_needs_every_side(self):
        world = self.world
        run = world.sync()["run"]
        before = snapshot(world)
        done = world.run("undo", str(run), "--yes", env=dict(world.env, PIPEDRIVE_TOKEN="wrong"))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("nothing is undone", done.stderr)
        self.assertEqual(differences(before, snapshot(world)), [])

    def test_undo_keeps_what_somebody_has_worked_on(self):
        world = self.world
        run = world.sync()["run"]
        made = [r["id"] for r in world.sims.live("pipedrive", "persons").values() if r["fields"].get("add_time", "") > "2026"]
        victim = made[-1] if made else sorted(world.sims.live("pipedrive", "persons"), key=int)[-1]
        world.sims.ask("pipedrive", "/__sim/advance", {"ms": 20000})  # clocks are given some seconds
        world.sims.edit("pipedrive", "persons", victim, visible_to=7)
        left = world.json("undo", str(run), "--yes", expect=3)["undo"]
        self.assertIn(victim, world.sims.live("pipedrive", "persons"))
        self.assertGreaterEqual(left["refused"], 1)

    def test_undo_leaves_what_somebody_changed_since(self):
        world = self.world
        world.sync()
        world.sync()
        self.edit_everywhere()
        run = world.sync()["run"]
        touched = [r for _, r in sorted(world.sims.live("pipedrive", "persons").items()) if r["fields"].get("last_name") == "Edited 3"]
        world.sims.edit("pipedrive", "persons", touched[0]["id"], last_name="Mine")
        left = world.json("undo", str(run), "--yes", expect=3)["undo"]
        self.assertEqual(left["refused"], 1)
        self.assertIn("changed after the run", left["left"][0]["why"])
        self.assertEqual(world.sims.state("pipedrive", "persons")[touched[0]["id"]]["fields"]["last_name"], "Mine")

    def test_undo_says_what_it_cannot(self):
        world = self.world
        world.write_config(hubspot_more=SOME_KINDS + "\ndeletes: archive", pipedrive_more=SOME_KINDS + "\ndeletes: archive")
        world.sync()
        gone = sorted(world.sims.live("hubspot", "contacts"))[0]
        world.sims.ask("hubspot", "/__sim/delete", {"object": "contacts", "id": gone})
        run = world.sync("--full")["run"]
        left = world.json("undo", str(run), expect=3)["undo"]
        self.assertEqual(left["impossible"], 1)


class BadInput(unittest.TestCase):
    def setUp(self):
        self.world = World(records=20, hubspot_more=SOME_KINDS, pipedrive_more=SOME_KINDS)
        self.world.run("plan", "-o", "plan.jsonl", expect=0)
        self.path = os.path.join(self.world.folder, "plan.jsonl")

    def tearDown(self):
        self.world.close()

    def refused(self, *args, says, code=2):
        stored = store_digest(self.world, without=ABOUT_THE_ACCOUNT)
        done = self.world.run(*args, expect=code)
        self.assertIn(says, done.stderr)
        self.assertEqual(store_digest(self.world, without=ABOUT_THE_ACCOUNT), stored)

    def rewrite(self, change):
        with open(self.path) as file:
            lines = file.readlines()
        with open(self.path, "w") as file:
            file.writelines(change(lines))

    def test_a_plan_that_was_cut_off_is_not_applied_in_part(self):
        self.rewrite(lambda lines: lines[:-5])
        self.refused("apply", "plan.jsonl", says="not whole")
        self.refused("plan", "--show", "plan.jsonl", says="not whole")

    def test_a_line_too_few(self):
        self.rewrite(lambda lines: lines[:3] + lines[4:])
        self.refused("apply", "plan.jsonl", says="not whole")

    def test_garbage(self):
        self.rewrite(lambda lines: lines[:3] + ["{not json\n"] + lines[3:])
        self.refused("apply", "plan.jsonl", says="plan.jsonl:4: not a line of a plan")

    def test_not_a_plan(self):
        self.refused("apply", "crmsync.yaml", says="not a line of a plan")
        self.refused("apply", "no-such-file", says="cannot read plan")

    def test_a_plan_of_other_settings(self):
        self.world.write_config(hubspot_more=SOME_KINDS, pipedrive_more=SOME_KINDS + "\ndirection: from-external")
        self.refused("apply", "plan.jsonl", says="'pipedrive' is set up differently")

    def test_a_tampered_value_is_not_written(self):
        listen(self.world)
        self.rewrite(lambda lines: [line.replace('"to":"', '"to":"X') for line in lines])
        result = self.world.json("apply", "plan.jsonl", expect=3)["plan"]
        self.assertGreater(result["refused"], 0)
        for crm in self.world.sims.where:
            for row in self.world.sims.ask(crm, "/__sim/writes")["writes"]:
                self.assertFalse([v for _, v in flat(row["fields"]) if isinstance(v, str) and v.startswith("X")], row)

    def test_a_plan_in_a_folder_that_is_not_there(self):
        self.refused("plan", "-o", "nowhere/plan.jsonl", says="cannot write plan")

    def test_runs_that_are_none(self):
        self.refused("undo", "nonsense", says="is no number of a run")
        self.world.run("undo", "1", expect=1)  # there is none yet, and asking makes none
        self.refused("sync", "--kind", "contcat", says="no connection syncs the kind 'contcat'")
        done = self.world.run("undo", "4711", expect=1)
        self.assertIn("there is no run 4711", done.stderr)


if __name__ == "__main__":
    unittest.main()
