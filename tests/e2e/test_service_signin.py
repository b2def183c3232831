"""Signing a connection in through the running service: its start address, the CRM's page, the way back over the service's own door, and that the connection
works from then on. What is no answer to a sign-in that waits changes nothing."""

import contextlib
import json
import os
import re
import sqlite3
import unittest
import urllib.error
import urllib.parse
import urllib.request

from test_serve import Service
from test_signin import SalesforceWorld, free_port, get, with_query
from world import THREE, WorldTest, compare, wait_until

MORE = """public_url: http://127.0.0.1:{port}
service: {{listen: '127.0.0.1:{port}'}}
schedule: {{pull: '@every 1s', reconcile: never}}
tenants:
  acme:
    connections:
      own:
        adapter: hubspot
        kinds: [contact]
        base_url: {hubspot}
        auth: {{client_id: {client_id}, client_secret: '${{HUBSPOT_SECRET}}', login_url: '{hubspot}', redirect_uri: 'http://localhost:1/callback'}}
"""


class ServiceWorld(SalesforceWorld):
    """All three CRMs sign in; a second tenant has a HubSpot account, too."""

    def __init__(self, **more):
        self.door = free_port()
        super().__init__("authorization-code", {}, crms=THREE, signed=THREE, sim=("--no-limits",), **more)
        for crm in THREE:
            self.control(crm, redirect_uris=[self.redirect, self.callback(crm)])
        self.tokens = {
            name: self.json("token", "create", name, "--role", "admin", *more)["token"]
            for name, more in (("admin", ()), ("acme", ("--tenant", "acme")), ("everyone", ("--all-tenants",)))
        }
        self.tokens["viewer"] = self.json("token", "create", "viewer", "--role", "viewer")["token"]

    def write_config(self, **settings):
        hubspot = self.sims.where["hubspot"]
        settings["more"] = MORE.format(port=self.door, hubspot=self.sims.url("hubspot"), client_id=hubspot["client_id"])
        super().write_config(**settings)

    def callback(self, crm):
        return f"http://127.0.0.1:{self.door}/api/crm/oauth/{crm}/callback"

    def ask(self, path, token="admin", method="GET", **headers):
        """Status and body."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.door}{path}", method=method, headers={"Authorization": "Bearer " + self.tokens[token], **headers})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, json.loads(answer.read())

    def begin(self, crm, token="admin", query="", **headers):
        """The address for a person's browser."""
        status, body = self.ask(f"/api/crm/oauth/{crm}/start{query}", token, **headers)
        if status != 200:
            raise AssertionError(f"start gave {status}: {body}")
        return body["url"]

    def consent(self, url):
        """Where the CRM sends the browser to."""
        status, headers, text = get(url)
        if status not in (302, 303):
            raise AssertionError(f"the consent gave {status}: {text}")
        return headers["location"]

    def held(self):
        """How many connections the service leaves alone for now."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.door}/metrics", headers={"Authorization": "Bearer " + self.tokens["everyone"]})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(re.search(r'^crmsync_connections{state="held"} (\d+)', answer.read().decode(), re.M)[1])

    def sign_in_there(self, crm):
        return get(self.consent(self.begin(crm)))


class ServiceSignIn(WorldTest):
    def serving(self, **more):
        world = ServiceWorld(**more)
        self.addCleanup(world.close)
        service = Service(world)
        self.addCleanup(service.close)
        self.assertIn("serves", service.said, service.log())
        return world, service

    def refused(self, answer, status, words):
        self.assertEqual(answer[0], status, answer[2])
        problem = json.loads(answer[2])
        self.assertIn(words, problem["detail"])
        return problem

    def test_connections_work_afterwards(self):
        world, service = self.serving(records=20)
        wait_until(lambda: service.log().count("connection in trouble") >= 3)  # nobody has signed in
        for crm in THREE:
            status, headers, text = world.sign_in_there(crm)
            self.assertEqual(status, 200, text)
            self.assertIn("signed in: ", text)
            self.assertEqual(headers["content-type"], "text/plain; charset=utf-8")
            self.assertEqual(world.exchanges(crm), 1)
        # At once, not when its trouble would have been looked at again. The other tenant's is left alone.
        self.assertLessEqual(world.held(), 1)
        count = {"hubspot": "contacts", "pipedrive": "persons", "salesforce": "Contact"}
        wait_until(lambda: len({len(world.sims.live(crm, word)) for crm, word in count.items()}) == 1 and len(world.sims.live("hubspot", "contacts")) > 20, 60)
        wait_until(lambda: all(world.state_of(crm)["state"] == "active" for crm in THREE))
        self.assertEqual([world.ask(f"/api/crm/integrations/{crm}/test", method="POST")[1]["ok"] for crm in THREE], [True] * 3)
        signed = [e for e in world.json("audit") if e["action"] == "connection.signed-in"]
        self.assertEqual(len(signed), 3)

    def test_what_is_no_answer_changes_nothing(self):
        world, service = self.serving()
        right = world.consent(world.begin("hubspot"))
        before = world.exchanges("hubspot")
        waits = "is not the answer to a sign-in that waits"
        self.refused(get(with_query(right, state="A" * 43)), 400, waits)
        self.refused(get(right.split("?")[0]), 400, waits)
        self.refused(get(right.replace("/hubspot/", "/pipedrive/")), 400, waits)  # it was not begun there
        self.assertEqual(get(right, "HEAD")[0], 405)
        self.assertEqual((world.exchanges("hubspot"), world.facts("hubspot")["refused"]), (before, 0))
        status, _, text = get(right + "&iss=https%3A%2F%2Fcrm.example")  # what is not known is not looked at (RFC 6749 4.1.2)
        self.assertEqual(status, 200, text)
        problem = self.refused(get(right), 400, waits)  # the same once more
        self.assertIn("anew", problem["hint"])
        self.assertEqual(world.exchanges("hubspot"), before + 1)

    def test_a_state_has_an_end_and_a_successor(self):
        world, service = self.serving()
        first = world.consent(world.begin("hubspot"))
        second = world.consent(world.begin("hubspot"))
        self.refused(get(first), 400, "waits")
        with contextlib.closing(sqlite3.connect(os.path.join(world.folder, "store.db"), timeout=30)) as database, database:
            self.assertEqual(database.execute("UPDATE sign_in SET expires_ms = expires_ms - 600000").rowcount, 1)
        self.refused(get(second), 400, "more than 10 minutes old")
        self.assertEqual(world.exchanges("hubspot"), 0)
        self.assertEqual(world.sign_in_there("hubspot")[0], 200)

    def test_a_code_that_is_no_good_and_a_person_who_says_no(self):
        world, service = self.serving()
        right = world.consent(world.begin("hubspot"))
        self.refused(get(with_query(right, code="not-the-code")), 400, "the code was used before")
        self.refused(get(right), 400, "waits")  # used up with the wrong code
        world.control("hubspot", deny_next=True)
        url = world.begin("hubspot")
        self.refused(get(world.consent(url)), 400, "refused at the CRM")
        self.assertEqual(get(world.consent(url))[0], 200)  # the same address, allowed this time

    def test_tenants_sign_in_for_themselves(self):
        world, service = self.serving()
        self.assertEqual(world.ask("/api/crm/oauth/hubspot/start", "viewer")[0], 403)
        self.assertEqual(world.ask("/api/crm/oauth/hubspot/start?connection=hubspot", "acme")[0], 404)
        self.assertEqual(world.ask("/api/crm/oauth/hubspot/start", "acme", **{"Crmsync-Tenant": "default"})[0], 403)
        self.assertEqual(world.ask("/api/crm/oauth/pipedrive/start", "acme")[0], 404)
        # Both at once, with one address for the way back: each state is its tenant's.
        own, theirs = world.consent(world.begin("hubspot")), world.consent(world.begin("hubspot", "acme"))
        self.assertEqual(get(with_query(theirs, code=dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(own).query))["code"]))[0], 400)  # its verifier does not fit
        self.assertEqual(world.state_of("hubspot")["sign_in"], "authorization-code, not signed in")
        self.assertEqual(get(world.consent(world.begin("hubspot", "everyone", **{"Crmsync-Tenant": "acme"})))[0], 200)
        (row,) = world.json("connections", "--tenant", "acme", expect=0)
        self.assertRegex(row["sign_in"], "token until")
        self.assertEqual(world.state_of("hubspot")["sign_in"], "authorization-code, not signed in")
        wait_until(lambda: world.json("records", "list", "contact", "--tenant", "acme") is not None)

    def test_connect_beside_the_service_is_heard_of(self):
        world, service = self.serving(records=5)
        wait_until(lambda: service.log().count("connection in trouble") >= 3)
        for crm in THREE:
            world.sign_in(crm)
        self.assertLessEqual(world.held(), 1)
        wait_until(lambda: all(world.state_of(crm)["state"] == "active" for crm in THREE) and len(world.sims.live("salesforce", "Contact")) > 5, 20)

    def test_another_account_is_not_kept(self):
        world, service = self.serving()
        self.assertEqual(world.sign_in_there("hubspot")[0], 200)
        live = world.facts("hubspot")["live"]
        world.control("hubspot", account="990001")
        self.refused(world.sign_in_there("hubspot"), 502, "is linked to account")
        world.control("hubspot", account=None)
        self.assertEqual(world.facts("hubspot")["live"]["refresh"], live["refresh"], "what was refused is taken back")
        self.assertEqual(world.ask("/api/crm/integrations/hubspot/test", method="POST")[1]["ok"], True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
