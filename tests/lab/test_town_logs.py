"""What a process of the demo says is where its fault says that it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from wallflower.errors import Fault
from wallflower.lab.demo.pace import DemoPace
from wallflower.lab.demo.town import Town


async def test_a_process_that_ends_is_named_with_the_file_that_says_why(tmp_path: Path) -> None:
    town = Town(tmp_path, DemoPace(15.0, 0), {})
    process = await town.start("mix-a", "mix", str(tmp_path / "none.toml"))
    town.check_alive()
    await process.wait()
    with pytest.raises(Fault, match="process of mix-a has ended") as ended:
        town.check_alive()
    assert ended.value.next_step == "Run it again with --keep FOLDER, and read FOLDER/mix-a.log."
    assert "none.toml" in (tmp_path / "mix-a.log").read_text("utf-8")
    await town.stop()
