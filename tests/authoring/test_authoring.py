"""A campaign's folder: what is missing is named, nothing is shown in English instead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.authoring.conftest import PINS, change
from tests.campaign.made import image

from wallflower.campaign.authoring import (
    mark_translated,
    new_campaign,
    read_campaign,
    require_keys,
)
from wallflower.cli import wallflower
from wallflower.errors import Fault


def test_the_example_is_whole_and_says_that_nobody_reviewed_it(folder: Path) -> None:
    authored = read_campaign(folder)
    assert authored.unreviewed() == ("en", "zh-Hans", "fa", "ru", "es")
    assert authored.outdated() == {}
    assert require_keys(folder / "pins.json") == PINS


def test_a_folder_that_is_not_empty_is_never_touched(folder: Path) -> None:
    before = image(folder)
    with pytest.raises(Fault, match="not empty"):
        new_campaign(folder)
    assert image(folder) == before


def test_a_language_without_a_text_stops_everything_and_is_named(folder: Path) -> None:
    (folder / "ru.md").unlink()
    (folder / "fa.md").unlink()
    out = folder.parent / "out"
    command = ["campaign", "build", str(folder), "--out", str(out), "--without-cards"]
    done = CliRunner().invoke(wallflower, command)
    assert isinstance(done.exception, Fault)
    assert "no text in fa, ru" in str(done.exception)
    assert not out.exists()


def test_a_changed_source_makes_all_translations_outdated_until_they_are_marked(
    folder: Path,
) -> None:
    change(folder, "en.md", "A letter can be lost.", "Letters can be lost.")
    authored = read_campaign(folder)
    assert authored.outdated() == {
        code: ["What nobody can promise"] for code in ("zh-Hans", "fa", "ru", "es")
    }
    mark_translated(authored, "ru")
    assert set(read_campaign(folder).outdated()) == {"zh-Hans", "fa", "es"}
    with pytest.raises(Fault, match="no translation"):
        mark_translated(authored, "en")


def test_without_keys_there_is_no_bundle(folder: Path) -> None:
    (folder / "pins.json").unlink()
    command = ["campaign", "build", str(folder), "--out", str(folder.parent / "out")]
    done = CliRunner().invoke(wallflower, [*command, "--without-cards"])
    assert isinstance(done.exception, Fault)
    assert "no keys" in str(done.exception)
    assert not (folder.parent / "out").exists()
    (folder / "pins.json").write_bytes(b"{}")
    with pytest.raises(Fault, match="damaged"):
        require_keys(folder / "pins.json")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('organisation = "Office for Clean Hands"', "organisation = 3", "'organisation'"),
        ('["en", "zh-Hans", "fa", "ru", "es"]', '["en", "en"]', "'languages'"),
        ('["en", "zh-Hans", "fa", "ru", "es"]', '["../en"]', "'languages'"),
        ("mirrors = []", "mirrors = [3]", "'mirrors'"),
        ("main = 0", "main = 0\nother = 0", "'channels'"),
        ("main = 0", "main = 255", "'channels'"),
        ('page = "film.mp4"', 'page = "../film.mp4"', "no file of its folder"),
        ('page = "film.mp4"', 'page = "other.mp4"', "no file of its folder"),
        ("more = []", 'make = ["film/../../film.mp4"]', "no file of its folder"),
        ("more = []", 'make = ["film/en.toml", "en.md"]', "two films of one name"),
        ('place = "x.handle"', 'where = "x.handle"', "'published'"),
        ("[film]", "[film", "not TOML"),
    ],
)
def test_a_wrong_line_is_named(folder: Path, old: str, new: str, said: str) -> None:
    change(folder, "campaign.toml", old, new)
    (folder.parent / "film.mp4").write_bytes(b"film")
    with pytest.raises(Fault, match=re.escape(said)):
        read_campaign(folder)


def test_a_missing_campaign_file_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="campaign new"):
        read_campaign(tmp_path)
