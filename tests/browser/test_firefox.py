"""Firefox ESR: the hum has its shape, a letter leaves on the next day, its answer is read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.browser.firefox import visiting
from tests.browser.opening import open_cells
from tests.browser.remote import alone
from tests.browser.stage import Stage

from wallflower.crypto.derive import conversation_id
from wallflower.wire.hello import Kind
from wallflower.wire.receipt import receipt
from wallflower.wire.reply import seal_part
from wallflower.wire.sizes import CELL, HUM_CELLS
from wallflower.wire.words import from_person

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
pytestmark = [
    pytest.mark.nightly,
    pytest.mark.browser,
    pytest.mark.skipif(FIREFOX is None, reason="Firefox is missing: apt-get install firefox-esr"),
]

TEXT = "A letter out of Firefox."
WORDS = (
    "[...document.querySelectorAll('#shown-words ol')].find(list => list.offsetParent).innerText"
)


def _is_one_hum(stage: Stage) -> None:
    cells = stage.ingress.requests
    assert [len(c.body) for c in cells] == [CELL] * HUM_CELLS
    assert [c.body[1] for c in cells] == list(range(HUM_CELLS))
    assert len({c.head for c in cells}) == 1


def test_firefox_sends_one_hum_a_visit_and_the_letter_on_the_next_day(
    stage: Stage, tmp_path: Path
) -> None:
    letter_words = alone(_write(stage, tmp_path / "profile"))
    _is_one_hum(stage)
    kind, letter = open_cells([c.body for c in stage.ingress.requests], stage.keys, stage.records)
    assert (kind, letter) == (Kind.COVER, None)
    stage.next_day()
    stage.forget_requests()
    alone(_watch(stage, tmp_path / "profile"))
    _is_one_hum(stage)
    kind, letter = open_cells([c.body for c in stage.ingress.requests], stage.keys, stage.records)
    assert kind is Kind.LETTER
    assert letter is not None
    assert letter.text == TEXT
    assert letter.conversation == conversation_id(from_person(letter_words))
    slot = seal_part(letter.e, 0, bytes(16), 1, 1, b"An answer.")
    stage.release([slot], [receipt(letter.e, letter.mark)])
    assert "An answer." in alone(_read(stage, tmp_path / "profile", letter_words))


async def _write(stage: Stage, profile: Path) -> str:
    assert FIREFOX is not None
    async with visiting(FIREFOX, profile, stage.site.url + "/") as tab:
        await tab.says("hum-status", "leave this page open")
        await tab.click("go-write")
        await tab.click("new-words")
        words = str(await tab.ask(WORDS))
        await tab.click("noted")
        await tab.type("letter", TEXT)
        await tab.click("finish")
        await tab.says("letter-status", "put away")
        await tab.says("hum-status", "Thank")
    return " ".join(words.split())


async def _watch(stage: Stage, profile: Path) -> None:
    assert FIREFOX is not None
    async with visiting(FIREFOX, profile, stage.site.url + "/") as tab:
        await tab.says("hum-status", "Thank")


async def _read(stage: Stage, profile: Path, words: str) -> str:
    assert FIREFOX is not None
    async with visiting(FIREFOX, profile, stage.site.url + "/") as tab:
        await tab.click("go-read")  # Firefox says nothing of what a closed panel holds
        await tab.says("board-status", "complete")
        await tab.type("read-field", words)
        await tab.click("look")
        await tab.says("answers", "An answer.")
        return str(await tab.ask("document.getElementById('answers').innerText"))
