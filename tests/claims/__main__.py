"""`make claims`: deletes the guard of every claim, one at a time, and demands that its test fails.

Each claim's test runs twice in a copy of the project: once without the guard, where it has to fail
by an assertion, and once with a line of comment at the same place, where it has to pass.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import click
from tests.claims.edits import Deletion, Edit, deletions
from tests.claims.judging import together
from tests.claims.tree import Tree

SLOW = "tests/browser/"
_SHOWN = 4000  # characters of what the test said


Row = dict[str, str | int]


def judged(tree: Tree, one: Deletion, limit_s: float) -> tuple[Row, str]:
    """A deletion's row: its word, and how both runs ended; and what the first of them said."""
    deleted = tree.run_with(one, Edit.guard_gone, limit_s)
    said = tree.said.read_text("utf-8", "replace")
    control = tree.run_with(one, Edit.nothing_changed, limit_s)
    return {
        "claim": one.claim.number, "part": one.part, "is": together(deleted, control),
        "deleted": str(deleted), "control": str(control),
    }, said  # fmt: skip


def in_order(only: tuple[int, ...], skip_browser: bool) -> list[Deletion]:
    """What to judge, tests with a browser last."""
    chosen = [one for one in deletions() if not only or one.claim.number in only]
    if skip_browser:
        chosen = [one for one in chosen if not one.file.startswith(SLOW)]
    return sorted(chosen, key=lambda one: one.file.startswith(SLOW))


@click.command(help=__doc__)
@click.option("--only", type=int, multiple=True, help="Judge this claim; may be given again.")
@click.option(
    "--no-browser", is_flag=True, help="Leave out the claims whose test drives a browser."
)
@click.option("--limit", default=900.0, show_default=True, help="Seconds for one run of a test.")
@click.option("--show", is_flag=True, help="Show what pytest said where a claim is not killed.")
def main(only: tuple[int, ...], no_browser: bool, limit: float, show: bool) -> None:
    """Judge, print a line a claim, then one line of JSON; end with 1 unless all are killed."""
    chosen = in_order(only, no_browser)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="claims-") as folder:
        tree = Tree(Path(folder))
        for at, one in enumerate(chosen, 1):
            begun = time.monotonic()
            row, said = judged(tree, one, limit)
            rows.append(row)
            took = time.monotonic() - begun
            print(
                f"[{at:3}/{len(chosen)}] claim {one.claim.number:3}  {row['is']:18}"
                f"without the guard: {row['deleted']}; control: {row['control']}  ({took:.0f} s) "
                f"{one.part}".rstrip(),
                flush=True,
            )
            if show and row["is"] != "killed":
                print(said[-_SHOWN:], flush=True)
    counts = Counter(str(row["is"]) for row in rows)
    print(json.dumps({"judged": len(rows), **counts, "claims": rows}))
    sys.exit(0 if rows and counts["killed"] == len(rows) else 1)


if __name__ == "__main__":
    main()
