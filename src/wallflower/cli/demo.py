"""`wallflower demo`: the whole town on this machine, with or without people."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from wallflower.campaign.authoring import Authored
from wallflower.campaign.edge.authoring import example_folder, new_campaign, read_campaign
from wallflower.campaign.edge.build import packaged_page
from wallflower.campaign.edge.ceremony_keys import require_keys
from wallflower.campaign.edge.shapes import build_bundle
from wallflower.campaign.edge.sign_folder import sign_folder
from wallflower.cli.ceremony import now, rehearse
from wallflower.cli.film import check_needed, usual_cache
from wallflower.cli.leftovers import ending_in_order, scratch
from wallflower.cli.new import make
from wallflower.cli.options import FOLDER, seconds
from wallflower.errors import Fault
from wallflower.lab.demo.chromium import ChromiumSource
from wallflower.lab.demo.handler import Handler
from wallflower.lab.demo.pace import DemoPace
from wallflower.lab.demo.town import make_town
from wallflower.lab.demo.view import Said, watch
from wallflower.lab.demo.walk import (
    PATIENCE_S,
    Step,
    TerminalSource,
    open_town,
    start_crowd,
    succeeded,
    summary,
    walk,
)
from wallflower.trust.pins import Pins, parse_pins

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_DAY = seconds(1, 86400)  # a shorter one has no room for its ticks
_ROLES = {"organisation": "organisation", "a": "mix-a", "b": "mix-b"}
_DESK = "Office"


def prepare(
    folder: Path, ports: dict[str, int], campaign: Path | None = None, held: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> None:  # fmt: skip
    """Keys, and a signed bundle of a campaign, as `wallflower keys ceremony --test`, `campaign
    build` and `campaign sign` make them, but for this machine's ports.

    `campaign` is a folder of `campaign new` (else the example), `held` one of `keys ceremony
    --test` (else it is held here); neither is changed.
    """
    authored = _authored(folder / "campaign", campaign, ports)
    pins = _rehearsed(folder, authored) if held is None else _taken(folder, held)
    (folder / "organisation" / "pins.json").write_bytes(pins.encode())
    keys = folder / "ceremony" / "keys"
    films = _film(authored, keys, folder / "films", say, needed=campaign is not None)
    channel = min(authored.channels, key=lambda name: authored.channels[name])
    bundle = folder / "bundle"
    build_bundle(authored, pins, packaged_page(), bundle, channel, None, films)
    sign_folder(bundle / "site", require_keys(keys), now())
    shutil.copytree(bundle / "site", folder / "mirror" / "site", dirs_exist_ok=True)


def _authored(made: Path, campaign: Path | None, ports: dict[str, int]) -> Authored:
    if campaign is None:
        new_campaign(made)
    at = {name: f"http://127.0.0.1:{port}/" for name, port in ports.items()}
    return replace(
        read_campaign(campaign or made), ways=(at["ingress"],), boards=(at["organisation"],),
        address=at["mirror"],
    )  # fmt: skip


def _rehearsed(folder: Path, authored: Authored) -> Pins:
    record = {signer: folder / role / "record.pub" for signer, role in _ROLES.items()}
    return rehearse(
        folder / "ceremony", record, _DESK, authored.organisation, languages=authored.languages
    )


def _taken(folder: Path, held: Path) -> Pins:
    """The keys of a ceremony that was held for trying, record keys and all."""
    require_keys(held / "keys")
    shutil.copytree(held / "keys", folder / "ceremony" / "keys")
    pins = parse_pins((held / "keys" / "pins.json").read_bytes())
    for role in _ROLES.values():
        for name in ("record.key", "record.pub"):
            if not (held / role / name).is_file():
                raise Fault(
                    f"{held.name} holds no {role}/{name}",
                    "Name a folder of: wallflower keys ceremony --test FOLDER.",
                )
            shutil.copy(held / role / name, folder / role / name)
    if pins.desk != _DESK:
        raise Fault("The demo's desk has another name", f"Hold the ceremony with --desk {_DESK}.")
    return pins


def _film(
    authored: Authored, keys: Path, out: Path, say: Callable[[str], None], *, needed: bool
) -> dict[str, Path]:
    """The page's film. A town of the example also runs where no film can be made, and says so."""
    if not authored.films:
        return {}
    try:
        check_needed()
        from wallflower.campaign.edge.films import make_films

        return make_films(authored, keys, out, usual_cache(), lambda *_: None, only_page=True)
    except Fault as fault:
        if needed:
            raise
        say(f"The page has no film here: {fault}")
        return {}


