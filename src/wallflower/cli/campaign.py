"""The commands of those who make a campaign: new, preview, build, lint, translated."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallflower.campaign.authoring import Authored
from wallflower.campaign.edge.authoring import mark_translated, new_campaign, read_campaign
from wallflower.campaign.edge.build import packaged_page
from wallflower.campaign.edge.ceremony_keys import BOOK, require_pins
from wallflower.campaign.eightwords import WORDS
from wallflower.campaign.repository import OFFLINE, PINS
from wallflower.cli.film import (
    CACHE_HELP,
    campaign_film,
    check_needed,
    shown_progress,
    usual_cache,
)
from wallflower.cli.keys import warn_of_ends
from wallflower.cli.leftovers import ending_in_order
from wallflower.cli.options import FOLDER
from wallflower.cli.sign import sign
from wallflower.errors import Fault, typed
from wallflower.host.inert import inert

if TYPE_CHECKING:
    from wallflower.campaign.edge.shapes import Cards

# Where it is missing, the Fault says which command makes it.
_PINS_FILE = click.Path(dir_okay=False, path_type=Path)
_OTHER_ADDRESS = (
    "One build counts at a time: once this one is signed, what was signed for the campaign's own "
    "address gets older. Films for other addresses alone are made by 'wallflower campaign film'."
)
_CAMPAIGN = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))


@contextmanager
def _borrowing() -> Iterator[None]:
    """Servers do not install what only a campaign needs; a person is told how."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "wallflower").startswith("wallflower"):
            raise
        raise Fault(
            f"{error.name} is not installed",
            "Type: pip install --require-hashes -r requirements/campaign.txt",
        ) from None


@click.group()
def campaign() -> None:
    """Make a campaign: its texts, page, films and checks."""


campaign.add_command(campaign_film)
campaign.add_command(sign)


@campaign.command("new")
@click.argument("folder", type=FOLDER)
def campaign_new(folder: Path) -> None:
    """Write an example campaign into a new folder, to begin from."""
    new_campaign(folder)
    click.echo(f"Made {folder}. Change campaign.toml and the texts, then:")
    click.echo(f"  wallflower campaign preview {typed(folder)}")


@campaign.command("translated")
@_CAMPAIGN
@click.argument("language")
def campaign_translated(folder: Path, language: str) -> None:
    """Say that a translation translates the source as it is now.

    It writes the line 'of' of LANGUAGE.md, and changes nothing else there.

    \b
      wallflower campaign translated office ru
    """
    mark_translated(read_campaign(folder), language)
    click.echo(f"{language}.md now translates the source as it is.")


@campaign.command("build")
@_CAMPAIGN
@click.option(
    "--out", required=True, type=FOLDER, help="gets the build, in place of an earlier one"
)
@click.option("--channel", default="main", show_default=True, help="which of the channels this is")
@click.option(
    "--keys",
    type=FOLDER,
    default=Path("keys"),
    show_default=True,
    help="the folder of keys that the ceremony made, for pins and the eight words",
)
@click.option(
    "--pins", "pins_file", type=_PINS_FILE, help="a pins.json in place of the folder of keys"
)
@click.option("--words", help="the eight words, where the folder of keys is not at hand")
@click.option("--address", help="in place of the campaign's address, where its films lead")
@click.option("--way", "ways", multiple=True, help="in place of the campaign's ways")
@click.option("--board", "boards", multiple=True, help="in place of the campaign's boards")
@click.option("--cache", type=FOLDER, help=CACHE_HELP)
@click.option("--without-films", is_flag=True, help="make no films")
@click.option("--without-cards", is_flag=True, help="make no picture cards of the texts")
@ending_in_order()
def campaign_build(
    folder: Path, out: Path, channel: str, keys: Path, pins_file: Path | None,
    words: str | None, address: str | None, ways: tuple[str, ...], boards: tuple[str, ...],
    cache: Path | None, without_films: bool, without_cards: bool,
) -> None:  # fmt: skip
    """Build every shape: site, file, ZIP, onion, cards, films.

    Nothing is sent anywhere, and the same folder and keys give the same bytes. Then sign it.

    \b
      wallflower campaign build office --keys keys --out bundle
      wallflower campaign sign bundle --keys keys
    """
    from wallflower.campaign.edge.shapes import SUMS, build_bundle, may_replace

    authored = read_campaign(folder)
    if address and address.rstrip("/") != (authored.address or address).rstrip("/"):
        click.echo(_OTHER_ADDRESS, err=True)
    authored = replace(
        authored, ways=ways or authored.ways, boards=boards or authored.boards,
        address=address or authored.address,
    )  # fmt: skip
    pins = require_pins(keys, folder / PINS, pins_file)
    held = keys if pins_file is None else pins_file.parent  # the words are of the same ceremony
    warn_of_ends(held, OFFLINE)
    cards = None if without_cards else _cards()
    _report_texts(authored)
    may_replace(out)
    with tempfile.TemporaryDirectory() as scratch:
        films = {}
        if authored.films and not without_films:
            said = words or (held if (held / BOOK).is_file() else None)
            films = _films(authored, said, Path(scratch), cache)
        built = build_bundle(authored, pins, packaged_page(), out, channel, cards, films)
    for line in built.weights.lines():
        click.echo(line)
    click.echo("requests to anybody else: 0")
    click.echo(f"Built {len(built.hashes)} files in {out}; their hashes are in {out / SUMS}.")


