"""The released board: segments and head on the disk, one new segment a period."""

from __future__ import annotations

from wallflower.board.release import Batch, next_header, parse_batch, slots_of_period
from wallflower.crypto import sign
from wallflower.errors import Fault, Refused
from wallflower.host import Host
from wallflower.host.clock import day_of
from wallflower.trust.record import EpochRecord
from wallflower.wire.segment import (
    SignedSegment,
    make_head,
    make_segment,
    parse_head,
    parse_segment,
)


class Board:
    """Segments by number, and the batches that the desk handed in for coming days."""

    def __init__(self, host: Host, board_seed: bytes) -> None:
        self._host = host
        self._files = host.disk.folder("board")
        self._batches = host.disk.folder("batches")
        self._seed = board_seed
        self._verify = sign.verify_key(board_seed)
        self.head: bytes | None = self._files.read("head")
        self.drop_head = self._files.read("drop-head") or b""
        self._newest: SignedSegment | None = None
        if self.head is not None:
            self._newest = self._named_by(self.head)

    def _named_by(self, head: bytes) -> SignedSegment:
        """The newest segment, or a Fault where the files do not fit: they may be put back by hand,
        and a board that began anew would be one that went back."""
        try:
            named = parse_head(head)
            segment = parse_segment(self._files.read(str(named.number)) or b"")
        except Refused:
            raise _unfit() from None
        if segment.hash != named.segment_hash:
            raise _unfit()
        return segment

    def keep_drop_head(self, head: bytes) -> None:
        """Remember B's newest drop hash for the coming segments."""
        self._files.write("drop-head", head)
        self.drop_head = head

    def segment(self, number: int) -> bytes | None:
        """A segment that is on the board: one that no head names yet may be made once more."""
        return self._files.read(str(number)) if number <= self.count() else None

    def count(self) -> int:
        """How many segments were ever released."""
        return self._newest.header.number if self._newest else 0

    def period(self) -> int:
        """The period of the newest segment, 0 before the first."""
        return self._newest.header.period if self._newest else 0

    def take_batch(self, data: bytes, record: EpochRecord, now: float) -> None:
        """Keep the batch of a coming day, or Refused (board 2, 3). The first for a day stays."""
        batch = parse_batch(data, record)
        today = day_of(now)
        if not today < batch.day <= today + 2:
            raise Refused("board 3", "A day-batch is for a day that is not tomorrow's")
        if self._batches.read(str(batch.day)) is None:
            self._batches.write(str(batch.day), data)

    def _batch(self, day: int, record: EpochRecord) -> Batch | None:
        data = self._batches.read(str(day))
        try:
            return parse_batch(data, record) if data else None
        except Refused:  # the sizes were raised since: this one day is noise
            return None

    def has_key_of(self, record: EpochRecord) -> bool:
        """Whether the record names our board key: no reader believes another (segment 3.3)."""
        return record.body.board_verify == self._verify

    def release(self, record: EpochRecord, now: float) -> bool:
        """Release the segment of this period if that was not done; whether it was.

        A newest one of a period far ahead was released by a clock that was, and holds up nothing.
        Under a record that names another board key the old head stays, which readers believe.
        """
        if not self.has_key_of(record):
            return False
        p = record.body.parameters
        period = int(now // p.period)
        if self._newest and period <= self.period() <= period + 1:
            self._renew_head(record)
            return False
        day = day_of(now)
        draw = self._host.entropy.draw
        replies, receipts = slots_of_period(self._batch(day, record), period, record, draw)
        header = next_header(self._newest, period, record, self.drop_head)
        raw = make_segment(header, replies, receipts, self._seed)
        segment = parse_segment(raw)
        # What left the board does not come back, however many segments a later record allows.
        oldest = parse_head(self.head).first if self.head else 1
        first = max(oldest, header.number - p.segments + 1)
        self._files.write(str(header.number), raw)
        self._show(make_head(segment, first, self._seed))
        # A day is over when two releases say so: one look at a wrong clock takes no batch away.
        over = min(day, day_of(self.period() * p.period))
        self._newest = segment
        self._forget(first, over)
        return True

    def _renew_head(self, record: EpochRecord) -> None:
        """Sign the head again under a record that came within the period: a revocation may have
        no ancestors, and nobody would believe the old head under it (segment 3.6)."""
        head = parse_head(self.head or b"")
        if self._newest is None or head.record_hash == record.hash:
            return
        under = (record.number, record.hash)
        self._show(make_head(self._newest, head.first, self._seed, under))

    def _show(self, head: bytes) -> None:
        """Nobody sees a head that is not on the disk: what it names would be made once more."""
        self._files.write("head", head)
        self.head = head

    def _forget(self, first: int, day: int) -> None:
        for name in self._files.names():
            if name.isdigit() and int(name) < first:
                self._files.remove(name)
        for name in self._batches.names():
            if name.isdigit() and int(name) < day:
                self._batches.remove(name)


def _unfit() -> Fault:
    return Fault(
        "The board's head in data/board and the segment that it names do not fit",
        "Put back what a mirror shows of both: see the handbook, Alarms.",
    )