_STOPPED = 130  # as a shell says of Ctrl-C: nothing was seen to the end
_DAY_ONCE_S, _DAY_SHOWN_S = 6.0, 15.0


@click.command()
@click.option("--once", is_flag=True, help="do the walk once without people, and end")
@click.option("--json", "as_json", is_flag=True, help="with --once: print one JSON object")
@click.option("--browser", is_flag=True, help="the source uses the page in Chromium")
@click.option(
    "--viewers",
    type=click.IntRange(0),
    default=200,
    show_default=True,
    help="how many others watch",
)
@click.option("--day", "day_s", type=_DAY, help="wall seconds of one day [6 with --once, else 15]")
@click.option(
    "--patience",
    type=seconds(most=86400),
    default=PATIENCE_S,
    show_default=True,
    help="wall seconds that a step may take",
)
@click.option("--campaign", type=_FOLDER, help="run on this folder of 'campaign new'")
@click.option("--keys", "held", type=_FOLDER, help="and on this one of 'keys ceremony --test'")
@click.option("--keep", type=FOLDER, help="keep the folder of this run here, logs and all")
@ending_in_order()
def demo(
    once: bool, as_json: bool, browser: bool, viewers: int, day_s: float | None, patience: float,
    campaign: Path | None, held: Path | None, keep: Path | None,
) -> None:  # fmt: skip
    """Run a writer, an audience, two mixes and a desk, all here.

    It starts the same commands as the handbook, and builds its page out of a campaign's folder as
    'campaign build' does, with the small film of one language. Time runs fast, at two paces that it
    prints. Without --once it stays, for you to write in the page and answer at the desk, until
    Ctrl-C.

    \b
      wallflower demo                  to look at
      wallflower demo --once --json    to test: ends with 0 when a letter was answered
    """
    started = time.monotonic()
    pace = DemoPace(day_s or (_DAY_ONCE_S if once else _DAY_SHOWN_S), int(time.time() * 1000))
    plan = _Plan(viewers, browser, once, as_json, patience, started, campaign, held)
    result: dict[str, Any] = {}
    try:
        with scratch() if keep is None else nullcontext(keep) as folder:
            result = asyncio.run(_demo(folder, pace, plan))
    except KeyboardInterrupt:
        sys.exit(_STOPPED if once else 0)
    if as_json:
        click.echo(json.dumps(result))
    if not succeeded(result):
        sys.exit(1)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the command line asked for."""

    viewers: int
    browser: bool
    once: bool
    as_json: bool
    patience: float
    started: float
    campaign: Path | None
    held: Path | None


async def _demo(folder: Path, pace: DemoPace, plan: _Plan) -> dict[str, Any]:
    console = Console(stderr=plan.as_json)
    console.print(f"Days run {pace.days:,}x (a day is {pace.day_s:g} s), hums 60x (1.5 s).")
    town = make_town(
        folder, pace, make,
        lambda place, ports: prepare(place, ports, plan.campaign, plan.held, console.print),
    )  # fmt: skip
    handler = Handler(town)
    authored = read_campaign(plan.campaign or example_folder())
    source = ChromiumSource(town, authored.languages) if plan.browser else TerminalSource(town)
    beside: list[asyncio.Task[None]] = []
    try:
        await town.start_roles()
        await open_town(town, handler)
        beside.append(await start_crowd(town, plan.viewers, 1.0))
        await town.start_loops()
        said = Said()
        if not plan.once:
            beside.append(asyncio.ensure_future(watch(town, said, console)))

        def say(step: Step) -> None:
            if plan.once:
                console.print(step.value)
            said.say(step)

        seen = await walk(town, source, handler, say, plan.patience)
        result = await summary(town, seen, plan.started)
        if not plan.once:
            said.your_turn = True
            await asyncio.Event().wait()
        return result
    except Fault as fault:
        await _end(beside)  # the view first: what is said while it lasts goes with it
        console.print(str(fault))
        return {"failed": fault.what}
    finally:
        try:
            await _end(beside)
            await source.close()
            await handler.close()
        finally:
            await town.stop()


async def _end(beside: list[asyncio.Task[None]]) -> None:
    """Stop what runs beside the walk, and wait until it has put the terminal right."""
    for task in beside:
        task.cancel()
    await asyncio.gather(*beside, return_exceptions=True)
