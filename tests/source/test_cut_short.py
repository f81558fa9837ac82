"""What a visit leaves that does not come to its end: closed, without power, on a full disk."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest
from tests.source.stage import MIRROR, Scene, days, jump
from tests.trust.made import PINS

from wallflower.host.asgi import Receive, Scope, Send
from wallflower.source.edge.store import Store
from wallflower.source.edge.visit import visit
from wallflower.source.letters import Place
from wallflower.wire.sizes import HUM_CELLS, POSITIONS

DAYS = days(2)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """The day after a letter was sealed."""
    scene = Scene(tmp_path, DAYS)
    jump(scene.visit())
    scene.write("leaves once")
    scene.next_day()
    scene.cells.clear()
    return scene


def waits(scene: Scene) -> bool:
    return Place.WAITING in {kept.place for kept in scene.store.letters()}


def test_who_ends_a_visit_once_its_letter_left_sends_it_no_second_time(scene: Scene) -> None:
    """B would see one letter in two hums, and an observer who was there at both."""
    waiting: list[bool] = []
    scene.on_cell = lambda: waiting.append(waits(scene))
    jump(scene.visit())
    assert waiting[:POSITIONS] == [True] * POSITIONS
    assert not any(waiting[POSITIONS:])


def test_who_has_no_room_on_the_disk_any_more_hears_all_the_same_that_a_letter_left(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    heard: list[tuple[bool, bool]] = []

    class Listens:
        def hums(self) -> None:
            monkeypatch.setattr(Store, "write_letters", full)

        def hummed(self, whole: bool, left: bool) -> None:
            heard.append((whole, left))

    with pytest.raises(OSError, match="full"):
        jump(visit(scene.host, MIRROR, PINS, scene.store, witness=Listens()))
    assert heard == [(True, True)]
    assert len(scene.cells) == HUM_CELLS


def test_who_ends_a_visit_while_the_board_comes_does_not_wait_for_its_hum(scene: Scene) -> None:
    """Ctrl-C ends the task; it was obeyed only once all twelve cells had gone out."""

    async def ended() -> None:
        asked = asyncio.Event()

        async def slow(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] == "/board/3":
                asked.set()
                await asyncio.Event().wait()
            await scene.mirror(scope, receive, send)

        scene.net.apps["mirror.example"] = slow
        visiting = asyncio.ensure_future(scene.visit())
        await asked.wait()
        visiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await visiting

    jump(ended())
    assert len(scene.cells) < POSITIONS
    assert waits(scene)
