"""The lint: each rule finds its fault, and says nothing where there is none."""

from __future__ import annotations

import shutil
import socket
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tests.authoring.conftest import FILM, change

from wallflower.campaign import lint_names, lint_reach
from wallflower.campaign.edge import lint_media
from wallflower.campaign.edge.authoring import read_campaign
from wallflower.campaign.edge.build import packaged_page
from wallflower.campaign.edge.lint import Finding, lint
from wallflower.campaign.lint_lookalikes import homoglyphs, one_letter, sounds
from wallflower.campaign.lint_page import contrast, weak_contrasts
from wallflower.cli import wallflower
from wallflower.errors import Fault


def _found(folder: Path) -> list[Finding]:
    return lint(read_campaign(folder), packaged_page()).findings


def _mirrors(folder: Path) -> list[str]:
    return [one.what for one in _found(folder) if one.rule == "mirrors"]


def _publish(folder: Path, place: str, text: str) -> None:
    with (folder / "campaign.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[[published]]\nplace = "{place}"\ntext = "{text}"\n')


def test_the_example_has_no_findings_and_ends_with_zero(folder: Path) -> None:
    done = CliRunner().invoke(wallflower, ["campaign", "lint", str(folder)])
    assert done.exit_code == 0, done.output
    assert "0 findings" in done.output


def test_the_lint_asks_nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lint that looked up published names and mirrors would publish them."""
    _publish(folder, "x.handle", "@officeforcleanhands")
    _publish(folder, "telegram.handle", "@cleanhands")
    asked: list[object] = []
    for name in ("getaddrinfo", "gethostbyname", "create_connection", "socket"):
        monkeypatch.setattr(socket, name, lambda *a, **_: asked.append(a))
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **_: asked.append(a))
    found = _found(folder)
    assert asked == []
    assert found


def test_a_finding_ends_with_one_and_says_what_to_do(folder: Path) -> None:
    _publish(folder, "x.handle", "@officeforcleanhands")
    done = CliRunner().invoke(wallflower, ["campaign", "lint", str(folder)])
    assert done.exit_code == 1
    assert "shown as 'officeforcleanh…'" in done.output
    assert "Register it" in done.output


@pytest.mark.parametrize(
    ("place", "text", "shown"),
    [
        ("x.handle", "@sixteencharacter", "'sixteencharacte'"),
        ("tiktok.handle", "a" * 25, f"'{'a' * 24}'"),
        ("mastodon.link", "https://t.me/securelycontactingofficehands",
         "'securelycontactingofficeh' at t.me can be somebody else"),
        ("mastodon.link", "https://reports.office-for-clean-hands.example",
         "'reports.office-for-clean-hands' can be somebody else's address"),
    ],
)  # fmt: skip
def test_every_prefix_that_is_shown_is_named(
    folder: Path, place: str, text: str, shown: str
) -> None:
    _publish(folder, place, text)
    found = [one for one in _found(folder) if one.rule == "truncation"]
    assert len(found) == 1
    assert shown in found[0].what
    assert "read 2026" in found[0].what


def test_what_fits_and_what_we_hold_ourselves_is_no_finding(folder: Path) -> None:
    _publish(folder, "x.handle", "@fifteencharacte")
    _publish(folder, "mastodon.link", "https://t.me/thirty_characters_at_most")
    _publish(folder, "x.handle", "@heldbyusallalong")
    change(folder, "campaign.toml", "owned = []", 'owned = ["heldbyusallalon"]')
    assert [one for one in _found(folder) if one.rule == "truncation"] == []


def test_a_place_without_a_known_limit_is_named_and_not_judged(folder: Path) -> None:
    _publish(folder, "x.link", "https://t.me/" + "a" * 60)
    _publish(folder, "weibo.name", "清廉办公室")
    report = lint(read_campaign(folder), packaged_page())
    assert [one for one in report.findings if one.rule == "truncation"] == []
    assert any(line.startswith("x.link cuts") for line in report.unsaid)
    assert any(line.startswith("weibo.name: nothing is known") for line in report.unsaid)


def test_nothing_is_asserted_of_a_place_or_a_country_without_a_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data.toml"
    monkeypatch.setattr(lint_names, "_LIMITS", data)
    monkeypatch.setattr(lint_reach, "_COUNTRIES", data)
    data.write_text(
        '[[place]]\nname = "a"\nkind = "name"\nlimit = 3\nread = 2026-01-01\n'
        '[[blocked]]\ncountry = "ru"\nwhat = "a"\nwords = ["a"]\n'
    )
    for judge in (lint_names.places.__wrapped__, lint_reach.table.__wrapped__):
        with pytest.raises(Fault, match="without a source"):
            judge()


def test_one_letter_names_are_left_out_doubled_swapped_and_replaced() -> None:
    found = one_letter("desk")
    assert {"esk", "ddesk", "edsk", "dask", "desl"} <= set(found)
    assert "desk" not in found


def test_characters_of_other_scripts_that_look_alike_are_found() -> None:
    found = homoglyphs("clean")
    assert "сlean" in found  # a Cyrillic с
    assert "cleаn" in found  # a Cyrillic а
    assert "dean" in found  # cl read as d
    assert all(name == name.lower() for name in found)
    assert "cleanhands.example" in homoglyphs("clean.hands.example")


def test_chinese_names_that_sound_alike_are_found() -> None:
    found = sounds("清廉")
    assert "青廉" in found  # the same sound and tone
    assert "请廉" in found  # another tone: a listener cannot tell
    assert "清连" in found
    assert "清廉" not in found


def test_names_that_invite_a_fake_are_found(folder: Path) -> None:
    _publish(folder, "telegram.handle", "@cleanhandsdesks")
    _publish(folder, "telegram.handle", "@modernhands")
    _publish(folder, "other", "https://cleаn.example/")
    _publish(folder, "other", f"https://{'hаnds'.encode('idna').decode()}.example/")
    found = [one.what for one in _found(folder) if one.rule == "look-alike"]
    assert any("differ in one letter" in what for what in found)
    assert any("'rn', which is read as 'm'" in what for what in found)
    assert any("'cleаn.example' mixes scripts" in what for what in found)
    assert any("'hаnds.example' mixes scripts" in what for what in found), "written as xn--"


def test_names_to_register_leave_out_those_that_we_hold(folder: Path) -> None:
    before = lint(read_campaign(folder), packaged_page()).advice
    change(folder, "campaign.toml", "owned = []", 'owned = ["leanhandsdesk"]')
    after = lint(read_campaign(folder), packaged_page()).advice
    assert "leanhandsdesk" in before[0]
    assert "leanhandsdesk" not in after[0].replace("cleanhandsdesk", "")


def test_pictures_and_films_that_tell_of_their_makers_are_found(folder: Path) -> None:
    picture = Image.new("RGB", (4, 4))
    exif = picture.getexif()
    exif[0x010F] = "Maker"
    picture.save(folder / "a.jpg", exif=exif)
    note = PngInfo()
    note.add_text("Author", "somebody")
    picture.save(folder / "b.png", pnginfo=note)
    picture.save(folder / "clean.png")
    film = (folder / "film.mp4").read_bytes()
    at = film.index(b"mvhd") + 8
    (folder / "dated.mp4").write_bytes(film[:at] + b"\xe0\x00\x00\x01" + film[at + 4 :])
    (folder / "made.mp4").write_bytes(film + b"\x00\x00\x00\x20freex264 - core 164        ")
    (folder / "broken.mp4").write_bytes(b"nothing")
    (folder / "notes.odt").write_bytes(b"?")
    report = lint(read_campaign(folder), packaged_page())
    said = {one.what.split(" ", 1)[0]: one.what for one in report.findings}
    assert set(said) == {"a.jpg", "b.png", "dated.mp4", "made.mp4", "broken.mp4"}
    assert "EXIF" in said["a.jpg"]
    assert "Author" in said["b.png"]
    assert "its date of making" in said["dated.mp4"]
    assert "x264 - core 164" in said["made.mp4"]
    assert any(line.startswith("notes.odt") for line in report.unsaid)


def _picture(kind: str) -> bytes:
    out = BytesIO()
    Image.new("RGB", (9, 9)).save(out, kind)
    return out.getvalue()


# Only the first bytes of each are damaged: there it says how large it is and where things stand.
DAMAGED = {
    ".png": _picture("PNG"), ".tif": _picture("TIFF"), ".gif": _picture("GIF"),
    ".webp": _picture("WEBP"), ".jpg": _picture("JPEG"), ".mp4": FILM.read_bytes()[:4000],
    ".mp3": b"ID3\x04\0\0\0\0\0\x20TIT2\0\0\0\x05\0\0\x03abcd" + b"\xff\xfb\x90\0" * 99,
    ".flac": b"fLaC\x80\0\0\x22" + bytes(34), ".ogg": b"OggS\0\x02" + bytes(60),
    ".wav": b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0",
}  # fmt: skip


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.sampled_from(sorted(DAMAGED)),
    st.lists(st.tuples(st.integers(0, 150), st.binary(min_size=1, max_size=4)), max_size=6),
)
@example(".png", [(16, b"\x00\x01\x00\x00"), (20, b"\x00\x01\x00\x00")])
@example(".tif", [(0, b"M\x00")])
def test_a_damaged_file_is_a_finding_or_none_and_ends_no_lint(
    folder: Path, suffix: str, damage: list[tuple[int, bytes]]
) -> None:
    data = bytearray(DAMAGED[suffix])
    for at, put in damage:
        data[at : at + len(put)] = put
    (folder / f"damaged{suffix}").write_bytes(data)
    found = list(lint_media.telling(read_campaign(folder)))
    assert all(what.startswith(("damaged", "film")) for what, _ in found)
    (folder / f"damaged{suffix}").unlink()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('text = "@cleanhandsdesk"', 'text = "http://[one.example"'),
        ('address = "https://clean-hands.example/"', 'address = "https://[clean"'),
        ('"https://hum.clean-hands.example/"', '"https://[hum.example/"'),
    ],
)
def test_what_is_no_address_ends_no_lint(folder: Path, old: str, new: str) -> None:
    change(folder, "campaign.toml", old, new)
    lint(read_campaign(folder), packaged_page())


def test_steps_that_readers_cannot_take_are_found_with_their_source(folder: Path) -> None:
    change(folder, "ru.md", "Своё, с обновлениями", "Скачайте Tor Browser с torproject.org")
    change(folder, "zh-Hans.md", "用自己的、及时更新的设备", "先翻墙")
    found = [one.what for one in _found(folder) if one.rule == "reach"]
    assert any("torproject.org is blocked in ru since 2021-09 (https://ooni" in w for w in found)
    assert any("zh-Hans.md presupposes a VPN" in what for what in found)
    change(folder, "campaign.toml", '["cn", "ir", "ru"]', '["xx"]')
    report = lint(read_campaign(folder), packaged_page())
    assert not any("blocked in ru" in one.what for one in report.findings)
    assert any(line.startswith("xx: nothing is known") for line in report.unsaid)


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("https://a.example/?utm_source=x", "more than an address"),
        ("https://a.example/#from-x", "more than an address"),
        ("https://you@a.example/", "more than an address"),
        ("https://bit.ly/abc", "shortener"),
    ],
)
def test_addresses_that_tell_where_a_reader_came_from_are_found(
    folder: Path, link: str, said: str
) -> None:
    _publish(folder, "other", link)
    assert any(said in one.what for one in _found(folder) if one.rule == "referrer")


@pytest.mark.parametrize(
    ("mirrors", "said"),
    [
        (["https://one.example", "https://two.example"], None),
        (["https://lake.example/a", "https://LAKE.example/b"], "are the same"),
        (["https://blue-lake.example", "https://red-hill.test"], None),
        (["https://a.quiet.example", "https://b.quiet.example"], "both under quiet.example"),
        (["https://m1.example", "https://m2.test"], None),
        (["https://mirror1.test", "https://mirror2.test"], "differ only in a number"),
        (["https://lake.example", "https://lake.test"], "both begin with 'lake'"),
        (["https://a.lake.example", "https://b.lake.test"], "both called 'lake'"),
        (["http://192.0.2.7", "http://192.0.2.99"], "in one network"),
        (["http://192.0.2.7", "http://198.51.100.7"], None),
        (["http://[2001:db8::1]", "http://[2001:db8::2]"], "in one network"),
    ],
)
def test_mirrors_whose_names_or_networks_lead_to_each_other_are_found(
    folder: Path, mirrors: list[str], said: str | None
) -> None:
    names = ", ".join(f'"{one}"' for one in mirrors)
    change(folder, "campaign.toml", "mirrors = []", f"mirrors = [{names}]")
    report = lint(read_campaign(folder), packaged_page())
    found = [one.what for one in report.findings if one.rule == "mirrors"]
    assert len(found) == (said is not None)
    assert all(said is not None and said in what for what in found)
    assert any("one mirror, one account" in line for line in report.unsaid)


def test_a_copy_that_names_a_mirror_is_found(folder: Path) -> None:
    change(folder, "campaign.toml", "mirrors = []", 'mirrors = ["https://quiet.example/"]')
    change(folder, "es.md", "Mire.", "Mire en quiet.example.")
    change(
        folder, "campaign.toml", '"https://board.clean-hands.example/"', '"https://QUIET.example/b"'
    )
    found = [one.what for one in _found(folder) if one.rule == "mirrors"]
    assert found == [
        "es.md names the mirror quiet.example",
        "a board names the mirror quiet.example",
    ]


@pytest.mark.parametrize(
    "said",
    ["请打开 quiet.example 观看", "请打开quiet.example观看", "打开（quiet.example）",
     "打开。quiet.example。", "https://quiet.example看", "打开quiet。example看",
     "看...quiet.example", "ｑｕｉｅｔ．ｅｘａｍｐｌｅ"],
)  # fmt: skip
def test_a_mirror_is_found_in_chinese_which_has_no_spaces(folder: Path, said: str) -> None:
    change(folder, "campaign.toml", "mirrors = []", 'mirrors = ["https://quiet.example"]')
    with (folder / "zh-Hans.md").open("a", encoding="utf-8") as file:
        file.write(f"\n{said}\n")
    assert _mirrors(folder) == ["zh-Hans.md names the mirror quiet.example"]


def test_a_host_whose_name_holds_a_mirrors_is_another(folder: Path) -> None:
    change(folder, "campaign.toml", "mirrors = []", 'mirrors = ["https://quiet.example"]')
    change(folder, "es.md", "Mire.", "Mire en unquiet.example, a.quiet.example y quiet.example-b.")
    assert _mirrors(folder) == []


@pytest.mark.parametrize(
    ("mirror", "said"),
    [("xn--fiqs8s.example", "中国.example"), ("中国.example", "xn--fiqs8s.example"),
     ("中国.example", "打开中国。example看")],
)  # fmt: skip
def test_a_mirror_is_found_in_both_spellings_of_its_name(
    folder: Path, mirror: str, said: str
) -> None:
    change(folder, "campaign.toml", "mirrors = []", f'mirrors = ["https://{mirror}"]')
    change(folder, "es.md", "Mire.", f"Mire en {said} ya.")
    assert _mirrors(folder) == ["es.md names the mirror xn--fiqs8s.example"]


@pytest.mark.parametrize(
    ("mirror", "said"),
    [("گل\u200cها.example", "گل\u200cها.example"), ("گل\u200cها.example", "گلها.example"),
     ("faß.example", "Faß.example"), ("xn--fa-hia.example", "faß.example"),
     ("xn--mgb1dj82bj16h.example", "گل\u200cها.example"), ("quiet.example", "quiet\u00ad.example"),
     ("σίγμας.example", "ΣΊΓΜΑΣ.example")],
)  # fmt: skip
def test_a_mirror_is_found_by_letters_that_are_not_seen_or_not_compared(
    folder: Path, mirror: str, said: str
) -> None:
    change(folder, "campaign.toml", "mirrors = []", f'mirrors = ["https://{mirror}"]')
    with (folder / "fa.md").open("a", encoding="utf-8") as file:
        file.write(f"\n{said}\n")
    assert [what.split(" the mirror ")[0] for what in _mirrors(folder)] == ["fa.md names"]


def test_a_mirror_is_found_in_films_names_and_the_organisations(folder: Path) -> None:
    change(folder, "campaign.toml", "mirrors = []", 'mirrors = ["https://quiet.example"]')
    change(folder, "campaign.toml", "Office for Clean Hands", "quiet.example")
    change(folder, "campaign.toml", 'page = "film.mp4"', 'make = ["film/en.toml"]')
    change(folder, "film/en.toml", "If you saw", "Look at quiet.example. If you saw")
    change(folder, "fa.md", 'name = "', 'name = "quiet.example ')
    assert _mirrors(folder) == [
        f"{place} names the mirror quiet.example"
        for place in ("fa.md", "the organisation", "film/en.toml")
    ]


@pytest.mark.parametrize("name", ["quiet.example.mp4", "film-QUIET.example-480.mp4"])
def test_a_film_that_is_called_after_a_mirror_is_found(folder: Path, name: str) -> None:
    """The names of all films are signed, and what is signed is in every copy."""
    change(folder, "campaign.toml", "mirrors = []", 'mirrors = ["https://quiet.example"]')
    shutil.copyfile(FILM, folder / name)
    change(folder, "campaign.toml", "more = []", f'more = ["{name}"]')
    assert _mirrors(folder) == [f"The film {name} is called after the mirror quiet.example"]


def test_a_storyboard_that_cannot_be_read_is_said_with_its_name(folder: Path) -> None:
    change(folder, "campaign.toml", "more = []", 'make = ["film/en.toml", "film/fa.toml"]')
    (folder / "film" / "fa.toml").write_text("[[card")
    with pytest.raises(Fault, match=r"film/fa\.toml: The storyboard is not TOML"):
        _found(folder)


@pytest.mark.parametrize("said", ["请先装VPN再看", "请用Telegram联系"])
def test_what_readers_cannot_have_is_found_in_chinese_too(folder: Path, said: str) -> None:
    before = [one.what for one in _found(folder) if one.rule == "reach"]
    with (folder / "zh-Hans.md").open("a", encoding="utf-8") as file:
        file.write(f"\n{said}\n")
    assert len([one for one in _found(folder) if one.rule == "reach"]) > len(before)


def test_outdated_and_shortened_translations_are_findings(folder: Path) -> None:
    change(folder, "en.md", "A letter can be lost.", "Letters can be lost.")
    text = (folder / "fa.md").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if not line.startswith("- **کاغذ")]
    (folder / "fa.md").write_text("\n".join(kept) + "\n", encoding="utf-8")
    found = [one.what for one in _found(folder) if one.rule == "translation"]
    assert len(found) == 5
    assert any("fa.md has fewer items in: Before you write" in what for what in found)


def test_contrast_is_that_of_wcag_and_a_weak_pair_is_found() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    style = (packaged_page() / "style.css").read_text(encoding="utf-8")
    assert list(weak_contrasts(style)) == []
    weak = style.replace("--quiet:", "--quiet:#bbb;--was:", 1)
    assert any("light: quiet on ground" in fault for fault in weak_contrasts(weak))
    assert any("no colour" in fault for fault in weak_contrasts(":root{}"))


def test_a_page_that_tells_where_readers_came_from_or_asks_others_is_found(
    folder: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page"
    page.mkdir()
    for name in ("index.html", "carried.html", "style.css"):
        data = (packaged_page() / name).read_bytes().replace(b"no-referrer", b"origin")
        foreign = b"@import 'https://a.example/x.css';" if name == "style.css" else b""
        (page / name).write_bytes(foreign + data)
    rules = {one.rule for one in lint(read_campaign(folder), page).findings}
    assert rules == {"referrer", "origins"}
