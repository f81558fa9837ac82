"""What nights of fuzzing have found stays read or refused, with no fuzzer installed."""

from __future__ import annotations

import pytest
from tests.fuzz import targets
from tests.fuzz.nights import KEPT, LARGEST_KEPT
from tests.fuzz.targets import TARGETS, seeds

_FEW = 4
_HEAD, _END = 100, 4  # the longest head before a text (letter 1.2), and what is filled with zeros


def read(name: str, data: bytes) -> bool:
    """Whether the bytes were taken; any other end than a value or a refusal fails the test."""
    try:
        return TARGETS[name](data)
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(
            f"{name} ended with {type(error).__name__}: {data[:64].hex()}"
        ) from error


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_every_seed_and_every_kept_input_is_read_or_refused(name: str) -> None:
    kept = [file.read_bytes() for file in sorted((KEPT / name).glob("*"))]
    assert all(len(data) <= LARGEST_KEPT for data in kept)
    taken = [read(name, data) for data in [*seeds(name), *kept]]
    assert any(taken), "a target that refuses everything reaches nothing"


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_every_seed_with_a_bit_turned_in_its_head_or_its_end_is_read_or_refused(name: str) -> None:
    for seed in seeds(name)[:_FEW]:
        for at in {*range(min(len(seed), _HEAD)), *range(max(0, len(seed) - _END), len(seed))}:
            read(name, seed[:at] + bytes([seed[at] ^ 1 << at % 8]) + seed[at + 1 :])


def test_every_folder_of_the_corpus_has_its_target() -> None:
    found = {folder.name for folder in KEPT.iterdir()}
    assert found <= set(TARGETS)
    assert len(found) > 15


def test_a_parser_that_changes_what_it_read_does_not_pass() -> None:
    """The control of `_same`: a target has to see a value that is not made of the bytes."""

    def reads_nothing(data: bytes) -> None:
        targets._same(b"", data)

    with pytest.raises(AssertionError):
        targets.target(reads_nothing, set())(b"x")
