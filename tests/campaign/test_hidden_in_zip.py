"""A ZIP that shows a check the right files, and another program, which unpacks it, others."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from io import BytesIO

import pytest
from tests.campaign.made import LATER, Town
from tests.host.scarce import little_memory

from wallflower.campaign.edge.shapes import packed
from wallflower.campaign.edge.verify import check
from wallflower.campaign.edge.verify_metadata import Trust
from wallflower.campaign.edge.verify_places import BASE, ZipPlace
from wallflower.campaign.verify import Report, Verdict, refused_report
from wallflower.errors import Refused

EVIL = b"<script>evil</script>"
_END = b"PK\x05\x06"
_DIRECTORY = b"PK\x01\x02"


def _of(files: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


def _local(name: str, data: bytes) -> bytes:
    whole = _of({name: data})
    return whole[: whole.index(_DIRECTORY)]


def _site(town: Town) -> dict[str, bytes]:
    paths = sorted(p for p in town.site.rglob("*") if p.is_file())
    return {p.relative_to(town.site).as_posix(): p.read_bytes() for p in paths}


def _checked(town: Town, data: bytes) -> Report:
    try:
        place = ZipPlace(BytesIO(data))
    except Refused as refused:
        return refused_report(refused)
    return check(place, Trust(town.words), LATER)


def _in_front(good: bytes) -> bytes:
    return _local("index.html", EVIL) + good


def _whole_in_front(good: bytes) -> bytes:
    return _of({"index.html": EVIL}) + good


def _between(good: bytes) -> bytes:
    """Behind the last member; the end says where the directory begins now."""
    more, at = _local("index.html", EVIL), good.index(_DIRECTORY)
    end = bytearray(good[good.rindex(_END) :])
    struct.pack_into("<I", end, 16, at + len(more))
    return good[:at] + more + good[at : good.rindex(_END)] + bytes(end)


def _in_the_comment(good: bytes) -> bytes:
    end = good.rindex(_END)
    said = b"unpack me: " + _local("index.html", EVIL)
    return good[: end + 20] + struct.pack("<H", len(said)) + said


def _behind(good: bytes) -> bytes:
    return good + _local("index.html", EVIL)


def _other_local_size(good: bytes) -> bytes:
    """The first local header says that its data is shorter."""
    data = bytearray(good)
    (size,) = struct.unpack_from("<I", data, 18)
    struct.pack_into("<2I", data, 18, size - 1, size - 1)
    return bytes(data)


@pytest.mark.parametrize(
    "hide", [_in_front, _whole_in_front, _between, _in_the_comment, _behind, _other_local_size]
)
def test_a_zip_that_holds_more_than_it_lists_is_refused(
    first: Town, hide: Callable[[bytes], bytes]
) -> None:
    good = packed(_site(first))
    assert _checked(first, good).verdict is Verdict.GENUINE
    report = _checked(first, hide(good))
    assert (report.verdict, report.rule) == (Verdict.REFUSED, "bundle 6.14")


def _other_local(at: int, value: int) -> Callable[[bytes], bytes]:
    """The first local header says otherwise than the directory what it is, or how it is packed."""
    return lambda good: good[:at] + struct.pack("<H", value) + good[at + 2 :]


@pytest.mark.parametrize(("at", "value"), [(0, 0), (6, 2), (6, 8), (8, zipfile.ZIP_DEFLATED)])
def test_a_zip_whose_local_headers_say_other_than_its_directory_is_refused(
    first: Town, at: int, value: int
) -> None:
    good = packed(_site(first))
    assert _checked(first, _other_local(at, struct.unpack_from("<H", good, at)[0])(good)).exit == 0
    assert _checked(first, _other_local(at, value)(good)).rule == "bundle 6.14"


@pytest.mark.parametrize("where", ["both", "local", "directory"])
def test_a_zip_with_a_second_name_for_a_file_is_refused(first: Town, where: str) -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in _site(first).items():
            member = zipfile.ZipInfo(name)
            if name == "app.js":
                member.extra = struct.pack("<2HBI", 0x7075, 15, 1, 0) + b"index.html"
            extra, member.extra = member.extra, b"" if where == "directory" else member.extra
            archive.writestr(member, data)
            member.extra = b"" if where == "local" else extra
    assert _checked(first, out.getvalue()).rule == "bundle 6.14"


class _Pipe(BytesIO):
    """Nobody can go back in it, so sizes come behind the data."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError


@pytest.mark.parametrize("top", ["", "bundle/"])
def test_a_zip_that_was_packed_again_into_a_pipe_is_genuine(first: Town, top: str) -> None:
    """As Debian's zip does it: with folders, compressed, with times of files in extra fields."""
    out = _Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in _site(first).items():
            member = zipfile.ZipInfo(top + name)
            member.extra = struct.pack("<2HBI", 0x5455, 5, 1, 1_700_000_000)
            archive.writestr(member, data, zipfile.ZIP_DEFLATED)
        if top:
            archive.writestr(zipfile.ZipInfo(top), b"")
    assert b"PK\x07\x08" in out.getvalue()
    assert _checked(first, out.getvalue()).verdict is Verdict.GENUINE


def test_a_bundle_beside_another_folder_of_a_zip_is_none(first: Town) -> None:
    """Without their folders, one of two files of a name would be checked, and both unpacked."""
    good = {f"bundle/{name}": data for name, data in _site(first).items()}
    assert _checked(first, _of(good)).verdict is Verdict.GENUINE
    assert _checked(first, _of({"beside/index.html": EVIL, **good})).rule == "bundle 6.1"


def test_a_zip_whose_extra_fields_are_cut_off_is_refused(first: Town) -> None:
    """The rest may be a name to a program that reads on."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in _site(first).items():
            member = zipfile.ZipInfo(name)
            member.extra = struct.pack("<2HB", 0x5455, 100, 1)
            archive.writestr(member, data)
            member.extra = b""
    assert _checked(first, out.getvalue()).rule == "bundle 6.14"


def test_a_zip_that_is_cut_short_is_refused(first: Town) -> None:
    good = packed(_site(first))
    for size in (0, 1, 21, 22, len(good) // 2, len(good) - 1):
        assert _checked(first, good[:size]).rule == "bundle 6.14"


def test_a_member_that_asks_for_more_memory_than_there_is_is_never_unpacked() -> None:
    """It says itself how large a dictionary it takes to unpack it: up to 4 GiB."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("index.html", EVIL)
        at = 30 + len("index.html") + 5
    whole = bytearray(out.getvalue())
    whole[at : at + 4] = b"\xff" * 4
    with little_memory(512), pytest.raises(Refused) as refused:
        ZipPlace(BytesIO(whole)).download_bytes(f"{BASE}index.html", 100)
    assert refused.value.rule == "bundle 6.14"
