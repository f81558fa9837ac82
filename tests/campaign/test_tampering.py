"""Whatever is done to a copy, it is refused under a number of its own, and nothing is written."""

from __future__ import annotations

import errno
import json
import os
import stat
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.campaign.made import LATER, NOW, PLAN, Folders, Town, copy, image, seeded
from tests.campaign.mirrors import from_mirror, mirror
from tests.campaign.test_attacks import publish
from tuf.api.metadata import TargetFile

from wallflower.campaign import repository
from wallflower.campaign.edge import verify_metadata, verify_places
from wallflower.campaign.edge.ceremony import hold_ceremony
from wallflower.campaign.edge.ceremony_replace import replace_role
from wallflower.campaign.edge.ceremony_sign import prepare
from wallflower.campaign.edge.verify import check, check_file
from wallflower.campaign.edge.verify_metadata import Trust
from wallflower.campaign.edge.verify_places import FolderPlace, ZipPlace, scan
from wallflower.campaign.verify import Report, Verdict, check_name
from wallflower.cli import wallflower
from wallflower.errors import Fault, Refused

# What one turned bit of metadata can break: its JSON, a signature, a key's name, or a hash.
OF_METADATA = {"bundle 6.2", "bundle 6.4", "bundle 6.6", "bundle 6.20", "eightwords 3.1",
               "eightwords 3.3", "bundle 6.1", "bundle 6.3"}  # fmt: skip


