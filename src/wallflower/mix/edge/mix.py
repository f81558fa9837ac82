"""One mix, A or B: pull, hold, tick. The rounds of both are the same."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from wallflower.errors import Refused
from wallflower.host import Host
from wallflower.host.asgi import App, Receive, Scope, Send, answer, bearer_is, refuse
from wallflower.host.clock import day_of
from wallflower.host.disk import Folder, has_room, may_hand_on, settle
from wallflower.host.loops import LoopSettings
from wallflower.host.net import Unreachable
from wallflower.host.pull import log_route
from wallflower.host.status import Status
from wallflower.mix.decide import tick_number
from wallflower.mix.edge.census import Census
from wallflower.mix.edge.first import First
from wallflower.mix.edge.intake import Source, take_all
from wallflower.mix.edge.known import tokens_route
from wallflower.mix.edge.loops import Loops
from wallflower.mix.edge.openers import Openers
from wallflower.mix.edge.pool import Pool
from wallflower.mix.edge.records import LIFE_AFTER_DAY, Records
from wallflower.mix.edge.second import Second
from wallflower.mix.edge.sharing import Line, http
from wallflower.mix.edge.state import State
from wallflower.mix.edge.status import Heard, report
from wallflower.mix.edge.telling import Telling
from wallflower.mix.edge.workers import Workers
from wallflower.mix.times import MOST_HELD_S, Jump, jump, may_go_on
from wallflower.trust.pins import Pins
from wallflower.trust.record import EpochRecord

# Entries of one pull: 20 MB of cells, 17 MB of parcels. An answer holds more than either, so one
# that is not full is the last of what waited. Each page costs nearly a millisecond, whatever
# is in it, since all that takes it has left the processor's caches meanwhile (ADR 58).
PAGE = {"a": 8192, "b": 2048}
# Bytes of the disk that each of them may need while it is taken. Measured where some thousand are
# held: of a cell whose hum is not whole 12,000, of a letter in the place of another 43,000.
_EACH = {"a": 16 << 10, "b": 64 << 10}
_HEAD_ROUND_S = 3600
_MOST_TALK_S = 60.0  # of a round, with the desk server, however many questions these are
_BEFORE_FIRST_RECORD_S = 0.2
_WITHOUT_RECORD_S = 60  # record seconds between rounds where the last one is over


@dataclass(frozen=True, slots=True)
class MixSettings:
    """What makes a mix A or B: its place, whom it pulls from, its secrets."""

    position: str
    source_url: str
    source_token: str
    own_token: str
    status_token: str
    board: str
    board_token: str
    record_seed: bytes
    drop_seed: bytes
    loops: LoopSettings | None = None
    demo: bool = False
    workers: int = 0  # processes beside this one
    dial: Callable[[], Line] = http  # how a worker reaches the node before


class Mix:
    """Everything of a mix but its sockets. `keys` is the folder on the volume that can forget."""

    def __init__(self, host: Host, keys: Folder, pins: Pins, settings: MixSettings) -> None:
        self._host = host
        self._settings = settings
        self.state = State(host.disk.database("mix.db"))
        self.pool = Pool(self.state.db, keys, host.entropy)
        self.workers = Workers(settings.workers)
        self.disk_failures = 0
        self.records = Records(
            host, keys, pins, settings.position, settings.board,
            settings.record_seed, settings.drop_seed, self.workers.end,
        )  # fmt: skip
        self.loops = Loops(host, self.state, settings.loops)
        self.part: First | Second
        self._telling: Telling | None = None
        if settings.position == "a":
            self.part = First(
                host, self.state, self.pool, keys, self.records, self.loops, self.workers,
                settings.dial, self._disk_failed,
            )  # fmt: skip
        else:
            census = Census(host, self.state, settings.drop_seed)
            self.part = Second(
                host, self.state, self.pool, self.records, settings.drop_seed, self.loops, census,
                Openers(keys, self.workers),
            )  # fmt: skip
            self._telling = Telling(
                host.net, settings.board, settings.board_token, self.state, self.loops, census
            )
        self.routes: dict[str, App] = {
            f"/{self.part.out.name}": log_route(self.part.out, settings.own_token)
        }
        if isinstance(self.part, Second):
            self.routes["/tokens"] = tokens_route(self.part.known, settings.own_token)
        self.ticks = 0
        self.skipped = 0
        self.answers_refused = 0
        self.folder = host.disk.path
        self.heard = Heard(host.clock.now(), host.clock.now())
        self._next_head = 0.0
        self._steady: float | None = None  # the last moment that this process believed
        self._held_since: float | None = None
        self._held_as = Jump.NONE
        # Before anything is served: what died while this process was off is gone first.
        try:
            self._forget(host.clock.now())
        except (OSError, sqlite3.Error):
            self._disk_failed()

    def _disk_failed(self) -> None:
        self.disk_failures += 1

    @property
    def position(self) -> str:
        """`a` or `b`."""
        return self._settings.position

    def now(self) -> float:
        """Record time."""
        return self._host.clock.now()

    async def step(self) -> None:
        """One round: records when due, everything that waits upstream, and this tick's release."""
        now = self._host.clock.now()
        if not await self._believes_its_clock(now):
            return
        self._forget(now)
        await self._talk(now)
        record = self.records.in_force(now)
        if record is None:
            return
        if has_room(self.state.db):
            await self._intake(record)
        else:  # what is held leaves all the same: nothing else makes room
            self._disk_failed()
        if may_hand_on(self.state.db):
            self._tick(record)
        self.settle()

    async def _talk(self, now: float) -> None:
        """Ask and tell the desk server what is due. Where it hangs, the tick does not wait."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_MOST_TALK_S):
                await self.records.step()
                if self._telling and now >= self._next_head:
                    self._next_head = now + _HEAD_ROUND_S
                    await self._telling.step()

    async def _intake(self, record: EpochRecord) -> None:
        """Take what waits at the node before, until the next tick begins at the latest: by then
        keys may have to be erased."""
        s, p = self._settings, record.body.parameters
        each = _EACH[self.position] * len(self.part.pools)  # shares take pages at once
        source = Source(s.source_url, s.source_token, PAGE[self.position], each)
        clock = self._host.clock
        ends = (tick_number(clock.now(), p.tick) + 1) * p.tick
        self.part.begin_round(source, (ends - clock.now()) / p.pace.days)
        try:
            await take_all(
                self.part, self.state, self._host.net, source, self._answered,
                lambda: clock.now() < ends,
            )  # fmt: skip
        except Unreachable:
            pass
        except Refused:
            self.answers_refused += 1
        finally:
            self.answers_refused += await self.part.finish_round()

    def _answered(self) -> None:
        self.heard.before = self.now()

    def _tick(self, record: EpochRecord) -> None:
        number = tick_number(self._host.clock.now(), record.body.parameters.tick)
        last = self.state.number("tick")
        if number <= last:
            return
        if isinstance(self.part, Second):
            self.part.lay_anew()
        with self.state.transaction():
            enough = self.state.number("seen") >= record.body.parameters.floor
            if enough or not self.state.number("floor_tick"):
                self.state.set_number("floor_tick", number)
            if isinstance(self.part, Second):
                self.part.tick(record, number)
            self.state.set_number("tick", number)
            self.state.set_number("steady", int(self._host.clock.now()))
        if isinstance(self.part, First):  # not before: nobody is drawn twice in one tick
            self.part.tick(record)
        self.ticks += 1
        # A tick that was slept through is not made up for: a burst would be a mark.
        self.skipped += number - last - 1 if last else 0

    async def _believes_its_clock(self, now: float) -> bool:
        """Whether this round may go by our clock: after a jump, the record shown decides."""
        before = self._steady or self.state.number("steady") or None
        how = jump(before, now)
        if how is Jump.FORWARD and self._steady is None:
            how = Jump.NONE  # this process was off; keys have to die (record 4)
        shown = None if how is Jump.NONE else await self.records.shown()
        held = self._held_since
        if held is None or how is not self._held_as:
            held = now  # from 1970 to a clock that is ahead is no day of waiting
        if not may_go_on(how, shown, now) and now - held < MOST_HELD_S:
            self._held_since, self._held_as = held, how
            return False
        if how is Jump.BACK:  # our earlier clock was the wrong one: do not wait for it
            self.state.set_number("tick", 0)
            self.state.set_number("floor_tick", 0)
            self._next_head = 0.0
        self._held_since = None
        self._steady = now
        return True

    def _forget(self, now: float) -> None:
        """Erase what is over at this moment, before anything else of a round is done.

        No key waits for a database that works. Where what it sealed can never be sealed anew, a
        pool's goes with the hop key of its day: that much longer a disk may fail and lose nothing.
        """
        today = day_of(now)
        last = day_of(now - LIFE_AFTER_DAY[self.position])
        with ExitStack() as whatever_fails:
            whatever_fails.callback(self.pool.forget_before, last)
            whatever_fails.callback(self._begin_day, today, now)
            self.records.forget(now)

    def _begin_day(self, today: int, now: float) -> None:
        """Seal all that is held under the key of today, and erase those of other days."""
        if today != self.state.number("day"):
            record = self.records.in_force(now)
            self.pool.new_day(today, self.state.transaction)
            if isinstance(self.part, First):
                if not self.part.forget(today):
                    return  # the day is not noted either, so that each round tries again
            elif record is not None:
                self.part.forget(record)
            self.pool.forget_after(today)  # before the day is noted, so that a crash repeats it
            with self.state.transaction():
                self.loops.forget()
                self.state.set_number("day", today)
            self.settle()
        # Every time, since a crash may have come between the commit and this.
        self.pool.forget_before(today)

    def settle(self) -> None:
        """Empty all write-ahead logs."""
        self.part.settle()
        settle(self.state.db)

    def close(self) -> None:
        """End the workers and close the databases."""
        self.workers.end()
        for db in self.databases():
            db.close()

    async def run(self) -> None:
        """Rounds for ever, one a tick."""
        while True:
            begun = self._host.clock.now()
            try:
                await self.step()
            except (OSError, sqlite3.Error):
                # A full or failing disk: nothing was committed, so nothing was acknowledged, and
                # the next round does it again.
                self._disk_failed()
            record = self.records.in_force(self._host.clock.now())
            if record is None:
                await asyncio.sleep(_BEFORE_FIRST_RECORD_S)
                if self.records.has_finished():  # whoever did not sign may be away for days
                    now = self._host.clock.now()
                    await self._host.clock.sleep_until(now + _WITHOUT_RECORD_S)
                continue
            tick = record.body.parameters.tick
            # A round that took all of its tick is followed at once, since keys may be due and hums
            # have to leave; and a clock that was put back meanwhile is not waited for.
            moment = min(begun, self._host.clock.now())
            await self._host.clock.sleep_until((tick_number(moment, tick) + 1) * tick)

    def databases(self) -> list[sqlite3.Connection]:
        """All that this mix has."""
        return [self.state.db, *self.part.others]

    def held(self) -> int:
        """How many hums are held."""
        return sum(pool.size() for pool in self.part.pools)

    def lost(self) -> int:
        """How many were lost with the key of a day."""
        return sum(pool.lost for pool in self.part.pools)

    def alarms(self) -> list[str]:
        """What this mix's operator has to know now; nothing about people."""
        found = self.records.alarms(self._host.clock.now())
        if self._held_since is not None:
            found.append(
                "The clock jumped and no record agrees with it, so nothing is done for up to a day:"
                " set the clock right"
            )
        return found

    def status(self) -> dict[str, int]:
        """Counts, for tests and the demo; the operator is shown `report` instead."""
        return {
            "pool": self.held(), "pool_high_water": sum(p.high_water for p in self.part.pools),
            "pool_lost": self.lost(), "answers_refused": self.answers_refused,
            "disk_failures": self.disk_failures,
            "ticks": self.ticks, "ticks_skipped": self.skipped,
            "waiting_out": self.part.out.size(),
            "drafts_refused": self.records.refused_drafts,
            "seen_since_release": self.state.number("seen"), **self.part.counts,
        }  # fmt: skip

    async def inner(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The only listener of a mix but for its operator's: the next node pulls, the desk hands
        tokens to B."""
        if scope["type"] != "http":
            return
        if scope["path"] in self.routes:
            if bearer_is(scope, self._settings.own_token):
                self.heard.after = self.now()
            await self.routes[scope["path"]](scope, receive, send)
        elif not bearer_is(scope, self._settings.status_token):
            await refuse(send)
        elif scope["path"] == "/status":
            await answer(send, 200, report(self).encode())
        elif scope["path"] == "/counts" and self._settings.demo:
            await answer(send, 200, json.dumps(self.status()).encode())
        else:
            await refuse(send)

    async def report(self) -> Status:
        """What the operator is told."""
        return report(self)
