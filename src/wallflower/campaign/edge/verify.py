"""Checking a bundle, wherever it lies, with python-tuf's own client. Spec: bundle.md 6.

Nothing of a bundle is written anywhere before all of it was checked, and then only into a folder
that was asked for and is new. What is remembered from one check to the next is TUF metadata alone.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from tuf.api import exceptions
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from wallflower.campaign import minisign
from wallflower.campaign.edge.repository import check_pins_text
from wallflower.campaign.edge.verify_places import Place
from wallflower.campaign.eightwords import (
    DIGITS,
    fingerprint,
    is_said,
    root_keys,
    to_shown,
)
from wallflower.campaign.repository import MANIFEST, METADATA, MINISIGN, PINS, SIGNATURE
from wallflower.campaign.verify import (
    FILE_MAX,
    METADATA_MAX,
    NEXT,
    Difference,
    Report,
    Verdict,
    check_name,
    is_metadata,
    refused_report,
    verdict_of,
)
from wallflower.errors import Fault, Refused

ROOT_MAX: Final = 64 * 1024
_TIME_MAX: Final = 16 * 1024
_MAX_ROOTS: Final = 64
_PIECE: Final = 64 * 1024
_CONFIG: Final = UpdaterConfig(
    max_root_rotations=_MAX_ROOTS, root_max_length=ROOT_MAX, timestamp_max_length=_TIME_MAX,
    snapshot_max_length=METADATA_MAX, targets_max_length=METADATA_MAX,
    prefix_targets_with_hash=False,
)  # fmt: skip
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
class _Opened:
    updater: Updater
    old: bool
    compared: bool

    @property
    def set(self) -> Any:
        return self.updater._trusted_set


def check(place: Place, trust: Trust, now: datetime, keep: Path | None = None) -> Report:
    """Check a whole bundle at a moment; with `keep`, leave a copy in that new folder if it is
    genuine or only old."""
    try:
        with _metadata_folder(trust) as folder:
            opened = _open(place, trust, folder, now)
            report, targets = _report(opened), _targets(opened)
            with tempfile.TemporaryDirectory() as staged:
                differs = tuple(_differences(place, opened, targets, Path(staged)))
                verdict = verdict_of(differs, opened.old, opened.compared)
                if keep is not None and verdict is not Verdict.REFUSED:
                    _keep(Path(staged), targets, keep)
            return _closed(report, verdict, differs, len(targets))
    except Refused as refused:
        return refused_report(refused)


def check_file(file: Path, place: Place, trust: Trust, now: datetime) -> Report:
    """Check one file against the bundle at a place: whether it is one of its files, by content."""
    try:
        with _metadata_folder(trust) as folder:
            opened = _open(place, trust, folder, now)
            report, targets = _report(opened), _targets(opened)
            if not any(_is(file, target) for target in targets.values()):
                raise Refused("bundle 6.18", "That file is none of this bundle", NEXT)
            return _closed(report, verdict_of((), opened.old, opened.compared), (), 1)
    except Refused as refused:
        return refused_report(refused)


def _closed(
    report: Report, verdict: Verdict, differs: tuple[Difference, ...], files: int
) -> Report:
    """The report with its reason, if there is one."""
    rule = what = step = ""
    if differs:
        rule, what, step = differs[0].rule, "Files are not as they were signed", NEXT
    elif verdict is Verdict.OLD:
        rule, what = "bundle 6.7", "The promise to be up to date has ended"
        step = "Ask another place for a newer copy."
    return replace(
        report, verdict=verdict, differs=differs, files=files, rule=rule, what=what, next_step=step
    )


def _is(file: Path, target: TargetFile) -> bool:
    try:
        with file.open("rb") as opened:
            target.verify_length_and_hashes(opened)
    except exceptions.LengthOrHashMismatchError:
        return False
    return True


@contextmanager
def _metadata_folder(trust: Trust) -> Iterator[Path]:
    if trust.remember is not None:
        trust.remember.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield trust.remember
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _open(place: Place, trust: Trust, folder: Path, now: datetime) -> _Opened:
    """The metadata, verified from the first root on; expired is told apart from wrong."""
    known = trust.root or _remembered(folder)
    first = known or _first_root(place)
    root_keys(first)
    try:
        updater, old = _refresh(place, first, folder, now), False
    except exceptions.ExpiredMetadataError:
        updater, old = _refresh(place, first, folder, _LONG_AGO), True
    compared = bool(known)
    if trust.words:
        compared = _check_words(trust.words, folder, updater)
    return _Opened(updater, old, compared)


def _remembered(folder: Path) -> bytes:
    try:
        return (folder / "root.json").read_bytes()
    except FileNotFoundError:
        return b""


def _first_root(place: Place) -> bytes:
    try:
        return place.download_bytes(f"{place.base}{METADATA}/1.root.json", ROOT_MAX)
    except exceptions.DownloadHTTPError:
        raise Refused("bundle 6.1", "That is no signed bundle", NEXT) from None
    except exceptions.DownloadError as error:
        raise _transfer(error) from None


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
        for role in _delegated(updater._trusted_set.targets):
            updater._load_targets(role, Targets.type)
    except exceptions.ExpiredMetadataError:
        raise
    except exceptions.UnsignedMetadataError:
        raise _unsigned(updater, watched.last) from None
    except exceptions.DownloadError as error:
        raise _transfer(error) from None
    except exceptions.RepositoryError as error:
        raise _metadata(error) from None
    for held in _roots(folder, updater):
        root_keys(held)
    return updater


def _delegated(targets: Targets) -> list[str]:
    """The names of the delegated roles, or Refused (bundle 6.2)."""
    if targets.delegations is None or not targets.delegations.roles:
        raise Refused("bundle 6.2", "The signed metadata names no roles", NEXT)
    return list(targets.delegations.roles)


def _roots(folder: Path, updater: Updater) -> Iterator[bytes]:
    """The verified roots at hand, the newest first."""
    for version in range(updater._trusted_set.root.version, 0, -1):
        held = folder / "root_history" / f"{version}.root.json"
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


def _transfer(error: exceptions.DownloadError) -> Refused:
    """What went wrong on the way (bundle 6.8-6.10)."""
    again = "Try again, or another place."
    if isinstance(error, exceptions.DownloadLengthMismatchError):
        return Refused("bundle 6.8", "More was sent than was signed", NEXT)
    if isinstance(error, exceptions.SlowRetrievalError):
        return Refused("bundle 6.9", "The answer came too slowly to be honest", again)
    return Refused("bundle 6.10", "A part cannot be had, or broke off", again)


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


def _report(opened: _Opened) -> Report:
    held: Root = opened.set.root
    mark = fingerprint(root_keys(Metadata(held).to_bytes()))
    custom = (opened.set.targets.targets.get(PINS) or TargetFile(1, {"x": "y"}, "x")).custom
    name = custom.get("organisation") if isinstance(custom, dict) else ""
    ends = [opened.set[role].expires for role in (Root.type, Timestamp.type, Snapshot.type)]
    return Report(
        Verdict.GENUINE, organisation=str(name)[:100], version=opened.set.snapshot.version,
        root_version=held.version, fresh_until=min(ends), words=to_shown(mark, "en"),
        chinese=to_shown(mark, "zh-Hans"), digits=to_shown(mark, DIGITS),
        compared=opened.compared,
    )  # fmt: skip


def _targets(opened: _Opened) -> dict[str, TargetFile]:
    """Every file that is signed by the role that may, under names that lead nowhere else."""
    top: Targets = opened.set.targets
    names = set(top.targets)
    for role in _delegated(top):
        names |= set(opened.set[role].targets)
    found = {}
    for name in sorted(names):
        if is_metadata(check_name(name)):
            raise Refused("bundle 6.12", "A file has a name that leads elsewhere", NEXT)
        target = opened.updater.get_targetinfo(name)
        if target is None or target.length > FILE_MAX:
            raise Refused("bundle 6.15", "A role signed a file that is not its own", NEXT)
        found[name] = target
    if not {PINS, MINISIGN, MANIFEST, SIGNATURE} <= set(found):
        raise Refused("bundle 6.1", "That is no signed bundle", NEXT)
    return found


def _differences(
    place: Place, opened: _Opened, targets: dict[str, TargetFile], staged: Path
) -> Iterator[Difference]:
    """Each file against what was signed, staged under a number of its own, never under its name."""
    bad = set()
    for number, name in enumerate(targets):
        refused = _fetch(place, name, targets[name], staged / str(number))
        if refused is not None:
            bad.add(name)
            yield Difference(name, refused.rule, refused.what)
    for name in sorted((place.names() or set()) - set(targets)):
        if not is_metadata(name) or name not in _expected(opened):
            yield Difference(name, "bundle 6.19", "Nobody signed this file")
    if not bad:
        yield from _inner(targets, staged)


def _expected(opened: _Opened) -> set[str]:
    names = {f"{METADATA}/{v}.root.json" for v in range(1, opened.set.root.version + 1)}
    roles = (Targets.type, Snapshot.type, *_delegated(opened.set.targets))
    names |= {f"{METADATA}/{opened.set[role].version}.{role}.json" for role in roles}
    return names | {f"{METADATA}/{Timestamp.type}.json"}


def _fetch(place: Place, name: str, target: TargetFile, to: Path) -> Refused | None:
    try:
        with place.download_file(f"{place.base}{name}", target.length) as got:
            target.verify_length_and_hashes(got)
            got.seek(0)
            _copy(got, to)
    except exceptions.DownloadHTTPError:
        return Refused("bundle 6.10", "It is missing")
    except exceptions.DownloadError as error:
        return _transfer(error)
    except exceptions.LengthOrHashMismatchError:
        return Refused("bundle 6.11", "It is not what was signed")
    return None


def _copy(got: IO[bytes], to: Path) -> None:
    with to.open("wb") as file:
        while piece := got.read(_PIECE):
            file.write(piece)


def _inner(targets: dict[str, TargetFile], staged: Path) -> Iterator[Difference]:
    """What the files say of each other: the minisign signature, its list, the pages' pins."""
    at = {name: staged / str(number) for number, name in enumerate(targets)}
    listed = at[MANIFEST].read_bytes()
    try:
        minisign.verify_list(at[MINISIGN].read_bytes(), listed, at[SIGNATURE].read_bytes())
        hashes = {n: t.hashes["sha256"] for n, t in targets.items()}
        own = {n: h for n, h in hashes.items() if n not in (MANIFEST, SIGNATURE)}
        if minisign.parse_list(listed) != own:
            raise Refused("bundle 6.16", "The list of files is another one")
    except Refused as refused:
        yield Difference(SIGNATURE, refused.rule, refused.what)
    pins = at[PINS].read_bytes()
    for name in (n for n in targets if n.endswith((".html", ".htm"))):
        try:
            check_pins_text(at[name].read_text("utf-8", errors="replace"), pins)
        except Refused as refused:
            yield Difference(name, refused.rule, refused.what)


def _keep(staged: Path, targets: dict[str, TargetFile], keep: Path) -> None:
    """The checked copy, as a folder that appears whole or not at all."""
    if keep.exists():
        raise Fault(
            "The folder for the copy is there already", "Name a new one; it was left alone."
        )
    keep.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=keep.parent) as beside:
        whole = Path(beside) / "whole"
        for number, name in enumerate(targets):
            to = whole / check_name(name)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(staged / str(number), to)
        whole.rename(keep)
