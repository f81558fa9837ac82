"""`wallflower census`: a day is told as people write it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.campaign.mirrors import mirror
from tests.trust.made import DAY, DROP, PINS, body, signed

from wallflower.cli import wallflower
from wallflower.wire.census import Census, make_census


@pytest.mark.parametrize(
    ("day", "told"), [(DAY, "2026-11-21: reports"), (2**32 - 1, "4294967295: reports")],
    ids=["a day", "one that no calendar has"],
)  # fmt: skip
def test_the_day_of_a_census_is_told_as_a_date(tmp_path: Path, day: int, told: str) -> None:
    (tmp_path / "record").write_bytes(signed(body()))
    (tmp_path / "census").write_bytes(make_census(Census(1, day, ()), DROP))
    pins = tmp_path / "pins.json"
    pins.write_bytes(PINS.encode())
    with mirror(tmp_path) as url:
        line = ["census", "--pins", str(pins), "--mirror", url.rstrip("/")]
        said = CliRunner().invoke(wallflower, line, catch_exceptions=False)
    assert said.output.startswith(told)
