"""What B, the desk server and this computer's clock may do to a desk, and what it then says."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.desk.simulated import MONDAY, PASSPHRASE, PERIOD, World
from tests.mix.room import PowerCut, power_cut_at

from wallflower.crypto.derive import sha256
from wallflower.crypto.sign import verify_key
from wallflower.desk.edge.keyring import Keyring
from wallflower.desk.edge.letters import Letters
from wallflower.desk.keys import MOST_TURNS
from wallflower.host.asgi import Receive, Scope, Send, answer, read_body
from wallflower.host.log import Entry
from wallflower.host.pull import encode_entries, parse_question
from wallflower.trust.record import EpochRecord
from wallflower.wire.segment import make_head, make_segment, parse_segment
from wallflower.wire.sizes import DAY_S, HASH, KEM_PUBLIC

ALICE, BOB = b"a" * 16, b"b" * 16


def alarms(world: World) -> list[str]:
    return [alarm.what for alarm in world.desk.status().alarms]


def given_up(world: World) -> list[str]:
    """What the desk says of drops that it waits for no longer. A count of faults tells nobody."""
    return [
        what.partition(", so a drop was given up. Letters in it are lost")[0]
        for what in alarms(world) if "given up" in what
    ]  # fmt: skip


async def with_drop_of_a_record_that_the_desk_lacks(world: World) -> int:
    """A drop with a letter waits at B, and the desk does not have its record; the number of it."""
    await world.start()
    await world.begin_day(1)
    number = world.make_record().number
    world.server.current = number - 1
    world.drop(world.write(ALICE, "do not lose me"))
    return number


@pytest.mark.parametrize("said", [b"<html>please log in</html>", b"", b"another record"])
async def test_a_false_answer_of_the_desk_server_costs_no_letter(world: World, said: bytes) -> None:
    number = await with_drop_of_a_record_that_the_desk_lacks(world)
    good = world.server.records[number]
    false = world.server.records[1] if said == b"another record" else said
    world.server.records[number] = false
    for _ in range(2):
        await world.desk.step()
        assert (world.desk.status().letters, world.log.size()) == (0, 1)
    assert alarms(world) == [
        f"The desk server shows no good record {number}, which a drop needs: ask the organisation"
    ]
    world.server.records[number] = good
    await world.desk.step()
    assert world.desk.status().letters == 1


async def test_a_record_that_stays_false_holds_up_the_next_drop_for_a_day_only(
    world: World,
) -> None:
    number = await with_drop_of_a_record_that_the_desk_lacks(world)
    world.server.records[number] = b"never a record"
    await world.desk.step()
    world.clock.time += DAY_S - 1
    await world.desk.step()
    assert (world.log.size(), given_up(world)) == (1, [])
    world.clock.time += 1
    await world.desk.step()
    await world.desk.step()
    assert (world.desk.status().letters, world.log.size()) == (0, 0)
    assert given_up(world) == [f"The desk server showed no good record {number} in a day"]


async def test_a_record_that_stays_false_since_a_clock_was_ahead_holds_up_for_a_day_only(
    world: World,
) -> None:
    number = await with_drop_of_a_record_that_the_desk_lacks(world)
    world.server.records[number] = b"never a record"
    right = world.clock.time
    for ahead in (30 * DAY_S, 0, DAY_S):
        world.clock.time = right + ahead
        await world.desk.step()
    assert given_up(world) == [f"The desk server showed no good record {number} in a day"]
    assert world.log.size() == 0


async def test_a_past_record_that_is_not_shown_holds_up_the_next_drop_for_a_day_only(
    world: World,
) -> None:
    number = await with_drop_of_a_record_that_the_desk_lacks(world)
    world.net.down.add(f"/records/{number}")
    for hour in (2, 26.5):
        world.set_time(1, hour)  # the record in force is not shown, so it may be a failing network
        await world.desk.step()
    await world.begin_day(3)
    world.drop()
    before = world.clock.time
    assert world.log.size() == 2, "from now on the desk server shows the record in force"
    world.clock.time = before + DAY_S - 1
    world.make_record()
    await world.desk.step()
    assert world.log.size() == 2
    world.clock.time = before + DAY_S
    for _ in range(2):
        await world.desk.step()
    assert (world.log.size(), world.desk.status().letters) == (0, 0)
    assert world.desk.status().faults["record is not shown"] == 1
    assert given_up(world) == [f"The desk server showed no good record {number} in a day"]


@pytest.mark.parametrize("said", [b"<html>please log in</html>", None])
async def test_a_record_that_is_there_at_the_next_pass_sends_nobody_to_the_organisation(
    world: World, said: bytes | None
) -> None:
    number = await with_drop_of_a_record_that_the_desk_lacks(world)
    good = world.server.records.pop(number)
    world.set_time(2, 1)
    world.make_record()
    if said is not None:
        world.server.records[number] = said
    await world.desk.step()
    assert (world.desk.status().letters, world.log.size()) == (0, 1)
    world.server.records[number] = good
    await world.desk.step()
    assert (world.desk.status().letters, alarms(world)) == (1, [])


async def test_a_desk_server_that_is_away_for_longer_than_a_day_costs_no_letter(
    world: World,
) -> None:
    number = await with_drop_of_a_record_that_the_desk_lacks(world)
    world.set_time(2, 1)
    world.make_record()
    world.net.down = {"/drops"}
    await world.desk.step()
    world.net.down = {"/record", f"/records/{number}"}
    for hour in (2, 26.5):  # the record of the second day is in force on the third
        world.set_time(2, hour)
        await world.desk.step()
    assert (world.desk.status().letters, world.log.size(), given_up(world)) == (0, 1, [])
    world.net.down = set()
    await world.desk.step()
    assert (world.desk.status().letters, world.log.size()) == (1, 0)


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("hash_", [bytes(HASH), b"1" * HASH], ids=["none", "another"])
async def test_the_drop_after_one_that_was_given_up_breaks_the_chain_of_b_only_where_b_did(
    world: World, number: int, hash_: bytes
) -> None:
    lacked = await with_drop_of_a_record_that_the_desk_lacks(world)
    world.server.records[lacked] = b"never a record"
    world.log.trim(1)
    world.last_drop = (number, hash_)  # what the one that is given up says that it follows
    world.drop()
    for _ in range(2):
        await world.desk.step()
        world.clock.time += DAY_S
    assert len(given_up(world)) == 1
    await world.begin_day(4)
    world.drop(world.write(BOB, "behind it"))
    await world.desk.step()
    assert world.desk.status().letters == 1
    breaks = [what for what in alarms(world) if "does not follow" in what]
    follows = (number, hash_) == (0, bytes(HASH))
    said = [f"Drop {number + 2} does not follow drop 0: ask operator B"]
    assert breaks == ([] if follows else said)


async def replace_a_signer(world: World) -> None:
    """The next day begins with a new key of A's, and so none of the records before is kept."""
    world.desk.lock()
    world.signers[1] = world.entropy.draw(32)
    world.pins = dataclasses.replace(world.pins, a=verify_key(world.signers[1]))
    world.desk = world.new_desk()
    world.desk.unlock(PASSPHRASE)
    await world.begin_day(2)


