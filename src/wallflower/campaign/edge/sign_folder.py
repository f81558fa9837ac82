"""Signing a folder of files in place: TUF metadata, a list of files, a minisign signature.

The folder may hold anything; nothing of it is changed but what signing itself wrote before.
Versions are kept beside the keys and only ever rise. Spec: bundle.md 3 and 4.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tuf.api.metadata import Metadata, Snapshot, Targets, Timestamp

from wallflower.campaign import minisign, repository
from wallflower.campaign.authoring_fields import FILE
from wallflower.campaign.ceremony import MINISIGN_ROLE, Ceremony
from wallflower.campaign.edge.ceremony_keys import BOOK, Keys, parse_metadata
from wallflower.campaign.edge.ceremony_restore import newer
from wallflower.campaign.edge.ceremony_sign import LABEL, offline_files
from wallflower.campaign.edge.sign_last import lost, way_back
from wallflower.campaign.edge.verify_places import scan
from wallflower.campaign.edge.whole import put_whole
from wallflower.campaign.page_pins import check_page_pins, is_page
from wallflower.campaign.repository import MANIFEST, METADATA, SIGNATURE, Listed
from wallflower.campaign.verify import FILES_MAX, MADE, METADATA_MAX, is_metadata
from wallflower.errors import Fault, typed
from wallflower.host.disk import BESIDE

_OF_MEDIA: Final = (repository.PINS, repository.MINISIGN)
_SECRET: Final = (".key", ".token", ".pem")
Files = dict[str, Listed]


@dataclass(frozen=True, slots=True)
class SignedBundle:
    """What was signed: the bundle's version, how many files, and until when it counts as fresh."""

    version: int
    files: int
    fresh_until: datetime


def sign_folder(
    folder: Path, keys: Keys, now: datetime, parts: Mapping[str, Listed] | None = None
) -> SignedBundle:
    """Sign every file of a folder (bundle 4), and with it files of other parts that do not lie
    there (1.4). Refused or a Fault leaves its metadata as it was."""
    found, parts = keys.ceremony(), parts or {}
    _check_settled(keys, now)
    for name in MADE:  # what a signing that was killed left half is no file of the folder
        (folder / f"{name}{BESIDE}").unlink(missing_ok=True)
    names = [n for n in scan(folder) if not is_metadata(n) and n not in MADE]
    if not names:
        raise Fault("There is no file to sign in that folder", "Build the campaign first.")
    _check_no_secret(folder, keys, names)
    _check_not_behind(folder, keys)
    _check_not_lost(keys, found)
    _check_count(keys, found, len(names) + len(parts))
    if both := sorted({*names, *MADE} & parts.keys()):
        raise Fault(f"{both[0]} is in two parts of the bundle", "Give one another name.")
    for name in names:
        if is_page(name):
            check_page_pins((folder / name).read_bytes(), found.pins().encode())
    version = _version(keys, Snapshot.type) + 1
    for name, data in offline_files(keys, found).items():
        put_whole(folder / name, data)
    _write_list(folder, keys, [*names, *_OF_MEDIA], version, now)
    files = {name: digest_of(folder / name) for name in (*names, MANIFEST, SIGNATURE)}
    _sign_roles(keys, found, {**files, **parts}, now)
    until = _sign_times(keys, found, now)
    publish(folder, keys)
    return SignedBundle(version, len(files) + len(parts) + len(_OF_MEDIA), until)


def _check_count(keys: Keys, found: Ceremony, files: int) -> None:
    """A check counts what signing itself adds, too (bundle 6.8), and would refuse the folder."""
    roles = repository.file_roles(found.plan.languages)
    added = len(MADE) + len(keys.roots()) + len(roles) + len((Targets.type, *repository.TIMES))
    if files + added > FILES_MAX:
        raise _too_many()


def _too_many() -> Fault:
    return Fault("There are too many files in that folder", "Leave out what is not needed.")


def _check_no_secret(folder: Path, keys: Keys, names: list[str]) -> None:
    """A bundle is for everybody: no key, token or medium is in it, no folder of keys, and not what
    lists all mirrors."""
    at, held = folder.resolve(), keys.folder.path.resolve()
    inside = at == held or at in held.parents or held in at.parents
    secret = [n for n in names if n.endswith(_SECRET) or Path(n).name in (LABEL, BOOK, FILE)]
    if inside or secret:
        raise Fault(
            f"{secret[0] if secret else 'The folder of keys'} is secret, and a bundle is for "
            "everybody, so nothing was signed",
            "Name the folder that 'wallflower campaign build' made.",
        )


