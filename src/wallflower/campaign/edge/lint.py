"""What would betray readers or the campaign, found before it goes out.

A finding is a fact about this campaign and says what to do; `advice` is worth doing and cannot be
complete; `unsaid` is what no tool here can judge. Nothing here asks the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from wallflower.campaign import (
    lint_lookalikes,
    lint_mirrors,
    lint_names,
    lint_page,
    lint_reach,
)
from wallflower.campaign.authoring import Authored
from wallflower.campaign.edge import lint_certificates, lint_media
from wallflower.campaign.edge.authoring import naming
from wallflower.campaign.film.storyboard import MAX_BYTES, parse_storyboard
from wallflower.campaign.texts import lost_items
from wallflower.errors import Fault, typed


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to change: the rule's name, what is the case, and what to do next."""

    rule: str
    what: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a lint has to say."""

    findings: list[Finding] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)
    unsaid: list[str] = field(default_factory=list)


Said = Iterable[tuple[str, str]]
_RULES: Final[tuple[tuple[str, Callable[[Authored], Said]], ...]] = (
    ("truncation", lint_names.truncated),
    ("look-alike", lint_lookalikes.confusing),
    ("metadata", lint_media.telling),
    ("reach", lint_reach.beyond_reach),
    ("referrer", lint_names.marked),
)


def lint(authored: Authored, page: Path) -> Report:
    """Judge a campaign and the page that it will be shown on."""
    report, read = Report(), lint_certificates.read_certificates(authored)
    said = [(rule, pair) for rule, judge in _RULES for pair in judge(authored)]
    said += [("mirrors", pair) for pair in lint_mirrors.linked(authored, _films(authored))]
    said += [("certificates", pair) for pair in lint_certificates.linked(authored, read)]
    said += [(rule, (what, step)) for rule, what, step in lint_page.judged(_files(page))]
    said += [("translation", pair) for pair in _translations(authored)]
    report.findings.extend(Finding(rule, what, step) for rule, (what, step) in said)
    report.advice.extend(lint_lookalikes.to_register(authored))
    for module in (lint_names, lint_media, lint_reach, lint_mirrors):
        report.unsaid.extend(module.not_judged(authored))
    report.unsaid.extend(lint_certificates.not_judged(authored, read))
    return report


def _films(authored: Authored) -> dict[str, str]:
    """name -> the words of each film that is made of a storyboard."""
    found = {}
    for film in (film for film in authored.films if film.suffix == ".toml"):
        name = film.relative_to(authored.folder).as_posix()
        with film.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        with naming(film, authored.folder):
            found[name] = parse_storyboard(data).said
    return found


def _files(page: Path) -> dict[str, bytes]:
    try:
        return {name: (page / name).read_bytes() for name in lint_page.FILES}
    except FileNotFoundError:
        raise Fault("The page has not been built", "Type: cd page && npm run build") from None


def _translations(authored: Authored) -> Said:
    for code, sections in authored.outdated().items():
        yield (
            f"{code}.md is older than {authored.languages[0]}.md in: {'; '.join(sections)}",
            f"Translate them, then: wallflower campaign translated {typed(authored.folder)} {code}",
        )
    for code in authored.languages[1:]:
        if lost := lost_items(authored.texts[code], authored.source):
            yield (
                f"{code}.md has fewer items in: {'; '.join(lost)}",
                "Give its readers all of them.",
            )
