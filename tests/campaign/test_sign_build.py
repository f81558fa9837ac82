"""What leaves a build by hand is checked without a network: the ZIP, one file, a film, a card."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from tests.authoring.conftest import FILM
from tests.campaign.made import LATER, NOW, Town, copy, image, make_town, seeded
from tests.campaign.mirrors import from_mirror, mirror
from tests.campaign.test_attacks import publish
from tests.campaign.test_sign import MINISIGN
from tuf.api.metadata import TargetFile

from wallflower.campaign import minisign, repository
from wallflower.campaign.edge.authoring import new_campaign, read_campaign
from wallflower.campaign.edge.build import packaged_page
from wallflower.campaign.edge.ceremony_replace import replace_role
from wallflower.campaign.edge.shapes import build_bundle, packed
from wallflower.campaign.edge.sign_build import build_of, freshen_build, sign_build
from wallflower.campaign.edge.sign_folder import freshen, sign_folder
from wallflower.campaign.edge.verify import check, check_file
from wallflower.campaign.edge.verify_metadata import Trust
from wallflower.campaign.edge.verify_places import FolderPlace, ZipPlace
from wallflower.campaign.papers import cut, with_papers
from wallflower.campaign.verify import Report, Verdict
from wallflower.cli import wallflower
from wallflower.crypto.derive import sha256
from wallflower.errors import Fault, Refused

CARRIED = {
    "carried.html",
    "carried.mp4",
    *(f"{c}.txt" for c in ("en", "es", "fa", "ru", "zh-Hans")),
}


class Built(Town):
    """A town whose site is that of a build beside it."""

    @property
    def site(self) -> Path:
        return self.place / "bundle" / "site"


@pytest.fixture(scope="session")
def built(first: Town, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The example campaign as it was built, with a film and a card, and signed; nobody changes
    it."""
    town = Built(copy(first, tmp_path_factory.mktemp("built") / "town").place)
    new_campaign(town.place / "office")
    build = town.place / "bundle"
    pins = town.keys.ceremony().pins()
    authored = replace(read_campaign(town.place / "office"), films=(), film=FILM, carried_film=FILM)
    build_bundle(authored, pins, packaged_page(), build, "main", lambda text, _: [])
    for name in ("films/240p.mp4", "cards/en-1.png"):
        (build / name).parent.mkdir(exist_ok=True)
        (build / name).write_bytes(name.encode())
    assert check_zip(town).rule == "bundle 6.1", "a ZIP that nobody signed is none that is signed"
    sign_build(build, town.keys, NOW)
    return town


@pytest.fixture
def made(built: Built, tmp_path: Path) -> Built:
    """A copy of one's own."""
    return again(built, tmp_path / "made")


def again(town: Built, place: Path) -> Built:
    return Built(copy(town, place).place)


def build(town: Town) -> Path:
    return town.place / "bundle"


def page(town: Town) -> Path:
    return build(town) / "carried" / "carried.html"


def check_zip(town: Town, path: Path | None = None, now: Any = LATER, **trust: Any) -> Report:
    try:
        place = ZipPlace(path or build(town) / "carry.zip")
    except Refused as refused:
        return Report(Verdict.REFUSED, refused.rule)
    try:
        return check(place, Trust(**{"words": town.words, **trust}), now)
    finally:
        place.close()


