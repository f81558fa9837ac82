"""Filler is made by the same door as the real thing, and the best test cannot tell. Spec: letter 4.

Random bytes are no cover for an X-Wing ciphertext: the likelihood ratio finds them nearly always.
So every claim here has a control planted in the sender, one that fills with random bytes, and the
same test has to find that one.

Seeds: letters, keys and random filler are drawn from `Draw`, named in each test. The KEM draws its
own randomness, so scores differ from run to run; the interval is 4.5 deviations wide to each side,
which a true 0.5 leaves once in 150,000 runs. At 1,500 each it is 0.5 +- 0.048. TPR is stated at FPR
1 % and must stay below 6 % (once in a million at 600 each); nothing can be said at FPR 0.1 % with
samples of this size except of the control.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from tests.wire.drawn import Draw, Room
from tests.wire.likelihood import auc, auc_margin, tpr, x_wing_score
from vectors.in_python import key, private, record_of

from wallflower.crypto import hpke
from wallflower.source.letters import seal_filler
from wallflower.trust.record import EpochRecord
from wallflower.wire.drop import DropHeader, make_drop, parse_drop
from wallflower.wire.hello import Kind
from wallflower.wire.letter import Letter, LetterKind, seal_letter
from wallflower.wire.sizes import LETTER

DEVIATIONS = 4.5
MANY = 1500
ROOM = Room()
DESK = ROOM.record.desks[0]
ENTRY = ROOM.record.desk_entry_hash(DESK)
Fill = Callable[[], bytes]


def _letters(count: int, draw: Draw) -> list[bytes]:
    """Sealed letters of many lengths in two languages."""
    texts = ("墙花静立无人知。", "Nobody noticed the letter. ")
    sealed = []
    for n in range(count):
        text = texts[n % 2] * (1 + draw(1)[0] % 200)
        one = Letter(
            LetterKind.LETTER, 1 + n % 2, draw(16), draw(32), draw(32), DESK.week, n % 64, text
        )
        sealed.append(seal_letter(DESK.key, ENTRY, one.encode()))
    return sealed


def _true_fill() -> bytes:
    return seal_filler(EpochRecord(ROOM.record, ROOM.record.hash(), b""), DESK.name)


def _planted(draw: Draw) -> Fill:
    """The control: a sender that fills with random bytes."""
    return lambda: draw(LETTER)


def _not_told_apart(positive: Sequence[float], negative: Sequence[float]) -> None:
    margin = auc_margin(len(positive), len(negative), DEVIATIONS)
    assert abs(auc(positive, negative) - 0.5) < margin
    assert tpr(positive, negative, 0.01) < 0.06


def _told_apart(positive: Sequence[float], negative: Sequence[float]) -> None:
    assert auc(positive, negative) > 0.99
    assert tpr(positive, negative, 0.001) > 0.5


@pytest.fixture(scope="module")
def letters() -> list[bytes]:
    """Sealed letters, seed "letters"."""
    return _letters(MANY, Draw("letters"))


def test_sealed_letters_and_sealed_fillers_are_not_told_apart(letters: list[bytes]) -> None:
    real = [x_wing_score(s) for s in letters]
    _not_told_apart(real, [x_wing_score(_true_fill()) for _ in range(MANY)])


def test_control_a_sender_that_fills_with_random_bytes_is_found(
    letters: list[bytes], draw: Draw
) -> None:
    fill = _planted(draw)
    _told_apart([x_wing_score(s) for s in letters], [x_wing_score(fill()) for _ in range(MANY)])


def test_the_score_finds_our_seals_among_random_bytes_at_every_hop(draw: Draw) -> None:
    """The score reads seals of A and B too, so that finding nothing there means something."""
    cells = [ROOM.make(Kind.COVER, _true_fill(), draw) for _ in range(300)]
    random = [x_wing_score(draw(1120)) for _ in range(300)]
    _told_apart([x_wing_score(hum[0][12:]) for hum in cells], random)
    parcels = [next(iter(ROOM.at_a(hum).values())) for hum in cells]
    _told_apart([x_wing_score(p.seal_b) for p in parcels], random)


def test_cover_hums_and_letter_hums_are_not_told_apart(draw: Draw) -> None:
    """By the observer and ingress (cells), by A (parcels), and by whoever opens B's layer."""
    count = 600
    covers = [ROOM.make(Kind.COVER, _true_fill(), draw) for _ in range(count)]
    writers = [ROOM.make(Kind.LETTER, s, draw) for s in _letters(count, draw)]
    views: list[Callable[[list[bytes]], bytes]] = [
        lambda hum: hum[0][12:], lambda hum: hum[1][20:], lambda hum: hum[4][1180:],
        lambda hum: next(iter(ROOM.at_a(hum).values())).seal_b,
        lambda hum: next(iter(ROOM.at_a(hum).values())).body,
        lambda hum: ROOM.at_b(next(iter(ROOM.at_a(hum).values())))[1],
    ]  # fmt: skip
    for view in views:
        scores = [[x_wing_score(view(hum)) for hum in hums] for hums in (writers, covers)]
        _not_told_apart(*scores)


