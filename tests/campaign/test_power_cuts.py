"""The power goes between any two writes; whoever types the command again gets it whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from tests.campaign.made import LABELS, LATER, NOW, Folders, Town, copy, seeded

from wallflower.campaign import repository
from wallflower.campaign.ceremony import Ceremony
from wallflower.campaign.edge.ceremony import hold_ceremony, write_record
from wallflower.campaign.edge.ceremony_keys import Keys
from wallflower.campaign.edge.ceremony_replace import renew, replace_medium, replace_role
from wallflower.campaign.edge.ceremony_sign import drop, finish, sign_pending
from wallflower.campaign.eightwords import RootKeys, ids_of, organisation_root
from wallflower.campaign.verify import Verdict
from wallflower.cli import wallflower
from wallflower.crypto import sign
from wallflower.host.disk import Folder


class Cut(Exception):
    """The computer lost its power."""


@contextmanager
def cut_after(writes: int) -> Iterator[Callable[[], bool]]:
    """Within, the power goes at the write of this number; gives whether it went."""
    left = writes
    real = {name: getattr(Folder, name) for name in ("write", "erase", "remove")}

    def counted(name: str) -> Any:
        def act(self: Folder, *arguments: Any) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Cut
            real[name](self, *arguments)

        return act

    with pytest.MonkeyPatch.context() as patched:
        for name in real:
            patched.setattr(Folder, name, counted(name))
        with suppress(Cut):
            yield lambda: left < 0


class Media(Folders):
    """Gives a medium that has not signed yet, and no more of them than a person has patience."""

    asked = 0

    def medium(self, label: str) -> Path:
        self.asked += 1
        assert self.asked < 12, "a person is asked for media without an end"
        keys = Keys(self._place / "keys")
        have = {s for m in keys.waiting().values() for s in m.signatures}
        left = [n for n in LABELS if label or _key_id(self._place, n) not in have]
        assert left, "all media have signed, and another is asked for"
        return super().medium(label or left[0])


def _key_id(place: Path, label: str) -> str:
    seed = (place / f"medium-{label}" / "targets.key").read_bytes()
    return repository.public_key(sign.verify_key(seed)).keyid


@pytest.fixture(autouse=True)
def no_waiting_for_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The power goes between calls here, so nothing has to reach a real disk."""
    monkeypatch.setattr("os.fsync", lambda _: None)


def test_a_ceremony_that_is_cut_at_any_write_goes_on_to_one_whole_set_of_keys(
    tmp_path: Path,
) -> None:
    at, went = 0, True
    while went:
        place = tmp_path / str(at)
        keys, draw = Keys(place / "keys"), seeded(str(at))
        with cut_after(at) as gone:
            hold_ceremony(keys, Media(place), NOW, draw)
        went = gone()
        found = hold_ceremony(keys, Media(place), NOW, draw)
        root, targets = keys.root(), keys.targets()
        assert root is not None, at
        assert targets is not None, at
        assert (root.signed.version, targets.signed.version) == (1, 1), at
        ids = ids_of(medium.root for medium in found.media.values())
        assert found.root == organisation_root(RootKeys(ids, found.plan.threshold)), at
        assert keys.ceremony() == found, at
        assert not keys.waiting(), at
        pins = keys.folder.read("pins.json") or b""
        assert pins == found.pins().encode(), at
        targets.signed.targets["pins.json"].verify_length_and_hashes(pins)
        at += 1
    assert at > 30


Change = Callable[[Town, Callable[[int], bytes]], None]


def _role(role: str) -> Change:
    return lambda town, draw: replace_role(town.keys, role, NOW, draw)


def _agreed(town: Town) -> Ceremony:
    """The ceremony but for the number of roots, which rises when the same keys are renewed."""
    return replace(town.keys.ceremony(), roots=0)


def _medium(town: Town, draw: Callable[[int], bytes]) -> None:
    new = town.place / "medium-4"
    new.mkdir(exist_ok=True)
    replace_medium(town.keys, "2", "4", new, NOW, draw)


def _sign_until_nothing_waits(town: Town) -> None:
    for label in ("1", "3", "1"):
        if town.keys.waiting():
            town.approve(label)
    assert not town.keys.waiting()


@pytest.mark.parametrize(
    "change", [_role("page"), _role("snapshot"), pytest.param(_medium, marks=pytest.mark.nightly)],
    ids=["page", "snapshot", "medium"],
)  # fmt: skip
def test_a_replacement_that_is_cut_at_any_write_counts_whole_or_not_at_all(
    first: Town, tmp_path: Path, change: Change
) -> None:
    """Then other work goes on with these keys, and what was left half changes nothing of it."""
    at, went, seen = 0, True, set()
    while went:
        town, draw = copy(first, tmp_path / str(at)), seeded(str(at))
        before = _agreed(town)
        with cut_after(at) as gone:
            change(town, draw)
            _sign_until_nothing_waits(town)
        went = gone()
        _sign_until_nothing_waits(town)
        changed = _agreed(town) != before
        seen.add(changed)
        renew(town.keys, NOW)
        _sign_until_nothing_waits(town)
        assert (_agreed(town) != before) == changed, at
        town.sign(LATER)
        assert town.check().verdict is Verdict.GENUINE, at
        assert not [n for n in town.keys.online.names() if not n.endswith(".key")], at
        at += 1
    assert seen == {False, True}


