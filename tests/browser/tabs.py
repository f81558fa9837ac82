"""Two tabs without Playwright, which feigns focus in every page that it sees: the page is hidden
for most of its hum, as it is in a person's browser.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.browser.browsing import FLAGS
from tests.browser.remote import Remote, alone, devtools, running, until
from tests.browser.stage import Stage
from tests.browser.trace import Trace, trace

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
        own = (await remote.call("Target.createTarget", url=stage.site.url + "/"))["targetId"]
        attached = await remote.call("Target.attachToTarget", targetId=own, flatten=True)
        session = attached["sessionId"]

        async def running_hum() -> bool:
            return bool(stage.ingress.requests)

        await until(running_hum, "the hum runs")
        if hide:
            other = (await remote.call("Target.createTarget", url="about:blank"))["targetId"]
            await remote.call("Target.activateTarget", targetId=other)
            await _shown(remote, session, "document.visibilityState", "hidden")
        for element, text in (("hum-status", "Thank"), ("board-status", "complete")):
            await _shown(remote, session, f"document.getElementById('{element}').textContent", text)
        if hide:
            await remote.call("Target.activateTarget", targetId=own)
            await _shown(remote, session, "document.visibilityState", "visible")
        await asyncio.sleep(QUIET_S)
        return trace(stage)


async def _shown(remote: Remote, session: str, expression: str, text: str) -> None:
    async def said() -> bool:
        got: dict[str, Any] = await remote.call(
            "Runtime.evaluate", session, expression=expression, returnByValue=True
        )
        return text in str(got["result"].get("value"))

    await until(said, f"{expression} says {text}")
