"""The lottery and the reserved half, under floods; and lotteries that are not fair, which the same
test finds. Spec: drop.md 3."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import pytest

from wallflower.host.entropy import below, shuffled
from wallflower.lab.host import SeededEntropy
from wallflower.mix.decide import WEIGHTS, Waiting, choose_release, weighted_lot

SLOTS = 32
HALF = SLOTS // 2
FLOODS = (10, 100)
TICKS = {10: 400, 100: 60}
SIGMAS = 4.5  # 1 in 150,000 a comparison, and the seeds are fixed

Lot = Callable[[Sequence[Waiting], int, Callable[[int], bytes]], list[Waiting]]


def letters(count: int, *, known: bool = False, name: str = "first") -> list[Waiting]:
    """So many letters, their classes in turn."""
    return [Waiting(f"{name} {n}".encode(), known, n % 3) for n in range(count)]


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_of_first_letters_delays_no_known_conversation(flood: int) -> None:
    """Every known letter leaves in the first release that it was drawn for: with q = 1 the next."""
    crowd = letters(flood * SLOTS)
    draw = SeededEntropy(b"flood %d" % flood).draw
    for count in (1, 5, HALF):
        known = letters(count, known=True, name="known")
        for _ in range(10):
            out = choose_release([*crowd, *known], 1.0, SLOTS, 1, 1, draw)
            assert set(out.reserved) == {letter.name for letter in known}
            assert len(out.leaving) == SLOTS


@pytest.mark.parametrize("flood", FLOODS)
def test_a_known_letter_waits_under_a_flood_as_long_as_without_one(flood: int) -> None:
    """Its chance to leave at a tick is the pool's q, whatever else waits."""
    q, ticks = 0.2, 1500 if flood == 10 else 200
    one, crowd = Waiting(b"known", True, 0), letters(flood * SLOTS)
    draw = SeededEntropy(b"q %d" % flood).draw
    left = sum(
        b"known" in choose_release([*crowd, one], q, SLOTS, 1, 1, draw).leaving
        for _ in range(ticks)
    )
    assert abs(left - q * ticks) < SIGMAS * math.sqrt(q * (1 - q) * ticks)


def test_what_known_conversations_do_not_use_is_free_for_first_letters() -> None:
    draw = SeededEntropy(b"unused").draw
    out = choose_release(letters(10 * SLOTS), 1.0, SLOTS, 1, 1, draw)
    assert (len(out.reserved), len(out.open)) == (0, SLOTS)
    few = letters(3, known=True, name="known")
    out = choose_release([*letters(10 * SLOTS), *few], 1.0, SLOTS, 1, 1, draw)
    assert (len(out.reserved), len(out.open)) == (3, SLOTS - 3)


def test_known_conversations_never_take_more_than_their_half_from_the_others() -> None:
    """A flood of known letters stands in the open lottery with its surplus, by weight as all."""
    known = [Waiting(b"known %d" % n, True, 0) for n in range(10 * SLOTS)]
    first = [Waiting(b"first %d" % n, False, 0) for n in range(10 * SLOTS)]
    draw = SeededEntropy(b"many known").draw
    ticks, won = 300, 0
    for _ in range(ticks):
        out = choose_release([*known, *first], 1.0, SLOTS, 1, 1, draw)
        assert len(out.reserved) == HALF
        won += sum(name.startswith(b"first") for name in out.open)
    share = 320 / (320 + 304)  # of the open half, when half of the known ones are gone
    places = ticks * HALF
    assert abs(won - places * share) < SIGMAS * math.sqrt(places * share * (1 - share))


def test_who_gets_no_slot_stays_and_nobody_is_lost() -> None:
    pool = {letter.name: letter for letter in letters(10 * SLOTS)}
    draw = SeededEntropy(b"all out").draw
    seen: set[bytes] = set()
    for _ in range(10):
        out = choose_release(list(pool.values()), 1.0, SLOTS, 1, 1, draw)
        assert seen.isdisjoint(out.leaving)
        seen.update(out.leaving)
        for name in out.leaving:
            del pool[name]
    assert pool == {}


