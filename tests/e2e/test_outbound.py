"""Events to other software: a receiver of our own on loopback that checks each signature by itself, and a service that is stopped, killed and given new
settings meanwhile. Every change of the store arrives, in order, repeats under the ids they had.

N of the killing test: CRMSYNC_KILLS (default 3)."""

import base64
import hashlib
import hmac
import http.client
import http.server
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import unittest

import test_clients
from test_serve import SERVICE, Service
from world import WorldTest, wait_until

KILLS = int(os.environ.get("CRMSYNC_KILLS", "3"))
SEED = int(os.environ.get("SEED", "11"))
SECRETS = {name: "whsec_" + base64.b64encode(hashlib.sha256(name.encode()).digest()).decode() for name in ("first", "second", "wrong")}


def signature_of(secret, headers, body):
    """As the standard has it, without a line of ours."""
    key = base64.b64decode(secret[len("whsec_") :])
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class QuietServer(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Connections break: the service is stopped and killed meanwhile."""


class Receiver:
    """Takes events whose signature is good, and answers as it is told."""

    def __init__(self, secret):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(receiver.take(self.path, dict(self.headers.items()), body))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.secret, self.status, self.delay_s = secret, 204, 0
        self.events, self.raw, self.refused, self.requests, self.begun = [], [], 0, 0, 0
        self.lock = threading.Lock()
        self.server = QuietServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path, headers, body):
        self.begun += 1
        time.sleep(self.delay_s)
        headers = {name.lower(): value for name, value in headers.items()}
        is_fresh = abs(time.time() - int(headers["webhook-timestamp"])) < 300
        with self.lock:
            self.requests += 1
            if signature_of(self.secret, headers, body) not in headers["webhook-signature"].split(" ") or not is_fresh:
                self.refused += 1
                return 400
            if self.status < 300:
                self.events.append({**json.loads(body), "webhook-id": headers["webhook-id"]})
                self.raw.append({"secret": self.secret, "headers": headers, "body": body.decode()})
            return self.status

    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/in"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Follower:
    """A client of the event stream that reads it line by line, as the standard for server-sent events has it, and connects again where it was."""

    def __init__(self, world, service, token, query=""):
        self.world, self.token, self.query = world, token, query
        self.events, self.names, self.last_id, self.connections = [], [], None, 0
        self.is_stopping = threading.Event()
        self.use(service)
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def use(self, service):
        self.port = int(service.said.rsplit(":", 1)[1])

    def follow(self):
        while not self.is_stopping.wait(0.05):
            try:
                self.read()
            except (OSError, http.client.HTTPException):
                pass

    def read(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Authorization": "Bearer " + self.token, **({"Last-Event-ID": self.last_id} if self.last_id else {})}
        connection.request("GET", "/api/crm/events" + self.query, headers=headers)
        self.socket = connection.sock
        answer = connection.getresponse()
        if answer.status == 200:
            self.connections += 1
            self.take(answer)
        connection.close()

    def take(self, answer):
        event = {}
        for line in answer:
            line = line.decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                event[name] = value
                continue
            if "data" in event:
                self.last_id = event["id"]
                self.names.append(event["event"])
                if event["event"] not in ("ready", "reset"):
                    self.events.append(json.loads(event["data"]))
            event = {}

    def stop(self):
        self.is_stopping.set()


def endpoint(name, receiver, secret="'${EVENTS_SECRET}'", more=""):
    return f"    {name}: {{url: '{receiver.url()}', secret: {secret}{more}}}\n"


def events(*endpoints):
    return SERVICE + "events:\n  endpoints:\n" + "".join(endpoints)


class Outbound(WorldTest):
    def receiver(self, secret="first"):
        receiver = Receiver(SECRETS[secret])
        self.addCleanup(receiver.close)
        return receiver

    def serving(self, more, **options):
        world = self.world(more=more, **options)
        world.env["EVENTS_SECRET"] = SECRETS["first"]
        world.env["EVENTS_SECOND"] = SECRETS["second"]
        return world, self.serve(world)

    def serve(self, world):
        service = Service(world)
        self.addCleanup(service.close)
        self.assertIn("serves", service.said, service.log())
        return service

    def positions(self, world):
        """Entries that are events, as the journal itself has them."""
        with sqlite3.connect(f"file:{world.folder}/store.db?mode=ro", uri=True) as database:
            rows = database.execute("SELECT id, cause, record_version, changes FROM journal ORDER BY id").fetchall()
        return [i for i, cause, version, changes in rows if cause != 7 and not (cause == 0 and changes in ("[]", "{}")) and not self.is_quiet(cause, version, changes)]

    def is_quiet(self, cause, version, changes):
        changed = json.loads(changes)
        return cause in (1, 3) and isinstance(changed, list) and all(c.get("from") == c.get("to") for c in changed)

    def expect_everything(self, world, receiver):
        """Nothing is missing and nothing out of order; what came twice came under its id."""
        wait_until(lambda: set(self.positions(world)) == {e["data"]["position"] for e in receiver.events if "position" in e["data"]}, 60)
        first_seen = list(dict.fromkeys(e["data"]["position"] for e in receiver.events if "position" in e["data"]))
        self.assertEqual(first_seen, sorted(first_seen))
        ids = {}
        for event in receiver.events:
            self.assertEqual(event["id"], event["webhook-id"])
            self.assertEqual(ids.setdefault(event["id"], event["data"]), event["data"])
        self.assertEqual(receiver.refused, 0)

    def test_edits_at_a_crm_arrive(self):
        receiver, quiet = self.receiver(), self.receiver()
        world, service = self.serving(events(endpoint("all", receiver, more=", fields: all"), endpoint("some", quiet, more=", types: [record.updated]")), records=5)
        wait_until(lambda: len([e for e in receiver.events if e["type"] == "record.created"]) >= 6, 60)
        self.until_quiet(world)
        person = sorted(world.sims.live("hubspot", "contacts"))[0]
        world.sims.edit("hubspot", "contacts", person, lastname="Changed")

        def told():
            return [e for e in receiver.events if e["data"].get("values", {}).get("last_name") == "Changed" and e["type"] == "record.updated"]

        wait_until(told, 30)
        event = told()[0]["data"]
        self.assertEqual((event["kind"], event["source"]["connection"], event["source"]["cause"]), ("contact", "hubspot", "pull"))
        self.assertEqual(world.json("records", "get", "contact", event["id"])["fields"]["last_name"], "Changed")
        wait_until(lambda: [e for e in quiet.events if e["data"]["id"] == event["id"] and "last_name" in e["data"]["changed"]], 30)
        self.assertNotIn("Changed", json.dumps(quiet.events))
        self.assertEqual({e["type"] for e in quiet.events}, {"record.updated"})
        self.expect_everything(world, receiver)
        self.check_by_peer(receiver)
        rows = {row["endpoint"]: row for row in world.json("events", "list")}
        self.assertEqual((rows["all"]["state"], rows["all"]["failed"]), ("active", 0))
        self.assertEqual(rows["all"]["delivered"], len(receiver.events))
        self.assertEqual(service.stop()[0], 0)

    def check_by_peer(self, receiver):
        reason = test_clients.install()
        if reason:
            return
        lines = "".join(json.dumps(raw) + "\n" for raw in receiver.raw)
        done = subprocess.run([test_clients.NODE, "webhook_standard.mjs"], cwd=test_clients.FOLDER, input=lines, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout), {"taken": len(receiver.raw), "refused": len(receiver.raw)})

    def test_killed_it_loses_nothing(self):
        print(f"seed={SEED} kills={KILLS}", flush=True)
        receiver, rng = self.receiver(), random.Random(SEED)
        receiver.delay_s = 0.02
        world, service = self.serving(events(endpoint("all", receiver)), records=20)
        people = sorted(world.sims.live("hubspot", "contacts"))
        for number in range(KILLS):
            wait_until(lambda: receiver.requests > 10 * (number + 1), 60)
            for i in range(10):
                world.sims.edit("hubspot", "contacts", rng.choice(people), lastname=f"Name{number}x{i}")
            time.sleep(rng.uniform(0.2, 1.5))
            service.kill()
            service = self.serve(world)
        self.until_quiet(world)
        self.expect_everything(world, receiver)
        service.stop()

    def until_quiet(self, world):
        def is_quiet():
            before = self.positions(world)
            time.sleep(3)
            return before == self.positions(world)

        wait_until(is_quiet, 120)

    def test_trouble_of_one_endpoint_is_its_own(self):
        good, bad, gone = self.receiver(), self.receiver(), self.receiver()
        bad.status, gone.status = 500, 410
        world, service = self.serving(events(endpoint("good", good), endpoint("bad", bad), endpoint("gone", gone)), records=5)
        wait_until(lambda: len(good.events) >= 7, 60)
        wait_until(lambda: {r["endpoint"]: r["state"] for r in world.json("events", "list")}["gone"] == "off", 30)
        rows = {row["endpoint"]: row for row in world.json("events", "list")}
        self.assertEqual((rows["bad"]["reason"], rows["bad"]["delivered"], gone.requests), ("answered with status 500", 0, 1))
        self.assertIn("endpoint for events is switched off", service.log())
        gone.status = bad.status = 200
        world.run("events", "enable", "gone", expect=0)
        world.run("events", "enable", "bad", expect=0)
        for receiver in (good, bad, gone):
            self.expect_everything(world, receiver)
        self.assertIn("endpoint.enabled", world.run("audit", expect=0).stdout)

    def test_stops_in_time_while_an_endpoint_hangs(self):
        receiver = self.receiver()
        receiver.delay_s = 30
        world, service = self.serving(events(endpoint("slow", receiver)), records=2)
        wait_until(lambda: receiver.begun > 0, 60)
        world.write_config(more=events(endpoint("slow", receiver)))
        service.signal(signal.SIGHUP)
        wait_until(lambda: "configuration read again" in service.log(), 5)
        wait_until(lambda: receiver.begun > 1, 30)
        code, took_s = service.stop()
        print(f"stopped_in_s={took_s:.2f}", flush=True)
        self.assertEqual(code, 0)
        self.assertLess(took_s, 5)

    def test_a_reload_changes_who_is_told(self):
        first, second = self.receiver(), self.receiver("second")
        world, service = self.serving(events(endpoint("one", first)), records=2)
        wait_until(lambda: len(first.events) >= 4, 60)
        self.until_quiet(world)
        world.write_config(more=events(endpoint("one", first, secret="['${EVENTS_SECOND}', '${EVENTS_SECRET}']"), endpoint("two", second, secret="['${EVENTS_SECOND}', '${EVENTS_SECRET}']")))
        service.signal(signal.SIGHUP)
        wait_until(lambda: "configuration read again" in service.log(), 30)
        before = len(first.events)
        world.sims.edit("hubspot", "contacts", sorted(world.sims.live("hubspot", "contacts"))[0], lastname="Later")
        wait_until(lambda: len(first.events) > before and second.events, 30)
        self.assertEqual(first.refused + second.refused, 0, "each finds the signature of its own secret among the two")
        new = [e["id"] for e in first.events[before:]]
        self.assertEqual([e["id"] for e in second.events], new, "a new endpoint starts at now")

    def test_a_stream_is_followed_over_kills(self):
        print(f"seed={SEED} kills={KILLS}", flush=True)
        rng = random.Random(SEED)
        world = self.world(more=SERVICE, records=20)
        token = world.run("token", "create", "follower", "--role", "viewer", expect=0).stdout.strip()
        service = self.serve(world)
        follower = Follower(world, service, token, "?fields=all")
        self.addCleanup(follower.stop)
        wait_until(lambda: follower.names[:1] == ["ready"] and len(follower.events) > 3, 60)
        first = follower.events[0]["data"]["position"]
        people = sorted(world.sims.live("hubspot", "contacts"))
        for number in range(KILLS):
            for i in range(10):
                world.sims.edit("hubspot", "contacts", rng.choice(people), lastname=f"Name{number}x{i}")
            time.sleep(rng.uniform(0.2, 1.5))
            if number % 2:  # the client's connection breaks, or the service dies
                follower.socket.shutdown(socket.SHUT_RDWR)
            else:
                service.kill()
                service = self.serve(world)
                follower.use(service)
        self.until_quiet(world)
        wanted = [position for position in self.positions(world) if position >= first]
        wait_until(lambda: len(follower.events) >= len(wanted), 30)
        self.assertEqual([e["data"]["position"] for e in follower.events], wanted, "each once, in order")
        self.assertGreater(follower.connections, KILLS)
        self.assertNotIn("reset", follower.names)
        world.run("token", "revoke", "follower", expect=0)
        follower.stop()
        code, took_s = service.stop()
        self.assertEqual(code, 0)
        self.assertLess(took_s, 10)

    def test_what_was_given_up_is_sent_again(self):
        receiver = self.receiver()
        world, service = self.serving(events(endpoint("all", receiver)), records=1)
        wait_until(lambda: len(receiver.events) >= 2, 60)
        self.until_quiet(world)
        service.stop()
        last = receiver.events[-1]
        with sqlite3.connect(f"{world.folder}/store.db") as database:  # as it stands after days of refusals
            database.execute(
                "INSERT INTO dead_event (tenant_id, endpoint_id, journal, conflict, is_to_send, attempts, reason, died_ms) VALUES (1, 1, ?, 0, 0, 8, 'answered with status 422', 1)",
                (last["data"]["position"],),
            )
        database.close()
        rows = world.json("events", "dead", "all")
        self.assertEqual([(r["event"], r["type"], r["reason"]) for r in rows], [(last["id"], last["type"], "answered with status 422")])
        before = len(receiver.events)
        self.serve(world)
        world.run("events", "resend", str(rows[0]["id"]), expect=0)
        wait_until(lambda: len(receiver.events) == before + 1, 30)
        self.assertEqual(receiver.events[-1]["id"], last["id"])
        wait_until(lambda: world.json("events", "dead") == [], 30)
        world.run("events", "resend", "99", expect=1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
