"""The doctor finds, before the start, what would otherwise fail at a source's visit."""

from __future__ import annotations

import json
import shutil
import socket
import tomllib
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner
from tests.host.sockets import serving

from wallflower.board.edge import process as board
from wallflower.cli import wallflower
from wallflower.cli.ceremony import rehearse
from wallflower.cli.checks import Level, examine, judge_status, reach
from wallflower.cli.doctor import _all, status_of
from wallflower.cli.new import Config, make
from wallflower.desk.edge import process as desk
from wallflower.errors import Fault
from wallflower.host.disk import PAGE_SIZE, Folder
from wallflower.host.http import HttpNet
from wallflower.host.serve import Listener
from wallflower.host.settings import load_settings
from wallflower.host.status import Status, status_app
from wallflower.ingress.edge import process as ingress
from wallflower.mix.edge import process as mix
from wallflower.source.edge import process as sender

Break = Callable[[Path], object]


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Organisation, A and B with exchanged pins and tokens."""
    for role in ("organisation", "mix-a", "mix-b"):
        make(role, tmp_path / role)
    roles = {"organisation": "organisation", "a": "mix-a", "b": "mix-b"}
    record = {signer: tmp_path / role / "record.pub" for signer, role in roles.items()}
    pins = rehearse(tmp_path / "ceremony", record, "Office")
    for role in ("organisation", "mix-a", "mix-b"):
        (tmp_path / role / "pins.json").write_bytes(pins.encode())
    for source, target in (
        ("mix-a/next.token", "mix-b/source.token"), ("organisation/b.token", "mix-b/board.token"),
        ("mix-b/next.token", "mix-a/source.token"),
    ):  # fmt: skip
        shutil.copy(tmp_path / source, tmp_path / target)
    return tmp_path


def failures(folder: Path, role: str) -> list[str]:
    """What is red for a role."""
    settings = load_settings(folder / role / f"{role}.toml")
    return [f.what for f in examine(settings) if f.level is Level.FAIL]


@pytest.mark.parametrize("role", ["organisation", "mix-a", "mix-b"])
def test_a_folder_that_is_whole_has_nothing_red(folders: Path, role: str) -> None:
    assert failures(folders, role) == []


EXCHANGED = {
    "mix-a/source.token": "ingress/a.token", "desk/b.token": "mix-b/next.token",
    "desk/board.token": "organisation/desk.token", "desk/pins.json": "mix-a/pins.json",
    "loops/pins.json": "mix-a/pins.json", "loops/loop.key": "mix-a/loop.key",
}  # fmt: skip
MAINS = {
    "organisation": (board, board.main), "ingress": (ingress, ingress.main),
    "mix-a": (mix, mix.main), "mix-b": (mix, mix.main), "desk": (desk, desk.main),
    "mirror": (board, board.mirror_main), "loops": (sender, sender.main),
}  # fmt: skip


@pytest.fixture
def town(folders: Path) -> Path:
    """The folders of all seven roles, as whole as the handbook makes them."""
    for role in ("ingress", "desk", "mirror", "loops"):
        make(role, folders / role)
    for target, file in EXCHANGED.items():
        shutil.copy(folders / file, folders / target)
    (folders / "mirror" / "site").mkdir()
    (folders / "mirror" / "site" / "index.html").touch()
    return folders


class Started(Exception):
    """The role had all that it reads, and was about to serve."""


async def not_served(_: list[Listener], *work: Coroutine[Any, Any, None]) -> None:
    for one in work:
        one.close()
    raise Started


async def starts(folder: Path, role: str) -> None:
    """Read by the role itself, up to its sockets: it misses nothing."""
    module, main = MAINS[role]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "serve", not_served)
        with pytest.raises(Started):
            await main(folder / role / f"{role}.toml")


def lines_of(fields: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Each line of a configuration, as the table that holds it and its name."""
    for name, value in fields.items():
        yield fields, name
        if isinstance(value, dict):
            yield from lines_of(value)


async def judge(town: Path, role: str) -> None:
    """What the doctor calls fit has to start."""
    if not failures(town, role):
        await starts(town, role)


