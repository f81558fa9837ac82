"""Keys that are lost or stolen: a mix withdraws, an operator revokes, and the next number holds.

The roles' own code on simulated hosts; a person's letters go through before, across and after.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from tests.lab.site import SATURDAY, Make, Person, Site
from tests.mix.room import DAY, Room, desk_keys, room_on

from wallflower.crypto import sign
from wallflower.crypto.derive import sha256
from wallflower.errors import Refused
from wallflower.host.asgi import App, Receive, Scope, Send, answer
from wallflower.host.disk import Folder
from wallflower.lab.town import BOARD, TOKEN, SimulatedTown
from wallflower.mix.edge.mix import Mix
from wallflower.mix.signing import check_draft
from wallflower.source.letters import is_stale
from wallflower.trust.record import EpochRecord, ancestors_after, believe, verify_record
from wallflower.wire.offer import make_offer
from wallflower.wire.sizes import DAY_S, week_of_day
from wallflower.wire.withdrawal import Withdrawal, make_withdrawal, verify_withdrawal


def mix_of(town: SimulatedTown, position: str) -> Mix:
    return {"a": town.a, "b": town.b}[position]


def keys_of(town: SimulatedTown, position: str) -> Folder:
    return Folder(town.path / f"mix-{position}-keys")


def lose_keys(town: SimulatedTown, position: str) -> None:
    """A power cut with the keys in memory only: every hop key of one mix is gone."""
    for name in keys_of(town, position).names():
        if name.startswith("hop-"):
            (keys_of(town, position).path / name).unlink()


def all_records(town: SimulatedTown) -> list[EpochRecord]:
    """Every finished record, by number."""
    return [r for _, r in sorted(town.server.records._records.items())]


def bodies_signed(town: SimulatedTown, position: str) -> dict[int, bytes]:
    """The one body of each number that a mix has on its disk as signed."""
    files = Folder(town.path / f"mix-{position}" / "records")
    return {
        int(name.removeprefix("draft-")): files.read(name) or b""
        for name in files.names() if name.startswith("draft-")
    }  # fmt: skip


class Wire:
    """Hears every signature that reaches the desk server, to find two bodies of one number."""

    def __init__(self, town: SimulatedTown) -> None:
        self.town = town
        self.signed: dict[tuple[str, int], set[bytes]] = {}
        self._take = town.server.records.take_signature
        town.server.records.take_signature = self.take  # type: ignore[method-assign]

    def take(self, position: str, data: bytes) -> None:
        number = int.from_bytes(data[:2])
        self.signed.setdefault((position, number), set()).add(data[2:])
        self._take(position, data)

    def twice(self) -> list[tuple[str, int]]:
        """Whoever signed two bodies of one number (Ed25519 signs one body one way)."""
        return [who for who, signatures in self.signed.items() if len(signatures) > 1]


# A mix that lost its hop keys.


@pytest.mark.parametrize("position", ["a", "b"])
async def test_a_mix_that_lost_all_hop_keys_gets_the_chain_going_by_itself(
    room: Room, position: str
) -> None:
    town = room.town
    before = town.record()
    lose_keys(town, position)
    room.restart()  # what was in memory went in the same power cut
    mix, wire = mix_of(town, position), Wire(town)
    assert "lost" in " ".join(mix.alarms())
    for _ in range(4):
        await town.step()
    now = town.record()
    assert now.number > before.number + 3, "every number that was offered is skipped"
    assert now.body.day == before.body.day
    assert now.is_ancestor(before.hash), "letters that wait are not lost"
    assert town.server.status()["days_ahead"] == 3
    assert wire.twice() == []
    assert town.server.alarms() == mix.alarms() == []
    await room.send(room.hum(room.letter("after the loss")))
    await room.tick(4)
    assert room.texts() == ["after the loss"]


async def test_a_draft_that_a_mix_cannot_hold_to_is_replaced_by_the_next_number(
    tmp_path: Path,
) -> None:
    """A loses its key after the draft exists and before it signs: the chain used to stop here."""
    room = room_on(tmp_path / "early")
    town = room.town
    await town.net.post(f"{BOARD}/desk/keys", desk_keys(range(DAY, DAY + 6)), TOKEN)
    for mix, seed in ((town.a, town.signers.a), (town.b, town.signers.b)):
        where = f"{BOARD}/mix/offer/{mix._settings.position}"
        await town.net.post(where, make_offer(mix.records._offer(1), seed))
    first = town.server.records.draft(1)
    assert first is not None
    await town.b.step()
    assert 1 in bodies_signed(town, "b"), "B stands for number 1 already"
    lose_keys(town, "a")
    room.restart()
    wire = Wire(town)
    for _ in range(5):
        await town.step()
    numbers = [r.number for r in all_records(town)]
    assert 1 not in numbers
    assert 1 not in bodies_signed(town, "a")
    assert town.record().body.day == DAY
    assert town.record().number == min(numbers) == 2
    assert town.record().body.ancestors[0] == sha256(first), "for B signed it"
    assert wire.twice() == []
    town.close()


async def test_a_withdrawn_number_is_never_signed_even_if_its_old_offer_and_draft_come_again(
    room: Room,
) -> None:
    """Equivocation stays impossible: what was withdrawn is dead here, after restarts too."""
    town = room.town
    old = Folder(town.path / "mix-a" / "records")
    withdrawn = max(town.a.records._known()) + 1  # offered to the server, not yet drafted
    replayed = make_offer(town.a.records._offer(withdrawn), town.signers.a)
    lose_keys(town, "a")
    room.restart()
    for _ in range(3):
        await town.step()
    wire = Wire(town)
    assert any(withdrawn in w for w in town.a.records._withdrawn)
    await town.net.post(f"{BOARD}/mix/offer/a", replayed)  # taken quietly, as every old offer
    assert town.server.records.draft(withdrawn) is None
    for _ in range(3):
        room.restart()
        await town.step()
    assert withdrawn not in bodies_signed(town, "a")
    assert old.read(f"draft-{withdrawn}") is None
    assert wire.twice() == []


async def test_a_withdrawn_number_is_not_signed_for_a_desk_server_that_drafts_it_all_the_same(
    room: Room,
) -> None:
    """Its draft holds the very key that this mix would offer; only the withdrawal stands."""
    town, records = room.town, room.town.a.records
    number = town.server.records.next_number()
    before = room.record_of(number - 1).body
    town.server.records.take_withdrawal = lambda *_: None  # type: ignore[method-assign]
    draft = replace(
        before, number=number, day=before.day + 1, not_before=(before.day + 1) * DAY_S,
        ancestors=ancestors_after(before), hop_a=records._offer(number).hop,
        desks=(replace(before.desks[0], week=week_of_day(before.day + 1)),),
    )  # fmt: skip
    check_draft(
        draft, records._drafts, records._offer(number), "a", town.pins, town.clock.now()
    )  # the control: nothing else is against it
    records._withdraw(number)
    town.server.records._drafts[number] = draft
    await records.step()  # without the erasing of a round, which would take the key as well
    assert number not in bodies_signed(town, "a")


async def test_a_desk_server_that_forgets_a_withdrawal_hears_it_again(room: Room) -> None:
    town = room.town
    lose_keys(town, "a")
    room.restart()
    for _ in range(3):
        await town.step()
    known = [w.what for w in town.server.records._withdrawn]
    assert known
    files = Folder(town.path / "board" / "records")
    for name in files.names():
        if name.startswith("withdrawn-"):
            files.remove(name)
    room.restart()
    assert town.server.records._withdrawn == []
    await town.step()
    assert [w.what for w in town.server.records._withdrawn] == known


@pytest.mark.parametrize(
    ("what", "key"),
    [("first 0", "a"), ("backwards", "a"), ("stranger", "drop"), ("short", "a"), ("long", "a")],
)
async def test_a_withdrawal_that_is_not_one_is_refused_and_changes_nothing(
    room: Room, what: str, key: str
) -> None:
    town = room.town
    seed = {"a": town.signers.a, "drop": town.signers.drop}[key]
    numbers = {"first 0": (0, 3), "backwards": (4, 3)}.get(what, (2, 4))
    data = make_withdrawal(Withdrawal(*numbers), seed)
    data = {"short": data[:-1], "long": data + b"\0"}.get(what, data)
    with pytest.raises(Refused) as refusal:
        verify_withdrawal(data, sign.verify_key(town.signers.a))
    assert refusal.value.rule == "record 6.1"
    before = town.server.records.next_number()
    with pytest.raises(Refused) as refusal:
        town.server.records.take_withdrawal("a", data)
    assert refusal.value.rule == "record 6.1"
    assert town.server.records.next_number() == before
    far = make_withdrawal(Withdrawal(2, before + 8), town.signers.a)
    with pytest.raises(Refused) as refusal:
        town.server.records.take_withdrawal("a", far)
    assert refusal.value.rule == "record 6.1"
    assert town.server.records.next_number() == before


@pytest.mark.parametrize("turned", ["a", "b"])
async def test_a_turned_mix_that_withdraws_without_end_ends_nothing_for_who_comes_after_it(
    room: Room, turned: str
) -> None:
    """The other one follows only so far, and there are only so many numbers."""
    town = room.town
    seed, records = getattr(town.signers, turned), town.server.records
    for day in range(3):
        before, today = records.next_number(), town.record()
        for _ in range(40):
            first = records.next_number()
            with suppress(Refused):
                data = make_withdrawal(Withdrawal(first, first + 7), seed)
                records.take_withdrawal(turned, data)
            # One of a day that is over passes nothing over, and gives nothing back.
            past = Withdrawal(today.number - 1, today.number - 1)
            if day:
                records.take_withdrawal(turned, make_withdrawal(past, seed))
        assert records.next_number() <= before + 16
        await town.pass_time(DAY_S)
        assert town.server.status()["days_ahead"] == 3
        assert town.record().body.day == DAY + day + 1
    number = town.record().number
    mix_of(town, turned).records.revoke()
    await town.pass_time(4 * town.parameters.tick)
    assert town.record().number > number, "each finished record begins the count anew"


@pytest.mark.parametrize("turned", ["a", "b"])
async def test_days_that_a_turned_mix_withdrew_from_among_others_get_records_again(
    room: Room, turned: str
) -> None:
    """An honest one withdraws all from a number on; who had its record-signing key for a moment can
    withdraw tomorrow and the day after, and leave the day behind them."""
    town, records = room.town, room.town.server.records
    kept = town.record()
    today = kept.number
    data = make_withdrawal(Withdrawal(today + 1, today + 2), getattr(town.signers, turned))
    records.take_withdrawal(turned, data)
    assert town.server.status()["days_ahead"] == 0, "the days behind a hole are not ahead"
    for day in range(1, 4):
        await town.pass_time(DAY_S)
        assert town.record().body.day == DAY + day
        kept = believe(kept, town.record(), town.clock.now())
        assert kept == town.record(), "nor does who saw one of them go on by it, or by none"
        assert town.server.status()["days_ahead"] == 3
        assert town.a.records.days_ahead(town.clock.now()) == 3
        await room.send(room.hum(room.letter(f"day {day}")))
        await room.tick(4)
    assert room.texts() == [f"day {day}" for day in range(1, 4)]


async def test_a_mix_that_loses_a_key_before_its_offer_leaves_goes_on_whatever_was_withdrawn(
    room: Room,
) -> None:
    """Nobody drafts that number, so that it has to be withdrawn; but who had the record-signing
    key for a moment withdrew as many as may be while no record is finished."""
    town, records = room.town, room.town.server.records
    first = records.next_number()
    records.take_withdrawal("a", make_withdrawal(Withdrawal(first, first + 7), town.signers.a))
    records.take_withdrawal("a", make_withdrawal(Withdrawal(first, first + 15), town.signers.a))
    town.a.records._offer(records.next_number())
    lose_keys(town, "a")
    town.a.records._hops._private.clear()
    await town.step()
    assert records.next_number() == first + 16, "today it is not heard"
    await town.pass_time(DAY_S)
    assert town.server.status()["days_ahead"] == 3


@pytest.mark.parametrize("lie", [9, 200])
async def test_a_desk_server_that_once_named_a_far_number_keeps_no_mix_from_revoking(
    room: Room, lie: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that was somebody else's for an hour, after which keys are to be replaced."""
    town, a = room.town, room.town.a.records
    number, before = town.record().number, town.server.records.next_number
    far, signed = before() + lie, set(a._drafts)
    with monkeypatch.context() as patch:
        patch.setattr(town.server.records, "next_number", lambda: before() + lie)
        await a.step()
    revoked = a.private(far)
    assert revoked is not None, "the control: it was offered"
    town.server.records._offers.clear()  # which the true one never heard
    a._files.write("revoke", b"hops")
    await town.pass_time(4 * town.parameters.tick)
    assert town.record().number > number
    assert town.server.status()["days_ahead"] == 3
    assert ("a", town.record().number) in town.server.records._offers
    kept = a.private(far)
    assert kept is None or kept.public != revoked.public
    assert a.private(number) is not None, "today's opens what was sealed to it"
    now = town.record().number
    room.restart()
    await town.pass_time(town.parameters.tick)
    assert town.record().number == now, "what was made shorter does not come back with a process"
    assert not town.a.records._is_withdrawn(now)
    assert all(town.a.records._is_withdrawn(n) for n in signed if n >= number)


