"""A town of real processes by the console commands, any of which may be killed and started again.

Time runs fast (a day is DAY_WALL_S seconds of the wall clock) and delays are a few ticks, so that
what was put in comes out soon. A day is still long enough that a process of a busy machine, which
may take many seconds to start, is never away for as long as a hop key lives. The desk is played by
`tests.faults.desk`, with keys of the test.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.host.sockets import listening, until

from wallflower.cli.acts import make_pins
from wallflower.cli.new import make
from wallflower.errors import Fault
from wallflower.host.clock import PacedClock, day_of
from wallflower.lab.demo.pace import DemoPace
from wallflower.lab.demo.town import COMMANDS, Town, console, make_town
from wallflower.trust.pins import Pins, parse_pins
from wallflower.trust.record import EpochRecord, verify_record
from wallflower.wire.sizes import DAY_S

DAY_WALL_S = 120.0
STARTS_AT = 0.75  # of a day: the epoch changes half a minute after the start
TICK = 360  # record seconds: half a second of the wall clock
PARAMETERS = {
    # Two ticks in each pool on average, and no crowd to wait for.
    "mean_a": 2 * TICK, "mean_b": 2 * TICK, "tick": TICK, "slots": 12, "floor": 0,
    # Half a day a period: no restart is so slow that a period passes without a release.
    "replies": 2, "receipts": 2, "period": 12 * 3600, "segments": 84,
}  # fmt: skip
SERVERS = ("organisation", "ingress", "mix-a", "mix-b")
UP_S = 60.0  # a process may take so long to start on a busy machine
_SCRIPT = str(Path(__file__).with_name("planted.py"))


def planted(fault: str) -> list[str]:
    """The command that runs `wallflower` with one fault planted in it (planted.py)."""
    return [sys.executable, _SCRIPT, fault]


@dataclass
class Crew:
    """The folders of a town, its processes, and how each is started."""

    town: Town
    commands: dict[str, Sequence[str]] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    @property
    def clock(self) -> PacedClock:
        """The clock that every process of this town has."""
        return PacedClock(self.town.pace.pace())

    def folder(self, role: str) -> Path:
        """A role's own folder."""
        return self.town.folder / role

    def token(self, role: str, name: str) -> str:
        """A token of a role."""
        return (self.folder(role) / f"{name}.token").read_text().strip()

    def pins(self) -> Pins:
        """What everybody in this town pins."""
        return parse_pins((self.folder("organisation") / "pins.json").read_bytes())

    async def start(self, role: str) -> None:
        """Run a role's console command, and wait until it listens on all of its ports."""
        config = self.folder(role) / f"{role}.toml"
        with self._log(role).open("ab") as log:
            command = [*self.commands.get(role, console()), COMMANDS[role], str(config)]
            process = await asyncio.create_subprocess_exec(
                *command, stdin=DEVNULL, stdout=log, stderr=log
            )
        self.processes[role] = process
        ports = [self.town.ports[role]]
        if role == "ingress":
            ports.append(self.town.ports["ingress-inner"])

        async def up() -> bool:
            assert process.returncode is None, self._log(role).read_text()
            return all([await listening(port) for port in ports])

        await until(up, f"{role} listens", UP_S)

    def _log(self, role: str) -> Path:
        return self.town.folder / f"{role}.log"

    async def kill(self, role: str) -> None:
        """End a process as a power switch does: no handler of it runs."""
        process = self.processes.pop(role)
        process.kill()
        await process.wait()

    def stopped(self, role: str) -> bool:
        """Whether a process has ended by itself."""
        return self.processes[role].returncode is not None

    def freeze(self, role: str) -> None:
        """Stop a process where it stands; its state stays as it is until `thaw` or `kill`."""
        self.processes[role].send_signal(signal.SIGSTOP)

    def thaw(self, role: str) -> None:
        """Let a frozen process go on."""
        self.processes[role].send_signal(signal.SIGCONT)

    def undelivered(self, role: str) -> int:
        """What a (frozen) process holds and has not handed on; 0 when that cannot be read now."""
        data = self.folder(role) / "data"
        if role == "organisation":
            today = day_of(self.clock.now())
            return sum(int(p.name) >= today for p in (data / "batches").iterdir() if p.suffix == "")
        if role == "ingress":
            return _count(data / "cells.db", "cells")
        if role == "mix-a":
            return _count(data / "mix.db", "pool", "parcels", "(SELECT DISTINCT hum FROM waiting)")
        return _count(data / "mix.db", "pool", "drops")

    async def record(self) -> EpochRecord:
        """Today's record, verified; Unreachable while the desk server is away."""
        raw = await self.town.net.get(f"{self.town.url('organisation')}/record")
        return verify_record(raw, self.pins())

    async def stop(self) -> None:
        """End every process."""
        for process in self.processes.values():
            if process.returncode is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes.values():
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
                await process.wait()
        await self.town.net.close()

    def said(self) -> str:
        """What the processes wrote: nothing, when all is well."""
        return "".join(self._log(r).read_text() for r in SERVERS if self._log(r).exists())


def _count(database: Path, *tables: str) -> int:
    uri = f"file:{database}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=0)) as db:
            query = "SELECT count(*) FROM "
            return sum(int(db.execute(query + t).fetchone()[0]) for t in tables)
    except sqlite3.OperationalError:  # frozen while it held a lock, or not yet made
        return 0


def _anchor_ms() -> int:
    """The anchor by which record time is now STARTS_AT of today (record 1)."""
    now, days = time.time(), DAY_S / DAY_WALL_S
    start = (day_of(now) + STARTS_AT) * DAY_S
    return round(1000 * (now * days - start) / (days - 1))


def make_crew(folder: Path, **parameters: int) -> Crew:
    """Make the folders of a town that runs fast; nothing is started."""
    pace = DemoPace(DAY_WALL_S, _anchor_ms())

    def own(role: str, path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
        def both(config: dict[str, Any]) -> None:
            change(config)
            if role == "organisation":
                config["parameters"] = {**PARAMETERS, **parameters}

        return make(role, path, both)

    def prepare(place: Path, _ports: dict[str, int]) -> None:
        keys = (place / "mix-a" / "record.pub", place / "mix-b" / "record.pub")
        pins = make_pins(place / "organisation", *keys, "Office")
        (place / "organisation" / "pins.json").write_bytes(pins.encode())

    return Crew(make_town(folder, pace, own, prepare))


def need(*commands: str) -> None:
    """Fail, and say what to install, when the machine lacks a command."""
    missing = [c for c in commands if shutil.which(c) is None]
    assert not missing, f"this test needs {', '.join(missing)}: install it (tools/setup.sh does)"


async def patiently(work: Callable[[], Any]) -> bool:
    """Try something that another process may refuse just now; whether it went well."""
    with suppress(Fault):
        await work()
        return True
    return False
