"""Signing in, as a person does it: the printed address in a browser, the redirect to this machine, and what follows while the token lives, is renewed,
gets lost or is taken back."""

import contextlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

from world import BINARY, THREE, World, WorldTest, compare, duplicates, wait_until


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url, method="GET"):
    """Status, headers and text, without following anything."""
    try:
        with urllib.request.build_opener(NoRedirect).open(urllib.request.Request(url, method=method), timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


class SignInWorld(World):
    """A world whose connections of `signed` sign in at the simulator; the others have their token."""

    def __init__(self, *args, signed=("hubspot", "pipedrive"), **more):
        self.signed = signed
        self.port = free_port()
        self.redirect = f"http://localhost:{self.port}/callback"
        super().__init__(*args, **more)
        for crm in signed:
            self.control(crm, redirect_uris=[self.redirect])
            self.env[crm.upper() + "_SECRET"] = self.sims.where[crm]["client_secret"]

    def auth_lines(self, crm):
        return {
            "client_id": self.sims.where[crm]["client_id"],
            "client_secret": f"${{{crm.upper()}_SECRET}}",
            "login_url": self.sims.url(crm),
            "redirect_uri": self.redirect,
        }

    def write_config(self, **settings):
        super().write_config(**settings)
        path = os.path.join(self.folder, "crmsync.yaml")
        with open(path) as file:
            text = file.read()
        for crm in self.signed:
            base = f"    base_url: {self.sims.url(crm)}\n" if crm == "hubspot" else ""  # the others say it themselves
            auth = "    auth:\n" + "".join(f"      {key}: {value}\n" for key, value in self.auth_lines(crm).items())
            text = re.sub(rf"    base_url: {re.escape(self.sims.url(crm))}\n    token: .*\n", lambda match: base + auth, text)
        with open(path, "w") as file:
            file.write(text)

    def control(self, crm, **change):
        return self.sims.ask(crm, "/__sim/oauth", change)

    def facts(self, crm):
        return self.sims.ask(crm, "/__sim/oauth")

    def exchanges(self, crm):
        return sum(self.facts(crm)["exchanges"].values())

    def connect(self, crm):
        return Connecting(self, crm)

    def sign_in(self, crm):
        connecting = self.connect(crm)
        connecting.consent()
        code, out, err = connecting.end()
        if code != 0:
            raise AssertionError(f"connect {crm} gave {code}\n{out}\n{err}")
        return out

    def sign_in_all(self):
        for crm in self.signed:
            self.sign_in(crm)

    def state_of(self, crm):
        return {row["name"]: row for row in self.json("connections", expect=0)}[crm]


class Connecting:
    """`crmsync connect` while it waits."""

    def __init__(self, world, crm, *args):
        self.world = world
        self.process = subprocess.Popen(
            [BINARY, "connect", crm, *args], cwd=world.folder, env=world.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )
        self.out = self.err = ""
        self.readers = [threading.Thread(target=self.read, args=(name,), daemon=True) for name in ("out", "err")]
        for reader in self.readers:
            reader.start()
        self.url = self.wait_url(1)

    def read(self, name):
        stream = self.process.stdout if name == "out" else self.process.stderr
        for line in stream:
            setattr(self, name, getattr(self, name) + line)

    def wait_url(self, count):
        """The address that is printed for the n-th time, once somebody waits for its answer."""

        def is_there():
            if self.process.poll() is not None:
                raise AssertionError(f"connect ended\n{self.out}\n{self.err}")
            return len(re.findall(r"^(waiting|then)", self.out, re.M)) >= count

        wait_until(is_there)
        return re.findall(r"^  (http\S+)$", self.out, re.M)[count - 1]

    def redirect(self, url=None):
        """What the CRM sends the browser to."""
        status, headers, text = get(url or self.url)
        if status not in (302, 303):
            raise AssertionError(f"the consent gave {status}: {text}")
        return headers["location"]

    def answer(self, address):
        wait_until(lambda: self.is_listening())
        return get(address)

    def is_listening(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.world.port)) == 0

    def consent(self):
        return self.answer(self.redirect())

    def end(self, text=None):
        if text is not None:
            self.process.stdin.write(text)
        self.process.stdin.close()
        self.process.wait(60)
        for reader in self.readers:
            reader.join(10)
        self.process.stdout.close()
        self.process.stderr.close()
        return self.process.returncode, self.out, self.err

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.end()


