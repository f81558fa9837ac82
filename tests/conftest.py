"""For all tests: an example that takes long on a busy machine is no fault; long files go first."""

from __future__ import annotations

import gc
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "any machine", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

# Some hundred thousand objects of pytest's own live as long as a run. Looking through them again
# and again took a tenth of all that is computed here; with a tenth of these numbers it still did.
gc.set_threshold(100_000, 20, 50)

# Few tests but long ones: begun last, they would leave all cores but one idle. Those that wait
# (faults) stand between those that compute. The demo and the profiles, which do little but wait,
# come first, while there is still something to compute beside them; of what sits through a clock,
# which two processes share, a letter's demo and the slow line are the one half, all else the other.
LONG = (
    "demo/test_demo.py::test_one_letter", "browser/test_weights.py::test_slow", "demo/test_ends",
    "demo/test_demo", "browser/test_profile", "browser/test_page", "faults/test_kill_controls",
    "browser/test_accessibility", "faults/test_kill", "browser/test_reading",
    "browser/test_campaign", "browser/test_letters_told", "faults/test_floods", "lab/test_machine",
    "faults/test_disks", "mix/test_workers", "host/test_serve", "browser/", "faults/", "lab/",
    "source/", "demo/",
)  # fmt: skip


def _rank(nodeid: str) -> int:
    within = nodeid.removeprefix("tests/")
    return next((n for n, start in enumerate(LONG) if within.startswith(start)), len(LONG))


# Folders of tests that compute and wait for nobody, so that they may stand still for as long as
# others want the machine; but for those that wait for another process or have a limit by a real
# clock, unless a minute is left to them.
COMPUTING = (
    "authoring/", "board/", "campaign/", "claims/", "cli/", "crypto/", "demo/test_bundle", "desk/",
    "docs/", "fuzz/", "ingress/test_wire", "lab/", "mix/", "models/", "page/", "source/", "tools/",
    "trust/", "wire/",
)  # fmt: skip
HURRIED = (
    "board/test_mirror", "desk/test_browser", "desk/test_process", "mix/test_endless_answers",
    "mix/test_workers", "source/test_real_visit",
)  # fmt: skip


def _computes(within: str) -> bool:
    return within.startswith(COMPUTING) and not within.startswith(HURRIED)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Read no file of which a mark that tools/tests.sh asks for leaves nothing: all take 5 s."""
    asked = re.search(r"(not )?computes$", config.option.markexpr)
    if asked is None or not collection_path.name.startswith("test_"):
        return None
    within = collection_path.relative_to(Path(__file__).parent).as_posix()
    return True if _computes(within) is bool(asked[1]) else None


def pytest_collection_finish() -> None:
    """Look through what was collected never again."""
    gc.freeze()


def _findable(item: pytest.Item) -> bool:
    """Whether tools/tests.sh finds this test: it looks for files in which the mark is written."""
    marks = [mark for mark in ("alone", "waits") if item.get_closest_marker(mark)]
    return not marks or all(f"mark.{mark}" in item.path.read_text("utf-8") for mark in marks)


@pytest.hookimpl(tryfirst=True)  # before marks are asked for
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first; otherwise the order stays. Mark what computes."""
    for item in items:
        if _computes(item.nodeid.removeprefix("tests/")):
            item.add_marker("computes")
    lost = [item.nodeid for item in items if not _findable(item)]
    if lost:
        raise pytest.UsageError(f"write the mark into the file itself: no part would run {lost}")
    items.sort(key=lambda item: _rank(item.nodeid))
