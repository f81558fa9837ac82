"""`wallflower census`: the newest census of a mirror, in words."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from wallflower.cli.options import MIRROR, PINS
from wallflower.errors import Fault
from wallflower.host.http import HttpNet
from wallflower.host.net import Unreachable
from wallflower.trust.ahead import date_of
from wallflower.trust.census import verify_census
from wallflower.trust.pins import Pins, parse_pins
from wallflower.trust.record import verify_record
from wallflower.wire.census import CENSUS_MAX, EPSILON, ONE_IN, THRESHOLD, Census
from wallflower.wire.letter import Language
from wallflower.wire.sizes import RECORD_MAX


async def _fetch(mirror: str, pins: Pins) -> Census:
    net = HttpNet()
    try:
        record = verify_record(await net.get(f"{mirror}/record", limit=RECORD_MAX), pins)
        return verify_census(await net.get(f"{mirror}/census", limit=CENSUS_MAX), record)
    except Unreachable:
        raise Fault(
            "This mirror shows no census, or does not answer",
            "Look whether it answers; the first census is there after a day.",
        ) from None
    finally:
        await net.close()


@click.command()
@PINS
@MIRROR
def census(pins_file: Path, mirror: str) -> None:
    """Show yesterday's census, by channel and language.

    That is how many hums reported. Any mirror has it, and the desk server too. Noise was added to
    the figures.
    """
    pins = parse_pins(pins_file.read_bytes())
    found = asyncio.run(_fetch(mirror, pins))
    click.echo(
        f"{date_of(found.day)}: reports with noise (epsilon {EPSILON:g} a hum), from {THRESHOLD}."
    )
    for row in found.rows:
        language = Language(row.language).name.lower()
        hums = ONE_IN * row.reports
        click.echo(
            f"channel {row.channel:3}  {language:8}  {row.reports:7} reports, about {hums} hums"
        )
    click.echo("No more people than hums: one may come often, and a machine may hum.")
