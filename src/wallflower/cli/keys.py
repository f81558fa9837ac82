"""`wallflower keys`: the ceremony, and what to do when a key is lost, stolen or grows old."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from wallflower.campaign.ceremony import SIGNERS, Plan
from wallflower.campaign.edge.ceremony import hold_ceremony, write_record
from wallflower.campaign.edge.ceremony_keys import BOOK, Keys, ends, require_keys
from wallflower.campaign.edge.ceremony_replace import (
    drop,
    renew,
    replace_medium,
    replace_record,
    replace_role,
)
from wallflower.campaign.edge.ceremony_restore import restore
from wallflower.campaign.edge.ceremony_sign import as_missing, finish, missing, sign_pending
from wallflower.campaign.eightwords import DIGITS, LISTS, to_shown
from wallflower.campaign.repository import OFFLINE, ends_soon
from wallflower.cli.new import make
from wallflower.errors import Fault
from wallflower.host.entropy import OsEntropy
from wallflower.trust.pins import Pins

DRAW = OsEntropy().draw
_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_KEYS = click.argument("folder", metavar="KEYS", type=_FOLDER)
_WHOSE = {
    "organisation": "record.pub of the organisation's server", "a": "record.pub of operator A",
    "b": "record.pub of operator B",
}  # fmt: skip
_ROUTES = Path("/proc/net/route")


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def read_public(path: Path) -> bytes:
    """The public key in a record.pub, or a Fault."""
    try:
        return bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError):
        raise Fault(f"{path} holds no public key", "Ask its operator for record.pub.") from None


class Rehearsal:
    """A ceremony without questions: media are folders that it makes."""

    def __init__(self, plan: Plan, media: Path) -> None:
        self._plan, self._media = plan, media
        self._signing = iter(plan.labels)

    def plan(self) -> Plan:
        """See Ask.plan."""
        return self._plan

    def medium(self, label: str) -> Path:
        """See Ask.medium."""
        path = self._media / f"medium-{label or next(self._signing)}"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def say(self, text: str) -> None:
        """See Ask.say."""

    def again(self, fault: Fault) -> bool:
        """See Ask.again."""
        return False


def rehearse(
    folder: Path, record: dict[str, Path], desk: str, organisation: str = "Office for Clean Hands",
    threshold: int = 2, media: int = 3, languages: tuple[str, ...] = ("en", "zh-Hans", "fa"),
) -> Pins:  # fmt: skip
    """A ceremony for tests and demo: keys in `folder`/keys, media beside it; returns the pins."""
    labels = tuple(str(number) for number in range(1, media + 1))
    publics = {name: read_public(path) for name, path in record.items()}
    plan = Plan(organisation, desk, labels, threshold, languages, publics)
    keys = Keys(folder / "keys")
    found = hold_ceremony(keys, Rehearsal(plan, folder), now(), DRAW)
    write_record(keys, now())
    return found.pins()


class _Person:
    """A ceremony with a person at the terminal."""

    def __init__(self, folder: Path, media: tuple[Path, ...], plan: Callable[[], Plan]) -> None:
        self._folder, self._media, self._make = folder, media, plan
        self._signing = iter(media)

    def plan(self) -> Plan:
        """See Ask.plan."""
        return self._make()

    def medium(self, label: str) -> Path:
        """See Ask.medium."""
        plan = Keys(self._folder).load()
        if self._media and plan is not None:
            if label:
                return self._media[plan.plan.labels.index(label)]
            return next(self._signing, self._media[-1])
        if label:
            click.echo(f"Take an empty medium, write '{label}' on it, and insert it.")
        else:
            click.echo("Insert a medium that has not signed yet.")
        return Path(click.prompt("The folder that it shows as"))

    def say(self, text: str) -> None:
        """See Ask.say."""
        click.echo(text)

    def again(self, fault: Fault) -> bool:
        """See Ask.again."""
        if not self._media:
            click.echo(str(fault))
        return not self._media


def _refuse_network() -> None:
    """Ask, at every start, whether to go on where there is a way to the outside."""
    if _connected():
        click.echo("This computer has a network. A ceremony belongs on one that has none.")
        click.confirm("Go on all the same?", abort=True)


def _connected() -> bool:
    """Whether there is a way to anywhere: a default route."""
    try:
        lines = _ROUTES.read_text("ascii").splitlines()[1:]
    except OSError:
        return False
    return any(line.split()[1] == "00000000" for line in lines if len(line.split()) > 1)


@click.group()
def keys() -> None:
    """Keys of a campaign: the ceremony, and what to do when one is lost or stolen."""


@keys.command()
@click.argument("folder", metavar="KEYS", type=_FOLDER, required=False)
@click.option("--organisation", help="the name that people know")
@click.option("--desk", default="Office", show_default=True, help="the desk's name")
@click.option("--media", type=click.IntRange(1, 16), help="how many removable media")
@click.option("--threshold", type=click.IntRange(1, 16), help="how many of them must sign")
@click.option("--medium", "paths", multiple=True, type=_FOLDER, help="folder of each, in order")
@click.option("--language", "languages", multiple=True, help="of the campaign's texts: en, zh-Hans")
@click.option("--record", "record", type=(click.Choice(SIGNERS), _FILE), multiple=True,
              help="organisation, a or b, and its record.pub")  # fmt: skip
@click.option("--test", "test", type=_FOLDER, help="no questions: all of it in a new folder")
def ceremony(
    folder: Path | None, organisation: str | None, desk: str, media: int | None,
    threshold: int | None, paths: tuple[Path, ...], languages: tuple[str, ...],
    record: tuple[tuple[str, Path], ...], test: Path | None,
) -> None:  # fmt: skip
    """Make all keys of a campaign, step by step.

    KEYS is a new folder on this computer, which should have no network. Started again, the
    ceremony goes on where it stopped. Root and targets keys exist on the media alone.
    """
    if test is not None:
        _test(test, dict(record), desk, languages or ("en", "zh-Hans", "fa"))
        return
    if folder is None:
        raise click.UsageError("Name a folder for the keys: wallflower keys ceremony keys")

    def plan() -> Plan:
        given = dict(record)
        name = organisation or click.prompt("The organisation's name")
        count = len(paths) or media or click.prompt("How many media", default=3, type=int)
        needed = threshold or click.prompt(
            "How many of them must sign", default=count // 2 + 1, type=int
        )
        tags = languages or tuple(
            click.prompt("Languages of the texts, spaces between", default="en zh-Hans").split()
        )
        publics = {
            signer: read_public(
                given.get(signer) or Path(click.prompt(f"File record.pub of {_WHOSE[signer]}"))
            )
            for signer in SIGNERS
        }
        labels = tuple(str(number) for number in range(1, count + 1))
        return Plan(name, desk, labels, needed, tags, publics)

    _refuse_network()
    hold_ceremony(Keys(folder), _Person(folder, paths, plan), now(), DRAW)
    _show(Keys(folder))


def _test(folder: Path, record: dict[str, Path], desk: str, languages: tuple[str, ...]) -> None:
    roles = {"organisation": "organisation", "a": "mix-a", "b": "mix-b"}
    for signer, role in roles.items():
        if signer not in record:
            if not (folder / role).exists():
                make(role, folder / role)
            record[signer] = folder / role / "record.pub"
    rehearse(folder, record, desk, languages=languages)
    _show(Keys(folder / "keys"))


def _show(keys: Keys) -> None:
    mark = write_record(keys, now())
    place = keys.folder.path
    for name in (*LISTS, DIGITS):
        click.echo(f"The eight words ({name}): {to_shown(mark, name)}")
    click.echo(f"Print {place}/record.html, and give {place}/pins.json to A, B, desk and campaign.")


@keys.command()
@_KEYS
@click.option("--json", "as_json", is_flag=True)
def status(folder: Path, as_json: bool) -> None:
    """What ends when, and what waits for signatures. Ends red when something is due."""
    held = require_keys(folder)
    due = ending(held)
    waits = missing(held)
    if as_json:
        all_ends = {role: e.isoformat() for role, e in ends(held).items()}
        click.echo(json.dumps({"ends": all_ends, "due": sorted(due), "missing": waits}))
    else:
        for role, end in sorted(ends(held).items(), key=lambda item: item[1]):
            warning = f"  DUE, type: {_due(role, folder)}" if role in due else ""
            click.echo(f"{role}: until {end:%Y-%m-%d}{warning}")
        for role, count in waits.items():
            what = "signature is" if count == 1 else "signatures are"
            step = f"wallflower keys sign {folder} --medium FOLDER"
            click.echo(f"{role}: {count} {what} missing; type: {step}")
    sys.exit(1 if due or waits else 0)


def ending(held: Keys) -> dict[str, datetime]:
    """role -> when its signature ends, of those whose end is near or was (bundle 4)."""
    moment = now()
    return {role: end for role, end in ends(held).items() if ends_soon(role, end, moment)}


def warn_of_ends(folder: Path, only: tuple[str, ...] = ()) -> None:
    """Say which signatures end soon, or ended, of all roles or of some; nothing without keys."""
    if not (folder / BOOK).is_file():
        return
    for role, end in ending(require_keys(folder)).items():
        if not only or role in only:
            word = "ended" if end <= now() else "ends soon"
            step = _due(role, folder)
            click.echo(f"The signature of {role} {word}, on {end:%F}; type: {step}", err=True)


def _due(role: str, folder: Path) -> str:
    if role in OFFLINE:
        return f"wallflower keys renew {folder}"
    return f"wallflower campaign sign bundle --keys {folder}"


@keys.command()
@_KEYS
@click.option("--medium", "media", multiple=True, required=True, type=_FOLDER,
              help="the folder that a medium shows as; several can be named")  # fmt: skip
def sign(folder: Path, media: tuple[Path, ...]) -> None:
    """Sign with removable media what waits for it, one after the other.

    KEYS is the folder of keys, here on the computer without a network.
    """
    held = require_keys(folder)
    for number, medium in enumerate(media):
        if number == 0 or held.waiting():
            click.echo(f"Medium {sign_pending(held, medium)} has signed.")
            finish(held)
    _tell(held)


def _tell(held: Keys) -> None:
    waits = missing(held)
    if waits:
        click.echo(f"Signatures missing yet: {as_missing(waits)}")
        return
    _show(held)
    place = held.folder.path
    click.echo(f"Now sign the bundle again: wallflower campaign sign bundle --keys {place}")


@keys.command()
@_KEYS
@click.option("--role", help="a new key for this online role")
@click.option("--medium", "gone", help="the label of a medium that is lost or stolen")
@click.option("--by", "new", type=(str, _FOLDER), help="label and folder of the medium instead")
@click.option("--record", "record", type=(click.Choice(SIGNERS), _FILE), multiple=True,
              help="another record.pub of organisation, a or b")  # fmt: skip
def replace(
    folder: Path, role: str | None, gone: str | None, new: tuple[str, Path] | None,
    record: tuple[tuple[str, Path], ...],
) -> None:  # fmt: skip
    """Replace a key that was lost or stolen. It counts when enough media have signed it.

    KEYS is the folder of keys. 'wallflower keys status KEYS' names the roles.
    """
    held = require_keys(folder)
    if [bool(role), bool(gone), bool(record)].count(True) != 1 or bool(gone) != bool(new):
        raise click.UsageError("Give one of --role, --medium with --by, or --record.")
    if role:
        replace_role(held, role, now(), DRAW)
    elif gone and new:
        replace_medium(held, gone, new[0], new[1], now(), DRAW)
    else:
        replace_record(held, {name: read_public(path) for name, path in record}, now())
    _ask_for_media(folder)


@keys.command("renew")
@_KEYS
def renew_(folder: Path) -> None:
    """The same keys for another term; the media sign new dates."""
    renew(require_keys(folder), now())
    _ask_for_media(folder)


def _ask_for_media(folder: Path) -> None:
    click.echo("Prepared. Nothing has changed yet; now the media sign, one after the other:")
    click.echo(f"  wallflower keys sign {folder} --medium FOLDER")


@keys.command()
@_KEYS
@click.argument("published", type=click.Path(exists=True, file_okay=False, path_type=Path))
def restored(folder: Path, published: Path) -> None:
    """Go on after the folder of keys came back from a backup.

    PUBLISHED is a folder of what was published last: 'wallflower verify ADDRESS --keep PUBLISHED'
    makes one. Versions go on above it; nobody believes a lower one.
    """
    roles = restore(require_keys(folder), published)
    click.echo(f"Taken over: {', '.join(roles)}." if roles else "Nothing there is newer.")
    click.echo(f"Now sign the bundle again: wallflower campaign sign bundle --keys {folder}")


@keys.command("drop")
@_KEYS
def drop_(folder: Path) -> None:
    """Give up what waits for signatures; all stays as it was."""
    drop(require_keys(folder))
    click.echo("Dropped. What counted before goes on counting.")
