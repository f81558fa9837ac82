"""Who gives way when a listener is full: rules, without a socket or a clock."""

from __future__ import annotations

import pytest

from wallflower.host.seats import GIVES_WAY, Seats, State, prefix_of
from wallflower.host.serve import backlog_of, seats_of

FULL = 16
HERE, THERE = "4:cb0071", "4:c63364"


def full(state: State = State.HEAD, prefix: str | None = None) -> Seats:
    """A listener whose guests 0…15 came a second apart, at 0…15 s, and all do one thing."""
    seats = Seats(FULL)
    for n in range(FULL):
        assert seats.enter(n, prefix, n) == (True, None)
        seats.turn(n, state, n)
    return seats


def leaving(seats: Seats, now: float, prefix: str | None = None) -> object:
    """Who leaves for a newcomer; `None` when it is the newcomer itself."""
    stays, who = seats.enter(f"new at {now}", prefix, now)
    assert stays == (who is not None)
    return who


def test_while_there_is_room_nobody_leaves() -> None:
    seats = Seats(FULL)
    assert [seats.enter(n, None, 0) for n in range(FULL)] == [(True, None)] * FULL
    assert (seats.taken, seats.given_up) == (FULL, 0)


@pytest.mark.parametrize("state", [State.HEAD, State.BODY, State.IDLE])
def test_the_one_that_has_waited_longest_gives_way(state: State) -> None:
    seats = full(state)
    assert [leaving(seats, 100 + n) for n in range(3)] == [0, 1, 2]
    assert (seats.taken, seats.given_up) == (FULL, 3)


def test_an_unfinished_head_goes_before_somebody_idle_and_that_before_a_body() -> None:
    seats = full(State.BODY)
    seats.turn(7, State.IDLE, 50)
    seats.turn(9, State.HEAD, 60)
    assert [leaving(seats, t) for t in (63, 63.5, 64)] == [9, 7, 0]


def test_a_head_that_may_still_be_travelling_is_spared_as_long_as_others_can_go() -> None:
    """A flood of connections with whole heads must not push out whose head is on a slow line."""
    grace = dict(GIVES_WAY)[State.HEAD]
    seats = full(State.BODY)
    seats.turn(9, State.HEAD, 60)
    assert leaving(seats, 60 + grace - 0.1) == 0
    assert leaving(seats, 60 + grace) == 9


def test_when_all_are_young_the_oldest_of_them_goes() -> None:
    seats = Seats(FULL)
    for n in range(FULL):
        seats.enter(n, None, n / 100)
        seats.turn(n, State.BODY if n % 2 else State.HEAD, n / 100)
    assert [leaving(seats, 0.5 + n / 1000) for n in range(4)] == [0, 1, 2, 3]


def test_who_waits_for_an_answer_is_left_alone_unless_it_never_reads_it() -> None:
    seats = full(State.ANSWER)
    assert leaving(seats, 20) is None
    assert (seats.taken, seats.given_up) == (FULL, 1)
    assert leaving(seats, 0 + dict(GIVES_WAY)[State.ANSWER]) == 0


def test_what_somebody_does_last_decides_how_long_it_has_waited() -> None:
    seats = full(State.IDLE)
    seats.turn(0, State.HEAD, 90)
    seats.turn(0, State.IDLE, 99)
    assert [leaving(seats, 100 + n / 100) for n in range(FULL)] == [*range(1, FULL), 0]


def test_who_has_left_is_not_called_back() -> None:
    seats = full(State.IDLE)
    assert leaving(seats, 100) == 0
    seats.turn(0, State.HEAD, 100)
    seats.leave(0)
    assert seats.taken == FULL
    for n in range(1, FULL):
        seats.leave(n)
    assert seats.taken == 1


def test_a_prefix_may_have_every_seat_while_nobody_else_wants_one() -> None:
    """A village behind one address is not shut out while there is room."""
    seats = Seats(1000)
    assert all(seats.enter(n, HERE, n) == (True, None) for n in range(875))


def test_nearly_full_a_prefix_over_its_share_makes_room_among_its_own() -> None:
    seats = Seats(1000)
    for n in range(875):
        seats.enter(n, HERE, n)
    assert seats.enter("neighbour", HERE, 1000) == (True, 0)
    assert seats.enter("stranger", THERE, 1000) == (True, None)
    assert seats.enter("through a front end", None, 1000) == (True, None)
    assert seats.taken == 877


def test_full_the_prefix_over_its_share_gives_way_although_others_have_waited_longer() -> None:
    seats = Seats(16)
    for n in range(10):
        seats.enter(n, HERE, n)
    for n in range(6):
        seats.enter(f"old {n}", f"4:{n}", 10 + n)
        seats.turn(f"old {n}", State.IDLE, 10 + n)
    for n in range(10):
        seats.turn(n, State.IDLE, 100 + n)
    gone = [leaving(seats, 200 + n / 100, f"4:{n}") for n in range(50, 59)]
    assert gone == list(range(9)), "two are the share of sixteen: it goes down to one below"
    assert leaving(seats, 201, "4:60") == "old 0", "and below it all are alike"


def test_a_prefix_of_which_nobody_can_leave_shuts_no_other_out() -> None:
    seats = Seats(16)
    for n in range(14):
        seats.enter(n, HERE, n)
        seats.turn(n, State.ANSWER, n)
    for n in (14, 15):
        seats.enter(n, THERE, n)
    assert leaving(seats, 20, HERE) is None, "its own neighbours wait for answers"
    assert leaving(seats, 20, "4:1") == 14


def test_prefixes_are_forgotten_with_their_last_connection() -> None:
    seats = Seats(FULL)
    for n in range(FULL):
        seats.enter(n, f"4:{n}", n)
    for n in range(FULL):
        seats.leave(n)
    assert seats._prefixes == {}
    assert seats._over == set()


SAME = [
    ("8.8.4.1", "8.8.4.200"),
    ("2a00:1:2:3::4", "2a00:1:2:ffff::1"),
    ("8.8.4.1", "::ffff:8.8.4.9"),
]
OTHER = [("8.8.4.1", "8.8.5.1"), ("2a00:1:2::1", "2a00:1:3::1"), ("2.160.0.1", "2a00:1:2::1")]
NOBODYS = [
    "127.0.0.1", "::1", "10.1.2.3", "192.168.1.1", "172.20.0.1", "fd00::1", "fe80::1%eth0",
    "100.64.1.1", "::ffff:127.0.0.1", "", "a socket's name",
]  # fmt: skip


def test_a_prefix_is_a_24_or_a_48() -> None:
    assert all(prefix_of(a) == prefix_of(b) and prefix_of(a) for a, b in SAME)
    assert all(prefix_of(a) != prefix_of(b) for a, b in OTHER)


@pytest.mark.parametrize("address", NOBODYS)
def test_what_stands_for_many_people_has_no_prefix(address: str) -> None:
    assert prefix_of(address) is None


@pytest.mark.parametrize("descriptors", [512, 1024, 20_000, 1 << 20])
@pytest.mark.parametrize("listeners", [1, 2])
def test_seats_and_what_may_come_at_once_fit_the_descriptors(
    descriptors: int, listeners: int
) -> None:
    seats = seats_of(descriptors, listeners)
    assert len(seats) == listeners
    assert sum(seats) + 2 * backlog_of(descriptors) + 64 <= descriptors
    assert seats[0] >= 256
