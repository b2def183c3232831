"""Webhooks over real sockets: what is good is in the inbox before its answer, whatever happens to the process; what is bad gets its status and leaves nothing.

N of the killing test: CRMSYNC_KILLS (default 4)."""

import json
import os
import random
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import zlib

import world
from deliveries import JSON, PATHS, XML, Service, basic, dumps, fixture, hubspot_event, hubspot_signed, outbound_message

KILLS = int(os.environ.get("CRMSYNC_KILLS", "4"))
SENDERS = 12
STOP_S = 10
MIB = 1024 * 1024


class Good(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = Service()

    @classmethod
    def tearDownClass(cls):
        cls.service.close()

    def test_each_crm_is_answered_as_it_wants_it(self):
        body = dumps([hubspot_event(11), hubspot_event(12), hubspot_event(11, eventId=13)])
        status, text, _ = self.service.post(PATHS["hubspot"], body, hubspot_signed(body))
        self.assertEqual(status // 100, 2, text)
        self.assertEqual(sorted(i for i in self.service.inbox("hubspot") if i[0] == "1"), ["11", "12"])

        person = json.loads(fixture("pipedrive", "webhook-v2-create-person.json"))
        person["meta"]["company_id"] = self.service.account("pipedrive")
        status, text, _ = self.service.post(PATHS["pipedrive"], dumps(person), basic())
        self.assertEqual(status, 200, text)
        self.assertEqual(len(self.service.inbox("pipedrive")), 1)

        body = outbound_message(self.service.account("salesforce"), ["0038d00000BqTzKAAV", "0038d00000BqTzLAAV"])
        status, text, headers = self.service.post(PATHS["salesforce"], body, {"Content-Type": XML})
        self.assertEqual(status, 200)
        self.assertIn("<Ack>true</Ack>", text)
        self.assertIn("text/xml", headers["Content-Type"])
        self.assertEqual(len(self.service.inbox("salesforce")), 2)

    def test_a_repeat_is_answered_as_before_and_is_there_once(self):
        body = dumps([hubspot_event(21)])
        headers = hubspot_signed(body)
        for _ in range(5):
            self.assertEqual(self.service.post(PATHS["hubspot"], body, headers)[0] // 100, 2)
            self.assertEqual(self.service.post(PATHS["hubspot"], body, hubspot_signed(body))[0] // 100, 2)  # sent again by HubSpot
        body = fixture("pipedrive", "webhook-v2-change-deal.json")
        for _ in range(5):
            self.assertEqual(self.service.post(PATHS["pipedrive"], body, basic())[0], 200)
        self.assertEqual(self.service.inbox("hubspot").count("21"), 1)


def sender(service, first, acked, stop):
    """Posts deliveries, each of one event, and notes those that were answered with 2xx."""
    number = first
    while not stop.is_set():
        body = dumps([hubspot_event(number)])
        try:
            status, _, _ = service.post(PATHS["hubspot"], body, hubspot_signed(body))
        except OSError:
            time.sleep(0.01)
            continue
        if status // 100 == 2:
            acked.append(str(number))
        number += 1


class Ended(unittest.TestCase):
    """Killed, or stopped in good order, while deliveries come in, and started again."""

    def test_killed(self):
        self.nothing_acknowledged_is_lost("kill")

    def test_restarted(self):
        self.nothing_acknowledged_is_lost("terminate")

    def nothing_acknowledged_is_lost(self, by):
        service = Service()
        self.addCleanup(service.close)
        seed = int(os.environ.get("SEED", random.randrange(10**6)))
        chance = random.Random(seed)
        acked = []
        for kill in range(KILLS):
            stop = threading.Event()
            mine = [[] for _ in range(SENDERS)]
            threads = [threading.Thread(target=sender, args=(service, 10**6 * (kill * SENDERS + i + 1), mine[i], stop)) for i in range(SENDERS)]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0.3, 1.5))
            began = time.monotonic()
            code = service.end(by)
            if by == "terminate":
                self.assertEqual(code, 0)
                self.assertLess(time.monotonic() - began, STOP_S)
            stop.set()
            for thread in threads:
                thread.join()
            acked += [number for numbers in mine for number in numbers]
            service.start()
        inbox = service.inbox("hubspot")
        lost = set(acked) - set(inbox)
        doubled = len(inbox) - len(set(inbox))
        print(f"seed={seed} by={by} ends={KILLS} acknowledged={len(acked)} lost={len(lost)} doubled={doubled}", flush=True)
        self.assertGreater(len(acked), 10 * KILLS)
        self.assertEqual((lost, doubled), (set(), 0))
        self.assertEqual(service.query("PRAGMA integrity_check"), [("ok",)])


class FullDisk(unittest.TestCase):
    """The store lies on a file system that is full for a while."""

    def setUp(self):
        self.disk = tempfile.mkdtemp(prefix="crmsync-full-")
        self.addCleanup(os.rmdir, self.disk)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", self.disk], capture_output=True, text=True)
        if done.returncode != 0:
            reason = "a small file system cannot be mounted here: " + done.stderr.strip()
            print(f"skipped {reason!r}", flush=True)
            self.skipTest(reason)
        self.addCleanup(subprocess.run, ["umount", self.disk], check=True)
        self.addCleanup(setattr, tempfile, "tempdir", tempfile.tempdir)
        tempfile.tempdir = self.disk
        self.service = Service()
        self.addCleanup(self.service.close)

    def fill(self):
        filler = os.path.join(self.disk, "filler")
        with open(filler, "wb", buffering=0) as file:
            for size in (65536, 4096):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass
        return filler

    def test_no_room_is_no_acknowledgement_and_no_end(self):
        acked, number = [], 10**6

        def send():
            nonlocal number
            number += 1
            body = dumps([hubspot_event(number + i, objectId=number * 100 + i) for i in range(50)])
            status, _, headers = self.service.post(PATHS["hubspot"], body, hubspot_signed(body))
            if status // 100 == 2:
                acked.extend(str(number * 100 + i) for i in range(50))
            else:
                self.assertEqual(status, 503)
                self.assertIn("Retry-After", headers)
            return status

        self.assertEqual(send() // 100, 2)
        filler = self.fill()
        refused = 0
        for _ in range(400):  # the log of the store has some room of its own left
            refused += send() == 503
            if refused == 20:
                break
        self.assertEqual(refused, 20)
        os.remove(filler)
        ended = self.service.process.poll() is not None
        if ended:
            self.service.start()
        began = time.monotonic()
        world.wait_until(lambda: send() // 100 == 2, 30)
        print(f"refused={refused} acknowledged={len(acked)} well_again_s={time.monotonic() - began:.1f} restarted={ended}", flush=True)
        self.assertEqual(set(acked) - set(self.service.inbox("hubspot")), set())


class Bad(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = Service()
        cls.before = cls.stored()

    @classmethod
    def tearDownClass(cls):
        cls.service.close()

    @classmethod
    def stored(cls):
        return cls.service.query("SELECT count(*) FROM inbox")[0][0]

    def refused(self, why, status, path, body, headers, method="POST"):
        got, text, more = self.service.post(path, body, headers, method)
        self.assertEqual(got, status, f"{why}: {text}")
        self.assertEqual(self.stored(), self.before, why)
        return text, more

    def test_what_does_not_prove_itself(self):
        path, body = PATHS["hubspot"], dumps([hubspot_event(31)])
        good = hubspot_signed(body)
        now = int(time.time() * 1000)
        self.refused("another secret", 401, path, body, hubspot_signed(body, secret="guess"))
        self.refused("another body", 401, path, dumps([hubspot_event(32)]), good)
        self.refused("one byte more", 401, path, body + b" ", good)
        self.refused("another address", 401, path + "?x=1", body, good)
        self.refused("another method signed", 401, path, body, hubspot_signed(body, method="PUT"))
        self.refused("signed six minutes ago", 401, path, body, hubspot_signed(body, at_ms=now - 6 * 60000))
        self.refused("signed two minutes ahead", 401, path, body, hubspot_signed(body, at_ms=now + 2 * 60000))
        self.refused("time of another delivery", 401, path, body, {**good, "X-HubSpot-Request-Timestamp": str(now + 1)})
        self.refused("no signature", 401, path, body, {"Content-Type": JSON})
        self.refused("empty signature", 401, path, body, {**good, "X-HubSpot-Signature-v3": ""})
        self.refused("a long signature", 401, path, body, {**good, "X-HubSpot-Signature-v3": "A" * 8000})
        self.refused("an old version", 401, path, body, {"Content-Type": JSON, "X-HubSpot-Signature-Version": "v1", "X-HubSpot-Signature": "0" * 64})
        person = fixture("pipedrive", "webhook-v2-create-person.json")
        self.refused("no password", 401, PATHS["pipedrive"], person, {"Content-Type": JSON})
        self.refused("another password", 401, PATHS["pipedrive"], person, basic(password="guess"))
        self.refused("another user", 401, PATHS["pipedrive"], person, basic(user="admin"))
        self.refused("another path secret", 401, PATHS["pipedrive"][:-1] + "x", person, basic())
        self.refused("no path secret", 401, "/api/crm/webhooks/pipedrive", person, basic())
        message = outbound_message("00D000000000000AAA", ["0038d00000BqTzKAAV"])
        self.refused("another path secret", 401, PATHS["salesforce"][:-1] + "x", message, {"Content-Type": XML})

    def test_what_is_no_delivery(self):
        path, body = PATHS["hubspot"], dumps([hubspot_event(41)])
        good = hubspot_signed(body)
        self.refused("unknown connection", 404, "/api/crm/webhooks/nobody", body, good)
        self.refused("a path that climbs", 404, "/api/crm/webhooks/..%2fhubspot", body, good)
        self.refused("GET", 405, path, None, good, "GET")
        self.refused("PUT", 405, path, body, good, "PUT")
        self.refused("form", 415, path, body, {**good, "Content-Type": "application/x-www-form-urlencoded"})
        self.refused("XML for JSON", 415, path, body, {**good, "Content-Type": XML})
        self.refused("JSON for XML", 415, PATHS["salesforce"], body, {"Content-Type": JSON})
        bomb = zlib.compress(b"[" + b" " * (64 * MIB) + b"]", 9)
        self.refused("gzip bomb", 415, path, bomb, {**hubspot_signed(bomb), "Content-Encoding": "gzip"})

    def test_what_is_malformed(self):
        for why, body in [
            ("no JSON", b"hello"),
            ("nothing", b""),
            ("cut off", dumps([hubspot_event(51)])[:-2]),
            ("no list", dumps(hubspot_event(52))),
            ("numbers", b"[1, 2]"),
            ("too deep", b"[" * 100000),
            ("too deep and closed", b"[" * 100000 + b"]" * 100000),
            ("no UTF-8", b'[{"subscriptionType": "\xff\xfe"}]'),
            ("a member twice", b'[{"objectId": 1, "objectId": 2}]'),
        ]:
            self.refused(why, 400, PATHS["hubspot"], body, hubspot_signed(body))
        for why, body in [("no JSON", b"{"), ("a list", b"[]"), ("too deep", b'{"data":' * 50000)]:
            self.refused(why, 400, PATHS["pipedrive"], body, basic())

    def test_xml_that_attacks(self):
        laughs = "".join(f'<!ENTITY l{i} "{"&l" + str(i - 1) + ";" if i else "ha"}{("&l" + str(i - 1) + ";") * 9 if i else ""}">' for i in range(10))
        attacks = [
            ("billion laughs", outbound_message("00D", ["003"], "&l9;", f"<!DOCTYPE x [{laughs}]>")),
            ("quadratic", outbound_message("00D", ["003"], "&a;" * 20000, f'<!DOCTYPE x [<!ENTITY a "{"a" * 20000}">]>')),
            ("a file", outbound_message("00D", ["003"], "&f;", '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>')),
            ("a server", outbound_message("00D", ["003"], "", f'<!DOCTYPE x SYSTEM "http://127.0.0.1:{self.service.port}/x.dtd">')),
            ("an empty document type", outbound_message("00D", ["003"], "", "<!DOCTYPE x>")),
            ("too deep", b"<a>" * 50000),
            ("too deep and closed", b"<a>" * 50000 + b"</a>" * 50000),
            ("101 notifications", outbound_message(self.service.account("salesforce"), [f"003{i:012d}" for i in range(101)])),
            ("no XML", b"hello"),
            ("not SOAP", b"<?xml version='1.0'?><x/>"),
            ("another encoding", "<?xml version='1.0' encoding='UTF-16'?><x/>".encode("utf-16")),
        ]
        for why, body in attacks:
            began = time.monotonic()
            text, _ = self.refused(why, 400, PATHS["salesforce"], body, {"Content-Type": XML})
            self.assertNotIn("<Ack>true", text, why)
            self.assertLess(time.monotonic() - began, 5, why)

    def test_too_much(self):
        head = f"POST {PATHS['hubspot']} HTTP/1.1\r\nHost: h\r\nContent-Type: {JSON}\r\n"
        got = self.service.raw(head.encode() + f"Content-Length: {MIB + 1}\r\n\r\n".encode() + b" " * (MIB + 1))
        self.assertIn(b"413", got[:20])
        got = self.service.raw(head.encode() + b"Content-Length: 99999999999\r\n\r\n" + b"x" * 1000)
        self.assertIn(b"413", got[:20])
        got = self.service.raw(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + b"100000\r\n" + b"x" * MIB + b"\r\n100000\r\n" + b"x" * MIB)
        self.assertTrue(got == b"" or b"413" in got[:20], got[:100])
        got = self.service.raw(head.encode() + b"X: " + b"y" * 100000 + b"\r\n\r\n")
        self.assertNotIn(b"HTTP/1.1 2", got)
        self.assertEqual(self.stored(), self.before)

    def test_smuggling(self):
        """A second request hides in what one server takes for a body and another one does not: here nothing behind the first answer is answered."""
        body = dumps([hubspot_event(61)])
        signed = "".join(f"{name}: {value}\r\n" for name, value in hubspot_signed(body).items())
        hidden = f"POST {PATHS['hubspot']} HTTP/1.1\r\nHost: h\r\n{signed}Content-Length: {len(body)}\r\n\r\n".encode() + body
        chunked = b"0\r\n\r\n" + hidden
        forms = {
            "length and chunked": f"Content-Length: {len(chunked)}\r\nTransfer-Encoding: chunked\r\n",
            "chunked and length": f"Transfer-Encoding: chunked\r\nContent-Length: {len(chunked)}\r\n",
            "two lengths": f"Content-Length: 5\r\nContent-Length: {len(chunked)}\r\n",
            "a list of lengths": f"Content-Length: 5, {len(chunked)}\r\n",
            "a length with a sign": "Content-Length: +5\r\n",
            "a length in hexadecimal": "Content-Length: 0x5\r\n",
            "chunked behind something": "Transfer-Encoding: identity, chunked\r\n",
            "chunked twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "nearly chunked": "Transfer-Encoding: xchunked\r\n",
            "chunked with a blank": "Transfer-Encoding : chunked\r\n",
            "chunked with a tab": "Transfer-Encoding:\tchunked\x0b\r\n",
            "two hosts": "Host: other\r\nContent-Length: 5\r\n",
        }
        for why, framing in forms.items():
            got = self.service.raw(f"POST /api/crm/webhooks/nobody HTTP/1.1\r\nHost: h\r\n{framing}\r\n".encode() + chunked)
            self.assertLessEqual(got.count(b"HTTP/1.1 "), 1, (why, got[:300]))
            self.assertNotIn(b"HTTP/1.1 2", got, why)
            self.assertEqual(self.stored(), self.before, why)

    def test_slow_clients_keep_nobody_else_out(self):
        """As many dripping connections as one address may have; another address is served at once, and in the end all of them are closed."""
        slow = []
        for i in range(40):
            dialled = socket.create_connection(("127.0.0.1", self.service.port), timeout=20)
            dialled.setblocking(False)
            slow.append(dialled)
        head = f"POST {PATHS['hubspot']} HTTP/1.1\r\nHost: h\r\nContent-Type: {JSON}\r\nContent-Length: 1000\r\n\r\n".encode()
        sent, open_ones, began = 0, list(slow), time.monotonic()
        served = []
        while open_ones and time.monotonic() - began < 25:
            for dialled in list(open_ones):
                try:
                    dialled.send(head[sent : sent + 1] if sent < len(head) else b"x")
                    if dialled.recv(100) == b"":
                        open_ones.remove(dialled)
                except BlockingIOError:
                    pass
                except OSError:
                    open_ones.remove(dialled)
            if sent % 20 == 5:
                asked = time.monotonic()
                status, _, _ = self.service.post("/api/crm/webhooks/nobody", b"{}", {"Content-Type": JSON}, source="127.0.0.2")
                self.assertEqual(status, 404)
                served.append(time.monotonic() - asked)
            sent += 1
            time.sleep(0.05)
        took = time.monotonic() - began
        print(f"slow={len(slow)} all_closed_s={took:.1f} others_served={len(served)} slowest_ms={max(served) * 1000:.0f}", flush=True)
        for dialled in slow:
            dialled.close()
        self.assertEqual(open_ones, [])
        self.assertGreater(len(served), 3)
        self.assertLess(max(served), 5)
        self.assertEqual(self.stored(), self.before)

    def test_memory_stays(self):
        """Floods of large deliveries that are refused leave no memory behind."""
        large = b"[" + b" " * (MIB - 2) + b"]"
        deep = b"[" * (MIB // 2)

        def flood(count):
            for _ in range(count):
                self.service.post(PATHS["hubspot"], large, hubspot_signed(large, secret="guess"))
                self.service.post(PATHS["hubspot"], deep, hubspot_signed(deep))
                self.service.post(PATHS["salesforce"], outbound_message("00D", ["003"], "x" * (MIB // 2)) + b"<", {"Content-Type": XML})

        flood(20)
        before = self.service.rss_kb()
        flood(100)
        after = self.service.rss_kb()
        print(f"rss_before_mb={before / 1024:.1f} rss_after_mb={after / 1024:.1f}", flush=True)
        self.assertLess(after - before, 16 * 1024)
        self.assertEqual(self.stored(), self.before)

    def test_secrets_of_paths_are_not_logged(self):
        self.service.post(PATHS["pipedrive"], b"{", basic())
        with open(self.service.log.name) as file:
            text = file.read()
        self.assertIn('"path":"/api/crm/webhooks/pipedrive/*"', text)
        for secret in ("pipedrive-path", "salesforce-path", "pipedrive-password", "hubspot-app-secret"):
            self.assertNotIn(secret, text)
        self.assertIn("webhook refused", text)


class Rate(unittest.TestCase):
    def test_more_than_the_rate_is_asked_to_come_later(self):
        service = Service(rate=5)
        self.addCleanup(service.close)
        answers = []
        for number in range(40):
            body = dumps([hubspot_event(700 + number)])
            answers.append(service.post(PATHS["hubspot"], body, hubspot_signed(body)))
        accepted = [a for a in answers if a[0] // 100 == 2]
        later = [a for a in answers if a[0] == 429]
        self.assertEqual(len(accepted) + len(later), 40)
        self.assertGreater(len(later), 0)
        self.assertEqual({a[2]["Retry-After"] for a in later}, {"1"})
        self.assertEqual(len(service.inbox("hubspot")), len(accepted))


if __name__ == "__main__":
    unittest.main(verbosity=2)
