"""A campaign's folder to change, and keys that only tests know."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from wallflower.campaign.edge.authoring import example_folder, new_campaign
from wallflower.crypto.derive import sha256
from wallflower.trust.pins import Pins

FILM = Path(__file__).parents[1] / "film.mp4"
_EXAMPLE = (example_folder() / "campaign.toml").read_text(encoding="utf-8")
EXAMPLE_FILMS = _EXAMPLE[_EXAMPLE.index("make = [") : _EXAMPLE.index("more = []")].rstrip()
PINS = Pins(sha256(b"root"), sha256(b"organisation"), sha256(b"a"), sha256(b"b"), "Office")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The example campaign with keys and a ready film: no test waits for the films of five
    languages but those that are about them."""
    made = tmp_path / "campaign"
    new_campaign(made)
    shutil.copyfile(FILM, made / "film.mp4")
    change(made, "campaign.toml", EXAMPLE_FILMS, 'page = "film.mp4"')
    (made / "pins.json").write_bytes(PINS.encode())
    return made


def change(folder: Path, name: str, old: str, new: str) -> None:
    """Replace a part of a file that has it once or more."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
