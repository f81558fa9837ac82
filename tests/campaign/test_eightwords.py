"""The eight words: taken over the keys themselves, and read back however a person types them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.campaign.made import LATER, NOW, Town, seeded
from tests.host.scarce import little_memory
from vectors.in_python import load

from wallflower.campaign import repository
from wallflower.campaign.edge.ceremony_replace import replace_role
from wallflower.campaign.eightwords import (
    RootKeys,
    check_typed,
    eight_words,
    fingerprint,
    is_said,
    root_keys,
    to_shown,
)
from wallflower.crypto import sign
from wallflower.errors import Fault, Refused

MARKS = st.binary(min_size=11, max_size=11)
ROOTS = {v["name"]: v for v in load("eightwords/hand.json")["vectors"]}


def changed(change: Any) -> bytes:
    value = json.loads(ROOTS["two-of-three"]["inputs"]["root"])
    change(value["signed"])
    return json.dumps(value).encode()


@given(MARKS)
def test_there_are_eight_words_or_seven_groups_of_digits(mark: bytes) -> None:
    assert len(to_shown(mark, "en").split()) == len(to_shown(mark, "zh-Hans").split()) == 8
    assert [len(group) for group in to_shown(mark, "digits").split()] == [4] * 7


@given(MARKS, MARKS, st.sampled_from(["en", "zh-Hans", "digits"]))
def test_two_marks_are_never_said_alike(one: bytes, other: bytes, name: str) -> None:
    assert is_said(to_shown(one, name), one)
    assert is_said(to_shown(one, name), other) is (one == other)


@given(MARKS, st.sampled_from("\u0660\u06f0\u0966\uff10"), st.sampled_from(["", "-", "\n", " - "]))
def test_digits_of_every_script_and_words_in_any_spacing_are_read(
    mark: bytes, zero: str, between: str
) -> None:
    digits = to_shown(mark, "digits").split()
    typed = between.join("".join(chr(ord(zero) + int(c)) for c in group) for group in digits)
    assert is_said(typed, mark)
    assert is_said(between.join(to_shown(mark, "en").upper().split()), mark)
    assert is_said(to_shown(mark, "zh-Hans").replace(" ", ""), mark)


@given(MARKS, st.sampled_from(["en", "zh-Hans", "digits"]), st.data())
def test_what_is_right_but_for_its_spaces_is_no_slip(
    mark: bytes, name: str, data: st.DataObject
) -> None:
    words = to_shown(mark, name).split()
    spaces = data.draw(st.lists(st.sampled_from(["", " ", "-"]), min_size=8, max_size=8))
    check_typed("".join(map("".join, zip(words, spaces, strict=False))))


@pytest.mark.parametrize(
    ("typed", "said"),
    [(" ", "0 words"), ("-", "0 words"), ("able about", "2 words"), ("ableabout above", "3 words"),
     ("able " * 9, "9 words"), ("able" * 7, "7 words"), ("able " * 7 + "abel", "'abel'"),
     ("able " * 6 + "ableabel", "'ableabel'"), ("123", "3 digits"), ("的一是", "3 words"),
     ("able" * 9, "in no list"), ("x" * 100_000, "in no list")],
)  # fmt: skip
def test_a_slip_in_what_was_typed_is_named(typed: str, said: str) -> None:
    with pytest.raises(Fault) as fault:
        check_typed(typed)
    assert said in fault.value.what


@given(MARKS, st.integers(0, 7))
def test_seven_right_words_are_not_enough(mark: bytes, place: int) -> None:
    words = to_shown(mark, "en").split()
    words[place] = "zoo" if words[place] != "zoo" else "zone"
    assert not is_said(" ".join(words), mark)
    assert not is_said("", mark)


def test_order_of_keys_does_not_count_and_the_threshold_does() -> None:
    fields = {name: v["fields"]["en"] for name, v in ROOTS.items()}
    assert fields["two-of-three"] == fields["two-of-three-in-another-order"]
    assert fields["two-of-three"] != fields["three-of-three"]


def test_words_survive_bundle_updates_and_new_online_keys(town: Town) -> None:
    before, sealed = town.words, town.metadata("timestamp").read_bytes()
    (town.site / "app.js").write_bytes(b"better()\n")
    for role in ("timestamp", "page", "minisign"):
        replace_role(town.keys, role, NOW, seeded(role))
        assert town.approve("1", "2")
    town.sign(LATER)
    assert town.metadata("timestamp").read_bytes() != sealed
    assert town.keys.roots()[-1].signed.version == 2
    assert town.words == before == eight_words(repository.encode(town.keys.roots()[0]))
    assert town.check(words=before).verdict.value == "genuine"


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"signed":{"_type":"targets"}}'])
def test_what_is_no_root_has_no_words(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        root_keys(data)
    assert refused.value.rule == "eightwords 3.1"


def test_a_root_key_of_another_kind_has_no_words() -> None:
    def other(signed: Any) -> None:
        name = signed["roles"]["root"]["keyids"][0]
        signed["keys"][name]["keyval"]["public"] = "-----BEGIN PUBLIC KEY-----"

    with pytest.raises(Refused) as refused:
        root_keys(changed(other))
    assert refused.value.rule == "eightwords 3.1"


def test_a_root_that_asks_for_more_signatures_than_keys_has_no_words() -> None:
    with pytest.raises(Refused) as refused:
        root_keys(changed(lambda s: s["roles"]["root"].update(threshold=4)))
    assert refused.value.rule == "eightwords 3.2"


def test_a_stranger_s_keys_under_the_names_of_the_right_ones_have_no_words() -> None:
    """TUF would take them: it leaves the names of keys to whoever writes the root."""

    def steal(signed: Any) -> None:
        for key in signed["keys"].values():
            key["keyval"]["public"] = "00" * 31 + key["keyval"]["public"][:2]

    with pytest.raises(Refused) as refused:
        root_keys(changed(steal))
    assert refused.value.rule == "eightwords 3.3"


def test_a_bundle_whose_root_keys_bear_other_names_is_refused(town: Town) -> None:
    """The same as above, against the whole check: signed by the thief, with the right words."""
    thief = seeded("thief")
    seeds = [thief(32) for _ in range(3)]
    path = town.metadata("root")
    value = json.loads(path.read_bytes())
    names = value["signed"]["roles"]["root"]["keyids"]
    root = town.read("root")
    for name, seed in zip(names, seeds, strict=True):
        public = repository.public_key(sign.verify_key(seed))
        root.signed.keys[name].keyval["public"] = public.keyval["public"]
    path.write_bytes(repository.encode(root))
    assert town.check().rule == "eightwords 3.3"


@settings(max_examples=200)
@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda x: st.lists(
    x, max_size=3) | st.dictionaries(st.sampled_from(["signed", "_type", "keys", "roles", "root"]),
    x, max_size=4)))  # fmt: skip
def test_any_json_is_refused(value: Any) -> None:
    with pytest.raises(Refused):
        root_keys(json.dumps(value).encode())


def test_the_fingerprint_is_made_by_a_slow_hash_of_all_of_the_root() -> None:
    keys = root_keys(ROOTS["two-of-three"]["inputs"]["root"].encode())
    others = (RootKeys(keys.ids, 1), RootKeys(keys.ids[:2], 2))
    assert len({fingerprint(k) for k in (keys, *others)}) == 3


def test_a_computer_without_the_memory_that_the_words_take_says_so_and_what_to_do() -> None:
    keys = RootKeys(tuple(bytes([n]) * 32 for n in range(9)), 1)  # of which nobody has words yet
    with little_memory(32), pytest.raises(Fault, match=r"take 64 MiB .* type this again"):
        fingerprint(keys)
    assert len(fingerprint(keys)) == 11
