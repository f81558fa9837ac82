"""The ceremony's folders: the publishing computer's keys, and the removable media. Spec: bundle 5.

Root and targets keys are made on their medium and read from it; nothing copies them. Every step is
on the disk before the next begins, so that whatever stops it can be started again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Targets

from wallflower.campaign import ceremony_record, minisign, repository
from wallflower.campaign.ceremony import (
    MINISIGN_ROLE,
    Ceremony,
    Plan,
    Step,
    next_step,
    parse_ceremony,
)
from wallflower.campaign.eightwords import (
    RootKeys,
    fingerprint,
    ids_of,
    key_id,
    organisation_root,
    root_keys,
)
from wallflower.campaign.repository import OFFLINE, Medium
from wallflower.crypto import sign
from wallflower.errors import Fault
from wallflower.host.disk import Folder

Draw = Callable[[int], bytes]
_SEED: Final = 32
_CAMPAIGN: Final = 16
_LABEL: Final = "wallflower-medium.json"
BOOK: Final = "ceremony.json"
NEXT: Final = ".next"


class Ask(Protocol):
    """Who leads through a ceremony: a person at a terminal, or a rehearsal."""

    def plan(self) -> Plan:
        """What was agreed."""
        ...

    def medium(self, label: str) -> Path:
        """The folder of the medium of this label; of any that has not signed yet when empty."""
        ...

    def say(self, text: str) -> None:
        """Tell what was done."""
        ...


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
        if found is None or self.root() is None or self.targets() is None:
            raise no_keys(self.folder.path)
        return found

    def root(self) -> Metadata[Root] | None:
        """The newest root that has all its signatures."""
        return self.roots()[-1] if self.roots() else None

    def roots(self) -> list[Metadata[Root]]:
        """All roots from the first on, whose chain a client follows."""
        found: list[Metadata[Root]] = []
        while data := self.metadata.read(f"{len(found) + 1}.root.json"):
            found.append(_parse(data))
        return found

    def targets(self) -> Metadata[Targets] | None:
        """The top-level targets that have all their signatures."""
        data = self.metadata.read("targets.json")
        return None if data is None else _parse(data)

    def waiting(self) -> dict[str, Metadata[Any]]:
        """Root and targets that wait for signatures."""
        found = {role: self.pending.read(f"{role}.json") for role in OFFLINE}
        return {role: _parse(data) for role, data in found.items() if data is not None}

    def seed(self, role: str) -> bytes:
        """The secret of an online role."""
        seed = self.online.read(f"{role}.key")
        if seed is None or len(seed) != _SEED:
            raise Fault(
                f"The key of the role {role} is missing",
                f"Type: wallflower keys replace {self.folder.path} --role {role}",
            )
        return seed


def no_keys(path: Path) -> Fault:
    """What building and signing say before a ceremony."""
    return Fault(
        "There are no keys yet, and nothing is built or signed without",
        f"Type: wallflower keys ceremony {path}",
    )


def require_keys(path: Path) -> Keys:
    """The keys of a finished ceremony, or a Fault with the command to type. Changes nothing."""
    if not (path / BOOK).is_file():
        raise no_keys(path)
    keys = Keys(path)
    keys.ceremony()
    return keys


def _parse(data: bytes) -> Metadata[Any]:
    try:
        return Metadata.from_bytes(data)
    except RepositoryError:
        raise Fault(
            "A file of the keys is damaged", "Copy the folder of keys again from its backup."
        ) from None


def hold_ceremony(keys: Keys, ask: Ask, now: datetime, draw: Draw) -> Ceremony:
    """Go on from wherever the ceremony stands, to its end. Each step is durable by itself."""
    while True:
        found = keys.load()
        step, label = next_step(found, keys.root() is not None and keys.targets() is not None)
        if found is None:
            plan = ask.plan()
            plan.check()
            keys.folder.write(BOOK, Ceremony(draw(_CAMPAIGN).hex(), plan, {}, {}).encode())
        elif step is Step.MEDIUM:
            medium = make_medium(ask.medium(label), found.campaign, label, draw)
            _keep(keys, replace(found, media={**found.media, label: medium}))
            ask.say(f"Medium {label} has its keys.")
        elif step is Step.ONLINE:
            _keep(keys, replace(found, online=_make_online(keys, found, draw)))
        elif step is Step.SIGN:
            if not keys.waiting():
                found = _with_root(found)
                prepare(keys, found, now, OFFLINE)
            ask.say(f"Medium {sign_pending(keys, ask.medium(''))} has signed.")
            finish(keys)
        else:
            return found


def _keep(keys: Keys, ceremony: Ceremony) -> None:
    keys.folder.write(BOOK, ceremony.encode())


def _with_root(found: Ceremony) -> Ceremony:
    ids = ids_of(medium.root for medium in found.media.values())
    return replace(found, root=organisation_root(RootKeys(ids, found.plan.threshold)))


def _make_online(keys: Keys, found: Ceremony, draw: Draw) -> dict[str, bytes]:
    publics = {}
    for role in found.online_roles():
        if (seed := keys.online.read(f"{role}.key")) is None:
            seed = draw(_SEED)
            keys.online.write(f"{role}.key", seed)
        publics[role] = sign.verify_key(seed)
    return publics


def make_medium(path: Path, campaign: str, label: str, draw: Draw) -> Medium:
    """Make a root and a targets key on a medium. One that belongs elsewhere is left as it is."""
    if not path.is_dir():
        raise Fault("That medium is not there", "Insert it, and give the folder that it shows as.")
    folder = Folder(path)
    mark = {"campaign": campaign, "label": label}
    there = folder.read(_LABEL)
    if there is None and {"root.key", "targets.key"} & set(folder.names()):
        raise Fault("There are other keys on that medium", "Use an empty one. Nothing was changed.")
    if there is not None and _label(there) != mark:
        raise Fault(
            "That medium belongs to another label or campaign", "Use another. Nothing was changed."
        )
    folder.write(_LABEL, json.dumps(mark).encode("utf-8"))
    return Medium(*(_made(folder, f"{role}.key", draw) for role in OFFLINE))


def _label(data: bytes) -> object:
    try:
        return json.loads(data)
    except ValueError:
        return None


def _made(folder: Folder, name: str, draw: Draw) -> bytes:
    """The public half of a key, made unless a start before this one made it."""
    seed = folder.read(name)
    if seed is None:
        seed = draw(_SEED)
        folder.write(name, seed)
    return sign.verify_key(seed)


def prepare(keys: Keys, ceremony: Ceremony, now: datetime, what: tuple[str, ...]) -> None:
    """Lay out new root and targets that wait for signatures of the media."""
    before, targets = keys.root(), keys.targets()
    made: dict[str, Metadata[Any]] = {}
    if Root.type in what:
        version = before.signed.version + 1 if before else 1
        made[Root.type] = repository.make_root(
            version, ceremony.media.values(), ceremony.plan.threshold, ceremony.online, now
        )
    if Targets.type in what:
        version = targets.signed.version + 1 if targets else 1
        publics = {r: k for r, k in ceremony.online.items() if r in _file_roles(ceremony)}
        made[Targets.type] = repository.make_targets(
            version, offline_files(keys, ceremony), publics, ceremony.plan.organisation, now
        )
    for role, metadata in made.items():
        keys.pending.write(f"{role}.json", repository.encode(metadata))
    keys.pending.write(BOOK, ceremony.encode())


def _file_roles(ceremony: Ceremony) -> list[str]:
    return repository.file_roles(ceremony.plan.languages)


def offline_files(keys: Keys, ceremony: Ceremony) -> dict[str, bytes]:
    """The two files that only the offline keys sign: the pins and the minisign key."""
    name = f"{MINISIGN_ROLE}.key"
    seed = keys.online.read(name + NEXT) or keys.online.read(name)
    if seed is None or sign.verify_key(seed) != ceremony.online[MINISIGN_ROLE]:
        seed = keys.seed(MINISIGN_ROLE)
    return {
        repository.PINS: ceremony.pins().encode(),
        repository.MINISIGN: minisign.public_file(seed),
    }


def sign_pending(keys: Keys, path: Path) -> str:
    """Sign with one medium all that waits for it; returns its label."""
    found = keys.load(pending=True)
    waiting = keys.waiting()
    if found is None or not waiting:
        raise Fault("Nothing waits for a signature", "See 'wallflower keys status'.")
    folder = Folder(path) if path.is_dir() else None
    mark = _label((folder.read(_LABEL) or b"") if folder else b"")
    known = {**found.media, **(keys.load() or found).media}
    label = str(mark.get("label")) if isinstance(mark, dict) else ""
    if folder is None or not isinstance(mark, dict) or mark.get("campaign") != found.campaign:
        raise Fault(
            "That medium is not of this campaign", "Insert one that is. Nothing was signed."
        )
    if label not in known:
        raise Fault("That medium was replaced", "Use another one. Nothing was signed.")
    for role, metadata in waiting.items():
        seed = folder.read(f"{role}.key") or b""
        if len(seed) != _SEED or sign.verify_key(seed) != getattr(known[label], role):
            raise Fault("The keys of that medium are damaged", "Use another one, and replace this.")
        if key_id(sign.verify_key(seed)).hex() in _may_sign(keys, waiting, role):
            repository.sign_with(metadata, [seed])
            keys.pending.write(f"{role}.json", repository.encode(metadata))
    return label


def _may_sign(keys: Keys, waiting: dict[str, Metadata[Any]], role: str) -> set[str]:
    """Keys whose signature counts: of the new root, and for a root of the one before it too."""
    roots = [m.signed for m in (waiting.get(Root.type), keys.root()) if m is not None]
    roots = roots if role == Root.type else roots[:1]
    return {i for root in roots for i in root.roles[role].keyids}


def missing(keys: Keys) -> dict[str, int]:
    """role -> how many signatures are missing yet; empty when nothing waits."""
    waiting = keys.waiting()
    return {role: count for role, count in _missing(keys, waiting) if count}


def _missing(keys: Keys, waiting: dict[str, Metadata[Any]]) -> Iterator[tuple[str, int]]:
    before = keys.root()
    newest = waiting.get(Root.type, before)
    for role, metadata in waiting.items():
        under = [newest, before] if role == Root.type else [newest]
        results = [
            m.signed.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
            for m in under
            if m is not None
        ]
        yield role, max(result.missing for result in results)


def finish(keys: Keys) -> bool:
    """When all signatures are there, let the new root, targets and keys count. Can be repeated."""
    waiting, found = keys.waiting(), keys.load(pending=True)
    if found is None or not waiting or missing(keys):
        return False
    for role, metadata in waiting.items():
        name = f"{metadata.signed.version}.root.json" if role == Root.type else f"{role}.json"
        keys.metadata.write(name, repository.encode(metadata))
    for name, data in offline_files(keys, found).items():
        keys.folder.write(name, data)
    for role in found.online:
        if (seed := keys.online.read(f"{role}.key{NEXT}")) is not None:
            keys.online.write(f"{role}.key", seed)
    _keep(keys, found)
    for role in found.online:
        keys.online.erase(f"{role}.key{NEXT}")
    for name in keys.pending.names():
        keys.pending.remove(name)
    return True


def write_record(keys: Keys, now: datetime) -> bytes:
    """Write `record.txt` and `record.html` for printing; returns the fingerprint of the words."""
    found, root = keys.ceremony(), keys.root()
    if root is None:
        raise no_keys(keys.folder.path)
    mark = fingerprint(root_keys(repository.encode(root)))
    line = minisign.public_text(keys.folder.read(repository.MINISIGN) or b"")
    for name, make in (("txt", ceremony_record.as_text), ("html", ceremony_record.as_html)):
        keys.folder.write(f"record.{name}", make(found, mark, line, now).encode("utf-8"))
    return mark


def ends(keys: Keys) -> dict[str, datetime]:
    """role -> when its newest signature ends, of all that was ever signed."""
    root = keys.root()
    found: dict[str, datetime] = {} if root is None else {Root.type: root.signed.expires}
    for name in keys.metadata.names():
        role = name.removesuffix(".json")
        if not role.endswith(f".{Root.type}"):
            found[role] = _parse(keys.metadata.read(name) or b"").signed.expires
    return found
