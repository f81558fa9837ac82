"""The model of the town: nothing acknowledged is lost, nothing comes twice, whatever dies when.

SPIN tries every interleaving within the bounds of a row; the real code goes the same ways in
tests/lab/test_machine.py.
"""

from __future__ import annotations

import importlib
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.models.spin import MODEL, Search, search

NAMED = re.compile(r"src/(wallflower/[\w/]+)\.py:([\w.]+)")
# A fault, the smallest bounds that show it, and the assertion that it breaks.
FAULTS = {
    "ACK_EARLY_INGRESS": ("HUMS=1 RESENDS=0", "((kept>>"),
    "ACK_EARLY_A": ("HUMS=1 RESENDS=0", "((kept>>"),
    "ACK_EARLY_B": ("HUMS=1 RESENDS=0", "((kept>>"),
    "ACK_EARLY_DESK": ("HUMS=1 RESENDS=0", "((kept>>"),
    "FORGET_SEEN": ("HUMS=1 RESENDS=2", "forwarded"),
    "FORGET_TAKEN": ("HUMS=2 RESENDS=0", "released"),
    "RELEASE_TWICE_A": ("HUMS=1 RESENDS=0", "forwarded"),
    "RELEASE_TWICE_B": ("HUMS=1 RESENDS=0", "released"),
    "NUMBER_APART": ("HUMS=2 APART RESENDS=0", "drop_last"),
    "POOL_KEY_FIRST": ("HUMS=1 RESENDS=0", "((kept>>"),
    "HOP_KEY_EARLY": ("HUMS=1 RESENDS=0", "((kept>>"),
    "HOP_KEYS_STAY": ("HUMS=1 RESENDS=1", "(day<(record"),
    "LATE_HUM": ("HUMS=1 RESENDS=0", "((kept>>"),
}


def _defines(bounds: str) -> list[str]:
    return bounds.split()


def _sound(found: Search) -> None:
    print(f"\n{found}")
    assert found.complete
    assert (found.errors, found.violated) == (0, "")
    assert found.unreached == [], "a transition that is never taken shows nothing"


def test_every_interleaving_with_a_crash_and_a_replay_keeps_what_is_promised(
    tmp_path: Path,
) -> None:
    """Two tabs with one letter, then two letters."""
    bounds = ["HUMS=2 RESENDS=1 CRASHES=1", "HUMS=2 APART RESENDS=0 CRASHES=1"]
    with ThreadPoolExecutor(2) as both:
        runs = [
            both.submit(search, tmp_path / str(n), *_defines(b), optimise="-O1")
            for n, b in enumerate(bounds)
        ]
    for run in runs:
        _sound(run.result())


def test_every_promised_letter_arrives_under_fair_scheduling(tmp_path: Path) -> None:
    found = search(tmp_path / "ltl", "HUMS=2", "RESENDS=0", "CRASHES=1", liveness="arrives")
    print(f"\n{found}")
    assert found.complete
    assert found.errors == 0


def test_every_planted_fault_is_found_by_the_assertion_that_it_breaks(tmp_path: Path) -> None:
    def run(fault: str) -> Search:
        bounds, _ = FAULTS[fault]
        return search(tmp_path / fault, *_defines(bounds), "CRASHES=1", fault)

    with ThreadPoolExecutor(2) as both:
        found = dict(zip(FAULTS, both.map(run, FAULTS), strict=True))
    for fault, (_, broken) in FAULTS.items():
        print(f"\n{fault:18} {found[fault]}", end="")
        assert found[fault].errors == 1, fault
        assert broken in found[fault].violated, fault


def test_every_fault_of_the_model_is_planted_here() -> None:
    text = MODEL.read_text("utf-8")
    known = {"HUMS", "RESENDS", "CRASHES", "APART"}
    assert set(re.findall(r"#if(?:n?def) (\w+)", text)) - known == set(FAULTS)


def test_every_transition_names_the_function_that_does_it() -> None:
    named, planted = False, 0
    for line in MODEL.read_text("utf-8").splitlines():
        if line.startswith(("#ifdef", "#else", "#endif")):
            planted = {"#ifdef": 1, "#else": 0, "#endif": 0}[line.split()[0]]
        elif NAMED.search(line) and not line.startswith("  ::"):
            named = True
        elif re.match(r"  :: (d_step|atomic)", line) and not planted and "CRASH(" not in line:
            assert named, line
            named = False


@pytest.mark.parametrize(
    ("module", "name"), sorted(set(NAMED.findall(MODEL.read_text("utf-8")))), ids=str
)
def test_every_function_that_the_model_names_exists(module: str, name: str) -> None:
    found: object = importlib.import_module(module.replace("/", "."))
    for part in name.split("."):
        found = getattr(found, part)
    assert callable(found)


@pytest.mark.nightly
@pytest.mark.parametrize(
    "bounds",
    [
        "HUMS=2 RESENDS=2 CRASHES=2",
        "HUMS=2 RESENDS=1 CRASHES=3",
        "HUMS=2 APART RESENDS=1 CRASHES=2",
        "HUMS=3 RESENDS=0 CRASHES=2",
        "HUMS=3 RESENDS=1 CRASHES=1",
    ],
)
def test_larger_bounds_change_nothing(bounds: str, tmp_path: Path) -> None:
    print(f"\n{bounds}", end="")
    _sound(search(tmp_path / "larger", *_defines(bounds), optimise="-O2"))
