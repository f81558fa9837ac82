"""Processes that work for a mix on the same machine: `workers` of its configuration.

All of them end with the mix, however that ends, and when a key is erased. Others are started when
there is work again.

Python's own executor was measured first: it hands work over by a thread, and while the mix opens
seals that thread waits for Python's lock for as long as a worker needs for all it was given. A
process of its `multiprocessing` writes a traceback where the mix is killed while it starts one.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from wallflower.errors import Fault
from wallflower.host.memory import leave_no_image

MOST_WORKERS = 63


_CODE = "from wallflower.mix.edge.workers import serve; serve(%d, %d)"


class WorkerGone(Exception):
    """A worker was killed; what it was given is to be done by somebody else."""


class Worker:
    """One process. What it is given it does first come, first served."""

    def __init__(self) -> None:
        self.owes = 0  # answers that nobody took yet
        self._line, others = Pipe()
        self._asked = select.poll()  # the line would make a selector at each question
        self._asked.register(self._line.fileno(), select.POLLIN)
        ends, self._lives = os.pipe()  # nothing goes through: it breaks when this process ends
        passed = (others.fileno(), ends)
        # In a group of its own, so that no Ctrl-C meets it while it starts.
        self._process = subprocess.Popen(  # noqa: S603 - our own code in our own Python
            [sys.executable, "-P", "-c", _CODE % passed], pass_fds=passed, process_group=0
        )
        others.close()
        os.close(ends)
        with suppress(OSError):  # who is gone already is noticed by the first that is given
            self._line.send(sys.path)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def give(self, work: Callable[..., object], *args: object) -> None:
        """Have it call something. Its `result` comes after those of what it was given before."""
        self.owes += 1
        try:
            self._line.send((work, args))
        except OSError:
            raise WorkerGone from None

    def ready(self) -> bool:
        """Whether `result` would not wait."""
        return bool(self._asked.poll(0))

    def result(self) -> Any:
        """What came of the next call; what it raised is raised here. Waits."""
        try:
            failed, value = self._line.recv()
        except (EOFError, OSError):
            raise WorkerGone from None
        self.owes -= 1
        if failed:
            raise value
        return value

    def end(self) -> None:
        """End it and wait until it is gone. What it had begun is as if its machine had stopped."""
        self._process.kill()
        self._process.wait()
        self._line.close()
        os.close(self._lives)


class Workers:
    """So many processes beside this one. Ends with `end`, and may be used again."""

    def __init__(self, count: int = 0) -> None:
        if not 0 <= count <= MOST_WORKERS:
            raise Fault("workers is out of bounds", f"Write 0 to {MOST_WORKERS}, or nothing.")
        self.count = count
        self._started: list[Worker] = []

    def started(self) -> list[Worker]:
        """All of them, before they are given anything. Where an error ended what was asked before,
        answers are on their way that would be taken for those of what is asked now."""
        if any(worker.owes for worker in self._started):
            self.end()
        while len(self._started) < self.count:
            self._started.append(Worker())
        return self._started

    def pids(self) -> list[int]:
        """The processes that are there now."""
        return sorted(worker.pid for worker in self._started)

    def end(self) -> None:
        """End all workers and wait until they are gone."""
        while self._started:
            self._started.pop().end()


# -- in a worker -----------------------------------------------------------------------------------


def serve(line: int, lives: int) -> None:
    """Do what comes through `line`, one after another, until the mix is gone. Both are numbers of
    open files; nothing comes through `lives`, which ends with the mix."""
    leave_no_image()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_mix, args=(lives,), daemon=True).start()
    with suppress(EOFError, OSError), Connection(line) as mix:
        sys.path[:] = mix.recv()
        while True:
            work, args = mix.recv()
            mix.send(_answer(work, args))


def _answer(work: Callable[..., object], args: tuple[object, ...]) -> tuple[bool, object]:
    try:
        return False, work(*args)
    except Exception as error:  # whatever it was is the mix's to judge
        return True, error


def _end_with_mix(lives: int) -> None:
    os.read(lives, 1)
    os._exit(0)
