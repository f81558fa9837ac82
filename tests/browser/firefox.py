"""The same walk in Firefox, by WebDriver BiDi: Debian's own build, whose sender we do not patch."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.browser.remote import Remote, running, until

PREFERENCES = """user_pref("remote.active-protocols", 1);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
"""


@dataclass(frozen=True, slots=True)
class Tab:
    """One open tab."""

    remote: Remote
    context: str

    async def ask(self, expression: str) -> Any:
        """The value of an expression in the page."""
        answer = await self.remote.call(
            "script.evaluate", expression=expression, target={"context": self.context},
            awaitPromise=False,
        )  # fmt: skip
        return answer["result"].get("value")

    async def says(self, element: str, text: str) -> None:
        """Wait until an element says something."""

        async def said() -> bool:
            got = await self.ask(f"document.getElementById('{element}')?.innerText")
            return text in str(got)

        await until(said, f"{element} says {text}")

    async def click(self, element: str) -> None:
        """Click a button."""
        await self.ask(f"document.getElementById('{element}').click()")

    async def type(self, element: str, text: str) -> None:
        """Put text into a field. By script: a headless window has no focus, and takes no keys."""
        field = f"document.getElementById('{element}')"
        await self.ask(f"{field}.textContent = {json.dumps(text)}")
        await self.ask(f"{field}.dispatchEvent(new InputEvent('input'))")


def _ready(profile: Path) -> Path:
    """A profile with our preferences; where Firefox will say how to reach it."""
    profile.mkdir(exist_ok=True)
    (profile / "user.js").write_text(PREFERENCES)
    place = profile / "WebDriverBiDiServer.json"
    place.unlink(missing_ok=True)
    return place


@asynccontextmanager
async def visiting(firefox: str, profile: Path, url: str) -> AsyncIterator[Tab]:
    """Start Firefox with a profile that outlives it, and open the page."""
    place = _ready(profile)

    def address() -> str | None:
        try:
            found = json.loads(place.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return f"ws://{found['ws_host']}:{found['ws_port']}/session"

    command = [
        firefox, "--headless", "--no-remote", "--profile", str(profile),
        "--remote-debugging-port", "0",
    ]  # fmt: skip
    async with running(command, address) as remote:
        await remote.call("session.new", capabilities={})
        tree = await remote.call("browsingContext.getTree")
        tab = Tab(remote, tree["contexts"][0]["context"])
        await remote.call(
            "browsingContext.navigate", context=tab.context, url=url, wait="interactive"
        )
        yield tab
        await remote.call("browser.close")
