"""The numbers of the wire, read out of the table of spec/sizes.md."""

from __future__ import annotations

import re
from pathlib import Path

_ROW = re.compile(r"^\| ([A-Z_]+) \| ([0-9]+) \|", re.MULTILINE)


def sizes(spec: Path) -> dict[str, int]:
    """name -> value, in the order of the table."""
    found = _ROW.findall((spec / "sizes.md").read_text("utf-8"))
    return {name: int(value) for name, value in found}
