"""Nothing is said before it is on the disk: system-call traces of ingress and of mix A.

kill -9 leaves the page cache, so it can never show a missing fsync; the order of calls can.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.faults.crew import UP_S
from tests.faults.disks import need_strace
from tests.faults.running import Open, Running
from tests.faults.tracing import Call, parse_trace, said, synced, traced
from tests.host.sockets import line, until
from tests.ingress.stage import TAKEN, upload
from tests.mix.test_workers import workers_of

from wallflower.host.pull import SHARE_QUESTION
from wallflower.mix.edge.mix import PAGE
from wallflower.mix.edge.sharing import database_of
from wallflower.wire.sizes import VERSION

LINES = 6
CELLS_OF_A_LINE = 6
# The page that a mix asks for, or nothing more at the end of a round.
QUESTION_TAILS = tuple(most.to_bytes(4) for most in (*PAGE.values(), 0))
# The process that asks for each of A's shares, and what stands behind its questions.
ASKERS = {"mix-a": (0, bytes([0, 2])), "worker": (1, bytes([1, 2]))}


def named(number: int) -> bytes:
    """A body cell that names itself, of a record that there is not, so that A refuses it; every
    second is of the other share."""
    return bytes([VERSION, 1, 255, 255]) + b"%014d" % number + number.to_bytes(2) + bytes(2380)


def needle(cell: bytes) -> bytes:
    return cell[:20]


async def send_cells(port: int) -> dict[int, list[bytes]]:
    """Post named cells on several connections at once; the cells by the connection's own port."""
    sent: dict[int, list[bytes]] = defaultdict(list)

    async def one(number: int) -> None:
        async with line(port) as connection:
            own = connection.writer.get_extra_info("sockname")[1]
            for k in range(CELLS_OF_A_LINE):
                body = named(number * CELLS_OF_A_LINE + k)
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
            at = synced(calls, "cells.db-wal", needle(body))
            if at is None or at > answer.begun:
                early.append(needle(body))
    return early


def acknowledgements(calls: list[Call], port: int, share: bytes) -> list[tuple[int, Call]]:
    """(after, call) of every question to ingress that acknowledges more than the one before."""
    found, last = [], 0
    for call in said(calls, f":{port}]"):
        question = call.data[-SHARE_QUESTION:]
        if question.endswith(tuple(tail + share for tail in QUESTION_TAILS)):
            after = int.from_bytes(question[:8])
            if after > last:
                found.append((after, call))
                last = after
    return found


def acknowledged_too_early(calls: list[Call], port: int, number: int, share: bytes) -> list[int]:
    """The numbers that were acknowledged before the commit of them was synced."""
    early = []
    for after, call in acknowledgements(calls, port, share):
        # The row of the cursor: its name, and behind it its value.
        at = synced(calls, f"{database_of(number)}-wal", b"cursor" + after.to_bytes(8))
        if at is None or at > call.begun:
            early.append(after)
    return early


async def trace_both(town: Running, folder: Path) -> tuple[list[bytes], int, list[int], list[int]]:
    """Trace ingress, A and its worker while cells come in: what left too early, of how many; and
    what was acknowledged too early, and how many acknowledgements each asker made."""
    crew = town.crew
    pids = {role: crew.processes[role].pid for role in ("ingress", "mix-a")}

    async def working() -> bool:
        return len(workers_of(pids["mix-a"])) == 1

    await until(working, "A has a worker", UP_S)
    (pids["worker"],) = workers_of(pids["mix-a"])
    outs = {name: folder / f"{name}.trace" for name in pids}
    before = (await crew.town.status("mix-a")).get("refused", 0)
    async with AsyncExitStack() as stack:
        for name, pid in pids.items():
            await stack.enter_async_context(traced(pid, outs[name]))
        sent = await send_cells(crew.town.ports["ingress"])
        total = sum(map(len, sent.values()))

        async def pulled() -> bool:
            # The cells are of no record: A refuses them all, and acknowledges them all the same.
            status = await crew.town.status("mix-a")
            waiting = (await crew.town.status("ingress")).get("waiting")
            return status.get("refused", 0) - before == total and waiting == 0

        await until(pulled, "A has pulled and acknowledged everything", UP_S)
    calls = {name: parse_trace(out.read_text().splitlines()) for name, out in outs.items()}
    port = crew.town.ports["ingress-inner"]
    early, made = [], []
    for name, (number, share) in ASKERS.items():
        early += acknowledged_too_early(calls[name], port, number, share)
        made.append(len(acknowledgements(calls[name], port, share)))
    return answered_too_early(calls["ingress"], sent), total, early, made


@pytest.fixture
async def honest(open_town: Open) -> AsyncIterator[Running]:
    need_strace()
    yield await open_town()


async def test_every_204_and_every_acknowledgement_leaves_after_the_sync_that_covers_it(
    honest: Running, tmp_path: Path
) -> None:
    early_cells, cells, early_questions, questions = await trace_both(honest, tmp_path)
    print(f"\n{cells} cells, {questions} acknowledging questions of A and of its worker")
    assert (early_cells, cells) == ([], LINES * CELLS_OF_A_LINE)
    assert early_questions == []
    assert min(questions) >= 1


async def test_a_process_that_does_not_sync_is_seen_by_the_same_trace(
    open_town: Open, tmp_path: Path
) -> None:
    """The control: PRAGMA synchronous=OFF in both, and nothing else."""
    need_strace()
    plant = {"ingress": "no-sync", "mix-a": "no-sync"}
    town = await open_town(before=lambda crew: crew.faults.update(plant))
    early_cells, cells, early_questions, questions = await trace_both(town, tmp_path)
    assert len(early_cells) == cells == LINES * CELLS_OF_A_LINE
    # A's own: what is planted in its process is not in its worker's.
    assert len(early_questions) == questions[0] >= 1
