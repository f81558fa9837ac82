"""A log is durable, ordered, forgets what it is told to, and never uses a number twice."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.mix.room import PowerCut, cut

from wallflower.host import log as log_module
from wallflower.host.disk import PAGE_SIZE, DiskTrouble, Folder, disk_trouble, settle
from wallflower.host.log import Entry, Log
from wallflower.mix.edge.state import State


def open_log(path: Path) -> Log:
    return Log(Folder(path).database("cells.db"), "cells")


def test_append_returns_the_last_number_and_read_gives_what_comes_after(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    assert log.append(7, [b"a", b"b", b"c"]) == 3
    assert log.append(8, [b"d"]) == 4
    assert log.read(2, 10) == [Entry(3, 7, b"c"), Entry(4, 8, b"d")]
    assert log.read(4, 10) == []
    assert [e.body for e in log.read(0, 2)] == [b"a", b"b"]


def test_another_process_sees_a_batch_as_soon_as_append_returns(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.append(1, [b"durable"])
    other = sqlite3.connect(tmp_path / "cells.db")
    assert other.execute("SELECT body FROM cells").fetchall() == [(b"durable",)]
    other.close()


def test_numbers_are_never_used_again_after_trim_and_restart(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    last = log.append(1, [b"x"] * 5)
    log.trim(last)
    assert log.size() == 0
    again = open_log(tmp_path)
    assert again.append(1, [b"y"]) == last + 1
    again.trim(last + 1)
    assert open_log(tmp_path).append(1, [b"z"]) == last + 2


def test_trim_deletes_up_to_its_number_and_nothing_else(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.append(1, [b"a", b"b", b"c"])
    log.trim(2)
    assert log.read(0, 10) == [Entry(3, 1, b"c")]
    log.trim(0)
    assert log.size() == 1


def test_of_what_is_wanted_only_is_read_and_trimmed(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.append(1, [b"a1", b"b1", b"a2", b"b2", b"a3"])

    def wanted(body: bytes) -> bool:
        return body.startswith(b"a")

    assert [e.body for e in log.read(0, 10, wanted)] == [b"a1", b"a2", b"a3"]
    assert [e.body for e in log.read(1, 1, wanted)] == [b"a2"]
    log.trim_wanted(3, wanted)
    assert [e.body for e in log.read(0, 10)] == [b"b1", b"b2", b"a3"]
    assert not (tmp_path / "cells.db-wal").read_bytes(), "it is in no file any more"


def test_the_rows_of_a_share_leave_so_few_at_a_time_that_the_reserve_holds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each may lie on another page of the file, so that a page of a pull could need four times the
    write-ahead log that the same rows need one after another."""
    log = open_log(tmp_path)
    log.append(1, [bytes([n % 4]) + bytes(2400) for n in range(160)])
    sizes = wals_of_few(log, monkeypatch)
    log.trim_wanted(160, lambda body: body[0] == 1)
    assert log.size() == 120
    assert max(sizes) < (8 + 8) * (PAGE_SIZE + 24), "rows, and what SQLite keeps beside them"


def test_trim_deletes_no_more_at_a_time_than_one_answer_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk has no room for more in the write-ahead log, and would never let it go."""
    log = open_log(tmp_path)
    log.append(1, [bytes(2400)] * 160)
    sizes = wals_of_few(log, monkeypatch)
    monkeypatch.setattr(log_module, "READ_BYTES", 9 * 2400)
    log.trim(159)
    assert [entry.seq for entry in log.read(0, 1000)] == [160]
    assert max(sizes) < (9 + 8) * (PAGE_SIZE + 24), "rows, and what SQLite keeps beside them"


def wals_of_few(log: Log, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Trim eight rows at a time; how large the write-ahead log is each time that it is emptied."""
    monkeypatch.setattr(log_module, "_TRIMMED", 8)
    settle(log._db)
    sizes: list[int] = []

    def settled(db: sqlite3.Connection) -> None:
        file = Path(db.execute("PRAGMA database_list").fetchone()[2])
        sizes.append(file.with_name(f"{file.name}-wal").stat().st_size)
        settle(db)

    monkeypatch.setattr(log_module, "settle", settled)
    return sizes


