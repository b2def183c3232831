"""Export and import: what goes out comes back equal, whatever it holds; a bad row costs only itself; a bad file changes nothing."""

import csv
import io
import json
import os
import random
import subprocess
import time
import unittest

from world import BINARY, WorldTest

NASTY = [",", '"', "\n", "\r\n", ";", "\\", "'", "=1+1", "+49", "-", "@x", "é", "e\u0301", "שלום", "مرحبا", "😀", "\u200f", "  ", "\t", "null", "{}", "漢字", "a", "b"]


class Tables(WorldTest):
    def path(self, world, name, data=None):
        path = os.path.join(world.folder, name)
        if data is not None:
            with open(path, "wb") as file:
                file.write(data.encode() if isinstance(data, str) else data)
        return path

    def records(self, world, kind):
        return {r["id"]: r["fields"] for r in world.json("records", "list", kind, "--limit", "100000")}

    def known(self, world, kind, form):
        """In CSV, a field that has no value and one that never had any look the same."""
        records = self.records(world, kind)
        return records if form == "jsonl" else {i: {k: v for k, v in f.items() if v is not None} for i, f in records.items()}

    def count(self, world, kind="contact"):
        return len(self.records(world, kind))

    def another(self):
        """A second, empty store."""
        return self.world()

    def nasty(self, rng):
        return "".join(rng.choice(NASTY) for _ in range(rng.randint(1, 8)))

    def fill(self, world, rng, count=300):
        lines = []
        for i in range(count):
            row = {"email": f"p{i}@x.example", "address": "x" + self.nasty(rng), "segment": self.nasty(rng), "tags": [self.nasty(rng) + str(k) for k in range(rng.randint(0, 4))]}
            row = {k: v for k, v in row.items() if rng.random() < 0.8 or k == "email"}
            lines.append(json.dumps(row, ensure_ascii=rng.random() < 0.5))
        self.path(world, "in.jsonl", "\n".join(lines) + "\n")
        done = world.json("import", "contact", "in.jsonl", expect=0)
        self.assertEqual((done["created"], done["rejected"]), (count, 0))
        self.path(world, "in2.jsonl", json.dumps({"type": "call", "subject": "a;b", "body": "<p>1\n2</p>\n,\"", "timestamp": "2026-11-21T07:05:31.250Z", "done": True}))
        world.json("import", "activity", "in2.jsonl", expect=0)

    def test_round_trip(self):
        seed = random.randrange(10**6)
        rng = random.Random(seed)
        print("seed", seed)
        here = self.world()
        self.fill(here, rng)
        for form in ("csv", "jsonl"):
            there = self.another()
            for kind in ("contact", "activity"):
                out = os.path.join(there.folder, f"{kind}.{form}")
                here.run("export", kind, "-o", out, expect=0)
                done = there.json("import", kind, out, expect=0)
                self.assertEqual((done["updated"], done["rejected"]), (0, 0))
                self.assertEqual(self.known(there, kind, form), self.known(here, kind, form), (form, kind))
                again = there.json("import", kind, out, expect=0)
                self.assertEqual((again["created"], again["updated"]), (0, 0))
            back = self.path(there, "back")
            there.run("export", "activity", "--" + form, "-o", back, expect=0)
            with open(out, "rb") as first, open(back, "rb") as second:
                self.assertEqual(first.read(), second.read())

    def test_other_programs_read_it(self):
        world = self.world()
        self.fill(world, random.Random(3), 50)
        out = self.path(world, "out.csv")
        world.run("export", "contact", "-o", out, "--fields", "email,address", expect=0)
        with open(out, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        expected = self.records(world, "contact")
        self.assertEqual(list(rows[0]), ["id", "email", "address"])
        self.assertEqual({r["id"]: r["address"] for r in rows}, {i: f.get("address") or "" for i, f in expected.items()})

    def test_bad_rows_are_named_and_the_rest_is_imported(self):
        world = self.world()
        bad = "\ufeffemail,tags,total_orders\r\na@x.example,b;a,3\r\nnobody,,\r\nc@x.example,,many\r\nd@x.example\r\na@x.example,,\r\n\"f@x.example\",\"x\"y,\r\ng@x.example,,\r\n".encode()
        bad += b"h@x.example,\xff,1\r\ni@x.example,a\0b,\r\nk@x.example," + b"t" * 5_000_000 + b",\r\nl@x.example,\"two\nlines\",\r\nm@x.example,\"open"
        self.path(world, "in.csv", bad)
        trial = world.json("import", "contact", "in.csv", "--dry-run", expect=3)
        self.assertEqual((trial["created"], trial["dry_run"], self.count(world)), (3, True, 0))
        done = world.run("import", "contact", "in.csv", "--rejected", "bad.csv", expect=3)
        for line, word in ((3, "email"), (4, "total_orders"), (5, "cells"), (6, "same email"), (7, "quote"), (9, "UTF-8"), (10, "NUL"), (11, "1 MB"), (14, "inside a quoted")):
            self.assertRegex(done.stderr, rf"(?m)^crmsync: in\.csv:{line}: .*{word}")
        self.assertIn("3 created, 0 updated, 0 unchanged, 9 rejected", done.stdout)
        kept = {f["email"]: f for f in self.records(world, "contact").values()}
        self.assertEqual(sorted(kept), ["a@x.example", "g@x.example", "l@x.example"])
        self.assertEqual(kept["a@x.example"]["tags"], ["a", "b"])
        with open(os.path.join(world.folder, "bad.csv"), newline="", encoding="utf-8", errors="replace") as file:
            csv.field_size_limit(10**8)
            rows = list(csv.reader(file.read().replace("\0", "?").splitlines(True)))
        self.assertEqual(rows[0], ["email", "tags", "total_orders", "reason"])
        self.assertEqual(len(rows), 10)
        self.assertEqual(rows[2][:3], ["c@x.example", "", "many"])
        history = world.run("records", "history", "contact", "a@x.example", "--json", expect=0).stdout
        self.assertIn("import from a file", history)

    def test_update_by(self):
        world = self.world()
        self.path(world, "a.csv", "email,city\na@x.example,Rome\nb@x.example,Oslo\n")
        world.json("import", "contact", "a.csv", expect=0)
        ids = {f["email"]: i for i, f in self.records(world, "contact").items()}
        self.path(world, "b.csv", "email,city\nA@x.example,Paris\nb@x.example,\nc@x.example,Bonn\n")
        self.assertEqual(world.json("import", "contact", "b.csv", expect=3)["rejected"], 2)
        done = world.json("import", "contact", "b.csv", "--update-by", "email", expect=0)
        self.assertEqual((done["created"], done["updated"]), (0, 2))
        now = {f["email"]: f.get("city") for f in self.records(world, "contact").values()}
        self.assertEqual(now, {"a@x.example": "Paris", "b@x.example": None, "c@x.example": "Bonn"})
        self.path(world, "c.csv", f"id,city\n{ids['a@x.example']},Lima\nnonsense,Kyiv\n")
        done = world.json("import", "contact", "c.csv", expect=3)
        self.assertEqual((done["updated"], [(r["line"], r["column"]) for r in done["rejections"]]), (1, [(3, "id")]))
        world.run("records", "delete", "contact", ids["a@x.example"], expect=0)
        done = world.json("import", "contact", "c.csv", expect=3)
        self.assertIn("deleted", done["rejections"][0]["message"])
        world.run("import", "contact", "c.csv", "--update-by", "city", expect=2)

    def test_json_lines(self):
        world = self.world()
        self.path(world, "in.jsonl", '{"email":"a@x.example","total_orders":3,"total_revenue":12.1,"tags":["x","y"]}\n\n{"email":"b@x.example","nope":1}\nnot json\n[1]\n{"email":["a"]}\n{"email":"d@x.example","city":{"a":1}}\n{"email":"e@x.example","city":null}')
        done = world.json("import", "contact", "in.jsonl", expect=3)
        self.assertEqual([r["line"] for r in done["rejections"]], [3, 4, 5, 6, 7])
        kept = {f["email"]: f for f in self.records(world, "contact").values()}
        self.assertEqual(sorted(kept), ["a@x.example", "e@x.example"])
        self.assertEqual((kept["a@x.example"]["total_orders"], kept["a@x.example"]["total_revenue"]), ("3", "12.1"))

    def test_files_that_are_none(self):
        world = self.world()
        self.path(world, "empty.csv", "")
        self.path(world, "header.csv", "email,citty\na@x.example,Rome\n")
        self.path(world, "none.csv", "a@x.example,Rome\n")
        self.path(world, "twice.csv", "email,email\na@x.example,b@x.example\n")
        for name, word in (("empty.csv", "header"), ("header.csv", "did you mean 'city'"), ("none.csv", "first line"), ("twice.csv", "twice"), (".", "directory"), ("absent.csv", "No such file")):
            done = world.run("import", "contact", name, expect=2)
            self.assertIn(word, done.stderr, name)
        self.assertEqual(self.count(world), 0)
        self.path(world, "ok.csv", "email\na@x.example\n")
        self.assertIn("did you mean", world.run("export", "contact", "--fields", "emial", expect=2).stderr)
        world.run("import", "contact", "ok.csv", "--rejected", "ok.csv", expect=2)
        world.run("import", "contact", "ok.csv", "--csv", "--jsonl", expect=2)
        world.run("import", "contacts", "ok.csv", expect=2)
        world.run("export", "contact", "-o", "no/such/folder.csv", expect=1)
        self.assertEqual(self.count(world), 0)
        self.assertFalse([n for n in os.listdir(world.folder) if n.endswith(".part")])

    def peak_kb(self, world, *args):
        process = subprocess.Popen([BINARY, *args], cwd=world.folder, env=world.env, stdout=subprocess.DEVNULL)
        peak = 0
        while process.poll() is None:
            with open(f"/proc/{process.pid}/status") as file:
                text = file.read()
            if "\nName:\tcrmsync" in "\n" + text and "VmHWM:" in text:
                peak = max(peak, int(text.split("VmHWM:")[1].split()[0]))
            time.sleep(0.002)
        self.assertEqual(process.returncode, 0)
        return peak

    def test_memory_does_not_grow_with_the_rows(self):
        world = self.world()
        peaks = []
        for count in (80_000, 80_001):  # the store's own cache is full after the first
            rows = io.StringIO()
            rows.write("email,first_name,address\n")
            for i in range(count):
                rows.write(f"{count}-{i}@x.example,Ada,\"{'street ' * 20}\"\n")
            self.path(world, f"{count}.csv", rows.getvalue())
            peaks.append((self.peak_kb(world, "import", "contact", f"{count}.csv"), self.peak_kb(world, "export", "contact", "-o", "out.csv")))
        print("peak kB of import and export:", peaks)
        for small, large in zip(*peaks):
            self.assertLess(large - small, 8_000)


if __name__ == "__main__":
    unittest.main()
