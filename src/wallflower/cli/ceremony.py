"""`wallflower keys ceremony`: a person at a terminal is led through it, or it is rehearsed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from wallflower.campaign.ceremony import SIGNERS, Plan
from wallflower.campaign.edge.ceremony import hold_ceremony, write_record
from wallflower.campaign.edge.ceremony_keys import Keys
from wallflower.campaign.edge.ceremony_sign import label_of
from wallflower.campaign.eightwords import DIGITS, LISTS, to_shown
from wallflower.cli.new import make
from wallflower.cli.options import FILE, FOLDER
from wallflower.errors import Fault, typed
from wallflower.host.entropy import OsEntropy
from wallflower.trust.pins import Pins

DRAW = OsEntropy().draw
_WHOSE = {
    "organisation": "record.pub of the organisation's server", "a": "record.pub of operator A",
    "b": "record.pub of operator B",
}  # fmt: skip
_ROUTES = Path("/proc/net/route")
_ROUTES_V6 = Path("/proc/net/ipv6_route")


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def read_public(path: Path) -> bytes:
    """The public key in a record.pub, or a Fault."""
    try:
        return bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError):
        raise Fault(
            f"{path.name} holds no public key", "Ask its operator for record.pub."
        ) from None


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
    with keys.alone():
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
        if self._media:
            found = self._named(label) if label else next(self._signing, None)
            if found is None:  # whoever goes on with the medium at hand names that alone
                raise Fault(
                    "The ceremony needs another medium than was named, and goes on where it is now",
                    f"Insert it. Type: wallflower keys ceremony {typed(self._folder)} "
                    "--medium FOLDER",
                )
            return found
        if label:
            click.echo(f"Take an empty medium, write '{label}' on it, and insert it.")
        else:
            click.echo("Insert a medium that has not signed yet.")
        return Path(click.prompt("The folder that it shows as"))

    def _named(self, label: str) -> Path | None:
        """The medium of that label among those that were named, or the first that has none."""
        marks = {path: label_of(path) for path in self._media}
        return next((p for mark in (label, "") for p, held in marks.items() if held == mark), None)

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


def say_clock(moment: datetime, wrong: str = "Stop (Ctrl-C) and set it if that is wrong.") -> None:
    """Show the moment that signatures will count from, as this computer's zone and as UTC have it:
    who has no network may have a wrong clock, or a wrong zone."""
    here, there = f"{moment.astimezone():%Y-%m-%d %H:%M %Z}", f"{moment:%Y-%m-%d %H:%M} UTC"
    both = here if here == there else f"{here} ({there})"
    click.echo(f"By this computer's clock it is {both}; signatures count from")
    click.echo(f"then. {wrong}")


def _connected() -> bool:
    """Whether there is a way to anywhere: a default route, of either kind of address."""
    v4 = (route[1:2] == ["00000000"] for route in _fields(_ROUTES))
    # The kernel has a route of its own at "lo", which leads nowhere.
    v6 = (r[:2] == ["0" * 32, "00"] and r[-1] != "lo" for r in _fields(_ROUTES_V6))
    return any(v4) or any(v6)


def _fields(routes: Path) -> list[list[str]]:
    try:
        return [line.split() for line in routes.read_text("ascii").splitlines()]
    except OSError:  # this system has no addresses of that kind
        return []


@click.command()
@click.argument("folder", metavar="KEYS", type=FOLDER, required=False)
@click.option("--organisation", help="the name that people know")
@click.option("--desk", default="Office", show_default=True, help="the desk's name")
@click.option("--media", type=click.IntRange(1, 16), help="how many removable media")
@click.option("--threshold", type=click.IntRange(1, 16), help="how many of them must sign")
@click.option(
    "--medium",
    "paths",
    multiple=True,
    type=FOLDER,
    help="folder of each, in order, or of the one at hand",
)
@click.option("--language", "languages", multiple=True, help="of the campaign's texts: en, zh-Hans")
@click.option("--record", "record", type=(click.Choice(SIGNERS), FILE), multiple=True,
              help="organisation, a or b, and its record.pub")  # fmt: skip
@click.option("--test", "test", type=FOLDER, help="no questions: all of it in a new folder")
def ceremony(
    folder: Path | None, organisation: str | None, desk: str, media: int | None,
    threshold: int | None, paths: tuple[Path, ...], languages: tuple[str, ...],
    record: tuple[tuple[str, Path], ...], test: Path | None,
) -> None:  # fmt: skip
    """Make all keys of a campaign, step by step.

    KEYS is a new folder on this computer, which should have no network. Started again, the
    ceremony goes on where it stopped. Root and targets keys exist on the media alone. What no
    option says is asked.

    \b
      wallflower keys ceremony keys
      wallflower keys ceremony --test try      to try: media are folders in it
    """
    if test is not None:
        _test(test, dict(record), desk, languages or ("en", "zh-Hans", "fa"))
        return
    if folder is None:
        raise click.UsageError("Name a folder for the keys: wallflower keys ceremony keys")

    def plan() -> Plan:
        given = dict(record)
        name = organisation or click.prompt("The organisation's name")
        named = len(paths) if len(paths) > 1 else 0  # one may be the one at hand
        count = media or named or click.prompt("How many media", default=3, type=int)
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
    say_clock(now())
    held = Keys(folder)
    with held.alone():
        hold_ceremony(held, _Person(folder, paths, plan), now(), DRAW)
        show(held)


def _test(folder: Path, record: dict[str, Path], desk: str, languages: tuple[str, ...]) -> None:
    roles = {"organisation": "organisation", "a": "mix-a", "b": "mix-b"}
    for signer, role in roles.items():
        if signer not in record:
            if not (folder / role / f"{role}.toml").exists():  # nor where one was killed half
                make(role, folder / role)
            record[signer] = folder / role / "record.pub"
    rehearse(folder, record, desk, languages=languages)
    show(Keys(folder / "keys"))


def show(keys: Keys) -> None:
    """Write the record for the drawer anew, and show the eight words."""
    mark = write_record(keys, now())
    place = keys.folder.path
    for name in (*LISTS, DIGITS):
        click.echo(f"The eight words ({name}): {to_shown(mark, name)}")
    record, pins = typed(place / "record.html"), typed(place / "pins.json")
    click.echo(f"Print {record}, and give {pins} to")
    click.echo("organisation, A, B, desk, loop senders and campaign.")
