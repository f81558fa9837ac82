"""Answers and receipts: the day batch, and what the source finds on the board."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from tests.desk.simulated import (
    MONDAY,
    PERIOD,
    RECEIPTS,
    REPLIES,
    World,
    cut_batch,
)

from wallflower.crypto.derive import epoch_secret
from wallflower.desk.views import Sending
from wallflower.errors import Fault, Refused
from wallflower.wire.receipt import find_receipts
from wallflower.wire.sizes import DAY_S, RECEIPT, REPLY_INDEXES, REPLY_SLOT, REPLY_TEXT

ALICE, BOB = b"a" * 16, b"b" * 16
PERIODS = DAY_S // PERIOD
BATCH = 4 + PERIODS * (REPLIES * REPLY_SLOT + RECEIPTS * RECEIPT)


async def arrived(world: World, *secrets: bytes) -> dict[bytes, bytes]:
    """One letter of each secret has arrived and was opened: secret -> conversation."""
    found = {}
    for secret in secrets:
        known = {case.id for case in world.desk.inbox()}
        world.drop(world.write(secret, "hello"))
        await world.desk.step()
        [found[secret]] = [case.id for case in world.desk.inbox() if case.id not in known]
        [letter] = world.desk.conversation(found[secret]).letters
        world.desk.open_letter(letter.id)
    return found


async def evening(world: World, day: int) -> None:
    """The pass in which the batch for the next day is built."""
    world.set_time(day, 18.0)
    await world.desk.step()


def batch_of(world: World, day: int) -> set[bytes]:
    """All slots and receipts of a batch that was built."""
    built = world.desk._open()[1].outbox.batch(day)
    assert built is not None
    slots, values = cut_batch(built[0][4:])
    return {*slots, *values}


async def test_reply_of_three_slots_goes_in_one_batch_and_is_read_with_the_words(
    world: World,
) -> None:
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    text = "回复" * 300  # 1,800 bytes: characters are cut where a slot ends
    world.desk.answer(case, text)
    [reply] = world.desk.conversation(case).replies
    assert (reply.parts, reply.state) == (3, Sending.QUEUED)
    await evening(world, 0)
    [reply] = world.desk.conversation(case).replies
    assert (reply.state, reply.batch_day) == (Sending.HANDED, MONDAY + 1)
    await world.begin_day(1)
    world.release_day()
    assert [found.text for found in world.read_replies(ALICE)] == [text]
    assert world.read_replies(BOB) == []
    await world.desk.step()
    assert world.desk.conversation(case).replies[0].state is Sending.BOARD


@pytest.mark.parametrize("text", ["half a \ud83d", "\udcff", "", " \r\n "])
async def test_what_is_no_text_is_not_sealed_and_leaves_the_outbox_as_it_was(
    world: World, text: str
) -> None:
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    acts: list[Callable[[str], int]] = [world.desk.slots_needed, partial(world.desk.answer, case)]
    for act in acts:
        with pytest.raises(Refused) as refused:
            act(text)
        assert refused.value.rule == "reply 3.5"
    found = world.desk.conversation(case)
    assert (found.replies, found.slots_left) == ([], REPLY_INDEXES)


async def test_receipt_of_an_opened_letter_is_found_with_the_words(world: World) -> None:
    await world.start()
    world.drop(world.write(ALICE, "opened", mark=41), world.write(BOB, "not opened", mark=7))
    await world.desk.step()
    [letter] = world.desk.conversation(world.desk.inbox()[0].id).letters
    opened = world.desk.open_letter(letter.id)
    await evening(world, 0)
    handed = world.desk.letter(opened.id)
    assert (handed.receipt, handed.receipt_day) == (Sending.HANDED, MONDAY + 1)
    await world.begin_day(1)
    world.release_day()
    week = world.record.body.week
    seen = world.board()[1]
    marks = {
        name: find_receipts({week: epoch_secret(secret, week)}, seen)
        for name, secret in (("opened", ALICE), ("not opened", BOB))
    }
    other = "not opened" if opened.text == "opened" else "opened"
    assert marks[opened.text] == {(week, 41 if opened.text == "opened" else 7)}
    assert marks[other] == set()
    await world.desk.step()
    assert world.desk.letter(opened.id).receipt is Sending.BOARD
    assert world.desk.states().receipts[Sending.BOARD] == 1


async def test_batch_has_the_same_size_empty_or_full(world: World) -> None:
    await world.start()
    await evening(world, 0)
    case = (await arrived(world, ALICE))[ALICE]
    await world.begin_day(1)
    for number in range(PERIODS * REPLIES + 3):
        world.desk.answer(case, f"x {number}")
    await evening(world, 1)
    assert [len(post) for post in world.server.posts] == [BATCH, BATCH]
    assert world.desk.states().replies == {
        Sending.QUEUED: 3, Sending.HANDED: PERIODS * REPLIES, Sending.BOARD: 0
    }  # fmt: skip
    slots, receipts = cut_batch(world.server.posts[1][4:])
    assert len(set(slots)) == PERIODS * REPLIES
    assert len(set(receipts)) == PERIODS * RECEIPTS


async def test_no_batch_is_built_before_evening_and_only_one_after(world: World) -> None:
    await world.start()
    world.set_time(0, 17.99)
    await world.desk.step()
    assert world.server.posts == []
    for hour in (18.0, 20.0, 23.9):
        world.set_time(0, hour)
        await world.desk.step()
    assert len(world.server.posts) == 1


async def test_batch_is_sent_again_byte_for_byte_after_a_failure(world: World) -> None:
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    world.desk.answer(case, "first try")
    world.net.lose_answers.add("/desk/batch")
    await evening(world, 0)
    assert world.desk.states().replies[Sending.HANDED] == 0
    assert "desk server: batch" in world.desk.status().unreachable
    world.desk.answer(case, "too late for this one")
    world.net.lose_answers.clear()
    world.desk.lock()
    world.desk = world.new_desk()
    world.desk.unlock("plain paper boats at noon")
    world.set_time(0, 19)
    await world.desk.step()
    one, two = world.server.posts
    assert one == two
    states = world.desk.states().replies
    assert (states[Sending.HANDED], states[Sending.QUEUED]) == (1, 1)


async def test_batch_that_was_never_taken_waits_for_the_board_and_goes_again(
    world: World,
) -> None:
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    world.desk.answer(case, "patience")
    world.net.down.add("/desk/batch")
    await evening(world, 0)
    world.net.down.clear()
    await world.begin_day(1)
    world.release_day()
    await evening(world, 1)  # the board may still show yesterday's: nothing is sent twice
    assert world.desk.conversation(case).replies[0].batch_day == MONDAY + 1
    await world.begin_day(2)
    world.server.release(world.record, world.clock.time)
    await world.desk.step()
    assert world.desk.conversation(case).replies[0].batch_day is None
    await evening(world, 2)
    await world.begin_day(3)
    world.release_day()
    assert [r.text for r in world.read_replies(ALICE)] == ["patience"]
    store = world.desk._store
    assert store is not None
    rows = store.run("SELECT day - ?, body IS NULL, settled FROM batches ORDER BY day", MONDAY)
    assert rows == [(1, 1, 1), (2, 0, 0), (3, 0, 0)], "what the board has shown is forgotten"
    assert len(set(world.board()[0])) == len(world.board()[0])


async def test_batch_that_was_taken_although_the_answer_was_lost_is_not_repeated(
    world: World,
) -> None:
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    world.desk.answer(case, "once")
    world.net.lose_answers.add("/desk/batch")
    await evening(world, 0)
    world.net.lose_answers.clear()
    for day in (1, 2):
        await world.begin_day(day)
        world.release_day()
        await world.desk.step()
        await evening(world, day)
    assert world.desk.conversation(case).replies[0].state is Sending.BOARD
    await world.begin_day(3)
    world.release_day()
    slots = world.board()[0]
    assert len(set(slots)) == len(slots)


@pytest.mark.parametrize("taken", [True, False])
async def test_what_a_board_that_was_not_seen_whole_may_have_shown_is_not_sent_again(
    world: World, taken: bool
) -> None:
    """The desk is off for longer than the board is. What was never taken is queued again."""
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    world.desk.answer(case, "shown while nobody looked")
    world.net.down |= set() if taken else {"/desk/batch"}
    await evening(world, 0)
    first = batch_of(world, MONDAY + 1)
    for day in (1, 2, 3):
        world.set_time(day, 0.1)
        world.make_record(segments=PERIODS)
        world.release_day()
    world.net.down.clear()
    await world.desk.step()
    [reply] = world.desk.conversation(case).replies
    handed, queued = (Sending.HANDED, MONDAY + 1), (Sending.QUEUED, None)
    assert (reply.state, reply.batch_day) == (handed if taken else queued)
    status = world.desk.status()
    assert status.faults == {}
    assert not [alarm for alarm in status.alarms if "board" in alarm.what]
    await world.begin_day(4)
    await evening(world, 4)
    assert first & batch_of(world, MONDAY + 5) == (set() if taken else first), "filler too"


async def test_batch_that_was_taken_and_stands_nowhere_on_the_board_goes_again(
    world: World,
) -> None:
    """The desk server said that it has it, and lost it."""
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    world.desk.answer(case, "lost on the way")
    await evening(world, 0)
    assert world.desk.conversation(case).replies[0].state is Sending.HANDED
    world.server.batches.clear()
    await world.begin_day(1)
    world.release_day()
    await world.begin_day(2)
    world.server.release(world.record, world.clock.time)
    await world.desk.step()
    assert world.desk.conversation(case).replies[0].state is Sending.QUEUED
    await evening(world, 2)
    await world.begin_day(3)
    world.release_day()
    assert [reply.text for reply in world.read_replies(ALICE)] == ["lost on the way"]


async def test_what_stands_on_the_board_before_its_batch_counts_as_taken_is_not_sent_again(
    world: World,
) -> None:
    """The desk server's clock is ahead, and its answer to the batch was lost."""
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    world.desk.answer(case, "early")
    world.net.lose_answers.add("/desk/batch")
    await evening(world, 0)
    for period in range(PERIODS):
        world.server.release(world.record, (MONDAY + 1) * DAY_S + period * PERIOD)
    world.set_time(0, 23.9)
    await world.desk.step()
    assert world.desk.states().replies[Sending.BOARD] == 1
    world.net.lose_answers.clear()
    await world.desk.step()
    states = world.desk.states()
    assert (states.replies[Sending.BOARD], states.receipts[Sending.BOARD]) == (1, 1)


