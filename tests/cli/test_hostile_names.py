"""A file came with a name that drives a terminal: it shows whatever its sender likes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from wallflower.cli import wallflower

DRIVES = "film\x1b]0;window\x07\x1b[2JGENUINE\x9b1m.mp4"


def test_a_fault_that_names_such_a_file_moves_no_terminal(tmp_path: Path) -> None:
    (tmp_path / DRIVES).write_bytes(b"film")
    console = Path(sys.executable).with_name("wallflower")
    # To a file click leaves out colours; the bytes that a terminal would get are asked for.
    done = subprocess.run(
        [sys.executable, "-c", _AS_A_TERMINAL, console, "verify", DRIVES], cwd=tmp_path,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    said = done.stderr.decode()
    assert "carries no papers" in said
    assert "GENUINE" in said
    assert not [c for c in said if ord(c) < 0xA0 and not c.isprintable() and c != "\n"]


_AS_A_TERMINAL = """
import sys, click
click.echo = lambda text="", err=False, **_: print(text, file=sys.stderr if err else sys.stdout)
sys.argv = sys.argv[1:]
from wallflower.cli import main
main()
"""


def test_a_campaign_that_somebody_sent_moves_no_terminal_when_it_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = CliRunner()
    assert runner.invoke(wallflower, ["campaign", "new", str(tmp_path / "office")]).exit_code == 0
    settings = tmp_path / "office" / "campaign.toml"
    text = settings.read_text("utf-8")
    settings.write_text(text.replace('"@clean', '"@\\u001b[2Jclean'), "utf-8")
    done = runner.invoke(wallflower, ["campaign", "lint", str(tmp_path / "office")], color=True)
    assert "truncation: " in done.output
    assert "\x1b" not in done.output
