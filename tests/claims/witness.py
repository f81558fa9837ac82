"""A pytest plugin that writes down how a run ended: by what kind of exception, and in which phase.

It also writes from where the package was imported, so that nobody judges the wrong tree. The file
is named by CLAIMS_WITNESS.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

_OURS = (AssertionError, pytest.fail.Exception)
_SEEN: list[dict[str, str]] = []


def kind_of(error: BaseException) -> str:
    """`assertion`, or the name of the first exception that is none; groups are looked into."""
    if isinstance(error, BaseExceptionGroup):
        kinds = [kind_of(one) for one in error.exceptions]
        return next((kind for kind in kinds if kind != "assertion"), "assertion")
    return "assertion" if isinstance(error, _OURS) else type(error).__name__


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note each phase of each test."""
    report = yield
    kind = kind_of(call.excinfo.value) if report.failed and call.excinfo else ""
    _SEEN.append({"test": item.nodeid, "phase": call.when, "outcome": report.outcome, "kind": kind})
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
