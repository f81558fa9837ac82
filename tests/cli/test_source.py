"""`wallflower write` and `wallflower read`: the limit is said, a word is never repeated."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import io
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.source.stage import MIRROR, SECRET, Scene, days, jump, watch_writing
from tests.trust.made import PINS, A, B, private, signed

from wallflower.cli import acts, wallflower
from wallflower.crypto import hpke
from wallflower.errors import Fault, Refused
from wallflower.host.disk import Folder
from wallflower.source.edge.store import PLACES
from wallflower.source.letters import Place
from wallflower.source.reading import Found
from wallflower.wire.letter import Language
from wallflower.wire.reply import Reply
from wallflower.wire.sizes import LETTER_HEADER, LETTER_TEXT
from wallflower.wire.words import from_person, to_digits, to_words

WORDS = " ".join(to_words(SECRET, "en"))
CANARY = "xylophonist"  # in no list


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    (tmp_path / "pins.json").write_bytes(PINS.encode())
    return Scene(tmp_path, days(2))


def run(scene: Scene, *arguments: str, typed: str | bytes = "") -> Result:
    command, *rest = arguments
    where = ["--store", str(scene.path / "store"), "--pins", str(scene.path / "pins.json")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: scene.clock.time)
        return CliRunner().invoke(wallflower, [command, *where, *rest], input=typed)


def state(scene: Scene) -> dict[str, str]:
    root = scene.path / "store"
    files = [p for p in root.rglob("*") if p.is_file()]
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def refused(scene: Scene, *arguments: str, typed: str | bytes) -> tuple[Result, Fault]:
    """A command that fails, leaving the store as it was."""
    before = state(scene)
    result = run(scene, *arguments, typed=typed)
    assert state(scene) == before
    assert result.exit_code == 1
    assert isinstance(result.exception, Fault)
    return result, result.exception


def test_a_letter_is_sealed_with_the_words_and_says_when_it_leaves(scene: Scene) -> None:
    jump(scene.visit())
    result = run(scene, "write", typed=f"{WORDS}\n两行\n文字\n")
    assert result.exit_code == 0
    assert "later day of UTC" in result.output
    (waiting,) = [k for k in scene.store.letters() if k.place is Place.WAITING]
    entry = scene.record.desk(PINS.desk)
    info = hpke.info("desk", scene.record.body.desk_entry_hash(entry))
    plain = hpke.open_sealed(private("desk"), info, waiting.sealed)
    assert plain[LETTER_HEADER:].rstrip(b"\0").decode() == "两行\n文字"


def test_who_writes_two_letters_is_told_that_each_takes_a_visit_of_its_own(scene: Scene) -> None:
    jump(scene.visit())
    said = [run(scene, "write", typed=f"{WORDS}\nletter {n}\n").output for n in range(2)]
    scene.next_day()
    assert jump(scene.visit())[0]
    assert [kept.place for kept in scene.store.letters()].count(Place.WAITING) == 1
    assert all("one leaves with each visit" in each for each in said)


def test_nothing_is_sealed_under_last_years_keys_and_no_words_are_made(scene: Scene) -> None:
    jump(scene.visit())
    scene.clock.time += 364 * 86400
    result, fault = refused(scene, "write", "--new-words", typed="a text\n")
    assert "364 days old" in fault.what
    assert "visit" in fault.next_step
    assert result.output == ""


def test_new_words_are_shown_once_and_kept_nowhere(scene: Scene) -> None:
    jump(scene.visit())
    result = run(scene, "write", "--new-words", typed="text\n")
    assert result.exit_code == 0
    shown = next(line for line in result.output.splitlines() if line.startswith("  ")).strip()
    secret = from_person(shown)
    assert to_digits(secret) in result.output
    files = [p.read_bytes() for p in scene.path.rglob("*") if p.is_file()]
    for needle in (secret, shown.encode(), to_digits(secret).encode(), secret.hex().encode()):
        assert not any(needle in data for data in files)
    assert any(PINS.root.hex().encode() in data for data in files), "the control"


@pytest.mark.parametrize("text", ["x" * (LETTER_TEXT + 1), "水" * (LETTER_TEXT // 3 + 1)])
def test_a_text_that_is_too_long_is_refused_with_the_limit(scene: Scene, text: str) -> None:
    jump(scene.visit())
    result, fault = refused(scene, "write", typed=f"{WORDS}\n{text}\n")
    assert isinstance(fault, Refused)
    assert fault.rule == "letter 3.8"
    assert str(LETTER_TEXT) in fault.what
    assert "xxx" not in result.output + str(fault)
    assert "水水" not in result.output + str(fault)


def test_an_empty_text_is_refused(scene: Scene) -> None:
    jump(scene.visit())
    _, fault = refused(scene, "write", typed=f"{WORDS}\n\n\n")
    assert isinstance(fault, Refused)
    assert fault.rule == "letter 3.8"


@pytest.mark.parametrize("command", ["write", "read"])
def test_a_wrong_word_is_named_by_its_place_and_never_repeated(scene: Scene, command: str) -> None:
    jump(scene.visit())
    words = to_words(SECRET, "en")
    words[6] = CANARY
    result, fault = refused(scene, command, typed=" ".join(words) + "\ntext\n")
    assert isinstance(fault, Refused)
    assert fault.rule == "words 4.2"
    assert "number 7 " in fault.what
    for said in (result.output, str(fault), repr(fault)):
        assert CANARY not in said
        assert not [w for w in words if len(w) > 5 and w in said]


@pytest.mark.parametrize(
    ("typed", "rule"),
    [("", "words 4.1"), ("one two three", "words 4.1"), ("1234 " * 9, "words 4.1"),
     (" ".join(to_words(SECRET, "en")[::-1]), "words 4.3"), ("9" * 40, "words 4.4")],
)  # fmt: skip
def test_words_that_cannot_be_are_refused(scene: Scene, typed: str, rule: str) -> None:
    jump(scene.visit())
    _, fault = refused(scene, "write", typed=f"{typed}\ntext\n")
    assert isinstance(fault, Refused)
    assert fault.rule == rule


def test_before_the_first_visit_one_is_asked_for(scene: Scene) -> None:
    for command in ("write", "read"):
        _, fault = refused(scene, command, typed=f"{WORDS}\ntext\n")
        assert "wallflower visit" in fault.next_step


def test_a_disk_that_takes_nothing_is_named_before_a_letter_is_typed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    jump(scene.visit())

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "read-only")

    monkeypatch.setattr(Folder, "write", refuse)
    result = run(scene, "write", "--new-words", typed="a long letter\n")
    assert isinstance(result.exception, OSError)
    assert result.output == ""


def test_after_a_signers_key_was_replaced_a_visit_is_asked_for(scene: Scene) -> None:
    jump(scene.visit())
    scene.store.keep_record(signed(scene.record.body, (bytes(32), A, B)))
    for command in ("write", "read"):
        _, fault = refused(scene, command, typed=f"{WORDS}\ntext\n")
        assert "wallflower visit" in fault.next_step


def test_a_full_store_says_so_and_loses_nothing(scene: Scene) -> None:
    jump(scene.visit())
    for n in range(8):
        assert run(scene, "write", typed=f"{WORDS}\nletter {n}\n").exit_code == 0
    result, fault = refused(scene, "write", typed=f"{WORDS}\none more\n")
    assert "Every place holds a waiting letter" in fault.what
    assert "Write your letter" not in result.output, "it is said before a letter is typed"


def test_who_deleted_their_letters_can_write_again_before_the_next_visit(scene: Scene) -> None:
    jump(scene.visit())
    (scene.path / "store" / "letters").unlink()
    result = run(scene, "write", typed=f"{WORDS}\na letter\n")
    assert "Sealed." in result.output, result.exception
    assert len(scene.store.letters()) == PLACES


def test_who_types_for_a_day_overwrites_no_letter_that_was_sealed_under_newer_keys_meanwhile(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another terminal made a visit with the same store, and filled its places."""
    jump(scene.visit())

    def typed(*_: object) -> str:
        scene.next_day()
        jump(scene.visit())
        for n in range(PLACES):
            scene.write(f"letter {n}")
        return "typed for a day"

    monkeypatch.setattr(acts, "_words", lambda *_: SECRET)
    monkeypatch.setattr(acts, "_typed", typed)
    result = run(scene, "write", typed="")
    assert "Every place holds a waiting letter" in str(result.exception)
    assert {kept.record_hash for kept in scene.store.letters()} == {scene.record.hash}


