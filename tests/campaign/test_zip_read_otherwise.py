"""A ZIP that can be read in two ways: a check reads what was signed, another program, which goes by
another end, by sizes, or by where a stream ends, something else."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO

import pytest
from tests.campaign.made import Town
from tests.campaign.test_hidden_in_zip import (
    _DIRECTORY,
    _END,
    EVIL,
    _checked,
    _local,
    _of,
    _site,
)

from wallflower.campaign.edge.shapes import packed
from wallflower.campaign.edge.verify_places import ZipPlace
from wallflower.campaign.verify import Verdict
from wallflower.errors import Refused

_LARGE = 0xFFFFFFFF
_END64 = struct.Struct("<4sQ2H2I4Q4sIQI")  # a record, and behind it what says where it is
Change = Callable[[bytes], bytes]


def _parts(good: bytes) -> tuple[bytes, bytes, bytearray]:
    """Members, directory and end."""
    at, end = good.index(_DIRECTORY), good.rindex(_END)
    return good[:at], good[at:end], bytearray(good[end:])


def _entries(directory: bytes) -> list[int]:
    """Where each entry begins."""
    found = [0]
    while found[-1] < len(directory):
        lengths = struct.unpack_from("<3H", directory, found[-1] + 28)
        found.append(found[-1] + 46 + sum(lengths))
    return found[:-1]


def _commented(directory: bytes, comment: bytes) -> bytearray:
    """The directory with a comment to its last file, which nobody looks at."""
    data = bytearray(directory + comment)
    struct.pack_into("<H", data, _entries(directory)[-1] + 32, len(comment))
    return data


def _evil_directory(at: int) -> bytearray:
    """The directory of a page that begins there."""
    directory = bytearray(_parts(_of({"index.html": EVIL}))[1])
    struct.pack_into("<I", directory, 42, at)
    return directory


def _end64(count: int, size: int, offset: int, at: int) -> bytes:
    return _END64.pack(
        b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset, b"PK\x06\x07", 0, at, 1
    )


def _moved(directory: bytes, by: int, but_first: bool = False) -> bytes:
    """The directory of members that begin so much later, all or but for the first."""
    more = bytearray(directory)
    for entry in _entries(directory):
        (at,) = struct.unpack_from("<I", more, entry + 42)
        struct.pack_into("<I", more, entry + 42, at if but_first and not at else at + by)
    return bytes(more)


def _in_front_told(good: bytes) -> bytes:
    """A file lies before the first, and directory and end tell where the others are now."""
    members, directory, end = _parts(good)
    local = _local("index.html", EVIL)
    struct.pack_into("<I", end, 16, len(local) + len(members))
    return local + members + _moved(directory, len(local)) + end


def _another_place(good: bytes) -> bytes:
    """The end says that the directory begins within the true one, which lies where its size says;
    members' places count from there."""
    members, directory, end = _parts(good)
    at = len(good) - len(end)
    local = _local("index.html", EVIL)
    moved = _moved(directory, len(directory) + len(local))
    more = _commented(moved, local + _evil_directory(at - len(directory)))
    struct.pack_into("<2I", end, 12, len(more), at + len(local))
    return members + more + end


def _another_directory(good: bytes) -> bytes:
    """The end names a directory within the true one, whole and up to the end; a ZIP64 record, which
    is needless here, names the true one. Debian's unzip takes the first, Python the other."""
    members, directory, end = _parts(good)
    at = len(good) - len(end)
    local, evil = _local("index.html", EVIL), _evil_directory(at)
    struct.pack_into("<H", evil, 32, _END64.size)  # the record and its locator are a comment of it
    more = _commented(directory, local + evil)
    (count,) = struct.unpack_from("<H", end, 10)
    record = _end64(count, len(more), len(members), len(members) + len(more))
    struct.pack_into("<2H2I", end, 8, 1, 1, len(evil) + len(record), at + len(local))
    return members + more + record + end


