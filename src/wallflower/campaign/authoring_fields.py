"""The fields of campaign.toml: each of its type, and none that means nothing here.

A line with a slip in its name would else be a line that nobody reads: with `mirors` the lint would
find no mirror, and say that all is well.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, Final

from wallflower.campaign.addresses import parts_of
from wallflower.errors import Fault
from wallflower.wire.census import CHANNELS

FILE: Final = "campaign.toml"
_CAMPAIGN: Final = frozenset({
    "organisation", "languages", "ways", "boards", "hurry", "channels", "film", "address",
    "published", "owned", "mirrors", "countries",
})  # fmt: skip
_FILM: Final = frozenset({"make", "page", "carried", "more"})
_PUBLISHED: Final = frozenset({"place", "text"})
Fields = Mapping[str, Any]


def parse_fields(text: str) -> Fields:
    """The fields of a campaign.toml, or a Fault: no TOML, or a name that means nothing."""
    try:
        fields = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Fault(f"{FILE} is not TOML", f"Correct: {error}.") from None
    except RecursionError:
        raise Fault(f"{FILE} is not TOML that can be read", "Write fewer brackets.") from None
    _only(fields, _CAMPAIGN, FILE)
    return fields


def _only(fields: Fields, known: frozenset[str], place: str) -> None:
    if strange := sorted(fields.keys() - known):
        raise Fault(
            f"{place}: '{strange[0]}' means nothing here", f"Known are: {', '.join(sorted(known))}."
        )


def string(fields: Fields, key: str, usual: str | None = None) -> str:
    """A text that says something, without the spaces around it; `usual` where it is missing. Or a
    Fault."""
    value = fields.get(key, usual)
    if usual is not None and value == usual:
        return usual
    if not isinstance(value, str) or not value.strip():
        raise Fault(f"{FILE} says nothing for '{key}'", "Write it as text in quotation marks.")
    return value.strip()


def strings(fields: Fields, key: str) -> tuple[str, ...]:
    """A list of texts, empty where the field is missing, or a Fault."""
    value = fields.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Fault(f"{FILE}: '{key}' is no list of texts", 'Write ["one", "two"].')
    return tuple(value)


def addresses(fields: Fields, key: str) -> tuple[str, ...]:
    """A list of addresses or hosts' names, or a Fault: a slip would hide one from the lint."""
    found = strings(fields, key)
    if not all(parts_of(one).hostname for one in found):
        raise Fault(f"{FILE}: '{key}' holds what is no address", 'Write ["https://one.example"].')
    return found


def flag(fields: Fields, key: str, *, usual: bool) -> bool:
    """True or false, or a Fault: a "true" in quotation marks must not mean the contrary."""
    value = fields.get(key, usual)
    if not isinstance(value, bool):
        raise Fault(
            f"{FILE}: '{key}' is neither true nor false", "Write it without quotation marks."
        )
    return value


def film_table(fields: Fields) -> Fields:
    """The table of films, or a Fault."""
    value = fields.get("film", {})
    if not isinstance(value, dict):
        raise Fault(f"{FILE}: 'film' is no table", "Write [film] in a line of its own.")
    _only(value, _FILM, f"{FILE}, [film]")
    return value


def channels(fields: Fields) -> dict[str, int]:
    """name -> number in the census (census 1), or a Fault."""
    value = fields.get("channels", {"main": 0})
    fits = isinstance(value, dict) and all(
        type(number) is int and 0 <= number < CHANNELS for number in value.values()
    )
    if not fits or not value or len(set(value.values())) != len(value):
        raise Fault(
            f"{FILE}: 'channels' are not names with a number of their own",
            f"Write a number from 0 to {CHANNELS - 1} for each.",
        )
    return dict(value)


def published(fields: Fields) -> list[tuple[str, str]]:
    """(place, text) of everything that people are shown elsewhere, or a Fault."""
    value = fields.get("published", [])
    entries: list[Any] = value if isinstance(value, list) else [value]
    for entry in entries:
        if not isinstance(entry, dict) or not all(
            isinstance(entry.get(n), str) for n in _PUBLISHED
        ):
            raise Fault(f"{FILE}: an entry of 'published' is not whole", "Give 'place' and 'text'.")
        _only(entry, _PUBLISHED, f"{FILE}, [[published]]")
    return [(entry["place"], entry["text"]) for entry in entries]