def freshen(folder: Path, keys: Keys, now: datetime) -> SignedBundle:
    """Promise again that the bundle of this folder is the newest; its files are not looked at."""
    found = keys.ceremony()
    _check_settled(keys, now)
    if not (folder / METADATA / f"{Timestamp.type}.json").is_file():
        raise Fault(
            "That folder was never signed", f"Type: wallflower campaign sign {typed(folder)}"
        )
    _check_not_behind(folder, keys)
    _check_last_signed(folder, keys, found)
    until = _sign_times(keys, found, now)
    publish(folder, keys)
    return SignedBundle(_version(keys, Snapshot.type), 0, until)


def _check_not_behind(folder: Path, keys: Keys) -> None:
    """No version that was published before is given to something else."""
    if (folder / METADATA).is_dir() and newer(keys, folder):
        raise Fault(
            "That folder was signed later than these keys know of, so they are an older backup",
            f"Type: wallflower keys restored {typed(keys.folder.path)} {typed(folder)}",
        )


def _check_not_lost(keys: Keys, found: Ceremony) -> None:
    """A Fault where a role's metadata was there once and is gone."""
    if gone := lost(keys, found):
        raise Fault(
            f"The folder of keys has lost what it signed before: {gone[0]}.json, in 'metadata'",
            way_back(keys),
        )


def _check_last_signed(folder: Path, keys: Keys, found: Ceremony) -> None:
    """The files of the folder are those that the keys signed last, by keys that still count, and
    those of the media are what the media signed since."""
    root, targets = keys.root(), keys.targets()
    wanted: dict[str, bytes | None] = {**offline_files(keys, found)}
    for role in repository.file_roles(found.plan.languages):
        held = _read(keys, role)
        counts = (
            held is not None and root is not None and targets is not None
            and repository.counts(root.signed, targets.signed, held, role)
        )  # fmt: skip
        name = f"{METADATA}/{_version(keys, role)}.{role}.json"
        wanted[name] = keys.metadata.read(f"{role}.json") if counts else None
    for name, data in wanted.items():
        there = folder / name
        if data is None or not there.is_file() or there.read_bytes() != data:
            raise Fault(
                "That folder is not what these keys signed last, so a new date alone would not "
                "fit it",
                f"Type: wallflower campaign sign {typed(folder)} --keys {typed(keys.folder.path)}",
            )


def _check_settled(keys: Keys, now: datetime) -> None:
    """Root and targets fit together, and both still count."""
    root, targets = keys.root(), keys.targets()
    if root is None or targets is None or not repository.counts(
        root.signed, None, targets, Targets.type
    ):  # fmt: skip
        raise Fault(
            "Root and targets do not fit together",
            f"Type: wallflower keys status {typed(keys.folder.path)}",
        )
    for metadata, role in ((root, "root"), (targets, "targets")):
        if metadata.signed.is_expired(now):
            raise Fault(
                f"The signature of the offline {role} keys has ended",
                f"Type: wallflower keys renew {typed(keys.folder.path)}, and sign with the media.",
            )


def signed_files(keys: Keys) -> Files:
    """Every file that the keys signed last, but for those of the media."""
    held = (_read(keys, role) for role in repository.file_roles(keys.ceremony().plan.languages))
    return {
        n: file for m in held if m is not None for n, file in repository.listed(m.signed).items()
    }


