"""A night goes on: no part's failure, and no part that hangs, hides the others."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def nightly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module that writes elsewhere."""
    found = importlib.util.spec_from_file_location("nightly", ROOT / "tools" / "nightly.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    monkeypatch.setitem(sys.modules, "nightly", module)
    found.loader.exec_module(module)
    monkeypatch.setattr(module, "OUT", tmp_path / "out")
    monkeypatch.setattr(sys, "argv", ["nightly.py"])
    return module


def part(nightly: ModuleType, name: str, script: str, limit: float = 1) -> Any:
    return nightly.Part(name, 1, limit, ("sh", "-c", script), options=(), short=())


def test_a_part_that_fails_or_hangs_does_not_hide_the_others(
    nightly: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = 'trap "" TERM; sleep 300 & echo child $!; while :; do sleep 1; done'
    monkeypatch.setattr(nightly, "_GRACE_S", 0.2)
    monkeypatch.setattr(nightly, "PARTS", (
        part(nightly, "red", "echo one; exit 3"), part(nightly, "late", hangs, 0.01),
        part(nightly, "green", "echo two"),
    ))  # fmt: skip
    assert nightly.main() == 1
    files = {p.name.split("-")[-1]: p.read_text() for p in nightly.OUT.iterdir()}
    assert files["red.txt"].endswith("one\n")
    assert files["green.txt"].endswith("two\n")
    assert "Out of time" in files["late.txt"]
    (table,) = [text for name, text in files.items() if name[0].isdigit()]
    said = [" ".join(row.split()[3:-2]) for row in table.splitlines()]
    assert said == ["red FAILED (3)", "late OUT OF TIME", "green passed"]
    child = files["late.txt"].split("child ")[1].split()[0]
    stat = Path(f"/proc/{child}/stat")
    assert not stat.exists() or ") Z " in stat.read_text(), "what it started has ended too"


def test_a_part_that_says_nothing_more_and_does_not_end_is_ended(
    nightly: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "_GRACE_S", 0.2)
    silent = part(nightly, "silent", "echo ж; exec >&- 2>&-; sleep 300", 0.01)
    monkeypatch.setattr(nightly, "PARTS", (silent,))
    assert nightly.main() == 1
    (said,) = [p.read_text("utf-8") for p in nightly.OUT.glob("*-silent.txt")]
    assert "ж" in said
    assert "Out of time" in said


def test_every_nightly_test_is_in_one_part_and_every_path_exists(nightly: ModuleType) -> None:
    for path in nightly.named():
        assert (ROOT / path).exists(), path
    assert nightly.PARTS[-1].paths == ("tests",)
    for each in nightly.PARTS:
        if each.command[0] == "pytest":
            line = each.line(False)
            within = {p for p in nightly.named() for own in each.paths if p.startswith(f"{own}/")}
            assert {a.removeprefix("--ignore=") for a in line if "--ignore" in a} == within
            assert "nightly" in line
