"""A slower processor for a page and all of its Workers: its processes are stopped most of the time.

Chromium's own throttle reaches the page's thread only.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

TURN_S = 0.06


def _processes() -> dict[int, tuple[int, str]]:
    """Every process: its parent and its command line."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):  # it ended meanwhile
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found[int(folder.name)] = (parent, command)
    return found


def pages_of(profile: Path) -> list[int]:
    """The processes of the browser with this profile in which pages and Workers run."""
    known = _processes()
    own = {pid for pid, (_, command) in known.items() if f"--user-data-dir={profile} " in command}

    def inside(pid: int) -> bool:
        return pid in own or (pid in known and inside(known[pid][0]))

    return [pid for pid in known if inside(pid) and "--type=renderer" in known[pid][1]]


@contextmanager
def slower(profile: Path, times: int) -> Iterator[None]:
    """The pages of this profile's browser get one part in `times` of a processor."""
    pages = pages_of(profile)
    assert pages, "no page is open"
    over = Event()

    def send(what: signal.Signals) -> None:
        for pid in pages:
            with suppress(ProcessLookupError):
                os.kill(pid, what)

    def turns() -> None:
        while not over.is_set():
            send(signal.SIGSTOP)
            over.wait(TURN_S * (times - 1) / times)
            send(signal.SIGCONT)
            over.wait(TURN_S / times)

    thread = Thread(target=turns)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
