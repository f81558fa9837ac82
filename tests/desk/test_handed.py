"""The desk's two tokens: taken out of their files into the store, and found in no file after."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.desk.simulated import B_TOKEN, DESK_TOKEN, PASSPHRASE, World, hand_over
from tests.desk.test_store import PowerCut, files_with

from wallflower.desk.edge.handed import NODES, token
from wallflower.desk.edge.store import Store
from wallflower.errors import Fault
from wallflower.host.disk import Folder
from wallflower.host.net import MAX_ANSWER

ALICE = b"a" * 16
OTHERS = {"b": "another-b", "board": "another-board"}


def sealed(world: World) -> dict[str, str | None]:
    """The tokens in the store of the open desk."""
    store = world.desk._store
    assert store is not None
    return {node: token(store, node) for node in NODES}


def named(world: World, node: str, file: str) -> None:
    """Let the desk's configuration name another file for a token."""
    settings = world.desk._settings
    peer = replace(getattr(settings, node), token_file=file)
    world.desk._settings = replace(settings, **{node: peer})


def lying_open(world: World) -> list[str]:
    """Every file of the folder that holds a token in clear."""
    every = (B_TOKEN, DESK_TOKEN, *OTHERS.values())
    return sorted({name for one in every for name in files_with(world.folder, one.encode())})


async def test_who_takes_the_folder_of_a_locked_desk_finds_neither_token(world: World) -> None:
    assert lying_open(world) == ["b.token", "board.token"], "the control: so they are handed over"
    blocks = world.path / "blocks"
    blocks.hardlink_to(world.folder / "b.token")  # sees what happens to the blocks
    await world.start()
    world.drop(world.write(ALICE, "hello"))
    await world.desk.step()
    assert lying_open(world) == []
    assert blocks.read_bytes() == bytes(len(B_TOKEN) + 1)
    world.desk.lock()
    assert lying_open(world) == []
    assert Folder(world.folder).names() == ["store.db", "store.json"]
    asked = len(world.server.published)
    world.drop(world.write(ALICE, "while it is locked", mark=1))
    await world.desk.step()
    assert world.log.size() == 1, "a locked desk fetches nothing, and so needs no token"
    world.desk = world.new_desk()
    world.desk.unlock(PASSPHRASE)
    await world.desk.step()
    assert (world.desk.status().letters, world.desk.status().unreachable) == (2, [])
    assert len(world.server.published) == asked + 1


async def test_a_new_token_is_handed_over_to_a_desk_that_has_one(world: World) -> None:
    await world.start()
    world.desk.lock()
    Folder(world.folder).write("b.token", b"another-b")
    world.desk.unlock(PASSPHRASE)
    assert sealed(world) == {"b": "another-b", "board": DESK_TOKEN}
    assert lying_open(world) == []
    await world.desk.step()
    assert "mix B: drops" in world.desk.status().unreachable, "this B knows another one"


