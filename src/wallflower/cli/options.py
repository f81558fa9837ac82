"""What several commands ask for alike, so that each asks in the same words and takes the same."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from wallflower.campaign.addresses import parts_of
from wallflower.errors import Fault
from wallflower.host.net import asked_host, is_onion

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class _Address(click.ParamType[str]):
    """An http or https address, without the slash at its end."""

    name = "address"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See click.ParamType.convert."""
        good = value.startswith(("http://", "https://")) and asked_host(value)
        if not good or parts_of(value).username:
            self.fail("that is no address. Give one such as https://film.example", param, ctx)
        if is_onion(value):  # here is no Tor, and the resolver would be told
            raise Fault("This command does not go through Tor", "Give an https:// address.")
        return value.rstrip("/")


class _Seconds(click.FloatRange):
    """Seconds above zero; "nan" is in no range and outside of none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """See click.ParamType.convert."""
        seconds = super().convert(value, param, ctx)
        if not math.isfinite(seconds):
            self.fail(f"{value!r} is no number of seconds.", param, ctx)
        return seconds


def seconds(least: float = 0.0, most: float | None = None) -> click.FloatRange:
    """So many seconds, above zero and within these."""
    return _Seconds(least, most, min_open=not least)


ADDRESS = _Address()
# Where it is missing, reading it says what makes it.
CONFIG = click.argument(
    "config",
    metavar="CONFIG",
    type=click.Path(dir_okay=False, resolve_path=True, path_type=Path),
)
PINS = click.option(
    "--pins", "pins_file", required=True, type=FILE,
    help="the pins.json that the organisation gives out with the page",
)  # fmt: skip
MIRROR = click.option(
    "--mirror", required=True, type=ADDRESS,
    help="where the page is served, such as https://film.example",
)  # fmt: skip
