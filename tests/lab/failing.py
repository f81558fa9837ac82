"""Databases of which a statement fails as on a full or failing disk, where a test says."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

# What SQLite says, and its code; by some it undoes a transaction by itself, by others it does not.
FULL = "database or disk is full"
ERRORS = {
    FULL: (sqlite3.SQLITE_FULL, True),
    "disk I/O error": (sqlite3.SQLITE_IOERR_WRITE, True),
    "disk I/O error, at reading": (sqlite3.SQLITE_IOERR_READ, False),
}


def never() -> str:
    """No statement fails."""
    return ""


def from_one_on(number: int, error: str, times: int = 1 << 30) -> Callable[[], str]:
    """So many statements go well, and so many after them fail."""
    done = 0

    def fails() -> str:
        nonlocal done
        done += 1
        return error if number < done <= number + times else ""

    return fails


class Failing(sqlite3.Connection):
    """Asks before each statement whether it fails."""

    fails: Callable[[], str] = staticmethod(never)

    def execute(self, *statement: Any) -> sqlite3.Cursor:
        """Do one, or fail. A transaction is over after ROLLBACK whatever its disk says: of that
        SQLite takes no answer (`sqlite3RollbackAll`)."""
        if statement != ("ROLLBACK",):
            self._look()
        return super().execute(*statement)

    def executemany(self, *statement: Any) -> sqlite3.Cursor:
        """Do one for many values, or fail."""
        self._look()
        return super().executemany(*statement)

    def _look(self) -> None:
        said = self.fails()
        if not said:
            return
        code, undoes = ERRORS[said]
        if undoes and self.in_transaction:
            super().execute("ROLLBACK")
        error = sqlite3.OperationalError(said)
        error.sqlite_errorcode = code
        raise error
