"""A node whose disk was lost begins with an empty one; what it acknowledges then is not lost."""

from __future__ import annotations

import shutil

from tests.mix.room import Make, Room


async def loses_no_letter_on_a_new_ingress(room: Room) -> None:
    """Stop the town, lose the disk of ingress, start again; what is sent then is read."""
    shutil.rmtree(room.town.path / "ingress")
    room.restart()
    await room.send(room.hum(room.letter("to the new ingress")))
    await room.tick(5)
    assert room.texts() == ["to the new ingress"]


async def test_a_new_ingress_loses_no_cell_to_what_a_had_of_the_one_before(
    make_room: Make,
) -> None:
    room = await make_room()
    for _ in range(3):
        await room.send(room.hum())
    await room.tick(2)
    await loses_no_letter_on_a_new_ingress(room)


async def test_a_node_that_jumps_holds_nobody_back_from_the_honest_one_after_it(
    make_room: Make,
) -> None:
    """An ingress that lied about its numbers is replaced; A goes on with the next one."""
    room = await make_room()
    log = room.town.ingress._log
    log.go_on_above(2**39)
    await room.send(room.hum())
    await room.tick(2)
    await loses_no_letter_on_a_new_ingress(room)
