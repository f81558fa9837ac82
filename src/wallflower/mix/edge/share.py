"""One share of A's hums, on a database of its own: cells in, whole hums held. Spec: hum.md 2.

A mix has one, or several of which other processes fill the others (`edge/sharing.py`). A hum's id
says whose it is, so none of them has to ask another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence, Set
from dataclasses import dataclass
from typing import TypeVar

from wallflower.host.entropy import Entropy
from wallflower.host.net import Net
from wallflower.host.pull import Alike, pull_alike
from wallflower.host.pull import Share as Which
from wallflower.mix.edge.intake import Source
from wallflower.mix.edge.pool import Pool
from wallflower.mix.edge.state import State
from wallflower.mix.edge.waiting import Waiting, among
from wallflower.mix.gathering import judge_gathering
from wallflower.mix.opening import Usable, open_seals
from wallflower.wire.cells import Cells, Four, Places, by_record
from wallflower.wire.hum import Gathering, open_first
from wallflower.wire.parcel import Parcel
from wallflower.wire.sizes import CELL, HELLO_HEADER, SEAL_A

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rules:
    """What a share is told: the records it may open under, and the day; and which hum keys A are of
    own loops. It tells which of these came."""

    usable: Callable[[int], Usable | None]
    ours: Callable[[set[bytes]], Set[bytes]]
    came: Callable[[Set[bytes]], object]
    today: Callable[[], int]


Whole = tuple[bytes, Four]  # its id, and where its first cells begin
_SEAL_END = HELLO_HEADER + SEAL_A


class Share:
    """The caller wraps each call in one transaction of `state`, but for `forget`."""

    def __init__(
        self, which: Which, state: State, pool: Pool, entropy: Entropy, rules: Rules
    ) -> None:
        self.which = which
        self.state = state
        self.pool = pool
        self.waiting = Waiting(state, entropy, which.of)
        self.room = 0
        self._db = state.db
        self._rules = rules
        self.counts = {"hums": 0, "copies": 0, "refused": 0, "lost_by_lot": 0, "loops": 0}
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS seen (record INTEGER, hum BLOB, "
            "PRIMARY KEY (record, hum)) WITHOUT ROWID"
        )

    @property
    def full(self) -> bool:
        """Whether nothing more may be pulled before hums have left (hum 2.7)."""
        return self.room <= 0

    async def ask(self, net: Net, source: Source, after: int, most: int) -> Alike:
        """Pull what waits for this share."""
        return await pull_alike(net, source.url, source.token, after, most, CELL, self.which)

    def take(self, answer: Alike) -> None:
        """Gather cells; open every hum that has become whole and hold its parcel."""
        self.pool.look_again()
        self.counts["refused"] += answer.others
        found, refused = by_record(answer.data, answer.first, answer.step)
        self.counts["refused"] += refused
        for record, cells in found.items():
            usable = self._rules.usable(record)
            if usable is None:
                self.counts["refused"] += len(cells.names)
            else:
                self._take(record, usable, answer.data, cells)
        # Last, so that no hum that these cells made whole can lose its lot.
        self.counts["lost_by_lot"] += self.waiting.bound()

    def seen(self, record: int, hums: Collection[bytes]) -> set[bytes]:
        """Which of these hums went on or were junk already."""
        query = "SELECT hum FROM seen WHERE record = ? AND hum IN (%s)"
        return {hum for (hum,) in among(self._db, query, record, hums)}

    def _take(self, record: int, usable: Usable, data: bytes, cells: Cells) -> None:
        hums, whole = set(cells.names), cells.whole()
        before = self.waiting.gathered(record, hums)
        for hum in before:
            whole.pop(hum, None)
        # What is whole will be done with, but for a few that are broken: so it is
        # remembered now, which says too whether it was before.
        new = self._remember(record, whole)
        gathered = {hum: _cut(data, at) for hum, at in cells.of(hums - new).items()}
        whole = {hum: four for hum, four in whole.items() if hum in new}
        for hum in self.seen(record, gathered) if gathered else ():
            self.counts["copies"] += len(gathered.pop(hum).cells)
        for hum, earlier in before.items():
            gathered[hum].cells |= earlier.cells  # of two with the same counter the first counts
        broken = self._open_whole(record, usable, data, whole)
        if broken:
            gone = [(record, hum) for hum in broken]
            self._db.executemany("DELETE FROM seen WHERE record = ? AND hum = ?", gone)
            gathered |= {hum: _cut(data, at, broken[hum]) for hum, at in cells.of(broken).items()}
        if gathered:
            done = self._gather(record, usable, gathered, before)
            self.waiting.drop_all(record, before.keys() & done)
            self._remember(record, done)

    def _remember(self, record: int, hums: Collection[bytes]) -> set[bytes]:
        """Remember hums as done with; which of them were not before."""
        if not hums:
            return set()
        rows = ",".join([f"({record}, ?)"] * len(hums))
        query = f"INSERT OR IGNORE INTO seen VALUES {rows} RETURNING hum"  # noqa: S608
        return {hum for (hum,) in self._db.execute(query, sorted(hums))}

    def _open_whole(
        self, record: int, usable: Usable, data: bytes, whole: dict[bytes, Four]
    ) -> dict[bytes, bytes]:
        """Open and hold what came whole. What does not open at once is returned, with its hum key
        A: there may be, or come, other copies of it."""
        record_hash, private = usable
        # One seal after another and nothing between: the processor's caches hold it all.
        seals = [data[at + HELLO_HEADER : at + _SEAL_END] for at, _, _, _ in whole.values()]
        keys = open_seals("a", private, record_hash, seals)
        broken: dict[bytes, bytes] = {}

        def parcel_of(one: tuple[bytes, Whole]) -> bytes | None:
            key_a, (hum, four) = one
            parcel = open_first(key_a, data, four)
            if parcel is None:
                broken[hum] = key_a
            return parcel

        opened = [(key_a, one) for key_a, one in zip(keys, whole.items(), strict=True) if key_a]
        self.counts["refused"] += len(whole) - len(opened)
        self._hold(record, opened, parcel_of)
        return broken

    def _hold(
        self, record: int, opened: Sequence[tuple[bytes, T]],
        parcel_of: Callable[[tuple[bytes, T]], bytes | None],
    ) -> None:  # fmt: skip
        """Hold what `parcel_of` makes of each (hum key A, something)."""
        # A loop of ours went as far as A can see, and hides nobody in the pool.
        ours = self._rules.ours({key_a for key_a, _ in opened})
        others = opened
        if ours:
            own = [each for each in opened if each[0] in ours]
            others = [each for each in opened if each[0] not in ours]
            came = {each[0] for each in own if parcel_of(each) is not None}
            self._rules.came(came)
            self.counts["loops"] += len(came)
        if others:
            held = self.pool.put_each(record, self._rules.today(), others, parcel_of)
            self.counts["hums"] += held
            self.room -= held

    def _gather(
        self, record: int, usable: Usable, gathered: dict[bytes, Gathering],
        before: dict[bytes, Gathering],
    ) -> set[bytes]:  # fmt: skip
        """Keep what is not whole, and open and hold what has become so; which are done with."""
        record_hash, private = usable
        partial = {hum: g for hum, g in gathered.items() if not g.complete()}
        self.waiting.keep(record, partial, before)
        done: set[bytes] = set()
        held: list[tuple[bytes, Parcel]] = []
        for hum in gathered.keys() - partial.keys():
            gathering = gathered[hum]
            if not gathering.key_a:
                (gathering.key_a,) = open_seals("a", private, record_hash, [gathering.seal_a()])
            outcome = judge_gathering(gathering, private, record_hash)
            if outcome.parcel and outcome.key_a:
                done.add(hum)
                held.append((outcome.key_a, outcome.parcel))
            elif outcome.junk or not self._wait(record, hum, gathering, before, outcome.broken):
                done.add(hum)
                self.counts["refused"] += 1
        self._hold(record, held, lambda each: each[1].encode())
        return done

    def _wait(
        self, record: int, hum: bytes, gathering: Gathering, before: dict[bytes, Gathering],
        broken: list[int],
    ) -> bool:  # fmt: skip
        """Keep what opened of a hum, for other copies of what did not. False once it was tried so
        often that no honest hum would need more: each try costs a decapsulation (hum 2.3)."""
        self.waiting.keep(record, {hum: gathering}, before)
        if self.waiting.opened(record, hum, broken):
            return True
        self.waiting.drop(record, hum)
        return False

    def records(self) -> set[int]:
        """The numbers of the records that anything is remembered of."""
        numbers = self._db.execute("SELECT DISTINCT record FROM seen").fetchall()
        return {*self.waiting.records(), *(number for (number,) in numbers)}

    def forget(self, record: int) -> None:
        """Drop what belongs to a record whose key is gone (hum 2.5). Has transactions of its
        own."""
        self.state.forget("seen", record)
        self.waiting.forget(record)


def _cut(data: bytes, places: Places, key_a: bytes = b"") -> Gathering:
    """The cells themselves."""
    view = memoryview(data)
    return Gathering({c: view[at : at + CELL] for c, at in places.items()}, key_a)
