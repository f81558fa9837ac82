"""The desk's own keys and the records it has verified, in the store."""

from __future__ import annotations

from collections.abc import Callable

from wallflower.crypto.hpke import PrivateKey, PublicKey
from wallflower.desk import keys
from wallflower.desk.edge.store import Store
from wallflower.host.entropy import Entropy
from wallflower.trust.pins import Pins
from wallflower.trust.record import EpochRecord, verified

_RECORDS_KEPT = 96  # two weeks of ancestors, and revocations that skip numbers


class Keyring:
    """Drop keys by day, desk keys by week; the newest turn of each is the one that is published."""

    def __init__(self, store: Store, pins: Pins, name: str) -> None:
        self._store = store
        self._pins = pins
        self._name = name
        self._log_holds_dead = False  # until the log was emptied, which a full disk may refuse
        self._living_rows: list[tuple[int, bytes]] = []
        self._living: list[keys.LivingKey] = []

    def _drop(self) -> dict[int, bytes]:
        rows = self._store.run("SELECT day, seed FROM drop_keys ORDER BY turn")
        return {day: seed for day, seed in rows}

    def _desk(self) -> dict[int, bytes]:
        rows = self._store.run("SELECT week, seed FROM desk_keys ORDER BY turn")
        return {week: seed for week, seed in rows}

    def make_missing(self, today: int, entropy: Entropy) -> None:
        """Make the keys of today and the next days; stored before anybody hears of them."""
        seeds = keys.missing(today, self._drop(), self._desk(), entropy.draw)
        if seeds:
            with self._store.transaction():
                self._keep(seeds)

    def _keep(self, seeds: keys.Seeds) -> list[int]:
        """Keep new keys, but none where there are MOST_TURNS; how many each place had before."""
        turns = []
        for table, unit, new in (
            ("drop_keys", "day", seeds.drop), ("desk_keys", "week", seeds.desk)
        ):  # fmt: skip
            for when, seed in new.items():
                count = f"SELECT count(*) FROM {table} WHERE {unit} = ?"  # noqa: S608
                [(turn,)] = self._store.run(count, when)
                turns.append(int(turn))
                if turn < keys.MOST_TURNS:
                    insert = f"INSERT INTO {table} VALUES (?, ?, ?)"  # noqa: S608
                    self._store.run(insert, when, turn, seed)
        return turns

    def renew(
        self, today: int, revoked: frozenset[bytes], entropy: Entropy, ring: Callable[[str], None]
    ) -> bool:
        """Make another key for each day and week ahead whose newest one is among the revoked
        hashes; whether one was made. In the same commit it rings, and no key counts as handed in.
        The revoked one goes on opening until its time is over. Of MOST_TURNS keys the last one
        stays, revoked or not."""
        seeds = keys.renewed(today, self._drop(), self._desk(), revoked, entropy.draw)
        if not seeds:
            return False
        with self._store.transaction():
            turns = self._keep(seeds)
            ring(keys.revoked_alarm(turns))
            made = min(turns) < keys.MOST_TURNS
            if made:
                self._store.put("keys_until", None)
        return made

    def erase_dead(self, now: float, mean_b: int | None) -> None:
        """Erase what may no longer open anything; without a record no desk key is judged."""
        days = keys.dead_drop_days(self._drop(), now)
        weeks = [] if mean_b is None else keys.dead_desk_weeks(self._desk(), now, mean_b)
        if days or weeks:
            self._log_holds_dead = True
            with self._store.transaction():
                for day in days:
                    self._store.run("DELETE FROM drop_keys WHERE day = ?", day)
                for week in weeks:
                    self._store.run("DELETE FROM desk_keys WHERE week = ?", week)
        if self._log_holds_dead:
            self._store.forget_log()
            self._log_holds_dead = False

    def publication(self, today: int) -> bytes:
        """The public halves, as the desk server wants them."""
        return keys.publication(today, self._drop(), self._desk())

    def counts(self) -> tuple[int, int]:
        """How many drop keys and desk keys live."""
        return len(self._drop()), len(self._desk())

    def drop_key(self, day: int, public: PublicKey) -> PrivateKey | None:
        """The drop key of a day whose public half a record names, or None when it is gone."""
        for (seed,) in self._store.run("SELECT seed FROM drop_keys WHERE day = ?", day):
            private = PrivateKey.from_seed(seed)
            if private.public == public:
                return private
        return None

    def is_ours(self, record: EpochRecord) -> bool:
        """Whether this desk can open what is sealed under a record. Who took its token, or a desk
        that was set up anew, has others in its name."""
        drop = self.drop_key(record.body.day, record.body.drop_key)
        entries = [entry.key for entry in record.body.desks if entry.name == self._name]
        letters = [private for _, private, _ in self.living() if private.public in entries]
        return drop is not None and bool(letters)

    def living(self) -> list[keys.LivingKey]:
        """The desk keys that open letters, newest first; a revoked one after what followed it."""
        rows = self._store.run("SELECT week, seed FROM desk_keys ORDER BY week DESC, turn DESC")
        if rows != self._living_rows:  # expanding a seed costs more than opening a letter
            self._living_rows = rows
            self._living = keys.living(self._pins.root, self._name, rows)
        return self._living


class Records:
    """Verified records by number. What is kept was verified, and is verified again when read.

    One that does not verify any more, since the pins were replaced, is as if it was never kept.
    """

    def __init__(self, store: Store, pins: Pins) -> None:
        self._store = store
        self._pins = pins
        # None for what does not verify, which would else be looked at anew at every question.
        self._known: dict[int, EpochRecord | None] = {}

    def keep(self, record: EpochRecord) -> None:
        """Keep a record, and forget those that no drop can name any more."""
        if self._known.get(record.number) is not None:
            return
        number, oldest = record.number, record.number - _RECORDS_KEPT
        with self._store.transaction():
            self._store.run("INSERT OR REPLACE INTO records VALUES (?, ?)", number, record.raw)
            self._store.run("DELETE FROM records WHERE number <= ?", oldest)
        # What a full disk did not take is not known here either, so the next pass keeps it.
        self._known = {n: r for n, r in self._known.items() if n > oldest}
        self._known[number] = record

    def _numbers(self) -> list[int]:
        rows = self._store.run("SELECT number FROM records ORDER BY number DESC")
        return [number for (number,) in rows]

    def by_number(self, number: int) -> EpochRecord | None:
        """The record of a number, when it is kept."""
        if number not in self._known:
            rows = self._store.run("SELECT raw FROM records WHERE number = ?", number)
            if not rows:
                return None
            self._known[number] = verified(rows[0][0], self._pins)
        return self._known[number]

    def _all(self) -> list[EpochRecord]:
        return [record for n in self._numbers() if (record := self.by_number(n))]

    def newest(self) -> EpochRecord | None:
        """The record with the highest number."""
        return next(iter(self._all()), None)

    def in_force(self, now: float) -> EpochRecord | None:
        """The record with the highest number that is in force at record time `now`."""
        return next((record for record in self._all() if record.in_force(now)), None)

    def before(self, number: int) -> EpochRecord | None:
        """The record with the highest number below this one."""
        return next((record for record in self._all() if record.number < number), None)

    def longest_mean_b(self) -> int | None:
        """The longest mean delay of B that a kept record names: its letters come latest."""
        return max((record.body.parameters.mean_b for record in self._all()), default=None)
