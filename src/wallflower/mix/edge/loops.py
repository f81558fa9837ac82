"""A mix's part in the loops: its own are recognised; B tells the organisation of the others.

Spec: loop.md 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Set

from wallflower.host import Host
from wallflower.host.loops import LoopSettings, LoopWatch
from wallflower.mix.edge.state import State
from wallflower.wire.loop import Verdict, Way
from wallflower.wire.sizes import TOKEN

MOST_TOLD = 4096  # tokens that wait to be told; anybody may send a hum that calls itself a loop


class Loops:
    """The loops that end at this mix. The caller wraps what writes in one transaction."""

    def __init__(self, host: Host, state: State, settings: LoopSettings | None) -> None:
        self._clock = host.clock
        self._db = state.db
        now = host.clock.now()
        self._watch = LoopWatch(state.db, settings, now) if settings else None
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS loops_to_tell (token BLOB PRIMARY KEY) WITHOUT ROWID"
        )

    def is_own(self, mark: bytes) -> bool:
        """Whether a hum key A, or a token at B, is of a loop of ours; then it has come back."""
        return bool(self.own({mark}))

    def own(self, marks: Set[bytes]) -> set[bytes]:
        """Which of many are of loops of ours; those have come back."""
        return self._watch.which_came(marks, self._clock.now()) if self._watch else set()

    def marks(self) -> frozenset[bytes]:
        """The marks of every loop of ours that may come in this round."""
        return self._watch.marks(self._clock.now()) if self._watch else frozenset()

    def ours(self, marks: Set[bytes]) -> Set[bytes]:
        """Which of many are of loops of ours, whether or not they come."""
        return self._watch.ours(marks, self._clock.now()) if self._watch else set()

    def keep_for_organisation(self, token: bytes) -> None:
        """Remember a loop of somebody else, without its order or time, until it is told."""
        if self._waiting() < MOST_TOLD:
            self._db.execute("INSERT OR IGNORE INTO loops_to_tell VALUES (?)", (token,))

    def _waiting(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM loops_to_tell").fetchone()[0])

    def to_tell(self) -> list[bytes]:
        """The tokens that the organisation has not heard of, in the order of their bytes."""
        rows = self._db.execute("SELECT token FROM loops_to_tell ORDER BY token").fetchall()
        return [bytes(token) for (token,) in rows if len(token) == TOKEN]

    def told(self, tokens: Iterable[bytes]) -> None:
        """Forget what the organisation took."""
        self._db.executemany("DELETE FROM loops_to_tell WHERE token = ?", ((t,) for t in tokens))

    def judge(self, way: Way) -> Verdict | None:
        """What the own loops say; None when none are watched."""
        return self._watch.judge(way, self._clock.now()) if self._watch else None

    def forget(self) -> None:
        """Drop what is too old to be judged."""
        if self._watch:
            self._watch.forget(self._clock.now())
