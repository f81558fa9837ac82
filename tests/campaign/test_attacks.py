"""The attacks that the TUF specification names (its section 1.5.2), each on a whole bundle.

Everything runs against `check`, with python-tuf's client inside. A refusal is asserted by its
number, and what a client remembers stays what it was.
"""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import SSlibKey
from tests.campaign.made import LATER, NOW, Town, copy, image, make_town, seeded
from tests.campaign.mirrors import from_mirror, mirror
from tuf.api.metadata import Metadata, MetaFile, Root, TargetFile

from wallflower.campaign import repository
from wallflower.campaign.edge.ceremony_replace import replace_role
from wallflower.campaign.edge.verify import check
from wallflower.campaign.edge.verify_metadata import Trust
from wallflower.campaign.edge.verify_places import FolderPlace
from wallflower.campaign.verify import Verdict, as_text

THIEF = seeded("thief")(32)


def test_the_untouched_bundle_is_genuine(first: Town) -> None:
    report = first.check()
    assert report.verdict is Verdict.GENUINE, report
    assert report.files == 12
    assert report.organisation == "Office for Clean Hands"


def test_arbitrary_software_is_refused_whoever_serves_it(town: Town) -> None:
    (town.site / "app.js").write_bytes(b"own()\n")
    report = town.check()
    assert report.verdict is Verdict.REFUSED
    assert [(d.name, d.rule) for d in report.differs] == [("app.js", "bundle 6.11")]


def test_arbitrary_software_signed_by_a_stranger_is_refused(town: Town) -> None:
    def steal(signed: Any) -> None:
        signed.targets["app.js"] = TargetFile.from_data("app.js", b"steal()\n", ["sha256"])

    town.forge("page", steal, (THIEF,))
    assert town.check().rule == "bundle 6.6"  # the snapshot names another page
    town.forge("timestamp", lambda signed: None, (THIEF,))
    assert town.check().rule == "bundle 6.20"


def test_rollback_is_refused_by_who_has_seen_a_newer_version(town: Town, tmp_path: Path) -> None:
    old = copy(town, tmp_path / "old")
    (town.site / "app.js").write_bytes(b"better()\n")
    town.sign(LATER)
    seen = tmp_path / "seen"
    assert town.check(remember=seen).verdict is Verdict.GENUINE
    before = image(seen)
    assert old.check(remember=seen).rule == "bundle 6.5"
    assert image(seen) == before
    assert town.check(remember=seen).verdict is Verdict.GENUINE
    assert stat.S_IMODE(seen.stat().st_mode) == 0o700, "others could read who checked what"


def test_rollback_of_one_role_is_refused(town: Town, tmp_path: Path) -> None:
    """The thief has the keys of snapshot and timestamp, and points back to an old film."""
    seen = tmp_path / "seen"
    old = copy(town, tmp_path / "old")
    (town.site / "film" / "00").write_bytes(b"new film")
    town.sign(LATER)
    assert town.check(remember=seen).verdict is Verdict.GENUINE
    data = old.metadata("film").read_bytes()
    (town.site / "tuf" / "1.film.json").write_bytes(data)
    town.point(9, {"film": repository._meta(1, data)})
    assert town.check(remember=seen).rule == "bundle 6.5"


def test_fast_forward_ends_with_the_stolen_key(town: Town, tmp_path: Path) -> None:
    """A thief of both online keys drives the versions up; new keys take the client back."""
    seen, top = tmp_path / "seen", 1 << 30
    driven = copy(town, tmp_path / "driven")
    driven.point(top)
    assert driven.check(remember=seen).version == top
    assert town.check(remember=seen).rule == "bundle 6.5"
    for role in repository.TIMES:
        replace_role(town.keys, role, NOW, seeded(role))
        assert town.approve("1", "3")
    town.sign(LATER)
    report = town.check(remember=seen)
    assert (report.verdict, report.version) == (Verdict.GENUINE, 2)


@pytest.mark.parametrize("days", [15, 40, 400, 800])
def test_indefinite_freeze_is_told_as_old(first: Town, days: int) -> None:
    report = first.check(NOW + timedelta(days=days))
    assert (report.verdict, report.rule) == (Verdict.OLD, "bundle 6.7")
    assert report.differs == ()


