"""The folder of keys of the computer that builds and publishes. Spec: bundle.md 5.

It holds the online keys, all metadata that counts, and what waits for signatures of the media.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Targets

from wallflower.campaign.ceremony import Ceremony, parse_ceremony
from wallflower.campaign.repository import OFFLINE, PINS
from wallflower.errors import Fault, typed
from wallflower.host.disk import Folder, held
from wallflower.trust.pins import Pins, parse_pins

SEED: Final = 32
BOOK: Final = "ceremony.json"
NEXT: Final = ".next"
RECORD: Final = ("record.txt", "record.html")


class Keys:
    """The folder of keys of the computer that builds and publishes."""

    def __init__(self, path: Path) -> None:
        self.folder = Folder(path)
        self.metadata = self.folder.folder("metadata")
        self.pending = self.folder.folder("pending")
        self.online = self.folder.folder("online")

    def load(self, pending: bool = False) -> Ceremony | None:
        """The ceremony as it stands, or with the changes that wait for signatures."""
        data = (self.pending.read(BOOK) if pending else None) or self.folder.read(BOOK)
        return None if data is None else parse_ceremony(data)

    def ceremony(self) -> Ceremony:
        """The ceremony of a folder that went through one, or a Fault with the command to type."""
        found = self.load()
        if found is not None:
            self.check_signed(found)
        if found is None or self.root() is None or self.targets() is None:
            raise no_keys(self.folder.path)
        return found

    def check_signed(self, found: Ceremony) -> None:
        """A Fault where what the media signed was there once and is gone: signed anew it would
        begin at version 1, which everybody refuses who has seen a later one. Of roots one in the
        middle is missed, too: those behind it would count no more. And so is the newest: keys that
        it replaced would count again."""
        roots = [name for name in self.metadata.names() if name.endswith(f".{Root.type}.json")]
        held = len(self.roots())
        if found.root and (self.targets() is None or not 0 < len(roots) == held >= found.roots):
            raise Fault(
                "The folder of keys has lost what the media signed, in 'metadata'",
                "Copy it whole again from its backup. Without one only a new ceremony helps.",
            )

    def root(self) -> Metadata[Root] | None:
        """The newest root that has all its signatures."""
        return self.roots()[-1] if self.roots() else None

    def roots(self) -> list[Metadata[Root]]:
        """All roots from the first on, whose chain a client follows."""
        found: list[Metadata[Root]] = []
        while data := self.metadata.read(f"{len(found) + 1}.root.json"):
            found.append(parse_metadata(data))
        return found

    def targets(self) -> Metadata[Targets] | None:
        """The top-level targets that have all their signatures."""
        data = self.metadata.read("targets.json")
        return None if data is None else parse_metadata(data)

    def waiting(self) -> dict[str, Metadata[Any]]:
        """Root and targets that wait for signatures; nothing where laying them out was stopped."""
        if self.pending.read(BOOK) is None:
            return {}
        found = {role: self.pending.read(f"{role}.json") for role in OFFLINE}
        return {role: parse_metadata(data) for role, data in found.items() if data is not None}

    def has_record(self) -> bool:
        """Whether the record for the drawer was written since the last change of keys."""
        return set(RECORD) <= set(self.folder.names())

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A Fault while another command uses this folder: two who sign at once would give one
        version to two different things."""
        step = "Wait until that has ended, and type this again."
        with held(self.folder.path, Fault("Another command uses these keys at this moment", step)):
            yield

    def seed(self, role: str) -> bytes:
        """The secret of an online role."""
        seed = self.online.read(f"{role}.key")
        if seed is None or len(seed) != SEED:
            raise Fault(
                f"The key of the role {role} is missing",
                f"Type: wallflower keys replace {typed(self.folder.path)} --role {role}",
            )
        return seed


def no_keys(path: Path) -> Fault:
    """What building and signing say before a ceremony, and in the middle of one."""
    if (path / BOOK).is_file():
        return Fault(
            "The ceremony of these keys has not ended, and nothing is built or signed before",
            f"It goes on where it stopped. Type: wallflower keys ceremony {typed(path)}",
        )
    return Fault(
        "There are no keys yet, and nothing is built or signed without",
        f"Type: wallflower keys ceremony {typed(path)}",
    )


def require_keys(path: Path) -> Keys:
    """The keys of a finished ceremony, or a Fault with the command to type. Changes nothing."""
    if not (path / BOOK).is_file():
        raise no_keys(path)
    keys = Keys(path)
    keys.ceremony()
    return keys


def require_pins(keys: Path, own: Path, given: Path | None = None) -> Pins:
    """The pins that a bundle carries, or a Fault with the command to type. A page without pins
    would look like one with them and hide nobody.

    They are those of the ceremony in the folder `keys`; `own`, the pins file in the campaign's
    folder, must be the same, and stands alone where there is no such folder: for those who build
    again what somebody else signs. `given` is a file to take in place of both.
    """
    if given is not None:
        if given.name != PINS and not given.is_file():  # a slip says nothing of a ceremony
            raise Fault(f"There is no file {given.name}", f"Give the {PINS} of the ceremony.")
        if not given.is_file():
            raise no_keys(given.parent)
        return parse_pins(given.read_bytes())
    if not (keys / BOOK).is_file() and own.is_file():
        return parse_pins(own.read_bytes())
    held = require_keys(keys).ceremony().pins()
    if own.is_file() and parse_pins(own.read_bytes()) != held:
        raise Fault(
            f"{own.name} is of another ceremony than those keys, which would not sign it",
            f"Type: cp {typed(keys / PINS)} {typed(own)}",
        )
    return held


def parse_metadata(data: bytes) -> Metadata[Any]:
    """Metadata of our own, or a Fault when it was damaged."""
    try:
        return Metadata.from_bytes(data)
    except RepositoryError:
        raise Fault(
            "A file of the keys is damaged", "Copy the folder of keys again from its backup."
        ) from None


def keep(keys: Keys, ceremony: Ceremony) -> None:
    """Write down how far the ceremony came."""
    keys.folder.write(BOOK, ceremony.encode())


def ends(keys: Keys) -> dict[str, datetime]:
    """role -> when its newest signature ends, of all that was ever signed."""
    root = keys.root()
    found: dict[str, datetime] = {} if root is None else {Root.type: root.signed.expires}
    for name in keys.metadata.names():
        role = name.removesuffix(".json")
        if not role.endswith(f".{Root.type}"):
            found[role] = parse_metadata(keys.metadata.read(name) or b"").signed.expires
    return found
