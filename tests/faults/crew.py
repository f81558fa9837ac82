"""A town of real processes by the console commands, any of which may be killed and started again.

Time runs fast (a day is DAY_WALL_S seconds of the wall clock) and delays are a few ticks, so that
what was put in comes out soon. A day is still long enough that a process of a busy machine, which
may take many seconds to start, is never away for as long as a hop key lives. The desk is played by
`tests.faults.desk`, with keys of the test, or is the real one (`tests.faults.office`).
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

from tests.faults.nursery import Forked, Nursery
from tests.host.sockets import listening, until

from wallflower.cli.ceremony import rehearse
from wallflower.cli.new import make
from wallflower.errors import Fault
from wallflower.host.clock import PacedClock, day_of
from wallflower.lab.demo.pace import DemoPace
from wallflower.lab.demo.town import COMMANDS, Town, console, make_town
from wallflower.mix.edge.sharing import database_of
from wallflower.trust.pins import Pins, parse_pins
from wallflower.trust.record import EpochRecord, verify_record
from wallflower.wire.sizes import DAY_S

DAY_WALL_S = 120.0
STARTS_AT = 0.8  # of a day: the epoch changes 24 s after the start
TICK = 360  # record seconds: half a second of the wall clock
PARAMETERS = {
    # Two ticks in each pool on average, and no crowd to wait for.
    "mean_a": 2 * TICK, "mean_b": 2 * TICK, "tick": TICK, "slots": 12, "floor": 0,
    # Half a day a period: no restart is so slow that a period passes without a release.
    "replies": 2, "receipts": 2, "period": 12 * 3600, "segments": 84,
}  # fmt: skip
A_WORKERS = 1  # so that a kill meets hums in two databases
SERVERS = ("organisation", "ingress", "mix-a", "mix-b")
UP_S = 300.0  # a process may take so long to start on a busy machine
_SCRIPT = str(Path(__file__).with_name("planted.py"))


def planted(fault: str) -> list[str]:
    """The command that runs `wallflower` with one fault planted in it (planted.py)."""
    return [sys.executable, _SCRIPT, fault]


@dataclass
class Crew:
    """The folders of a town, its processes, and how each is started."""

    town: Town
    commands: dict[str, Sequence[str]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    processes: dict[str, Process | Forked] = field(default_factory=dict)
    nursery: Nursery | None = None

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
        """Run a role's console command, and wait until it listens on all of its ports.

        A nursery forks for it, unless the role has a command of its own (`commands`); `faults` are
        planted in what it forks."""
        process = self.processes[role] = await self._run(role)
        ports = [self.town.ports[role]]
        if role == "ingress":
            ports.append(self.town.ports["ingress-inner"])

        async def up() -> bool:
            assert process.returncode is None, self._log(role).read_text()
            return all([await listening(port) for port in ports])

        await until(up, f"{role} listens", UP_S)

    async def _run(self, role: str) -> Process | Forked:
        arguments = [COMMANDS[role], str(self.folder(role) / f"{role}.toml")]
        if self.nursery is not None and role not in self.commands:
            return self.nursery.start(arguments, self._log(role), self.faults.get(role, ""))
        with self._log(role).open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *self.commands.get(role, console()), *arguments,
                stdin=DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def _log(self, role: str) -> Path:
        return self.town.folder / f"{role}.log"

    async def kill(self, role: str) -> None:
        """End a process as a power switch does: no handler of it runs."""
        process = self.processes.pop(role)
        process.kill()
        await process.wait()

    def check_alive(self) -> None:
        """Fail with what a process said when it has ended by itself."""
        for role, process in self.processes.items():
            assert process.returncode is None, f"{role} has ended: {self._log(role).read_text()}"

    def stopped(self, role: str) -> bool:
        """Whether a process has ended by itself."""
        return self.processes[role].returncode is not None

    def freeze(self, role: str) -> None:
        """Stop a process where it stands; its state stays as it is until `thaw` or `kill`."""
        self.processes[role].send_signal(signal.SIGSTOP)

    def has_stopped_itself(self, role: str) -> bool:
        """Whether a process stands still; some faults stop it where a kill does the harm."""
        stat = Path(f"/proc/{self.processes[role].pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "T"

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
            tables = ("pool", "(SELECT DISTINCT hum FROM waiting)")
            shares = sum(_count(data / database_of(n), *tables) for n in range(A_WORKERS + 1))
            return _count(data / "mix.db", "parcels") + shares
        if role == "desk":  # B keeps a drop until the desk says that it has it
            return _count(self._of_b, "drops")
        return _count(data / "mix.db", "pool", "drops")

    @property
    def _of_b(self) -> Path:
        return self.folder("mix-b") / "data" / "mix.db"

    def drops_put_out(self) -> int:
        """The number of B's newest drop."""
        return _number(self._of_b, "SELECT seq FROM sqlite_sequence WHERE name = 'drops'")

    def drops_held(self, last: int) -> int:
        """How many drops B keeps for the desk, up to and with this number."""
        return _number(self._of_b, "SELECT count(*) FROM drops WHERE seq <= ?", last)

    async def record(self) -> EpochRecord:
        """Today's record, verified; Unreachable while the desk server is away."""
        raw = await self.town.net.get(f"{self.town.url('organisation')}/record")
        return verify_record(raw, self.pins())

    async def stop(self) -> None:
        """End every process."""
        for process in list(self.processes.values()):
            if process.returncode is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in list(self.processes.values()):
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
                await process.wait()
        await self.town.close()

    def said(self) -> str:
        """What the processes wrote: nothing, when all is well."""
        return "".join(self._log(r).read_text() for r in SERVERS if self._log(r).exists())


def _count(database: Path, *tables: str) -> int:
    try:
        return sum(_number(database, f"SELECT count(*) FROM {t}") for t in tables)  # noqa: S608
    except sqlite3.OperationalError:  # frozen while it held a lock, or not yet made
        return 0


def _number(database: Path, query: str, *values: object) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=0)) as db:
        return int(db.execute(query, values).fetchone()[0])


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
            if config.get("position") == "a":
                config["workers"] = A_WORKERS

        return make(role, path, both)

    def prepare(place: Path, _ports: dict[str, int]) -> None:
        roles = {"organisation": "organisation", "a": "mix-a", "b": "mix-b"}
        record = {signer: place / role / "record.pub" for signer, role in roles.items()}
        pins = rehearse(place / "ceremony", record, "Office")
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
