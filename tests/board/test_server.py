"""The desk server: who may post what, and what three signatures are for."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pytest
from tests.mix.room import AT_ONCE, DAY, Make, Room, desk_keys, power_cut_at, room_on
from tests.trust.made import STRANGER, private

from wallflower.board.compose import parse_desk_keys
from wallflower.board.release import periods_of_day
from wallflower.crypto import sign
from wallflower.errors import Refused
from wallflower.host.asgi import Headers, Message
from wallflower.host.disk import Folder
from wallflower.lab.host import SeededEntropy, ask
from wallflower.lab.town import TOKEN
from wallflower.trust.board import verify_head, verify_segment
from wallflower.wire.offer import Offer, make_offer
from wallflower.wire.record import parse_body
from wallflower.wire.segment import parse_segment, segment_size
from wallflower.wire.sizes import DAY_S, HASH, RECEIPT, REPLY_SLOT, SIGNATURE

PERIOD = AT_ONCE.period
REFUSED = (400, b"")


def files(room: Room, name: str) -> dict[str, bytes]:
    """A folder of the desk server."""
    folder = room.town.path / "board" / name
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


async def headers_of(
    room: Room, method: str, path: str, body: bytes = b"", token: str = ""
) -> tuple[int, Headers]:
    """Status and headers of one answer."""
    starts: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            starts.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "query_string": b"",
        "headers": [(b"authorization", f"Bearer {token}".encode())] if token else [],
    }  # fmt: skip
    await room.town.server.app(scope, receive, send)
    (start,) = starts
    return start["status"], start["headers"]


def batch(room: Room, day: int, change: int = 0) -> bytes:
    """A day-batch of drawn slots; `change` bytes more or less."""
    p, periods = room.town.parameters, periods_of_day(room.town.record())
    size = periods * (p.replies * REPLY_SLOT + p.receipts * RECEIPT) + change
    return day.to_bytes(4) + SeededEntropy(b"batch%d" % day).draw(size)


async def post(room: Room, path: str, body: bytes, token: str = TOKEN) -> tuple[int, bytes]:
    return await ask(room.town.server.app, "POST", path, body, token)


def full_at(patch: pytest.MonkeyPatch, names: str) -> None:
    """The disk takes no file whose name begins so."""
    real = Folder.write

    def write(folder: Folder, name: str, data: bytes) -> None:
        if name.startswith(names):
            raise OSError(errno.ENOSPC, "no space left")
        real(folder, name, data)

    patch.setattr(Folder, "write", write)


# Records


@pytest.mark.parametrize("position", ["a", "b"])
async def test_an_offer_with_a_bad_signature_is_refused_and_changes_nothing(
    tmp_path: Path, position: str
) -> None:
    room = room_on(tmp_path)
    drop = sign.verify_key(STRANGER) if position == "b" else b""
    offer = Offer(1, private("x").public, drop)
    s = room.town.signers
    wrong = {"a": s.b, "b": s.a}[position]
    for bad in (
        make_offer(offer, STRANGER), make_offer(offer, wrong), make_offer(offer, wrong)[:-1], b"",
        offer.encode() + sign.sign({"a": s.a, "b": s.b}[position], "record", offer.encode()),
    ):  # fmt: skip
        with pytest.raises(Refused) as refusal:
            room.town.server.records.take_offer(position, bad)
        assert refusal.value.rule == "record 5.1"
        assert await post(room, f"/mix/offer/{position}", bad) == REFUSED
    assert room.town.server.records._offers == {}
    room.town.close()


async def test_the_first_offer_for_a_number_stays(tmp_path: Path) -> None:
    room = room_on(tmp_path)
    s = room.town.signers
    for name in ("first", "second"):
        offer = make_offer(Offer(1, private(name).public), s.a)
        assert (await post(room, "/mix/offer/a", offer))[0] == 204
    assert room.town.server.records._offers[("a", 1)].hop == private("first").public
    room.town.close()


async def test_an_offer_far_ahead_or_behind_is_not_kept(make_room: Make) -> None:
    room = await make_room()
    before = dict(room.town.server.records._offers)
    for number in (1, 4, 60):
        offer = make_offer(Offer(number, private("x").public), room.town.signers.a)
        await post(room, "/mix/offer/a", offer)
    assert room.town.server.records._offers == before


async def test_the_desks_first_keys_for_a_day_stay_even_over_a_restart(tmp_path: Path) -> None:
    room = room_on(tmp_path)
    first = desk_keys(range(DAY, DAY + 1))
    assert (await post(room, "/desk/keys", first))[0] == 204
    (known,) = parse_desk_keys(first)
    swapped = DAY.to_bytes(4) + known.desk.raw + known.week.to_bytes(2) + known.drop.raw
    assert swapped != first
    assert (await post(room, "/desk/keys", swapped))[0] == 204
    room.restart()
    assert room.town.server.records._desk[DAY] == known
    assert files(room, "records") == {f"desk-{DAY}": first}
    room.town.close()


async def draft_of(room: Room) -> bytes:
    """Offers and keys, until there is a first draft that nobody signed."""
    s = room.town.signers
    await post(room, "/desk/keys", desk_keys(range(DAY, DAY + 3)))
    await post(room, "/mix/offer/a", make_offer(Offer(1, private("a").public), s.a))
    offer_b = Offer(1, private("b").public, sign.verify_key(s.drop))
    await post(room, "/mix/offer/b", make_offer(offer_b, s.b))
    status, draft = await ask(room.town.server.app, "GET", "/drafts/1")
    assert status == 200
    return draft


@pytest.mark.parametrize("position", ["a", "b"])
async def test_two_of_three_signatures_never_make_a_record(tmp_path: Path, position: str) -> None:
    room = room_on(tmp_path)
    draft = await draft_of(room)
    s = room.town.signers
    own, other = {"a": (s.a, s.b), "b": (s.b, s.a)}[position]
    signed = b"\0\1" + sign.sign(own, "record", draft)
    for _ in range(3):
        assert (await post(room, f"/mix/signature/{position}", signed))[0] == 204
    # The one signature in the other's place, a stranger's, another purpose, another number.
    missing = {"a": "b", "b": "a"}[position]
    assert room.town.server.records.ahead().unsigned == [(missing.upper(), DAY)]
    for rule, bad in (
        ("record 2.8", signed), ("record 2.8", b"\0\1" + sign.sign(STRANGER, "record", draft)),
        ("record 2.8", b"\0\1" + sign.sign(other, "offer", draft)),
        ("record 2.8", b"\0\1" + bytes(SIGNATURE)),
        ("record 5.1", b"\0\2" + sign.sign(other, "record", draft)),
        ("record 5.1", b"\0\1" + sign.sign(other, "record", draft)[:-1]), ("record 5.1", b""),
    ):  # fmt: skip
        with pytest.raises(Refused) as refusal:
            room.town.server.records.take_signature(missing, bad)
        assert refusal.value.rule == rule
        assert await post(room, f"/mix/signature/{missing}", bad) == REFUSED
    room.town.server.step()
    assert not [name for name in files(room, "records") if name.startswith("record")]
    for path in ("/record", "/records/1", "/board/head", "/board/1"):
        assert await ask(room.town.server.app, "GET", path) == REFUSED
    good = b"\0\1" + sign.sign(other, "record", draft)
    assert (await post(room, f"/mix/signature/{missing}", good))[0] == 204
    status, raw = await ask(room.town.server.app, "GET", "/record")
    assert (status, raw[: len(draft)]) == (200, draft), "the control: the third makes it one"
    room.town.close()


async def test_a_draft_does_not_change_once_it_is_there(tmp_path: Path) -> None:
    room = room_on(tmp_path)
    draft = await draft_of(room)
    offer = make_offer(Offer(1, private("late").public), room.town.signers.a)
    await post(room, "/mix/offer/a", offer)
    room.restart()
    room.town.server.step()
    assert await ask(room.town.server.app, "GET", "/drafts/1") == (200, draft)
    assert parse_body(draft).number == 1
    room.town.close()


# Batches


async def test_a_batch_of_another_size_is_refused_and_not_kept(make_room: Make) -> None:
    room = await make_room()
    record, now = room.town.record(), room.town.clock.now()
    for change in (-768, -1, 1, 16):
        with pytest.raises(Refused) as refusal:
            room.town.server.board.take_batch(batch(room, DAY + 1, change), record, now)
        assert refusal.value.rule == "board 2"
    assert await post(room, "/desk/batch", b"") == REFUSED
    assert files(room, "batches") == {}


@pytest.mark.parametrize("day", [DAY + 1, DAY + 2])
async def test_a_batch_for_tomorrow_or_the_day_after_is_kept(make_room: Make, day: int) -> None:
    """The day after too: the desk's clock may be ahead."""
    room = await make_room()
    raw = batch(room, day)
    assert await post(room, "/desk/batch", raw) == (204, b"")
    assert files(room, "batches") == {str(day): raw}


