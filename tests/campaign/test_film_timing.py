"""Captions stand inside of their cards, one after the other, and WebVTT says the same times."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallflower.campaign.film.storyboard import Caption, Card
from wallflower.campaign.film.timing import (
    BREATH,
    STEP,
    Cue,
    cue_at,
    cues,
    timeline,
    webvtt,
)
from wallflower.errors import Fault

TEXT = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=40)
CARDS = st.lists(
    st.builds(
        Card,
        title=st.just("x"),
        seconds=st.floats(1, 20),
        captions=st.lists(TEXT.map(Caption), max_size=5).map(tuple),
    ),
    min_size=1,
    max_size=6,
)


@given(CARDS, st.data())
def test_captions_follow_each_other_inside_of_their_cards(
    cards: list[Card], data: st.DataObject
) -> None:
    lengths = [data.draw(st.none() | st.fractions(0, 20, max_denominator=1000)) for _ in cards]
    scenes = timeline(cards, lengths)
    assert scenes[0].start == 0
    assert all(a.end == b.start for a, b in pairwise(scenes))
    for scene, length in zip(scenes, lengths, strict=True):
        shown = (scene.end - scene.start) * STEP
        assert shown >= Fraction(scene.card.seconds)
        assert length is None or shown >= length + BREATH
    found = cues(scenes)
    assert [cue.text for cue in found] == [c.text for card in cards for c in card.captions]
    assert all(a.end <= b.start for a, b in pairwise(found))
    number = 0
    for scene in scenes:
        for _ in scene.card.captions:
            assert scene.start * STEP * 1000 <= found[number].start + 1
            assert found[number].end <= scene.end * STEP * 1000 + 1
            number += 1


def test_a_clips_card_lasts_as_long_as_its_clip() -> None:
    scenes = timeline(
        [Card(clip="a.mp4", seconds=5), Card(text="x", seconds=2)], [Fraction(3), None]
    )
    assert [(s.start, s.end) for s in scenes] == [(0, 36), (36, 60)]


def test_a_film_of_more_than_ten_minutes_is_refused() -> None:
    with pytest.raises(Fault, match="longer than 600"):
        timeline([Card(text="x", seconds=120)] * 6, [None] * 6)


@pytest.mark.parametrize(
    "captions",
    [
        (Caption("a", 0, 2), Caption("b", 1, 3)),
        (Caption("a", 1, 1),),
        (Caption("a", 2, 1),),
        (Caption("a", 4, 5.5),),
        (Caption("a", 3, 4), Caption("b", 0, 1)),
    ],
)
def test_captions_over_each_other_or_outside_of_their_card_are_refused(
    captions: tuple[Caption, ...],
) -> None:
    scenes = timeline([Card(text="x", seconds=5, captions=captions)], [None])
    with pytest.raises(Fault, match="card 1 has no time of its own"):
        cues(scenes)


def test_a_caption_stands_from_its_start_until_before_its_end() -> None:
    found = cues(timeline([Card(text="x", captions=(Caption("a", 1, 2),))], [None]))
    assert [cue_at(found, ms) for ms in (999, 1000, 1999, 2000)] == [None, *found, *found, None]


CUES = st.lists(
    st.tuples(st.integers(1, 90_000), st.integers(0, 90_000), TEXT), min_size=1, max_size=8
)


@given(CUES)
def test_webvtt_says_the_same_to_a_reader_that_is_not_ours(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[int, int, str]]
) -> None:
    found, now = [], 0
    for length, gap, text in drawn:
        found.append(Cue(now + gap, now + gap + length, text))
        now += gap + length
    path = tmp_path_factory.getbasetemp() / "captions.vtt"
    path.write_bytes(webvtt(found))
    assert _read_back(path) == [(cue.start, cue.end, _marked_up(cue.text)) for cue in found]


def _marked_up(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _read_back(path: Path) -> list[tuple[int, int, str]]:
    with av.open(str(path), format="webvtt") as opened:
        stream = opened.streams.subtitles[0]
        assert stream.time_base == Fraction(1, 1000)
        return [
            (packet.pts, packet.pts + packet.duration, bytes(packet).decode())
            for packet in opened.demux(stream)
            if packet.pts is not None and packet.duration is not None and packet.size
        ]


def test_a_caption_cannot_end_its_cue_or_begin_another() -> None:
    text = webvtt([Cue(0, 1000, "one\n\n00:00.000 --> 00:09.000\n  two")]).decode()
    assert text == (
        "WEBVTT\n\n1\n00:00:00.000 --> 00:00:01.000\none\n00:00.000 --&gt; 00:09.000\ntwo\n"
    )
