"""Where a bundle can lie: a folder, a ZIP file, or a mirror. Each gives bytes by name, with limits.

A folder is read without following links, a ZIP without unpacking it, so nothing of either can lead
elsewhere. The network is in `verify_fetch.py`. Spec: bundle.md 6.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from abc import abstractmethod
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Final
from urllib.parse import unquote

from tuf.api.exceptions import DownloadError, DownloadHTTPError
from tuf.ngclient import FetcherInterface

from wallflower.campaign.edge.verify_zip import check_tiled
from wallflower.campaign.verify import FILE_MAX, FILES_MAX, NEXT, check_name
from wallflower.errors import Refused

BASE: Final = "bundle:/"
_PIECE: Final = 64 * 1024
_ENCRYPTED: Final = 0x1
_DAMAGED: Final = (
    zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError, RuntimeError,
    struct.error, MemoryError,
)  # fmt: skip
_RATIO: Final = 200  # a ZIP member that unpacks to more times its size is a trap


class Link(DownloadError):
    """What was asked for is a link or device, or lies behind one (bundle 6.13)."""


class Absent(DownloadHTTPError):
    """What was asked for is not there (bundle 6.10); what a mirror withholds just now may be."""

    def __init__(self) -> None:
        super().__init__("not there", 404)


class Place(FetcherInterface):
    """What a check reads from: python-tuf's fetcher, with a beginning of all addresses."""

    base: str

    @abstractmethod
    def names(self) -> set[str] | None:
        """All file names there, or None where nobody can list them."""

    def has(self, name: str) -> bool:
        """Whether there is a file of that name, whatever else is wrong with it."""
        names = self.names()
        if names is not None:
            return name in names
        try:
            self.download_bytes(f"{self.base}{name}", 0)
        except DownloadHTTPError:
            return False
        except DownloadError:
            return True
        return True

    @abstractmethod
    def close(self) -> None:
        """Let go of the file or the connections."""


def scan(folder: Path) -> dict[str, int]:
    """name -> length of every file below a folder that is to be signed, or Refused: a link or
    device (bundle 6.13), an unfit name (6.12), too many or too large files (6.8); OSError where one
    cannot be listed."""
    found, links = look(folder)
    if links:
        raise Refused("bundle 6.13", "There is a link or a device among the files", NEXT)
    return found


def look(folder: Path) -> tuple[dict[str, int], frozenset[str]]:
    """name -> length of everything below a folder that is no folder, and which of these names are
    links and devices: nobody follows or opens them. Refused and OSError as `scan` says."""
    found: dict[str, int] = {}
    links = set()
    for place, folders, files in os.walk(folder, onerror=_cannot_be_looked_at, followlinks=False):
        for name in sorted((*folders, *files)):
            path = Path(place) / name
            mode = path.lstat()
            inner = check_name(path.relative_to(folder).as_posix())
            if stat.S_ISDIR(mode.st_mode):
                continue
            if not stat.S_ISREG(mode.st_mode):
                links.add(inner)
            found[inner] = mode.st_size
            _check_size(found, mode.st_size)
    return found, frozenset(links)


def _check_link(name: str, links: frozenset[str]) -> None:
    parts = name.split("/")
    if links & {"/".join(parts[:count]) for count in range(1, len(parts) + 1)}:
        raise Link("never followed")


def _cannot_be_looked_at(error: OSError) -> None:
    """A folder that this account cannot list may hold files that nobody signed."""
    raise error


def _check_size(found: dict[str, int], size: int) -> None:
    if size > FILE_MAX or len(found) > FILES_MAX:
        raise Refused("bundle 6.8", "A file is larger than it may be, or there are too many", NEXT)


class FolderPlace(Place):
    """A bundle in a folder."""

    base = BASE

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found, self._links = look(folder)

    def names(self) -> set[str]:
        """See Place.names."""
        return set(self._found)

    def close(self) -> None:
        """See Place.close."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        name = unquote(url.removeprefix(BASE))
        _check_link(name, self._links)
        if name not in self._found:
            raise Absent
        return self._pieces(self._folder / name)

    def _pieces(self, path: Path) -> Iterator[bytes]:
        # What was no link or pipe when it was looked at must be none when it is opened.
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            if path.is_symlink():
                raise Link("never followed") from None
            raise  # whoever may not read a file knows nothing of it
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise Link("no file")
            while piece := file.read(_PIECE):
                yield piece


class ZipPlace(Place):
    """A bundle in a ZIP file, or in the bytes of one, at its top or in its only folder; never
    unpacked to the disk."""

    base = BASE

    def __init__(self, path: Path | IO[bytes]) -> None:
        damaged = Refused("bundle 6.14", "The ZIP file is damaged or not whole", NEXT)
        try:
            self._zip = zipfile.ZipFile(path)
        except _DAMAGED:
            raise damaged from None
        self._members = _members(self._zip)
        self._links = frozenset(n for n, member in self._members.items() if _is_link(member))
        try:
            check_tiled(self._zip, self._zip.fp or BytesIO())
        except _DAMAGED:
            raise damaged from None

    def names(self) -> set[str]:
        """See Place.names."""
        return set(self._members)

    def close(self) -> None:
        """See Place.close."""
        self._zip.close()

    def _fetch(self, url: str) -> Iterator[bytes]:
        name = unquote(url.removeprefix(BASE))
        _check_link(name, self._links)
        member = self._members.get(name)
        if member is None:
            raise Absent
        return self._pieces(member)

    def _pieces(self, member: zipfile.ZipInfo) -> Iterator[bytes]:
        try:
            with self._zip.open(member) as file:
                while piece := file.read(_PIECE):
                    yield piece
        except _DAMAGED as error:
            raise DownloadError("a damaged member") from error


def _members(zipped: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """What is in a ZIP and no folder, by its name, or Refused (bundle 6.12, 6.8, 6.14)."""
    found: dict[str, zipfile.ZipInfo] = {}
    sizes: dict[str, int] = {}
    for member in zipped.infolist():
        folder = member.filename.endswith("/") and not _is_link(member)
        name = check_name(member.filename.removesuffix("/"))
        if member.flag_bits & _ENCRYPTED or name in found:
            raise Refused("bundle 6.14", "The ZIP file hides a file, or has one twice", NEXT)
        if folder:
            continue
        if member.file_size > _RATIO * max(member.compress_size, 1024):
            raise Refused("bundle 6.8", "A file of the ZIP would unpack to very much more", NEXT)
        found[name] = member
        sizes[name] = member.file_size
        _check_size(sizes, member.file_size)
    return _without_top(found)


def _is_link(member: zipfile.ZipInfo) -> bool:
    """Whether it would be unpacked to a link or device."""
    return stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR)


def _without_top(found: dict[str, zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """Names without the one folder that everything lies in, if there is one."""
    tops = {name.partition("/")[0] for name in found}
    if len(tops) != 1 or any("/" not in name for name in found):
        return found
    return {name.partition("/")[2]: member for name, member in found.items()}
