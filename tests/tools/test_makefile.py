"""The Makefile: whatever it calls is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Makefile").read_text("utf-8")
NPM = json.loads((ROOT / "page" / "package.json").read_text("utf-8"))["scripts"]


@pytest.mark.parametrize("script", re.findall(r"(?:python|sh) ([\w/.-]+/[\w.\[\]!*-]+)", TEXT))
def test_every_script_that_make_runs_is_there(script: str) -> None:
    assert (ROOT / script).is_file()


@pytest.mark.parametrize("name", re.findall(r"npm run (?:--if-present )?(\w+)", TEXT))
def test_every_script_of_the_page_that_make_runs_is_there(name: str) -> None:
    assert name in NPM


def test_every_target_is_told_by_help() -> None:
    targets = set(re.search(r"^\.PHONY: (.+)$", TEXT, re.M)[1].split())  # type: ignore[index]
    told = set(re.findall(r"make ([\w-]+)", TEXT[TEXT.index("help:") : TEXT.index("setup:\n")]))
    assert targets - told == {"help", "page-test"}
