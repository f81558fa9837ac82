"""Checking a bundle, wherever it lies: names, files, and what files say of each other.

Nothing of a bundle is written anywhere before all of it was checked, and then only into a folder
that was asked for and is new. What is remembered from one check to the next is TUF metadata alone.
Spec: bundle.md 6.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Final

from tuf.api import exceptions
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp

from wallflower.campaign import minisign
from wallflower.campaign.edge.sign_folder import digest_of
from wallflower.campaign.edge.verify_metadata import (
    AGAIN,
    ROOT_MAX,
    Opened,
    Trust,
    delegated,
    metadata_folder,
    open_metadata,
    transfer,
)
from wallflower.campaign.edge.verify_places import BASE, Absent, Place, ZipPlace
from wallflower.campaign.eightwords import DIGITS, fingerprint, root_keys, to_shown
from wallflower.campaign.page_pins import check_page_pins, is_page, unreviewed
from wallflower.campaign.papers import PAPERS_MAX, cut
from wallflower.campaign.repository import (
    MANIFEST,
    METADATA,
    MINISIGN,
    PINS,
    SIGNATURE,
    part_of,
)
from wallflower.campaign.verify import (
    ENDED,
    FILE_MAX,
    MADE,
    NEXT,
    SITE,
    Difference,
    Report,
    Verdict,
    check_name,
    is_metadata,
    refused_report,
    verdict_of,
)
from wallflower.crypto.derive import sha256
from wallflower.errors import Fault, Refused

WITH_PAPERS: Final = 64 << 20  # bytes; a page that carries papers is far smaller
_FIRST: Final = f"{METADATA}/1.root.json"
_PIECE: Final = 64 * 1024
_TOP: Final = (Root.type, Timestamp.type, Snapshot.type, Targets.type)
Names = dict[str, TargetFile]


def check(place: Place, trust: Trust, now: datetime, keep: Path | None = None) -> Report:
    """Check a whole bundle at a moment; with `keep`, leave a copy in that new folder if it is
    genuine or only old."""
    try:
        with metadata_folder(trust) as folder:
            opened = open_metadata(place, trust, folder, now)
            report = _report(opened)
            targets, parts = _held(place, _targets(opened))
            with tempfile.TemporaryDirectory() as staged:
                differs = tuple(_differences(place, opened, targets, Path(staged)))
                if keep is not None and not differs:
                    _keep(opened, place, Path(staged), targets, keep)
                said = () if differs else _unreviewed(targets, Path(staged))
            report = replace(report, parts=parts, unreviewed=said)
            return _closed(report, opened, differs, len(targets))
    except Refused as refused:
        return refused_report(refused)


def check_file(file: Path, place: Place, trust: Trust, now: datetime) -> Report:
    """Check one file against the bundle at a place: whether it is one of its files, by content.
    The papers that a file may carry are no part of it."""
    try:
        with metadata_folder(trust) as folder:
            opened = open_metadata(place, trust, folder, now)
            report, targets = _report(opened), _targets(opened)
            body = _body(file)
            name = next((n for n, target in targets.items() if _is(body, target)), None)
            if name is None:
                raise Refused("bundle 6.18", "That file is none of this bundle", NEXT)
            if is_page(name):
                _check_pins(body, place, targets[PINS])
                report = replace(report, unreviewed=tuple(sorted(unreviewed(_text(body)))))
            report = replace(report, file=name)
            return _closed(report, opened, (), 1)
    except Refused as refused:
        return refused_report(refused)


def _body(file: Path) -> Path | bytes:
    """A file without its papers; one that is too large to have any as it lies there."""
    return cut(file.read_bytes())[0] if file.stat().st_size <= WITH_PAPERS else file


def _is(body: Path | bytes, target: TargetFile) -> bool:
    """Whether these are a signed file's bytes; only those of its length are looked at, since
    nobody knows how large the rest may be."""
    length = len(body) if isinstance(body, bytes) else body.stat().st_size
    if length != target.length:
        return False
    digest = sha256(body).hex() if isinstance(body, bytes) else digest_of(body).digest
    return digest == target.hashes.get("sha256")


def _check_pins(body: Path | bytes, place: Place, target: TargetFile) -> None:
    """A page alone pins what the offline keys signed, too (bundle 6.17)."""
    with tempfile.TemporaryDirectory() as staged:
        differs = _fetch(place, PINS, target, Path(staged) / PINS)
        if differs is not None:
            raise Refused(differs.rule, "The pins of the bundle cannot be had, or differ", NEXT)
        check_page_pins(_data(body), (Path(staged) / PINS).read_bytes())


def _text(body: Path | bytes) -> str:
    return _data(body).decode("utf-8", "replace")


def _data(body: Path | bytes) -> bytes:
    return body if isinstance(body, bytes) else body.read_bytes()


def _unreviewed(targets: Names, staged: Path) -> tuple[str, ...]:
    """The languages that no reader has checked, as the pages of a whole copy say."""
    pages = (n for n, name in enumerate(targets) if is_page(name))
    return tuple(sorted(set().union(*(unreviewed(_text(staged / str(n))) for n in pages))))


def _closed(report: Report, opened: Opened, differs: tuple[Difference, ...], files: int) -> Report:
    """The report with its verdict, and the reason if there is one."""
    rule = what = step = ""
    wrong = [difference for difference in differs if not difference.broke_off]
    if wrong:
        rule, what, step = wrong[0].rule, "Files are not as they were signed", NEXT
    elif differs:
        rule, what, step = differs[0].rule, "Files did not come, or not to their end", AGAIN
    elif opened.old:
        rule, what = ENDED, "The promise to be up to date has ended"
        step = "Ask another place for a newer copy."
    return replace(
        report, verdict=verdict_of(differs, opened.old, opened.compared), differs=differs,
        files=files, rule=rule, what=what, next_step=step,
    )  # fmt: skip


def _report(opened: Opened) -> Report:
    held: Root = opened.set.root
    mark = fingerprint(root_keys(Metadata(held).to_bytes()))
    custom = (opened.set.targets.targets.get(PINS) or TargetFile(1, {"x": "y"}, "x")).custom
    said = str(custom.get("organisation", "")) if isinstance(custom, dict) else ""
    # A stranger can write anything here, and a terminal would obey it.
    name = "".join(c for c in said if c.isprintable())[:100]
    ends = [opened.set[role].expires for role in (*_TOP, *delegated(opened.set.targets))]
    return Report(
        Verdict.GENUINE, organisation=name, version=opened.set.snapshot.version,
        root_version=held.version, fresh_until=min(ends), words=to_shown(mark, "en"),
        chinese=to_shown(mark, "zh-Hans"), digits=to_shown(mark, DIGITS),
        compared=opened.compared,
    )  # fmt: skip


def _targets(opened: Opened) -> dict[str, TargetFile]:
    """Every file that is signed by the role that may, under names that lead nowhere else."""
    top: Targets = opened.set.targets
    names = set(top.targets)
    for role in delegated(top):
        names |= set(opened.set[role].targets)
    found = {}
    for name in sorted(names):
        if is_metadata(check_name(name)):
            raise Refused("bundle 6.12", "A file has a name that leads elsewhere", NEXT)
        target = opened.updater.get_targetinfo(name)
        if target is not None and target.length > FILE_MAX:
            raise Refused("bundle 6.8", "A file is signed that is larger than any may be", NEXT)
        if target is None:
            raise Refused("bundle 6.15", "A role signed a file that is not its own", NEXT)
        if target.hashes.keys() != {"sha256"}:
            raise Refused("bundle 6.2", "A file is signed with another hash than SHA-256", NEXT)
        found[name] = target
    if not set(found) >= MADE or any(part_of(found[name]) for name in MADE):
        raise Refused("bundle 6.1", "That is no signed bundle", NEXT)
    return found


def _held(place: Place, targets: Names) -> tuple[Names, tuple[str, ...]]:
    """The files of those parts that the copy holds, and the parts (bundle 1.4). Who holds one file
    of a part has to hold all; who holds none of any has to hold the site."""
    parts: dict[str, list[str]] = {}
    for name, target in targets.items():
        if name != PINS:
            parts.setdefault(part_of(target), []).append(name)
    here = tuple(part for part, names in sorted(parts.items()) if _holds(place, part, names))
    here = here or ("",)
    held = {n: t for n, t in targets.items() if n == PINS or part_of(t) in here}
    return held, tuple(part or SITE for part in here)


def _holds(place: Place, part: str, names: list[str]) -> bool:
    if place.names() is not None:
        return any(map(place.has, names))
    return not part or place.has(names[0])  # a mirror is asked once for each part but the site


def _differences(
    place: Place, opened: Opened, targets: dict[str, TargetFile], staged: Path
) -> Iterator[Difference]:
    """Each file against what was signed, staged under a number of its own, never under its name."""
    bad = set()
    for number, name in enumerate(targets):
        differs = _fetch(place, name, targets[name], staged / str(number))
        if differs is not None:
            bad.add(name)
            yield differs
    for name in sorted((place.names() or set()) - set(targets)):
        if not is_metadata(name) or name not in _expected(opened):
            yield Difference(name, "bundle 6.19", "Nobody signed this file")
    if not bad:
        yield from _inner(targets, staged)
        yield from _strange_papers(place, opened, targets, staged)


def _strange_papers(
    place: Place, opened: Opened, targets: Names, staged: Path
) -> Iterator[Difference]:
    """Papers are not signed: those of somebody else would make the page alone look false."""
    for number, name in enumerate(targets):
        if part_of(targets[name]) and is_page(name):
            papers = cut((staged / str(number)).read_bytes())[1]
            if papers and _first_root(papers) != _came(opened, place, _FIRST):
                yield Difference(name, "bundle 6.14", "It carries the papers of another bundle")


def _first_root(papers: bytes) -> bytes:
    try:
        return ZipPlace(BytesIO(papers)).download_bytes(f"{BASE}{_FIRST}", ROOT_MAX)
    except (Refused, exceptions.DownloadError):
        return b""


def _expected(opened: Opened) -> set[str]:
    names = {f"{METADATA}/{v}.root.json" for v in range(1, opened.set.root.version + 1)}
    roles = (Targets.type, Snapshot.type, *delegated(opened.set.targets))
    names |= {f"{METADATA}/{opened.set[role].version}.{role}.json" for role in roles}
    return names | {f"{METADATA}/{Timestamp.type}.json"}


def _fetch(place: Place, name: str, target: TargetFile, to: Path) -> Difference | None:
    papers = PAPERS_MAX if part_of(target) and is_page(name) else 0
    try:
        with place.download_file(f"{place.base}{name}", target.length + papers) as got:
            target.verify_length_and_hashes(cut(got.read())[0] if papers else got)
            got.seek(0)
            _copy(got, to)
    except Absent:
        return Difference(name, "bundle 6.10", "It is missing")
    except exceptions.DownloadError as error:
        refused = transfer(error)
        broke_off = place.names() is None and refused.next_step == AGAIN
        return Difference(name, refused.rule, refused.what, broke_off)
    except exceptions.LengthOrHashMismatchError:
        return Difference(name, "bundle 6.11", "It is not what was signed")
    return None


def _copy(got: IO[bytes], to: Path) -> None:
    with to.open("wb") as file:
        while piece := got.read(_PIECE):
            file.write(piece)


def _inner(targets: dict[str, TargetFile], staged: Path) -> Iterator[Difference]:
    """What the files say of each other: the minisign signature, its list, the pages' pins."""
    at = {name: staged / str(number) for number, name in enumerate(targets)}
    if MANIFEST in at:
        yield from _list(at, targets)
    pins = at[PINS].read_bytes()
    for name in filter(is_page, targets):
        try:
            check_page_pins(at[name].read_bytes(), pins)
        except Refused as refused:
            yield Difference(name, refused.rule, refused.what)


