"""`wallflower demo`: the whole town on this machine, with or without people."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from wallflower.campaign.build import build_example
from wallflower.campaign.edge.ceremony_keys import require_keys
from wallflower.campaign.edge.repository import sign_folder
from wallflower.cli.keys import now, rehearse
from wallflower.cli.new import make
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


def _prepare(folder: Path, ports: dict[str, int]) -> None:
    """What `wallflower keys ceremony --test`, `campaign build` and `campaign sign` do."""
    roles = {"organisation": "organisation", "a": "mix-a", "b": "mix-b"}
    record = {signer: folder / role / "record.pub" for signer, role in roles.items()}
    pins = rehearse(folder / "ceremony", record, "Office")
    (folder / "organisation" / "pins.json").write_bytes(pins.encode())
    ways = [f"http://127.0.0.1:{ports[name]}/" for name in ("ingress", "organisation")]
    site = folder / "mirror" / "site"
    build_example(site, pins, ways, "Office for Clean Hands", ways[1:])
    sign_folder(site, require_keys(folder / "ceremony" / "keys"), now())


_DAY_ONCE_S, _DAY_SHOWN_S = 6.0, 15.0


@click.command()
@click.option("--once", is_flag=True, help="do the walk once without people, and end")
@click.option("--json", "as_json", is_flag=True, help="with --once: print one JSON object")
@click.option("--browser", is_flag=True, help="the source uses the page in Chromium")
@click.option("--viewers", default=200, show_default=True, help="how many others watch")
@click.option("--day", "day_s", type=float, help="wall seconds of one day [6 with --once, else 15]")
@click.option("--patience", default=PATIENCE_S, show_default=True, help="wall seconds for a step")
@click.option("--keep", type=click.Path(path_type=Path), help="keep the folder of this run here")
def demo(
    once: bool, as_json: bool, browser: bool, viewers: int, day_s: float | None, patience: float,
    keep: Path | None,
) -> None:  # fmt: skip
    """Run everything on this machine: a writer, an audience, two mixes, a desk.

    It starts the same commands as the handbook. Time runs fast, at two paces that it prints.
    """
    started = time.monotonic()
    folder = keep or Path(tempfile.mkdtemp(prefix="wallflower-demo-"))
    pace = DemoPace(day_s or (_DAY_ONCE_S if once else _DAY_SHOWN_S), int(time.time() * 1000))
    plan = _Plan(viewers, browser, once, as_json, patience, started)
    result: dict[str, Any] = {}
    try:
        result = asyncio.run(_demo(folder, pace, plan))
    except KeyboardInterrupt:
        sys.exit(0)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
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


async def _demo(folder: Path, pace: DemoPace, plan: _Plan) -> dict[str, Any]:
    console = Console(stderr=plan.as_json)
    console.print(f"Days run {pace.days:,}x (a day is {pace.day_s:g} s), hums 60x (1.5 s).")
    town = make_town(folder, pace, make, _prepare)
    handler = Handler(town)
    source = ChromiumSource(town) if plan.browser else TerminalSource(town)
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
        await _end(beside)
        await source.close()
        await handler.close()
        await town.stop()


async def _end(beside: list[asyncio.Task[None]]) -> None:
    """Stop what runs beside the walk, and wait until it has put the terminal right."""
    for task in beside:
        task.cancel()
    await asyncio.gather(*beside, return_exceptions=True)
