"""Whatever people read is judged: it is plain, or claims keep it, or it is admitted as a loss."""

from __future__ import annotations

import pytest
from tests.claims import sentences
from tests.claims.sentences import blocks, judged, read_files, sentences_of, split, wrong

JUDGED = judged()


@pytest.mark.parametrize("file", read_files())
def test_every_sentence_is_listed_with_what_stands_behind_it(file: str) -> None:
    listed, said = [j.sentence for j in JUDGED.get(file, [])], sentences_of(file)
    new = [s for s in said if s not in listed]
    gone = [s for s in listed if s not in said]
    assert not new and not gone, (
        f"{file} has {len(new)} sentences that docs/sentences.txt does not know, and {len(gone)} "
        "are gone. Type `make sentences`, and judge each line that begins with [?] there: [plain] "
        "if it promises nothing about anybody's safety, [claim 5, 31] by the claims that keep it, "
        "or [loss: words] by words of the paragraph of docs/threat-model.md that admits it. "
        f"New: {new}"
    )
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("file", read_files())
def test_every_judgement_names_claims_and_losses_that_exist(file: str) -> None:
    faults = {j.sentence: why for j in JUDGED.get(file, []) if (why := wrong(j.is_))}
    assert faults == {}


def test_no_file_is_judged_that_is_not_there() -> None:
    assert set(JUDGED) == set(read_files())


def test_every_paragraph_that_admits_a_loss_is_judged_as_one() -> None:
    """A row of the threat table that says loss is not called plain."""
    text = sentences.THREATS.read_text("utf-8")
    admitted = {s for block in blocks(text) for s in split(block) if "(loss" in s}
    listed = {j.sentence: j.is_ for j in JUDGED["docs/threat-model.md"]}
    assert {s for s in admitted if "loss: " not in listed[s]} == set()
    assert len(admitted) > 20


@pytest.mark.parametrize(
    "judgement",
    [
        "?",
        "claim 0",
        "claim",
        "claim 5,6",
        "loss: nobody admitted this",
        "loss: ",
        "plain; claim 5",
        "",
    ],
)
def test_a_judgement_that_says_nothing_is_found(judgement: str) -> None:
    assert wrong(judgement)


@pytest.mark.parametrize(
    ("markdown", "found"),
    [
        ("One here. Two there\nand on.", ["One here.", "Two there and on."]),
        ("- **A point.** More [of it](x.md).", ["A point.", "More of it."]),
        ("| a | b c |\n|---|---|\n| d | **e** f |", ["a | b c", "d | e f"]),
        ("# A title\nText under it.", ["A title", "Text under it."]),
        ("Before.\n```\nNo code. At all.\n```\nAfter it.", ["Before.", "After it."]),
        ("It is 5.5 s. 7 s are too many.", ["It is 5.5 s.", "7 s are too many."]),
    ],
)
def test_sentences_are_found_in_whatever_stands_around_them(
    markdown: str, found: list[str]
) -> None:
    assert [s for block in blocks(markdown) for s in split(block)] == found
