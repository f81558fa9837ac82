"""The folder of changes: each file is of a kind that the release knows, and short."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["towncrier"]
KINDS = {kind["directory"] for kind in SETTINGS["type"]}
FRAGMENTS = [p for p in sorted((ROOT / "changes").iterdir()) if p.name not in SETTINGS["ignore"]]


def test_every_change_has_a_kind_of_the_release_and_a_sentence() -> None:
    assert FRAGMENTS
    for file in FRAGMENTS:
        assert re.fullmatch(rf"[a-z0-9-]+\.({'|'.join(KINDS)})\.md", file.name), file.name
        text = file.read_text("utf-8").strip()
        assert text.endswith("."), file.name
        assert len(text) < 400, file.name


def test_the_page_of_the_folder_names_every_kind() -> None:
    page = (ROOT / "changes" / "README.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.M)) == KINDS
