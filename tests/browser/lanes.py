"""Several browsers at once: each lane is a thread with a driver of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from playwright.sync_api import Playwright, sync_playwright

Task = TypeVar("Task")
Made = TypeVar("Made")


def in_lanes(work: Callable[[Playwright, Task], Made], tasks: Sequence[Task]) -> list[Made]:
    """Do `work` for all tasks at once, a lane each; the results stand in the order of the tasks."""

    def lane(task: Task) -> Made:
        with sync_playwright() as driver:
            return work(driver, task)

    with ThreadPoolExecutor(len(tasks)) as threads:
        return list(threads.map(lane, tasks))
