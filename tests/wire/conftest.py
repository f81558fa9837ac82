"""The same bytes in every run: a drawn stream where the host would draw, fixed examples."""

from __future__ import annotations

import pytest
from hypothesis import settings
from tests.wire.drawn import Draw

settings.register_profile("wire", derandomize=True, max_examples=50, database=None)
settings.load_profile("wire")


@pytest.fixture
def draw(request: pytest.FixtureRequest) -> Draw:
    """A stream of its own for each test, named by the test."""
    return Draw(request.node.name)
