"""bench/ingest: webhooks received, verified, and made durable before they are answered: HubSpot deliveries, all different.

First deliveries of one event each, for each number of connections; then, at 64 connections, deliveries of as many events as BATCHES says (HubSpot sends up
to 100 in one). For each one line of our own work and one of every peer:
  ingest-receive   the product's server, receiver and store
  ingest-bare      the same server answering 200 at once: what serving costs by itself (floor)
  ingest-append    the same bodies appended to a file, fdatasync after as many as there are connections: what the disk allows (floor)
  ingest-express   Node: express + better-sqlite3, the same check, one commit for each delivery (peer; needs npm, installed into a temporary folder)
  ingest-webhook   Debian's `webhook` with its HMAC rule and `true` as command (peer; stores nothing). It cannot express HubSpot's signature of version 3,
                   so it gets a sha256 HMAC of the body alone
then the ratios. cpu_us is of a delivery, cpu_event_us of an event, the server's alone; load and server share the machine.

    scripts/build release && BATCHES="10 100" python3 bench/ingest.py [SECONDS [CONNECTIONS…]]
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

from measure import ROOT, floor, line

SECONDS = sys.argv[1] if len(sys.argv) > 1 else "3"
CONNECTIONS = sys.argv[2:] or ["16", "64", "256"]
BATCHES = os.environ.get("BATCHES", "10 100").split()
BATCH_CONNECTIONS = "64"
PUBLIC_URL = "https://crm.example"
PATH = "/api/crm/webhooks/bench"
SECRET = "bench-secret"
SERVER, LOAD = floor("ingest_server"), floor("ingest_load")


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(row.split()[1]) for row in file if row.startswith("VmHWM")) / 1024


def load(port, connections, events, *more, path=PATH):
    command = [LOAD, str(port), connections, SECONDS, events, path, PUBLIC_URL, SECRET, *more]
    words = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.split()
    return {name: float(value) for name, value in (word.split("=") for word in words)}


def measured(name, connections, events, process, port, *more, path=PATH):
    """What the load saw, and what the server spent on it."""
    load(port, connections, events, *more, path=path) if SECONDS != "0" else None  # once to warm up
    before = cpu_s(process.pid)
    seen = load(port, connections, events, *more, path=path)
    spent = cpu_s(process.pid) - before
    assert seen["accepted"] > 0 and seen["refused"] == 0, seen
    result = {
        "connections": connections,
        "events": events,
        "rps": seen["rps"],
        "p50_ms": seen["p50_ms"],
        "p99_ms": seen["p99_ms"],
        "cpu_us": spent * 1e6 / seen["accepted"],
        "cpu_event_us": spent * 1e6 / seen["accepted"] / int(events),
        "rss_mb": peak_mb(process.pid),
    }
    line("ingest-" + name, **result)
    return result


def with_server(command, work, **more):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **more)
    try:
        return work(process, int(process.stdout.readline()))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        process.stdout.close()


def receive(folder, connections, events):
    command = [SERVER, "receive", os.path.join(folder, f"store-{connections}-{events}.db"), PUBLIC_URL, SECRET]
    return with_server(command, lambda process, port: measured("receive", connections, events, process, port))


def bare(connections, events):
    return with_server([SERVER, "bare"], lambda process, port: measured("bare", connections, events, process, port))


def append(folder, connections, events):
    count = (500 if events == "1" else 50) * int(connections)
    command = [SERVER, "append", os.path.join(folder, "bodies"), str(count), connections, events]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    cpu_us = spent * 1e6 / count
    result = {"connections": connections, "events": events, "rps": float(words.split("=")[1]), "cpu_us": cpu_us, "cpu_event_us": cpu_us / int(events)}
    line("ingest-append", **result)
    return result


def install_express(folder):
    """Says why it is not there, or None. better-sqlite3 compiles where it finds no finished binary."""
    if not shutil.which("npm") or not shutil.which("node"):
        return "npm is not installed"
    modules = os.environ.get("CRMSYNC_BENCH_NODE_MODULES")  # of an earlier run: saves the compiling
    if modules:
        os.symlink(os.path.abspath(modules), os.path.join(folder, "node_modules"))
        return None
    names = ["express@4.21.2", "better-sqlite3@11.8.1"]
    done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", *names], cwd=folder, capture_output=True, text=True)
    return None if done.returncode == 0 else "npm install failed: " + " ".join(done.stderr.split())[-200:]


def express(folder, connections, events):
    script = os.path.join(ROOT, "bench", "ingest_peers", "express.mjs")
    command = ["node", script, os.path.join(folder, f"express-{connections}-{events}.db"), PUBLIC_URL, SECRET]
    return with_server(command, lambda process, port: measured("express", connections, events, process, port), cwd=folder)


def free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    import socket
    import time

    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("it does not listen")


def debian_webhook(folder, connections):
    rule = {"match": {"type": "payload-hmac-sha256", "secret": SECRET, "parameter": {"source": "header", "name": "X-Hub-Signature-256"}}}
    hooks = [{"id": "bench", "execute-command": "/bin/true", "command-working-directory": "/", "http-methods": ["POST"], "trigger-rule": rule}]
    path = os.path.join(folder, "hooks.json")
    with open(path, "w") as file:
        json.dump(hooks, file)
    port = free_port()
    command = ["webhook", "-hooks", path, "-ip", "127.0.0.1", "-port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        return measured("webhook", connections, "1", process, port, "hub", path="/hooks/bench")
    finally:
        process.terminate()
        process.wait(30)


def ratios(connections, events, ours, others):
    fields = {"connections": connections, "events": events}
    for name, other in others.items():
        if other:
            fields[f"rps_x_{name}"] = ours["rps"] / other["rps"]
            fields[f"cpu_x_{name}"] = ours["cpu_us"] / other["cpu_us"]
    line("ingest-ratio", **fields)


def main():
    with tempfile.TemporaryDirectory(prefix="crmsync-ingest-", dir=os.environ.get("CRMSYNC_BENCH_FOLDER")) as folder:
        no_express = install_express(folder)
        no_webhook = None if shutil.which("webhook") else "Debian's package webhook is not installed"
        for reason in filter(None, (no_express, no_webhook)):
            print(f"skipped {reason!r}", flush=True)
        work = [(connections, "1") for connections in CONNECTIONS] + [(BATCH_CONNECTIONS, events) for events in BATCHES]
        for connections, events in work:
            ours = receive(folder, connections, events)
            others = {"bare": bare(connections, events), "append": append(folder, connections, events)}
            others["express"] = None if no_express else express(folder, connections, events)
            others["webhook"] = None if no_webhook or events != "1" else debian_webhook(folder, connections)
            ratios(connections, events, ours, others)


if __name__ == "__main__":
    main()
