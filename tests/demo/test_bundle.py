"""What the demo serves: a campaign's signed bundle, and a stranger's own when it is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.authoring.conftest import EXAMPLE_FILMS, change

from wallflower.campaign.edge.authoring import new_campaign, read_campaign
from wallflower.campaign.edge.films import words_of
from wallflower.campaign.edge.verify import check
from wallflower.campaign.edge.verify_metadata import Trust
from wallflower.campaign.edge.verify_places import FolderPlace
from wallflower.campaign.verify import Verdict
from wallflower.cli import wallflower
from wallflower.cli.demo import prepare
from wallflower.cli.film import check_needed
from wallflower.cli.new import make
from wallflower.errors import Fault
from wallflower.lab.demo.pace import DemoPace
from wallflower.lab.demo.town import Town, make_town

LANGUAGES = ("en", "zh-Hans", "fa", "ru", "es")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of one's own, where nothing was encoded yet."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def _town(
    folder: Path,
    campaign: Path | None = None,
    held: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Town:
    """A town that nobody starts."""
    town = make_town(
        folder, DemoPace(6, 0), make,
        lambda place, ports: prepare(place, ports, campaign, held, say),
    )  # fmt: skip
    town.held.close()
    return town


def test_the_demo_serves_the_signed_bundle_of_the_example(tmp_path: Path) -> None:
    town = _town(tmp_path / "town")
    site = town.folder / "mirror" / "site"
    words = words_of(town.folder / "ceremony" / "keys", "en")
    report = check(FolderPlace(site), Trust(words=words), datetime.now(UTC))
    assert report.verdict is Verdict.GENUINE
    page = (site / "index.html").read_text(encoding="utf-8")
    assert all(f'lang="{code}"' in page for code in LANGUAGES)
    assert f"connect-src 'self' {town.url('ingress')} {town.url('organisation')}" in page
    film = (town.folder / "films" / "page" / "film-240.mp4").read_bytes()
    assert b"".join(p.read_bytes() for p in sorted((site / "film").iterdir())) == film


def test_the_demo_serves_a_strangers_campaign_with_the_strangers_keys(tmp_path: Path) -> None:
    campaign, held = tmp_path / "office", tmp_path / "trial"
    new_campaign(campaign)
    change(campaign, "campaign.toml", "Office for Clean Hands", "Bureau Seven")
    change(campaign, "campaign.toml", EXAMPLE_FILMS, "make = []")
    ceremony = ["keys", "ceremony", "--test", str(held)]
    assert CliRunner().invoke(wallflower, ceremony).exit_code == 0
    before = {p: p.read_bytes() for p in held.rglob("*") if p.is_file()}
    town = _town(tmp_path / "town", campaign, held)
    site = town.folder / "mirror" / "site"
    report = check(FolderPlace(site), Trust(words=words_of(held / "keys", "en")), datetime.now(UTC))
    assert report.verdict is Verdict.GENUINE
    assert "Bureau Seven" in (site / "index.html").read_text(encoding="utf-8")
    pins = (held / "keys" / "pins.json").read_bytes()
    assert (town.folder / "mix-a" / "pins.json").read_bytes() == pins
    for role in ("organisation", "mix-a", "mix-b"):
        own = (held / role / "record.key").read_bytes()
        assert (town.folder / role / "record.key").read_bytes() == own
    assert {p: p.read_bytes() for p in held.rglob("*") if p.is_file()} == before
    assert read_campaign(campaign).ways == ("https://hum.clean-hands.example/",)
    shutil.rmtree(held / "mix-b")
    with pytest.raises(Fault, match=r"holds no mix-b/record\.key"):
        _town(tmp_path / "again", campaign, held)


def test_where_no_film_can_be_made_the_demo_of_the_example_runs_without_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_needed, "__defaults__", (("nobody_has_this",),))
    said: list[str] = []
    town = _town(tmp_path / "town", say=said.append)
    assert len(said) == 1 and "no film here" in said[0] and "requirements/film.txt" in said[0]
    assert list((town.folder / "mirror" / "site" / "film").iterdir()) == []
    campaign = tmp_path / "office"
    new_campaign(campaign)
    with pytest.raises(Fault, match="not installed"):
        _town(tmp_path / "own", campaign)
