"""What the benchmarks share: a child's wall, CPU and peak memory, and lines of key=value."""

import os
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
# What the simulators answer is on loopback: never through a proxy.
urllib.request.install_opener(urllib.request.build_opener(urllib.request.ProxyHandler({})))


def floor(name):
    return os.path.join(ROOT, "build", "release", "bench_" + name)


# The peak of a process counts what its parent held when it was made; so a small process makes it, and tells.
LAUNCHER = """
import os, sys
child = os.fork()
if child == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
_, status, usage = os.wait4(child, 0)
os.write(int(sys.argv[1]), f"{os.waitstatus_to_exitcode(status)} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss}".encode())
"""


def measured(command, accepts=(0, 3, 4), input_text=None, **more):
    """Runs a child; wall and CPU seconds and peak RSS of it alone."""
    told, tell = os.pipe()
    with tempfile.TemporaryFile() as given:
        given.write((input_text or "").encode())
        given.seek(0)
        began = time.monotonic()
        launched = [sys.executable, "-S", "-E", "-c", LAUNCHER, str(tell), *command]
        done = subprocess.run(launched, stdin=given, stdout=subprocess.PIPE, pass_fds=(tell,), check=True, **more)
    wall_s = time.monotonic() - began
    code, cpu_s, rss_kb = os.read(told, 100).decode().split()
    os.close(told)
    os.close(tell)
    assert int(code) in accepts, (command, code, done.stdout)
    return {"wall_s": wall_s, "cpu_s": float(cpu_s), "rss_mb": int(rss_kb) / 1024, "out": done.stdout.decode()}


def costs(result):
    return {k: result[k] for k in ("wall_s", "cpu_s", "rss_mb")}


def line(name, **fields):
    print("bench=" + name + "".join(f" {k}={v:.3f}" if isinstance(v, float) else f" {k}={v}" for k, v in fields.items()), flush=True)
