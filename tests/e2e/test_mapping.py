"""`mapping check`, `mapping show` and `setup` against the simulators: what is wrong is said with its place, and what is declared is made, once."""

import json
import os
import re
import unittest
import urllib.request

from world import WorldTest

HUBSPOT_CONTACT = """    properties:
      forge_user_id: {type: text, label: Forge User ID, group: forge_integration, unique: true}
      forge_signup_source: {type: enum, label: Signup Source, group: forge_integration, options: [hephaitos, bidflow, folio, dryon]}
      forge_plan: {type: enum, label: Plan Type, group: forge_integration, options: [free, pro, enterprise]}
      forge_mrr: {type: number, label: Monthly Recurring Revenue, group: forge_integration}
      forge_last_login: {type: datetime, label: Last Login, group: forge_integration}
"""
HUBSPOT_DEAL = """    properties:
      forge_product: {type: enum, label: Product, group: forge_integration, options: [hephaitos, bidflow, folio, dryon, bundle]}
      forge_contract_type: {type: enum, label: Contract Type, group: forge_integration, options: [monthly, annual, enterprise]}
"""
PIPEDRIVE_CONTACT = """    properties:
      Forge User ID: {type: text}
      Plan Type: {type: enum, options: [free, pro, enterprise]}
"""


class Mapping(WorldTest):
    def adapted(self, world, crm, **changes):
        """The built-in mapping, with text put in front of the fields of kinds, as the mapping of a connection."""
        path = os.path.join(world.folder, "mappings", crm + ".yaml")
        with open(path) as file:
            text = file.read()
        for kind, more in changes.items():
            text, count = re.subn(rf"(?m)^  {kind}:\n", f"  {kind}:\n{more}", text)
            self.assertEqual(count, 1)
        with open(path, "w") as file:
            file.write(text)
        return path

    def names(self, world, kind):
        request = urllib.request.Request(
            world.sims.url("hubspot") + f"/crm/v3/properties/{kind}", headers={"authorization": "Bearer " + world.sims.token("hubspot")}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return {p["name"]: p for p in json.loads(answer.read())["results"]}

    def test_the_built_in_mappings_are_fine(self):
        world = self.world()
        findings = world.json("mapping", "check", expect=0)
        self.assertEqual([f for f in findings if f["severity"] == "error"], [])
        world.run("mapping", "check", "hubspot", "--offline", expect=0)
        world.run("test", "hubspot", expect=0)

    def test_setup_makes_what_is_declared_once(self):
        world = self.world(init=False)
        world.run("init", expect=0)
        world.run("init", "--mappings", expect=0)  # into a store's folder, too
        self.assertIn("exists already", world.run("init", expect=2).stderr)
        world.write_config(hubspot_more="mapping: mappings/hubspot.yaml", pipedrive_more="mapping: mappings/pipedrive.yaml")
        self.adapted(world, "hubspot", contact=HUBSPOT_CONTACT, deal=HUBSPOT_DEAL)
        path = self.adapted(world, "pipedrive", contact=PIPEDRIVE_CONTACT)
        first = world.json("setup", "hubspot", expect=0)
        self.assertGreaterEqual(first["created"], 7)
        contact, deal = self.names(world, "contacts"), self.names(world, "deals")
        self.assertEqual(contact["forge_plan"]["groupName"], "forge_integration")
        self.assertTrue(contact["forge_user_id"]["hasUniqueValue"])
        self.assertEqual([o["value"] for o in deal["forge_contract_type"]["options"]], ["monthly", "annual", "enterprise"])
        again = world.json("setup", "hubspot", expect=0)
        self.assertEqual((again["created"], again["options_added"]), (0, 0))
        self.assertEqual(again["present"], first["created"] + first["present"])
        self.assertGreaterEqual(world.json("setup", "pipedrive", expect=0)["created"], 2)
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace("options: [free, pro, enterprise]", "options: [free, pro, enterprise, trial]"))
        more = world.json("setup", "pipedrive", expect=0)
        self.assertEqual((more["created"], more["options_added"]), (0, 1))

    def test_what_is_wrong_is_said_with_its_place(self):
        world = self.world()
        folder = os.path.join(world.folder, "mappings")
        os.mkdir(folder)
        with open(os.path.join(folder, "hubspot.yaml"), "w") as file:
            file.write("crm: hubspot\nkinds:\n  contact:\n    fields:\n      email: {property: email}\n      city: {property: citty}\n")
        world.write_config(hubspot_more="mapping: mappings/hubspot.yaml")
        findings = world.json("mapping", "check", "hubspot", expect=2)
        wrong = [f for f in findings if f["severity"] == "error"]
        self.assertEqual([(f["line"], f["kind"], f["connection"]) for f in wrong], [(6, "contact", "hubspot")])
        self.assertIn("citty", wrong[0]["message"])
        self.assertIn("city", wrong[0]["hint"])
        world.run("mapping", "check", "hubspot", "--offline", expect=0)
        done = world.run("test", "hubspot", expect=1)
        self.assertIn("citty", done.stdout)
        without = dict(world.env)
        del without["HUBSPOT_TOKEN"]
        done = world.run("mapping", "check", "hubspot", env=without, expect=0)
        self.assertIn("HUBSPOT_TOKEN", done.stderr)
        world.run("mapping", "check", "hubspott", expect=2)
        shown = world.json("mapping", "show", "hubspot", "contact", expect=0)
        self.assertEqual([row["field"] for row in shown], ["city", "email"])
        self.assertTrue(shown[0]["where"].endswith("hubspot.yaml:6:7"), shown[0]["where"])
        self.assertEqual((shown[0]["property"], shown[0]["direction"], shown[0]["strategy"]), ("citty", "both", "last-write-wins"))
        world.run("mapping", "show", "hubspot", "deal", expect=2)


if __name__ == "__main__":
    unittest.main()
