"""Letters: from B's drops to the inbox, and what each may be believed to be."""

from __future__ import annotations

import pytest
from tests.desk.simulated import MONDAY, PASSPHRASE, SLOTS, World
from tests.mix.room import power_cut_at

from wallflower.crypto.derive import epoch_secret, sha256
from wallflower.crypto.sign import sign
from wallflower.desk.edge.letters import Letters
from wallflower.desk.edge.status import report
from wallflower.desk.views import Sending
from wallflower.errors import Fault
from wallflower.host.asgi import Message, Receive, Scope, Send, answer, refuse
from wallflower.host.log import Entry
from wallflower.host.pull import encode_entries
from wallflower.wire.chain import Continuity
from wallflower.wire.drop import DropHeader, make_drop
from wallflower.wire.letter import LetterKind
from wallflower.wire.sizes import DROP_HEADER, DROP_SEAL, HASH, SIGNATURE

ALICE, BOB = b"a" * 16, b"b" * 16


async def test_first_letter_arrives_sealed_until_it_is_opened(world: World) -> None:
    await world.start()
    world.drop(world.write(ALICE, "hello"))
    await world.desk.step()
    [case] = world.desk.inbox()
    assert (case.letters, case.new, case.continuity) == (1, 1, Continuity.FIRST)
    [letter] = world.desk.conversation(case.id).letters
    assert (letter.text, letter.day, letter.receipt) == ("", MONDAY, None)
    opened = world.desk.open_letter(letter.id)
    assert (opened.text, opened.receipt) == ("hello", Sending.QUEUED)
    assert world.desk.inbox()[0].new == 0


async def test_what_is_not_at_the_desk_is_a_fault_and_changes_nothing(world: World) -> None:
    await world.start()
    for look in (world.desk.letter, world.desk.open_letter):
        with pytest.raises(Fault, match="no such letter"):
            look(b"l" * HASH)
    with pytest.raises(Fault, match="no such conversation"):
        world.desk.conversation(ALICE)
    with pytest.raises(Fault, match="no such conversation"):
        world.desk.answer(ALICE, "nobody hears this")
    assert sum(world.desk.states().receipts.values()) == 0


async def test_fillers_and_loops_are_not_letters(world: World) -> None:
    await world.start()
    world.drop(world.write(ALICE, "loop", kind=LetterKind.LOOP))
    await world.desk.step()
    assert world.desk.inbox() == []
    assert (world.desk.status().loops, world.desk.status().drops_read) == (1, 1)


async def test_three_letters_across_a_week_change_are_one_conversation_confirmed(
    world: World,
) -> None:
    await world.start()
    for day in (4, 6, 8):  # Friday, Sunday, and Tuesday of the next week
        await world.begin_day(day)
        world.drop(world.write(ALICE, f"day {day}"))
        await world.desk.step()
    [case] = world.desk.inbox()
    assert case.continuity is Continuity.CONFIRMED
    letters = world.desk.conversation(case.id).letters
    assert [item.continuity for item in letters] == [
        Continuity.FIRST, Continuity.CONFIRMED, Continuity.CONFIRMED
    ]  # fmt: skip
    assert [item.day for item in letters] == [MONDAY + 4, MONDAY + 6, MONDAY + 8]
    assert world.desk.status().faults == {}


async def test_unconfirmed_letter_is_shown_and_does_not_redirect_replies(world: World) -> None:
    await world.start()
    world.drop(world.write(ALICE, "real"))
    await world.desk.step()
    await world.begin_day(7)
    forged = world.write(ALICE, "forged", e=epoch_secret(BOB, 0), x=bytes(32))
    world.drop(forged)
    await world.desk.step()
    [case] = world.desk.inbox()
    assert (case.unconfirmed, case.continuity) == (1, Continuity.FIRST)
    world.desk.answer(case.id, "for the real one")
    world.set_time(7, 18.5)
    await world.desk.step()
    await world.begin_day(8)
    world.release_day()
    assert [r.text for r in world.read_replies(ALICE)] == ["for the real one"]
    kept = world.records[0].body.week
    assert [r.week for r in world.read_replies(ALICE)] == [kept]


