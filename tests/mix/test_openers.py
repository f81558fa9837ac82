"""Who opens for a mix makes no difference, and no worker outlives its mix or a key."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

import pytest
from tests.host.sockets import images_of
from tests.mix.room import DAY, Make
from tests.trust.made import body, private

from wallflower.crypto.derive import sha256
from wallflower.errors import Fault, Refused
from wallflower.host.disk import Folder
from wallflower.host.log import Entry
from wallflower.lab.host import SeededEntropy
from wallflower.mix import opening
from wallflower.mix.edge.openers import CHUNK, MOST_WORKERS, Openers
from wallflower.mix.opening import Opened
from wallflower.wire.cell import parse_cell, seal_body
from wallflower.wire.hello import Kind
from wallflower.wire.hum import Gathering, make_hum, open_hum, read_name
from wallflower.wire.letter import FILLER, seal_letter
from wallflower.wire.sizes import BODY_PIECE, DAY_S

TODAY = body()
ENTRY = TODAY.desks[0]
USABLE = {hop: (TODAY.hash(), private(hop)) for hop in ("a", "b")}
DRAW = SeededEntropy(b"openers").draw
MANY = CHUNK + 6  # two chunks
_PATIENCE_S = 20.0


def until(what: Callable[[], bool]) -> None:
    """Wait for something, with a limit."""
    end = time.monotonic() + _PATIENCE_S
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def runs(pid: int) -> bool:
    """Whether a process is there and not only waits to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def workers_of(pid: int) -> list[int]:
    """The processes that open for another."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [
        int(child) for child in children
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    """A folder with the keys of both hops: A's under the record's number, B's under the next."""
    keys = Folder(tmp_path_factory.mktemp("keys"))
    keys.write(f"hop-{TODAY.number}", sha256(b"a"))  # the seeds of `private`
    keys.write(f"hop-{TODAY.number + 1}", sha256(b"b"))
    yield keys


@pytest.fixture(scope="module")
def two(folder: Folder) -> Iterator[Openers]:
    """Two workers, for all tests that do not end them."""
    openers = Openers(folder, 2)
    yield openers
    openers.end()


def hum(kind: Kind = Kind.COVER) -> list[bytes]:
    letter = seal_letter(ENTRY.key, TODAY.desk_entry_hash(ENTRY), FILLER)
    return make_hum(TODAY, kind, letter, DRAW)


def gathered(cells: list[bytes]) -> Gathering:
    gathering = Gathering()
    for raw in cells:
        gathering.add(parse_cell(raw))
    return gathering


def judged_hums() -> list[list[bytes]]:
    """Whole ones, one that is junk, one that is broken, one of which one copy is; in two chunks."""
    hums = [hum() for _ in range(MANY)]
    junk = bytearray(hums[3][0])
    junk[200] ^= 1
    name = read_name(bytes(junk))[2]
    pieces = [seal_body(bytes(32), n, TODAY.number, name, bytes(BODY_PIECE)) for n in (1, 2, 3)]
    hums[3] = [bytes(junk), *(piece.encode() for piece in pieces)]
    hums[-2] = [*hums[-2][:3], hums[-2][3][:-1] + bytes([hums[-2][3][-1] ^ 1])]
    hums[4][2] = hums[4][2][:-1] + bytes([hums[4][2][-1] ^ 1])
    return hums


def test_workers_judge_hums_as_the_mix_itself_does(
    folder: Folder, two: Openers, monkeypatch: pytest.MonkeyPatch
) -> None:
    hums = judged_hums()
    alone = Openers(folder)
    by_mix = list(alone.gatherings(TODAY.number, USABLE["a"], [gathered(h) for h in hums]))
    monkeypatch.delattr(opening, "open_seal_a")  # here nobody decapsulates from now on
    by_two = list(two.gatherings(TODAY.number, USABLE["a"], [gathered(h) for h in hums]))
    assert by_two == by_mix
    assert [o.key_a for o in by_two] == [o.key_a for o in by_mix]
    assert by_mix[3].junk
    assert by_mix[-2].broken == [3]
    assert by_mix[4].broken == [2]
    assert sum(o.parcel is not None for o in by_mix) == MANY - 2
    assert len(workers_of(os.getpid())) == 2, "the control: there were two"
    assert two.pids() == sorted(workers_of(os.getpid()))


def test_workers_open_parcels_as_the_mix_itself_does_and_refuse_by_the_same_rules(
    folder: Folder, two: Openers
) -> None:
    parcels = []
    for n in range(MANY):
        kind = (Kind.COVER, Kind.LETTER, Kind.LOOP)[n % 3]
        parcel, _ = open_hum(gathered(hum(kind)), private("a"), TODAY.hash())
        assert parcel is not None
        parcels.append(parcel.encode())
    parcels[2] = parcels[2][:-1]
    parcels[5] = bytes([parcels[5][0] ^ 1]) + parcels[5][1:]
    parcels[MANY - 3] = parcels[MANY - 3][:-1] + bytes([parcels[MANY - 3][-1] ^ 1])

    def said(openers: Openers) -> list[Opened | str]:
        found = openers.parcels(TODAY.number + 1, USABLE["b"], parcels)
        return [o.rule if isinstance(o, Refused) else o for o in found]

    by_mix = said(Openers(folder))
    assert said(two) == by_mix
    assert by_mix[2] == "parcel 3.1"
    assert by_mix[5] == "hello 2.3"
    letters = [o for o in by_mix if isinstance(o, Opened) and o.letter]
    assert len(letters) >= MANY // 3 - 1


