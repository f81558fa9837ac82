"""What the desk's pages say of alarms, a full batch, a store that fails, and another passphrase."""

from __future__ import annotations

import os
import re
from json import loads

import pytest
from tests.desk.simulated import PASSPHRASE, World, ask
from tests.desk.test_web import HOST, Browser, unlocked, with_letter

from wallflower.desk.edge.status import report
from wallflower.desk.edge.store import Store
from wallflower.host.disk import DiskTrouble
from wallflower.wire.sizes import REPLY_TEXT


async def seen(browser: Browser) -> None:
    """Press the button of the status page as it is now."""
    await browser.post("/status", shown_by((await browser.get("/status"))[2]))


def shown_by(page: bytes) -> dict[str, str]:
    """The field by which a status page says what it showed."""
    return dict(re.findall(r'name="(newest)" value="(\d+)"', page.decode()))


async def test_alarm_is_on_every_page_until_it_was_seen(world: World) -> None:
    browser = await unlocked(world)
    world.make_drop([])
    world.drop()
    await world.desk.step()
    assert b"1 alarm" in (await browser.get("/"))[2]
    assert b"does not follow" in (await browser.get("/status"))[2]
    assert [alarm.name for alarm in report(world.desk.status()).alarms] == ["desk-alarms"]
    await seen(browser)
    assert b"1 alarm" not in (await browser.get("/"))[2]
    assert report(world.desk.status()).alarms == []
    page = (await browser.get("/status"))[2]
    assert page.index(b"Earlier alarms") < page.index(b"does not follow")


async def test_an_alarm_that_came_after_the_page_is_not_acknowledged_with_it(world: World) -> None:
    browser = await unlocked(world)
    letters, today = world.desk._open()[1].letters, world.desk.today()
    letters.alarm(today, "there before the page")
    page = (await browser.get("/status"))[2]
    letters.alarm(today, "came while the page was read")
    for said in ({}, {"newest": "x"}, {"newest": "9" * 30}):  # none is of a page
        await browser.post("/status", said)
        assert world.desk.unseen_alarms() == 2
    assert (await browser.post("/status", shown_by(page)))[0] == 303
    unseen = [alarm.what for alarm in world.desk.status().alarms if not alarm.seen]
    assert unseen == ["came while the page was read"]
    letters.alarm(today, "and more", instead_of="there before the page")
    assert world.desk.unseen_alarms() == 2
    await seen(browser)
    letters.alarm(today, "and more")
    assert world.desk.unseen_alarms() == 0


async def test_all_alarms_that_one_press_acknowledges_were_shown(world: World) -> None:
    browser = await unlocked(world)
    letters, today = world.desk._open()[1].letters, world.desk.today()
    many = [f"alarm number {number} of many" for number in range(100, 150)]
    for what in many:
        letters.alarm(today, what)
    page = (await browser.get("/status"))[2].decode()
    assert [what for what in many if what not in page] == []
    await browser.post("/status", shown_by(page.encode()))
    assert world.desk.unseen_alarms() == 0


@pytest.mark.parametrize("table", ["letters_of", "records", "alarms"])
async def test_a_page_of_the_store_that_rotted_is_said_and_ends_no_desk(
    world: World, table: str
) -> None:
    await world.start()
    store = world.desk._open()[0]
    [(page,)] = store.run("SELECT rootpage FROM sqlite_master WHERE name = ?", table)
    world.desk.lock()
    path = world.folder / "store.db"
    data = bytearray(path.read_bytes())
    data[page * 4096 - 2000] ^= 1
    path.write_bytes(data)
    browser = await Browser(world).enter()
    fields = {"passphrase": PASSPHRASE}
    status, _, found = await browser.post("/unlock", fields)
    assert (status, b"The store is damaged" in found) in ((303, False), (400, True))
    await world.desk.step()
    if status == 303:
        status, _, found = await browser.get("/status")
    assert (status, b"The store is damaged" in found) == (400, True)


async def test_a_header_that_cannot_be_read_is_said_at_the_door(world: World) -> None:
    await world.start()
    world.desk.lock()
    (world.folder / "store.json").rename(world.folder / "kept")
    (world.folder / "store.json").mkdir()  # as one that may not be read, but for root too
    browser = await Browser(world).enter()
    for status, _, page in (await browser.get("/unlock"), await browser.post("/unlock", {})):
        assert (status, b"refuses what the desk needs" in page) == (400, True)


@pytest.mark.parametrize("name", ["store.db", "store.db-wal"])
async def test_a_database_of_another_user_is_said_at_the_door(world: World, name: str) -> None:
    """As one that was put back from a copy by root. The answer was once the bare refusal."""
    await world.start()
    world.desk.lock()
    path = world.folder / name
    kept = path.read_bytes() if path.exists() else b""
    path.unlink(missing_ok=True)
    path.mkdir()  # as one that may not be read, but for root too
    browser = await Browser(world).enter()
    status, _, page = await browser.post("/unlock", {"passphrase": PASSPHRASE})
    assert (status, b"runs as may not read and write %s" % name.encode() in page) == (400, True)
    path.rmdir()
    path.write_bytes(kept)
    assert (await browser.post("/unlock", {"passphrase": PASSPHRASE}))[0] == 303


