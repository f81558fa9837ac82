"""The numbers are the same in the spec, in the vectors and in the code."""

from __future__ import annotations

import re
from pathlib import Path

from vectors.in_python import HERE, load

from wallflower.wire import sizes


def _in_code() -> dict[str, int]:
    return {
        name: value
        for name, value in vars(sizes).items()
        if name.isupper() and isinstance(value, int)
    }


def test_vectors_hold_the_table_of_the_spec() -> None:
    table = (HERE.parent / "spec" / "sizes.md").read_text("utf-8")
    rows = re.findall(r"^\| ([A-Z_]+) \| ([0-9]+) \|", table, re.MULTILINE)
    assert load("sizes/sizes.json") == {name: int(value) for name, value in rows}


def test_code_holds_the_numbers_of_the_vectors() -> None:
    own = {"VERSION", "DAY_S", "WEEK_BASE_DAY"}
    assert {k: v for k, v in _in_code().items() if k not in own} == load("sizes/sizes.json")


def test_sizes_add_up() -> None:
    s = sizes
    assert s.HELLO_HEADER + s.SEAL_A + s.HELLO_INNER == s.CELL
    assert s.BODY_HEADER + s.BODY_PIECE + s.TAG == s.CELL
    assert s.LETTER + s.TAG == s.PARCEL_BODY == 3 * s.BODY_PIECE
    assert s.SEAL_OVERHEAD + s.LETTER_PLAIN == s.LETTER
    assert s.LETTER_TEXT // len("花".encode()) == 1950
    assert s.REPLY_TEXT // len("花".encode()) == 238
    assert s.SEGMENT <= 12_000


def test_week_0_begins_on_the_first_monday_of_2024() -> None:
    assert [sizes.week_of_day(d) for d in (19723, 19729, 19730)] == [0, 0, 1]


def test_spec_pages_and_vectors_have_the_same_names() -> None:
    # The store never travels: its tests are the page's own. A loop is a hum of its keys and token,
    # and no page reads a census or a pull: these are tested in Python alone. Versions are of all
    # structures; a bundle is the TUF specification's.
    without = {"README", "crypto", "store", "loop", "census", "pull", "versions", "bundle"}
    pages = {page.stem for page in (HERE.parent / "spec").glob("*.md")} - without
    folders = {hand.parent.name for hand in HERE.glob("*/hand.json")} | {"sizes"}
    assert folders == pages
    assert all(Path(HERE / name).is_dir() for name in pages)