def test_a_forgery_that_was_let_grow_old_is_not_called_genuine(first: Town) -> None:
    """Nobody compared the words: whose it is comes before how old it is."""
    report = first.check(NOW + timedelta(days=15), words="")
    assert (report.verdict, report.rule, report.exit) == (Verdict.UNCOMPARED, "bundle 6.7", 4)
    said = as_text(report)
    assert said.startswith("COMPLETE, BUT BY WHOM?")
    assert "has ended (bundle 6.7)" in said
    assert "look for a newer version" in said


def test_what_is_promised_ends_with_the_first_signature_that_ends(town: Town) -> None:
    """Nobody let the media sign for a year; the timestamp is of yesterday."""
    late = NOW + timedelta(days=360)
    town.sign(late)
    report = town.check(late)
    assert report.verdict is Verdict.GENUINE
    until = report.fresh_until
    assert until == town.read("targets").signed.expires
    assert until < town.read("timestamp").signed.expires
    assert town.check(until - timedelta(seconds=1)).verdict is Verdict.GENUINE
    assert town.check(until).verdict is Verdict.OLD


def test_a_frozen_and_altered_bundle_is_not_merely_old(town: Town) -> None:
    (town.site / "index.html").write_bytes(b"")
    report = town.check(NOW + timedelta(days=15))
    assert (report.verdict, report.rule) == (Verdict.REFUSED, "bundle 6.11")


def test_endless_data_is_cut_off(town: Town) -> None:
    with mirror(town.site, {"/tuf/timestamp.json": "endless"}) as url:
        assert from_mirror(town, url).rule == "bundle 6.8"
    with mirror(town.site, {"/film/01": "endless"}) as url:
        report = from_mirror(town, url)
    assert [(d.name, d.rule) for d in report.differs] == [("film/01", "bundle 6.8")]


def test_metadata_beyond_its_size_is_cut_off_whoever_signed_it(town: Town) -> None:
    """A thief of the timestamp key leaves the length out, so that no length is promised."""
    whole = town.metadata("snapshot").read_bytes()

    def promise_nothing(signed: Any) -> None:
        signed.version += 1
        signed.snapshot_meta = MetaFile(1)

    town.forge("timestamp", promise_nothing, (town.online("timestamp"),))
    assert town.check().verdict is Verdict.GENUINE
    town.metadata("snapshot").write_bytes(whole + b" " * (4 << 20))
    assert town.check().rule == "bundle 6.8"
    town.metadata("snapshot").write_bytes(whole)
    (town.site / "tuf" / "2.root.json").write_bytes(bytes(64 * 1024 + 1))
    assert town.check().rule == "bundle 6.8"


def test_extraneous_dependencies_do_not_exist_and_files_beside_are_refused(town: Town) -> None:
    """A bundle has no dependencies; what lies beside its files is no part of it and is named."""
    (town.site / "extra.js").write_bytes(b"//")
    (town.site / "tuf" / "9.page.json").write_bytes(b"{}")
    report = town.check()
    assert {(d.name, d.rule) for d in report.differs} == {
        ("extra.js", "bundle 6.19"), ("tuf/9.page.json", "bundle 6.19"),
    }  # fmt: skip


@pytest.mark.parametrize("role", ["page", "film", "targets", "snapshot"])
def test_mix_and_match_of_two_versions_is_refused(town: Town, tmp_path: Path, role: str) -> None:
    old = town.metadata(role).read_bytes()
    (town.site / "app.js").write_bytes(b"better()\n")
    (town.site / "film" / "00").write_bytes(b"Moving " * 999)
    replace_role(town.keys, "ways", NOW, seeded("ways"))
    assert town.approve("1", "2")
    town.sign(LATER)
    assert town.check().verdict is Verdict.GENUINE
    assert town.metadata(role).read_bytes() != old
    town.metadata(role).write_bytes(old)
    assert town.check().rule == "bundle 6.6"


def test_wrong_software_a_signed_file_in_the_place_of_another_is_refused(town: Town) -> None:
    (town.site / "app.js").write_bytes((town.site / "film" / "01").read_bytes())
    assert [(d.name, d.rule) for d in town.check().differs] == [("app.js", "bundle 6.11")]


