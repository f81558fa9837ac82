"""Waiting for other processes, in tests that run no event loop."""

from __future__ import annotations

import time
from collections.abc import Callable

_BETWEEN_S = 0.02


def wait_until(true: Callable[[], bool], what: str, limit_s: float = 20.0) -> None:
    """Wait until a condition holds; fail with its name when the limit has passed."""
    end = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(_BETWEEN_S)
