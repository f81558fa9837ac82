"""Steps that a reader cannot take: what is blocked where they are, what presupposes a tunnel.

Each assertion stands in lint_countries.toml with its source and date.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from wallflower.campaign.authoring import Authored
from wallflower.errors import Fault

_COUNTRIES: Final = Path(__file__).with_name("lint_countries.toml")


@cache
def table() -> dict[str, list[dict[str, Any]]]:
    """What is known, by country; a Fault where it is said without a source."""
    read: dict[str, list[dict[str, Any]]] = tomllib.loads(_COUNTRIES.read_text(encoding="utf-8"))
    for entry in read["blocked"]:
        if not entry.get("source") or not entry.get("since"):
            raise Fault(f"{_COUNTRIES.name} asserts {entry['what']} without a source", "Add it.")
    return read


def _asks(text: str, words: list[str]) -> str | None:
    for word in words:
        # Only ASCII borders a word: Chinese has no spaces between words.
        whole = word[0].isascii() and word[0].isalnum()
        if re.search(("(?<![A-Za-z0-9_])" if whole else "") + re.escape(word), text):
            return word
    return None


def beyond_reach(authored: Authored) -> Iterator[tuple[str, str]]:
    """Each step of each language that readers of the campaign's countries cannot take."""
    for code, text in authored.texts.items():
        whole = "\n".join((text.lead, text.about, text.body))
        for entry in table()["blocked"]:
            if entry["country"] in authored.countries and (word := _asks(whole, entry["words"])):
                yield (
                    f"{code}.md asks for '{word}', and {entry['what']} is blocked in "
                    f"{entry['country']} since {entry['since']} ({entry['source']})",
                    "Put the thing itself into the bundle, or name a way that needs nothing.",
                )
        for entry in table()["presupposed"]:
            if word := _asks(whole, entry["words"]):
                yield (
                    f"{code}.md presupposes {entry['what']} ('{word}')",
                    "Begin with a step for those who have none.",
                )


def not_judged(authored: Authored) -> Iterator[str]:
    """Countries of which nothing is known."""
    known = {entry["country"] for entry in table()["blocked"]}
    for country in authored.countries:
        if country not in known:
            yield f"{country}: nothing is known of what is blocked there ({_COUNTRIES.name})"
