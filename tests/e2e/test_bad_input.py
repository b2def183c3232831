"""Bad input: each gets a clear error that says what to do next, the right exit code, and nothing is lost."""

import http.server
import json
import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import threading
import unittest

from world import BINARY, WorldTest, wait_until


class BadInput(WorldTest):
    def says(self, done, code, *words):
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr + done.stdout)

    def config(self, world, old, new):
        path = os.path.join(world.folder, "crmsync.yaml")
        with open(path) as file:
            text = file.read()
        self.assertIn(old, text)
        with open(path, "w") as file:
            file.write(text.replace(old, new))

    def text_of(self, world, name):
        with open(os.path.join(world.folder, name), errors="replace") as file:
            return file.read()

    def test_usage(self):
        world = self.world()
        self.says(world.run("sync", "--ful"), 2, "did you mean '--full'", "--help")
        self.says(world.run("snyc"), 2, "did you mean 'sync'")
        self.says(world.run("records", "lits", "contact"), 2, "did you mean 'list'")
        self.says(world.run("records", "list", "contcat"), 2, "no kind", "contact")
        self.says(world.run("records", "create", "contact", "emial=x@y.example"), 2, "did you mean 'email'")
        self.says(world.run("records", "get", "contact", "nobody@nowhere.example"), 1, "try:")
        self.says(world.run("sync", "hubspto"), 2, "there are: hubspot, pipedrive")
        self.says(world.run("sync", "--wait", "soon"), 2, "is no TIME")
        for words in (("sync", "--budget", "0"), ("undo", "1", "--lines", "-1"), ("runs", "--limit", "0"), ("sync", "--budget", "many")):
            self.says(world.run(*words), 2, f"'{words[-2]}': '{words[-1]}' is no whole number from")
        self.says(world.run(), 2, "Commands:")
        self.assertEqual(world.run("sync", "--help").returncode, 0)

    def test_bad_yaml(self):
        world = self.world()
        path = os.path.join(world.folder, "crmsync.yaml")
        with open(path) as file:
            good = file.read()
        for bad, words in (
            ("store: [1\n", ("crmsync.yaml:", "^")),
            (good.replace("priority: 10", "prioritty: 10"), ("crmsync.yaml:9:", "did you mean 'priority'")),
            (good.replace("priority: 10", "priority: ten"), ("'priority' must be a whole number",)),
            (good.replace("priority: 10", "strategy: newest"), ("unknown strategy 'newest'", "last-write-wins")),
            (good.replace("adapter: hubspot", "adapter: hubspott"), ("unknown adapter", "pipedrive")),
            (good.replace("priority: 10", "priority: 1\n    priority: 2"), ("twice",)),
            (good.replace("token: ${HUBSPOT_TOKEN}", "token: pat-123"), ("must not stand in the configuration",)),
        ):
            with open(path, "w") as file:
                file.write(bad)
            self.says(world.run("status"), 2, *words)
        os.unlink(path)
        self.says(world.run("status"), 2, "crmsync init")

    def test_missing_and_wrong_token(self):
        world = self.world(records=5)
        missing = {k: v for k, v in world.env.items() if k != "HUBSPOT_TOKEN"}
        done = world.run("sync", env=missing)
        self.says(done, 2, "HUBSPOT_TOKEN", "is not set")
        # The other connection was synced all the same.
        self.assertGreater(len(world.json("records", "list", "contact")), 0)
        wrong = dict(world.env, HUBSPOT_TOKEN="wrong-secret-token")
        done = world.run("sync", env=wrong)
        self.says(done, 1, "try:")
        self.assertNotIn("wrong-secret-token", done.stdout + done.stderr)
        self.assertEqual(world.sync()["problems"], [])

    def test_token_in_the_store_is_sealed(self):
        world = self.world(records=3)
        self.config(world, "    token: ${HUBSPOT_TOKEN}\n", "")
        self.says(world.run("sync"), 1, "crmsync connect hubspot")
        self.says(world.run("connect", "hubspot", text="nonsense\n"), 1, "not kept")
        world.run("connect", "hubspot", text=world.sims.token("hubspot") + "\n", expect=0)
        self.assertEqual(world.sync()["problems"], [])
        token = world.sims.token("hubspot").encode()
        for name in os.listdir(world.folder):
            with open(os.path.join(world.folder, name), "rb") as file:
                self.assertNotIn(token, file.read(), name)
        os.chmod(os.path.join(world.folder, "key"), 0o644)
        self.says(world.run("sync"), 2, "key")

    def test_unreachable_host(self):
        world = self.world(records=3)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.config(world, world.sims.url("hubspot"), f"http://127.0.0.1:{port}")
        done = world.run("sync", "--wait", "1s")
        self.says(done, 1, "127.0.0.1", "try:")
        self.assertGreater(len(world.json("records", "list", "contact")), 0)

    def test_host_that_is_not_allowed(self):
        world = self.world()
        self.config(world, world.sims.url("hubspot"), "https://evil.example")
        self.says(world.run("sync"), 2, "evil.example", "try:")
        self.config(world, "allow_loopback: true", "allow_loopback: false")
        self.says(world.run("sync", "pipedrive"), 2, "allow_loopback")

    def test_full_disk(self):
        world = self.world(records=300)

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (400 * 1024, 400 * 1024))

        done = subprocess.run(
            [BINARY, "sync", "--quiet"], cwd=world.folder, env=world.env, capture_output=True, text=True, preexec_fn=small_files, timeout=300
        )
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("try:", done.stderr)
        report = world.sync()
        self.assertEqual(report["problems"], [])
        database = sqlite3.connect(os.path.join(world.folder, "store.db"))
        self.assertEqual(database.execute("PRAGMA integrity_check").fetchone()[0], "ok")
        database.close()

    def test_store_from_the_future(self):
        world = self.world()
        database = sqlite3.connect(os.path.join(world.folder, "store.db"))
        database.execute("PRAGMA user_version = 9999")
        database.commit()
        database.close()
        self.says(world.run("status"), 2, "newer", "try:")
        self.says(world.run("sync"), 2, "newer")
        with open(os.path.join(world.folder, "store.db"), "wb") as file:
            file.write(b"this is no database" * 1000)
        for suffix in ("-wal", "-shm"):
            try:
                os.unlink(os.path.join(world.folder, "store.db" + suffix))
            except FileNotFoundError:
                pass
        self.says(world.run("status"), (2), "try:")
        os.unlink(os.path.join(world.folder, "store.db"))
        self.says(world.run("status"), 2, "crmsync init")

    def test_two_processes(self):
        world = self.world(records=3000)
        first = world.start("sync", "--quiet")
        try:
            wait_until(lambda: str(first.pid) in self.text_of(world, "store.db.lock"))
            second = world.run("sync")
            self.says(second, 2, "crmsync sync", str(first.pid))
            world.run("status", expect=0)
            print(f"fault=two-processes asked=1 refused={int(second.returncode == 2)}", flush=True)
        finally:
            first.terminate()
            first.wait()

    def test_mapping_to_a_property_that_does_not_exist(self):
        world = self.world(records=2)
        world.run("init", "--mappings")
        path = os.path.join(world.folder, "mappings", "hubspot.yaml")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace("firstname", "firstnam"))
        self.config(world, "    adapter: hubspot\n", "    adapter: hubspot\n    mapping: mappings/hubspot.yaml\n")
        self.says(world.run("test", "hubspot"), 1, "firstnam", "did you mean 'firstname'", "hubspot.yaml:")
        with open(path, "w") as file:
            file.write(text.replace("first_name:", "first_nam:"))
        self.says(world.run("test", "hubspot"), 2, "first_nam", "hubspot.yaml:")

    def test_local_values(self):
        world = self.world()
        bad = subprocess.run(
            [BINARY, "records", "create", "contact", b"first_name=\xff\xfe"], cwd=world.folder, env=world.env, capture_output=True, timeout=60
        )
        self.assertEqual(bad.returncode, 2)
        self.assertIn(b"UTF-8", bad.stderr)
        self.says(world.run("records", "create", "contact", "email=not an address"), 2, "email")


class Answers(WorldTest):
    """A server that answers nonsense in place of HubSpot."""

    def serve(self, answer):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                status, body = answer(self.path)
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except (BrokenPipeError, ConnectionResetError):
                    pass

            do_POST = do_GET

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_address[1]}"

    def with_server(self, answer):
        world = self.world(records=3)
        path = os.path.join(world.folder, "crmsync.yaml")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace(world.sims.url("hubspot"), self.serve(answer)))
        return world

    def test_fifty_megabytes(self):
        body = b'{"results":[' + b" " * (50 * 1024 * 1024) + b"]}"
        world = self.with_server(lambda path: (200, body))
        done = world.run("sync", "--wait", "1s")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("larger", done.stderr)
        self.assertGreater(len(world.json("records", "list", "contact")), 0)

    def test_invalid_utf8_and_html(self):
        for body in (b'{"portalId": 1, "x": "\xff\xfe"}', b"<html>busy</html>", b'{"portalId": ', b"[]", b'"text"', b"null", b""):
            world = self.with_server(lambda path, body=body: (200, body))
            done = world.run("sync", "--wait", "1s")
            self.assertEqual(done.returncode, 1, (body, done.stdout, done.stderr))
            self.assertIn("hubspot", done.stderr)
            world.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
