"""Who opens B's parcels: this process, and `workers` others on the same machine.

A worker gets seals and gives what was in them; it has no database, no network and no say. It
reads the hop key from the same folder as the mix, so that no key travels.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from wallflower.crypto import hpke
from wallflower.errors import Fault
from wallflower.host.disk import Folder
from wallflower.mix.edge.hops import read_hop
from wallflower.mix.edge.workers import Worker, WorkerGone, Workers
from wallflower.mix.opening import Plain, Usable, open_seals

# Seals for a worker at a time: 77 kB and 5 ms of work, or less than a millisecond.
MOST, LEAST = 64, 8
_AHEAD = 2  # pieces that a worker has, so that it need not wait for the next
Seals = Sequence[bytes]


class Openers:
    """Opens what was found under one record at a time."""

    def __init__(self, keys: Folder, workers: Workers) -> None:
        self._keys = keys
        self._workers = workers

    def seals(self, record: int, usable: Usable, seals: Seals) -> list[Plain]:
        """What is in each seal to B of a record, by others too where that is worth it."""
        if self._workers.count and len(seals) > MOST:
            return self._spread(record, usable, seals)
        # One after another and nothing between: the processor's caches hold it all.
        return self._open(usable, seals)

    def _spread(self, record: int, usable: Usable, seals: Seals) -> list[Plain]:
        """Hand out seals from the first; while others have enough, open them from the last. Pieces
        become smaller towards the middle, where all should end at once."""
        found: dict[int, list[Plain]] = {}  # by where each piece begins
        begun: list[tuple[Worker, deque[range]]] = [(w, deque()) for w in self._workers.started()]
        first, end = 0, len(seals)
        try:
            while first < end:
                size = _piece(end - first, len(begun))
                free = next((each for each in begun if self._has_room(*each, found)), None)
                if free is None:
                    end -= size
                    found[end] = self._open(usable, seals[end : end + size])
                    continue
                worker, pieces = free
                pieces.append(range(first, first + size))
                worker.give(_work, self._keys.path, record, usable[0], seals[first : first + size])
                first += size
            for worker, pieces in begun:
                while pieces:
                    found[pieces[0].start] = worker.result()
                    pieces.popleft()
        except WorkerGone:
            # Opening is pure: we do ourselves what is left, and start others anew.
            self._workers.end()
            given = [piece for _, pieces in begun for piece in pieces]
            # Where nothing is left, what begins there is what we opened last.
            for piece in filter(None, [*given, range(first, end)]):
                found[piece.start] = self._open(usable, seals[piece.start : piece.stop])
        return [plain for _, piece in sorted(found.items()) for plain in piece]

    def _has_room(
        self, worker: Worker, pieces: deque[range], found: dict[int, list[Plain]]
    ) -> bool:
        """Take what a worker has done; whether it should be given more."""
        while pieces and worker.ready():
            found[pieces[0].start] = worker.result()
            pieces.popleft()
        return len(pieces) < _AHEAD

    @staticmethod
    def _open(usable: Usable, seals: Seals) -> list[Plain]:
        return open_seals("b", usable[1], usable[0], seals)


def _piece(left: int, workers: int) -> int:
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
