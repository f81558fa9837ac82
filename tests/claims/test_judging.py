"""The judge of `make claims`, and one claim judged for real in a copy."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.claims.edits import Edit, deletions
from tests.claims.judging import Verdict, judge, together
from tests.claims.tree import Tree
from tests.claims.witness import kind_of, place_of

RED = {"test": "t", "phase": "call", "outcome": "failed", "kind": "assertion"}
GREEN = {"test": "t", "phase": "call", "outcome": "passed", "kind": ""}
SETUP = {"test": "t", "phase": "setup", "outcome": "passed", "kind": ""}
LIMIT_S = 300.0


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        ([SETUP, GREEN], "green"),
        ([SETUP, RED], "red"),
        ([GREEN, RED], "red"),
        ([RED | {"kind": "TimeoutError"}], "wrong"),
        ([RED, RED | {"kind": "KeyError"}], "wrong"),
        ([SETUP | {"outcome": "failed", "kind": "assertion"}], "wrong"),
        ([RED | {"phase": "teardown"}], "wrong"),
        ([RED | {"phase": "collect", "kind": "import"}], "wrong"),
        ([SETUP | {"outcome": "skipped"}], "skipped"),
        ([SETUP], "wrong"),
        ([], "wrong"),
    ],
)
def test_only_an_assertion_of_the_test_itself_is_red(
    seen: list[dict[str, str]], verdict: str
) -> None:
    assert judge(seen).is_ == verdict


@pytest.mark.parametrize(
    ("deleted", "control", "word"),
    [
        ("red", "green", "killed"), ("green", "green", "survived"),
        ("wrong", "green", "wrong kind"), ("red", "red", "control not green"),
        ("red", "wrong", "control not green"),
        ("skipped", "skipped", "not judged"),
    ],
)  # fmt: skip
def test_a_claim_is_killed_when_its_deletion_is_red_and_its_control_green(
    deleted: str, control: str, word: str
) -> None:
    assert together(Verdict(deleted), Verdict(control)) == word


def test_an_error_inside_of_a_group_is_not_taken_for_an_assertion() -> None:
    assert kind_of(ExceptionGroup("two", [AssertionError(), KeyError()])) == "KeyError"
    assert kind_of(ExceptionGroup("two", [AssertionError(), AssertionError()])) == "assertion"
    assert kind_of(pytest.fail.Exception("DID NOT RAISE")) == "assertion"


def test_where_the_tests_noticed_is_noted() -> None:
    try:
        assert not str(kind_of)
    except AssertionError as error:
        assert kind_of(error) == "assertion"
        assert place_of(error).startswith("tests/claims/test_judging.py:")
        assert place_of(ExceptionGroup("one", [error])) == place_of(error)


def test_an_edit_whose_text_is_not_there_once_is_refused() -> None:
    edit = Edit("x", "x.py", "    a()\n")
    assert edit.guard_gone("def f():\n    a()\n    b()\n") == "def f():\n    b()\n"
    for text in ("", "    a()\n    a()\n", "if 1:    a()\n"):
        with pytest.raises(ValueError, match="does not hold once"):
            edit.guard_gone(text)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A copy of the project."""
    return Tree(tmp_path_factory.mktemp("claims"))


def test_a_deletion_in_the_copy_is_killed_and_one_of_something_else_survives(tree: Tree) -> None:
    """A record's signatures. The copy's package is the one that runs, in child processes too."""
    all_of_them = {one.claim.number: one for one in deletions()}
    signatures, floor = all_of_them[14], all_of_them[18]
    place = tree.path / signatures.edits[0].file
    before = place.read_text("utf-8")
    assert tree.run_with(signatures, Edit.guard_gone, LIMIT_S) == Verdict("red")
    elsewhere = replace(signatures, edits=floor.edits)
    assert tree.run_with(elsewhere, Edit.guard_gone, LIMIT_S) == Verdict("green")
    assert place.read_text("utf-8") == before
    fault = replace(signatures.edits[0], remove="_STALE = ", instead="_STALE = 1 / 0  # ")
    broken = replace(signatures, edits=[fault])
    assert tree.run_with(broken, Edit.guard_gone, LIMIT_S).is_ == "wrong"
    # A fault of another kind is no deletion of a guard, although it ends by an AssertionError.
    fault = replace(signatures.edits[0], instead="    assert not signed\n")
    planted = tree.run_with(replace(signatures, edits=[fault]), Edit.guard_gone, LIMIT_S)
    assert planted == Verdict("wrong", "an assertion of the product in call")
    nobody = replace(signatures, test="test_that_is_not_there")
    assert tree.run_with(nobody, Edit.guard_gone, LIMIT_S) == Verdict("wrong", "no test ran")
    assert tree.run_with(signatures, Edit.guard_gone, 0.1) == Verdict("wrong", "not over after 0 s")
    python = tree.path / ".venv" / "bin" / "python"
    asked = [str(python), "-c", "import wallflower, json; print(json.dumps(wallflower.__file__))"]
    said = subprocess.run(asked, cwd="/", env={}, capture_output=True, check=True).stdout
    assert Path(json.loads(said)).is_relative_to(tree.path)
