"""The desk in a real browser: without script, at 360 px, with the keyboard."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, async_playwright
from tests.desk.simulated import PASSPHRASE, World
from tests.host.sockets import free_port, listening, until

from wallflower.desk.door import Door
from wallflower.desk.edge.web import make_web
from wallflower.host.serve import Listener, serve
from wallflower.lab.demo.chromium import CHROMIUM, FLAGS
from wallflower.lab.host import SeededEntropy
from wallflower.wire.letter import Language

pytestmark = pytest.mark.browser

CHINESE = "你好。\n我在一家工厂工作，有些事情应该让人知道。我会慢慢写，请不要着急。" * 6
PERSIAN = "سلام، این نامه از راست به چپ است."
ENGLISH = "I have read your answer. The second building, not the first. " * 3


@contextlib.asynccontextmanager
async def served(world: World) -> AsyncIterator[str]:
    """The desk on a real port; the address to enter by."""
    port = free_port()
    door = Door(SeededEntropy(b"door").draw, port)
    app = make_web(world.desk, door, SeededEntropy(b"web"))
    task = asyncio.ensure_future(serve([Listener(app, "127.0.0.1", port)]))
    try:
        await until(lambda: listening(port), "the desk listens")
        yield f"http://127.0.0.1:{port}/enter/{door.entry}"
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def follow(page: Page, selector: str) -> None:
    """Click what leads to another page, and wait until that is there: a quick machine looks at the
    page before, or at none."""
    async with page.expect_navigation():
        await page.click(selector)


async def picture(page: Page, world: World, name: str) -> None:
    """A picture of the page on a phone and on a desk, which must fit the phone's width."""
    for width, kind in ((1200, "desktop"), (360, "phone")):
        await page.set_viewport_size({"width": width, "height": 740})
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} px wide"
        await page.screenshot(path=world.path / f"{name}-{kind}.png", full_page=True)


async def fill_world(world: World) -> None:
    """Letters of three people over two weeks, one of them forged, and an answer."""
    alice, bob, cy = (bytes([n]) * 16 for n in (1, 2, 3))
    await world.begin_day(5)
    world.drop(
        world.write(alice, CHINESE, language=Language.CHINESE),
        world.write(bob, PERSIAN, language=Language.PERSIAN),
    )
    await world.desk.step()
    [case] = [c for c in world.desk.inbox() if _text(world, c.id).startswith("你好")]
    world.desk.answer(case.id, "收到了，谢谢。请按自己的时间来，不用着急。")
    world.set_time(5, 19)
    await world.desk.step()
    await world.begin_day(6)
    world.release_day()
    await world.begin_day(8)
    world.drop(
        world.write(alice, ENGLISH, mark=3), world.write(bob, "not me", x=bytes(32)),
        world.write(cy, "<b>x</b> " + "long" * 60, part=1, of=2),
    )  # fmt: skip
    world.make_drop([])
    world.drop()
    world.server.release(world.record, world.clock.time)
    await world.desk.step()
    world.desk.answer(case.id, "Thank you; noted. " * 60)


def _text(world: World, conversation: bytes) -> str:
    [letter] = world.desk.conversation(conversation).letters
    return world.desk.open_letter(letter.id).text


async def set_up(page: Page, world: World, entry: str) -> None:
    """From the printed address to a desk with letters."""
    await page.goto(entry)
    await picture(page, world, "1-new")
    await page.fill("#passphrase", PASSPHRASE)
    await page.fill("#again", PASSPHRASE)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("h1:text('Inbox')")
    await picture(page, world, "2-empty")
    await world.desk.step()
    world.server.release(world.make_record(), world.clock.time)
    await world.desk.step()
    await fill_world(world)
    await page.reload()


async def read_and_answer(page: Page, world: World) -> None:
    """Open a letter, count the slots of an answer, send it."""
    await page.click("summary")
    await picture(page, world, "3-inbox")
    await follow(page, ".cases li:has-text('2 answers') .name")
    await follow(page, "li.letter:has(.badge.new) a")
    await picture(page, world, "4-sealed")
    await follow(page, "main button")
    await page.wait_for_selector(".text")
    await picture(page, world, "5-letter")
    await follow(page, "main a.button")
    await page.fill("textarea", "谢谢你的来信。" * 60)
    await follow(page, "button[value=check]")
    await page.wait_for_selector("text=This text takes 2 slots.")
    await picture(page, world, "6-answer")
    await follow(page, "button[value=send]")
    await page.wait_for_selector("li.reply >> nth=2")
    await picture(page, world, "7-conversation")


async def look_around(page: Page, world: World) -> None:
    """The other pages, in light and dark."""
    await follow(page, "nav a >> nth=1")
    await picture(page, world, "8-status")
    await page.emulate_media(color_scheme="dark")
    await picture(page, world, "9-status-dark")
    await follow(page, "nav a >> nth=0")
    await picture(page, world, "10-inbox-dark")
    await follow(page, "nav a >> nth=2")
    await picture(page, world, "11-passphrase-dark")
    await page.emulate_media(color_scheme="light")
    for words, name in (("not me", "12-unconfirmed"), ("سلام", "13-persian")):
        for case in world.desk.inbox():
            for item in world.desk.conversation(case.id).letters:
                if world.desk.open_letter(item.id).text.startswith(words):
                    await follow(page, "nav a >> nth=0")
                    await follow(page, f".cases li:has-text('{case.name}') .name")
                    await follow(page, f"li:has-text('{words}') a")
                    await picture(page, world, name)


async def lock_again(page: Page, world: World) -> None:
    """Lock, and try a wrong passphrase with the keyboard alone."""
    await follow(page, "text=Lock")
    await page.wait_for_selector("#passphrase:focus")  # nobody clicks into the field
    await page.keyboard.type("this is the wrong one")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Unlock"
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".fault")
    await picture(page, world, "14-unlock")


async def visit_another_server(page: Page, inbox: str) -> None:
    """Another server on this computer, at another port, is sent its own cookie and no other."""
    heard: list[str] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        heard.extend(line for line in head.splitlines() if line.startswith("cookie:"))
        own = b"set-cookie: own=1; path=/\r\nconnection: close\r\ncontent-length: 0"
        writer.write(b"HTTP/1.1 200 OK\r\n" + own + b"\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for path in ("/", "/status", "/"):
            await page.goto(f"http://127.0.0.1:{port}{path}")
    assert set(heard) == {"cookie: own=1"}
    await page.goto(inbox)
    await page.wait_for_selector("h1:text('Inbox')")


async def test_desk_works_without_script_on_a_phone_and_on_a_desk(world: World) -> None:
    async with served(world) as entry, async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        context = await browser.new_context(java_script_enabled=False)
        page = await context.new_page()
        noise: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: noise.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        await set_up(page, world, entry)
        for flow in (read_and_answer, look_around):
            await flow(page, world)
        inbox = f"{page.url.rpartition('/')[0].rpartition('/')[0]}/"
        await visit_another_server(await context.new_page(), inbox)
        await lock_again(page, world)
        await browser.close()
    origin = entry.partition("/enter")[0]
    assert [url for url in asked if not url.startswith(origin)] == []
    # A wrong passphrase is answered with 400, which Chromium notes; nothing else may be noted.
    assert [text for text in noise if "400" not in text] == []
