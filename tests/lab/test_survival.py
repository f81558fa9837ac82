"""How a crowd shrinks with each letter, and that docs/threat-model.md says what comes of it.

The seeds stand here and were not chosen by what they give. `make nightly` runs it whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from tests.night import share

from wallflower.cli.new import make
from wallflower.host.settings import load_settings
from wallflower.lab.survival import (
    AGAIN_S,
    ONE_OFF,
    WRITER,
    Groups,
    Seen,
    Stays,
    a_leaves,
    again_at_once,
    b_releases,
    conversation,
    crowd,
    firsts_of_days,
    middle,
    pool_of_a,
    suspects,
    viewers,
    writes,
)
from wallflower.wire.record import Pace, Parameters
from wallflower.wire.sizes import DAY_S

SEED = 20261129
HOUR = 3600
TICK = 600
PAGE = (Path(__file__).parents[2] / "docs" / "threat-model.md").read_text("utf-8")
SHRINKS = re.compile(r"crowd shrinks with every contact: ([\d,]+), ([\d,]+), (\d+) at a mean")
HURRIES = re.compile(r"crowd of ([\d.]+) after one, ([\d.]+) after a second")
POOL = re.compile(r"about ([\d,]+) at (\d+) hums/h, ([\d,]+) at ([\d,]+)/h")
# As ONE_OFF, but its 200 most faithful come once a day; and nobody comes more than once a month.
ONCE_A_DAY = ((19_000, 1 / 30), (800, 1 / 7), (200, 1.0))
ONCE_A_MONTH = ((20_000, 1 / 30),)


def parameters(mean_a: int, mean_b: int) -> Parameters:
    """Those of a new organisation, with other means."""
    return Parameters(mean_a, mean_b, TICK, 32, 50, 13, 100, 4 * HOUR, 84, Pace(1, 1, 0))


DAY = parameters(6 * HOUR, 18 * HOUR)
STAYS = Stays(DAY)


def said(pattern: re.Pattern[str]) -> list[float]:
    """The figures that the threat model has."""
    found = pattern.search(PAGE)
    assert found is not None
    return [float(number.replace(",", "")) for number in found.groups()]


def crowds(runs: Sequence[Sequence[Seen]]) -> list[float]:
    """The median crowd after each letter."""
    return [middle([seen.crowd for seen in after]).median for after in zip(*runs, strict=True)]


def test_the_numbers_are_those_of_a_new_organisation(tmp_path: Path) -> None:
    new = load_settings(make("organisation", tmp_path / "organisation")).table("parameters")
    for name in ("mean_a", "mean_b", "tick", "slots", "floor"):
        assert new.get(name, int) == getattr(DAY, name)
    assert sum(people for people, _ in ONE_OFF) == 20_000
    assert sum(people * a_day for people, a_day in ONE_OFF) / 24 == pytest.approx(55, rel=0.03)


def places(stays: Stays, letters: int, chance: Random) -> float:
    """Where the mixes' own decisions fall, on average, in the chances that the party knows."""
    whole = 0.0
    for _ in range(letters):
        came = chance.random() * DAY_S
        out = b_releases(a_leaves(came, DAY, chance.randbytes), lambda _: 50, DAY, chance.randbytes)
        arrival = int(came // TICK)
        by_delay = stays.until_b[arrival]
        whole += sum(by_delay[: out - arrival]) + by_delay[out - arrival] / 2
    return whole / letters


def test_the_party_knows_the_mixes_delays_as_the_mixes_decide_them() -> None:
    """The place of each outcome among its chances is even: 0.5 on average, sd 0.29/√n."""
    assert places(STAYS, 300, Random(SEED)) == pytest.approx(0.5, abs=4 * 0.29 / 300**0.5)
    half = Stays(parameters(3 * HOUR, 9 * HOUR))
    assert places(half, 100, Random(SEED)) > 0.5 + 4 * 0.29 / 100**0.5


def test_a_letter_of_few_hums_waits_for_the_floor() -> None:
    draw = Random(SEED).randbytes
    assert b_releases(0, lambda tick: 49 if tick < 2000 else 50, DAY, draw) >= 2000


def test_only_who_hummed_before_each_letter_is_left() -> None:
    visits = sorted([(0.0, 1), (0.0, 2), (TICK * 1.5, 3), (DAY_S * 7.0, 1), (0.0, WRITER)])
    first = suspects(visits, 1, [[0.0, 1.0]], TICK)
    assert sorted(first) == [WRITER, 1, 2]
    assert crowd(first) == pytest.approx(3)
    day = 7 * DAY_S // TICK
    assert suspects(visits, day + 1, [[0.0, 1.0]], TICK, first) == {1: 1.0}


def test_a_letter_leaves_on_a_later_day_unless_in_a_hurry() -> None:
    visits, carried = writes(3, Random(SEED), hurry=False)
    assert len(visits) == 4
    assert [int(c // DAY_S) for c in carried] == [7, 14, 21]
    visits, carried = writes(3, Random(SEED), hurry=True)
    assert [int(c // DAY_S) for c in carried] == [0, 7, 14]
    assert firsts_of_days([(0.0, 1), (1.0, 2), (2.0, 1), (DAY_S, 1)]) == [
        (0.0, 1), (1.0, 2), (DAY_S, 1)
    ]  # fmt: skip
    again = again_at_once([(now, WRITER) for now in visits])
    assert [now for now, _ in again] == carried
    assert not again_at_once([(0.0, 1), (1.0, 2), (AGAIN_S + 1.0, 1)])


def test_without_a_wait_two_letters_name_the_writer() -> None:
    """The control: by mixes that wait for a tick only, the second letter leaves nobody else."""
    none = parameters(TICK, TICK)
    stays, chance = Stays(none), Random(SEED)
    runs = [conversation(ONCE_A_MONTH, 2, none, stays, chance) for _ in range(5)]
    first, second = crowds(runs)
    assert first < 15
    assert second < 1.5


def test_the_threat_model_says_how_a_crowd_shrinks() -> None:
    chance = Random(SEED)
    runs = [conversation(ONE_OFF, 3, DAY, STAYS, chance) for _ in range(3)]
    assert crowds(runs) == pytest.approx(said(SHRINKS), rel=0.1)


def table(name: str, runs: Sequence[Sequence[Seen]]) -> list[float]:
    """Print a line a contact; the medians of the crowd."""
    print(f"\n{name}, {len(runs)} conversations")
    print("contact  crowd (95 % of the median)  worst in 20  rank (95 %)")
    for number, after in enumerate(zip(*runs, strict=True), 1):
        c, r = middle([one.crowd for one in after]), middle([one.rank for one in after])
        below = sum(one.crowd < 20 for one in after) / len(after)
        print(
            f"{number:7}  {c.median:7.1f} ({c.low:.1f}-{c.high:.1f})  {c.worst:7.1f}  "
            f"{r.median:7.1f} ({r.low:.1f}-{r.high:.1f})  below 20: {below:.3f}"
        )
    return crowds(runs)


def many(
    groups: Groups, contacts: int, p: Parameters, size: int, hurry: bool = False
) -> list[list[Seen]]:
    """So many conversations, each crowd anew, from the same seed."""
    stays, chance = Stays(p), Random(SEED)
    return [conversation(groups, contacts, p, stays, chance, hurry) for _ in range(share(size))]


IDS = ("thrice a day", "once a day", "once a month")


def of(groups: Groups) -> str:
    """An audience in words."""
    each = [f"{people:,} come {a_day:.3g} times a day" for people, a_day in groups]
    return f"{', '.join(each)}: {sum(n * a_day for n, a_day in groups) / 24:.0f} hums/h"


@pytest.mark.nightly
@pytest.mark.parametrize("groups", [ONE_OFF, ONCE_A_DAY, ONCE_A_MONTH], ids=IDS)
def test_figures_of_twelve_contacts(groups: Groups) -> None:
    found = table(f"mean 24 h; {of(groups)}", many(groups, 12, DAY, 200))
    assert found[:3] == sorted(found[:3], reverse=True)
    if groups is ONE_OFF:
        assert found[:3] == pytest.approx(said(SHRINKS), rel=0.05)


@pytest.mark.nightly
def test_figures_of_a_shorter_mean() -> None:
    runs = many(ONE_OFF, 3, parameters(3 * HOUR // 2, 9 * HOUR // 2), 200)
    found = table(f"mean 6 h; {of(ONE_OFF)}", runs)
    assert found[0] < said(SHRINKS)[0]


@pytest.mark.nightly
@pytest.mark.parametrize("groups", [ONE_OFF, ONCE_A_DAY, ONCE_A_MONTH], ids=IDS)
def test_figures_of_watching_again_at_once(groups: Groups) -> None:
    name = f"mean 24 h; {of(groups)}; again at once"
    found = table(name, many(groups, 3, DAY, 200, hurry=True))
    if groups is ONCE_A_DAY:
        assert found[:2] == pytest.approx(said(HURRIES), rel=0.1)


@pytest.mark.nightly
@pytest.mark.parametrize(("at", "size"), [(0, 300), (2, 40)])
def test_figures_of_a_pool(at: int, size: int) -> None:
    number, rate = said(POOL)[at : at + 2]
    chance = Random(SEED)
    found = middle([pool_of_a(rate, DAY, STAYS, chance) for _ in range(share(size))])
    print(f"\nA's pool at {rate:g} hums/h, {share(size)} letters: {found}")
    assert found.median == pytest.approx(number, rel=0.15)


def test_a_simulated_pool_is_about_what_was_computed() -> None:
    number, rate = said(POOL)[:2]
    chance = Random(SEED)
    sizes = [pool_of_a(rate, DAY, STAYS, chance) for _ in range(40)]
    assert sum(sizes) / len(sizes) == pytest.approx(number, rel=0.2)
    assert len({who for _, who in viewers([(5, 1.0)], 0, 9 * DAY_S, chance)}) == 5