def test_one_turned_bit_in_any_file_is_refused_and_named(town: Town) -> None:
    for name, data in sorted(image(town.site).items()):
        for at in {0, len(data) // 2, len(data) - 1}:
            bad = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
            (town.site / name).write_bytes(bad)
            report = town.check()
            if name.startswith("tuf/"):
                # A turned bit in white space or in the order of JSON changes nothing signed.
                assert report.verdict is not Verdict.REFUSED or report.rule in OF_METADATA, name
                assert report.verdict is Verdict.REFUSED or at == len(data) - 1 or _same(bad, data)
            else:
                assert {(d.name, d.rule) for d in report.differs} == {(name, "bundle 6.11")}
        (town.site / name).write_bytes(data)
    assert town.check().verdict is Verdict.GENUINE


def _same(bad: bytes, good: bytes) -> bool:
    return bool(json.loads(bad) == json.loads(good))


def test_a_file_that_is_missing_is_named(town: Town) -> None:
    (town.site / "en" / "how.html").unlink()
    assert [(d.name, d.rule) for d in town.check().differs] == [("en/how.html", "bundle 6.10")]


def test_a_root_of_the_wrong_threshold_is_refused(town: Town) -> None:
    """One medium alone signs a root that asks for one signature only."""
    one = (town.medium("1") / "root.key").read_bytes()

    def lower(signed: Any) -> None:
        signed.version = 2
        signed.roles["root"].threshold = 1

    root = town.read("root")
    lower(root.signed)
    root.signatures.clear()
    repository.sign_with(root, [one])
    (town.site / "tuf" / "2.root.json").write_bytes(repository.encode(root))
    assert town.check().rule == "bundle 6.4"
    # Shown as the first root to somebody who knows the words, it has other words.
    root.signed.version = 1
    root.signatures.clear()
    repository.sign_with(root, [one])
    (town.site / "tuf" / "2.root.json").unlink()
    (town.site / "tuf" / "1.root.json").write_bytes(repository.encode(root))
    assert town.check().rule == "bundle 6.3"


def test_a_root_with_one_signature_of_two_is_refused(town: Town) -> None:
    town.forge("root", lambda s: None, ((town.medium("1") / "root.key").read_bytes(),))
    assert town.check().rule == "bundle 6.4"


def test_a_revoked_key_counts_no_more(town: Town) -> None:
    stolen = town.online("page")
    replace_role(town.keys, "page", NOW, seeded("new page key"))
    assert town.approve("2", "3")
    town.sign(LATER)
    assert town.check().verdict is Verdict.GENUINE
    publish(town, "page", lambda s: setattr(s, "version", 9), stolen)
    assert town.check().rule == "bundle 6.20"


def test_unreadable_metadata_is_refused(town: Town) -> None:
    for data in (b"", b"[]", b"{" * 5000, b'{"signed":{},"signatures":[]}', b"\xff"):
        town.metadata("timestamp").write_bytes(data)
        assert town.check().rule == "bundle 6.2"


def test_metadata_of_another_version_of_tuf_is_refused(town: Town) -> None:
    value = json.loads(town.metadata("timestamp").read_bytes())
    value["signed"]["spec_version"] = "2.0.0"
    town.metadata("timestamp").write_text(json.dumps(value))
    assert town.check().rule == "bundle 6.2"


@settings(max_examples=30)
@given(data=st.binary(max_size=300), role=st.sampled_from(["root", "timestamp", "page"]))
def test_any_bytes_for_metadata_are_refused_by_a_number(
    first: Town, tmp_path_factory: pytest.TempPathFactory, data: bytes, role: str
) -> None:
    town = copy(first, tmp_path_factory.mktemp("fuzz"))
    town.metadata(role).write_bytes(data)
    assert town.check().rule in OF_METADATA | {"bundle 6.8"}


@pytest.mark.parametrize(
    ("how", "rule"),
    [("short", "bundle 6.10"), ("dripping", "bundle 6.9"), ("silent", "bundle 6.9"),
     ("headless", "bundle 6.9"), ("endless", "bundle 6.8"), ("elsewhere", "bundle 6.10")],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/tuf/timestamp.json", "/film/00"])
def test_a_mirror_that_cheats_on_the_way_is_refused_by_its_reason(
    first: Town, how: str, rule: str, path: str
) -> None:
    # Tight only where slowness is the point: elsewhere a busy machine must not look like a thief.
    slow = {"head_s": 0.5, "gap_s": 0.5, "grace_s": 0.1}
    limits = slow if rule == "bundle 6.9" else {}
    with mirror(first.site, {path: how}) as url:
        report = from_mirror(first, url, limits)
    assert report.verdict is Verdict.REFUSED
    assert report.rule == rule


def test_what_is_larger_than_anything_may_be_is_refused(town: Town, tmp_path: Path) -> None:
    with (town.site / "film" / "02").open("wb") as file:
        file.truncate((1 << 30) + 1)  # sparse: takes no disk
    with pytest.raises(Refused) as refused:
        scan(town.site)
    assert refused.value.rule == "bundle 6.8"


def test_nothing_is_unpacked_that_a_mirror_packed_unasked(first: Town) -> None:
    """A few bytes of such an answer could be gigabytes."""
    for path, rule in (("/tuf/timestamp.json", "bundle 6.2"), ("/film/00", "bundle 6.11")):
        with mirror(first.site, {path: "packed"}) as url:
            assert from_mirror(first, url).rule == rule


def test_more_files_than_there_may_be_are_refused_in_folders_zips_and_targets(
    first: Town, packed_town: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_metadata, "FILES_MAX", 5)
    assert first.check().rule == "bundle 6.8"
    monkeypatch.setattr(verify_places, "FILES_MAX", 5)
    for look in (lambda: scan(first.site), lambda: ZipPlace(BytesIO(packed_town))):
        with pytest.raises(Refused) as refused:
            look()
        assert refused.value.rule == "bundle 6.8"


def test_a_check_tells_a_mirror_nothing_and_goes_by_nobody_else(
    first: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No cookie comes back, no program is named, and a proxy of the surroundings is not asked."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    heads: list[dict[str, str]] = []
    with mirror(first.site, heads=heads) as url:
        # By a name: cookies of bare addresses are dropped by everybody.
        report = from_mirror(first, url.replace("127.0.0.1", "localhost"))
    assert report.verdict is Verdict.GENUINE
    assert len(heads) > 10
    assert set().union(*heads) <= {"host", "accept", "connection"}, heads[-1]
    assert len({head["accept"] for head in heads}) == 1


def test_a_file_that_is_signed_as_larger_than_any_may_be_is_not_asked_for(town: Town) -> None:
    def take(signed: Any) -> None:
        signed.version = 2
        signed.targets["app.js"].length = (1 << 30) + 1

    publish(town, "page", take, town.online("page"))
    assert town.check().rule == "bundle 6.8"


def zipped(path: Path, files: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in files.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            change(member)
            out.writestr(member, data)
    return path


def nothing(_: zipfile.ZipInfo) -> None:
    """Leave a member as it is."""


def of_zip(town: Town, path: Path, **more: Any) -> Report:
    try:
        place = ZipPlace(path)
    except Refused as refused:
        return Report(Verdict.REFUSED, refused.rule)
    try:
        return check(place, Trust(words=town.words), LATER, **more)
    finally:
        place.close()


@pytest.mark.parametrize("top", ["", "bundle/", "片/"])
def test_a_whole_zip_is_genuine_and_is_never_unpacked(
    first: Town, tmp_path: Path, top: str
) -> None:
    files = {f"{top}{name}": data for name, data in image(first.site).items()}
    path = zipped(tmp_path / "bundle.zip", files, nothing)
    assert of_zip(first, path).verdict is Verdict.GENUINE
    assert [p.name for p in tmp_path.iterdir()] == ["bundle.zip"]


@pytest.mark.parametrize(
    "name",
    ["../evil", "a/../../evil", "/etc/evil", "a//b", "./a", "C:\\evil", "a\\..\\b", "a/./b",
     "a\x00b", "a\nb", " a", "a /b", "x" * 201, "/".join("abcdefghi"), "e\u0301", "a\u202eb"],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused_in_a_zip_and_in_targets(
    town: Town, tmp_path: Path, name: str
) -> None:
    with pytest.raises(Refused) as refused:
        check_name(name)
    assert refused.value.rule == "bundle 6.12"
    if "\x00" not in name:  # the format of ZIP ends a name there
        path = zipped(tmp_path / "b.zip", {**image(town.site), name: b"evil"}, nothing)
        assert of_zip(town, path, keep=tmp_path / "kept" / "copy").rule == "bundle 6.12"

    def take(signed: Any) -> None:
        signed.version = 2
        signed.targets[name] = TargetFile.from_data(name, b"evil", ["sha256"])

    publish(town, "page", take, town.online("page"))
    report = check(
        FolderPlace(town.site), Trust(words=town.words), LATER, tmp_path / "kept" / "copy"
    )
    assert report.rule == "bundle 6.12"
    assert not (tmp_path / "kept").exists()
    assert not list(tmp_path.rglob("evil"))


def test_metadata_cannot_be_a_target(town: Town) -> None:
    def take(signed: Any) -> None:
        signed.version = 2
        signed.targets["tuf/9.root.json"] = TargetFile.from_data("x", b"evil", ["sha256"])

    publish(town, "page", take, town.online("page"))
    assert town.check().rule == "bundle 6.12"


@settings(max_examples=300)
@given(st.text(max_size=30))
def test_any_name_is_refused_or_stays_inside(name: str) -> None:
    try:
        check_name(name)
    except Refused as refused:
        assert refused.rule == "bundle 6.12"
        return
    inside = os.path.normpath(f"/inside/{name}")
    assert inside == f"/inside/{name}"


def test_a_damaged_zip_is_refused(town: Town, tmp_path: Path) -> None:
    whole = zipped(tmp_path / "b.zip", image(town.site), nothing)
    data = whole.read_bytes()
    for cut in (0, 1, len(data) // 2, len(data) - 30):
        (tmp_path / "cut.zip").write_bytes(data[:cut])
        assert of_zip(town, tmp_path / "cut.zip").rule == "bundle 6.14"
    at = data.index(b"moving ") if b"moving " in data else len(data) // 2
    (tmp_path / "turned.zip").write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    assert of_zip(town, tmp_path / "turned.zip").verdict is Verdict.REFUSED


@pytest.fixture(scope="module")
def packed_town(first: Town, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bundle as a ZIP whose members are small, so that most of it is the format's own."""
    path = tmp_path_factory.mktemp("packed") / "b.zip"
    return zipped(path, image(first.site), nothing).read_bytes()


@settings(max_examples=60)
@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)),
                        min_size=1, max_size=3), end=st.booleans())  # fmt: skip
def test_any_change_of_a_zip_is_refused_or_changes_nothing_in_it(
    first: Town, packed_town: bytes, changes: list[tuple[float, int]], end: bool
) -> None:
    """The directory of a ZIP is at its end, where most of what a reader can stumble over lies."""
    data = bytearray(packed_town)
    begin = data.index(b"PK\x01\x02") if end else 0
    for place, turn in changes:
        data[begin + int(place * (len(data) - begin))] ^= turn
    try:
        opened = ZipPlace(BytesIO(bytes(data)))
    except Refused as refused:
        assert refused.rule in {"bundle 6.8", "bundle 6.12", "bundle 6.13", "bundle 6.14"}
        return
    report = check(opened, Trust(words=first.words), LATER)
    if report.verdict is not Verdict.GENUINE:
        assert report.verdict is Verdict.REFUSED
        assert report.rule.startswith(("bundle 6.", "eightwords 3."))
        return
    held = {name: opened.download_bytes(f"{opened.base}{name}", 1 << 20) for name in opened.names()}
    assert held == image(first.site)


@pytest.mark.parametrize(("at", "data"), [(6, b"\xff"), (10, b"\x0e"), (28, b"\0\0"), (8, b"\x40")])
def test_a_zip_that_python_does_not_read_is_refused(
    first: Town, packed_town: bytes, at: int, data: bytes
) -> None:
    """A version, a way of packing, a name without a letter, and strong encryption."""
    place = packed_town.index(b"PK\x01\x02") + at
    turned = packed_town[:place] + data + packed_town[place + len(data) :]
    try:
        report = check(ZipPlace(BytesIO(turned)), Trust(words=first.words), LATER)
    except Refused as refused:
        assert refused.rule in {"bundle 6.12", "bundle 6.14"}
        return
    assert report.verdict is Verdict.REFUSED


def test_a_zip_that_hides_a_file_or_has_one_twice_is_refused(town: Town, tmp_path: Path) -> None:
    path = zipped(tmp_path / "b.zip", image(town.site), nothing)
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\x01\x02")
    local = int.from_bytes(data[entry + 42 : entry + 46], "little")
    data[entry + 8] |= 1
    data[local + 6] |= 1
    (tmp_path / "encrypted.zip").write_bytes(data)
    assert of_zip(town, tmp_path / "encrypted.zip").rule == "bundle 6.14"
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as out:
        out.writestr("app.js", b"own()\n")
    assert of_zip(town, path).rule == "bundle 6.14"


def test_a_zip_that_would_unpack_to_very_much_is_refused(town: Town, tmp_path: Path) -> None:
    path = zipped(tmp_path / "b.zip", {**image(town.site), "x": bytes(10_000_000)}, nothing)
    assert path.stat().st_size < 100_000
    assert of_zip(town, path).rule == "bundle 6.8"


def test_the_list_and_its_minisign_signature_are_checked_too(town: Town) -> None:
    """Who has all online keys but minisign's cannot make the list fit."""
    (town.site / "bundle.manifest").write_bytes(b"")

    def take(signed: Any) -> None:
        signed.version = 2
        name = "bundle.manifest"
        signed.targets[name] = TargetFile.from_data(name, b"", ["sha256"])

    publish(town, "page", take, town.online("page"))
    assert [(d.name, d.rule) for d in town.check().differs] == [("bundle.minisig", "bundle 6.16")]


def test_one_file_is_found_by_its_content_alone(first: Town, tmp_path: Path) -> None:
    renamed = tmp_path / "from a messenger.html"
    renamed.write_bytes((first.site / "index.html").read_bytes())
    trust = Trust(words=first.words)
    assert check_file(renamed, FolderPlace(first.site), trust, LATER).verdict is Verdict.GENUINE
    renamed.write_bytes(renamed.read_bytes() + b" ")
    report = check_file(renamed, FolderPlace(first.site), trust, LATER)
    assert (report.verdict, report.rule) == (Verdict.REFUSED, "bundle 6.18")


def test_a_copy_that_is_kept_is_the_whole_bundle_and_replaces_nothing(
    first: Town, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    trust = Trust(words=first.words)
    assert check(FolderPlace(first.site), trust, LATER, kept).verdict is Verdict.GENUINE
    assert image(kept) == image(first.site)
    (kept / "app.js").write_bytes(b"mine")
    with pytest.raises(Fault, match="there already"):
        check(FolderPlace(first.site), trust, LATER, kept)
    assert (kept / "app.js").read_bytes() == b"mine"


def test_nothing_of_a_refused_bundle_is_kept(town: Town, tmp_path: Path) -> None:
    (town.site / "app.js").write_bytes(b"own()\n")
    kept = tmp_path / "new" / "kept"
    assert check(FolderPlace(town.site), Trust(), LATER, kept).verdict is Verdict.REFUSED
    assert not kept.parent.exists()


def test_nothing_is_kept_of_a_bundle_that_has_a_file_too_many(town: Town, tmp_path: Path) -> None:
    (town.site / "extra.js").write_bytes(b"own()\n")
    kept = tmp_path / "new" / "kept"
    assert check(FolderPlace(town.site), Trust(), LATER, kept).verdict is Verdict.REFUSED
    assert not kept.parent.exists()


def test_a_copy_is_kept_over_nothing_that_is_there(town: Town, tmp_path: Path) -> None:
    file, folder = tmp_path / "file", tmp_path / "folder"
    file.write_bytes(b"mine")
    folder.mkdir()
    for there in (file, folder):
        with pytest.raises(Fault, match="is there already"):
            check(FolderPlace(town.site), Trust(words=town.words), LATER, there)
    with pytest.raises(Fault, match="could not be written"):
        check(FolderPlace(town.site), Trust(words=town.words), LATER, file / "copy")
    typed = ["verify", str(town.site), "--words", town.words, "--keep", str(file)]
    refused = CliRunner().invoke(wallflower, typed)
    assert (refused.exit_code, "is a file" in refused.output) == (2, True)
    assert (file.read_bytes(), list(folder.iterdir())) == (b"mine", [])


def test_a_check_that_was_not_asked_to_keep_anything_leaves_nothing(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the folder of the account, nor where temporary files lie."""
    places = {name: tmp_path / name for name in ("home", "scratch", "here")}
    for place in places.values():
        place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(places["scratch"]))
    monkeypatch.setenv("HOME", str(places["home"]))
    monkeypatch.chdir(places["here"])
    assert town.check().verdict is Verdict.GENUINE
    (town.site / "app.js").write_bytes(b"own()\n")
    assert town.check().verdict is Verdict.REFUSED
    assert [left for place in places.values() for left in place.iterdir()] == []


def test_what_was_seen_before_but_never_compared_is_still_said_to_be(
    first: Town, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    for words, verdict in (
        ("", Verdict.UNCOMPARED), ("", Verdict.UNCOMPARED), (first.words, Verdict.GENUINE),
        ("", Verdict.GENUINE),
    ):  # fmt: skip
        assert first.check(words=words, remember=seen).verdict is verdict


def test_a_root_file_that_was_kept_stands_for_the_words(first: Town, tmp_path: Path) -> None:
    root = (first.site / "tuf" / "1.root.json").read_bytes()
    assert first.check(words="", root=root).verdict is Verdict.GENUINE


def test_a_damaged_root_of_ones_own_says_nothing_of_the_copy(first: Town, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    assert first.check(remember=seen).verdict is Verdict.GENUINE
    (seen / "root.json").unlink()
    (seen / "root.json").write_bytes(b"{")
    before = image(seen)
    for trust in ({"remember": seen}, {"root": b"no root"}):
        with pytest.raises(Fault, match="no root file") as fault:
            first.check(**trust)
        assert not isinstance(fault.value, Refused)
    assert image(seen) == before


def test_the_name_that_a_stranger_gives_himself_cannot_drive_a_terminal(tmp_path: Path) -> None:
    town = Town(tmp_path)
    plan = replace(PLAN, organisation="plain")
    found = hold_ceremony(town.keys, Folders(tmp_path, plan), NOW, seeded("stranger"))
    evil = replace(found, plan=replace(plan, organisation="\x1b[2JGENUINE\u202e"))
    prepare(town.keys, evil, NOW, ("targets",))
    assert town.approve("1", "2")
    town.site.mkdir()
    (town.site / "a").write_bytes(b"a")
    town.sign()
    assert town.check(words="").organisation == "[2JGENUINE"


def test_words_that_were_compared_with_nothing_are_said_to_be(first: Town) -> None:
    report = first.check(words="")
    assert (report.verdict, report.exit) == (Verdict.UNCOMPARED, 4)
    assert report.words == first.words
    assert first.check(words="abandon " * 8).rule == "bundle 6.3"


def test_a_folder_that_cannot_be_listed_is_not_called_whole(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever opens the copy with other rights sees what the check did not."""
    (town.site / "more").mkdir()
    (town.site / "more" / "index.html").write_bytes(b"evil")
    listed = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("more"):
            raise PermissionError(errno.EACCES, "no", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(PermissionError):
        town.check()


@pytest.mark.parametrize("name", ["index.html", "tuf/timestamp.json"])
def test_a_copy_of_which_a_file_may_not_be_read_is_not_called_another_one(
    town: Town, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    opened = os.open

    def refuse(path: Path, *rest: Any, **named: Any) -> int:
        if str(path).endswith(name):
            raise PermissionError(errno.EACCES, "no", str(path))
        return opened(path, *rest, **named)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(PermissionError):
        town.check()


def test_a_file_without_an_end_is_refused_at_once(first: Town, tmp_path: Path) -> None:
    """A sparse file takes no room on a stick, and hours to read."""
    huge = tmp_path / "film.mp4"
    with huge.open("wb") as file:
        file.truncate(1 << 42)
    began = time.process_time()
    report = check_file(huge, FolderPlace(first.site), Trust(first.words), LATER)
    assert report.rule == "bundle 6.18"
    assert time.process_time() - began < 10
