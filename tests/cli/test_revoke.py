"""`wallflower revoke` leaves a request where the running process of that folder finds it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from wallflower.cli import wallflower
from wallflower.cli.new import make
from wallflower.errors import Fault
from wallflower.host.disk import Folder


def run(config: Path, *options: str) -> str:
    result = CliRunner().invoke(wallflower, ["revoke", str(config), *options])
    if isinstance(result.exception, Fault):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def ran(role: str, folder: Path) -> Path:
    """The configuration of a role that has run here once."""
    config = make(role, folder)
    (folder / "data" / ("" if role == "organisation" else "records")).mkdir(parents=True)
    return config


@pytest.mark.parametrize(
    ("role", "options", "where", "what"),
    [
        ("organisation", (), "data/revoke", b"hops"),
        ("organisation", ("--drop", "--desk"), "data/revoke", b"drop desk"),
        ("mix-a", (), "data/records/revoke", b"hops"),
        ("mix-b", (), "data/records/revoke", b"hops"),
    ],
)
def test_a_request_lies_where_its_role_looks(
    tmp_path: Path, role: str, options: tuple[str, ...], where: str, what: bytes
) -> None:
    config = ran(role, tmp_path / role)
    said = run(config, *options)
    assert (tmp_path / role / where).read_bytes() == what
    assert ("unlocked" in said) is bool(options)


@pytest.mark.parametrize(
    ("role", "options"), [("mix-a", ("--drop",)), ("desk", ()), ("ingress", ())]
)
def test_a_role_that_cannot_revoke_that_says_who_can(
    tmp_path: Path, role: str, options: tuple[str, ...]
) -> None:
    config = make(role, tmp_path / role)
    before = sorted(p for p in (tmp_path / role).rglob("*"))
    with pytest.raises(Fault, match=r"organisation\.toml"):
        run(config, *options)
    assert sorted(p for p in (tmp_path / role).rglob("*")) == before


def test_what_was_asked_for_and_not_read_yet_is_kept_beside_what_is_asked_for_now(
    tmp_path: Path,
) -> None:
    config = ran("organisation", tmp_path / "organisation")
    for options in (("--drop",), ("--desk",), (), ("--drop",)):
        run(config, *options)
    assert (tmp_path / "organisation" / "data" / "revoke").read_bytes() == b"drop desk hops"


def test_a_request_that_the_process_may_not_read_gives_way_to_one_that_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So says the alarm that rings for it."""
    config = ran("mix-a", tmp_path / "mix-a")
    asked = tmp_path / "mix-a" / "data" / "records" / "revoke"
    asked.write_bytes(b"of somebody else")

    def refused(folder: Folder, name: str) -> bytes | None:
        raise PermissionError(13, "Permission denied", folder.path / name)

    monkeypatch.setattr(Folder, "read", refused)
    run(config)
    assert asked.read_bytes() == b"hops"


def test_a_folder_that_is_none_or_whose_role_never_ran_is_not_asked(tmp_path: Path) -> None:
    with pytest.raises(Fault, match=r"mix-a\.toml"):
        run(tmp_path / "typo" / "mix-a.toml")
    assert list(tmp_path.iterdir()) == []
    config = make("mix-a", tmp_path / "mix-a")
    with pytest.raises(Fault, match="never run here"):
        run(config)
    assert not (tmp_path / "mix-a" / "data").exists()


def test_roots_request_belongs_to_the_user_whose_process_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = ran("mix-a", tmp_path / "mix-a")
    became: list[tuple[str, int]] = []
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("os.seteuid", lambda uid: became.append(("user", uid)))
    monkeypatch.setattr("os.setegid", lambda gid: became.append(("group", gid)))
    real = Folder.write

    def write(folder: Folder, name: str, data: bytes) -> None:
        became.append((name, 0))
        real(folder, name, data)

    monkeypatch.setattr(Folder, "write", write)
    run(config)
    owner = (tmp_path / "mix-a" / "data" / "records").stat()
    assert became == [
        ("group", owner.st_gid), ("user", owner.st_uid), ("revoke", 0),
        ("user", 0), ("group", os.getgid()),
    ]  # fmt: skip
