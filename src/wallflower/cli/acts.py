"""The commands of a source: write, visit, read; and the crowd."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import click

from wallflower.cli.options import FOLDER, MIRROR, PINS, seconds
from wallflower.errors import Fault, Refused
from wallflower.host import Host
from wallflower.host.clock import PacedClock, day_of
from wallflower.host.disk import Folder
from wallflower.host.entropy import OsEntropy
from wallflower.host.http import HttpNet
from wallflower.host.inert import inert
from wallflower.host.net import Unreachable
from wallflower.source.edge.crowd import Crowd
from wallflower.source.edge.store import Store
from wallflower.source.edge.visit import Viewer, own_pace
from wallflower.source.edge.visit import visit as make_visit
from wallflower.source.letters import Kept, Place, is_stale, verify_fresh, write_letter
from wallflower.source.reading import Found, read_board
from wallflower.trust.pins import Pins, parse_pins
from wallflower.trust.record import EpochRecord, verified
from wallflower.wire.census import CHANNELS
from wallflower.wire.letter import Language
from wallflower.wire.segment import parse_segment
from wallflower.wire.sizes import LETTER_TEXT, SECRET
from wallflower.wire.words import LISTS, from_person, to_digits, to_words

F = TypeVar("F", bound=Callable[..., object])
_LANGUAGES = {
    "en": Language.ENGLISH, "zh-Hans": Language.CHINESE, "fa": Language.PERSIAN,
    "ru": Language.RUSSIAN, "es": Language.SPANISH,
}  # fmt: skip


# Bytes of a line that Linux hands on from a terminal (termios(3)); it drops what follows.
_LINE = 4095


def _source_options(command: F) -> F:
    store = click.option(
        "--store", required=True, type=FOLDER, help="the folder that your visits and letters share"
    )
    return PINS(store(command))


def _parts(pins_file: Path, store: Path) -> tuple[Pins, Store]:
    return parse_pins(pins_file.read_bytes()), Store(Folder(store))


def _record(files: Store, known: Pins) -> EpochRecord:
    """The record of the last visit. One from before a signer's key was replaced is as good as none
    (record 5.6)."""
    raw = files.record()
    record = verified(raw, known) if raw is not None else None
    if record is None:
        raise Fault("No visit was made here yet with these pins", "Make one: 'wallflower visit'.")
    return record


def _board(secret: bytes, files: Store, record: EpochRecord) -> Found:
    """What is here for these words. A piece that a disk damaged hides no other: it is only told."""
    segments = []
    for raw in files.segments():
        try:
            segments.append(parse_segment(raw))
        except Refused:
            click.echo("A piece of the board here is damaged. A visit brings it again.", err=True)
    return read_board(secret, segments, record.body.week)


def _words(make_new: bool, language: str) -> bytes:
    """The secret, from a hidden prompt (or standard input), or new and shown once."""
    if not make_new:
        asked = partial(click.prompt, "Your words or digits", hide_input=True)
        return from_person(_typed(asked if sys.stdin.isatty() else sys.stdin.readline))
    secret = OsEntropy().draw(SECRET)
    click.echo("Your words. Write them on paper; they are not kept anywhere:", err=True)
    click.echo("  " + _shown(secret, language), err=True)
    click.echo("or as digits: " + to_digits(secret), err=True)
    return secret


def _shown(secret: bytes, language: str) -> str:
    """New words, of the language where it has a list and this terminal its letters: nobody could
    type escapes in again."""
    words = " ".join(to_words(secret, language if language in LISTS else "en"))
    try:
        words.encode(sys.stderr.encoding)
    except UnicodeEncodeError:
        return " ".join(to_words(secret, "en"))
    return words


def _typed(read: Callable[[], str]) -> str:
    try:
        return read()
    except UnicodeDecodeError:
        raise Fault("What you gave is not UTF-8 text", "Save it as UTF-8 and try again.") from None


def _letter() -> str:
    """A letter from standard input, or a Fault where a terminal may have dropped a part of it."""
    if not sys.stdin.isatty():
        return _typed(sys.stdin.read)
    data = sys.stdin.buffer.read()
    if any(len(line) >= _LINE for line in data.split(b"\n")):
        raise Fault(
            "A line of the letter is so long that the terminal may have cut its end off",
            "Write it again with more line breaks.",
        )
    return _typed(lambda: data.decode(sys.stdin.encoding, sys.stdin.errors or "strict"))


def _free_place(kept: Sequence[Kept], record: EpochRecord) -> int:
    """Where a new letter goes: the place of one that cannot leave any more, which is probably what
    is written again, else one without a letter."""
    places = [i for i, k in enumerate(kept) if k.place is not Place.WAITING or is_stale(k, record)]
    if not places:
        raise Fault("Every place holds a waiting letter", "Let one leave with a visit first.")
    return min(places, key=lambda i: (kept[i].place is not Place.WAITING, kept[i].day))


@click.command()
@_source_options
@click.option("--new-words", is_flag=True, help="begin a new conversation")
@click.option(
    "--language", type=click.Choice(sorted(_LANGUAGES)), default="en", show_default=True,
    help="of the letter, and of new words where there is a list",
)  # fmt: skip
def write(pins_file: Path, store: Path, new_words: bool, language: str) -> None:
    """Seal a letter, offline. It leaves with a visit on a later day.

    Without --new-words you are asked for your words (from a pipe: the first line); the letter
    follows, up to Ctrl-D.

    \b
      wallflower write --pins pins.json --store me --new-words
    """
    known, files = _parts(pins_file, store)
    record = _record(files, known)
    clock = PacedClock(record.body.parameters.pace)
    verify_fresh(record, day_of(clock.now()))
    files.fill(record, known.desk, OsEntropy().draw)
    with files.changing() as kept:  # what the disk refuses, too, is said before a letter is typed
        _free_place(kept, record)
    secret = _words(new_words, language)
    limits = f"at most {LETTER_TEXT} bytes, in lines of fewer than {_LINE}"
    click.echo(f"Write your letter ({limits}), end with Ctrl-D:", err=True)
    text = _letter().strip("\n")
    taken = _board(secret, files, record).receipts
    with files.changing() as kept:  # again: a visit may have ended meanwhile
        record = _record(files, known)  # by older keys, what was sealed since would seem too old
        place = _free_place(kept, record)
        kept[place] = write_letter(
            secret, text, _LANGUAGES[language], record, known.desk, kept, OsEntropy().draw,
            day_of(clock.now()), taken,
        )  # fmt: skip
    click.echo("Sealed. It leaves with your first visit on a later day of UTC.", err=True)
    click.echo("Of several that wait, one leaves with each visit.", err=True)


@click.command()
@_source_options
@MIRROR
@click.option(
    "--channel",
    type=click.IntRange(0, CHANNELS - 1),
    default=0,
    show_default=True,
    help="the number of the kind of copy that you came by",
)
@click.option(
    "--language", type=click.Choice(sorted(_LANGUAGES)), default="en", show_default=True,
    help="in which you would read the page",
)  # fmt: skip
def visit(pins_file: Path, store: Path, mirror: str, channel: int, language: str) -> None:
    """Watch once: hum for 90 seconds, and take the board home.

    What came is read offline. Channel and language are what one visit in eight reports to the
    census, as the page does.

    \b
      wallflower visit --pins pins.json --store me --mirror https://film.example
    """
    known, files = _parts(pins_file, store)
    viewer = Viewer(channel, _LANGUAGES[language])
    with files.visiting():
        asyncio.run(_visit(known, files, mirror, viewer))


@dataclass(slots=True)
class _Told:
    """Says to a source what is so by then, whatever becomes of the rest of the visit."""

    known: Pins
    files: Store
    humming: bool = False
    whole: bool = False

    @property
    def sent(self) -> str:
        """What is so of the hum where the board then could not be had."""
        return "The hum was sent, as on any visit. " if self.whole else ""

    def hums(self) -> None:
        self.humming = True
        click.echo("Humming. This takes 90 seconds, for everyone.", err=True)

    def hummed(self, whole: bool, left: bool) -> None:
        self.whole = whole
        if not whole:
            click.echo(
                "The hum did not come through whole. A letter that waits waits on.", err=True
            )
        if left:
            click.echo("A letter left with this visit.", err=True)
        record = _record(self.files, self.known)
        if any(is_stale(kept, record) for kept in self.files.letters()):
            click.echo(
                "A letter waited too long and cannot leave any more. Write it again.", err=True
            )


async def _visit(known: Pins, files: Store, mirror: str, viewer: Viewer) -> None:
    net, told = HttpNet(), _Told(known, files)
    try:
        pace = await own_pace(mirror, known)
        host = Host(PacedClock(pace), OsEntropy(), Folder(Path(".")), net)
        _, segments = await make_visit(host, mirror, known, files, viewer, told)
    except Unreachable:
        raise _without_answer(told) from None
    except Refused as refused:
        raise _not_believed(told, refused) from None
    finally:
        await net.close()
    click.echo(f"Done. The board has {segments} pieces.", err=True)


def _without_answer(told: _Told) -> Fault:
    """What a source needs to know; nothing of it is tried again by itself."""
    if told.humming:
        return Fault(
            "The board did not come whole, so the one of before stays",
            f"{told.sent}Come back another day.",
        )
    return Fault("Nobody answered there, so nothing was sent", "Come back another day.")


def _not_believed(told: _Told, refused: Refused) -> Fault:
    """The same of what was shown and is refused. What programs drop a source has to go round; and
    what was dropped was no letter."""
    what = f"{refused.what} ({refused.rule})"
    own = refused.next_step if refused.next_step != Refused.DROPPED else ""
    if told.humming:
        step = own or "Use another mirror on another day."
        return Fault(f"{what}, so the board of before stays", told.sent + step)
    step = own or "Use another mirror; if each shows the same, ask for new pins."
    return Fault(f"{what}, so nothing was sent", step)


@click.command()
@_source_options
@click.option("--json", "as_json", is_flag=True, help="replies and receipts as one JSON object")
def read(pins_file: Path, store: Path, as_json: bool) -> None:
    """Look for answers and receipts on the board of the last visit. Offline.

    You are asked for your words (from a pipe: the first line); whoever has them can read the same.

    \b
      wallflower read --pins pins.json --store me
    """
    known, files = _parts(pins_file, store)
    record = _record(files, known)
    secret = _words(make_new=False, language="en")
    found = _board(secret, files, record)
    if as_json:
        replies = [reply.text for reply in found.replies]
        click.echo(json.dumps({"replies": replies, "receipts": sorted(found.receipts)}))
        return
    for reply in found.replies:
        click.echo(f"--- answer, week {reply.week} ---\n{inert(reply.text)}")
    click.echo(f"This board has receipts for {len(found.receipts)} of your letters.")
    click.echo("Each stays on it for two weeks, and says that the desk has the letter.")
    if not found.replies:
        click.echo("There is no answer on this board. That can be normal; come back another day.")


@click.command()
@PINS
@MIRROR
@click.option(
    "--viewers", type=click.IntRange(0), default=200, show_default=True, help="how many come"
)
@click.option(
    "--pause",
    type=seconds(),
    default=86400.0,
    show_default=True,
    help="seconds of the record's time between two visits of one, on average",
)
def crowd(pins_file: Path, mirror: str, viewers: int, pause: float) -> None:
    """Send the hums of many honest viewers to your own servers.

    It is for demo and lab, and prints its counts twice a second, a JSON object a line, until it is
    stopped (Ctrl-C).
    """
    known = parse_pins(pins_file.read_bytes())
    asyncio.run(_crowd(known, mirror, viewers, pause))


async def _crowd(known: Pins, mirror: str, viewers: int, pause: float) -> None:
    host = Host(
        PacedClock(await own_pace(mirror, known)), OsEntropy(), Folder(Path(".")), HttpNet(256)
    )
    people = Crowd(host, mirror, known, viewers, pause)
    work = asyncio.ensure_future(people.run())
    while not work.done():
        await asyncio.wait([work], timeout=0.5)
        c = people.counts
        line = {
            "viewers": c.viewers, "watched": len(c.watched), "hums": c.hums, "cells": c.cells,
            "refused": c.refused,
        }  # fmt: skip
        click.echo(json.dumps(line))
