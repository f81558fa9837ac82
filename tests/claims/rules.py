"""The numbered rules of spec/: `hum 2.7` is point 7 of point 2 of spec/hum.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SPEC = Path(__file__).parents[2] / "spec"
_POINT = re.compile(r"^( {3})?(\d+)\. (.*)$")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its number, its words on one line, and whether it is a point of `Refusals`."""

    number: str
    text: str
    refuses_only: bool


def read_pages() -> list[str]:
    """The names of the pages; sizes.md is numbers, which vectors/sizes holds."""
    return sorted(p.stem for p in SPEC.glob("*.md") if p.stem not in ("README", "sizes"))


def parts(page: str) -> tuple[list[Rule], str]:
    """The rules of a page in their order, headings of points too; and all that has no number."""
    found: list[tuple[str, bool, list[str]]] = []
    rest: list[str] = []
    section, listed, inside = "", False, False
    for line in (SPEC / f"{page}.md").read_text("utf-8").splitlines():
        if point := _POINT.match(line):
            inner, number, text = point.groups()
            if not inner:
                section, listed = number, text.startswith("Refusals")
            name = f"{page} {section}.{number}" if inner else f"{page} {section}"
            found.append((name, bool(inner) and listed, [text]))
            inside = True
        elif inside and (not line or line.startswith("   ")):
            found[-1][2].append(line.strip())
        else:
            inside = False
            rest.append(line)
    rules = [Rule(name, " ".join(filter(None, lines)), of) for name, of, lines in found]
    return rules, "\n".join(rest)


def refusing(page: str) -> set[str]:
    """The numbers that refuse: every point of a list of refusals, and each that says "Refused"."""
    return {r.number for r in parts(page)[0] if r.refuses_only or re.search(r"\bRefused\b", r.text)}
