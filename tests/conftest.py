"""For all tests: an example that takes long on a busy machine is no fault; long files go first."""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("any machine", settings(), deadline=None)
settings.load_profile("any machine")

# Few tests but long ones, the longest first: begun last, they would leave all cores but one idle.
LONG = (
    "faults/test_kill_controls", "faults/test_floods", "lab/test_machine",
    "faults/", "lab/", "browser/", "source/", "demo/",
)  # fmt: skip


def _rank(nodeid: str) -> int:
    within = nodeid.removeprefix("tests/")
    return next((n for n, start in enumerate(LONG) if within.startswith(start)), len(LONG))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first; otherwise the order stays."""
    items.sort(key=lambda item: _rank(item.nodeid))
