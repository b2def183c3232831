"""Backups as a person makes and restores them: one file made while others work, its receipt, the folder that keeps the newest, and a drill."""

import hashlib
import json
import os
import signal
import sqlite3
import stat
import time
import unittest

from world import WorldTest, compare, duplicates, wait_until


class Backup(WorldTest):
    def receipt(self, world, name):
        with open(os.path.join(world.folder, name + ".receipt.json")) as file:
            return json.load(file)

    def test_drill(self):
        world = self.world(records=40, settle="0s", hubspot_more="deletes: archive", pipedrive_more="deletes: archive")
        world.sync()
        made = world.json("backup", "monday.db", expect=0)
        self.assertEqual(made["records"], self.receipt(world, "monday.db")["records"])

        for i in range(5):
            world.sims.edit("hubspot", "contacts", None, email=f"new{i}@drill.example", firstname="New", lastname=f"Nr{i}")
        world.sims.edit("pipedrive", "persons", None, name="No Mail")
        gone = next(iter(world.sims.live("hubspot", "contacts")))
        world.sims.ask("hubspot", "/__sim/delete", {"object": "contacts", "id": gone})
        changed = list(world.sims.live("hubspot", "contacts"))[3]
        world.sims.edit("hubspot", "contacts", changed, lastname="Changed")
        world.sync()
        world.sync()
        before = {crm: sorted(world.sims.live(crm, word)) for crm, word in (("hubspot", "contacts"), ("pipedrive", "persons"))}
        writes = world.sims.writes()

        told = world.run("restore", "monday.db", expect=0).stdout
        self.assertIn("nothing is written to any CRM before", told)
        report = world.sync("--pull")
        self.assertEqual(report["restoring"], 0, "everything was read")
        world.sync()
        world.sync()
        self.assertEqual({crm: sorted(world.sims.live(crm, word)) for crm, word in (("hubspot", "contacts"), ("pipedrive", "persons"))}, before)
        self.assertEqual(world.sims.writes(), writes, "both sides agreed, so there was nothing to write")
        self.assertEqual(duplicates(world), [])
        agreeing, differences = compare(world)
        self.assertGreater(agreeing, 40)
        asides = [n for n in os.listdir(world.folder) if n.startswith("store.db.before-")]
        self.assertEqual(len(asides), 1)
        actions = [e["action"] for e in world.json("audit")]
        self.assertIn("store.restored", actions)
        self.assertIn("store.restore-ended", actions)
        self.assertTrue(world.json("audit", "--verify")["whole"])

    def test_one_connection_at_a_time(self):
        world = self.world(records=5, settle="0s")
        world.sync()
        world.run("backup", "b.db", expect=0)
        h = next(iter(world.sims.live("hubspot", "contacts")))
        world.sims.edit("hubspot", "contacts", h, lastname="Changed")
        writes = world.sims.writes()
        world.run("restore", "b.db", expect=0)
        done = world.run("sync", "hubspot", expect=3)
        self.assertIn("nothing was written: the store was restored, and 2 kinds", done.stdout)
        self.assertEqual(world.sims.writes(), writes)
        world.run("undo", "1", "--yes", expect=2)
        skipped = world.run("restore", "--skip", "pipedrive", expect=0).stdout
        self.assertIn("'pipedrive' is not waited for", skipped)
        world.sync()
        self.assertGreater(world.sims.writes(), writes)
        world.run("restore", "--skip", "nobody", expect=2)

    def test_file_and_receipt(self):
        world = self.world(settle="0s")
        world.sims.edit("hubspot", "contacts", None, email="a@backup.example", lastname="A")
        world.sync()
        world.run("backup", "b.db", expect=0)
        path = os.path.join(world.folder, "b.db")
        receipt = self.receipt(world, "b.db")
        with open(path, "rb") as file:
            self.assertEqual(hashlib.sha256(file.read()).hexdigest(), receipt["sha256"])
        for name in (path, path + ".receipt.json"):
            self.assertEqual(stat.S_IMODE(os.stat(name).st_mode), 0o600)
        world.run("audit", "--verify", "--anchor", receipt["audit"][0]["anchor"], expect=0)
        world.run("backup", "b.db", expect=2)
        world.run("backup", expect=2)
        world.run("backup", "x.db", "--keep", "2", expect=2)
        world.run("backup", "no/folder/x.db", expect=2)
        with open(path, "r+b") as file:
            file.seek(5000)
            file.write(b"changed")
        refused = world.run("restore", "b.db", expect=1)
        self.assertIn("not the file that its receipt was written for", refused.stderr)
        self.assertEqual([n for n in os.listdir(world.folder) if ".before-" in n or ".restore-" in n], [])

    def test_key_is_not_in_it(self):
        world = self.world(settle="0s")
        world.run("backup", "b.db", expect=0)
        with open(os.path.join(world.folder, "key"), "rb") as file:
            key = file.read().strip()
        with open(os.path.join(world.folder, "b.db"), "rb") as file:
            content = file.read()
        self.assertNotIn(key, content)
        self.assertNotIn(bytes.fromhex(key.decode()), content)

    def test_beside_a_sync(self):
        world = self.world(records=150, settle="0s")
        running = world.start("sync")
        for i in range(5):
            world.run("backup", f"b{i}.db", expect=0)
            database = sqlite3.connect(os.path.join(world.folder, f"b{i}.db"))
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            self.assertEqual(database.execute("SELECT count(*) FROM link l LEFT JOIN record r ON r.id = l.record_id WHERE r.id IS NULL").fetchone(), (0,))
            database.close()
        refused = world.run("restore", "b0.db")
        if running.poll() is None:
            self.assertEqual(refused.returncode, 2)
            self.assertIn("is in use by process", refused.stderr)
        self.assertEqual(running.wait(120), 0)

    def test_folder_keeps_the_newest(self):
        world = self.world(settle="0s")
        folder = os.path.join(world.folder, "backups")
        os.mkdir(folder)
        old = [f"crmsync-2020010{i}T000000Z.db" for i in range(1, 5)]
        others = ["crmsync-notes.db", "mine.db", "crmsync-20200101T000000Z.db.txt"]
        for name in [*old, *others]:
            open(os.path.join(folder, name), "w").close()
            open(os.path.join(folder, name + ".receipt.json"), "w").close()
        made = world.json("backup", "--dir", "backups", "--keep", "2", expect=0)
        self.assertEqual(made["removed"], 3)
        left = {n for n in os.listdir(folder) if not n.endswith(".receipt.json")}
        self.assertEqual(left, {old[3], os.path.basename(made["file"]), *others})
        self.assertFalse(os.path.exists(os.path.join(folder, old[0] + ".receipt.json")))

    def test_configuration(self):
        world = self.world(settle="0s")
        for wrong, said in (("backup: {schedule: '@daily'}", "dir"), ("backup: {dir: b, keep: -1}", "keep"), ("backup: {dir: b, schedule: often}", "often"), ("backup: {folder: b}", "folder")):
            world.write_config(settle="0s", more=wrong + "\n")
            refused = world.run("status", expect=2)
            self.assertIn("crmsync.yaml:", refused.stderr)
            self.assertIn(said, refused.stderr)
        world.write_config(settle="0s", more="backup: {dir: backups, schedule: '0 3 * * *', time_zone: Europe/Berlin, keep: 7}\n")
        world.run("status", expect=0)

    def test_the_service_does_both(self):
        world = self.world(settle="0s")
        world.sims.edit("hubspot", "contacts", None, email="a@service.example", lastname="A")
        world.sync(expect=0)
        os.mkdir(os.path.join(world.folder, "backups"))
        database = sqlite3.connect(os.path.join(world.folder, "store.db"))
        database.execute("UPDATE journal SET at_ms = at_ms - 31 * 86400000")
        database.execute("INSERT INTO journal SELECT NULL, tenant_id, record_id, record_version, at_ms, run_id, connection_id, remote_id, cause, rule, changed_ms, time_is_exact, changes FROM journal LIMIT 1")
        database.commit()
        entries = database.execute("SELECT count(*) FROM journal").fetchone()[0]
        service = "service: {listen: '127.0.0.1:0'}\n"
        world.write_config(settle="0s", more=service + "retention: {journal: 30d}\nbackup: {dir: backups, schedule: '@every 1s', keep: 2}\n")
        running = world.start_listening("serve")
        try:
            backups = lambda: sorted(n for n in os.listdir(os.path.join(world.folder, "backups")) if n.endswith(".db"))
            wait_until(lambda: len(backups()) == 2)
            first = backups()[0]
            wait_until(lambda: first not in backups())  # the newest two stay
            wait_until(lambda: database.execute("SELECT count(*) FROM journal").fetchone()[0] < entries)
            # The configuration is read again, and holds for this as well.
            world.write_config(settle="0s", more=service)
            running.send_signal(signal.SIGHUP)
            seen = {"names": backups(), "since": time.monotonic()}

            def is_quiet():
                if backups() != seen["names"]:
                    seen.update(names=backups(), since=time.monotonic())
                return time.monotonic() - seen["since"] > 3

            wait_until(is_quiet)
        finally:
            database.close()
            running.send_signal(signal.SIGTERM)
            out, err = running.communicate(timeout=30)
        self.assertEqual(running.returncode, 0, err)
        name = os.path.join("backups", backups()[-1])
        world.run("restore", name, expect=0)

    def test_retention(self):
        world = self.world(settle="0s")
        self.assertEqual(world.json("prune", expect=0)["journal"], 0, "kept for ever")
        for wrong, said in (("retention: {journal: 1h}", "at least 1d"), ("retention: {jurnal: 9d}", "journal"), ("retention: {runs: soon}", "runs")):
            world.write_config(settle="0s", more=wrong + "\n")
            refused = world.run("prune", expect=2)
            self.assertIn("crmsync.yaml:", refused.stderr)
            self.assertIn(said, refused.stderr)
        h = str(world.sims.edit("hubspot", "contacts", None, email="a@retention.example", lastname="A")["id"])
        world.write_config(settle="0s", more="retention: {journal: 30d, runs: forever}\n")
        world.sync(expect=0)
        world.sims.edit("hubspot", "contacts", h, lastname="B")
        world.sync(expect=0)
        database = sqlite3.connect(os.path.join(world.folder, "store.db"))
        database.execute("UPDATE journal SET at_ms = at_ms - 31 * 86400000")
        database.execute("UPDATE run SET started_ms = started_ms - 31 * 86400000")
        database.commit()
        database.close()
        would = world.json("prune", "--dry-run", expect=0)
        self.assertTrue(would["dry_run"])
        self.assertGreater(would["journal"], 0)
        self.assertEqual(would["runs"], 1, "as old as their journal, but for the newest")
        done = world.json("prune", expect=0)
        self.assertEqual({k: v for k, v in done.items() if k != "dry_run"}, {k: v for k, v in would.items() if k != "dry_run"})
        self.assertEqual(world.json("prune", expect=0)["journal"], 0)
        world.sync(expect=0)


if __name__ == "__main__":
    unittest.main()
