"""Signing: any folder, the same bytes each time, and read by Debian's own minisign."""

from __future__ import annotations

import errno
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.campaign.made import LATER, NOW, Town, copy, image, make_town, seeded

from wallflower.campaign import minisign, repository
from wallflower.campaign.edge import sign_folder as signing
from wallflower.campaign.edge import verify_metadata, verify_places
from wallflower.campaign.edge.ceremony_replace import renew
from wallflower.campaign.edge.sign_folder import freshen, sign_folder
from wallflower.campaign.edge.whole import put_whole
from wallflower.campaign.verify import MADE, Verdict
from wallflower.errors import Fault, Refused

ROLES = repository.file_roles(["en", "zh-Hans"])
MINISIGN = shutil.which("minisign")


def debian(town: Town, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a person types, in the bundle's folder."""
    assert MINISIGN, "minisign is missing: apt-get install minisign"
    key = (town.site / "minisign.pub").read_text().splitlines()[1]
    return subprocess.run(
        [MINISIGN, "-Vm", "bundle.manifest", "-x", "bundle.minisig", "-P", key, *arguments],
        cwd=town.site, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def sums(town: Town) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sha256sum", "--strict", "-c", "bundle.manifest"],
        cwd=town.site, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def test_debians_minisign_and_sha256sum_read_the_signature_and_the_list(first: Town) -> None:
    done = debian(first)
    assert done.returncode == 0, done.stderr
    assert "Trusted comment: version 1, signed 2026-11-28" in done.stdout
    assert sums(first).returncode == 0
    listed = {line.split("  ")[1] for line in sums(first).stdout.splitlines() if "  " in line}
    assert not listed
    names = set(minisign.parse_list((first.site / "bundle.manifest").read_bytes()))
    rest = {"bundle.manifest", "bundle.minisig"}
    assert names == {n for n in image(first.site) if not n.startswith("tuf/")} - rest


@pytest.mark.parametrize("name", ["bundle.manifest", "bundle.minisig"])
def test_debians_minisign_refuses_a_turned_bit(town: Town, name: str) -> None:
    path = town.site / name
    data = path.read_bytes()
    path.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    assert debian(town).returncode != 0


def test_sha256sum_names_the_file_that_differs(town: Town) -> None:
    (town.site / "film" / "01").write_bytes(b"other!")
    done = sums(town)
    assert done.returncode == 1
    assert "film/01: FAILED" in done.stdout


def test_what_debians_minisign_signed_is_read(tmp_path: Path) -> None:
    assert MINISIGN, "minisign is missing: apt-get install minisign"
    (tmp_path / "list").write_bytes(b"text")
    for command in ("-G -W -p p -s s", "-S -s s -m list -t hi"):
        arguments = [MINISIGN, *command.split()]
        subprocess.run(arguments, cwd=tmp_path, check=True, capture_output=True, timeout=600)
    public, made = (tmp_path / "p").read_bytes(), (tmp_path / "list.minisig").read_bytes()
    assert minisign.verify_list(public, b"text", made) == "hi"
    with pytest.raises(Refused) as refused:
        minisign.verify_list(public, b"Text", made)
    assert refused.value.rule == "bundle 6.16"


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_are_no_signature_and_no_list(one: bytes, other: bytes) -> None:
    public = minisign.public_file(bytes(32))
    for read in (
        lambda: minisign.verify_list(public, b"", one),
        lambda: minisign.verify_list(one, b"", other), lambda: minisign.parse_list(b"x" + one),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            read()
        assert refused.value.rule == "bundle 6.16"


def test_the_same_keys_files_and_time_give_the_same_bytes(first: Town, tmp_path: Path) -> None:
    again = make_town(tmp_path / "again", seeded("campaign"))
    assert image(again.site) == image(first.site)


def test_signing_again_changes_no_file_of_the_campaign_and_versions_only_rise(town: Town) -> None:
    before = image(town.site)
    town.sign(LATER)
    after = image(town.site)
    same = {n for n in before if n in after and before[n] == after[n]}
    assert {"index.html", "film/00", "pins.json", "tuf/1.film.json", "tuf/1.root.json"} <= same
    assert {n for n in after if n.endswith(("snapshot.json", "page.json"))} == {
        "tuf/2.snapshot.json", "tuf/2.page.json",
    }  # fmt: skip
    assert town.check().verdict is Verdict.GENUINE


def test_what_a_killed_signing_left_half_is_not_signed(town: Town) -> None:
    for name in ("bundle.manifest", "bundle.minisig", "pins.json"):
        (town.site / f"{name}.new").write_bytes(b"half")
    sign_folder(town.site, town.keys, NOW)
    assert not list(town.site.rglob("*.new"))
    assert town.check().verdict is Verdict.GENUINE


def test_a_full_disk_leaves_every_file_of_the_last_signing_whole(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = image(town.site)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as disk, pytest.raises(OSError, match="no space"):
        disk.setattr("wallflower.campaign.edge.whole.os.fsync", full)
        sign_folder(town.site, town.keys, NOW)
    assert image(town.site) == before


def test_a_link_among_the_signed_metadata_is_replaced_and_never_written_through(
    town: Town, tmp_path: Path
) -> None:
    stamp = town.site / "tuf" / "timestamp.json"
    (tmp_path / "elsewhere").write_bytes(b"mine")
    for link in (stamp, stamp.with_name("timestamp.json.new")):
        link.unlink(missing_ok=True)
        link.symlink_to(tmp_path / "elsewhere")
        put_whole(stamp, b"new")
        assert (stamp.read_bytes(), stamp.is_symlink()) == (b"new", False)
    assert (tmp_path / "elsewhere").read_bytes() == b"mine"


def test_a_folder_among_the_signed_metadata_stops_signing_before_it_is_published(
    town: Town,
) -> None:
    (town.site / "tuf" / "old").mkdir()
    before = image(town.site / "tuf")
    with pytest.raises(Fault, match="signing made none"):
        sign_folder(town.site, town.keys, NOW)
    assert image(town.site / "tuf") == before


def test_damaged_metadata_of_ours_is_said_and_nothing_is_signed(town: Town) -> None:
    town.keys.metadata.write("page.json", b"[" * 100_000)
    with pytest.raises(Fault, match=r"damaged|older backup"):
        sign_folder(town.site, town.keys, NOW)


def test_the_timestamp_is_written_last(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes the rest count: who fetches in the middle of it still gets what was before."""
    written, real = list[str](), Path.replace

    def replace(self: Path, to: Path) -> Path:
        if Path(to).parent == town.site / "tuf":
            written.append(Path(to).name)
        return real(self, to)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", replace)
        sign_folder(town.site, town.keys, LATER)
    assert len(written) > 3
    assert written.index("timestamp.json") == len(written) - 1


def test_freshening_promises_again_and_looks_at_no_file(town: Town) -> None:
    late = NOW + timedelta(days=20)
    assert town.check(late).verdict is Verdict.OLD
    freshen(town.site, town.keys, late)
    assert town.check(late).verdict is Verdict.GENUINE
    (town.site / "app.js").write_bytes(b"own()\n")
    freshen(town.site, town.keys, late)
    assert town.check(late).verdict is Verdict.REFUSED


def test_signatures_that_ended_are_made_again_by_signing(town: Town) -> None:
    year = NOW + timedelta(days=364)
    with pytest.raises(Fault, match="has ended"):
        freshen(town.site, town.keys, NOW + timedelta(days=366))
    sign_folder(town.site, town.keys, year)
    assert town.check(year + timedelta(days=10)).verdict is Verdict.OLD  # targets: the media's
    with pytest.raises(Fault, match="keys renew"):
        sign_folder(town.site, town.keys, NOW + timedelta(days=366))


def test_a_role_whose_date_ends_soon_is_signed_again_though_its_files_are_the_same(
    town: Town,
) -> None:
    for days, version in ((300, 1), (310, 2)):
        now = NOW + timedelta(days=days)
        town.sign(now)
        film = town.read("film").signed
        assert film.version == version
        assert film.expires > now + timedelta(days=60)


def test_a_date_alone_does_not_outlive_the_roles_of_files(town: Town) -> None:
    """The media renewed theirs; nobody signed the files again."""
    renew(town.keys, NOW + timedelta(days=300))
    assert town.approve("1", "2")
    before = image(town.site)
    with pytest.raises(Fault, match="signature of film has ended"):
        freshen(town.site, town.keys, NOW + timedelta(days=366))
    assert image(town.site) == before


def test_more_files_than_metadata_may_name_are_not_signed(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing, "METADATA_MAX", 600)
    before = image(town.site / "tuf")
    (town.site / "more").write_bytes(b"more")
    with pytest.raises(Fault, match="too many files"):
        town.sign(LATER)
    assert image(town.site / "tuf") == before


def test_a_folder_is_signed_with_as_many_files_as_a_check_takes_and_no_more(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pins, list and metadata that signing adds to a folder are files, too."""
    count = len(image(town.site))
    for module in (signing, verify_places, verify_metadata):
        monkeypatch.setattr(module, "FILES_MAX", count)
    town.sign(LATER)
    assert town.check().verdict is Verdict.GENUINE
    shutil.rmtree(town.site / "tuf")
    for name in MADE:
        (town.site / name).unlink()
    (town.site / "more").write_bytes(b"more")
    before = image(town.place)
    with pytest.raises(Fault, match="too many files in that folder"):
        town.sign(LATER)
    assert image(town.place) == before


def test_an_empty_folder_is_not_signed(town: Town, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    before = image(town.keys.folder.path)
    with pytest.raises(Fault, match="no file"):
        sign_folder(tmp_path / "empty", town.keys, NOW)
    assert image(town.keys.folder.path) == before
    assert image(tmp_path / "empty") == {}


def test_no_secret_is_signed_for_everybody_to_fetch(town: Town) -> None:
    """Somebody types the folder that everything lies in, or the wrong one."""
    (town.place / "begun").mkdir()
    (town.place / "begun" / "index.html").write_text("<p>film")
    for folder in (".", "keys", "keys/online", "keys/metadata", "medium-1"):
        before = image(town.place)
        with pytest.raises(Fault, match="is secret, and a bundle is for everybody"):
            sign_folder(town.place / folder, town.keys, LATER)
        assert image(town.place) == before
    for name in ("board.key", "a.token", "ceremony.json", "wallflower-medium.json", "tls/own.pem",
                 "campaign.toml"):  # fmt: skip
        path = town.place / "begun" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"secret")
        with pytest.raises(Fault, match=f"{name} is secret"):
            sign_folder(town.place / "begun", town.keys, LATER)
        path.unlink()
    assert sign_folder(town.place / "begun", town.keys, LATER).files > 1


def test_a_page_with_the_pins_of_somebody_else_is_not_signed(town: Town) -> None:
    other = (town.site / "index.html").read_text().replace("Office", "Officer")
    (town.site / "en" / "other.html").write_text(other)
    before = image(town.place)
    with pytest.raises(Refused) as refused:
        town.sign(LATER)
    assert refused.value.rule == "bundle 6.17"
    assert image(town.place) == before


@pytest.mark.parametrize(
    ("name", "role"),
    [("index.html", "page"), ("film/00", "film"), ("film/a/b", "film"), ("film.mp4", "film"),
     ("x/film.mp4", "page"), ("ways.json", "ways"), ("ways/x.png", "ways"), ("en/a", "texts-en"),
     ("texts/zh-Hans/a/b", "texts-zh-Hans"), ("page.en.html", "texts-en"), ("enx/a", "page"),
     ("a/b/c/d/e/f/g/h", "page"), ("bundle.manifest", "page")],
)  # fmt: skip
def test_each_name_has_one_role_that_signs_it(name: str, role: str) -> None:
    assert repository.role_of(name, ROLES) == role


def test_our_reading_of_patterns_is_that_of_the_client(first: Town) -> None:
    delegations = first.read("targets").signed.delegations
    assert list(delegations.roles) == ROLES
    for name in (*image(first.site), "film/x/y", "a.en.b", "q/w/e", "ways", "films/x", "en"):
        mine = repository.role_of(name, ROLES)
        theirs = next(r for r, d in delegations.roles.items() if d.is_delegated_path(name))
        assert mine == theirs, name


def test_a_bundle_that_was_copied_is_as_genuine(first: Town, tmp_path: Path) -> None:
    assert copy(first, tmp_path / "usb").check().verdict is Verdict.GENUINE
