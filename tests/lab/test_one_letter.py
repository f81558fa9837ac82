"""One letter, end to end, through the code of every role, on simulated hosts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.lab.site import Make

from wallflower.crypto.derive import conversation_id
from wallflower.errors import Refused
from wallflower.lab.town import MIRROR
from wallflower.source.edge.visit import fetch_record
from wallflower.wire.sizes import LETTER_TEXT


async def test_letters_of_every_length_arrive_whole(make_place: Make) -> None:
    place = await make_place()
    texts = {
        "one character": "私",
        "300 characters": "我们村的水" * 60,
        "exactly the limit": "水" * (LETTER_TEXT // 3),
    }
    people = {name: place.person(name) for name in texts}
    for name, person in people.items():
        await person.visit()
        person.write(texts[name])
    await place.pass_days(1)
    for person in people.values():
        await person.visit()
    await place.pass_days(2)
    for name, person in people.items():
        assert place.texts(person) == [("first", texts[name])]


async def test_one_byte_over_the_limit_is_refused_with_the_limit_and_nothing_is_kept(
    make_place: Make,
) -> None:
    place = await make_place()
    person = place.person("too long")
    await person.visit()
    before = person.store.letters()
    with pytest.raises(Refused, match=str(LETTER_TEXT)) as refusal:
        person.write("水" * (LETTER_TEXT // 3) + "x")
    assert refusal.value.rule == "letter 3.8"
    assert person.store.letters() == before


async def test_a_letter_does_not_leave_on_the_day_it_was_written(make_place: Make) -> None:
    place = await make_place()
    person = place.person("hasty")
    await person.visit()
    person.write("今天")
    await person.visit()  # the same day: this hum is a cover
    await place.pass_days(1.5)
    assert place.texts(person) == []
    await person.visit()
    await place.pass_days(1.5)
    assert place.texts(person) == [("first", "今天")]


async def test_three_letters_across_a_week_change_are_one_confirmed_conversation(
    make_place: Make,
) -> None:
    place = await make_place()  # Saturday; letters leave on Sunday, Monday and Tuesday
    person = place.person("patient")
    await person.visit()
    for text in ("周六写的", "周日写的", "周一写的"):
        person.write(text)
        await place.pass_days(1)
        await person.visit()
    await place.pass_days(2)
    assert place.texts(person) == [
        ("first", "周六写的"), ("confirmed", "周日写的"), ("confirmed", "周一写的"),
    ]  # fmt: skip


async def test_a_reply_of_three_slots_and_a_receipt_are_read_with_the_words_alone(
    make_place: Make,
) -> None:
    place = await make_place()
    person = place.person("asks")
    await person.visit()
    person.write("请回答")
    await place.pass_days(1)
    await person.visit()
    await place.pass_days(1.2)
    assert place.texts(person) == [("first", "请回答")]
    answer = "这是一个很长的回答。" * 60  # 1,800 bytes: three slots
    place.desk.answer(conversation_id(person.secret), answer)
    await place.pass_days(2.5)
    elsewhere = place.person("elsewhere", person.secret)
    await elsewhere.visit()
    found = elsewhere.read()
    assert [reply.text for reply in found.replies] == [answer]
    assert len(found.receipts) == 1
    stranger = place.person("stranger")
    await stranger.visit()
    assert stranger.read().replies == []
    assert stranger.read().receipts == set()


async def test_a_letter_written_with_yesterdays_record_leaves_under_todays(
    make_place: Make,
) -> None:
    place = await make_place()
    person = place.person("offline")
    await person.visit()
    await place.pass_days(1)
    person.write("用昨天的记录写的")  # no visit since: the store's record is yesterday's
    await person.visit()
    await place.pass_days(1.5)
    assert place.texts(person) == [("first", "用昨天的记录写的")]


async def test_a_letter_sealed_under_a_record_that_is_no_ancestor_stays(make_place: Make) -> None:
    place = await make_place()
    person = place.person("forked")
    await person.visit()
    person.write("不该离开")
    kept = person.store.letters()
    person.store.write_letters([replace(k, record_hash=b"\1" * 32) if k.place else k for k in kept])
    await place.pass_days(1)
    await person.visit()
    await place.pass_days(2)
    assert place.texts(person) == []


async def test_a_hum_whose_cells_were_all_lost_but_one_copy_each_arrives(make_place: Make) -> None:
    place = await make_place()
    person = place.person("lossy")
    await person.visit()
    person.write("丢了很多")
    await place.pass_days(1)
    await person.visit(only=(4, 1, 10, 7))
    await place.pass_days(1.5)
    assert place.texts(person) == [("first", "丢了很多")]


@pytest.mark.parametrize("missing", [0, 1, 2, 3])
async def test_three_of_four_distinct_cells_forward_nothing(make_place: Make, missing: int) -> None:
    place = await make_place()
    person = place.person("cut")
    await person.visit()
    person.write("不完整")
    await place.pass_days(1)
    before = place.town.a.status()["hums"]
    await person.visit(only=tuple(c for c in range(12) if c % 4 != missing))
    await place.pass_days(1)
    assert place.town.a.status()["hums"] == before
    assert place.texts(person) == []


async def test_the_same_cells_again_are_one_letter(make_place: Make) -> None:
    place = await make_place()
    person = place.person("twice")
    await person.visit()
    person.write("只有一次")
    await place.pass_days(1)
    cells = await person.visit()
    record = await fetch_record(place.town.host("twice"), MIRROR, place.town.pins)
    await person.send(cells, record)
    await place.pass_days(0.2)
    place.town.build()  # every server restarts on its disk
    await person.send(cells, record)
    await place.pass_days(1.5)
    assert place.texts(person) == [("first", "只有一次")]
