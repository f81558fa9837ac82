"""Two tabs without Playwright, which feigns focus in every page that it sees: the page is hidden
for most of its hum, as it is in a person's browser.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.browser.bare import Tab
from tests.browser.remote import alone, devtools, running, until
from tests.browser.stage import Stage
from tests.browser.trace import Trace, trace

from wallflower.lab.demo.chromium import FLAGS

QUIET_S = 1.0


def visit_by_protocol(chromium: str, profile: Path, stage: Stage, *, hide: bool) -> Trace:
    """One visit; with `hide`, another tab lies in front from the first cell to the last."""
    return alone(_visit(chromium, profile, stage, hide))


async def _visit(chromium: str, profile: Path, stage: Stage, hide: bool) -> Trace:
    command = [
        chromium, "--headless=new", *FLAGS, "--remote-debugging-port=0",
        f"--user-data-dir={profile}", f"--proxy-server={stage.elsewhere.url}", "about:blank",
    ]  # fmt: skip
    stage.forget_requests()
    async with running(command, lambda: devtools(profile)) as remote:
        own = await Tab.open(remote, stage.site.url + "/")

        async def running_hum() -> bool:
            return bool(stage.ingress.requests)

        async def is_now(state: str) -> None:
            async def seen() -> bool:
                return bool(await own.ask("document.visibilityState") == state)

            await until(seen, f"the page is {state}")

        await until(running_hum, "the hum runs")
        if hide:
            other = await Tab.open(remote, "about:blank")
            await remote.call("Target.activateTarget", targetId=other.target)
            await is_now("hidden")
        for element, text in (
            ("hum-status", "Thank"), ("board-status", "complete"), ("film-status", "ready"),
        ):  # fmt: skip
            await own.says(element, text)
        if hide:
            await remote.call("Target.activateTarget", targetId=own.target)
            await is_now("visible")
        await asyncio.sleep(QUIET_S)
        return trace(stage)
