"""The preview in Chromium: what its writer sees, again after each change, and never a request to
anybody else."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Playwright, expect
from tests.authoring.conftest import EXAMPLE_FILMS, FILM, change

from wallflower.campaign.edge.authoring import new_campaign
from wallflower.campaign.edge.preview import serve_preview
from wallflower.lab.demo.chromium import FLAGS

pytestmark = pytest.mark.browser
LIMIT_S = 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The example campaign with a ready film and no keys."""
    made = tmp_path / "campaign"
    new_campaign(made)
    shutil.copyfile(FILM, made / "film.mp4")
    change(made, "campaign.toml", EXAMPLE_FILMS, 'page = "film.mp4"')
    return made


@contextmanager
def served(folder: Path, page: Path) -> Iterator[str]:
    """The address of a preview that runs in a thread; it ends with the block."""
    address: list[str] = []
    opened, end = threading.Event(), threading.Event()

    def open_(url: str) -> None:
        address.append(url)
        opened.set()

    async def until_the_end() -> None:
        serving = asyncio.create_task(serve_preview(folder, page, 0, open_))
        await asyncio.to_thread(end.wait)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(until_the_end()))
    thread.start()
    try:
        assert opened.wait(LIMIT_S)
        yield address[0]
    finally:
        end.set()
        thread.join(LIMIT_S)


def test_a_writer_sees_each_change_without_a_click_and_nobody_else_is_asked(
    playwright: Playwright, chromium: str, built: Path, folder: Path
) -> None:
    asked: set[str] = set()
    complaints: list[str] = []
    with served(folder, built) as url:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        page = browser.new_page(locale="en-US")
        page.set_default_timeout(LIMIT_S * 1000)
        expect.set_options(timeout=LIMIT_S * 1000)
        page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        page.on(
            "console", lambda said: complaints.append(said.text) if "Policy" in said.text else None
        )
        page.goto(url)
        body = page.locator("body")
        expect(body).to_contain_text("Office for Clean Hands")
        change(folder, "en.md", "A letter can be lost.", "Changed on purpose.")
        expect(body).to_contain_text("Changed on purpose.")
        change(folder, "en.md", "Changed on purpose.", "| not | shown |\n\n# Too large")
        expect(body).to_contain_text("which the page does not show")
        change(folder, "en.md", "| not | shown |\n\n# Too large", "Right again.")
        expect(body).to_contain_text("Right again.")
        browser.close()
    assert asked == {urlsplit(url).netloc}
    assert not [said for said in complaints if "Policy" in said], "it lets the reload through"
