"""Every good vector, whoever made it, opens in Python to the fields that its inputs give."""

from __future__ import annotations

from typing import Any

import pytest
from vectors.in_python import HERE, SEALED, load
from vectors.in_python.reading import READ
from vectors.in_python.writing import MAKE

MAKERS = ("hand", "by-python", "by-typescript")
# What the page makes, and so has to have made again (vectors/README.md).
PAGE_MAKES = {
    "cell", "hello", "hum", "parcel", "letter", "receipt", "chain", "words", "token", "stamp",
}  # fmt: skip
PAGE_READS = {"record", "reply", "segment"}


def _vectors(structure: str, who: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = load(f"{structure}/{who}.json")["vectors"]
    return found


def _named(structure: str) -> dict[str, dict[str, Any]]:
    return {v["name"]: v for v in _vectors(structure, "hand")}


def _all() -> list[Any]:
    return [
        pytest.param(structure, vector, id=f"{structure}-{who}-{vector['name']}")
        for structure in READ
        for who in MAKERS
        if (HERE / structure / f"{who}.json").exists()
        for vector in _vectors(structure, who)
    ]


@pytest.mark.parametrize(("structure", "vector"), _all())
def test_vector_opens_to_its_fields(structure: str, vector: dict[str, Any]) -> None:
    hand = _named(structure)[vector["name"]]
    data = bytes.fromhex(vector.get("bytes", ""))
    found = READ[structure](hand["inputs"], data)
    own = SEALED.get(structure, set())
    assert {k: v for k, v in found.items() if k not in own} == {
        k: v for k, v in hand["fields"].items() if k not in own
    }
    assert all(found[name] == value for name, value in vector["fields"].items())


@pytest.mark.parametrize("structure", sorted(MAKE))
def test_bytes_without_a_kem_are_the_same_in_every_file(structure: str) -> None:
    for name, vector in _named(structure).items():
        if vector["kem"] or "bytes" not in vector:
            continue
        assert MAKE[structure](vector["inputs"]).hex() == vector["bytes"], name
        for who in MAKERS[1:]:
            if (HERE / structure / f"{who}.json").exists():
                twins = [v for v in _vectors(structure, who) if v["name"] == name]
                assert all(twin["bytes"] == vector["bytes"] for twin in twins), name


@pytest.mark.parametrize("structure", sorted(READ))
def test_python_has_made_every_vector_again(structure: str) -> None:
    theirs = {v["name"]: v["inputs"] for v in _vectors(structure, "by-python")}
    assert theirs == {name: v["inputs"] for name, v in _named(structure).items()}


@pytest.mark.parametrize("structure", sorted(PAGE_MAKES | PAGE_READS))
def test_the_page_has_made_or_read_every_vector(structure: str) -> None:
    theirs = {v["name"]: v["inputs"] for v in _vectors(structure, "by-typescript")}
    # Sets of tokens are between the desk and B; the page never sees one.
    hand = {n: v for n, v in _named(structure).items() if v["inputs"].get("what") != "set"}
    assert set(theirs) >= set(hand)
    if structure in PAGE_MAKES:
        assert all(theirs[name] == v["inputs"] for name, v in hand.items())
