"""The commands that run a process until it is told to stop."""

from __future__ import annotations

from pathlib import Path

import click

from wallflower.host.serve import run

_CONFIG = click.argument(
    "config", type=click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)
)


@click.command()
@_CONFIG
def ingress(config: Path) -> None:
    """Take cells from everyone."""
    from wallflower.ingress.edge.process import main

    run(main(config))


@click.command()
@_CONFIG
def mix(config: Path) -> None:
    """Run mix A or mix B, as the configuration says."""
    from wallflower.mix.edge.process import main

    run(main(config))


@click.command("desk-server")
@_CONFIG
def desk_server(config: Path) -> None:
    """Compose records and release the board; opens nothing."""
    from wallflower.board.edge.process import main

    run(main(config))


@click.command()
@_CONFIG
def mirror(config: Path) -> None:
    """Serve a built site and a copy of the board."""
    from wallflower.board.edge.process import mirror_main

    run(mirror_main(config))


@click.command()
@_CONFIG
def desk(config: Path) -> None:
    """Open the desk on this computer."""
    from wallflower.desk.edge.process import main

    run(main(config))


@click.command()
@_CONFIG
def loops(config: Path) -> None:
    """Send loops: hums of your own, whose return A, B or the organisation watches for."""
    from wallflower.source.edge.process import main

    run(main(config))
