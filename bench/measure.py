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


def measured(command, accepts=(0, 3, 4), input_text=None, **more):
    """Runs a child; wall and CPU seconds and peak RSS of it alone."""
    given = tempfile.TemporaryFile()
    given.write((input_text or "").encode())
    given.seek(0)
    began = time.monotonic()
    child = subprocess.Popen(command, stdin=given, stdout=subprocess.PIPE, **more)
    out = child.stdout.read()
    child.stdout.close()
    given.close()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode in accepts, (command, child.returncode, out)
    return {"wall_s": time.monotonic() - began, "cpu_s": usage.ru_utime + usage.ru_stime, "rss_mb": usage.ru_maxrss / 1024, "out": out.decode()}


def costs(result):
    return {k: result[k] for k in ("wall_s", "cpu_s", "rss_mb")}


def line(name, **fields):
    print("bench=" + name + "".join(f" {k}={v:.3f}" if isinstance(v, float) else f" {k}={v}" for k, v in fields.items()), flush=True)