def test_control_cover_hums_with_random_bytes_are_found_by_whoever_opens_b_s_layer(
    draw: Draw,
) -> None:
    count, fill = 400, _planted(draw)
    hums = [[ROOM.make(Kind.LETTER, s, draw) for s in _letters(count, draw)],
            [ROOM.make(Kind.COVER, fill(), draw) for _ in range(count)]]  # fmt: skip
    opened = [[ROOM.at_b(next(iter(ROOM.at_a(h).values())))[1] for h in some] for some in hums]
    _told_apart(*([x_wing_score(letter) for letter in some] for some in opened))


def _image(fill: Fill, waiting: list[bytes]) -> bytes:
    """A store of six places: letters that wait, the rest filled."""
    return b"".join([*waiting, *(fill() for _ in range(6 - len(waiting)))])


def _best_and_worst(image: bytes) -> float:
    """A thief's score of an image: how far its places lie apart."""
    scores = [x_wing_score(image[at : at + LETTER]) for at in range(0, len(image), LETTER)]
    return max(scores) - min(scores)


def test_a_store_with_a_waiting_letter_looks_like_one_without(letters: list[bytes]) -> None:
    count = 250
    with_one = [_best_and_worst(_image(_true_fill, [letters[n]])) for n in range(count)]
    without = [_best_and_worst(_image(_true_fill, [])) for _ in range(count)]
    margin = auc_margin(count, count, DEVIATIONS)
    assert abs(auc(with_one, without) - 0.5) < margin


def test_control_a_store_filled_with_random_bytes_gives_the_letter_away(
    letters: list[bytes], draw: Draw
) -> None:
    count, fill = 250, _planted(draw)

    def best(image: bytes) -> float:
        return max(x_wing_score(image[at : at + LETTER]) for at in range(0, len(image), LETTER))

    with_one = [best(_image(fill, [letters[n]])) for n in range(count)]
    without = [best(_image(fill, [])) for _ in range(count)]
    assert auc(with_one, without) > 0.95
    assert tpr(with_one, without, 0.01) > 0.5


def _slots(count: int, inside: list[bytes], draw: Draw) -> list[bytes]:
    small = record_of("small")
    header = DropHeader(small.number, 1, 1, count, bytes(32))
    seed = key("signers", "drop")
    data = make_drop(header, small.drop_key, small.hash(), draw(32), inside, seed)
    return list(parse_drop(data).slots)


def test_slots_of_a_drop_show_neither_letters_nor_that_there_is_a_kem(
    letters: list[bytes], draw: Draw
) -> None:
    """A slot is AEAD alone: the score has nothing to find, not even against random bytes."""
    count = 240
    real, filled = [], []
    for at in range(0, 3 * count, count):
        real += _slots(count, letters[at : at + count], draw)
        filled += _slots(count, [_true_fill() for _ in range(count)], draw)
    scores = [[x_wing_score(s) for s in some] for some in (real, filled)]
    _not_told_apart(*scores)
    _not_told_apart(scores[0], [x_wing_score(draw(LETTER)) for _ in range(3 * count)])


def test_control_a_drop_with_a_kem_a_slot_and_random_filler_would_show_its_letters(
    letters: list[bytes], draw: Draw
) -> None:
    public, info = private("drop").public, hpke.info("drop", record_of("small").hash())
    sealed = [hpke.seal(public, info, one) for one in letters[:500]]
    _told_apart([x_wing_score(s) for s in sealed], [x_wing_score(draw(1120)) for _ in range(500)])
