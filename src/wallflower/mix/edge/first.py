"""Mix A: cells in, whole hums out. It never learns what is real. Spec: hum.md 2.

Its hums may lie in several shares (hum 2.8). This process takes the first and keeps the rounds of
all: it alone decides who leaves, and puts out one log in which nobody sees whose share it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Set
from contextlib import contextmanager
from time import monotonic

from wallflower.host import Host
from wallflower.host.clock import day_of
from wallflower.host.disk import DiskTrouble, Folder, may_hand_on, settle
from wallflower.host.entropy import shuffled
from wallflower.host.log import Log
from wallflower.host.net import Net
from wallflower.host.pull import Alike
from wallflower.host.pull import Share as Which
from wallflower.mix.decide import chosen_to_leave, leave_probability, must_flush
from wallflower.mix.edge.intake import Source
from wallflower.mix.edge.loops import Loops
from wallflower.mix.edge.places import make_places
from wallflower.mix.edge.pool import Pool
from wallflower.mix.edge.records import Records
from wallflower.mix.edge.resharing import share_anew, shares_on
from wallflower.mix.edge.share import Rules, Share
from wallflower.mix.edge.sharing import Line, Sharing, Task, database_of
from wallflower.mix.edge.state import State
from wallflower.mix.edge.workers import Workers
from wallflower.trust.record import EpochRecord

# Hums that A holds at most, those on their way to B too, but for one page: 4.9 GB of disk (9,360
# bytes each, measured). At a mean of six hours these are 24 hums a second, two million a day.
MOST_HELD = 524_288
# Hums that leave in one transaction: 9.5 MB of write-ahead log at most (measured), for which the
# reserve of a disk has room.
_AT_ONCE = 512


class First:
    """The intake and the tick of mix A. The caller wraps each call in one transaction, but for
    those that say that they have their own."""

    def __init__(
        self, host: Host, state: State, pool: Pool, keys: Folder, records: Records, loops: Loops,
        workers: Workers, dial: Callable[[], Line], disk_failed: Callable[[], None],
    ) -> None:  # fmt: skip
        self._host = host
        self._disk_failed = disk_failed
        self._loops = loops
        self._state = state
        self._keys = keys
        self._records = records
        self._dial = dial
        self._sharing = Sharing(workers)
        self.out = Log(state.db, "parcels")
        state.db.execute(
            "CREATE TABLE IF NOT EXISTS leaving (share INTEGER NOT NULL, name BLOB NOT NULL)"
        )
        of, former = workers.count + 1, state.number("shares") or 1
        there = shares_on(host.disk)
        rules = Rules(records.usable, loops.ours, loops.own, lambda: day_of(host.clock.now()))
        shares = [Share(Which(0, of), state, pool, host.entropy, rules)]
        for number in sorted({*range(1, of), *there}):
            other = State(host.disk.database(database_of(number)))
            held = Pool(other.db, keys, host.entropy)
            shares.append(Share(Which(number, of), other, held, host.entropy, rules))
        self._shares = shares
        if of != former or any(number >= of for number in there):
            self._share_anew({0, *there}, of)
        self.counts = {**self._shares[0].counts, "parcels": 0}

    def _share_anew(self, there: Set[int], of: int) -> None:
        """The number of workers was changed, now or at a start that was cut short. Has transactions
        of its own. From the first move to the last no number is remembered: whoever starts in
        between, with however many workers, begins here again."""
        with self._state.transaction():
            self.let_go()
            if self._leaving():  # what stayed where it was would leave once more from elsewhere
                raise DiskTrouble
            self._state.set_number("shares", 0)
        share_anew({s.which.number: s.state for s in self._shares}, there, of)
        with self._state.transaction():
            self._state.set_number("shares", of)
        for share in self._shares[of:]:
            share.state.db.close()
            self._host.disk.remove(database_of(share.which.number))
        self._shares = self._shares[:of]

    @property
    def share(self) -> Share:
        """The share that this process takes."""
        return self._shares[0]

    @property
    def pools(self) -> list[Pool]:
        """All pools."""
        return [share.pool for share in self._shares]

    @property
    def others(self) -> list[sqlite3.Connection]:
        """The databases of the other shares."""
        return [share.state.db for share in self._shares[1:]]

    @contextmanager
    def _apart(self, share: Share) -> Generator[None, None, None]:
        """Where the disk of another share than ours fails within, that counts, and this one and the
        rest go on: only what that share holds waits until it works again. Nothing of our own
        database may be asked within, whose errors end a round."""
        try:
            yield
        except (OSError, sqlite3.Error):
            if share is self.share:
                raise
            self._disk_failed()

    # -- intake -----------------------------------------------------------------------------

    def begin_round(self, source: Source, seconds: float) -> None:
        """Count what is held, once a round, since a large pool is long to count; and have workers
        begin with the other shares, for so many seconds. `finish_round` has to follow. Has
        transactions of its own, in which what comes gets its places."""
        held, of, work = self.out.span(), len(self._shares), list[Share]()
        for share in self._shares:
            size = MOST_HELD // of  # for all that is known of one that fails
            with self._apart(share):
                make_places(share.state.db, self._host.entropy)
                size = share.pool.size()
                work.append(share)
            held += size
        # What all hold together: who sends can choose whose share his hums fall into, and would
        # need few to fill one.
        for share in self._shares:
            share.room = (MOST_HELD - held) // of
        others = [share for share in work if share is not self.share and not share.full]
        if others:
            self._begin(source, seconds, others)

    @property
    def full(self) -> bool:
        """Whether nothing more may be pulled before hums have left (hum 2.7)."""
        return any(share.full for share in self._shares)

    async def ask(self, net: Net, source: Source, after: int, most: int) -> Alike:
        """Pull what waits for the share of this process."""
        return await self.share.ask(net, source, after, most)

    def take(self, answer: Alike) -> None:
        """Take it."""
        self.share.take(answer)
        self._add(self.share.counts)

    def _add(self, counts: dict[str, int]) -> None:
        for name, number in counts.items():
            self.counts[name] += number
            counts[name] = 0

    def _begin(self, source: Source, seconds: float, others: list[Share]) -> None:
        today = day_of(self._host.clock.now())
        # Before anybody else needs it: who made one of their own would overwrite another's.
        self.share.pool.ready(today)
        records, loops = self._records.usable_from(), self._loops.marks()
        ends = monotonic() + seconds
        tasks = [
            Task(
                share.which, self._host.disk.path, self._keys.path, source, self._dial, today,
                share.room, ends, records, self._host.clock, loops,
            )
            for share in others
        ]  # fmt: skip
        self._sharing.begin(tasks)

    async def finish_round(self) -> int:
        """Wait for the other shares; how many had an answer that was refused. Has a transaction of
        its own. Where the disk failed for one of them, what came before is kept, since those hums
        are done with and come no more."""
        took = await self._sharing.finish()
        if not took:
            return 0
        with self._state.transaction():
            for done in took:
                self._loops.own(set(done.loops))
                self._add(done.counts)
        for done in took:
            if done.failed:
                self._disk_failed()
        return sum(done.refused for done in took)

    # -- tick -------------------------------------------------------------------------------

    def tick(self, record: EpochRecord) -> None:
        """Let the chosen leave, in random order, for B to pull. Has transactions of its own.

        Some in each: in one alone all would be in the write-ahead log too, and a disk without that
        much room would let nobody leave, at any tick. Whom a full disk keeps is drawn again.
        """
        with self._state.transaction():
            self.let_go()
        due = shuffled(self._host.entropy.draw, self._due(record))
        for at in range(0, len(due), _AT_ONCE):
            if not may_hand_on(self._state.db):  # what left other shares takes room until B has it
                break
            with self._state.transaction():
                for share, name, number in due[at : at + _AT_ONCE]:
                    parcel = self._leave(share, name)
                    if parcel is not None:
                        self.out.add(number, [parcel])
                        self.counts["parcels"] += 1
            self.settle()
            settle(self._state.db)

    def _due(self, record: EpochRecord) -> list[tuple[Share, bytes, int]]:
        """Who leaves at this tick: each one's share, name and number of the record."""
        now, p = self._host.clock.now(), record.body.parameters
        draw, q = self._host.entropy.draw, leave_probability(p.mean_a, p.tick)
        due: list[tuple[Share, bytes, int]] = []
        for share in self._shares:
            with self._apart(share):
                share.pool.look_again()
                for rows in share.pool.pages():
                    flush = {d for d in {row.day for row in rows} if must_flush(d, now, p.tick)}
                    left = [row for row in rows if row.day not in flush]
                    chosen = [row for row in rows if row.day in flush]
                    chosen += chosen_to_leave(left, q, draw)
                    due += [(share, row.name, row.record) for row in chosen]
        return due

    def _leave(self, share: Share, name: bytes) -> bytes | None:
        """A parcel out of its pool; None where nothing opens it, or where it cannot be read now,
        and so stays. Of another database than the log's it is deleted afterwards: a commit holds
        for one of them only."""
        if share is self.share:
            return share.pool.take(name)
        looked: list[bytes | None] = []
        with self._apart(share):
            looked.append(share.pool.look_at(name))
        if not looked:
            return None
        self._state.db.execute("INSERT INTO leaving VALUES (?, ?)", (share.which.number, name))
        return looked[0]

    def _leaving(self) -> list[tuple[int, bytes]]:
        """What is in the log for B, and may lie in another share than ours still."""
        return self._state.db.execute("SELECT share, name FROM leaving").fetchall()

    def let_go(self) -> None:
        """Delete from the other shares what is in the log for B. A crash on the way repeats it, and
        where a share's disk fails it is for later."""
        leaving, kept = self._leaving(), list[int]()
        for share in self._shares[1:]:
            names = [name for number, name in leaving if number == share.which.number]
            if names:
                kept.append(share.which.number)
                with self._apart(share):
                    with share.state.transaction():
                        share.pool.delete(names)
                    kept.pop()
        if leaving:
            query = f"DELETE FROM leaving WHERE share NOT IN ({','.join('?' * len(kept))})"  # noqa: S608
            self._state.db.execute(query, kept)

    def settle(self) -> None:
        """Delete what left, and empty the write-ahead logs of the other shares. Not inside of a
        transaction."""
        if len(self._shares) == 1:
            return
        with self._state.transaction():
            self.let_go()
        for share in self._shares:
            with self._apart(share):
                settle(share.state.db)

    # -- the end of a day -------------------------------------------------------------------

    def forget(self, day: int) -> bool:
        """Seal the other pools anew under the key of `day`, as the caller does with the first; and
        drop what belongs to records whose keys are gone, nothing sooner (hum 2.5). Has transactions
        of its own. Whether all shares are done with; else it is for later too."""
        done = 0
        for share in self._shares:
            with self._apart(share):
                if share is not self.share:
                    share.pool.new_day(day, share.state.transaction)
                for number in share.records():
                    if self._records.private(number) is None:
                        share.forget(number)
                done += 1
        return done == len(self._shares)
