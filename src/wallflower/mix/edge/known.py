"""What B knows of known conversations: the desk's sets of hashes, and which tokens were spent.

Spec: token.md 3. Hashes only: neither this disk nor a spent token names a conversation.
"""

from __future__ import annotations

import errno
import sqlite3

from wallflower.crypto.derive import sha256
from wallflower.errors import Refused
from wallflower.host.asgi import App, Receive, Scope, Send, answer, bearer_is, read_body, refuse
from wallflower.host.clock import Clock, day_of
from wallflower.host.disk import has_room
from wallflower.mix.edge.state import State
from wallflower.wire.sizes import TOKEN_SET, week_of_day
from wallflower.wire.token import TokenSet, parse_set

_SPENT = b"wallflower/1 spent\0"


class Known:
    """Two tables of B's database. Those that spend or forget are called in a transaction."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._db: sqlite3.Connection = state.db
        self._clock = clock
        self._sets: dict[int, TokenSet] = {}
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS token_sets (week INTEGER PRIMARY KEY, body BLOB NOT NULL)"
        )
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS spent (token BLOB PRIMARY KEY, week INTEGER NOT NULL) "
            "WITHOUT ROWID"
        )
        for week, body in self._db.execute("SELECT week, body FROM token_sets"):
            self._sets[week] = parse_set(body)

    def keep(self, body: bytes) -> None:
        """Take the desk's set of this week or the next in place of the one before; durable.

        Raises Refused (token 4), and OSError while the disk has only its reserve left.
        """
        found = parse_set(body)
        today = week_of_day(day_of(self._clock.now()))
        if found.week not in (today, today + 1):
            raise Refused("token 4.4", "A set is of another week than this and the next")
        if not has_room(self._db):
            raise OSError(errno.ENOSPC, "the disk is full")
        with self._state.transaction():
            self._db.execute("INSERT OR REPLACE INTO token_sets VALUES (?, ?)", (found.week, body))
        self._sets[found.week] = found

    def spend(self, week: int | None, token: bytes) -> bool:
        """Whether a hum's token is one of its week's set and was not spent; it is from now on."""
        known = self._sets.get(week) if week is not None else None
        if known is None or not known.holds(token):
            return False
        try:
            self._db.execute("INSERT INTO spent VALUES (?, ?)", (sha256(_SPENT + token), week))
        except self._state.Duplicate:
            return False
        return True

    def forget(self, today: int) -> None:
        """Drop sets and spent tokens once the week after theirs is over (token 3.1)."""
        first = week_of_day(today) - 1
        self._db.execute("DELETE FROM token_sets WHERE week < ?", (first,))
        self._db.execute("DELETE FROM spent WHERE week < ?", (first,))
        self._sets = {week: found for week, found in self._sets.items() if week >= first}


def tokens_route(known: Known, bearer: str) -> App:
    """The ASGI route by which the desk hands in a set; 204 when it is durable (token 2.5)."""

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive, TOKEN_SET)
        if not bearer_is(scope, bearer) or body is None:
            await refuse(send)
            return
        try:
            known.keep(body)
        except (Refused, OSError, sqlite3.Error):
            await refuse(send)
            return
        await answer(send, 204)

    return route