def with_query(address, **change):
    parts = urllib.parse.urlsplit(address)
    query = dict(urllib.parse.parse_qsl(parts.query))
    query.update(change)
    return urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(query)))


class SignIn(WorldTest):
    def signed_world(self, *args, **more):
        world = SignInWorld(*args, **more)
        self.addCleanup(world.close)
        return world

    def test_connect_sync_and_listings(self):
        world = self.signed_world(records=40)
        self.assertEqual(world.state_of("hubspot")["sign_in"], "authorization-code, not signed in")
        refused = world.run("sync", expect=1)
        self.assertIn("crmsync connect hubspot", refused.stdout + refused.stderr)
        for crm in world.signed:
            out = world.sign_in(crm)
            self.assertIn(f"connected '{crm}'", out)
        world.sync(expect=0)
        agreeing, differences = compare(world)
        self.assertEqual((differences, duplicates(world)), ([], []))
        self.assertGreater(agreeing, 30)
        for crm in world.signed:
            row = world.state_of(crm)
            self.assertRegex(row["sign_in"], r"^authorization-code, token until 20\d\d-.*, renewed by itself$")
            self.assertEqual(row["state"], "active")
            self.assertEqual(world.exchanges(crm), 1)
            done = world.run("test", crm, expect=0)
            self.assertIn(f"{crm}: sign-in", done.stdout)
        world.run("doctor", expect=0)

    def test_wrong_answers_leave_the_right_one_its_place(self):
        world = self.signed_world()
        connecting = world.connect("hubspot")
        right = connecting.redirect()
        before = world.exchanges("hubspot")

        status, headers, text = connecting.answer(with_query(right, state="A" * 43))
        self.assertEqual(status, 400)
        self.assertIn("not the answer to a sign-in that waits", text)
        self.assertEqual(headers["content-type"], "text/plain; charset=utf-8")
        status, _, _ = get(right.replace("/callback?", "/callback/?"))
        self.assertEqual(status, 404)
        status, _, _ = get(f"http://127.0.0.1:{world.port}/favicon.ico")
        self.assertEqual(status, 404)
        self.assertEqual(get(right.split("?")[0])[0], 400)
        status, _, text = get(with_query(right, error="access_denied", code=""))
        self.assertIn("refused at the CRM (access_denied)", text)
        self.assertEqual((world.exchanges("hubspot"), world.facts("hubspot")["refused"]), (before, 0))

        self.assertEqual(get(right, "HEAD")[0], 405)  # by a program that looks at links: nothing is used up
        status, _, text = get(right)
        self.assertEqual((status, text), (200, "Signed in. You can close this window.\n"))
        self.assertEqual(connecting.end()[0], 0)

    def test_code_is_good_once(self):
        world = self.signed_world()
        connecting = world.connect("hubspot")
        first = connecting.redirect()
        status, _, text = connecting.answer(with_query(first, code="not-the-code"))
        self.assertEqual(status, 400)
        self.assertIn("the code was used before, is too old", text)
        self.assertNotIn("not-the-code", text + connecting.err)
        second = connecting.wait_url(2)
        self.assertNotEqual(second, connecting.url)
        self.assertEqual(get(first)[0], 400)  # its state is used up, whatever code it comes with
        status, _, text = get(connecting.redirect(second))
        self.assertEqual(status, 200, text)
        self.assertEqual(connecting.end()[0], 0)
        # A state that was used is not good for a later sign-in either.
        again = world.connect("hubspot")
        self.assertEqual(again.answer(first)[0], 400)
        again.stop()

    def test_denied(self):
        world = self.signed_world()
        for crm in world.signed:
            world.control(crm, deny_next=True)
            connecting = world.connect(crm)
            status, _, text = connecting.consent()
            self.assertEqual(status, 400)
            self.assertIn("refused at the CRM", text)
            self.assertEqual(connecting.consent()[0], 200)  # the same address, allowed this time
            self.assertEqual(connecting.end()[0], 0)

    def test_paste(self):
        world = self.signed_world()
        connecting = Connecting(world, "hubspot", "--paste")
        code, out, err = connecting.end("code=x&state=y\n" + connecting.redirect() + "\n")
        self.assertEqual(code, 0, err)
        self.assertIn("not the answer to a sign-in that waits", err)
        connecting = Connecting(world, "hubspot", "--paste")
        code, out, err = connecting.end("")
        self.assertEqual(code, 1)
        self.assertEqual(world.state_of("hubspot")["state"], "active")  # the sign-in before stays

    def test_client_secret_is_asked_for_and_sealed(self):
        world = self.signed_world()
        path = os.path.join(world.folder, "crmsync.yaml")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(re.sub(r"      client_secret: .*\n", "", text))
        secret = world.sims.where["hubspot"]["client_secret"]
        world.env.pop("HUBSPOT_SECRET")
        done = world.run("connect", "hubspot", expect=2, text="")
        self.assertIn("no client secret was given", done.stderr)
        world.env["ELSEWHERE"] = "wrong-secret-0123456789"
        connecting = Connecting(world, "hubspot", "--paste", "--token-env", "ELSEWHERE")
        code, out, err = connecting.end(connecting.redirect() + "\n")
        self.assertEqual(code, 2)
        self.assertIn("client id or secret are not right", err)
        self.assertIn("--secret", err)
        world.env["ELSEWHERE"] = secret
        connecting = Connecting(world, "hubspot", "--paste", "--token-env", "ELSEWHERE")
        self.assertEqual(connecting.end(connecting.redirect() + "\n")[0], 0)
        world.env.pop("ELSEWHERE")
        world.sync("hubspot", expect=0)
        world.sign_in("hubspot")  # not asked for again
        for name in os.listdir(world.folder):
            with open(os.path.join(world.folder, name), "rb") as file:
                self.assertNotIn(secret.encode(), file.read(), name)

    def test_tokens_expire_in_the_middle_of_a_sync(self):
        world = self.signed_world(records=400, sim=("--no-limits",))
        for crm in world.signed:
            world.control(crm, rotation=True)
        world.sign_in_all()
        running = world.start("sync")
        for _ in range(6):
            time.sleep(0.15)
            for crm in world.signed:
                world.control(crm, expire_access=True)
        self.assertEqual(running.wait(120), 0)
        world.sync(expect=0)
        self.assertEqual((compare(world)[1], duplicates(world)), ([], []))
        for crm in world.signed:
            exchanges = world.facts(crm)["exchanges"]
            self.assertGreater(sum(exchanges.values()), 1, exchanges)
            self.assertLessEqual(sum(exchanges.values()), 1 + 6 + 1, exchanges)
            self.assertEqual(world.facts(crm)["refused"], 0)

    def test_the_answer_of_a_renewal_is_lost(self):
        """Without rotation the old refresh token is tried once more and works; with it somebody has to sign in."""
        for rotation in (False, True):
            for how in ("lost", "truncated"):
                with self.subTest(rotation=rotation, how=how):
                    world = self.signed_world(records=10)
                    world.control("hubspot", rotation=rotation)
                    world.sign_in_all()
                    world.sync(expect=0)
                    world.sims.edit("hubspot", "contacts", next(iter(world.sims.live("hubspot", "contacts"))), city="Delft")
                    world.control("hubspot", expire_access=True, next_exchange=how)
                    done = world.run("sync", "--json")
                    if rotation:
                        self.assertEqual(done.returncode, 1)
                        self.assertEqual(world.state_of("hubspot")["state"], "needs-auth")
                        world.sign_in("hubspot")
                        world.sync(expect=0)
                    else:
                        self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertEqual((compare(world)[1], duplicates(world)), ([], []))

    def test_access_taken_back_stops_one_connection_only(self):
        world = self.signed_world(records=30)
        world.sign_in_all()
        world.sync(expect=0)
        contacts = list(world.sims.live("hubspot", "contacts"))
        persons = list(world.sims.live("pipedrive", "persons"))
        world.control("hubspot", revoke_refresh=True, expire_access=True)
        for i in range(5):
            world.sims.edit("hubspot", "contacts", contacts[i], city="Delft")
            world.sims.edit("pipedrive", "persons", persons[i], first_name=f"Anna{i}")
        created = world.sims.edit("pipedrive", "persons", None, first_name="Eva", last_name="Nieuw", emails=[{"value": "eva@nieuw.example", "primary": True}])
        report = world.sync(expect=1)
        self.assertEqual({p["connection"] for p in report["problems"]}, {"hubspot"})
        self.assertIn("crmsync connect hubspot", report["problems"][0]["hint"])
        row = world.state_of("hubspot")
        self.assertEqual(row["state"], "needs-auth")
        self.assertIn("refused", row["reason"])
        self.assertEqual(world.state_of("pipedrive")["state"], "active")
        here = {r["fields"].get("first_name") for r in world.json("records", "list", "contact", "--limit", "1000")}
        self.assertTrue({"Eva", *(f"Anna{i}" for i in range(5))} <= here)  # the other one went on
        world.sync(expect=1)
        world.sign_in("hubspot")
        self.assertEqual(world.state_of("hubspot")["state"], "active")
        world.sync(expect=0)
        differing, doubled = compare(world)[1], duplicates(world)
        print(f"fault=access-taken-back connections=2 stopped={len({p['connection'] for p in report['problems']})} differ={len(differing)} doubled={len(doubled)}", flush=True)
        self.assertEqual((differing, doubled), ([], []))
        self.assertTrue(created)

    def test_another_account_is_refused_and_its_token_revoked(self):
        world = self.signed_world()
        accounts = {"hubspot": "990001", "pipedrive": "990002"}
        world.sign_in_all()
        for crm in world.signed:
            live = world.facts(crm)["live"]
            world.control(crm, account=accounts[crm])
            connecting = world.connect(crm)
            status, _, text = connecting.consent()
            self.assertEqual(status, 400)
            self.assertIn(f"for account {accounts[crm]}", text)
            self.assertIn("is linked to account", text)
            world.control(crm, account=None)
            self.assertEqual(get(connecting.redirect(connecting.wait_url(2)))[0], 200)
            self.assertEqual(connecting.end()[0], 0)
            # of the refused sign-in no refresh token is left, but where revoking it would uninstall the app; the right one has been added
            left = 1 if crm == "pipedrive" else 0
            self.assertEqual(world.facts(crm)["live"]["refresh"], live["refresh"] + 1 + left)
            self.assertEqual(world.facts(crm)["live"]["access"], live["access"] + 2 - left)
        world.sync(expect=0)

    def test_a_token_of_another_account_is_not_kept(self):
        world = self.signed_world(records=5, signed=())
        path = os.path.join(world.folder, "crmsync.yaml")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace("    token: ${PIPEDRIVE_TOKEN}\n", ""))
        token = world.env.pop("PIPEDRIVE_TOKEN")
        world.run("connect", "pipedrive", text=token + "\n", expect=0)

        def store(query):
            with contextlib.closing(sqlite3.connect(os.path.join(world.folder, "store.db"))) as database, database:
                return database.execute(query).fetchall()

        account = store("SELECT account_id FROM connection WHERE name = 'pipedrive'")[0][0]
        kept = store("SELECT * FROM secret")
        store("UPDATE connection SET account_id = '990001' WHERE name = 'pipedrive'")
        refused = world.run("connect", "pipedrive", text=token + "\n", expect=1)
        self.assertIn("the token was not kept: the token belongs to account " + account, refused.stderr)
        self.assertEqual(store("SELECT * FROM secret"), kept)
        store(f"UPDATE connection SET account_id = '{account}' WHERE name = 'pipedrive'")
        world.sync(expect=0)

    def test_hostile_api_host_gets_nothing(self):
        world = self.signed_world(records=5)
        hostile = ["https://pipedrive.com.evil.example", "https://evilpipedrive.com", "https://10.0.0.1", "https://x.pipedrive.com@evil.example",
                   "http://x.pipedrive.com", "https://x.pipedrive.com:444", "https://x.pipedrive.com/path", "file:///etc/passwd"]
        for origin in hostile:
            world.control("pipedrive", origin=origin)
            connecting = world.connect("pipedrive")
            status, _, text = connecting.consent()
            self.assertEqual(status, 400, origin)
            self.assertIn("which is not a host of this CRM: nothing was sent there", text, origin)
            self.assertNotIn("@evil", text)
            connecting.stop()
        world.control("pipedrive", origin=None)
        world.sign_in_all()
        world.sync(expect=0)
        # The same in a renewal: nothing goes there, and the sign-in is not lost by it.
        calls = world.sims.ask("pipedrive", "/__sim/stats")["calls_total"]
        world.control("pipedrive", rotation=True, expire_access=True, origin=hostile[0])
        report = world.sync(expect=1)
        self.assertIn("not a host of this CRM", report["problems"][0]["message"])
        self.assertLess(world.sims.ask("pipedrive", "/__sim/stats")["calls_total"] - calls, 6)
        world.control("pipedrive", origin=None)
        world.sync(expect=0)
        self.assertEqual((compare(world)[1], duplicates(world)), ([], []))

    def test_disconnect(self):
        world = self.signed_world(records=10)
        world.sign_in_all()
        world.sync(expect=0)
        before = len(world.json("records", "list", "contact", "--limit", "1000"))
        for crm in world.signed:
            done = world.run("disconnect", crm, expect=0)
            self.assertIn(f"signed out '{crm}'", done.stdout)
            self.assertIn("revoked at the CRM", done.stdout)
            self.assertEqual(world.facts(crm)["live"]["refresh"], 0)
            row = world.state_of(crm)
            self.assertEqual((row["state"], row["sign_in"]), ("needs-auth", "authorization-code, not signed in"))
        self.assertEqual(len(world.json("records", "list", "contact", "--limit", "1000")), before)
        world.run("sync", expect=1)
        self.assertIn("nobody was signed in", world.run("disconnect", "hubspot", expect=0).stdout)
        writes = world.sims.writes()
        world.sign_in_all()
        world.sync(expect=0)
        self.assertEqual(world.sims.writes(), writes)  # nothing is new: links and bases were kept
        self.assertEqual((compare(world)[1], duplicates(world)), ([], []))

    def test_disconnect_where_the_crm_is_away(self):
        world = self.signed_world()
        world.sign_in("hubspot")
        world.sims.ask("hubspot", "/__sim/faults", {"rules": [{"fault": "server_error", "per_million": 1000000, "path": "/oauth/"}]})
        done = world.run("disconnect", "hubspot", expect=0)
        self.assertIn("could not be revoked", done.stderr)
        self.assertEqual(world.state_of("hubspot")["sign_in"], "authorization-code, not signed in")

    def test_connect_and_listings_beside_a_running_sync(self):
        world = self.signed_world(records=600, sim=("--no-limits",))
        world.sign_in_all()
        running = world.start("sync")
        outcomes = []
        while running.poll() is None:
            outcomes.append(world.run("connections").returncode)
            world.sign_in("hubspot")
            outcomes.append(world.run("test", "pipedrive").returncode)
        self.assertEqual(running.returncode, 0)
        self.assertGreater(len(outcomes), 1)
        self.assertEqual(set(outcomes), {0})
        world.sync(expect=0)
        self.assertEqual((compare(world)[1], duplicates(world)), ([], []))

    def test_two_processes_renew_once(self):
        world = self.signed_world()
        world.sign_in_all()
        for crm in world.signed:
            world.control(crm, rotation=True)
        for _ in range(3):
            world.control("hubspot", expire_access=True)
            before = world.exchanges("hubspot")
            several = [world.start("test", "hubspot") for _ in range(4)]
            self.assertEqual([one.wait(60) for one in several], [0] * 4)
            self.assertEqual(world.exchanges("hubspot"), before + 1)
        self.assertEqual(world.facts("hubspot")["refused"], 0)

    def test_sign_in_server_away_is_no_sign_out(self):
        world = self.signed_world(records=5)
        world.sign_in_all()
        world.sync(expect=0)
        for fault in ("server_error", "throttle", "html", "reset"):
            world.control("hubspot", expire_access=True)
            world.sims.ask("hubspot", "/__sim/faults", {"rules": [{"fault": fault, "per_million": 1000000, "path": "/oauth/"}]})
            world.run("test", "hubspot", expect=1)
            self.assertEqual(world.state_of("hubspot")["state"], "active", fault)
            world.sims.ask("hubspot", "/__sim/faults", {})
            world.run("test", "hubspot", expect=0)

    def test_stopped_while_the_token_is_renewed(self):
        """Ctrl-C ends the sync, not the exchange: with rotation its answer must not get lost."""
        world = self.signed_world(records=5)
        world.control("hubspot", rotation=True)
        world.sign_in_all()
        world.sync(expect=0)
        for _ in range(3):
            before = world.exchanges("hubspot")
            world.control("hubspot", expire_access=True, next_exchange="slow")
            running = world.start("sync")
            wait_until(lambda: world.exchanges("hubspot") > before)
            running.send_signal(signal.SIGINT)
            self.assertNotEqual(running.wait(60), -signal.SIGKILL)
            world.run("test", "hubspot", expect=0)
            self.assertEqual((world.exchanges("hubspot"), world.facts("hubspot")["refused"]), (before + 1, 0))

    def test_killed_while_the_token_is_renewed(self):
        for rotation in (False, True):
            with self.subTest(rotation=rotation):
                world = self.signed_world(records=10)
                world.control("hubspot", rotation=rotation)
                world.sign_in_all()
                world.sync(expect=0)
                for person in list(world.sims.live("pipedrive", "persons"))[:3]:
                    world.sims.edit("pipedrive", "persons", person, first_name=f"Noor{person}")
                before = world.exchanges("hubspot")
                world.control("hubspot", expire_access=True, next_exchange="slow")
                running = world.start("sync")
                wait_until(lambda: world.exchanges("hubspot") > before)
                running.kill()
                running.wait(60)
                if rotation:  # the new refresh token died with the process
                    world.sync(expect=1)
                    self.assertEqual(world.state_of("hubspot")["state"], "needs-auth")
                    world.sign_in("hubspot")
                world.sync(expect=0)
                self.assertEqual((compare(world)[1], duplicates(world)), ([], []))

    def test_plan_renews_as_well(self):
        world = self.signed_world(records=5)
        world.control("hubspot", rotation=True)
        world.sign_in_all()
        world.sync(expect=0)
        world.control("hubspot", expire_access=True)
        world.run("plan", "-o", "plan.jsonl", expect=0)
        world.sync(expect=0)
        self.assertEqual((world.exchanges("hubspot"), world.facts("hubspot")["refused"]), (2, 0))

    def test_configuration(self):
        world = self.signed_world()
        path = os.path.join(world.folder, "crmsync.yaml")
        with open(path) as file:
            good = file.read()
        secret_line = "client_secret: ${HUBSPOT_SECRET}"
        cases = [
            (secret_line, "client_secret: abc", "must not stand in the configuration"),
            (secret_line, "client_secret: abc\n      username: x", "'username' has no effect with grant 'authorization-code'"),
            (secret_line, secret_line + "\n      grant: jwt-bearer", "HubSpot has no sign-in by 'jwt-bearer'"),
            (secret_line, secret_line + "\n      grant: passwort", "passwort"),
            (secret_line, secret_line + "\n      scope: x", "scopes"),
            ("    auth:", "    token: ${X}\n    auth:", "'token' or 'auth', not both"),
            ("  pipedrive:\n", "  pipedrive:\n    base_url: https://x.pipedrive.com\n", "'base_url' has no effect with 'auth'"),
            ("client_id: ", "# client_id: ", "needs 'client_id'"),
            ("/callback", "/callback?x=1", "'redirect_uri' must be"),
            (f"login_url: {world.sims.url('hubspot')}", f"login_url: {world.sims.url('hubspot')}/services", "scheme and host alone"),
            (f"login_url: {world.sims.url('hubspot')}", "login_url: https://evil.example", "correct 'login_url'"),
        ]
        for old, new, message in cases:
            self.assertIn(old, good)
            with open(path, "w") as file:
                file.write(good.replace(old, new, 1))
            if "evil" in new:
                connecting = Connecting(world, "hubspot", "--paste")
                state = urllib.parse.parse_qs(urllib.parse.urlsplit(connecting.url).query)["state"][0]
                code, _, err = connecting.end(f"code=x&state={state}\n")
            else:
                done = world.run("connections")
                code, err = done.returncode, done.stderr
            self.assertEqual(code, 2, (new, err))
            self.assertIn(message, err, new)


