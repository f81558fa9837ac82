"""Mix A: cells in, whole hums out. It never learns what is real. Spec: hum.md 2."""

from __future__ import annotations

from collections.abc import Iterable

from wallflower.errors import Refused
from wallflower.host import Host
from wallflower.host.clock import day_of
from wallflower.host.entropy import shuffled
from wallflower.host.log import Entry, Log
from wallflower.mix.decide import chosen_to_leave, leave_probability, must_flush
from wallflower.mix.edge.loops import Loops
from wallflower.mix.edge.pool import Pool, Row
from wallflower.mix.edge.records import Records
from wallflower.mix.edge.state import State
from wallflower.mix.edge.waiting import Waiting
from wallflower.mix.gathering import Outcome, judge_gathering
from wallflower.trust.record import EpochRecord
from wallflower.wire.cell import parse_cell
from wallflower.wire.hum import cell_hum_id

# Hums that A holds at most, those on their way to B too, but for one page: 4.6 GB of disk (8,786
# bytes each, measured). At a mean of six hours these are 24 hums a second, two million a day.
MOST_HELD = 524_288


class First:
    """The intake and the tick of mix A. The caller wraps each call in one transaction."""

    def __init__(
        self, host: Host, state: State, pool: Pool, records: Records, loops: Loops
    ) -> None:
        self._host = host
        self._loops = loops
        self._db = state.db
        self._pool = pool
        self._records = records
        self.out = Log(state.db, "parcels")
        self.waiting = Waiting(state, host.entropy)
        self._room = MOST_HELD
        self.counts = {
            "hums": 0, "copies": 0, "refused": 0, "parcels": 0, "lost_by_lot": 0, "loops": 0,
        }  # fmt: skip
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS seen (record INTEGER, hum BLOB, "
            "PRIMARY KEY (record, hum)) WITHOUT ROWID"
        )

    def begin_round(self) -> None:
        """Count what is held, once a round: a large pool is long to count."""
        self._room = MOST_HELD - self._pool.size() - self.out.span()

    @property
    def full(self) -> bool:
        """Whether nothing more may be pulled before hums have left (hum 2.7)."""
        return self._room <= 0

    def take(self, entries: Iterable[Entry]) -> None:
        """Gather cells; open every hum that has become whole and hold its parcel."""
        touched = set()
        for entry in entries:
            try:
                cell = parse_cell(entry.body)
            except Refused:
                self.counts["refused"] += 1
                continue
            key = (cell.record, cell_hum_id(cell))
            if self._records.usable(cell.record) is None:
                self.counts["refused"] += 1
                continue
            if self._was_seen(*key):
                self.counts["copies"] += 1
                continue
            self.waiting.put(*key, cell)
            touched.add(key)
        for record, hum in touched:
            self._open(record, hum)
        # Last, so that no hum that these cells made whole can lose its lot.
        self.counts["lost_by_lot"] += self.waiting.bound()

    def _was_seen(self, record: int, hum: bytes) -> bool:
        query = "SELECT 1 FROM seen WHERE record = ? AND hum = ?"
        return self._db.execute(query, (record, hum)).fetchone() is not None

    def _open(self, number: int, hum: bytes) -> None:
        usable = self._records.usable(number)
        if usable is None:
            return
        record_hash, private = usable
        gathering = self.waiting.gathered(number, hum)
        outcome = judge_gathering(gathering, private, record_hash)
        if outcome.parcel is None and not outcome.junk and self._may_come(number, hum, outcome):
            return
        self._db.execute("INSERT INTO seen VALUES (?, ?)", (number, hum))
        self.waiting.drop(number, hum)
        if outcome.parcel is None:
            self.counts["refused"] += 1
            return
        if self._loops.is_own(outcome.key_a):
            self.counts["loops"] += 1  # it went as far as A can see, and hides nobody in the pool
            return
        self.counts["hums"] += 1
        today = day_of(self._host.clock.now())
        self._pool.put(number, today, outcome.parcel.encode())
        self._room -= 1

    def _may_come(self, number: int, hum: bytes, outcome: Outcome) -> bool:
        """Whether a hum that is not whole may still become so."""
        # Broken copies were tried, and each try costs a decapsulation: there are not many.
        return not outcome.broken or self.waiting.opened(number, hum, outcome.broken)

    def tick(self, record: EpochRecord, _number: int) -> None:
        """Let the chosen leave, in random order, for B to pull."""
        now, p = self._host.clock.now(), record.body.parameters
        rows = self._pool.rows()
        late = [row for row in rows if must_flush(row.day, now, p.tick)]
        rest = [row for row in rows if not must_flush(row.day, now, p.tick)]
        drawn = chosen_to_leave(rest, leave_probability(p.mean_a, p.tick), self._host.entropy.draw)
        leaving: list[Row] = shuffled(self._host.entropy.draw, [*late, *drawn])
        for row in leaving:
            parcel = self._pool.take(row.name)
            if parcel is not None:
                self.out.add(row.record, [parcel])
                self.counts["parcels"] += 1

    def forget(self) -> None:
        """Drop what belongs to records whose keys are gone, and nothing sooner (hum 2.5)."""
        numbers = self._db.execute("SELECT DISTINCT record FROM seen").fetchall()
        for number in {*self.waiting.records(), *(number for (number,) in numbers)}:
            if self._records.private(number) is None:
                self.waiting.forget(number)
                self._db.execute("DELETE FROM seen WHERE record = ?", (number,))
