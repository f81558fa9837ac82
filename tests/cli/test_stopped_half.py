"""A disk is full, or somebody types Ctrl-C, while a folder is made: the same line works again. And
somebody types the same line a second time meanwhile."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import pytest
from click.testing import CliRunner
from tests.campaign.made import image

from wallflower.campaign.edge import authoring
from wallflower.campaign.edge.authoring import example_folder, new_campaign
from wallflower.campaign.edge.whole import in_place_of
from wallflower.cli import campaign, film, wallflower
from wallflower.cli.new import MAKERS, make
from wallflower.crypto import sign
from wallflower.errors import Fault
from wallflower.host.disk import Folder, write_synced


def _failing(real: Callable[..., Any], after: int, error: BaseException) -> Callable[..., Any]:
    left = after

    def act(*arguments: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise error
        return real(*arguments)

    return act


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, os.strerror(28)), KeyboardInterrupt()])
@pytest.mark.parametrize("after", [0, 1, 6, 11])
def test_an_example_that_is_stopped_half_leaves_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int, error: BaseException
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(authoring, "write_synced", _failing(write_synced, after, error))
        with pytest.raises(type(error)) as raised:
            new_campaign(tmp_path / "office")
    assert getattr(raised.value, "errno", None) == getattr(error, "errno", None)
    assert list((tmp_path / "office").iterdir()) == []
    new_campaign(tmp_path / "office")
    assert (tmp_path / "office" / "film" / "page.toml").is_file()


def is_killed(work: Callable[[], object]) -> bool:
    """Do something in a process of its own; whether that was killed."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("step", ["filled", "old", "new"])
def test_what_a_killed_build_leaves_goes_with_the_next_and_the_last_build_is_never_lost(
    tmp_path: Path, step: str
) -> None:
    """Killed while it fills, or before it puts the last one aside, or the new one in its place."""
    out, theirs = tmp_path / "out", tmp_path / "out.wallflower-notes" / "new" / "thesis.odt"
    for path in (out / "last", theirs, theirs.parent.with_name("mine")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    rename = Path.rename

    def killing(path: Path, to: Path) -> Path:
        if step in (path.name, to.name):
            os.kill(os.getpid(), signal.SIGKILL)
        return rename(path, to)

    def build() -> None:
        with pytest.MonkeyPatch.context() as patch, in_place_of(out) as fresh:
            patch.setattr(Path, "rename", killing)
            (fresh / "half").touch()
            if step == "filled":
                os.kill(os.getpid(), signal.SIGKILL)

    assert is_killed(build)
    assert len(list(tmp_path.iterdir())) == (2 if step == "new" else 3)
    with pytest.raises(ZeroDivisionError), in_place_of(out):
        assert (out / "last").is_file(), "also where the next one is not made whole"
        with in_place_of(out) as fresh:  # leaves alone what is at work
            (fresh / "whole").touch()
        raise ZeroDivisionError
    assert [path.name for path in out.iterdir()] == ["whole"]
    assert {path.name for path in tmp_path.iterdir()} == {"out", "out.wallflower-notes"}
    assert theirs.is_file()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(("module", "first", "line"), [
    (campaign, "read_campaign", ["build", "{here}", "--out", "out"]),
    (film, "check_needed",
     ["film", "{here}/film.toml", "--out", "out", "--address", "", "--words", ""]),
])  # fmt: skip
def test_a_build_or_film_that_a_supervisor_or_a_closed_terminal_stops_takes_its_half_away(
    tmp_path: Path, module: ModuleType, first: str, line: list[str], stop: signal.Signals
) -> None:
    (tmp_path / "film.toml").touch()

    def make(*_: Path) -> None:
        with in_place_of(tmp_path / "out"):
            signal.raise_signal(stop)

    def work() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which nohup has tests ignore
        words = [word.format(here=tmp_path) for word in line]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, first, make)
            CliRunner().invoke(wallflower, ["campaign", *words])

    assert not is_killed(work)
    assert [path.name for path in tmp_path.iterdir()] == ["film.toml"]


