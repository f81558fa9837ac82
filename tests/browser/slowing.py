"""A slower processor for a page and all of its Workers: its processes are stopped most of the time.

Chromium's own throttle reaches the page's thread only.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

from playwright.sync_api import Browser

TURN_S = 0.06


@contextmanager
def slower(browser: Browser, times: int) -> Iterator[None]:
    """The pages of this browser get one part in `times` of a processor."""
    known = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [int(one["id"]) for one in known if one["type"] == "renderer"]
    assert pages, "no page is open"
    over = Event()

    def send(what: signal.Signals) -> None:
        for pid in pages:
            with suppress(ProcessLookupError):
                os.kill(pid, what)

    def turns() -> None:
        while not over.is_set():
            send(signal.SIGSTOP)
            over.wait(TURN_S * (times - 1) / times)
            send(signal.SIGCONT)
            over.wait(TURN_S / times)

    thread = Thread(target=turns)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
