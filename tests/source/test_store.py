"""What a terminal keeps: always the same size, and neither a text nor the words."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.source.stage import SECRET, Scene, days, jump
from tests.trust.made import PINS

from wallflower.crypto.derive import chain_seed, conversation_id, epoch_secret
from wallflower.errors import Fault
from wallflower.host.disk import Folder
from wallflower.source.edge.store import PLACES, Store
from wallflower.source.letters import Place
from wallflower.wire.chain import chain_value
from wallflower.wire.segment import parse_segment
from wallflower.wire.sizes import HASH, HUM_CELLS, LETTER, TOKEN, TOKEN_WEEKS
from wallflower.wire.words import to_digits, to_words

DAYS = days(3)
TEXT = "canary of a text that stands in no file: 水落石出"


def sizes(scene: Scene) -> dict[str, int]:
    root = scene.path / "store"
    return {str(p.relative_to(root)): p.stat().st_size for p in root.rglob("*") if p.is_file()}


def test_the_letters_file_has_one_size_whatever_it_holds(tmp_path: Path) -> None:
    scene = Scene(tmp_path, DAYS)
    jump(scene.visit())
    empty = sizes(scene)
    assert empty["letters"] == PLACES * (1 + 4 + 2 + 1 + HASH + TOKEN_WEEKS * TOKEN + LETTER)
    for n in range(PLACES):
        scene.write(f"letter {n}")
        assert sizes(scene) == empty
    scene.next_day()
    jump(scene.visit())
    assert {k.place for k in scene.store.letters()} == {Place.WAITING, Place.FILLER}
    assert sizes(scene) == empty


def test_segments_come_in_the_order_of_the_board_however_many_digits_their_numbers_have(
    tmp_path: Path,
) -> None:
    """By it the halves of two answers of one number are told apart (reply 2)."""
    (tmp_path / "board").mkdir()
    store = Store(Folder(tmp_path))
    numbers = [8, 9, 10, 11, 100]
    store.keep_segments({number: b"%d" % number for number in reversed(numbers)})
    assert store.segments() == [b"%d" % number for number in numbers]


def test_a_place_whose_letter_left_is_like_one_that_never_held_any(tmp_path: Path) -> None:
    scene = Scene(tmp_path, DAYS)
    jump(scene.visit())
    letter = scene.write("a letter")
    scene.next_day()
    assert jump(scene.visit())[0]
    left, never = scene.store.letters()[:2]
    assert letter.sealed not in (tmp_path / "store" / "letters").read_bytes()
    shown = [(k.place, k.day, k.week, k.mark, k.record_hash) for k in (left, never)]
    assert shown[0] == shown[1]
    assert left.tokens != letter.tokens


def test_every_place_holds_another_real_ciphertext_from_the_first_visit(tmp_path: Path) -> None:
    scene = Scene(tmp_path, DAYS)
    assert scene.store.letters() == []
    jump(scene.visit())
    kept = scene.store.letters()
    assert len({k.sealed for k in kept}) == PLACES
    assert {len(k.sealed) for k in kept} == {LETTER}
    assert {k.place for k in kept} == {Place.FILLER}
    jump(scene.visit())
    assert scene.store.letters() == kept, "a second visit fills nothing anew"


def test_the_store_comes_back_as_it_was(tmp_path: Path) -> None:
    scene = Scene(tmp_path, DAYS)
    jump(scene.visit())
    scene.write("kept")
    again = Store(Folder(tmp_path / "store"))
    assert again.letters() == scene.store.letters()
    assert again.record() == scene.record.raw
    assert sorted(again.segments()) == sorted(scene.store.segments())
    assert again.newest() == 3


def test_no_file_holds_the_text_or_anything_of_the_words(tmp_path: Path) -> None:
    scene = Scene(tmp_path, DAYS)
    jump(scene.visit())
    scene.write(TEXT)
    scene.next_day()
    jump(scene.visit())
    week = DAYS[0].body.week
    needles = {
        "text": TEXT.encode(), "part of it": "水落石出".encode(), "secret": SECRET,
        "secret in hex": SECRET.hex().encode(), "words": " ".join(to_words(SECRET, "en")).encode(),
        "one word": to_words(SECRET, "en")[0].encode() + b" ",
        "digits": to_digits(SECRET).encode(), "conversation": conversation_id(SECRET),
        "e": epoch_secret(SECRET, week), "chain": chain_seed(SECRET),
        "x": chain_value(SECRET, week), "desk": PINS.desk.encode() + b" letter",
    }  # fmt: skip

    def found() -> set[str]:
        files = [p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()]
        return {name for name, needle in needles.items() if any(needle in f for f in files)}

    assert found() == set()
    (tmp_path / "control").write_bytes(b"x" + b"".join(needles.values()))
    assert found() == set(needles), "the control: what is there is found"


def test_a_board_that_was_cut_while_it_was_written_does_not_break_the_next_visit(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path, DAYS)
    jump(scene.visit())
    (tmp_path / "store" / "board" / "4.new").write_bytes(b"half")
    scene.segments = 4
    assert jump(scene.visit()) == (False, 4)


def test_segments_that_left_the_board_leave_the_store(tmp_path: Path) -> None:
    store = Store(Folder(tmp_path))
    store.keep_segments({1: b"a", 2: b"b"})
    store.keep_segments({2: b"b", 3: b"c"})
    assert sorted(store.segments()) == [b"b", b"c"]
    assert store.newest() == 3


def test_what_a_system_puts_beside_the_segments_on_a_stick_stops_no_visit(tmp_path: Path) -> None:
    scene = Scene(tmp_path, DAYS)
    jump(scene.visit())
    for name in (".DS_Store", "._2", "desktop.ini", "2 (copy)", "\u0664"):
        (tmp_path / "store" / "board" / name).write_bytes(b"not ours")
    assert jump(scene.visit()) == (False, 3)
    assert len(scene.store.segments()) == 3
    assert all(map(parse_segment, scene.store.segments()))


def test_a_board_is_read_while_a_visit_takes_the_oldest_of_it_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(Folder(tmp_path))
    store.keep_segments({2: b"b"})
    monkeypatch.setattr(Folder, "names", lambda _: ["1", "2"])  # as they were a moment ago
    assert store.segments() == [b"b"]


def test_a_store_of_an_earlier_version_is_read_and_tells_no_longer_what_left(
    tmp_path: Path,
) -> None:
    """It marked the place of a letter that had left with a 2, and kept day, week and mark."""
    scene = Scene(tmp_path, DAYS)
    jump(scene.visit())
    never = scene.store.letters()[1]
    scene.write("left long ago")
    file = tmp_path / "store" / "letters"
    file.write_bytes(b"\2" + file.read_bytes()[1:])
    kept = scene.store.letters()[0]
    assert (kept.place, kept.day, kept.week, kept.mark) == (Place.FILLER, 0, 0, 0)
    assert kept.record_hash == never.record_hash
    scene.next_day()
    assert jump(scene.visit()) == (False, 3)
    assert file.read_bytes()[:8] == bytes(8)


@pytest.mark.parametrize("letter", [False, True])
def test_letters_that_are_deleted_while_a_visit_lasts_cut_no_hum_and_no_later_visit_short(
    tmp_path: Path, letter: bool
) -> None:
    """Somebody who has to be rid of them does not wait for 90 seconds."""
    scene = Scene(tmp_path, DAYS)
    jump(scene.visit())
    if letter:
        scene.write("gone")
    scene.next_day()
    scene.cells.clear()
    scene.on_cell = lambda: (tmp_path / "store" / "letters").unlink(missing_ok=True)
    jump(scene.visit())
    assert len(scene.cells) == HUM_CELLS
    scene.on_cell = None
    assert jump(scene.visit()) == (False, 3)
    assert {kept.place for kept in scene.store.letters()} == {Place.FILLER}


def test_a_store_whose_letters_an_earlier_version_left_empty_is_filled_anew(tmp_path: Path) -> None:
    scene = Scene(tmp_path, DAYS)
    jump(scene.visit())
    (tmp_path / "store" / "letters").write_bytes(b"")
    jump(scene.visit())
    assert len(scene.store.letters()) == PLACES


def test_whose_letters_a_disk_damaged_is_told_what_to_delete(tmp_path: Path) -> None:
    scene = Scene(tmp_path, DAYS)
    jump(scene.visit())
    letters = tmp_path / "store" / "letters"
    letters.write_bytes(letters.read_bytes()[:-1])
    with pytest.raises(Fault, match="Delete 'letters'"):
        jump(scene.visit())
    letters.unlink()
    jump(scene.visit())
