"""The real process: `wallflower ingress` with a configuration, as an operator runs it."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from pathlib import Path

from tests.host.sockets import exchange, free_port, images_of, listening, until
from tests.ingress.stage import REFUSAL, TAKEN, cell, upload

from wallflower.cli.new import Config, make
from wallflower.host.net import HttpNet, Unreachable
from wallflower.host.pull import pull
from wallflower.wire.sizes import CELL


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
        process = await start()
        net = HttpNet()
        url = f"http://127.0.0.1:{inner}/cells"
        assert [e.body for e in await pull(net, url, token, 0, 10)] == [cell(1)]
        try:
            await pull(net, url, "wrong", 0, 10)
            raise AssertionError("a wrong token was taken")
        except Unreachable:
            pass
        await net.close()
        process.terminate()
        assert await asyncio.wait_for(process.communicate(), 15) == (b"", b"")
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    db = sqlite3.connect(config.parent / "data" / "cells.db")
    assert db.execute("SELECT count(*) FROM cells").fetchone() == (1,)
    db.close()
