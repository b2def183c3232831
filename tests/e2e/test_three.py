"""HubSpot, Pipedrive and Salesforce through one store at once: a first sync of all kinds to agreement as the independent comparer sees it, quiet syncs
without a write, an edit in each CRM of another field of the same record, merges, and deletes.

The sizes are in the environment; in full (some minutes):

    THREE_RECORDS=10000 THREE_DEALS=10000 THREE_ACTIVITIES=10000 python3 tests/e2e/test_three.py
"""

import os
import time
import unittest

from comparer import READERS, compare_kinds
from world import THREE, WorldTest, duplicates

RECORDS = int(os.environ.get("THREE_RECORDS", "300"))  # people of each account; companies are a fifth
DEALS = int(os.environ.get("THREE_DEALS", "60"))
ACTIVITIES = int(os.environ.get("THREE_ACTIVITIES", "120"))
SEED = int(os.environ.get("THREE_SEED", "41"))
KINDS = "kinds: [company, contact, deal, activity]\ndeletes: archive"
BRAKE = "brake: {updates_percent: 100, deletes_percent: 100}\n"
WRITTEN = ("created_here", "updated_here", "deleted_here", "created_there", "updated_there", "deleted_there")
WORDS = {
    "hubspot": {"contact": "contacts", "company": "companies", "deal": "deals"},
    "pipedrive": {"contact": "persons", "company": "organizations", "deal": "deals"},
    "salesforce": {"contact": "Contact", "company": "Account", "deal": "Opportunity"},
}


