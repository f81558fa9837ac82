"""The party table is whole, and whatever it admits is explained where it points."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
CLAIMS = set(re.findall(r"^\| (\d+) \|", (ROOT / "docs" / "claims.md").read_text("utf-8"), re.M))
PARTIES = (
    "observer", "the wall (active)", "mirror", "ingress, A", "B", "B and observer",
    "turned handler and observer", "turned handler and wall",
    "A and handler, A and B, B and handler", "handler's laptop seized",
    "words found or extorted", "spied-on device, cloud keyboard",
)  # fmt: skip
ROWS = re.findall(r"^\| (.+?) \| (.+) \| (.+?) \|$", PAGE.split("\n## ")[0], re.M)[1:]


def _sections() -> dict[str, str]:
    parts = [part.partition("\n") for part in PAGE.split("\n## ")[1:]]
    return {
        re.sub(r"[^\w ]", "", title).lower().replace(" ", "-"): text for title, _, text in parts
    }


def test_every_party_has_its_row() -> None:
    assert tuple(party for party, *_ in ROWS) == PARTIES


@pytest.mark.parametrize(("party", "does", "more"), ROWS)
def test_a_row_leads_to_what_is_behind_it(party: str, does: str, more: str) -> None:
    sections = _sections()
    anchors = re.findall(r"\(#([\w-]+)\)", more)
    assert anchors, party
    assert set(anchors) <= set(sections)
    for line in re.findall(r"claims? ([\d, ]+)", more):
        assert {n.strip() for n in line.split(",") if n.strip()} <= CLAIMS
    if "**loss" in does:
        assert any("**loss**" in sections[anchor] for anchor in anchors), party


def test_what_the_readme_does_not_protect_is_admitted_here() -> None:
    """Each line of the README's list is about a party of the table, by these words."""
    readme = (ROOT / "README.md").read_text("utf-8")
    listed = readme.split("## What it does not protect")[1].split("\n## ")[0]
    lines = [line for line in listed.splitlines() if line.startswith("- ")]
    words = ("watched", "device", "words", "mirror", "Two operators", "turned")
    assert len(lines) == len(words)
    assert all(word in line for word, line in zip(words, lines, strict=True))
