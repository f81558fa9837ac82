"""A mix's part in the epoch record: one body a number, ever; keys that end on time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.mix.room import DAY, Make, Room, desk_keys, power_cut_at, room_on
from tests.trust.made import private

from wallflower.board.edge.server import DeskServer, Tokens
from wallflower.cli.new import Config, make
from wallflower.crypto import sign
from wallflower.errors import Refused
from wallflower.host.asgi import App, Receive, Scope, Send, answer, read_body
from wallflower.host.disk import Folder
from wallflower.host.net import Unreachable
from wallflower.host.settings import load_settings
from wallflower.lab.town import BOARD, TOKEN
from wallflower.mix.edge.mix import Mix
from wallflower.mix.edge.process import read_settings
from wallflower.wire.hello import Kind
from wallflower.wire.offer import make_offer
from wallflower.wire.record import RecordBody, parse_body
from wallflower.wire.sizes import DAY_S, HASH, PARCEL


def keys_of(room: Room, position: str) -> Folder:
    return Folder(room.town.path / f"mix-{position}-keys")


def fresh(path: Path) -> Room:
    """A town that has no record yet."""
    return room_on(path / "fresh")


@pytest.mark.parametrize("position", ["a", "b"])
def test_a_slash_at_the_end_of_the_boards_address_makes_no_path_that_the_desk_server_refuses(
    tmp_path: Path, position: str
) -> None:
    def end(config: Config) -> None:
        config["board"]["url"] = f"{BOARD}/"

    config = make(f"mix-{position}", tmp_path / "mix", end)
    for name in ("source", "board"):
        (tmp_path / "mix" / f"{name}.token").write_text(TOKEN)
    assert read_settings(load_settings(config)).board == BOARD


class Server:
    """A desk server that shows one mix whatever the test wants, and notes what it sends."""

    def __init__(self, real: App) -> None:
        self.real = real
        self.drafts: dict[str, bytes] = {}
        self.signatures: list[bytes] = []

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in self.drafts:
            await answer(send, 200, self.drafts[scope["path"]])
        elif scope["path"].startswith("/mix/signature/"):
            body = await read_body(receive, 100)
            assert body is not None
            self.signatures.append(body)
            await answer(send, 204)
        else:
            await self.real(scope, receive, send)


async def drafted(room: Room, number: int = 1) -> RecordBody:
    """Let offers and desk keys become the next draft, which nobody has signed."""
    await room.town.net.post(f"{BOARD}/desk/keys", desk_keys(range(DAY, DAY + 5)), TOKEN)
    for mix in (room.town.a, room.town.b):
        offer = mix.records._offer(number)
        seed = {"a": room.town.signers.a, "b": room.town.signers.b}[mix._settings.position]
        where = f"{BOARD}/mix/offer/{mix._settings.position}"
        await room.town.net.post(where, make_offer(offer, seed))
    return parse_body(await room.town.net.get(f"{BOARD}/drafts/{number}"))


async def test_records_are_signed_three_days_ahead_and_chain(make_room: Make) -> None:
    room = await make_room()
    records = [room.record_of(n) for n in (1, 2, 3, 4)]
    assert [r.body.day for r in records] == [DAY, DAY + 1, DAY + 2, DAY + 3]
    for before, after in pairwise(records):
        assert after.body.ancestors[0] == before.hash
    assert room.town.server.status()["days_ahead"] == 3


@pytest.mark.parametrize("position", ["a", "b"])
async def test_a_draft_with_another_key_is_refused_counted_and_not_signed(
    tmp_path: Path, position: str
) -> None:
    room = fresh(tmp_path)
    body = await drafted(room)
    another = private("another").public
    forged = replace(body, hop_a=another) if position == "a" else replace(body, hop_b=another)
    server = Server(room.town.server.app)
    room.town.net.apps["board.example"] = server.app
    server.drafts["/drafts/1"] = forged.encode()
    mix = {"a": room.town.a, "b": room.town.b}[position]
    await mix.step()
    assert mix.status()["drafts_refused"] == 1
    assert server.signatures == []
    assert not [n for n in _files(mix).names() if n.startswith("draft")]
    server.drafts.clear()
    await mix.step()
    assert [s[:2] for s in server.signatures] == [b"\0\1"], "the control: the true draft is signed"
    room.town.close()


async def test_a_draft_of_a_number_that_a_mix_on_its_own_disk_never_offered_is_refused_and_rings(
    make_room: Make,
) -> None:
    """Only who lost a disk has a reason to give such a number up without a word."""
    room = await make_room()
    mix, server = room.town.a, Server(room.town.server.app)
    room.town.net.apps["board.example"] = server.app
    wanted = room.town.server.records.next_number()
    before = room.record_of(wanted - 1).body
    forged = replace(
        before, number=wanted + 1, day=before.day + 1, not_before=before.not_before + DAY_S,
        hop_a=private("another").public,
        ancestors=(bytes(HASH), before.hash(), *before.ancestors[:-2]),
    )  # fmt: skip
    server.drafts["/drafts/next"] = (wanted + 2).to_bytes(2)
    server.drafts[f"/drafts/{wanted + 1}"] = forged.encode()
    assert parse_body(forged.encode()) == forged
    refused, withdrawn = mix.status()["drafts_refused"], list(mix.records._withdrawn)
    await mix.records.step()
    assert mix.status()["drafts_refused"] == refused + 1
    assert mix.records._withdrawn == withdrawn


def _files(mix: Mix) -> Folder:
    return mix.records._files


@pytest.mark.parametrize("restart", [False, True])
async def test_only_one_body_is_signed_for_a_number_even_after_a_restart(
    tmp_path: Path, restart: bool
) -> None:
    room = fresh(tmp_path)
    body = await drafted(room)
    server = Server(room.town.server.app)
    room.town.net.apps["board.example"] = server.app
    await room.town.a.step()
    other = replace(body, drop_key=private("another").public)  # A has nothing against this one
    if restart:
        room.restart()
        server.real = room.town.server.app
    room.town.net.apps["board.example"] = server.app
    server.drafts["/drafts/1"] = other.encode()
    for _ in range(3):
        await room.town.a.step()
    key = room.town.pins.a
    for signature in server.signatures:
        sign.verify(key, "record", body.encode(), signature[2:])
    assert len(server.signatures) >= 2, "it was asked again"
    room.town.close()


async def test_a_power_cut_before_the_signature_leaves_does_not_let_a_second_body_be_signed(
    tmp_path: Path,
) -> None:
    room = fresh(tmp_path)
    body = await drafted(room)
    with power_cut_at(sign, "sign", times=1):  # the offer goes out, the draft is kept, then: dark
        await room.town.a.records.step()
    room.restart()
    server = Server(room.town.server.app)
    server.drafts["/drafts/1"] = replace(body, drop_key=private("another").public).encode()
    room.town.net.apps["board.example"] = server.app
    await room.town.a.step()
    assert len(server.signatures) == 1
    sign.verify(room.town.pins.a, "record", body.encode(), server.signatures[0][2:])
    room.town.close()


async def test_a_record_that_differs_from_the_signed_draft_is_refused(tmp_path: Path) -> None:
    room = fresh(tmp_path)
    body = await drafted(room)
    server = Server(room.town.server.app)
    room.town.net.apps["board.example"] = server.app
    await room.town.a.step()
    other = replace(body, drop_key=private("another").public).encode()
    s = room.town.signers
    signatures = b"".join(sign.sign(k, "record", other) for k in (s.organisation, s.a, s.b))
    server.drafts["/records/1"] = other + signatures
    before, files = room.town.a.status()["drafts_refused"], room.town.a.records._files.names()
    with pytest.raises(Refused) as refusal:
        await room.town.a.records._fetch()
    assert refusal.value.rule == "record 5.3"
    await room.town.a.step()
    assert room.town.a.status()["drafts_refused"] == before + 1
    assert room.town.a.records.in_force(room.town.clock.now()) is None
    assert room.town.a.records._files.names() == files
    room.town.close()


def lose_draft(patch: pytest.MonkeyPatch, room: Room, number: int) -> None:
    """The desk server's answer to who asks for it does not come."""
    get = room.town.net.get

    async def losing(url: str, *rest: Any, **more: Any) -> bytes:
        if url.endswith(f"/drafts/{number}"):
            raise Unreachable
        return await get(url, *rest, **more)

    patch.setattr(room.town.net, "get", losing)