def every_ticket(total: int) -> Iterator[Callable[[int], bytes]]:
    """For each byte that `below(draw, total)` takes, a draw that gives it."""
    for byte in range(256 - 256 % total):
        yield lambda _, byte=byte: bytes([byte])  # type: ignore[misc]


def test_one_slot_goes_exactly_by_weight() -> None:
    """Every ticket there is, counted: no sample, no chance."""
    three = [Waiting(b"0", False, 0), Waiting(b"1", False, 1), Waiting(b"2", False, 2)]
    total = sum(WEIGHTS)
    won = Counter(weighted_lot(three, 1, draw)[0].name for draw in every_ticket(total))
    each = (256 - 256 % total) // total
    assert won == {b"0": each * WEIGHTS[0], b"1": each * WEIGHTS[1], b"2": each * WEIGHTS[2]}


def expected_shares(crowd: Sequence[Waiting], places: int) -> dict[int, float]:
    """How many of each class leave when places are filled one by one by weight.

    The limit of successive sampling (Rosén 1972): a letter of weight w leaves with 1 - exp(-w t),
    with t such that all places are filled. Exact as numbers grow; off by 1 in 1,000 here.
    """
    count = Counter(letter.stamp_class for letter in crowd)

    def filled(t: float) -> float:
        return sum(n * (1 - math.exp(-WEIGHTS[c] * t)) for c, n in count.items())

    low, high = 0.0, 50.0
    for _ in range(100):
        t = (low + high) / 2
        low, high = (t, high) if filled(t) < places else (low, t)
    return {c: n * (1 - math.exp(-WEIGHTS[c] * low)) for c, n in count.items()}


def unfairness(lot: Lot, flood: int) -> float:
    """The largest distance, in standard deviations, of a class, or of a third of the rows, from
    what it should get."""
    crowd, ticks = letters(flood * SLOTS), TICKS[flood]
    draw = SeededEntropy(b"fair %d" % flood).draw
    place = {letter.name: at for at, letter in enumerate(crowd)}
    by_class: Counter[int] = Counter()
    by_third: Counter[int] = Counter()
    for _ in range(ticks):
        for letter in lot(crowd, SLOTS, draw):
            by_class[letter.stamp_class] += 1
            by_third[place[letter.name] * 3 // len(crowd)] += 1
    all_places = ticks * SLOTS
    wanted = {("class", c): n * ticks for c, n in expected_shares(crowd, SLOTS).items()}
    wanted |= {("third", n): all_places / 3 for n in range(3)}
    found = {("class", c): n for c, n in by_class.items()}
    found |= {("third", n): count for n, count in by_third.items()}
    return max(
        abs(found.get(key, 0) - n) / math.sqrt(n * (1 - n / all_places))
        for key, n in wanted.items()
    )  # fmt: skip


@pytest.mark.parametrize("flood", FLOODS)
def test_first_letters_leave_in_proportion_to_their_weight_wherever_they_stand(flood: int) -> None:
    assert unfairness(weighted_lot, flood) < SIGMAS


def without_weights(crowd: Sequence[Waiting], places: int, draw: Callable[[int], bytes]) -> list[Waiting]:  # fmt: skip  # noqa: E501
    return shuffled(draw, crowd)[:places]


def weights_twice(crowd: Sequence[Waiting], places: int, draw: Callable[[int], bytes]) -> list[Waiting]:  # fmt: skip  # noqa: E501
    """Every chosen letter has to win a second toss, which weighs again."""
    won = [c for c in weighted_lot(crowd, 3 * places, draw) if below(draw, 4) < WEIGHTS[c.stamp_class]]  # fmt: skip  # noqa: E501
    return won[:places]


def oldest_row_first(crowd: Sequence[Waiting], places: int, draw: Callable[[int], bytes]) -> list[Waiting]:  # fmt: skip  # noqa: E501
    """One slot of eight is not drawn but given to the rows at the front."""
    given = list(crowd[: places // 8])
    return given + weighted_lot(crowd[len(given) :], places - len(given), draw)


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("biased", [without_weights, weights_twice, oldest_row_first])
def test_a_biased_lottery_is_found(biased: Lot, flood: int) -> None:
    assert unfairness(biased, flood) > SIGMAS
