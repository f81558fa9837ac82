"""A campaign as 'wallflower campaign build' makes it, in Chromium: each shape, each language, with
script and without, on a phone and on a desk. `PICTURES=folder` keeps what was seen.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Playwright
from tests.browser.browsing import Guest, Look, wait_for, wait_for_board, wait_for_hum
from tests.browser.stage import Shape, Stage
from tests.browser.states import languages, show, violations

from wallflower.campaign.edge.authoring import example_folder, read_campaign
from wallflower.campaign.edge.build import CARRIED, Campaign, build_served
from wallflower.campaign.edge.films import make_films
from wallflower.campaign.edge.shapes import build_bundle

pytestmark = pytest.mark.browser

AUTHORED = read_campaign(example_folder())
SIZES = {"phone": (360, 740), "desktop": (1280, 900)}
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The example's film for the page, with words that nobody's keys have."""
    folder = tmp_path_factory.mktemp("films")
    words = "able about above absent absorb abstract absurd abuse"
    return make_films(AUTHORED, words, folder, folder / "cache", lambda *_: None, only_page=True)


@pytest.fixture
def campaign(stage: Stage, built: Path, films: dict[str, Path], tmp_path: Path) -> Stage:
    """The stage with the bundle of the example campaign, as the build makes it but for the ways."""
    authored = replace(
        AUTHORED, ways=(stage.ingress.url + "/",),
        boards=(stage.site.url + "/", stage.second.url + "/"),
    )  # fmt: skip
    bundle = tmp_path / "bundle"
    build_bundle(authored, stage.pins, built, bundle, "main", None, films)
    stage.folder, stage.carried = bundle / "site", bundle / "carried" / CARRIED
    stage.files["carried.html"] = stage.carried.read_bytes()
    return stage


def _asked(page: Page) -> set[str]:
    """Whom the page asks for anything from now on."""
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc or request.url[:5]))
    return asked


def _keep(page: Page, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_a_campaign_hums_shows_its_film_and_asks_nobody_else(campaign: Stage, guest: Guest) -> None:
    page = guest.start(Look(language="ru"))
    asked = _asked(page)
    page.goto(campaign.address())
    wait_for(page, "hum-status", "Спасибо.")
    wait_for(page, "film-status", "Фильм готов.")
    assert page.title() == AUTHORED.texts["ru"].title
    assert page.locator("h1").inner_text() == "Бюро чистых рук"
    assert page.locator("article:visible h2").all_inner_texts() == list(
        AUTHORED.texts["ru"].headings[1:]
    )
    assert page.locator("footer").inner_text().count("Русские тексты ещё не проверил") == 1
    ours = {urlsplit(server.url).netloc for server in campaign.servers().values()}
    assert asked - {"blob:", "data:"} <= ours
    assert not guest.errors


def test_a_carried_campaign_reads_in_every_language_from_a_file(
    campaign: Stage, guest: Guest
) -> None:
    page = guest.visit(Look(language="es"), shape="file")
    assert languages(page) == list(AUTHORED.languages)
    for code in (*AUTHORED.languages[:-1], "es"):
        show(page, code)
        headings = page.locator("article:visible h2").all_inner_texts()
        assert headings == list(AUTHORED.texts[code].headings[1:])
    film = page.locator("#film[controls]")
    assert film.get_attribute("src") == campaign.carried.with_suffix(".mp4").name
    assert not guest.errors


def _looks_well(page: Page, name: str, judged: str) -> None:
    """Nothing wider than the window, in both sizes; in one of them, nothing that axe finds."""
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        assert size != judged or violations(page) == []
        assert page.evaluate(WIDER) <= 0
        _keep(page, f"{name}-{size}")


@pytest.mark.parametrize("shape", ["served", "file"])
@pytest.mark.parametrize("language", AUTHORED.languages)
def test_every_language_is_readable_and_without_violations(
    campaign: Stage, guest: Guest, language: str, shape: Shape
) -> None:
    page = guest.start(Look(language))
    asked = _asked(page)
    page.goto(campaign.address(shape))
    if shape == "served" and language == "en":
        wait_for_hum(page)
        wait_for_board(page)
    assert page.locator("html").get_attribute("lang") == language
    _looks_well(page, f"{language}-{shape}", "desktop")
    for panel in ("write", "read", "device"):
        page.locator(f"#go-{panel}").click()
    page.locator("#new-words").click()
    _looks_well(page, f"{language}-{shape}-panels", "phone")
    ours = {urlsplit(server.url).netloc for server in campaign.servers().values()}
    assert asked - {"blob:", "data:", "file:"} <= ours
    assert not guest.errors


@pytest.mark.parametrize("shape", ["served", "file"])
def test_without_script_all_languages_stand_below_each_other(
    campaign: Stage, guest: Guest, shape: Shape
) -> None:
    page = guest.start(Look("en", script=False))
    asked = _asked(page)
    page.goto(campaign.address(shape))
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        text = page.locator("main").inner_text()
        for one in AUTHORED.texts.values():
            assert all(heading in text for heading in one.headings[1:])
        assert not page.locator("#letter").is_visible()
        _keep(page, f"no-script-{shape}-{size}")
    assert asked <= {urlsplit(campaign.site.url).netloc, "file:"}


@pytest.mark.nightly
def test_a_campaign_in_two_languages_shows_no_trace_of_the_others(
    campaign: Stage, guest: Guest, built: Path, playwright: Playwright
) -> None:
    del playwright
    texts = {code: AUTHORED.texts[code] for code in ("ru", "en")}
    ways = (campaign.ingress.url + "/", campaign.second.url + "/")
    made = Campaign(campaign.pins, ways, "Office", texts)
    build_served(built, campaign.folder, made, None)
    page = guest.visit(Look(language="zh-Hans"))
    assert languages(page) == ["en", "ru"]
    assert page.locator("html").get_attribute("lang") == "ru"  # the source, as nothing fits
    wait_for(page, "film-status", "В этой копии фильма нет.")
    assert violations(page) == []
    assert "简体中文" not in page.content()
    assert not guest.errors
