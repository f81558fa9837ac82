"""A town with a desk whose roles are stepped, killed and started one by one, and what must hold.

The same transitions as tests/models/town.pml, in the roles' own code. What a role holds in memory
is lost with it; its folder stays. Power may go out in the middle of a step.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from tests.lab.failing import Failing, never
from tests.lab.site import SATURDAY, desk_of
from tests.mix.room import PowerCut, power_may_go_at

from wallflower.desk.edge.desk import Desk
from wallflower.desk.edge.parts import Parts
from wallflower.desk.inbox import open_drop
from wallflower.host.asgi import Message, Receive, Scope, Send
from wallflower.host.disk import Folder
from wallflower.host.log import Log
from wallflower.host.net import Unreachable
from wallflower.ingress.edge.process import Ingress
from wallflower.lab.host import SeededEntropy
from wallflower.lab.town import PARAMETERS, TOKEN, SimulatedTown, simulated_town
from wallflower.mix.edge.pool import Pool
from wallflower.mix.edge.state import State
from wallflower.trust.record import EpochRecord, verify_record
from wallflower.wire.drop import parse_drop
from wallflower.wire.hello import Kind
from wallflower.wire.hum import make_hum
from wallflower.wire.letter import Letter, LetterKind, seal_letter
from wallflower.wire.record import RecordBody
from wallflower.wire.sizes import DAY_S, HASH, HUM_CELLS, POSITIONS

TICK: Final = 3600
# Half of what is held leaves at a tick: everything waits for some ticks, and nothing for ever.
QUICK = replace(PARAMETERS, tick=TICK, mean_a=2 * TICK, mean_b=2 * TICK, slots=4)
INGRESS: Final = "http://ingress.example/"
_A_DAYS, _B_DAYS = 2, 3  # a hop key is gone from the beginning of this day after its record's
_DRAIN_TICKS = 60
_OPENING_TICKS = 12
_LAST_ROUNDS = 3


# Where power may go out: before the first and after a part of every kind of write of a step.
CUTS: Final[dict[str, tuple[type, str]]] = {
    "a row is held": (Pool, "put_each"),
    "a letter is held": (Pool, "_hold"),
    "a row is taken": (Pool, "take"),
    "a row is sealed anew": (Pool, "_opened"),
    "an entry is added": (Log, "add"),
    "a number is set": (State, "set_number"),
    "a file is erased": (Folder, "erase"),
    "a file is written": (Folder, "write"),
    "an answer is trimmed": (Log, "trim"),
}


def power_may_go(where: str, after: int) -> AbstractContextManager[None]:
    """Within, the machine stops at the call after `after` good ones, if there are so many."""
    return power_may_go_at(*CUTS[where], after)


@dataclass
class Hum:
    """One page load that carries a letter: its cells, and which of them were acknowledged."""

    letter: int
    record: RecordBody
    cells: list[bytes]
    acknowledged: set[int] = field(default_factory=set)
    promised: bool = False


@dataclass
class Crew:
    """The roles of a town, and the ghosts that watch them."""

    town: SimulatedTown
    loop: asyncio.Runner
    desk: Desk = field(init=False)
    hums: list[Hum] = field(default_factory=list)
    letters: list[bytes] = field(default_factory=list)
    released: Counter[str] = field(default_factory=Counter)
    last_drop: tuple[int, bytes] = (0, bytes(HASH))
    cut_short: set[str] = field(default_factory=set)
    _known: dict[int, EpochRecord] = field(default_factory=dict)
    restarted: Callable[[Crew, str], None] = lambda _crew, _role: None

    def run(self, work: Coroutine[Any, Any, object]) -> object:
        """Run a coroutine to its end."""
        return self.loop.run(work)

    @property
    def today(self) -> int:
        """The day of the clock."""
        return int(self.town.clock.now() // DAY_S)

    # -- roles ------------------------------------------------------------------------------

    def open(self) -> None:
        """Bring the town up, with records for three more days."""

        self.start_desk()
        for _ in range(_OPENING_TICKS):
            self.round()
            if self.town.server.status()["days_ahead"] >= 3:
                return
            self.town.clock.time += TICK
        raise AssertionError("the town does not come up")

    def start_desk(self) -> None:
        """The desk's process, on its folder, with its passphrase typed."""
        self.desk = desk_of(self.town)

    def step(self, role: str, where: str = "", after: int = 0) -> None:
        """One round of a role; `where` power goes out in it, if it comes that far."""
        work = {"a": self.town.a.step, "b": self.town.b.step, "desk": self.desk.step}[role]
        try:
            if where:
                with power_may_go(where, after):
                    self.run(work())
            else:
                self.run(work())
            self.cut_short.discard(role)
        except PowerCut:
            self.cut_short.add(role)
            # The power of everybody who was asked in that step went too.
            self.restart(role)
            for upstream in {"a": ["ingress"], "b": ["a"], "desk": ["b"]}[role]:
                self.restart(upstream)
        self.look_at_drops()

    def step_on_failing_disk(self, role: str, fails: Callable[[], str]) -> None:
        """One round of a mix of which statements fail, as its `run` takes it (failing.py)."""
        mix = {"a": self.town.a, "b": self.town.b}[role]
        for db in mix.databases():
            assert isinstance(db, Failing)
            db.fails = fails
        try:
            self.step(role)
        except (OSError, sqlite3.Error):
            self.cut_short.add(role)
        for db in mix.databases():
            assert isinstance(db, Failing)
            db.fails = never

    def step_with_another_answer(self, role: str, change: Callable[[bytes], bytes]) -> None:
        """One round of a mix to which the node before answers something else than it meant to."""
        apps, at = self.town.net.apps, {"a": "inner.example", "b": "a.example"}[role]
        real = apps[at]

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            async def sent(message: Message) -> None:
                if message["type"] == "http.response.body":
                    message = {**message, "body": change(message["body"])}
                await send(message)

            await real(scope, receive, sent)

        apps[at] = app
        self.step(role)
        apps[at] = real

    def restart(self, role: str) -> None:
        """Kill a role and start it on its folder: what it had in memory is gone."""
        town, apps = self.town, self.town.net.apps
        town.seed += b"+"  # a process never draws again what it drew before
        if role == "desk":
            self.desk.lock()
            self.start_desk()
        elif role == "ingress":
            self.run(self._start_ingress())
        elif role == "a":
            town.a.close()
            town.a = town._mix("a", town.inner, town.signers.a, b"")
            apps["a.example"] = town.a.inner
        else:
            town.b.close()
            s = town.signers
            town.b = town._mix("b", "http://a.example/parcels", s.b, s.drop)
            apps["b.example"] = town.b.inner
        self.restarted(self, role)

    async def _start_ingress(self) -> None:
        town, apps = self.town, self.town.net.apps
        if town.commits is not None:
            town.commits.cancel()
        town.ingress = Ingress(town.host("ingress"), TOKEN)
        town.commits = asyncio.ensure_future(town.ingress.commit.run())
        apps.update({"ingress.example": town.ingress.public, "inner.example": town.ingress.inner})

    def close(self) -> None:
        """End every role."""
        self.desk.lock()
        self.town.close()
        self.run(asyncio.sleep(0))
        self.town.a.close()
        self.town.b.close()
        self.loop.close()

    # -- sources ----------------------------------------------------------------------------

    def write(self, *, yesterday: bool, again: bool) -> Hum:
        """A hum of a new letter, or of the last one once more (two tabs), not yet sent."""
        record = self.town.record().body
        old = self._record(record.number - 1)
        if yesterday and old is not None:
            record = old.body
        if not (again and self.letters):
            number, desk = len(self.letters), record.desks[0]
            plain = Letter(
                LetterKind.LETTER, 0, number.to_bytes(16), bytes(32), bytes(32), desk.week, 0,
                f"letter {number}",
            ).encode()  # fmt: skip
            self.letters.append(seal_letter(desk.key, record.desk_entry_hash(desk), plain))
        draw = SeededEntropy(b"hum" + len(self.hums).to_bytes(2)).draw
        letter = len(self.letters) - 1
        self.hums.append(
            Hum(letter, record, make_hum(record, Kind.LETTER, self.letters[letter], draw))
        )
        return self.hums[-1]

    def upload(self, hum: Hum, counters: list[int]) -> None:
        """Post some cells; note which were acknowledged, and whether that makes a promise."""

        async def post(counter: int) -> None:
            try:
                await self.town.net.post(INGRESS, hum.cells[counter], limit=0)
                hum.acknowledged.add(counter)
            except Unreachable:
                pass

        async def all_at_once() -> None:
            await asyncio.gather(*(post(c) for c in counters if c < HUM_CELLS))

        self.run(all_at_once())
        whole = {c % POSITIONS for c in hum.acknowledged} == set(range(POSITIONS))
        if whole and self.today < hum.record.day + _A_DAYS:
            hum.promised = True

    # -- time -------------------------------------------------------------------------------

    def round(self) -> None:
        """Everybody does what is due."""
        self.town.server.step()
        self.step("a")
        self.step("b")
        self.step("desk")

    def hour(self) -> None:
        """A tick passes. Before a day ends everybody has had a round, as the model's clock asks."""
        if (self.town.clock.now() + TICK) // DAY_S > self.today:
            self.round()
        self.town.clock.time += TICK
        self.town.server.step()

    def next_day(self) -> None:
        """Time goes on to the first tick of the next day, with rounds on the way."""
        today = self.today
        # A's flush is in the last six ticks of a day, and B has to pull after it.
        last = (today + 1) * DAY_S - _LAST_ROUNDS * TICK
        if self.town.clock.now() < last:
            self.round()
            self.town.clock.time = last
            self.town.server.step()
        while self.today == today:
            self.step("a")
            self.step("b")
            self.hour()

    # -- what must hold ---------------------------------------------------------------------

    def _record(self, number: int) -> EpochRecord | None:
        if number not in self._known:
            raw = self.town.server.records.raw(number)
            if raw is None:
                return None
            self._known[number] = verify_record(raw, self.town.pins)
        return self._known[number]

    def _parts(self) -> Parts:
        assert self.desk._rounds is not None
        return self.desk._rounds.parts

    def look_at_drops(self) -> None:
        """Every new drop continues the last one, and holds no letter that stood in another."""
        number, last = self.last_drop
        keyring = self._parts().keyring
        for entry in self.town.b.part.out.read(0, 4096):
            drop = parse_drop(entry.body)
            if drop.header.number <= number and drop.header.number < self.last_drop[0]:
                continue
            if drop.header.number == number:
                assert drop.hash == last, "a second drop under one number"
                continue
            assert drop.header.number == number + 1, "a gap in the numbers of drops"
            assert drop.header.previous == last, "a drop that does not continue the last one"
            number, last = drop.header.number, drop.hash
            record = self._record(drop.header.record)
            assert record is not None
            private = keyring.drop_key(record.body.day, record.body.drop_key)
            assert private is not None
            opened = open_drop(drop, private, record.hash, keyring.living())
            assert not opened.faults
            self.released.update(arrived.letter.text for arrived in opened.letters)
        self.last_drop = (number, last)
        assert all(count == 1 for count in self.released.values()), "a letter was released twice"

    def keys_are_gone(self) -> None:
        """After a mix's round no hop key is left whose time is over, and no old pool key."""
        for name, mix, days in (("a", self.town.a, _A_DAYS), ("b", self.town.b, _B_DAYS)):
            if mix.state.number("day") != self.today or name in self.cut_short:
                continue  # it had no whole round today; the next one begins with this
            for file in (self.town.path / f"mix-{name}-keys").iterdir():
                kind, _, number = file.name.partition("-")
                record = self._record(int(number)) if kind == "hop" else None
                if record is not None:
                    assert self.today < record.body.day + days, "a hop key outlived its time"
                if kind == "pool":
                    assert int(number) >= self.today, "an old pool key is still there"

    def at_desk(self) -> Counter[str]:
        """The texts that the desk has, each as often as it has it."""
        texts: Counter[str] = Counter()
        for case in self.desk.inbox():
            for letter in self.desk.conversation(case.id).letters:
                texts[self.desk.open_letter(letter.id).text] += 1
        return texts

    def finish(self) -> None:
        """Let everything that is held leave; then what was promised is there, once."""
        missing = self.hums
        for _ in range(_DRAIN_TICKS):
            self.round()
            held = (
                self.town.a.pool.size() + self.town.b.pool.size()
                + self.town.a.part.out.size() + self.town.b.part.out.size()
            )  # fmt: skip
            arrived = self.at_desk()
            missing = [h for h in self.hums if h.promised and not arrived[f"letter {h.letter}"]]
            if not missing and held <= 1:  # the last drop stays until the next question
                break
            self.hour()
        texts = self.at_desk()
        assert not missing, "an acknowledged letter was lost"
        assert all(count == 1 for count in texts.values()), "a letter was delivered twice"
        assert set(texts) <= set(self.released)
        assert self.desk.status().alarms == []
        self.keys_are_gone()


def crew_on(path: Path) -> Crew:
    """A town that is up, at noon of a Saturday."""
    loop = asyncio.Runner()

    async def built() -> SimulatedTown:
        return simulated_town(path, SATURDAY, parameters=QUICK)

    crew = Crew(loop.run(built()), loop)
    crew.open()
    return crew
