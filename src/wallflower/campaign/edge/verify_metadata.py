"""The metadata of a bundle, verified by python-tuf's client, every refusal under its number.

python-tuf takes no moment and tells no reasons apart: this module sets the one and reads the other
from its trusted set, and nobody else touches that. Spec: bundle.md 6.1-6.10 and 6.20.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tuf.api import exceptions
from tuf.api.metadata import Metadata, Targets
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from wallflower.campaign.edge.verify_places import Absent, Link, Place
from wallflower.campaign.edge.whole import put_whole
from wallflower.campaign.eightwords import fingerprint, is_said, root_keys
from wallflower.campaign.repository import METADATA
from wallflower.campaign.verify import FILES_MAX, METADATA_MAX, NEXT, ROLES_MAX
from wallflower.errors import Fault, Refused

AGAIN: Final = "Try again, or another place."
ROOT_MAX: Final = 64 * 1024
_TIME_MAX: Final = 16 * 1024
_MAX_ROOTS: Final = 64
_CONFIG: Final = UpdaterConfig(
    max_root_rotations=_MAX_ROOTS, root_max_length=ROOT_MAX, timestamp_max_length=_TIME_MAX,
    snapshot_max_length=METADATA_MAX, targets_max_length=METADATA_MAX,
    prefix_targets_with_hash=False,
)  # fmt: skip
# In a folder that remembers: the root in it was once compared, not only seen.
_COMPARED: Final = "compared"
_HISTORY: Final = "root_history"  # python-tuf's name for the roots of the verified chain
_ROOT: Final = "root.json"
# Before every signature that was ever made: asked with this time, nothing has ended yet.
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Trust:
    """What stands behind a check: words that a person typed, a root file kept, or a folder that
    remembers an earlier check. Without any, the report says that nobody compared the words."""

    words: str = ""
    root: bytes = b""
    remember: Path | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """Verified metadata. `old`: its promise to be up to date has ended. `compared`: words, a kept
    root or an earlier check stood behind it."""

    updater: Updater
    old: bool
    compared: bool

    @property
    def set(self) -> Any:
        """python-tuf's trusted set: the verified metadata by the names of roles."""
        return self.updater._trusted_set


@contextmanager
def metadata_folder(trust: Trust) -> Iterator[Path]:
    """A folder for verified metadata, which goes away; what an earlier check remembered is in it.
    What the block verified is remembered when it ends well: a copy that was refused, or that is of
    other words, leaves nothing that would speak against the right one."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, held = Path(scratch), trust.remember
        if held is not None and _believed(trust, held):
            _take_over(held, folder)
        yield folder
        if held is not None:
            held.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _believed(trust, held):
                shutil.rmtree(held / _HISTORY, ignore_errors=True)
            _take_over(folder, held)


def _believed(trust: Trust, held: Path) -> bool:
    """Whether what was remembered counts. What was only seen, and never compared, gives way to
    words or a root that somebody brings now."""
    return (held / _COMPARED).exists() or not (trust.words or trust.root)


def _take_over(source: Path, to: Path) -> None:
    """Copy metadata, the roots first: whoever stops here has roots and no times, as at first."""
    (to / _HISTORY).mkdir(exist_ok=True)
    for path in (*source.glob(f"{_HISTORY}/*.{_ROOT}"), *source.glob("*.json")):
        put_whole(to / path.relative_to(source), path.read_bytes())
    if (source / _COMPARED).exists():
        (to / _COMPARED).touch()


def open_metadata(place: Place, trust: Trust, folder: Path, now: datetime) -> Opened:
    """The metadata, verified from the first root on; expired is told apart from wrong."""
    first = _known_root(trust, folder) or _first_root(place)
    root_keys(first)
    try:
        updater, old = _refresh(place, first, folder, now), False
    except exceptions.ExpiredMetadataError:
        updater, old = _refresh(place, first, folder, _LONG_AGO), True
    compared = bool(trust.root) or (folder / _COMPARED).exists()
    if trust.words:
        compared = _check_words(trust.words, folder, updater)
    if compared:
        (folder / _COMPARED).touch()
    return Opened(updater, old, compared)


def _known_root(trust: Trust, folder: Path) -> bytes:
    """A root of one's own, or b""; a Fault when it is damaged, which says nothing of the copy."""
    known = trust.root or _remembered(folder)
    try:
        if known:
            root_keys(known)
    except Refused:
        raise Fault(
            "The root that was given, or is remembered, is no root file",
            "Take another file or folder, and compare the eight words again.",
        ) from None
    return known


def _remembered(folder: Path) -> bytes:
    try:
        return (folder / _ROOT).read_bytes()
    except FileNotFoundError:
        return b""


def _first_root(place: Place) -> bytes:
    try:
        return place.download_bytes(f"{place.base}{METADATA}/1.root.json", ROOT_MAX)
    except Absent:
        raise Refused("bundle 6.1", "That is no signed bundle", NEXT) from None
    except exceptions.DownloadError as error:
        raise transfer(error) from None


