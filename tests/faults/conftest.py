"""Fixtures of the fault tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest
from tests.faults.crew import Crew, make_crew
from tests.faults.running import Open, Running


@pytest.fixture
async def open_town(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens towns of real processes and ends them, whatever happens."""
    towns: list[Running] = []

    async def start(
        commands: dict[str, Sequence[str]] | None = None,
        before: Callable[[Crew], object] = lambda _: None,
    ) -> Running:
        crew = make_crew(tmp_path / f"town-{len(towns)}")
        crew.commands.update(commands or {})
        before(crew)
        town = Running(crew)
        towns.append(town)
        await town.open()
        return town

    yield start
    for town in towns:
        await town.close()
