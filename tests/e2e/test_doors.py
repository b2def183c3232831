"""The mass and event doors of the simulated Salesforce over real sockets: messages find their receiver, a long poll is woken, a large load gets in."""

import http.server
import json
import os
import subprocess
import threading
import time
import unittest
import urllib.request

import test_clients
from world import Simulators

DATA = "/services/data/v66.0"
ACK = (
    b'<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    b'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse></e:Body></e:Envelope>'
)


class Receiver:
    """Takes outbound messages; the first `failures` of them are answered with 500."""

    def __init__(self, failures=0):
        self.messages = []
        self.arrived = threading.Condition()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.arrived:
                    receiver.messages.append((self.path, dict(self.headers), body))
                    status = 500 if len(receiver.messages) <= failures else 200
                self.send_response(status)
                self.send_header("Content-Type", "text/xml; charset=utf-8")
                self.send_header("Content-Length", str(len(ACK)))
                self.end_headers()
                self.wfile.write(ACK)
                with receiver.arrived:
                    receiver.arrived.notify_all()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def wait(self, count):
        with self.arrived:
            return self.arrived.wait_for(lambda: len(self.messages) >= count, 30)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Doors(unittest.TestCase):
    def setUp(self):
        self.sims = Simulators(crms=("salesforce",))
        self.addCleanup(self.sims.stop)

    def call(self, method, path, body=None, **headers):
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        headers = {"Content-Type": "application/json", "Authorization": "Bearer " + self.sims.token("salesforce"), **headers}
        request = urllib.request.Request(self.sims.url("salesforce") + path, data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.headers, answer.read()

    def json(self, method, path, body=None, **headers):
        return json.loads(self.call(method, path, body, **headers)[1] or b"null")

    def until(self, ask, wanted):
        """Asks until the answer is the wanted one, for at most 30 s."""
        end = time.monotonic() + 30
        while (answer := ask()) != wanted and time.monotonic() < end:
            time.sleep(0.02)
        self.assertEqual(answer, wanted)

    def outbound(self, name):
        return self.json("GET", "/__sim/outbound/state")[name]

    def test_messages_are_carried_until_they_are_acknowledged(self):
        receiver = Receiver(failures=1)
        self.addCleanup(receiver.stop)
        self.json("POST", "/__sim/outbound", {"rules": [{"object": "Contact", "fields": ["LastName"], "url": receiver.url}]})
        self.json("POST", DATA + "/sobjects/Contact", {"LastName": "Ito"})
        self.assertTrue(receiver.wait(1))
        path, headers, first = receiver.messages[0]
        self.assertEqual((path, headers["SOAPAction"], headers["Content-Type"]), ("/hook", '""', "text/xml; charset=UTF-8"))
        self.assertIn(b"<sf:LastName>Ito</sf:LastName>", first)
        self.until(lambda: self.outbound("failures"), 1)
        self.json("POST", "/__sim/advance", {"ms": 30000})
        self.assertTrue(receiver.wait(2))
        self.assertEqual(receiver.messages[1][2], first, "a repeat has the same notification")
        self.until(lambda: self.outbound("delivered"), 1)

    def test_a_long_poll_is_woken_by_a_change(self):
        self.json("POST", "/__sim/events", {"selected": ["Contact"]})
        headers, body = self.call("POST", "/cometd/66.0", [{"channel": "/meta/handshake", "version": "1.0"}])
        client = {"clientId": json.loads(body)[0]["clientId"]}
        cookie = {"Cookie": headers["Set-Cookie"].split(";")[0]}
        self.json("POST", "/cometd/66.0", [{"channel": "/meta/subscribe", "subscription": "/data/ChangeEvents", **client}], **cookie)
        connect = [{"channel": "/meta/connect", "connectionType": "long-polling", **client}]
        self.assertEqual(len(self.json("POST", "/cometd/66.0", connect, **cookie)), 1, "nothing happened, and it came back all the same")
        writer = threading.Timer(0.1, self.json, ("POST", DATA + "/sobjects/Contact", {"LastName": "Ito"}))
        writer.start()
        answers = []
        while not any("data" in message for message in answers) and len(answers) < 30:
            answers += self.json("POST", "/cometd/66.0", connect, **cookie)
        writer.join()
        self.assertEqual([m["data"]["payload"]["Name"]["LastName"] for m in answers if "data" in m], ["Ito"])

    def test_a_load_beyond_other_limits_gets_in(self):
        job = self.json("POST", DATA + "/jobs/ingest", {"object": "Contact", "operation": "insert"})
        rows = "LastName,Description\n" + "".join(f"Name {i},{'x' * 1000}\n" for i in range(20000))
        self.assertGreater(len(rows), 16 * 1024 * 1024)
        self.call("PUT", "/" + job["contentUrl"], rows.encode(), **{"Content-Type": "text/csv"})
        path = DATA + "/jobs/ingest/" + job["id"]
        self.json("PATCH", path, {"state": "UploadComplete"})
        self.until(lambda: self.json("GET", path)["state"], "JobComplete")
        self.assertEqual(self.json("GET", path)["numberRecordsProcessed"], 20000)
        self.assertEqual(self.call("GET", path + "/successfulResults")[1].count(b'"true"'), 20000)

    def test_a_streaming_client_of_others(self):
        reason = test_clients.install()
        if reason:
            self.skipTest(reason)
        where = {"SIM_URL": self.sims.url("salesforce"), "SIM_TOKEN": self.sims.token("salesforce")}
        script = [test_clients.NODE, "salesforce_streaming.mjs"]
        done = subprocess.run(script, cwd=test_clients.FOLDER, env={**os.environ, **where}, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"3 checks passed")


if __name__ == "__main__":
    unittest.main()