async def test_a_record_of_the_signers_before_that_was_not_asked_for_costs_no_letter(
    world: World,
) -> None:
    await world.start()
    await world.begin_day(1)
    number, drop = world.record.number, world.make_drop([world.write(ALICE, "one")])
    await replace_a_signer(world)
    world.log.append(number, [drop])
    good = world.server.records[number]
    for shown, letters in ((world.server.records[number - 1], 0), (good, 1)):
        world.server.records[number] = shown
        await world.desk.step()
        assert (world.desk.status().letters, world.log.size()) == (letters, 1 - letters)


async def test_a_record_that_came_after_all_has_its_day_anew_when_it_is_away_again(
    world: World,
) -> None:
    """One of the signers before is asked for after each unlocking, since none is kept."""
    await world.start()
    await world.begin_day(1)
    number, drops = world.record.number, [world.make_drop([world.write(ALICE, "one")])]
    drops.append(world.make_drop([world.write(BOB, "two")]))
    await replace_a_signer(world)
    world.log.append(number, drops[:1])
    for away, letters in ((True, 0), (False, 1)):
        world.net.down = {f"/records/{number}"} if away else set()
        await world.desk.step()
        assert world.desk.status().letters == letters
    world.desk.lock()
    world.desk.unlock(PASSPHRASE)
    await world.begin_day(3, hour=2)
    world.log.append(number, drops[1:])
    world.net.down = {f"/records/{number}"}
    await world.desk.step()
    assert (given_up(world), world.log.size()) == ([], 1)
    world.net.down = set()
    await world.desk.step()
    assert world.desk.status().letters == 2


