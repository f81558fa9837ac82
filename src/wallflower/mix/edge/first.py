"""Mix A: cells in, whole hums out. It never learns what is real. Spec: hum.md 2."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from wallflower.host import Host
from wallflower.host.clock import day_of
from wallflower.host.entropy import shuffled
from wallflower.host.log import Log
from wallflower.host.pull import Arrived
from wallflower.mix.decide import chosen_to_leave, leave_probability, must_flush
from wallflower.mix.edge.loops import Loops
from wallflower.mix.edge.openers import Openers
from wallflower.mix.edge.pool import Pool, Row
from wallflower.mix.edge.records import Records
from wallflower.mix.edge.state import State
from wallflower.mix.edge.waiting import Waiting, among
from wallflower.mix.gathering import Outcome
from wallflower.trust.record import EpochRecord
from wallflower.wire.hum import Gathering, read_names

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

    def take(self, entries: Iterable[Arrived]) -> None:
        """Gather cells; open every hum that has become whole and hold its parcel."""
        self._pool.look_again()
        for record, hums in self._by_hum(entries).items():
            self._take(record, hums)
        # Last, so that no hum that these cells made whole can lose its lot.
        self.counts["lost_by_lot"] += self.waiting.bound()

    def _by_hum(self, entries: Iterable[Arrived]) -> dict[int, dict[bytes, Gathering]]:
        """The cells that may be opened, by the record and the hum that they name."""
        found: dict[int, dict[bytes, Gathering]] = {}
        for read in read_names(body for _, _, body in entries):
            if read is None:
                self.counts["refused"] += 1
                continue
            record, counter, hum, raw = read
            hums = found.get(record)
            if hums is None:
                hums = found[record] = {}
            gathering = hums.get(hum)
            if gathering is None:
                hums[hum] = Gathering({counter: raw})
            else:
                gathering.cells.setdefault(counter, raw)
        for record in [r for r in found if self._records.usable(r) is None]:
            self.counts["refused"] += sum(len(g.cells) for g in found.pop(record).values())
        return found

    def seen(self, record: int, hums: Collection[bytes]) -> set[bytes]:
        """Which of these hums went on or were junk already."""
        query = "SELECT hum FROM seen WHERE record = ? AND hum IN (%s)"
        return {hum for (hum,) in among(self._db, query, record, hums)}

    def _take(self, record: int, hums: dict[bytes, Gathering]) -> None:
        for hum in self.seen(record, hums):
            self.counts["copies"] += len(hums.pop(hum).cells)
        before = self.waiting.gathered(record, hums)
        for hum, earlier in before.items():
            hums[hum].cells |= earlier.cells  # of two with the same counter the first counts
        whole = {hum: gathering for hum, gathering in hums.items() if gathering.complete()}
        if len(whole) < len(hums):
            partial = {hum: gathering for hum, gathering in hums.items() if hum not in whole}
            self.waiting.keep(record, partial, before)
        usable = self._records.usable(record)
        assert usable is not None  # noqa: S101  # _by_hum has asked, and no time has passed
        outcomes = self._openers.gatherings(record, usable, list(whole.values()))
        done: dict[bytes, Outcome] = {}
        for (hum, gathering), outcome in zip(whole.items(), outcomes, strict=True):
            if outcome.parcel or outcome.junk:
                done[hum] = outcome
                continue
            self.waiting.keep(record, {hum: gathering}, before)
            # Broken copies were tried, and each try costs a decapsulation: there are few.
            if not self.waiting.opened(record, hum, outcome.broken):
                self.waiting.drop(record, hum)
                done[hum] = outcome
        self.waiting.drop_all(record, before.keys() & done.keys())
        self._settle(record, done)

    def _settle(self, record: int, done: dict[bytes, Outcome]) -> None:
        """Hums are done with: nothing more of them is taken, and their parcels are held."""
        self._db.executemany(
            "INSERT INTO seen VALUES (?, ?)", ((record, hum) for hum in sorted(done))
        )
        whole = [(o.key_a, o.parcel) for o in done.values() if o.parcel and o.key_a]
        # A loop of ours went as far as A can see, and hides nobody in the pool.
        own = self._loops.own({key_a for key_a, _ in whole})
        held = [parcel.encode() for key_a, parcel in whole if key_a not in own]
        self.counts["refused"] += len(done) - len(whole)
        self.counts["loops"] += len(whole) - len(held)
        self.counts["hums"] += len(held)
        if held:
            self._pool.put_all(record, day_of(self._host.clock.now()), held)
            self._room -= len(held)

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
