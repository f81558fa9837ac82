"""What Chromium keeps on the disk of what a handler typed at the desk."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright
from tests.desk.simulated import PASSPHRASE, World
from tests.desk.test_browser import served

from wallflower.lab.demo.chromium import CHROMIUM, FLAGS

pytestmark = [pytest.mark.browser, pytest.mark.nightly]

DRAFT, TOO_LONG, LETTER = "seven lanterns of the heron", "mulberry mulberry ", "marmalade otter"
WRONG = "not this one at all"
LIMIT_S = 30


def holding(profile: Path, text: str) -> list[str]:
    """The files of a profile that hold a text, as it is or as a form sends it."""
    written = [t.encode(code) for t in (text, text.replace(" ", "+"))
               for code in ("utf-8", "utf-16-le")]  # fmt: skip
    files = [path for path in sorted(profile.rglob("*")) if path.is_file()]
    return [p.name for p in files if any(one in p.read_bytes() for one in written)]


async def write_and_lock(page: Page, entry: str) -> None:
    """Count an answer's slots, send one that is too long, lock, and mistype the passphrase."""
    await page.goto(entry)
    await page.click(".cases .name")
    await page.fill("textarea", DRAFT)
    await page.click("button[value=check]")
    await page.wait_for_selector("text=This text takes 1 slot.")
    await page.fill("textarea", TOO_LONG * 2000)
    await page.click("button[value=send]")
    await page.wait_for_selector(".fault")
    await page.click("text=Lock")
    await page.fill("#passphrase", WRONG)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".fault")


async def test_a_browser_s_profile_holds_nothing_of_an_answer_or_letter(
    world: World, tmp_path: Path
) -> None:
    await world.start()
    world.drop(world.write(b"a" * 16, LETTER))
    await world.desk.step()
    [case] = world.desk.inbox()
    [letter] = world.desk.conversation(case.id).letters
    world.desk.open_letter(letter.id)
    profile = tmp_path / "profile"
    async with served(world) as entry, async_playwright() as driver:
        context = await driver.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=list(FLAGS), java_script_enabled=False
        )
        page = context.pages[0]
        await write_and_lock(page, entry)
        until = time.monotonic() + LIMIT_S
        while not holding(profile / "Default" / "Sessions", "/unlock"):  # noted every 2.5 s
            assert time.monotonic() < until, "the browser notes no session"
            await page.wait_for_timeout(200)
        await context.close()
    assert holding(profile, "/case/"), "the control: addresses are there"
    for text in (DRAFT, TOO_LONG, LETTER, WRONG, PASSPHRASE):
        assert holding(profile, text) == []


@pytest.mark.parametrize("gone", [True, False])
async def test_nor_of_an_answer_that_was_sent_to_a_desk_that_is_gone_or_was_started_again(
    world: World, tmp_path: Path, gone: bool
) -> None:
    """The browser then shows a page of its own, and keeps what was sent with that."""
    await world.start()
    world.drop(world.write(b"a" * 16, LETTER))
    await world.desk.step()
    profile = tmp_path / "profile"
    async with async_playwright() as driver:
        context = await driver.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=list(FLAGS), java_script_enabled=False
        )
        page = context.pages[0]
        async with served(world) as entry:
            await page.goto(entry)
            await page.click(".cases .name")
            await page.fill("textarea", DRAFT)
            if not gone:
                await context.clear_cookies()  # the session of before is as good as none
                await page.click("button[value=send]")
        if gone:
            await page.click("button[value=send]")
        await page.wait_for_url("chrome-error:**")
        await context.close()
    assert holding(profile / "Default" / "Sessions", "/case/"), "the control: addresses are there"
    assert holding(profile, DRAFT) == []
