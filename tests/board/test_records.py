"""What the desk server keeps of offers, signatures, withdrawals and keys, and what a revocation
reaches: each rule alone, on a server whose mixes and desk are the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.board.test_server import REFUSED, draft_of, files, full_at, post
from tests.mix.room import DAY, Room, power_cut_at, room_on
from tests.trust.made import private
from vectors.hand.signatures import with_nonce

from wallflower.board.edge.records import _MOST_AHEAD, REQUEST, Records
from wallflower.board.edge.status import report
from wallflower.board.withdrawn import standing
from wallflower.crypto import sign
from wallflower.crypto.derive import sha256
from wallflower.host.disk import Folder
from wallflower.trust.ahead import AHEAD
from wallflower.trust.record import EpochRecord
from wallflower.wire.census import Census, make_census
from wallflower.wire.offer import Offer, make_offer
from wallflower.wire.sizes import DAY_S, HASH, week_of_day
from wallflower.wire.withdrawal import Withdrawal, make_withdrawal


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """A town on its first day, in which nobody did anything."""
    made = room_on(tmp_path)
    yield made
    made.town.close()


def of(room: Room) -> Records:
    return room.town.server.records


def key(day: int, drop: str, desk: str = "desk") -> bytes:
    """What the desk hands in for one day: the public halves of keys by their names."""
    return (
        day.to_bytes(4) + private(drop).public.raw + week_of_day(day).to_bytes(2)
        + private(desk).public.raw
    )  # fmt: skip


def hashed(name: str) -> bytes:
    return sha256(private(name).public.raw)


def offered(room: Room, position: str, number: int) -> bytes:
    s = room.town.signers
    drop = sign.verify_key(s.drop) if position == "b" else b""
    return make_offer(
        Offer(number, private(f"{position}{number}").public, drop), {"a": s.a, "b": s.b}[position]
    )


def offer(room: Room, *numbers: int) -> None:
    for number in numbers:
        for position in "ab":
            of(room).take_offer(position, offered(room, position, number))


def signed(room: Room, *numbers: int) -> None:
    """A and B sign these drafts."""
    s = room.town.signers
    for number in numbers:
        draft = of(room).draft(number) or b""
        for position, seed in (("a", s.a), ("b", s.b)):
            signature = sign.sign(seed, "record", draft)
            of(room).take_signature(position, number.to_bytes(2) + signature)


async def test_offers_are_kept_from_the_next_number_to_a_few_ahead(room: Room) -> None:
    await draft_of(room)
    room.restart()  # an offer lives in memory alone
    ahead = of(room).next_number()
    for number in (1, ahead - 1, ahead, ahead + _MOST_AHEAD - 1, ahead + _MOST_AHEAD):
        of(room).take_offer("a", offered(room, "a", number))
    assert [n for _, n in of(room)._offers] == [ahead, ahead + _MOST_AHEAD - 1]


async def test_all_that_can_be_drafted_is_drafted_at_once_and_no_day_too_far_ahead(
    room: Room,
) -> None:
    of(room).take_desk_keys(b"".join(key(day, "drop") for day in range(DAY, DAY + 9)))
    offer(room, *range(6, 1, -1))
    assert of(room)._drafts == {}
    offer(room, 1)
    days = {number: draft.day for number, draft in of(room)._drafts.items()}
    assert days == {1 + n: DAY + n for n in range(AHEAD + 1)}


async def test_another_signature_of_the_same_mix_changes_no_finished_record(room: Room) -> None:
    """Ed25519 has many valid signatures for who does not draw R as the standard says."""
    draft = await draft_of(room)
    s = room.town.signers
    for position, seed in (("a", s.a), ("b", s.b)):
        await post(room, f"/mix/signature/{position}", b"\0\1" + sign.sign(seed, "record", draft))
    record, kept = of(room).raw(1), files(room, "records")
    message = b"wallflower/1 record\0" + draft
    other = with_nonce(5, s.b, message)
    assert (await post(room, "/mix/signature/b", b"\0\1" + other))[0] == 204
    assert other not in (record or b"")
    assert (of(room).raw(1), files(room, "records")) == (record, kept)


async def test_a_record_of_a_replaced_signer_is_shown_again_once_it_is_over(room: Room) -> None:
    await room.open()
    town, record = room.town, room.town.record()
    town.signers.a = b"n" * 32
    town.build()
    town.clock.time = record.body.not_after - 1
    assert of(room).raw(record.number) is None, "it is signed anew"
    town.clock.time = record.body.not_after
    assert of(room).raw(record.number) == record.raw
    assert of(room).raw(99) is None


async def test_a_withdrawal_reaches_no_further_and_keeps_the_day_on_which_it_came(
    room: Room,
) -> None:
    def withdraw(first: int, last: int) -> bytes:
        return make_withdrawal(Withdrawal(first, last), room.town.signers.a)

    at = of(room).next_number() + _MOST_AHEAD - 1
    assert await post(room, "/mix/withdrawal/a", withdraw(1, at + 1)) == REFUSED
    assert await post(room, "/mix/withdrawal/a", withdraw(1, at)) == (204, b"")
    assert of(room).next_number() == at + 1
    kept = files(room, "records")
    room.town.clock.time += DAY_S
    assert (await post(room, "/mix/withdrawal/a", withdraw(1, at)))[0] == 204
    assert (files(room, "records"), len(of(room)._withdrawn)) == (kept, 1)


async def test_what_a_withdrawal_makes_way_for_is_drafted_at_once(room: Room) -> None:
    of(room).take_desk_keys(key(DAY, "drop"))
    offer(room, 3)
    assert of(room)._drafts == {}
    of(room).take_withdrawal("a", make_withdrawal(Withdrawal(1, 2), room.town.signers.a))
    assert list(of(room)._drafts) == [3]


async def test_days_that_a_clock_which_was_ahead_skipped_are_drafted_once_it_is_right(
    room: Room,
) -> None:
    of(room).take_desk_keys(b"".join(key(DAY + day, "drop") for day in range(5)))
    offer(room, 1)
    room.town.clock.time += 3 * DAY_S
    offer(room, 2)
    room.town.clock.time -= 3 * DAY_S
    offer(room, *range(3, 8))
    assert {n: body.day - DAY for n, body in of(room)._drafts.items()} == {1: 0, 2: 3, 3: 1, 4: 2}
    assert of(room)._withdrawn == [], "not before another day's record is there"
    signed(room, 1, 2, 3)
    of(room).advance()
    assert of(room)._drafts[5].day == DAY + 3
    assert sorted(standing(of(room)._drafts, of(room)._withdrawn)) == [1, 3, 4, 5]


async def days_without_a_record(room: Room) -> EpochRecord:
    """The desk server was off for the second day and the third; it has a record of the fourth and
    of the days behind it."""
    of(room).take_desk_keys(b"".join(key(DAY + day, "drop") for day in range(9)))
    offer(room, 1)
    signed(room, 1)
    room.town.clock.time += 3 * DAY_S
    offer(room, *range(2, 6))
    signed(room, *range(2, 6))
    return room.town.record()


async def test_a_clock_that_is_behind_withdraws_no_record_of_today_for_a_day_that_passed_without(
    room: Room,
) -> None:
    record = await days_without_a_record(room)
    room.town.clock.time -= 2 * DAY_S
    offer(room, *range(6, 14))
    assert min(of(room)._drafts[n].day for n in of(room)._drafts if n > 5) == DAY + 1, (
        "the control: those days are drafted, which A and B do not sign"
    )
    room.town.clock.time += 2 * DAY_S
    assert of(room)._withdrawn == []
    assert room.town.record() == record
    assert of(room).days_ahead(room.town.clock.now()) == 3


async def test_a_day_that_was_signed_as_it_was_over_takes_the_place_of_no_record_that_is_used(
    room: Room,
) -> None:
    """Who saw it would believe no lower number any more (2.12)."""
    record = await days_without_a_record(room)
    room.town.clock.time -= DAY_S
    offer(room, 6)
    assert of(room)._drafts[6].day == DAY + 2
    room.town.clock.time += DAY_S
    signed(room, 6)
    assert (of(room).raw(6), of(room)._withdrawn) == (None, [])
    assert room.town.record() == record


async def test_a_power_cut_while_a_day_among_others_is_signed_leaves_numbers_that_rise(
    room: Room,
) -> None:
    await days_without_a_record(room)
    room.town.clock.time -= DAY_S
    offer(room, 6)
    with power_cut_at(Folder, "write", 2):
        signed(room, 6)
    room.restart()
    signed(room, 6)
    assert sorted(standing(of(room)._drafts, of(room)._withdrawn)) == [1, 6]
    assert room.town.record().number == 6


async def test_a_revocation_of_drop_keys_reaches_today_and_every_day_ahead_and_no_other_key(
    room: Room,
) -> None:
    days = {DAY - 1: "before", DAY: "today", DAY + 1: "tomorrow", DAY + 4: "later"}
    of(room).take_desk_keys(b"".join(key(day, name) for day, name in days.items()))
    of(room).revoke(frozenset({"drop"}))
    wanted = sorted(map(hashed, ("today", "tomorrow", "later")))
    assert of(room).revoked() == b"".join(wanted), "in the order of their hashes, not of days"


async def test_a_revocation_of_desk_keys_reaches_no_drop_key(room: Room) -> None:
    of(room).take_desk_keys(key(DAY, "drop"))
    of(room).revoke(frozenset({"desk"}))
    assert of(room).revoked() == hashed("desk")
    assert of(room).ahead().desk_days == []


async def test_a_revoked_key_is_followed_by_one_that_is_not_and_by_no_other(room: Room) -> None:
    of(room).take_desk_keys(key(DAY, "one") + key(DAY + 1, "two"))
    of(room).revoke(frozenset({"drop"}))
    kept = files(room, "records")
    of(room).take_desk_keys(key(DAY, "two") + key(DAY + 1, "one"))
    assert files(room, "records") == kept, "those are revoked, too"
    of(room).take_desk_keys(key(DAY, "three"))
    of(room).take_desk_keys(key(DAY, "four"))
    assert of(room)._desk[DAY].drop == private("three").public
    assert of(room)._is_revoked(of(room)._desk[DAY + 1])


async def test_nothing_is_drafted_with_a_revoked_key_of_a_day_ahead(room: Room) -> None:
    of(room).take_desk_keys(key(DAY, "one") + key(DAY + 1, "two"))
    offer(room, 1)
    of(room).revoke(frozenset({"drop"}))
    of(room).take_desk_keys(key(DAY, "three"))
    first = of(room).next_number()
    offer(room, first, first + 1)
    assert {d.drop_key for n, d in of(room)._drafts.items() if n >= first} == {
        private("three").public
    }
    assert [d.day for n, d in of(room)._drafts.items() if n >= first] == [DAY]


async def test_a_revoked_desk_key_is_not_forgotten_over_a_drop_key_that_is_revoked_later(
    room: Room,
) -> None:
    """Letters that wait under it must not leave: the numbers jump beyond every ancestor."""
    of(room).take_desk_keys(key(DAY, "drop"))
    offer(room, 1)
    of(room).revoke(frozenset({"desk"}))
    of(room).revoke(frozenset({"drop"}))
    of(room).take_desk_keys(key(DAY, "new drop", "new desk"))
    assert of(room).next_number() > 16


async def test_a_revocation_that_found_the_disk_full_goes_on_when_there_is_room(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    of(room).take_desk_keys(key(DAY, "drop"))
    offer(room, 1)
    of(room).revoke(frozenset({"desk"}))
    new = key(DAY, "new drop", "new desk")
    with monkeypatch.context() as patch:
        full_at(patch, "withdrawn")
        assert await post(room, "/desk/keys", new) == REFUSED
        assert of(room).ahead().desk_must_renew, "its alarm rings on"
        assert of(room).next_number() == 2
    of(room).advance()
    number = of(room).next_number()
    assert number > 16
    assert not of(room).ahead().desk_must_renew
    of(room).advance()
    room.restart()
    assert (of(room).next_number(), of(room).ahead().desk_must_renew) == (number, False), "once"


async def test_a_revoked_drop_key_alone_leaves_letters_under_the_records_before_their_way(
    room: Room,
) -> None:
    """No jump: who wrote under one of those finds it among the ancestors of the next."""
    of(room).take_desk_keys(key(DAY, "drop"))
    offer(room, 1)
    of(room).revoke(frozenset({"drop"}))
    of(room).take_desk_keys(key(DAY, "new drop"))
    number = of(room).next_number()
    assert number == 3, "the number after the one that is replaced is skipped"
    offer(room, number)
    assert of(room)._drafts[1].hash() in of(room)._drafts[number].ancestors


async def test_hop_keys_are_replaced_by_a_number_that_nobody_has_offered_keys_for(
    room: Room,
) -> None:
    of(room).take_desk_keys(key(DAY, "drop"))
    offer(room, 1, 2, 5)
    of(room).revoke(frozenset({"hops"}))
    assert of(room).next_number() == 6


async def test_a_request_is_taken_once_and_words_that_mean_nothing_change_nothing(
    room: Room,
) -> None:
    of(room).take_desk_keys(key(DAY, "drop"))
    offer(room, 1)
    disk, number = room.town.server._host.disk, of(room).next_number()
    for words in (b"nothing", b"", b"\xff"):
        disk.write(REQUEST, words)
        of(room).take_request()
        assert (of(room).next_number(), of(room).revoked()) == (number, b"")
    disk.write(REQUEST, b"hops")
    of(room).take_request()
    assert disk.read(REQUEST) is None
    after = of(room).next_number()
    assert after > number
    of(room).take_request()
    assert (of(room).next_number(), of(room).revoked()) == (after, b"")


@pytest.mark.parametrize("ahead", [1, 6])
async def test_a_revocation_by_a_clock_that_was_ahead_reaches_today_once_it_is_right(
    room: Room, ahead: int
) -> None:
    """Else stolen keys of the days until then go on, and nobody hears of it."""
    town = room.town
    days = {DAY: "today", DAY + 1: "tomorrow"}
    of(room).take_desk_keys(b"".join(key(day, name, f"desk {name}") for day, name in days.items()))
    offer(room, 1)
    town.clock.time += ahead * DAY_S
    town.server._host.disk.write(REQUEST, b"hops desk")
    town.server.step()
    town.clock.time -= ahead * DAY_S
    room.restart()
    town.server.step()
    assert of(room).revoked() == b"".join(sorted(map(hashed, ("desk today", "desk tomorrow"))))
    assert of(room).ahead().desk_must_renew
    assert of(room).next_number() > 2 and not standing(of(room)._drafts, of(room)._withdrawn)
    number = of(room).next_number()
    town.server.step()
    assert of(room).next_number() == number, "once"


@pytest.mark.parametrize("clock", [0.0, (DAY - 90) * DAY_S])
async def test_a_revocation_is_not_done_once_more_by_a_clock_that_lost_its_time(
    room: Room, clock: float
) -> None:
    """A machine without a battery begins in 1970 after each power cut."""
    of(room).take_desk_keys(key(DAY, "old"))
    offer(room, 1)
    room.town.server._host.disk.write(REQUEST, b"hops desk")
    room.town.server.step()
    of(room).take_desk_keys(key(DAY, "new", "desk new"))
    before = of(room).next_number(), of(room).revoked()
    right, room.town.clock.time = room.town.clock.time, clock
    room.restart()
    room.town.server.step()
    assert (of(room).next_number(), of(room).revoked()) == before
    room.town.clock.time = right
    room.town.server.step()
    assert (of(room).next_number(), of(room).revoked()) == before


async def test_a_revocation_by_a_clock_of_1970_names_no_more_than_a_desk_reads(
    room: Room,
) -> None:
    of(room).take_desk_keys(key(DAY, "old"))
    room.town.clock.time += 300 * DAY_S
    of(room).take_desk_keys(key(DAY + 300, "new"))
    room.town.clock.time = 0.0
    of(room).revoke(frozenset({"drop"}))
    assert of(room).revoked() == hashed("new")


async def test_a_request_that_only_another_user_may_read_stops_nothing_else_and_rings(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = room.town.server

    def read(folder: Folder, name: str, real: Any = Folder.read) -> bytes | None:
        if name == REQUEST:
            raise PermissionError
        return real(folder, name)  # type: ignore[no-any-return]

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "read", read)
        server.step()
        assert "request-unread" in {alarm.name for alarm in report(server).alarms}
    server.step()
    assert "request-unread" not in {alarm.name for alarm in report(server).alarms}


async def test_hop_keys_do_not_wait_for_the_desk_where_both_were_asked_for(room: Room) -> None:
    of(room).take_desk_keys(key(DAY, "drop"))
    offer(room, 1)
    number = of(room).next_number()
    of(room).revoke(frozenset({"hops", "desk"}))
    assert of(room).next_number() > number
    assert of(room).revoked() == hashed("desk")
    assert of(room).ahead().desk_must_renew


async def test_what_is_asked_for_while_a_request_is_carried_out_is_not_taken_away_with_it(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    of(room).take_desk_keys(key(DAY, "drop"))
    disk = room.town.server._host.disk
    disk.write(REQUEST, b"hops")
    with monkeypatch.context() as patch:
        patch.setattr(Records, "revoke", lambda *_: disk.write(REQUEST, b"hops drop"))
        of(room).take_request()
    assert disk.read(REQUEST) == b"hops drop"
    of(room).take_request()
    assert of(room).revoked() == hashed("drop")
    assert disk.read(REQUEST) is None


# What is posted


async def test_only_a_and_b_have_places_to_post_to(room: Room) -> None:
    draft = await draft_of(room)
    before = (files(room, "records"), dict(of(room)._offers))
    signed = b"\0\1" + sign.sign(room.town.signers.b, "record", draft)
    void = make_withdrawal(Withdrawal(1, 1), room.town.signers.b)
    for what, body in (
        ("offer", offered(room, "b", 2)), ("signature", signed), ("withdrawal", void),
    ):  # fmt: skip
        for place in ("c", "xb", "a/b", ""):
            assert await post(room, f"/mix/{what}/{place}", body) == REFUSED
    assert (files(room, "records"), of(room)._offers) == before
    assert of(room)._signatures == {}


async def test_without_a_record_there_is_no_batch_and_no_census(room: Room) -> None:
    census = make_census(Census(1, DAY, ()), room.town.signers.drop)
    assert await post(room, "/desk/batch", DAY.to_bytes(4)) == REFUSED
    assert await post(room, "/mix/census", census) == REFUSED
    assert (files(room, "batches"), room.town.server.told.census) == ({}, None)
    assert room.town.server.status()["record"] == 0
    room.town.clock.time += 9 * DAY_S
    assert room.town.server.status()["days_ahead"] == 0


async def test_keys_of_years_that_a_thief_of_the_token_hands_in_end_no_revocation(
    room: Room,
) -> None:
    """The desk reads no list of revoked keys that is longer than any revocation."""
    sizes = []
    for days in (range(DAY, DAY + 5), range(DAY + 5, DAY + 1005), range(DAY - 999, DAY)):
        keys = b"".join(key(day, f"drop {day}", f"desk {day}") for day in days)
        sizes.append((await post(room, "/desk/keys", keys))[0])
    assert (sizes[0], *sizes[1:]) == (204, REFUSED[0], REFUSED[0])
    of(room).revoke(frozenset({"drop", "desk"}))
    assert len(of(room).revoked()) == 5 * 2 * HASH


async def test_a_drop_head_that_b_tells_again_is_no_new_drop(room: Room) -> None:
    """Or a B that stands still would be silent no more."""
    server, clock = room.town.server, room.town.clock
    assert (await post(room, "/mix/drop-head", b"\1" * HASH))[0] == 204
    told = server.drop_told
    clock.time += 60
    assert (await post(room, "/mix/drop-head", b"\1" * HASH))[0] == 204
    assert server.drop_told == told
    assert (await post(room, "/mix/drop-head", b"\2" * HASH))[0] == 204
    assert server.drop_told == told + 60


async def test_a_round_that_the_disk_failed_is_counted(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ended(Exception):
        pass

    def full() -> None:
        raise OSError(28, "no space left")

    async def ended(_: float) -> None:
        raise Ended

    monkeypatch.setattr(room.town.server, "step", full)
    monkeypatch.setattr("wallflower.board.edge.server.asyncio.sleep", ended)
    with pytest.raises(Ended):
        await room.town.server.run()
    assert room.town.server.status()["disk_failures"] == 1
