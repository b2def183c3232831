"""bench/idle: a service with many connections when nothing happens at the CRMs: what it holds in memory, and what its schedules cost.

Every tenant has one connection to HubSpot and one to Pipedrive, all kinds, all settings at their defaults (listed every five minutes, compared daily). The
simulators are one process for all of them and have no records. What is measured begins when every connection has been read once. `idle-still` is the same
where nothing is listed by schedule, so that only webhooks would wake it. The floor is the service with one tenant.

    scripts/build release && python3 bench/idle.py [CONNECTIONS [SECONDS]]
"""

import os
import signal
import sqlite3
import subprocess
import sys
import time

from measure import line

import world

CONNECTIONS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
SECONDS = int(sys.argv[2]) if len(sys.argv) > 2 else 60
KINDS = {"hubspot": 5, "pipedrive": 4}
QUIET_S = 1  # so long without a call: the first round is over
START_S = 900
RSS_MB_MAX, CPU_PERCENT_MAX = 64, 1


def configure(it, connections, schedule=""):
    text = world.CONFIG.replace("connections:\n", "") + schedule + "service: {listen: '127.0.0.1:0'}\ntenants:\n"
    for number in range(connections // 2):
        text += f"  t{number}:\n    connections:\n"
        for crm in it.crms:
            text += f"      {crm}: {{adapter: {crm}, base_url: '{it.sims.url(crm)}', token: '${{{world.variable(crm)}}}'}}\n"
    with open(os.path.join(it.folder, "crmsync.yaml"), "w") as file:
        file.write(text)


def stat(pid):
    """CPU seconds so far, resident MB, and how often its threads were woken."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    with open(f"/proc/{pid}/status") as file:
        rows = dict(row.split(":", 1) for row in file)
    wakes = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status") as file:
            wakes += next(int(row.split()[1]) for row in file if row.startswith("voluntary"))
    ticks = int(fields[11]) + int(fields[12])
    return {"cpu_s": ticks / os.sysconf("SC_CLK_TCK"), "rss_mb": int(rows["VmRSS"].split()[0]) / 1024, "peak_mb": int(rows["VmHWM"].split()[0]) / 1024, "wakes": wakes}


def listed(it):
    """Streams that were listed once."""
    database = sqlite3.connect("file:" + os.path.join(it.folder, "store.db") + "?mode=ro", uri=True, timeout=30)
    count = database.execute("SELECT count(*) FROM stream WHERE scanned_ms > 0").fetchone()[0]
    database.close()
    return count


def until_read(it, streams):
    """Everything was listed once, and nothing else was asked for a while: a schedule that goes on is never silent for long."""
    deadline = time.monotonic() + START_S
    calls, since = -1, time.monotonic()
    while listed(it) < streams or time.monotonic() - since < QUIET_S:
        assert time.monotonic() < deadline, "the first round never ended"
        time.sleep(0.2)
        now = it.sims.calls()
        if now != calls:
            calls, since = now, time.monotonic()
    return calls


def measured(name, connections, schedule=""):
    it = world.World(init=False, sim=("--no-limits",))
    configure(it, connections, schedule)
    it.run("init", expect=0)
    log = open(os.path.join(it.folder, "serve.log"), "w")
    process = subprocess.Popen([world.BINARY, "serve"], cwd=it.folder, env=it.env, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        began = time.monotonic()
        assert "serves" in process.stdout.readline(), open(log.name).read()
        ready_s = time.monotonic() - began
        first = until_read(it, 0 if schedule else connections // 2 * sum(KINDS.values()))
        begun = stat(process.pid)
        calls = it.sims.calls()
        time.sleep(SECONDS)
        ended = stat(process.pid)
        found = {
            "connections": connections,
            "seconds": SECONDS,
            "ready_s": ready_s,
            "first_calls": first,
            "first_cpu_s": begun["cpu_s"],
            "calls": it.sims.calls() - calls,
            "cpu_percent": 100 * (ended["cpu_s"] - begun["cpu_s"]) / SECONDS,
            "rss_mb": ended["rss_mb"],
            "peak_mb": ended["peak_mb"],
            "wakes_per_s": (ended["wakes"] - begun["wakes"]) / SECONDS,
        }
        assert "trouble" not in open(log.name).read(), open(log.name).read()[-2000:]
        line(name, **found)
        return found
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        process.stdout.close()
        log.close()
        it.close()


def main():
    floor = measured("idle-floor", 2)
    still = measured("idle-still", CONNECTIONS, "schedule: {pull: never, reconcile: never}\n")
    ours = measured("idle", CONNECTIONS)
    line(
        "idle-ratio",
        rss_x_floor=ours["rss_mb"] / floor["rss_mb"],
        connection_kb=(ours["rss_mb"] - floor["rss_mb"]) * 1024 / (CONNECTIONS - 2),
        call_ms=10 * ours["cpu_percent"] * SECONDS / max(ours["calls"], 1),
    )
    return 0 if ours["rss_mb"] < RSS_MB_MAX and still["cpu_percent"] < CPU_PERCENT_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
