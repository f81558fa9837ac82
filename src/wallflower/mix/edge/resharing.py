"""When an operator changes the number of workers: what shares of A hold goes where it belongs now.

Before anything is pulled or served. Every step may be repeated, and for another number than the
step before was for: a crash on the way costs nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Set

from wallflower.host.disk import Folder, settle
from wallflower.mix.edge.state import State
from wallflower.wire.cells import share_of_hum

_AT_ONCE = 256  # hums, or rows of 8.3 kB, in memory
_MANY = 4096  # rows without their bodies
_BY_HUM = ("seen", "waiting", "gatherings")
_SHARE = re.compile(r"share-([1-9][0-9]*)\.db")  # sharing.database_of
Row = tuple[object, ...]


def shares_on(disk: Folder) -> frozenset[int]:
    """The numbers of the shares whose databases lie there, but for the first, the mix's own."""
    return frozenset(int(found[1]) for name in disk.names() if (found := _SHARE.fullmatch(name)))


def share_anew(states: Mapping[int, State], there: Set[int], of: int) -> None:
    """Hand what all shares hold to the first `of`; the others hold nothing then.

    `states` by the numbers of their shares; `there` are those of them that are not new.
    """
    cursor = min(states[number].number("cursor") for number in there)
    for number in range(of):
        # What lies above the lowest comes again, and everybody will know what they have seen.
        with states[number].transaction():
            states[number].set_number("cursor", cursor)
    for number in sorted(there):
        for table in _BY_HUM:
            _hand_over(table, number, states, of)
        if number >= of:
            _hand_pool(states[number], states[0])
        elif number:
            _hold_once(states[number], states[0])
    for state in states.values():
        settle(state.db)


def _hand_over(table: str, number: int, states: Mapping[int, State], of: int) -> None:
    """Let everything that goes by the id of a hum lie where that falls now."""
    source, last = states[number], (-1, b"")
    query = (
        f"SELECT DISTINCT record, hum FROM {table} WHERE (record, hum) > (?, ?) "  # noqa: S608
        "ORDER BY record, hum LIMIT ?"
    )
    while hums := source.db.execute(query, (*last, _AT_ONCE)).fetchall():
        last = hums[-1]
        for target in range(of):
            mine = [hum for hum in hums if share_of_hum(hum[1], of) == target]
            if mine and target != number:
                where = " OR ".join(["(record = ? AND hum = ?)"] * len(mine))
                _move(
                    table, where, [value for hum in mine for value in hum], source, states[target]
                )


def _hand_pool(source: State, target: State) -> None:
    """What is held may leave from anywhere."""
    query = "SELECT name FROM pool LIMIT ?"
    while names := source.db.execute(query, (_AT_ONCE,)).fetchall():
        where = f"name IN ({','.join('?' * len(names))})"
        _move("pool", where, [name for (name,) in names], source, target)


def _hold_once(source: State, first: State) -> None:
    """What was on its way to the first share when a change was cut short has arrived there."""
    query, last = "SELECT name FROM pool WHERE name > ? ORDER BY name LIMIT ?", -math.inf
    while names := source.db.execute(query, (last, _MANY)).fetchall():
        last = names[-1][0]
        marks = ",".join("?" * len(names))
        both = f"SELECT name FROM pool WHERE name IN ({marks})"  # noqa: S608
        if twice := first.db.execute(both, [name for (name,) in names]).fetchall():
            with source.transaction():
                source.db.executemany("DELETE FROM pool WHERE name = ?", twice)


def _move(table: str, where: str, values: list[object], source: State, target: State) -> None:
    """First there, then no longer here: the same row twice is one."""
    query = f"SELECT * FROM {table} WHERE {where}"  # noqa: S608
    rows: list[Row] = source.db.execute(query, values).fetchall()
    with target.transaction():
        for row in rows:
            marks = ",".join("?" * len(row))
            target.db.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)  # noqa: S608
    with source.transaction():
        source.db.execute(f"DELETE FROM {table} WHERE {where}", values)  # noqa: S608
