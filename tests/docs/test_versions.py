"""spec/versions.md: every structure is in its table, and another version is refused as it says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from wallflower.crypto.hpke import info
from wallflower.errors import Refused
from wallflower.wire.cell import parse_cell
from wallflower.wire.census import Census, make_census, parse_census
from wallflower.wire.drop import parse_drop
from wallflower.wire.record import parse_record
from wallflower.wire.segment import parse_head, parse_segment
from wallflower.wire.sizes import TOKEN_SET, VERSION
from wallflower.wire.token import parse_set

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "spec" / "versions.md").read_text("utf-8")
ROWS: list[tuple[str, str, str]] = re.findall(r"^   \| (\[.+?) \| (.+?) \| (.*?) ?\|$", PAGE, re.M)
READERS: dict[str, Callable[[bytes], object]] = {
    "cell": parse_cell, "record": parse_record, "drop": parse_drop, "segment": parse_segment,
    "head": parse_head, "token": parse_set, "census": parse_census,
}  # fmt: skip


def _made(structure: str, what: str = "") -> bytes:
    file = ROOT / "vectors" / structure / "hand.json"
    vectors = json.loads(file.read_text("utf-8"))["vectors"]
    return next(bytes.fromhex(v["bytes"]) for v in vectors if v["inputs"].get("what", "") == what)


def _sample(name: str) -> bytes:
    if name == "census":
        return make_census(Census(record=7, day=20778, rows=()), bytes(32))
    if name in ("segment", "head"):
        return _made("segment", name)
    return _made(name, {"token": "set"}.get(name, ""))


def _number(name: str) -> str:
    """The refusal that the table gives for a structure of this name."""
    named = {"head": "segment"}.get(name, name)
    return next(last for who, _, last in ROWS if who.startswith(f"[{named}]") and "." in last)


def test_every_structure_has_its_row() -> None:
    listed = {name for who, *_ in ROWS for name in re.findall(r"\[(\w+)\]", who)}
    index = (ROOT / "spec" / "README.md").read_text("utf-8")
    pages = set(re.findall(r"^\| \[(\w+)\]", index, re.M)) - {"versions"}
    assert listed == pages
    assert len(ROWS) > 8


@pytest.mark.parametrize("name", sorted(READERS))
@pytest.mark.parametrize("version", [0, VERSION + 1, 255])
def test_another_version_is_refused_by_the_number_of_the_table(name: str, version: int) -> None:
    good = _sample(name)
    READERS[name](good)
    assert good[0] == VERSION
    with pytest.raises(Refused) as refused:
        READERS[name](bytes([version]) + good[1:])
    assert refused.value.rule == _number(name)


def test_what_has_no_version_of_its_own_is_sealed_under_the_suite() -> None:
    assert info("hop-a", bytes(32)).startswith(b"wallflower/1\0")
    assert len(_sample("token")) == TOKEN_SET


def test_every_number_of_the_table_is_one_of_its_page() -> None:
    for who, _, last in ROWS:
        for page, section, item in re.findall(r"(\w+) (\d+)\.(\d+)", last):
            assert f"[{page}]" in who
            text = (ROOT / "spec" / f"{page}.md").read_text("utf-8")
            listed = text.split(f"\n{section}. ")[1]
            assert re.search(rf"^   {item}\. .*version", listed, re.M), f"{page} {section}.{item}"


def test_the_page_of_last_year_names_the_tests_that_hold_it() -> None:
    for file in re.findall(r"`((?:tests|page)/[\w/.-]+)`", PAGE):
        assert (ROOT / file).is_file(), file
