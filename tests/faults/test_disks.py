"""Full and failing disks: refused alike, nothing acknowledged is lost, and it ends by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from tests.faults.crew import SERVERS, UP_S, Crew, make_crew, patiently
from tests.faults.disks import fill, need_strace, small_disk
from tests.faults.running import Open, Running
from tests.faults.tracing import failing
from tests.host.sockets import exchange, line, until
from tests.ingress.stage import REFUSAL, TAKEN, cell, upload

from wallflower.host.disk import RESERVE
from wallflower.host.http import HttpNet
from wallflower.host.net import Unreachable
from wallflower.host.pull import pull

SMALL = RESERVE + (4 << 20)
SYNCS = "fsync,fdatasync"


@pytest.fixture
def within() -> Iterator[ExitStack]:
    """Unmounts at the end what a test mounted; it is made first, and so ends last."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
async def ingress(within: ExitStack, tmp_path: Path) -> Crew:
    """A town of which only ingress will run."""
    return make_crew(tmp_path)


@pytest.fixture
async def small_town(within: ExitStack, tmp_path: Path) -> tuple[Crew, list[Path]]:
    """A town that has not started, each server on a small disk of its own; the disks."""
    crew = make_crew(tmp_path)
    disks = [crew.folder(role) / "data" for role in SERVERS]
    return crew, [within.enter_context(small_disk(disk, SMALL)) for disk in disks]


class Uploads:
    """Cells that name themselves, and which of them were taken."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self.taken: list[bytes] = []
        self.sent = 0

    async def one(self) -> bytes:
        """Post the next cell; the answer's bytes."""
        body = cell(self.sent)
        self.sent += 1
        answer = await exchange(self.crew.town.ports["ingress"], upload(body))
        if answer == TAKEN:
            self.taken.append(body)
        return answer

    async def taken_again(self) -> bool:
        """Whether a cell is taken now."""
        return await self.one() == TAKEN

    async def pull_all(self) -> list[bytes]:
        """Everything that ingress holds, pulled as A does, page after page, acknowledged."""
        net, token = HttpNet(), self.crew.token("ingress", "a")
        url, after, found = f"{self.crew.town.url('ingress-inner')}/cells", 0, []
        try:
            while entries := await pull(net, url, token, after, 200):
                found += [e.body for e in entries]
                after = entries[-1].seq
        finally:
            await net.close()
        return found


async def test_a_full_disk_of_ingress_refuses_alike_and_ends_when_space_is_free(
    ingress: Crew, within: ExitStack
) -> None:
    disk = within.enter_context(small_disk(ingress.folder("ingress") / "data", SMALL))
    uploads = Uploads(ingress)
    await ingress.start("ingress")
    try:
        assert [await uploads.one() for _ in range(20)] == [TAKEN] * 20
        ballast = fill(disk)
        answers = [await uploads.one() for _ in range(30)]
        assert set(answers[-10:]) == {REFUSAL}
        assert set(answers) <= {TAKEN, REFUSAL}
        ballast.unlink()
        assert [await uploads.one() for _ in range(20)] == [TAKEN] * 20, "the same process goes on"
        await ingress.kill("ingress")
        await ingress.start("ingress")
        found = await uploads.pull_all()
        assert len(found) == len(set(found))
        assert set(uploads.taken) <= set(found)
    finally:
        await ingress.stop()


async def test_cells_that_filled_the_disk_are_all_handed_on_and_then_there_is_room_again(
    ingress: Crew, within: ExitStack
) -> None:
    """A was away until no cell more fits; nobody but A can make room."""
    within.enter_context(small_disk(ingress.folder("ingress") / "data", SMALL))
    uploads = Uploads(ingress)
    await ingress.start("ingress")
    try:

        async def full() -> bool:
            async with line(ingress.town.ports["ingress"]) as one:
                for _ in range(200):
                    body = cell(uploads.sent)
                    uploads.sent += 1
                    if await one.ask(upload(body)) != TAKEN:
                        return True
                    uploads.taken.append(body)
            return False

        await until(full, "the disk is full", UP_S)
        assert [await uploads.one() for _ in range(5)] == [REFUSAL] * 5
        assert len(uploads.taken) > 100
        handed: set[bytes] = set()
        with suppress(Unreachable):  # a log that cannot forget cannot hand on either
            handed = set(await uploads.pull_all())
        assert set(uploads.taken) <= handed
        assert await uploads.one() == TAKEN
    finally:
        await ingress.stop()


