"""The mix process: one inner listener, one loop."""

from __future__ import annotations

from pathlib import Path

from wallflower.errors import Fault
from wallflower.host import Host
from wallflower.host.clock import PacedClock
from wallflower.host.disk import Folder
from wallflower.host.entropy import OsEntropy
from wallflower.host.http import HttpNet
from wallflower.host.loops import read_loops
from wallflower.host.serve import Listener, serve, status_listeners
from wallflower.host.settings import Settings, load_settings
from wallflower.mix.edge.mix import Mix, MixSettings
from wallflower.trust.pins import parse_pins


def read_settings(settings: Settings) -> MixSettings:
    """A mix's configuration as values, or a Fault that names what is missing."""
    position = settings.get("position", str)
    if position not in ("a", "b"):
        raise Fault("position is neither 'a' nor 'b'", 'Write position = "a" or "b".')
    source, board = settings.table("source"), settings.table("board")
    is_b = position == "b"
    return MixSettings(
        position=position, source_url=source.get("url", str), source_token=source.secret("token"),
        own_token=settings.secret("token"), status_token=settings.secret("status_token"),
        board=board.url("url"), board_token=board.secret("token") if is_b else "",
        record_seed=settings.seed("record_key"),
        drop_seed=settings.seed("drop_key") if is_b else b"",
        loops=read_loops(settings), demo=settings.pace().days > 1,
        workers=settings.get("workers", int) if "workers" in settings.fields else 0,
    )  # fmt: skip


async def main(config: Path) -> None:
    """Run a mix by its configuration until it is told to stop."""
    settings = load_settings(config)
    own = read_settings(settings)
    net = HttpNet()
    host = Host(PacedClock(settings.pace()), OsEntropy(), Folder(config.parent / "data"), net)
    keys = Folder(config.parent / settings.get("keys", str))
    mix = Mix(host, keys, parse_pins(settings.file("pins")), own)
    listener = Listener(mix.inner, *settings.address())
    try:
        await serve([listener, *status_listeners(settings, mix.report)], mix.run())
    finally:
        mix.workers.end()
        await net.close()
