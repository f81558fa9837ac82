"""What `wallflower doctor` looks at: everything that would otherwise fail at a source's visit.

Each check answers in one finding; none changes anything, and none looks at people.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from wallflower.board.edge import process as board
from wallflower.board.edge.process import read_fixed, read_site
from wallflower.campaign.addresses import parts_of
from wallflower.crypto import sign
from wallflower.desk.edge import process as desk
from wallflower.desk.edge.handed import NODES
from wallflower.desk.edge.store import HEADER_FILE
from wallflower.errors import Fault
from wallflower.host.disk import UnusableDatabase
from wallflower.host.memory import is_swapped
from wallflower.host.net import asked_host, is_onion
from wallflower.host.settings import Settings
from wallflower.host.status import disk_alarms
from wallflower.ingress.edge.process import cells_per_connection
from wallflower.mix.edge import process as mix
from wallflower.source.edge import process as loops
from wallflower.trust.pins import Pins, parse_pins

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_SECRETS = (
    "record_key", "drop_key", "board_key", "token", "status_token", "desk_token", "b_token",
)  # fmt: skip
_TABLES = ("source", "board", "b", "status")
_CONNECT_S = 3.0
# Whose public key in the pins a role's record_key must belong to.
_SIGNERS = {"organisation": "organisation", "mix-a": "a", "mix-b": "b"}
# What each role reads of its folder at its start, as it reads it.
_READ: dict[str, Callable[[Settings], object]] = {
    "organisation": lambda s: (board.read_settings(s), s.address()),
    "ingress": lambda s: (
        s.secret("token"),
        s.address(),
        s.table("inner").address(),
        cells_per_connection(s),
    ),
    **dict.fromkeys(
        ("mix-a", "mix-b"), lambda s: (mix.read_settings(s), s.get("keys", str), s.address())
    ),
    "desk": lambda s: (desk.read_settings(s), desk.read_status_token(s), s.port()),
    "mirror": lambda s: (s.url("board"), s.address()),
    "loops": loops.read_settings,
}


class Level(StrEnum):
    """How bad a finding is: only FAIL makes the doctor end red."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer: what was looked at, and what to do when it is not well."""

    level: Level
    what: str
    next_step: str = ""


def role_of(config: Path) -> str:
    """The role by the configuration's name, as `wallflower new` writes it."""
    return config.stem


def check_named(settings: Settings) -> None:
    """A Fault where the file's name says no role: next to nothing would be looked at."""
    if role_of(settings.path) not in _READ:
        raise Fault(
            f"{settings.path.name} is called as no role's configuration is, so nothing was looked "
            "at",
            "Call it as 'wallflower new' does, such as mix-a.toml.",
        )


def examine(settings: Settings) -> list[Finding]:
    """All checks that need no network."""
    role = role_of(settings.path)
    findings = [*_secrets(settings), *_space(settings.path.parent), _swap()]
    if role in ("organisation", "mix-a", "mix-b", "desk", "loops"):
        findings += list(_pins(settings, role))
    if role == "organisation":
        findings += list(_organisation(settings))
    if role == "mirror":
        findings.append(_site(settings))
    if role in _READ and not any(f.level is Level.FAIL for f in findings):
        findings.append(_start(settings, role))
    return findings


def _start(settings: Settings, role: str) -> Finding:
    """Whether the start finds all that it reads: lines, files and ports that no check names."""
    try:
        _READ[role](settings)
        settings.pace()
        if "status_page" in settings.fields:
            settings.table("status_page").port()
    except Fault as fault:
        return Finding(Level.FAIL, fault.what, fault.next_step)
    return Finding(Level.OK, "all that its start reads is there")


def _beside(settings: Settings, name: str) -> Path:
    return settings.path.parent / settings.get(name, str)


def _site(settings: Settings) -> Finding:
    try:
        read_site(_beside(settings, "site"))
    except Fault as fault:
        return Finding(Level.FAIL, fault.what, fault.next_step)
    return Finding(Level.OK, "the site is built")


