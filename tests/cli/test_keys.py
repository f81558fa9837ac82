"""What an organisation and a newsroom type: ceremony, sign, verify, and keys that are replaced."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from tests.campaign.made import image
from tests.campaign.mirrors import mirror

from wallflower.campaign.edge.ceremony_keys import Keys, ends
from wallflower.campaign.edge.shapes import packed
from wallflower.campaign.repository import signed_on
from wallflower.cli import wallflower as root
from wallflower.errors import Fault

# The package's attribute of that name is the command itself.
commands = importlib.import_module("wallflower.cli.ceremony")


def run(*arguments: str | Path, typed: str = "") -> click.testing.Result:
    return CliRunner().invoke(root, [str(a) for a in arguments], input=typed)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A rehearsed campaign with one page, signed."""
    folder = tmp_path_factory.mktemp("cli")
    assert run("keys", "ceremony", "--test", folder).exit_code == 0
    (folder / "site").mkdir()
    (folder / "site" / "index.html").write_text("<p>film")
    done = run("campaign", "sign", folder / "site", "--keys", folder / "keys")
    assert done.exit_code == 0, done.output
    assert "Signed version 1" in done.output
    yield folder


def words(place: Path) -> str:
    text = (place / "keys" / "record.txt").read_text("utf-8")
    return next(line.split(": ")[1] for line in text.splitlines() if "English" in line)