@pytest.mark.parametrize("day", [0, DAY - 1, DAY, DAY + 3, 2**32 - 1])
async def test_a_batch_for_a_day_that_is_not_coming_is_refused_and_not_kept(
    make_room: Make, day: int
) -> None:
    room = await make_room()
    with pytest.raises(Refused) as refusal:
        room.town.server.board.take_batch(
            batch(room, day), room.town.record(), room.town.clock.now()
        )
    assert refusal.value.rule == "board 3"
    assert await post(room, "/desk/batch", batch(room, day)) == REFUSED
    assert files(room, "batches") == {}


async def test_the_first_batch_of_a_day_stays(make_room: Make) -> None:
    room = await make_room()
    first = batch(room, DAY + 1)
    assert (await post(room, "/desk/batch", first))[0] == 204
    other = first[:4] + bytes(len(first) - 4)
    assert (await post(room, "/desk/batch", other))[0] == 204
    assert files(room, "batches") == {str(DAY + 1): first}


async def test_a_batch_is_released_slot_by_slot_and_then_forgotten(make_room: Make) -> None:
    room = await make_room()
    raw = batch(room, DAY + 1)
    await post(room, "/desk/batch", raw)
    p, periods = room.town.parameters, periods_of_day(room.town.record())
    shown = b""
    receipts = b""
    for index in range(periods):
        room.town.clock.time = (DAY + 1) * DAY_S + index * PERIOD + 60
        await room.town.step()
        number = room.town.server.board.count()
        segment = parse_segment(room.town.server.board.segment(number) or b"")
        shown += b"".join(segment.replies)
        receipts += b"".join(segment.receipts)
    assert raw[4:] == shown + receipts
    assert len(shown) == periods * p.replies * REPLY_SLOT
    for index in range(2):  # a day is over when two releases say so
        room.town.clock.time = (DAY + 2) * DAY_S + index * PERIOD + 60
        await room.town.step()
    assert files(room, "batches") == {}


