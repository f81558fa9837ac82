"""The mixes: raw openings, both hops in memory and on the disk, and the work of two processes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from bench.parts import Part, total
from bench.place import DAY, LETTERS, Place, no_step, open_place, spread, timed
from bench.processes import cpu_seconds
from wallflower.crypto import aead, hpke
from wallflower.host.disk import settle
from wallflower.mix.edge.first import First
from wallflower.mix.edge.mix import Mix
from wallflower.wire import hello
from wallflower.wire.hum import Gathering, open_hum
from wallflower.wire.sizes import BODY_HEADER, HELLO_HEADER, LETTER, PARCEL, POSITIONS, SEAL_A

Slow = Callable[[], None]
Parts = defaultdict[str, list[Part]]


async def measure(disk: Path, hums: int, rounds: int, slow: Slow = no_step) -> dict[str, Part]:
    """Everything of the mixes but the two processes. Rounds alternate between what is compared, so
    that a machine that is busy for a while is so for both sides."""
    parts: Parts = defaultdict(list)
    places = {
        "memory": await open_place(disk / "memory", in_memory=True),
        "disk": await open_place(disk / "disk", in_memory=False),
    }
    for _ in range(rounds):
        for where, place in places.items():
            await _round(place, where, hums, parts, slow)
    for place in places.values():
        place.town.close()
    return {name: total(runs) for name, runs in parts.items()}


async def _round(place: Place, where: str, count: int, parts: Parts, slow: Slow) -> None:
    a, b = place.town.a, place.town.b
    # In a whole run these are so many that no page of a pull has the first four cells of one hum.
    together, apart = place.hums(count), place.hums(2 * count)
    parcels = opened(place, together)
    parts["hpke"].append(raw_opens(place, together))
    parts["a opens"].append(raw_opens_and_cells(place, together))
    flat = [cell for hum in together for cell in hum]
    parts[f"a {where}"].append(_per_hum(await place.take(a, flat, slow), count))
    parts[f"a spread {where}"].append(_per_hum(await place.take(a, spread(apart), slow), 2 * count))
    _stored(a, 3 * count)
    parts["hpke"].append(raw_opens(place, together))
    before = b.status()
    parts[f"b {where}"].append(await place.take(b, parcels, slow))
    took = b.status()
    assert took["covers"] + took["letters"] - before["covers"] - before["letters"] == count
    if where == "disk":
        parts["a new day"].append(_new_day(place))
        parts["a tick"].append(_one_tick(place))
        parts["a leave"].append(_leave(place))
    a.state.db.execute("DELETE FROM pool")


def _per_hum(part: Part, count: int) -> Part:
    return Part(count, part.wall_s, part.cpu_s)


def _stored(mix: Mix, hums: int) -> None:
    """Count what the receiver really holds: rows and bytes."""
    rows, size = mix.state.db.execute("SELECT count(*), sum(length(sealed)) FROM pool").fetchone()
    sealed = (PARCEL if mix.position == "a" else LETTER) + 28
    assert (rows, size) == (hums, hums * sealed), "what was sent is held"


def _keys(place: Place, position: str) -> tuple[bytes, hpke.PrivateKey]:
    mix = place.town.a if position == "a" else place.town.b
    usable = mix.records.usable(place.town.record().number)
    assert usable is not None
    return usable


def raw_opens(place: Place, hums: list[list[bytes]]) -> Part:
    """The openings alone: one X-Wing decapsulation and its AEAD for each hum, at A's key."""
    record_hash, private = _keys(place, "a")
    info = hpke.info("hop-a", record_hash)
    seals = [hello.seal_a_of(hum[0]) for hum in hums]
    with timed() as spent:
        for seal in seals:
            hpke.open_sealed(private, info, seal)
    return spent(len(seals))


def raw_opens_and_cells(place: Place, hums: list[list[bytes]]) -> Part:
    """All that A has to open of a hum, by the library alone: the above, and one cell of each
    position (hum 2.2). What is opened was cut out before, since to find it is the mix's work."""
    record_hash, private = _keys(place, "a")
    info = hpke.info("hop-a", record_hash)
    ready = [(hello.seal_a_of(hum[0]), _sealed(hum)) for hum in hums]
    with timed() as spent:
        keys = [hpke.open_sealed(private, info, seal) for seal, _ in ready]
        for key, (_, cells) in zip(keys, ready, strict=True):
            opens = aead.opener(key)
            for nonce, sealed, header in cells:
                opens(nonce, sealed, header)
    return spent(len(ready))


