"""One campaign a session, copied for each test that changes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.campaign.made import Town, copy, make_town, seeded


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """The campaign as it was signed first; nobody changes it."""
    return make_town(tmp_path_factory.mktemp("campaign"), seeded("campaign"))


@pytest.fixture
def town(first: Town, tmp_path: Path) -> Town:
    """A copy of one's own."""
    return copy(first, tmp_path / "town")