def _films(
    authored: Authored, said: str | Path | None, scratch: Path, cache: Path | None
) -> dict[str, Path]:
    if said is None:
        raise Fault(
            "The films are closed by the eight words of the keys, and nothing here says them",
            f"Type: wallflower campaign build {typed(authored.folder)} --keys KEYS --out OUT, or "
            "give --words, or --without-films.",
        )
    check_needed()
    from wallflower.campaign.edge.films import make_films

    with shown_progress() as progress:
        return make_films(authored, said, scratch, cache or usual_cache(), progress)


def _cards() -> Cards:
    with _borrowing():
        from wallflower.campaign.edge.shapes_cards import draw_cards
    return draw_cards


def _report_texts(authored: Authored) -> None:
    for code in authored.unreviewed():
        click.echo(f"reviewed = false: no reader has checked {code}.md; the page says so", err=True)
    for code, sections in authored.outdated().items():
        click.echo(
            f"outdated: {code}.md, where {authored.languages[0]}.md changed: "
            f"{'; '.join(sections)}. The page says so. When it is up to date: "
            f"wallflower campaign translated {typed(authored.folder)} {code}",
            err=True,
        )


@campaign.command("preview")
@_CAMPAIGN
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="on this computer only; 0 takes any that is free",
)
@ending_in_order()
def campaign_preview(folder: Path, port: int) -> None:
    """Show the page on this computer, again after each change.

    Runs until Ctrl-C, and listens to this computer only.
    """
    with _borrowing():
        from wallflower.campaign.edge.preview import run_preview
    read_campaign(folder)
    run_preview(
        folder, packaged_page(), port, lambda url: click.echo(f"Open {url}"), preview_film()
    )


def preview_film() -> Callable[[Authored, Path], Path | None]:
    """Makes the page's film where this computer can, with words that are nobody's."""
    from wallflower.campaign.film.rendition import SMALL

    try:
        check_needed()
    except Fault as fault:
        click.echo(f"Shown without its film: {fault}", err=True)
        return lambda authored, _: authored.film
    from wallflower.campaign.edge.films import make_films

    def film(authored: Authored, scratch: Path) -> Path | None:
        if authored.film or not authored.films:
            return authored.film
        words = " ".join(["example"] * WORDS)
        made = make_films(authored, words, scratch, usual_cache(), lambda *_: None, only_page=True)
        return made[authored.films[0].stem] / SMALL.name

    return film


@campaign.command("lint")
@_CAMPAIGN
def campaign_lint(folder: Path) -> None:
    """Look for what would betray readers or the campaign.

    Ends with 1 when something was found. It looks at texts, media, names, mirrors (their
    certificates in certificates/*.pem) and the page, and asks nobody. What it cannot judge it
    names.
    """
    with _borrowing():
        from wallflower.campaign.edge.lint import lint
    report = lint(read_campaign(folder), packaged_page())
    for finding in report.findings:
        click.echo(inert(f"{finding.rule}: {finding.what}\n  → {finding.next_step}"))
    for line in report.advice:
        click.echo(inert(f"worth doing: {line}"), err=True)
    for line in report.unsaid:
        click.echo(inert(f"not judged: {line}"), err=True)
    click.echo(f"{len(report.findings)} findings")
    if report.findings:
        sys.exit(1)
