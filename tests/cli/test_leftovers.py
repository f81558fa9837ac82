"""A demo that was killed leaves its folder, and the next one removes it, and nothing else; a check
or preview that is stopped leaves nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cli.test_stopped_half import is_killed

from wallflower.campaign.edge.authoring import new_campaign
from wallflower.cli import campaign, wallflower
from wallflower.cli.leftovers import clear, ending_in_order, hold, scratch


def left(place: Path, name: str = "wallflower-demo-x") -> Path:
    """What a killed demo leaves: the system lets go of its lock."""
    folder = place / name
    (folder / "mix-a").mkdir(parents=True)
    (folder / "mix-a" / "record.key").write_bytes(b"secret")
    os.close(hold(folder))
    return folder


def test_the_folder_of_a_killed_demo_goes_with_the_next_and_that_of_a_running_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gone = left(tmp_path)
    with scratch() as one:
        assert not gone.exists()
        with scratch() as other:
            assert {p.name for p in tmp_path.iterdir()} == {one.name, other.name}
        assert list(tmp_path.iterdir()) == [one]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_our_lock_stays(tmp_path: Path) -> None:
    for name in ("wallflower-demo", "other-demo-x"):
        left(tmp_path, name)
    (left(tmp_path, "wallflower-demo-unlocked") / "demo.lock").unlink()
    linked = left(tmp_path, "wallflower-demo-linked") / "demo.lock"
    linked.rename(tmp_path / "lock")
    linked.symlink_to(tmp_path / "lock")
    piped = left(tmp_path, "wallflower-demo-piped") / "demo.lock"
    piped.unlink()
    os.mkfifo(piped)
    before = sorted(tmp_path.rglob("*"))
    clear(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_bytes(b"mine")
    real = left(tmp_path, "elsewhere")
    (tmp_path / "wallflower-demo-link").symlink_to(real)
    (left(tmp_path) / "mine").symlink_to(tmp_path / "mine")
    clear(tmp_path)
    assert (real / "mix-a" / "record.key").exists()
    assert (tmp_path / "mine" / "letter").read_bytes() == b"mine"
    assert not (tmp_path / "wallflower-demo-x").exists()


def test_a_folder_of_another_user_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = left(tmp_path)
    with monkeypatch.context() as somebody:
        somebody.setattr(os, "getuid", lambda: os.geteuid() + 1)
        clear(tmp_path)
    assert folder.exists()


@pytest.fixture
def no_nohup() -> Iterator[None]:
    """No signal is ignored, as nohup has tests ignore SIGHUP: what they start would do so too."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def test_a_terminal_that_is_closed_does_not_end_what_nohup_began(no_nohup: None) -> None:
    signals = signal.SIGTERM, signal.SIGHUP
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    before = [signal.getsignal(each) for each in signals]
    with ending_in_order():
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) not in before, "the control"
    assert [signal.getsignal(each) for each in signals] == before


@pytest.mark.usefixtures("no_nohup")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_check_that_is_stopped_leaves_nothing_and_no_verdict(
    tmp_path: Path, stop: signal.Signals
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with subprocess.Popen(
            [sys.executable, "-m", "wallflower", "verify", address],
            env={**os.environ, "TMPDIR": str(tmp_path)}, stderr=subprocess.PIPE,
        ) as check:  # fmt: skip
            asked, _ = silent.accept()
            with asked:
                assert any(tmp_path.iterdir()), "it has a folder"
                check.send_signal(stop)
                _, said = check.communicate(timeout=60)
    assert (check.returncode, list(tmp_path.iterdir())) == (2, [])
    assert said == b"The check was stopped before its end. Type it again.\n"


@pytest.mark.usefixtures("no_nohup")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_preview_that_is_stopped_while_it_builds_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: signal.Signals
) -> None:
    new_campaign(tmp_path / "office")
    (tmp_path / "tmp").mkdir()
    seen = tmp_path / "seen"

    def film(_: object, scratch: Path) -> None:
        seen.write_text(str(scratch))
        os.kill(os.getpid(), stop)

    def work() -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
        monkeypatch.setattr(campaign, "preview_film", lambda: film)
        CliRunner().invoke(wallflower, ["campaign", "preview", str(tmp_path / "office")])

    assert not is_killed(work)
    assert seen.read_text().startswith(str(tmp_path / "tmp")), "the control"
    assert list((tmp_path / "tmp").iterdir()) == []
