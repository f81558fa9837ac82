"""Who may keep a connection open when a listener has no place left. See docs/adr/0026.

A listener has so many seats, fewer than the process has descriptors. While there is room nobody is
asked to leave. When it is full, a newcomer takes the seat of whoever has kept it longest for least:
first an unfinished head, then somebody idle, then an unfinished body. What was sent whole and waits
for its answer is left alone.

Nearly full, no address prefix holds more than its share: who comes beyond it takes a seat of its
own neighbours. Prefixes live in memory, as long as their connections; nothing is logged.

This module knows no socket and no clock: `now` is seconds of any clock that only goes forward.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv6Address, ip_address

NEARLY_FULL = 7 / 8
SHARE = 1 / 8  # of all seats, for one prefix, once it is nearly full
_V4_BITS, _V6_BITS = 24, 48
Guest = Hashable


class State(Enum):
    """What a connection is doing."""

    HEAD = "a request's head is not complete, or none has begun"
    BODY = "the head is complete, the body is not"
    ANSWER = "the request is complete, its answer is not"
    IDLE = "nothing is asked"


# Who gives way first, and how many seconds it must have been at it. The seconds protect honest
# people of slow lines from a flood that opens connections faster than their heads travel.
GIVES_WAY = ((State.HEAD, 3.0), (State.IDLE, 0.0), (State.BODY, 3.0), (State.ANSWER, 30.0))
# When nobody is: the one of these that has waited longest.
_LAST_RESORT = (State.HEAD, State.BODY)


def prefix_of(address: str) -> str | None:
    """The /24 or /48 of a public address; None for all others, which stand for many people.

    A front end, Tor and tests come from loopback or a private address, and carry everybody.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if not found.is_global:
        return None
    bits = _V4_BITS if found.version == 4 else _V6_BITS
    return f"{found.version}:{int(found) >> (found.max_prefixlen - bits):x}"


class _Row:
    """Guests by what they do, each state in the order in which they came to it."""

    def __init__(self) -> None:
        self._by_state: dict[State, OrderedDict[Guest, float]] = {s: OrderedDict() for s in State}
        self.size = 0

    def put(self, guest: Guest, state: State, since: float) -> None:
        self._by_state[state][guest] = since
        self.size += 1

    def remove(self, guest: Guest, state: State) -> None:
        del self._by_state[state][guest]
        self.size -= 1

    def _oldest(self, state: State) -> tuple[float, Guest] | None:
        guests = self._by_state[state]
        if not guests:
            return None
        guest = next(iter(guests))
        return guests[guest], guest

    def gives_way(self, now: float) -> Guest | None:
        """Who leaves first; None when all of them wait for an answer."""
        for state, at_least in GIVES_WAY:
            found = self._oldest(state)
            if found and now - found[0] >= at_least:
                return found[1]
        last = [found for state in _LAST_RESORT if (found := self._oldest(state))]
        return min(last, key=lambda found: found[0])[1] if last else None


@dataclass(slots=True)
class _Place:
    state: State
    prefix: str | None


@dataclass(slots=True)
class Seats:
    """The connections of one listener; at most `most` of them."""

    most: int
    _places: dict[Guest, _Place] = field(default_factory=dict)
    _all: _Row = field(default_factory=_Row)
    _prefixes: dict[str, _Row] = field(default_factory=dict)
    _over: set[str] = field(default_factory=set)
    given_up: int = 0

    @property
    def taken(self) -> int:
        """How many seats are taken."""
        return self._all.size

    def enter(self, guest: Guest, prefix: str | None, now: float) -> tuple[bool, Guest | None]:
        """Whether a newcomer may stay, and who leaves for it. Whoever leaves has left already."""
        rows = self._asked_to_leave(prefix)
        if not rows:
            self._sit(guest, _Place(State.HEAD, prefix), now)
            return True, None
        self.given_up += 1
        leaving = next((g for row in rows if (g := row.gives_way(now)) is not None), None)
        if leaving is None:
            return False, None
        self.leave(leaving)
        self._sit(guest, _Place(State.HEAD, prefix), now)
        return True, leaving

    def _asked_to_leave(self, prefix: str | None) -> list[_Row]:
        """Those of whom one has to leave before this newcomer sits; none while there is room."""
        if prefix in self._over and self.taken >= NEARLY_FULL * self.most:
            return [self._prefixes[prefix]]
        if self.taken < self.most:
            return []
        over = sorted((self._prefixes[p] for p in self._over), key=lambda row: -row.size)
        return [*over, self._all]

    def _sit(self, guest: Guest, place: _Place, now: float) -> None:
        self._places[guest] = place
        for row in self._rows(place):
            row.put(guest, place.state, now)
        self._weigh(place.prefix)

    def turn(self, guest: Guest, state: State, now: float) -> None:
        """A guest does something else from now on; one that has left is not called back."""
        place = self._places.get(guest)
        if place is None:
            return
        for row in self._rows(place):
            row.remove(guest, place.state)
            row.put(guest, state, now)
        place.state = state

    def leave(self, guest: Guest) -> None:
        """A guest has gone, or is told to. Twice is once."""
        place = self._places.pop(guest, None)
        if place is None:
            return
        for row in self._rows(place):
            row.remove(guest, place.state)
        self._weigh(place.prefix)

    def _rows(self, place: _Place) -> list[_Row]:
        if place.prefix is None:
            return [self._all]
        return [self._all, self._prefixes.setdefault(place.prefix, _Row())]

    def _weigh(self, prefix: str | None) -> None:
        """Note which prefixes hold their share or more, and forget those that hold nothing."""
        if prefix is None:
            return
        size = self._prefixes[prefix].size
        if size >= max(1, SHARE * self.most):
            self._over.add(prefix)
        else:
            self._over.discard(prefix)
        if not size:
            del self._prefixes[prefix]
