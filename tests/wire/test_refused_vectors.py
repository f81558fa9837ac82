"""Every refused vector is refused at its stage, under its own number of the spec and no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.wire.stages import STAGES, refused_rule
from vectors.in_python import HERE, load

import wallflower.wire

FILES = sorted(HERE.glob("*/refused/*.json"))
# Rules of the code that no file shows: offers, withdrawals and a census, which no page reads, are
# no structures of vectors/.
ELSEWHERE = {"record 5.1", "record 6.1", "census 5.1", "census 5.2", "census 5.3"}


def _vector(file: Path) -> dict[str, Any]:
    return load(str(file.relative_to(HERE)))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.parent.name}-{f.stem}")
def test_fault_is_refused_under_its_own_number(file: Path) -> None:
    vector = _vector(file)
    assert (vector["structure"], vector["name"]) == (file.parent.parent.name, file.stem)
    assert refused_rule(vector) == vector["refused"]


def test_every_number_that_the_wire_can_raise_has_a_refused_vector() -> None:
    raised = set()
    for module in Path(wallflower.wire.__path__[0]).glob("*.py"):
        code = module.read_text("utf-8")
        raised |= set(re.findall(r'(?:Refused|Reader)\(\s*(?:data, )?"([a-z]+ [0-9.]+)"', code))
    shown = {_vector(file)["refused"] for file in FILES}
    assert len(raised) > 30
    assert raised - shown == ELSEWHERE


def test_every_structure_has_refused_vectors_and_every_stage_is_reached() -> None:
    reached = {(v["structure"], v["stage"]) for v in map(_vector, FILES)}
    assert reached == {(s, stage) for s, stages in STAGES.items() for stage in stages}
