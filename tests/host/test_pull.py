"""An inner node's pull: nothing is lost, only what is acknowledged goes, and answers are judged."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wallflower.errors import Refused
from wallflower.host.asgi import Receive, Scope, Send, answer
from wallflower.host.disk import Folder
from wallflower.host.log import Entry, Log
from wallflower.host.net import Unreachable
from wallflower.host.pull import (
    WHOLE,
    Share,
    encode_entries,
    log_route,
    make_question,
    parse_alike,
    parse_entries,
    parse_question,
    parse_share_question,
    pull,
    pull_alike,
)
from wallflower.lab.host import SimulatedNet, ask

TOKEN = "right-token"
URL = "http://upstream.example/cells"


@pytest.fixture
def log(tmp_path: Path) -> Log:
    log = Log(Folder(tmp_path).database("cells.db"), "cells")
    log.append(4, [b"a", b"bb", b""])
    return log


def net(log: Log) -> SimulatedNet:
    return SimulatedNet({"upstream.example": log_route(log, TOKEN)})


def answering(entries: list[Entry]) -> SimulatedNet:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await answer(send, 200, encode_entries(entries))

    return SimulatedNet({"upstream.example": app})


async def test_what_was_appended_is_pulled_whole_and_in_order(log: Log) -> None:
    got = await pull(net(log), URL, TOKEN, 0, 100)
    assert got == [Entry(1, 4, b"a"), Entry(2, 4, b"bb"), Entry(3, 4, b"")]


async def test_a_pull_trims_only_what_it_acknowledges(log: Log) -> None:
    await pull(net(log), URL, TOKEN, 0, 100)
    assert log.size() == 3, "nothing is on the asker's disk yet"
    assert await pull(net(log), URL, TOKEN, 2, 100) == [Entry(3, 4, b"")]
    assert log.size() == 1
    assert await pull(net(log), URL, TOKEN, 3, 100) == []
    assert log.size() == 0


async def test_a_pull_never_asks_for_more_than_it_names(log: Log) -> None:
    assert [e.seq for e in await pull(net(log), URL, TOKEN, 0, 2)] == [1, 2]


@pytest.mark.parametrize("token", ["", "wrong-token", "right-toke", "right-token2"])
async def test_a_wrong_token_is_refused_and_the_log_unchanged(log: Log, token: str) -> None:
    with pytest.raises(Unreachable):
        await pull(net(log), URL, token, 3, 100)
    assert log.size() == 3


@pytest.mark.parametrize("size", [0, 11, 13, 4000])
async def test_a_question_of_another_length_is_refused_and_the_log_unchanged(
    log: Log, size: int
) -> None:
    assert await ask(log_route(log, TOKEN), "POST", "/", b"\xff" * size, TOKEN) == (400, b"")
    assert log.size() == 3
    with pytest.raises(Refused) as refusal:
        parse_question(bytes(size))
    assert refusal.value.rule == "pull 3.2"


async def test_a_question_beyond_every_number_is_answered_not_crashed_on(log: Log) -> None:
    after = (2**64 - 1).to_bytes(8) + (100).to_bytes(4)
    assert await ask(log_route(log, TOKEN), "POST", "/", after, TOKEN) == (400, b"")
    assert log.size() == 3


ENTRIES = [Entry(1, 4, b"a"), Entry(2, 4, b"bb"), Entry(9, 5, b"")]


@pytest.mark.parametrize("cut", range(1, len(encode_entries(ENTRIES))))
def test_an_answer_cut_anywhere_but_between_entries_is_refused(cut: int) -> None:
    whole = encode_entries(ENTRIES)
    between = {len(encode_entries(ENTRIES[:n])) for n in range(4)}
    if cut in between:
        assert parse_entries(whole[:cut]) == ENTRIES[: sorted(between).index(cut)]
        return
    with pytest.raises(Refused) as refusal:
        parse_entries(whole[:cut])
    assert refusal.value.rule == "pull 3.1"


@pytest.mark.parametrize("order", [(2, 1), (1, 1), (1, 3, 2)])
def test_an_answer_out_of_order_is_refused(order: tuple[int, ...]) -> None:
    with pytest.raises(Refused) as refusal:
        parse_entries(encode_entries([Entry(n, 4, b"x") for n in order]))
    assert refusal.value.rule == "pull 3.1"


@pytest.mark.parametrize("seq", [0, 4, 5, 2**40 + 6, 2**63])
async def test_an_answer_that_repeats_or_overruns_what_was_asked_is_refused(seq: int) -> None:
    with pytest.raises(Refused) as refusal:
        await pull(answering([Entry(seq, 4, b"x")]), URL, TOKEN, 5, 100)
    assert refusal.value.rule == "pull 3.1"


async def test_an_answer_of_more_entries_than_asked_is_refused() -> None:
    with pytest.raises(Refused) as refusal:
        await pull(answering([Entry(n, 4, b"x") for n in (6, 7, 8)]), URL, TOKEN, 5, 2)
    assert refusal.value.rule == "pull 3.1"


@settings(derandomize=True, deadline=None, database=None)
@given(
    st.lists(
        st.builds(Entry, st.integers(0, 2**63), st.integers(0, 65535), st.binary(max_size=50)),
        unique_by=lambda e: e.seq,
    )
)
def test_entries_come_back_as_they_were(entries: list[Entry]) -> None:
    entries.sort(key=lambda e: e.seq)
    assert parse_entries(encode_entries(entries)) == entries


ALIKE = [Entry(seq, seq % 3, bytes([seq]) * 6) for seq in (1, 2, 4, 9)]


@pytest.mark.parametrize(
    "entries",
    [ALIKE, [e._replace(body=b"") for e in ALIKE], ALIKE[:1], [*ALIKE, Entry(10, 0, b"")]],
)
def test_bodies_of_one_length_are_cut_as_any_others(entries: list[Entry]) -> None:
    assert parse_entries(encode_entries(entries)) == entries


@pytest.mark.parametrize(
    "data",
    [
        encode_entries(ALIKE[::-1]), encode_entries([ALIKE[0], *ALIKE]), encode_entries(ALIKE)[:-1],
        # As long as if all were alike, but the second says that it is longer, and ends too late.
        encode_entries(ALIKE[:1]) + bytes(7) + b"\x02" + bytes(2) + (7).to_bytes(4) + b"abcdef",
    ],
)  # fmt: skip
def test_bodies_of_one_length_are_refused_as_any_others(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        parse_entries(data)
    assert refused.value.rule == "pull 3.1"


@settings(derandomize=True, deadline=None, database=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_entries_or_refused(data: bytes) -> None:
    try:
        assert encode_entries(parse_entries(data)) == data
    except Refused as refusal:
        assert refusal.rule == "pull 3.1"


@given(st.binary(max_size=20))
def test_any_bytes_are_a_question_for_a_share_or_refused_by_a_number(data: bytes) -> None:
    try:
        after, most, share = parse_share_question(data)
    except Refused as refused:
        assert refused.rule in ("pull 3.2", "pull 3.3")
        return
    assert share.number < share.of
    assert (after, share) == (int.from_bytes(data[:8]), Share(*data[12:]) if data[12:] else WHOLE)
    assert parse_share_question(make_question(after, most, share)) == (after, most, share)


@pytest.mark.parametrize(
    ("tail", "rule"), [(b"\1", "pull 3.2"), (b"\1\2\3", "pull 3.2"), (b"\2\2", "pull 3.3")]
)
def test_what_names_no_share_is_refused(tail: bytes, rule: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_share_question(make_question(7, 9) + tail)
    assert refused.value.rule == rule


@given(st.lists(st.tuples(st.integers(0, 2**63 - 1), st.sampled_from([2, 3, 5])), max_size=6))
def test_bodies_of_one_length_are_found_and_others_are_left_out(
    many: list[tuple[int, int]],
) -> None:
    numbers = sorted({seq for seq, _ in many})
    sizes = [size for _, size in many][: len(numbers)]
    entries = [
        Entry(seq, 1, bytes([n]) * size)
        for n, (seq, size) in enumerate(zip(numbers, sizes, strict=True))
    ]
    found = parse_alike(encode_entries(entries), 3)
    starts = range(found.first, len(found.data), found.step)
    assert [found.data[at : at + 3] for at in starts] == [
        e.body for e in entries if len(e.body) == 3
    ]
    assert (found.count + found.others, found.last) == (len(entries), max(numbers, default=0))


@given(st.lists(st.integers(0, 2) | st.integers(0, 65535), max_size=6), st.data())
def test_bodies_of_one_length_are_found_by_record_in_their_order(
    records: list[int], data: st.DataObject
) -> None:
    odd = data.draw(st.sets(st.integers(0, 5)))
    entries = [
        Entry(n, record, bytes([n]) * (3 + (n in odd))) for n, record in enumerate(records, 1)
    ]
    found = parse_alike(encode_entries(entries), 3)
    told = {
        record: [found.data[at : at + 3] for at in starts]
        for record, starts in found.by_record().items()
    }
    alone: dict[int, list[bytes]] = {}
    for entry in entries:
        if len(entry.body) == 3:
            alone.setdefault(entry.record, []).append(entry.body)
    assert told == alone


@given(st.binary(max_size=80))
def test_any_bytes_hold_bodies_of_one_length_or_are_refused(data: bytes) -> None:
    try:
        found = parse_alike(data, 3)
    except Refused as refused:
        assert refused.rule == "pull 3.1"
        return
    assert len(found.data) == found.count * found.step


async def test_cells_of_which_the_first_was_had_already_are_refused() -> None:
    net = answering([Entry(n, 1, b"abc") for n in (5, 6)])
    with pytest.raises(Refused) as refused:
        await pull_alike(net, URL, TOKEN, 5, 10, 3)
    assert refused.value.rule == "pull 3.1"


@pytest.mark.parametrize("last", [5, 2**40 + 6, 2**63])
async def test_cells_that_go_back_or_beyond_every_number_are_refused(last: int) -> None:
    net = answering([Entry(last, 1, b"abc")])
    with pytest.raises(Refused) as refused:
        await pull_alike(net, URL, TOKEN, 5, 10, 3)
    assert refused.value.rule == "pull 3.1"


@pytest.mark.parametrize("numbers", [(6, 6), (6, 7, 7), (6, 9, 7), (8, 7)])
async def test_more_cells_than_there_are_numbers_for_are_refused(numbers: tuple[int, ...]) -> None:
    net = answering([Entry(n, 1, b"abc") for n in numbers])
    with pytest.raises(Refused) as refused:
        await pull_alike(net, URL, TOKEN, 5, 10, 3)
    assert refused.value.rule == "pull 3.1"


@pytest.mark.parametrize("between", [(7, 8), (8, 7), (7, 7), (3, 2**63)])
async def test_what_stands_between_the_first_number_and_the_last_decides_nothing(
    between: tuple[int, int],
) -> None:
    """So a node that sends such numbers reaches nothing that rising ones would not."""
    found = await pull_alike(
        answering([Entry(n, n in between, b"abc") for n in (6, *between, 9)]), URL, TOKEN, 5, 10, 3
    )
    assert (found.count, found.others, found.head, found.last) == (4, 0, 6, 9)
    assert found.by_record() == {0: [14, 65], 1: [31, 48]}


async def test_more_cells_than_were_asked_for_are_refused() -> None:
    net = answering([Entry(n, 1, b"abc") for n in range(1, 12)])
    with pytest.raises(Refused) as refused:
        await pull_alike(net, URL, TOKEN, 0, 10, 3)
    assert refused.value.rule == "pull 3.1"
