"""A hum with a letter beside one without, many times: equal in all but times, and the times judged.

Few hums of a real browser are a smoke test: the interval that is printed says what they could miss.
The claim of +-0.01 rests on many more, made without a browser (docs/exposure.md).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Playwright
from tests.browser.figures import Auc, by_classifier, by_feature
from tests.browser.lanes import in_lanes
from tests.browser.pairs import Hum, classes, hums
from tests.browser.shim import SHIM
from tests.browser.stage import PACE_HUMS, Alter, Stage
from tests.browser.trace import differences

pytestmark = [pytest.mark.browser, pytest.mark.nightly]

PAIRS, SEATS = 60, 8
CONTROL_PAIRS = 16
NIGHTLY_PAIRS = int(os.environ.get("PAIRS", "500"))  # fewer only to try the test itself
NIGHTLY_LANES, NIGHTLY_SEATS = 2, 20
FILM = bytes(40_000)  # two pieces: what it shows is not the question
# Without dither, and the sixth cell of a letter 20 ms late.
LATE: Alter = lambda script: (  # noqa: E731
    SHIM
    + b"""let letter=false;self.addEventListener('message',(event)=>{
if(event.data.job==='hum')letter=event.data.kind===1});const sent=self.fetch.bind(self);
self.fetch=async(url,how)=>{if(letter&&how.body&&how.body[1]===5)
await new Promise((go)=>setTimeout(go,20));return sent(url,how)};"""
    + script
)

Worlds = Callable[[str, int, Alter | None], Callable[[int], Stage]]


@pytest.fixture
def worlds(built: Path, tmp_path: Path) -> Worlds:
    """Makes worlds: a name, a pace, and what is altered in the sender."""
    film = tmp_path / "film"
    film.write_bytes(FILM)

    def make(name: str, pace: int, altered: Alter | None) -> Callable[[int], Stage]:
        altering = {"hum.js": altered} if altered else {}
        return lambda number: Stage(
            tmp_path / f"{name}-{number}", built, pace_hums=pace, film=film, altered=altering
        )

    return make


def _judge(seen: list[Hum], pace: int, title: str) -> tuple[Auc, Auc, int]:
    """Print and return: the best single feature, the classifier, and how many traces differ."""
    without, with_letter = (
        [hum.features(pace) for hum in seen if hum.letter is letter] for letter in (False, True)
    )
    best, fitted = by_feature(without, with_letter), by_classifier(without, with_letter)
    unequal = sum(bool(differences(seen[0].trace, hum.trace)) for hum in seen)
    print(
        f"\n| {title}, n = {len(without)} + {len(with_letter)} | AUC [interval] |\n|---|---|\n"
        f"| most telling of {len(without[0])} features (Bonferroni) | {_said(best)} |\n"
        f"| logistic regression, odd rows | {_said(fitted)} |\n"
        f"| hums that differ in anything but bytes and times | {unequal} |"
    )
    return best, fitted, unequal


def _said(one: Auc) -> str:
    return f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]"


def test_hum_with_a_letter_cannot_be_told_from_one_without(
    playwright: Playwright, chromium: str, worlds: Worlds, capsys: pytest.CaptureFixture[str]
) -> None:
    del playwright  # a built page, and a driver
    make = worlds("pairs", PACE_HUMS, None)
    (seen,) = in_lanes(lambda d, _: list(hums(d, chromium, make, SEATS, classes(PAIRS))), [0])
    with capsys.disabled():
        best, fitted, unequal = _judge(seen, PACE_HUMS, f"hums at {PACE_HUMS} times the pace")
    assert unequal == 0
    assert not best.excludes_chance()
    assert not fitted.excludes_chance()


def test_planted_sender_that_is_20_ms_late_without_dither_is_found(
    playwright: Playwright, chromium: str, worlds: Worlds, capsys: pytest.CaptureFixture[str]
) -> None:
    del playwright
    make = worlds("control", PACE_HUMS, LATE)
    order = classes(CONTROL_PAIRS)
    (seen,) = in_lanes(lambda d, _: list(hums(d, chromium, make, SEATS // 2, order)), [0])
    with capsys.disabled():
        best, _, _ = _judge(seen, PACE_HUMS, "planted: a cell 20 ms late, no dither")
    assert best.excludes_chance()


@pytest.mark.nightly
def test_hums_in_real_time_side_by_side(
    playwright: Playwright, chromium: str, worlds: Worlds, capsys: pytest.CaptureFixture[str]
) -> None:
    del playwright
    order = classes(NIGHTLY_PAIRS)
    shares = [order[lane::NIGHTLY_LANES] for lane in range(NIGHTLY_LANES)]
    tasks = list(enumerate(shares))

    def lane(driver: Playwright, task: tuple[int, list[bool]]) -> list[Hum]:
        number, share = task
        return list(hums(driver, chromium, worlds(f"{number}", 1, None), NIGHTLY_SEATS, share))

    seen = [hum for found in in_lanes(lane, tasks) for hum in found]
    with capsys.disabled():
        best, fitted, unequal = _judge(seen, 1, "hums in real time")
    assert unequal == 0
    assert not best.excludes_chance()
    assert not fitted.excludes_chance()
