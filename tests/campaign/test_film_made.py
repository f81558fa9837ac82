"""A film that was really encoded: what is seen, heard and read in it, and what is not in it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import pytest
import zxingcpp
from PIL import Image, ImageChops, ImageStat
from tests.campaign.film_made import (
    ADDRESS,
    CANARY,
    CHINESE,
    ENDING,
    PERSIAN,
    WORDS,
    bytes_of,
    colour,
    frames_of,
    has_fonts,
    loudness,
    make,
    write_clip,
    write_voice,
)

from wallflower import campaign
from wallflower.campaign.edge.build import FILM_PIECE, MAX_PIECES
from wallflower.campaign.edge.film import Film, make_film
from wallflower.campaign.edge.film_draw import Painter
from wallflower.campaign.edge.film_fonts import Fonts
from wallflower.campaign.film.layout import HEIGHT, caption_sheet, card_sheet
from wallflower.campaign.film.rendition import RENDITIONS, SMALL, Rendition
from wallflower.campaign.film.storyboard import MAX_SECONDS, Ending, parse_storyboard
from wallflower.errors import Fault

pytestmark = pytest.mark.skipif(not has_fonts(), reason="fonts-noto-core or fonts-noto-cjk missing")

BOARDS = {"fa": PERSIAN, "zh-Hans": CHINESE}
CAPTION_TOP = 0.8  # of the height: the band of the captions


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Film]:
    """A film of three seconds in each of two scripts."""
    return {
        language: make(tmp_path_factory.mktemp(language), text) for language, text in BOARDS.items()
    }


@pytest.mark.parametrize("language", BOARDS)
@pytest.mark.parametrize("how", RENDITIONS, ids=lambda how: how.name)
def test_film_has_its_size_length_and_codecs(
    films: dict[str, Film], language: str, how: Rendition
) -> None:
    with av.open(str(films[language].folder / how.name)) as film:
        (video,), (audio,) = film.streams.video, film.streams.audio
        assert (video.width, video.height) == (how.width, how.height)
        assert (video.codec_context.name, video.profile) == ("h264", "Main")
        assert (audio.codec_context.name, audio.codec_context.rate) == ("aac", 24_000)
        assert video.frames == 36
        assert film.duration is not None and abs(film.duration / av.time_base - 3) < 0.1
        assert set(film.metadata) == {"major_brand", "minor_version", "compatible_brands"}


@pytest.mark.parametrize("language", BOARDS)
@pytest.mark.parametrize("how", RENDITIONS, ids=lambda how: how.name)
def test_captions_are_burnt_in_as_they_were_drawn(
    films: dict[str, Film], language: str, how: Rendition
) -> None:
    """What a decoder shows is near to what was painted, and far from the same without captions."""
    board = parse_storyboard(BOARDS[language].encode())
    painter = Painter(Fonts(language), board.colours, (how.width, how.height), how.height / HEIGHT)
    card = board.cards[0]
    plain = painter.paint(painter.ground(None), card_sheet(painter.hand, card, "", "c"))
    captioned = painter.paint(plain, caption_sheet(painter.hand, card.captions[0].text, "c"))
    shown = frames_of(films[language].folder / how.name)[6]
    band = (0, round(how.height * CAPTION_TOP), how.width, how.height)
    assert _apart(shown, captioned, band) < 4
    assert _apart(plain, captioned, band) > 7
    assert _apart(shown, captioned, (0, 0, how.width, how.height)) < 4
    # After the card has gone the band is empty again: no caption stands longer than its cue.
    later = frames_of(films[language].folder / how.name)[19]
    assert ImageStat.Stat(later.crop(band)).extrema[0][1] < 120


def _apart(one: Image.Image, two: Image.Image, box: tuple[int, int, int, int]) -> float:
    """The mean difference of two pictures' brightness within a box, of 255."""
    pair = [image.convert("L").crop(box) for image in (one, two)]
    return ImageStat.Stat(ImageChops.difference(*pair)).mean[0]