async def test_two_letters_with_one_mark_have_one_receipt(world: World) -> None:
    await world.start()
    for text in ("one", "two"):
        world.drop(world.write(ALICE, text, mark=5))
    await world.desk.step()
    [case] = world.desk.inbox()
    for letter in world.desk.conversation(case.id).letters:
        world.desk.open_letter(letter.id)
    assert world.desk.states().receipts[Sending.QUEUED] == 1


async def test_reply_that_is_empty_or_too_long_is_refused_with_the_limit(world: World) -> None:
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    with pytest.raises(Refused, match="empty"):
        world.desk.answer(case, " \r\n ")
    with pytest.raises(Fault, match="day's batch holds 24"):
        world.desk.answer(case, "x" * REPLY_TEXT * 25)
    for letter in "xyz":
        world.desk.answer(case, letter * REPLY_TEXT * 21)
    with pytest.raises(Refused, match=f"{REPLY_INDEXES - 63} are left"):
        world.desk.answer(case, "x" * REPLY_TEXT * 2)
    assert world.desk.conversation(case).slots_left == 1
    assert len(world.desk.conversation(case).replies) == 3


async def test_an_answer_that_is_sent_twice_is_one(world: World) -> None:
    """A button pressed twice, or a form sent again because a crash hid that it had arrived."""
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    one = world.desk.answer(case, "once\r\nis enough")
    world.desk.lock()
    world.desk = world.new_desk()
    world.desk.unlock("plain paper boats at noon")
    assert world.desk.answer(case, "once\nis enough ") == one
    assert world.desk.answer(case, "another") != one
    await evening(world, 0)
    world.desk.answer(case, "once\nis enough")  # the first is on its way: this is meant
    found = world.desk.conversation(case)
    assert (len(found.replies), found.slots_left) == (3, REPLY_INDEXES - 3)


