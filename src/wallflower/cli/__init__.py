"""The command line: one console command for each process and each act of a person."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

import click

from wallflower.cli.faults import fault_of
from wallflower.cli.lazy import Commands
from wallflower.errors import Fault
from wallflower.host.disk import disk_trouble
from wallflower.host.inert import inert
from wallflower.host.memory import leave_no_image

# Where each command is, in modules of this package.
_PLACES = {
    "new": "new:new", "keys": "keys:keys", "campaign": "campaign:campaign",
    "ingress": "processes:ingress", "mix": "processes:mix", "desk-server": "processes:desk_server",
    "mirror": "processes:mirror", "desk": "processes:desk", "loops": "processes:loops",
    "write": "acts:write", "visit": "acts:visit", "read": "acts:read", "crowd": "acts:crowd",
    "census": "census:census", "demo": "demo:demo", "doctor": "doctor:doctor",
    "status": "doctor:status", "revoke": "revoke:revoke", "verify": "verify:verify",
}  # fmt: skip
_COMMANDS = Commands({name: f"{__name__}.{place}" for name, place in _PLACES.items()})


@click.group(commands=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def wallflower() -> None:
    """Wallflower: letters that ride in the traffic of a film's audience.

    'wallflower COMMAND --help' says more of each; 'wallflower demo' shows everything on one
    machine. Commands end with 0 when all is well, 2 when a line was typed wrong, 75 when a disk is
    full, else with 1; 'verify' has a code for each verdict.
    """


def _open_streams() -> None:
    """Open to nothing what a supervisor or shell closed of the three streams: the next file or
    connection would get its number, and the roles' loop ends the process where one has."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def main() -> None:
    """Run, and show a Fault as two plain sentences instead of a traceback."""
    leave_no_image()
    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # an answer has more letters than some terminals
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            with disk_trouble():
                wallflower()
        except OSError as error:
            raise fault_of(error) from None
    except Fault as fault:
        click.echo(inert(str(fault)), err=True)  # it may name a file that a stranger named
        sys.exit(fault.EXIT)
