"""Who opens for B makes no difference, and no worker outlives its mix or a key."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import accumulate
from pathlib import Path

import pytest
from tests.host.sockets import images_of
from tests.host.waiting import wait_until
from tests.mix.room import DAY, Make, Room
from tests.trust.made import body, private

from wallflower.crypto import hpke
from wallflower.crypto.derive import sha256
from wallflower.errors import Fault, Refused
from wallflower.host.disk import Folder
from wallflower.host.net import Unreachable
from wallflower.lab.host import SeededEntropy
from wallflower.mix.edge import openers as edge_openers
from wallflower.mix.edge.openers import MOST, Openers
from wallflower.mix.edge.workers import MOST_WORKERS, WorkerGone, Workers
from wallflower.mix.opening import Opened, Plain, open_parcels, open_seals
from wallflower.wire.cell import parse_cell
from wallflower.wire.hello import Kind
from wallflower.wire.hum import Gathering, make_hum, open_hum
from wallflower.wire.letter import FILLER, seal_letter
from wallflower.wire.sizes import DAY_S, PARCEL

TODAY = body()
ENTRY = TODAY.desks[0]
USABLE = (TODAY.hash(), private("b"))
DRAW = SeededEntropy(b"openers").draw
MANY = 4 * MOST + 6  # so many that some are left for us
Seals = Iterable[bytes | memoryview]


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
        if b"workers import serve" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A folder with the key of hop B under the record's number."""
    keys = Folder(tmp_path_factory.mktemp("keys"))
    keys.write(f"hop-{TODAY.number}", sha256(b"b"))  # the seed of `private`
    return keys


@pytest.fixture(scope="module")
def two() -> Iterator[Workers]:
    """Two workers, for all tests that do not end them."""
    workers = Workers(2)
    yield workers
    workers.end()


@pytest.fixture(scope="module")
def covers() -> list[bytes]:
    """Parcels of covers."""
    return [parcel(hum()) for _ in range(MANY)]


def hum(kind: Kind = Kind.COVER) -> list[bytes]:
    letter = seal_letter(ENTRY.key, TODAY.desk_entry_hash(ENTRY), FILLER)
    return make_hum(TODAY, kind, letter, DRAW)


def gathered(cells: list[bytes]) -> Gathering:
    gathering = Gathering()
    for raw in cells:
        gathering.add(parse_cell(raw))
    return gathering


def parcel(cells: list[bytes]) -> bytes:
    found, _ = open_hum(gathered(cells), private("a"), TODAY.hash())
    assert found is not None
    return found.encode()


def opened(openers: Openers, parcels: list[bytes]) -> list[Opened | str]:
    starts = [0, *accumulate(map(len, parcels[:-1]))]
    plains: dict[int, Plain] = {}
    for places, piece in openers.pieces(TODAY.number, USABLE, b"".join(parcels), starts):
        assert not plains.keys() & set(places), "each comes once"
        plains.update(zip(places, piece, strict=True))
    each = ((parcel, plains[at]) for parcel, at in zip(parcels, starts, strict=True))
    found = open_parcels(each, USABLE[0])
    return [o.rule if isinstance(o, Refused) else o for o in found]