def test_wrong_software_of_another_campaign_has_other_words(first: Town, tmp_path: Path) -> None:
    other = make_town(tmp_path / "other", seeded("another campaign"))
    assert other.check(words=first.words).rule == "bundle 6.3"
    seen = tmp_path / "seen"
    assert first.check(remember=seen).verdict is Verdict.GENUINE
    before = image(seen)
    assert other.check(words="", remember=seen).rule == "bundle 6.20"
    assert image(seen) == before


def test_a_malicious_mirror_can_do_nothing_but_refuse(town: Town, tmp_path: Path) -> None:
    """Whatever a mirror alters, the next honest one is believed again by the same client."""
    seen = tmp_path / "seen"
    honest = copy(town, tmp_path / "honest")
    for name in ("tuf/timestamp.json", "tuf/1.snapshot.json", "tuf/1.page.json", "app.js"):
        bad = copy(town, tmp_path / name.replace("/", "-"))
        (bad.site / name).unlink()
        with mirror(bad.site) as url:
            report = from_mirror(town, url)
            from_mirror(town, url, remember=seen)
        assert (report.verdict, report.rule) == (Verdict.REFUSED, "bundle 6.10")
        with mirror(honest.site) as url:
            assert from_mirror(town, url, remember=seen).verdict is Verdict.GENUINE


def test_a_stolen_page_key_signs_no_film_no_ways_and_no_pins(town: Town) -> None:
    """Key compromise: every key of the publishing computer, and still not what is not its own."""

    def take(signed: Any) -> None:
        for name in ("pins.json", "film/99", "ways/x"):
            signed.targets[name] = TargetFile.from_data(name, b"stolen", ["sha256"])
        signed.version = 2

    publish(town, "page", take, town.online("page"))
    assert town.check().rule == "bundle 6.15"


def test_all_stolen_online_keys_change_no_pins(town: Town) -> None:
    """They can serve another page; its pins are compared with those that the media signed."""
    pins = (town.site / "pins.json").read_text("utf-8")
    evil = pins.replace(pins.split('"a": "')[1][:64], "00" * 32).replace('"', "&quot;")
    text = f'<meta name="wallflower-pins" content="{evil}">'.encode()
    (town.site / "index.html").write_bytes(text)

    def take(signed: Any) -> None:
        signed.targets["index.html"] = TargetFile.from_data("index.html", text, ["sha256"])
        signed.version = 2

    publish(town, "page", take, town.online("page"))
    assert {d.rule for d in town.check().differs} == {"bundle 6.16", "bundle 6.17"}


@pytest.mark.parametrize("role", ["snapshot", "timestamp"])
def test_one_stolen_online_key_alone_changes_nothing(town: Town, role: str) -> None:
    town.forge(role, lambda s: setattr(s, "version", 5), (town.online(role),))
    report = town.check()
    assert report.verdict is Verdict.REFUSED or report.version == 1


def publish(town: Town, role: str, change: Any, seed: bytes) -> None:
    """What a thief of a role's key and both times' keys can publish."""
    made = town.forge(role, change, (seed,))
    meta = repository._meta(made.signed.version, repository.encode(made))
    town.point(meta={role: meta})


def test_a_root_in_the_middle_whose_keys_bear_other_names_is_refused(town: Town) -> None:
    """Whoever had two media once could otherwise let one key count for two ever after."""
    for version, renamed in ((2, True), (3, False)):
        root = Metadata[Root].from_bytes((town.site / "tuf" / "1.root.json").read_bytes())
        role = root.signed.roles["root"]
        if renamed:
            (name, *rest), other = role.keyids, "00" * 32
            key = root.signed.keys.pop(name)
            root.signed.keys[other] = SSlibKey(other, key.keytype, key.scheme, key.keyval)
            role.keyids = [other, *rest]
        root.signed.version = version
        root.signatures.clear()
        repository.sign_with(root, [(town.medium(n) / "root.key").read_bytes() for n in "123"])
        (town.site / "tuf" / f"{version}.root.json").write_bytes(repository.encode(root))
    assert town.check().rule == "eightwords 3.3"


def test_a_place_that_is_no_bundle_says_so(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    report = check(FolderPlace(tmp_path), Trust(), LATER)
    assert report.rule == "bundle 6.1"
