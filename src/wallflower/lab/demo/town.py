"""The town: folders, exchanged keys and tokens, and real processes started by console commands."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wallflower.errors import Fault
from wallflower.host.http import HttpNet
from wallflower.host.net import Unreachable
from wallflower.lab.demo.pace import PARAMETERS, DemoPace
from wallflower.lab.demo.ports import Ports, hold_ports

ROLES = ("organisation", "ingress", "mix-a", "mix-b", "desk", "mirror")
WATCHERS = ("organisation", "mix-a", "mix-b")  # each has loops of its own
LOOPS_A_DAY = 3  # days are short in the demo, hums are not: fewer than the 96 of a real town
COMMANDS = {
    "organisation": "desk-server", "ingress": "ingress", "mix-a": "mix", "mix-b": "mix",
    "desk": "desk", "mirror": "mirror",
}  # fmt: skip
_START_S = 30.0
_READ = "Run it again with --keep FOLDER, and read FOLDER/{}.log."
Config = dict[str, Any]
Make = Callable[[str, Path, Callable[[Config], None]], Path]
Prepare = Callable[[Path, dict[str, int]], None]


@dataclass(slots=True)
class Town:
    """Everything that runs, and where."""

    folder: Path
    pace: DemoPace
    ports: dict[str, int]
    processes: dict[str, Process] = field(default_factory=dict)
    desk_door: str = ""
    reading: list[asyncio.Task[None]] = field(default_factory=list)
    net: HttpNet = field(default_factory=HttpNet)
    held: Ports = field(default_factory=lambda: Ports({}))

    def url(self, role: str) -> str:
        """Where a role listens."""
        return f"http://127.0.0.1:{self.ports[role]}"

    def pids(self) -> dict[str, int]:
        """The process ids by role."""
        return {name: process.pid for name, process in self.processes.items()}

    async def start(self, name: str, *arguments: str) -> Process:
        """Start `wallflower …` as a process of its own; its faults go to a file."""
        command = [*ending_with(os.getpid()), *console(), *arguments]
        with (self.folder / f"{name}.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=DEVNULL, stdout=PIPE, stderr=log
            )
        self.processes[name] = process
        return process

    async def start_roles(self) -> None:
        """The five processes and a mirror."""
        for role in ROLES:
            await self.start(role, COMMANDS[role], str(self.folder / role / f"{role}.toml"))
        stdout = self.processes["desk"].stdout
        assert stdout is not None  # noqa: S101  # it was started with a pipe
        try:
            line = (await asyncio.wait_for(stdout.readline(), _START_S)).decode()
        except TimeoutError:
            line = ""
        if not line.startswith("desk ready "):
            raise Fault("The desk did not start", _READ.format("desk"))
        self.desk_door = line.split()[-1]
        self.reading.append(asyncio.ensure_future(self._follow_door(stdout)))

    async def _follow_door(self, lines: asyncio.StreamReader) -> None:
        """The desk prints a new address whenever one was used; the newest is for the visitor."""
        async for line in lines:
            self.desk_door = line.decode().split()[-1]

    async def status(self, role: str) -> dict[str, int]:
        """A role's own counts, or nothing while it does not answer."""
        path, token_file = {
            "ingress": ("ingress-inner", "a.token"),
        }.get(role, (role, "status.token"))
        token = (self.folder / role / token_file).read_text().strip()
        try:
            answer = await self.net.get(f"{self.url(path)}/counts", token)
        except Unreachable:
            return {}
        counts: dict[str, int] = json.loads(answer)
        return counts

    async def alarms(self, role: str) -> list[str]:
        """The names of a role's alarms, or nothing while it does not answer."""
        try:
            answer = await self.net.get(f"{self.url(f'{role}-status')}/status")
        except Unreachable:
            return []
        return [alarm["name"] for alarm in json.loads(answer)["alarms"]]

    async def start_loops(self) -> None:
        """One sender with the keys of all three watchers; in a real town each has its own."""
        await self.start("loops", "loops", str(self.folder / "loops" / "loops.toml"))

    async def stop(self) -> None:
        """End every process; kill what does not end by itself."""
        for task in self.reading:
            task.cancel()
        for process in self.processes.values():
            if process.returncode is None:
                process.terminate()
        for process in self.processes.values():
            try:
                await asyncio.wait_for(process.wait(), 5)
            except TimeoutError:
                process.kill()
                await process.wait()
        await self.close()

    async def close(self) -> None:
        """End what asks the processes, and give their ports back."""
        await self.net.close()
        self.held.close()

    def check_alive(self) -> None:
        """Raise a Fault when a process has ended by itself."""
        for name, process in self.processes.items():
            if process.returncode is not None:
                raise Fault(f"The process of {name} has ended", _READ.format(name))


