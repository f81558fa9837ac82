"""Broken and hostile input: each has a message of its own, and nothing half-written is left."""

from __future__ import annotations

import errno
import os
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.campaign.film_made import (
    ADDRESS,
    WORDS,
    bytes_of,
    colour,
    has_fonts,
    make,
    write_clip,
    write_voice,
)

from wallflower.campaign.edge import film, film_encode
from wallflower.campaign.edge.film_source import MAX_PIXELS, clip_frames, probe, samples
from wallflower.cli import wallflower
from wallflower.cli.film import check_needed
from wallflower.errors import Fault

pytestmark = pytest.mark.skipif(not has_fonts(), reason="fonts-noto-core or fonts-noto-cjk missing")

PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("clip") / "talk.mp4"
    return write_clip(path, lambda n: colour((9 * n, 255 - 9 * n, 40)), 24).read_bytes()


def _cut(data: bytes, share: float) -> bytes:
    return data[: round(len(data) * share)]


def _scrambled(data: bytes) -> bytes:
    """Every byte of the pictures turned; the index in front is whole."""
    start = data.index(b"mdat") + 12
    return data[:start] + bytes(byte ^ 0x5A for byte in data[start:])


def _png_of(width: int, height: int) -> bytes:
    """A PNG that says it is this large, and ends there."""
    head = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    chunk = (13).to_bytes(4, "big") + head + zlib.crc32(head).to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n" + chunk + bytes(4) + b"IDAT" + bytes(4)


Spoil = Callable[[bytes], bytes]
CLIPS: dict[str, tuple[Spoil, str]] = {
    "empty": (lambda data: b"", "is empty, or larger"),
    "text": (lambda data: b"this is a letter\n" * 9, "no film or sound that can be read"),
    "playlist": (lambda data: PLAYLIST, "no film or sound that can be read"),
    "playlist behind a film's first bytes": (
        lambda data: data[:8] + PLAYLIST, "is broken or cut off|nothing that can be played",
    ),
    "cut inside of its index": (
        lambda data: _cut(data, 0.1), "no moving picture|broken or cut off",
    ),
    "cut inside of its pictures": (
        lambda data: _cut(data, 0.8), "ends before its end|is broken or cut off",
    ),
    "coded in nothing that is known": (
        lambda data: data.replace(b"avc1\0", b"zzz1\0").replace(b"avcC", b"zzzC"),
        "coded in a way that cannot be read",
    ),
    "scrambled": (_scrambled, "is broken or cut off|ends before its end"),
}  # fmt: skip


def _refused(folder: Path, board: str, said: str) -> None:
    """Making the film is refused, and neither out nor cache holds anything new."""
    out = folder / "out"
    out.mkdir()
    (out / "film-240.mp4").write_bytes(b"the one before")
    caught: BaseException | None = None
    try:
        make(folder, board)
    except Exception as error:  # another one than a Fault is told below
        caught = error
    assert isinstance(caught, Fault)
    assert re.search(said, str(caught))
    assert caught.next_step
    assert bytes_of(out) == {"film-240.mp4": b"the one before"}
    assert bytes_of(folder / "cache") == {}


@pytest.mark.parametrize("name", CLIPS)
def test_broken_clip_is_refused_and_leaves_nothing(clip: bytes, tmp_path: Path, name: str) -> None:
    spoil, said = CLIPS[name]
    (tmp_path / "talk.mp4").write_bytes(spoil(clip))
    _refused(tmp_path, 'language = "en"\n[[card]]\nclip = "talk.mp4"\n', said)


