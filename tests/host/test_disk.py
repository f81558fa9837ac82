"""Files are whole or old, private, and gone when they are erased."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from wallflower.host.disk import Folder

OLD, NEW = b"old" * 100, b"new" * 500


class PowerCut(BaseException):
    """The machine stops here: nothing after it runs, no handler of our own included."""


def cut(*_: object, **__: object) -> NoReturn:
    raise PowerCut


def full(*_: object, **__: object) -> NoReturn:
    raise OSError(28, "No space left on device")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_power_cut_between_write_and_rename_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)
    folder.write("keys", OLD)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", cut)
        with pytest.raises(PowerCut):
            folder.write("keys", NEW)
    assert Folder(tmp_path).read("keys") == OLD
    Folder(tmp_path).write("keys", NEW)
    assert Folder(tmp_path).read("keys") == NEW


def test_a_file_that_was_cut_before_its_rename_is_not_among_the_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)
    folder.write("record-4", OLD)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", cut)
        with pytest.raises(PowerCut):
            folder.write("record-5", NEW)
    assert any(tmp_path.glob("record-5*")), "the control: something was left behind"
    assert Folder(tmp_path).names() == ["record-4"]


def test_a_full_disk_leaves_the_old_file_and_nothing_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)
    folder.write("keys", OLD)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            folder.write("keys", NEW)
    assert [p.name for p in tmp_path.iterdir()] == ["keys"]
    assert folder.read("keys") == OLD


def test_a_write_syncs_the_file_before_its_rename_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, order = Folder(tmp_path), []
    sync, rename = os.fsync, Path.replace

    def noted_sync(fd: int) -> None:
        order.append("folder" if stat.S_ISDIR(os.fstat(fd).st_mode) else "file")
        sync(fd)

    def noted_rename(self: Path, target: Path) -> Path:
        order.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "replace", noted_rename)
    folder.write("keys", NEW)
    assert order == ["file", "rename", "folder"]


@pytest.mark.usefixtures("open_umask")
def test_files_are_0600_and_folders_0700_whatever_the_umask_allows(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "role")
    inner = folder.folder("records")
    folder.write("key", b"k")
    folder.database("cells.db").execute("CREATE TABLE t (x)")
    assert mode(folder.path) == mode(inner.path) == 0o700
    files = [p for p in folder.path.iterdir() if p.is_file()]
    assert {p.name for p in files} >= {"key", "cells.db", "cells.db-wal"}
    assert {p.name: mode(p) for p in files} == {p.name: 0o600 for p in files}


def test_erase_overwrites_the_bytes_before_it_unlinks_them(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("hop-1", NEW)
    other = tmp_path / "link"
    os.link(tmp_path / "hop-1", other)  # a hard link sees what happens to the blocks
    folder.erase("hop-1")
    assert folder.read("hop-1") is None
    assert other.read_bytes() == bytes(len(NEW))


def test_plain_removal_would_have_left_the_bytes(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("segment", NEW)
    os.link(tmp_path / "segment", tmp_path / "link")
    folder.remove("segment")
    assert (tmp_path / "link").read_bytes() == NEW


def test_erase_syncs_the_zeros_before_it_unlinks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)
    folder.write("hop-1", NEW)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", cut)
        with pytest.raises(PowerCut):
            folder.erase("hop-1")
    assert folder.read("hop-1") == bytes(len(NEW))
    folder.erase("hop-1")
    assert folder.names() == []


def test_erasing_or_removing_nothing_is_no_fault(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.erase("nothing")
    folder.remove("nothing")
    assert folder.read("nothing") is None
    assert folder.names() == []


def test_names_are_sorted_files_without_folders(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for name in ("b", "a"):
        folder.write(name, b"")
    folder.folder("c")
    assert folder.names() == ["a", "b"]