def test_without_a_ceremony_signing_stops_with_the_command_to_type(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>")
    done = run("campaign", "sign", tmp_path, "--keys", tmp_path / "keys")
    assert isinstance(done.exception, Fault)
    assert f"wallflower keys ceremony {tmp_path}/keys" in done.exception.next_step
    assert [p.name for p in tmp_path.iterdir()] == ["index.html"]


@pytest.mark.parametrize(
    "command", ["sign", "replace", "renew", "drop", "restored", "campaign sign"]
)
def test_while_a_command_uses_the_keys_no_other_changes_or_signs_with_them(
    place: Path, command: str
) -> None:
    keys = place / "keys"
    lines: dict[str, tuple[str | Path, ...]] = {
        "sign": ("keys", "sign", keys, "--medium", place / "medium-1"),
        "replace": ("keys", "replace", keys, "--role", "page"),
        "renew": ("keys", "renew", keys), "drop": ("keys", "drop", keys),
        "restored": ("keys", "restored", keys, place / "site"),
        "campaign sign": ("campaign", "sign", place / "site", "--keys", keys),
    }  # fmt: skip
    before = image(keys)
    with Keys(keys).alone():
        done = run(*lines[command])
    assert isinstance(done.exception, Fault)
    assert "at this moment" in done.exception.what
    assert image(keys) == before
    with Keys(keys).alone():
        pass  # it was let go


def test_a_ceremony_leads_a_person_and_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is typed; the person first gives up at the second medium."""
    for kind in ("_ROUTES", "_ROUTES_V6"):
        monkeypatch.setattr(commands, kind, tmp_path / "no routes")
    for role in ("organisation", "mix-a", "mix-b"):
        assert run("new", role, tmp_path / role).exit_code == 0
    media = [tmp_path / f"usb{n}" for n in (1, 2, 3)]
    for medium in media:
        medium.mkdir()
    plan = ["Clean Hands", "3", "2", "en fa"]
    plan += [str(tmp_path / role / "record.pub") for role in ("organisation", "mix-a", "mix-b")]
    started = run(
        "keys", "ceremony", tmp_path / "keys", typed="\n".join([*plan, str(media[0]), ""])
    )
    assert started.exit_code == 1
    assert "Medium 1 has its keys." in started.output
    first = (media[0] / "root.key").read_bytes()
    rest = [tmp_path / "none", *media[:3], tmp_path / "organisation", media[0], media[2]]
    done = run("keys", "ceremony", tmp_path / "keys", typed="\n".join([*map(str, rest), ""]))
    assert done.exit_code == 0, done.output
    for slip in ("is not there", "belongs to another label", "is not of this campaign"):
        assert done.output.count(slip) == 1
    assert "Signatures missing yet: 1 of root, 1 of targets" in done.output
    assert "Medium 3 has signed." in done.output
    assert "The eight words (en)" in done.output
    assert (media[0] / "root.key").read_bytes() == first


def plan_of(folder: Path, media: int, threshold: int) -> tuple[str | Path, ...]:
    """All that a ceremony would ask a person for, but for the media."""
    record: list[str | Path] = []
    for name, role in (("organisation",) * 2, ("a", "mix-a"), ("b", "mix-b")):
        run("new", role, folder / role)
        record += ["--record", name, folder / role / "record.pub"]
    counts = ("--media", str(media), "--threshold", str(threshold))
    return ("--organisation", "x", *counts, "--language", "en", *record)


ANY_V6, BESIDE_V6 = "0" * 32, "fe80" + "0" * 28
V6 = "{} {} " + "0" * 32 + " 00 " + "0" * 32 + " 00000400 00000003 00000000 00000003 {}\n"


@pytest.mark.parametrize(("kind", "table"), [
    ("_ROUTES", "Iface Destination\neth0 00000000 0101A8C0\n"),
    ("_ROUTES_V6", V6.format(BESIDE_V6, "40", "eth0") + V6.format(ANY_V6, "00", "eth0")),
])  # fmt: skip
def test_a_computer_with_a_network_is_not_taken_without_asking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, table: str
) -> None:
    for one in ("_ROUTES", "_ROUTES_V6"):
        monkeypatch.setattr(commands, one, tmp_path / one)
    (tmp_path / kind).write_text(table)
    done = run("keys", "ceremony", tmp_path / "keys", "--organisation", "x", typed="n\n")
    assert done.exit_code == 1
    assert "has a network" in done.output
    assert not (tmp_path / "keys" / "ceremony.json").exists()
    plan = plan_of(tmp_path, media=1, threshold=1)
    begun = run("keys", "ceremony", tmp_path / "keys", *plan, typed="y\n")
    assert (tmp_path / "keys" / "ceremony.json").exists(), begun.output
    assert f"clock it is {datetime.now(UTC):%Y-%m-%d}" in begun.output, "it may be wrong there"
    again = run("keys", "ceremony", tmp_path / "keys", typed="n\n")
    assert "has a network" in again.output, "asked at every start, not at the first alone"
    assert "Take an empty medium" not in again.output


def test_a_computer_whose_routes_lead_nowhere_is_not_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    v6 = V6.format(BESIDE_V6, "40", "eth0") + V6.format(ANY_V6, "00", "lo")
    for kind, table in (("_ROUTES", "Iface Destination\neth0 0001A8C0 0\n"), ("_ROUTES_V6", v6)):
        (tmp_path / kind).write_text(table)
        monkeypatch.setattr(commands, kind, tmp_path / kind)
    done = run("keys", "ceremony", tmp_path / "keys", "--organisation", "x", typed="")
    assert "has a network" not in done.output


def test_a_ceremony_goes_on_with_the_medium_at_hand_and_asks_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has all media on one day; each start names the one that is there."""
    for kind in ("_ROUTES", "_ROUTES_V6"):
        monkeypatch.setattr(commands, kind, tmp_path / "no routes")
    media = [tmp_path / f"usb{n}" for n in (1, 2, 3)]
    for medium in media:
        medium.mkdir()
    plan = plan_of(tmp_path, media=3, threshold=2)
    keys = tmp_path / "keys"
    *begun, last = [
        run("keys", "ceremony", keys, *more, "--medium", medium)
        for medium, more in zip((*media, media[0]), (plan, (), (), ()), strict=True)
    ]
    for label, done in enumerate(begun, 1):
        assert f"Medium {label} has its keys." in done.output
        assert isinstance(done.exception, Fault)
        assert f"wallflower keys ceremony {keys} --medium FOLDER" in done.exception.next_step
    assert begun[2].output.count("Medium 3 has signed.") == 1
    assert last.exit_code == 0, last.exception
    assert last.output.count("Medium 1 has signed.") == 1
    assert Keys(keys).ceremony().plan.labels == ("1", "2", "3")


def test_the_medium_at_hand_is_not_taken_for_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a ceremony that was begun with one of three would end with that one alone."""
    for kind in ("_ROUTES", "_ROUTES_V6"):
        monkeypatch.setattr(commands, kind, tmp_path / "no routes")
    (tmp_path / "usb").mkdir()
    plan = [*plan_of(tmp_path, media=3, threshold=2)]
    at = plan.index("--media")
    plan[at : at + 2] = ["--medium", tmp_path / "usb"]
    done = run("keys", "ceremony", tmp_path / "keys", *plan, typed="3\n")
    assert "needs another medium" in str(done.exception)
    found = Keys(tmp_path / "keys").load()
    assert found is not None
    assert found.plan.labels == ("1", "2", "3")


def test_what_the_system_refuses_is_no_verdict_of_a_copy(place: Path, tmp_path: Path) -> None:
    """Exit code 1 would tell a program that the copy is false."""
    (tmp_path / "file").write_bytes(b"")
    done = run("verify", place / "site", "--remember", tmp_path / "file" / "seen")
    assert isinstance(done.exception, Fault)
    assert done.exception.EXIT == 2
    assert "NOT GENUINE" not in done.output


@pytest.mark.parametrize("what", ["site", "site/index.html"])
def test_a_newsroom_reads_plain_words_and_an_exit_code(place: Path, what: str) -> None:
    done = run("verify", place / what, "--words", words(place))
    assert done.exit_code == 0, done.output
    assert done.output.startswith("GENUINE. Every file is as the organisation signed it")
    assert f"The eight words: {words(place)}" in done.output
    unsure = run("verify", place / what)
    assert unsure.exit_code == 4
    assert "Compare them with those that the film shows" in unsure.output


def test_words_that_are_none_or_lost_their_spaces_make_no_copy_false(place: Path) -> None:
    for typed in (words(place).replace(" ", ""), words(place).replace(" ", "", 1)):
        assert run("verify", place / "site", "--words", typed).exit_code == 0
    for typed in (" ", "-"):
        done = run("verify", place / "site", "--words", typed)
        assert isinstance(done.exception, Fault)
        assert (done.exception.EXIT, done.exception.what) == (2, "Those are 0 words")


def test_verify_tells_programs_the_same_as_people(place: Path, tmp_path: Path) -> None:
    with mirror(place / "site") as url:
        done = run("verify", url, "--json", "--words", words(place), "--keep", tmp_path / "copy")
    report = json.loads(done.stdout)
    assert (report["verdict"], report["exit"], done.exit_code) == ("genuine", 0, 0)
    assert run("verify", tmp_path / "copy", "--words", words(place)).exit_code == 0
    (tmp_path / "copy" / "index.html").write_text("<p>evil")
    done = run("verify", tmp_path / "copy", "--json")
    report = json.loads(done.stdout)
    assert (report["verdict"], report["exit"], done.exit_code) == ("refused", 1, 1)
    what = "It is not what was signed"
    assert report["differs"] == [
        {"name": "index.html", "rule": "bundle 6.11", "what": what, "broke_off": False}
    ]
    text = run("verify", tmp_path / "copy").output
    assert text.startswith("NOT GENUINE.")
    assert "index.html: It is not what was signed (bundle 6.11)" in text


@pytest.mark.parametrize("name", ["carry.zip.bin", "carry", "b.zip"])
def test_a_zip_is_checked_whatever_a_messenger_calls_it(
    place: Path, tmp_path: Path, name: str
) -> None:
    copy = tmp_path / name
    copy.write_bytes(packed(image(place / "site")))
    done = run("verify", copy, "--words", words(place))
    assert done.exit_code == 0, done.exception
    other = tmp_path / "report.docx"  # a ZIP too, and no copy: what speaks for it is asked for
    other.write_bytes(packed({"word/document.xml": b"<p>"}))
    assert "--bundle" in str(run("verify", other).exception)


def test_one_file_alone_is_told_how_to_be_checked(place: Path, tmp_path: Path) -> None:
    lone = tmp_path / "film.html"
    lone.write_text("<p>film")
    done = run("verify", lone)
    assert isinstance(done.exception, Fault)
    assert "--bundle" in done.exception.next_step
    assert run("verify", lone, "--bundle", place / "site", "--words", words(place)).exit_code == 0
    lone.write_text("<p>evil")
    done = run("verify", lone, "--bundle", place / "site")
    assert done.exit_code == 1
    assert "bundle 6.18" in done.output


@pytest.mark.parametrize(
    ("typed", "said"),
    [("error fly judge", "3 words"), ("error fly judge ahead harsh brain pupil wayt", "'wayt'"),
     ("0092 8381", "8 digits"), ("够苦齐工读边滤", "7 words"), ("够苦齐工读边滤x", "'x'")],
)  # fmt: skip
def test_a_slip_in_the_words_is_no_verdict(place: Path, typed: str, said: str) -> None:
    done = run("verify", place / "site", "--words", typed)
    assert isinstance(done.exception, Fault)
    assert said in done.exception.what
    assert (done.exception.EXIT, done.output) == (2, "")
    for whole in ("够 苦 齐 工 读 边 滤 涤", "٠٠٩٢" * 7, "Abandon-" * 7 + "abandon"):
        assert "bundle 6.3" in run("verify", place / "site", "--words", whole).output


def test_a_place_that_does_not_answer_was_not_checked_to_the_end() -> None:
    done = run("verify", "http://127.0.0.1:1/")
    assert done.exit_code == 1
    assert done.output.startswith("NOT CHECKED TO THE END.")
    assert "bundle 6.10" in done.output


def test_a_site_is_checked_by_the_address_of_its_page_too(place: Path) -> None:
    with mirror(place / "site") as url:
        done = run("verify", f"{url}index.html#fa", "--words", words(place))
        assert done.output.startswith("GENUINE."), done.output


@pytest.mark.parametrize("file", ["carry.zip", "carried/carried.html", "film.MP4?x"])
def test_the_address_of_one_file_is_no_verdict_of_it(place: Path, file: str) -> None:
    """Asked for as a site it is none, and a right file would be called false."""
    done = run("verify", f"http://127.0.0.1:1/{file}", "--words", words(place))
    assert isinstance(done.exception, Fault)
    assert (done.exception.EXIT, done.output) == (2, "")


@pytest.mark.parametrize("what", ["ftp://x.example/", "https://me@x.example/", "nothing.zip"])
def test_what_is_no_place_is_a_fault(what: str) -> None:
    assert isinstance(run("verify", what).exception, Fault)


def test_an_onion_address_needs_tor() -> None:
    done = run("verify", f"http://{'a' * 56}.onion/")
    assert isinstance(done.exception, Fault)
    assert "--socks" in done.exception.next_step


@pytest.mark.parametrize("socks", ["9050", "127.0.0.1", "127.0.0.1:", "127.0.0.1:port", "[::1"])
def test_a_slip_in_the_address_of_tor_is_no_verdict_of_a_mirror(socks: str) -> None:
    done = run("verify", f"http://{'a' * 56}.onion/", "--socks", socks)
    assert isinstance(done.exception, Fault)
    assert (done.exception.EXIT, done.output) == (2, "")
    assert "--socks 127.0.0.1:9050" in done.exception.next_step


def test_keys_that_end_soon_are_told_with_what_to_type_and_an_exit_code(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that looks sees the code alone."""
    keys = place / "keys"
    later = datetime.now(UTC) + timedelta(days=310)  # targets count for 365
    monkeypatch.setattr(importlib.import_module("wallflower.cli.keys"), "now", lambda: later)
    told = run("keys", "status", keys)
    assert told.exit_code == 1
    lines = {line.partition(":")[0]: line for line in told.output.splitlines()}
    assert lines["targets"].endswith(f"DUE, type: wallflower keys renew {keys}")
    assert lines["page"].endswith(f"DUE, type: wallflower campaign sign bundle --keys {keys}")
    assert "DUE" not in lines["root"]
    due = json.loads(run("keys", "status", keys, "--json").stdout)["due"]
    assert sorted({*lines} - {"root"}) == due


@pytest.mark.parametrize("lost", [("timestamp",), ("snapshot",), ("page",), ("page", "snapshot")])
def test_keys_that_lost_what_they_signed_are_told_with_the_way_back_and_an_exit_code(
    other: Path, lost: tuple[str, ...]
) -> None:
    keys = other / "keys"
    assert run("keys", "status", keys).exit_code == 0
    assert json.loads(run("keys", "status", keys, "--json").stdout)["lost"] == []
    for role in lost:
        (keys / "metadata" / f"{role}.json").unlink()
    told = run("keys", "status", keys)
    assert told.exit_code == 1
    names = ", ".join(f"{role}.json" for role in lost)
    assert f"LOST, and nothing is signed without: {names}, in 'metadata'." in told.output
    assert "type: wallflower verify ADDRESS --keep published, then: " in told.output
    assert f"wallflower keys restored {keys} published" in told.output
    assert json.loads(run("keys", "status", keys, "--json").stdout)["lost"] == list(lost)
    assert run("keys", "restored", keys, other / "site").exit_code == 0
    assert run("keys", "status", keys).exit_code == 0


def test_a_stolen_key_is_replaced_by_what_is_typed(place: Path, tmp_path: Path) -> None:
    keys = place / "keys"
    before = (keys / "online" / "page.key").read_bytes()
    assert run("keys", "status", keys).exit_code == 0
    done = run("keys", "replace", keys, "--role", "page")
    assert f"wallflower keys sign {keys}" in done.output
    waiting = run("keys", "status", keys)
    assert waiting.exit_code == 1
    assert "targets: 2 signatures are missing" in waiting.output
    assert run("keys", "sign", keys, "--medium", place / "medium-1").exit_code == 0
    done = run("keys", "sign", keys, "--medium", place / "medium-3")
    assert "wallflower campaign sign" in done.output
    assert "organisation, A, B, desk, loop senders and campaign" in done.output, "Exchange has it"
    assert (keys / "online" / "page.key").read_bytes() != before
    assert run("campaign", "sign", place / "site", "--keys", keys).exit_code == 0
    assert run("verify", place / "site", "--words", words(place)).exit_code == 0
    assert run("keys", "renew", keys).exit_code == 0
    assert run("keys", "drop", keys).output.startswith("Dropped. What counted before")
    assert run("keys", "drop", keys).output.startswith("Nothing waited. What counts now")
    assert json.loads(run("keys", "status", keys, "--json").stdout)["missing"] == {}
    done = run("keys", "sign", keys, "--medium", place / "medium-1")
    assert "Nothing waits for a signature" in str(done.exception)


def _sign_at(
    monkeypatch: pytest.MonkeyPatch, moment: datetime, folder: Path, *more: str
) -> click.testing.Result:
    monkeypatch.setattr(importlib.import_module("wallflower.cli.sign"), "now", lambda: moment)
    return run("campaign", "sign", folder / "site", "--keys", folder / "keys", *more)


@pytest.fixture
def other(place: Path, tmp_path: Path) -> Path:
    """A copy of keys and site."""
    for name in ("keys", "site"):
        shutil.copytree(place / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("more", [(), ("--freshen",)])
def test_a_clock_behind_the_newest_signature_signs_nothing_and_says_what_to_do(
    other: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    day = timedelta(days=1)
    moment = datetime.now(UTC) + 40 * day  # as it is where the signing before was made
    (other / "site" / "film.mp4").write_text("of a role that signs nothing else")
    assert _sign_at(monkeypatch, moment, other).exit_code == 0
    before = image(other)
    done = _sign_at(monkeypatch, moment - day - timedelta(minutes=1), other, *more)
    assert isinstance(done.exception, Fault)
    assert f"the signature of timestamp is of {moment:%F %H:%M} UTC" in done.exception.what
    assert "Set the clock" in done.exception.next_step
    assert image(other) == before
    assert _sign_at(monkeypatch, moment - day + timedelta(minutes=1), other, *more).exit_code == 0
    right = _sign_at(monkeypatch, moment - 40 * day, other, "--clock-is-right")
    assert right.exit_code == 0, "the clock was ahead at the signing before"
    ahead = [r for r, e in ends(Keys(other / "keys")).items() if signed_on(r, e) > moment - day]
    assert ahead == [], "and nothing keeps a date of then"


def test_a_clock_behind_the_newest_file_of_the_build_signs_nothing(
    other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime.now(UTC)
    built = (moment + timedelta(days=1, minutes=1)).timestamp()
    os.utime(other / "site" / "index.html", (built, built))
    before = image(other)
    done = _sign_at(monkeypatch, moment, other)
    assert isinstance(done.exception, Fault)
    assert "index.html is of" in done.exception.what
    assert image(other) == before
    assert _sign_at(monkeypatch, moment, other, "--clock-is-right", "--instead").exit_code == 0


@pytest.mark.parametrize("year", [-290, 9999, 10_001, 2_000_000])
def test_a_file_of_a_time_that_no_calendar_has_is_as_any_other_of_before_or_later(
    other: Path, monkeypatch: pytest.MonkeyPatch, year: int
) -> None:
    """As a stick or a program may leave it; some disks hold such times and others none."""
    real, seconds = Path.stat, (year - 1970) * 31_556_952

    def stat(self: Path, **how: bool) -> os.stat_result:
        found = real(self, **how)
        is_page = self == other / "site" / "index.html"
        return os.stat_result((*found[:8], seconds, found[9])) if is_page else found

    moment = datetime.now(UTC)
    monkeypatch.setattr(Path, "stat", stat)
    done = _sign_at(monkeypatch, moment, other, "--instead")
    if year < 0:
        assert done.exit_code == 0
        return
    assert isinstance(done.exception, Fault)
    assert "index.html is of 9999-" in done.exception.what
    right = _sign_at(monkeypatch, moment, other, "--clock-is-right", "--instead")
    assert right.exit_code == 0


@pytest.mark.parametrize(
    "line", [("campaign", "sign", "site", "--keys", "keys"), ("keys", "renew", "keys"),
             ("keys", "replace", "keys", "--role", "page")],
)  # fmt: skip
def test_whoever_signs_is_shown_the_clock_with_its_zone(
    other: Path, monkeypatch: pytest.MonkeyPatch, line: tuple[str, ...]
) -> None:
    monkeypatch.chdir(other)
    monkeypatch.setenv("TZ", "Asia/Tehran")
    time.tzset()
    try:
        moment = datetime.now(UTC)
        for command in ("sign", "keys"):
            module = importlib.import_module(f"wallflower.cli.{command}")
            monkeypatch.setattr(module, "now", lambda: moment)
        said = run(*line).output.splitlines()[0]
    finally:
        monkeypatch.undo()
        time.tzset()
    there = moment + timedelta(hours=3, minutes=30)
    assert f"{there:%Y-%m-%d %H:%M} +0330 ({moment:%Y-%m-%d %H:%M} UTC)" in said


@pytest.mark.parametrize("what", [
    ("--role", "page", "--medium", "1"), ("--medium", "1"), ("--role", "page", "--by", "4", "."),
])  # fmt: skip
def test_two_things_at_once_or_half_a_thing_are_not_replaced(
    place: Path, what: tuple[str, ...]
) -> None:
    before = image(place / "keys")
    assert run("keys", "replace", place / "keys", *what).exit_code == 2
    assert image(place / "keys") == before
