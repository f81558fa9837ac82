"""A key of each kind is lost or stolen: what is done, and what the thief can still do after.

The client knew the bundle before; it goes over to the new keys without new words, except that a
replaced medium changes the words, and then the old words find the new bundle too.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.campaign.made import LATER, NOW, RECORD, Town, copy, image, make_town, page, seeded
from tests.campaign.test_attacks import publish
from tests.campaign.test_power_cuts import cut_after
from tuf.api.metadata import TargetFile

from wallflower.campaign import minisign, repository
from wallflower.campaign.edge.ceremony_keys import Keys
from wallflower.campaign.edge.ceremony_replace import (
    renew,
    replace_medium,
    replace_record,
    replace_role,
)
from wallflower.campaign.edge.ceremony_restore import restore
from wallflower.campaign.edge.ceremony_sign import finish, sign_pending
from wallflower.campaign.edge.sign_folder import freshen
from wallflower.campaign.edge.sign_last import note_copy
from wallflower.campaign.repository import METADATA
from wallflower.campaign.verify import Verdict
from wallflower.crypto import sign
from wallflower.errors import Fault

FILES = ("page", "film", "ways", "texts-en", "texts-zh-Hans")


def knows(town: Town, seen: Path) -> None:
    assert town.check(remember=seen).verdict is Verdict.GENUINE


@pytest.mark.parametrize("role", FILES)
def test_a_stolen_key_of_files_is_replaced_and_counts_no_more(
    town: Town, tmp_path: Path, role: str
) -> None:
    seen, stolen, words = tmp_path / "seen", town.online(role), town.words
    knows(town, seen)
    thief = copy(town, tmp_path / "thief")
    replace_role(town.keys, role, NOW, seeded(role))
    assert town.online(role) == stolen, "the old key counts until the media have signed"
    assert town.approve("1", "2")
    assert town.online(role) != stolen
    town.sign(LATER)
    assert town.check(remember=seen, words=words).verdict is Verdict.GENUINE
    # The thief goes on from the new bundle with the old key and, what is worse, with both times'.
    worse = copy(town, tmp_path / "worse")
    publish(worse, role, lambda s: setattr(s, "version", s.version + 1), stolen)
    assert worse.check(remember=tmp_path / "another").rule == "bundle 6.20"
    assert thief.check(remember=seen).rule == "bundle 6.5"


@pytest.mark.parametrize("role", ["snapshot", "timestamp"])
def test_a_stolen_key_of_times_is_replaced_by_a_new_root(
    town: Town, tmp_path: Path, role: str
) -> None:
    seen, stolen, words = tmp_path / "seen", town.online(role), town.words
    knows(town, seen)
    replace_role(town.keys, role, NOW, seeded(role))
    assert town.approve("2", "3")
    town.sign(LATER)
    assert town.words == words
    assert town.check(remember=seen, words=words).verdict is Verdict.GENUINE
    town.forge(role, lambda s: None, (stolen,))
    fresh = town.check(remember=tmp_path / "another").rule
    assert fresh == ("bundle 6.20" if role == "timestamp" else "bundle 6.6")


def test_a_lost_online_key_is_named_and_replaced(town: Town) -> None:
    (town.keys.online.path / "film.key").unlink()
    (town.site / "film" / "00").write_bytes(b"another film")
    before = image(town.site / "tuf")
    with pytest.raises(Fault, match="--role film"):
        town.sign(LATER)
    assert image(town.site / "tuf") == before
    replace_role(town.keys, "film", NOW, seeded("film"))
    assert town.approve("1", "3")
    town.sign(LATER)
    assert town.check().verdict is Verdict.GENUINE


@pytest.mark.parametrize("stolen", [False, True])
def test_a_medium_is_replaced_and_old_words_find_the_new_bundle(
    town: Town, tmp_path: Path, stolen: bool
) -> None:
    seen, words = tmp_path / "seen", town.words
    knows(town, seen)
    new = town.place / "medium-4"
    new.mkdir()
    replace_medium(town.keys, "2", "4", new, NOW, seeded("four"))
    if not stolen:
        (town.medium("2") / "root.key").unlink()
    assert not town.approve("1")
    assert town.approve("3")
    town.sign(LATER)
    assert town.words != words
    for said in (words, town.words):
        assert town.check(words=said).verdict is Verdict.GENUINE
    assert town.check(remember=seen, words="").verdict is Verdict.GENUINE
    # The new one can sign with another; the old one cannot.
    renew(town.keys, LATER)
    if stolen:
        with pytest.raises(Fault, match="was replaced"):
            sign_pending(town.keys, town.medium("2"))
    assert not town.approve("4")
    assert town.approve("1")


def test_the_thief_of_a_replaced_medium_and_one_more_signs_no_root(
    town: Town, tmp_path: Path
) -> None:
    stolen = [(town.medium(label) / "root.key").read_bytes() for label in ("2",)]
    new = town.place / "medium-4"
    new.mkdir()
    replace_medium(town.keys, "2", "4", new, NOW, seeded("four"))
    assert town.approve("1", "3")
    town.sign(LATER)
    one = (town.medium("1") / "root.key").read_bytes()
    root = town.read("root")
    root.signed.version = 3
    root.signatures.clear()
    repository.sign_with(root, [*stolen, one])
    (town.site / "tuf" / "3.root.json").write_bytes(repository.encode(root))
    assert town.check().rule == "bundle 6.4"


def test_when_too_few_media_would_be_left_only_a_new_ceremony_helps(
    town: Town, tmp_path: Path
) -> None:
    found = town.keys.ceremony()
    plan = replace(found.plan, threshold=3)
    town.keys.folder.write("ceremony.json", replace(found, plan=plan).encode())
    before = image(town.keys.folder.path)
    with pytest.raises(Fault, match="new ceremony"):
        replace_medium(town.keys, "3", "6", tmp_path, NOW, seeded("six"))
    assert image(town.keys.folder.path) == before


def test_a_lost_minisign_key_is_replaced_through_the_offline_keys(town: Town) -> None:
    old, stolen = (town.site / "minisign.pub").read_bytes(), town.online("minisign")
    replace_role(town.keys, "minisign", NOW, seeded("minisign"))
    assert town.approve("1", "2")
    town.sign(LATER)
    assert (town.site / "minisign.pub").read_bytes() != old
    assert town.check().verdict is Verdict.GENUINE
    listed = (town.site / "bundle.manifest").read_bytes()
    made = minisign.sign_list(stolen, listed, "version 9")
    (town.site / "bundle.minisig").write_bytes(made)

    def take(signed: Any) -> None:
        signed.version += 1
        name = "bundle.minisig"
        signed.targets[name] = TargetFile.from_data(name, made, ["sha256"])

    publish(town, "page", take, town.online("page"))
    assert [d.rule for d in town.check().differs] == ["bundle 6.16"]


@pytest.mark.parametrize("who", ["organisation", "a", "b"])
def test_another_record_key_needs_the_media_and_a_new_page(town: Town, who: str) -> None:
    """The page that pins the stolen key is not signed any more, and the root stays the same."""
    before = town.keys.ceremony().pins()
    new = sign.verify_key(seeded(f"new {who}")(32))
    replace_record(town.keys, {who: new}, NOW)
    assert town.approve("2", "3")
    with pytest.raises(Fault) as refused:
        town.sign(LATER)
    assert getattr(refused.value, "rule", "") == "bundle 6.17"
    pins = town.keys.ceremony().pins()
    assert (getattr(pins, who), pins.root) == (new, before.root)
    (town.site / "index.html").write_text(page(pins.encode()), "utf-8")
    town.sign(LATER)
    assert town.check().verdict is Verdict.GENUINE


@pytest.mark.parametrize("what", ["minisign", "page", "a record key"])
def test_a_date_alone_is_not_put_to_files_that_the_media_replaced(town: Town, what: str) -> None:
    """Pins or a key of before, beside targets that name the new ones, are false."""
    if what != "a record key":
        replace_role(town.keys, what, NOW, seeded(what))
    else:
        replace_record(town.keys, {"a": sign.verify_key(seeded(what)(32))}, NOW)
    freshen(town.site, town.keys, NOW)  # while it waits for the media nothing has changed
    assert town.check().verdict is Verdict.GENUINE
    assert town.approve("1", "2")
    before = image(town.site)
    with pytest.raises(Fault, match="not what these keys signed last"):
        freshen(town.site, town.keys, LATER)
    assert image(town.site) == before
    assert town.check().verdict is Verdict.GENUINE


def test_a_record_key_of_two_operators_is_refused(town: Town) -> None:
    with pytest.raises(Fault, match="three different keys"):
        replace_record(town.keys, {"a": RECORD["b"]}, NOW)
    assert not town.keys.waiting()


def test_a_renewed_root_keeps_the_words_and_ends_later(town: Town) -> None:
    words, ended = town.words, town.read("root").signed.expires
    renew(town.keys, LATER)
    assert town.approve("1", "2")
    town.sign(LATER)
    assert town.words == words
    assert town.read("root").signed.expires > ended
    assert town.check().verdict is Verdict.GENUINE


@pytest.mark.parametrize("at", range(1, 14))
def test_a_finish_that_is_stopped_is_finished_by_the_next(town: Town, at: int) -> None:
    """The power goes between any two writes: the next start makes it whole."""
    replace_role(town.keys, "snapshot", NOW, seeded("snapshot"))
    for label in ("1", "2"):
        sign_pending(town.keys, town.medium(label))
    new = town.keys.online.read("snapshot.key.next")
    with cut_after(at - 1):
        finish(town.keys)
    finish(town.keys)
    assert town.online("snapshot") == new
    assert not town.keys.waiting()
    town.sign(LATER)
    assert town.check().verdict is Verdict.GENUINE


def test_keys_from_an_older_backup_go_on_above_what_was_published(
    town: Town, tmp_path: Path
) -> None:
    """The disk of the publishing computer broke; the backup is three signatures old."""
    seen, backup = tmp_path / "seen", tmp_path / "backup"
    shutil.copytree(town.keys.folder.path, backup)
    for number in range(3):
        (town.site / "film" / "00").write_bytes(b"film %d" % number)
        town.sign(LATER)
    knows(town, seen)
    published = tmp_path / "published"
    shutil.copytree(town.site, published)
    shutil.rmtree(town.keys.folder.path)
    shutil.copytree(backup, town.keys.folder.path, dirs_exist_ok=True)
    before = image(town.place)
    for again in (town.sign, lambda: freshen(town.site, town.keys, LATER)):
        with pytest.raises(Fault, match="older backup") as fault:
            again()
        assert f"wallflower keys restored {town.keys.folder.path} {town.site}" in str(fault.value)
        assert image(town.place) == before
    assert set(restore(town.keys, published)) == {"film", "page", "snapshot", "timestamp"}
    assert restore(town.keys, published) == []
    (town.site / "film" / "00").write_bytes(b"another film")
    town.sign(LATER)
    assert town.check(remember=seen).version == 5
    knows(town, seen)


@pytest.mark.parametrize(("lost", "noted"), [
    ("page", True), ("snapshot", True), ("timestamp", True), ("film", False), ("snapshot", False),
])  # fmt: skip
def test_keys_that_lost_what_they_signed_do_not_begin_again_at_version_1(
    town: Town, tmp_path: Path, lost: str, noted: bool
) -> None:
    """The folder is a new build, and shows nothing of what was signed before. Where nobody noted
    that a signing ended, what is there behind the lost one tells it."""
    published = tmp_path / "published"
    shutil.copytree(town.site, published)
    shutil.rmtree(town.site / METADATA)
    if noted:
        note_copy(town.site, town.keys)
    town.keys.metadata.remove(f"{lost}.json")
    before = image(town.place)
    with pytest.raises(Fault, match=rf"has lost .*{lost}\.json"):
        town.sign(LATER)
    assert image(town.place) == before
    assert restore(town.keys, published) == [lost]
    town.sign(LATER)
    assert town.check().version == 2


def test_a_copy_that_other_keys_signed_is_not_called_no_newer(town: Town, tmp_path: Path) -> None:
    """A mirror can answer with anything; after it, old versions would be signed again."""
    other = make_town(tmp_path / "other", seeded("other"))
    before = image(town.keys.folder.path)
    with pytest.raises(Fault, match="signed by other keys"):
        restore(town.keys, other.site)
    assert image(town.keys.folder.path) == before


def test_a_folder_that_shows_nothing_published_is_not_called_no_newer(town: Town) -> None:
    """The build around a site, say: with "nothing is newer" the old versions would be signed."""
    with pytest.raises(Fault, match="no tuf/"):
        restore(town.keys, town.place)


def test_a_backup_from_before_a_replacement_takes_nothing_over(town: Town, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(town.keys.folder.path, backup)
    replace_role(town.keys, "page", NOW, seeded("page"))
    assert town.approve("1", "2")
    town.sign(LATER)
    before = image(backup)
    with pytest.raises(Fault, match="another targets"):
        restore(Keys(backup), town.site)
    assert image(backup) == before


def test_nobody_else_drives_the_versions_of_a_restored_folder_up(town: Town) -> None:
    thief = seeded("thief")(32)
    for role in ("page", "snapshot", "timestamp", "targets"):
        town.forge(role, lambda s: setattr(s, "version", 1 << 30), (thief,))
    (town.site / "tuf" / "x.page.json").write_bytes(b"{}")
    (town.site / "tuf" / "7.page.json").write_bytes(b"{")
    before = image(town.keys.folder.path)
    assert restore(town.keys, town.site) == []
    assert image(town.keys.folder.path) == before


@pytest.mark.parametrize("key", ["root.key", "targets.key"])
@pytest.mark.parametrize("data", [b"", b"short", bytes(32)])
def test_a_medium_with_damaged_keys_signs_nothing_and_is_named_as_such(
    town: Town, key: str, data: bytes
) -> None:
    renew(town.keys, NOW)
    (town.medium("1") / key).write_bytes(data)
    before = image(town.keys.metadata.path)
    with pytest.raises(Fault, match="damaged"):
        sign_pending(town.keys, town.medium("1"))
    assert image(town.keys.metadata.path) == before
    assert town.approve("2", "3"), "the others are enough"


def test_a_medium_that_goes_signs_its_replacement_and_nothing_else(town: Town) -> None:
    """A root needs those before it; the files that are pinned need only those that stay."""
    new = town.place / "medium-4"
    new.mkdir()
    replace_medium(town.keys, "2", "4", new, NOW, seeded("four"))
    sign_pending(town.keys, town.medium("2"))
    waiting = town.keys.waiting()
    assert (len(waiting["root"].signatures), len(waiting["targets"].signatures)) == (1, 0)
    assert town.approve("1", "4")


def test_a_new_root_counts_only_with_enough_media_of_the_old_one(town: Town) -> None:
    """Medium 1 and the new one are two of the new root, and one of the old: no client follows."""
    new = town.place / "medium-4"
    new.mkdir()
    replace_medium(town.keys, "2", "4", new, NOW, seeded("four"))
    before = image(town.keys.metadata.path)
    assert not town.approve("1", "4")
    assert image(town.keys.metadata.path) == before
    assert town.approve("3")
    town.sign(LATER)
    assert town.check().verdict is Verdict.GENUINE
