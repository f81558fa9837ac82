"""A tab of a Chromium with nothing of Playwright in it, which writes every request of every page
down, and feigns that a page has the focus.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.browser.remote import LIMIT_S, Remote, until

# The page tells: asked again and again, it would work for who asks.
_SAYS = """new Promise((done) => {
  const [id, text] = %s;
  const element = document.getElementById(id);
  const look = () => element.textContent.includes(text) && done(true);
  const all = {childList: true, characterData: true, subtree: true};
  new MutationObserver(look).observe(element, all);
  look();
})"""


@dataclass(frozen=True, slots=True)
class Tab:
    """One open tab."""

    remote: Remote
    session: str
    target: str

    @classmethod
    async def open(cls, remote: Remote, url: str, **how: Any) -> Tab:
        """A new tab; `how` are further parameters of Target.createTarget."""
        target = (await remote.call("Target.createTarget", url=url, **how))["targetId"]
        attached = await remote.call("Target.attachToTarget", targetId=target, flatten=True)
        return cls(remote, attached["sessionId"], target)

    @classmethod
    async def apart(cls, remote: Remote, width: int, height: int) -> Tab:
        """An empty tab of this size, in pixels, that shares no cookie, store or connection with
        others.
        """
        context = (await remote.call("Target.createBrowserContext"))["browserContextId"]
        tab = await cls.open(remote, "about:blank", browserContextId=context)
        await tab._call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        return tab

    async def _call(self, method: str, **params: Any) -> dict[str, Any]:
        return await self.remote.call(method, self.session, **params)

    async def ask(self, expression: str, limit_s: float = LIMIT_S) -> Any:
        """The value of an expression in the page; of a promise, what it resolves to."""
        answer = await self._call(
            "Runtime.evaluate", limit_s=limit_s,
            expression=expression, returnByValue=True, awaitPromise=True,
        )  # fmt: skip
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    async def go(self, url: str) -> None:
        """Open another page here, and wait until it is the one that answers."""
        answer = await self._call("Page.navigate", url=url)
        if "errorText" in answer:
            raise RuntimeError(f"{url}: {answer['errorText']}")

        async def there() -> bool:
            with suppress(RuntimeError):  # it asked the page before, which has just gone
                return bool(await self.ask("location.href") == url)
            return False

        await until(there, f"{url} is open")

    async def says(self, element: str, text: str, limit_s: float = LIMIT_S) -> None:
        """Wait until an element says something."""

        async def is_there() -> bool:
            return bool(await self.ask(f"document.getElementById('{element}') !== null"))

        await until(is_there, f"{element} is there")
        try:
            await self.ask(_SAYS % json.dumps([element, text]), limit_s)
        except TimeoutError:
            said = await self.ask(f"document.getElementById('{element}').textContent")
            raise AssertionError(f"{element} never said {text!r}, but {said!r}") from None

    async def click(self, selector: str) -> None:
        """Click what is there."""
        await self.ask(f"document.querySelector('{selector}').click()")

    async def type(self, element: str, text: str) -> None:
        """Put text into a field, as an input method does."""
        await self.ask(f"document.getElementById('{element}').focus()")
        await self._call("Input.insertText", text=text)
