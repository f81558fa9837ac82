"""How many hums a letter hides among, for who sees both sides of A: figures of the threat table.

Computed with A's own rule. Whoever sees a letter leave A at a tick (B does) and each hum that came
(an observer does) has a chance for each hum that it was this one: those that came long ago are
likely to have left before. The crowd is the number of hums that would be as uncertain if all were
alike (e to the entropy of these chances). Viewers come evenly; at night there are fewer.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from wallflower.cli.new import make
from wallflower.host.settings import load_settings
from wallflower.lab.survival import Stays
from wallflower.wire.record import Pace, Parameters
from wallflower.wire.sizes import DAY_S

PAGE = Path(__file__).parents[2] / "docs" / "threat-model.md"
ROW = re.compile(r"about ([\d,]+) at (\d+) hums/h, ([\d,]+) at ([\d,]+)/h")
DAYS = 3  # a hum leaves on the second at the latest


def crowd(hums_an_hour: float, mean: int, tick: int) -> float:
    """The crowd of a letter, on average over the ticks of a day at which it may leave."""
    day, by_leaving = DAY_S // tick, dict[int, list[float]]()
    stays = Stays(Parameters(mean, mean, tick, 32, 50, 13, 100, 4 * 3600, 84, Pace(1, 1, 0)))
    for arrival in range(DAYS * day):
        for delay, chance in enumerate(stays.until_a[arrival % day]):
            by_leaving.setdefault(arrival + delay, []).append(chance)
    whole, sizes = 0.0, 0.0
    for leaving in range((DAYS - 1) * day, DAYS * day):  # who may have come then is all known
        some = sum(by_leaving[leaving])
        shares = [chance / some for chance in by_leaving[leaving] if chance]
        entropy = -sum(share * math.log(share) for share in shares)
        whole += some
        sizes += some * math.exp(entropy) * hums_an_hour * tick / 3600
    return sizes / whole


def test_the_table_says_how_many_hums_a_letter_hides_among(tmp_path: Path) -> None:
    new = load_settings(make("organisation", tmp_path / "organisation")).table("parameters")
    mean, tick = new.get("mean_a", int), new.get("tick", int)
    found = ROW.search(PAGE.read_text("utf-8"))
    assert found is not None
    said = [float(number.replace(",", "")) for number in found.groups()]
    for size, rate in ((said[0], said[1]), (said[2], said[3])):
        assert crowd(rate, mean, tick) == pytest.approx(size, rel=0.1)


def test_a_longer_mean_or_more_hums_give_a_larger_crowd() -> None:
    """The control: without a wait the crowd is who came in one tick."""
    alone = crowd(60, 600, 600)
    assert alone == pytest.approx(10, rel=0.01)
    assert alone < crowd(60, 3600, 600) < crowd(60, 6 * 3600, 600)
    assert crowd(120, 3600, 600) == pytest.approx(2 * crowd(60, 3600, 600))
