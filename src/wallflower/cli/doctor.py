"""`wallflower doctor`: whether a role's folder is fit to start, and how a running one is doing."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import click

from wallflower.cli.checks import (
    Finding,
    Level,
    check_named,
    databases,
    examine,
    judge_status,
    parse_status,
    reach,
    role_of,
)
from wallflower.cli.options import CONFIG
from wallflower.errors import Fault
from wallflower.host.http import HttpNet
from wallflower.host.net import Unreachable
from wallflower.host.settings import Settings, load_settings

_LOOPBACK = "127.0.0.1"


def _place_of(settings: Settings) -> tuple[str, int, str] | None:
    """Host and port where a role tells its status, and the token that opens it.

    It is the page on loopback, which needs no token, and without one the listener of the role's
    own: that may have an address of a tunnel only.
    """
    if "status_page" in settings.fields:
        return _LOOPBACK, settings.table("status_page").port(), ""
    match role_of(settings.path):
        case "organisation" | "mix-a" | "mix-b":
            return *settings.address(), settings.secret("status_token")
        case "ingress":
            return *settings.table("inner").address(), settings.secret("token")
        case "desk" if "status" in settings.fields:
            return _LOOPBACK, settings.port(), settings.table("status").secret("token")
    return None


async def status_of(settings: Settings) -> dict[str, Any] | None:
    """What a running role tells its operator; None when it does not run here. A Fault where
    another program answers in its place."""
    place = _place_of(settings)
    if place is None:
        return None
    host, port, token = place
    named = f"[{host}]" if ":" in host else host or _LOOPBACK
    net = HttpNet()
    try:
        return parse_status(await net.get(f"http://{named}:{port}/status", token, 65536))
    except Unreachable:
        return None
    finally:
        await net.close()


async def _all(settings: Settings) -> tuple[list[Finding], dict[str, Any] | None]:
    findings = [*examine(settings), *await reach(settings)]
    if any(f.level is Level.FAIL for f in findings):
        return findings, None
    try:
        if _place_of(settings) is None:
            what = "by its configuration it tells nobody whether it runs"
            return [*findings, Finding(Level.OK, what)], None
        status = await status_of(settings)
    except Fault as fault:
        return [*findings, Finding(Level.FAIL, fault.what, fault.next_step)], None
    if status is None:
        findings += [Finding(Level.OK, "it is not running here"), *databases(settings)]
    else:
        findings += judge_status(status)
    return findings, status


@click.command()
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="findings and status as one JSON object")
def doctor(config: Path, as_json: bool) -> None:
    """Look whether a role's folder is fit to start.

    It looks at the nodes that the role asks, too, and at what it tells when it runs, else at its
    databases. CONFIG is the role's own file, such as ingress.toml. Ends with 1 when something would
    stop the role from serving. Shows nothing about people.
    """
    settings = load_settings(config)
    check_named(settings)
    findings, status = asyncio.run(_all(settings))
    if as_json:
        rows = [{"level": f.level, "what": f.what, "next_step": f.next_step} for f in findings]
        click.echo(json.dumps({"findings": rows, "status": status}))
    else:
        _say(findings, status)
    if any(f.level is Level.FAIL for f in findings):
        sys.exit(1)


def _say(findings: list[Finding], status: dict[str, Any] | None) -> None:
    for f in findings:
        click.echo(f"{f.level:>4}  {f.what}." + (f" {f.next_step}" if f.next_step else ""))
    facts = (status or {}).get("facts", {})
    if facts:
        click.echo("      " + ", ".join(f"{name} {value}" for name, value in facts.items()))


@click.command()
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="as one JSON object")
def status(config: Path, as_json: bool) -> None:
    """Ask a running role for its alarms, and what to do next.

    CONFIG is the role's own file, such as ingress.toml. Ends with 1 when there is an alarm or the
    role does not answer. Shows nothing about people.
    """
    settings = load_settings(config)
    if _place_of(settings) is None:
        raise Fault(
            "By its configuration this role tells nobody its status",
            "See alarms.md of the handbook, which says what does, and in which lines.",
        )
    found = asyncio.run(status_of(settings))
    if found is None:
        raise Fault("It does not answer here", "Start it, or ask on the machine where it runs.")
    findings = judge_status(found)
    if as_json:
        click.echo(json.dumps(found))
    else:
        _say(findings, found)
    if any(f.level is not Level.OK for f in findings):
        sys.exit(1)
