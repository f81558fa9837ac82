"""Whatever people read is judged: it is plain, or claims keep it, or it is admitted as a loss."""

from __future__ import annotations

import pytest
from tests.claims import sentences
from tests.claims.rules import parts, read_pages
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
        "or [loss: words] by words of the paragraph of docs/threat-model.md that admits it; what "
        "else a decision or a rule of the spec may be stands at the head of the list. "
        f"New: {new}"
    )
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("file", read_files())
def test_every_judgement_names_claims_and_losses_that_exist(file: str) -> None:
    faults = {j.sentence: why for j in JUDGED.get(file, []) if (why := wrong(j.is_, file))}
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
    ("file", "judgement", "stands"),
    [
        ("docs/adr/0033-a-full-pool-pulls-nothing.md", "why claim 68", True),
        ("docs/adr/0033-a-full-pool-pulls-nothing.md", "why rule hum 2.7", True),
        ("docs/adr/0033-a-full-pool-pulls-nothing.md", "rule cell 2.3", True),
        ("docs/adr/0033-a-full-pool-pulls-nothing.md", "rule hum 2.99", False),
        ("docs/adr/0033-a-full-pool-pulls-nothing.md", "rule versions 2.6", False),
        ("docs/adr/0033-a-full-pool-pulls-nothing.md", "why", False),
        ("README.md", "why claim 68", False),
        ("README.md", "rule hum 2.7", False),
        ("README.md", "test tests/docs/test_sentences.py::test_no_file_is_judged_that_is_not_there",
         False),
        ("spec/hum.md", "test tests/docs/test_sentences.py::test_none_of_this_name", False),
        ("spec/hum.md", "test tests/docs/test_none.py::test_none_of_this_name", False),
        ("spec/hum.md", "test page/test/store.test.ts::a store that is not tested", False),
        ("spec/hum.md", "vectors hum", True),
        ("spec/loop.md", "vectors loop", False),
        ("spec/hum.md", "why claim 68", False),
        ("spec/store.md", "refusal store 2.3", True),
        ("spec/store.md", "refusal store 2.4", False),
    ],
)  # fmt: skip
def test_what_a_decision_or_a_rule_may_be_is_looked_for(
    file: str, judgement: str, stands: bool
) -> None:
    """A rule that asks nothing of any program backs nothing."""
    assert (wrong(judgement, file) == "") is stands


def test_every_numbered_rule_of_the_spec_is_a_line_of_the_list_or_a_refusal() -> None:
    """A rule goes red when broken; what is said to be plain asks nothing, and is not much."""
    rules = [rule for page in read_pages() for rule in parts(page)[0]]
    held = sentences.rules_held()
    heads = {rule.number.rpartition(".")[0] for rule in rules if "." in rule.number}
    listed = {r.number for r in rules if not r.refuses_only and r.number not in heads}
    assert len(listed) > 180
    assert listed <= set(held)
    assert set(held) <= {rule.number for rule in rules} | heads
    plain = {rule for rule in listed if held[rule] == "plain"}
    assert plain == {"census 4.4", *(f"versions 2.{n}" for n in (1, 2, 3, 5, 6))}


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