class Salesforce(WorldTest):
    """Its three grants, its signed answers, and tokens that say nothing of their end."""

    def org(self, grant, **auth):
        world = SalesforceWorld(grant, auth)
        self.addCleanup(world.close)
        return world

    def test_by_a_person(self):
        world = self.org("authorization-code")
        world.control("salesforce", challenge_required=True, rotation=True)
        self.assertIn("connected 'salesforce'", world.sign_in("salesforce"))
        self.assertRegex(world.state_of("salesforce")["sign_in"], r"^authorization-code, token since 20")
        for count in (2, 3):
            world.control("salesforce", expire_access=True)
            world.run("test", "salesforce")
            self.assertEqual(world.exchanges("salesforce"), count)
        self.assertEqual(world.facts("salesforce")["refused"], 0)
        world.control("salesforce", account="00D000000000009EAA")
        connecting = world.connect("salesforce")
        status, _, text = connecting.consent()
        self.assertEqual(status, 400)
        self.assertIn("for account 00D000000000009", text)
        connecting.stop()
        self.assertIn("signed out", world.run("disconnect", "salesforce", expect=0).stdout)
        self.assertEqual(world.facts("salesforce")["live"]["refresh"], 0)

    def test_three_crms_whose_tokens_end_in_the_middle_of_a_sync(self):
        world = SalesforceWorld("authorization-code", {}, crms=THREE, signed=THREE, records=60, sim=("--no-limits",))
        self.addCleanup(world.close)
        for crm in THREE:
            world.control(crm, rotation=True)
        world.sign_in_all()
        running = world.start("sync")
        for _ in range(8):
            time.sleep(0.2)
            for crm in THREE:
                world.control(crm, expire_access=True)
        self.assertEqual(running.wait(120), 0)
        world.sync(expect=0)
        self.assertEqual((compare(world)[1], duplicates(world)), ([], []))
        for crm in THREE:
            self.assertEqual(world.facts(crm)["refused"], 0)
            self.assertGreater(world.exchanges(crm), 1)

    def test_wrong_secret_does_not_fit_the_signature(self):
        world = self.org("authorization-code")
        world.env["SALESFORCE_SECRET"] = "wrong-secret-0123456789"
        connecting = Connecting(world, "salesforce", "--paste")
        code, _, err = connecting.end(connecting.redirect() + "\n")
        self.assertNotEqual(code, 0)
        self.assertNotIn("wrong-secret", err)

    def test_hostile_instance(self):
        world = self.org("authorization-code")
        for origin in ("https://login.salesforce.com.evil.example", "https://evil.my.salesforce.com.example", "http://x.my.salesforce.com"):
            world.control("salesforce", origin=origin)
            connecting = world.connect("salesforce")
            status, _, text = connecting.consent()
            self.assertEqual(status, 400)
            self.assertIn("not a host of this CRM", text)
            connecting.stop()

    def test_client_credentials(self):
        world = self.org("client-credentials")
        self.assertIn("connected 'salesforce'", world.run("connect", "salesforce", expect=0).stdout)
        world.control("salesforce", expire_access=True)
        world.run("test", "salesforce")
        self.assertEqual(world.facts("salesforce")["exchanges"]["client_credentials"], 2)
        world.run("disconnect", "salesforce", expect=0)
        self.assertIn("nobody has signed in", world.run("sync", expect=1).stderr)  # and stays signed out
        self.assertEqual(world.facts("salesforce")["exchanges"]["client_credentials"], 2)
        world.run("connect", "salesforce", expect=0)
        world.control("salesforce", run_as=False, expire_access=True)
        done = world.run("test", "salesforce", expect=1)
        self.assertIn("Run As", done.stdout)
        world.control("salesforce", run_as=True)
        # The general sign-in host has no such grant.
        path = os.path.join(world.folder, "crmsync.yaml")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace("login_url: http://127.0.0.1", "login_url: http://localhost"))
        done = world.run("connect", "salesforce", expect=2)
        self.assertIn("your own domain", done.stderr)
        with open(path, "w") as file:
            file.write(re.sub("      login_url: .*\n", "", text))
        self.assertIn("needs 'login_url'", world.run("connections", expect=2).stderr)

    def test_private_key(self):
        world = self.org("jwt-bearer", username="sync@acme.example", private_key_file="sf.key")
        key, certificate = os.path.join(world.folder, "sf.key"), os.path.join(world.folder, "sf.crt")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=crmsync", "-keyout", key, "-out", certificate],
            check=True, capture_output=True,
        )
        os.chmod(key, 0o640)
        self.assertIn("can be read by others", world.run("connect", "salesforce", expect=2).stderr)
        os.chmod(key, 0o600)
        done = world.run("connect", "salesforce", expect=1)  # the org does not know the user's key yet
        self.assertIn("administrator", done.stderr)
        with open(certificate) as file:
            world.control("salesforce", jwt_user={"username": "sync@acme.example", "public_key": file.read()})
        self.assertIn("connected 'salesforce'", world.run("connect", "salesforce", expect=0).stdout)
        self.assertRegex(world.state_of("salesforce")["sign_in"], r"^jwt-bearer, token since 20")
        world.control("salesforce", expire_access=True)
        world.run("test", "salesforce")
        self.assertEqual(world.facts("salesforce")["exchanges"]["jwt_bearer"], 2)
        # The org's clock is an hour ahead: the refusal says its time, and that is gone by.
        world.sims.ask("salesforce", "/__sim/advance", {"ms": 3600 * 1000})
        world.control("salesforce", expire_access=True)
        world.run("test", "salesforce")
        self.assertEqual(world.facts("salesforce")["exchanges"]["jwt_bearer"], 3)


class SalesforceWorld(SignInWorld):
    """Salesforce signs in by that grant; `more` may bring the others along."""

    def __init__(self, grant, auth, crms=("salesforce",), signed=("salesforce",), **more):
        self.grant, self.auth = grant, auth
        super().__init__(crms=crms, signed=signed, **more)

    def auth_lines(self, crm):
        if crm != "salesforce":
            return super().auth_lines(crm)
        lines = {"grant": self.grant, **super().auth_lines(crm), **self.auth}
        if self.grant != "authorization-code":
            del lines["redirect_uri"]
        if self.grant == "jwt-bearer":
            del lines["client_secret"]
        return lines


if __name__ == "__main__":
    unittest.main()