async def test_the_doctor_is_green_only_where_the_role_starts_whatever_line_is_missing(
    town: Path,
) -> None:
    for role in MAINS:
        assert failures(town, role) == []
        await starts(town, role)
        path = town / role / f"{role}.toml"
        fields = tomllib.loads(path.read_text())
        for table, name in list(lines_of(fields)):
            value = table.pop(name)
            path.write_text(tomli_w.dumps(fields))
            await judge(town, role)
            table[name] = value
        path.write_text(tomli_w.dumps(fields))


@pytest.mark.parametrize("role", list(MAINS))
async def test_a_line_that_is_missing_or_of_another_kind_is_a_finding_and_hides_no_other(
    town: Path, role: str
) -> None:
    path = town / role / f"{role}.toml"
    fields = tomllib.loads(path.read_text())
    for table, name in list(lines_of(fields)):
        value = table.pop(name)
        for change in ({}, {name: 5}, {name: "5"}):
            table.update(change)
            path.write_text(tomli_w.dumps(fields))
            assert "there is room on the disk" in await all_findings(path), name
        table[name] = value


async def all_findings(config: Path) -> list[str]:
    """What the doctor says of a folder, at which nothing listens."""
    return [found.what for found in (await _all(load_settings(config)))[0]]


def handed_files(town: Path) -> list[Path]:
    """Each key, token and pins file of each role."""
    found = [p for role in MAINS for p in sorted((town / role).iterdir())]
    return [p for p in found if p.suffix in (".key", ".token", ".json")]


async def test_and_whatever_key_or_token_or_pins_are_missing_empty_or_too_short(town: Path) -> None:
    for path in handed_files(town):
        before = path.read_bytes()
        path.unlink()
        await judge(town, path.parent.name)
        for content in (b"", b"short"):
            path.touch(0o600)
            path.write_bytes(content)
            await judge(town, path.parent.name)
        path.write_bytes(before)


@pytest.mark.parametrize(("role", "act", "said"), [
    ("mix-a", lambda f: (f / "mix-a/loop.key").unlink(), "loop.key cannot be read"),
    ("mix-a", lambda f: (f / "mix-a/source.token").write_bytes(b""), "source.token holds no token"),
    ("mix-b", lambda f: (f / "mix-b/drop.key").write_bytes(b"short"), "drop.key is no key"),
    ("organisation", lambda f: (f / "organisation/board.key").write_bytes(b"short"),
     "board.key is no key"),
    ("loops", lambda f: (f / "loops/pins.json").unlink(), "pins.json cannot be read"),
    ("ingress", lambda f: _edit("ingress/ingress.toml", "port = 7610", "port = 73146")(f),
     "ingress.toml has a port that cannot be"),
    ("ingress", lambda f: _edit("ingress/ingress.toml", "port = 7600",
                                "port = 7600\ncells_per_connection = 0")(f),
     "ingress.toml has a number of cells per connection that cannot be"),
])  # fmt: skip
async def test_what_stops_a_role_is_red_and_at_its_start_a_fault(
    town: Path, role: str, act: Break, said: str
) -> None:
    act(town)
    assert failures(town, role) == [said]
    with pytest.raises(Fault, match=said):
        await MAINS[role][1](town / role / f"{role}.toml")


def _edit(name: str, old: str, new: str) -> Break:
    def act(folder: Path) -> None:
        path = folder / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    return act


@pytest.mark.parametrize(("role", "act", "said"), [
    ("mix-a", lambda f: (f / "mix-a/source.token").unlink(), "source.token is missing"),
    ("mix-a", lambda f: (f / "mix-a/record.key").chmod(0o644), "can be read by others"),
    ("mix-a", lambda f: (f / "mix-a/record.key").write_bytes(bytes(32)), "another record key"),
    ("mix-b", lambda f: (f / "mix-b/record.key").write_bytes(b"short"), "is no key"),
    ("mix-b", lambda f: (f / "mix-b/pins.json").write_text("{}"), "pins file is damaged"),
    ("organisation", _edit("organisation/organisation.toml", "tick = 600", "tick = 0"), "bounds"),
    ("organisation", _edit("organisation/organisation.toml", '"Office"', '"Bureau"'),
     "another desk"),
    ("organisation", _edit("organisation/organisation.toml", "http://127.0.0.1:7600/",
                           "http://ingress.example/"), "plain http"),
])  # fmt: skip
def test_what_would_fail_later_is_red_now(folders: Path, role: str, act: Break, said: str) -> None:
    act(folders)
    found = failures(folders, role)
    assert len(found) == 1
    assert said in found[0]


