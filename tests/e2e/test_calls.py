"""What a sync costs at the CRMs, and that it sees changes whatever this machine's clock says."""

import unittest

from world import WorldTest

KINDS = "kinds: [company, contact, deal]"


class Calls(WorldTest):
    def settled(self, **more):
        world = self.world(records=40, sim=("--no-limits", "--deals", "30"), hubspot_more=KINDS, pipedrive_more=KINDS, **more)
        for _ in range(4):
            counts = world.sync()["counts"]
            if not any(counts[name] for name in ("created_here", "updated_here", "created_there", "updated_there")):
                return world
        self.fail(f"still moving: {counts}")

    def calls_of_push(self, world, crm):
        """Calls of `sync CRM --push --kind deal` by what they do to deals."""
        world.sims.ask(crm, "/__sim/stats/reset", {})
        counts = world.sync(crm, "--push", "--kind", "deal")["counts"]
        calls = world.sims.ask(crm, "/__sim/stats")["calls"]
        return counts["updated_there"], {name: count for name, count in calls.items() if "deals" in name and "propert" not in name and "pipelines" not in name}

    def test_pushes_take_the_fewest_calls(self):
        world = self.settled()
        for number, deal in enumerate(list(world.sims.live("pipedrive", "deals"))[:20]):
            world.sims.edit("pipedrive", "deals", deal, title=f"From Pipedrive {number}")
        world.sync("pipedrive", "--pull")
        written, calls = self.calls_of_push(world, "hubspot")
        self.assertEqual(written, 20)
        self.assertEqual(
            calls, {"POST /crm/objects/{version}/deals/batch/read": 1, "POST /crm/objects/{version}/deals/batch/update": 1}, "associations are not read for names"
        )

        for number, deal in enumerate(list(world.sims.live("hubspot", "deals"))[:20]):
            world.sims.edit("hubspot", "deals", deal, dealname=f"From HubSpot {number}")
        world.sync("hubspot", "--pull")
        written, calls = self.calls_of_push(world, "pipedrive")
        self.assertEqual(written, 20)
        self.assertEqual(calls, {"GET /api/{version}/deals": 1, "PATCH /api/{version}/deals/{id}": 20}, "participants are not read for names")

    def test_people_of_a_deal_are_read_when_they_are_written(self):
        """What is left out of a read is never taken for empty: somebody whom only HubSpot knows stays on the deal."""
        world = self.settled()
        deal = next(record for record in world.json("records", "list", "deal", "--limit", "100") if len(record["fields"]["contact_ids"] or []) > 1)
        at = {link["connection"]: link["remote_id"] for link in deal["links"]}
        people = [row for row in world.json("records", "list", "contact", "--limit", "1000") if len(row["links"]) == 2]
        ids = [{link["connection"]: link["remote_id"] for link in row["links"]} for row in people[:3]]
        world.sims.edit("pipedrive", "deals", at["pipedrive"], participants=[int(row["pipedrive"]) for row in ids[:2]])
        world.sync("pipedrive", "--pull")
        world.sync("pipedrive", "--pull", "--full")
        stranger = world.sims.edit("hubspot", "contacts", None, email="stranger@only.example", firstname="S")["id"]
        world.sims.edit("hubspot", "deals", at["hubspot"], **{"associations.contacts": [ids[2]["hubspot"], str(stranger)]})
        world.sync("hubspot", "--push")
        links = {link["id"] for link in world.sims.state("hubspot", "deals")[at["hubspot"]].get("links", []) if link["to"] == "contacts"}
        self.assertIn(str(stranger), links)

    def test_changes_are_seen_when_our_clock_is_late(self):
        world = self.settled()
        world.sims.ask("hubspot", "/__sim/advance", {"ms": 3600000})
        deal = list(world.sims.live("hubspot", "deals"))[0]
        world.sims.edit("hubspot", "deals", deal, dealname="An hour ahead")
        world.sync()
        self.assertIn("An hour ahead", [row["fields"]["title"] for row in world.sims.live("pipedrive", "deals").values()])


if __name__ == "__main__":
    unittest.main(verbosity=2)
