"""A machine that is too slow for the demo: a person is told what did not start, not what broke."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from wallflower.errors import Fault
from wallflower.lab.demo import town as towns
from wallflower.lab.demo.pace import DemoPace
from wallflower.lab.demo.town import ROLES, Town


def test_a_desk_that_takes_too_long_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(towns, "_START_S", 0.01)
    monkeypatch.setattr(towns, "console", lambda: ["sh", "-c", "sleep 60", "--"])
    monkeypatch.setattr(towns, "COMMANDS", dict.fromkeys(ROLES, "0"))

    async def started() -> None:
        town = Town(tmp_path, DemoPace(6, 0), {})
        try:
            with pytest.raises(Fault, match="The desk did not start"):
                await town.start_roles()
        finally:
            await town.stop()

    asyncio.run(started())
