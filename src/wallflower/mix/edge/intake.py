"""How a mix takes what waits at the node before it: page by page, each durable before the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from wallflower.host.disk import has_room, has_room_for
from wallflower.host.net import Net, Unreachable
from wallflower.host.pull import Alike
from wallflower.mix.edge.state import State

_LEAST = 64  # entries of a page: the reserve has room for so few


@dataclass(frozen=True, slots=True)
class Source:
    """Whom a mix pulls from, how many entries at most a page has, and how many bytes of the disk
    each of them may need while it is taken: in the write-ahead log, and in the database."""

    url: str
    token: str = field(repr=False)
    page: int
    each: int


class Taker(Protocol):
    """What takes pages: a share of A's, or B."""

    @property
    def full(self) -> bool:
        """Whether nothing more may be pulled."""
        ...

    async def ask(self, net: Net, source: Source, after: int, most: int) -> Alike:
        """Pull what comes after a number, or Unreachable, or Refused."""
        ...

    def take(self, answer: Alike) -> None:
        """Take it; the caller wraps this in one transaction."""
        ...


async def take_all(
    taker: Taker, state: State, net: Net, source: Source, answered: Callable[[], None],
    has_time: Callable[[], bool],
) -> None:  # fmt: skip
    """Pull until a page is not full; each is durable before the next question trims it.

    What comes while we take is left for the next round: where cells never stop coming, a round
    that waited for an empty page would never end; and a node before us that lies could have them
    never stop. So a round also ends once `has_time` says that it has none, after one page at the
    soonest; and where the disk has only its reserve left, without which nothing that we hold could
    ever be handed on. A page that there may be no room for beside it is a small one. Who is
    full pulls nothing (hum 2.7). On a slow line a page may take longer than an answer may: then
    the rest of the round has small ones. `answered` is called at every answer. Raises Unreachable,
    and Refused (pull 3.1).
    """
    least, slow = min(source.page, _LEAST), False
    while not taker.full:
        # One of two sizes, since A is asked for it: what B's disk has room for tells of letters.
        fits = not slow and has_room_for(state.db, source.page * source.each)
        most = source.page if fits else least
        try:
            count = await _page(taker, state, net, source, answered, most)
        except Unreachable:
            if most == least or not has_time():
                raise
            slow = True
            continue
        if count < most:
            break
        if not has_time():
            break
        if not has_room(state.db):
            break
    # Nothing more is asked for; the node before us may forget what we now have.
    await taker.ask(net, source, state.number("cursor"), 0)
    answered()


async def _page(
    taker: Taker, state: State, net: Net, source: Source, answered: Callable[[], None], most: int
) -> int:
    answer = await taker.ask(net, source, state.number("cursor"), most)
    answered()
    # What has another length is passed over too: else it would be all that is ever asked for.
    count = answer.count + answer.others
    if count:
        with state.transaction():
            taker.take(answer)
            state.set_number("cursor", answer.last)
    return count
