"""The handbook's way from nothing to a demo of one's own campaign (docs/handbook/try.md): short,
and typed by a test, in a minute as it stands and in seconds with one language and one card.
"""

from __future__ import annotations

import json
import re
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.authoring.conftest import EXAMPLE_FILMS
from tests.campaign.film_made import has_fonts

from wallflower.cli import wallflower

PAGE = (Path(__file__).parents[2] / "docs" / "handbook" / "try.md").read_text("utf-8")
MOST_COMMANDS, MOST_WORDS, MOST_S = 12, 900, 180
PLACEHOLDER = "the eight words of the film"
needs_fonts = pytest.mark.skipif(
    not has_fonts(), reason="fonts-noto-core or fonts-noto-cjk missing"
)


def _lines() -> list[str]:
    (block,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.M | re.S)
    lines: list[str] = block.splitlines()
    return lines


def test_the_way_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    commands, words = len(_lines()), len(PAGE.split())
    with capsys.disabled():
        print(f"\ntry.md: {commands} commands of {MOST_COMMANDS}, {words} words of {MOST_WORDS}")
    assert commands <= MOST_COMMANDS
    assert words <= MOST_WORDS
    order = ["campaign new", "keys ceremony --test", "campaign build", "campaign sign", "verify"]
    at = [next(n for n, line in enumerate(_lines()) if f"wallflower {one}" in line)
          for one in (*order, "demo --campaign")]  # fmt: skip
    assert at == sorted(at)


def _words(said: str) -> str:
    (words,) = re.findall(r"^The eight words \(en\): (.+)$", said, re.M)
    return str(words)


@needs_fonts
def test_the_way_leads_to_a_genuine_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the demo, which tests/demo runs, with one language and one card."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    words, said = PLACEHOLDER, ""
    for line in _lines()[:-1]:
        done = CliRunner().invoke(wallflower, shlex.split(line.replace(PLACEHOLDER, words))[1:])
        assert done.exit_code == 0, f"{line}: {done.output} {done.exception}"
        if "campaign new" in line:
            _shorten(tmp_path / "office")
        if "ceremony" in line:
            words = _words(done.output)
        said = done.output
    assert said.startswith("GENUINE")
    script = tmp_path / "bundle" / "site" / "app.js"  # as step 6 says
    script.write_bytes(script.read_bytes()[:-1] + b" ")
    verify = shlex.split(_lines()[-2].replace(PLACEHOLDER, words))[1:]
    assert CliRunner().invoke(wallflower, verify).exit_code == 1


def _shorten(folder: Path) -> None:
    toml = folder / "campaign.toml"
    text = toml.read_text("utf-8")
    text = re.sub(r"^languages = .*$", 'languages = ["en"]', text, flags=re.M)
    toml.write_text(text.replace(EXAMPLE_FILMS, 'make = ["film/en.toml"]'), "utf-8")
    board = 'language = "en"\n[[card]]\ntitle = "One"\nseconds = 1\n[closing]\nseconds = 1\n'
    (folder / "film" / "en.toml").write_text(board, "utf-8")


@pytest.mark.nightly
@pytest.mark.browser
@needs_fonts
def test_the_whole_way_as_it_stands_ends_in_the_demo(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, said = PLACEHOLDER, ""
    console = Path(sys.executable).with_name("wallflower")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for line in _lines():
        typed = shlex.split(line.replace(PLACEHOLDER, words))[1:]
        typed += ["--once", "--json", "--browser"] if typed[0] == "demo" else []
        done = subprocess.run(
            [console, *typed], cwd=tmp_path, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        if "ceremony" in line:
            words = _words(done.stdout)
        said = done.stdout
    result = json.loads(said)
    assert result["letter_delivered"] and result["reply_read"] and result["receipt_verified"]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    with capsys.disabled():
        print(f"\ntry.md as it stands: {spent:.0f} s of processor time of {MOST_S}")
    assert spent < MOST_S
