"""Who opens for a mix: this process, or `workers` others on the same machine.

A worker gets seals and gives what was in them; it has no database, no network and no say. It
reads the hop key from the same folder as the mix, so that no key travels, and is ended when a key
is erased, so that none outlives its erasure in another process's memory. It ends with its mix,
however that ends.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path

from wallflower.crypto import hpke
from wallflower.errors import Fault, Refused
from wallflower.host.disk import Folder
from wallflower.host.memory import leave_no_image
from wallflower.mix.edge.hops import read_hop
from wallflower.mix.gathering import Outcome, judge_gathering
from wallflower.mix.opening import Opened, Plain, open_parcel, open_seals
from wallflower.wire.hum import Gathering
from wallflower.wire.sizes import SEAL_B

Usable = tuple[bytes, hpke.PrivateKey]  # of a record: its hash, and our key for it
MOST_WORKERS = 64
CHUNK = 32  # seals for a worker at a time: 38 kB, 3 ms of work


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
        seals = [gathering.seal_a() for gathering in whole]
        for gathering, key_a in zip(whole, self._opened("a", record, usable, seals), strict=True):
            gathering.key_a = key_a
            yield judge_gathering(gathering, private, record_hash)

    def parcels(
        self, record: int, usable: Usable, parcels: Sequence[bytes | memoryview]
    ) -> Iterator[Opened | Refused]:
        """Open parcels of a record, in their order; a refusal is a value here (B)."""
        seals = [parcel[:SEAL_B] for parcel in parcels]
        for parcel, plain in zip(parcels, self._opened("b", record, usable, seals), strict=True):
            try:
                yield open_parcel(parcel, plain, usable[0])
            except Refused as refused:
                yield refused

    def _opened(
        self, hop: str, record: int, usable: Usable, seals: Sequence[bytes | memoryview]
    ) -> Iterator[Plain]:
        """What is in each seal, by others where that is worth it."""
        if self._workers and len(seals) > CHUNK:
            yield from self._spread(hop, record, usable, seals)
        else:
            # One after another and nothing between: the processor's caches hold it all.
            yield from open_seals(hop, usable[1], usable[0], seals)

    def _spread(
        self, hop: str, record: int, usable: Usable, seals: Sequence[bytes | memoryview]
    ) -> Iterator[Plain]:
        """Hand out all chunks at once; the answers come while later chunks are still at work."""
        record_hash, private = usable
        copied = list(map(bytes, seals))  # a view does not travel
        chunks = [copied[at : at + CHUNK] for at in range(0, len(copied), CHUNK)]
        futures: list[Future[list[Plain]]] = []
        try:
            pool = self._started()
            futures = [pool.submit(_work, hop, record, record_hash, chunk) for chunk in chunks]
        except BrokenProcessPool:
            self.end()
        for number, chunk in enumerate(chunks):
            try:
                yield from futures[number].result()
            except (BrokenProcessPool, IndexError):
                # A worker was killed. Opening is pure: we do it ourselves, and start others anew.
                self.end()
                yield from open_seals(hop, private, record_hash, chunk)

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


def _work(hop: str, record: int, record_hash: bytes, seals: list[bytes]) -> list[Plain]:
    return open_seals(hop, _private(record), record_hash, seals)
