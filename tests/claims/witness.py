"""A pytest plugin that writes down how a run ended: by what kind of exception, in which phase, and
at which line of the tests.

It also writes from where the package was imported, so that nobody judges the wrong tree. The file
is named by CLAIMS_WITNESS.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Generator
from pathlib import Path

import pytest

_OURS = (AssertionError, pytest.fail.Exception)
_TESTS = Path(__file__).parents[1]
_PRODUCT = _TESTS.parent / "src"
_SEEN: list[dict[str, str]] = []


def kind_of(error: BaseException) -> str:
    """`assertion`, or the name of the first exception that is none; groups are looked into.

    What the product itself asserts is no assertion of a test: a guard whose absence only breaks an
    assumption of ours would otherwise count as missed.
    """
    if isinstance(error, BaseExceptionGroup):
        kinds = [kind_of(one) for one in error.exceptions]
        return next((kind for kind in kinds if kind != "assertion"), "assertion")
    if not isinstance(error, _OURS):
        return type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    inside = bool(frames) and Path(frames[-1].filename).is_relative_to(_PRODUCT)
    return "an assertion of the product" if inside else "assertion"


def place_of(error: BaseException) -> str:
    """The line of the tests where it ended, the innermost one; of a group, of its first error."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(_TESTS):
            return f"{Path(frame.filename).relative_to(_TESTS.parent)}:{frame.lineno}"
    return ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note each phase of each test."""
    report = yield
    note = {"test": item.nodeid, "phase": call.when, "outcome": report.outcome, "kind": ""}
    if report.failed and call.excinfo:
        note |= {"kind": kind_of(call.excinfo.value), "at": place_of(call.excinfo.value)}
    _SEEN.append(note)
    return report


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Note a file that could not even be read."""
    if report.failed:
        _SEEN.append(
            {"test": report.nodeid, "phase": "collect", "outcome": "failed", "kind": "import"}
        )


def pytest_sessionfinish() -> None:
    """Write all of it."""
    package = sys.modules.get("wallflower")
    said = {"package": getattr(package, "__file__", None), "seen": _SEEN}
    Path(os.environ["CLAIMS_WITNESS"]).write_text(json.dumps(said), "utf-8")
