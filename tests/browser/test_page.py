"""The page in a real Chromium, watched from outside: what leaves it, and what a person sees."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, Route
from tests.browser.browsing import (
    ANYTHING,
    Guest,
    Look,
    Visitor,
    heard,
    listen,
    look_up,
    make_words,
    open_panel,
    said,
    wait_for,
    wait_for_board,
    wait_for_hum,
    write,
)
from tests.browser.opening import open_cells
from tests.browser.recorder import Pace
from tests.browser.stage import Stage

from wallflower.crypto.derive import conversation_id, epoch_secret
from wallflower.wire.chain import chain_value
from wallflower.wire.hello import Kind
from wallflower.wire.letter import Language, Letter
from wallflower.wire.sizes import CELL, DITHER_MS, HUM_CELLS, POSITIONS, SLOT_MS, week_of_day
from wallflower.wire.words import from_person, to_words

pytestmark = pytest.mark.browser

CHINESE = "厂长把检验报告换过两次。\n原件在三楼的灰色柜子里，日期是十一月三日。"
CHINESE_PAGE = Look(language="zh-Hans")
SECRET = bytes(range(16))
TOLERANCE_MS = 250
NEVER = 0.001  # bytes a second
# Says all that the Worker of a hum is told: of cells that are ready, their lengths.
_TOLD = b"""self.addEventListener('message',({data})=>{if(data.job!=='hum')return;
data.cells.addEventListener('message',({data:cells})=>console.error(JSON.stringify(
[{...data,cells:0},Object.keys(cells),Object.values(cells).map((cell)=>cell.length??cell)])))});"""
# Whatever else is sealed, no hum can be.
_UNSEALED = b"""self.addEventListener('message',({data})=>{
if(data.job==='seal-hum')data.keys.hopA=new Uint8Array(3)});"""
# Cells are half a second apart. A browser opens another connection where an answer is still out
# when the next cell leaves, and at 60 times the pace a busy machine answers too late now and then.
UNHURRIED = 15


def test_one_page_load_sends_twelve_equal_cells_over_one_connection(
    stage: Stage, visitor: Visitor
) -> None:
    stage.pace_hums = UNHURRIED
    stage.next_day()
    wait_for_hum(visitor.visit())
    cells = stage.ingress.requests
    assert [len(c.body) for c in cells] == [CELL] * HUM_CELLS
    assert [c.body[1] for c in cells] == list(range(HUM_CELLS))
    assert len({c.head for c in cells}) == 1
    assert {c.connection for c in cells} == {1}
    assert stage.ingress.connections == 1
    kind, letter = open_cells([c.body for c in cells], stage.keys, stage.records)
    assert (kind, letter) == (Kind.COVER, None)
    assert not visitor.errors


def test_any_one_copy_of_each_position_is_enough(stage: Stage, guest: Guest) -> None:
    wait_for_hum(guest.visit())
    cells = [c.body for c in stage.ingress.requests]
    for copies in ((4, 5, 6, 7), (8, 1, 6, 11)):
        assert len(copies) == POSITIONS
        open_cells([cells[c] for c in copies], stage.keys, stage.records)


def _hum_of_a_visit(stage: Stage, visitor: Visitor) -> tuple[Kind, Letter | None]:
    """Visit once more, and what the mixes and the desk find in the hum of that visit."""
    stage.forget_requests()
    page = visitor.visit(CHINESE_PAGE)
    for element, text in (("hum", "谢谢"), ("board", "已经完整"), ("film", "可以播放")):
        wait_for(page, f"{element}-status", text)
    page.wait_for_timeout(1500)  # a turn of the store's clock after the hum
    assert len(stage.ingress.requests) == HUM_CELLS
    return open_cells([c.body for c in stage.ingress.requests], stage.keys, stage.records)


def _asked(stage: Stage) -> list[bytes]:
    """Every request head of a visit, to the byte; the order between connections is chance."""
    servers = (stage.site, stage.second, stage.ingress)
    return sorted(request.head for server in servers for request in server.requests)


@pytest.mark.parametrize("week_ends", [False, True], ids=["within a week", "into the next week"])
def test_letter_of_one_visit_leaves_with_the_next_days_and_only_once(
    stage: Stage, visitor: Visitor, week_ends: bool
) -> None:
    while (week_of_day(stage.record.day + 1) != stage.record.desks[0].week) is not week_ends:
        stage.next_day()
    page = visitor.visit(CHINESE_PAGE)
    secret = from_person("".join(make_words(page)))
    wait_for(page, "hum-status", "谢谢")
    write(page, CHINESE)
    assert said(page, "letter").strip() == ""
    assert len(stage.ingress.requests) == HUM_CELLS
    week = stage.record.week
    assert _hum_of_a_visit(stage, visitor) == (Kind.COVER, None)  # still the same day
    asked_with_a_filler = _asked(stage)
    stage.next_day()
    kind, letter = _hum_of_a_visit(stage, visitor)
    assert _asked(stage) == asked_with_a_filler
    assert kind is Kind.LETTER
    assert letter is not None
    assert (letter.text, letter.language) == (CHINESE, Language.CHINESE)
    assert letter.conversation == conversation_id(secret)
    assert letter.e == epoch_secret(secret, week)
    assert letter.x == chain_value(secret, week)
    stage.next_day()
    assert _hum_of_a_visit(stage, visitor) == (Kind.COVER, None)
    assert not visitor.errors


def test_worker_that_sends_a_hum_is_told_nothing_of_what_it_carries(
    stage: Stage, guest: Guest
) -> None:
    stage.altered["hum.js"] = lambda script: _TOLD + script
    page = guest.visit()
    wait_for_hum(page)
    make_words(page)
    write(page, "A letter.")
    stage.next_day()
    stage.forget_requests()
    page.reload()
    wait_for_hum(page)
    kind, _ = open_cells([c.body for c in stage.ingress.requests], stage.keys, stage.records)
    assert kind is Kind.LETTER
    without, with_letter = map(json.loads, guest.errors)
    assert with_letter == without
    assert without[2] == [CELL] * HUM_CELLS


def test_copy_out_of_a_file_hums_in_real_time_and_reads_the_board(
    stage: Stage, visitor: Visitor
) -> None:
    """A pace is honoured on a loopback origin only: here two cells are waited for."""
    page = visitor.visit(shape="file")
    assert page.url.startswith("file:")
    wait_for_board(page)
    make_words(page)
    page.locator("#letter").fill("A letter.")
    page.locator("#finish").click()
    heads = [request.head for request in stage.ingress.requests]
    for _ in range(300):  # a minute
        if len(heads) >= 2:
            break
        page.wait_for_timeout(200)
        heads = [request.head for request in stage.ingress.requests]
    assert len(heads) >= 2
    assert len(set(heads)) == 1
    assert b"\r\nOrigin: null\r\n" in heads[0]
    assert [len(request.body) for request in stage.ingress.requests] == [CELL] * len(heads)
    assert {request.line for request in stage.site.requests} >= {"GET /record", "GET /board/head"}
    assert not visitor.errors


def test_no_valid_record_means_no_hum_for_anybody(stage: Stage, guest: Guest) -> None:
    good = stage.files["record"]
    stage.files["record"] = good[:-1] + bytes([good[-1] ^ 1])
    page = guest.visit()
    wait_for(page, "hum-status", "nothing is sent")
    page.wait_for_timeout(1500)
    assert not stage.ingress.requests


def test_copy_whose_own_keys_cannot_be_read_is_not_said_to_read_and_write(
    stage: Stage, guest: Guest
) -> None:
    stage.altered["index.html"] = lambda page: page.replace(b"organisation", b"")
    page = guest.visit()
    wait_for(page, "hum-status", ANYTHING)
    assert "Get a new copy from somebody you trust" in said(page, "hum-status")


def test_page_whose_sealing_script_did_not_come_sends_nothing_and_shows_all_else(
    stage: Stage, guest: Guest
) -> None:
    (stage.folder / "seal.js").unlink()
    page = guest.visit()
    wait_for(page, "hum-status", "Not all of the padding")
    wait_for_board(page)
    wait_for(page, "film-status", "ready")
    make_words(page)
    page.locator("#letter").fill("A letter.")
    page.locator("#finish").click()
    page.locator("#letter-fault").filter(has_text=ANYTHING).wait_for()
    assert page.locator("#letter").inner_text() == "A letter."
    assert "if it fails again, open the page anew" in said(page, "letter-fault")
    assert stage.ingress.requests == []


def test_page_that_can_seal_no_hum_says_so_to_whoever_comes_and_its_letter_waits_on(
    stage: Stage, guest: Guest
) -> None:
    stage.altered["seal.js"] = lambda script: _UNSEALED + script
    page = guest.visit()
    wait_for(page, "hum-status", "Not all of the padding")
    words = " ".join(make_words(page))
    write(page, "A letter.")
    stage.next_day()
    page.reload()
    wait_for(page, "hum-status", "Not all of the padding")
    look_up(page, words)
    wait_for(page, "answers", "waits in this browser")
    wait_for_board(page)
    assert stage.ingress.requests == []
    assert not guest.errors


def opened_but_for(stage: Stage, guest: Guest, address: str) -> tuple[Page, Callable[[], None]]:
    """The page, loaded, while what it asked for waits; and what lets that come."""
    page = guest.start()
    held: list[Route] = []
    page.route(address, lambda route: held.append(route))
    with page.expect_request(address):
        page.goto(stage.address())
    return page, lambda: held[0].continue_()


def test_nobody_chooses_before_the_page_knows_what_was_chosen(stage: Stage, guest: Guest) -> None:
    page, let_come = opened_but_for(stage, guest, "**/record")
    open_panel(page, "device")
    assert page.locator("#hum-choice").is_disabled()
    let_come()
    wait_for_hum(page)
    page.locator("#hum-choice").uncheck()


def test_what_loads_in_parts_is_heard_when_it_begins_and_when_it_is_there(
    stage: Stage, guest: Guest
) -> None:
    """A film is many parts, one a second: who hears of each hears nothing else."""
    page, let_come = opened_but_for(stage, guest, "**/record")
    listen(page, "film-status", "board-status")
    let_come()
    wait_for_board(page)
    wait_for(page, "film-status", "ready")
    assert sorted(heard(page)) == ["board-status"] * 2 + ["film-status"] * 2


@pytest.mark.parametrize("played", [True, False], ids=["film", "no film that it can play"])
def test_a_films_controls_come_when_there_is_something_to_play(
    stage: Stage, guest: Guest, played: bool
) -> None:
    if not played:
        stage.altered["film/00"] = lambda piece: bytes(len(piece))
    page, let_come = opened_but_for(stage, guest, "**/film/00")
    wait_for(page, "film-status", "0 of")
    assert page.locator("#film[controls]").count() == 0
    let_come()
    wait_for(page, "film-status", "ready")
    page.locator("#film[controls]").wait_for()
    assert (page.evaluate("document.getElementById('film').readyState") > 0) is played


def test_nothing_that_a_person_does_asks_anybody_for_anything(
    stage: Stage, visitor: Visitor
) -> None:
    page = visitor.visit()
    wait_for_hum(page)
    wait_for_board(page)
    wait_for(page, "film-status", "ready")
    page.wait_for_timeout(300)
    stage.forget_requests()
    visited = page.evaluate("history.length")
    page.locator("#go-read").click()
    page.locator("#go-write").click()
    make_words(page)
    page.locator("#letter").press_sequentially("A letter, typed by hand. فارسی 中文", delay=2)
    page.locator("#finish").click()
    look_up(page, "wrong words")
    look_up(page, " ".join(to_words(SECRET, "zh-Hans")))
    for code in ("zh-Hans", "en"):
        page.locator(f'button[data-language="{code}"]').click()
    film = "document.getElementById('film')"
    page.evaluate(f"{film}.muted = true; {film}.play()")
    page.evaluate(f"{film}.currentTime = 20; {film}.pause(); {film}.currentTime = 1")
    page.emulate_media(color_scheme="dark")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 360, "height": 740})
    page.wait_for_timeout(1500)
    assert page.url == stage.site.url + "/"
    assert page.evaluate("history.length") == visited
    asked = [r.line for r in stage.site.requests + stage.second.requests + stage.ingress.requests]
    assert asked == []
    # Chromium asks its maker about every form control that appears or gets the focus; the page has
    # editable text instead. What else the browser does by itself is in the table below.
    assert [r.line for r in stage.elsewhere.requests if "autofill" in r.line] == []
    assert not visitor.errors


def test_way_that_never_answers_keeps_no_letter_from_being_put_away(
    stage: Stage, guest: Guest
) -> None:
    """Behind a wall that swallows packets this is any day's case."""
    stage.second.pace = Pace(NEVER)
    page = guest.visit()
    wait_for_hum(page)
    make_words(page)
    write(page, "A letter.")
    assert [r.line for r in stage.second.requests] == ["GET /board/head"]


