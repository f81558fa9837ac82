"""The thief of all online keys pins other record keys in a way that the check might not look at."""

from __future__ import annotations

from html import escape

import pytest
from tests.campaign.made import LATER, Town, image

from wallflower.campaign.page_pins import check_page_pins, is_page
from wallflower.errors import Refused

EVIL = '{"root":"00"}'


def _escaped(text: str) -> str:
    return "".join(f"&#{ord(c)};" for c in text)


@pytest.mark.parametrize(
    "mark",
    [
        f"<meta name='wallflower-pins' content='{EVIL}'>",
        f'<META NAME="Wallflower-Pins" CONTENT="{escape(EVIL)}">',
        f'<meta  name="wallflower-pins" content="{escape(EVIL)}">',
        f'<meta content="{escape(EVIL)}" name="wallflower-pins">',
        f"<meta name=wallflower-pins content={EVIL}>",
        f'<meta name="{_escaped("wallflower-pins")}" content="{escape(EVIL)}">',
        f'<meta\nname="wallflower-pins"\ncontent="{escape(EVIL)}">',
        f'<meta id="x" name="wallflower-pins" content="{escape(EVIL)}">',
    ],
)
@pytest.mark.parametrize("place", ["alone", "before", "after"])
def test_pins_in_another_spelling_are_refused(first: Town, mark: str, place: str) -> None:
    pins = (first.site / "pins.json").read_bytes()
    honest = (first.site / "index.html").read_text("utf-8")
    check_page_pins(honest.encode(), pins)
    page = {"alone": mark, "before": mark + honest, "after": honest + mark}[place]
    with pytest.raises(Refused) as refused:
        check_page_pins(page.encode(), pins)
    assert refused.value.rule == "bundle 6.17"


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-be", "utf-32", "latin-1", "iso2022_jp"])
def test_a_page_that_two_charsets_read_differently_is_refused(first: Town, charset: str) -> None:
    mark = f"é日<meta name='wallflower-pins' content='{EVIL}'>"
    page = mark.encode(charset, "ignore")
    if charset == "iso2022_jp":
        page = page.replace(b"flower-p", b"flow\x1b(Ber-p")
    with pytest.raises(Refused) as refused:
        check_page_pins(page, (first.site / "pins.json").read_bytes())
    assert refused.value.rule == "bundle 6.17"


def test_the_page_that_this_release_builds_is_read(first: Town) -> None:
    """Its own script names the mark that it looks for, and may."""
    pins = (first.site / "pins.json").read_bytes()
    honest = (first.site / "index.html").read_bytes()
    check_page_pins(honest + b"<script>find('meta[name=\"wallflower-pins\"]')</script>", pins)


@pytest.mark.parametrize("name", ["INDEX.HTML", "page.xhtml", "card.svg", "a/b.Htm"])
def test_whatever_a_browser_takes_for_a_page_is_looked_at(town: Town, name: str) -> None:
    assert is_page(name)
    path = town.site / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"<meta name='wallflower-pins' content='{EVIL}'>", "utf-8")
    before = image(town.place)
    with pytest.raises(Refused) as refused:
        town.sign(LATER)
    assert refused.value.rule == "bundle 6.17"
    assert image(town.place) == before
