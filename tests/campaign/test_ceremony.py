"""The ceremony: nothing without it, it goes on where it stopped, and media keep their keys."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.campaign.made import LABELS, LATER, NOW, PLAN, RECORD, Folders, Town, image, seeded

from wallflower.campaign import repository
from wallflower.campaign.ceremony import Plan, parse_ceremony
from wallflower.campaign.edge.ceremony import hold_ceremony, make_medium, write_record
from wallflower.campaign.edge.ceremony_keys import Keys, ends, require_keys
from wallflower.campaign.edge.ceremony_replace import renew, replace_role
from wallflower.campaign.edge.ceremony_sign import drop, read_label, sign_pending
from wallflower.campaign.edge.sign_folder import sign_folder
from wallflower.campaign.page_pins import page_pins
from wallflower.crypto import sign
from wallflower.errors import Fault


class Stop(Exception):
    """The computer lost its power."""


def test_without_keys_nothing_is_signed_and_the_command_is_said(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="wallflower keys ceremony") as fault:
        require_keys(tmp_path / "keys")
    assert "nothing is built or signed" in fault.value.what
    assert not (tmp_path / "keys").exists()
    with pytest.raises(Fault, match="wallflower keys ceremony"):
        sign_folder(tmp_path, Keys(tmp_path / "keys"), NOW)


def test_an_unfinished_ceremony_is_no_ceremony(tmp_path: Path) -> None:
    asked = Folders(tmp_path, signing=("1",))
    with pytest.raises(StopIteration):
        hold_ceremony(Keys(tmp_path / "keys"), asked, NOW, seeded("half"))
    with pytest.raises(Fault, match="wallflower keys ceremony"):
        require_keys(tmp_path / "keys")
    assert not (tmp_path / "keys" / "pins.json").exists()


def test_a_ceremony_that_is_stopped_anywhere_goes_on_to_the_same_keys(tmp_path: Path) -> None:
    """The power goes at every draw of entropy and at every question, one after the other."""
    keys, draws, at = Keys(tmp_path / "keys"), seeded("stops"), 0
    stops = 0

    def failing(size: int) -> bytes:
        nonlocal at
        at += 1
        if at % 2:
            raise Stop
        return draws(size)

    class Failing(Folders):
        def medium(self, label: str) -> Path:
            nonlocal at
            at += 1
            if at % 3 == 0:
                raise Stop
            # Whoever signs: the media that have not yet, in order.
            have = {s for m in keys.waiting().values() for s in m.signatures}
            left = [n for n in LABELS if repository.public_key(_root_of(tmp_path, n)).keyid
                    not in have] if not label else []  # fmt: skip
            return super().medium(label or left[0])

    seen: dict[str, bytes] = {}
    done = None
    while done is None:
        try:
            done = hold_ceremony(keys, Failing(tmp_path), NOW, failing)
        except Stop:
            stops += 1
            now = {n: d for n, d in image(tmp_path).items() if n.endswith(".key")}
            assert {n: now[n] for n in seen} == seen, "a key that was made was made again"
            seen = now
        assert stops < 200
    found = done
    assert stops > 15
    assert keys.ceremony() == found
    for label in LABELS:
        folder = tmp_path / f"medium-{label}"
        own = [sign.verify_key((folder / f"{r}.key").read_bytes()) for r in ("root", "targets")]
        assert own == [found.media[label].root, found.media[label].targets]
    require_keys(tmp_path / "keys")


def _root_of(place: Path, label: str) -> bytes:
    return sign.verify_key((place / f"medium-{label}" / "root.key").read_bytes())


def test_secrets_of_media_are_nowhere_but_on_their_medium(first: Town) -> None:
    files = image(first.place)
    for label in LABELS:
        for role in ("root", "targets"):
            name = f"medium-{label}/{role}.key"
            holders = [n for n, data in files.items() if files[name] in data]
            as_text = [n for n, d in files.items() if files[name].hex().encode() in d]
            assert (holders, as_text) == ([name], [])
            assert stat.S_IMODE((first.place / name).stat().st_mode) == 0o600


def test_no_secret_of_the_publishing_computer_is_published_or_printed(first: Town) -> None:
    write_record(first.keys, NOW)
    files = image(first.place)
    secrets = [d for n, d in files.items() if n.endswith(".key")]
    assert len(secrets) == 3 * 2 + 8
    for name, data in files.items():
        if not name.endswith(".key"):
            assert not [s for s in secrets if s in data or s.hex().encode() in data], name


def test_the_record_keys_of_the_operators_are_what_the_offline_keys_pin(first: Town) -> None:
    pins = first.keys.ceremony().pins()
    assert (pins.organisation, pins.a, pins.b) == tuple(RECORD.values())
    assert (first.site / "pins.json").read_bytes() == pins.encode()
    top = first.read("targets").signed
    assert set(top.targets) == {"pins.json", "minisign.pub"}
    assert len(first.read("targets").signatures) == 2


def wrong(**change: object) -> Plan:
    return replace(PLAN, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "plan",
    [wrong(threshold=0), wrong(threshold=4), wrong(labels=()), wrong(labels=("1", "1")),
     wrong(labels=tuple(str(n) for n in range(17))), wrong(organisation=" "), wrong(desk="x" * 33),
     wrong(desk="办" * 11), wrong(labels=("1", "2", "x" * 101)),
     wrong(languages=()), wrong(languages=("../x",)),
     wrong(languages=tuple(f"x{n}" for n in range(62))), wrong(record={}),
     wrong(record={**RECORD, "b": RECORD["a"]}), wrong(record={**RECORD, "b": b"short"})],
)  # fmt: skip
def test_a_plan_that_cannot_be_kept_is_a_fault_and_nothing_is_made(
    plan: Plan, tmp_path: Path
) -> None:
    with pytest.raises(Fault):
        hold_ceremony(Keys(tmp_path / "keys"), Folders(tmp_path, plan), NOW, seeded("x"))
    assert image(tmp_path) == {}


def _other_label(path: Path) -> None:
    make_medium(path, "campaign", "2", seeded("other"))


def _other_campaign(path: Path) -> None:
    make_medium(path, "another", "1", seeded("other"))


def _other_keys(path: Path) -> None:
    (path / "root.key").write_bytes(b"somebody else's")


@pytest.mark.parametrize("there", [_other_label, _other_campaign, _other_keys])
def test_a_medium_that_holds_other_keys_is_left_as_it_is(
    there: Callable[[Path], None], tmp_path: Path
) -> None:
    there(tmp_path)
    before = image(tmp_path)
    with pytest.raises(Fault, match="Nothing was changed"):
        make_medium(tmp_path, "campaign", "1", seeded("mine"))
    assert image(tmp_path) == before


def test_a_medium_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="not there"):
        make_medium(tmp_path / "none", "campaign", "1", seeded("x"))
    assert not (tmp_path / "none").exists()


def test_too_few_media_let_nothing_count(tmp_path: Path) -> None:
    town = Town(tmp_path)
    with pytest.raises(StopIteration):  # a second medium is asked for, and there is none
        hold_ceremony(town.keys, Folders(tmp_path, signing=("1",)), NOW, seeded("few"))
    assert town.keys.root() is None
    hold_ceremony(town.keys, Folders(tmp_path, signing=("2",)), NOW, seeded("enough"))
    assert town.keys.root() is not None
    replace_role(town.keys, "page", NOW, seeded("page"))
    before = image(town.keys.metadata.path)
    assert not town.approve("1")
    assert not town.approve("1"), "the same medium twice is one signature"
    assert image(town.keys.metadata.path) == before
    assert town.approve("3")
    assert image(town.keys.metadata.path) != before


def test_a_medium_of_another_campaign_signs_nothing(town: Town, tmp_path: Path) -> None:
    renew(town.keys, NOW)
    (tmp_path / "other").mkdir()
    make_medium(tmp_path / "other", "another", "1", seeded("other"))
    before = image(town.keys.pending.path)
    for path in (tmp_path / "other", tmp_path / "none", tmp_path):
        with pytest.raises(Fault, match="not of this campaign"):
            sign_pending(town.keys, path)
    assert image(town.keys.pending.path) == before


def test_only_one_change_waits_at_a_time_and_it_can_be_dropped(town: Town) -> None:
    before = image(town.keys.folder.path)
    replace_role(town.keys, "page", NOW, seeded("page"))
    with pytest.raises(Fault, match="still waits"):
        renew(town.keys, NOW)
    drop(town.keys)
    assert image(town.keys.folder.path) == before
    with pytest.raises(Fault, match="Nothing waits"):
        sign_pending(town.keys, town.medium("1"))


def test_ends_of_signatures_are_warned_of_in_time(first: Town) -> None:
    for role, end in ends(first.keys).items():
        days = repository.DAYS.get(role, 365)
        warn = repository.WARN.get(role, 60)
        assert (end - NOW).days == days
        assert not repository.ends_soon(role, end, NOW)
        assert not repository.ends_soon(role, end, end - timedelta(days=warn))
        assert repository.ends_soon(role, end, end - timedelta(days=warn, seconds=-1))


def test_the_printed_record_has_the_words_and_the_holders_and_fetches_nothing(
    town: Town,
) -> None:
    write_record(town.keys, NOW)
    text = (town.place / "keys" / "record.txt").read_text("utf-8")
    page = (town.place / "keys" / "record.html").read_text("utf-8")
    line = (town.site / "minisign.pub").read_text().splitlines()[1]
    for shown in (town.words, "Office for Clean Hands", "2 of 3 media", line, *LABELS):
        assert shown in text
        assert shown in page
    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append(tag)  # type: ignore[method-assign]
    parser.feed(page)
    assert not {"script", "img", "link", "iframe"} & set(tags)
    assert "http" not in page
    assert '<html lang="en">' in page


@pytest.mark.parametrize(
    "lost", ["metadata/1.root.json", "metadata/2.root.json", "metadata/targets.json"]
)
def test_keys_that_lost_what_the_media_signed_are_not_signed_anew(town: Town, lost: str) -> None:
    for _ in range(2 if "2" in lost else 0):
        renew(town.keys, LATER)
        assert town.approve("1", "2")
    (town.keys.folder.path / lost).unlink()
    before = image(town.keys.folder.path)
    with pytest.raises(Fault, match="backup"):
        require_keys(town.keys.folder.path)
    with pytest.raises(Fault, match="backup"):
        hold_ceremony(town.keys, Folders(town.place), LATER, seeded("anew"))
    assert image(town.keys.folder.path) == before


@pytest.mark.parametrize("replaced", ["nothing", "snapshot", "page"])
def test_the_loss_of_the_newest_root_is_seen_although_it_leaves_no_gap(
    town: Town, replaced: str
) -> None:
    """And of a change that made no root, none is missed."""
    for _ in range(2):
        renew(town.keys, LATER)
        assert town.approve("1", "2")
    if replaced != "nothing":
        replace_role(town.keys, replaced, LATER, seeded(replaced))
        assert town.approve("1", "2")
    newest = len(town.keys.roots())
    assert newest == (4 if replaced == "snapshot" else 3)
    require_keys(town.keys.folder.path)
    (town.keys.metadata.path / f"{newest}.root.json").unlink()
    with pytest.raises(Fault, match="has lost what the media signed"):
        require_keys(town.keys.folder.path)


def test_a_book_from_before_it_counted_roots_is_read(town: Town) -> None:
    book = json.loads(town.keys.folder.read("ceremony.json") or b"")
    assert book.pop("roots") == 1
    town.keys.folder.write("ceremony.json", json.dumps(book).encode())
    require_keys(town.keys.folder.path)
    renew(town.keys, LATER)
    assert town.approve("1", "2")
    assert town.keys.ceremony().roots == 2


def test_a_damaged_book_of_the_ceremony_is_a_fault(town: Town) -> None:
    for data in (b"", b"[]", b"{}", b'{"campaign": 1}'):
        with pytest.raises(Fault, match="backup"):
            parse_ceremony(data)


def test_brackets_without_an_end_are_damage_wherever_json_is_read() -> None:
    deep = "[" * 100_000
    with pytest.raises(Fault, match="damaged"):
        parse_ceremony(deep.encode())
    assert read_label(deep.encode()) is None
    assert page_pins(f'<meta name="wallflower-pins" content="{deep}">') == [{}]


def test_a_lost_minisign_pub_is_no_loss_to_the_record(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys")
    hold_ceremony(keys, Folders(tmp_path), NOW, seeded("record"))
    write_record(keys, NOW)
    before = image(keys.folder.path)
    keys.folder.write("minisign.pub", b"")
    write_record(keys, NOW)
    assert (keys.folder.path / "record.txt").read_bytes() == before["record.txt"]
