"""The running service's metrics: every line by the rules of the format, every number that the dashboards ask for is there, and an alert goes from a number to a signed request."""

import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import unittest
import urllib.error
import urllib.request

from world import BINARY, ROOT, World

SECRET = b"0123456789abcdef0123456789abcdef"
MORE = """
service: {{listen: "127.0.0.1:0"}}
alerts:
  - {{name: always, condition: crmsync_workers > 0, severity: critical, action: hook}}
  - {{name: never, condition: api_rate_limit_hits > 1000000, action: hook}}
notify:
  channels:
    hook: {{webhook: "{hook}", secret: "${{ALERT_SECRET}}"}}
{more}"""
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9]+(?:\.[0-9]+)?|NaN|[+-]Inf)")
BRIEF = {  # names of the brief -> the metric that holds it
    "avg_sync_latency_ms": "crmsync_avg_sync_latency_seconds",
    "sync_success_rate": "crmsync_sync_success_ratio",
    "webhook_processing_time_ms": "crmsync_webhook_processing_seconds",
    "contacts_synced_24h": "crmsync_records_synced_24h",
    "deals_synced_24h": "crmsync_records_synced_24h",
    "activities_synced_24h": "crmsync_records_synced_24h",
    "sync_failures_24h": "crmsync_sync_failures_24h",
    "conflict_count_24h": "crmsync_conflicts_24h",
    "api_rate_limit_hits": "crmsync_rate_limit_hits_24h",
}


def read_metrics(text):
    """{name: {labels: value}} and {family: (type, help)}; fails at the first line that is not as it should be."""
    families, series, family = {}, {}, None
    assert text.endswith("\n")
    lines = iter(text[:-1].split("\n"))
    for line in lines:
        if line.startswith("# HELP "):
            _, _, family, told = line.split(" ", 3)
            kind = re.fullmatch(rf"# TYPE {family} (gauge|counter|histogram)", next(lines))
            assert kind and told and family not in families, line
            families[family] = (kind[1], told)
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        name, labels, value = match.groups()
        suffix = name.removeprefix(family)
        assert name.startswith(family) and suffix in (("_bucket", "_sum", "_count") if families[family][0] == "histogram" else ("",)), line
        assert labels not in series.setdefault(name, {}), line
        series[name][labels] = float(value.replace("Inf", "inf"))
    return families, series


