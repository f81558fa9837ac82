"""`wallflower campaign film`: a storyboard or a film file becomes all that is passed on."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from wallflower.cli.leftovers import ending_in_order
from wallflower.cli.options import FILE, FOLDER
from wallflower.errors import Fault

if TYPE_CHECKING:
    from wallflower.campaign.edge.film import Progress

CACHE_HELP = "keeps what was encoded, for the next time [~/.cache/wallflower/film]"
NEEDED = ("av", "fontTools", "PIL", "segno", "uniseg")


def check_needed(needed: tuple[str, ...] = NEEDED) -> None:
    """Whether the packages that make films are here; an ordinary installation has none of them."""
    if any(importlib.util.find_spec(name) is None for name in needed):
        raise Fault(
            "Making films needs packages that are not installed",
            "Type: pip install --require-hashes -r requirements/film.txt "
            "(one of them carries x264, which is under the GPL).",
        )


@click.command("film")
@click.argument("source", metavar="SOURCE", type=FILE)
@click.option("--out", required=True, type=FOLDER, help="the folder that gets the films")
@click.option("--address", required=True, help="where the closing card and its code lead")
@click.option("--words", required=True, help="the eight words of the organisation's keys")
@click.option("--language", default="en", show_default=True, help="of a film file")
@click.option("--cache", type=FOLDER, help=CACHE_HELP)
@ending_in_order()
def campaign_film(
    source: Path, out: Path, address: str, words: str, language: str, cache: Path | None
) -> None:
    """Make films, sound, captions, poster and picture cards.

    SOURCE is a storyboard (.toml, see docs/handbook/film.md) or a film file. Nothing that SOURCE or
    its files say of place, time or device gets into what is made.

    \b
      wallflower campaign film film/en.toml --out films \\
        --address https://film.example --words 'EIGHT WORDS'
    """
    check_needed()
    from wallflower.campaign.edge.film import make_film
    from wallflower.campaign.film.storyboard import parse_ending

    ending = parse_ending(address, tuple(words.split()))
    with shown_progress() as progress:
        film = make_film(source, out, ending, cache or usual_cache(), progress, language)
    click.echo(f"{'Took from the cache' if film.cached else 'Made'}: {', '.join(film.files)}")


def usual_cache() -> Path:
    """Where encoded films are kept when nobody says otherwise; a Fault for who has no home."""
    try:
        return Path.home() / ".cache" / "wallflower" / "film"
    except RuntimeError:
        raise Fault(
            "This user has no home folder, in which encoded films are kept",
            "Name a folder with --cache, or set HOME to one.",
        ) from None


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """A bar for each thing that is being made."""
    bars = Bars(
        TextColumn("{task.description:>22}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    tasks: dict[str, TaskID] = {}

    def progress(name: str, done: int, all_: int) -> None:
        if name not in tasks:
            tasks[name] = bars.add_task(name, total=all_)
        bars.update(tasks[name], completed=done, total=all_)

    with bars:
        yield progress