async def test_a_b_that_never_comes_to_an_end_keeps_nothing_else_from_its_turn(
    world: World,
) -> None:
    await world.start()
    questions = 0

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal questions
        body = await read_body(receive, 64)
        questions += 1
        assert questions < 1000, "the desk asks B for ever"
        after, _ = parse_question(body or b"")
        await answer(send, 200, encode_entries([Entry(after + 1, 1, b"junk")]))

    world.net.apps["http://mix"] = endless
    world.net.down.add("/tokens")
    world.set_time(0, 18)
    await world.desk.step()
    assert len(world.server.posts) == 1, "the batch was handed in all the same"


async def test_a_drop_whose_key_is_gone_is_an_alarm(world: World) -> None:
    """Its letters are lost, which a count of faults alone does not tell anybody."""
    await world.start()
    drop = world.make_drop([world.write(ALICE, "too late")])
    world.clock.time = (MONDAY + 4) * DAY_S
    world.log.append(1, [drop])
    await world.desk.step()
    assert world.desk.status().faults["drop key is gone"] == 1
    assert any("A drop of 2026-11-23 does not open" in what for what in alarms(world))


async def test_a_segment_from_the_future_does_not_end_the_looking_at_the_board(
    world: World,
) -> None:
    await world.start()
    world.server.release(world.record, (MONDAY + 3650) * DAY_S)
    world.set_time(0, 5)
    await world.desk.step()
    assert world.desk.status().board_number == 2
    world.net.down.add("/board/head")
    world.clock.time += PERIOD
    await world.desk.step()
    assert "desk server: board" in world.desk.status().unreachable, "it still asks"


