"""A neighbour that never comes to an end, or never answers, holds no mix beyond its tick: by then
keys have to be erased and hums have to leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.mix.room import TICK, Make

from wallflower.host.asgi import Receive, Scope, Send, answer, read_body
from wallflower.host.log import READ_BYTES, Entry
from wallflower.host.net import MAX_ANSWER
from wallflower.host.pull import Share, encode_entries, make_question, parse_question
from wallflower.mix.edge import mix as mix_module
from wallflower.mix.edge.intake import Source
from wallflower.mix.edge.mix import PAGE
from wallflower.mix.edge.sharing import Task, take_share
from wallflower.wire.sizes import CELL, PARCEL

ANSWER_S = 60.0  # as slow as an answer may be
MOST = 100


@dataclass
class Liar:
    """Answers every question with a whole page of nothing, slowly; and gives up at last."""

    size: int
    passes: Callable[[float], object]
    answers: int = 0

    def page(self, question: bytes) -> bytes:
        after, most = parse_question(question[:12])
        self.passes(ANSWER_S)
        self.answers += 1
        numbers = range(after + 1, after + 1 + most) if self.answers < MOST else ()
        return encode_entries([Entry(number, 1, bytes(self.size)) for number in numbers])

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, 200, self.page(await read_body(receive, 64) or b""))

    async def get(self, url: str, token: str = "", limit: int = MAX_ANSWER) -> bytes:
        raise NotImplementedError

    async def post(self, url: str, body: bytes, token: str = "", limit: int = MAX_ANSWER) -> bytes:
        return self.page(body)

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(("position", "body"), [("a", CELL), ("b", PARCEL)])
def test_a_whole_page_may_be_asked_for_and_fits_an_answer(position: str, body: int) -> None:
    """Or an answer would never be full, and each round would end after the first."""
    _, most = parse_question(make_question(0, PAGE[position]))
    assert most == PAGE[position]
    assert most * body <= READ_BYTES


@pytest.mark.parametrize("position", ["a", "b"])
async def test_a_node_whose_answers_never_end_does_not_hold_the_tick(
    make_room: Make, monkeypatch: pytest.MonkeyPatch, position: str
) -> None:
    room = await make_room()
    town, before = room.town, "inner.example" if position == "a" else "a.example"
    await room.tick()
    begun = town.clock.now()

    def passes(seconds: float) -> None:
        town.clock.time += seconds

    monkeypatch.setitem(PAGE, position, 4)
    liar = Liar(CELL if position == "a" else PARCEL, passes)
    town.net.apps[before] = liar.app
    mix = town.a if position == "a" else town.b
    ticks = mix.ticks
    town.clock.time += TICK
    await mix.step()
    assert town.clock.now() - begun <= 2 * TICK + 2 * ANSWER_S, "a page and a last question more"
    assert mix.ticks == ticks + 1
    assert liar.answers < MOST


async def test_nor_does_it_hold_a_worker(tmp_path: Path) -> None:
    liar = Liar(CELL, lambda seconds: None)
    source = Source("http://inner.example/cells", "t", 4)
    task = Task(
        Share(1, 2), tmp_path / "data", tmp_path / "keys", source, lambda: liar,
        1, 1000, 0.0, {}, frozenset(),
    )  # fmt: skip
    took = await take_share(task)
    assert took.reached
    assert liar.answers == 2, "one page, and that nothing more is asked for"


async def test_a_desk_server_that_hangs_does_not_hold_the_tick(
    make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await make_room()
    monkeypatch.setattr(mix_module, "_MOST_TALK_S", 0.05)

    async def hangs(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    room.town.net.apps["board.example"] = hangs
    ticks = room.town.a.ticks
    room.town.clock.time += TICK
    async with asyncio.timeout(10):
        await room.town.a.step()
    assert room.town.a.ticks == ticks + 1
