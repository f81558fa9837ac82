"""Wherever the power goes while the desk writes, all of what belongs together is on the disk, or
none of it."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager

import pytest
from tests.desk.simulated import PASSPHRASE, World
from tests.desk.test_answers import arrived, evening
from tests.desk.test_shelves import shelves
from tests.mix.room import PowerCut, power_cut_at

from wallflower.desk.edge.rounds import Rounds
from wallflower.desk.edge.store import Store
from wallflower.desk.edge.watch import look_at_board
from wallflower.desk.views import Sending
from wallflower.host.net import Unreachable
from wallflower.wire.sizes import DAY_S

ALICE = b"a" * 16
_WRITING = ("INSERT", "UPDATE", "DELETE", "COMMIT")
Act = Callable[[World], Awaitable[None] | None]


def rounds(world: World) -> Rounds:
    """The passes of this desk."""
    found = world.desk._rounds
    assert found is not None
    return found


def on_disk(world: World) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, once the desk was started anew."""
    world.desk.lock()
    world.desk = world.new_desk()
    world.desk.unlock(PASSPHRASE)
    store = shelves(world).store
    tables = store.run("SELECT name FROM sqlite_master WHERE type = 'table'")
    every = {name: store.run(f"SELECT * FROM {name}") for (name,) in tables}  # noqa: S608
    return {name: sorted(rows, key=repr) for name, rows in every.items()}


@contextmanager
def power_goes_at(write: int) -> Generator[None, None, None]:
    """Within, the machine stops before so many statements that write; a commit is one too."""
    left, real = write, Store.run

    def run(self: Store, statement: str, *values: object) -> list[tuple[object, ...]]:
        nonlocal left
        if statement.startswith(_WRITING):
            if left == 0:
                raise PowerCut
            left -= 1
        return real(self, statement, *values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "run", run)
        yield


async def is_cut(world: World, act: Act, write: int) -> bool:
    """Do something; whether the power went before so many of its writes."""
    with power_goes_at(write):
        try:
            done = act(world)
            if inspect.isawaitable(done):
                await done
        except PowerCut:
            return True
    return False


def some_writes() -> Iterable[int]:
    """The first writes, and some of the many that follow."""
    return [*range(8), *range(8, 100, 13), 1000]


async def fresh(world: World) -> None:
    """A desk that has no keys yet."""
    world.desk.unlock(PASSPHRASE)


async def with_letter(world: World) -> None:
    """A letter that nobody has opened."""
    await world.start()
    world.drop(world.write(ALICE, "hello"))
    await world.desk.step()


async def with_case(world: World) -> None:
    """A conversation that can be answered."""
    await world.start()
    await arrived(world, ALICE)


async def with_answer(world: World) -> None:
    """An answer and a receipt on the evening of their batch."""
    await with_case(world)
    world.desk.answer(world.desk.conversations()[0], "yes")
    world.set_time(0, 18)


async def with_batch(world: World) -> None:
    """A batch that could not be posted."""
    await with_answer(world)
    world.net.down.add("/desk/batch")
    await world.desk.step()
    world.net.down.clear()


async def with_board(world: World) -> None:
    """A board that shows the batch of the day, and was not looked at since."""
    await with_answer(world)
    await evening(world, 0)
    await world.begin_day(1)
    world.release_day()


def make_keys(world: World) -> None:
    shelf, today = shelves(world), world.desk.today()
    shelf.keyring.make_missing(today, world.entropy)


def erase_keys(world: World) -> None:
    shelves(world).keyring.erase_dead(world.clock.time + 60 * DAY_S, 1)


def open_letter(world: World) -> None:
    world.desk.open_letter(world.desk.letters()[0])


def answer(world: World) -> None:
    world.desk.answer(world.desk.conversations()[0], "x" * 1500)


async def build_batch(world: World) -> None:
    world.net.down.add("/desk/batch")
    with pytest.raises(Unreachable):
        await rounds(world)._hand_over()


async def hand_over(world: World) -> None:
    await rounds(world)._hand_over()


async def look(world: World) -> None:
    await look_at_board(shelves(world))


@pytest.mark.parametrize(
    ("before", "act", "least"),
    [
        (fresh, make_keys, 6), (with_case, erase_keys, 6), (with_letter, open_letter, 2),
        (with_case, answer, 5), (with_answer, build_batch, 60), (with_batch, hand_over, 3),
        (with_board, look, 60),
    ],
)  # fmt: skip
async def test_wherever_the_power_goes_all_of_a_change_is_on_the_disk_or_nothing(
    world: World, before: Callable[[World], Awaitable[None]], act: Act, least: int
) -> None:
    await before(world)
    was, cuts = on_disk(world), 0
    for write in some_writes():
        if not await is_cut(world, act, write):
            break
        assert on_disk(world) == was, write
        cuts = write
    assert cuts >= least - 1
    assert on_disk(world) != was


async def test_a_batch_that_was_taken_before_the_power_went_is_posted_again_the_same(
    world: World,
) -> None:
    await with_batch(world)
    assert await is_cut(world, hand_over, 1)
    on_disk(world)
    await world.desk.step()
    first, again = world.server.posts
    assert first == again
    assert world.desk.states().replies[Sending.HANDED] == 1


async def test_a_key_that_was_erased_as_the_power_went_is_in_no_log_once_the_desk_is_unlocked(
    world: World,
) -> None:
    """The log keeps every page as it was, and nobody empties it for a key that is gone already."""
    await with_case(world)
    with power_cut_at(Store, "forget_log"):
        erase_keys(world)
    shutil.copytree(world.folder, world.path / "found")  # what no process closed
    world.folder = world.path / "found"
    log = world.folder / "store.db-wal"
    assert log.stat().st_size > 0
    desk = world.new_desk()
    desk.unlock(PASSPHRASE)
    assert log.stat().st_size == 0
    desk.lock()
