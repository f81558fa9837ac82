"""The films of a campaign: made by its build, closed by its address and its keys' words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp
from click.testing import CliRunner, Result
from PIL import Image, ImageChops, ImageStat
from tests.authoring.conftest import EXAMPLE_FILMS, change
from tests.campaign.film_made import BOARD, bytes_of, frames_of, has_fonts, make
from tests.campaign.made import Town

from wallflower.campaign import repository
from wallflower.campaign.edge import film, film_fonts
from wallflower.campaign.edge.authoring import new_campaign
from wallflower.campaign.edge.film_draw import Painter
from wallflower.campaign.edge.film_encode import Tick, encode_pictures
from wallflower.campaign.edge.film_fonts import Fonts
from wallflower.campaign.eightwords import eight_words
from wallflower.campaign.film.layout import HEIGHT, closing_sheet
from wallflower.campaign.film.rendition import SMALL, Rendition
from wallflower.campaign.film.storyboard import Ending, parse_storyboard
from wallflower.cli import film as cli_film
from wallflower.cli import wallflower
from wallflower.errors import Fault

pytestmark = pytest.mark.skipif(not has_fonts(), reason="fonts-noto-core or fonts-noto-cjk missing")

ADDRESS = "https://clean-hands.example/"
REBUILD_S = 3.0
BOARDS = {
    "zh": BOARD.format(language="zh-Hans", title="清廉", text="可以写信。", caption="字幕"),
    "en": BOARD.format(language="en", title="Hands", text="You can write.", caption="Caption"),
}


def _campaign(place: Path) -> Path:
    """The example campaign with two short films in place of its own."""
    folder = place / "office"
    new_campaign(folder)
    for name, text in BOARDS.items():
        (folder / "film" / f"{name}.toml").write_text(text, encoding="utf-8")
    films = ", ".join(f'"film/{name}.toml"' for name in BOARDS)
    change(folder, "campaign.toml", EXAMPLE_FILMS, f"make = [{films}]")
    return folder


def _build(town: Town, folder: Path, *more: str) -> Result:
    place = town.place
    command = ["campaign", "build", str(folder), "--out", str(place / "bundle"), "--without-cards"]
    return CliRunner().invoke(wallflower, [*command, "--cache", str(place / "cache"), *more])


def _apart(one: Image.Image, two: Image.Image) -> float:
    difference = ImageChops.difference(one.convert("L"), two.convert("L"))
    return ImageStat.Stat(difference).mean[0]


def _closing(name: str, words: str) -> Image.Image:
    """The closing card as it is painted for these words."""
    board = parse_storyboard(BOARDS[name].encode())
    size = (SMALL.width, SMALL.height)
    painter = Painter(Fonts(board.language), board.colours, size, SMALL.height / HEIGHT)
    ending = Ending(ADDRESS, tuple(words.split()))
    sheet = closing_sheet(painter.hand, board.closing, ending, painter.scale)
    return painter.paint(painter.ground(None), sheet)


@pytest.mark.parametrize(("before", "after", "said"), [
    ("[[card]]", "[[cart]]", "The storyboard has not 1 to"),
    ("[[card]]", '[[card]]\npicture = "lost.jpg"', "lost.jpg"),
])  # fmt: skip
def test_of_several_films_a_fault_names_the_one_that_it_is_about(
    town: Town, before: str, after: str, said: str
) -> None:
    folder = _campaign(town.place)
    path = folder / "film" / "en.toml"
    path.write_text(path.read_text("utf-8").replace(before, after, 1), "utf-8")
    done = _build(town, folder, "--keys", str(town.keys.folder.path))
    assert isinstance(done.exception, Fault)
    assert done.exception.what.startswith("film/en.toml: ")
    assert said in done.exception.what


def test_a_build_makes_its_films_with_the_words_of_its_keys(town: Town) -> None:
    """Where they lie, that the page has the first, and what the closing cards show."""
    done = _build(town, _campaign(town.place), "--keys", str(town.keys.folder.path))
    assert done.exit_code == 0, (done.output, done.exception)
    bundle = town.place / "bundle"
    page = (bundle / "films" / "zh" / "film-240.mp4").read_bytes()
    pieces = sorted((bundle / "site" / "film").iterdir())
    assert b"".join(piece.read_bytes() for piece in pieces) == page
    assert (bundle / "carried" / "carried.mp4").read_bytes() == page
    for name in BOARDS:
        there = {path.name for path in (bundle / "films" / name).iterdir()}
        assert there == {"film-240.mp4", "film-480.mp4", "captions.vtt", "poster.jpg"}
        assert (bundle / "cards" / f"{name}-film-02.png").is_file()
    root = town.keys.root()
    assert root is not None
    data = repository.encode(root)
    for name, language in (("zh", "zh-Hans"), ("en", "en")):
        last = frames_of(bundle / "films" / name / "film-240.mp4")[-1]
        assert zxingcpp.read_barcodes(last)[0].text == ADDRESS
        words = eight_words(data, language).split()
        shown, other = (
            _closing(name, " ".join(eight)) for eight in (words, [*words[:7], words[0]])
        )
        last_word = ImageChops.difference(shown, other).getbbox()  # where the two differ
        assert _apart(last.crop(last_word), shown.crop(last_word)) < 0.5 * _apart(
            last.crop(last_word), other.crop(last_word)
        ), name


def test_a_change_of_text_makes_no_film_again_and_takes_less_than_three_seconds(
    town: Town,
) -> None:
    folder, keys = _campaign(town.place), str(town.keys.folder.path)
    assert _build(town, folder, "--keys", keys).exit_code == 0
    before = bytes_of(town.place / "bundle")
    text = (folder / "en.md").read_text(encoding="utf-8")
    (folder / "en.md").write_text(text.replace("A letter can be lost", "Letters can be lost"))
    began = time.process_time()
    assert _build(town, folder, "--keys", keys).exit_code == 0
    assert time.process_time() - began < REBUILD_S
    after = bytes_of(town.place / "bundle")
    films = {name for name in before if name.startswith(("films/", "site/film/", "cards/"))}
    assert len(films) > 10
    assert all(after[name] == before[name] for name in films)
    assert after["site/index.html"] != before["site/index.html"]
    # A film that cannot be made leaves this build as it was.
    board = folder / "film" / "en.toml"
    board.write_text(board.read_text(encoding="utf-8").replace("Hands", "H" * 500))
    done = _build(town, folder, "--keys", keys)
    assert isinstance(done.exception, Fault)
    assert "does not fit" in str(done.exception)
    assert bytes_of(town.place / "bundle") == after


def test_a_film_shows_its_storyboard_as_it_is_now_whatever_the_cache_holds(tmp_path: Path) -> None:
    """Address, card and closing title are changed one by one, with a cache and without."""
    warm, cold = tmp_path / "warm", tmp_path / "cold"
    warm.mkdir()
    make(warm, BOARDS["en"], only_small=True)
    ending = Ending("https://other.example/", ("able",) * 8)
    changes = (
        BOARDS["en"],
        BOARDS["en"].replace("You can write.", "You could write."),
        BOARDS["en"].replace("Caption", "Another"),
        BOARDS["en"].replace("[closing]\ntitle = \"Hands\"", "[closing]\ntitle = \"Feet\""),
    )  # fmt: skip
    for number, board in enumerate(changes):
        (cold / str(number)).mkdir(parents=True)
        one = make(warm, board, ending=ending, only_small=True)
        two = make(cold / str(number), board, ending=ending, only_small=True)
        assert not one.cached
        assert bytes_of(one.folder) == bytes_of(two.folder), number


def test_only_the_closing_card_is_encoded_for_another_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, BOARDS["en"], only_small=True)
    encoded: list[int] = []

    def count(
        path: Path, how: Rendition, rate: int, frames: Iterator[Image.Image], tick: Tick
    ) -> None:
        pictures = list(frames)
        encoded.append(len(pictures))
        encode_pictures(path, how, rate, iter(pictures), tick)

    monkeypatch.setattr(film, "encode_pictures", count)
    ending = Ending("https://other.example/", ("able",) * 8)
    make(tmp_path, BOARDS["en"], ending=ending, only_small=True)
    assert encoded == [18]  # the closing card, and no body


def test_without_words_packages_or_fonts_the_build_says_what_to_type(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _campaign(town.place)
    pins = (town.keys.folder.path / "pins.json").read_bytes()
    (folder / "pins.json").write_bytes(pins)

    def said(*more: str) -> str:
        done = _build(town, folder, *more)
        assert isinstance(done.exception, Fault), done.output
        assert not (town.place / "bundle").exists()
        return str(done.exception)

    assert "--keys KEYS" in said()
    assert "eight single words" in said("--words", "only three words")
    # Pins of one ceremony are never closed by the words of another that lies at hand.
    (town.place / "other.json").write_bytes(pins)
    monkeypatch.chdir(town.place)
    assert (town.place / "keys").is_dir()
    assert "--keys KEYS" in said("--pins", "other.json")
    keys = ("--keys", str(town.keys.folder.path))
    with monkeypatch.context() as without:
        without.setattr(film_fonts, "FONTS", town.place)
        for kept in (film_fonts._digest, film_fonts._covered, film_fonts._font):
            kept.cache_clear()
        assert "apt-get install -y fonts-noto-core" in said(*keys)
    with monkeypatch.context() as without:
        without.setattr(cli_film.check_needed, "__defaults__", (("nobody_has_this",),))
        assert "requirements/film.txt" in said(*keys)
    toml = folder / "campaign.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace(ADDRESS, ""), encoding="utf-8")
    assert "'address'" in said(*keys)
    assert _build(town, folder, "--without-films").exit_code == 0