def _cut_while_it_begins_to_count(first: Town, place: Path, change: Change, at: int) -> Town | None:
    """A town whose last medium has signed, and whose power went at that write of what follows;
    None when all was written."""
    town = copy(first, place)
    change(town, seeded("new"))
    for label in ("1", "3"):
        sign_pending(town.keys, town.medium(label))
    with cut_after(at) as gone:
        finish(town.keys)
    return town if gone() else None


def _cuts(first: Town, place: Path, change: Change) -> Iterator[Town]:
    for at in count(1):
        town = _cut_while_it_begins_to_count(first, place / str(at), change, at)
        if town is None:
            assert at > 5
            return
        yield town


def _type(*arguments: str | Path) -> click.testing.Result:
    return CliRunner().invoke(wallflower, [str(a) for a in arguments])


def test_what_is_signed_after_a_cut_is_what_people_can_check(
    first: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is signed next, and nobody thought of the media again."""
    monkeypatch.setattr(import_module("wallflower.cli.sign"), "now", lambda: LATER)
    for town in _cuts(first, tmp_path, _role("snapshot")):
        keys = ("--keys", town.keys.folder.path, "--clock-is-right")
        done = _type("campaign", "sign", town.site, *keys)
        assert done.exit_code == 0, done.exception
        assert town.check().verdict is Verdict.GENUINE, town.place.name


def test_a_drop_after_a_cut_says_that_it_was_too_late_and_keeps_the_key_that_counts(
    first: Town, tmp_path: Path
) -> None:
    for town in _cuts(first, tmp_path, _role("snapshot")):
        waited = bool(town.keys.waiting())
        done = _type("keys", "drop", town.keys.folder.path)
        assert ("too late" in done.output) == waited, town.place.name
        town.sign(LATER)
        assert town.check().verdict is Verdict.GENUINE, town.place.name


def test_a_stolen_medium_is_not_trusted_again_after_a_cut(first: Town, tmp_path: Path) -> None:
    stolen = sign.verify_key((first.medium("2") / "root.key").read_bytes())
    for town in _cuts(first, tmp_path, _medium):
        drop(town.keys)
        renew(town.keys, NOW)
        _sign_until_nothing_waits(town)
        root = town.keys.root()
        assert root is not None
        assert repository.public_key(stolen).keyid not in root.signed.roles["root"].keyids


@pytest.mark.parametrize("command", ["campaign sign", "keys drop", "keys restored"])
def test_a_change_that_counts_after_a_cut_is_in_the_record_for_the_drawer(
    first: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """A replaced medium changes the words, and the record would print those of before."""
    monkeypatch.setattr(import_module("wallflower.cli.sign"), "now", lambda: LATER)
    town = _cut_while_it_begins_to_count(first, tmp_path / "town", _medium, 1)
    assert town is not None
    keys = town.keys.folder.path
    write_record(town.keys, NOW)
    line = {
        "campaign sign": (town.site, "--keys", keys, "--clock-is-right"),
        "keys drop": (keys,), "keys restored": (keys, town.site),
    }[command]  # fmt: skip
    done = _type(*command.split(), *line)
    assert done.exit_code == 0, done.exception
    assert town.words in done.output
    assert town.words in (keys / "record.txt").read_text("utf-8")
    assert [label in (keys / "record.txt").read_text("utf-8") for label in ("  2: ", "  4: ")] == [
        False, True,
    ]  # fmt: skip


@pytest.mark.parametrize("command", ["campaign sign", "keys restored"])
def test_a_change_whose_record_the_cut_left_unwritten_is_named_and_written(
    first: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """It counts whole, and the record of before would still print the words of before."""
    monkeypatch.setattr(import_module("wallflower.cli.sign"), "now", lambda: LATER)
    monkeypatch.setattr(import_module("wallflower.cli.keys"), "now", lambda: LATER)
    town = copy(first, tmp_path / "town")
    keys = town.keys.folder.path
    write_record(town.keys, NOW)
    assert _type("keys", "status", keys).exit_code == 0
    _medium(town, seeded("cut"))
    assert town.approve("1", "3")
    asked = _type("keys", "status", keys)
    assert asked.exit_code == 1
    assert "not written yet; type: wallflower campaign sign" in asked.output
    assert json.loads(_type("keys", "status", keys, "--json").output)["record_unwritten"]
    line = {
        "campaign sign": (town.site, "--keys", keys, "--clock-is-right"),
        "keys restored": (keys, town.site),
    }[command]
    assert town.words in _type(*command.split(), *line).output
    assert town.words in (keys / "record.txt").read_text("utf-8")
    assert _type("keys", "status", keys).exit_code == 0


def test_a_replacement_after_a_cut_stands_on_the_change_before_it(
    first: Town, tmp_path: Path
) -> None:
    for town in _cuts(first, tmp_path, _role("snapshot")):
        replace_role(town.keys, "page", NOW, seeded("newer"))
        _sign_until_nothing_waits(town)
        town.sign(LATER)
        assert town.check().verdict is Verdict.GENUINE, town.place.name


def test_a_change_that_counts_by_half_is_named_with_what_to_type(
    first: Town, tmp_path: Path
) -> None:
    for town in _cuts(first, tmp_path, _role("snapshot")):
        waited = bool(town.keys.waiting())
        said = _type("keys", "status", town.keys.folder.path).output
        assert ("counts by half; type: wallflower campaign sign" in said) == waited
        asked = _type("keys", "status", town.keys.folder.path, "--json")
        assert json.loads(asked.output)["stopped_half"] == waited
        assert asked.exit_code == 1 or not waited
