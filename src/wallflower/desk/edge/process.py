"""The desk process: one listener on this computer only, one loop."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from wallflower.desk.door import Door
from wallflower.desk.edge.desk import Desk
from wallflower.desk.edge.handed import NODES
from wallflower.desk.edge.parts import DeskSettings, Peer
from wallflower.desk.edge.store import HEADER_FILE
from wallflower.desk.edge.web import make_web
from wallflower.host import Host
from wallflower.host.clock import PacedClock
from wallflower.host.disk import Folder
from wallflower.host.entropy import OsEntropy
from wallflower.host.http import HttpNet
from wallflower.host.serve import Listener, serve
from wallflower.host.settings import Settings, load_settings
from wallflower.trust.pins import parse_pins

ADDRESS: Final = "127.0.0.1"
# On a line of 8 kB/s the batch for the largest board takes two minutes; so long the other end waits
# for it, too (host.quiet).
SLOWEST_S: Final = 150.0


def read_settings(settings: Settings) -> DeskSettings:
    """A desk's configuration as values, or a Fault that names what is missing.

    A desk that was set up has its tokens in its store, and needs them in files no more.
    """
    begun = (settings.path.parent / HEADER_FILE).exists()
    peers = {}
    for name in NODES:
        table = settings.table(name)
        if not begun:
            table.secret("token")
        peers[name] = Peer(table.get("url", str), table.get("token", str))
    pins = parse_pins(settings.file("pins"))
    return DeskSettings(settings.get("name", str), pins, peers["b"], peers["board"])


def read_status_token(settings: Settings) -> str:
    """What opens the desk's status; empty where its configuration has none, and nothing does."""
    return settings.table("status").secret("token") if "status" in settings.fields else ""


async def _work(desk: Desk, port: int, door: Door) -> None:
    """Say once where to enter, as the port is this desk's by now; then make the passes."""
    _announce(port, door.entry)
    await desk.run()


def _announce(port: int, entry: str) -> None:
    """The one line that this process prints, anew after each entry: who reads it enters once."""
    sys.stdout.write(f"desk ready http://{ADDRESS}:{port}/enter/{entry}\n")
    sys.stdout.flush()


def _announce_next(port: int, entry: str) -> None:
    """The same for every later entry. Where nobody reads it any more, since a terminal or a pipe
    was closed, who just used the one before comes in all the same."""
    with suppress(OSError):
        _announce(port, entry)


async def main(config: Path) -> None:
    """Run a desk by its configuration until it is told to stop."""
    settings = load_settings(config)
    own, port = read_settings(settings), settings.port()
    status_token = read_status_token(settings)
    net, entropy = HttpNet(seconds=SLOWEST_S), OsEntropy()
    host = Host(PacedClock(settings.pace()), entropy, Folder(config.parent), net)
    desk, door = Desk(host, own), Door(entropy.draw, port, partial(_announce_next, port))
    web = make_web(desk, door, entropy, status_token, demo=settings.pace().days > 1)
    listener = Listener(web, ADDRESS, port)
    try:
        await serve([listener], _work(desk, port, door))
    finally:
        desk.lock()
        await net.close()
