"""Who opens B's parcels: this process, and `workers` others on the same machine.

A worker gets seals and gives what was in them; it has no database, no network and no say. It
reads the hop key from the same folder as the mix, so that no key travels.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from pathlib import Path

from wallflower.crypto import hpke
from wallflower.errors import Fault
from wallflower.host.disk import Folder
from wallflower.mix.edge.hops import read_hop
from wallflower.mix.edge.workers import Worker, WorkerGone, Workers
from wallflower.mix.opening import Plain, Usable, open_seals
from wallflower.wire.sizes import SEAL_B

# Seals for a worker at a time: 77 kB and 5 ms of work, or less than a millisecond.
MOST, LEAST = 64, 8
_AHEAD = 2  # pieces that a worker has, so that it need not wait for the next
Seals = Sequence[bytes]
Piece = tuple[Sequence[int], list[Plain]]  # where its seals begin, and what was in each


class Openers:
    """Opens what was found under one record at a time."""

    def __init__(self, keys: Folder, workers: Workers) -> None:
        self._keys = keys
        self._workers = workers

    def pieces(
        self, record: int, usable: Usable, data: bytes, starts: Sequence[int]
    ) -> Iterator[Piece]:
        """What is in the seals to B of a record that begin at `starts` in `data`, by others too
        where that is worth it. Each comes once, in pieces of no order: who uses one at once does
        so while others still open."""
        if self._workers.count and len(starts) > MOST:
            yield from self._spread(record, usable, data, starts)
        elif starts:
            # One after another and nothing between: the processor's caches hold it all.
            yield starts, self._open(usable, _cut(data, starts))

    def _spread(
        self, record: int, usable: Usable, data: bytes, starts: Sequence[int]
    ) -> Iterator[Piece]:
        """Hand out seals from the first; while others have enough, open them from the last. Pieces
        become smaller towards the middle, where all should end at once."""
        begun: list[tuple[Worker, deque[Sequence[int]]]]
        begun = [(worker, deque()) for worker in self._workers.started()]
        left = starts
        try:
            while left:
                size = _size(len(left), len(begun))
                free = None
                for worker, given in begun:
                    while given and worker.ready():
                        yield _next(worker, given)
                    if len(given) < _AHEAD:
                        free = worker, given
                if free is None:
                    mine, left = left[-size:], left[:-size]
                    yield mine, self._open(usable, _cut(data, mine))
                    continue
                worker, given = free
                its, left = left[:size], left[size:]
                given.append(its)
                worker.give(_work, self._keys.path, record, usable[0], _cut(data, its))
            for worker, given in begun:
                while given:
                    yield _next(worker, given)
        except WorkerGone:
            # Opening is pure: we do ourselves what is left, and start others anew.
            self._workers.end()
            for piece in filter(None, [*chain(*(given for _, given in begun)), left]):
                yield piece, self._open(usable, _cut(data, piece))

    @staticmethod
    def _open(usable: Usable, seals: Seals) -> list[Plain]:
        return open_seals("b", usable[1], usable[0], seals)


def _cut(data: bytes, starts: Sequence[int]) -> Seals:
    return [data[at : at + SEAL_B] for at in starts]


def _next(worker: Worker, given: deque[Sequence[int]]) -> Piece:
    plains = worker.result()
    return given.popleft(), plains  # not before, since it may be gone


def _size(left: int, workers: int) -> int:
    return min(left, max(LEAST, min(MOST, left // (4 * (workers + 1)))))


# -- in a worker -----------------------------------------------------------------------------------


@cache
def _private(keys: Path, number: int) -> hpke.PrivateKey:
    private = read_hop(Folder(keys), number)
    if private is None:
        raise Fault("A hop key is not in its folder", "The mix says which, and what to do.")
    return private


def _work(keys: Path, record: int, record_hash: bytes, seals: Seals) -> list[Plain]:
    return open_seals("b", _private(keys, record), record_hash, seals)