class Hook:
    """Takes requests and keeps them."""

    def __init__(self):
        self.heard = heard = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                heard.append((self.headers, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}/in"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def wait_until(claim, seconds=60):
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "in time"
        time.sleep(0.1)


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hook = Hook()
        cls.world = World(records=40)
        cls.world.env["ALERT_SECRET"] = "whsec_" + base64.b64encode(SECRET).decode()
        cls.configure()
        cls.token = cls.world.run("token", "create", "prometheus", "--role", "viewer", "--all-tenants", "--quiet", expect=0).stdout.strip()
        cls.log = open(os.path.join(cls.world.folder, "log"), "w+")
        cls.service = subprocess.Popen(
            [BINARY, "serve", "--verbose"], cwd=cls.world.folder, env=cls.world.env, stdout=subprocess.PIPE, stderr=cls.log, text=True
        )
        cls.url = re.search(r"http://\S+", cls.service.stdout.readline())[0]

    @classmethod
    def configure(cls, more=""):
        cls.world.write_config(more=MORE.format(hook=cls.hook.url, more=more))

    @classmethod
    def tearDownClass(cls):
        cls.service.send_signal(signal.SIGTERM)
        code = cls.service.wait(30)
        cls.service.stdout.close()
        cls.log.close()
        cls.hook.close()
        cls.world.close()
        assert code == 0, code

    def get(self, token=True):
        request = urllib.request.Request(self.url + "/metrics", headers={"authorization": "Bearer " + self.token} if token else {})
        with urllib.request.urlopen(request, timeout=30) as answer:
            self.assertEqual(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
            return answer.read().decode()

    def synced(self):
        _, series = read_metrics(self.get())
        return sum(series.get("crmsync_records_synced_24h", {}).values())

    def test_every_line_is_right(self):
        wait_until(lambda: self.synced() >= 80)
        text = self.get()
        families, series = read_metrics(text)
        for alias, family in BRIEF.items():
            self.assertIn(alias, families[family][1])
        self.assertEqual(series["crmsync_sync_success_ratio"]['tenant="default"'], 1)
        self.assertGreater(series["crmsync_http_requests_total"]['tenant="default",connection="hubspot"'], 0)
        self.assertGreater(series["process_resident_memory_bytes"][None], 1 << 20)
        self.assertGreater(series["process_open_fds"][None], 5)
        self.assertIn('tenant="default",connection="pipedrive",kind="contact"', series["crmsync_stream_lag_seconds"])
        self.assertTrue(any('connection="hubspot"' in labels for labels in series["crmsync_quota_remaining"]), "what is left of a limit")
        for classes in [n for n in series if n.endswith("_bucket")]:
            self.assertIn('le="+Inf"', series[classes])
        promtool = os.environ.get("PROMTOOL") or shutil.which("promtool")
        if promtool:
            done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        else:
            print("without promtool, only our own reader has looked at it")
        print(f"families={len(families)} series={sum(map(len, series.values()))} bytes={len(text)}")

    def test_dashboards_ask_for_what_there_is(self):
        families, _ = read_metrics(self.get())
        known = set(families) | {f + s for f, (kind, _) in families.items() if kind == "histogram" for s in ("_bucket", "_sum", "_count")}
        with open(os.path.join(ROOT, "dashboards", "crmsync.json")) as file:
            panels = json.load(file)["panels"]
        queries = [target["expr"] for panel in panels for target in panel.get("targets", [])]
        with open(os.path.join(ROOT, "dashboards", "alerts.rules.yml")) as file:
            queries += re.findall(r"^ +expr: (.*)$", file.read(), re.M)
        self.assertGreater(len(queries), 15)
        for query in queries:
            asked = re.findall(r"\b(?:crmsync|process)_[a-z0-9_]+", query)
            self.assertTrue(asked, query)
            for name in asked:
                self.assertIn(name, known, query)

    def test_documentation_names_what_there_is(self):
        with open(os.path.join(ROOT, "docs", "operations.md")) as file:
            documented = set(re.findall(r"`((?:crmsync|process)_[a-z0-9_]+)", file.read()))
        families, _ = read_metrics(self.get())
        self.assertEqual(set(families) - documented, set(), "not described")
        self.assertEqual(documented - set(families), set(), "described and not there")

    def test_alert_is_told(self):
        wait_until(lambda: self.hook.heard)
        headers, body = self.hook.heard[0]
        told = json.loads(body)
        self.assertEqual((told["type"], told["data"]["alert"], told["data"]["severity"]), ("alert.firing", "always", "critical"))
        content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        self.assertEqual(headers["webhook-signature"], "v1," + base64.b64encode(hmac.new(SECRET, content, hashlib.sha256).digest()).decode())
        wait_until(lambda: 'crmsync_alert_firing{alert="always"} 1' in self.get())
        self.assertIn('crmsync_alert_firing{alert="never"} 0', self.get())
        rows = {row["alert"]: row for row in self.world.json("alerts")}
        self.assertEqual((rows["always"]["state"], rows["never"]["state"]), ("firing", "quiet"))

    def test_channel_can_be_tried(self):
        before = len(self.hook.heard)
        self.world.run("alerts", "--test", "never", expect=0)
        self.assertEqual(json.loads(self.hook.heard[before][1])["type"], "alert.test")

    def test_token_is_needed_unless_it_is_said(self):
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.get(token=False)
        self.assertEqual(refused.exception.code, 401)
        refused.exception.close()
        self.configure("metrics: {public: true}\n")
        self.service.send_signal(signal.SIGHUP)

        def is_public():
            try:
                return self.get(token=False)
            except urllib.error.HTTPError as refused:
                refused.close()
                time.sleep(12)  # five tries a minute
                return False

        wait_until(is_public, 90)

    def test_log_names_nobody(self):
        """Whatever the service did so far, at its most talkative: no address, no name and no number of anybody."""
        wait_until(lambda: self.synced() >= 80)
        with open(self.log.name) as file:
            log = file.read()
        self.assertGreater(len(log), 100, "it said something")
        people = {**self.world.sims.live("hubspot", "contacts"), **self.world.sims.live("pipedrive", "persons")}
        values = set()
        for person in people.values():
            values |= set(re.findall(r"[\w.+-]+@[\w.-]+", json.dumps(person["fields"])))
            values |= {v for v in (person["fields"].get("phone"), person["fields"].get("address")) if isinstance(v, str) and len(v) > 5}
        self.assertGreater(len(values), 40)
        for value in values:
            self.assertNotIn(value, log)
        for secret in (self.token, *(self.world.sims.token(crm) for crm in self.world.crms), SECRET.decode(), self.world.env["ALERT_SECRET"]):
            self.assertNotIn(secret, log)


if __name__ == "__main__":
    unittest.main(verbosity=2)
