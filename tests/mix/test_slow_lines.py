"""A line on which a whole page takes longer than an answer may: small ones come all the same."""

from __future__ import annotations

import pytest
from tests.mix.room import AT_ONCE, Make

from wallflower.host.asgi import App, Receive, Scope, Send, read_body, refuse
from wallflower.host.pull import SHARE_QUESTION
from wallflower.lab.host import ask
from wallflower.mix.edge.mix import PAGE

CARRIED = 64  # entries, before it is given up
WAITING = 150


def slow(app: App, token: str, most: list[int]) -> App:
    """The node behind such a line, and how much was asked of it."""

    async def line(scope: Scope, receive: Receive, send: Send) -> None:
        question = await read_body(receive, SHARE_QUESTION) or b""
        most.append(int.from_bytes(question[8:12]))
        if most[-1] > CARRIED:
            await refuse(send)  # to who asks it is the same as no answer in time
            return
        status, body = await ask(app, "POST", scope["path"], question, token)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return line


@pytest.mark.parametrize("position", ["a", "b"])
async def test_what_waits_behind_a_slow_line_comes_however_much_it_is(
    make_room: Make, position: str
) -> None:
    room = await make_room(AT_ONCE)
    before = "inner.example" if position == "a" else "a.example"
    mix = room.town.a if position == "a" else room.town.b
    log = room.town.ingress._log if position == "a" else room.a.out
    log.append(room.town.record().number, [bytes(99)] * WAITING)
    await room.send(room.hum(room.letter("behind all that"))[:4])
    most: list[int] = []
    real, token = room.town.net.apps[before], mix._settings.source_token
    room.town.net.apps[before] = slow(real, token, most)
    await room.tick(3)
    assert room.texts() == ["behind all that"]
    assert set(most) == {PAGE[position], CARRIED, 0}, "one of two sizes, whatever waits"
    assert most[: most.index(0)].count(PAGE[position]) == 1, "a round tries a whole page once"
