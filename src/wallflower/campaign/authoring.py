"""What a campaign's folder says, once it was read (edge/authoring.py). Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wallflower.campaign import texts
from wallflower.campaign.texts import Text


@dataclass(frozen=True, slots=True)
class Published:
    """Something that people are shown: `text` on a platform's `place` (lint_limits.toml)."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Authored:
    """A campaign as its folder says it; nothing in it was built.

    `languages` begins with the source of all translations. `mirrors` are addresses of copies that
    no copy may name, `countries` where readers are, `handles` our own names on platforms, `owned`
    the names that we have registered besides, so that nobody else can.
    """

    folder: Path
    organisation: str
    languages: tuple[str, ...]
    texts: Mapping[str, Text]
    ways: tuple[str, ...]
    boards: tuple[str, ...]
    hurry: bool
    channels: Mapping[str, int]
    films: tuple[Path, ...]
    film: Path | None
    carried_film: Path | None
    more_films: tuple[Path, ...]
    address: str
    published: tuple[Published, ...]
    owned: frozenset[str]
    mirrors: tuple[str, ...]
    countries: tuple[str, ...]

    @property
    def source(self) -> Text:
        """The text that the others translate."""
        return self.texts[self.languages[0]]

    def outdated(self) -> dict[str, list[str]]:
        """By language: the sections of the source that changed since it was translated."""
        found = {code: texts.outdated(self.texts[code], self.source) for code in self.languages[1:]}
        return {code: sections for code, sections in found.items() if sections}

    def unreviewed(self) -> tuple[str, ...]:
        """The languages that no reader has checked yet."""
        return tuple(code for code in self.languages if not self.texts[code].reviewed)
