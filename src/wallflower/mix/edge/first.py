"""Mix A: cells in, whole hums out. It never learns what is real. Spec: hum.md 2."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from wallflower.errors import Refused
from wallflower.host import Host
from wallflower.host.clock import day_of
from wallflower.host.entropy import shuffled
from wallflower.host.log import Entry, Log
from wallflower.mix.decide import chosen_to_leave, leave_probability, must_flush
from wallflower.mix.edge.loops import Loops
from wallflower.mix.edge.openers import Openers
from wallflower.mix.edge.pool import Pool, Row
from wallflower.mix.edge.records import Records
from wallflower.mix.edge.state import State
from wallflower.mix.edge.waiting import Waiting, among
from wallflower.mix.gathering import Outcome
from wallflower.trust.record import EpochRecord
from wallflower.wire.cell import Cell, parse_cell
from wallflower.wire.hum import Gathering, cell_hum_id

# Hums that A holds at most, those on their way to B too, but for one page: 4.6 GB of disk (8,786
# bytes each, measured). At a mean of six hours these are 24 hums a second, two million a day.
MOST_HELD = 524_288


class First:
    """The intake and the tick of mix A. The caller wraps each call in one transaction."""

    def __init__(
        self, host: Host, state: State, pool: Pool, records: Records, loops: Loops,
        openers: Openers,
    ) -> None:  # fmt: skip
        self._host = host
        self._loops = loops
        self._openers = openers
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
        self._pool.look_again()
        for record, hums in self._by_hum(entries).items():
            self._take(record, hums)
        # Last, so that no hum that these cells made whole can lose its lot.
        self.counts["lost_by_lot"] += self.waiting.bound()

    def _by_hum(self, entries: Iterable[Entry]) -> dict[int, dict[bytes, list[Cell]]]:
        """The cells that may be opened, by the record and the hum that they name."""
        found: dict[int, dict[bytes, list[Cell]] | None] = {}
        for entry in entries:
            try:
                cell = parse_cell(entry.body)
            except Refused:
                self.counts["refused"] += 1
                continue
            record = cell.record
            if record not in found:
                found[record] = None if self._records.usable(record) is None else {}
            hums = found[record]
            if hums is None:
                self.counts["refused"] += 1
                continue
            hum = cell_hum_id(cell)
            if hum in hums:
                hums[hum].append(cell)
            else:
                hums[hum] = [cell]
        return {record: hums for record, hums in found.items() if hums}

    def seen(self, record: int, hums: Collection[bytes]) -> set[bytes]:
        """Which of these hums went on or were junk already."""
        query = "SELECT hum FROM seen WHERE record = ? AND hum IN (%s)"
        return {hum for (hum,) in among(self._db, query, record, hums)}

    def _take(self, record: int, hums: dict[bytes, list[Cell]]) -> None:
        for hum in self.seen(record, hums):
            self.counts["copies"] += len(hums.pop(hum))
        before = self.waiting.gathered(record, hums)
        whole: dict[bytes, Gathering] = {}
        partial: dict[bytes, Gathering] = {}
        for hum, cells in hums.items():
            gathering = Gathering(dict(before[hum].cells) if hum in before else {})
            for cell in cells:
                gathering.add(cell)
            (whole if gathering.complete() else partial)[hum] = gathering
        self.waiting.keep(record, partial, before)
        usable = self._records.usable(record)
        assert usable is not None  # noqa: S101  # _by_hum has asked, and no time has passed
        outcomes = self._openers.gatherings(record, usable, list(whole.values()))
        for (hum, gathering), outcome in zip(whole.items(), outcomes, strict=True):
            if outcome.parcel is None and not outcome.junk:
                self.waiting.keep(record, {hum: gathering}, before)
                # Broken copies were tried, and each try costs a decapsulation: there are few.
                if self.waiting.opened(record, hum, outcome.broken):
                    continue
                self.waiting.drop(record, hum)
            elif hum in before:
                self.waiting.drop(record, hum)
            self._settle(record, hum, outcome)

    def _settle(self, record: int, hum: bytes, outcome: Outcome) -> None:
        """A hum is done with: nothing more of it is taken, and its parcel is held if it has one."""
        self._db.execute("INSERT INTO seen VALUES (?, ?)", (record, hum))
        if outcome.parcel is None:
            self.counts["refused"] += 1
            return
        if self._loops.is_own(outcome.key_a):
            self.counts["loops"] += 1  # it went as far as A can see, and hides nobody in the pool
            return
        self.counts["hums"] += 1
        today = day_of(self._host.clock.now())
        self._pool.put(record, today, outcome.parcel.encode())
        self._room -= 1

    def tick(self, record: EpochRecord, _number: int) -> None:
        """Let the chosen leave, in random order, for B to pull."""
        self._pool.look_again()
        now, p = self._host.clock.now(), record.body.parameters
        draw, q = self._host.entropy.draw, leave_probability(p.mean_a, p.tick)
        due: list[Row] = []
        for rows in self._pool.pages():
            flush = {day for day in {row.day for row in rows} if must_flush(day, now, p.tick)}
            due += [row for row in rows if row.day in flush]
            due += chosen_to_leave([row for row in rows if row.day not in flush], q, draw)
        leaving = shuffled(draw, due)
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
