"""What never ends, ends us no time and no memory: answers of a mirror, and files of a storyboard.

Each is tried with something that does end, long after it should have been given up: so a guard that
is missing is seen, and not waited for.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from tests.campaign.made import Town
from tests.campaign.mirrors import Handler, from_mirror, mirror

from wallflower.campaign.edge.film_source import digest
from wallflower.errors import Fault

PIECE = bytes(65536)
TRIES = 2000
PIECES = 128  # of a long answer: 8 MB, where a kilobyte was signed


def refusal(town: Town, how: str, path: str) -> str:
    """By which rule a check ends, or by which error."""
    with mirror(town.site, {path: how}) as url:
        try:
            return from_mirror(town, url).rule
        except Exception as error:
            return type(error).__name__


def test_an_answer_that_is_longer_than_signed_is_given_up_before_it_has_come(
    first: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []

    def _long(self: Handler) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(PIECES):
            self.wfile.write(PIECE)
            sent.append(len(PIECE))

    monkeypatch.setattr(Handler, "_long", _long, raising=False)
    assert refusal(first, "long", "/film/00") == "bundle 6.8"
    # What fills the two sockets' buffers was sent; the rest nobody took.
    assert len(sent) < PIECES


@pytest.mark.parametrize("path", ["/tuf/timestamp.json", "/film/00"])
def test_an_answer_that_breaks_off_is_a_refusal_and_no_other_error(first: Town, path: str) -> None:
    assert refusal(first, "short", path) == "bundle 6.10"


def test_a_file_of_a_storyboard_that_never_ends_is_not_begun(tmp_path: Path) -> None:
    pipe = tmp_path / "voice.wav"
    os.mkfifo(pipe)

    def write() -> None:
        try:
            with pipe.open("wb") as file:  # waits for somebody who reads
                for _ in range(PIECES):
                    file.write(PIECE)
        except BrokenPipeError:
            return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(Fault, match="not an ordinary file"):
            digest(pipe, "The voice")
    finally:
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # lets the writer begin
        for _ in range(TRIES):
            writer.join(0.01)
            if not writer.is_alive():
                break
            with suppress(BlockingIOError):
                os.read(reader, PIECES * len(PIECE))
        os.close(reader)
    assert not writer.is_alive()
