"""The TUF metadata of a bundle: who signs what, and until when. Spec: bundle.md 2 and 4.

Root and targets are signed offline by m of n media; the rest by keys of the computer that
publishes, each for its own files only. python-tuf makes and checks all of it; no I/O here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Role,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

from wallflower.crypto.derive import sha256

METADATA: Final = "tuf"  # the folder of a bundle that holds it
PINS: Final = "pins.json"
MINISIGN: Final = "minisign.pub"
MANIFEST: Final = "bundle.manifest"
SIGNATURE: Final = "bundle.minisig"
OFFLINE: Final = (Root.type, Targets.type)
TIMES: Final = (Snapshot.type, Timestamp.type)
DEPTH: Final = 8  # parts of a file's name
# Days that a signature counts, and days before its end at which it is an alarm (bundle 4).
DAYS: Final = {Root.type: 730, Targets.type: 365, Snapshot.type: 30, Timestamp.type: 14}
WARN: Final = {Root.type: 90, Targets.type: 60, Snapshot.type: 7, Timestamp.type: 4}
_DAYS_OF_FILES: Final = 365
_WARN_OF_FILES: Final = 60
_PART: Final = re.compile("[a-z]{1,20}")
_FILM: Final = ("*.mp4", "*.webm", "*.m4a", "*.opus", "*.vtt")


class Listed(NamedTuple):
    """A file as its role signs it: bytes, SHA-256 in hex, and the part it is of (bundle 1.4)."""

    length: int
    digest: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Medium:
    """The public halves of one removable medium: a root key and a targets key."""

    root: bytes
    targets: bytes


def file_roles(languages: Iterable[str]) -> list[str]:
    """The delegated roles in the order in which a name is looked for (bundle 2)."""
    return ["film", "ways", *(f"texts-{language}" for language in languages), "page"]


def patterns(role: str) -> list[str]:
    """The names that a delegated role may sign. A `*` never spans a `/` (bundle 2)."""
    if role == "film":
        return [*_below("film"), *_below("films"), *_FILM]
    if role == "ways":
        return ["ways.json", *_below("ways")]
    if role.startswith("texts-"):
        language = role.removeprefix("texts-")
        return [*_below(language), *_below(f"texts/{language}"), f"*.{language}.*"]
    return ["/".join(["*"] * depth) for depth in range(1, DEPTH + 1)]


def _below(folder: str) -> list[str]:
    used = folder.count("/") + 1
    return [f"{folder}/" + "/".join(["*"] * depth) for depth in range(1, DEPTH - used + 1)]


def role_of(name: str, roles: Sequence[str]) -> str:
    """The role that signs a file: the first that may (bundle 2)."""
    return next(role for role in roles if any(matches(name, p) for p in patterns(role)))


def matches(name: str, pattern: str) -> bool:
    """A TUF path pattern: part by part."""
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatch, parts, wanted))


def until(role: str, now: datetime) -> datetime:
    """When a signature of today ends, to the second."""
    days = DAYS.get(role, _DAYS_OF_FILES)
    return now.astimezone(UTC).replace(microsecond=0) + timedelta(days=days)


def signed_on(role: str, expires: datetime) -> datetime:
    """When a signature that ends then was made, by the clock of whoever made it."""
    return expires - timedelta(days=DAYS.get(role, _DAYS_OF_FILES))


def ends_soon(role: str, expires: datetime, now: datetime) -> bool:
    """Whether the end of a signature is an alarm (bundle 4)."""
    return expires - now < timedelta(days=WARN.get(role, _WARN_OF_FILES))


def public_key(public: bytes) -> SSlibKey:
    """TUF's form of an Ed25519 public key; its id follows from it."""
    return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(public))


def sign_with(metadata: Metadata[Any], seeds: Iterable[bytes]) -> None:
    """Add the signature of each seed; one that the same key made before is replaced."""
    for seed in seeds:
        metadata.sign(CryptoSigner(Ed25519PrivateKey.from_private_bytes(seed)), append=True)


