"""The real process: `wallflower ingress` with a configuration, as an operator runs it."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from tests.host.sockets import exchange, free_port, images_of, listening, until
from tests.ingress.stage import REFUSAL, TAKEN, cell, upload

from wallflower.cli.new import Config, make
from wallflower.host.clock import day_of
from wallflower.host.http import HttpNet
from wallflower.host.net import Unreachable
from wallflower.host.pull import pull
from wallflower.ingress.edge.process import KEPT_DAYS
from wallflower.wire.sizes import CELL


def put_too_old(cells: Path) -> None:
    """A cell of a day whose keys are gone, into the database of an ingress that does not run."""
    too_old = (day_of(time.time()) & 0xFFFF) - KEPT_DAYS - 1
    with closing(sqlite3.connect(cells)) as db, db:
        # The first of all: where a clock was set, the last would not be too old.
        db.execute("INSERT INTO cells VALUES (0, ?, ?)", (too_old, cell(2)))


async def holds_one(cells: Path) -> bool:
    """Whether just one cell is left."""
    with closing(sqlite3.connect(cells)) as db:
        found: tuple[int] = db.execute("SELECT count(*) FROM cells").fetchone()
    return found == (1,)


async def test_the_process_takes_cells_keeps_them_over_a_kill_says_nothing_and_leaves_no_image(
    tmp_path: Path,
) -> None:
    public, inner = free_port(), free_port()

    def ports(config: Config) -> None:
        config["port"], config["inner"]["port"] = public, inner

    config = make("ingress", tmp_path / "ingress", ports)
    token = (config.parent / "a.token").read_text().strip()

    async def start() -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "wallflower", "ingress", str(config),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

        async def up() -> bool:
            assert process.returncode is None
            return await listening(public) and await listening(inner)

        await until(up, "ingress listens", 30)
        return process

    process = await start()
    try:
        assert images_of(process.pid) == "0 0"
        assert await exchange(public, upload(cell(1))) == TAKEN
        assert await exchange(public, upload(bytes(CELL - 1))) == REFUSAL
        assert await exchange(public, b"\x00 not HTTP\r\n\r\n") == REFUSAL
        process.kill()
        assert await process.communicate() == (b"", b"")
        cells = config.parent / "data" / "cells.db"
        put_too_old(cells)
        process = await start()
        await until(partial(holds_one, cells), "the old cell is forgotten though nobody asks")
        net = HttpNet()
        url = f"http://127.0.0.1:{inner}/cells"
        assert [e.body for e in await pull(net, url, token, 0, 10)] == [cell(1)]
        with pytest.raises(Unreachable):
            await pull(net, url, "wrong", 0, 10)
        await net.close()
        process.terminate()
        assert await asyncio.wait_for(process.communicate(), 15) == (b"", b"")
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert await holds_one(cells)


@pytest.mark.parametrize("table", ["inner", "status_page"])
async def test_a_listener_whose_port_is_taken_ends_the_process_with_one_sentence_and_1(
    tmp_path: Path, table: str
) -> None:
    taken = free_port()

    def ports(config: Config) -> None:
        config["port"], config["inner"]["port"] = free_port(), free_port()
        config["status_page"]["port"] = free_port()
        config[table]["port"] = taken

    config = make("ingress", tmp_path / "ingress", ports)
    with socket.create_server(("127.0.0.1", taken)):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "wallflower", "ingress", str(config),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, out, err.count(b"\n")) == (1, b"", 1)
    assert f"The system said of port {taken}: ".encode() in err
