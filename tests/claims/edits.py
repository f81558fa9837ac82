"""The claims of docs/claims.md and, of each, the text without which its guard is gone.

docs/claims.toml holds the deletions as data: `file`, what is removed (`remove`, whole lines that
stand there exactly once), and what stands there afterwards (`instead`, nothing unless it is given).
Several edits of one claim are made together: then it has that many guards. A claim of two promises
has a `part` more, with a `test` of its own, which is judged by itself.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (`.+?`) \| `(.+?)::(.+?)` \|$", re.MULTILINE)


_COMMENTS = {
    ".py": "# the control",
    ".ts": "// the control",
    ".mjs": "// the control",
    ".html": "<!-- the control -->",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """One row of docs/claims.md; a claim may have more than one guard."""

    number: int
    text: str
    guards: tuple[str, ...]
    file: str
    test: str


@dataclass(frozen=True, slots=True)
class Edit:
    """In `file`, `remove` becomes `instead`; `what` says in words what is missing then."""

    what: str
    file: str
    remove: str
    instead: str = ""

    def guard_gone(self, text: str) -> str:
        """The file's text without the guard; ValueError when it does not stand there once."""
        return self._replaced(text, self.instead)

    def nothing_changed(self, text: str) -> str:
        """The control: at the same place, an edit that changes nothing: one line of comment."""
        indent = self.remove[: len(self.remove) - len(self.remove.lstrip())]
        comment = _COMMENTS[Path(self.file).suffix]
        return self._replaced(text, f"{indent}{comment}\n{self.remove}")

    def _replaced(self, text: str, by: str) -> str:
        found = list(re.finditer(f"^{re.escape(self.remove)}", text, re.MULTILINE))
        if len(found) != 1:
            raise ValueError(f"{self.file} does not hold once:\n{self.remove}")
        return text[: found[0].start()] + by + text[found[0].end() :]


@dataclass(frozen=True, slots=True)
class Deletion:
    """What is deleted at once, and the test that has to notice: the claim's, or that of a part."""

    claim: Claim
    part: str
    file: str
    test: str
    edits: list[Edit] = field(default_factory=list)


def claims() -> list[Claim]:
    """All claims, in the order of the table."""
    rows = ROW.findall((ROOT / "docs" / "claims.md").read_text("utf-8"))
    return [
        Claim(int(number), text, tuple(re.findall(r"`(.+?)`", guards)), file, test)
        for number, text, guards, file, test in rows
    ]


def deletions() -> list[Deletion]:
    """Every deletion of docs/claims.toml, in the order of the claims."""
    read = tomllib.loads((ROOT / "docs" / "claims.toml").read_text("utf-8"))
    known = {claim.number: claim for claim in claims()}
    found: dict[tuple[int, str], Deletion] = {}
    for row in read["edit"]:
        claim, part = known[row.pop("claim")], row.pop("part", "")
        file, _, test = row.pop("test", f"{claim.file}::{claim.test}").partition("::")
        one = found.setdefault((claim.number, part), Deletion(claim, part, file, test))
        one.edits.append(Edit(**row))
    return [found[key] for key in sorted(found)]