WAY, CELLS = '"http://127.0.0.1:7604/"', "cells_per_connection = 12"


@pytest.mark.parametrize(("old", "new"), [
    (WAY, '"board.example/"'), (WAY, '"https://board.example/ü"'), (WAY, "5"),
    (WAY, f'"https://{"x" * 300}/"'), (CELLS, "cells_per_connection = 0"),
    (CELLS, "cells_per_connection = 256"), ('"http://127.0.0.1:7600/",', ""),
    ("floor = 50", "floor = 70000"), ("mean_a = 21600", "mean_a = 1"),
])  # fmt: skip
async def test_what_no_record_may_hold_is_red_and_drafts_none(
    town: Path, old: str, new: str
) -> None:
    """A draft is for ever: no start after it could read it, however the line was mended."""
    _edit("organisation/organisation.toml", old, new)(town)
    assert len(failures(town, "organisation")) == 1
    with pytest.raises(Fault):
        await starts(town, "organisation")


@pytest.mark.parametrize("role", ["organisation", "mix-a", "mix-b", "loops"])
def test_a_loop_key_that_others_can_read_is_red(town: Path, role: str) -> None:
    """Who has it knows which hums are loops, and can send others."""
    (town / role / "loop.key").chmod(0o644)
    assert failures(town, role) == ["loop.key can be read by others"]


def test_a_way_that_leads_to_this_machine_alone_is_a_warning(folders: Path) -> None:
    """As `new` writes them: a record that names them shows nobody where to hum."""
    path = folders / "organisation" / "organisation.toml"
    for public, count in ((False, 2), (True, 0)):
        if public:
            text = path.read_text("utf-8").replace("http://127.0.0.1:76", "https://hum.example:76")
            path.write_text(text, "utf-8")
        found = [f for f in examine(load_settings(path)) if "leads to this machine" in f.what]
        assert [f.level for f in found] == [Level.WARN] * count


def test_a_desk_of_another_name_than_the_pins_say_is_red(town: Path) -> None:
    """Nobody's page would find it in the record: no hum is sent, and no letter sealed."""
    _edit("desk/desk.toml", '"Office"', '"Bureau"')(town)
    (found,) = failures(town, "desk")
    assert "the pins name another desk" in found


def test_a_desk_s_tokens_lie_open_on_their_way_into_its_store_alone(tmp_path: Path) -> None:
    config = make("desk", tmp_path / "desk")

    def found(file: str) -> tuple[Level, str]:
        [one] = [f for f in examine(load_settings(config)) if f.what.startswith(file)]
        return one.level, one.what

    for name in ("b.token", "board.token"):
        assert found(name) == (Level.FAIL, f"{name} is missing")
        (tmp_path / "desk" / name).touch(mode=0o600)
        assert found(name) == (Level.OK, f"{name} is there, for its owner only")
        (tmp_path / "desk" / "store.json").write_text("{}")
        assert found(name) == (Level.WARN, f"{name} lies open")
        (tmp_path / "desk" / name).unlink()
        assert found(name)[0] is Level.OK
        assert "its place is the desk's store" in found(name)[1]
        (tmp_path / "desk" / "status.token").unlink()
        assert found("status.token") == (Level.FAIL, "status.token is missing")
        (tmp_path / "desk" / "status.token").touch(mode=0o600)
        (tmp_path / "desk" / "store.json").unlink()


