"""Two people build the same folder, each with a home, a place, a time zone and a mask of files of
their own, and as another user where that is possible: the same hashes, films and all.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.authoring.conftest import change
from tests.authoring.users import NOBODY, RUN, open_to_others, python_of
from tests.campaign.film_made import has_fonts

from wallflower.campaign.edge.shapes import SUMS

WORDS = "able about above absent absorb abstract absurd abuse"
BOARD = 'language = "en"\n[[card]]\ntitle = "One"\nseconds = 1\n[closing]\nseconds = 1\n'


def _build(folder: Path, out: Path, cache: Path, user: int | None, env: dict[str, str]) -> None:
    command = ["campaign", "build", str(folder), "--out", str(out), "--words", WORDS]
    done = subprocess.run(
        [*python_of(user), "-c", RUN, *command, "--cache", str(cache)],
        env={"PATH": os.environ["PATH"], **env},
        cwd="/", umask=0o077 if env["TZ"] != "UTC" else 0o022,
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not has_fonts(), reason="fonts-noto-core or fonts-noto-cjk missing")
def test_two_users_in_two_folders_with_films_cached_get_the_same_hashes(
    folder: Path, tmp_path: Path
) -> None:
    change(folder, "campaign.toml", '["en", "zh-Hans", "fa", "ru", "es"]', '["en"]')
    change(folder, "campaign.toml", 'page = "film.mp4"', 'make = ["film/en.toml"]')
    (folder / "film" / "en.toml").write_text(BOARD, "utf-8")
    one = {"LANG": "C", "TZ": "UTC", "HOME": str(tmp_path / "home")}
    _build(folder, tmp_path / "out", tmp_path / "cache", None, one)

    user = NOBODY if os.getuid() == 0 else None
    other = tmp_path / "elsewhere" / "deeper"
    shutil.copytree(folder, other / "mine", copy_function=shutil.copyfile)
    shutil.copytree(tmp_path / "cache", other / "cache", copy_function=shutil.copyfile)
    if user is not None:
        open_to_others(tmp_path)
        for path in (other, *other.rglob("*")):
            os.chown(path, user, user)
    two = {"LANG": "fa_IR.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "Asia/Tehran", "HOME": str(other)}
    _build(other / "mine", other / "out", other / "cache", user, two)

    sums = other / "out" / SUMS
    assert sums.stat().st_uid == (os.getuid() if user is None else user)
    assert sums.read_bytes() == (tmp_path / "out" / SUMS).read_bytes()
    named = sums.read_text("utf-8")
    assert "films/en/film-480.mp4" in named
    assert "cards/en-film-01.png" in named
