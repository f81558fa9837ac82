"""What a telephone writes where no reader of tags looks: places, a film behind a picture."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from wallflower.campaign.edge.authoring import example_folder, new_campaign, read_campaign
from wallflower.campaign.edge.lint_media import telling
from wallflower.campaign.lint_inside import inside

FILM = (Path(__file__).parents[1] / "film.mp4").read_bytes()


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def in_moov(more: bytes) -> bytes:
    at = FILM.index(b"moov") - 4
    (length,) = struct.unpack_from(">I", FILM, at)
    head = struct.pack(">I", length + len(more))
    return FILM[:at] + head + FILM[at + 4 : at + length] + more + FILM[at + length :]


def picture(kind: str, **more: bool) -> bytes:
    out = BytesIO()
    noise = Image.effect_noise((64, 64), 90).convert("RGB")
    noise.save(out, kind, **more)
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    crc = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + crc


def in_png(more: bytes) -> bytes:
    data = picture("png")
    at = data.rindex(b"IEND") - 4
    return data[:at] + more + data[at:]


PLACE = box(b"\xa9xyz", struct.pack(">HH", 18, 0x15C7) + b"+52.5200+013.4050/")
APPLE = box(b"mdta", b"com.apple.quicktime.location.ISO6709")
XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + b"<dc:creator>Ada</dc:creator>"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (in_moov(box(b"udta", PLACE)), "a box of notes (udta)"),
        (in_moov(box(b"udta", box(b"loci", bytes(6) + b"home\0"))), "a box of notes (udta)"),
        (in_moov(box(b"udta", box(b"meta", bytes(4) + box(b"ilst", b"")) + PLACE)),
         "a box of notes (udta)"),
        (in_moov(box(b"meta", box(b"keys", bytes(4) + APPLE) + box(b"ilst", b""))),
         "a box of notes (meta)"),
        (FILM + box(b"uuid", XMP), "a box of notes (uuid)"),
        (FILM + b"Ada", "bytes behind its end"),
        (in_png(chunk(b"prVt", b"Ada")), "a chunk prVt"),
        (in_png(chunk(b"tIME", b"\7\xea\1\1\1\1\1")), "a chunk tIME"),
        (picture("png") + FILM, "bytes behind its end"),
        (picture("jpeg") + FILM, "bytes behind its end"),
        (picture("jpeg", progressive=True) + b"x", "bytes behind its end"),
    ],
)  # fmt: skip
def test_what_no_reader_of_tags_finds_is_found(data: bytes, said: str) -> None:
    assert said in list(inside(data))


@pytest.mark.parametrize(
    "data",
    [FILM, picture("png"), picture("jpeg"), picture("jpeg", progressive=True), picture("webp"),
     in_moov(box(b"udta", box(b"meta", bytes(4) + box(b"ilst", b""))))],
)  # fmt: skip
def test_a_file_that_only_shows_is_left_alone(data: bytes) -> None:
    assert list(inside(data)) == []


def test_the_pictures_of_the_example_only_show() -> None:
    for path in example_folder().rglob("*.jpg"):
        assert list(inside(path.read_bytes())) == [], path.name


def test_the_lint_of_a_campaign_names_a_film_that_tells_its_place(tmp_path: Path) -> None:
    new_campaign(tmp_path / "office")
    (tmp_path / "office" / "ready.mp4").write_bytes(in_moov(box(b"udta", PLACE)))
    found = [what for what, _ in telling(read_campaign(tmp_path / "office"))]
    assert found == ["ready.mp4 tells more than it shows: a box of notes (udta)"]


def test_boxes_within_boxes_without_an_end_are_no_end_of_the_lint() -> None:
    data = b""
    for _ in range(2000):
        data = box(b"moov", data)
    assert list(inside(box(b"ftyp", b"isom") + data)) == []


@given(st.sampled_from([FILM[:400], picture("png"), picture("jpeg")]), st.data())
def test_damage_ends_the_look_and_raises_nothing(whole: bytes, drawn: st.DataObject) -> None:
    data = bytearray(whole[: drawn.draw(st.integers(12, len(whole)))])
    for _ in range(3):
        data[drawn.draw(st.integers(0, len(data) - 1))] = drawn.draw(st.integers(0, 255))
    list(inside(bytes(data)))
