"""A campaign's folder: what is missing is named, nothing is shown in English instead."""

from __future__ import annotations

import errno
import importlib
import os
import re
import stat
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.authoring.conftest import PINS, change
from tests.campaign.made import LABELS, Folders, image, seeded

from wallflower.campaign.edge.authoring import mark_translated, new_campaign, read_campaign
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


def test_a_build_for_another_address_says_which_copies_it_makes_older(folder: Path) -> None:
    own = "https://clean-hands.example/"
    others = {own: 0, own.rstrip("/"): 0, "https://b.example": 1}
    for more, said in (((), 0), *((("--address", other), n) for other, n in others.items())):
        done = _build(folder, *more)
        assert done.stderr.count("One build counts at a time") == said


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


def test_a_slip_in_the_name_of_the_pins_says_nothing_of_a_ceremony(folder: Path) -> None:
    """It was held, and nobody is to begin another one for this."""
    done = _build(folder, "--pins", f"{_ceremony(folder.parent)}/pin.json")
    assert isinstance(done.exception, Fault)
    assert "no file pin.json" in done.exception.what
    assert done.exception.next_step == "Give the pins.json of the ceremony."


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
        ("more = []", 'more = ["film.mp4", "film/../film.mp4"]', "hands out two films of one"),
        ('place = "x.handle"', 'where = "x.handle"', "'published'"),
        ("[film]", "[film", "not TOML"),
        ("[film]", "x = " + "[" * 5000 + "\n[film]", "fewer brackets"),
        ("mirrors = []", 'mirors = ["https://one.example"]', "'mirors' means nothing"),
        ('page = "film.mp4"', 'pages = "film.mp4"', "[film]: 'pages' means nothing"),
        ('place = "x.handle"', 'place = "x.handle"\nlimit = 3', "'limit' means nothing"),
        ("[film]", "[films]", "'films' means nothing"),
        ('[channels]\nmain = 0', "channels = {}", "'channels'"),
        ("main = 0", "main = true", "'channels'"),
        ("mirrors = []", 'mirrors = ["one.example", "http://[::1/"]', "'mirrors' holds"),
        ("mirrors = []", 'mirrors = ["https://one.example:port"]', "'mirrors' holds"),
        ("hurry = true", 'hurry = "false"', "neither true nor false"),
        ('address = "https://clean-hands.example/"', "address = 5", "'address'"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named(folder: Path, old: str, new: str, said: str) -> None:
    change(folder, "campaign.toml", old, new)
    (folder.parent / "film.mp4").write_bytes(b"film")
    with pytest.raises(Fault, match=re.escape(said)):
        read_campaign(folder)


def test_a_film_is_named_from_its_folder_and_not_by_a_whole_path(folder: Path) -> None:
    """The name is what lint and build say of it, wherever the folder lies."""
    whole = (folder / "film" / "en.toml").resolve()
    change(folder, "campaign.toml", "more = []", f'make = ["{whole}"]')
    with pytest.raises(Fault, match="no file of its folder"):
        read_campaign(folder)


def test_a_table_of_films_that_is_a_text_is_named(folder: Path) -> None:
    text = (folder / "campaign.toml").read_text("utf-8").replace("[film]", "[owners]")
    (folder / "campaign.toml").write_text('film = "film.mp4"\n' + text, "utf-8")
    with pytest.raises(Fault, match="'owners' means nothing"):
        read_campaign(folder)
    change(folder, "campaign.toml", "[owners]\n", "")
    change(folder, "campaign.toml", 'page = "film.mp4"', "")
    change(folder, "campaign.toml", "more = []", "")
    with pytest.raises(Fault, match="'film' is no table"):
        read_campaign(folder)


@pytest.mark.parametrize("name", ["campaign.toml", "ru.md"])
def test_a_file_in_another_encoding_is_named_and_a_mark_in_front_is_no_part_of_it(
    folder: Path, name: str
) -> None:
    path = folder / name
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_campaign(folder).unreviewed()
    path.write_bytes(path.read_bytes() + "# ё".encode("koi8-r"))
    with pytest.raises(Fault, match=f"{name} is not UTF-8"):
        read_campaign(folder)


def test_a_translation_is_marked_whole_or_not_at_all(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(folder, "en.md", "A letter can be lost.", "Letters can be lost.")
    (folder / "ru.md").chmod(0o600)
    (folder / "ru.md").rename(folder / "elsewhere.md")
    (folder / "ru.md").symlink_to("elsewhere.md")
    before = (folder / "ru.md").read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    authored = read_campaign(folder)
    with monkeypatch.context() as disk, pytest.raises(OSError, match="no space"):
        disk.setattr(os, "fsync", full)
        mark_translated(authored, "ru")
    assert (folder / "ru.md").read_bytes() == before
    assert not list(folder.glob("*.new"))
    mark_translated(authored, "ru")
    assert (folder / "ru.md").is_symlink()
    assert stat.S_IMODE((folder / "elsewhere.md").stat().st_mode) == 0o600
    assert "ru" not in read_campaign(folder).outdated()


def test_a_missing_campaign_file_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="campaign new"):
        read_campaign(tmp_path)


def test_a_new_campaign_is_on_the_disk_before_it_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a power cut leaves: each file's bytes and each folder's names, as last synced."""
    office = tmp_path / "office"
    lies: dict[int, object] = {}
    fsync, replace = os.fsync, Path.replace

    def of(path: Path | int) -> object:
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        return sorted(os.listdir(path)) if is_folder else os.stat(path).st_size

    def synced(fd: int) -> None:
        fsync(fd)
        lies[os.fstat(fd).st_ino] = of(fd)

    def all_lie_there() -> bool:
        return all(lies.get(p.stat().st_ino) == of(p) for p in (office, *office.rglob("*")))

    def named(self: Path, target: Path) -> Path:
        assert all_lie_there()
        return replace(self, target)

    monkeypatch.setattr("os.fsync", synced)
    monkeypatch.setattr(Path, "replace", named)
    new_campaign(office)
    assert all_lie_there()