async def test_older_letter_in_the_same_drop_is_judged_before_the_newer(world: World) -> None:
    await world.start()
    await world.begin_day(6)
    early = world.write(ALICE, "sunday")
    await world.begin_day(7)
    world.drop(world.write(ALICE, "monday"), early)
    await world.desk.step()
    [case] = world.desk.inbox()
    found = {item.continuity for item in world.desk.conversation(case.id).letters}
    assert found == {Continuity.FIRST, Continuity.CONFIRMED}


async def test_same_letter_twice_is_one(world: World) -> None:
    await world.start()
    letter = world.write(ALICE, "once")
    world.drop(letter, letter)
    world.drop(letter)
    await world.desk.step()
    assert [case.letters for case in world.desk.inbox()] == [1]


async def test_faulty_slot_is_counted_and_the_others_are_read(world: World) -> None:
    await world.start()
    full = [world.write(bytes([n]) * 16, "one of four") for n in range(SLOTS)]
    good = world.make_drop(full)
    # The slot is damaged before B signs: a signature over it is valid, as from a faulty B.
    broken = bytearray(good[:-64])
    broken[DROP_HEADER + DROP_SEAL + 5] ^= 1
    world.log.append(1, [bytes(broken) + sign(world.drop_seed, "drop", bytes(broken))])
    world.drop(world.write(ALICE, "of the next drop"))
    await world.desk.step()
    status = world.desk.status()
    assert status.faults["drop 2.6"] == 1
    assert (status.drops_read, status.letters) == (2, SLOTS - 1 + 1)


async def test_letter_that_names_another_week_is_a_fault_and_nothing_more(world: World) -> None:
    await world.start()
    world.drop(world.write(ALICE, "x", week=5), world.write(BOB, "y"))
    await world.desk.step()
    assert world.desk.status().faults == {"letter 3.6": 1}
    assert len(world.desk.inbox()) == 1


async def test_break_of_the_drop_chain_is_an_alarm_and_reading_goes_on(world: World) -> None:
    await world.start()
    world.drop()
    world.make_drop([])  # lost on the way
    world.drop(world.write(ALICE, "after the gap"))
    world.drop(world.write(BOB, "and after"))
    await world.desk.step()
    status = world.desk.status()
    assert (status.letters, status.last_drop, status.faults) == (2, 4, {"drop 2.4": 1})
    assert [alarm.what for alarm in status.alarms] == [
        "Drop 3 does not follow drop 1: ask operator B"
    ]


async def test_drop_of_a_strange_signer_is_not_read(world: World) -> None:
    await world.start()
    letters = [world.write(ALICE, "x"), *(world.filler() for _ in range(3))]
    strange = make_drop(
        DropHeader(1, 1, 1, 4, bytes(HASH)), world.record.body.drop_key, world.record.hash,
        bytes(32), letters, bytes(32),
    )  # fmt: skip
    world.log.append(1, [strange, b"not a drop"])
    world.drop(world.write(BOB, "true"))
    await world.desk.step()
    assert world.desk.status().faults == {"drop 2.3": 1, "drop 2.1": 1}
    assert world.desk.status().letters == 1


async def test_drop_of_an_impossible_tick_is_read_under_its_records_day(world: World) -> None:
    await world.start()
    letters = [world.write(ALICE, "x"), *(world.filler() for _ in range(3))]
    drop = make_drop(
        DropHeader(1, 1, 2**64 - 1, 4, bytes(HASH)), world.record.body.drop_key, world.record.hash,
        bytes(32), letters, world.drop_seed,
    )  # fmt: skip
    world.log.append(1, [drop])
    await world.desk.step()
    assert world.desk.status().faults == {"drop 1.3": 1}
    assert world.desk.inbox()[0].last_day == MONDAY


