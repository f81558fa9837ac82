"""`wallflower revoke` leaves a request where the running process of that folder finds it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from wallflower.cli import wallflower
from wallflower.cli.new import make
from wallflower.errors import Fault


def run(config: Path, *options: str) -> str:
    result = CliRunner().invoke(wallflower, ["revoke", str(config), *options])
    if isinstance(result.exception, Fault):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


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
    config = make(role, tmp_path / role)
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