async def test_the_same_words_on_another_day_are_another_answer(world: World) -> None:
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    one = world.desk.answer(case, "yes")
    await world.begin_day(1)
    assert [reply.batch_day for reply in world.desk.conversation(case).replies] == [None]
    other = world.desk.answer(case, "yes")
    assert other != one
    assert [reply.day for reply in world.desk.conversation(case).replies] == [MONDAY, MONDAY + 1]
    assert world.desk.conversation(case).slots_left == REPLY_INDEXES - 2


async def test_reply_goes_to_the_newest_confirmed_week(world: World) -> None:
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    await world.begin_day(7)
    world.drop(world.write(ALICE, "a week later"))
    await world.desk.step()
    world.desk.answer(case, "to the new week")
    await evening(world, 7)
    await world.begin_day(8)
    world.release_day()
    [found] = world.read_replies(ALICE)
    assert found.week == world.records[0].body.week + 1


async def test_rolled_back_board_is_an_alarm(world: World) -> None:
    await world.start()
    old = world.server.head
    await world.begin_day(1)
    world.release_day()
    await world.desk.step()
    assert world.desk.status().board_number > 1
    await world.begin_day(2)
    world.server.head = old
    await world.desk.step()
    assert [a.what for a in world.desk.status().alarms] == [
        "The board went back to an older state: ask the organisation"
    ]


async def test_board_is_asked_once_a_period_when_it_is_fresh(world: World) -> None:
    await world.start()
    world.net.down.add("/board/head")
    for moment, unreachable in ((PERIOD - 1, []), (PERIOD, ["desk server: board"])):
        world.set_time(0, moment / 3600)
        await world.desk.step()
        assert world.desk.status().unreachable == unreachable
