"""What a run of a claim's test says about its guard. Pure: a witness's words in, a verdict out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Seen = Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`red` by an assertion `at` a line, `green`, `skipped`, or `wrong` with the reason."""

    is_: str
    why: str = ""
    at: str = field(default="", compare=False)

    def __str__(self) -> str:
        more = self.why or self.at
        return f"{self.is_} ({more})" if more else self.is_


def judge(seen: Seen) -> Verdict:
    """Red only when the test itself fails by an assertion, and nothing fails in another way."""
    failed = [one for one in seen if one["outcome"] == "failed"]
    for one in failed:
        if one["phase"] != "call" or one["kind"] != "assertion":
            return Verdict("wrong", f"{one['kind'] or '?'} in {one['phase']}")
    if failed:
        return Verdict("red", at=failed[0].get("at", ""))
    if any(one["outcome"] == "skipped" for one in seen):
        return Verdict("skipped", "the test was skipped")
    called = [one for one in seen if one["phase"] == "call"]
    return Verdict("green") if called else Verdict("wrong", "no test ran")


def together(deleted: Verdict, control: Verdict) -> str:
    """A claim's word: killed, survived, wrong kind, control not green, or not judged."""
    if "skipped" in (deleted.is_, control.is_):
        return "not judged"
    if control.is_ != "green":
        return "control not green"
    return {"red": "killed", "green": "survived"}.get(deleted.is_, "wrong kind")