def test_a_damaged_piece_of_the_board_hides_no_other_and_takes_no_letter_that_was_typed(
    scene: Scene,
) -> None:
    jump(scene.visit())
    (scene.path / "store" / "board" / "2").write_bytes(b"cut")
    result = run(scene, "write", typed=f"{WORDS}\na letter\n")
    assert "Sealed." in result.output, result.exception
    result = run(scene, "read", typed=f"{WORDS}\n")
    assert "damaged" in result.output, result.exception
    assert "receipts for 0 of your letters" in result.output


def test_reading_finds_nothing_for_new_words_and_says_that_this_is_normal(scene: Scene) -> None:
    jump(scene.visit())
    before = state(scene)
    result = run(scene, "read", typed=WORDS + "\n")
    assert result.exit_code == 0
    assert "can be normal" in result.output
    as_json = run(scene, "read", "--json", typed=to_digits(SECRET) + "\n")
    assert json.loads(as_json.output) == {"replies": [], "receipts": []}
    assert state(scene) == before


def test_a_receipt_that_has_left_the_board_takes_no_letter_back(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told that the desk has none of their letters, which it said two weeks ago."""
    jump(scene.visit())
    said = []
    for receipts in ({(scene.record.body.week, 5)}, set()):
        found = Found([], receipts)
        monkeypatch.setattr("wallflower.cli.acts.read_board", lambda *_, found=found: found)
        said.append(run(scene, "read", typed=WORDS + "\n").output)
    assert "receipts for 1 of your letters" in said[0]
    assert "receipts for 0 of your letters" in said[1]
    assert "stays on it for two weeks" in said[1]
    assert "has taken 0" not in said[1]


@pytest.mark.parametrize("typed", [b"\xff\xfe words\n", WORDS.encode() + b"\na text \xff\n"])
def test_what_is_no_text_is_refused_and_not_repeated(scene: Scene, typed: bytes) -> None:
    jump(scene.visit())
    _, fault = refused(scene, "write", typed=typed)
    assert "UTF-8" in fault.what


def test_words_in_another_encoding_than_the_terminals_are_refused_and_not_repeated(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    jump(scene.visit())

    def another(*_: object) -> str:
        return b"\xf7\xd3\xc5".decode("utf-8")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", another)
    where = ["--store", str(scene.path / "store"), "--pins", str(scene.path / "pins.json")]
    with pytest.raises(Fault, match="not UTF-8"):
        wallflower(["read", *where], standalone_mode=False)


@pytest.mark.parametrize(("line", "whole"), [("字" * 1300, True), ("字" * 1400, False)])
def test_a_line_of_which_a_terminal_cuts_the_end_off_is_not_sealed_as_if_it_were_whole(
    line: str, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    master, slave = os.openpty()
    read, typed = threading.Event(), line.encode() + b"\nand another\n"

    def person() -> None:
        for at in range(0, len(typed), 256):
            os.write(master, typed[at : at + 256])
        while not read.wait(0.05):  # until it is taken: one that came too early counts for nothing
            os.write(master, b"\x04")

    echo = threading.Thread(target=_drained, args=(master,), daemon=True)
    fingers = threading.Thread(target=person, daemon=True)
    with open(slave, encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        echo.start()
        fingers.start()
        try:
            if whole:
                assert acts._letter() == f"{line}\nand another\n"
            else:
                with pytest.raises(Fault, match="cut"):
                    acts._letter()
        finally:
            read.set()
            fingers.join(20)
    os.close(master)


def _drained(master: int) -> None:
    """What a terminal would show: nobody could type on where nobody takes it."""
    with contextlib.suppress(OSError):
        while os.read(master, 65536):
            pass


def test_a_terminal_without_chinese_letters_shows_words_that_can_be_written_down() -> None:
    """Escapes are no words: nobody could type them in again."""
    for charset, shown_in in (("koi8-r", "en"), ("gb18030", "zh-Hans"), ("utf-8", "zh-Hans")):
        runner = CliRunner(charset=charset)
        with runner.isolation() as (_, errors, _):
            secret = acts._words(True, "zh-Hans")
            shown = errors.getvalue().decode(charset)
        assert " ".join(to_words(secret, shown_in)) in shown


def test_a_language_without_a_list_of_words_gets_english_ones_and_names_itself(
    scene: Scene,
) -> None:
    jump(scene.visit())
    result = run(scene, "write", "--new-words", "--language", "fa", typed="نامه\n")
    assert result.exit_code == 0
    shown = next(line for line in result.output.splitlines() if line.startswith("  ")).strip()
    assert to_words(from_person(shown), "en") == shown.split()
    (waiting,) = [k for k in scene.store.letters() if k.place is Place.WAITING]
    entry = scene.record.desk(PINS.desk)
    info = hpke.info("desk", scene.record.body.desk_entry_hash(entry))
    assert hpke.open_sealed(private("desk"), info, waiting.sealed)[1] == Language.PERSIAN


def test_an_answer_gives_the_terminal_no_orders(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    jump(scene.visit())
    answer = "line one\n\x1b]0;title\x07\x9b31m \u200cend"
    found = Found([Reply(3, 0, answer)], set())
    monkeypatch.setattr("wallflower.cli.acts.read_board", lambda *_: found)
    shown = run(scene, "read", typed=WORDS + "\n").output
    assert "line one\n\ufffd]0;title\ufffd\ufffd31m \u200cend\n" in shown


def visit(scene: Scene, patch: pytest.MonkeyPatch) -> str:
    """What `wallflower visit` says, its end included, in time that jumps."""

    async def close() -> None:
        """Nothing is open."""

    patch.setattr(scene.net, "close", close, raising=False)
    patch.setattr(acts, "HttpNet", lambda: scene.net)
    patch.setattr(acts, "PacedClock", lambda _: scene.clock)
    patch.setattr(asyncio, "run", jump)
    result = run(scene, "visit", "--mirror", MIRROR)
    return result.output + (str(result.exception) if result.exit_code else "")


def test_nobody_else_writes_letters_at_the_moment_at_which_one_is_sealed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    jump(scene.visit())
    held = watch_writing(scene, monkeypatch)
    run(scene, "write", typed=f"{WORDS}\na letter\n")
    assert held == [True, True]


def test_who_gets_no_board_is_told_that_the_letter_left_and_of_nothing_that_is_not_so(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    jump(scene.visit())
    scene.write("a letter")
    scene.next_day()
    real = scene.fetched
    monkeypatch.setattr(scene, "fetched", lambda path: None if path == "/board/2" else real(path))
    said = visit(scene, monkeypatch)
    assert Place.WAITING not in {k.place for k in scene.store.letters()}
    assert "A letter left with this visit." in said
    assert "The board did not come whole" in said
    assert "again" not in said


@pytest.mark.parametrize("board", [True, False])
def test_a_hum_that_nobody_took_is_not_said_to_have_been_sent(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, board: bool
) -> None:
    scene.net.cut.add("i.example")
    real = scene.fetched
    lost = () if board else ("/board/2",)
    monkeypatch.setattr(scene, "fetched", lambda path: None if path in lost else real(path))
    said = visit(scene, monkeypatch)
    assert "The hum did not come through whole." in said
    assert "was sent" not in said


def test_who_reaches_nobody_is_told_that_nothing_was_sent(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.net.cut.add("mirror.example")
    said = visit(scene, monkeypatch)
    assert said == "Nobody answered there, so nothing was sent. Come back another day."
    assert scene.cells == []


def test_who_is_shown_what_is_not_the_organisations_hears_what_became_of_the_visit(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not that something "was dropped", which a source takes for the letter."""
    jump(scene.visit())
    scene.write("a letter")
    scene.next_day()
    real, spoilt = scene.fetched, "/board/head"

    def shown(path: str) -> bytes | None:
        found = real(path)
        return found and (found[:-1] + bytes([found[-1] ^ 1]) if path == spoilt else found)

    monkeypatch.setattr(scene, "fetched", shown)
    said = visit(scene, monkeypatch)
    assert "A letter left with this visit." in said
    assert said.endswith(
        "(segment 3.3), so the board of before stays. The hum was sent, as on any visit. "
        "Use another mirror on another day."
    )
    spoilt = "/record"
    said = visit(scene, monkeypatch)
    assert said.endswith(
        "(record 2.8), so nothing was sent. Use another mirror; if each shows the same, "
        "ask for new pins."
    )


def test_a_whole_visit_says_so(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    assert visit(scene, monkeypatch) == (
        "Humming. This takes 90 seconds, for everyone.\nDone. The board has 3 pieces.\n"
    )


def test_of_one_store_one_visit_is_made_at_a_time(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two would carry one letter, and the slower one's board could take a newer one's place."""
    others: list[Result] = []

    def once() -> None:
        if not others:
            others.append(run(scene, "visit", "--mirror", MIRROR))

    scene.on_cell = once
    assert "Done." in visit(scene, monkeypatch)
    assert "under way" in str(others[0].exception)
    assert "Done." in visit(scene, monkeypatch), "once it has ended the next one begins"


def test_who_wrote_a_letter_again_that_waited_too_long_is_not_asked_to_once_more(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    jump(scene.visit())
    letter = scene.write("waits too long")
    with scene.store.changing() as kept:
        kept[kept.index(letter)] = replace(letter, record_hash=bytes(32))
    assert "Write it again." in visit(scene, monkeypatch)
    assert run(scene, "write", typed=f"{WORDS}\nonce more\n").exit_code == 0
    scene.next_day()
    said = visit(scene, monkeypatch)
    assert "A letter left with this visit." in said
    assert "again" not in said


def test_an_answer_is_shown_also_where_the_terminal_lacks_a_letter_of_it() -> None:
    code = "import click, wallflower.cli as c\nc.wallflower = lambda: click.echo({!r})\nc.main()"
    env = os.environ | {"PYTHONIOENCODING": "koi8-r"}
    shown = subprocess.run(
        [sys.executable, "-c", code.format("Спасибо: 收到")],
        env=env,
        capture_output=True,
        check=True,
    )
    assert shown.stdout.decode("koi8-r") == "Спасибо: \\u6536\\u5230\n"
