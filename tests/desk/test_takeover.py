"""Who stole a desk key or a case tries to take a conversation over; and B serves old drops.

The thief has opened a letter: they know its conversation, week, e and x, and every desk key.
Replies stay with the writer all the same, who alone can make the next x (chain 2).
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.desk.simulated import PASSPHRASE, World

from wallflower.crypto.derive import epoch_secret
from wallflower.wire.chain import Continuity, chain_value, hash_times

ALICE, THIEF = b"a" * 16, b"t" * 16
REPLY = "for Alice alone"


async def _known(world: World) -> int:
    """Alice has written in some week, and the desk has opened it; the week."""
    await world.start()
    world.drop(world.write(ALICE, "real"))
    await world.desk.step()
    [case] = world.desk.inbox()
    [letter] = world.desk.conversation(case.id).letters
    world.desk.open_letter(letter.id)
    return world.record.desk("desk one").week


ATTEMPTS: dict[str, Callable[[bytes, int], bytes]] = {
    "the x that was seen, in the next week": lambda x, w: x,
    "the x that was seen, hashed once more": lambda x, w: hash_times(x, 1),
    "an x of other words": lambda x, w: chain_value(THIEF, w + 1),
    "nothing": lambda x, w: bytes(32),
}


async def _answer_and_read(world: World, day: int) -> list[list[str]]:
    """An answer to the one case; what Alice finds, and what the thief finds."""
    [case] = world.desk.inbox()
    world.desk.answer(case.id, REPLY)
    world.set_time(day, 18.5)
    await world.desk.step()
    await world.begin_day(day + 1)
    world.release_day()
    return [[reply.text for reply in world.read_replies(s)] for s in (ALICE, THIEF)]


@pytest.mark.parametrize("attempt", sorted(ATTEMPTS))
async def test_a_thief_of_the_case_cannot_make_the_next_link(world: World, attempt: str) -> None:
    week = await _known(world)
    await world.begin_day(7)
    x = ATTEMPTS[attempt](chain_value(ALICE, week), week)
    world.drop(world.write(ALICE, "forged", e=epoch_secret(THIEF, week + 1), x=x))
    await world.desk.step()
    [case] = world.desk.inbox()
    assert (case.unconfirmed, case.letters) == (1, 2)
    assert await _answer_and_read(world, 7) == [[REPLY], []]


async def test_a_thief_who_keeps_the_link_and_changes_e_redirects_nothing(world: World) -> None:
    week = await _known(world)
    world.drop(world.write(ALICE, "forged", mark=1, e=epoch_secret(THIEF, week)))
    await world.desk.step()
    [case] = world.desk.inbox()
    assert case.unconfirmed == 1
    assert await _answer_and_read(world, 0) == [[REPLY], []]


async def test_a_copy_of_everything_that_was_seen_speaks_for_the_week_and_gets_no_reply(
    world: World,
) -> None:
    """The loss: within one week the thief's letter looks confirmed. Replies still go to Alice."""
    await _known(world)
    world.drop(world.write(ALICE, "forged in her name", mark=1))
    await world.desk.step()
    [case] = world.desk.inbox()
    assert (case.unconfirmed, case.continuity) == (0, Continuity.CONFIRMED)
    assert await _answer_and_read(world, 0) == [[REPLY], []]


async def test_at_a_desk_that_lost_its_store_who_writes_first_gets_replies(world: World) -> None:
    """The loss: an empty store knows no chain, and the thief of the old one knows every id."""
    week = await _known(world)
    world.desk.lock()
    world.server.keys.clear()  # all of them were revoked
    world.folder = world.path / "another"
    world.desk = world.new_desk()
    world.desk.unlock(PASSPHRASE)
    await world.desk.step()
    world.make_record()
    await world.desk.step()
    world.drop(world.write(ALICE, "it is me", e=epoch_secret(THIEF, week)))
    await world.desk.step()
    world.drop(world.write(ALICE, "truly Alice", mark=1))
    await world.desk.step()
    [case] = world.desk.inbox()
    assert (case.continuity, case.unconfirmed) == (Continuity.FIRST, 1)
    assert await _answer_and_read(world, 0) == [[], [REPLY]]


async def test_alice_is_believed_again_after_a_thief_has_tried(world: World) -> None:
    week = await _known(world)
    await world.begin_day(7)
    world.drop(world.write(ALICE, "forged", e=epoch_secret(THIEF, week + 1), x=bytes(32)))
    await world.desk.step()
    world.drop(world.write(ALICE, "it is me"))
    await world.desk.step()
    [case] = world.desk.inbox()
    kinds = [item.continuity for item in world.desk.conversation(case.id).letters]
    assert sorted(kinds) == sorted([Continuity.FIRST, Continuity.UNCONFIRMED, Continuity.CONFIRMED])


async def test_old_drops_that_b_serves_again_are_an_alarm_and_bring_no_letter_twice(
    world: World,
) -> None:
    await world.start()
    world.drop(world.write(ALICE, "one"))
    old = world.log.read(0, 8)[-1].body
    await world.desk.step()
    world.drop(world.write(THIEF, "two"))
    await world.desk.step()
    before = world.desk.status()
    world.log.append(world.record.number, [old])
    await world.desk.step()
    status = world.desk.status()
    assert (status.letters, status.faults) == (before.letters, {"drop 2.4": 1})
    assert [a.what for a in status.alarms] == ["Drop 1 does not follow drop 2: ask operator B"]


async def test_a_b_that_breaks_its_chain_at_each_drop_buries_no_other_alarm(world: World) -> None:
    await world.start()
    world.desk._open()[1].letters.alarm(world.desk.today(), "another alarm")
    for _ in range(30):
        world.make_drop([])  # which nobody is shown
        world.drop()
    await world.desk.step()
    assert [alarm.what for alarm in world.desk.status().alarms] == [
        "Drop 60 does not follow drop 58, nor did 29 before it today: ask operator B",
        "another alarm",
    ]
    await world.begin_day(1)
    world.make_drop([])
    world.drop()
    await world.desk.step()
    assert [alarm.what for alarm in world.desk.status().alarms][:2] == [
        "Drop 62 does not follow drop 60: ask operator B",
        "Drop 60 does not follow drop 58, nor did 29 before it today: ask operator B",
    ]


async def test_two_chains_of_one_b_are_an_alarm_at_the_fork(world: World) -> None:
    await world.start()
    world.drop(world.write(ALICE, "one"))
    await world.desk.step()
    fork = world.last_drop
    world.make_drop([])  # what another reader was shown as number 2
    other = world.last_drop
    world.last_drop = fork
    world.drop()
    await world.desk.step()
    assert world.desk.status().alarms == []
    world.last_drop = other
    world.drop(world.write(THIEF, "on the other branch"))
    await world.desk.step()
    assert world.desk.status().faults == {"drop 2.4": 1}
    assert [a.what for a in world.desk.status().alarms] == [
        "Drop 3 does not follow drop 2: ask operator B"
    ]
