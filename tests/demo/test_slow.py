"""A machine that is too slow for the demo: a person is told what did not start, not what broke."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from wallflower.errors import Fault
from wallflower.lab.demo import town as towns
from wallflower.lab.demo.pace import DemoPace
from wallflower.lab.demo.town import Town


class _Silent:
    """A process that has not said anything yet."""

    def __init__(self) -> None:
        self.stdout = asyncio.StreamReader()


def test_a_desk_that_takes_too_long_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def start(town: Town, name: str, *_: str) -> None:
        town.processes[name] = _Silent()  # type: ignore[assignment]

    monkeypatch.setattr(towns, "_START_S", 0.01)
    monkeypatch.setattr(Town, "start", start)

    async def started() -> None:
        with pytest.raises(Fault, match="The desk did not start"):
            await Town(tmp_path, DemoPace(6, 0), {}).start_roles()

    asyncio.run(started())
