"""A running world for black-box tests: `crmsync sim` on loopback, a configuration in a temporary folder, and the binary as a user calls it.
Also the independent comparer: it reads both simulators' ground truth and the store's own listing and normalises by itself."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("CRMSYNC", os.path.join(ROOT, "build", "release", "crmsync"))


BOTH = ("hubspot", "pipedrive")
THREE = (*BOTH, "salesforce")


class Simulators:
    """The simulated CRMs in one process."""

    def __init__(self, records=0, seed=7, extra=(), crms=BOTH):
        ports = [word for crm in crms for word in ("--" + crm, "0")]
        command = [BINARY, "sim", *ports, "--records", str(records), "--seed", str(seed), "--json", *extra]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        text = ""
        for line in self.process.stdout:
            text += line
            if line.startswith("]"):
                break
        self.where = {entry["crm"]: entry for entry in json.loads(text)}

    def url(self, crm):
        return self.where[crm]["base_url"]

    def token(self, crm):
        return self.where[crm]["token"]

    def ask(self, crm, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url(crm) + path, data=data, headers={"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"{}")

    def writes(self):
        return sum(self.ask(crm, "/__sim/stats")["writes"] for crm in self.where)

    def calls(self):
        return sum(self.ask(crm, "/__sim/stats")["calls_total"] for crm in self.where)

    def state(self, crm, word):
        return {r["id"]: r for r in self.ask(crm, "/__sim/state/" + word)["records"]}

    def live(self, crm, word):
        return {i: r for i, r in self.state(crm, word).items() if not r["archived"] and not r.get("merged_into")}

    def edit(self, crm, word, object_id, **fields):
        body = {"object": word, "set": fields, "by": "person"}
        if object_id:
            body["id"] = object_id
        return self.ask(crm, "/__sim/edit", body)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.process.stdout.close()


# What most tests are about. Every kind costs calls in every sync, and HubSpot allows few searches a second.
PEOPLE = "kinds: [company, contact]"
CONFIG = """store: store.db
key_file: key
allow_loopback: true
connections:
"""
CONNECTION = """  {crm}:
    adapter: {crm}
    base_url: {url}
    token: ${{{variable}}}
    priority: {priority}
    settle: {settle}
    grace: 0s
{more}
"""
PRIORITIES = {"hubspot": 10, "pipedrive": 5, "salesforce": 1}


def variable(crm):
    return crm.upper() + "_TOKEN"


class World:
    def __init__(self, records=0, seed=7, sim=(), settle="2s", hubspot_more="", pipedrive_more="", more="", init=True, all_kinds=False, crms=BOTH, salesforce_more=""):
        self.all_kinds = all_kinds
        self.crms = crms
        self.sims = Simulators(records, seed, sim, crms)
        self.folder = tempfile.mkdtemp(prefix="crmsync-e2e-")
        self.env = dict(os.environ, **{variable(crm): self.sims.token(crm) for crm in crms})
        self.write_config(settle=settle, hubspot_more=hubspot_more, pipedrive_more=pipedrive_more, more=more, salesforce_more=salesforce_more)
        if init:
            try:
                self.run("init", expect=0)
            except BaseException:
                self.close()
                raise

    def write_config(self, settle="2s", hubspot_more="", pipedrive_more="", more="", salesforce_more=""):
        own = {"hubspot": hubspot_more, "pipedrive": pipedrive_more, "salesforce": salesforce_more}

        def indent(text):
            if not self.all_kinds and "kinds:" not in text and "mapping:" not in text:
                text += "\n" + PEOPLE
            return "\n".join("    " + line for line in text.splitlines())

        def connection(crm):
            return CONNECTION.format(
                crm=crm, url=self.sims.url(crm), variable=variable(crm), priority=PRIORITIES[crm], settle=settle, more=indent(own[crm])
            )

        with open(os.path.join(self.folder, "crmsync.yaml"), "w") as file:
            file.write(CONFIG + "".join(connection(crm) for crm in self.crms) + more)

    def run(self, *args, expect=None, env=None, text=None):
        done = subprocess.run(
            [BINARY, *args], cwd=self.folder, env=env or self.env, capture_output=True, text=True, timeout=1800, input=text
        )
        if expect is not None and done.returncode not in (expect if isinstance(expect, tuple) else (expect,)):
            raise AssertionError(f"crmsync {' '.join(args)} gave {done.returncode}, not {expect}\n{done.stdout}\n{done.stderr}")
        return done

    def json(self, *args, expect=(0, 3, 4)):
        return json.loads(self.run(*args, "--json", expect=expect).stdout)

    def sync(self, *args, expect=(0, 3, 4)):
        return self.json("sync", *args, expect=expect)

    def start(self, *args):
        return subprocess.Popen([BINARY, *args], cwd=self.folder, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start_listening(self, *args):
        return subprocess.Popen([BINARY, *args], cwd=self.folder, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def close(self):
        self.sims.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


# --- the comparer -------------------------------------------------------------------------------------------------------------


def primary(items):
    items = [i for i in items or [] if i.get("value")]
    for item in items:
        if item.get("primary"):
            return item["value"]
    return items[0]["value"] if items else ""


def digits(text):
    return re.sub(r"\D", "", text or "").lstrip("0")


def person_hubspot(fields):
    return {
        "email": (fields.get("email") or "").strip().lower(),
        "first_name": (fields.get("firstname") or "").strip(),
        "last_name": (fields.get("lastname") or "").strip(),
        "phone": digits(fields.get("phone")),
    }


def person_pipedrive(fields):
    return {
        "email": primary(fields.get("emails")).strip().lower(),
        "first_name": (fields.get("first_name") or "").strip(),
        "last_name": (fields.get("last_name") or "").strip(),
        "phone": digits(primary(fields.get("phones"))),
    }


def person_salesforce(fields):
    return {
        "email": (fields.get("Email") or "").strip().lower(),
        "first_name": (fields.get("FirstName") or "").strip(),
        "last_name": (fields.get("LastName") or "").strip().replace("[not provided]", ""),
        "phone": digits(fields.get("Phone")),
    }


def person_here(fields):
    return {
        "email": (fields.get("email") or "").lower(),
        "first_name": fields.get("first_name") or "",
        "last_name": fields.get("last_name") or "",
        "phone": digits(fields.get("phone")),
    }


# The CRM's word for people, and how their fields are read.
PEOPLE_AT = {"hubspot": ("contacts", person_hubspot), "pipedrive": ("persons", person_pipedrive), "salesforce": ("Contact", person_salesforce)}


def compare(world):
    """Every record of the store with its objects at all CRMs, field by field. Returns (agreeing, differences)."""
    there = {crm: world.sims.live(crm, PEOPLE_AT[crm][0]) for crm in world.crms}
    differences, agreeing = [], 0
    for record in world.json("records", "list", "contact", "--limit", "1000000"):
        links = {l["connection"]: l for l in world_links(world, "contact", record["id"])}
        here = person_here(record["fields"])
        sides = {}
        for crm, people in there.items():
            if crm in links and links[crm]["remote_id"] in people:
                sides[crm] = PEOPLE_AT[crm][1](people[links[crm]["remote_id"]]["fields"])
        if len(sides) == len(world.crms) and all(side == here for side in sides.values()):
            agreeing += 1
        else:
            differences.append((record["id"], {"here": here, **sides}))
    return agreeing, differences


_links_cache = {}


def world_links(world, kind, record_id):
    """Links of a record, straight from the store's file: one query instead of one process for each record."""
    import sqlite3

    key = (world.folder, os.stat(os.path.join(world.folder, "store.db")).st_mtime_ns, _wal_stamp(world))
    if _links_cache.get("key") != key:
        database = sqlite3.connect("file:" + os.path.join(world.folder, "store.db") + "?mode=ro", uri=True)
        links = {}
        for uuid, connection, remote_id, state in database.execute(
            "SELECT r.uuid, c.name, l.remote_id, l.state FROM link l JOIN record r ON r.id = l.record_id "
            "JOIN connection c ON c.id = l.connection_id"
        ):
            links.setdefault(uuid, []).append({"connection": connection, "remote_id": remote_id, "state": state})
        database.close()
        _links_cache.clear()
        _links_cache.update(key=key, links=links)
    return _links_cache["links"].get(record_id, [])


def _wal_stamp(world):
    try:
        facts = os.stat(os.path.join(world.folder, "store.db-wal"))
        return (facts.st_mtime_ns, facts.st_size)
    except FileNotFoundError:
        return None


def duplicates(world):
    """Correlation keys that live on more than one object of a CRM."""
    found = []
    words_of = {
        "hubspot": ("contacts", "companies"),
        "pipedrive": ("persons", "organizations"),
        "salesforce": ("Contact", "Account", "Opportunity", "Task", "Event"),
    }
    for crm in world.crms:
        for word in words_of[crm]:
            seen = {}
            for object_id, record in world.sims.live(crm, word).items():
                keys = [v for k, v in flat(record["fields"]) if isinstance(v, str) and re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{22}", v)]
                for key in keys:
                    if key in seen:
                        found.append((crm, word, key, seen[key], object_id))
                    seen[key] = object_id
    return found


def flat(fields):
    for key, value in fields.items():
        if isinstance(value, dict):
            yield from flat(value)
        else:
            yield key, value


class WorldTest(unittest.TestCase):
    def world(self, *args, **more):
        world = World(*args, **more)
        self.addCleanup(world.close)
        return world


def wait_until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("waited too long")
        time.sleep(0.02)
