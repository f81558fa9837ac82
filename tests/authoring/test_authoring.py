"""A campaign's folder: what is missing is named, nothing is shown in English instead."""

from __future__ import annotations

import importlib
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.authoring.conftest import PINS, change
from tests.campaign.made import LABELS, Folders, image, seeded

from wallflower.campaign.authoring import mark_translated, new_campaign, read_campaign
from wallflower.campaign.edge.ceremony import hold_ceremony
from wallflower.campaign.edge.ceremony_keys import Keys, require_pins
from wallflower.cli import wallflower
from wallflower.errors import Fault


def test_the_example_is_whole_and_says_that_nobody_reviewed_it(folder: Path) -> None:
    authored = read_campaign(folder)
    assert authored.unreviewed() == ("en", "zh-Hans", "fa", "ru", "es")
    assert authored.outdated() == {}


def test_a_folder_that_is_not_empty_is_never_touched(folder: Path) -> None:
    before = image(folder)
    with pytest.raises(Fault, match="not empty"):
        new_campaign(folder)
    assert image(folder) == before


def _build(folder: Path, *arguments: str) -> Result:
    out = folder.parent / "out"
    command = [
        "campaign",
        "build",
        str(folder),
        "--out",
        str(out),
        "--without-films",
        "--without-cards",
    ]
    done = CliRunner().invoke(wallflower, [*command, *arguments])
    if done.exception is not None:
        assert isinstance(done.exception, Fault), done.output
        assert not out.exists(), "something was built all the same"
    return done


def test_a_language_without_a_text_stops_everything_and_is_named(folder: Path) -> None:
    (folder / "ru.md").unlink()
    (folder / "fa.md").unlink()
    assert "no text in fa, ru" in str(_build(folder).exception)


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


def _ceremony(place: Path, signing: tuple[str, ...] = LABELS) -> str:
    """The folder of keys of a ceremony, which too few media leave unfinished."""
    keys = place / "keys"
    with suppress(StopIteration):
        asked = Folders(place, signing=signing)
        hold_ceremony(Keys(keys), asked, datetime.now(UTC), seeded(place.name))
    return str(keys)


def test_without_keys_there_is_no_bundle(folder: Path) -> None:
    (folder / "pins.json").unlink()
    keys = folder.parent / "keys"
    for how in (("--keys", str(keys)), ("--pins", str(keys / "pins.json"))):
        done = _build(folder, *how)
        assert "There are no keys yet" in str(done.exception)
        assert str(done.exception).endswith(f"Type: wallflower keys ceremony {keys}")
        assert not keys.exists()
    (folder / "pins.json").write_bytes(b"{}")
    assert "damaged" in str(_build(folder, "--keys", str(keys)).exception)


def test_in_the_middle_of_a_ceremony_nothing_is_built(folder: Path) -> None:
    (folder / "pins.json").unlink()
    keys = _ceremony(folder.parent, signing=("1",))
    for how in (("--keys", keys), ("--pins", f"{keys}/pins.json")):
        done = _build(folder, *how)
        assert "has not ended" in str(done.exception)
        assert str(done.exception).endswith(f"Type: wallflower keys ceremony {keys}")
    assert _ceremony(folder.parent, signing=("2",)) == keys
    assert _build(folder, "--keys", keys).exit_code == 0


def test_pins_of_another_ceremony_are_not_built_in(folder: Path) -> None:
    keys = _ceremony(folder.parent)
    done = _build(folder, "--keys", keys)
    assert "of another ceremony" in str(done.exception)
    assert str(done.exception).endswith(f"cp {keys}/pins.json {folder}/pins.json")
    (folder / "pins.json").write_bytes((Path(keys) / "pins.json").read_bytes())
    assert _build(folder, "--keys", keys).exit_code == 0


def test_pins_without_a_folder_of_keys_are_for_those_who_build_again(folder: Path) -> None:
    own = folder / "pins.json"
    assert require_pins(folder.parent / "keys", own) == PINS
    assert require_pins(folder.parent / "keys", folder / "none", own) == PINS


@pytest.mark.parametrize(
    ("days", "said"),
    [(0, []), (310, ["targets ends soon"]), (400, ["targets ended"]),
     (735, ["root ended", "targets ended"])],
)  # fmt: skip
def test_a_build_says_which_offline_signatures_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch, days: int, said: list[str]
) -> None:
    keys = _ceremony(folder.parent)
    (folder / "pins.json").unlink()
    moment = datetime.now(UTC) + timedelta(days=days)
    monkeypatch.setattr(importlib.import_module("wallflower.cli.keys"), "now", lambda: moment)
    done = _build(folder, "--keys", keys)
    lines = [line for line in done.stderr.splitlines() if line.startswith("The signature of")]
    assert [line.partition(", on")[0].removeprefix("The signature of ") for line in lines] == said
    assert all(line.endswith(f"type: wallflower keys renew {keys}") for line in lines)


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
