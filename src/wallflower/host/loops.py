"""The loops that a role watches for: which are due, and which came. Spec: loop.md 2 and 3.

The steps that came are the only thing kept, beside the step in which the watching began.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Set
from dataclasses import dataclass

from wallflower.errors import Fault
from wallflower.host.settings import Settings
from wallflower.wire.loop import (
    LOOP_KEY,
    MOST_A_DAY,
    WINDOW,
    Loop,
    Verdict,
    Way,
    judge,
    loop_at,
    step_of,
)
from wallflower.wire.sizes import DAY_S, WEEK_BASE_DAY

_LOOKED_FOR_S = 6 * 3600  # much longer than any round: a tick is an hour at most
_KEPT_S = 8 * DAY_S  # the slowest way and a window of the lowest sensible rate
_FIRST = step_of(WEEK_BASE_DAY * DAY_S)  # nobody watched before: that was a clock of 1970


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """A loop key and how many loops a day it makes on average; sender and watcher hold the same."""

    key: bytes
    per_day: int


def read_loops(settings: Settings) -> LoopSettings | None:
    """The [loops] table of a configuration; None where there is none, and nothing is watched."""
    if "loops" not in settings.fields:
        return None
    table = settings.table("loops")
    return check_loops(table.file("key"), table.get("per_day", int))


def check_loops(key: bytes, per_day: int) -> LoopSettings:
    """The settings, or a Fault that says which of them is wrong."""
    if len(key) != LOOP_KEY:
        raise Fault("A loop key does not have 32 bytes", "Copy loop.key again from its watcher.")
    if not 1 <= per_day <= MOST_A_DAY:
        raise Fault("per_day of the loops is out of bounds", f"Write 1 to {MOST_A_DAY}.")
    return LoopSettings(key, per_day)


class LoopWatch:
    """Recognises the loops of one key in the order of time, and judges those that are due."""

    def __init__(self, db: sqlite3.Connection, settings: LoopSettings, now: float) -> None:
        self._db = db
        self._settings = settings
        self._loops: dict[int, Loop] = {}
        self._by_mark: dict[bytes, int] = {}
        db.execute("CREATE TABLE IF NOT EXISTS loops_watched (since INTEGER NOT NULL)")
        db.execute("CREATE TABLE IF NOT EXISTS loops_came (step INTEGER PRIMARY KEY)")
        found = db.execute("SELECT since FROM loops_watched").fetchone()
        following = step_of(now) + 1
        # Or it began while a clock was ahead, or by one of 1970.
        if found is None or int(found[0]) > following or int(found[0]) < _FIRST <= following:
            found = (following,)
            db.execute("DELETE FROM loops_watched")
            db.execute("INSERT INTO loops_watched VALUES (?)", found)
        self._since = int(found[0])
        self._known = self._since  # up to here, but not with it

    def _learn(self, now: float) -> None:
        """Know every loop up to now, and drop those that nobody asks about any more."""
        following = step_of(now) + 1
        if self._known == following:
            return  # a mix asks for every hum
        began_in_1970 = self._since < _FIRST <= following
        if began_in_1970:
            self._since = following
        if began_in_1970 or self._known > following:
            # The clock was ahead and is put back: what was dropped as too old may not be. Or it was
            # one of 1970, by which nobody watched.
            self._loops.clear()
            self._by_mark.clear()
            self._known = min(self._since, following)
        oldest = step_of(now - _KEPT_S)
        for step in range(max(self._known, oldest), following):
            loop = loop_at(self._settings.key, self._settings.per_day, step)
            if loop is not None:
                self._loops[step] = loop
                self._by_mark[loop.key_a] = self._by_mark[loop.token] = step
        self._known = following
        for step in [s for s in self._loops if s < oldest]:
            loop = self._loops.pop(step)
            del self._by_mark[loop.key_a], self._by_mark[loop.token]

    def came(self, mark: bytes, now: float) -> bool:
        """Whether a hum key A or a token is one of our loops; if so, that it came is kept."""
        return bool(self.which_came({mark}, now))

    def which_came(self, marks: Set[bytes], now: float) -> set[bytes]:
        """Which of many are of our loops; that they came is kept."""
        ours = self.ours(marks, now)
        self._db.executemany(
            "INSERT OR IGNORE INTO loops_came VALUES (?)", ((self._by_mark[m],) for m in ours)
        )
        return ours

    def ours(self, marks: Set[bytes], now: float) -> set[bytes]:
        """Which of many are of our loops, whether or not they come."""
        self._learn(now)
        return self._by_mark.keys() & marks

    def marks(self, now: float) -> frozenset[bytes]:
        """Of every loop that may come up to now, and while who is told of them looks for them."""
        self._learn(now)
        later = range(self._known, step_of(now + _LOOKED_FOR_S) + 1)
        coming = (loop_at(self._settings.key, self._settings.per_day, step) for step in later)
        return frozenset(self._by_mark).union(loop.key_a for loop in coming if loop)

    def judge(self, way: Way, now: float) -> Verdict:
        """What the newest WINDOW loops say that should have come by now."""
        self._learn(now)
        due = sorted(s for s in self._loops if s < step_of(now - way.seconds))[-WINDOW:]
        rows = self._db.execute("SELECT step FROM loops_came").fetchall()
        came = {int(step) for (step,) in rows}
        return judge([step in came for step in due], way.later)

    def forget(self, now: float) -> None:
        """Drop what is too old to be judged beside the newest that came: not by a clock, since one
        that is weeks ahead would have all dropped, and the alarm rung when it is right. Nor beside
        one that came while the clocks here and at the sender were ahead, before its day."""
        self._db.execute(
            "DELETE FROM loops_came WHERE step < "
            "(SELECT max(step) FROM loops_came WHERE step <= ?) - ?",
            (step_of(now), step_of(_KEPT_S)),
        )
