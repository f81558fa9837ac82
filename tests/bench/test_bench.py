"""The bench: its figures follow from what was measured, and what makes a mix slow lowers them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bench.parts import FIGURES, MORE, Part, figures, table, total
from bench.place import open_place
from bench.receivers import nginx_path

from bench import mixing, people, raw

ROOT = Path(__file__).parents[2]
OTHERS = {
    name: 1
    for name in (
        "rss_mb", "noscript_bytes", "script_bytes", "instructions_bytes", "rss_loaded_mb",
        "received", "load_1min",
    )
}  # fmt: skip
SERVERS = {
    "raw alone": Part(100, 0.9, 0.9), "raw by two": Part(100, 0.6, 1.0),
    "ingress": Part(20_000, 2.0, 1.2), "nginx": Part(80_000, 2.0, 0.4),
    **{f"{hop} alone": Part(100, 1.0, 1.0) for hop in "ab"}, "a by two": Part(100, 0.5, 0.2),
    "b by two": Part(100, 0.8, 0.1), **{f"{hop} workers": Part(100, 1.0, 1.1) for hop in "ab"},
}  # fmt: skip
HUMS = 24


async def test_every_figure_follows_from_what_was_measured_and_a_slow_step_lowers_the_ratio(
    tmp_path: Path,
) -> None:
    parts = await mixing.measure(tmp_path / "quick", HUMS, 1)
    place = await open_place(tmp_path / "people", in_memory=True)
    parts |= people.waits(place, 1)
    place.town.close()
    said = figures({**parts, **SERVERS}, OTHERS)
    assert list(said) == [*FIGURES, *MORE]
    raw, a, b = (parts[name].cpu_us for name in ("hpke", "a memory", "b memory"))
    assert said["mix_ratio"] == pytest.approx(2 * raw / (a + b), abs=1e-3)
    assert said["mix_a_ratio"] == pytest.approx(raw / a, abs=1e-3)
    assert said["ingress_ratio"] == 0.25
    assert said["two_process_speedup"] == 1.25
    assert said["two_process_raw_speedup"] == 1.5
    assert (said["speedup_a"], said["ingress_cpu_us"]) == (2.0, 60.0)
    assert said["speedup_by_cpu_a"] == pytest.approx(1.0 / 0.65, abs=1e-3)
    assert all(name in table(parts, said) for name in (*parts, *said))
    # The control: half a millisecond a hum at each page of each mix.
    planted = mixing.slow_step(0.0005 * HUMS)
    slow = figures({**parts, **await mixing.measure(tmp_path / "s", HUMS, 1, planted), **SERVERS},
                   OTHERS)  # fmt: skip
    for name in ("mix_ratio", "mix_ratio_durable", "mix_a_ratio", "mix_b_ratio"):
        before, after = said[name], slow[name]
        assert isinstance(before, float)
        assert isinstance(after, float)
        assert after < 0.6 * before, name


def test_raw_openings_by_two_processes_are_all_made() -> None:
    parts = raw.by_two(40, 2)
    assert {part.count for part in parts.values()} == {40}
    # 10 microseconds are less than any processor needs; the CPU is that of the processes.
    assert all(part.cpu_us > 10 and part.wall_s > 0.0002 for part in parts.values())


def test_runs_are_added_up_and_not_averaged() -> None:
    assert total([Part(1, 1.0, 0.5), Part(3, 1.0, 0.1)]) == Part(4, 2.0, 0.6)


@pytest.mark.nightly
@pytest.mark.skipif(nginx_path() is None, reason="no nginx: WITH_BENCH=1 sh tools/setup.sh")
def test_the_quick_bench_runs_to_its_last_line() -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick"], cwd=ROOT, capture_output=True, text=True,
        check=True, timeout=300,
    )  # fmt: skip
    said = json.loads(done.stdout.splitlines()[-1])
    assert list(said) == [*FIGURES, *MORE]
    assert set(said["rss_mb"]) == {"organisation", "ingress", "mix-a", "mix-b", "desk", "mirror"}
    assert all(0 < size <= 150 for size in said["rss_mb"].values())
    assert said["received"]["ingress_bytes"] > 0
    assert said["instructions_bytes"] <= 12_000
    print(f"{time.monotonic() - began:.0f} s")