async def test_a_desk_server_that_was_put_back_takes_nothing_of_a_withdrawal_of_what_is_signed(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from a copy of before, whose numbers are far below those that A signed."""
    town, records = room.town, room.town.a.records
    while town.record().number < 9:
        records.revoke()
        await town.pass_time(4 * town.parameters.tick)
    number, signed = town.record().number, {n for n in records._drafts if n >= town.record().number}
    records.revoke()
    with monkeypatch.context() as patch:
        patch.setattr(town.server.records, "next_number", lambda: 0)
        await records.step()
    assert signed
    assert all(records._is_withdrawn(n) for n in signed)
    await town.pass_time(4 * town.parameters.tick)
    assert town.record().number > max(number, *signed)
    assert town.server.status()["days_ahead"] == 3


async def test_a_turned_mix_that_withdraws_the_same_numbers_over_and_over_fills_no_disk(
    room: Room,
) -> None:
    """Of ten numbers there are 55 ranges, of a thousand half a million; each lay on the disk for
    ever, and all of them were gone through for every draft."""
    seed, records = room.town.signers.a, room.town.server.records
    records.take_withdrawal("a", make_withdrawal(Withdrawal(1, 10), seed))
    names = records._files.names()
    for first in range(1, 11):
        for last in range(first, 11):
            records.take_withdrawal("a", make_withdrawal(Withdrawal(first, last), seed))
    assert records._files.names() == names
    records.take_withdrawal("a", make_withdrawal(Withdrawal(10, 11), seed))
    assert len(records._files.names()) == len(names) + 1, "the control"


async def test_a_mix_that_was_away_while_the_organisation_revoked_over_and_over_goes_on(
    room: Room,
) -> None:
    """A desk has eight keys of a week, and each that is revoked passes over seventeen numbers."""
    town = room.town
    next_number = town.server.records.next_number()
    town.server.records._withdraw(Withdrawal(1, next_number + 8 * 17))
    await town.pass_time(4 * town.parameters.tick)
    assert town.server.status()["days_ahead"] == 3
    assert town.record().number > next_number + 8 * 17


# An operator revokes.


def ask(town: SimulatedTown, role: str, what: str) -> None:
    """What `wallflower revoke` leaves for the running process."""
    folder = {"organisation": "board", "mix-a": "mix-a/records", "mix-b": "mix-b/records"}[role]
    Folder(town.path / folder).write("revoke", what.encode())


@pytest.mark.parametrize("role", ["organisation", "mix-a", "mix-b"])
async def test_revoked_hop_keys_are_replaced_within_two_ticks_and_nothing_in_flight_is_lost(
    room: Room, role: str
) -> None:
    town = room.town
    old = town.record()
    ahead = [room.record_of(n) for n in (2, 3, 4)]
    await room.send(room.hum(room.letter("before"), record=old.body))
    ask(town, role, "hops")
    await room.tick(2)
    new = town.record()
    assert new.number > ahead[-1].number
    assert new.body.day == old.body.day
    assert new.body.hop_a != old.body.hop_a
    assert new.body.hop_b != old.body.hop_b
    assert new.is_ancestor(old.hash)
    # A mirror that lags shows the old record: its hums are opened, since their letters would be
    # lost and the stolen key gains nothing by it.
    await room.send(room.hum(room.letter("lagging"), record=old.body))
    await room.send(room.hum(room.letter("after")))
    await room.tick(4)
    assert room.texts() == ["after", "before", "lagging"]
    assert town.server.status()["days_ahead"] == 3


@pytest.mark.parametrize("position", ["a", "b"])
async def test_a_mix_that_revokes_by_a_clock_that_is_ahead_reaches_today_once_it_is_right(
    room: Room, position: str
) -> None:
    town, role = room.town, f"mix-{position}"
    stolen = {n for n in mix_of(town, position).records._drafts if n >= town.record().number}
    town.skew[role] = DAY_S
    ask(town, role, "hops")
    await room.tick(3)
    assert "revoke" not in Folder(town.path / role / "records").names(), "it was carried out"
    town.skew.clear()
    room.restart()
    await room.tick(3)
    assert town.record().body.day == DAY
    now = town.record().number
    assert now > max(stolen), "nobody is shown the stolen key any more"
    assert all(mix_of(town, position).records._is_withdrawn(n) for n in stolen)
    assert town.server.status()["days_ahead"] == 3
    await room.tick(2)
    assert town.record().number == now, "and it is done once"


async def test_a_revoked_record_of_a_coming_day_opens_nowhere_and_its_keys_are_gone(
    room: Room,
) -> None:
    town = room.town
    tomorrow = room.record_of(2)
    ask(town, "mix-a", "hops")
    await room.tick(3)
    for position in ("a", "b"):
        assert "hop-2" not in keys_of(town, position).names(), "nobody will ever use it"
        assert "hop-1" in keys_of(town, position).names(), "today's opens what was sealed to it"
    town.clock.time = (DAY + 1) * DAY_S + 60
    await town.step()
    assert tomorrow.in_force(town.clock.now()), "by itself the replayed record looks good"
    assert town.record().number > 4
    assert town.record().body.day == DAY + 1
    refused = town.a.status()["refused"]
    await room.send(room.hum(room.letter("under a replayed record"), record=tomorrow.body))
    await room.send(room.hum(room.letter("under the real one")))
    await room.tick(4)
    assert town.a.status()["refused"] == refused + 12
    assert room.texts() == ["under the real one"]


async def test_the_desk_server_never_hands_out_a_withdrawn_record_of_a_coming_day(
    room: Room,
) -> None:
    """A is away for good after it withdrew: better yesterday's record than a dead one."""
    town = room.town
    ask(town, "mix-a", "hops")
    await town.a.step()
    town.net.apps.pop("a.example")
    town.clock.time = (DAY + 1) * DAY_S + 60
    await town.b.step()
    town.server.step()
    assert town.record().number == 1
    assert any("signed record yet" in alarm for alarm in town.server.alarms())


async def write_and_wait(site: Site, name: str, text: str) -> Person:
    person = site.person(name)
    await person.visit()
    person.write(text)
    return person


async def test_a_revoked_drop_key_is_followed_and_letters_under_both_arrive(
    make_place: Make,
) -> None:
    site = await make_place()
    town = site.town
    early, late = [await write_and_wait(site, name, name) for name in ("early", "late")]
    await site.pass_days(1)
    await early.visit()
    await site.pass_days(0.05)
    old = town.record()
    ask(town, "organisation", "drop")
    await town.step()
    assert town.record().number == old.number, "it waits for the desk"
    assert "waits for new keys of the desk" in " ".join(town.server.alarms())
    await site.desk.step()
    await site.pass_days(3 * 1800 / DAY_S)
    new = town.record()
    assert (new.body.day, new.body.drop_key != old.body.drop_key) == (old.body.day, True)
    assert new.body.desks == old.body.desks
    assert town.server.alarms() == []
    await late.visit()
    await site.pass_days(2)
    assert [site.texts(p) for p in (early, late)] == [[("first", "early")], [("first", "late")]]


async def test_a_letter_that_waits_under_a_revoked_desk_key_does_not_leave_and_says_so(
    make_place: Make,
) -> None:
    site = await make_place()
    town = site.town
    sent = await write_and_wait(site, "sent", "under way when the key was revoked")
    waits = await write_and_wait(site, "waits", "sealed to a stolen key")
    await site.pass_days(1)
    await sent.visit()
    old = town.record()
    ask(town, "organisation", "desk")
    await site.pass_days(6 * 1800 / DAY_S)
    await site.pass_days(6 * 1800 / DAY_S)
    new = town.record()
    assert new.body.desks[0].key != old.body.desks[0].key
    assert new.number == old.number + 3 + 17 + 1, "number 5 was offered, then sixteen are skipped"
    assert not new.is_ancestor(old.hash)
    await waits.visit()  # the board is believed too: its head was signed again
    today = verify_record(waits.store.record() or b"", town.pins)
    assert [is_stale(k, today) for k in waits.store.letters()].count(True) == 1
    waits.write("written again")
    await site.pass_days(1)
    await waits.visit()
    await site.pass_days(2)
    assert site.texts(waits) == [("first", "written again")]
    assert site.texts(sent) == [("first", "under way when the key was revoked")]
    [said] = site.desk.status().alarms
    assert "keys of this desk were revoked" in said.what


async def test_a_source_is_not_taken_back_to_a_record_that_was_revoked(make_place: Make) -> None:
    """A mirror keeps a record of a coming day and shows it when that day is there."""
    site = await make_place()
    town = site.town
    replayed = town.server.records.raw(4)
    assert replayed is not None
    ask(town, "organisation", "hops")
    await site.pass_days(6 * 1800 / DAY_S)
    person = site.person("careful")
    await person.visit()
    known = verify_record(person.store.record() or b"", town.pins)
    assert known.number > 4
    await site.pass_days(3)
    assert verify_record(replayed, town.pins).in_force(town.clock.now())
    town.net.apps["mirror.example"] = _always(replayed)
    before = person.store.letters()
    with pytest.raises(Refused) as refusal:
        await person.visit()
    assert refusal.value.rule == "record 2.12"
    assert (person.store.record(), person.store.letters()) == (known.raw, before)
    town.net.apps["mirror.example"] = town.mirror.app
    await person.visit()
    assert town.record().body.day == SATURDAY + 3


def _always(record: bytes) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await answer(send, 200, record)

    return app
