"""A client with last year's pins, record and store. Spec: versions.md 3.

Its bundle came on a USB stick and lay in a drawer. The record of today is 364 numbers later.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.source.stage import SECRET, WAYS, Scene, days, jump
from tests.source.test_visit import opened
from tests.trust.made import ORGANISATION as OWN
from tests.trust.made import PINS, STRANGER, B, body, record, signed

from wallflower.crypto.derive import epoch_secret
from wallflower.errors import Refused
from wallflower.source.letters import Place, may_leave, verify_fresh
from wallflower.source.reading import read_board
from wallflower.trust.record import EpochRecord, verify_record
from wallflower.wire.hello import Kind
from wallflower.wire.record import RecordBody, Way, WayKind
from wallflower.wire.reply import seal_part
from wallflower.wire.segment import SegmentHeader, SignedSegment, make_segment, parse_segment
from wallflower.wire.sizes import ANCESTORS, HASH, RECEIPT, REPLY_SLOT, REPLY_WEEKS

(OLD,) = days(1)
YEAR = 364
GONE = (Way(WayKind.INGRESS, 12, "http://gone.example/"),)


def a_year_later() -> RecordBody:
    """The body of today's record: of the same chain, too far on to name last year's."""
    later = body(OLD.number + YEAR, OLD.body.day + YEAR)
    filled = tuple(bytes([n]) * HASH for n in range(1, ANCESTORS + 1))
    return replace(later, ancestors=filled, ways=WAYS)


THEN = record(replace(OLD.body, ways=GONE))
NOW = record(a_year_later())


def _empty(size: int) -> bytes:
    return bytes(size)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Today's town, and a client that was last used a year ago, when another ingress ran."""
    scene = Scene(tmp_path, [NOW])
    scene.store.keep_record(THEN.raw)
    scene.store.fill(THEN, PINS.desk, _empty)
    return scene


def state(scene: Scene) -> tuple[object, ...]:
    return scene.store.record(), scene.store.letters(), scene.store.segments()


def test_it_follows_todays_record_to_ways_that_it_never_knew_and_hums(scene: Scene) -> None:
    left, segments = jump(scene.visit())
    assert (left, segments) == (False, scene.segments)
    ((kind, _),) = opened(scene.cells, scene.record)
    assert kind is Kind.COVER
    assert scene.store.record() == scene.record.raw


def test_a_stick_that_was_never_used_does_the_same(scene: Scene, tmp_path: Path) -> None:
    fresh = Scene(tmp_path / "fresh", [NOW])
    jump(fresh.visit())
    assert fresh.store.record() == scene.record.raw


def test_a_record_of_other_signers_is_refused_and_nothing_is_sent_or_changed(scene: Scene) -> None:
    before = state(scene)
    forged = signed(NOW.body, (OWN, STRANGER, B))
    scene.records[0] = EpochRecord(NOW.body, NOW.hash, forged)
    with pytest.raises(Refused) as refused:
        jump(scene.visit())
    assert refused.value.rule == "record 2.8"
    assert scene.cells == []
    assert state(scene) == before


def test_a_mirror_that_still_shows_last_years_record_makes_no_hum(scene: Scene) -> None:
    before, scene.records[0] = state(scene), THEN
    with pytest.raises(Refused) as refused:
        jump(scene.visit())
    assert refused.value.rule == "record 2.10"
    assert scene.cells == []
    assert state(scene) == before


def test_a_letter_that_waited_a_year_stays_and_the_hum_is_a_cover(scene: Scene) -> None:
    scene.records[0] = THEN
    waiting = scene.write("从去年来的")
    scene.records[0] = NOW
    jump(scene.visit())
    assert [kind for kind, _ in opened(scene.cells, scene.record)] == [Kind.COVER]
    assert [k.sealed for k in scene.store.letters() if k.place is Place.WAITING] == [waiting.sealed]


@pytest.mark.parametrize(("age", "leaves"), [(ANCESTORS - 1, True), (ANCESTORS, False)])
def test_nothing_is_sealed_under_keys_from_which_it_could_never_leave(
    tmp_path: Path, age: int, leaves: bool
) -> None:
    """The rule at writing is the rule at leaving: on the day after, the other one says no too."""
    chain = days(ANCESTORS + 2)
    scene = Scene(tmp_path, chain)
    scene.store.fill(chain[0], PINS.desk, _empty)
    letter = scene.write("x")
    assert may_leave(letter, chain[age + 1]) is leaves
    today = chain[0].body.day + age
    if leaves:
        verify_fresh(chain[0], today)
    else:
        with pytest.raises(Refused, match="could never leave") as refused:
            verify_fresh(chain[0], today)
        assert refused.value.rule == "letter 3.10"


def _board_with(slot: bytes, under: EpochRecord) -> SignedSegment:
    p = under.body.parameters
    header = SegmentHeader(
        record=under.number, number=1, period=1, replies=p.replies, receipts=p.receipts,
        previous=bytes(HASH), drop_head=bytes(HASH), record_hash=under.hash,
    )  # fmt: skip
    others = [bytes(REPLY_SLOT)] * (p.replies - 1)
    return parse_segment(make_segment(header, [slot, *others], [bytes(RECEIPT)] * p.receipts, OWN))


@pytest.mark.parametrize(("weeks", "found"), [(52, 1), (REPLY_WEEKS - 1, 1), (REPLY_WEEKS, 0)])
def test_an_answer_to_last_years_letter_is_read_for_sixty_weeks(weeks: int, found: int) -> None:
    week = OLD.body.week
    slot = seal_part(epoch_secret(SECRET, week), 0, bytes(16), 1, 1, "回信".encode())
    shown = read_board(SECRET, [_board_with(slot, OLD)], week + weeks)
    assert [reply.text for reply in shown.replies] == ["回信"] * found


def test_the_record_that_is_kept_still_verifies_so_that_the_kept_board_is_read_offline(
    scene: Scene,
) -> None:
    raw = scene.store.record()
    assert raw is not None
    assert verify_record(raw, PINS).body.day == scene.record.body.day - YEAR
