"""A pool's disk: no time, no order, and an image of yesterday opens nothing that is left today."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
from pathlib import Path

import pytest
from tests.mix.room import power_cut_at

from wallflower.crypto import aead
from wallflower.host.disk import Folder
from wallflower.lab.host import SeededEntropy
from wallflower.mix.edge import pool as pool_module
from wallflower.mix.edge.pool import Pool, name_of, number_of

DAY = 20778
BODIES = [b"parcel %03d" % n for n in range(30)]


_seeds = itertools.count()


def open_pool(path: Path) -> Pool:
    """A pool on a folder, with entropy that nobody has drawn before."""
    db = Folder(path / "data").database("mix.db")
    return Pool(db, Folder(path / "keys"), SeededEntropy(b"pool%d" % next(_seeds)))


def filled(path: Path) -> Pool:
    pool = open_pool(path)
    for body in BODIES:
        pool.put(7, DAY, body)
    return pool


def take_all(pool: Pool) -> list[bytes]:
    found = [pool.take(row.name) for row in pool.rows()]
    return sorted(body for body in found if body is not None)


def test_what_was_put_is_taken_once(tmp_path: Path) -> None:
    pool = filled(tmp_path)
    assert pool.size() == len(BODIES)
    assert take_all(pool) == BODIES
    assert pool.size() == 0
    assert pool.high_water == len(BODIES)


def test_it_outlives_a_restart(tmp_path: Path) -> None:
    filled(tmp_path)
    assert take_all(open_pool(tmp_path)) == BODIES


@pytest.mark.parametrize("at_once", [False, True], ids=["as at B", "as at A"])
def test_rows_are_numbered_by_drawn_names_and_have_no_column_for_a_time(
    tmp_path: Path, at_once: bool
) -> None:
    pool = open_pool(tmp_path)
    arrived: list[bytes] = []
    for body in BODIES:
        if at_once:
            pool.put_each(7, DAY, [body], bytes)
        else:
            pool.put(7, DAY, body)
        arrived += {row.name for row in pool.rows()} - set(arrived)
    db = sqlite3.connect(tmp_path / "data" / "mix.db")
    columns = [row[1] for row in db.execute("PRAGMA table_info(pool)")]
    assert columns == ["name", "record", "day", "known", "class", "key_day", "sealed"]
    numbers = [number for (number,) in db.execute("SELECT rowid FROM pool")]
    db.close()
    assert sorted(map(name_of, numbers)) == sorted(arrived), "SQLite has no number beside the name"
    rising = sum(number_of(a) < number_of(b) for a, b in itertools.pairwise(arrived))
    # Of 29 neighbours half rise, with a deviation of 1.6 (that of an order's ascents).
    assert 5 <= rising <= 24
    assert max(numbers) - min(numbers) > 2**61, "they lie everywhere"


def test_names_are_random_and_the_order_of_rows_is_theirs(tmp_path: Path) -> None:
    rows = filled(tmp_path).rows()
    assert len({row.name for row in rows}) == len(BODIES)
    assert {len(row.name) for row in rows} == {8}
    again = open_pool(tmp_path / "again")
    for body in BODIES:
        again.put(7, DAY, body)
    assert {r.name for r in rows}.isdisjoint(r.name for r in again.rows())
    assert [again.take(row.name) for row in again.rows()] != BODIES


def test_nothing_on_the_disk_is_open(tmp_path: Path) -> None:
    pool = filled(tmp_path)
    (tmp_path / "control").write_bytes(b"xx" + BODIES[3])
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert [p.name for p in files if b"parcel 0" in p.read_bytes()] == ["control"]
    assert len(pool.rows()) == len(BODIES)  # open until here, its write-ahead log included


def test_a_row_moved_to_another_name_does_not_open(tmp_path: Path) -> None:
    pool = filled(tmp_path)
    db = Folder(tmp_path / "data").database("mix.db")
    name = pool.rows()[0].name
    db.execute("UPDATE pool SET name = ? WHERE name = ?", (number_of(b"m" * 8), number_of(name)))
    assert pool.take(b"m" * 8) is None
    assert pool.lost == 1


def test_a_row_that_an_older_version_sealed_is_counted_as_lost(tmp_path: Path) -> None:
    pool = filled(tmp_path)
    name, key = pool.rows()[0].name, Folder(tmp_path / "keys").read(f"pool-{DAY}")
    assert key is not None
    old = aead.wrap(key, bytes(12), name, b"as before")  # ChaCha20-Poly1305 under the same key
    query = "UPDATE pool SET sealed = ? WHERE name = ?"
    Folder(tmp_path / "data").database("mix.db").execute(query, (old, number_of(name)))
    pool.new_day(DAY + 1)
    assert (pool.size(), pool.lost) == (len(BODIES) - 1, 1)


@pytest.mark.parametrize("key", [None, bytes(32)], ids=["gone", "another"])
@pytest.mark.parametrize("held", [True, False])
def test_a_lost_key_of_the_last_day_is_noticed_whether_or_not_anything_is_held(
    tmp_path: Path, key: bytes | None, held: bool
) -> None:
    pool = filled(tmp_path) if held else open_pool(tmp_path)
    for day in (DAY, DAY, DAY + 1):
        pool.new_day(day)
        pool.forget_before(day)
    assert not pool.key_lost
    keys = Folder(tmp_path / "keys")
    if key:
        keys.write(f"pool-{DAY + 1}", key)
    else:
        keys.erase(f"pool-{DAY + 1}")
    for day in (DAY + 1, DAY + 3):
        again = open_pool(tmp_path)
        again.ready(day)
        assert again.key_lost == (day == DAY + 1), "once: from then on there is a new one"


def test_at_a_new_day_everything_is_sealed_anew_and_the_old_key_is_gone(tmp_path: Path) -> None:
    pool = filled(tmp_path)
    before = {r.name: r for r in pool.rows()}
    pool.new_day(DAY + 1)
    pool.forget_before(DAY + 1)
    assert Folder(tmp_path / "keys").names() == [f"pool-{DAY + 1}"]
    assert {r.name: r for r in pool.rows()} == before, "the day it came stays, for the flush"
    assert take_all(pool) == BODIES


@pytest.mark.parametrize("at_a_time", [1, 4, 256])
def test_a_new_day_seals_rows_of_every_older_key_some_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_a_time: int
) -> None:
    monkeypatch.setattr(pool_module, "_BODIES", at_a_time)
    pool = open_pool(tmp_path)
    for n, body in enumerate(BODIES):
        pool.put(7, DAY + n % 3, body)
    pool.new_day(DAY + 3)
    pool.forget_before(DAY + 3)
    assert take_all(pool) == BODIES


def test_an_image_from_before_the_new_day_does_not_open_with_what_is_left(tmp_path: Path) -> None:
    """A seized copy of yesterday's database, and today's key folder."""
    pool = filled(tmp_path)
    image = tmp_path / "image"
    shutil.copytree(tmp_path / "data", image / "data")
    early = tmp_path / "early"
    shutil.copytree(tmp_path / "data", early / "data")
    shutil.copytree(tmp_path / "keys", early / "keys")
    assert take_all(open_pool(early)) == BODIES, "the control: with yesterday's keys it opens"
    pool.new_day(DAY + 1)
    pool.forget_before(DAY + 1)
    shutil.copytree(tmp_path / "keys", image / "keys")
    seized = open_pool(image)
    assert take_all(seized) == []
    assert seized.lost == len(BODIES)
    assert take_all(pool) == BODIES, "what remains opens"


def test_the_erased_key_was_overwritten(tmp_path: Path) -> None:
    pool = filled(tmp_path)
    link = tmp_path / "link"
    link.hardlink_to(tmp_path / "keys" / f"pool-{DAY}")
    assert link.read_bytes() != bytes(32)
    pool.forget_before(DAY + 1)
    assert link.read_bytes() == bytes(32)


def test_keys_lost_at_a_power_cut_cost_what_they_sealed_and_nothing_more(tmp_path: Path) -> None:
    """Keys on tmpfs: the loss is stated, and the mix goes on."""
    pool = filled(tmp_path)
    shutil.rmtree(tmp_path / "keys")
    pool = open_pool(tmp_path)
    pool.new_day(DAY + 1)
    assert (pool.size(), pool.lost) == (0, len(BODIES))
    pool.put(7, DAY + 1, b"after")
    assert take_all(pool) == [b"after"]
    assert f"pool-{DAY}" not in Folder(tmp_path / "keys").names(), "no key is made for the past"


def test_keys_lost_within_the_day_cost_what_they_sealed_and_nothing_more(tmp_path: Path) -> None:
    pool = filled(tmp_path)
    shutil.rmtree(tmp_path / "keys")
    pool = open_pool(tmp_path)
    pool.put(7, DAY, b"after")
    assert take_all(pool) == [b"after"]
    assert (pool.size(), pool.lost) == (0, len(BODIES))


def test_a_power_cut_within_the_new_day_loses_nothing(tmp_path: Path) -> None:
    filled(tmp_path)
    db = Folder(tmp_path / "data").database("mix.db")
    cut_pool = Pool(db, Folder(tmp_path / "keys"), SeededEntropy(b"again"))
    db.execute("BEGIN IMMEDIATE")
    with power_cut_at(cut_pool._entropy, "draw", times=9):
        cut_pool.new_day(DAY + 1)
    db.close()
    again = open_pool(tmp_path)
    again.new_day(DAY + 1)
    again.forget_before(DAY + 1)
    assert take_all(again) == BODIES