# The board


async def test_segments_have_one_size_with_and_without_a_batch(make_room: Make) -> None:
    room = await make_room()
    await post(room, "/desk/batch", batch(room, DAY + 1))
    for day in (DAY, DAY + 1, DAY + 2):
        room.town.clock.time = day * DAY_S + 20 * 3600
        await room.town.step()
    board = files(room, "board")
    sizes = {len(data) for name, data in board.items() if name.isdigit()}
    assert len(board) >= 4
    assert sizes == {segment_size(AT_ONCE.replies, AT_ONCE.receipts)}


async def test_the_chain_of_segments_goes_on_over_a_restart(make_room: Make) -> None:
    room = await make_room()
    for n in range(1, 5):
        room.town.clock.time = DAY * DAY_S + 17 * 3600 + n * PERIOD
        await room.town.step()
        room.restart()
    record = room.town.record()
    head = verify_head(room.town.server.board.head or b"", record)
    assert head.number >= 4
    expected, numbers = head.segment_hash, []
    for number in range(head.number, 0, -1):
        raw = room.town.server.board.segment(number) or b""
        segment = verify_segment(raw, expected, record)
        expected = segment.header.previous
        numbers.append(segment.header.number)
    assert expected == bytes(HASH)
    assert numbers == list(range(head.number, 0, -1))


async def test_before_the_first_record_there_is_no_board_and_nothing_else_is_shown(
    tmp_path: Path,
) -> None:
    room = room_on(tmp_path)
    server = room.town.server
    assert (server.board.count(), server.board.period(), server.board.head) == (0, 0, None)
    server.step()
    assert files(room, "board") == {}
    assert server.status()["segments"] == 0
    room.town.close()


async def test_a_period_is_released_once_even_over_a_restart(make_room: Make) -> None:
    room = await make_room()
    before = files(room, "board")
    room.town.server.step()
    room.restart()
    room.town.server.step()
    assert files(room, "board") == before


async def test_a_period_that_was_slept_through_is_skipped(make_room: Make) -> None:
    room = await make_room()
    count = room.town.server.board.count()
    room.town.clock.time += 5 * PERIOD
    room.town.server.step()
    room.town.server.step()
    assert room.town.server.board.count() == count + 1
    last, new = (
        parse_segment(room.town.server.board.segment(n) or b"") for n in (count, count + 1)
    )
    assert new.header.period - last.header.period >= 4
    assert new.header.previous == last.hash


async def test_a_power_cut_between_segment_and_head_still_gives_one_chain(make_room: Make) -> None:
    room = await make_room()
    count = room.town.server.board.count()
    room.town.clock.time += PERIOD
    with power_cut_at(Folder, "write", times=1):
        room.town.server.step()
    room.restart()
    assert room.town.server.board.count() == count
    room.town.server.step()
    record = room.town.record()
    head = verify_head(room.town.server.board.head or b"", record)
    assert head.number == count + 1
    raw = room.town.server.board.segment(count + 1) or b""
    verify_segment(raw, head.segment_hash, record)