def console() -> list[str]:
    """How `wallflower` is called here: the installed command, or this interpreter's module."""
    beside = Path(sys.executable).with_name("wallflower")
    found = str(beside) if beside.exists() else shutil.which("wallflower")
    return [found] if found else [sys.executable, "-m", "wallflower"]


def ending_with(parent: int) -> list[str]:
    """What begins a command that ends when its parent does, even when that is killed: Debian's
    `setpriv` (util-linux), then a shell, each of which becomes what follows it.

    The kernel tells only of a death that comes after it was asked (prctl(2), PR_SET_PDEATHSIG): the
    shell looks afterwards whether the parent of that number is still there, and ends if it is not.
    """
    found = shutil.which("setpriv")
    still = 'test "$PPID" = "$0" && exec "$@"'
    return [found, "--pdeathsig", "TERM", "--", "sh", "-c", still, str(parent)] if found else []


def _wire(config: Config, role: str, ports: dict[str, int], pace: DemoPace) -> None:
    """Point a fresh configuration at this town's ports and pace."""
    at = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    config["pace"] = pace.table()
    if role == "loops":
        config |= {"mirror": at["mirror"], "per_day": LOOPS_A_DAY}
        config["keys"] = [f"{name}.key" for name in WATCHERS]
        return
    config["port"] = ports[role]
    if "status_page" in config:
        config["status_page"]["port"] = ports[f"{role}-status"]
    if "loops" in config:
        config["loops"]["per_day"] = LOOPS_A_DAY
    if role == "organisation":
        config["parameters"] = PARAMETERS
        config["ways"]["ingress"] = [at["ingress"] + "/"]
        config["ways"]["board"] = [at["organisation"] + "/"]
    elif role == "ingress":
        config["inner"]["port"] = ports["ingress-inner"]
    elif role == "mirror":
        config["board"] = at["organisation"]
    else:
        config["board"]["url"] = at["organisation"]
    if role == "mix-a":
        config["source"]["url"] = at["ingress-inner"] + "/cells"
    if role == "mix-b":
        config["source"]["url"] = at["mix-a"] + "/parcels"
    if role == "desk":
        config["b"]["url"] = at["mix-b"]


def make_town(folder: Path, pace: DemoPace, make: Make, prepare: Prepare) -> Town:
    """Make all folders and exchange what operators exchange: public keys, pins and tokens.

    `make` is `wallflower new`; `prepare` is `wallflower keys ceremony` and what comes after. The
    ports are the town's until it is closed.
    """
    pages = (f"{role}-status" for role in (*WATCHERS, "ingress", "mirror"))
    held = hold_ports((*ROLES, "ingress-inner", *pages))
    try:
        _fill(folder, held.numbers, pace, make, prepare)
    except BaseException:
        held.close()
        raise
    return Town(folder, pace, held.numbers, held=held)


def _fill(
    folder: Path, ports: dict[str, int], pace: DemoPace, make: Make, prepare: Prepare
) -> None:
    for role in (*ROLES, "loops"):
        make(role, folder / role, lambda c, r=role: _wire(c, r, ports, pace))  # type: ignore[misc]
    for source, target in (
        ("ingress/a.token", "mix-a/source.token"), ("mix-a/next.token", "mix-b/source.token"),
        ("mix-b/next.token", "desk/b.token"), ("organisation/b.token", "mix-b/board.token"),
        ("organisation/desk.token", "desk/board.token"),
    ):  # fmt: skip
        shutil.copy(folder / source, folder / target)
    for watcher in WATCHERS:
        shutil.copy(folder / watcher / "loop.key", folder / "loops" / f"{watcher}.key")
    prepare(folder, ports)
    for role in ("mix-a", "mix-b", "desk", "loops"):
        shutil.copy(folder / "organisation" / "pins.json", folder / role / "pins.json")