def test_the_command_ends_red_and_names_no_key(folders: Path) -> None:
    key = (folders / "mix-a" / "record.key").read_bytes().hex()
    (folders / "mix-a" / "source.token").unlink()
    done = CliRunner().invoke(
        wallflower, ["doctor", str(folders / "mix-a" / "mix-a.toml"), "--json"]
    )
    assert done.exit_code == 1
    assert {f["level"] for f in json.loads(done.stdout)["findings"]} >= {"FAIL"}
    assert key not in done.output


def test_what_a_running_role_tells_is_judged() -> None:
    alarm = {"name": "x", "what": "the tick is late", "next_step": "Look."}
    findings = judge_status({"alarms": [alarm]})
    assert [(f.level, f.what) for f in findings] == [(Level.WARN, "x: the tick is late")]
    assert [f.level for f in judge_status({"alarms": []})] == [Level.OK]


@pytest.mark.parametrize("role", ["mix-a", "ingress", "desk", "mirror", "organisation"])
async def test_every_role_is_asked_where_it_answers(
    folders: Path, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    async def get(_: HttpNet, url: str, token: str = "", limit: int = 0) -> bytes:
        del limit
        asked.append((url, token))
        return Status(role, []).encode()

    monkeypatch.setattr(HttpNet, "get", get)
    path = folders / role / f"{role}.toml"
    settings = load_settings(path if path.exists() else make(role, folders / role))
    assert await status_of(settings) == {"role": role, "alarms": [], "facts": {}}
    ((url, token),) = asked
    assert url.startswith("http://127.0.0.1:")
    assert url.endswith("/status")
    assert bool(token) == (role == "desk"), "a page on loopback needs none, and is shown none"


@pytest.mark.parametrize(
    ("host", "url"),
    [("10.8.0.2", "http://10.8.0.2:7602/status"), ("fd00::2", "http://[fd00::2]:7602/status"),
     ("", "http://127.0.0.1:7602/status")],
)  # fmt: skip
async def test_a_role_without_a_page_is_asked_at_the_address_of_its_listener(
    tmp_path: Path, host: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    async def get(_: HttpNet, url: str, token: str = "", limit: int = 0) -> bytes:
        del limit
        asked.append((url, token))
        return Status("mix a", []).encode()

    def change(config: Config) -> None:
        config["host"] = host
        del config["status_page"]

    monkeypatch.setattr(HttpNet, "get", get)
    config = make("mix-a", tmp_path / "mix-a", change)
    await status_of(load_settings(config))
    assert asked == [(url, (tmp_path / "mix-a" / "status.token").read_text().strip())]


async def test_a_role_that_listens_at_its_tunnel_alone_is_found_by_its_page(tmp_path: Path) -> None:
    async def report() -> Status:
        return Status("mix a", [])

    async with serving(status_app(report)) as port:

        def change(config: Config) -> None:
            config["host"], config["status_page"]["port"] = "10.8.0.2", port

        found = await status_of(load_settings(make("mix-a", tmp_path / "mix-a", change)))
    assert found == {"role": "mix a", "alarms": [], "facts": {}}


@pytest.mark.parametrize("said", [
    b'{"status":"ok"}', b"[]", b"1", b"<html>", b"\xff", b"[" * 60_000,
    b'{"role":"x","alarms":[{}],"facts":{}}', b'{"role":"x","alarms":[],"facts":[]}',
    b'{"role":"x","alarms":[{"name":"x","what":1,"next_step":"y"}],"facts":{}}',
    b'{"role":1,"alarms":[],"facts":{}}',
], ids=range(10))  # fmt: skip
def test_another_program_at_a_role_s_port_is_a_fault_and_red(
    tmp_path: Path, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def get(_: HttpNet, url: str, token: str = "", limit: int = 0) -> bytes:
        del url, token, limit
        return said

    monkeypatch.setattr(HttpNet, "get", get)
    config = str(make("ingress", tmp_path / "ingress"))
    done = CliRunner().invoke(wallflower, ["status", config])
    assert isinstance(done.exception, Fault)
    assert "Another program answers" in str(done.exception)
    done = CliRunner().invoke(wallflower, ["doctor", config])
    assert done.exit_code == 1
    assert "FAIL  Another program answers at a port of this role. End that" in done.output


@pytest.mark.parametrize("url", [
    "http://a..b:1", "http://" + "x" * 64, "http://[::1", f"http://{'a' * 56}.onion:1",
    f"http://{'a' * 56}.onion,/", f"http://{'a' * 56}。onion",
])  # fmt: skip
async def test_a_node_that_no_role_can_ask_is_red_and_no_resolver_hears_of_it(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(config: Config) -> None:
        config["board"] = url

    settings = load_settings(make("mirror", tmp_path / "mirror", change))
    asked: list[object] = []

    def resolve(host: object, *_: object, **__: object) -> None:
        asked.append(host)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert [finding.level for finding in await reach(settings)] == [Level.FAIL]
    assert not asked


async def test_a_damaged_database_is_red_and_that_of_a_role_that_runs_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, whole = make("ingress", tmp_path / "ingress"), (Level.OK, "cells.db is whole")
    data = Folder(tmp_path / "ingress" / "data")
    with closing(data.database("cells.db")) as db:
        db.execute("CREATE TABLE cells (cell)")
        db.execute("INSERT INTO cells VALUES (?)", (bytes(4 * PAGE_SIZE),))
        assert await findings_of(config, "cells.db") == [whole], "with a log"
    assert await findings_of(config, "cells.db") == [whole]
    assert data.names() == ["cells.db"], "nothing is left beside it"
    with (data.path / "cells.db").open("r+b") as file:
        file.seek(PAGE_SIZE)
        file.write(b"x" * PAGE_SIZE)
    said = (Level.FAIL, "cells.db is damaged, or this user may not read it")
    assert await findings_of(config, "cells.db") == [said]

    async def get(*_: object) -> bytes:
        return Status("ingress", []).encode()

    monkeypatch.setattr(HttpNet, "get", get)
    assert await findings_of(config, "cells.db") == []


async def findings_of(config: Path, name: str) -> list[tuple[Level, str]]:
    """What the doctor says of one file of a role."""
    found, _ = await _all(load_settings(config))
    return [(one.level, one.what) for one in found if name in one.what]


def test_the_status_of_a_role_that_does_not_run_is_a_fault(folders: Path) -> None:
    done = CliRunner().invoke(wallflower, ["status", str(folders / "mix-a" / "mix-a.toml")])
    assert done.exit_code == 1
    assert "does not answer" in str(done.exception)


@pytest.mark.parametrize("role", ["loops", "desk", "mirror"])
def test_a_role_that_tells_no_status_is_neither_called_silent_nor_red(
    town: Path, role: str
) -> None:
    """A desk may have no [status], a mirror no [status_page], and loops have none at all."""
    path = town / role / f"{role}.toml"
    fields = tomllib.loads(path.read_text())
    path.write_text(tomli_w.dumps({n: v for n, v in fields.items() if not n.startswith("status")}))
    done = CliRunner().invoke(wallflower, ["status", str(path)])
    assert "By its configuration" in str(done.exception)
    done = CliRunner().invoke(wallflower, ["doctor", str(path)])
    assert done.exit_code == 0, done.output
    assert "tells nobody whether it runs" in done.output
    assert "not running" not in done.output


def test_a_configuration_of_another_name_is_not_called_fit(town: Path) -> None:
    path = town / "mix-a" / "a.toml"
    (town / "mix-a" / "mix-a.toml").rename(path)
    (town / "mix-a" / "record.key").write_bytes(b"short")
    done = CliRunner().invoke(wallflower, ["doctor", str(path)])
    assert isinstance(done.exception, Fault)
    assert "nothing was looked at" in done.exception.what


def test_swap_is_a_warning_and_nothing_red(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for swapped, level in ((True, Level.WARN), (False, Level.OK)):
        monkeypatch.setattr("wallflower.cli.checks.is_swapped", lambda s=swapped: s)
        found = examine(load_settings(folders / "mix-a" / "mix-a.toml"))
        assert [f.level for f in found if "swap" in f.what] == [level]
        assert failures(folders, "mix-a") == []
