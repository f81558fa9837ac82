"""What each shelf of the desk's store leaves alone: of other days, replies, batches and keys."""

from __future__ import annotations

import pytest
from tests.desk.simulated import MONDAY, PASSPHRASE, PERIOD, REPLIES, World
from tests.desk.test_answers import arrived, evening
from tests.desk.test_batch_again import handed_and_not_shown

from wallflower.crypto.hpke import PrivateKey
from wallflower.desk.batch import Batch, Room
from wallflower.desk.edge.outbox import Outbox
from wallflower.desk.edge.parts import Parts
from wallflower.desk.views import Sending
from wallflower.errors import Fault
from wallflower.wire.sizes import DAY_S, REPLY_TEXT

ALICE, BOB = b"a" * 16, b"b" * 16
FOREIGN = "The record names keys that this desk does not have"


def shelves(world: World) -> Parts:
    """What the passes of this desk share."""
    return world.desk._open()[1]


def slots_of(outbox: Outbox) -> dict[int, set[bytes]]:
    """The slots of each reply that is in no batch."""
    return {reply.id: set(reply.slots) for reply in outbox.waiting_replies()}


async def test_a_reply_on_the_board_takes_no_part_from_another(world: World) -> None:
    """Both have a first part; the second would be called shown, and never sent again."""
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    outbox = shelves(world).outbox
    shown, other = (world.desk.answer(case, text) for text in ("shown", "not shown"))
    slots = slots_of(outbox)
    await evening(world, 0)
    outbox.seen(slots[shown], set())
    states = {reply.id: reply.state for reply in outbox.replies(case)}
    assert states == {shown: Sending.BOARD, other: Sending.HANDED}
    outbox.settle((MONDAY + 1) * DAY_S, (MONDAY + 2) * DAY_S)
    assert slots_of(outbox) == {other: slots[other]}, "it goes again, the same bytes"


@pytest.mark.parametrize(("late", "state"), [(0, Sending.QUEUED), (1, Sending.HANDED)])
async def test_a_day_that_the_board_was_seen_from_its_first_second_was_seen_whole(
    world: World, late: int, state: Sending
) -> None:
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    world.desk.answer(case, "shown nowhere")
    await evening(world, 0)
    outbox, day = shelves(world).outbox, (MONDAY + 1) * DAY_S
    outbox.settle(day + late, day + DAY_S - 1)
    assert outbox.replies(case)[0].state is Sending.HANDED, "the day is not over"
    outbox.settle(day + late, day + DAY_S)
    assert outbox.replies(case)[0].state is state
    # Where the board may have shown it unseen, none of it goes a second time, no filler either.
    assert bool(outbox.again(Room(1000, 1000)).slots) is (late == 0)


async def test_a_board_that_is_missed_later_takes_nothing_from_what_a_day_still_owes(
    world: World,
) -> None:
    """The batch of a day that was seen whole goes again with its filler, whatever comes later:
    its answers alone would tell the server which of it was real."""
    await handed_and_not_shown(world, answers=1)
    outbox = shelves(world).outbox
    room = Room(1000, 1000)
    owed = outbox.again(room)
    assert len(owed.slots) > 1
    outbox.settle((MONDAY + 30) * DAY_S, (MONDAY + 31) * DAY_S)
    assert outbox.again(room) == owed


async def test_a_batch_that_does_not_fit_the_next_waits_whole(world: World) -> None:
    await handed_and_not_shown(world, answers=1)
    outbox = shelves(world).outbox
    owed = outbox.again(Room(1000, 1000))
    slots, receipts = len(owed.slots), len(owed.receipts)
    assert outbox.again(Room(slots, receipts)) == owed
    for small in (Room(slots - 1, receipts), Room(slots, receipts - 1)):
        kept = outbox.again(small)
        assert (kept.slots, kept.receipts) == ((), ())
        assert kept.kept == {*owed.slots, *owed.receipts}


async def test_a_case_with_two_opened_letters_is_known_once(world: World) -> None:
    """Twice, it would take the place of another in what B is handed."""
    await world.start()
    await arrived(world, ALICE)
    world.drop(world.write(ALICE, "the second"))
    await world.desk.step()
    for letter in world.desk.letters():
        world.desk.open_letter(letter)
    assert len(world.desk.letters()) == 2
    assert len(shelves(world).letters.known()) == 1
    assert world.desk.status().known == 1


@pytest.mark.parametrize("foreign", ["drop", "desk"])
async def test_one_foreign_key_in_the_record_is_enough_for_an_alarm(
    world: World, foreign: str
) -> None:
    """Who has the token late in the day may get only one of the two named."""
    world.desk.unlock(PASSPHRASE)
    await world.desk.step()
    drop, week, desk = world.server.keys[world.day]
    strange = PrivateKey.from_seed(b"s" * 32).public.raw
    world.server.keys[world.day] = (
        (strange, week, desk) if foreign == "drop" else (drop, week, strange)
    )
    world.make_record()
    await world.desk.step()
    assert [alarm.what.split(",")[0] for alarm in world.desk.status().alarms] == [FOREIGN]