def _another_end(good: bytes) -> bytes:
    """The end says that a comment follows, and none does: some take an earlier end then."""
    return good[:-2] + b"\x05\x00"


def _large(good: bytes, size: int = 0, offset: int = 0, at: int = 0, told: int = _LARGE) -> bytes:
    """With the end of a ZIP of more than 4 GiB, and so much wrong in it."""
    members, directory, end = _parts(good)
    (count,) = struct.unpack_from("<H", end, 10)
    record = _end64(
        count, len(directory) + size, len(members) + offset, len(members) + len(directory) + at
    )
    struct.pack_into("<I", end, 16, told)
    return members + directory + record + end


@pytest.mark.parametrize("change", [
    _in_front_told, _another_place, _another_directory, _another_end,
    lambda good: _large(good, offset=46),
    lambda good: _large(good, at=1), lambda good: _large(good, told=len(_parts(good)[0])),
    lambda good: _large(good, told=len(_parts(good)[0]) + 46),
    lambda good: _large(good).replace(b"PK\x06\x06", b"PK\x06\x05"),
    lambda good: _large(good).replace(b"\x2c" + bytes(7), b"\x2d" + bytes(7)),
    lambda good: _large(good)[:-10] + b"\x01" + _large(good)[-9:],
])  # fmt: skip
def test_a_zip_whose_end_can_be_read_in_two_ways_is_refused(first: Town, change: Change) -> None:
    good = packed(_site(first))
    for right in (good, _large(good)):
        assert _checked(first, right).verdict is Verdict.GENUINE
    report = _checked(first, change(good))
    assert (report.verdict, report.rule) == (Verdict.REFUSED, "bundle 6.14")


def _deflated(data: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


def _streamed(files: dict[str, bytes], change: Callable[[bytes, bytes], bytes]) -> bytes:
    """A ZIP whose sizes stand behind the data, with the data of its first file changed."""
    out, directory = BytesIO(), b""
    for name, plain in files.items():
        stream, sums = _deflated(plain), (zlib.crc32(plain),)
        held = stream if directory else change(plain, stream)
        sizes = (*sums, len(held), len(plain))
        at, ending = out.tell(), name.encode()
        out.write(struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0x808, 8, 0, 33, 0, 0, 0, len(ending), 0))
        out.write(ending + held + struct.pack("<4s3I", b"PK\7\10", *sizes))
        directory += struct.pack(
            "<4s6H3I5H2I", _DIRECTORY, 20, 20, 0x808, 8, 0, 33, *sizes,
            len(ending), 0, 0, 0, 0, 0, at,
        ) + ending  # fmt: skip
    count, start = len(files), out.tell()
    end = struct.pack("<4s4H2IH", _END, 0, 0, count, count, len(directory), start, 0)
    return out.getvalue() + directory + end


def _hidden_behind(plain: bytes, stream: bytes) -> bytes:
    """What java.util.zip.ZipInputStream takes for the end of this file, and for the next one."""
    sizes = struct.pack("<4s3I", b"PK\7\10", zlib.crc32(plain), len(stream), len(plain))
    return stream + sizes + _local("index.html", EVIL)


def _more(plain: bytes, _: bytes) -> bytes:
    return _deflated(plain + EVIL)


def _without_end(plain: bytes, _: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return stream.compress(plain) + stream.flush(zlib.Z_FULL_FLUSH)


@pytest.mark.parametrize("piece", [1, 1 << 16])
@pytest.mark.parametrize("change", [
    _hidden_behind, _more, _without_end, lambda _, stream: stream + b"\0",
    lambda _, stream: stream + bytes(1 << 17),
])  # fmt: skip
def test_a_zip_whose_data_end_elsewhere_than_their_stream_is_refused(
    first: Town,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[bytes, bytes], bytes],
    piece: int,
) -> None:
    """Wherever that is in what is read at once."""
    monkeypatch.setattr("wallflower.campaign.edge.verify_zip._PIECE", piece)
    files = _site(first)
    assert _checked(first, _streamed(files, lambda _, stream: stream)).verdict is Verdict.GENUINE
    report = _checked(first, _streamed(files, change))
    assert (report.verdict, report.rule) == (Verdict.REFUSED, "bundle 6.14")