def test_trim_records_deletes_what_came_under_older_records(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    for record in (3, 4, 5):
        log.append(record, [bytes([record])])
    log.trim_records(5)
    assert [e.record for e in log.read(0, 10)] == [5]
    assert not (tmp_path / "cells.db-wal").read_bytes(), "it is in no file any more"


def test_a_day_that_is_over_leaves_so_few_rows_at_a_time_that_the_reserve_holds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of a day may be more than a full disk has room for in the write-ahead log."""
    log = open_log(tmp_path)
    for record in (3, 4, 5):
        log.append(record, [bytes(2400)] * 160)
    sizes = wals_of_few(log, monkeypatch)
    log.trim_records(5)
    assert [e.record for e in log.read(0, 1000)] == [5] * 160
    assert max(sizes) < (8 + 8) * (PAGE_SIZE + 24), "rows, and what SQLite keeps beside them"
    assert not (tmp_path / "cells.db-wal").read_bytes()


def test_one_read_holds_no_more_than_its_bound_but_always_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "READ_BYTES", 250)
    log = open_log(tmp_path)
    log.append(1, [b"x" * 100] * 5 + [b"y" * 1000])
    assert [e.seq for e in log.read(0, 100)] == [1, 2]
    assert [e.seq for e in log.read(4, 100)] == [5]
    assert [len(e.body) for e in log.read(5, 100)] == [1000]


def test_a_batch_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.append(1, [b"before"])
    with pytest.raises(sqlite3.Error):
        log.append(1, [b"first", {"not": "bytes"}])  # type: ignore[list-item]
    assert [e.body for e in log.read(0, 10)] == [b"before"]
    assert log.append(1, [b"after"]) >= 2, "the log goes on"


def test_the_database_is_durable_and_overwrites_what_it_deletes(tmp_path: Path) -> None:
    db = Folder(tmp_path).database("cells.db")
    pragmas = {
        name: db.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("synchronous", "journal_mode", "secure_delete", "temp_store")
    }
    assert pragmas == {"synchronous": 2, "journal_mode": "wal", "secure_delete": 1, "temp_store": 2}


def test_what_was_trimmed_is_in_no_file_any_more(tmp_path: Path) -> None:
    canary = b"canary of a trimmed cell"
    log = open_log(tmp_path)
    last = log.append(1, [canary + bytes(2400) for _ in range(20)])

    def found() -> list[str]:
        return [p.name for p in tmp_path.iterdir() if canary in p.read_bytes()]

    assert found(), "the control: before the trim it is there"
    log.trim(last)
    assert found() == []


@settings(derandomize=True, deadline=None, database=None, max_examples=25)
@given(acts=st.lists(st.one_of(st.integers(1, 4), st.integers(-30, 0)), max_size=12))
def test_a_log_is_a_queue_whatever_is_appended_and_trimmed(
    tmp_path_factory: pytest.TempPathFactory, acts: list[int]
) -> None:
    log = open_log(tmp_path_factory.mktemp("log"))
    model: dict[int, bytes] = {}
    last = 0
    for act in acts:
        if act > 0:
            bodies = [bytes([act, n]) for n in range(act)]
            model.update({last + n + 1: body for n, body in enumerate(bodies)})
            last += act
            assert log.append(1, bodies) == last
        else:
            log.trim(-act)
            model = {seq: body for seq, body in model.items() if seq > -act}
        assert [(e.seq, e.body) for e in log.read(0, 1000)] == sorted(model.items())
        assert log.span() == log.size() == len(model)


def test_a_span_counts_what_was_forgotten_in_the_middle_and_nothing_else(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    assert log.span() == 0
    for record in (7, 3, 7):
        log.append(record, [b"x"])
    log.trim_records(7)
    assert (log.size(), log.span()) == (2, 3)


@pytest.mark.parametrize("write", ["append", "transaction"])
def test_a_disk_that_fills_in_the_middle_is_told_as_that_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    """SQLite has rolled back by then; a second time would be another error, and no disk's."""
    monkeypatch.setattr("wallflower.host.log.has_room", lambda _: True)
    db = Folder(tmp_path).database("a.db")
    log, state = Log(db, "cells"), State(db)
    db.execute("PRAGMA cache_size = 1")
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages + 4}")
    large = [bytes(4096)] * 16

    def fill() -> None:
        if write == "append":
            log.append(1, large)
            return
        with state.transaction():
            log.add(1, large)

    for _ in range(2):
        with pytest.raises(DiskTrouble), disk_trouble():
            fill()
        assert not db.in_transaction
        assert log.size() == 0
    assert log.append(1, [b"small"]) == 1


def test_nothing_is_appended_into_the_reserve_of_a_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log(tmp_path)
    monkeypatch.setattr("wallflower.host.log.has_room", lambda _: False)
    with pytest.raises(DiskTrouble), disk_trouble():
        log.append(1, [b"a cell"])
    assert log.size() == 0


def test_a_log_on_a_new_disk_deletes_nothing_for_who_knew_the_old_one(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.append(7, [b"a", b"b"])
    log.go_on_above(5000)
    assert (tmp_path / "cells.db-wal").stat().st_size == 0, "it would keep where each row was"
    log.trim(5000)
    assert log.read(5000, 10) == [Entry(5001, 7, b"a"), Entry(5002, 7, b"b")]
    log.go_on_above(5002)
    assert open_log(tmp_path).append(7, [b"c"]) == 5003
    log.go_on_above(9000)
    log.trim(5002)
    assert [e.body for e in log.read(9000, 10)] == [b"a", b"b", b"c"], "nobody said to have them"


def test_a_log_that_is_empty_on_a_new_disk_goes_on_above_too(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.go_on_above(5000)
    assert open_log(tmp_path).append(7, [b"a"]) == 5001


def test_what_is_too_old_is_not_left_in_the_write_ahead_log(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.append(7, [b"a cell of long ago" * 99])
    log.trim_records(8)
    assert not any(b"long ago" in path.read_bytes() for path in tmp_path.iterdir())


def test_set_records_changes_few_entries_at_a_time_and_the_last_one_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So who comes back after a kill sees by the last one whether it was done."""
    log = open_log(tmp_path)
    assert log.newest_record(3) == 3
    log.append(5, [bytes(2400)] * 40)
    sizes = wals_of_few(log, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(log_module, "settle", cut)
        with pytest.raises(PowerCut):
            log.set_records(4)
    assert {entry.record for entry in log.read(0, 1000)} == {4, 5}
    assert log.newest_record(3) == 5
    log.set_records(4)
    assert {entry.record for entry in log.read(0, 1000)} == {4}
    assert log.newest_record(3) == 4
    assert max(sizes) < (8 + 8) * (PAGE_SIZE + 24)
