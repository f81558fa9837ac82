"""Mix B: parcels in, one drop a tick out. It knows what is real, never anybody's address.

Spec: parcel.md 2, token.md 3, drop.md.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import repeat

from wallflower.crypto import sign
from wallflower.crypto.derive import sha256
from wallflower.errors import Refused
from wallflower.host import Host
from wallflower.host.clock import day_of
from wallflower.host.entropy import shuffled
from wallflower.host.log import Log
from wallflower.host.net import Net
from wallflower.host.pull import Alike, pull_alike
from wallflower.mix.decide import Waiting, choose_release, leave_probability
from wallflower.mix.edge.census import Census
from wallflower.mix.edge.intake import Source
from wallflower.mix.edge.known import Known
from wallflower.mix.edge.loops import Loops
from wallflower.mix.edge.openers import Openers
from wallflower.mix.edge.pool import Pool
from wallflower.mix.edge.records import Records
from wallflower.mix.edge.state import State
from wallflower.mix.opening import Opened, open_parcels
from wallflower.trust.record import EpochRecord
from wallflower.wire.drop import DropHeader, make_drop
from wallflower.wire.hello import LETTER, LOOP, all_but_silent
from wallflower.wire.letter import FILLER, seal_letter
from wallflower.wire.sizes import DAY_S, HASH, PARCEL

_FILE_KEY = 32


class Second:
    """The intake and the tick of mix B. The caller wraps each call in one transaction."""

    def __init__(
        self, host: Host, state: State, pool: Pool, records: Records, drop_seed: bytes,
        loops: Loops, census: Census, openers: Openers,
    ) -> None:  # fmt: skip
        self._host = host
        self._state = state
        self._db = state.db
        self._pool = pool
        self._records = records
        self._drop_seed = drop_seed
        self._drop_verify = sign.verify_key(drop_seed)
        self._loops = loops
        self._census = census
        self._openers = openers
        self.out = Log(state.db, "drops")
        self.known = Known(state, host.clock)
        self._laid = False  # what is remembered of letters, since one came
        self.came = 0  # hums of this round, but for loops; in memory only
        self.counts = {
            "covers": 0, "letters": 0, "known": 0, "loops": 0, "refused": 0,
            "released": 0, "reserved": 0, "most_seen": 0,
        }  # fmt: skip
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS taken (letter BLOB PRIMARY KEY, day INTEGER NOT NULL) "
            "WITHOUT ROWID"
        )

    @property
    def pools(self) -> list[Pool]:
        """The one that B has."""
        return [self._pool]

    # B has no such bound: behind the letters of a flood wait those of known conversations, which
    # leave by slots of their own (drop 3.2).
    full = False

    # Parcels go by nothing that A does not hide, and letters have to be known to all of B: so its
    # hums have no shares, and workers only open seals.
    def begin_round(self, _source: Source, _seconds: float) -> None:
        """Have today's key, letters or none. Has a transaction of its own."""
        self.came = 0
        with self._state.transaction():
            self._pool.ready(day_of(self._host.clock.now()))

    async def finish_round(self) -> int:
        """Nobody else was asked, and so had an answer that was refused."""
        return 0

    def settle(self) -> None:
        """There is no other database."""

    @property
    def others(self) -> list[sqlite3.Connection]:
        """There is no other database."""
        return []

    async def ask(self, net: Net, source: Source, after: int, most: int) -> Alike:
        """Pull parcels."""
        return await pull_alike(net, source.url, source.token, after, most, PARCEL)

    def take(self, answer: Alike) -> None:
        """Drop covers and count them; hold each letter once."""
        self._pool.look_again()
        self.counts["refused"] += answer.others  # of another length (parcel 3.1)
        seen = 0
        for record, starts in answer.by_record().items():
            for covers, others in self.opened(record, answer.data, starts):
                seen += covers
                self.counts["covers"] += covers
                for opened in others:
                    try:
                        seen += self._take(record, opened)
                    except Refused:
                        self.counts["refused"] += 1
        self.came += seen
        seen += self._state.number("seen")
        self._state.set_number("seen", seen)
        self.counts["most_seen"] = max(self.counts["most_seen"], seen)

    def opened(
        self, record: int, data: bytes, starts: Sequence[int]
    ) -> Iterator[tuple[int, Iterator[Opened | Refused]]]:
        """Of the parcels of one record that begin at `starts`, piece by piece: how many are covers
        that report nothing, and what each of the others holds; a refusal is a value here (parcel
        3). Letters are taken while workers open what comes after them."""
        usable = self._records.usable(record)
        if usable is None:
            gone = Refused("parcel 3.2", "A parcel belongs to a record whose key is gone")
            yield 0, repeat(gone, len(starts))
            return
        view = memoryview(data)
        for places, plains in self._openers.pieces(record, usable, data, starts):
            others = all_but_silent(plains)
            parcels = [(view[places[n] : places[n] + PARCEL], plains[n]) for n in others]
            yield len(plains) - len(others), open_parcels(parcels, usable[0])

    def _take(self, record: int, opened: Opened | Refused) -> bool:
        """Take what was opened; whether it is seen for the floor. Raises Refused (parcel 3)."""
        if isinstance(opened, Refused):
            raise opened
        kind = opened.record.kind
        if kind is LOOP:
            self._end_loop(opened.record.token)
            return False
        if kind is LETTER:
            self._hold(record, opened)
        else:
            self.counts["covers"] += 1
            self._census.count(opened.record.report)
        return True

    def _end_loop(self, token: bytes) -> None:
        """A loop goes no further and hides nobody: it is neither held nor seen for the floor."""
        self.counts["loops"] += 1
        if not self._loops.is_own(token):
            self._loops.keep_for_organisation(token)

    def _hold(self, record: int, opened: Opened) -> None:
        today, name = day_of(self._host.clock.now()), sha256(opened.letter)
        try:
            self._db.execute("INSERT INTO taken VALUES (?, ?)", (name, today))
        except self._state.Duplicate:
            raise Refused("parcel 3.4", "A letter was already taken") from None
        self._laid = False
        self.counts["letters"] += 1
        # After the letter is known to be new: a copy of it spends nothing (token 3.2).
        known = self.known.spend(self._records.week(record), opened.record.token)
        self.counts["known"] += known
        self._pool.put(record, today, opened.letter, known, opened.stamp_class)

    def has_key_of(self, record: EpochRecord) -> bool:
        """Whether the record names our drop key: the desk takes no drop of another (drop 2.3)."""
        return record.body.drop_verify == self._drop_verify

    def tick(self, record: EpochRecord, number: int) -> None:
        """Put out one drop, full: the chosen letters among fillers, in random order.

        None under a record that names another drop key: its letters would be lost.
        """
        self._pool.look_again()
        self._census.close_days(record.number)
        if not self.has_key_of(record):
            return
        p, draw = record.body.parameters, self._host.entropy.draw
        waiting = [Waiting(r.name, r.known, r.stamp_class) for r in self._pool.rows()]
        release = choose_release(
            waiting, leave_probability(p.mean_b, p.tick), p.slots,
            self._state.number("seen"), p.floor, draw,
        )  # fmt: skip
        taken = [self._pool.take(name) for name in release.leaving]
        letters = [letter for letter in taken if letter is not None]
        desk = record.body.desks[0]
        binding = record.body.desk_entry_hash(desk)
        fillers = [seal_letter(desk.key, binding, FILLER) for _ in range(p.slots - len(letters))]
        header = DropHeader(
            record=record.number, number=self._state.number("drop") + 1, tick=number,
            slots=p.slots, previous=self._state.data("drop_head") or bytes(HASH),
        )  # fmt: skip
        drop = make_drop(
            header, record.body.drop_key, record.hash, draw(_FILE_KEY),
            shuffled(draw, [*letters, *fillers]), self._drop_seed,
        )  # fmt: skip
        self.out.add(record.number, [drop])
        self._state.set_number("drop", header.number)
        self._state.set_data("drop_head", sha256(drop))
        self._state.set_number("seen", release.seen)
        self.counts["released"] += len(letters)
        self.counts["reserved"] += len(release.reserved)

    def lay_anew(self) -> None:
        """Leave nothing of the order in which letters came since the last tick. Has transactions of
        its own."""
        if not self._laid:
            for table, key in (("taken", "letter"), ("spent", "token")):
                self._state.lay_anew(table, key)
        self._laid = True

    def forget(self, record: EpochRecord) -> None:
        """Forget letters' hashes at the horizon (parcel 2.3): 8 means of B and 3 days; and tokens
        whose week is over (token 3.1). Has transactions of its own."""
        horizon = 8 * record.body.parameters.mean_b // DAY_S + 1 + 3
        today = day_of(self._host.clock.now())
        self._state.forget_days("taken", "letter", today - horizon)
        with self._state.transaction():
            self.known.forget(today)
