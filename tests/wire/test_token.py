"""Tokens and their sets. Spec: token.md 1, 2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallflower.lab.host import SeededEntropy
from wallflower.wire.sizes import (
    CHAIN_WEEKS,
    TOKEN,
    TOKEN_ENTRIES,
    TOKEN_ENTRY,
    TOKEN_WEEKS,
    TOKENS,
)
from wallflower.wire.token import (
    index_of,
    make_set,
    parse_set,
    token,
    token_for,
    token_key,
    tokens_of_letter,
    tokens_of_week,
)

DRAW = SeededEntropy(b"tokens").draw
WEEKS = st.integers(0, CHAIN_WEEKS - TOKEN_WEEKS)


def test_tokens_differ_by_conversation_week_and_index() -> None:
    conversations = [DRAW(16) for _ in range(20)]
    all_of_them = [t for c in conversations for w in range(20) for t in tokens_of_week(c, w)]
    assert len(set(all_of_them)) == len(all_of_them)
    assert {len(t) for t in all_of_them} == {TOKEN}


@given(st.binary(min_size=16, max_size=16), WEEKS, st.integers(0, 63), st.integers(-2, 6))
def test_a_letter_has_the_token_of_each_week_it_may_leave_in(
    conversation: bytes, week: int, mark: int, later: int
) -> None:
    beside = tokens_of_letter(conversation, week, mark)
    found = token_for(beside, week, week + later)
    if 0 <= later < TOKEN_WEEKS:
        assert found == token(token_key(conversation), week + later, index_of(mark))
    else:
        assert found is None


def test_a_set_knows_its_tokens_and_no_others() -> None:
    mine = tokens_of_week(DRAW(16), 125)
    found = parse_set(make_set(125, mine, DRAW))
    assert found.week == 125
    assert len(found.entries) == TOKEN_ENTRIES
    assert all(map(found.holds, mine))
    assert not any(map(found.holds, tokens_of_week(DRAW(16), 125)))


def test_a_set_holds_no_part_of_a_token() -> None:
    mine = tokens_of_week(DRAW(16), 125)
    made = make_set(125, mine, DRAW)
    assert not [one for one in mine if one[:TOKEN_ENTRY] in made or one[-TOKEN_ENTRY:] in made]


def test_a_set_is_never_larger() -> None:
    too_many = [DRAW(TOKEN) for _ in range(TOKEN_ENTRIES + 1)]
    with pytest.raises(ValueError, match="one size"):
        make_set(125, too_many, DRAW)
    assert len(too_many) % TOKENS == 1
