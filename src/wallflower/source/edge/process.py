"""The loop sender's process: it listens to nobody and keeps nothing."""

from __future__ import annotations

from pathlib import Path

from wallflower.errors import Fault
from wallflower.host import Host
from wallflower.host.clock import PacedClock
from wallflower.host.disk import Folder
from wallflower.host.entropy import OsEntropy
from wallflower.host.http import HttpNet
from wallflower.host.loops import LoopSettings, check_loops
from wallflower.host.serve import serve
from wallflower.host.settings import Settings, load_settings
from wallflower.source.edge.loops import LoopSender
from wallflower.trust.pins import Pins, parse_pins


def read_keys(settings: Settings) -> list[LoopSettings]:
    """The loop keys that this sender carries, or a Fault that names the file."""
    per_day = settings.get("per_day", int)
    names = settings.get("keys", list)
    keys = [Settings(settings.path, {"key": name}).file("key") for name in names]
    if not keys:
        raise Fault("The sender of loops has no key", "Copy loop.key from its watcher.")
    return [check_loops(key, per_day) for key in keys]


def read_settings(settings: Settings) -> tuple[str, Pins, list[LoopSettings], float]:
    """What a sender is made of beside its host, or a Fault that names what is missing."""
    pace = settings.pace()
    return (
        settings.url("mirror"), parse_pins(settings.file("pins")),
        read_keys(settings), pace.days / pace.hums,
    )  # fmt: skip


async def main(config: Path) -> None:
    """Send loops by the configuration until told to stop."""
    settings = load_settings(config)
    own, net = read_settings(settings), HttpNet()
    host = Host(PacedClock(settings.pace()), OsEntropy(), Folder(config.parent), net)
    sender = LoopSender(host, *own)
    try:
        await serve([], sender.run())
    finally:
        await net.close()
