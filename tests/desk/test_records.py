"""What the desk server may show and what the desk believes of it: records and the board."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from tests.desk.simulated import MONDAY, PASSPHRASE, World

from wallflower.crypto.derive import sha256
from wallflower.desk.edge.keyring import Keyring
from wallflower.desk.edge.status import report
from wallflower.desk.edge.store import Store
from wallflower.errors import Fault
from wallflower.host.disk import DiskTrouble
from wallflower.lab.host import SeededEntropy
from wallflower.wire.sizes import DAY_S, KEM_PUBLIC

ALICE = b"a" * 16
STRANGE = "The desk server showed a record that does not follow: ask the organisation"


def alarms(world: World) -> list[str]:
    return [alarm.what for alarm in world.desk.status().alarms]


async def test_two_records_of_one_number_are_an_alarm_and_the_first_stays(world: World) -> None:
    await world.start()
    first = world.records.pop()
    world.make_record(floor=2)
    assert world.record.number == first.number
    await world.desk.step()
    assert alarms(world) == [STRANGE]
    assert world.desk.status().faults["record 2.11"] == 1


async def test_record_that_does_not_follow_is_an_alarm_and_is_not_kept(world: World) -> None:
    await world.start()
    world.records.pop()
    world.make_record(floor=2)  # another first record, which this desk never saw
    world.clock.time += DAY_S
    world.make_record()
    await world.desk.step()
    assert alarms(world) == [STRANGE]
    assert world.desk.status().record == 1


async def test_record_of_an_older_day_is_a_fault(world: World) -> None:
    await world.start()
    world.clock.time += 2 * DAY_S
    await world.desk.step()
    assert world.desk.status().faults["record 2.10"] == 1
    assert world.desk.status().today == MONDAY + 2


async def test_board_with_another_past_is_an_alarm(world: World) -> None:
    await world.start()
    server = world.server
    server.newest, server.segments = None, {}
    server.entropy = SeededEntropy(b"another past")
    for hour in (2, 6):  # numbers 1 and 2 again, under the same key
        world.set_time(0, hour)
        server.release(world.record, world.clock.time)
    await world.desk.step()
    assert alarms(world) == ["The board is not the one that was seen before: ask the organisation"]


async def test_board_under_a_record_that_the_desk_does_not_have_yet_is_read_later(
    world: World,
) -> None:
    await world.start()
    await world.begin_day(1)
    before = world.desk.status()
    newer = world.make_record()
    world.server.current = newer.number - 1
    world.set_time(1, 6)
    world.server.release(newer, world.clock.time)
    await world.desk.step()
    status = world.desk.status()
    assert (status.board_number, status.faults) == (before.board_number, before.faults)
    world.server.current = newer.number
    await world.desk.step()
    assert world.desk.status().board_number == before.board_number + 1
    assert alarms(world) == []


async def test_what_stays_away_is_an_alarm_before_letters_are_lost_and_once_a_day(
    world: World,
) -> None:
    await world.start()
    world.drop()
    await world.desk.step()
    world.net.cut.update({"mix", "board"})
    for hour in (23, 24 * 3 - 1):
        world.set_time(0, hour)
        await world.desk.step()
        assert alarms(world) == []
    world.set_time(3, 0)
    for _ in range(2):
        await world.desk.step()
        assert [what.split(",")[0] for what in alarms(world)] == ["No drop came since 2026-11-23"]
    world.desk.acknowledge(world.desk.status().alarms[0].id)
    world.set_time(4, 0)
    await world.desk.step()
    found = [alarm.what for alarm in world.desk.status().alarms if not alarm.seen]
    assert sum("No drop came since 2026-11-23" in what for what in found) == 1
    assert sum("does not have the keys for 2026-11-28" in what for what in found) == 1
    assert len(found) == 2


async def test_a_record_that_a_full_disk_did_not_take_is_kept_once_there_is_room(
    world: World,
) -> None:
    await world.start()
    for day in (1, 2, 3):  # the desk slept meanwhile, so its record is of Monday
        world.set_time(day, 12)
        world.make_record()
    store = world.desk._open()[0]
    [(pages,)], [(most,)] = store.run("PRAGMA page_count"), store.run("PRAGMA max_page_count")
    store.run(f"PRAGMA max_page_count = {pages}")
    await world.desk.step()
    assert any("disk" in what for what in world.desk.status().unreachable), "the control"
    store.run(f"PRAGMA max_page_count = {most}")
    await world.desk.step()
    assert (world.desk.status().unreachable, world.desk.status().record) == ([], 4)
    world.set_time(3, 18)
    await world.desk.step()
    assert len(world.server.posts) == 1, "the batch of the evening"


async def test_a_desk_without_a_record_in_force_waits_for_the_next_tick(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.start()
    world.set_time(6, 12)  # the desk server still shows Monday's record
    assert await wait_of(world, monkeypatch) == world.record.body.parameters.tick


async def test_a_desk_that_nobody_has_shown_a_record_asks_once_a_minute(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.net.cut.update({"mix", "board"})
    world.desk.unlock(PASSPHRASE)
    assert await wait_of(world, monkeypatch) == 60


async def test_a_desk_that_is_unlocked_makes_its_first_pass_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, passed = list[float](), asyncio.Event()
    step = world.desk.step

    async def stepped() -> None:
        await step()
        if not world.desk.locked:
            passed.set()

    async def sleep_until(moment: float) -> None:
        waits.append(moment)
        await asyncio.Event().wait()

    monkeypatch.setattr(world.clock, "sleep_until", sleep_until)
    monkeypatch.setattr(world.desk, "step", stepped)
    running = asyncio.ensure_future(world.desk.run())
    await asyncio.sleep(0)
    world.desk.unlock(PASSPHRASE)
    await asyncio.wait_for(passed.wait(), 10)
    assert waits == []
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_desk_whose_store_fails_asks_no_more_often_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.start()
    refuse(monkeypatch, "SELECT number FROM records", Fault("The store is damaged", "Mend it."))
    assert await wait_of(world, monkeypatch) == 540, "to the next ten minutes, a minute past one"


async def test_a_full_disk_and_a_record_that_is_refused_end_no_desk(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.start()
    world.set_time(2, 0.1)  # the desk server still shows Monday's record
    refuse(monkeypatch, "INSERT INTO faults", DiskTrouble())
    await world.desk.step()
    assert world.desk.status().unreachable == ["this computer's disk, which is full or fails"]


async def test_what_fails_on_the_desk_s_own_computer_sends_nobody_to_the_network(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.start()
    for fault in (DiskTrouble(), Fault("The store is damaged", "Mend it.")):
        with monkeypatch.context() as patch:
            refuse(patch, "SELECT number FROM records", fault)
            await world.desk.step()
        [alarm] = report(world.desk.status()).alarms
        assert (alarm.name, "network" in alarm.next_step) == ("desk-failing", False)
    right, world.clock.time = world.clock.time, 60.0  # 1970
    await world.desk.step()
    world.net.cut.add("mix")
    assert [alarm.name for alarm in report(world.desk.status()).alarms] == ["desk-failing"]
    world.clock.time = right
    await world.desk.step()
    assert [alarm.name for alarm in report(world.desk.status()).alarms] == ["unreachable"]


def refuse(monkeypatch: pytest.MonkeyPatch, begins: str, fault: Fault) -> None:
    """From now on a store fails at statements that begin so."""
    run: Callable[..., list[tuple[object, ...]]] = Store.run

    def refused(store: Store, statement: str, *values: object) -> list[tuple[object, ...]]:
        if statement.startswith(begins):
            raise fault
        return run(store, statement, *values)

    monkeypatch.setattr(Store, "run", refused)


async def wait_of(world: World, monkeypatch: pytest.MonkeyPatch) -> float:
    """How many seconds of record time a running desk waits after its first pass."""
    waits: list[float] = []

    class Waits(Exception):
        pass

    async def sleep_until(moment: float) -> None:
        waits.append(moment - world.clock.time)
        raise Waits

    monkeypatch.setattr(world.clock, "sleep_until", sleep_until)
    with pytest.raises(Waits):
        await asyncio.wait_for(world.desk.run(), 10)
    return waits[0]


async def test_keys_that_were_handed_in_before_a_restart_are_not_missed_after_it(
    world: World,
) -> None:
    await world.start()
    world.desk.lock()
    world.desk = world.new_desk()
    world.desk.unlock(PASSPHRASE)
    world.net.down.add("/desk/keys")
    await world.desk.step()
    assert world.desk.status().unreachable == ["desk server: keys"]
    assert alarms(world) == []


async def test_keys_are_handed_in_once_a_day_and_at_once_where_one_was_revoked(
    world: World,
) -> None:
    await world.start()
    for hour in (2, 3, 4):
        world.set_time(0, hour)
        await world.desk.step()
    [first] = world.server.published
    drop = first[4 : 4 + KEM_PUBLIC]
    world.server.revoked = sha256(drop)
    world.net.down.add("/desk/keys")
    await world.desk.step()
    assert world.desk.status().keys_published is None, "those that were handed in are no use now"
    assert any("does not have the keys" in what for what in alarms(world))
    world.net.down.clear()
    for _ in range(2):
        await world.desk.step()
    [_, second] = world.server.published
    week = slice(4 + KEM_PUBLIC, 6 + 2 * KEM_PUBLIC)
    assert (second[:4], second[week]) == (first[:4], first[week])
    assert second[4 : 4 + KEM_PUBLIC] != drop
    world.server.revoked = b""
    await world.begin_day(1)
    assert len(world.server.published) == 3, "the next day"


async def test_malformed_drop_is_acknowledged_once(world: World) -> None:
    await world.start()
    world.log.append(1, [b"not a drop"])
    await world.desk.step()
    await world.desk.step()
    assert (world.log.size(), world.desk.status().faults) == (0, {"drop 2.1": 1})


async def test_receipt_that_was_handed_over_is_not_queued_again(world: World) -> None:
    await world.start()
    for text in ("one", "two"):
        world.drop(world.write(ALICE, text, mark=5))
    await world.desk.step()
    [case] = world.desk.inbox()
    one, two = world.desk.conversation(case.id).letters
    world.desk.open_letter(one.id)
    world.set_time(0, 18)
    await world.desk.step()
    before = world.desk.letter(one.id).receipt
    assert world.desk.open_letter(one.id).receipt is before
    assert world.desk.open_letter(two.id).receipt is before


def log_size(world: World) -> int:
    return (world.folder / "store.db-wal").stat().st_size


async def test_what_died_while_a_desk_was_off_is_gone_once_it_is_unlocked(world: World) -> None:
    await world.start()
    world.desk.lock()
    world.set_time(60, 0)
    world.desk.unlock(PASSPHRASE)
    assert world.desk._open()[1].keyring.counts() == (0, 0)


async def test_dying_key_leaves_nothing_in_the_write_ahead_log(world: World) -> None:
    await world.start()
    keyring = Keyring(world.desk._open()[0], world.pins, "desk one")
    assert log_size(world) > 0
    keyring.erase_dead(world.clock.time + 5 * DAY_S, 1)
    assert log_size(world) == 0


async def test_a_log_that_a_full_disk_did_not_let_go_of_a_dead_key_is_emptied_at_the_next_pass(
    world: World,
) -> None:
    await world.start()
    world.clock.time = (MONDAY + 5) * DAY_S
    with pytest.MonkeyPatch.context() as patch:
        refuse(patch, "PRAGMA wal_checkpoint", DiskTrouble())
        await world.desk.step()
    keyring = world.desk._open()[1].keyring
    assert MONDAY not in keyring._drop(), "the control: the key was erased"
    assert log_size(world) > 0
    keyring.erase_dead(world.clock.time, 1)
    assert log_size(world) == 0
