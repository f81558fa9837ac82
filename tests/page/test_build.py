"""The static site of a campaign: same bytes twice, nothing foreign, a next step for each fault."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from wallflower.campaign.edge.authoring import example_folder, read_campaign
from wallflower.campaign.edge.build import FILM_PIECE, Campaign, build_carried, build_served
from wallflower.errors import Fault
from wallflower.trust.pins import Pins

PINS = Pins(bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 32, bytes([4]) * 32, 'A "desk" & more')
WAYS = [
    "https://a.example/hum",
    "https://a.example/other",
    "http://[::1]:8443/board/",
]
CAMPAIGN = Campaign(PINS, tuple(WAYS), "Office", read_campaign(example_folder()).texts)
TEMPLATE = (
    "<meta content=\"default-src 'none'; connect-src 'self'@CONNECT@;\">"
    '<meta name="wallflower-pins" content="@PINS@"><b>@ORGANISATION@</b>'
    '<html lang="@LANGUAGE@"><title>@TITLE@</title>'
    + "".join(
        f'<!--in {code}--><p lang="{code}" title="@TITLE {code}@">@NAME {code}@ @LEAD {code}@ '
        f"@ABOUT {code}@ @TEXT {code}@</p><!--/in {code}-->"
        f"<!--unreviewed {code}-->unread {code}<!--/unreviewed {code}-->"
        f"<!--outdated {code}-->old {code}<!--/outdated {code}-->"
        for code in ("en", "zh-Hans", "fa", "ru", "es")
    )
)

CARRIED = TEMPLATE + '<video id="film"@FILM@>media-src@MEDIA@'


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A built page, as far as the site is concerned."""
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text(TEMPLATE, encoding="utf-8")
    (folder / "carried.html").write_text(CARRIED, encoding="utf-8")
    for name in ("app.js", "hum.js", "seal.js", "style.css"):
        (folder / name).write_text(f"/* {name} */")
    return folder


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Two and a bit pieces of film."""
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(range(256)) * 300)
    return path


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_site_is_the_same_twice_and_the_film_is_whole(
    page: Path, film: Path, tmp_path: Path
) -> None:
    sites = []
    for name in ("one", "two"):
        build_served(page, tmp_path / name, CAMPAIGN, film)
        sites.append(_files(tmp_path / name))
    assert sites[0] == sites[1]
    pieces = [data for name, data in sites[0].items() if name.startswith("film/")]
    assert [len(p) for p in pieces[:-1]] == [FILM_PIECE] * (len(pieces) - 1)
    assert b"".join(pieces) == film.read_bytes()


def test_page_holds_pins_film_and_the_origins_of_the_ways(
    page: Path, film: Path, tmp_path: Path
) -> None:
    named = replace(CAMPAIGN, organisation="<Office> & @PINS@")
    build_served(page, tmp_path / "site", named, film)
    text = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    found = re.search(r'wallflower-pins" content="([^"]*)"', text)
    assert found is not None
    pins = json.loads(html.unescape(found[1]))
    assert pins["desk"] == PINS.desk
    assert pins["root"] == PINS.root.hex()
    assert pins["film"] == {"pieces": 3, "bytes": 76800}
    assert "connect-src 'self' https://a.example http://[::1]:8443;" in text
    assert "<b>&#60;Office&#62; &#38; &#64;PINS&#64;</b>" in text


def test_shorter_film_leaves_no_piece_of_the_longer_one(
    page: Path, film: Path, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    build_served(page, site, CAMPAIGN, film)
    (site / "record").write_bytes(b"the day's record")
    film.write_bytes(b"short")
    build_served(page, site, CAMPAIGN, film)
    assert [p.name for p in (site / "film").iterdir()] == ["00"]
    assert (site / "record").read_bytes() == b"the day's record"


def test_carried_copy_is_the_same_twice_and_knows_where_to_begin(
    page: Path, tmp_path: Path
) -> None:
    campaign = replace(CAMPAIGN, boards=(WAYS[2],))
    copies = []
    for name in ("one", "two"):
        build_carried(page, tmp_path / name / "carried.html", campaign)
        copies.append(_files(tmp_path / name))
    assert copies[0] == copies[1]
    assert list(copies[0]) == ["carried.html"]
    text = copies[0]["carried.html"].decode()
    found = re.search(r'wallflower-pins" content="([^"]*)"', text)
    assert found is not None
    pins = json.loads(html.unescape(found[1]))
    assert pins["boards"] == [WAYS[2]]
    assert pins["hurry"] is True
    assert pins["channel"] == 0
    assert "film" not in pins
    assert "media-src 'none'" in text


def test_carried_copy_without_boards_of_its_own_tries_all_ways(page: Path, tmp_path: Path) -> None:
    build_carried(page, tmp_path / "carried.html", CAMPAIGN)
    text = html.unescape((tmp_path / "carried.html").read_text(encoding="utf-8"))
    assert json.dumps(WAYS, separators=(",", ":")) in text


def test_film_of_a_carried_copy_lies_beside_it(page: Path, film: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "to carry.html"
    build_carried(page, out, CAMPAIGN, film)
    assert (tmp_path / "out" / "to carry.mp4").read_bytes() == film.read_bytes()
    text = out.read_text(encoding="utf-8")
    assert 'src="to%20carry.mp4"' in text
    assert "media-src 'self'" in text


def test_operator_switches_the_override_off_by_the_build(
    page: Path, film: Path, tmp_path: Path
) -> None:
    build_served(page, tmp_path / "site", replace(CAMPAIGN, hurry=False), film)
    text = html.unescape((tmp_path / "site" / "index.html").read_text(encoding="utf-8"))
    assert '"hurry":false' in text


def test_a_copy_knows_its_channel_and_one_out_of_bounds_is_a_fault(
    page: Path, film: Path, tmp_path: Path
) -> None:
    build_served(page, tmp_path / "site", replace(CAMPAIGN, channel=254), film)
    text = html.unescape((tmp_path / "site" / "index.html").read_text(encoding="utf-8"))
    assert '"channel":254' in text
    for channel in (-1, 255):
        with pytest.raises(Fault, match="channel"):
            build_served(page, tmp_path / "other", replace(CAMPAIGN, channel=channel), film)


def test_page_that_is_not_built_says_what_to_type(film: Path, tmp_path: Path) -> None:
    with pytest.raises(Fault, match="npm run build"):
        build_served(tmp_path / "nothing", tmp_path / "site", CAMPAIGN, film)
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize(
    "way",
    [
        "ftp://a.example/",
        "https://a.example;script-src *",
        "https://",
        'https://a"b/',
        "a.example",
        "https://[::1/",
    ],
)
def test_way_that_could_widen_the_policy_is_refused(
    page: Path, film: Path, tmp_path: Path, way: str
) -> None:
    with pytest.raises(Fault, match="way"):
        build_served(page, tmp_path / "site", replace(CAMPAIGN, ways=(way,)), film)


def test_template_of_another_version_is_refused(page: Path, film: Path, tmp_path: Path) -> None:
    (page / "index.html").write_text("<p>@PINS@</p>", encoding="utf-8")
    with pytest.raises(Fault, match="another version"):
        build_served(page, tmp_path / "site", CAMPAIGN, film)


def test_empty_film_is_refused(page: Path, film: Path, tmp_path: Path) -> None:
    film.write_bytes(b"")
    with pytest.raises(Fault, match="film"):
        build_served(page, tmp_path / "site", CAMPAIGN, film)
