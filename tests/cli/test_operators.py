"""What operators type: folders with keys of their own, pins, and help for everything."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import wallflower.cli
from wallflower.campaign.eightwords import RootKeys, ids_of, organisation_root
from wallflower.cli import wallflower as root
from wallflower.cli.new import MAKERS, make
from wallflower.crypto import sign
from wallflower.errors import Fault
from wallflower.trust.pins import parse_pins


def run(*arguments: str | Path) -> click.testing.Result:
    return CliRunner().invoke(root, [str(a) for a in arguments])


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("role", sorted(MAKERS))
def test_a_new_folder_is_its_owners_alone_and_its_configuration_can_be_read(
    tmp_path: Path, role: str
) -> None:
    folder = tmp_path / role
    result = run("new", role, folder)
    assert result.exit_code == 0, result.output
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()}
    assert modes == dict.fromkeys(modes, 0o600)
    config = tomllib.loads((folder / f"{role}.toml").read_text())
    for name in modes:
        if name.endswith((".key", ".token")):
            assert name in json.dumps(config), f"{name} is made but used by nothing"
    said = result.output.encode()
    secrets = [d.strip() for n, d in files(folder).items() if n.endswith((".key", ".token"))]
    assert not [s for s in secrets if s in said or s in (folder / f"{role}.toml").read_bytes()]


def test_two_folders_share_no_secret(tmp_path: Path) -> None:
    seen: list[bytes] = []
    for n in range(3):
        folder = tmp_path / str(n)
        assert run("new", "organisation", folder).exit_code == 0
        seen += [d for name, d in files(folder).items() if name.endswith((".key", ".token"))]
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("role", sorted(MAKERS))
def test_a_folder_that_is_there_already_is_refused_unchanged(tmp_path: Path, role: str) -> None:
    folder = tmp_path / role
    assert run("new", role, folder).exit_code == 0
    before = files(folder)
    result = run("new", role, folder)
    assert result.exit_code == 1
    assert isinstance(result.exception, Fault)
    assert "nothing was changed" in result.exception.next_step
    assert files(folder) == before


def test_the_folder_of_another_role_is_refused_unchanged(tmp_path: Path) -> None:
    """One wrong argument must not overwrite a record-signing key that others have pinned."""
    make("mix-a", tmp_path / "mix")
    before = files(tmp_path / "mix")
    with pytest.raises(Fault):
        make("mix-b", tmp_path / "mix")
    assert files(tmp_path / "mix") == before


def test_an_unknown_role_makes_nothing(tmp_path: Path) -> None:
    assert run("new", "mix-c", tmp_path / "x").exit_code == 2
    assert list(tmp_path.iterdir()) == []


def town(path: Path) -> list[str | Path]:
    for role in ("organisation", "mix-a", "mix-b"):
        assert run("new", role, path / role).exit_code == 0
    return [
        "keys", "ceremony", "--test", path, "--record", "a", path / "mix-a" / "record.pub",
        "--record", "b", path / "mix-b" / "record.pub",
    ]  # fmt: skip


def test_pins_are_the_public_keys_of_the_three_signers(tmp_path: Path) -> None:
    arguments = town(tmp_path)
    assert run(*arguments, "--desk", "Büro").exit_code == 0
    pins = parse_pins((tmp_path / "keys" / "pins.json").read_bytes())
    keys = {
        name: sign.verify_key((tmp_path / folder / "record.key").read_bytes())
        for name, folder in (("organisation", "organisation"), ("a", "mix-a"), ("b", "mix-b"))
    }
    assert (pins.organisation, pins.a, pins.b) == (keys["organisation"], keys["a"], keys["b"])
    media = [(tmp_path / f"medium-{n}" / "root.key").read_bytes() for n in (1, 2, 3)]
    ids = ids_of(sign.verify_key(seed) for seed in media)
    assert pins.root == organisation_root(RootKeys(ids, 2))
    assert pins.desk == "Büro"
    written = (tmp_path / "keys" / "pins.json").read_bytes()
    for secret in tmp_path.rglob("*.key"):
        assert secret.read_bytes().hex().encode() not in written


def test_pins_of_something_that_is_no_key_are_refused_and_not_written(tmp_path: Path) -> None:
    arguments = town(tmp_path)
    (tmp_path / "mix-b" / "record.pub").write_text("no key\n")
    result = run(*arguments)
    assert isinstance(result.exception, Fault)
    assert not (tmp_path / "keys").exists()


def commands(group: click.Group, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [before]
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found += commands(command, (*before, name))
        else:
            found.append((*before, name))
    return found


@pytest.mark.parametrize("command", commands(root), ids=" ".join)
def test_every_command_has_help(command: tuple[str, ...]) -> None:
    for flag in ("--help", "-h"):
        result = run(*command, flag)
        assert result.exit_code == 0
        assert result.output.startswith("Usage: ")
        described = [line for line in result.output.splitlines() if line.startswith("  ")]
        assert described, "it says what it does"


def test_a_command_loads_nothing_of_other_commands() -> None:
    code = (
        "import sys; from wallflower.cli import main\n"
        "sys.argv = ['wallflower', 'ingress', '--help']\n"
        "try: main()\n"
        "except SystemExit: print(*(m for m in sys.modules if m.startswith('wallflower.cli')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "wallflower.cli.processes" in loaded
    other = {f"wallflower.cli.{name}" for name in ("acts", "campaign", "demo", "keys", "verify")}
    assert not loaded & other


@pytest.mark.parametrize("command", ["ingress", "mix", "desk-server", "mirror", "desk"])
def test_a_process_without_its_configuration_does_not_start(command: str, tmp_path: Path) -> None:
    """Nor in a folder whose making was killed; and it says what makes one."""
    result = run(command, tmp_path / "nothing.toml")
    assert isinstance(result.exception, Fault)
    assert str(result.exception).endswith(
        "nothing.toml cannot be read. Make it with 'wallflower new'."
    )


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_process_whose_streams_were_closed_at_its_start_ends_like_any_other(
    closed: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -m wallflower ingress "$1" {closed}', sys.executable,
         str(tmp_path / "nothing.toml")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert ("nothing.toml cannot be read" in done.stderr) == ("2>" not in closed)


def test_a_fault_is_two_sentences_and_no_traceback(tmp_path: Path) -> None:
    make("ingress", tmp_path / "x")
    done = subprocess.run(
        [sys.executable, "-m", "wallflower", "new", "ingress", str(tmp_path / "x")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("x is not empty. ")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            PermissionError(13, "Permission denied", "/home/somebody/a.toml"),
            1,
            "said of a.toml: Permi",
        ),
        (OSError(28, "No space left on device", "/home/somebody/out"), 75, "is full"),
        (OSError(98, "in use: ('somebody', 80)"), 1, "something: Address already in use"),
    ],
)
def test_what_the_system_refuses_is_two_sentences_and_names_no_path(
    error: OSError, code: int, said: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def refuse() -> None:
        raise error

    monkeypatch.setattr("wallflower.cli.wallflower", refuse)
    with pytest.raises(SystemExit) as ended:
        wallflower.cli.main()
    assert ended.value.code == code
    err = capsys.readouterr().err
    assert said in err
    assert "somebody" not in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "line",
    [
        ("demo", "--day", "0"), ("demo", "--day", "nan"), ("demo", "--day", "0.000001"),
        ("demo", "--patience", "nan"), ("demo", "--patience", "inf"), ("demo", "--viewers", "-1"),
        ("campaign", "preview", ".", "--port", "70000"),
        ("visit", "--mirror", "http://[::1"), ("visit", "--mirror", "film.example"),
        ("crowd", "--pause", "0"), ("crowd", "--pause", "nan"), ("census", "--mirror", "ftp://film.example"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused_before_anything_begins(
    line: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "pins.json").write_bytes(b"{}")
    more = ("--pins", tmp_path / "pins.json") if line[0] in ("visit", "crowd", "census") else ()
    store = ("--store", tmp_path / "store") if line[0] == "visit" else ()
    result = run(*line, *more, *store)
    assert result.exit_code == 2
    assert "Invalid value" in result.output
    assert not (tmp_path / "store").exists()


def test_a_fault_in_a_configuration_names_the_file_and_the_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make("ingress", tmp_path / "x", lambda c: c.pop("port"))
    monkeypatch.setattr(sys, "argv", ["wallflower", "ingress", str(config)])
    with pytest.raises(SystemExit) as ended:
        wallflower.cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("ingress.toml has no usable 'port'")
