"""The command line: one console command for each process and each act of a person."""

from __future__ import annotations

import sys

import click

from wallflower.cli.acts import crowd, read, visit, write
from wallflower.cli.campaign import campaign
from wallflower.cli.census import census
from wallflower.cli.demo import demo
from wallflower.cli.doctor import doctor, status
from wallflower.cli.faults import fault_of
from wallflower.cli.film import campaign_film
from wallflower.cli.keys import keys
from wallflower.cli.new import new
from wallflower.cli.processes import desk, desk_server, ingress, loops, mirror, mix
from wallflower.cli.revoke import revoke
from wallflower.cli.sign import sign
from wallflower.cli.verify import verify
from wallflower.errors import Fault
from wallflower.host.disk import disk_trouble
from wallflower.host.inert import inert
from wallflower.host.memory import leave_no_image


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def wallflower() -> None:
    """Wallflower: letters that ride in the traffic of a film's audience.

    'wallflower COMMAND --help' says more of each; 'wallflower demo' shows everything on one
    machine. Commands end with 0 when all is well, 2 when a line was typed wrong, 75 when a disk is
    full, else with 1; 'verify' has a code for each verdict.
    """


for command in (
    new, keys, campaign, ingress, mix, desk_server, mirror, desk, loops, write, visit, read, crowd,
    census, demo, doctor, status, revoke, verify,
):  # fmt: skip
    wallflower.add_command(command)
campaign.add_command(campaign_film)
campaign.add_command(sign)


def main() -> None:
    """Run, and show a Fault as two plain sentences instead of a traceback."""
    leave_no_image()
    try:
        try:
            with disk_trouble():
                wallflower()
        except OSError as error:
            raise fault_of(error) from None
    except Fault as fault:
        click.echo(inert(str(fault)), err=True)  # it may name a file that a stranger named
        sys.exit(fault.EXIT)
