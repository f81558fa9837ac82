"""The walk of one source through the town, and the one JSON object that says what was seen."""

from __future__ import annotations

import asyncio
import json
import time
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from wallflower.errors import Fault
from wallflower.host.net import Unreachable
from wallflower.lab.demo.handler import Handler
from wallflower.lab.demo.pace import HUMS, PARAMETERS
from wallflower.lab.demo.town import Town, console
from wallflower.wire.record import parse_record

LETTER = "我在县水利局工作。水库的钱被分成了三份，我有账本的照片。请告诉我怎么办。"
ANSWER = (
    "我们收到了您的来信。请不要再用单位的电脑。不要把照片带出办公室，也不要告诉任何人您给我们写过信。"
    "过几天再来看这里的回复。"
)
PATIENCE_S = 40.0
_LOOK_S = 0.1
T = TypeVar("T")
VISITS = 3  # how often a visit is made before the demo gives up


class Step(StrEnum):
    """How far the letter came, and the sentence that says so."""

    WATCHED = "A source visits, as everyone does. Nothing is written yet."
    WRITTEN = "Offline, it writes a letter. That waits for a visit on a later day."
    LEAVES = "On a later day it visits again; the letter rides in that hum."
    MIXED = "The letter lies in the pool of A or of B, for a time drawn by lot."
    ARRIVED = "It came out in a drop. The handler reads it and answers."
    ON_BOARD = "The answer is on the board, which everybody takes home whole."
    RETURNED = "Elsewhere, with nothing but the words, the source comes back."
    READ = "It has found its answer. Looking asked nobody for anything."


class Source(Protocol):
    """The person who writes: in the terminal, or in Chromium."""

    async def visit(self) -> None:
        """Watch once."""
        ...

    async def write(self, text: str) -> None:
        """Make words and seal a letter, offline."""
        ...

    async def come_back(self) -> list[str]:
        """On another device, with the words alone: the replies that are found."""
        ...

    async def receipts(self) -> int:
        """How many receipts that reading found."""
        ...

    async def close(self) -> None:
        """Put everything away."""
        ...


async def until(what: str, ready: Callable[[], Awaitable[bool]], limit: float = PATIENCE_S) -> None:
    """Wait for a condition with a limit."""
    end = time.monotonic() + limit
    while not await ready():
        if time.monotonic() > end:
            raise Fault(
                f"The demo waited {limit:.0f} s for {what}",
                "Run it again with --keep FOLDER, and read the logs there.",
            )
        await asyncio.sleep(_LOOK_S)


async def made_again(visit: Callable[[], Awaitable[T]]) -> T:
    """A visit; again when it fell on a change of day.

    Then the head is already tomorrow's and the record still today's, so the board is refused
    (segment 3.6). With days of seconds that happens to a visit in fifty.
    """
    for _ in range(VISITS - 1):
        try:
            return await visit()
        except Fault:
            continue
    return await visit()


@dataclass(slots=True)
class TerminalSource:
    """The source by `wallflower visit`, `write` and `read`."""

    town: Town
    words: str = ""
    found: dict[str, Any] = field(default_factory=dict)

    async def _run(self, store: str, command: str, *more: str, said: str = "") -> tuple[str, str]:
        pins = self.town.folder / "organisation" / "pins.json"
        process = await asyncio.create_subprocess_exec(
            *console(), command, "--pins", str(pins), "--store", str(self.town.folder / store),
            *more, stdin=PIPE, stdout=PIPE, stderr=PIPE,
        )  # fmt: skip
        out, err = await process.communicate(said.encode())
        if process.returncode:
            raise Fault(f"'wallflower {command}' failed: {err.decode().strip()}", "See above.")
        return out.decode(), err.decode()

    async def visit(self) -> None:
        """Watch once."""
        await self._visit("source")

    async def _visit(self, store: str) -> None:
        await made_again(lambda: self._run(store, "visit", "--mirror", self.town.url("mirror")))

    async def write(self, text: str) -> None:
        """Make words and seal a letter, offline."""
        _, err = await self._run(
            "source", "write", "--new-words", "--language", "zh-Hans", said=text
        )
        self.words = next(line for line in err.splitlines() if line.startswith("  ")).strip()

    async def come_back(self) -> list[str]:
        """With a new store and the words alone."""
        await self._visit("elsewhere")
        out, _ = await self._run("elsewhere", "read", "--json", said=self.words + "\n")
        self.found = json.loads(out)
        return list(self.found["replies"])

    async def receipts(self) -> int:
        """How many receipts the last reading found."""
        return len(self.found.get("receipts", []))

    async def close(self) -> None:
        """Nothing is open: each command ended by itself."""


