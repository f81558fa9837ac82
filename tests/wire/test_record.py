"""The epoch record and the offers that it is composed of. Spec: record.md."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.drawn import Draw, flip
from vectors.in_python import key, private, record_of

from wallflower.crypto import sign
from wallflower.errors import Refused
from wallflower.wire.offer import Offer, make_offer, verify_offer
from wallflower.wire.record import (
    MOST_SEGMENTS,
    DeskEntry,
    Pace,
    Parameters,
    Way,
    WayKind,
    check_parameters,
    desk_entry_hash,
    parse_body,
    parse_record,
)
from wallflower.wire.sizes import DAY_S, KEM_PUBLIC, RECORD_MAX, SIGNATURE, WEEK_BASE_DAY

TODAY = record_of("today")


def test_signatures_are_no_part_of_the_record_hash() -> None:
    body = TODAY.encode()
    one, other = parse_record(body + bytes(192)), parse_record(body + b"\xff" * 192)
    assert one.body.hash() == other.body.hash() == TODAY.hash()
    assert one.signatures != other.signatures


@given(
    st.integers(0, 65535), st.integers(WEEK_BASE_DAY + 7, 2**17), st.integers(0, DAY_S - 1),
    st.integers(1, 8), st.integers(0, 1),
)  # fmt: skip
def test_any_record_comes_back(number: int, day: int, second: int, desks: int, old: int) -> None:
    draw = Draw(f"record {number}")
    week = (day - WEEK_BASE_DAY) // 7
    entry = DeskEntry("编辑部", week - old, TODAY.desks[0].key)
    body = replace(
        TODAY, number=number, day=day, not_before=day * DAY_S + second, root=draw(32),
        ancestors=tuple(draw(32) for _ in range(16)), desks=(entry,) * desks,
    )  # fmt: skip
    assert parse_body(body.encode()) == body


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=190))
def test_any_printable_url_comes_back(path: str) -> None:
    way = Way(WayKind.INGRESS, 3, "https://" + path)
    assert parse_body(replace(TODAY, ways=(way,)).encode()).ways == (way,)


def test_a_desk_entry_hash_hangs_on_organisation_name_week_and_key() -> None:
    desk = TODAY.desks[0]
    others = (
        replace(desk, name="desc"), replace(desk, week=desk.week - 1),
        replace(desk, key=private("stranger").public),
    )  # fmt: skip
    hashes = {TODAY.desk_entry_hash(d) for d in (desk, *others)}
    assert len(hashes | {desk_entry_hash(bytes(32), desk)}) == 5


def test_a_key_that_is_no_key_is_refused() -> None:
    at = 2 + 2 + 4 + 2 + 16 + 32 + 512
    body = TODAY.encode()
    with pytest.raises(Refused) as refused:
        parse_body(body[:at] + b"\xff" * 1184 + body[at + 1184 :])
    assert refused.value.rule == "record 2.1"


# The smallest and the largest value of each parameter (record 2.7).
BOUNDS = [
    ("tick", 1, 3600), ("slots", 1, 256), ("replies", 1, 4096), ("receipts", 1, 4096),
    ("segments", 1, MOST_SEGMENTS), ("period", 60, DAY_S), ("mean_a", 600, 2**32 - 1),
    ("mean_b", 600, 2**32 - 1), ("floor", 0, 2**16 - 1), ("days", 1, 100_000), ("hums", 1, 60),
]  # fmt: skip


def _parameters_with(name: str, value: int) -> Parameters:
    good = replace(TODAY.parameters, tick=600, mean_a=600, mean_b=2**32 - 1)
    if name == "tick":  # no mean is shorter
        good = replace(good, mean_a=3600)
    if name in ("days", "hums"):
        return replace(good, pace=replace(good.pace, **{name: value}))
    return replace(good, **{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "low", "high"), BOUNDS)
def test_a_parameter_is_taken_to_its_bounds_and_not_beyond(name: str, low: int, high: int) -> None:
    for value in (low, high):
        check_parameters(_parameters_with(name, value))
    for value in (low - 1, high + 1):
        with pytest.raises(Refused) as refused:
            check_parameters(_parameters_with(name, value))
        assert refused.value.rule == "record 2.7"


def test_no_mean_is_shorter_than_a_tick_and_no_period_is_none() -> None:
    for changed in ({"tick": 601, "mean_a": 600}, {"tick": 601, "mean_b": 600}, {"period": 0}):
        with pytest.raises(Refused) as refused:
            check_parameters(replace(TODAY.parameters, **changed))  # type: ignore[arg-type]
        assert refused.value.rule == "record 2.7"


def test_ways_are_read_to_their_bounds_and_not_beyond() -> None:
    longest = Way(WayKind.INGRESS, 255, "https://" + "a" * (200 - len("https://")))
    most = replace(TODAY, ways=(longest,) * 16)
    assert parse_body(most.encode()).ways == most.ways
    for ways in (
        (longest,) * 17, (replace(longest, cells=0),), (replace(longest, url=longest.url + "a"),),
        (replace(longest, kind=WayKind.BOARD),), (replace(longest, url="https://a b"),),
        (replace(longest, url="ftp://a"),),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            parse_body(replace(TODAY, ways=ways).encode())
        assert refused.value.rule == "record 2.6"


def test_a_desk_s_name_never_overflows_its_field() -> None:
    assert len(DeskEntry("n" * 32, 1, TODAY.hop_a).encode()) == 32 + 2 + KEM_PUBLIC
    with pytest.raises(ValueError, match="at most 32 bytes"):
        DeskEntry("编" * 11, 1, TODAY.hop_a).encode()


def test_a_record_is_never_longer_than_the_limit() -> None:
    assert len(TODAY.encode()) + 3 * SIGNATURE < RECORD_MAX
    for size, rule in ((RECORD_MAX, "record 2.2"), (RECORD_MAX + 1, "record 2.1")):
        for parse in (parse_body, parse_record):
            with pytest.raises(Refused) as refused:
                parse(bytes(size))
            assert refused.value.rule == rule


def test_record_time_runs_from_the_anchor_at_the_pace_of_days() -> None:
    assert Pace(1, 1, 0).record_time(1234.5) == 1234.5
    assert Pace(1440, 12, 1_000_000).record_time(1000) == 1000
    assert Pace(1440, 12, 1_000_000).record_time(1060) == 1000 + DAY_S


@pytest.mark.parametrize("with_drop", [True, False])
def test_an_offer_comes_back_and_no_flipped_bit_passes(with_drop: bool) -> None:
    seed, hop = key("signers", "b"), private("hop_b").public
    drop_verify = key("verify", "drop") if with_drop else b""
    offer = Offer(9, hop, drop_verify)
    data = make_offer(offer, seed)
    assert verify_offer(data, key("verify", "b"), with_drop=with_drop) == offer
    for at in (0, 1, 2, 1217, 1218, len(data) - SIGNATURE, len(data) - 1):
        with pytest.raises(Refused) as refused:
            verify_offer(flip(data, at), key("verify", "b"), with_drop=with_drop)
        assert refused.value.rule == "record 5.1"


@pytest.mark.parametrize("cut", [0, 1, 2, 1218, 1249, 1250, 1281])
def test_an_offer_of_another_length_is_refused(cut: int) -> None:
    data = make_offer(Offer(9, private("hop_a").public), key("signers", "a"))
    for wrong in (data[:cut], data + bytes(cut + 1)):
        with pytest.raises(Refused) as refused:
            verify_offer(wrong, key("verify", "a"), with_drop=False)
        assert refused.value.rule == "record 5.1"


def test_an_offer_signed_for_another_purpose_or_with_no_key_inside_is_refused() -> None:
    body = Offer(9, private("hop_a").public).encode()
    seed, verify = key("signers", "a"), key("verify", "a")
    junk = body[:2] + b"\xff" * (len(body) - 2)
    for data in (
        body + sign.sign(seed, "record", body),
        body + sign.sign(key("signers", "stranger"), "offer", body),
        junk + sign.sign(seed, "offer", junk),
    ):
        with pytest.raises(Refused) as refused:
            verify_offer(data, verify, with_drop=False)
        assert refused.value.rule == "record 5.1"


def test_a_period_that_is_no_whole_part_of_a_day_is_refused() -> None:
    parameters = record_of("today").parameters
    with pytest.raises(Refused) as refusal:
        check_parameters(replace(parameters, period=5 * 3600))
    assert refusal.value.rule == "record 2.7"
    check_parameters(replace(parameters, period=6 * 3600))
