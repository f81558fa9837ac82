"""System calls of a process, as strace saw them: what was synced before what was said.

`kill -9` leaves the page cache alone, so no number of kills can show a missing fsync. The order of
system calls can: bytes go to a file, the file is synced, and only then a socket is written.
"""

from __future__ import annotations

import asyncio
import re
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

_CALLS = "write,writev,sendto,sendmsg,pwrite64,fsync,fdatasync"
_LONGEST = 70_000  # bytes of one call that are kept
_BEGIN = re.compile(r"^(\d+) +([0-9.]+) (\w+)\((\d+)<((?:->|[^>])*)>(.*)$")
_RESUMED = re.compile(r"^(\d+) +[0-9.]+ <\.\.\. (\w+) resumed>(.*)$")
_RESULT = re.compile(r"= (-?\d+)(?: .*)?$")
_BYTES = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass(frozen=True, slots=True)
class Call:
    """One system call: the places in the trace where it began and ended, and what it carried."""

    name: str
    target: str
    data: bytes
    begun: int
    ended: int
    result: int


def parse_trace(lines: Iterable[str]) -> list[Call]:
    """The calls of a trace by strace -f -xx -yy, in the order in which they began."""
    calls: list[Call] = []
    open_calls: dict[str, tuple[str, str, str, int]] = {}
    for at, line in enumerate(lines):
        if resumed := _RESUMED.match(line):
            begun = open_calls.pop(resumed[1], None)
            if begun is not None:
                calls.append(_call(*begun, resumed[3], at))
        elif started := _BEGIN.match(line):
            thread, _, name, _, target, rest = started.groups()
            if rest.endswith("<unfinished ...>"):
                open_calls[thread] = (name, target, rest, at)
            else:
                calls.append(_call(name, target, rest, at, rest, at))
    return sorted(calls, key=lambda c: c.begun)


def _call(name: str, target: str, begun: str, at: int, end: str, ended: int) -> Call:
    result = _RESULT.search(end)
    data = b"".join(bytes.fromhex(m.replace("\\x", "")) for m in _BYTES.findall(begun))
    return Call(name, _text(target), data, at, ended, int(result[1]) if result else -1)


def _text(target: str) -> str:
    """A target's name: -xx writes file names in hexadecimal too."""
    return re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), target)


def synced(calls: list[Call], file: str, needle: bytes) -> int | None:
    """The place in the trace where a sync returned that covers the first write of `needle` to a
    file of this name; None when there is no such sync."""
    written = next(
        (c for c in calls if c.name == "pwrite64" and c.target.endswith(file) and needle in c.data),
        None,
    )
    if written is None:
        return None
    return min(
        (
            c.ended
            for c in calls
            if c.name in ("fsync", "fdatasync") and c.target.endswith(file)
            and c.begun > written.ended and c.result == 0
        ),
        default=None,
    )  # fmt: skip


def said(calls: list[Call], place: str) -> Iterator[Call]:
    """What was written to the sockets whose description holds `place`, in order."""
    sends = ("write", "writev", "sendto", "sendmsg")
    return (c for c in calls if c.name in sends and "TCP" in c.target and place in c.target)


@asynccontextmanager
async def traced(pid: int, out: Path) -> AsyncIterator[None]:
    """Trace a running process and all of its threads, within."""
    async with _strace(pid, "-xx", "-yy", "-ttt", f"-s{_LONGEST}", "-e", f"trace={_CALLS}",
                       "-o", str(out)):  # fmt: skip
        yield


@asynccontextmanager
async def failing(pid: int, calls: str, error: str) -> AsyncIterator[None]:
    """Within, these system calls of a process do not happen and return an error."""
    async with _strace(pid, "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}",
                       "-o", "/dev/null"):  # fmt: skip
        yield


@asynccontextmanager
async def _strace(pid: int, *options: str) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        "strace", "-f", "-p", str(pid), *options, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
    )
    try:
        await _attached(process)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def _attached(process: Process) -> None:
    """strace says on its standard error that it is attached, or why it cannot be."""
    assert process.stderr is not None
    line = (await asyncio.wait_for(process.stderr.readline(), 20)).decode()
    assert "attached" in line, f"strace: {line.strip()}"
