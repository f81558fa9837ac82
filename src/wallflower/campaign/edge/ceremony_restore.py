"""Keys that came back from a backup: their versions go on above those that were published.

Whoever checked the newest bundle refuses one with a lower version as rolled back (bundle 6.5), so
a backup that is older than the last signature has to learn of it. Spec: bundle.md 7.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tuf.api.exceptions import DownloadError, RepositoryError
from tuf.api.metadata import Metadata, Root, Targets

from wallflower.campaign import repository
from wallflower.campaign.edge.ceremony_keys import Keys
from wallflower.campaign.edge.verify_places import BASE, FolderPlace
from wallflower.campaign.repository import METADATA, OFFLINE, TIMES
from wallflower.campaign.verify import METADATA_MAX
from wallflower.errors import Fault


def newer(keys: Keys, published: Path) -> dict[str, bytes]:
    """role -> metadata in a published folder that our keys signed and that is newer than ours."""
    place, languages = FolderPlace(published), keys.ceremony().plan.languages
    found = {}
    for role in (*OFFLINE, *repository.file_roles(languages), *TIMES):
        for name in _of_role(place, role):
            data = _read(place, name)
            if _counts(keys, role, data) and _version(data) > _version(_own(keys, role)):
                found[role] = data
    return found


def restore(keys: Keys, published: Path) -> list[str]:
    """Take over what is newer; returns the roles. A Fault changes nothing."""
    if not (published / METADATA).is_dir():  # "nothing is newer" would let old versions be signed
        raise Fault(
            f"That folder has no {METADATA}/ and shows nothing of what was published",
            "Name a site, or what 'wallflower verify ADDRESS --keep FOLDER' leaves.",
        )
    first = "1.root.json"
    if _read(FolderPlace(published), f"{METADATA}/{first}") != keys.metadata.read(first):
        raise Fault(
            "That folder was signed by other keys and shows nothing of what these published",
            "Name a copy that 'wallflower verify' finds genuine by your own eight words.",
        )
    found = newer(keys, published)
    if old := [role for role in OFFLINE if role in found]:
        raise Fault(
            f"The backup is from before the media signed another {old[0]}, and its keys may not "
            "count any more",
            "Look for a newer backup. Without one only a new ceremony helps.",
        )
    for role, data in found.items():
        keys.metadata.write(f"{role}.json", data)
    return list(found)


def _of_role(place: FolderPlace, role: str) -> list[str]:
    """The names of a role's metadata, the oldest version first."""
    own = (f"{METADATA}/{role}.json", f".{role}.json")
    names = [n for n in place.names() if n == own[0] or _number(n, own[1]) >= 0]
    return sorted(names, key=lambda name: _number(name, own[1]))


def _number(name: str, end: str) -> int:
    number = name.removeprefix(f"{METADATA}/").removesuffix(end)
    inside = name.startswith(f"{METADATA}/") and name.endswith(end)
    return int(number) if inside and number.isascii() and number.isdigit() else -1


def _read(place: FolderPlace, name: str) -> bytes:
    try:
        return place.download_bytes(f"{BASE}{name}", METADATA_MAX)
    except DownloadError:
        return b""


def _parsed(data: bytes) -> Metadata[Any] | None:
    try:
        return Metadata.from_bytes(data) if data else None
    except RepositoryError:
        return None


def _version(data: bytes) -> int:
    metadata = _parsed(data)
    return 0 if metadata is None else int(metadata.signed.version)


def _own(keys: Keys, role: str) -> bytes:
    if role == Root.type:
        root = keys.root()
        return b"" if root is None else repository.encode(root)
    return keys.metadata.read(f"{role}.json") or b""


def _counts(keys: Keys, role: str, data: bytes) -> bool:
    """Whether metadata is signed by keys that count for us, so that nobody else drives it up."""
    root, targets, metadata = keys.root(), keys.targets(), _parsed(data)
    if root is None or targets is None or metadata is None or metadata.signed.type != _type(role):
        return False
    return repository.counts(root.signed, targets.signed, metadata, role)


def _type(role: str) -> str:
    return role if role in (*OFFLINE, *TIMES) else Targets.type