@pytest.mark.parametrize("number", [0, 2**63, 2**64 - 1])
async def test_answer_of_b_with_impossible_numbers_is_a_fault_and_nothing_of_it_is_read(
    world: World, number: int
) -> None:
    await world.start()
    said = encode_entries([Entry(number, 1, world.make_drop([world.write(ALICE, "x")]))])

    async def strange(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await answer(send, 200, said)

    world.net.apps["mix"] = strange
    await world.desk.step()
    status = world.desk.status()
    assert (status.faults, status.letters, status.drops_read) == ({"pull 3.1": 1}, 0, 0)


async def test_drops_come_one_by_one_where_several_take_longer_than_an_answer_may(
    world: World,
) -> None:
    """Else a desk on a slow line would get nothing more, once it was locked for some hours."""
    await world.start()
    for n in range(5):
        world.drop(world.write(ALICE, f"letter {n}"))

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        if int.from_bytes(message["body"][8:12]) > 1:
            await refuse(send)  # to who asks it is the same as no answer in time
            return

        async def again() -> Message:
            return message

        await world.mix(scope, again, send)

    world.net.apps["mix"] = slow
    await world.desk.step()
    assert (world.desk.status().letters, world.log.size()) == (5, 0)


async def test_drops_that_come_before_the_first_record_wait_for_it(world: World) -> None:
    world.desk.unlock(PASSPHRASE)
    await world.desk.step()
    first = world.make_record()
    kept, world.server.records = world.server.records, {}
    world.drop(world.write(ALICE, "patience"))
    await world.desk.step()
    assert (world.log.size(), world.desk.status().faults) == (1, {})
    world.server.records = kept
    await world.desk.step()
    assert (world.desk.status().record, world.desk.status().letters) == (first.number, 1)


@pytest.mark.parametrize("number", [100, 65535])
async def test_drop_of_a_record_that_cannot_be_is_passed_over_and_the_next_is_read(
    world: World, number: int
) -> None:
    """Nobody is asked for it: a drop must not be able to hold up all that come after it."""
    await world.start()
    drop = make_drop(
        DropHeader(number, 1, 1, SLOTS, bytes(HASH)), world.record.body.drop_key, world.record.hash,
        bytes(32), [world.filler() for _ in range(SLOTS)], world.drop_seed,
    )  # fmt: skip
    world.log.append(1, [drop])
    world.drop(world.write(ALICE, "the next"))
    await world.desk.step()
    status = world.desk.status()
    assert (status.letters, status.faults, status.unreachable) == (1, {"drop 2.1": 1}, [])


async def test_drop_that_does_not_open_is_counted_and_the_next_is_read(world: World) -> None:
    await world.start()
    broken = bytearray(world.make_drop([world.write(ALICE, "x")])[:-SIGNATURE])
    broken[DROP_HEADER + 7] ^= 1
    world.log.append(1, [bytes(broken) + sign(world.drop_seed, "drop", bytes(broken))])
    world.last_drop = (1, sha256(world.log.read(0, 8)[-1].body))
    world.drop(world.write(BOB, "the next"))
    await world.desk.step()
    status = world.desk.status()
    assert (status.letters, status.faults, status.alarms) == (1, {"drop 2.5": 1}, [])


async def test_drop_of_the_second_day_of_its_record_is_of_that_day(world: World) -> None:
    await world.start()
    world.set_time(1, 1)
    world.drop(world.write(ALICE, "after midnight"))
    await world.desk.step()
    assert world.desk.status().faults == {}
    assert world.desk.inbox()[0].last_day == MONDAY + 1


async def test_unreachable_b_is_noted_and_asked_again(world: World) -> None:
    await world.start()
    world.drop(world.write(ALICE, "patience"))
    world.net.cut.add("mix")
    await world.desk.step()
    assert world.desk.status().unreachable == ["mix B: drops"]
    assert [alarm.name for alarm in report(world.desk.status()).alarms] == ["unreachable"]
    assert world.desk.inbox() == []
    world.net.cut.clear()
    await world.desk.step()
    assert world.desk.status().unreachable == []
    assert len(world.desk.inbox()) == 1


async def test_drop_under_a_record_that_is_not_there_yet_waits(world: World) -> None:
    await world.start()
    await world.begin_day(1)
    newer = world.make_record()  # a second record of the day, which the desk has not seen
    world.server.current, kept = newer.number - 1, world.server.records.pop(newer.number)
    world.drop(world.write(ALICE, "early"))
    await world.desk.step()
    assert world.desk.status().letters == 0
    assert "mix B: drops" in world.desk.status().unreachable
    world.server.records[newer.number] = kept
    await world.desk.step()
    assert world.desk.status().letters == 1


async def test_b_forgets_a_drop_only_after_it_is_stored(world: World) -> None:
    await world.start()
    world.drop(world.write(ALICE, "x"))
    world.net.cut.add("mix")
    await world.desk.step()
    assert world.log.size() == 1
    world.net.cut.clear()
    await world.desk.step()
    assert (world.log.size(), world.desk.status().letters) == (0, 1)


async def test_a_power_cut_within_a_drop_loses_and_repeats_nothing(world: World) -> None:
    await world.start()
    world.drop(*(world.write(secret, "hello") for secret in (ALICE, BOB, b"c" * 16)))
    with power_cut_at(Letters, "_keep", 1):
        await world.desk.step()
    world.desk.lock()
    world.desk = world.new_desk()
    world.desk.unlock(PASSPHRASE)
    for _ in range(2):
        await world.desk.step()
    assert [case.letters for case in world.desk.inbox()] == [1, 1, 1]
    assert world.desk.status().faults == {}


async def test_a_disk_that_fills_ends_no_desk_and_loses_no_letter(world: World) -> None:
    await world.start()
    store = world.desk._store
    assert store is not None
    ((pages,),) = store.run("PRAGMA page_count")
    store.run(f"PRAGMA max_page_count = {pages + 1}")
    for n in range(8):
        world.drop(*(world.write(bytes([n, at]) * 8, "x" * 5000) for at in range(4)))
    await world.desk.step()
    assert any("disk" in name for name in world.desk.status().unreachable)
    assert world.desk.status().letters < 32
    store.run("PRAGMA max_page_count = 1000000")
    await world.desk.step()
    assert world.desk.status().unreachable == []
    assert world.desk.status().letters == 32
    assert world.desk.status().faults == {}


async def test_restart_keeps_everything(world: World) -> None:
    await world.start()
    world.drop(world.write(ALICE, "stay"))
    await world.desk.step()
    [case] = world.desk.inbox()
    [letter] = world.desk.conversation(case.id).letters
    world.desk.open_letter(letter.id)
    world.desk.answer(case.id, "noted")
    before = (world.desk.inbox(), world.desk.conversation(case.id), world.desk.states())
    world.desk.lock()
    world.desk = world.new_desk()
    with pytest.raises(Fault, match="locked"):
        world.desk.inbox()
    world.desk.unlock(PASSPHRASE)
    assert (world.desk.inbox(), world.desk.conversation(case.id), world.desk.states()) == before
    world.drop(world.write(ALICE, "again"))
    await world.desk.step()
    assert (world.desk.inbox()[0].letters, world.desk.status().faults) == (2, {})


async def test_dead_keys_open_no_recorded_drop(world: World) -> None:
    await world.start()
    recorded = world.make_drop([world.write(ALICE, "recorded by somebody")])
    await world.begin_day(3)
    assert world.desk.status().drop_keys == 8
    world.set_time(4, 0.01)  # 72 h after the end of the first day
    await world.desk.step()
    assert world.desk.status().drop_keys == 8  # one died, one was born
    world.log.append(1, [recorded])
    await world.desk.step()
    assert world.desk.status().faults == {"drop key is gone": 1}
    assert world.desk.status().letters == 0


async def test_drop_opens_until_its_key_dies(world: World) -> None:
    await world.start()
    late = world.make_drop([world.write(ALICE, "late")])
    await world.begin_day(3, 23.9)
    world.log.append(1, [late])
    await world.desk.step()
    assert world.desk.status().letters == 1


async def test_desk_key_dies_after_its_time_and_letters_stay_sealed(world: World) -> None:
    await world.start()
    old = world.write(ALICE, "too late", record=world.records[0])
    # week + 7 d + 1 d + 8 × 18 h + 3 d: the desk key of the first week dies on day 24
    await world.begin_day(23)
    assert world.desk.status().desk_keys == 4
    world.drop(old)
    await world.desk.step()
    assert world.desk.status().letters == 1
    await world.begin_day(24)
    assert world.desk.status().desk_keys == 4 - 1 + 1
    world.drop(world.write(BOB, "too late as well", record=world.records[0]))
    await world.desk.step()
    assert world.desk.status().faults["letter 3.2"] == 1
