"""Ten million inputs, led by what they reach, find no parser that does anything but read or refuse.

`WALLFLOWER_KEEP=1` adds what was found to corpus/, which the default suite reads from then on.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fuzz.nights import RUNS, fuzz, keep
from tests.fuzz.targets import TARGETS
from tests.night import share

pytestmark = pytest.mark.nightly
AT_LEAST = 10_000_000


@pytest.fixture(autouse=True)
def _fuzzer() -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.fail("atheris is missing: 'make nightly' installs it (WITH_FUZZER=1 tools/setup.sh)")


@pytest.fixture(scope="module")
def executed() -> Iterator[dict[str, int]]:
    """Executions by target; the sum is printed when the last target is done."""
    counts: dict[str, int] = {}
    yield counts
    print(f"\n{len(counts)} targets, {sum(counts.values()):,} executions in all")


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_a_night_of_inputs_finds_nothing_but_values_and_refusals(
    name: str, tmp_path: Path, executed: dict[str, int]
) -> None:
    runs = share(RUNS[name])
    night = fuzz(name, tmp_path / name, f"-runs={runs}")
    executed[name] = night.executed
    print(f"\n{name:12} {night.executed:>10,} executions, {night.a_second:>7,} a second")
    assert night.code == 0, night.said
    assert night.executed >= runs
    if os.environ.get("WALLFLOWER_KEEP"):
        keep(name, tmp_path / name)


def test_the_shares_of_all_targets_are_ten_million() -> None:
    assert sum(RUNS.values()) >= AT_LEAST


def test_a_fault_planted_in_a_copy_of_a_parser_is_found(tmp_path: Path) -> None:
    """The control: three bytes have to be right at once."""
    night = fuzz("planted", tmp_path / "planted", "-max_total_time=180", "-seed=1")
    assert night.code != 0
    assert "IndexError" in night.said or "0xbe,0xef" in night.said
    (found,) = tmp_path.glob("planted-crash-*")
    data = found.read_bytes()
    assert data[1:4] == b"\x07\xbe\xef"
    print(f"\nfound after {night.executed:,} executions")
