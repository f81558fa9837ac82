"""A neighbour that never comes to an end, or never answers, holds no mix beyond its tick: by then
keys have to be erased and hums have to leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.mix.room import AT_ONCE, DAY, TICK, Make

from wallflower.host.asgi import Receive, Scope, Send, answer, read_body
from wallflower.host.log import READ_BYTES, Entry
from wallflower.host.net import MAX_ANSWER, Unreachable
from wallflower.host.pull import Share, encode_entries, make_question, parse_question
from wallflower.lab.host import SimulatedClock
from wallflower.mix.edge import mix as mix_module
from wallflower.mix.edge.intake import Source
from wallflower.mix.edge.mix import PAGE
from wallflower.mix.edge.sharing import Sharing, Task, take_share
from wallflower.mix.edge.workers import WorkerGone, Workers
from wallflower.wire.sizes import CELL, DAY_S, PARCEL

ANSWER_S = 60.0  # as slow as an answer may be
MOST = 100


class Enough(BaseException):
    """The test has seen what it wanted."""


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


@pytest.mark.parametrize(("position", "days"), [("a", 2), ("b", 3)])
async def test_nor_does_it_cost_the_next_tick_or_keep_a_key_that_is_due(
    make_room: Make, monkeypatch: pytest.MonkeyPatch, position: str, days: int
) -> None:
    """In the mix's own loop, where each round ends when the next is due."""
    room = await make_room()
    town, before = room.town, "inner.example" if position == "a" else "a.example"
    mix, dies = town.a if position == "a" else town.b, (DAY + days) * DAY_S
    key = town.path / f"mix-{position}-keys" / "hop-1"
    town.clock.time = dies - 6 * TICK
    await room.tick(2)
    alive: list[float] = []

    def passes(seconds: float) -> None:
        town.clock.time += seconds
        if key.exists():
            alive.append(town.clock.time - dies)
        if town.clock.time >= dies + 4 * TICK:
            raise Enough

    monkeypatch.setitem(PAGE, position, 4)
    town.net.apps[before] = Liar(CELL if position == "a" else PARCEL, passes).app
    ticks, begun = mix.ticks, town.clock.now()
    with pytest.raises(Enough):
        await mix.run()
    due = int(town.clock.now() // TICK) - int(begun // TICK)
    assert mix.ticks - ticks >= due - 1, "but for the one that this broke off"
    assert -TICK < max(alive) <= 2 * ANSWER_S, "a page and a last question more"


def task_of(liar: Liar, folder: Path) -> Task:
    """A round of a share that has no time."""
    return Task(
        Share(1, 2), folder / "data", folder / "keys",
        Source("http://inner.example/cells", "t", 4, 1), lambda: liar,
        1, 1000, 0.0, {}, SimulatedClock(0.0), frozenset(),
    )  # fmt: skip


async def test_nor_does_it_hold_a_worker(tmp_path: Path) -> None:
    liar = Liar(CELL, lambda seconds: None)
    took = await take_share(task_of(liar, tmp_path))
    assert took.reached
    assert liar.answers == 2, "one page, and that nothing more is asked for"


@pytest.mark.parametrize(
    ("said", "reached", "refused"), [(b"no page", True, True), (Unreachable(), False, False)]
)
async def test_a_worker_tells_its_mix_of_an_answer_that_was_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: object, reached: bool, refused: bool
) -> None:
    def page(*_: object) -> object:
        if isinstance(said, Exception):
            raise said
        return said

    monkeypatch.setattr(Liar, "page", page)
    took = await take_share(task_of(Liar(CELL, print), tmp_path))
    assert (took.reached, took.refused) == (reached, refused)


async def test_nor_do_shares_of_workers_that_are_gone_when_the_round_has_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their mix does the rest, one share after the other; each has a page."""
    now = 1000.0

    def passes(seconds: float) -> None:
        nonlocal now
        now += seconds

    class Killed:
        def give(self, *_: object) -> None:
            pass

        def result(self) -> object:
            passes(600)
            raise WorkerGone

    monkeypatch.setattr("wallflower.mix.edge.sharing.monotonic", lambda: now)
    monkeypatch.setattr(Workers, "started", lambda _: [Killed(), Killed()])
    liar = Liar(CELL, passes)
    source = Source("http://inner.example/cells", "t", 4, 1)
    tasks = [
        Task(
            Share(number, 3), tmp_path / "data", tmp_path / "keys", source, lambda: liar,
            1, 1000, now + 600, {}, SimulatedClock(0.0), frozenset(),
        )
        for number in (1, 2)
    ]  # fmt: skip
    sharing = Sharing(Workers(2))
    sharing.begin(tasks)
    await sharing.finish()
    assert liar.answers == 4, "a page of each, and that nothing more is asked for"


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


@pytest.mark.parametrize("position", ["a", "b"])
async def test_whole_pages_of_entries_of_another_length_hold_up_nothing_that_comes_after_them(
    make_room: Make, monkeypatch: pytest.MonkeyPatch, position: str
) -> None:
    """As a neighbour of another version has them, or one that wants its mix to stand still."""
    room = await make_room(AT_ONCE)
    monkeypatch.setitem(PAGE, position, 4)
    log = room.town.ingress._log if position == "a" else room.a.out
    log.append(room.town.record().number, [bytes(99)] * 9)
    await room.send(room.hum(room.letter("behind them"))[:4])
    await room.tick(3)
    assert room.texts() == ["behind them"]
    assert log.size() == 0, "who has them is told that they may be forgotten"
    assert (room.a if position == "a" else room.b).counts["refused"] == 9
