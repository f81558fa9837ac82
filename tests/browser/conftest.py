"""A stage and a Chromium for each test. Without Chromium the tests fail, and say what to type."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright
from tests.browser.browsing import WAKEFUL, Guest, Visitor
from tests.browser.stage import Stage

from wallflower.campaign.edge.build import packaged_page
from wallflower.lab.demo.chromium import FLAGS

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the built page, so that one run tests one page; without one there is none."""
    if not (packaged_page() / "index.html").is_file():
        pytest.fail("The page is not built: cd page && npm ci --ignore-scripts && npm run build")
    copy = tmp_path_factory.mktemp("built") / "page"
    shutil.copytree(packaged_page(), copy)
    return copy


@pytest.fixture(scope="module")
def playwright(chromium: str) -> Iterator[Playwright]:
    """Playwright's driver. It keeps an event loop running, so it ends before other tests begin."""
    del chromium
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is."""
    if CHROMIUM is None:
        pytest.fail("Chromium is not installed: apt-get install chromium")
    return CHROMIUM


@pytest.fixture(scope="session")
def tell(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Says something on the terminal, where the test passes too. By the second way out, since the
    first of a test that others run beside leads nowhere.
    """

    captured = pytestconfig.pluginmanager.getplugin("capturemanager")

    def said(text: str) -> None:
        with captured.global_and_fixture_disabled():
            print(text, file=sys.stderr)

    return said


@pytest.fixture
def stage(tmp_path: Path, built: Path) -> Iterator[Stage]:
    """A world with one record and a board of two segments."""
    made = Stage(tmp_path / "site", built)
    made.next_day()
    made.release([], [])
    made.release([], [])
    yield made
    made.stop()


@pytest.fixture
def visitor(
    playwright: Playwright, chromium: str, stage: Stage, tmp_path: Path
) -> Iterator[Visitor]:
    """A person with a browser profile of their own, which outlives the browser."""
    person = Visitor(playwright, chromium, tmp_path / "profile", stage)
    yield person
    person.leave()


@pytest.fixture(scope="module")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    """A browser for all guests of one file."""
    with playwright.chromium.launch(
        executable_path=chromium, args=list(FLAGS), ignore_default_args=WAKEFUL
    ) as opened:
        yield opened


@pytest.fixture
def guest(browser: Browser, stage: Stage) -> Iterator[Guest]:
    """A person in a window of their own."""
    person = Guest(browser, stage)
    yield person
    person.leave()
