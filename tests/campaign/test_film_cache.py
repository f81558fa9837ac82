"""The cache of films: whole or not there, and nothing outside of it or of a film is touched."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest
from tests.cli.test_stopped_half import is_killed

from wallflower.campaign.edge.film_cache import entry_of, is_whole, kept, place
from wallflower.cli.film import usual_cache
from wallflower.errors import Fault


def _make(aside: Path) -> Mapping[str, Any]:
    (aside / "film-240.mp4").write_bytes(b"small")
    (aside / "card-01.png").write_bytes(b"card")
    return {}


def test_a_cache_that_nobody_can_write_into_is_a_fault_that_names_the_option() -> None:
    with pytest.raises(Fault, match="--cache"):
        kept(Path("/proc"), "key", _make)


def test_who_has_no_home_is_told_to_name_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # a user without
    with pytest.raises(Fault, match="--cache"):
        usual_cache()


def test_a_film_takes_away_what_an_older_film_left_and_nothing_else(tmp_path: Path) -> None:
    folder, _ = kept(tmp_path / "cache", "key", _make)
    out = tmp_path / "out"
    out.mkdir()
    theirs = ("film-holiday.mp4", "card-ab.png", "card-1.png", "film-240.mp4.bak")
    for name in (*theirs, "film-480.mp4", "card-02.png", "film.m4a"):
        (out / name).write_bytes(b"before")
    assert place(folder, out) == ("card-01.png", "film-240.mp4", "film.json")
    assert {p.name for p in out.iterdir()} == {*theirs, "card-01.png", "film-240.mp4", "film.json"}


@pytest.mark.parametrize("name", ["../elsewhere", "sub/film-240.mp4", "/etc/hostname", "notes.txt"])
def test_an_index_that_names_what_no_film_has_is_made_again(tmp_path: Path, name: str) -> None:
    folder, _ = kept(tmp_path / "cache", "key", _make)
    (folder / "sub").mkdir()
    for path in (
        folder / "sub" / "film-240.mp4",
        folder / "notes.txt",
        folder.parent / "elsewhere",
    ):
        path.write_bytes(b"data")
    data = (folder / name).read_bytes()
    (folder / "film.json").write_text(json.dumps({"files": {name: entry_of(data)}}))
    assert not is_whole(folder)
    again, cached = kept(tmp_path / "cache", "key", _make)
    assert (again, cached) == (folder, False)
    assert is_whole(folder)


@pytest.mark.parametrize("index", [b"", b"[", b"[]", b"{}", b'{"files": {}}', b"[" * 100_000])
def test_an_index_that_cannot_be_read_is_made_again(tmp_path: Path, index: bytes) -> None:
    folder, _ = kept(tmp_path / "cache", "key", _make)
    (folder / "film.json").write_bytes(index)
    assert not is_whole(folder)


def test_what_a_killed_making_left_goes_with_the_next_and_what_is_at_work_stays(
    tmp_path: Path,
) -> None:
    cache, mine = tmp_path / "cache", tmp_path / "mine"

    def killed() -> None:
        def make(aside: Path) -> NoReturn:
            (aside / "film-240.mp4").write_bytes(b"half")
            os.kill(os.getpid(), signal.SIGKILL)
            raise AssertionError

        kept(cache, "killed", make)

    assert is_killed(killed)
    (left,) = cache.iterdir()
    (mine / "film").mkdir(parents=True)
    (cache / "making-link").symlink_to(mine)
    for name in ("making-notes/film", "making-notes/more", "making-empty", "other/film"):
        (cache / name).mkdir(parents=True)
    theirs = {"making-link", "making-notes", "making-empty", "other"}
    seen = list[set[str]]()

    def within(aside: Path) -> Mapping[str, Any]:
        kept(cache, "inner", _make)  # as the film makes its pictures, or another command another
        seen.append({path.name for path in cache.iterdir()} - {aside.parent.name})
        assert aside.is_dir(), "what is at work was taken for something left"
        return _make(aside)

    kept(cache, "outer", within)
    assert not left.exists()
    assert seen == [{*theirs, "inner"}]
    assert {path.name for path in cache.iterdir()} == {*theirs, "inner", "outer"}
    assert (mine / "film").is_dir()
    assert (cache / "making-notes" / "more").is_dir()
