"""The set of tokens by which B knows our conversations, of one size always. Spec: token.md 2.

More than fit: those that were answered first, and among equals by a lot that is new each week.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from wallflower.wire.sizes import TOKEN_ENTRIES, TOKENS
from wallflower.wire.token import make_set, tokens_of_week

MOST: Final = TOKEN_ENTRIES // TOKENS
LOT_KEY: Final = 32


@dataclass(frozen=True, slots=True, repr=False)
class KnownCase:
    """A conversation of which a handler has opened a letter, and whether it was answered."""

    id: bytes
    answered: bool


def chosen(cases: Iterable[KnownCase], week: int, lot_key: bytes) -> list[bytes]:
    """The ids that stand in the set of a week (token 2.4).

    The lot has a key of ours, since whoever writes chooses the id of a conversation.
    """

    def place(case: KnownCase) -> tuple[bool, bytes]:
        lot = hmac.digest(lot_key, week.to_bytes(2) + case.id, "sha256")
        return not case.answered, lot

    return [case.id for case in sorted(cases, key=place)[:MOST]]


def week_set(
    cases: Iterable[KnownCase], week: int, lot_key: bytes, draw: Callable[[int], bytes]
) -> bytes:
    """TOKEN_SET bytes for B."""
    ids = chosen(cases, week, lot_key)
    return make_set(week, (t for one in ids for t in tokens_of_week(one, week)), draw)
