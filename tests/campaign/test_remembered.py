"""What a check remembers: nothing that a hostile copy showed speaks against the right one later."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.campaign.made import LATER, Town, copy, image, make_town, seeded

from wallflower.campaign.verify import Verdict


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return make_town(tmp_path_factory.mktemp("hostile"), seeded("hostile"))


def test_a_copy_of_other_words_leaves_nothing_in_the_memory(
    first: Town, hostile: Town, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    assert hostile.check(words=first.words, remember=seen).rule == "bundle 6.3"
    assert not seen.exists()
    assert first.check(remember=seen).verdict is Verdict.GENUINE


def test_what_was_only_seen_gives_way_to_words_and_to_a_root_of_ones_own(
    first: Town, hostile: Town, tmp_path: Path
) -> None:
    """A stick of a stranger was checked first, without words."""
    root = (first.site / "tuf" / "1.root.json").read_bytes()
    for words, own in ((first.words, b""), ("", root)):
        seen = tmp_path / f"{len(own)}"
        assert hostile.check(words="", remember=seen).verdict is Verdict.UNCOMPARED
        assert first.check(remember=seen, words=words, root=own).verdict is Verdict.GENUINE
        assert first.check(words="", remember=seen).verdict is Verdict.GENUINE
        held = image(seen)
        assert hostile.check(words="", remember=seen).rule == "bundle 6.20"
        assert hostile.check(words=hostile.words, remember=seen).verdict is Verdict.REFUSED
        theirs = (hostile.site / "tuf" / "1.root.json").read_bytes()
        report = first.check(words="", remember=seen, root=theirs)
        assert report.verdict is Verdict.REFUSED, "a root that is given counts before the memory"
        assert image(seen) == held


def test_a_memory_is_not_taken_back_whether_its_words_were_compared_or_only_seen(
    town: Town, tmp_path: Path
) -> None:
    seen, old = tmp_path / "seen", copy(town, tmp_path / "old")
    (town.site / "app.js").write_bytes(b"better()\n")
    town.sign(LATER)
    assert town.check(remember=seen).verdict is Verdict.GENUINE
    assert old.check(remember=seen).rule == "bundle 6.5"
    only_seen = tmp_path / "only-seen"
    assert town.check(words="", remember=only_seen).verdict is Verdict.UNCOMPARED
    assert old.check(words="", remember=only_seen).rule == "bundle 6.5"


def test_a_file_that_was_changed_leaves_the_metadata_remembered(town: Town, tmp_path: Path) -> None:
    """The metadata is right, so an older one is rolled back, whoever changed a file of this."""
    seen, old = tmp_path / "seen", copy(town, tmp_path / "old")
    (town.site / "app.js").write_bytes(b"better()\n")
    town.sign(LATER)
    (town.site / "app.js").write_bytes(b"worse()\n")
    assert town.check(remember=seen).rule == "bundle 6.11"
    assert old.check(remember=seen).rule == "bundle 6.5"
