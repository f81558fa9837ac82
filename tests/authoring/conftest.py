"""A campaign's folder to change, and keys that only tests know."""

from __future__ import annotations

from pathlib import Path

import pytest

from wallflower.campaign.authoring import new_campaign
from wallflower.crypto.derive import sha256
from wallflower.trust.pins import Pins

PINS = Pins(sha256(b"root"), sha256(b"organisation"), sha256(b"a"), sha256(b"b"), "Office")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The example campaign with keys, as 'campaign new' and 'pins' make it."""
    made = tmp_path / "campaign"
    new_campaign(made)
    (made / "pins.json").write_bytes(PINS.encode())
    return made


def change(folder: Path, name: str, old: str, new: str) -> None:
    """Replace a part of a file that has it once or more."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
