"""Links, pipes and devices in a copy are named, refused where they were signed, never followed."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.campaign.made import LATER, Town, image
from tests.campaign.test_tampering import of_zip, zipped

from wallflower.campaign.edge.verify import check, check_file
from wallflower.campaign.edge.verify_metadata import Trust
from wallflower.campaign.edge.verify_places import FolderPlace
from wallflower.campaign.verify import Verdict
from wallflower.errors import Refused

LINKS: tuple[Callable[[Path], None], ...] = (
    lambda path: path.symlink_to("/etc/passwd"), lambda path: path.symlink_to("/etc"),
    lambda path: path.symlink_to("nowhere"), os.mkfifo,
)  # fmt: skip


def test_a_link_or_pipe_that_nobody_signed_is_named_as_any_other_file_is(town: Town) -> None:
    before, words = image(town.place / "keys"), town.words
    for name, make in zip(("beside", "film/beside", "tuf/beside", "beside"), LINKS, strict=True):
        make(town.site / name)
        report = town.check()
        assert [(d.name, d.rule) for d in report.differs] == [(name, "bundle 6.19")]
        assert (report.verdict, report.words) == (Verdict.REFUSED, words)
        one = check_file(town.site / "app.js", FolderPlace(town.site), Trust(words), LATER)
        assert one.verdict is Verdict.GENUINE, "as with any file beside"
        with pytest.raises(Refused) as refused:
            town.sign()
        assert refused.value.rule == "bundle 6.13"
        (town.site / name).unlink()
    assert image(town.place / "keys") == before


def test_a_signed_file_that_is_a_link_is_named_and_not_followed(town: Town, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    # The last leads to the very bytes that were signed.
    makes: tuple[Callable[[Path], None], ...] = (
        *LINKS[1:], lambda path: path.symlink_to(elsewhere),
    )  # fmt: skip
    for name, make in zip(("app.js", "pins.json", "film/01", "film"), makes, strict=True):
        path = town.site / name
        path.rename(elsewhere)
        make(path)
        differs = {d.name: d.rule for d in town.check().differs}
        behind = {"film/00", "film/01"} if name == "film" else {name}
        assert differs == dict.fromkeys(behind, "bundle 6.13") | (
            {"film": "bundle 6.19"} if name == "film" else {}
        )
        path.unlink()
        elsewhere.rename(path)


def test_metadata_behind_a_link_is_refused(town: Town, tmp_path: Path) -> None:
    for name in ("tuf/timestamp.json", "tuf/1.root.json", "tuf"):
        (town.site / name).rename(tmp_path / name.replace("/", " "))
        (town.site / name).symlink_to(tmp_path / name.replace("/", " "))
        report = town.check()
        assert (report.rule, report.differs) == ("bundle 6.13", ())


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO])
def test_links_and_devices_in_a_zip_are_refused_as_in_a_folder(
    town: Town, tmp_path: Path, kind: int
) -> None:
    def link(name: str) -> Callable[[zipfile.ZipInfo], None]:
        def change(member: zipfile.ZipInfo) -> None:
            if member.filename == name:
                member.external_attr = (kind | 0o777) << 16

        return change

    files = {**image(town.site), "beside": b"/etc/passwd", "behind/": b"/etc"}
    signed = of_zip(town, zipped(tmp_path / "b.zip", image(town.site), link("app.js")))
    assert [(d.name, d.rule) for d in signed.differs] == [("app.js", "bundle 6.13")]
    for name in ("beside", "behind/"):
        one = image(town.site) | {name: files[name]}
        report = of_zip(town, zipped(tmp_path / "c.zip", one, link(name)))
        assert [(d.name, d.rule) for d in report.differs] == [
            (name.removesuffix("/"), "bundle 6.19")
        ]
    stamp = of_zip(town, zipped(tmp_path / "d.zip", image(town.site), link("tuf/timestamp.json")))
    assert stamp.rule == "bundle 6.13"


@pytest.mark.parametrize("make", [LINKS[0], os.mkfifo])
def test_a_link_or_pipe_that_appears_after_the_look_is_not_followed(
    town: Town, make: Callable[[Path], None]
) -> None:
    place = FolderPlace(town.site)
    (town.site / "app.js").unlink()
    make(town.site / "app.js")
    report = check(place, Trust(words=town.words), LATER)
    assert [(d.name, d.rule) for d in report.differs] == [("app.js", "bundle 6.13")]
