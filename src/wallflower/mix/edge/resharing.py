"""When an operator changes the number of workers: what shares of A hold goes where it belongs now.

Before anything is pulled or served. Every step may be repeated: a crash on the way costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from wallflower.host.disk import settle
from wallflower.mix.edge.share import Share
from wallflower.mix.edge.state import State
from wallflower.wire.cells import share_of_hum

_AT_ONCE = 256  # hums, or rows of 8.3 kB, in memory
_BY_HUM = ("seen", "waiting", "gatherings")
Row = tuple[object, ...]


def share_anew(shares: Sequence[Share], former: int, of: int) -> None:
    """Hand what the first `former` shares hold to the first `of`; the others hold nothing then."""
    states = [share.state for share in shares]
    cursor = min(state.number("cursor") for state in states[:former])
    for number, state in enumerate(states[:former]):
        for table in _BY_HUM:
            _hand_over(table, number, states, of)
        if number >= of:
            _hand_pool(state, states[0])
    for state in states[:of]:
        # What lies above the lowest comes again, and everybody knows by now what they have seen.
        with state.transaction():
            state.set_number("cursor", cursor)
    for state in states:
        settle(state.db)


def _hand_over(table: str, number: int, states: Sequence[State], of: int) -> None:
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