@pytest.mark.parametrize("refused", [os.R_OK, os.W_OK])
async def test_a_database_that_may_not_be_read_or_not_be_written_is_said_at_the_door(
    world: World, refused: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.start()
    world.desk.lock()
    browser = await Browser(world).enter()
    with monkeypatch.context() as patch:  # since root may do all
        patch.setattr(os, "access", lambda _, mode: not mode & refused)
        status, _, page = await browser.post("/unlock", {"passphrase": PASSPHRASE})
    assert (status, b"runs as may not read and write store.db" in page) == (400, True)
    assert (await browser.post("/unlock", {"passphrase": PASSPHRASE}))[0] == 303


async def test_who_watches_a_desk_is_told_of_a_store_that_cannot_be_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.start()
    app, sent = Browser(world, "watch").app, {"host": HOST, "authorization": "Bearer watch"}

    async def told() -> list[tuple[str, bool]]:
        status, _, body = await ask(app, "GET", "/status", sent)
        assert status == 200
        return [(a["name"], "cannot read its store" in a["what"]) for a in loads(body)["alarms"]]

    def failing(*_: object) -> None:
        raise DiskTrouble

    assert await told() == []
    with monkeypatch.context() as patch:
        patch.setattr(Store, "run", failing)
        assert await told() == [("desk-failing", True)]
    world.desk.lock()
    (world.folder / "store.json").write_bytes(b"torn")
    assert await told() == [("desk-failing", True)]


async def test_the_status_page_asks_no_operator_about_this_computer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await unlocked(world)
    run = Store.run

    def full(store: Store, statement: str, *values: object) -> list[tuple[object, ...]]:
        if statement.startswith(("INSERT", "SELECT number FROM records")):
            raise DiskTrouble
        return run(store, statement, *values)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "run", full)
        await world.desk.step()
    page = (await browser.get("/status"))[2]
    assert (page.count(b"full or fails"), b"Did not answer" in page) == (1, False)
    world.net.cut.add("mix")
    await world.desk.step()
    page = (await browser.get("/status"))[2]
    assert (b"mix B: drops" in page, b"Failed on this computer" in page) == (True, False)


async def test_a_store_that_fails_answers_a_form_with_an_answer_in_it_with_no_page_either(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, case, _ = await with_letter(world)
    run = Store.run

    def failing(store: Store, statement: str, *values: object) -> list[tuple[object, ...]]:
        if "FROM conversations" in statement:
            raise DiskTrouble
        return run(store, statement, *values)

    monkeypatch.setattr(Store, "run", failing)
    for do in ("send", "check"):
        status, headers, page = await browser.post(case, {"text": "our answer", "do": do})
        assert (status, headers.get("location"), page) == (303, f"{case}#answer", b"")
    status, _, page = await browser.get(case)
    assert (status, b"full, or fails" in page) == (400, True)
    monkeypatch.undo()
    status, _, page = await browser.get(case)
    assert (status, b"our answer" in page, b"full, or fails" in page) == (200, True, True)
    await browser.post("/lock", {})
    status, headers, page = await browser.post(case, {"text": "our answer", "do": "send"})
    assert (status, headers.get("location"), page) == (303, "/unlock", b"")


async def test_passphrase_is_changed_by_form(world: World) -> None:
    browser = await unlocked(world)
    fields = {"old": "wrong", "passphrase": "another long one", "again": "another long one"}
    status, _, page = await browser.post("/passphrase", fields)
    assert (status, b"This is not the passphrase" in page) == (400, True)
    status, _, page = await browser.post("/passphrase", {**fields, "old": PASSPHRASE})
    assert (status, b"The passphrase was changed" in page) == (200, True)
    world.desk.lock()
    world.desk.unlock("another long one")


async def test_an_answer_behind_a_full_batch_is_not_promised_for_its_day(world: World) -> None:
    browser, case, letter = await with_letter(world)
    await browser.post(letter, {})
    await browser.post(case, {"text": "x" * REPLY_TEXT * 24, "do": "send"})
    assert b"or with a later one if that one is full" in (await browser.get(case))[2]
    await browser.post(case, {"text": "behind it", "do": "send"})
    page = (await browser.get(case))[2]
    assert page.count(b"waiting for the batch for 2026-11-24, or a later one") == 3
    world.set_time(0, 18)
    await world.desk.step()
    page = (await browser.get(case))[2]
    assert page.count(b"handed over for 2026-11-24") == 2
    assert page.count(b"waiting for the batch for 2026-11-25, or a later one") == 1