def test_workers_open_parcels_as_the_mix_itself_does_and_refuse_by_the_same_rules(
    folder: Folder, two: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcels = [
        parcel(hum((Kind.COVER, Kind.LETTER, Kind.LOOP)[n % 3])) for n in range(MANY)
    ]  # fmt: skip
    parcels[2] = parcels[2][:-1]
    parcels[5] = bytes([parcels[5][0] ^ 1]) + parcels[5][1:]
    parcels[MANY - 3] = parcels[MANY - 3][:-1] + bytes([parcels[MANY - 3][-1] ^ 1])
    by_mix = opened(Openers(folder, Workers()), parcels)
    here: list[int] = []
    real = open_seals

    def watched(hop: str, key: hpke.PrivateKey, record_hash: bytes, seals: Seals) -> list[Plain]:
        here.append(len(list(seals)))
        return real(hop, key, record_hash, seals)

    monkeypatch.setattr(edge_openers, "open_seals", watched)
    assert opened(Openers(folder, two), parcels) == by_mix
    assert sum(here) < MANY, "the control: others opened some"
    assert by_mix[2] == "parcel 3.1"
    assert by_mix[5] == "hello 2.3"
    letters = [o for o in by_mix if isinstance(o, Opened) and o.letter]
    assert len(letters) >= MANY // 3 - 1
    assert two.pids() == sorted(workers_of(os.getpid()))


def test_a_worker_that_is_killed_loses_no_parcel_and_others_take_its_place(
    folder: Folder, covers: list[bytes]
) -> None:
    workers = Workers(1)
    openers = Openers(folder, workers)
    try:
        for _ in range(2):
            found = opened(openers, covers)
            assert all(isinstance(o, Opened) for o in found)
            (worker,) = workers.pids()
            os.kill(worker, signal.SIGKILL)
            wait_until(lambda pid=worker: not runs(pid), "it is gone")  # type: ignore[misc]
            found = opened(openers, covers)
            assert len(found) == MANY
            assert all(isinstance(o, Opened) for o in found)
    finally:
        workers.end()


class _DiesAtLast:
    """A worker that takes what it is given, and is gone when it is asked for the first result."""

    def __init__(self) -> None:
        self.given = 0

    def give(self, *_: object) -> None:
        """Take it."""
        self.given += 1

    def ready(self) -> bool:
        """Never, so that the mix itself opens all that is left."""
        return False

    def result(self) -> object:
        """None any more."""
        raise WorkerGone


def test_a_worker_that_dies_when_all_was_handed_out_takes_nothing_with_it_that_others_opened(
    folder: Folder, covers: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = Workers(1)
    monkeypatch.setattr(workers, "started", lambda: [_DiesAtLast()])
    found = opened(Openers(folder, workers), covers)
    assert len(found) == MANY
    assert all(isinstance(o, Opened) for o in found)


def test_what_the_mix_opened_is_used_while_a_worker_still_opens(
    folder: Folder, covers: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the worker would have nothing to do while letters are taken."""
    workers, slow = Workers(1), _DiesAtLast()
    monkeypatch.setattr(workers, "started", lambda: [slow])
    starts = range(0, MANY * PARCEL, PARCEL)
    pieces = Openers(folder, workers).pieces(TODAY.number, USABLE, b"".join(covers), starts)
    places, plains = next(pieces)
    assert len(places) == len(plains) < MANY
    assert slow.given, "the worker was given some, and none is done"


def test_after_a_key_volume_that_failed_once_workers_open_what_they_are_given_now(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they still owed of the round that failed is not taken for it."""
    monkeypatch.setattr(edge_openers, "_AHEAD", MANY)  # so that they owe much when the first fails
    key = folder.path / f"hop-{TODAY.number}"
    aside = key.with_name("aside")
    parcels = [parcel(hum(Kind.LETTER)) for _ in range(MANY)]
    workers = Workers(2)
    openers = Openers(folder, workers)
    try:
        key.rename(aside)
        key.symlink_to("/proc/self/mem")  # reading it gives EIO
        with pytest.raises(OSError, match="Input/output"):
            opened(openers, parcels)
        aside.replace(key)
        assert opened(openers, parcels) == opened(Openers(folder, Workers()), parcels)
    finally:
        workers.end()


def test_a_worker_that_does_not_find_its_hop_key_says_so_by_a_fault(
    tmp_path: Path, covers: list[bytes]
) -> None:
    workers = Workers(1)
    try:
        with pytest.raises(Fault, match="hop key is not in its folder"):
            opened(Openers(Folder(tmp_path), workers), covers)
    finally:
        workers.end()


@pytest.mark.parametrize(
    "fault", [Fault("It broke", "Mend it."), Refused("cell 2.1", "It is long"), Unreachable()]
)
def test_a_fault_comes_out_of_another_process_as_it_was(fault: Fault) -> None:
    found = pickle.loads(pickle.dumps(fault))  # noqa: S301  # our own
    assert type(found) is type(fault)
    assert str(found) == str(fault)
    assert vars(found) == vars(fault)


async def test_when_a_hop_key_is_erased_nobody_is_left_who_read_it(make_room: Make) -> None:
    room = await make_room()
    b = room.town.b
    b.workers.count = 1
    page = b"".join(parcel_of(room) for _ in range(MANY))
    pieces = room.b.opened(room.town.record().number, page, range(0, len(page), PARCEL))
    assert sum(covers for covers, _ in pieces) == MANY
    (worker,) = b.workers.pids()
    keys = room.town.path / "mix-b-keys"
    room.town.clock.time = (DAY + 3) * DAY_S - 5
    b._forget(room.town.clock.time)
    assert runs(worker)
    assert (keys / "hop-1").exists(), "the control: before its time both stay"
    room.town.clock.time += 10
    b._forget(room.town.clock.time)
    assert not (keys / "hop-1").exists()
    assert not runs(worker)


def parcel_of(room: Room) -> bytes:
    """A parcel of the room's record."""
    usable = room.town.a.records.usable(room.town.record().number)
    assert usable is not None
    found, _ = open_hum(gathered(room.hum()), usable[1], usable[0])
    assert found is not None
    return found.encode()


_MIX = """
import sys
import time
from pathlib import Path
from tests.mix import test_workers as t
from wallflower.host.disk import Folder
from wallflower.mix.edge.openers import Openers
from wallflower.mix.edge.workers import Workers

if __name__ == "__main__":
    workers = Workers(2)
    openers = Openers(Folder(Path(sys.argv[1])), workers)
    t.opened(openers, [t.parcel(t.hum()) for _ in range(t.MANY)])
    for worker in workers.started():
        worker.give(time.sleep, 300)  # one that only waits for work ends by itself
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
        wait_until(lambda: not any(map(runs, workers)), "none is left")


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
        wait_until(lambda: {images_of(pid) for pid in workers} == {"0 0"}, "no image")


@pytest.mark.parametrize("count", [-1, MOST_WORKERS + 1])
def test_a_number_of_workers_that_cannot_be_meant_is_a_fault(count: int) -> None:
    with pytest.raises(Fault):
        Workers(count)
