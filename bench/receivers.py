"""Ingress, which stores every cell before it answers, and nginx, which answers and stores nothing.

Both are processes of their own and get the same load, from the same program, over as many plain
connections. Each is asked what it really received.
"""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import urlopen

from bench.parts import Part
from bench.processes import cpu_seconds, peak_mb, wait_for
from wallflower.cli.new import make
from wallflower.lab.demo.ports import hold_ports
from wallflower.lab.demo.town import console
from wallflower.wire.sizes import CELL

CONNECTIONS = 200
_NGINX = """
worker_processes 1;
daemon off;
pid "{folder}/nginx.pid";
error_log "{folder}/error.log";
events {{ worker_connections 1024; }}
http {{
  client_body_temp_path "{folder}/body";
  keepalive_requests 100000000;
  keepalive_timeout 300s;
  server_tokens off;
  client_body_buffer_size 16k;
  server {{
    listen 127.0.0.1:{quiet};
    access_log off;
    location / {{ return 204; }}
  }}
  server {{ listen 127.0.0.1:{status}; access_log off; location / {{ stub_status; }} }}
}}
"""


def nginx_path() -> str | None:
    """Debian's nginx, which lies where no ordinary PATH looks."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def load(port: int, seconds: float) -> dict[str, float]:
    """Run the load and return what it counted."""
    command = [sys.executable, "-m", "bench.load", str(port), str(CONNECTIONS), str(seconds)]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, capture_output=True, check=True, timeout=seconds + 60)
    counted: dict[str, float] = json.loads(done.stdout)
    assert counted["other"] == 0, "nothing was refused"
    return counted


@contextmanager
def started(command: list[str], port: int) -> Iterator[int]:
    """A process that listens, for as long as the block lasts; its process id."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def measured(pids: list[int], port: int, seconds: float) -> tuple[Part, dict[str, float]]:
    """The load on a port, with the CPU of the processes that answer it."""
    before = sum(map(cpu_seconds, pids))
    counted = load(port, seconds)
    spent = sum(map(cpu_seconds, pids)) - before
    # All that was answered used the receiver's CPU; only what came within the time has a rate.
    part = Part(int(counted["taken"]), counted["wall_s"], spent * counted["taken"] / counted["all"])
    return part, counted


def ingress(folder: Path, seconds: float) -> tuple[Part, Part, dict[str, float]]:
    """(ingress, the load beside it, what was received and the peak of its memory)."""
    held = hold_ports(("ingress", "ingress-inner", "page"))
    ports = held.numbers

    def change(config: dict[str, object]) -> None:
        config["port"] = ports["ingress"]
        config["inner"] = {"host": "127.0.0.1", "port": ports["ingress-inner"]}
        config["status_page"] = {"port": ports["page"]}

    config = make("ingress", folder / "ingress", change)
    with closing(held), started([*console(), "ingress", str(config)], ports["ingress"]) as pid:
        part, counted = measured([pid], ports["ingress"], seconds)
        peak = peak_mb(pid)
        db = sqlite3.connect(folder / "ingress" / "data" / "cells.db")
        rows, size = db.execute("SELECT count(*), sum(length(body)) FROM cells").fetchone()
        db.close()
    assert rows == counted["all"], "every cell that was answered is on the disk"
    assert size == rows * CELL
    return part, _load(counted), {"ingress_bytes": size, "peak_mb": peak}


def nginx(folder: Path, seconds: float) -> tuple[Part, Part, dict[str, float]]:
    """(nginx, the load beside it, what it received).

    nginx counts requests. That it also read their bodies follows from the load having got nothing
    but 204 over kept connections: what is left of a body would be the next request, and no HTTP.
    """
    program = nginx_path()
    assert program is not None
    folder.mkdir(exist_ok=True)
    held = hold_ports(("quiet", "status"))
    ports = held.numbers
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, **ports))
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with closing(held), started(command, ports["quiet"]) as pid:
        before = _requests(ports["status"])
        part, counted = measured(_children(pid), ports["quiet"], seconds)
        answered = _requests(ports["status"]) - before - 1  # the second question is counted too
    assert answered == counted["all"], "nginx answered what the load counted"
    return part, _load(counted), {"nginx_bytes": answered * CELL}


def _load(counted: dict[str, float]) -> Part:
    return Part(int(counted["taken"]), counted["wall_s"], counted["cpu_s"])


def _children(pid: int) -> list[int]:
    """The workers of nginx, once there are any."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if found:
            return [int(child) for child in found]
        time.sleep(0.05)
    raise AssertionError("nginx started no worker")


def _requests(port: int) -> int:
    """How many requests nginx has counted."""
    with urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return int(lines[2].split()[2])
