"""Fixtures of the fault tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from tests.faults.crew import Crew, make_crew
from tests.faults.nursery import Nursery
from tests.faults.office import Office
from tests.faults.running import Open, Running


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Forks for every town."""
    one = Nursery()
    yield one
    one.close()


@pytest.fixture
async def open_town(tmp_path: Path, nursery: Nursery) -> AsyncIterator[Open]:
    """Opens towns of real processes and ends them, whatever happens."""
    towns: list[Running] = []

    async def start(
        before: Callable[[Crew], object] = lambda _: None,
        real_desk: bool = False,
        by_console: bool = False,
    ) -> Running:
        crew = make_crew(tmp_path / f"town-{len(towns)}")
        crew.nursery = None if by_console else nursery
        before(crew)
        town = Running(crew, Office(crew) if real_desk else None)
        towns.append(town)
        await town.open()
        crew.nursery = nursery
        return town

    yield start
    for town in towns:
        await town.close()