async def test_sync_errors_at_ingress_refuse_alike_and_what_was_taken_is_there(
    ingress: Crew,
) -> None:
    need_strace()
    uploads = Uploads(ingress)
    await ingress.start("ingress")
    try:
        assert [await uploads.one() for _ in range(10)] == [TAKEN] * 10
        async with failing(ingress.processes["ingress"].pid, SYNCS, "EIO"):
            assert [await uploads.one() for _ in range(10)] == [REFUSAL] * 10
        await until(uploads.taken_again, "a cell is taken again", UP_S)
        assert [await uploads.one() for _ in range(10)] == [TAKEN] * 10
        await ingress.kill("ingress")
        await ingress.start("ingress")
        assert set(uploads.taken) <= set(await uploads.pull_all())
    finally:
        await ingress.stop()


async def settle(town: Running, letters: int) -> None:
    await town.all_delivered(letters)
    assert town.crew.said() == ""


async def test_a_full_disk_of_mix_a_loses_nothing_and_ends_when_space_is_free(
    within: ExitStack, open_town: Open
) -> None:
    town = await open_town(
        before=lambda crew: within.enter_context(small_disk(crew.folder("mix-a") / "data", SMALL))
    )
    await town.send(3)
    ballast = fill(town.crew.folder("mix-a") / "data")
    await town.send(6)
    await troubled(town)
    ballast.unlink()
    await town.send(3)
    await settle(town, 12)


async def test_sync_errors_at_mix_a_lose_nothing_and_end_by_themselves(open_town: Open) -> None:
    need_strace()
    town = await open_town()
    await town.send(3)
    async with failing(town.crew.processes["mix-a"].pid, SYNCS, "EIO"):
        await town.send(6)
        await troubled(town)
    await town.send(3)
    await settle(town, 12)


async def troubled(town: Running) -> None:
    """A's rounds fail, its process goes on and says so, and ingress keeps what A cannot take."""
    before = (await town.crew.town.status("mix-a"))["disk_failures"]

    async def failed() -> bool:
        assert not town.crew.stopped("mix-a"), town.crew.said()
        status = await town.crew.town.status("mix-a")
        return status.get("disk_failures", 0) >= before + 3

    await until(failed, "three rounds of A failed", UP_S)
    assert (await town.crew.town.status("ingress"))["waiting"] > 0


async def begun(crew: Crew, role: str) -> int | None:
    """Start a process: None when it came up, else its exit code; it must have said why."""
    try:
        await crew.start(role)
    except AssertionError:
        ended = crew.processes.pop(role)
        log = crew.town.folder / f"{role}.log"
        said = log.read_text()
        assert said.startswith("The disk of this process is full, or fails. Nothing was damaged")
        assert len(said.splitlines()) == 1, said
        log.unlink()
        return ended.returncode
    return None


async def comes_back(crew: Crew, ballast: list[Path]) -> dict[str, int | None]:
    """Start all servers on full disks, make room, and start again who has ended."""
    async with asyncio.TaskGroup() as group:  # when one fails, no other goes on starting
        starting = {role: group.create_task(begun(crew, role)) for role in SERVERS}
    codes = {role: task.result() for role, task in starting.items()}
    for file in ballast:
        file.unlink()
    ended = [role for role, code in codes.items() if code is not None]
    await asyncio.gather(*(crew.start(role) for role in ended))
    return codes


# The desk server stays and serves what it has; it writes again when there is room.
AT_FIRST = {"organisation": None, "ingress": 75, "mix-a": 75, "mix-b": 75}


async def test_every_server_that_starts_on_a_full_disk_says_so_and_starts_when_there_is_room(
    small_town: tuple[Crew, list[Path]],
) -> None:
    crew, disks = small_town
    try:
        assert await comes_back(crew, [fill(disk) for disk in disks]) == AT_FIRST
        assert crew.said() == ""
    finally:
        await crew.stop()


@pytest.mark.nightly
async def test_a_town_that_starts_twice_on_full_disks_loses_nothing(
    small_town: tuple[Crew, list[Path]],
) -> None:
    crew, disks = small_town
    town = Running(crew)
    try:
        assert await comes_back(crew, [fill(disk) for disk in disks]) == AT_FIRST
        await town.desk.begin()

        async def has_record() -> bool:
            return await patiently(crew.record)

        await until(has_record, "the first record", UP_S)
        await town.send(3)
        for role in SERVERS:
            await crew.kill(role)
        codes = await comes_back(crew, [fill(disk) for disk in disks])
        assert set(codes.values()) <= {None, AT_FIRST["ingress"]}
        await town.send(3)
        await settle(town, 6)
    finally:
        await town.close()
