"""The HTTP API of a running service: its answers against its own description, tokens, what commands ask of it, and that one tenant sees nothing of another."""

import json
import os
import re
import socket
import subprocess
import unittest
import urllib.error
import urllib.parse
import urllib.request

from world import BINARY, WorldTest, wait_until

try:
    import jsonschema
except ImportError:
    jsonschema = None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """`crmsync serve` over a world's store, and its description."""

    def __init__(self, world, port):
        self.world = world
        self.base = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen([BINARY, "serve", "--quiet"], cwd=world.folder, env=world.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        wait_until(self.is_up)
        self.description = self.ask("GET", "/openapi.json")[1]

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError("the service ended: " + self.process.stderr.read())
        try:
            return self.ask("GET", "/readyz")[0] == 200
        except (OSError, urllib.error.URLError):
            return False

    def ask(self, method, path, token=None, body=None, headers=None):
        """Status, body, headers."""
        request = urllib.request.Request(self.base + path, method=method, headers=dict(headers or {}))
        if token:
            request.add_header("Authorization", "Bearer " + token)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return self.read(answer)
        except urllib.error.HTTPError as answer:
            with answer:
                return self.read(answer)

    @staticmethod
    def read(answer):
        text = answer.read()
        kind = answer.headers.get("Content-Type", "")
        return answer.status, json.loads(text) if text and "json" in kind else text.decode(), answer.headers

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        self.process.stderr.close()


class Api(WorldTest):
    @classmethod
    def setUpClass(cls):
        if jsonschema is None:
            raise unittest.SkipTest("python3-jsonschema is not there")

    def serve(self, **more):
        port = free_port()
        world = self.world(more=f"service:\n  listen: 127.0.0.1:{port}\ninclude: more.d\n" + more.pop("config", ""), init=False, **more)
        os.mkdir(os.path.join(world.folder, "more.d"))
        world.run("init", expect=0)
        world.tokens = {role: self.token(world, role, "--role", role) for role in ("viewer", "operator", "admin")}
        return world, port

    def start(self, world, port):
        service = Service(world, port)
        self.addCleanup(service.stop)
        return service

    def token(self, world, name, *options):
        return world.json("token", "create", name, *options)["token"]

    @staticmethod
    def patient(service, *asked):
        """An answer that is not about having asked too often."""
        got = []
        wait_until(lambda: got.append(service.ask(*asked)) or got[-1][0] != 429)
        return got[-1]

    def check(self, service, method, pattern, answer):
        """An answer against the schema that the description has for its status."""
        status, body, headers = answer
        described = service.description["paths"][pattern][method.lower()]["responses"]
        response = described.get(str(status)) or described["default"]
        if "$ref" in response:
            response = service.description["components"]["responses"]["Problem"]
        self.assertEqual(headers["Cache-Control"], "no-store")
        if "content" not in response:
            self.assertEqual(body, "", f"{method} {pattern}: {status}")
            return
        kind = headers["Content-Type"].split(";")[0]
        self.assertIn(kind, response["content"], f"{method} {pattern}: {status} {body}")
        if kind != "text/plain":
            schema = dict(response["content"][kind]["schema"], components=service.description["components"])
            jsonschema.Draft202012Validator(schema).validate(body)

    def test_answers_are_as_described(self):
        world, port = self.serve(records=30, settle="0s", hubspot_more="strategy: manual-review")
        world.sync(expect=(0, 3, 4))
        service = self.start(world, port)
        admin = world.tokens["admin"]
        seen = set()

        def ask(method, pattern, status, body=None, query="", token=admin, **values):
            path = re.sub(r"{(\w+)}", lambda m: urllib.parse.quote(str(values[m.group(1)]), safe=""), pattern) + query
            answer = self.patient(service, method, path, token, body)
            self.assertEqual(answer[0], status, f"{method} {path}: {answer[1]}")
            self.check(service, method, pattern, answer)
            seen.add((method, pattern))
            return answer[1]

        for pattern in ("/healthz", "/readyz", "/openapi.json"):
            ask("GET", pattern, 200)
        everyone = self.token(world, "all", "--all-tenants")
        ask("GET", "/metrics", 200, token=everyone)
        ask("GET", "/metrics", 403)
        ask("GET", "/api/crm/tenants", 200, token=everyone)
        ask("GET", "/api/crm/tenants", 403)
        kinds = ask("GET", "/api/crm/kinds", 200)["items"]
        self.assertIn("contact", [k["name"] for k in kinds])
        self.assertEqual({i["name"] for i in ask("GET", "/api/crm/integrations", 200)["items"]}, {"hubspot", "pipedrive"})
        ask("GET", "/api/crm/integrations/{name}", 200, name="hubspot")
        ask("GET", "/api/crm/integrations/{name}", 404, name="nothing")
        self.assertTrue(ask("POST", "/api/crm/integrations/{name}/test", 200, name="hubspot")["ok"])

        page = ask("GET", "/api/crm/records/{kind}", 200, kind="contact", query="?limit=7")
        self.assertEqual(len(page["items"]), 7)
        record = page["items"][0]
        people = [record["id"]]
        listed, query = [], "?limit=7"
        while query:
            page = ask("GET", "/api/crm/records/{kind}", 200, kind="contact", query=query)
            listed += [r["id"] for r in page["items"]]
            query = page["next"] and f"?limit=7&after={page['next']}"
        self.assertEqual(listed, [r["id"] for r in world.json("records", "list", "contact", "--limit", "1000")])
        ask("GET", "/api/crm/records/{kind}", 200, kind="contact", query="?q=" + urllib.parse.quote(record["fields"]["email"]))
        ask("GET", "/api/crm/records/{kind}/{id}", 200, kind="contact", id=record["fields"]["email"])
        ask("GET", "/api/crm/records/{kind}/{id}", 404, kind="contact", id="nobody@example.com")
        ask("GET", "/api/crm/records/{kind}/{id}/history", 200, kind="contact", id=people[0])
        ask("GET", "/api/crm/records/{kind}/{id}/explain", 200, kind="contact", id=people[0])
        made = ask("POST", "/api/crm/records/{kind}", 201, {"fields": {"email": "New@api.example", "first_name": "Né"}}, kind="contact")
        self.assertEqual(made["fields"]["email"], "new@api.example")
        ask("POST", "/api/crm/records/{kind}", 422, {"fields": {"email": "new@api.example"}}, kind="contact")
        ask("PATCH", "/api/crm/records/{kind}/{id}", 200, {"fields": {"first_name": "Née"}}, kind="contact", id=made["id"])
        ask("PATCH", "/api/crm/records/{kind}/{id}", 409, {"fields": {"first_name": "X"}, "version": 1}, kind="contact", id=made["id"])
        ask("DELETE", "/api/crm/records/{kind}/{id}", 204, kind="contact", id=made["id"])

        ordered = ask("POST", "/api/crm/sync", 202, {"kind": "contact"})
        wait_until(lambda: ask("GET", "/api/crm/sync/{id}", 200, id=ordered["id"])["state"] in ("done", "failed"))
        self.assertEqual(ask("GET", "/api/crm/sync/{id}", 200, id=ordered["id"])["state"], "done")
        compared = ask("POST", "/api/crm/reconcile", 202, {"kind": "contact", "repair": True})
        wait_until(lambda: ask("GET", "/api/crm/sync/{id}", 200, id=compared["id"])["state"] == "done")
        ask("POST", "/api/crm/reconcile", 400, {"kind": "nothing"})
        ask("POST", "/api/crm/reconcile", 400, {"repair": "yes"})
        ask("GET", "/api/crm/status", 200)
        ask("GET", "/api/crm/runs", 200, query="?limit=3")
        ask("GET", "/api/crm/conflicts", 200, query="?all=true")
        ask("GET", "/api/crm/conflicts/{id}", 404, id=999999)
        ask("POST", "/api/crm/conflicts/{id}/resolve", 404, {"take": "hub"}, id=999999)
        ask("GET", "/api/crm/failures", 200, query="?all=true")
        ask("POST", "/api/crm/failures/{id}/retry", 404, id=999999)
        ask("POST", "/api/crm/failures/{id}/discard", 404, id=999999)
        self.assertEqual(ask("GET", "/api/crm/events/endpoints", 200)["items"], [])
        ask("POST", "/api/crm/events/endpoints/{name}/enable", 404, name="nothing")
        self.assertEqual(ask("GET", "/api/crm/events/dead", 200)["items"], [])
        ask("POST", "/api/crm/events/dead/{id}/resend", 404, id=999999)
        ask("GET", "/api/crm/brake", 200)
        ask("POST", "/api/crm/brake/confirm", 404, {"connection": "hubspot", "kind": "contact", "count": 1})
        ask("GET", "/api/crm/oauth/{crm}/start", 400, crm="hubspot")
        ask("GET", "/api/crm/oauth/{crm}/callback", 400, crm="hubspot", query="?state=x&code=y", token=None)

        settings = {"adapter": "hubspot", "base_url": world.sims.url("hubspot"), "token": "${HUBSPOT_TOKEN}", "kinds": ["company"]}
        ask("POST", "/api/crm/integrations", 400, {"name": "third", "settings": {"adapter": "nothing"}})
        ask("POST", "/api/crm/integrations", 400, {"name": "../third", "settings": settings})
        ask("POST", "/api/crm/integrations", 201, {"name": "third", "settings": settings})
        wait_until(lambda: service.ask("GET", "/api/crm/integrations/third", admin)[0] == 200)
        self.assertIn("third", [c["name"] for c in ask("GET", "/api/crm/integrations", 200)["items"]])
        ask("DELETE", "/api/crm/integrations/{name}", 409, name="hubspot")
        ask("DELETE", "/api/crm/integrations/{name}", 204, name="third")
        wait_until(lambda: service.ask("GET", "/api/crm/integrations/third", admin)[0] == 404)
        described = {(m.upper(), p) for p, methods in service.description["paths"].items() for m, operation in methods.items()
                     if "text/event-stream" not in json.dumps(operation["responses"])}  # those do not end
        self.assertEqual(described - seen, set(), "addresses that nobody asked here")
        service.stop()
        self.assertFalse(os.path.exists(os.path.join(world.folder, "store.db.service")))

    def test_tokens_end_at_once(self):
        world, port = self.serve()
        service = self.start(world, port)
        status = lambda token: service.ask("GET", "/api/crm/status", token)[0]
        short = self.token(world, "short", "--expires", "1s")
        self.assertEqual([status(world.tokens["viewer"]), status(short)], [200, 200])
        self.assertEqual(service.ask("POST", "/api/crm/sync", world.tokens["viewer"], {})[0], 403)
        wait_until(lambda: status(short) == 401)
        world.run("token", "revoke", "viewer", expect=0)
        self.assertIn(status(world.tokens["viewer"]), (401, 429))
        used = {t["name"]: t for t in world.json("token", "list")}
        self.assertEqual([used["viewer"]["state"], used["short"]["state"], used["admin"]["last_used"]], ["revoked", "expired", "never"])
        for entry in os.scandir(world.folder):
            if entry.is_file():
                with open(entry.path, "rb") as file:
                    self.assertNotIn(world.tokens["admin"].encode(), file.read(), entry.name)

    def test_commands_ask_the_service(self):
        world, port = self.serve(records=20, settle="0s")
        before = world.json("status", expect=0)
        self.assertEqual(before, [])
        service = self.start(world, port)
        note = os.path.join(world.folder, "store.db.service")
        self.assertEqual(os.stat(note).st_mode & 0o777, 0o600)
        report = world.sync(expect=(0, 3))
        self.assertIn("counts", report)
        self.assertIn("takes no --budget", world.run("sync", "--budget", "5", expect=2).stderr)
        made = world.json("records", "create", "contact", "email=by@service.example", expect=0)
        wait_until(lambda: any(p["fields"].get("email") == "by@service.example" for p in world.sims.live("hubspot", "contacts").values()))
        self.assertIn("by@service.example", json.dumps(world.json("records", "get", "contact", made["id"])))
        world.run("records", "create", "contact", "email=by@service.example", expect=1)  # there is one
        there = dict(world.env, CRMSYNC_SERVER=service.base, CRMSYNC_TOKEN=world.tokens["operator"])
        for words in (("status",), ("runs",), ("records", "list", "contact"), ("records", "search", "contact", "service"), ("records", "get", "contact", made["id"]),
                      ("records", "history", "contact", made["id"]), ("explain", "contact", made["id"]), ("conflicts", "list"), ("failures", "list"), ("brake", "list")):
            for form in ((), ("--json",)):
                wait_until(lambda: world.run(*words, *form, expect=0).stdout == world.run(*words, *form, expect=0, env=there).stdout)
        elsewhere = dict(there, PATH=os.environ["PATH"])
        done = subprocess.run([BINARY, "sync", "--kind", "contact", "--json"], cwd="/", env=elsewhere, capture_output=True, text=True, timeout=120)
        self.assertIn(done.returncode, (0, 3), done.stderr)
        self.assertIn("takes no --server", world.run("doctor", "--server", service.base, expect=2).stderr)
        bad = world.run("status", "--server", service.base, env=dict(world.env, CRMSYNC_TOKEN="crmsync_no"), expect=1)
        self.assertIn("needs a token that is good", bad.stderr)
        service.process.kill()
        service.process.wait(30)
        self.assertTrue(os.path.exists(note), "killed: the note stays")
        world.sync(expect=(0, 3))

    def test_tenants_do_not_see_each_other(self):
        world, port = self.serve(config="tenants:\n  acme: {connections: {own: {adapter: pipedrive, token: '${PIPEDRIVE_TOKEN}', kinds: [contact]}}}\n")
        world.run("records", "create", "contact", "email=secret@acme.example", "--tenant", "acme", expect=0)
        service = self.start(world, port)
        acme = self.token(world, "acme", "--role", "admin", "--tenant", "acme")
        everyone = self.token(world, "everyone", "--role", "viewer", "--all-tenants")
        emails = lambda token, **headers: [r["fields"]["email"] for r in service.ask("GET", "/api/crm/records/contact", token, headers=headers)[1]["items"]]
        self.assertEqual(emails(acme), ["secret@acme.example"])
        self.assertEqual(emails(world.tokens["admin"]), [])
        self.assertEqual(emails(everyone), [])
        self.assertEqual(emails(everyone, **{"Crmsync-Tenant": "acme"}), ["secret@acme.example"])
        for name in ("acme", "nothing"):
            self.assertEqual(service.ask("GET", "/api/crm/records/contact", world.tokens["admin"], headers={"Crmsync-Tenant": name})[0], 403)
        self.assertEqual([i["name"] for i in service.ask("GET", "/api/crm/integrations", acme)[1]["items"]], ["own"])


if __name__ == "__main__":
    unittest.main()
