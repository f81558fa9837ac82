"""What the system says of a process: its CPU, its memory, whether it listens."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

_PATIENCE_S = 30.0


def cpu_seconds(pid: int) -> float:
    """User and system time of a process until now."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def rss_mb(pid: int) -> float:
    """What a process holds in memory now, shared pages included."""
    return _memory_mb(pid, "VmRSS")


def peak_mb(pid: int) -> float:
    """The most that it ever held."""
    return _memory_mb(pid, "VmHWM")


def wait_for(port: int) -> None:
    """Wait until something listens on a port of this machine."""
    end = time.monotonic() + _PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
