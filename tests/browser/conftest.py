"""A stage and a Chromium for each test. Without Chromium the tests are skipped, and say so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright
from tests.browser.browsing import Visitor
from tests.browser.stage import Stage

from wallflower.campaign.build import packaged_page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


@pytest.fixture(scope="session")
def playwright(chromium: str) -> Iterator[Playwright]:
    """Playwright's driver, once for all tests; without a built page there is nothing to see."""
    if not (packaged_page() / "index.html").is_file():
        pytest.skip("The page is not built: cd page && npm ci --ignore-scripts && npm run build")
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    return CHROMIUM


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A world with one record and a board of two segments."""
    made = Stage(tmp_path / "site")
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
