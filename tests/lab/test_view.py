"""The demo's terminal page fits small terminals, and says for each party what it does not see."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from wallflower.lab.demo.pace import DemoPace
from wallflower.lab.demo.town import Town
from wallflower.lab.demo.view import IN_ENGLISH, TALL, WAY, YOUR_TURN, Said, picture, rows
from wallflower.lab.demo.walk import ANSWER, LETTER, Step

# Larger than any that a long demo shows.
FOUND = {
    "crowd": {"watched": 20_000, "hums": 99_999}, "ingress": {"cells": 1_199_988},
    "mix-a": {"hums": 99_999, "pool": 9_999}, "organisation": {"segments": 84},
    "mix-b": {"covers": 99_999, "letters": 999, "pool": 999, "seen_since_release": 9_999},
    "desk": {"letters": 999},
}  # fmt: skip
DOOR = "http://127.0.0.1:65535/enter/" + "f" * 48


def shown(
    said: Said, width: int, height: int, found: dict[str, dict[str, int]] = FOUND
) -> list[str]:
    ports = {"mirror": 65535}
    town = Town(Path("/nowhere"), DemoPace(15.0, 0), ports, desk_door=DOOR)
    console = Console(width=width, height=height, force_terminal=False, color_system=None)
    with console.capture() as capture:
        console.print(picture(town, found, 20790, said, (width, height)))
    return capture.get().splitlines()


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40), (200, 60)])
@pytest.mark.parametrize("count", range(len(Step) + 1))
def test_the_page_fits_with_every_party_and_the_newest_step_whole(
    size: tuple[int, int], count: int
) -> None:
    said = Said(list(Step)[:count], your_turn=count == len(Step))
    lines = shown(said, *size)
    assert len(lines) <= size[1]
    text = "\n".join(lines)
    for who, _, never in rows(FOUND):
        line = next(line for line in lines if line.strip().startswith(who))
        assert line.rstrip().endswith(never)
    newest = YOUR_TURN if said.your_turn else said.steps[-1].value if said.steps else ""
    assert newest in text
    assert DOOR in lines, "an address that is cut in two cannot be opened"


def test_before_anything_is_known_nothing_is_made_up() -> None:
    text = "\n".join(shown(Said(), 80, 24, {}))
    assert "…" in text
    assert not [digit for row in rows({}) for digit in row[1] if digit.isdigit()]
    assert "none holds the letter" in text


def test_each_step_is_at_a_place_of_the_way_and_never_goes_back() -> None:
    places = []
    said = Said()
    for step in Step:
        said.say(step)
        places.append(said.place())
    assert places == sorted(places)
    assert set(places) == set(range(len(WAY)))


@pytest.mark.parametrize(("step", "letter", "answer"), [
    (Step.WATCHED, False, False), (Step.WRITTEN, True, False), (Step.ARRIVED, True, False),
    (Step.ON_BOARD, True, True),
])  # fmt: skip
def test_with_room_the_letter_and_the_answer_are_shown_once_they_exist(
    step: Step, letter: bool, answer: bool
) -> None:
    text = "\n".join(shown(Said([step]), 200, TALL))
    assert (LETTER in text, ANSWER in text) == (letter, answer)
    assert (IN_ENGLISH[0] in text, IN_ENGLISH[1] in text) == (letter, answer)
    assert LETTER not in "\n".join(shown(Said([step]), 80, TALL - 1))
    narrow = "\n".join(shown(Said([step]), 80, TALL))
    assert (IN_ENGLISH[0] in narrow, IN_ENGLISH[1] in narrow) == (letter, answer), "none is cut"


def test_the_hums_say_among_how_many_the_letter_is_and_what_b_waits_for_while_it_waits() -> None:
    said = {step: "\n".join(shown(Said([step]), 80, 24)) for step in Step}
    for step, text in said.items():
        gone = step not in (Step.WATCHED, Step.WRITTEN)
        assert ("one of 99,999 holds the letter" in text, "none holds" in text) == (gone, not gone)
        assert ("B lets go after 40 hums; 9,999 came" in text) == (
            step in (Step.LEAVES, Step.MIXED)
        )
        assert ("a visit's twelve sealed cells" in text) != ("B lets go" in text)