@dataclass(slots=True)
class Seen:
    """What the walk saw; `ok` is decided from this and nothing else."""

    letter_delivered: bool = False
    reply_read: bool = False
    receipt_verified: bool = False
    days: list[int] = field(default_factory=list)


async def today(town: Town) -> int:
    """The day of the record that the mirror serves, or 0 while there is none."""
    try:
        raw = await town.net.get(f"{town.url('mirror')}/record")
    except Unreachable:
        return 0
    return parse_record(raw).body.day


async def open_town(town: Town, handler: Handler) -> None:
    """Unlock the desk and wait until there is a record and a board."""
    await handler.unlock()

    async def has_board() -> bool:
        town.check_alive()
        try:
            await town.net.get(f"{town.url('mirror')}/board/head")
        except Unreachable:
            return False
        return True

    await until("the first record and board", has_board)


async def start_crowd(town: Town, viewers: int, pause_days: float) -> asyncio.Task[None]:
    """Start the crowd; the task keeps its newest line of counts in `town.folder/crowd.json`."""
    pins = str(town.folder / "organisation" / "pins.json")
    process = await town.start(
        "crowd", "crowd", "--pins", pins, "--mirror", town.url("mirror"),
        "--viewers", str(viewers), "--pause", str(pause_days * 86400),
    )  # fmt: skip

    async def read() -> None:
        assert process.stdout is not None  # noqa: S101  # it was started with a pipe
        async for line in process.stdout:
            (town.folder / "crowd.json").write_bytes(line)

    return asyncio.ensure_future(read())


def crowd_counts(town: Town) -> dict[str, int]:
    """The crowd's newest counts."""
    try:
        counts: dict[str, int] = json.loads((town.folder / "crowd.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return counts


async def walk(
    town: Town, source: Source, handler: Handler, say: Callable[[Step], None],
    patience: float = PATIENCE_S,
) -> Seen:  # fmt: skip
    """Visit, write, visit on a later day, be answered, come back with the words alone.

    `patience` is how many wall seconds each step may take before the walk fails.
    """
    seen = Seen()
    first = await today(town)
    say(Step.WATCHED)
    await source.visit()
    say(Step.WRITTEN)
    await source.write(LETTER)
    # Not the day of the visit: on a busy machine that may be over before the letter is written.
    written = await today(town)

    async def later() -> bool:
        return await today(town) > written

    await until("the next day", later, patience)
    say(Step.LEAVES)
    await source.visit()
    say(Step.MIXED)

    async def arrived() -> bool:
        town.check_alive()
        return await handler.has_letter(LETTER)

    await until("the letter at the desk", arrived, patience)
    seen.letter_delivered = True
    say(Step.ARRIVED)
    await handler.answer(LETTER, ANSWER)
    await until("the answer on the board", handler.answer_is_on_board, patience)
    say(Step.ON_BOARD)
    say(Step.RETURNED)
    replies = await source.come_back()
    seen.reply_read = ANSWER in replies
    seen.receipt_verified = await source.receipts() >= 1
    if seen.reply_read:
        say(Step.READ)
    seen.days = [first, await today(town)]
    return seen


async def summary(town: Town, seen: Seen, started: float) -> dict[str, Any]:
    """The one JSON object of `--once --json`."""
    a, b, ingress = [await town.status(r) for r in ("mix-a", "mix-b", "ingress")]
    crowd = crowd_counts(town)
    return {
        "letter_delivered": seen.letter_delivered, "reply_read": seen.reply_read,
        "receipt_verified": seen.receipt_verified,
        "hums": a.get("hums", 0), "cells": ingress.get("cells", 0),
        "viewers": crowd.get("viewers", 0), "viewers_seen": crowd.get("watched", 0),
        "wall_s": round(time.monotonic() - started, 1),
        "pace_days": town.pace.days, "pace_hums": HUMS,
        "ticks": {"a": a.get("ticks", 0), "b": b.get("ticks", 0)},
        "ticks_skipped": {"a": a.get("ticks_skipped", 0), "b": b.get("ticks_skipped", 0)},
        "pool_high_water": {"a": a.get("pool_high_water", 0), "b": b.get("pool_high_water", 0)},
        "loops": {"a": a.get("loops", 0), "b": b.get("loops", 0)},
        "floor": PARAMETERS["floor"], "floor_reached": b.get("most_seen", 0),
        "demo_days": seen.days[-1] - seen.days[0] + 1 if seen.days else 0,
        "pids": town.pids(),
    }  # fmt: skip


def succeeded(result: dict[str, Any]) -> bool:
    """Whether everything that the demo promises was seen."""
    wanted = ("letter_delivered", "reply_read", "receipt_verified")
    return all(result.get(name) is True for name in wanted) and result["hums"] > 0