def _list(at: dict[str, Path], targets: Names) -> Iterator[Difference]:
    """The minisign signature, and that its list names the files of the site."""
    listed = at[MANIFEST].read_bytes()
    try:
        minisign.verify_list(at[MINISIGN].read_bytes(), listed, at[SIGNATURE].read_bytes())
        own = {
            name: target.hashes["sha256"]
            for name, target in targets.items()
            if name not in (MANIFEST, SIGNATURE) and not part_of(target)
        }
        if minisign.parse_list(listed) != own:
            raise Refused("bundle 6.16", "The list of files is another one")
    except Refused as refused:
        yield Difference(SIGNATURE, refused.rule, refused.what)


def _keep(opened: Opened, place: Place, staged: Path, targets: Names, keep: Path) -> None:
    """The checked copy, metadata too, as a folder that appears whole or not at all."""
    if keep.exists():
        raise Fault("The folder for the copy is there already", "Name a new one; it was left.")
    try:
        keep.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=keep.parent) as beside:
            whole = Path(beside) / "whole"
            for number, name in enumerate(targets):
                to = whole / check_name(name)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(staged / str(number), to)
            (whole / METADATA).mkdir()
            for name in sorted(_expected(opened)):
                (whole / name).write_bytes(_came(opened, place, name))
            whole.rename(keep)
    except OSError:
        raise Fault("The copy could not be written", "Make room, or name another folder.") from None


def _came(opened: Opened, place: Place, name: str) -> bytes:
    """Verified metadata as it came; of a root before the one that was trusted, the place's."""
    folder, name = Path(opened.updater._dir), name.removeprefix(f"{METADATA}/")
    own = folder / ("root_history" if name.endswith(".root.json") else "")
    held = own / (name if own != folder else name.split(".", 1)[1] if name[0].isdigit() else name)
    if held.exists():
        return held.read_bytes()
    try:
        return place.download_bytes(f"{place.base}{METADATA}/{name}", ROOT_MAX)
    except exceptions.DownloadError as error:
        raise transfer(error) from None
