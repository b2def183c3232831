"""A service that is reached by TLS: commands beside it and from elsewhere, a renewed certificate while clients stay, clients that prove themselves by one, and the
door beside the store whatever the service listens on. Certificates are made here, by openssl."""

import http.client
import os
import re
import signal
import sqlite3
import ssl
import subprocess
import unittest

from deliveries import SECRETS, XML, outbound_message
from test_serve import Service
from world import WorldTest, wait_until


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


class Certificates:
    """An authority, and what it signs for this machine."""

    def __init__(self, folder):
        self.folder, self.made = folder, 0
        openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
                "-subj", "/CN=Test authority", "-days", "2")
        self.sign()

    def sign(self):
        """A new certificate for the service at the same place. Returns its number."""
        self.made += 1
        with open(os.path.join(self.folder, "names"), "w") as file:
            file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl(self.folder, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "fresh.key", "-out", "csr", "-subj", "/CN=localhost")
        openssl(self.folder, "x509", "-req", "-in", "csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", str(self.made), "-days", "2", "-extfile", "names",
                "-out", "fresh.pem")
        os.chmod(self.path("fresh.key"), 0o600)
        os.rename(self.path("fresh.pem"), self.path("service.pem"))
        os.rename(self.path("fresh.key"), self.path("service.key"))
        return self.made

    def client(self, name):
        """One that signs itself, as a CRM's may."""
        openssl(self.folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key", "-out", name + ".pem",
                "-subj", "/CN=" + name, "-days", "2")

    def path(self, name):
        return os.path.join(self.folder, name)


