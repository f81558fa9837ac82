"""The commands that run a process until it is told to stop."""

from __future__ import annotations

from pathlib import Path

import click

from wallflower.cli.options import CONFIG
from wallflower.host.serve import run


@click.command()
@CONFIG
def ingress(config: Path) -> None:
    """Take cells from everyone, and keep them for mix A.

    CONFIG is an ingress.toml, which 'wallflower new ingress FOLDER' makes. Runs until SIGTERM or
    Ctrl-C.
    """
    from wallflower.ingress.edge.process import main

    run(main(config))


@click.command()
@CONFIG
def mix(config: Path) -> None:
    """Run mix A or mix B, as the configuration says.

    CONFIG is a mix-a.toml or mix-b.toml, which 'wallflower new mix-a FOLDER' makes. Runs until
    SIGTERM or Ctrl-C.
    """
    from wallflower.mix.edge.process import main

    run(main(config))


@click.command("desk-server")
@CONFIG
def desk_server(config: Path) -> None:
    """Compose records and release the board; opens nothing.

    CONFIG is an organisation.toml, which 'wallflower new organisation FOLDER' makes. Runs until
    SIGTERM or Ctrl-C.
    """
    from wallflower.board.edge.process import main

    run(main(config))


@click.command()
@CONFIG
def mirror(config: Path) -> None:
    """Serve a built site, the board and the day's record.

    CONFIG is a mirror.toml, which 'wallflower new mirror FOLDER' makes, or the one in a build's
    onion folder. Runs until SIGTERM or Ctrl-C.
    """
    from wallflower.board.edge.process import mirror_main

    run(mirror_main(config))


@click.command()
@CONFIG
def desk(config: Path) -> None:
    """Open the desk on this computer.

    CONFIG is a desk.toml, which 'wallflower new desk FOLDER' makes. It prints the address for your
    browser, which works once; another is printed then. Runs until Ctrl-C.
    """
    from wallflower.desk.edge.process import main

    run(main(config))


@click.command()
@CONFIG
def loops(config: Path) -> None:
    """Send loops, whose return A, B or the organisation watches.

    A loop is a hum of your own. CONFIG is a loops.toml, which 'wallflower new loops FOLDER' makes.
    Runs until SIGTERM or Ctrl-C, best on a machine of its own.
    """
    from wallflower.source.edge.process import main

    run(main(config))