async def test_a_segment_that_was_shown_never_changes_though_the_disk_was_full_at_the_head(
    make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await make_room()
    server = room.town.server
    count, head = server.board.count(), server.board.head
    room.town.clock.time += PERIOD
    with monkeypatch.context() as patch:
        full_at(patch, "head")
        with pytest.raises(OSError, match="no space"):
            server.step()  # `run` counts it and goes on
        assert await ask(server.app, "GET", "/board/head") == (200, head)
        assert await ask(server.app, "GET", f"/board/{count + 1}") == REFUSED
    server.step()
    record = room.town.record()
    new = verify_head(server.board.head or b"", record)
    _, shown = await ask(server.app, "GET", f"/board/{new.number}")
    verify_segment(shown, new.segment_hash, record)
    assert new.number == count + 1


async def test_a_head_that_is_signed_again_is_shown_only_once_it_is_on_the_disk(
    make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await make_room()
    board, record = room.town.server.board, room.record_of(2)
    head = board.head
    with monkeypatch.context() as patch:
        full_at(patch, "head")
        with pytest.raises(OSError, match="no space"):
            board.release(record, room.town.clock.now())
    assert board.head == head
    board.release(record, room.town.clock.now())
    assert verify_head(board.head or b"", record).number == board.count()


async def test_the_board_holds_no_more_than_its_segments(make_room: Make) -> None:
    room = await make_room(replace(AT_ONCE, segments=3))
    for n in range(1, 8):
        room.town.clock.time = DAY * DAY_S + 17 * 3600 + n * PERIOD
        room.town.server.step()
    numbers = sorted(int(name) for name in files(room, "board") if name.isdigit())
    newest = room.town.server.board.count()
    assert numbers == [newest - 2, newest - 1, newest]
    assert verify_head(room.town.server.board.head or b"", room.town.record()).first == newest - 2


# What everyone may read, and what nobody else may write


async def test_public_files_may_be_read_from_any_origin_and_are_not_stored(
    make_room: Make,
) -> None:
    room = await make_room()
    for path in ("/record", "/records/1", "/drafts/1", "/board/head", "/board/1"):
        status, headers = await headers_of(room, "GET", path)
        assert status == 200
        assert dict(headers) | {b"content-length": b""} == {
            b"content-type": b"application/octet-stream", b"access-control-allow-origin": b"*",
            b"cache-control": b"no-store", b"content-length": b"",
        }  # fmt: skip


async def test_every_refusal_is_the_same_and_changes_no_file(make_room: Make) -> None:
    room = await make_room()
    await room.tick()
    before = {name: files(room, name) for name in ("records", "board", "batches")}
    drop_head = room.town.server.board.drop_head
    good = batch(room, DAY + 1)
    keys = desk_keys(range(DAY + 20, DAY + 21))
    for path, body, token in (
        ("/desk/batch", good, ""), ("/desk/batch", good, "wrong"), ("/desk/keys", keys, ""),
        ("/desk/keys", keys, TOKEN[:-1]), ("/mix/drop-head", b"\1" * HASH, ""),
        ("/mix/drop-head", b"\1" * HASH, "wrong"), ("/mix/drop-head", b"\1" * 31, TOKEN),
        ("/desk/batch", good[:-1], TOKEN), ("/desk/keys", keys[:-1], TOKEN),
        ("/mix/offer/c", b"", TOKEN), ("/mix/offer/a", b"x", ""), ("/mix/signature/a", b"x", ""),
        ("/record", b"", TOKEN), ("/", b"", TOKEN), ("/desk/keys/", keys, TOKEN),
    ):  # fmt: skip
        assert await headers_of(room, "POST", path, body, token) == (
            400, [(b"content-length", b"0"), (b"connection", b"close")],
        )  # fmt: skip
        assert await post(room, path, body, token) == REFUSED
    for method, path in (
        ("GET", "/"), ("GET", "/board"), ("GET", "/board/x"), ("GET", "/board/-1"),
        ("GET", "/board/999"), ("GET", "/board/../records/1"), ("GET", "/records/99"),
        ("GET", "/nothing/1"),
        ("GET", "/desk/keys"), ("GET", "/status"), ("HEAD", "/record"), ("PUT", "/record"),
        ("DELETE", "/record"), ("OPTIONS", "/record"), ("GET", "/board/²"),
    ):  # fmt: skip
        assert await ask(room.town.server.app, method, path) == REFUSED, (method, path)
    assert {name: files(room, name) for name in before} == before
    assert room.town.server.board.drop_head == drop_head
