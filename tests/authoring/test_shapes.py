"""One build in every shape: the same bytes for everybody who builds, within its budgets."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import ImageDraw
from tests.authoring.conftest import PINS, change

from wallflower.board.edge.process import read_site
from wallflower.campaign.build_budgets import (
    Weights,
    check_origins,
    check_weights,
    foreign,
    weigh,
)
from wallflower.campaign.edge.authoring import read_campaign
from wallflower.campaign.edge.build import packaged_page
from wallflower.campaign.edge.shapes import SUMS, ZIP, build_bundle, packed
from wallflower.campaign.edge.shapes_cards import draw_cards
from wallflower.campaign.texts import Text
from wallflower.cli import wallflower
from wallflower.errors import Fault

REBUILD_S = 3.0


def _build(folder: Path, out: Path, *, cards: bool = False) -> dict[str, str]:
    drawn = draw_cards if cards else None
    built = build_bundle(read_campaign(folder), PINS, packaged_page(), out, "main", drawn)
    return dict(built.hashes)


def test_two_folders_two_times_and_two_orders_give_the_same_bytes(
    folder: Path, tmp_path: Path
) -> None:
    one = _build(folder, tmp_path / "one")
    elsewhere = tmp_path / "deeper" / "elsewhere"
    elsewhere.mkdir(parents=True)
    for path in sorted((p for p in folder.iterdir() if p.is_file()), reverse=True):
        shutil.copyfile(path, elsewhere / path.name)
        os.utime(elsewhere / path.name, (1, 1))
        (elsewhere / path.name).chmod(0o600)
    two = _build(elsewhere, tmp_path / "two")
    assert one == two
    assert (tmp_path / "one" / SUMS).read_bytes() == (tmp_path / "two" / SUMS).read_bytes()


def test_every_way_out_is_there_and_its_hash_is_listed(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    hashes = _build(folder, out)
    assert {name.split("/")[0] for name in hashes} == {"site", "carried", "onion", ZIP}
    for line in (out / SUMS).read_text().splitlines():
        digest, name = line.split("  ", 1)
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest == hashes[name]
    with zipfile.ZipFile(out / ZIP) as archive:
        names = archive.namelist()
        assert archive.read("carried.html") == (out / "carried" / "carried.html").read_bytes()
    texts = [f"{code}.txt" for code in ("en", "es", "fa", "ru", "zh-Hans")]
    assert names == ["carried.html", "carried.mp4", *texts]
    for name in ("index.html", "app.js", "film/00"):
        assert (out / "onion" / "site" / name).read_bytes() == (out / "site" / name).read_bytes()
    assert "HiddenServicePort 80 127.0.0.1:8480" in (out / "onion" / "torrc").read_text()
    mirror = tomllib.loads((out / "onion" / "mirror.toml").read_text())
    assert (mirror["host"], mirror["port"]) == ("127.0.0.1", 8480)
    assert "index.html" in read_site(out / "onion" / mirror["site"])
    assert mirror["board"] == "https://board.clean-hands.example"


def test_a_zip_says_nothing_of_its_maker() -> None:
    made = packed({"b": b"2", "a": b"1"})
    assert made == packed({"a": b"1", "b": b"2"})
    with zipfile.ZipFile(BytesIO(made)) as archive:
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {one.create_system for one in archive.infolist()} == {3}
        assert [one.filename for one in archive.infolist()] == ["a", "b"]


def test_the_example_is_within_its_budgets_and_asks_nobody(folder: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        wallflower,
        ["campaign", "build", str(folder), "--out", str(tmp_path / "out"), "--without-cards"],
    )
    assert done.exit_code == 0, done.output
    assert "of 12,000" in done.output
    assert "requests to anybody else: 0" in done.output
    assert done.output.count("reviewed = false") == 5
    site = {path.name: path.read_bytes() for path in (tmp_path / "out" / "site").glob("*.*")}
    assert weigh(site).instructions <= 12_000
    assert weigh(site).without_script <= 60_000
    assert weigh(site).with_script <= 200_000


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (Weights(12_001, 1, 1), "instructions take 12,001"),
        (Weights(1, 60_001, 1), "without script"),
        (Weights(1, 1, 200_001), "with its script"),
    ],
)
def test_what_is_too_heavy_is_refused(weights: Weights, said: str) -> None:
    with pytest.raises(Fault, match=said):
        check_weights(weights)
    check_weights(Weights(12_000, 60_000, 200_000))


def test_texts_that_do_not_fit_one_response_leave_the_last_build_as_it_was(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    before = _build(folder, out)
    noise = " ".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(200))
    with (folder / "en.md").open("a", encoding="utf-8") as text:
        text.write(f"\n{noise}\n")
    with pytest.raises(Fault, match="instructions take"):
        _build(folder, out)
    assert (out / "site" / "index.html").is_file()
    assert set(before) == {
        str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()
    } - {SUMS}
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".new")] == []


@pytest.mark.parametrize(
    "markup",
    [
        '<img src="https://a.example/p">', '<link href="//a.example">', '<a href="http://a">x</a>',
        '<video poster="https://a/x">', '<meta http-equiv="refresh" content="0; url=https://a">',
        "<style>b{background:url(https://a/x)}</style>", '<style>@import "https://a";</style>',
        '<img srcset="https://a/1x 1x">', '<form action="https://a">',
    ],
)  # fmt: skip
def test_anything_that_asks_somebody_else_is_found(markup: str) -> None:
    assert len(foreign({"index.html": markup.encode()})) == 1
    with pytest.raises(Fault, match="asks somebody else"):
        check_origins({"index.html": markup.encode()})


def test_a_page_that_asks_somebody_else_is_not_built(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page"
    shutil.copytree(packaged_page(), page)
    style = (page / "style.css").read_text(encoding="utf-8")
    (page / "style.css").write_text(style + "@import 'https://a.example/x.css';")
    with pytest.raises(Fault, match="asks somebody else"):
        build_bundle(read_campaign(folder), PINS, page, tmp_path / "out", "main", None)
    assert not (tmp_path / "out").exists()


def test_what_the_page_itself_asks_for_is_its_own() -> None:
    own = b'<link href="style.css"><script src="app.js"></script><a href="#ru">x</a>'
    assert foreign({"index.html": own, "style.css": b"a{background:url(data:x)}"}) == []


@pytest.mark.parametrize("names", [
    ["thesis.odt"], [SUMS, "thesis.odt"], [SUMS, ZIP, "site", "thesis.odt"],
])  # fmt: skip
def test_a_folder_that_somebody_else_filled_is_not_replaced(
    folder: Path, tmp_path: Path, names: list[str]
) -> None:
    """Others, too, lay a SHA256SUMS beside what they hand out."""
    out = tmp_path / "out"
    out.mkdir()
    for name in names:
        (out / name).write_bytes(b"years")
    with pytest.raises(Fault, match="did not build"):
        _build(folder, out)
    assert sorted(path.name for path in out.iterdir()) == sorted(names)


def test_a_neighbour_folder_of_the_build_is_never_touched(folder: Path, tmp_path: Path) -> None:
    for name in ("out.new", "out.old", "out-"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "thesis.odt").write_bytes(b"years")
    before = {path.name for path in tmp_path.iterdir()}
    for _ in range(2):
        _build(folder, tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {*before, "out"}
    assert (tmp_path / "out.new" / "thesis.odt").read_bytes() == b"years"


def test_a_build_behind_a_link_is_replaced_and_the_link_stays(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "disk" / "real").mkdir(parents=True)
    (tmp_path / "out").symlink_to(tmp_path / "disk" / "real")
    _build(folder, tmp_path / "out")
    _build(folder, tmp_path / "out")
    assert (tmp_path / "out").is_symlink()
    assert {path.name for path in (tmp_path / "disk").iterdir()} == {"real"}
    assert (tmp_path / "disk" / "real" / ZIP).is_file()


def test_a_build_into_the_folder_where_one_stands_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    before = _build(folder, out)
    monkeypatch.chdir(out / "site")
    with pytest.raises(Fault, match=r"cd \.\."):
        _build(folder, Path(".."))
    assert {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()} == {*before, SUMS}


def test_a_build_that_cannot_take_its_place_leaves_the_last_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    before = _build(folder, out)
    (out / "site" / "index.html").write_bytes(b"the last one")
    rename = Path.rename

    def busy(path: Path, to: Path) -> Path:
        if to == out and path.name == "new":
            raise OSError(errno.EBUSY, "busy")
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", busy)
    with pytest.raises(Fault, match="all is as it was"):
        _build(folder, out)
    assert (out / "site" / "index.html").read_bytes() == b"the last one"
    assert {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()} == {*before, SUMS}
    assert {path.name for path in tmp_path.iterdir()} == {"campaign", "out"}


def test_a_full_disk_leaves_the_last_build_and_nothing_of_the_new_one(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    before = _build(folder, out)

    def full(text: Text, address: str) -> Iterator[tuple[str, bytes]]:
        yield f"{text.language}.png", address.encode()
        raise OSError(errno.ENOSPC, "no space left")

    with pytest.raises(OSError, match="no space"):
        build_bundle(read_campaign(folder), PINS, packaged_page(), out, "main", full)
    assert {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()} == {*before, SUMS}
    assert {path.name for path in tmp_path.iterdir()} == {"campaign", "out"}


def test_the_onion_s_configuration_is_toml_whatever_the_board_s_address_holds(
    folder: Path, tmp_path: Path
) -> None:
    change(
        folder, "campaign.toml", "https://board.clean-hands.example/", "https://b.example/\\\\q#"
    )
    _build(folder, tmp_path / "out")
    mirror = tomllib.loads((tmp_path / "out" / "onion" / "mirror.toml").read_text())
    assert mirror["board"] == "https://b.example/\\q#"


def test_an_outdated_or_unreviewed_text_says_so_on_the_page(folder: Path, tmp_path: Path) -> None:
    change(folder, "es.md", "reviewed = false", "reviewed = true")
    change(folder, "en.md", "A letter can be lost.", "Letters can be lost.")
    change(folder, "campaign.toml", '["en", "zh-Hans", "fa", "ru", "es"]', '["en", "es"]')
    _build(folder, tmp_path / "out")
    page = (tmp_path / "out" / "site" / "index.html").read_text(encoding="utf-8")
    assert "El texto en español todavía no está al día." in page
    assert "The English text is not up to date yet." not in page
    assert 'lang="ru"' not in page
    assert "Русский" not in page
    assert "<!--" not in page
    assert 'html lang="en"' in page


def test_a_language_that_the_page_does_not_speak_is_refused(folder: Path, tmp_path: Path) -> None:
    change(folder, "campaign.toml", '["en", "zh-Hans", "fa", "ru", "es"]', '["en", "ug"]')
    shutil.copyfile(folder / "ru.md", folder / "ug.md")
    with pytest.raises(Fault, match="does not speak ug"):
        _build(folder, tmp_path / "out")


def test_an_unknown_channel_and_missing_ways_are_refused(folder: Path, tmp_path: Path) -> None:
    authored = read_campaign(folder)
    with pytest.raises(Fault, match="no channel 'telegram'"):
        build_bundle(authored, PINS, packaged_page(), tmp_path / "out", "telegram", None)
    change(folder, "campaign.toml", 'ways = ["https://hum.clean-hands.example/"]', "ways = []")
    with pytest.raises(Fault, match="no ways"):
        _build(folder, tmp_path / "out")


def test_films_that_are_handed_out_lie_beside_the_page(folder: Path, tmp_path: Path) -> None:
    (folder / "small.mp4").write_bytes(b"film")
    (folder / "small.ru.vtt").write_bytes(b"WEBVTT")
    change(folder, "campaign.toml", "more = []", 'more = ["small.mp4", "small.ru.vtt"]')
    hashes = _build(folder, tmp_path / "out")
    assert {"films/small.mp4", "films/small.ru.vtt"} <= hashes.keys()


@pytest.mark.parametrize(
    ("language", "first"), [("en", "1. Watch."), ("fa", "۱. Watch."), ("ar", "1. Watch.")]
)
def test_the_steps_of_a_card_are_numbered_in_the_digits_of_their_text(
    folder: Path, monkeypatch: pytest.MonkeyPatch, language: str, first: str
) -> None:
    """Arabic runs right to left too, and its texts have either digits."""
    drawn: list[str] = []

    def text_of(_draw: object, _at: object, line: str, *_style: object, **_more: object) -> None:
        drawn.append(line)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", text_of)
    text = replace(read_campaign(folder).texts["en"], language=language)
    list(draw_cards(text, ""))
    assert any(line.startswith(first) for line in drawn)


@pytest.mark.nightly
def test_cards_are_the_same_twice_and_a_rebuild_takes_less_than_three_seconds(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = _build(folder, tmp_path / "one", cards=True)
    change(folder, "en.md", "A letter can be lost.", "Letters can be lost.")
    began = time.process_time()
    _build(folder, tmp_path / "one", cards=True)
    took = time.process_time() - began
    change(folder, "en.md", "Letters can be lost.", "A letter can be lost.")
    assert _build(folder, tmp_path / "two", cards=True) == one
    assert {name.split("/")[1].rsplit("-", 1)[0] for name in one if name.startswith("cards/")} == {
        "en", "zh-Hans", "fa", "ru", "es",
    }  # fmt: skip
    with capsys.disabled():
        print(f"\nrebuild after a change of text, cards and all: {took:.2f} s of processor time")
    assert took < REBUILD_S
