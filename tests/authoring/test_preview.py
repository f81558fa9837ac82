"""The preview: loopback only, shown again after a change, its reload script in no build."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import aiohttp
import pytest
from tests.authoring.conftest import PINS, change
from tests.campaign.film_made import has_fonts
from watchfiles._rust_notify import WatchfilesRustInternalError
from yarl import URL

from wallflower.campaign.edge.authoring import read_campaign
from wallflower.campaign.edge.build import packaged_page
from wallflower.campaign.edge.preview import RELOAD, Preview, serve_preview
from wallflower.campaign.edge.shapes import build_bundle
from wallflower.cli.campaign import preview_film
from wallflower.errors import Fault

LIMIT_S = 600


async def test_a_change_of_a_text_is_shown_again_on_loopback_only(folder: Path) -> None:
    opened: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve_preview(folder, packaged_page(), 0, opened.set_result))
    try:
        async with asyncio.timeout(LIMIT_S), aiohttp.ClientSession() as session:
            url = await opened
            assert urlsplit(url).hostname == "127.0.0.1"
            async with session.get(url) as page:
                assert RELOAD in await page.text()
            async with session.get(url + "changes") as changes:
                change(folder, "en.md", "A letter can be lost.", "Changed on purpose.")
                while not (await changes.content.readline()).startswith(b"data:"):
                    pass
            async with session.get(url) as page:
                text = await page.text()
                assert "Changed on purpose." in text
                assert 'data-seen="1"' not in text
            async with session.get(url + "changes?seen=1") as missed:
                assert (await missed.content.readline()).startswith(b"data:"), "told at once"
            for path in ("campaign.toml", "../campaign.toml", "%2e%2e/campaign.toml"):
                as_written = URL(url + path, encoded=True)  # a client would tidy it otherwise
                async with session.get(as_written) as other:
                    assert other.status == 404, path
            async with session.get(url, headers={"Host": "elsewhere.example"}) as foreign:
                assert foreign.status == 400, "a name that leads here is not ours"
                assert "Changed on purpose." not in await foreign.text()
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def test_a_fault_is_shown_in_place_of_the_page_and_a_folder_without_keys_is_shown(
    folder: Path,
) -> None:
    (folder / "pins.json").unlink()
    preview = Preview(folder, packaged_page())
    preview.rebuild()
    assert b"Office for Clean Hands" in preview.files["index.html"]
    change(folder, "ru.md", "## ", "# ")
    preview.rebuild()
    assert b"ru.md, line 2 of its text" in preview.files["index.html"]
    assert RELOAD.encode() in preview.files["index.html"]


async def test_a_port_that_somebody_has_is_a_fault(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Fault, match="port"):
        await serve_preview(folder, packaged_page(), taken.getsockname()[1], lambda _: None)


async def test_a_folder_that_the_system_watches_for_nobody_is_a_fault(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise WatchfilesRustInternalError("Too many open files (os error 24)")

    monkeypatch.setattr("watchfiles.main.RustNotify", refuse)
    with pytest.raises(Fault, match="watch folders"):
        await serve_preview(folder, packaged_page(), 0, lambda _: None)


def test_a_file_that_goes_while_it_is_read_ends_no_preview(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = Preview(folder, packaged_page())
    with monkeypatch.context() as editor:
        editor.setattr("wallflower.campaign.edge.preview.build_served", _gone)
        preview.rebuild()
    assert b"changed while it was read" in preview.files["index.html"]
    (folder / "ru.md").write_bytes(b"\xff")
    preview.rebuild()
    assert b"ru.md is not UTF-8" in preview.files["index.html"]


def _gone(*_: object) -> None:
    raise FileNotFoundError


@pytest.mark.skipif(not has_fonts(), reason="fonts-noto-core or fonts-noto-cjk missing")
def test_the_preview_shows_the_film_as_its_storyboard_is_now(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    change(folder, "campaign.toml", 'page = "film.mp4"', 'make = ["film/en.toml"]')
    board = folder / "film" / "en.toml"
    board.write_text('language = "en"\n[[card]]\ntitle = "One"\nseconds = 1\n', "utf-8")
    preview = Preview(folder, packaged_page(), preview_film())
    preview.rebuild()
    first = preview.files["film/00"]
    change(folder, "film/en.toml", "One", "Two")
    preview.rebuild()
    assert first != preview.files["film/00"]
    change(folder, "film/en.toml", "[[card]]", "[[cards]]")
    preview.rebuild()
    assert b"has not 1 to 60 cards" in preview.files["index.html"]


def test_no_build_holds_the_reload_script(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build_bundle(read_campaign(folder), PINS, packaged_page(), out, "main", None)
    for path in out.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert RELOAD.encode() not in data
            assert b"EventSource" not in data