def test_scripts_are_shaped_and_run_their_way() -> None:
    """Joined Persian letters are narrower than the same ones apart, and are not drawn from left."""
    fonts = Fonts("fa")
    joined = fonts.measure("سلام", 40, False)
    apart = sum(fonts.measure(sign, 40, False) for sign in "سلام")
    assert joined < 0.8 * apart
    with pytest.raises(Fault, match=r"U\+16A0"):
        fonts.measure("\u16a0", 40, False)


@pytest.mark.parametrize("name", ["film-240.mp4", "film-480.mp4"])
def test_code_of_the_closing_card_is_read_from_the_film(films: dict[str, Film], name: str) -> None:
    for film in films.values():
        (found,) = zxingcpp.read_barcodes(frames_of(film.folder / name)[-1])
        assert found.text == ADDRESS


def test_code_of_the_longest_address_is_read_from_the_smallest_film(
    films: dict[str, Film], tmp_path: Path
) -> None:
    """Another address is another film, whatever the cache holds."""
    shutil.copytree(films["zh-Hans"].folder.parent / "cache", tmp_path / "cache")
    address = ("https://a-long-name.example/" + "p4th" * 31)[:150]
    film = make(tmp_path, CHINESE, ending=Ending(address, WORDS))
    assert not film.cached
    found = zxingcpp.read_barcodes(frames_of(film.folder / SMALL.name)[-1])
    assert [code.text for code in found] == [address]


def test_every_picture_card_leads_to_the_address(films: dict[str, Film]) -> None:
    for film in films.values():
        cards = [name for name in film.files if name.startswith("card-")]
        assert len(cards) == 2
        for name in cards:
            with Image.open(film.folder / name) as card:
                (found,) = zxingcpp.read_barcodes(card)
            assert found.text == ADDRESS
            assert (film.folder / name).stat().st_size < 100_000


def test_index_tells_every_file_to_the_byte(films: dict[str, Film]) -> None:
    for language, film in films.items():
        about = json.loads((film.folder / "film.json").read_bytes())
        assert (about["language"], about["seconds"]) == (language, 3.0)
        assert {n: told["bytes"] for n, told in about["files"].items()} == {
            n: len(data) for n, data in bytes_of(film.folder).items() if n != "film.json"
        }


def test_the_same_film_is_the_same_bytes_again_however_few_cores_are_free(
    films: dict[str, Film], tmp_path: Path
) -> None:
    free = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(free)})
    try:
        again = make(tmp_path, PERSIAN)
    finally:
        os.sched_setaffinity(0, free)
    assert not again.cached
    assert bytes_of(again.folder) == bytes_of(films["fa"].folder)


def test_a_second_build_encodes_nothing(films: dict[str, Film], tmp_path: Path) -> None:
    shutil.copytree(films["zh-Hans"].folder.parent / "cache", tmp_path / "cache")
    second = make(tmp_path, CHINESE)
    assert second.cached and not films["zh-Hans"].cached
    assert bytes_of(second.folder) == bytes_of(films["zh-Hans"].folder)


@pytest.mark.nightly
def test_a_damaged_cache_is_made_again(films: dict[str, Film], tmp_path: Path) -> None:
    before = films["fa"].folder.parent / "cache"
    shutil.copytree(before, tmp_path / "cache")
    damaged = list((tmp_path / "cache").rglob("film-240.mp4"))
    assert len(damaged) == 2  # the film, and the body of it
    for one in damaged:
        one.write_bytes(one.read_bytes()[:-1] + b"?")
    film = make(tmp_path, PERSIAN)
    assert not film.cached
    assert bytes_of(film.folder) == bytes_of(films["fa"].folder)


def test_out_holds_nothing_of_an_older_film_and_keeps_what_is_not_of_films(
    films: dict[str, Film], tmp_path: Path
) -> None:
    shutil.copytree(films["fa"].folder.parent / "cache", tmp_path / "cache")
    out = tmp_path / "out"
    out.mkdir()
    for name in ("card-09.png", "film.m4a", "index.html"):
        (out / name).write_bytes(b"older")
    film = make(tmp_path, PERSIAN)
    assert film.cached
    assert {p.name for p in out.iterdir()} == {*film.files, "index.html"}


