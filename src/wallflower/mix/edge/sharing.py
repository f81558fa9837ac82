"""Other processes that fill shares of A beside the mix: each pulls, opens and holds for itself.

A worker has no say: it is told the day, the records and the loops, and returns counts. It reads
hop and pool keys from the same folder as the mix, so that no key travels, and is ended when a key
is erased, so that none outlives its erasure in another process's memory. It ends with its mix,
however that ends.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from time import monotonic
from typing import Protocol

from wallflower.errors import Refused
from wallflower.host.clock import Clock
from wallflower.host.disk import Folder, settle
from wallflower.host.entropy import OsEntropy
from wallflower.host.http import HttpNet
from wallflower.host.net import Net, Unreachable
from wallflower.host.pull import Share as Which
from wallflower.mix.edge.hops import read_hop
from wallflower.mix.edge.intake import Source, take_all
from wallflower.mix.edge.pool import Pool
from wallflower.mix.edge.share import Rules, Share
from wallflower.mix.edge.state import State
from wallflower.mix.edge.workers import Worker, WorkerGone, Workers
from wallflower.mix.opening import Usable


class Line(Net, Protocol):
    """A way into the network that can be closed."""

    async def close(self) -> None:
        """Close it."""
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """One round of one share, as a worker is told it."""

    which: Which
    data: Path
    keys: Path
    source: Source
    dial: Callable[[], Line]
    day: int
    room: int
    ends: float  # by the monotonic clock, which all processes of a machine share
    # Hashes, and the moments from which hums may be opened under them, by `clock`: a worker that is
    # still starting may take its share long after it was told to.
    records: dict[int, tuple[bytes, float]]
    clock: Clock
    loops: frozenset[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Took:
    """What became of it."""

    counts: dict[str, int] = field(default_factory=dict)
    loops: frozenset[bytes] = frozenset()
    reached: bool = True
    refused: bool = False
    failed: OSError | sqlite3.Error | None = None


def database_of(number: int) -> str:
    """The name of a share's database; the first lies in that of the mix."""
    return f"share-{number}.db" if number else "mix.db"


class Sharing:
    """Has workers run the rounds of the other shares, one each."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._begun: list[tuple[Task, Worker]] = []

    def begin(self, tasks: list[Task]) -> None:
        """Begin all rounds. `finish` has to follow."""
        self._begun = list(zip(tasks, self._workers.started(), strict=False))
        for task, worker in self._begun:
            with suppress(WorkerGone):  # `finish` meets it again
                worker.give(_work, task)

    async def finish(self) -> list[Took]:
        """What became of each round, once all have ended. A worker that was killed leaves its share
        as it was after the last page that it took; we do the rest ourselves."""
        begun, self._begun = self._begun, []
        results = (asyncio.to_thread(worker.result) for _, worker in begun)
        ended = await asyncio.gather(*results, return_exceptions=True)
        if any(isinstance(took, WorkerGone) for took in ended):
            self._workers.end()
        done = []
        for (task, _), took in zip(begun, ended, strict=True):
            if isinstance(took, WorkerGone):
                done.append(await take_share(task))
            elif isinstance(took, BaseException):
                raise took
            else:
                done.append(took)
        return done


async def take_share(task: Task) -> Took:
    """Take what waits for one share and empty its write-ahead log. Where the disk fails, what was
    committed stays, and so does what came of it."""
    keys, came = Folder(task.keys), set[bytes]()

    def usable(number: int) -> Usable | None:
        known, moment = task.records.get(number, (b"", inf))
        private = read_hop(keys, number) if task.clock.now() >= moment else None
        return (known, private) if private else None

    entropy, line = OsEntropy(), task.dial()
    reached, refused, failed = True, False, None
    counts: dict[str, int] = {}
    try:
        with closing(Folder(task.data).database(database_of(task.which.number))) as db:
            state = State(db)
            rules = Rules(usable, task.loops.__and__, came.update, lambda: task.day)
            share = Share(task.which, state, Pool(db, keys, entropy), entropy, rules)
            share.room, counts = task.room, share.counts
            try:
                await take_all(
                    share, state, line, task.source, lambda: None, lambda: monotonic() < task.ends
                )
            except Unreachable:
                reached = False
            except Refused:
                refused = True
            finally:
                settle(db)
    except (OSError, sqlite3.Error) as error:
        failed = error
    finally:
        await line.close()
    return Took(counts, frozenset(came), reached, refused, failed)


def _work(task: Task) -> Took:
    return asyncio.run(take_share(task))


def http() -> Line:
    """A line for a worker of its own."""
    return HttpNet()
