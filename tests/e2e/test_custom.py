"""Objects of one's own: a HubSpot custom object declared in YAML is synced like any other kind, and a kind that no CRM has lives here alone."""

import json
import os
import unittest
import urllib.request

from world import World

SUBSCRIPTION = """kind: subscription
label: Subscription
title: name
match:
  - [code]
fields:
  code: {type: string, label: Code}
  name: {type: string, label: Name}
  seats: {type: integer, label: Seats}
  tier: {type: enum, label: Tier, options: [basic, pro]}
  company_id: {type: reference, to: company, label: Company}
"""

NOTEBOOK = """kind: notebook
label: Notebook
title: title
match:
  - [title]
fields:
  title: {type: string, label: Title}
  pages: {type: integer, label: Pages}
"""

MAPPING = """crm: hubspot
kinds:
  company:
    fields:
      name: {property: name}
      domain: {property: domain, transform: [domain]}
  subscription:
    object: p_subscription
    fields:
      code: {property: code}
      name: {property: name}
      seats: {property: seats}
      tier: {property: tier, values: {basic: BASIC, pro: PRO}}
"""


class Custom(unittest.TestCase):
    def setUp(self):
        self.world = World(records=10)
        folder = self.world.folder
        os.mkdir(os.path.join(folder, "kinds"))
        for name, text in (("subscription", SUBSCRIPTION), ("notebook", NOTEBOOK)):
            with open(os.path.join(folder, "kinds", name + ".yaml"), "w") as file:
                file.write(text)
        with open(os.path.join(folder, "hubspot.yaml"), "w") as file:
            file.write(MAPPING)
        self.world.write_config(hubspot_more="mapping: hubspot.yaml", pipedrive_more="kinds: [company]")
        path = os.path.join(folder, "crmsync.yaml")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write("kinds: kinds\n" + text)
        self.schema()

    def tearDown(self):
        self.world.close()

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.world.sims.url("hubspot") + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"content-type": "application/json", "authorization": "Bearer " + self.world.sims.token("hubspot")},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"{}")

    def schema(self):
        text = {"type": "string", "fieldType": "text"}
        options = [{"label": word.title(), "value": word} for word in ("BASIC", "PRO")]
        self.call(
            "POST",
            "/crm-object-schemas/2026-09/schemas",
            {
                "name": "subscription",
                "labels": {"singular": "Subscription", "plural": "Subscriptions"},
                "primaryDisplayProperty": "name",
                "requiredProperties": ["name"],
                "properties": [
                    {"name": "name", "label": "Name", **text},
                    {"name": "code", "label": "Code", **text},
                    {"name": "seats", "label": "Seats", "type": "number", "fieldType": "number"},
                    {"name": "tier", "label": "Tier", "type": "enumeration", "fieldType": "select", "options": options},
                ],
                "associatedObjects": ["COMPANY"],
            },
        )

    def objects(self):
        answer = self.call("GET", "/crm/objects/2026-09/p_subscription?limit=100&properties=code,name,seats,tier,crmsync_id")
        return {row["properties"]["code"]: row["properties"] for row in answer["results"]}

    def test_a_custom_object_travels_both_ways(self):
        world = self.world
        for n in range(3):
            self.call("POST", "/crm/objects/2026-09/p_subscription", {"properties": {"code": f"H{n}", "name": f"At HubSpot {n}", "seats": str(n), "tier": "PRO"}})
        world.run("records", "create", "subscription", "code=L1", "name=Made here", "seats=7", "tier=basic", expect=0)
        world.sync(expect=0)
        here = {r["fields"]["code"]: r["fields"] for r in world.json("records", "list", "subscription")}
        self.assertEqual(here["H2"]["seats"], "2")
        self.assertEqual(here["H2"]["tier"], "pro")
        there = self.objects()
        self.assertEqual((there["L1"]["name"], there["L1"]["seats"], there["L1"]["tier"]), ("Made here", "7", "BASIC"))

        made = world.json("records", "list", "subscription")
        one = next(r for r in made if r["fields"]["code"] == "H1")
        world.run("records", "update", "subscription", one["id"], "tier=basic", "seats=40", expect=0)
        world.sync(expect=0)
        self.assertEqual((self.objects()["H1"]["tier"], self.objects()["H1"]["seats"]), ("BASIC", "40"))
        before = world.sims.writes()
        world.sync(expect=0)
        self.assertEqual(world.sims.writes(), before)

    def test_a_kind_that_no_crm_has_lives_here(self):
        world = self.world
        world.run("records", "create", "notebook", "title=Blue", "pages=12", expect=0)
        world.sync(expect=0)
        rows = world.json("records", "list", "notebook")
        self.assertEqual([r["fields"] for r in rows], [{"title": "Blue", "pages": "12"}])
        done = world.run("records", "create", "notebook", "title=Red", "pages=many")
        self.assertEqual(done.returncode, 2)
        self.assertIn("whole number", done.stderr)

    def test_an_object_that_hubspot_does_not_know_is_named(self):
        path = os.path.join(self.world.folder, "hubspot.yaml")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace("p_subscription", "p_subscripton"))
        done = self.world.run("sync")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("p_subscripton", done.stdout + done.stderr)
        self.assertTrue(self.world.json("records", "list", "company"), "the other kinds are synced all the same")


if __name__ == "__main__":
    unittest.main()