class Tls(WorldTest):
    SETTINGS = "schedule: {{pull: never, reconcile: never}}\nservice:\n  listen: 127.0.0.1:{port}\n  tls: {{certificate: service.pem, key: service.key{more}}}\n"

    def secured(self, more="", config="", **world):
        made = self.world(more=self.SETTINGS.format(port=0, more=more) + config, init=False, **world)
        made.certificates = Certificates(made.folder)
        return made

    def serve(self, world, expect="https"):
        service = Service(world)
        self.addCleanup(service.close)
        self.assertIn("serves", service.said, service.log())
        self.assertIn(expect, service.said)
        found = re.search(r":(\d+)$", service.said.strip())
        service.port = int(found[1]) if found else None
        return service

    def context(self, world, client=None):
        context = ssl.create_default_context(cafile=world.certificates.path("ca.pem"))
        if client:
            context.load_cert_chain(world.certificates.path(client + ".pem"), world.certificates.path(client + ".key"))
        return context

    def dial(self, world, service, client=None):
        connection = http.client.HTTPSConnection("localhost", service.port, timeout=30, context=self.context(world, client))
        self.addCleanup(connection.close)
        connection.connect()
        return connection

    def serial(self, connection):
        return int(connection.sock.getpeercert()["serialNumber"], 16)

    def alive(self, connection):
        connection.request("GET", "/healthz")
        with connection.getresponse() as answer:
            answer.read()
            return answer.status

    def test_commands_reach_it(self):
        world = self.secured(records=3)
        world.run("init", expect=0)
        token = world.json("token", "create", "op", "--role", "operator")["token"]
        service = self.serve(world)
        made = world.json("records", "create", "contact", "email=by@door.example")  # by the door beside the store: it is held
        there = dict(world.env, CRMSYNC_TOKEN=token)
        url = f"https://localhost:{service.port}"
        shown = world.run("records", "get", "contact", made["id"], "--server", url, "--ca", "ca.pem", env=there, expect=0)
        self.assertIn("by@door.example", shown.stdout)
        shown = world.run("records", "get", "contact", made["id"], env=dict(there, CRMSYNC_SERVER=url, CRMSYNC_CA="ca.pem"), expect=0)
        self.assertIn("by@door.example", shown.stdout)
        refused = world.run("status", "--server", url, env=there, expect=1)
        self.assertIn("cannot trust the certificate of localhost", refused.stderr)
        self.assertIn("--ca FILE", refused.stderr)
        self.assertIn("cannot read the certificates 'nothing.pem'", world.run("status", "--server", url, "--ca", "nothing.pem", env=there, expect=2).stderr)
        self.assertIn("--ca is about", world.run("status", "--ca", "ca.pem", expect=2).stderr)
        self.assertIn("takes no --server", world.run("doctor", "--server", url, expect=2).stderr)
        service.stop()
        self.assertEqual([name for name in os.listdir(world.folder) if name.endswith((".service", ".socket"))], [])

    def test_a_renewed_certificate_is_for_new_connections(self):
        world = self.secured()
        world.run("init", expect=0)
        service = self.serve(world)
        before = self.dial(world, service)
        self.assertEqual((self.alive(before), self.serial(before)), (200, 1))
        world.certificates.sign()
        service.signal(signal.SIGHUP)
        wait_until(lambda: self.serial(self.dial(world, service)) == 2)
        opened = before.sock
        self.assertEqual(self.alive(before), 200)
        self.assertIs(before.sock, opened, "the former connection was dropped")
        world.certificates.sign()
        os.chmod(world.certificates.path("service.key"), 0o644)
        service.signal(signal.SIGHUP)
        wait_until(lambda: "the new configuration is not used" in service.log())
        self.assertIn("can be read by others", service.log())
        self.assertEqual(self.serial(self.dial(world, service)), 2)
        os.chmod(world.certificates.path("service.key"), 0o600)
        service.signal(signal.SIGHUP)
        wait_until(lambda: self.serial(self.dial(world, service)) == 3)
        world.write_config(more=f"service: {{listen: '127.0.0.1:0'}}\n")  # plain from now on: not without a restart
        service.signal(signal.SIGHUP)
        wait_until(lambda: "'service.tls' cannot change" in service.log())
        self.assertEqual(self.serial(self.dial(world, service)), 3)

    def test_files_that_cannot_be_used_are_explained(self):
        world = self.secured()
        world.run("init", expect=0)
        os.chmod(world.certificates.path("service.key"), 0o640)
        refused = world.run("serve", expect=2).stderr
        self.assertIn("can be read by others", refused)
        self.assertIn("chmod 600", refused)
        os.remove(world.certificates.path("service.pem"))
        self.assertIn("cannot read the TLS certificate", world.run("serve", expect=2).stderr)

    def test_the_newest_version_alone(self):
        world = self.secured(more=", minimum: 1.3")
        world.run("init", expect=0)
        service = self.serve(world)
        context = self.context(world)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with self.assertRaises(ssl.SSLError):
            http.client.HTTPSConnection("localhost", service.port, timeout=30, context=context).connect()
        self.assertEqual(self.alive(self.dial(world, service)), 200)

    def test_a_crm_proves_itself_by_its_certificate(self):
        world = self.secured(
            more=", client_ca: crm.pem",
            config="public_url: https://crm.example\n",
            crms=("salesforce",),
            salesforce_more="webhooks: {path_secret: '${SF_PATH}', client_certificate: true}",
        )
        world.env.update(SECRETS)
        for name in ("crm", "stranger"):
            world.certificates.client(name)
        world.run("init", expect=0)
        world.run("sync", expect=(0, 3, 4))  # so that the organization is known
        service = self.serve(world)
        store = sqlite3.connect("file:" + os.path.join(world.folder, "store.db") + "?mode=ro", uri=True)
        ((account,),) = store.execute("SELECT account_id FROM connection").fetchall()
        store.close()
        body = outbound_message(account, ["0038d00000BqTzKAAV"])

        def deliver(client):
            connection = self.dial(world, service, client)
            connection.request("POST", "/api/crm/webhooks/salesforce/" + SECRETS["SF_PATH"], body, {"Content-Type": XML})
            with connection.getresponse() as answer:
                return answer.status, answer.read().decode()

        status, text = deliver(None)
        self.assertEqual(status, 401, text)
        self.assertIn("showed no client certificate", service.log())
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            deliver("stranger")
        status, text = deliver("crm")
        self.assertEqual(status, 200, text + service.log())
        self.assertIn("<Ack>true</Ack>", text)

    def test_the_door_beside_the_store(self):
        deep = os.path.join("d" * 60, "e" * 60)  # longer than the address of a socket may be
        for listen, store in (("'unix:http.sock'", "store.db"), ("'[::1]:0'", "store.db"), ("'127.0.0.1:0'", os.path.join(deep, "store.db"))):
            with self.subTest(listen=listen, store=store):
                world = self.world(more=f"service: {{listen: {listen}}}\nschedule: {{pull: never, reconcile: never}}\n", init=False)
                os.makedirs(os.path.join(world.folder, deep))
                path = os.path.join(world.folder, "crmsync.yaml")
                with open(path) as file:
                    text = file.read().replace("store: store.db", "store: " + store)
                with open(path, "w") as file:
                    file.write(text)
                world.run("init", expect=0)
                service = self.serve(world, "")
                made = world.json("records", "create", "contact", "email=by@door.example")
                elsewhere = world.run("records", "delete", "contact", made["id"], "--config", path, expect=0)  # the same store by another path
                self.assertEqual(elsewhere.stderr, "")
                self.assertEqual(service.stop()[0], 0)
                left = [name for name in os.listdir(os.path.dirname(os.path.join(world.folder, store))) if name.endswith((".service", ".socket"))]
                self.assertEqual(left, [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
