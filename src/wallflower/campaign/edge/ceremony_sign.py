"""What the media sign: laid out first, signed one after the other, and it counts when all is there.

Every step is durable by itself and can be repeated. Spec: bundle.md 5 and 7.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tuf.api.metadata import Metadata, Root, Targets

from wallflower.campaign import minisign, repository
from wallflower.campaign.ceremony import MINISIGN_ROLE, Ceremony
from wallflower.campaign.edge.ceremony_keys import BOOK, NEXT, RECORD, SEED, Keys, keep
from wallflower.campaign.eightwords import key_id
from wallflower.crypto import sign
from wallflower.errors import Fault
from wallflower.host.disk import Folder

LABEL: Final = "wallflower-medium.json"


def prepare(keys: Keys, ceremony: Ceremony, now: datetime, what: tuple[str, ...]) -> None:
    """Lay out new root and targets that wait for signatures of the media. The book goes last: what
    lies there without it was stopped half, and does not wait."""
    for name in keys.pending.names():
        keys.pending.remove(name)
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
    mark = read_label((folder.read(LABEL) or b"") if folder else b"")
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
        if len(seed) != SEED or sign.verify_key(seed) != getattr(known[label], role):
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


def as_missing(waits: Mapping[str, int]) -> str:
    """What is missing, for a person."""
    return ", ".join(f"{count} of {role}" for role, count in waits.items())


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
    for role, public in found.online.items():
        seed = keys.online.read(f"{role}.key{NEXT}")
        if seed is not None and sign.verify_key(seed) == public:
            keys.online.write(f"{role}.key", seed)
    keep(keys, replace(found, roots=len(keys.roots())))
    for name in RECORD:  # that of before would be printed where the power goes before the next is
        keys.folder.remove(name)
    _clear(keys)
    return True


def drop(keys: Keys) -> bool:
    """Give up what waits for signatures; False when it has them all: then it counts from now on.
    Some of it may count already, where the power went within `finish`, and nothing takes that back.
    """
    if finish(keys):
        return False
    _clear(keys)
    return True


def _clear(keys: Keys) -> None:
    """Nothing waits for signatures any more; what counts by now goes on counting."""
    keys.pending.remove(BOOK)  # first: what lies there without it does not wait
    for name in keys.pending.names():
        keys.pending.remove(name)
    for name in keys.online.names():
        if name.endswith(NEXT):
            keys.online.erase(name)


def label_of(path: Path) -> str:
    """The label that a medium bears, whatever the campaign; "" where it bears none."""
    mark = read_label((Folder(path).read(LABEL) or b"") if path.is_dir() else b"")
    return str(mark.get("label", "")) if isinstance(mark, dict) else ""


def read_label(data: bytes) -> object:
    """What a medium says of itself, or None."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
