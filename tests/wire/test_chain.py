"""The hash chain: who has seen x_w cannot make x_(w+1). Spec: chain.md."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallflower.crypto.derive import epoch_secret
from wallflower.errors import Refused
from wallflower.wire.chain import Continuity, Link, chain_value, hash_times, judge
from wallflower.wire.sizes import CHAIN_WEEKS

SECRET = bytes(range(16))
WEEK = CHAIN_WEEKS - 40  # near the end of the chain, where hashing is short


def _link(week: int, secret: bytes = SECRET) -> Link:
    return Link(week, epoch_secret(secret, week), chain_value(secret, week))


def test_three_weeks_of_letters_are_confirmed_one_after_the_other() -> None:
    kept = None
    for week, expected in (
        (WEEK, Continuity.FIRST), (WEEK + 1, Continuity.CONFIRMED), (WEEK + 2, Continuity.CONFIRMED)
    ):  # fmt: skip
        assert judge(kept, _link(week)) is expected
        kept = _link(week)


@given(st.integers(1, 38))
def test_any_later_week_of_the_same_words_is_confirmed(gap: int) -> None:
    assert judge(_link(WEEK), _link(WEEK + gap)) is Continuity.CONFIRMED


@given(st.integers(0, 60), st.integers(1, 30))
def test_a_thief_with_x_of_a_week_cannot_make_one_of_a_later_week(times: int, gap: int) -> None:
    kept = _link(WEEK)
    stolen = Link(WEEK + gap, kept.e, hash_times(kept.x, times))
    assert judge(kept, stolen) is Continuity.UNCONFIRMED


def test_an_older_week_is_unconfirmed_even_from_the_true_words() -> None:
    assert judge(_link(WEEK + 1), _link(WEEK)) is Continuity.UNCONFIRMED


def test_the_same_week_is_confirmed_only_with_the_same_e_and_x() -> None:
    kept = _link(WEEK)
    assert judge(kept, kept) is Continuity.CONFIRMED
    assert judge(kept, Link(WEEK, bytes(32), kept.x)) is Continuity.UNCONFIRMED
    assert judge(kept, Link(WEEK, kept.e, bytes(32))) is Continuity.UNCONFIRMED


def test_other_words_never_continue_a_conversation() -> None:
    assert judge(_link(WEEK), _link(WEEK + 1, bytes(16))) is Continuity.UNCONFIRMED


@pytest.mark.parametrize("week", [-1, CHAIN_WEEKS, 65535])
def test_there_is_no_value_outside_of_the_chain(week: int) -> None:
    with pytest.raises(Refused) as refused:
        chain_value(SECRET, week)
    assert refused.value.rule == "chain 3"


@pytest.mark.parametrize("kept", [None, Link(1, bytes(32), bytes(32))])
def test_a_letter_from_beyond_the_chain_is_refused(kept: Link | None) -> None:
    with pytest.raises(Refused) as refused:
        judge(kept, Link(CHAIN_WEEKS, bytes(32), bytes(32)))
    assert refused.value.rule == "chain 3"


def test_the_last_week_is_one_hash_from_the_seed_and_week_0_two_thousand() -> None:
    last = chain_value(SECRET, CHAIN_WEEKS - 1)
    assert hash_times(last, CHAIN_WEEKS - 1) == chain_value(SECRET, 0)
