"""The loop sender: each loop in its minute, twelve cells like any hum's, nothing made up for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.source.stage import MIRROR, Scene, days, jump
from tests.trust.made import PINS, private

from wallflower.errors import Fault
from wallflower.host.loops import LoopSettings, check_loops
from wallflower.host.serve import seats_of
from wallflower.host.settings import Settings
from wallflower.lab.host import SimulatedClock
from wallflower.mix.gathering import judge_gathering
from wallflower.source.edge.loops import LoopSender
from wallflower.source.edge.process import read_keys
from wallflower.wire.cell import parse_cell
from wallflower.wire.cells import read_name
from wallflower.wire.hello import SILENT, Kind, open_seal_b
from wallflower.wire.hum import Gathering
from wallflower.wire.loop import LATE_S, STEP_S, loop_at
from wallflower.wire.sizes import CELL, HUM_CELLS

LOOPS = LoopSettings(b"k" * 32, 360)
DAYS = days(2)


class Waking(SimulatedClock):
    """Wakes the sender `late` seconds after its moment, so many times, then never again."""

    def __init__(self, now: float, times: int, late: float = 0.0) -> None:
        super().__init__(now)
        self.moments: list[float] = []
        self._times = times
        self._late = late

    async def sleep_until(self, moment: float) -> None:
        if len(self.moments) == self._times:
            await asyncio.sleep(300)  # the last hum ends in this time
            raise asyncio.CancelledError
        self.moments.append(moment)
        self.time = moment + self._late
        await asyncio.sleep(0)


def run(scene: Scene, clock: Waking, loops: LoopSettings = LOOPS) -> None:
    """The sender until its clock stops."""
    sender = LoopSender(replace(scene.host, clock=clock), MIRROR, PINS, [loops])
    with pytest.raises(asyncio.CancelledError):
        jump(sender.run())


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path, DAYS)


def hums(scene: Scene) -> list[Gathering]:
    """What came to ingress, by hum."""
    found: dict[bytes, Gathering] = {}
    for raw in scene.cells:
        cell = parse_cell(raw)
        found.setdefault(read_name(cell.raw)[2], Gathering()).add(cell)
    return list(found.values())


def test_each_loop_begins_in_its_minute_and_is_known_by_its_marks_alone(scene: Scene) -> None:
    clock = Waking(scene.clock.now(), 5)
    run(scene, clock)
    begun = [int(moment // STEP_S) for moment in clock.moments]
    loops = {loop.key_a: loop for step in begun if (loop := loop_at(LOOPS.key, 360, step))}
    assert len(loops) == 5
    assert begun == sorted(set(begun))
    assert [len(cell) for cell in scene.cells] == [CELL] * HUM_CELLS * 5
    for gathering in hums(scene):
        outcome = judge_gathering(gathering, private("a"), DAYS[0].hash)
        assert outcome.parcel is not None
        assert outcome.key_a is not None
        _, inside = open_seal_b(private("b"), DAYS[0].hash, outcome.parcel.seal_b)
        assert (inside.kind, inside.report) == (Kind.LOOP, SILENT)
        assert inside.token == loops.pop(outcome.key_a).token


@pytest.mark.parametrize(("late", "sent"), [(LATE_S - 1, 3), (LATE_S + 1, 0)])
def test_a_loop_that_was_slept_through_is_not_made_up_for(
    scene: Scene, late: float, sent: int
) -> None:
    run(scene, Waking(scene.clock.now(), 3, late))
    assert len(scene.cells) == sent * HUM_CELLS


def test_a_sender_whose_clock_is_put_back_sends_none_early_and_goes_on_from_now(
    scene: Scene,
) -> None:
    class PutBack(Waking):
        async def sleep_until(self, moment: float) -> None:
            await super().sleep_until(moment)
            if len(self.moments) == 1:
                self.time -= 8 * 3600

    clock = PutBack(scene.clock.now() + 8 * 3600, 3)
    run(scene, clock)
    ahead, *others = clock.moments
    assert len(scene.cells) == 2 * HUM_CELLS
    assert all(moment < ahead - 7 * 3600 for moment in others)


def test_a_sender_that_began_in_1970_looks_at_none_of_the_years_since(scene: Scene) -> None:
    right = scene.clock.now()

    class SetRight(Waking):
        async def sleep_until(self, moment: float) -> None:
            await super().sleep_until(moment)
            self.time = max(moment, right)

    clock = SetRight(0.0, 4)
    run(scene, clock)
    assert clock.moments[0] < STEP_S * 1440
    assert all(moment > right - LATE_S - STEP_S for moment in clock.moments[1:])
    assert len(scene.cells) >= 2 * HUM_CELLS


def test_without_a_record_in_force_no_loop_leaves(scene: Scene) -> None:
    run(scene, Waking(scene.clock.now() + 3 * 86400, 3))
    assert scene.cells == []


def test_a_sender_that_is_stopped_leaves_no_hum_under_way(scene: Scene) -> None:
    class Stopped(Waking):
        async def sleep_until(self, moment: float) -> None:
            if self.moments:
                await asyncio.sleep(10)  # a hum takes 90
                raise asyncio.CancelledError
            await super().sleep_until(moment)

    clock = Stopped(scene.clock.now(), 1)
    sender = LoopSender(replace(scene.host, clock=clock), MIRROR, PINS, [LOOPS])
    left: set[object] = {"not looked"}

    async def until_stopped() -> None:
        nonlocal left
        with pytest.raises(asyncio.CancelledError):
            await sender.run()
        left = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}

    jump(until_stopped())
    assert left == set()
    assert 0 < len(scene.cells) < HUM_CELLS


@pytest.mark.parametrize(("key", "per_day"), [(b"short", 96), (b"k" * 32, 0), (b"k" * 32, 361)])
def test_settings_that_cannot_be_are_a_fault(key: bytes, per_day: int) -> None:
    with pytest.raises(Fault):
        check_loops(key, per_day)


def test_a_sender_carries_every_key_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "a.key").write_bytes(b"a" * 32)
    (tmp_path / "b.key").write_bytes(b"b" * 32)
    fields: dict[str, object] = {"keys": ["a.key", "b.key"], "per_day": 96}
    found = read_keys(Settings(tmp_path / "loops.toml", fields))
    assert found == [LoopSettings(b"a" * 32, 96), LoopSettings(b"b" * 32, 96)]
    with pytest.raises(Fault):
        read_keys(Settings(tmp_path / "loops.toml", {**fields, "keys": []}))


def test_a_process_that_listens_to_nobody_needs_no_seats() -> None:
    assert seats_of(1024, 0) == []
    assert len(seats_of(1024, 2)) == 2
