"""What a stranger wrote, on its way to a screen or a terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wallflower.host.inert import inert

CONTROLS = [chr(n) for n in (*range(0x20), *range(0x7F, 0xA0)) if chr(n) not in "\n\t"]
TURNING = [chr(n) for n in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]


@given(st.text(st.sampled_from([*CONTROLS, *TURNING, "a", "\n", "\t", "\u0633"])))
def test_no_control_and_no_sign_that_turns_text_gets_through_and_no_place_is_lost(
    text: str,
) -> None:
    shown = inert(text)
    assert not set(shown) & {*CONTROLS, *TURNING}
    assert len(shown) == len(text)
    assert [c for c in shown if c != "\ufffd"] == [
        c for c in text if c not in CONTROLS and c not in TURNING
    ]


def test_what_right_to_left_writing_needs_stays() -> None:
    text = "می\u200cخواهم\u200d C++\u200e است\u200f ۵\u061c\n\tend"
    assert inert(text) == text
