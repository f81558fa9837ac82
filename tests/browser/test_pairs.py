"""A hum with a letter beside one without, many times: equal in all but times, and the times judged.

Few hums of a real browser are a smoke test: the interval that is printed says what they could miss.
A claim of +-0.01 would take many more.
"""

from __future__ import annotations

import asyncio
import math
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.browser.figures import Auc, by_classifier, by_feature
from tests.browser.pairs import Hum, classes, hums
from tests.browser.shim import on_letter
from tests.browser.stage import FILM, Alter, Stage
from tests.browser.trace import differences

pytestmark = [pytest.mark.browser, pytest.mark.alone]

PAIRS = int(os.environ.get("PAIRS", "200"))  # fewer only to try the test itself
NIGHTLY_PAIRS = 500


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many browsers, and the seats of each; how many of these have the planted sender."""

    seats: int
    planted: tuple[int, ...]
    pace: int
    late_ms: int

    @property
    def honest(self) -> int:
        """Seats with the shipped sender, in all browsers."""
        return len(self.planted) * self.seats - sum(self.planted)


# While one browser loads its pages, which is work, the other's hums run, which is waiting.
FAST = Crowd(seats=7, planted=(1, 0), pace=30, late_ms=40)
REAL = Crowd(seats=40, planted=(4, 4), pace=1, late_ms=20)
# Judged by the 99.9 % interval, so that chance alone turns one run in five hundred red; what is
# printed is the 95 % interval.
RISK = 0.001
# Two pieces, enough for a still picture.
FILM_BYTES = 40_000


def _late(ms: int) -> dict[str, Alter]:
    """A planted sender: without dither, and the sixth cell of a letter so much too late."""
    return on_letter(
        b"self.fetch=async(url,how)=>{if(letter&&how.body&&how.body[1]===5)"
        b"await new Promise((go)=>setTimeout(go,%d));return sent(url,how)};" % ms
    )


def _stages(folder: Path, built: Path, crowd: Crowd, planted: int) -> list[Stage]:
    """Worlds for honest seats, then those whose page has the planted sender."""
    film = folder / "film"
    film.write_bytes(FILM.read_bytes()[:FILM_BYTES])
    altered: list[dict[str, Alter]] = [{}] * (crowd.seats - planted)
    altered += [_late(crowd.late_ms)] * planted
    return [
        Stage(folder / f"{number}", built, pace_hums=crowd.pace, film=film, altered=one)
        for number, one in enumerate(altered)
    ]


def _judge(seen: list[Hum], pace: int, title: str) -> tuple[Auc, Auc, int]:
    """Print and return: the best single feature, the classifier, and how many traces differ."""
    without, with_letter = (
        [hum.features(pace) for hum in seen if hum.letter is letter] for letter in (False, True)
    )
    best, fitted = by_feature(without, with_letter), by_classifier(without, with_letter)
    whole = [hum for hum in seen if hum.whole]
    unequal = sum(bool(differences(whole[0].trace, hum.trace)) for hum in whole)
    cut = [sum(hum.letter is letter for hum in seen if not hum.whole) for letter in (False, True)]
    print(
        f"\n| {title}, n = {len(without)} + {len(with_letter)} | AUC [interval] |\n|---|---|\n"
        f"| most telling of {len(without[0])} features (Bonferroni) | {_said(best)} |\n"
        f"| logistic regression, odd rows | {_said(fitted)} |\n"
        f"| hums that differ in anything but bytes and times | {unequal} |\n"
        f"| hums with a skipped cell, without and with a letter | {cut[0]}, {cut[1]} |"
    )
    return best, fitted, unequal


def _said(one: Auc) -> str:
    low, high = one.interval(0.05)
    return f"{one.value:.3f} [{low:.3f}, {high:.3f}]"


def _verdict(
    seen: list[tuple[bool, Hum]], pairs: int, crowd: Crowd, capsys: pytest.CaptureFixture[str]
) -> None:
    """The shipped sender is not told, and the planted one, in between on the same machine, is."""
    shipped, planted = ([hum for late, hum in seen if late is which] for which in (False, True))
    with capsys.disabled():
        best, fitted, unequal = _judge(shipped, crowd.pace, f"hums at {crowd.pace} times the pace")
        title = f"planted: a cell {crowd.late_ms} ms late, no dither"
        found, _, _ = _judge(planted, crowd.pace, title)
    assert sum(hum.letter for hum in shipped) >= pairs
    assert unequal == 0
    assert not best.excludes_chance(RISK)
    assert not fitted.excludes_chance(RISK)
    assert found.excludes_chance(RISK)


async def _seen_in_lanes(
    chromium: str, built: Path, folder: Path, pairs: int, crowd: Crowd
) -> list[tuple[bool, Hum]]:
    """All hums, with whether their page has the planted sender: a browser a lane, side by side."""
    # While one browser loads its pages, which is work, the other's hums run, which is waiting.
    loading = asyncio.Lock()
    orders = classes(math.ceil(pairs / crowd.honest) * crowd.seats, crowd.seats)

    async def lane(number: int, planted: int) -> list[tuple[bool, Hum]]:
        own = folder / f"{number}"
        own.mkdir()
        stages = _stages(own, built, crowd, planted)
        seen = await hums(chromium, own / "profile", stages, orders, loading)
        return [(seat >= crowd.seats - planted, hum) for seat, hum in seen]

    lanes = await asyncio.gather(*(lane(*which) for which in enumerate(crowd.planted)))
    return [one for found in lanes for one in found]


async def test_hum_with_a_letter_cannot_be_told_from_one_without(
    chromium: str, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = await _seen_in_lanes(chromium, built, tmp_path, PAIRS, FAST)
    _verdict(seen, PAIRS, FAST, capsys)


@pytest.mark.nightly
async def test_hums_in_real_time_side_by_side(
    chromium: str, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = await _seen_in_lanes(chromium, built, tmp_path, NIGHTLY_PAIRS, REAL)
    _verdict(seen, NIGHTLY_PAIRS, REAL, capsys)