def example_killed_at(step: int, folder: Path) -> bool:
    """Make an example in a process that kills itself before so many of its steps, or, where that
    writes a file, with half of it written. Whether it was killed."""

    def work() -> None:
        steps = iter(range(1000))

        def deadly(of: object, name: str) -> None:
            real = getattr(of, name)

            def act(on: Any, *arguments: Any, **named: Any) -> Any:
                if next(steps) == step:
                    if name == "write_synced":
                        real(on, arguments[0][: len(arguments[0]) // 2])
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(on, *arguments, **named)

            setattr(of, name, act)

        deadly(authoring, "write_synced")
        for name in ("touch", "replace", "unlink", "rmdir"):
            deadly(Path, name)
        new_campaign(folder)

    return is_killed(work)


def test_wherever_the_making_of_an_example_is_killed_the_same_line_makes_it_whole(
    tmp_path: Path,
) -> None:
    """And where the second was killed too, while it erased what the first left, the third does."""
    new_campaign(tmp_path / "alone")
    whole = image(tmp_path / "alone")
    files = sum(path.is_file() for path in (tmp_path / "alone").rglob("*"))
    step = 0
    while example_killed_at(step, folder := tmp_path / str(step)):
        assert not (folder / "campaign.toml").exists()
        assert example_killed_at(step, folder)
        assert not (folder / "campaign.toml").exists()
        new_campaign(folder)
        assert image(folder) == whole
        shutil.rmtree(folder)
        step += 1
    assert step == files + 2
    assert image(folder) == whole


def test_where_anything_else_lies_nothing_of_a_killed_example_is_erased(tmp_path: Path) -> None:
    """A text that was changed since, a file or a link of somebody's, no half campaign.toml, another
    one, and one beside a whole one."""
    names = ("changed", "more", "deep", "linked", "unmarked", "draft", "whole")
    changed, more, deep, linked, unmarked, draft, whole = (tmp_path / name for name in names)
    for folder in (changed, more, deep, linked, unmarked, draft):
        assert example_killed_at(20, folder)
    with (changed / "en.md").open("a") as text:
        text.write("Ours.\n")
    (more / "notes.txt").write_text("ours")
    (deep / "film" / "ours.jpg").write_bytes(b"ours")
    (linked / "en.md").unlink()
    (linked / "en.md").symlink_to(example_folder() / "en.md")
    (unmarked / "campaign.toml.new").unlink()
    (draft / "campaign.toml.new").write_text("ours")
    new_campaign(whole)
    (whole / "campaign.toml.new").touch()
    before = image(tmp_path)
    for name in names:
        with pytest.raises(Fault, match="not empty"):
            new_campaign(tmp_path / name)
    assert image(tmp_path) == before


@pytest.mark.parametrize("role", sorted(MAKERS))
def test_a_role_that_is_stopped_half_leaves_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    writes = 0
    while True:
        folder = tmp_path / str(writes)
        with monkeypatch.context() as patched:
            error = OSError(errno.ENOSPC, "full")
            patched.setattr(Folder, "write", _failing(Folder.write, writes, error))
            try:
                make(role, folder)
                break
            except OSError:
                pass
        assert list(folder.iterdir()) == []
        assert make(role, folder).is_file()
        writes += 1
    assert writes >= 1


def killed_at(sync: int, role: str, folder: Path) -> bool:
    """Make a role in a process that kills itself, as `kill -9` would, before so many of its syncs:
    of each file one before it is renamed and one after. Whether it was killed."""

    def work() -> None:
        syncs = iter(range(1000))

        def fsync(fd: object) -> None:
            if next(syncs) == sync:
                os.kill(os.getpid(), signal.SIGKILL)

        os.fsync = fsync
        make(role, folder)

    return is_killed(work)


def is_made(role: str, folder: Path) -> bool:
    """Make a role; whether its folder was not refused."""
    try:
        make(role, folder)
    except Fault as fault:
        assert "is not empty" in fault.what
        return False
    return True


def keys_fit(folder: Path) -> bool:
    """Whether each public half is that of the key beside it."""
    return all(
        sign.verify_key(public.with_suffix(".key").read_bytes()).hex() == public.read_text().strip()
        for public in folder.glob("*.pub")
    )


@pytest.mark.parametrize("role", ["mix-b", "mirror"])
def test_wherever_the_making_of_a_role_is_killed_the_same_line_makes_it_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # a kill is no power cut
    whole = {path.name for path in make(role, tmp_path / "alone").parent.iterdir()}
    killed, sync, found = 0, 0, set[frozenset[str]]()
    while killed_at(sync, role, folder := tmp_path / str(sync)):
        left = frozenset(path.name for path in folder.iterdir())
        before = {path.read_bytes() for path in folder.glob("*.key*")}
        found.add(left)
        finished = f"{role}.toml" in left
        assert finished == (left == whole) == (f"{role}.toml.new" not in left)
        assert is_made(role, folder) != finished
        assert {path.name for path in folder.iterdir()} == whole
        if not finished:
            assert before.isdisjoint(path.read_bytes() for path in folder.glob("*.key"))
        assert keys_fit(folder)
        killed, sync = killed + 1, sync + 1
    assert killed == 2 * len(whole) + 1
    assert len(found) > len(whole)


def test_where_anything_else_lies_nothing_of_a_killed_command_is_erased(tmp_path: Path) -> None:
    """A draft beside a role's whole configuration; somebody's file, or a link, among half a role's;
    and keys without the half configuration."""
    whole = make("mix-a", tmp_path / "whole").parent
    (whole / "mix-a.toml.new").write_text("a draft")
    half, linked, plain = (tmp_path / name for name in ("half", "linked", "plain"))
    assert killed_at(8, "mix-a", half)
    (half / "notes.txt").write_text("mine")
    assert killed_at(8, "mix-a", linked)
    (linked / "other.key").symlink_to(whole / "record.key")
    plain.mkdir()
    (plain / "record.key").write_bytes(b"mine")
    before = image(tmp_path)
    for folder in (whole, half, linked, plain):
        with pytest.raises(Fault, match="not empty"):
            make("mix-a", folder)
    assert image(tmp_path) == before


@pytest.mark.parametrize("at", [0, 2])
def test_a_role_that_is_made_twice_at_once_is_made_once_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """The second comes when so much of the first is on the disk, and nothing of it is touched."""
    folder, real, writes = tmp_path / "mix", Folder.write, iter(range(100))
    refused: list[str] = []

    def write(self: Folder, name: str, data: bytes) -> None:
        if next(writes) == at:
            with pytest.raises(Fault, match="at this moment") as raised:
                make("mix-b", folder)
            refused.append(raised.value.what)
        real(self, name, data)

    monkeypatch.setattr(Folder, "write", write)
    config = make("mix-a", folder)
    assert len(refused) == 1
    whole = {p.name for p in make("mix-a", tmp_path / "alone").parent.iterdir()}
    assert {p.name for p in config.parent.iterdir()} == whole
    assert sign.verify_key((folder / "record.key").read_bytes()).hex() == (
        (folder / "record.pub").read_text().strip()
    )
    with pytest.raises(Fault, match="not empty"):
        make("mix-b", folder)


def test_an_example_that_is_made_twice_at_once_is_made_once_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[str] = []

    def write(file: BinaryIO, data: bytes) -> None:
        if not refused:
            with pytest.raises(Fault, match="at this moment") as raised:
                new_campaign(tmp_path / "office")
            refused.append(raised.value.what)
        write_synced(file, data)

    with monkeypatch.context() as patched:
        patched.setattr(authoring, "write_synced", write)
        new_campaign(tmp_path / "office")
    assert len(refused) == 1
    new_campaign(tmp_path / "alone")
    assert image(tmp_path / "office") == image(tmp_path / "alone")