def digest_of(path: Path, part: str = "") -> Listed:
    """A file as it is signed."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Listed(file.tell(), digest, part)


def _write_list(folder: Path, keys: Keys, names: list[str], version: int, now: datetime) -> None:
    """`bundle.manifest` and `bundle.minisig`, which a person checks with minisign and sha256sum."""
    listed = minisign.make_list({name: digest_of(folder / name).digest for name in names})
    seed = keys.seed(MINISIGN_ROLE)
    put_whole(folder / MANIFEST, listed)
    put_whole(folder / SIGNATURE, minisign.sign_list(seed, listed, comment(version, now)))


def comment(version: int, now: datetime) -> str:
    """What a minisign signature says of itself, signed too (bundle 3.2)."""
    return f"version {version}, signed {now:%Y-%m-%d}"


def _sign_roles(keys: Keys, found: Ceremony, files: Files, now: datetime) -> None:
    roles = repository.file_roles(found.plan.languages)
    own: dict[str, Files] = {role: {} for role in roles}
    for name, held in files.items():
        own[repository.role_of(name, roles)][name] = held
    for role in roles:
        _sign_role(keys, role, own[role], now)


def _sign_role(keys: Keys, role: str, files: Files, now: datetime) -> None:
    """New metadata of a role when its files, its key or its date ask for it."""
    before = _read(keys, role)
    root, targets = keys.root(), keys.targets()
    if before is not None and root is not None and targets is not None:
        good = repository.counts(root.signed, targets.signed, before, role)
        same = repository.listed(before.signed) == files
        ahead = repository.signed_on(role, before.signed.expires) > now  # by a clock that was wrong
        if same and good and not ahead and not _soon(before, role, now):
            return
    made = repository.make_files(role, _version(keys, role) + 1, files, now)
    _write(keys, role, made, keys.seed(role))


def _sign_times(keys: Keys, found: Ceremony, now: datetime) -> datetime:
    """A new snapshot and timestamp over what lies there."""
    parts = {}
    for role in (Targets.type, *repository.file_roles(found.plan.languages)):
        metadata, data = _read(keys, role), keys.metadata.read(f"{role}.json")
        if metadata is None or data is None:
            raise Fault("Nothing was signed yet", "Type: wallflower campaign sign FOLDER")
        if metadata.signed.is_expired(now):
            raise Fault(f"The signature of {role} has ended", "Sign the whole folder again.")
        parts[role] = (metadata.signed.version, data)
    snapshot = repository.make_snapshot(_version(keys, Snapshot.type) + 1, parts, now)
    data = _write(keys, Snapshot.type, snapshot, keys.seed(Snapshot.type))
    stamp = repository.make_timestamp(
        _version(keys, Timestamp.type) + 1, (snapshot.signed.version, data), now
    )
    _write(keys, Timestamp.type, stamp, keys.seed(Timestamp.type))
    until: datetime = stamp.signed.expires
    return until


def _soon(metadata: Metadata[Any], role: str, now: datetime) -> bool:
    return repository.ends_soon(role, metadata.signed.expires, now)


def _read(keys: Keys, role: str) -> Metadata[Any] | None:
    data = keys.metadata.read(f"{role}.json")
    return None if data is None else parse_metadata(data)


def _version(keys: Keys, role: str) -> int:
    metadata = _read(keys, role)
    return 0 if metadata is None else int(metadata.signed.version)


def _write(keys: Keys, role: str, metadata: Metadata[Any], seed: bytes) -> bytes:
    repository.sign_with(metadata, [seed])
    data = repository.encode(metadata)
    if len(data) > METADATA_MAX:
        raise _too_many()
    keys.metadata.write(f"{role}.json", data)
    return data


def published(keys: Keys) -> dict[str, bytes]:
    """Names below `tuf/` and their bytes, the timestamp last: it makes the rest count."""
    return dict(_published(keys, keys.ceremony()))


def _published(keys: Keys, found: Ceremony) -> Iterator[tuple[str, bytes]]:
    for number, root in enumerate(keys.roots(), start=1):
        yield f"{number}.root.json", repository.encode(root)
    for role in (Targets.type, *repository.file_roles(found.plan.languages), Snapshot.type):
        data = keys.metadata.read(f"{role}.json") or b""
        yield f"{_version(keys, role)}.{role}.json", data
    yield f"{Timestamp.type}.json", keys.metadata.read(f"{Timestamp.type}.json") or b""


def publish(folder: Path, keys: Keys) -> None:
    """Put the metadata into the folder; old versions of it go last, since a visitor may read it."""
    place = folder / METADATA
    place.mkdir(exist_ok=True)
    if any(path.is_dir() for path in place.iterdir()):
        raise Fault(
            f"{METADATA}/ holds a folder, and signing made none", "Take it out, sign again."
        )
    files = published(keys)
    for name, data in files.items():
        put_whole(place / name, data)
    for path in place.iterdir():
        if path.name not in files:
            path.unlink()
