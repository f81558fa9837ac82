"""What the benches start runs in any folder."""

from __future__ import annotations

from bench.receivers import _NGINX


def test_a_folder_with_a_space_in_its_name_stays_one_word_for_nginx() -> None:
    folder = "/home/a user/bench"
    text = _NGINX.format(folder=folder, quiet=1, status=2)
    words = [word for line in text.splitlines() if folder in line for word in line.split('"')[1::2]]
    assert words
    assert all(word.startswith(f"{folder}/") for word in words)
    assert len(words) == text.count(folder), "none stands without its marks"
