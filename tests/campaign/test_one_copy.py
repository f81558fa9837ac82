"""One set of keys makes one copy count: no other is made old without a word."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.campaign.made import LATER, NOW, Town, image

from wallflower.campaign.verify import Verdict
from wallflower.cli import wallflower
from wallflower.errors import Fault


@pytest.fixture
def signed(town: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    """A town whose folder was signed by the command."""
    assert sign(monkeypatch, town, town.site) is None
    return town


def sign(
    monkeypatch: pytest.MonkeyPatch, town: Town, site: Path, *more: str, now: datetime = NOW
) -> Fault | None:
    """What the command says against it. The files here are of the day of the test."""
    monkeypatch.setattr(import_module("wallflower.cli.sign"), "now", lambda: now)
    keys = ["--keys", str(town.keys.folder.path), "--clock-is-right"]
    done = CliRunner().invoke(wallflower, ["campaign", "sign", str(site), *keys, *more])
    assert done.exception is None or isinstance(done.exception, Fault), done.exception
    return done.exception


def of_channel(town: Town, number: int, site: Path) -> Path:
    """The site as it is built for another channel."""
    if site != town.site:
        shutil.copytree(town.site, site)
    page = site / "index.html"
    number_of = f"&quot;channel&quot;: {number}, &quot;hurry&quot;"
    page.write_text(page.read_text("utf-8").replace("&quot;hurry&quot;", number_of), "utf-8")
    return site


@pytest.mark.parametrize("where", ["site", "other"])
def test_a_copy_of_another_channel_is_not_made_old_unasked(
    signed: Town, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    site = of_channel(signed, 1, signed.place / where)
    before = image(signed.place)
    fault = sign(monkeypatch, signed, site)
    assert fault is not None
    assert "signed a copy of another channel last" in fault.what
    assert "--instead" in fault.next_step
    assert image(signed.place) == before
    assert sign(monkeypatch, signed, site, "--instead") is None
    assert sign(monkeypatch, signed, site) is None


def test_a_copy_in_another_folder_is_not_made_old_unasked(
    signed: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = signed.place / "other"
    shutil.copytree(signed.site, other)
    fault = sign(monkeypatch, signed, other)
    assert fault is not None
    assert "signed a copy in another folder last" in fault.what
    shutil.rmtree(signed.site)
    assert sign(monkeypatch, signed, other) is None


def test_a_new_version_of_the_same_copy_needs_no_word(
    signed: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    (signed.site / "app.js").write_bytes(b"better()\n")
    assert sign(monkeypatch, signed, signed.site) is None
    assert sign(monkeypatch, signed, signed.site, "--freshen") is None
    assert signed.check().verdict is Verdict.GENUINE


def test_a_copy_that_is_old_already_asks_nobody(
    signed: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = of_channel(signed, 1, signed.site)
    late = NOW + timedelta(days=14)
    assert sign(monkeypatch, signed, site, now=late - timedelta(seconds=1)) is not None
    assert sign(monkeypatch, signed, site, now=late) is None


def test_of_two_copies_the_last_one_counts(
    signed: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the command warns of: the other is genuine alone, and older for who saw the last."""
    other = Town(tmp_path / "other")
    shutil.copytree(signed.place, other.place)
    of_channel(signed, 1, signed.site)
    assert sign(monkeypatch, signed, signed.site, "--instead", now=LATER) is None
    seen = tmp_path / "seen"
    assert other.check().verdict is Verdict.GENUINE
    assert signed.check(remember=seen).verdict is Verdict.GENUINE
    assert other.check(remember=seen).rule == "bundle 6.5"
    fault = sign(monkeypatch, signed, other.site, "--freshen", now=LATER)
    assert fault is not None
    assert "signed last" in fault.what
