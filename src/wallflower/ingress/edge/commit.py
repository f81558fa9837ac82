"""Group commit: many cells, one fsync, and only then their answers.

While one batch is being synced the next one gathers; so a batch is as large as the disk is slow,
and nobody waits for a timer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from wallflower.host.entropy import Entropy, shuffled
from wallflower.host.log import Log

T = TypeVar("T")
MOST_WAITING = 20_000  # cells in memory, about 48 MB; beyond this every upload is refused alike


class Commit:
    """Puts cells on the disk in batches; `put` returns once its cell is durable."""

    def __init__(self, log: Log, entropy: Entropy, record: Callable[[], int]) -> None:
        self._log = log
        self._entropy = entropy
        self._record = record
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self.cells = 0
        self.failures = 0  # batches that the disk did not take

    async def put(self, cell: bytes) -> bool:
        """Whether the cell is on the disk; False when there are too many or the disk failed."""
        if len(self._waiting) >= MOST_WAITING:
            return False
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((cell, done))
        self._wake.set()
        try:
            await done
        except OSError:
            return False
        return True

    async def run(self) -> None:
        """Commit for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._commit()

    async def _commit(self) -> None:
        batch, self._waiting = self._waiting, []
        # The order within a batch is not kept: it would be the order of arrival.
        cells = shuffled(self._entropy.draw, [cell for cell, _ in batch])
        try:
            await self.on_disk(lambda: self._log.append(self._record(), cells))
        except Exception:  # a full or failing disk: nothing is acknowledged, the service goes on
            self.failures += 1
            for _, done in batch:
                if not done.done():
                    done.set_exception(OSError())
            return
        self.cells += len(batch)
        for _, done in batch:
            if not done.done():
                done.set_result(None)

    async def on_disk(self, work: Callable[[], T]) -> T:
        """Run something on the database's own thread."""
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)
