"""Fixtures of the desk's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.desk.simulated import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world whose desk has not been set up yet."""
    made = World(tmp_path)
    yield made
    made.desk.lock()