class _Watched(FetcherInterface):
    """A place's fetcher that keeps the last metadata it gave, to tell why it was refused."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.last = b""

    def _fetch(self, url: str) -> Iterator[bytes]:
        return self._place.fetch(url)

    def download_bytes(self, url: str, max_length: int) -> bytes:
        """See FetcherInterface.download_bytes."""
        self.last = super().download_bytes(url, max_length)
        return self.last


def _refresh(place: Place, first: bytes, folder: Path, now: datetime) -> Updater:
    """All metadata by python-tuf's client workflow, every refusal under its number."""
    watched, updater = _Watched(place), None
    try:
        updater = Updater(
            str(folder), f"{place.base}{METADATA}/", fetcher=watched, config=_CONFIG,
            bootstrap=first,
        )  # fmt: skip
        updater._trusted_set.reference_time = now
        updater.refresh()
        _load_files(updater)
    except exceptions.ExpiredMetadataError:
        raise
    except exceptions.UnsignedMetadataError:
        raise _unsigned(updater, watched.last) from None
    except exceptions.DownloadError as error:
        raise transfer(error) from None
    except exceptions.RepositoryError as error:
        raise _metadata(error) from None
    for held in _roots(folder, updater):
        root_keys(held)
    return updater


def _load_files(updater: Updater) -> None:
    """The delegated roles, each counted before the next is asked for, or Refused (bundle 6.8)."""
    top: Targets = updater._trusted_set.targets
    files = len(top.targets)
    for role in delegated(top):
        files += len(updater._load_targets(role, Targets.type).targets)
        if files > FILES_MAX:
            raise Refused("bundle 6.8", "More files are signed than there may be", NEXT)


def delegated(targets: Targets) -> list[str]:
    """The names of the delegated roles, or Refused (bundle 6.2, 6.8)."""
    if targets.delegations is None or not targets.delegations.roles:
        raise Refused("bundle 6.2", "The signed metadata names no roles", NEXT)
    if len(targets.delegations.roles) > ROLES_MAX:
        raise Refused("bundle 6.8", "The signed metadata names more roles than there may be", NEXT)
    return list(targets.delegations.roles)


def _roots(folder: Path, updater: Updater) -> Iterator[bytes]:
    """The verified roots at hand, the newest first."""
    for version in range(updater._trusted_set.root.version, 0, -1):
        held = folder / _HISTORY / f"{version}.{_ROOT}"
        if held.exists():
            yield held.read_bytes()


def _unsigned(updater: Updater | None, data: bytes) -> Refused:
    """Too few signatures (bundle 6.4), or only of keys that do not count, or no more (6.20)."""
    few = Refused("bundle 6.4", "The metadata has too few signatures of keys that count", NEXT)
    if updater is None:
        return few
    signers = set(Metadata[Any].from_bytes(data).signatures)
    known: set[str] = set()
    for role in updater._trusted_set.root.roles.values():
        known |= set(role.keyids)
    if Targets.type in updater._trusted_set:
        delegations = updater._trusted_set.targets.delegations
        known |= set(delegations.keys) if delegations else set()
    if signers and not signers & known:
        return Refused("bundle 6.20", "It is signed by a key that does not count, or no more", NEXT)
    return few


def transfer(error: exceptions.DownloadError) -> Refused:
    """What went wrong on the way (bundle 6.8-6.10, 6.13)."""
    if isinstance(error, Link):
        return Refused("bundle 6.13", "It is a link or a device, which nobody follows", NEXT)
    if isinstance(error, exceptions.DownloadLengthMismatchError):
        return Refused("bundle 6.8", "More was sent than was signed", NEXT)
    if isinstance(error, exceptions.SlowRetrievalError):
        return Refused("bundle 6.9", "The answer came too slowly to be honest", AGAIN)
    return Refused("bundle 6.10", "A part cannot be had, or broke off", AGAIN)


def _metadata(error: exceptions.RepositoryError) -> Refused:
    """What is wrong with the metadata (bundle 6.2, 6.5, 6.6)."""
    if isinstance(error, exceptions.BadVersionNumberError):
        what = "The metadata is older than what was seen before"
        return Refused("bundle 6.5", what, NEXT)
    if isinstance(error, exceptions.LengthOrHashMismatchError):
        return Refused("bundle 6.6", "Parts of different versions were mixed", NEXT)
    return Refused("bundle 6.2", "The signed metadata cannot be read", NEXT)


def _check_words(words: str, folder: Path, updater: Updater) -> bool:
    """The words are those of a root of the verified chain, the newest first (bundle 6.3)."""
    if any(is_said(words, fingerprint(root_keys(held))) for held in _roots(folder, updater)):
        return True
    raise Refused("bundle 6.3", "The eight words are others than those that you gave", NEXT)
