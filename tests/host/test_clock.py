"""Record time: real, or run faster from an anchor."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wallflower.host.clock import PacedClock, day_of
from wallflower.wire.record import Pace
from wallflower.wire.sizes import DAY_S

EASY = settings(derandomize=True, deadline=None, database=None)


def at(monkeypatch: pytest.MonkeyPatch, wall: float) -> None:
    monkeypatch.setattr(time, "time", lambda: wall)


def test_without_a_pace_record_time_is_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 1_795_000_000.5)
    assert PacedClock(Pace(1, 1, 0)).now() == 1_795_000_000.5


def test_a_pace_counts_from_its_anchor(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = PacedClock(Pace(14_400, 60, 1_795_000_000_000))
    at(monkeypatch, 1_795_000_000.0)
    assert clock.now() == 1_795_000_000.0
    at(monkeypatch, 1_795_000_006.0)  # six seconds are a day
    assert clock.now() == 1_795_000_000.0 + DAY_S
    at(monkeypatch, 1_794_999_994.0)
    assert clock.now() == 1_795_000_000.0 - DAY_S


@EASY
@given(days=st.integers(1, 100_000), a=st.floats(0, 1e6), b=st.floats(0, 1e6))
def test_a_pace_only_stretches_time(days: int, a: float, b: float) -> None:
    pace = Pace(days, 1, 5_000)
    assert pace.record_time(5.0) == 5.0
    assert pace.record_time(a) - pace.record_time(b) == pytest.approx((a - b) * days, abs=1e-3)


@EASY
@given(day=st.integers(0, 60_000), part=st.floats(0, DAY_S - 1e-3))
def test_a_day_is_the_utc_day_from_its_first_moment_to_its_last(day: int, part: float) -> None:
    assert day_of(day * DAY_S + part) == day


class Wall:
    """A wall clock that only sleeping moves, noting each step; `jumps` correct it in passing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, jumps: list[float] | None = None) -> None:
        self.time = 1_000_000.0
        self.steps: list[float] = []
        self._jumps = jumps or []
        monkeypatch.setattr(time, "time", lambda: self.time)
        monkeypatch.setattr(asyncio, "sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.steps.append(seconds)
        self.time += seconds + (self._jumps.pop(0) if self._jumps else 0.0)


async def test_sleeping_waits_paced_time_in_steps_of_a_minute_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wall = Wall(monkeypatch)
    clock = PacedClock(Pace(100, 1, 1_000_000_000))
    await clock.sleep_until(clock.now() + 15_000)  # 150 s of the wall
    assert wall.steps == [60.0, 60.0, 30.0]


async def test_a_wall_clock_that_is_set_forward_ends_the_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wall = Wall(monkeypatch, jumps=[3600.0])
    clock = PacedClock(Pace(1, 1, 0))
    await clock.sleep_until(clock.now() + 600)
    assert wall.steps == [60.0]


async def test_a_wall_clock_that_is_set_back_prolongs_the_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wall = Wall(monkeypatch, jumps=[-30.0])
    clock = PacedClock(Pace(1, 1, 0))
    end = clock.now() + 90
    await clock.sleep_until(end)
    assert wall.steps == [60.0, 60.0]
    assert clock.now() >= end


@pytest.mark.parametrize("days", [1, 100])
async def test_a_wall_clock_that_was_ahead_is_not_waited_for_once_it_is_right(
    monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    wall = Wall(monkeypatch, jumps=[0.0, -8 * 3600.0])
    clock = PacedClock(Pace(days, 1, 1_000_000_000))
    await clock.sleep_until(clock.now() + 600 * days)
    assert wall.steps == [60.0, 60.0]


async def test_a_moment_that_has_passed_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = Wall(monkeypatch)
    clock = PacedClock(Pace(1, 1, 0))
    await clock.sleep_until(clock.now() - 1)
    assert wall.steps == []
