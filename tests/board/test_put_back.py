"""What the handbook types to put a desk server's board back, for boards of every age."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.trust.made import board, body, record

from wallflower.board.release import next_header
from wallflower.errors import Fault
from wallflower.wire.segment import make_head
from wallflower.wire.sizes import SEGMENT

HANDBOOK = Path(__file__).parents[2] / "docs" / "handbook" / "alarms.md"
# As curl: whole names and ranges are fetched, what a mirror does not have is passed over.
_CURL = """#!{python}
import pathlib, re, shutil, sys
for url in sys.argv[1:]:
    if not url.startswith("https://mirror.example/board/"):
        continue
    name = url.rpartition("/")[2]
    names = re.fullmatch(r"\\[(\\d+)-(\\d+)\\]", name)
    wanted = map(str, range(int(names[1]), int(names[2]) + 1)) if names else [name]
    for one in wanted:
        if (pathlib.Path("{mirror}") / one).exists():
            shutil.copy(pathlib.Path("{mirror}") / one, one)
"""


@pytest.mark.parametrize("newest", [3, 600, 12_345, 200_000])
def test_the_handbook_puts_back_all_that_a_mirror_shows_however_high_the_numbers(
    tmp_path: Path, newest: int
) -> None:
    mirror, data, tools = (tmp_path / name for name in ("mirror", "data", "bin"))
    for folder in (mirror, data, tools):
        folder.mkdir()
    segment = board(record(body()), 1).segments[0]
    head = bytearray(make_head(segment, 1, bytes(32)))
    head[4:8] = newest.to_bytes(4)
    (mirror / "head").write_bytes(head)
    for number in range(max(1, newest - 511), newest + 1):
        (mirror / str(number)).write_bytes(bytes(SEGMENT))
    curl = tools / "curl"
    curl.write_text(_CURL.format(python=sys.executable, mirror=mirror))
    curl.chmod(0o755)
    text = HANDBOOK.read_text("utf-8").partition("The desk server's data\n")[2]
    command = re.search(r"`(curl [^`]*)`", text)
    assert command is not None
    path = f"{tools}:{os.environ['PATH']}"
    subprocess.run(["/bin/sh", "-c", command[1]], cwd=data, env={"PATH": path}, check=True)
    assert sorted(p.name for p in data.iterdir()) == sorted(p.name for p in mirror.iterdir())


def test_a_board_put_back_with_the_highest_number_says_what_to_do() -> None:
    """As a mirror shows it that was shown one by whoever had the board's key for a moment."""
    under = record(body())
    segment = board(under, 1).segments[0]
    newest = replace(segment, header=replace(segment.header, number=2**32 - 1))
    with pytest.raises(Fault, match=r"none can follow.*Move data/board away"):
        next_header(newest, segment.header.period + 1, under, b"").encode()