def members(town: Town) -> dict[str, bytes]:
    with zipfile.ZipFile(build(town) / "carry.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def typed(town: Town, what: Path, *more: str) -> Result:
    command = ["verify", str(what), "--words", town.words, "--json", *more]
    return CliRunner().invoke(wallflower, command)


def said(done: Result) -> tuple[str, str]:
    report = json.loads(done.stdout)
    return report["verdict"], report["rule"]


def test_the_zip_is_checked_alone_and_offline(built: Built) -> None:
    report = check_zip(built)
    assert (report.verdict, report.parts) == (Verdict.GENUINE, ("carried",)), report
    assert report.files == len(CARRIED) + 1  # and the pins
    assert {n for n in members(built) if not n.startswith("tuf/")} == {*CARRIED, "pins.json"}
    done = CliRunner().invoke(
        wallflower, ["verify", str(build(built) / "carry.zip"), "--words", built.words]
    )
    assert done.exit_code in (0, 3), done.output
    assert "It is: the whole copy to carry by hand\n" in done.output


def test_a_check_says_which_languages_no_reader_has_checked(made: Built) -> None:
    """Nobody has checked the example's; then a reader has checked two."""
    everyone = ("en", "es", "fa", "ru", "zh-Hans")
    reports = [made.check(), check_zip(made), alone(made, page(made).read_bytes())]
    assert [report.unreviewed for report in reports] == [everyone] * 3
    done = CliRunner().invoke(wallflower, ["verify", str(made.site), "--words", made.words])
    assert "No reader has checked its text in: en, es, fa, ru, zh-Hans" in done.output
    for path in (made.site / "index.html", page(made)):
        text = cut(path.read_bytes())[0].decode()
        path.write_text(re.sub(r"(unreviewed&#34;: *)\[[^\]]*\]", r"\1[&#34;fa&#34;,3]", text))
    carried = {**members(made), "carried.html": page(made).read_bytes()}
    (build(made) / "carry.zip").write_bytes(packed(carried))
    sign_build(build(made), made.keys, NOW)
    reports = [made.check(), check_zip(made), alone(made, page(made).read_bytes())]
    assert [report.unreviewed for report in reports] == [("fa",)] * 3


def test_an_unpacked_zip_is_checked_as_a_folder(built: Built, tmp_path: Path) -> None:
    with zipfile.ZipFile(build(built) / "carry.zip") as archive:
        archive.extractall(tmp_path / "stick")
    report = check(FolderPlace(tmp_path / "stick"), Trust(words=built.words), LATER)
    assert (report.verdict, report.parts) == (Verdict.GENUINE, ("carried",))
    kept = tmp_path / "kept"
    check(FolderPlace(tmp_path / "stick"), Trust(words=built.words), LATER, kept)
    assert image(kept) == image(tmp_path / "stick")


def test_one_file_alone_is_checked_by_its_own_papers(built: Built, tmp_path: Path) -> None:
    alone = tmp_path / "from a messenger (2).html"
    alone.write_bytes(page(built).read_bytes())
    done = typed(built, alone)
    assert said(done) in (("genuine", ""), ("old", "bundle 6.7")), done.output
    assert json.loads(done.stdout)["file"] == "carried.html"
    other = CliRunner().invoke(wallflower, ["verify", str(alone), "--words", "abandon " * 8])
    assert other.exit_code == 1
    assert "bundle 6.3" in other.output
    unsure = CliRunner().invoke(wallflower, ["verify", str(alone)])
    assert unsure.exit_code in (3, 4)
    assert f"The eight words: {built.words}" in unsure.output


def alone(town: Town, data: bytes, now: Any = LATER) -> Report:
    """What a check says of one file with papers, at a moment."""
    path = town.place / "alone.html"
    path.write_bytes(data)
    place = ZipPlace(BytesIO(cut(data)[1]))
    try:
        return check_file(path, place, Trust(words=town.words), now)
    finally:
        place.close()


def test_one_file_tells_how_old_its_papers_are(made: Built) -> None:
    data = page(made).read_bytes()
    assert alone(made, data).verdict is Verdict.GENUINE
    report = alone(made, data, NOW + timedelta(days=15))
    assert (report.verdict, report.rule, report.exit) == (Verdict.OLD, "bundle 6.7", 3)


def test_one_turned_bit_of_one_file_is_refused_wherever_it_is(made: Built) -> None:
    body, papers = cut(page(made).read_bytes())
    for at in (0, len(body) // 2, len(body) - 1):
        turned = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        assert alone(made, with_papers(turned, papers)).rule == "bundle 6.18"
    for at in range(0, len(papers), 97):
        turned = papers[:at] + bytes([papers[at] ^ 1]) + papers[at + 1 :]
        try:
            report = alone(made, with_papers(body, turned))
        except Refused as refused:
            assert refused.rule in {"bundle 6.12", "bundle 6.13", "bundle 6.14", "bundle 6.8"}
            continue
        whole = _read(papers) == _read(turned)  # a date, say, is no part of what is signed
        assert (report.verdict is Verdict.REFUSED) != whole, at


def _read(papers: bytes) -> dict[str, bytes] | None:
    try:
        with zipfile.ZipFile(BytesIO(papers)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, RuntimeError):
        return None


@pytest.mark.parametrize("added", [b"<p>evil", b"-->", b"\n", b"<!--x-->\n"])
def test_nothing_can_be_put_behind_or_before_the_papers(made: Built, added: bytes) -> None:
    data = page(made).read_bytes()
    path = made.place / "alone.html"
    path.write_bytes(data + added)
    assert isinstance(typed(made, path).exception, Fault), "what is behind takes the papers away"
    done = typed(made, path, "--bundle", str(build(made) / "carry.zip"))
    assert said(done) == ("refused", "bundle 6.18")
    body, papers = cut(data)
    assert alone(made, with_papers(body + added, papers)).rule == "bundle 6.18"


def test_a_file_without_papers_is_told_how_to_be_checked(made: Built, tmp_path: Path) -> None:
    path = tmp_path / "carried.html"
    path.write_bytes(cut(page(made).read_bytes())[0])
    fault = typed(made, path).exception
    assert isinstance(fault, Fault)
    assert f"wallflower verify {path} --bundle" in fault.next_step
    for bundle in (build(made) / "carry.zip", build(made) / "site", page(made)):
        done = typed(made, path, "--bundle", str(bundle))
        assert done.exit_code in (0, 3), done.output


@given(st.binary(max_size=300), st.binary(min_size=1, max_size=300))
def test_papers_come_off_as_they_were_put_on(body: bytes, papers: bytes) -> None:
    once = with_papers(body, papers)
    assert cut(once)[1] == papers
    assert with_papers(once, papers) == once
    if b"wallflower-papers" not in body:
        assert cut(once)[0] == body
        assert cut(body) == (body, b"")


def test_a_turned_bit_or_a_missing_file_of_the_zip_is_named(made: Built, tmp_path: Path) -> None:
    files = members(made)
    path = tmp_path / "b.zip"
    for name in sorted({*CARRIED, "pins.json"}):
        for at in (0, len(files[name]) // 2):
            data = files[name]
            turned = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
            path.write_bytes(packed({**files, name: turned}))
            found = {(d.name, d.rule) for d in check_zip(made, path).differs}
            assert found == {(name, "bundle 6.11")}, found
        path.write_bytes(packed({n: d for n, d in files.items() if n != name}))
        found = {(d.name, d.rule) for d in check_zip(made, path).differs}
        assert found == {(name, "bundle 6.10")}
    for name in (n for n in files if n.startswith("tuf/")):
        path.write_bytes(packed({n: d for n, d in files.items() if n != name}))
        report = check_zip(made, path)
        assert report.verdict is Verdict.REFUSED or name.endswith(("1.root.json",)), name


def test_who_holds_one_file_of_a_part_has_to_hold_all(made: Built, tmp_path: Path) -> None:
    shutil.copyfile(page(made), made.site / "carried.html")
    report = made.check()
    assert {d.rule for d in report.differs} == {"bundle 6.10"}
    assert {d.name for d in report.differs} == CARRIED - {"carried.html"}
    path = tmp_path / "b.zip"
    path.write_bytes(packed({**members(made), "app.js": (made.site / "app.js").read_bytes()}))
    differs = {d.name: d.rule for d in check_zip(made, path).differs}
    assert differs["index.html"] == "bundle 6.10"
    nothing = {n: d for n, d in members(made).items() if n.startswith("tuf/") or n == "pins.json"}
    path.write_bytes(packed(nothing))
    assert {d.rule for d in check_zip(made, path).differs} == {"bundle 6.10"}


def _link(member: zipfile.ZipInfo) -> None:
    member.external_attr = (stat.S_IFLNK | 0o777) << 16


def _plain(_: zipfile.ZipInfo) -> None:
    """A file like any other."""


@pytest.mark.parametrize(
    ("name", "data", "change", "rule"),
    [("../evil", b"evil", _plain, "bundle 6.12"), ("/evil", b"evil", _plain, "bundle 6.12"),
     ("evil", b"/etc/passwd", _link, "bundle 6.19"), ("evil", bytes(9 << 20), _plain, "bundle 6.8"),
     ("evil", b"evil", _plain, "bundle 6.19")],
)  # fmt: skip
@pytest.mark.parametrize("papers", [False, True])
def test_what_does_not_belong_into_a_zip_or_into_papers_is_refused(
    made: Built, name: str, data: bytes, change: Callable[[zipfile.ZipInfo], None], rule: str,
    papers: bool,
) -> None:  # fmt: skip
    body, own = cut(page(made).read_bytes())
    raw = BytesIO(own if papers else (build(made) / "carry.zip").read_bytes())
    with zipfile.ZipFile(raw, "a") as archive:
        member = zipfile.ZipInfo(name)
        member.compress_type = zipfile.ZIP_DEFLATED
        change(member)
        archive.writestr(member, data)
    before = image(made.place)
    path = made.place / ("alone.html" if papers else "evil.zip")
    path.write_bytes(with_papers(body, raw.getvalue()) if papers else raw.getvalue())
    done = typed(made, path)
    if papers and rule == "bundle 6.19":
        assert said(done)[0] in ("genuine", "old"), "papers say what they say, and no more is read"
    elif rule == "bundle 6.19":
        assert [d["rule"] for d in json.loads(done.stdout)["differs"]] == [rule]
    else:
        assert said(done) == ("refused", rule)
    path.unlink()
    assert image(made.place) == before


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.999])
def test_a_download_that_broke_off_is_not_genuine(made: Built, keep: float) -> None:
    for file in (build(made) / "carry.zip", page(made)):
        data = file.read_bytes()
        cut_off = made.place / f"part{file.suffix}"
        cut_off.write_bytes(data[: int(len(data) * keep)])
        done = typed(made, cut_off)
        if file.suffix == ".zip":
            assert said(done) == ("refused", "bundle 6.14")
        else:
            assert isinstance(done.exception, Fault)
            assert said(typed(made, cut_off, "--bundle", str(file)))[1] == "bundle 6.18"


def test_the_same_build_keys_and_moment_give_the_same_bytes(built: Built, tmp_path: Path) -> None:
    towns = again(built, tmp_path / "one"), again(built, tmp_path / "two")
    for town in towns:
        sign_build(build(town), town.keys, LATER)
    one, two = (image(build(town)) for town in towns)
    assert one == two
    assert cut(one["carried/carried.html"])[0] == cut(page(built).read_bytes())[0]
    assert check_zip(towns[0]).version == check_zip(built).version + 1


def test_a_site_onion_and_mirror_are_whole_without_what_is_handed_out(made: Built) -> None:
    for folder in (made.site, build(made) / "onion" / "site"):
        report = check(FolderPlace(folder), Trust(words=made.words), LATER)
        assert (report.verdict, report.parts) == (Verdict.GENUINE, ("site",))
    with mirror(made.site) as url:
        report = from_mirror(made, url)
        assert (report.verdict, report.parts) == (Verdict.GENUINE, ("site",))
        (made.site / "carried.html").write_bytes(b"evil")
        report = from_mirror(made, url)
    assert {d.name: d.rule for d in report.differs}["carried.html"] == "bundle 6.11"


def test_a_date_alone_is_renewed_everywhere(made: Built) -> None:
    late = NOW + timedelta(days=20)
    before = image(build(made))
    freshen_build(build(made), made.keys, late)
    for report in (
        made.check(late), check_zip(made, now=late), alone(made, page(made).read_bytes(), late),
        check(FolderPlace(build(made) / "onion" / "site"), Trust(words=made.words), late),
    ):  # fmt: skip
        assert report.verdict is Verdict.GENUINE, report
    after = image(build(made))
    new = {n for n in after if before.get(n) != after[n]}
    assert {n for n in new if "/tuf/" not in n} == {
        "SHA256SUMS", "carry.zip", "carry.zip.minisig", "carried/carried.html",
        "carried/carried.html.minisig",
    }  # fmt: skip


def test_a_date_alone_is_not_put_to_what_was_not_signed_last(made: Built, first: Town) -> None:
    other = copy(first, made.place / "other")
    before = image(other.site)
    with pytest.raises(Fault, match="signed last") as fault:
        freshen(other.site, made.keys, LATER)
    assert f"wallflower campaign sign {other.site} --keys" in fault.value.next_step
    assert image(other.site) == before
    replace_role(made.keys, "page", NOW, seeded("page"))
    assert made.approve("1", "2")
    with pytest.raises(Fault, match="signed last"):
        freshen_build(build(made), made.keys, LATER)
    sign_build(build(made), made.keys, LATER)
    assert check_zip(made).verdict is Verdict.GENUINE


def test_what_a_build_says_of_its_files_is_true_after_signing(made: Built) -> None:
    done = subprocess.run(
        ["sha256sum", "--strict", "--quiet", "-c", "SHA256SUMS"],
        cwd=build(made), capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    listed = minisign.parse_list((build(made) / "SHA256SUMS").read_bytes())
    assert set(listed) == set(image(build(made))) - {"SHA256SUMS"}


@pytest.mark.parametrize("name", ["carry.zip", "carried/carried.html"])
def test_debians_minisign_reads_the_signature_of_what_is_handed_out(made: Built, name: str) -> None:
    assert MINISIGN, "minisign is missing: apt-get install minisign"
    key = (made.site / "minisign.pub").read_text().splitlines()[1]
    file = build(made) / name

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [MINISIGN or "", "-Vm", file.name, "-P", key],
            cwd=file.parent, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip

    done = run()
    assert done.returncode == 0, done.stderr
    assert f"Trusted comment: version {check_zip(made).version}, signed 2026-11-28" in done.stdout
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert run().returncode != 0


@pytest.mark.parametrize("name", ["films/240p.mp4", "cards/en-1.png"])
def test_a_film_or_a_card_alone_is_checked_against_any_copy(made: Built, name: str) -> None:
    file = build(made) / name
    for bundle in (build(made) / "carry.zip", page(made), made.site):
        done = typed(made, file, "--bundle", str(bundle))
        assert json.loads(done.stdout)["file"] == name
        assert done.exit_code in (0, 3)
    file.write_bytes(b"other words")
    assert said(typed(made, file, "--bundle", str(page(made)))) == ("refused", "bundle 6.18")


def _other_page(town: Built) -> None:
    page(town).write_bytes(page(town).read_bytes().replace(b"<video", b"<img src=x>", 1) + b"x")


def _other_zip(town: Built) -> None:
    (build(town) / "carry.zip").write_bytes(packed({**members(town), "carried.mp4": b"other"}))


def _other_onion(town: Built) -> None:
    (build(town) / "onion" / "site" / "extra.js").write_bytes(b"//")


def _same_name(town: Built) -> None:
    (town.site / "en.txt").write_bytes(b"text")


def _other_pins(town: Built) -> None:
    pin = town.keys.ceremony().pins().a.hex().encode()
    evil = cut(page(town).read_bytes())[0].replace(pin, b"00" * 32)
    page(town).write_bytes(evil)
    (build(town) / "carry.zip").write_bytes(packed({**members(town), "carried.html": evil}))


@pytest.mark.parametrize("change", [_other_page, _other_zip, _other_onion, _same_name, _other_pins])
def test_what_does_not_fit_together_is_not_signed(
    made: Built, change: Callable[[Built], None]
) -> None:
    change(made)
    before = image(made.place)
    for act in (sign_build,) if change is _same_name else (sign_build, freshen_build):
        with pytest.raises(Fault):
            act(build(made), made.keys, LATER)
    assert image(made.place) == before


def test_a_page_alone_that_pins_other_keys_is_refused(made: Built) -> None:
    """Whoever has every online key signs such a page, and its papers too."""
    pin = made.keys.ceremony().pins().a.hex().encode()
    body, _ = cut(page(made).read_bytes())
    evil = body.replace(pin, b"00" * 32)
    assert evil != body
    length, digest = len(evil), sha256(evil).hex()

    def take(signed: Any) -> None:
        signed.version += 1
        target = signed.targets["carried.html"]
        target.length, target.hashes = length, {"sha256": digest}

    publish(made, "page", take, made.online("page"))
    papers = {"pins.json": (made.site / "pins.json").read_bytes()}
    papers |= {n: d for n, d in image(made.site).items() if n.startswith("tuf/")}
    assert alone(made, with_papers(evil, packed(papers))).rule == "bundle 6.17"
    own = papers["pins.json"].replace(pin, b"00" * 32)
    forged = with_papers(evil, packed({**papers, "pins.json": own}))
    assert alone(made, forged).rule == "bundle 6.11"
    papers["x"] = papers.pop("pins.json")
    assert alone(made, with_papers(evil, packed(papers))).rule == "bundle 6.10"


def test_no_part_takes_the_list_for_people_out_of_the_site(made: Built) -> None:
    """A thief of the online keys would like nobody to look at the minisign signature."""

    def take(signed: Any) -> None:
        signed.version += 1
        for name in ("bundle.manifest", "bundle.minisig"):
            signed.targets[name].unrecognized_fields["custom"] = {"part": "x"}

    publish(made, "page", take, made.online("page"))
    assert made.check().rule == "bundle 6.1"


def test_a_part_that_is_no_word_is_the_site() -> None:
    for part in (3, None, "", "Site", "\x1b[2J", "a" * 21, ["x"]):
        target = TargetFile(1, {"sha256": "00"}, "x", {"custom": {"part": part}})
        assert repository.part_of(target) == ""
    assert repository.part_of(TargetFile(1, {"sha256": "00"}, "x", {"custom": 1})) == ""


def test_an_older_zip_is_refused_by_who_has_seen_a_newer_site(
    built: Built, made: Built, tmp_path: Path
) -> None:
    sign_build(build(made), made.keys, LATER)
    seen = tmp_path / "seen"
    assert made.check(remember=seen).verdict is Verdict.GENUINE
    assert check_zip(made, remember=seen).verdict is Verdict.GENUINE
    before = image(seen)
    assert check_zip(built, remember=seen).rule == "bundle 6.5"
    assert image(seen) == before


def test_a_build_is_known_by_its_folder_and_by_its_site(made: Built, first: Town) -> None:
    assert build_of(build(made)) == build_of(made.site) == build(made)
    assert build_of(build(made) / "onion" / "site") == build(made)
    assert build_of(first.site) is None
    assert build_of(build(made) / "carried") is None
    done = CliRunner().invoke(
        wallflower,
        ["campaign", "sign", str(made.site), "--keys", str(made.keys.folder.path)],
    )
    assert done.exit_code == 0, done.output
    assert f"To hand out: {build(made)}/carry.zip" in done.output
    assert check_zip(made, now=NOW + timedelta(days=2)).verdict is not Verdict.REFUSED
    assert typed(made, build(made)).exit_code == 0


@pytest.mark.parametrize("how", ["from within", "link to the site", "link to the build"])
def test_a_build_is_signed_whole_by_whatever_way_it_is_named(
    made: Built, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    link = made.place / "link"
    link.symlink_to(build(made) if how == "link to the build" else made.site)
    monkeypatch.chdir(made.site)
    keys = ("--keys", str(made.keys.folder.path))
    named = "." if how == "from within" else str(link)
    assert CliRunner().invoke(wallflower, ["campaign", "sign", named, *keys]).exit_code == 0
    for what in (build(made), build(made) / "carry.zip", page(made)):
        done = typed(made, what, "--remember", str(made.place / "seen"))
        assert said(done) == ("genuine", ""), what


def test_a_date_alone_is_not_put_to_a_zip_that_was_not_signed_last(made: Built) -> None:
    sign_folder(made.site, made.keys, LATER)  # the site alone: as a folder, not as a build
    before = image(build(made))
    with pytest.raises(Fault, match="carried/ is not what these keys signed last") as fault:
        freshen_build(build(made), made.keys, LATER)
    assert f"wallflower campaign sign {build(made)} --keys" in fault.value.next_step
    assert image(build(made)) == before


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
def test_signing_that_is_stopped_between_two_files_is_made_whole_by_the_next(
    made: Built, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    left, real = at, Path.replace

    def replace(self: Path, to: Path) -> Path:
        nonlocal left
        if to.is_relative_to(build(made)):
            left -= 1
            if left == 0:
                raise InterruptedError
        return real(self, to)

    with monkeypatch.context() as patched, pytest.raises(InterruptedError):
        patched.setattr(Path, "replace", replace)
        sign_build(build(made), made.keys, LATER)
    sign_build(build(made), made.keys, LATER)
    onion = check(FolderPlace(build(made) / "onion" / "site"), Trust(words=made.words), LATER)
    for report in (made.check(), check_zip(made), alone(made, page(made).read_bytes()), onion):
        assert report.verdict is Verdict.GENUINE, report
    assert not list(build(made).rglob("*.new"))


def test_a_copy_whose_page_carries_the_papers_of_somebody_else_is_refused(
    made: Built, tmp_path: Path
) -> None:
    """Nobody signs papers: who passes the page on alone would be told that it is false."""
    other = make_town(tmp_path / "other", seeded("other"))
    papers = {n: d for n, d in image(other.site).items() if n == "pins.json" or "tuf/" in n}
    files = _read((build(made) / "carry.zip").read_bytes())
    assert files is not None
    body = cut(files["carried.html"])[0]
    path = tmp_path / "carry.zip"
    for strange in (packed(papers), b"no papers at all", packed({"x": b"x"})):
        path.write_bytes(packed({**files, "carried.html": with_papers(body, strange)}))
        report = check_zip(made, path)
        assert [(d.name, d.rule) for d in report.differs] == [("carried.html", "bundle 6.14")]
    path.write_bytes(packed({**files, "carried.html": body}))
    assert check_zip(made, path).verdict is Verdict.GENUINE, "a page without papers is whole"
