"""Whether what a line of docs/sentences.txt names is there: a claim, loss, rule, test, vector."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

from tests.claims.edits import ROOT, claims
from tests.claims.rules import read_pages, refusing

ADR, SPEC = "docs/adr/", "spec/"


def is_there(file: str, name: str) -> bool:
    """A function of a Python file, or a test of the page by its title."""
    if not (ROOT / file).is_file():
        return False
    text = (ROOT / file).read_text("utf-8")
    if file.endswith(".ts"):
        return f"test('{name}'" in text
    return bool(re.search(rf"^(async )?def {re.escape(name)}\(", text, re.MULTILINE))


@cache
def _numbers() -> set[str]:
    return {str(claim.number) for claim in claims()}


def _claim(rest: str) -> bool:
    return set(rest.split(", ")) <= _numbers()


def _test(rest: str) -> bool:
    file, _, name = rest.partition("::")
    return is_there(file, name)


def _vectors(rest: str) -> bool:
    return bool(rest) and (ROOT / "vectors" / rest / "hand.json").is_file()


@cache
def _refusal(rule: str) -> bool:
    page = rule.partition(" ")[0]
    return page in read_pages() and rule in refusing(page)


def backs(losses: list[str], held: Mapping[str, str]) -> dict[str, Callable[[str], bool]]:
    """Each kind that names something, and whether that is there. `held`: rule -> its judgement."""

    def _rule(rest: str) -> bool:
        each = rest.split(", ")
        return all(_refusal(one) or held.get(one, "plain") not in ("plain", "?") for one in each)

    return {
        "claim": _claim,
        "loss:": lambda rest: bool(rest) and any(rest in block for block in losses),
        "rule": _rule,
        "test": _test,
        "vectors": _vectors,
        "refusal": _refusal,
    }


def kinds_of(file: str) -> tuple[str, ...]:
    """The kinds that a line of this file may be of, [plain] not counted."""
    if file.startswith(SPEC):
        return ("claim", "loss:", "test", "vectors", "refusal")
    return ("claim", "loss:", "rule", "test") if file.startswith(ADR) else ("claim", "loss:")