@pytest.mark.parametrize("at", range(4))
async def test_a_power_cut_at_any_step_of_taking_tokens_in_loses_none(
    world: World, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Before each of: sealing the one, sealing the other, erasing the one, erasing the other."""
    world.desk.unlock(PASSPHRASE)
    world.desk.lock()
    hand_over(Folder(world.folder), **OTHERS)
    steps = iter(range(4))
    put, erase = Store.put, Folder.erase

    def cut() -> None:
        if next(steps) == at:
            raise PowerCut

    def cut_put(self: Store, name: str, value: object) -> None:
        cut()
        put(self, name, value)

    def cut_erase(self: Folder, name: str) -> None:
        if name.endswith(".token"):
            cut()
        erase(self, name)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "put", cut_put)
        patch.setattr(Folder, "erase", cut_erase)
        with pytest.raises(PowerCut):
            world.desk.unlock(PASSPHRASE)
    assert world.desk.locked
    world.desk.unlock(PASSPHRASE)
    assert sealed(world) == OTHERS
    assert lying_open(world) == []


def test_a_file_whose_erasure_was_cut_short_is_erased_and_not_taken_for_a_token(
    world: World,
) -> None:
    world.desk.unlock(PASSPHRASE)
    world.desk.lock()
    for half in (bytes(8), B_TOKEN[:3].encode() + bytes(5)):
        Folder(world.folder).write("b.token", half)
        world.desk.unlock(PASSPHRASE)
        assert sealed(world) == {"b": B_TOKEN, "board": DESK_TOKEN}
        world.desk.lock()
        assert not (world.folder / "b.token").exists()


@pytest.mark.parametrize(
    "data",
    [b"", b" \n", "tok\u00e9n".encode(), b"b-to\nken\n", b"b token", "b-token\n".encode("utf-16")],
)
def test_a_file_without_a_token_is_said_and_changes_nothing(world: World, data: bytes) -> None:
    world.desk.unlock(PASSPHRASE)
    world.desk.lock()
    Folder(world.folder).write("b.token", data)
    with pytest.raises(Fault, match=r"b\.token holds no token"):
        world.desk.unlock(PASSPHRASE)
    assert world.desk.locked
    assert (world.folder / "b.token").read_bytes() == data
    (world.folder / "b.token").unlink()
    world.desk.unlock(PASSPHRASE)
    assert sealed(world)["b"] == B_TOKEN


def test_a_token_that_cannot_be_read_is_said_and_changes_nothing(world: World) -> None:
    (world.folder / "b.token").unlink()
    (world.folder / "b.token").mkdir()
    with pytest.raises(Fault, match=r"b\.token cannot be read"):
        world.desk.unlock(PASSPHRASE)
    assert (world.desk.locked, lying_open(world)) == (True, ["board.token"])


def noted(world: World, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The address and the token of whatever the desk posts from now on."""
    posted: list[tuple[str, str]] = []
    ask = world.net.post

    async def noting(url: str, body: bytes, token: str = "", limit: int = MAX_ANSWER) -> bytes:
        posted.append((url, token))
        return await ask(url, body, token, limit)

    monkeypatch.setattr(world.net, "post", noting)
    return posted


async def test_a_desk_without_a_token_opens_its_letters_and_rings_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a store was put back from a copy of before its tokens were sealed."""
    (world.folder / "b.token").unlink()
    posted = noted(world, monkeypatch)
    await world.start()
    assert sealed(world) == {"b": None, "board": DESK_TOKEN}
    assert {url for url, _ in posted} == {"http://board/desk/keys"}, (
        "nobody is shown a token that there is not"
    )
    found = world.desk.status()
    assert found.unreachable == ["mix B: drops", "mix B: tokens"]
    [alarm] = found.alarms
    assert alarm.what.startswith("This desk has no token for mix B: ask its operator")
    assert "as b.token, then lock and unlock" in alarm.what
    Folder(world.folder).write("b.token", B_TOKEN.encode())
    world.desk.lock()
    world.desk.unlock(PASSPHRASE)
    await world.desk.step()
    assert world.desk.status().unreachable == []


@pytest.mark.parametrize("kept", ["b-to\nken", "b token", "tok\u00e9n", "", "\0"])
async def test_a_sealed_token_that_no_request_can_carry_counts_as_none_and_rings(
    world: World, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    """One in two lines was once sealed; the client of a request then raises, and the desk ended."""
    await world.start()
    store = world.desk._store
    assert store is not None
    store.put("token_b", kept)
    posted = noted(world, monkeypatch)
    world.set_time(0, 18)
    await world.desk.step()
    assert {token for _, token in posted} == {DESK_TOKEN}
    found = world.desk.status()
    assert found.unreachable == ["mix B: drops", "mix B: tokens"]
    assert [a.what.partition(":")[0] for a in found.alarms] == ["This desk has no token for mix B"]
    Folder(world.folder).write("b.token", B_TOKEN.encode())
    world.desk.lock()
    world.desk.unlock(PASSPHRASE)
    await world.desk.step()
    assert world.desk.status().unreachable == []


@pytest.mark.parametrize("linked", [True, False])
def test_a_file_that_is_not_the_desks_own_is_left_and_rings(world: World, linked: bool) -> None:
    """On one machine the configuration may name B's own file, which B needs."""
    theirs = world.path / "next.token"
    theirs.write_text("another-b")
    (world.folder / "b.token").unlink()
    if linked:
        (world.folder / "b.token").symlink_to(theirs)
    else:
        named(world, "b", "../next.token")
    world.desk.unlock(PASSPHRASE)
    assert theirs.read_text() == "another-b"
    assert sealed(world)["b"] == "another-b"
    [alarm] = world.desk.status().alarms
    name = "b.token" if linked else "next.token"
    assert alarm.what.startswith(f"The token in {name} was sealed, but the file still shows it")


def test_a_file_that_the_disk_does_not_let_erase_is_left_and_rings(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(_: Folder, name: str) -> None:
        raise PermissionError(name)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "erase", read_only)
        world.desk.unlock(PASSPHRASE)
    assert sealed(world) == {"b": B_TOKEN, "board": DESK_TOKEN}
    assert [a.what.partition(" was")[0] for a in world.desk.status().alarms] == [
        "The token in board.token", "The token in b.token",
    ]  # fmt: skip
    world.desk.lock()
    world.desk.unlock(PASSPHRASE)
    assert lying_open(world) == []


def test_one_file_may_hold_the_token_of_both(world: World) -> None:
    named(world, "board", "b.token")
    world.desk.unlock(PASSPHRASE)
    assert sealed(world) == {"b": B_TOKEN, "board": B_TOKEN}
    assert not (world.folder / "b.token").exists()
