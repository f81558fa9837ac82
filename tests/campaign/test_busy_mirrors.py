"""An honest mirror is busy, has moved or breaks off for a moment: that makes nothing a forgery."""

from __future__ import annotations

import pytest
from tests.campaign.made import Town
from tests.campaign.mirrors import from_mirror, mirror

from wallflower.campaign.verify import Verdict, as_text

FILM, ROOT, NEXT_ROOT = "/film/00", "/tuf/1.root.json", "/tuf/2.root.json"


@pytest.mark.parametrize("how", ["301", "403", "429", "500", "503"])
@pytest.mark.parametrize("path", [FILM, ROOT, "/tuf/timestamp.json"])
def test_a_mirror_that_is_busy_or_moved_is_not_called_a_forgery(
    first: Town, path: str, how: str
) -> None:
    with mirror(first.site, {path: how}) as url:
        report = from_mirror(first, url)
    assert (report.verdict, report.rule) == (Verdict.REFUSED, "bundle 6.10")
    assert as_text(report).startswith("NOT CHECKED TO THE END")
    assert report.next_step.startswith("Try again")


@pytest.mark.parametrize("how", ["short", "silent"])
def test_a_film_that_breaks_off_is_named_and_not_called_a_forgery(first: Town, how: str) -> None:
    with mirror(first.site, {FILM: how}) as url:
        said = as_text(from_mirror(first, url, {"gap_s": 5.0}))
    assert said.startswith("NOT CHECKED TO THE END")
    assert "What did not come:\n  film/00:" in said


@pytest.mark.parametrize("how", ["404", "410"])
def test_what_a_mirror_has_not_is_missing(first: Town, how: str) -> None:
    with mirror(first.site, {FILM: how}) as url:
        said = as_text(from_mirror(first, url))
    with mirror(first.site, {ROOT: how}) as url:
        assert from_mirror(first, url).rule == "bundle 6.1"
    assert said.startswith("NOT GENUINE")
    assert "film/00: It is missing" in said


def test_a_forged_file_is_one_though_another_breaks_off(town: Town) -> None:
    (town.site / "ways.json").write_bytes(b"{}\n")
    with mirror(town.site, {FILM: "short"}) as url:
        report = from_mirror(town, url)
    assert report.rule == "bundle 6.11"
    assert as_text(report).startswith("NOT GENUINE")


@pytest.mark.parametrize("how", ["403", "404", "410"])
def test_the_roots_end_where_a_host_has_no_next_one(first: Town, how: str) -> None:
    with mirror(first.site, {NEXT_ROOT: how}) as url:
        assert from_mirror(first, url).verdict is Verdict.GENUINE