class Three(WorldTest):
    maxDiff = None

    def three(self, records, deals, activities):
        sim = ("--no-limits", "--deals", str(deals), "--activities", str(activities))
        return self.world(
            records=records, seed=SEED, sim=sim, hubspot_more=KINDS, pipedrive_more=KINDS, salesforce_more=KINDS, more=BRAKE, crms=THREE
        )

    def settle(self, world, *options):
        """Syncs until nothing moves."""
        for _ in range(8):
            report = world.sync(*options)
            self.assertEqual(report["problems"], [])
            if not any(report["counts"][name] for name in WRITTEN):
                return report
        self.fail(f"still moving: {report['counts']}")

    def make_distinct(self, world):
        """Companies of one name are not guessed at: a person gives them names of their own."""
        words = {crm: WORDS[crm]["company"] for crm in THREE}
        names = {"hubspot": "name", "pipedrive": "name", "salesforce": "Name"}
        ambiguous = [row for row in world.json("failures", "list") if row["stage"] == "match"]
        for row in ambiguous:
            self.assertEqual((row["kind"], row["reason"]), ("company", "ambiguous"), row)
            crm = row["connection"]
            name = world.sims.state(crm, words[crm])[row["remote_id"]]["fields"][names[crm]]
            world.sims.edit(crm, words[crm], row["remote_id"], **{names[crm]: f"{name} ({row['remote_id']})"})
        if ambiguous:
            self.settle(world)
            world.run("failures", "retry", "--all", expect=0)
            self.settle(world)
        left = [row for row in world.json("failures", "list") if row["stage"] != "owner"]  # owners need not be known everywhere
        self.assertEqual(left, [], "set aside")

    def agree(self, world):
        agreeing, differences = compare_kinds(world)
        self.assertEqual(differences[:9], [], f"{len(differences)} differences")
        return agreeing

    def quiet(self, world, *options):
        before = world.sims.writes()
        counts = world.sync(*options)["counts"]
        self.assertEqual(world.sims.writes() - before, 0, "a quiet sync wrote")
        self.assertEqual([counts[name] for name in WRITTEN], [0] * len(WRITTEN))

    def settled(self, records, deals, activities):
        world = self.three(records, deals, activities)
        self.settle(world)
        self.make_distinct(world)
        return world

    @staticmethod
    def ids(record):
        return {link["connection"]: link["remote_id"] for link in record["links"] if link["state"] == "live"}

    def known_everywhere(self, world, kind, count, wanted=lambda record: True):
        """Records with an object in all three."""
        found = [r for r in world.json("records", "list", kind, "--limit", "1000000") if len(self.ids(r)) == 3 and wanted(r)]
        self.assertGreaterEqual(len(found), count)
        return found[:count]

    def seen(self, world, kind, record):
        """{crm: fields} of a record's objects, through the CRMs' own APIs."""
        ids = self.ids(record)
        return {crm: dict(getattr(READERS[crm](world), kind)()).get(ids[crm]) for crm in THREE}

    def test_first_sync_to_agreement_then_quiet_then_one_edit_in_each(self):
        world = self.three(RECORDS, DEALS, ACTIVITIES)
        began = time.monotonic()
        first = world.sync()
        self.assertEqual(first["problems"], [])
        print(f"first sync: calls={first['counts']['calls']} wall_s={time.monotonic() - began:.0f}", flush=True)
        self.settle(world)
        self.make_distinct(world)
        agreeing = self.agree(world)
        print(f"agreeing={agreeing} wall_s={time.monotonic() - began:.0f}", flush=True)
        self.assertGreater(agreeing["deal"], 2.9 * DEALS)
        self.assertGreater(agreeing["activity"], 2.9 * ACTIVITIES)
        self.assertEqual(duplicates(world), [])
        self.quiet(world)
        self.quiet(world, "--full")

        people = self.known_everywhere(world, "contact", 10)
        deals = self.known_everywhere(world, "deal", 10, lambda record: record["fields"].get("status") == "open")
        for number, person in enumerate(people):
            at = self.ids(person)
            world.sims.edit("hubspot", "contacts", at["hubspot"], phone=f"+4420794601{number:02}")
            world.sims.edit("pipedrive", "persons", at["pipedrive"], first_name=f"First{number}")
            world.sims.edit("salesforce", "Contact", at["salesforce"], LastName=f"Last{number}")
        for number, deal in enumerate(deals):
            at = self.ids(deal)
            world.sims.edit("hubspot", "deals", at["hubspot"], amount=f"{number}.25")
            world.sims.edit("pipedrive", "deals", at["pipedrive"], title=f"Title {number}")
            world.sims.edit("salesforce", "Opportunity", at["salesforce"], CloseDate=f"2027-05-{number + 10}")
        self.settle(world)
        self.agree(world)
        readers = {crm: READERS[crm](world) for crm in THREE}
        for kind, records, wanted in (
            ("contact", people, lambda n: {"phone": f"4420794601{n:02}", "first_name": f"First{n}", "last_name": f"Last{n}"}),
            ("deal", deals, lambda n: {"amount": f"{n}.25" if n else "0.25", "name": f"Title {n}", "close_date": f"2027-05-{n + 10}"}),
        ):
            there = {crm: dict(getattr(reader, kind)()) for crm, reader in readers.items()}
            for number, record in enumerate(records):
                for crm, remote_id in self.ids(record).items():
                    for name, value in wanted(number).items():
                        self.assertEqual(there[crm][remote_id][name], value, (kind, crm, name))
        self.quiet(world)
        print(f"all three have all edits: wall_s={time.monotonic() - began:.0f}", flush=True)

    def test_a_merge_in_each_crm(self):
        """Two people become one at one CRM: nobody is deleted by mistake, links follow, nothing comes back."""
        world = self.settled(60, 6, 12)
        people = self.known_everywhere(world, "contact", 6)
        for crm, (into, gone) in zip(THREE, (people[0:2], people[2:4], people[4:6])):
            before = {other: len(world.sims.live(other, WORDS[other]["contact"])) for other in THREE}
            world.sims.ask(crm, "/__sim/merge", {"object": WORDS[crm]["contact"], "into": self.ids(into)[crm], "from": self.ids(gone)[crm]})
            self.settle(world, "--full")
            after = {other: len(world.sims.live(other, WORDS[other]["contact"])) for other in THREE}
            self.assertEqual(after[crm], before[crm] - 1, "one of the merged came back, or both are gone")
            for other in THREE:
                if other != crm:
                    self.assertGreaterEqual(after[other], before[other] - 1, other)
                    self.assertIn(self.ids(into)[other], world.sims.live(other, WORDS[other]["contact"]), "the survivor's object is gone")
            self.quiet(world)
            self.quiet(world, "--full")
            self.assertEqual(duplicates(world), [])

    def test_a_lead_that_is_converted(self):
        """It lives on as its contact, which is seen before the lead is known to be gone: nobody is asked about a double."""
        world = self.world(init=False, crms=THREE)
        world.run("init", expect=0)
        world.run("init", "--mappings", expect=0)
        path = os.path.join(world.folder, "mappings", "salesforce.yaml")
        with open(path) as file:
            text = file.read()
        status = "      lifecycle_stage: {property: contact.lead_status, blank: keep, values: {lead: Open - Not Contacted}}\n"
        with open(path, "w") as file:
            file.write(text.replace("      last_name: {property: LastName}\n", "      last_name: {property: LastName}\n" + status, 1))
        world.write_config(salesforce_more="mapping: mappings/salesforce.yaml\nkinds: [company, contact]")
        for crm in THREE:
            world.run("setup", crm, expect=0)
        world.run("records", "create", "contact", "email=a@a.example", "last_name=Ada", "lifecycle_stage=lead", expect=0)
        self.settle(world)
        (lead,) = world.sims.live("salesforce", "Lead")
        contact = world.sims.ask("salesforce", "/__sim/convert", {"id": lead})["contactId"]
        self.settle(world)
        (record,) = world.json("records", "list", "contact")
        self.assertEqual(self.ids(record)["salesforce"], contact)
        self.assertEqual([row for row in world.json("failures", "list") if row["kind"] == "contact"], [])

    def test_a_delete_in_each_crm(self):
        world = self.settled(60, 6, 12)
        people = self.known_everywhere(world, "contact", 3)
        for crm, person in zip(THREE, people):
            world.sims.ask(crm, "/__sim/delete", {"object": WORDS[crm]["contact"], "id": self.ids(person)[crm]})
        self.settle(world, "--full")  # Pipedrive lists no deleted people: only a complete listing misses them
        for person in people:
            for crm, remote_id in self.ids(person).items():
                self.assertNotIn(remote_id, world.sims.live(crm, WORDS[crm]["contact"]))
        self.agree(world)
        self.quiet(world, "--full")

    def test_the_comparer_sees_salesforce(self):
        """A comparer that finds no difference proves nothing unless it would find one."""
        world = self.settled(40, 6, 30)
        self.agree(world)
        deal = self.known_everywhere(world, "deal", 1, lambda record: record["fields"].get("status") == "open")[0]
        person = self.known_everywhere(world, "contact", 1)[0]
        company = self.known_everywhere(world, "company", 1)[0]
        tasks = list(world.sims.live("salesforce", "Task"))
        events = list(world.sims.live("salesforce", "Event"))
        for word, object_id, member, value in (
            ("Contact", self.ids(person)["salesforce"], "Email", "other@other.example"),
            ("Contact", self.ids(person)["salesforce"], "Phone", "+442079460999"),
            ("Account", self.ids(company)["salesforce"], "Name", "Other"),
            ("Opportunity", self.ids(deal)["salesforce"], "Amount", 1.5),
            ("Opportunity", self.ids(deal)["salesforce"], "StageName", "Needs Analysis"),
            ("Opportunity", self.ids(deal)["salesforce"], "StageName", "Closed Lost"),
            ("Opportunity", self.ids(deal)["salesforce"], "CloseDate", "2031-02-03"),
            ("Task", tasks[0], "Subject", "Other"),
            ("Task", tasks[0], "Description", "Other"),
            ("Event", events[0], "StartDateTime", "2031-02-03T10:30:00.000+0000"),
        ):
            before = str(compare_kinds(world)[1])
            world.sims.edit("salesforce", word, object_id, **{member: value})
            self.assertNotEqual(str(compare_kinds(world)[1]), before, f"another {word}.{member} is not seen")


if __name__ == "__main__":
    unittest.main(verbosity=2)