PICTURES: dict[str, tuple[bytes, str]] = {
    "text": (b"this is a letter", "no whole PNG, JPEG or WebP"),
    "another kind": (b"GIF89a" + bytes(40), "no whole PNG, JPEG or WebP"),
    "cut": (_png_of(10, 10), "no whole PNG, JPEG or WebP"),
    "huge": (_png_of(20_000, 20_000), "has more than"),
    "larger than allowed": (_png_of(MAX_PIXELS // 100 + 1, 100), "has more than"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_broken_picture_is_refused_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    data, said = PICTURES[name]
    (tmp_path / "wall.png").write_bytes(data)
    _refused(tmp_path, 'language = "en"\n[[card]]\npicture = "wall.png"\n', said)


def test_endless_and_missing_files_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "folder.mp4").mkdir()
    for name, said in (
        ("pipe.mp4", "not an ordinary file"),
        ("folder.mp4", "not an ordinary file"),
        ("none.mp4", "is not there"),
    ):
        with pytest.raises(Fault, match=said):
            make(tmp_path, f'language = "en"\n[[card]]\nclip = "{name}"\n')
    with pytest.raises(Fault, match="not an ordinary file"):
        probe(Path("/dev/zero"), "It", picture=True)


def test_a_link_out_of_the_storyboards_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    write_voice(tmp_path / "voice.wav")
    (tmp_path / "inside" / "voice.wav").symlink_to(tmp_path / "voice.wav")
    with pytest.raises(Fault, match="outside of the storyboard's folder"):
        make(
            tmp_path / "inside",
            'language = "en"\n[[card]]\ntext = "x"\nnarration = "voice.wav"\n',
        )


def test_clip_too_wide_and_clip_too_long_are_refused(tmp_path: Path) -> None:
    wide = write_clip(tmp_path / "w.mp4", lambda n: colour((9, 9, 9), (4608, 16)), 2, codec="mpeg4")
    with pytest.raises(Fault, match="larger than 4096 by 2304"):
        probe(wide, "It", picture=True)
    long = write_clip(tmp_path / "l.mp4", lambda n: colour((9, 9, 9)), 12, step=12 * 60)
    with pytest.raises(Fault, match="longer than 600 seconds"):
        probe(long, "It", picture=True)


def test_sound_is_no_clip_and_silence_is_no_voice(clip: bytes, tmp_path: Path) -> None:
    voice = write_voice(tmp_path / "voice.wav", 0.2)
    with pytest.raises(Fault, match="no moving picture"):
        probe(voice, "It", picture=True)
    (tmp_path / "talk.mp4").write_bytes(clip)
    with pytest.raises(Fault, match="no sound"):
        probe(tmp_path / "talk.mp4", "It", picture=False)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_any_change_of_a_clip_is_read_or_refused(
    clip: bytes, tmp_path: Path, changes: list[tuple[float, int]]
) -> None:
    data = bytearray(clip)
    for share, value in changes:
        data[round(share * (len(data) - 1))] = value
    path = tmp_path / "talk.mp4"
    path.write_bytes(data)
    try:
        media = probe(path, "It", picture=True)
        assert sum(1 for _ in clip_frames(media, (32, 16), 12, 24)) == 24
        assert sum(map(len, samples(media, 1000))) == 2000
    except Fault as fault:
        assert fault.next_step  # either way is right


def test_a_film_that_an_encoder_signed_is_not_given_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film_encode, "_MP4", {})  # without `bitexact` FFmpeg writes its version
    with pytest.raises(Fault, match="signed its work"):
        make(tmp_path, 'language = "en"\n[[card]]\ntext = "x"\nseconds = 1\n')
    assert not (tmp_path / "out").exists()
    assert bytes_of(tmp_path / "cache") == {}


def test_a_full_disk_is_said_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(film, "encode_pictures", full)
    with pytest.raises(Fault, match="disk of the cache is full"):
        make(tmp_path, 'language = "en"\n[[card]]\ntext = "x"\nseconds = 1\n')
    assert not (tmp_path / "out").exists()
    assert bytes_of(tmp_path / "cache") == {}


def test_without_its_packages_the_command_says_what_to_type() -> None:
    check_needed()
    with pytest.raises(Fault, match=r"requirements/film\.txt.*GPL"):
        check_needed(("a_package_that_nobody_has",))


def test_the_command_makes_a_film_and_a_second_time_takes_it_from_the_cache(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), (90, 40, 40)).save(tmp_path / "wall.png")
    (tmp_path / "board.toml").write_text(
        'language = "en"\n[[card]]\npicture = "wall.png"\nseconds = 1\n[closing]\nseconds = 1\n'
    )
    command = [
        "campaign", "film", str(tmp_path / "board.toml"), "--out", str(tmp_path / "out"),
        "--address", ADDRESS, "--cache", str(tmp_path / "cache"), "--words",
    ]  # fmt: skip
    for begins in ("Made: ", "Took from the cache: "):
        done = CliRunner().invoke(wallflower, [*command, " ".join(WORDS)])
        assert done.exit_code == 0, done.output
        assert done.stdout.splitlines()[-1].startswith(begins)
    assert (tmp_path / "out" / "film-240.mp4").stat().st_size > 1000
    done = CliRunner().invoke(wallflower, [*command, " ".join((*WORDS[:7], "abus"))])
    assert "'abus' is in no list" in str(done.exception)
    done = CliRunner().invoke(wallflower, [*command, " ".join(WORDS[:5])])
    assert isinstance(done.exception, Fault)
