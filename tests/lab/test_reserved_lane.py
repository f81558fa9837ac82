"""A second letter goes through the lane that is kept for known conversations, end to end."""

from __future__ import annotations

from tests.lab.site import Make

MONDAY = 20780


async def test_the_second_letter_of_a_conversation_goes_through_the_reserved_lane(
    make_place: Make,
) -> None:
    place = await make_place(MONDAY)
    person = place.person("writes again")
    counts = place.town.b.part.counts
    await person.visit()
    person.write("第一封")
    await place.pass_days(0.5)  # from noon to midnight
    await person.visit()
    await place.pass_days(1)
    assert place.texts(person) == [("first", "第一封")]  # which a handler has now opened
    assert (counts["known"], counts["reserved"]) == (0, 0)
    await person.visit()
    person.write("第二封")
    await place.pass_days(1)
    await person.visit()
    await place.pass_days(1)
    assert [text for _, text in place.texts(person)] == ["第一封", "第二封"]
    assert (counts["known"], counts["reserved"], counts["released"]) == (1, 1, 2)
