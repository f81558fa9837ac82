"""Starts roles in a tenth of a second: one process imports them all once and forks for each start.

What is killed is a process of its own all the same, with nothing in it but code that was loaded;
it runs `wallflower COMMAND CONFIG` from its first line. `python -m tests.faults.nursery` reads
one JSON object a line and answers each with a process id.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_ROLES = ("ingress", "mix", "board", "desk")


class Forked:
    """A process of the nursery. Its descriptor is kept, so no signal ever meets another process."""

    ENDED = -1  # somebody else's child gives no exit code

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        ended = select.poll()  # select() knows no number above 1,023
        ended.register(self._descriptor, select.POLLIN)
        return self.ENDED if ended.poll(0) else None

    def send_signal(self, number: int) -> None:
        """Send a signal; nothing happens when the process has ended."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    async def wait(self) -> int:
        """Wait until it has ended."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._descriptor, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._descriptor)
        return self.ENDED

    def __del__(self) -> None:
        os.close(self._descriptor)


class Nursery:
    """The process that forks."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def start(self, arguments: Sequence[str], log: Path, fault: str = "") -> Forked:
        """Run `wallflower` with these arguments and perhaps a fault of planted.py; what it says
        goes to the end of `log`."""
        order = {"arguments": list(arguments), "log": str(log), "fault": fault}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        # Until the next order nobody reaps, so this number is still that process's own.
        return Forked(int(self._process.stdout.readline()))

    def close(self) -> None:
        """End it; what it has started stays."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _child(order: dict[str, Any]) -> None:
    """Become the role; never returns to the nursery's loop."""
    code = 1
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        for number, descriptor in enumerate((nothing, log, log)):
            os.dup2(descriptor, number)
        os.close(nothing)
        os.close(log)
        sys.argv = ["wallflower", *order["arguments"]]
        if order["fault"]:
            from tests.faults.planted import FAULTS

            FAULTS[order["fault"]]()
        from wallflower.cli import main

        main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _serve() -> None:
    for role in _ROLES:
        importlib.import_module(f"wallflower.{role}.edge.process")
    parts = ("wallflower.cli.processes", "tests.faults.planted", "uvloop", "uvicorn.server")
    for name in parts:
        importlib.import_module(name)
    gc.freeze()
    for line in sys.stdin:
        _reap()
        order = json.loads(line)
        pid = os.fork()
        if not pid:
            _child(order)
        print(pid, flush=True)


if __name__ == "__main__":
    _serve()
