"""Every claim names guards and a test that exist, and its deletion (`make claims`)."""

from __future__ import annotations

import ast
import importlib
import re

import pytest
from tests.claims.backing import is_there
from tests.claims.edits import ROOT, Claim, Deletion, claims, deletions

CLAIMS = claims()
DELETIONS = deletions()
OF_PAGE = (".ts", ".mjs", ".html")
each = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"claim {claim.number}")
each_deletion = pytest.mark.parametrize(
    "one", DELETIONS, ids=lambda one: f"claim {one.claim.number} {one.part}".rstrip()
)


def test_claims_are_numbered_in_their_order_and_each_number_is_used_once() -> None:
    numbers = [claim.number for claim in CLAIMS]
    assert numbers == sorted(set(numbers))
    table = (ROOT / "docs" / "claims.md").read_text("utf-8")
    assert len(numbers) == len(re.findall(r"^\| \d", table, re.MULTILINE)), "a row cannot be read"
    assert len(numbers) > 60


@each
def test_guards_of_a_claim_exist(claim: Claim) -> None:
    assert claim.guards
    for guard in claim.guards:
        if guard.endswith(OF_PAGE):
            assert (ROOT / guard).is_file(), guard
        else:
            module, _, name = guard.partition(":")
            assert hasattr(importlib.import_module(module), name), guard


@each
def test_each_claim_says_what_text_is_deleted(claim: Claim) -> None:
    """Without it `make claims` could not judge: docs/claims.toml, [[edit]] with this number."""
    own = [one for one in DELETIONS if one.claim == claim]
    assert own, f"write an [[edit]] with claim = {claim.number}"
    assert [one.part for one in own if (one.file, one.test) == (claim.file, claim.test)]


@each_deletion
def test_test_of_a_deletion_exists(one: Deletion) -> None:
    assert is_there(one.file, one.test)


@each_deletion
def test_what_is_deleted_stands_there_and_the_rest_can_be_read(one: Deletion) -> None:
    for edit in one.edits:
        text = (ROOT / edit.file).read_text("utf-8")
        gone, control = edit.guard_gone(text), edit.nothing_changed(text)
        assert text not in (gone, control)
        if edit.file.endswith(".py"):
            assert ast.dump(ast.parse(control)) == ast.dump(ast.parse(text))
            assert ast.dump(ast.parse(gone)) != ast.dump(ast.parse(text))


@each_deletion
def test_each_deletion_is_of_a_guard_that_the_claim_names(one: Deletion) -> None:
    """In the guard's own file, or a call of it by its name."""
    for edit in one.edits:
        assert any(_is_of(guard, edit.file, edit.remove) for guard in one.claim.guards), edit.what


def _is_of(guard: str, file: str, removed: str) -> bool:
    module, _, name = guard.partition(":")
    own = guard if guard.endswith(OF_PAGE) else f"src/{module.replace('.', '/')}.py"
    return own == file or (bool(name) and f"{name}(" in removed)