# --- what nobody finds in it --------------------------------------------------------------------

# Facts of the container that every player needs, and the zeros where times would stand.
TECHNICAL = {
    "MajorBrand", "MinorVersion", "CompatibleBrands", "MovieHeaderVersion", "CreateDate",
    "ModifyDate", "TimeScale", "Duration", "PreferredRate", "PreferredVolume", "PreviewTime",
    "PreviewDuration", "PosterTime", "SelectionTime", "SelectionDuration", "CurrentTime",
    "NextTrackID", "TrackHeaderVersion", "TrackCreateDate", "TrackModifyDate", "TrackID",
    "TrackDuration", "TrackLayer", "TrackVolume", "ImageWidth", "ImageHeight", "GraphicsMode",
    "OpColor", "CompressorID", "SourceImageWidth", "SourceImageHeight", "XResolution",
    "YResolution", "BitDepth", "BufferSize", "MaxBitrate", "AverageBitrate", "VideoFrameRate",
    "MatrixStructure", "MediaHeaderVersion", "MediaCreateDate", "MediaModifyDate",
    "MediaTimeScale", "MediaDuration", "MediaLanguageCode", "HandlerDescription", "Balance",
    "AudioFormat", "AudioChannels", "AudioBitsPerSample", "AudioSampleRate", "HandlerType",
    "HandlerVendorID", "MediaDataSize", "MediaDataOffset", "ImageSize", "Megapixels", "AvgBitrate",
    "Rotation", "FileType", "FileTypeExtension", "MIMEType",
    "ColorType", "Compression", "Filter", "Interlace", "Palette",
    "JFIFVersion", "ResolutionUnit", "EncodingProcess", "BitsPerSample", "ColorComponents",
    "YCbCrSubSampling",
}  # fmt: skip
FIXED = {"HandlerDescription": "", "HandlerVendorID": "Apple", "HandlerType": "Metadata"}


def _exiftool(*paths: Path) -> dict[str, dict[str, object]]:
    """What exiftool finds inside of each file, by its name."""
    if not shutil.which("exiftool"):
        pytest.skip("exiftool is missing: apt-get install -y libimage-exiftool-perl")
    done = subprocess.run(
        ["exiftool", "-json", "-x", "System:All", "-x", "ExifTool:All", *map(str, paths)],
        check=True, capture_output=True,
    )  # fmt: skip
    return {Path(found.pop("SourceFile")).name: found for found in json.loads(done.stdout)}


def _mat2(*paths: Path) -> str:
    if not shutil.which("mat2"):
        pytest.skip("mat2 is missing: apt-get install -y mat2")
    command = ["mat2", "--show", *map(str, paths)]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def stained(tmp_path_factory: pytest.TempPathFactory) -> Film:
    """A film out of a clip and a picture that say where they were made."""
    folder = tmp_path_factory.mktemp("stained")
    write_clip(
        folder / "talk.mp4", lambda n: colour((200, 8 * n, 40)), frames=12,
        metadata={"location": "+35.6892+051.3890/", "comment": CANARY, "artist": CANARY,
                  "creation_time": "2026-11-28T10:11:12Z"},
    )  # fmt: skip
    exif = Image.Exif()
    exif[0x010F] = CANARY
    exif.get_ifd(0x8825)[2] = (35.0, 41.0, 21.12)  # GPSLatitude
    colour((20, 90, 160), (320, 200)).save(
        folder / "wall.jpg", exif=exif, comment=CANARY, xmp=CANARY.encode(),
        icc_profile=CANARY.encode(),
    )  # fmt: skip
    write_voice(folder / "voice.wav", 0.5)
    with (folder / "voice.wav").open("ab") as file:
        file.write(b"LIST" + (12 + len(CANARY)).to_bytes(4, "little") + b"INFOIART"
                   + len(CANARY).to_bytes(4, "little") + CANARY.encode())  # fmt: skip
    board = (
        'language = "en"\n[[card]]\nclip = "talk.mp4"\n'
        '[[card]]\ntext = "x"\npicture = "wall.jpg"\nnarration = "voice.wav"\nseconds = 1\n'
        "[closing]\nseconds = 1\n"
    )
    return make(folder, board)


