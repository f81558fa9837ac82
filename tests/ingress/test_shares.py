"""Ingress hands each share of A its own cells, and forgets a cell when its share has it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import NoReturn

import pytest
from tests.host.sockets import exchange
from tests.ingress.stage import TOKEN, Stage, staged, upload
from tests.wire.drawn import Draw
from tests.wire.test_hum import CELLS, ROOM

from wallflower.host.log import Log
from wallflower.host.pull import WHOLE, Alike, Share, make_question, pull_alike
from wallflower.lab.host import SimulatedNet, ask
from wallflower.wire.cells import share_of
from wallflower.wire.hello import Kind
from wallflower.wire.sizes import CELL

URL = "http://inner/cells"
OTHER = next(
    hum
    for hum in (ROOM.make(Kind.COVER, ROOM.filler(), Draw(str(n))) for n in range(99))
    if share_of(hum[0], 2) != share_of(CELLS[0], 2)
)
MANY = [cell for pair in zip(CELLS, OTHER, strict=True) for cell in pair]


async def put(stage: Stage, cells: list[bytes] = MANY) -> None:
    for cell in cells:
        await exchange(stage.port, upload(cell))


async def pulled(stage: Stage, share: Share, after: int = 0, most: int = 100) -> Alike:
    net = SimulatedNet({"inner": stage.ingress.inner})
    return await pull_alike(net, URL, TOKEN, after, most, CELL, share)


def cells_of(answer: Alike) -> list[bytes]:
    starts = range(answer.first, len(answer.data), answer.step)
    return [answer.data[at : at + CELL] for at in starts]


def waiting(stage: Stage) -> int:
    return stage.ingress._log.size()


async def test_every_cell_is_handed_to_one_share_and_all_of_a_hum_to_the_same(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path) as stage:
        await put(stage)
        both = [cells_of(await pulled(stage, Share(number, 2))) for number in (0, 1)]
        assert sorted(map(sorted, both)) == sorted(map(sorted, [CELLS, OTHER]))
        assert sorted(cells_of(await pulled(stage, WHOLE))) == sorted(MANY)
        assert waiting(stage) == len(MANY), "nobody has said that they have any"


async def test_a_disk_that_cannot_forget_what_is_too_old_hands_all_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or A, whose answers alone make room, would have none."""
    async with staged(tmp_path) as stage:
        await put(stage)
        tried: list[int] = []

        def fails(_: Log, below: int) -> NoReturn:
            tried.append(below)
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(Log, "trim_records", fails)
        got = await pulled(stage, WHOLE)
        assert sorted(cells_of(got)) == sorted(MANY)
        await pulled(stage, WHOLE, got.last)
        assert waiting(stage) == 0
        assert len(tried) == 2, "and it was tried each time"


async def test_a_page_of_a_share_is_full_when_there_is_more_of_it(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await put(stage)
        first = await pulled(stage, Share(0, 2), most=5)
        second = await pulled(stage, Share(0, 2), first.last, most=100)
        assert (first.count, second.count) == (5, 7)


async def test_a_cell_goes_when_its_share_has_it_and_no_sooner(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await put(stage)
        last = {number: (await pulled(stage, Share(number, 2))).last for number in (0, 1)}
        await pulled(stage, Share(0, 2), last[0])
        assert waiting(stage) == len(MANY), "the other share has nothing yet"
        await pulled(stage, Share(0, 2), last[0], most=0)
        assert waiting(stage) == 12, "the end of a round: what the first has is gone"
        mine = cells_of(await pulled(stage, Share(1, 2)))
        assert len(mine) == 12
        await pulled(stage, Share(1, 2), last[1], most=0)
        assert waiting(stage) == 0


async def test_what_both_shares_have_goes_while_a_round_lasts(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await put(stage)
        for number in (0, 1):
            page = await pulled(stage, Share(number, 2), most=6)
            await pulled(stage, Share(number, 2), page.last, most=6)
        assert 0 < waiting(stage) <= len(MANY) - 11


async def test_another_number_of_shares_begins_with_what_is_there(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await put(stage)
        last = (await pulled(stage, Share(0, 2))).last
        await pulled(stage, Share(0, 2), last, most=0)
        left = [cells_of(await pulled(stage, Share(number, 3))) for number in range(3)]
        assert sum(map(len, left)) == 12
        await pulled(stage, Share(2, 3), len(MANY), most=100)
        assert waiting(stage) == 12, "two of three have said nothing"


@pytest.mark.parametrize("share", [(2, 2), (1, 0), (0, 0), (255, 3)])
async def test_a_share_that_there_is_not_is_refused_and_nothing_goes(
    tmp_path: Path, share: tuple[int, int]
) -> None:
    async with staged(tmp_path) as stage:
        await put(stage)
        question = make_question(2**40, 0) + bytes(share)
        status, answer = await ask(stage.ingress.inner, "POST", "/cells", question, TOKEN)
        refused = await ask(stage.ingress.inner, "POST", "/cells", b"", TOKEN)
        assert (status, answer) == refused
        assert waiting(stage) == len(MANY)