def make_root(
    version: int, media: Iterable[Medium], threshold: int, times: Mapping[str, bytes],
    now: datetime,
) -> Metadata[Root]:  # fmt: skip
    """An unsigned root: media for root and targets, one key each for snapshot and timestamp."""
    media = list(media)
    publics = {
        Root.type: [m.root for m in media], Targets.type: [m.targets for m in media],
        **{role: [times[role]] for role in TIMES},
    }  # fmt: skip
    keys: dict[str, Any] = {}
    roles: dict[str, Role] = {}
    for role, own in publics.items():
        made = [public_key(public) for public in own]
        keys |= {key.keyid: key for key in made}
        needed = threshold if role in OFFLINE else 1
        roles[role] = Role([key.keyid for key in made], needed)
    expires = until(Root.type, now)
    return Metadata(Root(version=version, expires=expires, keys=keys, roles=roles))


def make_targets(
    version: int, files: Mapping[str, bytes], publics: Mapping[str, bytes], organisation: str,
    now: datetime,
) -> Metadata[Targets]:  # fmt: skip
    """Unsigned top-level targets: pins and minisign key themselves, and who signs the rest."""
    targets = {name: TargetFile.from_data(name, data, ["sha256"]) for name, data in files.items()}
    targets[PINS].unrecognized_fields["custom"] = {"organisation": organisation}
    keys = {role: public_key(public) for role, public in publics.items()}
    delegated = {
        role: DelegatedRole(role, [key.keyid], 1, terminating=True, paths=patterns(role))
        for role, key in keys.items()
    }
    delegations = Delegations({key.keyid: key for key in keys.values()}, delegated)
    expires = until(Targets.type, now)
    return Metadata(Targets(version, None, expires, targets, delegations))


def make_files(
    role: str, version: int, files: Mapping[str, Listed], now: datetime
) -> Metadata[Targets]:
    """Unsigned metadata of a delegated role over its files."""
    targets = {}
    for name, (length, digest, part) in sorted(files.items()):
        more = {"custom": {"part": part}} if part else {}
        targets[name] = TargetFile(length, {"sha256": digest}, name, more)
    return Metadata(Targets(version, None, until(role, now), targets))


def part_of(target: TargetFile) -> str:
    """The part that a file is of; empty for the site, and where it is no word (bundle 1.4)."""
    custom = target.custom
    part = custom.get("part", "") if isinstance(custom, dict) else ""
    return part if isinstance(part, str) and _PART.fullmatch(part) else ""


def listed(targets: Targets) -> dict[str, Listed]:
    """The files of a role's metadata."""
    return {
        name: Listed(target.length, target.hashes["sha256"], part_of(target))
        for name, target in targets.targets.items()
    }


def make_snapshot(
    version: int, parts: Mapping[str, tuple[int, bytes]], now: datetime
) -> Metadata[Snapshot]:
    """Unsigned snapshot over (version, bytes) of targets and every delegated role."""
    meta = {f"{role}.json": _meta(*parts[role]) for role in sorted(parts)}
    return Metadata(Snapshot(version, None, until(Snapshot.type, now), meta))


def make_timestamp(version: int, snapshot: tuple[int, bytes], now: datetime) -> Metadata[Timestamp]:
    """Unsigned timestamp over (version, bytes) of the snapshot."""
    expires = until(Timestamp.type, now)
    return Metadata(Timestamp(version, None, expires, _meta(*snapshot)))


def _meta(version: int, data: bytes) -> MetaFile:
    return MetaFile(version, len(data), {"sha256": sha256(data).hex()})


def encode(metadata: Metadata[Any]) -> bytes:
    """The bytes of a metadata file: the same ones for the same content."""
    return metadata.to_bytes(JSONSerializer(compact=False))


def counts(root: Root, targets: Targets | None, metadata: Metadata[Any], role: str) -> bool:
    """Whether the signatures of `metadata` suffice for `role` under its delegator."""
    delegator = root if role in (*OFFLINE, *TIMES) else targets
    if delegator is None:
        return False
    try:
        delegator.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
    except UnsignedMetadataError:
        return False
    return True