def test_place_and_name_in_what_went_in_are_not_in_what_comes_out(stained: Film) -> None:
    folder = stained.folder.parent
    for name in ("talk.mp4", "wall.jpg", "voice.wav"):
        assert CANARY.encode() in (folder / name).read_bytes(), "the canary is not in the input"
    seen = _exiftool(folder / "wall.jpg", folder / "talk.mp4")
    assert "GPSLatitude" in seen["wall.jpg"]
    assert CANARY in str(seen["talk.mp4"])
    for name, data in bytes_of(stained.folder).items():
        for mark in (b"CANARY", b"35.68", b"51.38", b"2026", b"x264", b"Lav", b"Exif", b"GPS"):
            assert mark not in data, name
    pictures = [*stained.folder.glob("*.png"), *stained.folder.glob("*.jpg")]
    for path in pictures:  # what is packed inside of them
        with Image.open(path) as picture:
            assert CANARY not in str(picture.info), path.name
    assert len(pictures) > 2


def _media(film: Film) -> list[Path]:
    kinds = (".mp4", ".m4a", ".png", ".jpg")
    return [film.folder / name for name in film.files if name.endswith(kinds)]


def test_exiftool_finds_nothing_but_what_players_need(
    stained: Film, films: dict[str, Film]
) -> None:
    for film in (stained, films["fa"]):
        seen = _exiftool(*_media(film))
        assert set(seen) == {path.name for path in _media(film)}
        for name, found in seen.items():
            assert set(found) <= TECHNICAL, name
            assert all("0000:00:00" in str(v) for k, v in found.items() if k.endswith("Date"))
            assert all(found[k] == v for k, v in FIXED.items() if k in found)


def test_mat2_finds_nothing_but_what_players_need(stained: Film) -> None:
    assert CANARY in _mat2(stained.folder.parent / "wall.jpg")
    read = [path for path in _media(stained) if path.suffix != ".m4a"]  # which it does not know
    shown = _mat2(*read)
    assert all(path.name in shown for path in read)
    keys = {line.split(":")[0].strip() for line in shown.splitlines() if line[:4] == "    "}
    assert keys <= TECHNICAL


def test_clip_picture_and_voice_are_seen_and_heard_where_they_stand(stained: Film) -> None:
    frames = frames_of(stained.folder / "film-480.mp4")
    assert len(frames) == 72
    red = frames[4].getpixel((432, 240))
    assert isinstance(red, tuple) and red[0] > 150 and red[2] < 90
    blue = frames[38].getpixel((800, 100))
    assert isinstance(blue, tuple) and blue[2] > 120 and blue[0] < 60
    for name in ("film-240.mp4", "film.m4a"):
        levels = loudness(stained.folder / name)
        assert max(levels[:9]) < 0.01
        assert min(levels[11:14]) > 0.1
        assert max(levels[16:]) < 0.01


def test_a_film_that_a_phone_turned_is_upright(tmp_path: Path) -> None:
    def halves(_: int) -> Image.Image:
        image = colour((20, 20, 200), (160, 96))
        image.paste((220, 30, 30), (0, 0, 80, 96))
        return image

    path = write_clip(tmp_path / "talk.mp4", halves, frames=6)
    data = path.read_bytes()
    flat, turned = (
        b"".join(v.to_bytes(4, "big", signed=True) for v in (*row, 1 << 30))
        for row in (
            (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0),
            (0, 1 << 16, 0, -(1 << 16), 0, 0, 96 << 16, 0),  # a quarter to the right
        )
    )
    place = data.index(flat, data.index(b"tkhd"))
    path.write_bytes(data[:place] + turned + data[place + len(flat) :])
    film = make(tmp_path, 'language = "en"\n[[card]]\nclip = "talk.mp4"\n[closing]\nseconds = 1\n')
    frame = frames_of(film.folder / "film-240.mp4")[2]
    top, foot = frame.getpixel((216, 40)), frame.getpixel((216, 200))
    assert isinstance(top, tuple) and isinstance(foot, tuple)
    assert top[0] > 150 and foot[2] > 150
    assert ImageStat.Stat(frame.crop((0, 0, 100, 240))).mean[0] < 30