def _secrets(settings: Settings) -> Iterator[Finding]:
    """Every key and token is there, and for its owner only. A desk that was set up has its tokens
    sealed in its store; in files they lie only on their way there."""
    begun = role_of(settings.path) == "desk" and (settings.path.parent / HEADER_FILE).exists()
    place = settings.path.parent  # of lines that name no file, the start says so
    lines = map(settings.fields.get, _SECRETS)
    named = [place / name for name in lines if isinstance(name, str)]
    handed_over: list[Path] = []
    for table in _TABLES:
        fields = settings.fields.get(table)
        name = fields.get("token") if isinstance(fields, dict) else None
        if isinstance(name, str):
            (handed_over if begun and table in NODES else named).append(place / name)
    yield from map(_secret, [*named, *filter(Path.exists, _loop_keys(settings))])
    yield from map(_handed_over, handed_over)


def _loop_keys(settings: Settings) -> list[Path]:
    """The watcher's key, or those of a sender; the start says where one is missing."""
    table = settings.fields.get("loops")
    names = [table.get("key")] if isinstance(table, dict) else []
    listed = settings.fields.get("keys")
    names += listed if isinstance(listed, list) else []
    return [settings.path.parent / name for name in names if isinstance(name, str)]


def _secret(path: Path) -> Finding:
    if not path.exists():
        return Finding(Level.FAIL, f"{path.name} is missing", "See the handbook, Exchange.")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        what = f"{path.name} can be read by others"
        return Finding(Level.FAIL, what, f"chmod 600 {path.name}")
    return Finding(Level.OK, f"{path.name} is there, for its owner only")


def _handed_over(path: Path) -> Finding:
    if path.exists():
        step = "Unlock the desk: it takes the token into its store and erases the file."
        return Finding(Level.WARN, f"{path.name} lies open", step)
    return Finding(Level.OK, f"{path.name} does not lie open: its place is the desk's store")


def _space(folder: Path) -> Iterator[Finding]:
    alarms = disk_alarms(folder)
    for alarm in alarms:
        level = Level.FAIL if alarm.name == "disk-full" else Level.WARN
        yield Finding(level, alarm.what, alarm.next_step)
    if not alarms:
        yield Finding(Level.OK, "there is room on the disk")


def databases(settings: Settings) -> Iterator[Finding]:
    """Whether the databases of a role that does not run here are whole. A reader would keep one
    that runs from emptying its write-ahead log, which holds the order in which rows came."""
    for path in sorted((settings.path.parent / "data").glob("*.db")):
        if _is_whole(path):
            yield Finding(Level.OK, f"{path.name} is whole")
        else:
            what = f"{path.name} is damaged, or this user may not read it"
            yield Finding(Level.FAIL, what, UnusableDatabase(path.name).next_step)


def _is_whole(path: Path) -> bool:
    """Reads all of a database and writes nothing: where no log waits, no file beside it either."""
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True)) as db:
            said: list[tuple[str]] = db.execute("PRAGMA quick_check(1)").fetchall()
    except sqlite3.DatabaseError:
        return False
    return said == [("ok",)]


def _swap() -> Finding:
    if is_swapped():
        what = "this machine has swap, where keys can stay when they were erased everywhere else"
        return Finding(Level.WARN, what, "Turn it off with swapoff, or encrypt it.")
    return Finding(Level.OK, "no memory goes to swap")


def _pins(settings: Settings, role: str) -> Iterator[Finding]:
    """The pins are readable, and this role's own key and a desk's name are the pinned ones."""
    try:
        pins = parse_pins(settings.file("pins"))
    except Fault as fault:
        yield Finding(Level.FAIL, fault.what, fault.next_step)
        return
    yield Finding(Level.OK, "pins.json is readable")
    signer = _SIGNERS.get(role)
    if signer is not None:
        yield _own_key(settings, pins, signer)
    # Letters are sealed to the desk of that name. A desk server says of its own at the start.
    if role == "desk" and settings.fields.get("name") != pins.desk:
        yield Finding(
            Level.FAIL, "the pins name another desk, and nobody could write to this one",
            f"Write name = … into {settings.path.name} as pins.json has it.",
        )  # fmt: skip


