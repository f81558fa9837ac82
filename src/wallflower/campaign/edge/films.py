"""A campaign's films: each of its storyboards, closed by its address and its keys' eight words."""

from __future__ import annotations

from pathlib import Path

from wallflower.campaign import repository
from wallflower.campaign.authoring import Authored
from wallflower.campaign.authoring_fields import FILE
from wallflower.campaign.edge.authoring import naming
from wallflower.campaign.edge.ceremony_keys import require_keys
from wallflower.campaign.edge.film import Progress, language_of, make_film
from wallflower.campaign.eightwords import LISTS, eight_words
from wallflower.campaign.film.storyboard import parse_ending
from wallflower.errors import Fault

_WORDS_IN = "en"  # for every language that has no list of its own (ADR 41)


def make_films(
    authored: Authored, said: str | Path, out: Path, cache: Path, progress: Progress,
    *, only_page: bool = False,
) -> dict[str, Path]:  # fmt: skip
    """Make the campaign's films below `out`; returns the folder of each, by its source's name.

    `said` are the eight words, or the folder of keys that they follow from: then a Chinese film
    shows Chinese words. `only_page` makes the small film for the page, and nothing else. A Fault
    names the film that it is about.
    """
    if not authored.address:
        raise Fault(f"{FILE} says nothing for 'address'", "The closing card of a film leads there.")
    chosen = authored.films[:1] if only_page else authored.films
    usual = authored.languages[0]
    endings = {}
    for source in chosen:  # each is read before the first is made, which takes minutes
        with naming(source, authored.folder):
            language = language_of(source, usual)
        words = said if isinstance(said, str) else words_of(said, language)
        endings[source] = parse_ending(authored.address, tuple(words.split()))
    made = {}
    for source, ending in endings.items():
        name = source.stem

        def tell(part: str, done: int, all_: int, name: str = name) -> None:
            progress(f"{name} {part}", done, all_)

        with naming(source, authored.folder):
            made[name] = make_film(
                source, out / name, ending, cache, tell, usual, only_small=only_page
            ).folder
    return made


def words_of(keys: Path, language: str) -> str:
    """The eight words of a folder of keys, in this language or in English."""
    root = require_keys(keys).root()
    assert root is not None  # noqa: S101  # require_keys looked
    return eight_words(repository.encode(root), language if language in LISTS else _WORDS_IN)
