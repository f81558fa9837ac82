"""The doctor finds, before the start, what would otherwise fail at a source's visit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from wallflower.cli import wallflower
from wallflower.cli.acts import make_pins
from wallflower.cli.checks import Level, examine, judge_status
from wallflower.cli.new import make
from wallflower.host.settings import load_settings

Break = Callable[[Path], object]


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Organisation, A and B with exchanged pins and tokens."""
    for role in ("organisation", "mix-a", "mix-b"):
        make(role, tmp_path / role)
    pins = make_pins(
        tmp_path / "organisation", tmp_path / "mix-a" / "record.pub",
        tmp_path / "mix-b" / "record.pub", "Office",
    )  # fmt: skip
    for role in ("organisation", "mix-a", "mix-b"):
        (tmp_path / role / "pins.json").write_bytes(pins.encode())
    for source, target in (
        ("mix-a/next.token", "mix-b/source.token"), ("organisation/b.token", "mix-b/board.token"),
        ("mix-b/next.token", "mix-a/source.token"),
    ):  # fmt: skip
        shutil.copy(tmp_path / source, tmp_path / target)
    return tmp_path


def failures(folder: Path, role: str) -> list[str]:
    """What is red for a role."""
    settings = load_settings(folder / role / f"{role}.toml")
    return [f.what for f in examine(settings) if f.level is Level.FAIL]


@pytest.mark.parametrize("role", ["organisation", "mix-a", "mix-b"])
def test_a_folder_that_is_whole_has_nothing_red(folders: Path, role: str) -> None:
    assert failures(folders, role) == []


def _edit(name: str, old: str, new: str) -> Break:
    def act(folder: Path) -> None:
        path = folder / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    return act


@pytest.mark.parametrize(("role", "act", "said"), [
    ("mix-a", lambda f: (f / "mix-a/source.token").unlink(), "source.token is missing"),
    ("mix-a", lambda f: (f / "mix-a/record.key").chmod(0o644), "can be read by others"),
    ("mix-a", lambda f: (f / "mix-a/record.key").write_bytes(bytes(32)), "another record key"),
    ("mix-b", lambda f: (f / "mix-b/record.key").write_bytes(b"short"), "is no key"),
    ("mix-b", lambda f: (f / "mix-b/pins.json").write_text("{}"), "pins file is damaged"),
    ("organisation", _edit("organisation/organisation.toml", "tick = 600", "tick = 0"), "bounds"),
    ("organisation", _edit("organisation/organisation.toml", "http://127.0.0.1:7600/",
                           "http://ingress.example/"), "plain http"),
])  # fmt: skip
def test_what_would_fail_later_is_red_now(folders: Path, role: str, act: Break, said: str) -> None:
    act(folders)
    found = failures(folders, role)
    assert len(found) == 1
    assert said in found[0]


def test_the_command_ends_red_and_names_no_key(folders: Path) -> None:
    key = (folders / "mix-a" / "record.key").read_bytes().hex()
    (folders / "mix-a" / "source.token").unlink()
    done = CliRunner().invoke(
        wallflower, ["doctor", str(folders / "mix-a" / "mix-a.toml"), "--json"]
    )
    assert done.exit_code == 1
    assert {f["level"] for f in json.loads(done.stdout)["findings"]} >= {"FAIL"}
    assert key not in done.output


@pytest.mark.parametrize(("role", "status", "said"), [
    ("mix-a", {"alarms": [{"name": "x", "what": "the tick is late", "next_step": "Look."}]},
     "the tick is late"),
    ("desk", {"locked": 1}, "the desk is locked"),
    ("desk", {"alarms": 2}, "the desk shows 2 alarms"),
])  # fmt: skip
def test_what_a_running_role_tells_is_judged(
    role: str, status: dict[str, object], said: str
) -> None:
    findings = judge_status(role, status)
    assert [f.level for f in findings] == [Level.WARN]
    assert said in findings[0].what


@pytest.mark.parametrize(("role", "status"), [("mix-a", {"alarms": []}), ("desk", {"letters": 3})])
def test_a_role_without_an_alarm_is_ok(role: str, status: dict[str, object]) -> None:
    assert [f.level for f in judge_status(role, status)] == [Level.OK]


def test_the_status_of_a_role_that_does_not_run_is_a_fault(folders: Path) -> None:
    done = CliRunner().invoke(wallflower, ["status", str(folders / "mix-a" / "mix-a.toml")])
    assert done.exit_code == 1
    assert "does not answer" in str(done.exception)
