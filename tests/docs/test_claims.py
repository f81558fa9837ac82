"""Every claim names a guard and a test that exist."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (\d+) \| (.+?) \| `(.+?)` \| `(.+?)::(.+?)` \|$", re.MULTILINE)
CLAIMS = ROW.findall((ROOT / "docs" / "claims.md").read_text("utf-8"))


def test_claims_have_numbers_that_rise() -> None:
    """A number is never used again; one that is not used leaves a gap."""
    numbers = [int(number) for number, *_ in CLAIMS]
    assert numbers == sorted(set(numbers))
    assert len(CLAIMS) > 20


@pytest.mark.parametrize(("number", "_claim", "guard", "file", "test"), CLAIMS)
def test_guard_and_test_of_a_claim_exist(
    number: str, _claim: str, guard: str, file: str, test: str
) -> None:
    if guard.endswith((".ts", ".mjs")):
        assert (ROOT / guard).is_file(), number
    else:
        module, _, name = guard.partition(":")
        found = importlib.import_module(module)
        assert not name or hasattr(found, name), number
    source = (ROOT / file).read_text("utf-8")
    assert re.search(rf"^(async )?def {test}\(", source, re.MULTILINE), number
