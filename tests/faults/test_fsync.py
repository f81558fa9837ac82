"""Nothing is said before it is on the disk: system-call traces of ingress and of mix A.

kill -9 leaves the page cache, so it can never show a missing fsync; the order of calls can.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.faults.crew import UP_S
from tests.faults.disks import need_strace
from tests.faults.running import Open, Running
from tests.faults.tracing import Call, parse_trace, said, synced, traced
from tests.host.sockets import line, until
from tests.ingress.stage import TAKEN, cell, upload

from wallflower.mix.edge.mix import PAGE

LINES = 6
CELLS_OF_A_LINE = 6
# The page that a mix asks for, or nothing more at the end of a round.
QUESTION_TAILS = tuple(most.to_bytes(4) for most in (*PAGE.values(), 0))


async def send_cells(port: int) -> dict[int, list[bytes]]:
    """Post named cells on several connections at once; the cells by the connection's own port."""
    sent: dict[int, list[bytes]] = defaultdict(list)

    async def one(number: int) -> None:
        async with line(port) as connection:
            own = connection.writer.get_extra_info("sockname")[1]
            for k in range(CELLS_OF_A_LINE):
                body = cell(number * CELLS_OF_A_LINE + k)
                assert await connection.ask(upload(body)) == TAKEN
                sent[own].append(body)

    await asyncio.gather(*(one(n) for n in range(LINES)))
    return sent


def answered_too_early(calls: list[Call], sent: dict[int, list[bytes]]) -> list[bytes]:
    """The cells whose 204 left before a sync that covers them had returned."""
    early = []
    for port, cells in sent.items():
        answers = [c for c in said(calls, f":{port}]") if c.data.startswith(b"HTTP/1.1 204")]
        assert len(answers) == len(cells), "the trace holds every answer"
        for body, answer in zip(cells, answers, strict=True):
            at = synced(calls, "cells.db-wal", body[:12])
            if at is None or at > answer.begun:
                early.append(body[:12])
    return early


def acknowledgements(calls: list[Call], port: int) -> list[tuple[int, Call]]:
    """(after, call) of every question to ingress that acknowledges more than the one before."""
    found, last = [], 0
    for call in said(calls, f":{port}]"):
        if call.data.endswith(QUESTION_TAILS) and len(call.data) >= 12:
            after = int.from_bytes(call.data[-12:-4])
            if after > last:
                found.append((after, call))
                last = after
    return found


def acknowledged_too_early(calls: list[Call], port: int) -> list[int]:
    """The numbers that a mix acknowledged before its own commit of them was synced."""
    early = []
    for after, call in acknowledgements(calls, port):
        # The row of the cursor: its name, and behind it its value.
        at = synced(calls, "mix.db-wal", b"cursor" + after.to_bytes(8))
        if at is None or at > call.begun:
            early.append(after)
    return early


async def trace_both(town: Running, folder: Path) -> tuple[list[bytes], int, list[int], int]:
    """Trace ingress and A while cells come in: what left too early, of how many, at each."""
    crew = town.crew
    outs = {role: folder / f"{role}.trace" for role in ("ingress", "mix-a")}
    before = (await crew.town.status("mix-a")).get("refused", 0)
    async with (
        traced(crew.processes["ingress"].pid, outs["ingress"]),
        traced(crew.processes["mix-a"].pid, outs["mix-a"]),
    ):
        sent = await send_cells(crew.town.ports["ingress"])
        total = sum(map(len, sent.values()))

        async def pulled() -> bool:
            # The cells are no hums: A refuses them all, and acknowledges them all the same.
            status = await crew.town.status("mix-a")
            waiting = (await crew.town.status("ingress")).get("waiting")
            return status.get("refused", 0) - before == total and waiting == 0

        await until(pulled, "A has pulled and acknowledged everything", UP_S)
    calls = {role: parse_trace(out.read_text().splitlines()) for role, out in outs.items()}
    port = crew.town.ports["ingress-inner"]
    return (
        answered_too_early(calls["ingress"], sent), total,
        acknowledged_too_early(calls["mix-a"], port), len(acknowledgements(calls["mix-a"], port)),
    )  # fmt: skip


@pytest.fixture
async def honest(open_town: Open) -> AsyncIterator[Running]:
    need_strace()
    yield await open_town()


async def test_every_204_and_every_acknowledgement_leaves_after_the_sync_that_covers_it(
    honest: Running, tmp_path: Path
) -> None:
    early_cells, cells, early_questions, questions = await trace_both(honest, tmp_path)
    print(f"\n{cells} cells, {questions} acknowledging questions")
    assert (early_cells, cells) == ([], LINES * CELLS_OF_A_LINE)
    assert early_questions == []
    assert questions >= 1


async def test_a_process_that_does_not_sync_is_seen_by_the_same_trace(
    open_town: Open, tmp_path: Path
) -> None:
    """The control: PRAGMA synchronous=OFF in both, and nothing else."""
    need_strace()
    plant = {"ingress": "no-sync", "mix-a": "no-sync"}
    town = await open_town(before=lambda crew: crew.faults.update(plant))
    early_cells, cells, early_questions, questions = await trace_both(town, tmp_path)
    assert len(early_cells) == cells == LINES * CELLS_OF_A_LINE
    assert len(early_questions) == questions >= 1