def _sealed(hum: list[bytes]) -> list[tuple[bytes, bytes, bytes]]:
    """Of each of the first four cells its nonce, what is sealed under hum key A, and its header."""
    first, *bodies = hum[:POSITIONS]
    return [(aead.NONCES[0], first[HELLO_HEADER + SEAL_A :], first[:HELLO_HEADER])] + [
        (aead.NONCES[counter], cell[BODY_HEADER:], cell[:BODY_HEADER])
        for counter, cell in enumerate(bodies, 1)
    ]


def opened(place: Place, hums: list[list[bytes]]) -> list[bytes]:
    """The parcels of hums, as A makes them."""
    record_hash, private = _keys(place, "a")
    made = []
    for hum in hums:
        gathering = Gathering(dict(enumerate(hum)))
        parcel, _ = open_hum(gathering, private, record_hash)
        assert parcel is not None
        made.append(parcel.encode())
    return made


def _new_day(place: Place) -> Part:
    """What midnight costs for each hum that is held: it is sealed anew under the day's key."""
    a = place.town.a
    held = a.pool.size()
    with timed() as spent:
        with a.state.transaction():
            a.pool.new_day(DAY + 1)
        settle(a.state.db)
    return spent(held)


def _one_tick(place: Place) -> Part:
    """What a tick costs for each hum that is held."""
    a, record = place.town.a, place.town.record()
    assert isinstance(a.part, First)
    held = a.pool.size()
    with timed() as spent:
        a.part.tick(record)
    return spent(held)


def _leave(place: Place) -> Part:
    """What it costs that a hum leaves: out of the pool, opened, into the log for B."""
    a, record = place.town.a, place.town.record()
    assert isinstance(a.part, First)
    held, before = a.pool.size(), a.part.out.size()
    noon, place.town.clock.time = place.town.clock.time, place.town.clock.time + 36 * 3600 - 60
    with timed() as spent:
        a.part.tick(record)
    place.town.clock.time = noon
    assert a.part.out.size() - before == held, "all were flushed"
    a.part.out.trim(2**62)
    return spent(held)


async def by_two(disk: Path, hums: int, rounds: int) -> dict[str, Part]:
    """The same hums taken by the mix alone and with one worker beside it, in turns; of each the
    quickest round by the wall, since what else runs here only ever slows one down."""
    places = {
        "alone": await open_place(disk / "alone", in_memory=False, in_files=True),
        "by two": await open_place(disk / "two", in_memory=False, in_files=True, workers=1),
    }
    waiting = {name: _for_both(place, hums) for name, place in places.items()}
    parts: Parts = defaultdict(list)
    for turn in range(rounds + 1):  # in the first round workers start
        for name, place in places.items():
            for hop, (mix, bodies) in waiting[name].items():
                before = _workers_cpu_s(mix)
                part = _per_hum(await place.take(mix, bodies), hums)
                _forget_all(mix, hums)
                if turn:
                    parts[f"{hop} {name}"].append(part)
                if turn and name == "by two":
                    spent = _workers_cpu_s(mix) - before
                    parts[f"{hop} workers"].append(Part(hums, part.wall_s, spent))
    for place in places.values():
        place.town.a.close()
        place.town.b.close()
        place.town.close()
    # CPU is counted in hundredths of a second: only over all rounds does it say something.
    return {
        name: total(runs) if "workers" in name else min(runs, key=lambda p: p.wall_s)
        for name, runs in parts.items()
    }


def _for_both(place: Place, count: int) -> dict[str, tuple[Mix, list[bytes]]]:
    """Cells for A and parcels for B, of the same hums."""
    made = place.hums(count)
    return {
        "a": (place.town.a, [cell for hum in made for cell in hum]),
        "b": (place.town.b, opened(place, made)),
    }


def _forget_all(mix: Mix, hums: int) -> None:
    """Count what the mix has got, in all of its shares; then let it know nothing of it, so that the
    same hums are new to it once more."""
    letters = -(-hums // LETTERS)
    assert mix.held() == (hums if mix.position == "a" else letters), "what was sent is held"
    for db in mix.databases():
        tables = ("seen", "pool") if mix.position == "a" else ("taken", "pool")
        for table in tables:
            db.execute(f"DELETE FROM {table}")  # noqa: S608
    mix.settle()


def _workers_cpu_s(mix: Mix) -> float:
    return sum(map(cpu_seconds, mix.workers.pids()))


def slow_step(seconds: float) -> Slow:
    """A planted step that costs CPU once a page, for the control."""

    def step() -> None:
        end = time.process_time() + seconds
        while time.process_time() < end:
            pass

    return step