def test_no_more_of_a_stream_is_unpacked_than_its_directory_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, real = 0, zlib.decompressobj

    class Counting:
        def __init__(self, bits: int) -> None:
            self._stream = real(bits)

        def decompress(self, data: bytes, most: int) -> bytes:
            nonlocal made
            plain = self._stream.decompress(data, most)
            made += len(plain)
            return plain

        def __getattr__(self, name: str) -> object:
            return getattr(self._stream, name)

    data = _streamed({"x": b"x"}, lambda plain, _: _deflated(bytes(1 << 26)))
    monkeypatch.setattr("wallflower.campaign.edge.verify_zip.zlib.decompressobj", Counting)
    with pytest.raises(Refused) as refused:
        ZipPlace(BytesIO(data))
    assert refused.value.rule == "bundle 6.14"
    assert 0 < made <= 1 << 17


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_is_packed_as_few_programs_unpack_it_is_refused(
    first: Town, method: int
) -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in _site(first).items():
            archive.writestr(name, data)
    report = _checked(first, out.getvalue())
    assert (report.rule, "few programs" in report.what) == ("bundle 6.14", True)


def test_a_zip_with_more_data_than_its_file_has_is_refused(first: Town) -> None:
    """Python reads so many bytes as the file has, others all."""
    members, directory, end = _parts(packed(_site(first)))
    name, _ = struct.unpack_from("<2H", members, 26)
    (size,) = struct.unpack_from("<I", members, 22)
    local = bytearray(members[: 30 + name + size])
    more = bytearray(_moved(directory, len(EVIL), but_first=True))
    struct.pack_into("<I", local, 18, size + len(EVIL))
    struct.pack_into("<I", more, 20, size + len(EVIL))
    struct.pack_into("<I", end, 16, len(members) + len(EVIL))
    data = bytes(local) + EVIL + members[len(local) :] + bytes(more) + bytes(end)
    assert _checked(first, data).rule == "bundle 6.14"


def _local_name(good: bytes) -> bytes:
    (length,) = struct.unpack_from("<H", good, 26)
    return good[:30] + b"".ljust(length, b"x") + good[30 + length :]


def _larger_sizes(size: int, held: int) -> Change:
    """The first local header leaves its sizes to an extra field, which says these."""

    def change(good: bytes) -> bytes:
        members, directory, end = _parts(good)
        name, extra = struct.unpack_from("<2H", good, 26)
        (real,) = struct.unpack_from("<I", good, 22)
        field = struct.pack("<2H2Q", 1, 16, real + size, real + held)
        local = bytearray(members[: 30 + name])
        struct.pack_into("<2I2H", local, 18, _LARGE, _LARGE, name, extra + len(field))
        more = _moved(directory, len(field), but_first=True)
        struct.pack_into("<I", end, 16, len(members) + len(field))
        return b"".join((local, field, members[30 + name :], more, end))

    return change


@pytest.mark.parametrize("change", [
    _local_name, _larger_sizes(1, 0), _larger_sizes(0, 1), _larger_sizes(0, 1 << 32),
    lambda good: good[:14] + b"\xff" * 4 + good[18:],
    lambda good: good[:18] + b"\xff" * 8 + good[26:],
])  # fmt: skip
def test_a_zip_whose_local_headers_say_other_names_or_sizes_is_refused(
    first: Town, change: Change
) -> None:
    """A program that goes by them would go on somewhere else, where another file can begin."""
    good = packed(_site(first))
    for right in (good, _larger_sizes(0, 0)(good)):
        assert _checked(first, right).verdict is Verdict.GENUINE
    report = _checked(first, change(good))
    assert (report.verdict, report.rule) == (Verdict.REFUSED, "bundle 6.14")
