"""The desk server's configuration: what no record may hold is named before anything is drafted."""

from __future__ import annotations

from pathlib import Path

import pytest

from wallflower.board.edge.process import read_settings
from wallflower.cli.new import make
from wallflower.errors import Fault
from wallflower.host.settings import load_settings
from wallflower.trust.pins import Pins

WAY = '"http://127.0.0.1:7600/"'


def written(tmp_path: Path, old: str = "", new: str = "", desk: str = "Office") -> Path:
    """A new organisation's configuration with pins beside it, and one line changed."""
    config = make("organisation", tmp_path / "organisation")
    pins = Pins(bytes(32), bytes(32), bytes(32), bytes(32), desk)
    (config.parent / "pins.json").write_bytes(pins.encode())
    text = config.read_text("utf-8")
    assert old in text
    config.write_text(text.replace(old, new), "utf-8")
    return config


def test_a_new_organisation_s_configuration_can_be_drafted(tmp_path: Path) -> None:
    assert read_settings(load_settings(written(tmp_path)))[1].desk_name == "Office"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("mean_a = 21600", "mean_a = 6", "parameter is out of bounds"),
        ("segments = 84", "segments = 513", "parameter is out of bounds"),
        ("period = 14400", "period = 18000", "parameter is out of bounds"),
        ("replies = 13", "replies = 70000", "parameter is out of bounds"),
        (f"{WAY},", "", "names no ingress"),
        (WAY, ", ".join([WAY] * 16), "too many ways"),
        (WAY, '"ingress.example"', "way of a record is malformed"),
        (WAY, '"https://例子.example/"', "way of a record is malformed"),
        (WAY, f'"https://{"x" * 300}"', "way of a record is malformed"),
        (WAY, "7", "way of a record is malformed"),
        ("cells_per_connection = 12", "cells_per_connection = 0", "way of a record is malformed"),
        ("cells_per_connection = 12", "cells_per_connection = 256", "way of a record is malformed"),
        ('desk = "Office"', 'desk = "Another"', "names another desk than the pins"),
    ],
)
def test_a_line_that_no_record_may_hold_is_named_at_the_start(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    """Drafted, it would stay on the disk, and no desk server could start there any more."""
    with pytest.raises(Fault, match=said):
        read_settings(load_settings(written(tmp_path, old, new)))


@pytest.mark.parametrize("name", ["", "O\\u0000", "举报中心举报中心举报中"])
def test_a_desk_s_name_that_fits_no_record_is_named_at_the_start(tmp_path: Path, name: str) -> None:
    config = written(tmp_path, 'desk = "Office"', f'desk = "{name}"', name.replace("\\u0000", "\0"))
    with pytest.raises(Fault, match="1 to 32 bytes"):
        read_settings(load_settings(config))
