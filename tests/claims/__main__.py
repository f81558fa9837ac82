"""`make claims`: deletes the guard of every claim, one at a time, and demands that its test fails.

Each claim's test runs twice in a copy of the project: once without the guard, where it has to fail
by an assertion, and once with a line of comment at the same place, where it has to pass.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue

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


def judged_all(
    chosen: list[Deletion], folder: Path, at_once: int, limit_s: float
) -> Iterator[tuple[Row, str, float]]:
    """Each one's row, what its test said, and the seconds that it took: as many at once as may be,
    each in a copy of its own; those with a browser, which hold real clocks, one by one after all.
    """
    trees = SimpleQueue[Tree]()
    for number in range(at_once):
        (folder / str(number)).mkdir()
        trees.put(Tree(folder / str(number)))

    def one_of(one: Deletion) -> tuple[Row, str, float]:
        tree, begun = trees.get(), time.monotonic()
        try:
            return *judged(tree, one, limit_s), time.monotonic() - begun
        finally:
            trees.put(tree)

    with ThreadPoolExecutor(at_once) as judges:
        for future in as_completed([judges.submit(one_of, one) for one in chosen if not slow(one)]):
            yield future.result()
    yield from map(one_of, filter(slow, chosen))


def slow(one: Deletion) -> bool:
    """Whether a test drives a browser."""
    return one.file.startswith(SLOW)


def in_order(only: tuple[int, ...], skip_browser: bool) -> list[Deletion]:
    """What to judge, tests with a browser last."""
    chosen = [one for one in deletions() if not only or one.claim.number in only]
    if skip_browser:
        chosen = [one for one in chosen if not slow(one)]
    return sorted(chosen, key=slow)


@click.command(help=__doc__)
@click.option("--only", type=int, multiple=True, help="Judge this claim; may be given again.")
@click.option(
    "--no-browser", is_flag=True, help="Leave out the claims whose test drives a browser."
)
@click.option(
    "--at-once", default=os.cpu_count() or 1, show_default="cores", help="So many side by side."
)
@click.option("--limit", default=900.0, show_default=True, help="Seconds for one run of a test.")
@click.option("--show", is_flag=True, help="Show what pytest said where a claim is not killed.")
def main(
    only: tuple[int, ...], no_browser: bool, at_once: int, limit: float, show: bool
) -> None:  # fmt: skip
    """Judge, print a line a claim, then one line of JSON; end with 1 unless all are killed."""
    chosen = in_order(only, no_browser)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="claims-") as folder:
        for row, said, took in judged_all(chosen, Path(folder), at_once, limit):
            rows.append(row)
            print(
                f"[{len(rows):3}/{len(chosen)}] claim {row['claim']:3}  {row['is']:18}"
                f"without the guard: {row['deleted']}; control: {row['control']}  ({took:.0f} s) "
                f"{row['part']}".rstrip(),
                flush=True,
            )
            if show and row["is"] != "killed":
                print(said[-_SHOWN:], flush=True)
    rows.sort(key=lambda row: (row["claim"], row["part"]))
    counts = Counter(str(row["is"]) for row in rows)
    print(json.dumps({"judged": len(rows), **counts, "claims": rows}))
    sys.exit(0 if rows and counts["killed"] == len(rows) else 1)


if __name__ == "__main__":
    main()
