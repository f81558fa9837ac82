"""Whatever bytes come, a parser gives its structure or Refused, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.wire.stages import STAGES
from vectors.in_python import HERE, desk_keys, key, load, private, record_of

from wallflower.errors import Refused
from wallflower.wire import (
    cell,
    drop,
    hello,
    letter,
    offer,
    parcel,
    receipt,
    record,
    reply,
    segment,
)

TODAY = record_of("today")
HASH = TODAY.hash()
PARSERS: dict[str, Callable[[bytes], object]] = {
    "cell": cell.parse_cell,
    "hello at A": lambda d: hello.open_seal_a(private("hop_a"), HASH, d),
    "hello at B": lambda d: hello.open_seal_b(private("hop_b"), HASH, d),
    "B's record": hello.parse_b_record,
    "parcel": parcel.parse_parcel,
    "parcel body": lambda d: parcel.open_parcel_body(bytes(32), d),
    "letter": lambda d: letter.open_letter(desk_keys("today"), d),
    "letter plain": lambda d: letter.parse_letter(d, 125),
    "record": record.parse_record,
    "record body": record.parse_body,
    "offer": lambda d: offer.verify_offer(d, key("verify", "a"), with_drop=False),
    "drop": drop.parse_drop,
    "reply": lambda d: reply.open_part(bytes(32), 125, 0, d),
    "receipts": receipt.parse_receipts,
    "segment": segment.parse_segment,
    "head": segment.parse_head,
}
GOOD = {
    name: [bytes.fromhex(v["bytes"]) for v in load(f"{name}/hand.json")["vectors"] if "bytes" in v]
    for name in ("cell", "hello", "parcel", "letter", "record", "drop", "reply", "segment")
}
GOOD["plain"] = [bytes.fromhex(v["fields"]["plain"]) for v in load("letter/hand.json")["vectors"]]


def _refuses_or_reads(parse: Callable[[bytes], object], data: bytes) -> None:
    try:
        parse(data)
    except Refused as refused:
        assert refused.rule.split()[0] in {page.stem for page in (HERE.parent / "spec").glob("*")}


@pytest.mark.parametrize("name", sorted(PARSERS))
@given(data=st.binary(max_size=300))
def test_arbitrary_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    _refuses_or_reads(PARSERS[name], data)


@pytest.mark.parametrize("name", sorted(PARSERS))
@settings(max_examples=30)
@given(change=st.data())
def test_good_bytes_of_any_structure_with_changes_are_read_or_refused(
    name: str, change: st.DataObject
) -> None:
    good = change.draw(st.sampled_from(sorted(GOOD)))
    data = bytearray(change.draw(st.sampled_from(GOOD[good])))
    for _ in range(change.draw(st.integers(0, 4))):
        data[change.draw(st.integers(0, len(data) - 1))] = change.draw(st.integers(0, 255))
    cut = change.draw(st.sampled_from([0, 0, 0, 1, 16, 64]))
    _refuses_or_reads(PARSERS[name], bytes(data[: len(data) - cut]))


@pytest.mark.parametrize("structure", ["cell", "parcel", "letter", "record", "drop", "segment"])
@settings(max_examples=60)
@given(change=st.data())
def test_mutated_good_bytes_of_a_structure_are_read_or_refused(
    structure: str, change: st.DataObject
) -> None:
    data = bytearray(change.draw(st.sampled_from(GOOD[structure])))
    head = change.draw(st.booleans())
    for _ in range(change.draw(st.integers(1, 3))):
        at = change.draw(st.integers(0, (120 if head else len(data)) - 1))
        data[at] = change.draw(st.integers(0, 255))
    stages = {s: f for s, f in STAGES[structure].items() if s.startswith("parse")}
    for stage in stages.values():
        _refuses_or_reads(lambda d, stage=stage: stage({}, d), bytes(data))  # type: ignore[misc]


@settings(max_examples=150)
@given(st.integers(4281, 4400), st.integers(0, 255), st.integers(0, 255))
def test_a_record_with_changed_parameters_is_read_or_refused(at: int, one: int, two: int) -> None:
    data = bytearray(TODAY.encode())
    data[at : at + 2] = bytes([one, two])
    _refuses_or_reads(record.parse_body, bytes(data))
