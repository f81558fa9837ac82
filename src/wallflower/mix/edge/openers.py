"""Who opens for a mix: this process, or `workers` others on the same machine.

A worker gets sealed bytes and gives opened ones; it has no database, no network and no say. It
reads the hop key from the same folder as the mix, so that no key travels, and is ended when a key
is erased, so that none outlives its erasure in another process's memory. It ends with its mix,
however that ends.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import TypeVar

from wallflower.crypto import hpke
from wallflower.errors import Fault, Refused
from wallflower.host.disk import Folder
from wallflower.host.memory import leave_no_image
from wallflower.mix.edge.hops import read_hop
from wallflower.mix.gathering import Outcome, judge_gathering
from wallflower.mix.opening import (
    Opened,
    first_copies,
    judge_copies,
    open_parcel,
    open_plain,
    opened_of,
    outcome_of,
)
from wallflower.wire.hum import Gathering

T = TypeVar("T")
R = TypeVar("R")
Usable = tuple[bytes, hpke.PrivateKey]  # of a record: its hash, and our key for it
Work = Callable[[T, hpke.PrivateKey, bytes], R]
MOST_WORKERS = 64
CHUNK = 16  # hums for a worker at a time: 150 kB to A's, 130 kB to B's


class Openers:
    """Opens what was found under one record at a time. Ends with `end`, and may be used again."""

    def __init__(self, keys: Folder, workers: int = 0) -> None:
        if not 0 <= workers <= MOST_WORKERS:
            raise Fault("workers is out of bounds", f"Write 0 to {MOST_WORKERS}, or nothing.")
        self._keys = keys
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def gatherings(self, record: int, usable: Usable, whole: list[Gathering]) -> Iterator[Outcome]:
        """Judge complete gatherings of a record, in their order (A)."""
        record_hash, private = usable
        if self._alone(whole):
            for gathering in whole:
                yield judge_gathering(gathering, private, record_hash)
            return
        copies = [first_copies(gathering) for gathering in whole]
        judged = self._spread(judge_copies, record, usable, copies)
        for one, gathering in zip(judged, whole, strict=True):
            yield outcome_of(one, gathering, private, record_hash)

    def parcels(
        self, record: int, usable: Usable, parcels: list[bytes]
    ) -> Iterator[Opened | Refused]:
        """Open parcels of a record, in their order; a refusal is a value here (B)."""
        record_hash, private = usable
        if self._alone(parcels):
            for parcel in parcels:
                try:
                    yield open_parcel(parcel, private, record_hash)
                except Refused as refused:
                    yield refused
            return
        yield from map(opened_of, self._spread(open_plain, record, usable, parcels))

    def _alone(self, items: Sequence[T]) -> bool:
        """Whether it is not worth asking others."""
        return not self._workers or len(items) <= CHUNK

    def _spread(
        self, work: Work[T, R], record: int, usable: Usable, items: Sequence[T]
    ) -> Iterator[R]:
        """Hand out all chunks at once; the answers come while later chunks are still at work."""
        record_hash, private = usable
        chunks = [items[at : at + CHUNK] for at in range(0, len(items), CHUNK)]
        futures: list[Future[list[R]]] = []
        try:
            pool = self._started()
            futures = [pool.submit(_work, work, record, record_hash, chunk) for chunk in chunks]
        except BrokenProcessPool:
            self.end()
        for number, chunk in enumerate(chunks):
            try:
                yield from futures[number].result()
            except (BrokenProcessPool, IndexError):
                # A worker was killed. Opening is pure: we do it ourselves, and start others anew.
                self.end()
                yield from [work(item, private, record_hash) for item in chunk]

    def pids(self) -> list[int]:
        """The processes that open now."""
        # The executor tells nobody; a test holds us to what this finds.
        return sorted((self._pool._processes or {}) if self._pool else [])

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._workers, get_context("spawn"), _begin, (self._keys.path,)
            )
        return self._pool

    def end(self) -> None:
        """End all workers and wait until they are gone; others are started when there is work."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


# -- in a worker -----------------------------------------------------------------------------------


def _begin(keys: Path) -> None:
    """What a worker does first: keep its memory to itself, end with its mix, leave Ctrl-C to it."""
    leave_no_image()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _folder.append(Folder(keys))


_folder: list[Folder] = []


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
    os._exit(0)


@cache
def _private(number: int) -> hpke.PrivateKey:
    private = read_hop(_folder[0], number)
    if private is None:
        raise Fault("A hop key is not in its folder", "The mix says which, and what to do.")
    return private


def _work(work: Work[T, R], record: int, record_hash: bytes, items: Sequence[T]) -> list[R]:
    private = _private(record)
    return [work(item, private, record_hash) for item in items]
