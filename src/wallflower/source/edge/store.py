"""The terminal's store: a fixed number of sealed letters, the record, the board. No text, no words.

Every place always holds a real ciphertext, so the file's size and shape say nothing. That a place
is waiting does stand in it: whoever searches this computer learns that something may have been
written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from wallflower.errors import Fault, Refused
from wallflower.host.disk import Folder, held
from wallflower.source.letters import Kept, Place, filler
from wallflower.trust.record import EpochRecord
from wallflower.wire.reading import Reader
from wallflower.wire.sizes import HASH, LETTER, TOKEN, TOKEN_WEEKS

PLACES = 8


class Store:
    """The files of one terminal client."""

    def __init__(self, disk: Folder) -> None:
        self._disk = disk
        self._board = disk.folder("board")

    def letters(self) -> list[Kept]:
        """All places; empty before the first visit, and where somebody deleted them."""
        data = self._disk.read("letters")
        if not data:
            return []
        reader = Reader(data, "store 1")
        try:
            return [_place(reader) for _ in range(PLACES)]
        except Refused:
            raise Fault(
                "The letters in this store are damaged",
                "Delete 'letters' there, and write again what waited in it.",
            ) from None

    @contextmanager
    def changing(self) -> Iterator[list[Kept]]:
        """All places, to be changed; the file is replaced when the block ends without an error. A
        visit that ends and a letter that is written at that moment wait for each other."""
        with held(self._disk.path):
            kept = self.letters()
            yield kept
            if kept:
                self.write_letters(kept)

    @contextmanager
    def visiting(self) -> Iterator[None]:
        """One visit at a time, or a Fault: two would carry the same letter, and whichever ends last
        would put its board in the place of a newer one."""
        busy = Fault("Another visit with this store is under way", "Wait until it has ended.")
        with held(self._board.path, busy):
            yield

    def write_letters(self, kept: list[Kept]) -> None:
        """Replace the whole file."""
        self._disk.write("letters", b"".join(
            bytes([k.place]) + k.day.to_bytes(4) + k.week.to_bytes(2) + bytes([k.mark])
            + k.record_hash + k.tokens + k.sealed
            for k in kept
        ))  # fmt: skip

    def fill(self, record: EpochRecord, desk: str, draw: Callable[[int], bytes]) -> None:
        """Where there are no places every one gets a filler."""
        with held(self._disk.path):
            if not self.letters():
                self.write_letters([filler(record, desk, draw) for _ in range(PLACES)])

    def record(self) -> bytes | None:
        """The newest record's bytes, for writing offline."""
        return self._disk.read("record")

    def keep_record(self, raw: bytes) -> None:
        """Replace the record."""
        self._disk.write("record", raw)

    def _numbers(self) -> list[int]:
        """Of the segments here, oldest first. What else lies there, as a system puts it on a stick,
        is none."""
        names = self._board.names()
        return sorted(int(name) for name in names if name.isascii() and name.isdigit())

    def segments(self) -> list[bytes]:
        """The board as of the last visit, oldest first, without what a visit of this moment takes
        away."""
        found = (self._board.read(str(number)) for number in self._numbers())
        return [data for data in found if data is not None]

    def newest(self) -> int:
        """The number of the newest segment that was ever taken, 0 when none was."""
        return max(self._numbers(), default=0)

    def keep_segments(self, raw: dict[int, bytes]) -> None:
        """Replace the board."""
        for number in self._numbers():
            if number not in raw:
                self._board.remove(str(number))
        for number, data in raw.items():
            self._board.write(str(number), data)


def _place(reader: Reader) -> Kept:
    """One place. Of one that does not wait nothing counts but tokens and letter: earlier versions
    kept there of which week and day a letter was that had left."""
    kept = Kept(
        Place(reader.number(1) == Place.WAITING), reader.number(4), reader.number(2),
        reader.number(1), reader.take(HASH), reader.take(TOKEN_WEEKS * TOKEN), reader.take(LETTER),
    )  # fmt: skip
    if kept.place is Place.WAITING:
        return kept
    return replace(kept, day=0, week=0, mark=0, record_hash=bytes(HASH))