def test_a_worker_that_is_killed_loses_no_hum_and_others_take_its_place(folder: Folder) -> None:
    hums = [gathered(hum()) for _ in range(MANY)]
    openers = Openers(folder, 1)
    try:
        for _ in range(2):
            before = workers_of(os.getpid())
            found = list(openers.gatherings(TODAY.number, USABLE["a"], hums))
            assert all(outcome.parcel for outcome in found)
            (worker,) = set(workers_of(os.getpid())) - set(before)
            os.kill(worker, signal.SIGKILL)
            until(lambda pid=worker: not runs(pid))  # type: ignore[misc]
            found = list(openers.gatherings(TODAY.number, USABLE["a"], hums))
            assert len(found) == MANY
            assert all(outcome.parcel for outcome in found)
    finally:
        openers.end()


async def test_when_a_hop_key_is_erased_nobody_is_left_who_read_it(make_room: Make) -> None:
    room = await make_room()
    room.town.workers = 1
    room.restart()
    hums = [room.hum() for _ in range(MANY)]
    before = set(workers_of(os.getpid()))
    with room.town.a.state.transaction():
        room.a.take([Entry(n, 0, cell) for n, cell in enumerate(chain(*hums))])
    assert room.town.a.status()["hums"] == MANY
    (worker,) = set(workers_of(os.getpid())) - before
    keys = room.town.path / "mix-a-keys"
    room.town.clock.time = (DAY + 2) * DAY_S - 5
    room.town.a._forget(room.town.clock.time)
    assert runs(worker)
    assert (keys / "hop-1").exists(), "the control: before its time both stay"
    room.town.clock.time += 10
    room.town.a._forget(room.town.clock.time)
    assert not (keys / "hop-1").exists()
    assert not runs(worker)


_MIX = """
import sys
from pathlib import Path
from tests.mix import test_openers as t
from wallflower.host.disk import Folder
from wallflower.mix.edge.openers import Openers

if __name__ == "__main__":
    openers = Openers(Folder(Path(sys.argv[1])), 2)
    hums = [t.gathered(t.hum()) for _ in range(t.MANY)]
    assert all(o.parcel for o in openers.gatherings(t.TODAY.number, t.USABLE["a"], hums))
    print(*t.workers_of(__import__("os").getpid()), flush=True)
    sys.stdin.read()
"""


@contextmanager
def mix_of_its_own(
    folder: Folder, tmp_path: Path
) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A process that opens as a mix does, with two workers; all of them are ended afterwards."""
    script = tmp_path / "mix.py"
    script.write_text(_MIX)
    root = Path(__file__).parents[2]
    mix = subprocess.Popen(
        [sys.executable, str(script), str(folder.path)], cwd=root, stdout=subprocess.PIPE,
        stdin=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)}, text=True,
    )  # fmt: skip
    workers: list[int] = []
    try:
        assert mix.stdout is not None
        workers = [int(pid) for pid in mix.stdout.readline().split()]
        assert len(workers) == 2
        yield mix, workers
    finally:
        for pid in filter(runs, [mix.pid, *workers]):
            os.kill(pid, signal.SIGKILL)
        mix.communicate()


def test_workers_end_with_a_mix_that_is_killed(folder: Folder, tmp_path: Path) -> None:
    with mix_of_its_own(folder, tmp_path) as (mix, workers):
        mix.kill()
        mix.wait()
        until(lambda: not any(map(runs, workers)))


def shown_of(pid: int) -> bytes:
    """What a process was started with, as far as this user may see it."""
    said = Path(f"/proc/{pid}/cmdline").read_bytes()
    with suppress(PermissionError):  # of a process that protects its memory, root alone sees more
        said += Path(f"/proc/{pid}/environ").read_bytes()
    return said


def test_a_worker_shows_no_key_and_leaves_no_image_of_its_memory(
    folder: Folder, tmp_path: Path
) -> None:
    seed = folder.read(f"hop-{TODAY.number}")
    assert seed is not None
    with mix_of_its_own(folder, tmp_path) as (_, workers):
        for pid in workers:
            assert seed not in shown_of(pid)
            assert seed.hex().encode() not in shown_of(pid)
        # One may not have begun yet when the other has opened all there was.
        until(lambda: {images_of(pid) for pid in workers} == {"0 0"})


@pytest.mark.parametrize("workers", [-1, MOST_WORKERS + 1])
def test_a_number_of_workers_that_cannot_be_meant_is_a_fault(folder: Folder, workers: int) -> None:
    with pytest.raises(Fault):
        Openers(folder, workers)