def _own_key(settings: Settings, pins: Pins, signer: str) -> Finding:
    try:
        own = sign.verify_key(settings.seed("record_key"))
    except Fault as fault:
        return Finding(Level.FAIL, fault.what, fault.next_step)
    if own != getattr(pins, signer):
        return Finding(
            Level.FAIL, "the pins name another record key than this folder's",
            "Give record.pub to the organisation again, and take its new pins.json.",
        )  # fmt: skip
    return Finding(Level.OK, "the pins name this folder's record key")


def _organisation(settings: Settings) -> Iterator[Finding]:
    """Parameters, desk and ways are such as a record may hold, and ways are safe to publish."""
    try:
        fixed = read_fixed(settings, b"", b"")
    except Fault as fault:
        yield Finding(Level.FAIL, fault.what, fault.next_step)
        return
    yield Finding(Level.OK, "a record may hold the parameters, the desk's name and the ways")
    if fixed.parameters.pace.days != 1:
        yield Finding(Level.WARN, "time runs at a demo's pace", "Remove [pace] for real use.")
    for way in fixed.ways:
        parts = parts_of(way.url)
        host = parts.hostname or ""
        if host in _LOOPBACK:
            what = "a way leads to this machine alone, and to nobody's page elsewhere"
            yield Finding(Level.WARN, what, "Write its public address into [ways] for real use.")
        elif parts.scheme != "https" and not host.endswith(".onion"):
            yield Finding(Level.FAIL, "a way is plain http", "Publish https or an onion service.")


def upstreams(settings: Settings) -> list[str]:
    """The address of every node that this role asks; an empty one where it is no text."""
    nodes = [settings.fields[name] for name in ("source", "board", "b") if name in settings.fields]
    urls = [node.get("url") if isinstance(node, dict) else node for node in nodes]
    return [url if isinstance(url, str) else "" for url in urls]


async def reach(settings: Settings) -> list[Finding]:
    """Whether the nodes that this role asks can be reached now."""
    findings = []
    for url in upstreams(settings):
        host, parts = asked_host(url), parts_of(url)
        if not host:
            step = "Write it as http://HOST:PORT, or https://HOST."
            findings.append(Finding(Level.FAIL, "the address of a node is no address", step))
            continue
        if is_onion(url):  # a resolver would be told
            what = "the address of a node is an onion's, and no role goes through Tor"
            step = "Write the address at which a tunnel to it listens here."
            findings.append(Finding(Level.FAIL, what, step))
            continue
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), _CONNECT_S)
        except (OSError, TimeoutError):
            step = "Start it, or correct its address."
            findings.append(Finding(Level.WARN, f"the node at port {port} does not answer", step))
            continue
        writer.close()
        findings.append(Finding(Level.OK, f"the node at port {port} answers"))
    return findings


def parse_status(data: bytes) -> dict[str, Any]:
    """What a role answers to /status; a Fault where no role of ours answers so."""
    other = Fault(
        "Another program answers at a port of this role",
        "End that program, or give the role another port.",
    )
    try:
        status: dict[str, Any] = json.loads(data)
        alarms = [(a["name"], a["what"], a["next_step"]) for a in status["alarms"]]
        texts = [status["role"], *(text for alarm in alarms for text in alarm)]
        facts = status["facts"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise other from None
    if not all(isinstance(text, str) for text in texts) or not isinstance(facts, dict):
        raise other
    return status


def judge_status(status: dict[str, Any]) -> list[Finding]:
    """What a running role tells of itself: its alarms, by the names that the handbook has. Pure."""
    findings = [
        Finding(Level.WARN, f"{alarm['name']}: {alarm['what']}", alarm["next_step"])
        for alarm in status["alarms"]
    ]
    return findings or [Finding(Level.OK, "it runs, and tells of nothing unusual")]
