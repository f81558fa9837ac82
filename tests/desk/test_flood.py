"""A flood of first letters at the desk: it takes room in the store and stops nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest
from tests.desk.simulated import MONDAY, World
from tests.desk.test_web import Browser

from wallflower.crypto.derive import sha256
from wallflower.desk import names
from wallflower.desk.edge.store import Store
from wallflower.desk.inbox import Arrived, Opened
from wallflower.desk.views import CASES_A_PAGE
from wallflower.wire.letter import Letter, LetterKind

ALICE = b"a" * 16


def flood(world: World, count: int, day: int = MONDAY) -> None:
    """So many first letters of nobody, as a drop would bring them."""
    rounds, store = world.desk._rounds, world.desk._store
    assert rounds is not None
    assert store is not None
    arrived = []
    for number in range(count):
        one = sha256(number.to_bytes(4))
        letter = Letter(LetterKind.LETTER, 1, one[:16], one, one, 47, 0, "junk")
        arrived.append(Arrived(one, letter))
    with store.transaction():
        rounds.parts.letters.keep(Opened(arrived, 0, Counter()), day)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that is asked of a store from now on."""
    asked: list[str] = []
    run: Callable[..., list[tuple[object, ...]]] = Store.run

    def counted(store: Store, statement: str, *values: object) -> list[tuple[object, ...]]:
        asked.append(statement)
        return run(store, statement, *values)

    monkeypatch.setattr(Store, "run", counted)
    return asked


async def test_more_conversations_than_short_names_have_a_name_each(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all names taken the desk once drew for ever, and answered nothing any more."""
    monkeypatch.setattr(names, "_PLANTS", ("Alder", "Basil"))
    await world.start()
    flood(world, 3 * names.names(1))
    found = [case.name for case in world.desk.inbox()]
    assert len(set(found)) == len(found) == 3 * names.names(1)


async def test_no_page_asks_the_store_more_because_there_are_more_conversations(
    world: World, statements: list[str]
) -> None:
    await world.start()
    browser = await Browser(world).enter()
    asked = []
    for count in (10, 400):
        flood(world, count)
        _, _, page = await browser.get("/")
        case = re.findall(r'href="(/case/[0-9a-f]+)"', page.decode())[0]
        _, _, page = await browser.get(case)
        letter = re.findall(r'"(/letter/[0-9a-f]+)"', page.decode())[0]
        for path in ("/", case, letter):
            statements.clear()
            assert (await browser.get(path))[0] == 200
            asked.append(len(statements))
    assert asked[:3] == asked[3:]


async def test_a_flood_hides_no_known_conversation_and_every_one_has_its_page(world: World) -> None:
    await world.start()
    browser = await Browser(world).enter()
    world.drop(world.write(ALICE, "hello"))
    await world.desk.step()
    [alice] = world.desk.inbox()
    assert b"/page/" not in (await browser.get("/"))[2]
    [letter] = world.desk.conversation(alice.id).letters
    world.desk.open_letter(letter.id)
    flood(world, 2 * CASES_A_PAGE + 1, day=MONDAY + 1)
    shown, linked = [], []
    for path in ("/", "/page/2", "/page/3", "/page/4"):
        status, _, page = await browser.get(path)
        assert status == 200
        shown.append(re.findall(r'class="name" href="/case/[0-9a-f]+">([^<]+)<', page.decode()))
        linked.append(re.findall(r'href="/page/(\d+)"', page.decode()))
    assert [len(page) for page in shown] == [CASES_A_PAGE + 1, CASES_A_PAGE, 1, 0]
    assert alice.name in shown[0]
    assert {name for page in shown for name in page} == {case.name for case in world.desk.inbox()}
    assert linked[:3] == [["2"], ["1", "3"], ["2"]], "each page leads to its neighbours"