@pytest.mark.nightly
def test_cells_keep_their_slots_at_real_pace(
    playwright: Playwright, chromium: str, tmp_path: Path, built: Path
) -> None:
    stage = Stage(tmp_path / "site", built, pace_hums=1)
    stage.next_day()
    visitor = Visitor(playwright, chromium, tmp_path / "profile", stage)
    page = visitor.visit()
    page.set_default_timeout(120_000)
    wait_for_hum(page)
    times = [c.at - stage.ingress.requests[0].at for c in stage.ingress.requests]
    visitor.leave()
    stage.stop()
    assert len(times) == HUM_CELLS
    assert stage.ingress.connections == 1
    spread = (DITHER_MS + TOLERANCE_MS) / 1000
    for counter, at in enumerate(times):
        assert abs(at - counter * SLOT_MS / 1000) < spread


def test_instructions_are_readable_without_script(stage: Stage, guest: Guest) -> None:
    page = guest.visit(Look(script=False))
    text = page.locator("main").inner_text()
    assert "What nobody can promise" in text
    assert "没有人能保证的事" in text
    assert not page.locator("#letter").is_visible()
    assert {r.line for r in stage.site.requests} == {"GET /", "GET /style.css"}
    page.locator('nav a[href="#zh-Hans"]').click()
    assert page.url.endswith("#zh-Hans")


