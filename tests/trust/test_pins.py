"""The pins file: read whole or not at all, and a Fault says which file to copy again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.trust.made import PINS

from wallflower.errors import Fault
from wallflower.trust.pins import parse_pins


def test_pins_come_back_as_they_were() -> None:
    assert parse_pins(PINS.encode()) == PINS


@pytest.mark.parametrize("name", ["root", "organisation", "a", "b", "desk"])
def test_pins_without_one_field_are_a_fault(name: str) -> None:
    fields = json.loads(PINS.encode())
    del fields[name]
    with pytest.raises(Fault, match=r"pins\.json"):
        parse_pins(json.dumps(fields).encode())


def test_brackets_without_an_end_are_a_fault_and_no_crash() -> None:
    with pytest.raises(Fault, match=r"pins\.json"):
        parse_pins(b"[" * 100_000)


@pytest.mark.parametrize("value", ["", "00" * 31, "00" * 33, "zz" * 32, 5, None, [], {}])
def test_a_key_that_is_none_is_a_fault(value: object) -> None:
    fields = {**json.loads(PINS.encode()), "a": value}
    with pytest.raises(Fault, match=r"pins\.json"):
        parse_pins(json.dumps(fields).encode())


@pytest.mark.parametrize("desk", [5, None, ["Office"]])
def test_a_desk_that_is_no_name_is_a_fault(desk: object) -> None:
    with pytest.raises(Fault, match=r"pins\.json"):
        parse_pins(json.dumps({**json.loads(PINS.encode()), "desk": desk}).encode())


@settings(derandomize=True, deadline=None, database=None)
@given(st.one_of(st.binary(max_size=60), st.sampled_from([b"[]", b"1", b"null", b'"x"', b"{}"])))
def test_any_other_bytes_are_a_fault(data: bytes) -> None:
    with pytest.raises(Fault):
        parse_pins(data)