async def test_a_draft_whose_answer_was_lost_is_signed_at_the_next_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who signed the one after it never signs it any more."""
    room = fresh(tmp_path)
    bodies = [await drafted(room, number) for number in (1, 2)]
    with monkeypatch.context() as patch:
        lose_draft(patch, room, 1)
        await room.town.a.step()
    for _ in range(3):
        await room.town.step()
    assert [room.record_of(n).body for n in (1, 2)] == bodies
    room.town.close()


async def test_a_draft_that_never_comes_holds_up_no_record_whose_day_has_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = fresh(tmp_path)
    for number in (1, 2):
        await drafted(room, number)
    lose_draft(monkeypatch, room, 1)
    signed = room.town.a.records._drafts
    await room.town.a.records.step()
    assert not signed, "it is tomorrow's, and follows one that may still come"
    room.town.clock.time += DAY_S
    await room.town.a.records.step()
    assert 2 in signed
    room.town.close()


async def test_a_board_that_restarts_between_two_signatures_still_completes_the_record(
    tmp_path: Path,
) -> None:
    room = fresh(tmp_path)
    await drafted(room)
    await room.town.a.step()  # A has signed; B has not
    s, town = room.town.signers, room.town
    assert town.server.records.raw(1) is None
    old = town.server
    town.server = DeskServer(
        town.host("board"), town.pins, old.records._fixed, Tokens(TOKEN, TOKEN, TOKEN),
        s.organisation, s.board,
    )  # fmt: skip
    town.net.apps["board.example"] = town.server.app
    for _ in range(4):
        await town.step()
    assert town.server.records.raw(1) is not None
    assert town.server.records.in_force(town.clock.now()) is not None
    town.close()


async def test_a_crash_between_write_and_rename_does_not_keep_a_mix_from_starting(
    make_room: Make,
) -> None:
    room = await make_room()
    for folder in (_files(room.town.a), keys_of(room, "a")):
        (folder.path / "record-9.new").write_bytes(b"half")
        (folder.path / "hop-9.new").write_bytes(b"half")
    room.restart()
    await room.tick(2)
    assert room.town.a.status()["drafts_refused"] == 0


# Keys end on time, and hums then open nowhere.


async def test_hop_keys_are_erased_on_time_and_their_hums_open_nowhere(make_room: Make) -> None:
    room = await make_room()
    record = room.town.record()
    assert record.body.day == DAY
    late = [room.hum(room.letter(f"late {n}"), record=record.body) for n in range(2)]
    end_a, end_b = (DAY + 2) * DAY_S, (DAY + 3) * DAY_S

    async def at(moment: float) -> None:
        # Not in step with the hourly rounds of the records.
        room.town.clock.time = moment
        await room.town.step()

    room.town.clock.time += 1234  # so that no hourly round falls on midnight
    await room.town.step()
    for day in (DAY + 1, DAY + 2):  # let everyone have the records of the days that come
        await at(day * DAY_S - 1000)
    assert "hop-1" in keys_of(room, "a").names()
    await room.send(late[0])
    await at(end_a - 10)
    assert room.town.a.status()["hums"] == 1, "the control: a moment before it opens"
    await at(end_a + 1)
    assert "hop-1" not in keys_of(room, "a").names()
    assert "hop-1" in keys_of(room, "b").names()
    refused = room.town.a.status()["refused"]
    await room.send(late[1])
    await room.tick(2)
    assert room.town.a.status()["hums"] == 1
    assert room.town.a.status()["refused"] == refused + 12
    await at(end_b - 10)
    assert "hop-1" in keys_of(room, "b").names()
    await at(end_b + 1)
    assert "hop-1" not in keys_of(room, "b").names()
    ((_, (refusal,)),) = room.b.opened(record.number, bytes(PARCEL), [0])
    assert isinstance(refusal, Refused)
    assert refusal.rule == "parcel 3.2"


async def test_an_erased_hop_key_was_overwritten(make_room: Make) -> None:
    room = await make_room()
    link = room.town.path / "link"
    link.hardlink_to(keys_of(room, "a").path / "hop-1")
    assert link.read_bytes() != bytes(32)
    room.town.a.records.forget((DAY + 2) * DAY_S)
    assert link.read_bytes() == bytes(32)
    assert room.town.a.records.private(1) is None, "nor is it kept in memory"


async def test_a_hum_under_tomorrows_record_is_refused_until_an_hour_before(
    make_room: Make,
) -> None:
    room = await make_room()
    tomorrow = room.record_of(2).body
    await room.send(room.hum(record=tomorrow))
    await room.tick()
    assert room.town.a.status()["hums"] == 0
    assert room.town.a.status()["refused"] == 12
    room.town.clock.time = (DAY + 1) * DAY_S - 1800
    await room.send(room.hum(record=tomorrow))
    await room.town.step()
    assert room.town.a.status()["hums"] == 1


async def test_a_hum_under_a_record_for_one_visitor_opens_nowhere(make_room: Make) -> None:
    """A mirror shows one visitor another record: other keys, and not three signatures."""
    room = await make_room()
    real = room.town.record().body
    ours = private("the attacker's hop").public
    for forged in (
        replace(real, hop_a=ours),
        replace(real, hop_b=ours),
        replace(real, drop_key=ours),  # the hops' keys are the real ones: the info differs
        replace(real, ways=(replace(real.ways[0], url="http://evil.example/"),)),
    ):
        await room.send(room.hum(room.letter("marked", real), Kind.LETTER, record=forged))
    await room.tick(3)
    assert room.town.a.status()["hums"] <= 1
    assert room.texts() == []
    assert room.b.counts["covers"] + room.b.counts["letters"] == 0
    await room.send(room.hum(room.letter("honest")))
    await room.tick(4)
    assert room.texts() == ["honest"], "the control"


async def test_without_a_board_the_mixes_go_on_with_the_records_they_have(make_room: Make) -> None:
    room = await make_room()
    room.town.net.cut.add("board.example")
    await room.send(room.hum(room.letter("offline board")))
    await room.tick(4)
    assert room.texts() == ["offline board"]
    with pytest.raises(Unreachable):
        await room.town.net.get(f"{BOARD}/record")


@pytest.mark.parametrize("position", ["a", "b"])
async def test_a_mix_whose_last_record_is_over_asks_for_another_once_a_minute(
    make_room: Make, monkeypatch: pytest.MonkeyPatch, position: str
) -> None:
    room = await make_room()
    mix = room.town.a if position == "a" else room.town.b
    room.town.clock.time += 12 * DAY_S
    rounds: list[float] = []

    class Enough(Exception):
        pass

    async def step() -> None:
        rounds.append(room.town.clock.now())
        if len(rounds) == 3:
            raise Enough

    monkeypatch.setattr(mix, "step", step)
    monkeypatch.setattr("wallflower.mix.edge.mix._BEFORE_FIRST_RECORD_S", 0)
    with pytest.raises(Enough):
        await mix.run()
    assert [after - before for before, after in pairwise(rounds)] == [60, 60]
