"""A batch that the board did not show: what the desk server can tell from what comes again."""

from __future__ import annotations

import pytest
from tests.desk.simulated import PERIOD, RECEIPTS, REPLIES, World, cut_batch
from tests.desk.test_answers import arrived, evening

from wallflower.desk.batch import Again, Room, WaitingReceipt, WaitingReply, build
from wallflower.desk.edge.parts import HostChance
from wallflower.desk.views import Sending
from wallflower.lab.host import SeededEntropy
from wallflower.wire.chain import Continuity
from wallflower.wire.sizes import DAY_S

ALICE = b"a" * 16
PERIODS = DAY_S // PERIOD


def release(world: World, *periods: int) -> None:
    for period in periods:
        world.clock.time = world.day * DAY_S + period * PERIOD + 1
        world.server.release(world.record, world.clock.time)


async def handed_and_not_shown(world: World, *, answers: int, shown: int = 0) -> None:
    """A batch with so many answers was taken, and `shown` of its periods were released."""
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    for number in range(answers):
        world.desk.answer(case, f"answer {number}")
    await evening(world, 0)
    await world.begin_day(1)
    for period in range(PERIODS):
        world.clock.time = world.day * DAY_S + period * PERIOD + 1
        if period == shown:
            world.server.batches.clear()
        world.server.release(world.record, world.clock.time)
    await world.begin_day(2)
    world.server.release(world.record, world.clock.time)
    await world.desk.step()


@pytest.mark.parametrize("answers", [0, 1, 5])
@pytest.mark.parametrize("shown", [0, 4])
async def test_a_server_that_drops_a_batch_learns_nothing_from_what_comes_again(
    world: World, answers: int, shown: int
) -> None:
    """Real slots alone once came again, so that one batch thrown away told them from filler."""
    await handed_and_not_shown(world, answers=answers, shown=shown)
    await evening(world, 2)
    first, then = (cut_batch(post[4:]) for post in world.server.posts)
    left = PERIODS - shown
    assert set(first[0]) & set(then[0]) == set(first[0][shown * REPLIES :])
    assert set(first[1]) & set(then[1]) == set(first[1][shown * RECEIPTS :])
    assert len(set(first[0]) & set(then[0])) == left * REPLIES
    assert [len(part) for part in then] == [PERIODS * REPLIES, PERIODS * RECEIPTS]


async def test_a_server_that_shows_a_dropped_batch_a_day_late_learns_nothing_from_what_comes_again(
    world: World,
) -> None:
    """What is shown is away for good, as filler is; what was real came again all the same."""
    await handed_and_not_shown(world, answers=PERIODS * REPLIES)
    first = cut_batch(world.server.posts[0][4:])
    [[real]] = world.desk._open()[0].run("SELECT value FROM receipts")
    filler = [value for value in first[1] if value != real]
    told = [*filler[:RECEIPTS], real, *filler[RECEIPTS:]]
    world.server.batches[world.day] = b"".join(first[0] + told)
    for period in (1, 2, 3):
        release(world, period)
        await world.desk.step()
    shown = [{*part} for part in world.board()]
    await evening(world, 2)
    then = cut_batch(world.server.posts[1][4:])
    for before, after, public in zip(first, then, shown, strict=True):
        assert len(public.intersection(before)) > 0
        assert public.isdisjoint(after)
    assert real in shown[1]
    states = world.desk.states()
    assert states.replies[Sending.BOARD] == len(shown[0].intersection(first[0]))
    assert states.receipts[Sending.BOARD] == 1


async def test_of_a_batch_that_waits_since_an_earlier_one_comes_again_nothing_goes_alone(
    world: World,
) -> None:
    await world.start()
    case = (await arrived(world, ALICE))[ALICE]
    world.desk.answer(case, "one")
    await evening(world, 0)
    await world.begin_day(1)
    release(world, 0, 1, 2, 3)
    world.server.batches.clear()
    release(world, 4)
    world.desk.answer(case, "two")
    await evening(world, 1)
    world.server.batches.clear()
    release(world, 5)
    await world.begin_day(2)
    release(world, *range(PERIODS))
    await world.begin_day(3)
    release(world, 0)
    await world.desk.step()
    assert world.desk.states().replies[Sending.QUEUED] >= 1, "the control: two is to go again"
    await evening(world, 3)
    first, second, then = ({*cut_batch(post[4:])[0]} for post in world.server.posts)
    assert len(first & then) == 2 * REPLIES
    assert second.isdisjoint(then)


async def test_what_came_again_is_read_once_and_new_answers_follow_it(world: World) -> None:
    await handed_and_not_shown(world, answers=2)
    [case] = world.desk.inbox()
    world.desk.answer(case.id, "a newer one")
    await evening(world, 2)
    await evening(world, 3)
    for day in (3, 4):
        await world.begin_day(day)
        world.release_day()
    found = sorted(reply.text for reply in world.read_replies(ALICE))
    assert found == ["a newer one", "answer 0", "answer 1"]
    await world.begin_day(5)
    world.server.release(world.record, world.clock.time)
    await world.desk.step()
    assert world.desk.states().replies[Sending.BOARD] == 3
    assert world.desk.states().receipts[Sending.BOARD] == 1
    slots = world.board()[0]
    assert len(set(slots)) == len(slots)


def test_what_does_not_fit_waits_and_none_of_it_goes_alone() -> None:
    size = Room(3, 2)
    old = WaitingReply(1, (b"a" * 768, b"b" * 768))
    held = WaitingReply(2, (b"c" * 768,))
    new = WaitingReply(3, (b"d" * 768,))
    again = Again((*old.slots,), (b"r" * 16,), frozenset({*held.slots, b"s" * 16}))
    receipts = [WaitingReceipt(n * 16, Continuity.FIRST) for n in (b"r", b"s", b"t")]
    made = build(1, size, [old, held, new], receipts, HostChance(SeededEntropy(b"again")), again)
    assert set(made.replies) == {1, 3}
    assert set(made.receipts) == {b"r" * 16, b"t" * 16}
    assert set(made.everything) == {*old.slots, *new.slots, b"r" * 16, b"t" * 16}