async def test_what_lies_in_a_batch_that_was_not_taken_is_put_into_no_other(world: World) -> None:
    """The same sixteen bytes twice on a public board are known as real."""
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    one = world.desk.answer(case, "once")
    outbox = shelves(world).outbox
    assert (len(outbox.waiting_replies()), len(outbox.waiting_receipts())) == (1, 1)
    world.net.down.add("/desk/batch")
    await evening(world, 0)
    assert world.desk.states().replies[Sending.QUEUED] == 1
    assert (outbox.waiting_replies(), outbox.waiting_receipts()) == ([], [])
    assert world.desk.answer(case, "once") != one, "the first is on its way: this is meant"


async def test_a_receipt_on_the_board_says_nothing_of_another(world: World) -> None:
    await world.start()
    await arrived(world, ALICE, BOB)
    outbox = shelves(world).outbox
    receipts = [receipt.value for receipt in outbox.waiting_receipts()]
    await evening(world, 0)
    outbox.seen(set(), {receipts[0]})
    states = world.desk.states().receipts
    assert (states[Sending.BOARD], states[Sending.HANDED]) == (1, 1)


async def test_the_answers_of_a_week_are_counted_for_that_week(world: World) -> None:
    """With another week's count an index would be given twice, and one answer hide another."""
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    link = shelves(world).letters.link(case)
    assert link is not None
    for text in ("one", "two"):
        world.desk.answer(case, text)
    used = shelves(world).outbox.used
    assert (used(case, link.week), used(case, link.week + 1)) == (2, 0)


async def test_a_case_is_shown_and_answered_while_no_record_is_in_force(world: World) -> None:
    """A desk server that was away for days. An answer that no batch has room for would wait for
    ever, and nobody would be told."""
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    most = world.desk.conversation(case).batch_slots
    assert most is not None
    world.set_time(6, 1)
    assert shelves(world).in_force() is None
    assert world.desk.conversation(case).batch_slots == most
    with pytest.raises(Fault, match=f"day's batch holds {most}"):
        world.desk.answer(case, "x" * (most * REPLY_TEXT + 1))
    world.desk.answer(case, "written all the same")
    assert world.desk.states().replies[Sending.QUEUED] == 1


async def test_an_answer_may_fill_a_days_batch_and_not_be_longer(world: World) -> None:
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    most = world.desk.conversation(case).batch_slots
    assert most is not None
    with pytest.raises(Fault, match=f"needs {most + 1} slots; a day's batch holds {most}"):
        world.desk.answer(case, "x" * (most * REPLY_TEXT + 1))
    assert world.desk.states().replies[Sending.QUEUED] == 0
    world.desk.answer(case, "x" * (most * REPLY_TEXT))
    await evening(world, 0)
    assert world.desk.states().replies[Sending.HANDED] == 1


async def test_the_same_words_to_another_case_are_another_answer(world: World) -> None:
    """Or the second of two people would wait for an answer that is called sent."""
    await world.start()
    cases = await arrived(world, ALICE, BOB)
    one, other = (world.desk.answer(cases[secret], "We have it.") for secret in (ALICE, BOB))
    assert one != other
    assert [len(world.desk.conversation(case).replies) for case in cases.values()] == [1, 1]
    assert set(slots_of(shelves(world).outbox)) == {one, other}


async def test_a_receipt_that_a_batch_had_no_room_for_waits_for_the_next(world: World) -> None:
    await world.start()
    await arrived(world, ALICE, BOB)
    outbox = shelves(world).outbox
    one, other = (receipt.value for receipt in outbox.waiting_receipts())
    outbox.keep(Batch(MONDAY + 1, b"", (), (one,), (one,)))
    assert [receipt.value for receipt in outbox.waiting_receipts()] == [other]


async def test_what_is_answered_after_a_batch_was_built_is_said_to_leave_a_day_later(
    world: World,
) -> None:
    await world.start()
    assert world.desk.next_batch() == MONDAY + 1
    await evening(world, 0)
    assert world.desk.next_batch() == MONDAY + 2


async def test_a_batch_of_which_nobody_knows_whether_it_was_taken_goes_again_with_its_filler(
    world: World,
) -> None:
    """The server may have it, and its answer was lost: real slots alone would tell it which."""
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    world.desk.answer(case, "once")
    world.net.lose_answers.add("/desk/batch")
    await evening(world, 0)
    outbox, day = shelves(world).outbox, (MONDAY + 1) * DAY_S
    outbox.settle(day + 1, day + DAY_S)
    assert outbox.replies(case)[0].state is Sending.QUEUED
    assert len(outbox.again(Room(1000, 1000)).slots) == 6 * REPLIES


async def test_a_record_that_the_desk_has_is_asked_of_nobody_again(world: World) -> None:
    """Else a desk server that shows it no more could hold up the letters under it."""
    await world.start()
    parts = shelves(world)
    world.server.records.clear()
    assert await parts.record(1) == world.record


async def test_a_board_that_is_read_at_once_was_seen_until_its_newest_segment(
    world: World,
) -> None:
    await world.start()
    for period in (1, 2, 3):
        world.server.release(world.record, world.record.body.not_before + period * PERIOD)
    world.set_time(0, 13)
    await world.desk.step()
    assert shelves(world).store.get("board_time") == MONDAY * DAY_S + 3 * PERIOD


def test_a_desk_that_is_open_is_not_opened_again(world: World) -> None:
    """Its store is open here: a second opening would call it open elsewhere."""
    world.desk.unlock(PASSPHRASE)
    before = shelves(world)
    world.desk.unlock("whatever is typed now")
    assert shelves(world) is before
