"""What a visit leaves that does not come to its end: closed, without power, on a full disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.source.stage import Scene, days, jump

from wallflower.source.letters import Place
from wallflower.wire.sizes import POSITIONS

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
