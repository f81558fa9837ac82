"""An image of B's disk does not say in which order letters came: not in its rows, and not in where
these lie in the file."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from tests.mix.room import AT_ONCE, TICK, Make
from tests.mix.test_pool import DAY, open_pool

from wallflower.crypto.derive import sha256
from wallflower.host.disk import settle
from wallflower.wire.sizes import LETTER, PARCEL

MANY = 150


def likeness(one: list[int], other: list[int]) -> float:
    """How alike two orders are: Spearman's rank correlation, 1 for the same and -1 for reversed."""
    ranks = [[sorted(order).index(value) for value in order] for order in (one, other)]
    n = len(one)
    off = sum(abs(a - b) ** 2 for a, b in zip(*ranks, strict=True))
    return 1.0 - 6.0 * float(off) / (n * (n * n - 1))


# A letter has all of its row on one page of the file, and SQLite moves these: chance alone, with a
# standard deviation of 0.08. What is longer ends on pages of its own: 0.18, in sixty pools 0.42 at
# most; where none goes to the place of another, 1.
@pytest.mark.parametrize(("size", "most"), [(LETTER, 0.4), (PARCEL, 0.6)])
def test_where_a_letter_lies_in_the_file_of_a_pool_does_not_say_when_it_came(
    tmp_path: Path, size: int, most: float
) -> None:
    pool = open_pool(tmp_path)
    for n in range(MANY):
        pool.put(7, DAY, n.to_bytes(2) * (size // 2))
    settle(pool._db)
    file = (tmp_path / "data" / "mix.db").read_bytes()
    came, lies, whole = [], [], {}
    for name, sealed in pool._db.execute("SELECT name, sealed FROM pool"):
        lies.append(file.index(sealed[-64:]))
        body = pool.look_at(name.to_bytes(8, signed=True))
        assert body is not None
        came.append(int.from_bytes(body[:2]))
        whole[came[-1]] = body
    assert sorted(whole) == list(range(MANY)), "nothing was lost when places were exchanged"
    assert all(body == n.to_bytes(2) * (size // 2) for n, body in whole.items())
    assert abs(likeness(came, lies)) < most


def test_what_else_is_kept_of_a_letter_goes_with_it_to_its_new_place(tmp_path: Path) -> None:
    pool = open_pool(tmp_path)
    for n in range(MANY):
        pool.put(n % 5, DAY + n % 2, bytes([n]) * 9, known=n % 3 == 0, stamp_class=n % 3)
    rows = [(pool.look_at(row.name), row) for row in pool.rows()]
    held = {body[0]: row for body, row in rows if body is not None}
    assert len(held) == MANY
    for n, row in held.items():
        assert (row.record, row.day, row.known, row.stamp_class) == (
            n % 5, DAY + n % 2, n % 3 == 0, n % 3,
        )  # fmt: skip


@pytest.mark.parametrize("fails", [False, True])
async def test_what_b_remembers_of_letters_lies_in_the_order_of_its_hashes(
    make_room: Make, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    """Also where the ticks that wrote it anew were undone, since the disk failed in them."""
    room = await make_room(replace(AT_ONCE, mean_b=1000 * TICK))
    came = []

    def no_room(*_: object) -> NoReturn:
        raise OSError(28, "no space left")

    for n in range(12):
        letter = room.letter(f"letter {n}")
        came.append(sha256(letter))
        await room.send(room.hum(letter))
        with monkeypatch.context() as patch, pytest.raises(OSError) if fails else nullcontext():
            if fails:
                patch.setattr(room.b.out, "add", no_room)
            await room.tick(2)
    await room.tick(2)
    file = (room.town.path / "mix-b" / "mix.db").read_bytes()
    lies = [file.index(name) for name in came]
    assert likeness([int.from_bytes(name) for name in came], lies) in (1.0, -1.0)
    assert room.town.b.status()["letters"] == len(came)