async def test_a_head_of_a_board_without_end_asks_for_no_more_than_the_longest_board(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.start()
    record = world.record
    for period in range(1, 2 * record.body.parameters.segments):
        world.server.release(record, record.body.not_before + period * PERIOD)
    asked: list[str] = []
    get = world.net.get

    async def counted(url: str, token: str = "", limit: int = 2**26) -> bytes:
        asked.append(url)
        return await get(url, token, limit)

    monkeypatch.setattr(world.net, "get", counted)
    newest = world.server.newest
    assert newest is not None
    world.server.head = make_head(newest, 1, world.server.seed)
    store = world.desk._store
    assert store is not None
    store.put("board_number", 0)  # as a desk that never looked
    world.set_time(0, 5)
    await world.desk.step()
    segments = [url for url in asked if "/board/board/" in url and not url.endswith("head")]
    assert len(segments) == record.body.parameters.segments
    assert world.desk.status().board_number == newest.header.number


async def test_a_clock_that_lost_its_battery_makes_no_keys_and_ends_no_desk(world: World) -> None:
    await world.start()
    right, keys = world.clock.time, dict(world.server.keys)
    world.clock.time = 60.0  # 1970
    await world.desk.step()
    assert world.desk.status().unreachable == ["this computer's clock, which is years behind"]
    assert world.server.keys == keys
    world.clock.time = right
    world.drop(world.write(ALICE, "still here"))
    await world.desk.step()
    assert (world.desk.status().letters, world.desk.status().unreachable) == (1, [])


def revoke_newest(world: World) -> None:
    """The desk server calls every key revoked that it was ever handed."""
    size = 4 + 2 * KEM_PUBLIC + 2
    ones = [
        one[at : at + size] for one in world.server.published for at in range(0, len(one), size)
    ]
    drops = [one[4 : 4 + KEM_PUBLIC] for one in ones]
    desks = [one[6 + KEM_PUBLIC :] for one in ones]
    world.server.revoked = b"".join({sha256(key) for key in (*drops, *desks)})


async def test_keys_that_are_called_revoked_are_followed_and_the_desk_rings(world: World) -> None:
    """A desk revokes nothing itself, so each that is named is news to whoever has the desk."""
    await world.start()
    before = world.desk.status()
    assert before.alarms == []
    revoke_newest(world)
    for _ in range(3):  # a name that was heard before is none
        await world.desk.step()
    after = world.desk.status()
    assert (after.drop_keys, after.desk_keys) == (before.drop_keys, before.desk_keys), "by day"
    assert len(world.server.published) == 2
    assert world.server.published[0] != world.server.published[1]
    rings = alarms(world)
    assert [what.partition(",")[0] for what in rings] == [
        "The desk server says that keys of this desk were revoked"
    ]
    assert "ask the organisation, by another way than its server" in rings[0]
    world.drop(world.write(ALICE, "under the key that was revoked"))
    await world.desk.step()
    assert world.desk.status().letters == 1


async def test_a_power_cut_before_the_alarm_leaves_no_key_that_nobody_heard_of(
    world: World,
) -> None:
    """Keys and alarm are one commit: with the keys alone the next pass would have nothing to ring
    for."""
    await world.start()
    revoke_newest(world)
    with power_cut_at(Letters, "alarm"):
        await world.desk.step()
    world.desk.lock()
    world.desk = world.new_desk()
    world.desk.unlock(PASSPHRASE)
    assert alarms(world) == []
    await world.desk.step()
    assert any("were revoked" in what for what in alarms(world))
    assert len(world.server.published) == 2


async def test_a_power_cut_after_new_keys_does_not_let_them_count_as_handed_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.start()
    revoke_newest(world)
    renew = Keyring.renew

    def cut_after(*args: Any) -> bool:
        renew(*args)
        raise PowerCut

    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        patch.setattr(Keyring, "renew", cut_after)
        await world.desk.step()
    world.desk.lock()
    world.desk = world.new_desk()
    world.desk.unlock(PASSPHRASE)
    world.net.down.add("/desk/keys")
    await world.desk.step()
    assert any("does not have the keys for 2026-11-23" in what for what in alarms(world))


async def test_a_desk_server_that_calls_each_new_key_revoked_comes_to_an_end(world: World) -> None:
    """Each letter is tried with every key of its week, and each pass would make five more."""
    await world.start()
    for _ in range(MOST_TURNS + 3):
        revoke_newest(world)
        await world.desk.step()
    store = world.desk._store
    assert store is not None
    for query in ("SELECT count(*) FROM drop_keys GROUP BY day",
                  "SELECT count(*) FROM desk_keys GROUP BY week"):  # fmt: skip
        assert {count for (count,) in store.run(query)} == {MOST_TURNS}
    assert len(world.server.published) == MOST_TURNS
    assert [what.partition(":")[0][:47] for what in alarms(world)] == [
        "The desk server calls every new key of this des",
        "The desk server says that keys of this desk wer",
    ]  # fmt: skip
    world.drop(world.write(ALICE, "still"))
    await world.desk.step()
    assert world.desk.status().letters == 1
    world.server.revoked = b""
    await world.begin_day(1)
    assert len(world.server.published) == MOST_TURNS + 1, "the next day has a key of its own"
    revoke_newest(world)
    await world.desk.step()
    assert len(world.server.published) == MOST_TURNS + 2, "which is followed when it is revoked"


async def test_a_record_with_keys_that_somebody_else_handed_in_is_an_alarm(world: World) -> None:
    """A thief of the desk's token, or a desk that was set up anew and came too late."""
    await world.start()
    assert alarms(world) == []
    world.desk.lock()
    world.folder = world.path / "another"
    world.desk = world.new_desk()
    world.desk.unlock(PASSPHRASE)
    await world.desk.step()
    assert any("keys that this desk does not have" in what for what in alarms(world))


async def test_a_desk_server_that_says_nothing_of_revoked_keys_is_handed_keys_all_the_same(
    world: World,
) -> None:
    world.net.down.add("/desk/revoked")
    world.desk.unlock(PASSPHRASE)
    await world.desk.step()
    assert len(world.server.published) == 1
    assert "desk server: keys" not in world.desk.status().unreachable


async def test_a_segment_of_a_record_that_cannot_be_is_refused_and_nothing_of_the_board_is_kept(
    world: World,
) -> None:
    """Behind a good head. The pass goes on: the day after is read as ever."""
    await world.start()
    before = world.desk.status().board_number
    record = world.record
    strange = SimpleNamespace(number=60_000, hash=record.hash, body=record.body)
    world.server.release(cast(EpochRecord, strange), world.clock.time + PERIOD)
    world.server.release(record, world.clock.time + 2 * PERIOD)
    world.set_time(0, 9)
    await world.desk.step()
    status = world.desk.status()
    assert status.faults == {"segment 3.6": 1}
    assert status.board_number == before
    await world.begin_day(1)
    assert world.desk.status().record == record.number + 1


async def test_a_desk_that_is_locked_in_the_middle_of_a_pass_ends_it_quietly(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.start()
    get, asked = world.net.get, list[str]()

    async def locking(url: str, token: str = "", limit: int = 2**26) -> bytes:
        asked.append(url)
        world.desk.lock()
        return await get(url, token, limit)

    monkeypatch.setattr(world.net, "get", locking)
    await world.desk.step()
    assert world.desk.locked
    assert len(asked) == 1, "nothing more is asked for a desk that is locked"
    monkeypatch.undo()
    world.desk.unlock(PASSPHRASE)
    await world.desk.step()
    assert world.desk.status().faults == {}


async def test_a_drop_of_a_record_that_does_not_follow_ours_is_not_read(world: World) -> None:
    """The desk server shows it when it is asked for the drop's record, and not as today's."""
    await world.start()
    ours = world.records.pop()
    world.make_record(floor=2)  # another first record, which this desk never saw
    world.clock.time += DAY_S
    strange = world.make_record()
    world.server.current = ours.number
    world.server.records[ours.number] = ours.raw
    world.drop(world.write(ALICE, "under another past"))
    await world.desk.step()
    status = world.desk.status()
    assert (status.letters, status.record, world.log.size()) == (0, ours.number, 1)
    assert status.faults["record 2.11"] == 1
    assert strange.number == ours.number + 1


async def test_a_board_that_begins_later_than_it_did_is_read_from_there(world: World) -> None:
    await world.start()
    for period in range(1, 4):
        world.server.release(world.record, world.record.body.not_before + period * PERIOD)
    newest = world.server.newest
    assert newest is not None
    number = newest.header.number
    world.server.head = make_head(newest, number, world.server.seed)
    world.server.segments = {number: world.server.segments[number]}
    world.set_time(0, 13)
    await world.desk.step()
    assert world.desk.status().board_number == number
    assert "desk server: board" not in world.desk.status().unreachable


async def test_whoever_had_the_boards_key_hides_no_board_once_the_record_names_another(
    world: World,
) -> None:
    """The highest number there is, and a period of a day that never comes."""
    await world.start()
    server, last = world.server, 2**32 - 1
    honest = server.newest
    assert honest is not None
    header = dataclasses.replace(honest.header, number=last, period=last)
    forged = make_segment(header, list(honest.replies), list(honest.receipts), server.seed)
    server.segments[last] = forged
    server.newest, server.head = honest, make_head(parse_segment(forged), last, server.seed)
    world.set_time(0, 5)
    await world.desk.step()
    assert world.desk.status().board_number == last
    server.release(world.record, world.clock.time)
    world.set_time(0, 9)
    await world.desk.step()
    assert world.desk.status().board_number == last, "until the key is replaced it does"
    assert world.desk.status().faults == {"segment 3.7": 1}
    server.seed = world.entropy.draw(32)
    for hour in (10, 13):
        world.set_time(0, hour)
        server.release(world.make_record(), world.clock.time)
        await world.desk.step()
    status = world.desk.status()
    assert (status.board_number, status.faults) == (4, {"segment 3.7": 1})
    assert world.desk._store is not None
    assert world.desk._store.get("board_since") == 0, "days that it shows count as shown whole"
    assert [alarm.what.partition(":")[0] for alarm in status.alarms] == [
        "The board went back to an older state"
    ]


async def test_a_board_with_nothing_new_changes_nothing(world: World) -> None:
    await world.start()
    store = world.desk._store
    assert store is not None
    names = ("board_number", "board_hash", "board_time", "board_since")
    before = [store.get(name) for name in names]
    world.set_time(0, 5)
    await world.desk.step()
    assert [store.get(name) for name in names] == before
    assert before[2] > 0
