"""Empty pages of a database of A, in an order that is drawn: the places of hums to come.

A hum's row is longer than a page of the file, and what does not fit lies on a page of its own. To
a file that grows SQLite gives such pages one after another, so where a hum lies would say when it
came. Empty pages it takes as they stand in its list of these. So many are made beforehand and
emptied in an order that is drawn, which costs a hum nothing. ADR 70.
"""

from __future__ import annotations

import sqlite3

from wallflower.host.disk import PAGE_SIZE, has_room, transaction
from wallflower.host.entropy import Entropy, shuffled

MADE = 1024  # 8 MB; A's pool is no larger at 170 hums an hour, and a mean of six hours
_FEW = MADE // 4


def make_places(db: sqlite3.Connection, entropy: Entropy) -> None:
    """Where few empty pages are left, draw anew in which order these and more are used. Has a
    transaction of its own.

    A disk that has only its reserve left gets none: A has to go on handing out what it holds.
    """
    if int(db.execute("PRAGMA freelist_count").fetchone()[0]) >= _FEW or not has_room(db):
        return
    # A row that is a little longer than a page has just one page of its own, as a hum's has.
    insert = f"INSERT INTO places VALUES (?, zeroblob({PAGE_SIZE}))"  # noqa: S608
    numbers = [(number,) for number in range(MADE)]
    with transaction(db):
        db.execute("CREATE TABLE places (number INTEGER PRIMARY KEY, empty BLOB NOT NULL)")
        db.executemany(insert, numbers)
        db.executemany("DELETE FROM places WHERE number = ?", shuffled(entropy.draw, numbers))
        db.execute("DROP TABLE places")
