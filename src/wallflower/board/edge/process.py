"""The desk server's process, and a mirror's."""

from __future__ import annotations

from pathlib import Path

from wallflower.board.compose import Fixed
from wallflower.board.edge.mirror import Mirror
from wallflower.board.edge.server import DeskServer, Tokens
from wallflower.crypto import sign
from wallflower.errors import Fault
from wallflower.host import Host
from wallflower.host.clock import PacedClock
from wallflower.host.disk import Folder
from wallflower.host.entropy import OsEntropy
from wallflower.host.loops import LoopSettings, read_loops
from wallflower.host.net import Net, Silent
from wallflower.host.serve import Listener, serve, status_listeners
from wallflower.host.settings import Settings, load_settings
from wallflower.trust.pins import Pins, parse_pins
from wallflower.wire.record import (
    Parameters,
    Way,
    WayKind,
    check_desk,
    check_parameters,
    check_ways,
)


def read_fixed(settings: Settings, root: bytes, board_verify: bytes) -> Fixed:
    """The part of every record that the organisation's configuration decides, or a Fault: a draft
    is for ever, and one that nobody can read would take its day from the people."""
    p = settings.table("parameters")
    parameters = Parameters(
        mean_a=p.get("mean_a", int), mean_b=p.get("mean_b", int), tick=p.get("tick", int),
        slots=p.get("slots", int), floor=p.get("floor", int), replies=p.get("replies", int),
        receipts=p.get("receipts", int), period=p.get("period", int),
        segments=p.get("segments", int), pace=settings.pace(),
    )  # fmt: skip
    ways = settings.table("ways")
    cells = ways.get("cells_per_connection", int)
    listed = [(WayKind.INGRESS, "ingress"), (WayKind.BOARD, "board")]
    fixed = Fixed(
        root, settings.get("desk", str), board_verify, parameters,
        tuple(Way(kind, cells, url) for kind, n in listed for url in ways.get(n, list)),
    )  # fmt: skip
    check_parameters(fixed.parameters)
    check_desk(fixed.desk_name)
    check_ways(fixed.ways)
    return fixed


def read_settings(
    settings: Settings,
) -> tuple[Pins, Fixed, Tokens, bytes, bytes, LoopSettings | None]:
    """What a desk server is made of beside its host, or a Fault that names what is missing."""
    pins = parse_pins(settings.file("pins"))
    board_seed = settings.seed("board_key")
    if settings.get("desk", str) != pins.desk:
        raise Fault(
            f"{settings.path.name} names another desk than the pins: nobody could write to it",
            "Write as 'desk' the name that stands in pins.json.",
        )
    return (
        pins, read_fixed(settings, pins.root, sign.verify_key(board_seed)),
        Tokens(*(settings.secret(n) for n in ("desk_token", "b_token", "status_token"))),
        settings.seed("record_key"), board_seed, read_loops(settings),
    )  # fmt: skip


def _host(config: Path, settings: Settings, net: Net) -> Host:
    return Host(PacedClock(settings.pace()), OsEntropy(), Folder(config.parent / "data"), net)


async def main(config: Path) -> None:
    """Run the desk server by its configuration until it is told to stop."""
    settings = load_settings(config)
    own = read_settings(settings)
    server = DeskServer(_host(config, settings, Silent()), *own)
    listener = Listener(server.app, *settings.address())
    await serve([listener, *status_listeners(settings, server.report)], server.run())


def read_site(folder: Path) -> dict[str, bytes]:
    """A built site's files by their path, or a Fault."""
    files = {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file()}
    if "index.html" not in files:
        raise Fault("The site folder has no index.html", "Run 'wallflower campaign build' first.")
    return {name: path.read_bytes() for name, path in files.items()}


async def mirror_main(config: Path) -> None:
    """Run a mirror by its configuration until it is told to stop."""
    from wallflower.host.http import HttpNet  # the desk server, which asks nobody, has no client

    settings = load_settings(config)
    site = read_site(config.parent / settings.get("site", str))
    net = HttpNet()
    mirror = Mirror(_host(config, settings, net), settings.url("board"), site)
    listener = Listener(mirror.app, *settings.address())
    try:
        await serve([listener, *status_listeners(settings, mirror.report)], mirror.run())
    finally:
        await net.close()
