"""A stranger signs a bundle as it should be, and says in it what he likes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.campaign.made import LATER, Town
from tuf.api.metadata import TargetFile

from wallflower.campaign import repository
from wallflower.campaign.edge import verify_metadata
from wallflower.campaign.edge.verify import check
from wallflower.campaign.edge.verify_metadata import Trust
from wallflower.campaign.edge.verify_places import FolderPlace
from wallflower.campaign.verify import Report, Verdict


def publish(town: Town, role: str, change: Any, *seeds: bytes) -> Report:
    """Let a role say something else, with all signatures, and check that."""

    def next_version(signed: Any) -> None:
        signed.version += 1
        change(signed)

    made = town.forge(role, next_version, seeds)
    data = repository.encode(made)
    town.point(meta={role: repository._meta(made.signed.version, data)})
    return town.check()


@pytest.mark.parametrize(
    "pins", [b"{}", b"[]", b"3", b"no json", b"[" * 100_000, b'{"root":1}', b"\xff"]
)
def test_pins_that_are_none_are_refused(town: Town, pins: bytes) -> None:
    def change(signed: Any) -> None:
        signed.targets["pins.json"] = TargetFile.from_data("pins.json", pins, ["sha256"])

    (town.site / "pins.json").write_bytes(pins)
    media = [(town.medium(label) / "targets.key").read_bytes() for label in ("1", "2")]
    report = publish(town, "targets", change, *media)
    assert report.verdict is Verdict.REFUSED
    assert ("index.html", "bundle 6.17") in {(d.name, d.rule) for d in report.differs}


@pytest.mark.parametrize("kinds", [["sha512"], ["sha256", "sha512"]])
def test_a_file_signed_with_another_hash_is_refused(town: Town, kinds: list[str]) -> None:
    def change(signed: Any) -> None:
        data = (town.site / "app.js").read_bytes()
        signed.targets["app.js"] = TargetFile.from_data("app.js", data, kinds)

    assert publish(town, "page", change, town.online("page")).rule == "bundle 6.2"


class Counted(FolderPlace):
    """A folder that writes down what it is asked for."""

    asked: tuple[str, ...] = ()

    def _fetch(self, url: str) -> Iterator[bytes]:
        self.asked = (*self.asked, url)
        return super()._fetch(url)


def test_files_are_counted_before_the_next_role_is_asked_for(
    first: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_metadata, "FILES_MAX", 3)  # of the media two, and of film two
    place = Counted(first.site)
    assert check(place, Trust(words=first.words), LATER).rule == "bundle 6.8"
    assert place.asked[-1].endswith(".film.json")


def test_more_roles_than_there_may_be_are_refused_and_none_is_asked_for(
    first: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_metadata, "ROLES_MAX", 4)
    place = Counted(first.site)
    assert check(place, Trust(words=first.words), LATER).rule == "bundle 6.8"
    assert place.asked[-1].endswith(".targets.json")
