"""`wallflower campaign film`: a storyboard or a film file becomes all that is passed on."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from wallflower.errors import Fault

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
@click.argument("source", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--address", required=True, help="where the closing card and its code lead")
@click.option("--words", required=True, help="the eight words of the organisation's keys")
@click.option("--language", default="en", show_default=True, help="of a film file")
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), help="what was encoded")
def campaign_film(
    source: Path, out: Path, address: str, words: str, language: str, cache: Path | None
) -> None:
    """Make films in two sizes, sound, captions, poster and picture cards.

    SOURCE is a storyboard (.toml, see docs/handbook/film.md) or a film file. Nothing that SOURCE or
    its files say of place, time or device gets into what is made.
    """
    check_needed()
    from wallflower.campaign.edge.film import make_film
    from wallflower.campaign.film.storyboard import parse_ending

    ending = parse_ending(address, tuple(words.split()))
    kept = cache or Path.home() / ".cache" / "wallflower" / "film"
    with _bars() as bars:
        tasks: dict[str, TaskID] = {}

        def progress(name: str, done: int, all_: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=all_)
            bars.update(tasks[name], completed=done, total=all_)

        film = make_film(source, out, ending, kept, progress, language)
    click.echo(f"{'Took from the cache' if film.cached else 'Made'}: {', '.join(film.files)}")


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description:>14}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
