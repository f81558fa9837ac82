"""Bodies are bounded while they come, and a bearer token is compared whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wallflower.host.asgi import Message, Scope, bearer_is, read_body


class Pieces:
    """A client that sends these pieces, then goes away."""

    def __init__(self, *pieces: bytes, ended: bool = True) -> None:
        self.left = list(pieces)
        self.ended = ended
        self.asked = 0

    async def receive(self) -> Message:
        self.asked += 1
        if not self.left:
            return {"type": "http.disconnect"}
        piece = self.left.pop(0)
        return {
            "type": "http.request", "body": piece, "more_body": bool(self.left) or not self.ended,
        }  # fmt: skip


async def test_a_body_of_exactly_the_limit_is_read() -> None:
    assert await read_body(Pieces(b"ab", b"", b"cd").receive, 4) == b"abcd"


async def test_one_byte_more_is_none_and_the_rest_is_not_asked_for() -> None:
    client = Pieces(b"ab", b"cde", b"f", b"g")
    assert await read_body(client.receive, 4) is None
    assert client.asked == 2


async def test_a_client_that_goes_away_leaves_none() -> None:
    assert await read_body(Pieces(b"ab", ended=False).receive, 4) is None
    assert await read_body(Pieces().receive, 4) is None


async def test_an_empty_body_is_empty_and_not_none() -> None:
    assert await read_body(Pieces(b"").receive, 0) == b""
    assert await read_body(Pieces(b"x").receive, 0) is None


@settings(derandomize=True, deadline=None, database=None)
@given(pieces=st.lists(st.binary(max_size=20), min_size=1, max_size=8), limit=st.integers(0, 80))
async def test_a_body_is_its_pieces_or_none(pieces: list[bytes], limit: int) -> None:
    whole = b"".join(pieces)
    assert await read_body(Pieces(*pieces).receive, limit) == (
        whole if len(whole) <= limit else None
    )


def scope(*headers: tuple[bytes, bytes]) -> Scope:
    return {"headers": list(headers)}


def test_the_right_bearer_is_taken() -> None:
    assert bearer_is(scope((b"host", b"x"), (b"authorization", b"Bearer tok")), "tok")


@pytest.mark.parametrize(
    "value", [b"", b"Bearer ", b"Bearer to", b"Bearer tokk", b"bearer tok", b"tok", b"Basic tok"]
)
def test_another_bearer_is_not(value: bytes) -> None:
    assert not bearer_is(scope((b"authorization", value)), "tok")


def test_no_header_is_not() -> None:
    assert not bearer_is(scope((b"x-authorization", b"Bearer tok")), "tok")


def test_a_second_header_does_not_mend_the_first() -> None:
    wrong, right = (b"authorization", b"Bearer no"), (b"authorization", b"Bearer tok")
    assert not bearer_is(scope(wrong, right), "tok")
