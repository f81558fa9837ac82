"""The page's catalogues are gettext for Python too: Babel reads, checks and compiles them."""

from __future__ import annotations

import gettext
import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from wallflower.campaign.edge import build
from wallflower.lab.demo.chromium import SAYS

LOCALE = Path(build.__file__).parent.with_name("locale")
LANGUAGES = ("en", "zh_Hans", "fa", "ru", "es")
THREATS = Path(__file__).parents[2] / "docs" / "threat-model.md"
THOUSANDS = re.compile(r"(?<=\d)[,٬\u00a0](?=\d{3})")


def _catalogue(language: str) -> Catalog:
    with (LOCALE / language / "LC_MESSAGES" / "page.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_is_read_checked_and_compiled_by_babel(language: str) -> None:
    catalogue = _catalogue(language)
    assert [str(fault) for _, faults in catalogue.check() for fault in faults] == []
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    texts = gettext.GNUTranslations(compiled)
    english = "The desk has your letter."
    assert (texts.pgettext("say.state.taken", english) == english) is (language == "en")


def test_catalogues_have_the_same_places_and_english_texts() -> None:
    places = {
        language: {(one.context, one.id) for one in _catalogue(language) if one.id}
        for language in LANGUAGES
    }
    assert all(found == places["en"] for found in places.values())


@pytest.mark.parametrize("language", SAYS)
def test_the_demos_reader_waits_for_what_the_page_says(language: str) -> None:
    catalogue = _catalogue(language.replace("-", "_"))
    said = {one.context: str(one.string or one.id) for one in catalogue if one.id}
    places = ("say.hum.done", "say.board.complete", "say.letter.kept")
    for place, part in zip(places, SAYS[language][1:], strict=True):
        assert part in said[place]


def _numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"\d+(?:\.\d+)?", THOUSANDS.sub("", text))]


def _crowds(audience: str) -> list[float]:
    """The crowd after one, two and three contacts, as the table of the threat model has it."""
    row = next(line for line in THREATS.read_text("utf-8").splitlines() if audience in line)
    return [_numbers(cell)[0] for cell in row.split("|")[3:6]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_hurry_costs_is_said_with_the_figures_of_the_threat_model(language: str) -> None:
    """In every language the same numbers; 'the writer alone' is a crowd that rounds to one."""
    text = next(one for one in _catalogue(language) if one.context == "hurry.2")
    hurried, waited = _crowds("| daily, again at once |"), _crowds("| 200 come daily |")
    assert round(hurried[1]) == 1
    expected = [200, 20_000, hurried[0], *waited]
    assert sorted(_numbers(str(text.string or text.id))) == sorted(expected)
