"""What ingress leaves on its disk: bodies, and the day. No time, address or header."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from tests.host.sockets import exchange, line
from tests.ingress.stage import DAY, TAKEN, staged, upload

from wallflower.wire.sizes import CELL

PATH_CANARY = "path-canary-7f3a"
AGENT_CANARY = "agent-canary-91bc"
HEADER_CANARY = "header-canary-55de"
BODY_CANARY = b"body-canary-e20f"


def holding(folder: Path, needle: bytes) -> list[str]:
    """The files whose name or bytes hold the needle."""
    files = [p for p in folder.rglob("*") if p.is_file()]
    return [p.name for p in files if needle in p.read_bytes() or needle in p.name.encode()]


async def test_no_file_holds_an_address_a_header_or_a_path(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = upload(
        BODY_CANARY.ljust(CELL, b"\0"), f"User-Agent: {AGENT_CANARY}", f"Cookie: c={HEADER_CANARY}",
        f"Origin: http://{HEADER_CANARY}.example", path=f"/{PATH_CANARY}?q={PATH_CANARY}",
    )  # fmt: skip
    async with staged(tmp_path) as stage:
        async with line(stage.port) as one:
            mine = one.writer.get_extra_info("sockname")
            assert await one.ask(asked) == TAKEN
        assert await exchange(stage.port, upload(b"", f"User-Agent: {AGENT_CANARY}")) != TAKEN
        assert holding(tmp_path, BODY_CANARY), "the control: what is kept is found by this search"
        # A port of four digits may stand in any file by chance; the address with it may not.
        needles = [
            b"127.0.0.1", bytes([127, 0, 0, 1]), f"{mine[0]}:{mine[1]}".encode(),
            PATH_CANARY.encode(), AGENT_CANARY.encode(), HEADER_CANARY.encode(), b"User-Agent",
        ]  # fmt: skip
        assert {n: holding(tmp_path, n) for n in needles} == {n: [] for n in needles}
    # A service's output ends in the machine's journal, which is a file too.
    assert capfd.readouterr() == ("", "")


async def test_the_table_has_no_column_for_a_time_or_an_address(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await exchange(stage.port, upload(bytes(CELL)))
        db = sqlite3.connect(tmp_path / "cells.db")
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        columns = [row[1] for row in db.execute("PRAGMA table_info(cells)")]
        rows = db.execute("SELECT seq, record, length(body) FROM cells").fetchall()
        db.close()
    assert tables == {"cells", "sqlite_sequence"}
    assert columns == ["seq", "record", "body"]
    assert rows == [(1, DAY, CELL)]


async def test_a_day_apart_is_all_that_the_clock_leaves(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        for hour in (0, 5, 11, 22):
            stage.clock.time = DAY * 86400 + hour * 3600 + 1234.5
            await exchange(stage.port, upload(bytes(CELL)))
        db = sqlite3.connect(tmp_path / "cells.db")
        assert db.execute("SELECT DISTINCT record FROM cells").fetchall() == [(DAY,)]
        db.close()


async def test_what_a_has_is_in_no_file_any_more(tmp_path: Path) -> None:
    from tests.ingress.stage import TOKEN

    from wallflower.host.pull import pull
    from wallflower.lab.host import SimulatedNet

    async with staged(tmp_path) as stage:
        await exchange(stage.port, upload(BODY_CANARY.ljust(CELL, b"\0")))
        net, url = SimulatedNet({"inner": stage.ingress.inner}), "http://inner/cells"
        entries = await pull(net, url, TOKEN, 0, 10)
        assert holding(tmp_path, BODY_CANARY), "the control: until it is acknowledged it is kept"
        await pull(net, url, TOKEN, entries[-1].seq, 10)
        assert holding(tmp_path, BODY_CANARY) == []