def test_table_of_what_the_browser_sent_that_we_did_not_ask_for(
    stage: Stage, visitor: Visitor, capsys: pytest.CaptureFixture[str]
) -> None:
    page = visitor.visit()
    wait_for_hum(page)
    wait_for_board(page)
    wait_for(page, "film-status", "ready")
    pieces = len(list((stage.folder / "film").iterdir()))
    asked = [
        "GET /", "GET /style.css", "GET /app.js", "GET /seal.js", "GET /hum.js", "GET /hum.js",
        "GET /record",
        "GET /board/head", "GET /board/2", "GET /board/1",
        *(f"GET /film/{i:02d}" for i in range(pieces)),
    ]  # fmt: skip
    came = [r.line for r in stage.site.requests]
    extra = list(came)
    for line in asked:
        if line in extra:
            extra.remove(line)
    idle = [
        (name, server.connections - len({r.connection for r in server.requests}))
        for name, server in (("site", stage.site), ("ingress", stage.ingress))
    ]
    cell = stage.ingress.requests[0].head.decode("latin-1").strip().split("\r\n")
    with capsys.disabled():
        print("\n\n| what Chromium sent that the page did not ask for | where | times |")
        print("|---|---|---|")
        for line in sorted(set(extra)):
            print(f"| {line} | site | {extra.count(line)} |")
        for line in sorted({r.line for r in stage.elsewhere.requests}):
            times = sum(r.line == line for r in stage.elsewhere.requests)
            print(f"| {line.split('?')[0]} | elsewhere, by proxy | {times} |")
        for name, count in idle:
            print(f"| a connection without a request | {name} | {count} |")
        print("\n| header of every cell that the page did not set |\n|---|")
        for line in cell[1:]:
            print(f"| `{line}` |")
    assert extra == []
    assert [r.line for r in stage.second.requests] == ["GET /board/head"]