@pytest.mark.nightly
def test_a_film_file_alone_gets_its_closing_card(tmp_path: Path) -> None:
    path = write_clip(
        tmp_path / "talk.mkv", lambda n: colour((9 * n, 60, 60)), 12, container="matroska"
    )
    film = make_film(path, tmp_path / "out", ENDING, tmp_path / "cache", lambda *_: None)
    frames = frames_of(film.folder / "film-240.mp4")
    assert len(frames) == 12 + 8 * 12
    assert zxingcpp.read_barcodes(frames[-1])[0].text == ADDRESS
    with Image.open(film.folder / "poster.jpg") as poster:
        assert poster.size == (864, 480)


@pytest.mark.nightly
def test_the_wildest_pictures_stay_within_the_budget(tmp_path: Path) -> None:
    noise = [Image.effect_noise((432, 240), 200).convert("RGB") for _ in range(4)]
    write_clip(tmp_path / "talk.mp4", lambda n: noise[n % 4], frames=36)
    film = make(tmp_path, 'language = "en"\n[[card]]\nclip = "talk.mp4"\n[closing]\nseconds = 1\n')
    for how in RENDITIONS:
        rate = how.moving_rate
        size = (film.folder / how.name).stat().st_size
        assert how.most_bytes(Fraction(4), rate) >= size > 4 * how.video_bits / 8 / 2


def test_the_longest_small_film_fits_the_pages_pieces_and_a_bad_line() -> None:
    whole = SMALL.most_bytes(Fraction(MAX_SECONDS), SMALL.rate)
    assert whole <= FILM_PIECE * MAX_PIECES
    # 8 kB a second carry a minute of film in little more than a minute.
    assert SMALL.most_bytes(Fraction(60), SMALL.rate) < 8_000 * 75


def test_the_handbook_says_how_large_a_minute_may_become() -> None:
    text = (Path(__file__).parents[2] / "docs" / "handbook" / "film.md").read_text("utf-8")
    said = re.findall(r"^\| (?:240|480)p \|.* \| ([\d.]+) MB \| (\d+) \|$", text, re.M)
    bytes_ = [how.most_bytes(Fraction(60), how.moving_rate) for how in RENDITIONS]
    assert said == [(f"{size / 1e6:.1f}", str(-(-size // FILM_PIECE))) for size in bytes_]


EXAMPLES = sorted((Path(campaign.__file__).with_name("example") / "film").glob("*.toml"))


def test_the_example_is_told_in_five_languages_and_on_the_page_in_two_card_by_card() -> None:
    boards = {path.stem: parse_storyboard(path.read_bytes()) for path in EXAMPLES}
    own = {code: boards[code] for code in ("en", "es", "fa", "ru", "zh-Hans")}
    assert {code: board.language for code, board in own.items()} == {code: code for code in own}
    assert boards.keys() - own == {"page"}
    assert {len(board.cards) for board in boards.values()} == {5}
    for both, chinese, english in zip(
        *(boards[name].cards for name in ("page", "zh-Hans", "en")), strict=True
    ):
        assert (both.title, both.text) == (
            f"{chinese.title}\n{english.title}", f"{chinese.text}\n{english.text}",
        )  # fmt: skip


@pytest.mark.nightly
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_whole_example_is_made_in_every_language(path: Path, tmp_path: Path) -> None:
    film = make_film(path, tmp_path / "out", ENDING, tmp_path / "cache", lambda *_: None)
    for how in RENDITIONS:
        data = (film.folder / how.name).read_bytes()
        assert len(data) <= how.most_bytes(Fraction(33), how.rate)
        frames = frames_of(film.folder / how.name)
        assert len(frames) == 33 * 12
        assert zxingcpp.read_barcodes(frames[-1])[0].text == ADDRESS
    assert len([name for name in film.files if name.startswith("card-")]) == 6
