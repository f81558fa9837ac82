"""A whole town on simulated hosts: the roles' real code, one clock, no sockets. For tests.

Days pass in milliseconds. The real processes are in `lab.demo`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from wallflower.board.compose import Fixed
from wallflower.board.edge.mirror import Mirror
from wallflower.board.edge.server import DeskServer, Tokens
from wallflower.crypto import sign
from wallflower.crypto.derive import sha256
from wallflower.host import Host
from wallflower.host.disk import Folder
from wallflower.host.loops import LoopSettings
from wallflower.ingress.edge.process import Ingress
from wallflower.lab.host import (
    SeededEntropy,
    SimulatedClock,
    SimulatedNet,
    SkewedClock,
    simulated_host,
)
from wallflower.mix.edge.mix import Mix, MixSettings
from wallflower.mix.edge.sharing import Line, http
from wallflower.trust.pins import Pins
from wallflower.trust.record import EpochRecord
from wallflower.wire.record import Pace, Parameters, Way, WayKind
from wallflower.wire.sizes import DAY_S

TOKEN = "t" * 64
DESK_NAME = "Office"
MIRROR = "http://mirror.example"
BOARD = "http://board.example"
PARAMETERS = Parameters(
    mean_a=2 * 3600, mean_b=3 * 3600, tick=1800, slots=4, floor=0, replies=13, receipts=100,
    period=4 * 3600, segments=84, pace=Pace(1, 1, 0),
)  # fmt: skip


@dataclass(slots=True)
class Signers:
    """The Ed25519 seeds of a town, drawn from its seed."""

    organisation: bytes
    a: bytes
    b: bytes
    drop: bytes
    board: bytes

    def pins(self) -> Pins:
        """What the bundle of this town pins."""
        organisation, a, b = map(sign.verify_key, (self.organisation, self.a, self.b))
        return Pins(sha256(b"root of a simulated town"), organisation, a, b, DESK_NAME)


@dataclass(slots=True)
class SimulatedTown:
    """Ingress, A, B, desk server and mirror; the test adds a desk and sources."""

    path: Path
    clock: SimulatedClock
    net: SimulatedNet
    seed: bytes
    signers: Signers
    parameters: Parameters
    loops: LoopSettings | None = None
    workers: int = 0
    inner: str = "http://inner.example/cells"  # where A pulls; its workers need a real socket
    dial: Callable[[], Line] = http
    ingress: Ingress = field(init=False)
    a: Mix = field(init=False)
    b: Mix = field(init=False)
    server: DeskServer = field(init=False)
    mirror: Mirror = field(init=False)
    commits: asyncio.Task[None] | None = None
    # Seconds by which the clock of a role or person is off, by the name of its host.
    skew: dict[str, float] = field(default_factory=dict)
    # Roles whose process is stopped, by the name of its host.
    off: set[str] = field(default_factory=set)

    @property
    def pins(self) -> Pins:
        """The town's pins."""
        return self.signers.pins()

    def host(self, name: str) -> Host:
        """A simulated host of one role or person."""
        clock = SkewedClock(self.clock, self.skew, name)
        return simulated_host(self.path, clock, self.net, name, self.seed)

    def build(self) -> None:
        """(Re)build every role on what is on its disk: also how a restart is simulated.

        Needs a running event loop.
        """
        s, apps = self.signers, self.net.apps
        self.close()
        self.ingress = Ingress(self.host("ingress"), TOKEN)
        self.commits = asyncio.ensure_future(self.ingress.commit.run())
        fixed = Fixed(
            self.pins.root, DESK_NAME, sign.verify_key(s.board), self.parameters,
            (
                Way(WayKind.INGRESS, 12, "http://ingress.example/"),
                Way(WayKind.BOARD, 12, BOARD + "/"),
            ),
        )  # fmt: skip
        self.server = DeskServer(
            self.host("board"), self.pins, fixed, Tokens(TOKEN, TOKEN, TOKEN),
            s.organisation, s.board, self.watched("organisation"),
        )  # fmt: skip
        self.a = self._mix("a", self.inner, s.a, b"")
        self.b = self._mix("b", "http://a.example/parcels", s.b, s.drop)
        self.mirror = Mirror(self.host("mirror"), BOARD, {"index.html": b""})
        apps.update({
            "ingress.example": self.ingress.public, "inner.example": self.ingress.inner,
            "a.example": self.a.inner, "b.example": self.b.inner,
            "board.example": self.server.app, "mirror.example": self.mirror.app,
        })  # fmt: skip

    def close(self) -> None:
        """End the one task that a town has: ingress' group commit."""
        if self.commits is not None:
            self.commits.cancel()

    def _mix(self, position: str, source: str, record: bytes, drop: bytes) -> Mix:
        settings = MixSettings(
            position=position, source_url=source, source_token=TOKEN, own_token=TOKEN,
            status_token=TOKEN, board=BOARD, board_token=TOKEN,
            record_seed=record, drop_seed=drop, loops=self.watched(f"mix-{position}"),
            workers=self.workers, dial=self.dial,
        )  # fmt: skip
        name = f"mix-{position}"
        keys = Folder(self.path / f"{name}-keys")
        return Mix(self.host(name), keys, self.pins, settings)

    def watched(self, name: str) -> LoopSettings | None:
        """The loop key of one watcher, where this town has loops."""
        if self.loops is None:
            return None
        return LoopSettings(sha256(self.loops.key + name.encode()), self.loops.per_day)

    async def step(self) -> None:
        """Every role does what is due now, upstream first."""
        if "board" not in self.off:
            self.server.step()
        for _ in range(2):
            if "mix-a" not in self.off:
                await self.a.step()
            if "mix-b" not in self.off:
                await self.b.step()
        await self.mirror.step()

    def stop(self, role: str, at: str) -> None:
        """Stop a role's process: it does nothing and answers nothing at its address."""
        self.off.add(role)
        self.net.cut.add(at)

    def start(self, role: str, at: str) -> None:
        """Start it again, on its disk."""
        self.off.discard(role)
        self.net.cut.discard(at)
        if role == "mix-a":
            self.a = self._mix("a", self.inner, self.signers.a, b"")
            self.net.apps[at] = self.a.inner
        elif role == "mix-b":
            s = self.signers
            self.b = self._mix("b", "http://a.example/parcels", s.b, s.drop)
            self.net.apps[at] = self.b.inner

    async def pass_time(self, seconds: float) -> None:
        """Let time pass in ticks, with a step of everyone at each."""
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            await self.clock.sleep_until(min(end, self.clock.now() + self.parameters.tick))
            await self.step()

    def record(self) -> EpochRecord:
        """Today's record; the town must have one."""
        record = self.server.records.in_force(self.clock.now())
        assert record is not None  # noqa: S101
        return record


def simulated_town(
    path: Path, day: int, seed: bytes = b"town", parameters: Parameters = PARAMETERS,
    loops: LoopSettings | None = None,
) -> SimulatedTown:  # fmt: skip
    """A town at noon of a day, built but not yet stepped."""
    entropy = SeededEntropy(seed)
    signers = Signers(*(entropy.draw(32) for _ in range(5)))
    clock = SimulatedClock(day * DAY_S + DAY_S / 2)
    town = SimulatedTown(path, clock, SimulatedNet({}), seed, signers, parameters, loops)
    town.build()
    return town
