"""A hum with a letter beside one without, many times: equal in all but times, and the times judged.

Few hums of a real browser are a smoke test: the interval that is printed says what they could miss.
The claim of +-0.01 rests on many more, made without a browser (docs/exposure.md).
"""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
from playwright.sync_api import Playwright
from tests.browser.figures import Auc, by_classifier, by_feature
from tests.browser.lanes import in_lanes
from tests.browser.pairs import Hum, classes, hums
from tests.browser.shim import ON_LETTER, SHIM
from tests.browser.stage import Alter, Stage
from tests.browser.trace import differences

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.nightly]

PAIRS = int(os.environ.get("PAIRS", "200"))  # fewer only to try the test itself
PACE = 30
SEATS, PLANTED_SEATS = 12, 2
NIGHTLY_PAIRS = 500
NIGHTLY_LANES, NIGHTLY_SEATS, NIGHTLY_PLANTED = 2, 36, 4
FILM = bytes(40_000)  # two pieces: what it shows is not the question
# Without dither, and the sixth cell of a letter 20 ms late.
LATE: Alter = lambda script: (  # noqa: E731
    SHIM
    + ON_LETTER
    + b"""self.fetch=async(url,how)=>{if(letter&&how.body&&how.body[1]===5)
await new Promise((go)=>setTimeout(go,20));return sent(url,how)};"""
    + script
)


def _stages(folder: Path, built: Path, pace: int, honest: int, planted: int) -> list[Stage]:
    """Worlds for honest seats, then those whose page has the planted sender."""
    film = folder / "film"
    film.write_bytes(FILM)
    altered: list[dict[str, Alter]] = [{}] * honest + [{"hum.js": LATE}] * planted
    return [
        Stage(folder / f"{number}", built, pace_hums=pace, film=film, altered=one)
        for number, one in enumerate(altered)
    ]


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


def _verdict(
    seen: list[tuple[bool, Hum]], pairs: int, pace: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The shipped sender is not told, and the planted one, in between on the same machine, is."""
    shipped, planted = ([hum for late, hum in seen if late is which] for which in (False, True))
    with capsys.disabled():
        best, fitted, unequal = _judge(shipped, pace, f"hums at {pace} times the pace")
        found, _, _ = _judge(planted, pace, "planted: a cell 20 ms late, no dither")
    assert sum(hum.letter for hum in shipped) >= pairs
    assert unequal == 0
    assert not best.excludes_chance()
    assert not fitted.excludes_chance()
    assert found.excludes_chance()


def test_hum_with_a_letter_cannot_be_told_from_one_without(
    playwright: Playwright, chromium: str, built: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    stages = _stages(tmp_path, built, PACE, SEATS, PLANTED_SEATS)
    orders = classes(math.ceil(PAIRS / SEATS) * len(stages), len(stages))
    seen = [(at >= SEATS, hum) for at, hum in hums(playwright, chromium, stages, orders)]
    _verdict(seen, PAIRS, PACE, capsys)


@pytest.mark.nightly
def test_hums_in_real_time_side_by_side(
    chromium: str, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seats = NIGHTLY_SEATS + NIGHTLY_PLANTED
    orders = classes(math.ceil(NIGHTLY_PAIRS / NIGHTLY_LANES / NIGHTLY_SEATS) * seats, seats)

    def lane(driver: Playwright, number: int) -> list[tuple[bool, Hum]]:
        folder = tmp_path / f"{number}"
        folder.mkdir()
        stages = _stages(folder, built, 1, NIGHTLY_SEATS, NIGHTLY_PLANTED)
        return [(n >= NIGHTLY_SEATS, hum) for n, hum in hums(driver, chromium, stages, orders)]

    seen = [one for found in in_lanes(lane, range(NIGHTLY_LANES)) for one in found]
    _verdict(seen, NIGHTLY_PAIRS, 1, capsys)
