"""Mix B on its disk: covers counted and gone, each letter once, one drop a tick of one size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.mix.room import AT_ONCE, DAY, TICK, Make, Room, power_cut_at

from wallflower.crypto.derive import sha256
from wallflower.errors import Refused
from wallflower.host.log import Entry
from wallflower.host.pull import encode_entries, parse_alike
from wallflower.lab.host import SeededEntropy
from wallflower.mix.edge.state import State
from wallflower.mix.edge.status import report
from wallflower.trust.drop import verify_drop
from wallflower.wire.drop import drop_size
from wallflower.wire.hello import SILENT, BRecord, Kind, Report, seal_for_b
from wallflower.wire.parcel import Parcel, seal_parcel_body
from wallflower.wire.sizes import DAY_S, HASH, PARCEL

# What B counts, its remembered letters, its census, the letters it holds, and the seen.
Outcome = tuple[dict[str, int], list[object], list[object], list[bytes], int]
FLOOR = 5
HELD = replace(AT_ONCE, mean_b=1000 * TICK)
FLOORED = replace(AT_ONCE, floor=FLOOR)
_draw = SeededEntropy(b"parcels").draw


def parcel(room: Room, letter: bytes, kind: Kind = Kind.LETTER, report: Report = SILENT) -> Entry:
    """A parcel as A hands it over, without the way there."""
    record = room.town.record()
    key = _draw(32)
    seal = seal_for_b(record.body.hop_b, record.hash, key, BRecord(kind, _draw(16), report=report))
    return Entry(1, record.number, Parcel(seal, seal_parcel_body(key, letter)).encode())


def give(room: Room, *entries: Entry) -> None:
    """Hand parcels to B as one durable page."""
    with room.town.b.state.transaction():
        room.b.take(parse_alike(encode_entries(numbered(entries)), PARCEL))


def numbered(entries: Sequence[Entry]) -> list[Entry]:
    """In the order of a log."""
    return [entry._replace(seq=n) for n, entry in enumerate(entries, 1)]


def take_one(room: Room, entry: Entry) -> None:
    """B opens and takes one parcel that is no silent cover; a refusal is raised."""
    ((covers, (opened,)),) = room.b.opened(entry.record, entry.body, [0])
    assert covers == 0
    room.b._take(entry.record, opened)


def stored(room: Room) -> tuple[int, int]:
    """(rows of the pool, remembered letters)."""
    taken = room.b._db.execute("SELECT count(*) FROM taken").fetchone()[0]
    return room.town.b.pool.size(), int(taken)


async def test_covers_never_enter_the_pool(make_room: Make) -> None:
    room = await make_room(HELD)
    for _ in range(20):
        give(room, parcel(room, room.filler(), Kind.COVER))
    assert room.b.counts["covers"] == 20
    assert stored(room) == (0, 0)
    give(room, parcel(room, room.letter("real")))
    assert stored(room) == (1, 1)


async def test_the_same_letter_in_two_hums_is_one(make_room: Make) -> None:
    room = await make_room()
    letter = room.letter("two tabs")
    await room.send(room.hum(letter))
    await room.send(room.hum(letter))
    await room.tick(3)
    assert room.texts() == ["two tabs"]
    room.restart()
    await room.send(room.hum(letter))
    await room.tick(3)
    assert room.texts() == ["two tabs"]
    assert room.b.counts == {
        "covers": 0, "letters": 0, "known": 0, "loops": 0, "refused": 1,
        "released": 0, "reserved": 0, "most_seen": 0,
    }  # fmt: skip


async def test_the_same_words_written_twice_are_two_letters(make_room: Make) -> None:
    room = await make_room()
    for _ in range(2):
        await room.send(room.hum(room.letter("again")))
    await room.tick(3)
    assert room.texts() == ["again", "again"]


async def test_a_taken_letter_is_refused_by_its_rule_and_changes_nothing(make_room: Make) -> None:
    room = await make_room(HELD)
    letter = room.letter("x")
    give(room, parcel(room, letter))
    before, seen = stored(room), room.town.b.state.number("seen")
    with pytest.raises(Refused) as refusal:
        take_one(room, parcel(room, letter))
    assert refusal.value.rule == "parcel 3.4"
    assert (stored(room), room.town.b.state.number("seen")) == (before, seen)


@pytest.mark.parametrize(
    ("name", "rule"),
    [("length", "parcel 3.1"), ("seal", "hello 2.3"), ("body", "parcel 3.3"),
     ("record", "parcel 3.2"), ("other record", "hello 2.3")],
)  # fmt: skip
async def test_a_bad_parcel_is_refused_by_its_rule_and_keeps_nothing(
    make_room: Make, name: str, rule: str
) -> None:
    room = await make_room(HELD)
    entry = parcel(room, room.letter("x"))
    raw = bytearray(entry.body)
    if name in ("seal", "body"):
        raw[{"seal": 50, "body": PARCEL - 1}[name]] ^= 1
    number = {"record": 77, "other record": 2}.get(name, 1)
    if name == "other record":
        room.town.clock.time = (DAY + 1) * DAY_S - 60  # so that record 2 may be used already
    bad = Entry(1, number, bytes(raw[: PARCEL - (name == "length")]))
    with pytest.raises(Refused) as refusal:
        take_one(room, bad)
    assert refusal.value.rule == rule
    give(room, bad)
    assert room.b.counts["refused"] == 1
    assert stored(room) == (0, 0)
    assert room.town.b.state.number("seen") == 0


async def test_a_page_of_everything_is_taken_as_each_parcel_alone(make_room: Make) -> None:
    room = await make_room(HELD)
    letter = room.letter("twice")
    whole = [
        parcel(room, room.filler(), Kind.COVER), parcel(room, letter),
        parcel(room, room.filler(), Kind.COVER, Report(3, 2)), parcel(room, letter),
        parcel(room, room.filler(), Kind.LOOP), parcel(room, room.letter("another")),
        parcel(room, room.filler(), Kind.COVER),
    ]  # fmt: skip
    cut, cover_cut, unsealed, broken = (bytearray(whole[n].body) for n in (1, 0, 0, 5))
    unsealed[50] ^= 1
    broken[-1] ^= 1
    number = whole[0].record
    page = [
        *whole, Entry(0, number, bytes(cut[:-1])), Entry(0, number, bytes(cover_cut[:-1])),
        Entry(0, number, bytes(unsealed)), Entry(0, number, bytes(broken)),
        whole[0]._replace(record=77), whole[6],
    ]  # fmt: skip

    def outcome() -> Outcome:
        """What B counted and holds, and then forgets."""
        state, counts = room.town.b.state, dict(room.b.counts)
        rows = state.db.execute("SELECT * FROM taken ORDER BY letter").fetchall()
        census = state.db.execute("SELECT * FROM census").fetchall()
        letters = sorted(filter(None, map(room.town.b.pool.take, names(room))))
        seen = state.number("seen")
        for table in ("taken", "census"):
            state.db.execute(f"DELETE FROM {table}")  # noqa: S608
        state.set_number("seen", 0)
        room.b.counts = dict.fromkeys(counts, 0)
        return counts, rows, census, letters, seen

    give(room, *page)
    together = outcome()
    for entry in page:
        give(room, entry)
    assert outcome() == together
    counts, _, census, letters, seen = together
    assert counts == {
        "covers": 4, "letters": 2, "known": 0, "loops": 1, "refused": 6,
        "released": 0, "reserved": 0, "most_seen": 6,
    }  # fmt: skip
    assert (len(letters), len(census), seen) == (2, 1, 6)


def names(room: Room) -> list[bytes]:
    """Of all that B holds."""
    return [row.name for row in room.town.b.pool.rows()]


async def test_loops_count_towards_no_crowd_and_go_no_further(make_room: Make) -> None:
    room = await make_room(HELD)
    give(room, parcel(room, room.letter("loop"), Kind.LOOP))
    assert room.town.b.state.number("seen") == 0
    assert stored(room) == (0, 0)
    assert room.b.counts["loops"] == 1
    give(room, parcel(room, room.filler(), Kind.COVER), parcel(room, room.letter("l")))
    assert room.town.b.state.number("seen") == 2


async def test_a_floor_made_of_loops_lets_no_letter_leave(make_room: Make) -> None:
    room = await make_room(FLOORED)
    await room.send(room.hum(room.letter("waits for people")))
    for _ in range(2 * FLOOR):
        await room.send(room.hum(kind=Kind.LOOP))
    await room.tick(3)
    assert room.texts() == []
    for _ in range(FLOOR - 1):
        await room.send(room.hum())
    await room.tick(3)
    assert room.texts() == ["waits for people"]


async def test_nothing_leaves_before_the_floor_and_everything_may_at_it(make_room: Make) -> None:
    room = await make_room(FLOORED)
    await room.send(room.hum(room.letter("waits for a crowd")))
    for _ in range(FLOOR - 2):
        await room.send(room.hum())
    await room.tick(4)
    assert room.texts() == []
    assert room.town.b.status()["seen_since_release"] == FLOOR - 1
    room.restart()  # the count outlives it
    await room.send(room.hum())
    await room.tick(3)
    assert room.texts() == ["waits for a crowd"]
    assert room.town.b.status()["seen_since_release"] == 0


async def test_a_drop_has_one_size_with_nothing_one_and_forty_letters_waiting(
    make_room: Make,
) -> None:
    room = await make_room()
    size, slots = drop_size(AT_ONCE.slots), AT_ONCE.slots
    sizes: list[list[int]] = []
    shown: list[int] = []
    for waiting in (0, 1, 40):
        give(room, *(parcel(room, room.letter(f"{waiting}/{n}")) for n in range(waiting)))
        before = len(room.drops())
        await room.tick()
        new = room.drops()[before:]
        sizes.append([len(d.signed) + len(d.signature) for d in new])
        shown.append(sum(len(room.texts_of(d)) for d in new))
    assert sizes == [[size], [size], [size]]
    assert shown == [0, 1, slots]
    assert room.town.b.pool.size() == 40 - slots, "the others stay and draw again"


async def test_every_slot_of_a_drop_opens_and_letters_stand_anywhere(make_room: Make) -> None:
    from tests.trust.made import private

    from wallflower.crypto import hpke
    from wallflower.wire.drop import open_file_key, open_slot

    room = await make_room()
    places = []
    for n in range(24):
        give(room, parcel(room, room.letter(f"{n}")))
        await room.tick()
        drop = room.drops()[-1]
        record = room.record_of(drop.header.record)
        key = open_file_key(private("drop"), record.hash, drop)
        info = hpke.info("desk", record.body.desk_entry_hash(record.body.desks[0]))
        kinds = [
            hpke.open_sealed(private("desk"), info, open_slot(key, drop, i))[0]
            for i in range(drop.header.slots)
        ]
        assert sum(kinds) == 1
        places.append(kinds.index(1))
    assert set(places) == set(range(AT_ONCE.slots))


async def test_drops_are_signed_numbered_and_chained_across_restarts_and_days(
    make_room: Make,
) -> None:
    room = await make_room()
    await room.tick(3)
    room.restart()
    room.town.clock.time = (DAY + 1) * DAY_S - TICK
    await room.tick(3)
    drops = room.drops()
    assert len(drops) >= 6
    assert {d.header.record for d in drops} == {1, 2}
    number, last = 0, bytes(HASH)
    for drop in drops:
        found = verify_drop(drop, room.record_of(drop.header.record), number, last)
        number, last = found.header.number, found.hash
    ticks = [d.header.tick for d in drops]
    assert ticks == sorted(set(ticks))


async def test_a_tick_that_was_slept_through_is_not_made_up(make_room: Make) -> None:
    room = await make_room()
    await room.tick()
    before = len(room.drops())
    room.town.clock.time += 10 * TICK
    for _ in range(4):
        await room.town.b.step()
    assert len(room.drops()) == before + 1
    assert room.town.b.status()["ticks_skipped"] == 9


async def test_no_second_drop_comes_within_a_tick_even_after_a_restart(make_room: Make) -> None:
    room = await make_room()
    await room.tick()
    before = len(room.drops())
    await room.town.b.step()
    room.restart()
    await room.town.b.step()
    assert len(room.drops()) == before


async def test_without_a_record_in_force_there_is_no_drop(make_room: Make) -> None:
    room = await make_room()
    room.town.net.cut.add("board.example")
    last = room.record_of(4).body.not_after
    room.town.clock.time = last - TICK
    await room.town.b.step()
    before = len(room.drops())
    assert before > 0
    room.town.clock.time = float(last)
    await room.town.b.step()
    room.town.clock.time += 5 * TICK
    await room.town.b.step()
    assert len(room.drops()) == before


@pytest.mark.parametrize("times", [0, 1, 2, 3])
async def test_a_power_cut_within_the_release_loses_and_repeats_nothing(
    make_room: Make, times: int
) -> None:
    room = await make_room()
    texts = [f"letter {n}" for n in range(3)]
    give(room, *(parcel(room, room.letter(text)) for text in texts))
    await room.town.b.step()
    number = room.town.b.state.number("drop")
    room.town.clock.time += TICK
    with power_cut_at(State, "set_data", times=times):
        await room.town.b.step()
    room.restart()
    assert room.town.b.state.number("drop") == number
    assert room.town.b.pool.size() == 3
    await room.town.b.step()
    assert room.texts() == texts
    head = room.town.b.state.data("drop_head")
    assert head == sha256(room.b.out.read(0, 1000)[-1].body)


async def test_hashes_of_letters_are_kept_until_the_horizon_and_not_longer(
    make_room: Make,
) -> None:
    room = await make_room(HELD)
    record = room.town.record()
    give(room, parcel(room, room.letter("x")))
    horizon = 8 * record.body.parameters.mean_b / DAY_S + 3
    room.town.clock.time = (DAY + int(horizon)) * DAY_S
    room.b.forget(record)
    assert stored(room)[1] == 1
    room.town.clock.time += 3 * DAY_S
    room.b.forget(record)
    assert stored(room)[1] == 0


async def test_the_board_hears_of_the_newest_drop(make_room: Make) -> None:
    room = await make_room()
    await room.tick(4)
    newest = room.drops()
    assert room.town.server.board.drop_head in {d.hash for d in newest}


async def test_b_alone_never_sees_cells_and_a_alone_never_letters(make_room: Make) -> None:
    """A hum's parcel at A opens under no key of A; what B holds has no trace of an arrival."""
    from wallflower.crypto import hpke

    room = await make_room()
    await room.send(room.hum(room.letter("secret")))
    room.town.clock.time += TICK
    await room.town.a.step()
    (entry,) = room.a.out.read(0, 10)
    record = room.town.record()
    private_a = room.town.a.records.private(record.number)
    assert private_a is not None
    for role in ("hop-a", "hop-b"):
        with pytest.raises(hpke.Unopened):
            hpke.open_sealed(private_a, hpke.info(role, record.hash), entry.body[:1204])


async def test_b_with_another_drop_key_keeps_its_letters_until_a_record_names_it(
    make_room: Make,
) -> None:
    """The desk refuses every drop that another key signed, and goes on behind it."""
    room = await make_room()
    town = room.town
    town.signers.drop = b"d" * 32
    room.restart()
    before = len(room.drops())
    await room.send(room.hum(room.letter("sent when the key was new")))
    await room.tick(3)
    assert (len(room.drops()), town.b.pool.size()) == (before, 1)
    assert "drop-key" in {alarm.name for alarm in report(town.b).alarms}
    town.b.records.revoke()
    await room.tick(4)
    drop = room.drops()[before]
    record = room.record_of(drop.header.record)
    verify_drop(drop, record, drop.header.number - 1, drop.header.previous)
    assert room.texts() == ["sent when the key was new"]
    assert "drop-key" not in {alarm.name for alarm in report(town.b).alarms}
