"""Webhooks of the three CRMs with the service: set up, sent by the simulators, by HubSpot's own signing helper and by a SOAP client that knows only the WSDL.
The service asks nothing by schedule here, so whatever arrives was told."""

import os
import re
import signal
import socket
import subprocess
import time
import unittest
import urllib.error
import urllib.request

import test_clients
import world

WSDL = os.path.join(world.ROOT, "tests", "fixtures", "salesforce", "outbound-contact.wsdl")
SECRET = "a-client-secret-of-the-app"
RESTARTS = 3


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def person(crm, name):
    return {"hubspot": {"firstname": name}, "pipedrive": {"name": name + " Example"}, "salesforce": {"FirstName": name}}[crm]


class Service:
    """A world whose connections take webhooks, synced once, and the service beside it."""

    def __init__(self, records, crms=world.THREE, seed=7, pull="never"):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        more = f"public_url: {self.url}\nservice: {{listen: '127.0.0.1:{self.port}'}}\nschedule: {{pull: {pull}, reconcile: never}}\n"
        on = "webhooks: true"
        self.world = world.World(
            records, seed, crms=crms, more=more, hubspot_more="webhooks: {secret: '${HUBSPOT_APP_SECRET}'}", pipedrive_more=on, salesforce_more=on
        )
        self.world.env["HUBSPOT_APP_SECRET"] = SECRET
        self.world.sync()
        self.addresses, self.reports = {}, {}
        for crm in crms:
            self.reports[crm] = self.world.json("setup", crm, expect=0)["webhooks"]
            found = re.search(re.escape(self.url) + r"/api/crm/webhooks/\S+/[0-9a-f]{32}", self.reports[crm]["by_hand"])
            self.addresses[crm] = found.group() if found else None
        self.start()

    def start(self):
        self.process = self.world.start("serve")
        world.wait_until(self.is_listening, 60)

    def stop(self):
        """The exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def is_listening(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def sends(self, crm, **more):
        """What stands in the app's project or the org's flows."""
        order = {"hubspot": {"url": self.addresses["hubspot"], "secret": SECRET}, "salesforce": {"url": self.addresses.get("salesforce")}}
        self.world.sims.ask(crm, "/__sim/webhooks", {**order.get(crm, {}), **more})

    def people(self, crm):
        return self.world.sims.live(crm, world.PEOPLE_AT[crm][0])

    def shared_people(self):
        """Ids by CRM; who is edited at one is edited nowhere else."""
        live = {crm: self.people(crm) for crm in world.BOTH}
        people = {crm: [] for crm in world.BOTH}
        for number, record in enumerate(self.world.json("records", "list", "contact", "--limit", "1000000")):
            crm = world.BOTH[number % 2]
            links = {link["connection"]: link["remote_id"] for link in world.world_links(self.world, "contact", record["id"])}
            if all(links.get(each) in live[each] for each in world.BOTH):
                people[crm].append(links[crm])
        return people

    def first_names(self, crm):
        read = world.PEOPLE_AT[crm][1]
        return {read(one["fields"])["first_name"] for one in self.people(crm).values()}

    def close(self):
        self.stop()
        self.world.close()


class Webhooks(unittest.TestCase):
    def service(self, *args, **more):
        service = Service(*args, **more)
        self.addCleanup(service.close)
        return service

    def test_what_happens_at_one_arrives_at_the_others(self):
        service = self.service(records=6)
        self.assertEqual(service.reports["pipedrive"], {"created": 2, "present": 0, "removed": 0, "by_hand": ""})
        service.sends("hubspot")
        service.sends("salesforce", ignores_own=True)
        for crm in world.THREE:
            word = world.PEOPLE_AT[crm][0]
            some = sorted(service.people(crm))[0]
            service.world.sims.edit(crm, word, some, **person(crm, "Told-by-" + crm))
            for other in world.THREE:
                world.wait_until(lambda: "Told-by-" + crm in service.first_names(other), 60)
        states = {crm: service.world.sims.ask(crm, "/__sim/webhooks") for crm in world.THREE}
        for crm, state in states.items():
            self.assertGreater(state["delivered"], 0, crm)
            self.assertEqual(state["failures"], 0, crm)
        print({crm: state["delivered"] for crm, state in states.items()}, "deliveries taken")

    def test_a_bad_network_is_made_good_by_the_next_sync(self):
        service = self.service(records=6, crms=world.BOTH)
        manners = {"drop_percent": 20, "duplicate_percent": 30, "reorder_percent": 50, "delay_ms": 200}
        service.sends("hubspot", **manners)
        service.sends("pipedrive", **manners)
        for round_number in range(10):
            for crm in world.BOTH:
                people = sorted(service.people(crm))
                some = people[round_number % len(people)]
                service.world.sims.edit(crm, world.PEOPLE_AT[crm][0], some, **person(crm, f"{crm}-{round_number}"))

        def is_quiet(crm):
            state = service.world.sims.ask(crm, "/__sim/webhooks")
            return not state["queued"] + state["waiting"] + state["out"]

        world.wait_until(lambda: all(is_quiet(crm) for crm in world.BOTH), 60)
        lost = sum(service.world.sims.ask(crm, "/__sim/webhooks")["lost"] for crm in world.BOTH)
        self.assertGreater(lost, 0)
        service.process.send_signal(signal.SIGTERM)
        self.assertEqual(service.process.wait(30), 0)
        service.world.sync()
        agreeing, differences = world.compare(service.world)
        self.assertEqual(differences, [])
        print(f"{agreeing} people agree, {lost} events were lost")

    def test_a_restart_while_people_type_and_crms_send(self):
        """What a CRM could not deliver meanwhile is found by the listings; nothing is made twice, and nothing is lost."""
        service = self.service(records=10, crms=world.BOTH, pull="'@every 2s'")
        typed, stops = {}, 0
        for crm in world.BOTH:
            service.sends(crm)
        people = service.shared_people()
        for number in range(RESTARTS * 20):
            crm = world.BOTH[number % 2]
            some = people[crm][number // 2 % len(people[crm])]
            service.world.sims.edit(crm, world.PEOPLE_AT[crm][0], some, **person(crm, f"Typed-{number}"))
            typed[crm, some] = f"Typed-{number}"
            time.sleep(0.05)
            if number % 20 == 10:
                began = time.monotonic()
                self.assertEqual(service.stop(), 0)
                self.assertLess(time.monotonic() - began, 10)
                service.start()
                stops += 1

        def is_everywhere():
            names = {crm: service.first_names(crm) for crm in world.BOTH}
            return all(name in names[crm] for name in typed.values() for crm in world.BOTH)

        world.wait_until(is_everywhere, 60)
        self.assertEqual(service.stop(), 0)
        self.assertEqual(service.world.sync()["problems"], [])
        agreeing, differences = world.compare(service.world)
        delivered = sum(service.world.sims.ask(crm, "/__sim/webhooks")["delivered"] for crm in world.BOTH)
        print(f"{stops} restarts, {delivered} deliveries taken, {agreeing} people agree")
        self.assertEqual(differences, [])
        self.assertEqual(world.duplicates(service.world), [])
        self.assertGreater(delivered, 0)
        service.start()

    def test_other_peoples_deliveries_are_refused(self):
        service = self.service(records=2, crms=world.BOTH)
        address = service.addresses["hubspot"]
        for url, headers, status in (
            (address, {}, 401),
            (address, {"X-HubSpot-Signature-v3": "A" * 43 + "=", "X-HubSpot-Request-Timestamp": "1"}, 401),
            (address[:-1] + ("0" if address[-1] != "0" else "1"), {}, 401),
            (service.url + "/api/crm/webhooks/nobody/x", {}, 404),
            (service.url + "/api/crm/webhooks/pipedrive/guessed", {"Authorization": "Basic Y3Jtc3luYzp4"}, 401),
        ):
            request = urllib.request.Request(url, data=b"[]", headers={"Content-Type": "application/json", **headers})
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=30)
            self.assertEqual(refused.exception.code, status, url)
            refused.exception.close()

    def hooks_of(self, sims):
        request = urllib.request.Request(sims.url("pipedrive") + "/v1/webhooks", headers={"x-api-token": sims.token("pipedrive")})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return world.json.load(answer)["data"]

    def test_what_the_crm_switched_off_is_made_again(self):
        """Pipedrive gives up after three days without a success; the service looks, finds that out, and only that."""
        service = self.service(records=2, crms=("pipedrive",), pull="'@every 1s'")
        sims = service.world.sims

        def active():
            return [hook for hook in self.hooks_of(sims) if hook["is_active"]]

        service.process.send_signal(signal.SIGTERM)
        service.process.wait(30)
        sims.ask("pipedrive", "/__sim/advance", {"ms": 4 * 24 * 3600 * 1000})
        some = sorted(service.people("pipedrive"))[0]
        sims.edit("pipedrive", "persons", some, name="Nobody Hears")
        world.wait_until(lambda: len(active()) < 2)
        service.process = service.world.start("serve")
        world.wait_until(lambda: len(active()) == 2)
        self.assertEqual(len(self.hooks_of(sims)), 2)
        delivered = sims.ask("pipedrive", "/__sim/webhooks")["delivered"]
        sims.edit("pipedrive", "persons", some, name="Somebody Hears")
        world.wait_until(lambda: sims.ask("pipedrive", "/__sim/webhooks")["delivered"] > delivered)

    def test_nothing_is_made_that_nobody_set_up(self):
        port = free_port()
        for on in ("true", "false"):
            with self.subTest(webhooks=on):
                own = world.World(
                    2, crms=("pipedrive",), pipedrive_more=f"webhooks: {on}",
                    more=f"public_url: http://127.0.0.1:{port}\nservice: {{listen: '127.0.0.1:{port}'}}\nschedule: {{pull: '@every 1s', reconcile: never}}\n",
                )
                self.addCleanup(own.close)
                process = own.start("serve")
                try:
                    world.wait_until(lambda: [r["command"] for r in own.json("runs")].count("serve, listing") >= 3)
                finally:
                    process.send_signal(signal.SIGTERM)
                    process.wait(30)
                self.assertEqual(self.hooks_of(own.sims), [])

    def test_webhooks_end_with_the_connection(self):
        service = self.service(records=2, crms=("pipedrive",))

        def hooks():
            return self.hooks_of(service.world.sims)

        service.process.send_signal(signal.SIGTERM)
        service.process.wait(30)
        former = {hook["subscription_url"] for hook in hooks()}
        again = service.world.json("setup", "pipedrive", expect=0)["webhooks"]
        self.assertEqual((again["created"], again["present"], again["removed"]), (0, 2, 0))
        fresh = service.world.json("setup", "pipedrive", "--new-webhook-secrets", expect=0)["webhooks"]
        self.assertEqual((fresh["created"], fresh["removed"]), (2, 2))
        self.assertTrue(former.isdisjoint(hook["subscription_url"] for hook in hooks()))
        shown = service.world.run("connections", "--json", expect=0).stdout
        self.assertEqual(world.json.loads(shown)[0]["webhooks"], "on")
        for hook in hooks():
            self.assertNotIn(hook["http_auth_password"], shown)
            self.assertNotIn(hook["subscription_url"].rsplit("/", 1)[1], shown)
        config = os.path.join(service.world.folder, "crmsync.yaml")
        with open(config) as file:
            text = file.read()
        with open(config, "w") as file:
            file.write(text.replace("webhooks: true", "webhooks: false"))
        off = service.world.json("setup", "pipedrive", expect=0)["webhooks"]
        self.assertEqual(off["removed"], 2)
        self.assertEqual(hooks(), [])
        self.assertEqual(service.world.json("connections")[0]["webhooks"], "off")


class OfficialSenders(unittest.TestCase):
    """Whose reading of the formats is not ours."""

    @classmethod
    def setUpClass(cls):
        reason = test_clients.install()
        if reason:
            raise unittest.SkipTest(reason)
        cls.service = Service(records=4)

    @classmethod
    def tearDownClass(cls):
        cls.service.close()

    def run_client(self, script, **env):
        done = subprocess.run(
            [test_clients.NODE, script + ".mjs"], cwd=test_clients.FOLDER, env={**os.environ, **env}, capture_output=True, text=True, timeout=120
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"\d+ checks passed")

    # The simulators send nothing here: what arrives was told by these clients.
    def test_hubspots_own_helper_signs(self):
        service = self.service
        contact = sorted(service.people("hubspot"))[0]
        service.world.sims.edit("hubspot", "contacts", contact, firstname="Signed-by-helper")
        address = service.addresses["hubspot"]
        self.run_client("webhook_hubspot", WEBHOOK_URL=address, PUBLIC_URL=address, CLIENT_SECRET=SECRET, PORTAL="4242", CONTACT=contact)
        world.wait_until(lambda: "Signed-by-helper" in service.first_names("pipedrive"), 60)

    def test_a_soap_client_is_acknowledged(self):
        service = self.service
        contact = sorted(service.people("salesforce"))[0]
        organization = next(iter(service.world.sims.state("salesforce", "Organization")))
        service.world.sims.edit("salesforce", "Contact", contact, FirstName="Sent-by-soap")
        self.run_client("webhook_soap", WSDL=WSDL, WEBHOOK_URL=service.addresses["salesforce"], ORGANIZATION=organization, CONTACT=contact)
        world.wait_until(lambda: "Sent-by-soap" in service.first_names("hubspot"), 60)


if __name__ == "__main__":
    unittest.main()
