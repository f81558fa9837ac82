"""Sends loops: hums of our own, at the minutes that the loop key says, as any viewer's client does.

It needs nothing but the key, the pins and a mirror, so it runs wherever a viewer could be. What
was slept through is not made up: it stays away, and the watcher's alarm says so. Spec: loop.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from wallflower.errors import Fault
from wallflower.host import Host
from wallflower.host.entropy import uniform
from wallflower.host.loops import LoopSettings
from wallflower.source.edge.visit import fetch_record, hum_pace, send_hum, way_url
from wallflower.source.letters import seal_filler
from wallflower.trust.pins import Pins
from wallflower.trust.record import EpochRecord
from wallflower.wire.hello import Kind
from wallflower.wire.hum import make_hum, offsets_ms
from wallflower.wire.loop import LATE_S, STEP_S, Loop, next_loop, step_of
from wallflower.wire.record import WayKind


class LoopSender:
    """The loops of one or several keys, each on its own clock."""

    def __init__(
        self, host: Host, mirror: str, pins: Pins, loops: Sequence[LoopSettings],
        stretch: float = 1.0,
    ) -> None:  # fmt: skip
        self._host = host
        self._mirror = mirror
        self._pins = pins
        self._loops = loops
        self._stretch = stretch
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Every key, for ever; the hums that are under way end with it."""
        try:
            await asyncio.gather(*(self._key(loops) for loops in self._loops))
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _key(self, loops: LoopSettings) -> None:
        step = step_of(self._host.clock.now())
        while True:
            loop = next_loop(loops.key, loops.per_day, step)
            step = loop.step
            begin = (step + uniform(self._host.entropy.draw)) * STEP_S
            await self._host.clock.sleep_until(begin)
            now = self._host.clock.now()
            if now < begin:  # the clock was ahead: this loop is still to come
                step = step_of(now)
                continue
            late = LATE_S * self._stretch
            if now > begin + late:  # slept through, maybe since 1970, where a clock began there
                step = max(step, step_of(now - late) - 1)
                continue
            task = asyncio.ensure_future(self._send(loop))
            self._under_way.add(task)  # a hum lasts longer than a minute: the next may begin
            task.add_done_callback(self._under_way.discard)

    async def cells(self, loop: Loop) -> tuple[EpochRecord, list[bytes]]:
        """Today's record, and a loop's twelve cells: a cover in all but what B and A alone see."""
        record = await fetch_record(self._host, self._mirror, self._pins)
        filler = seal_filler(record, self._pins.desk)
        return record, make_hum(
            record.body, Kind.LOOP, filler, self._host.entropy.draw,
            token=loop.token, key_a=loop.key_a,
        )  # fmt: skip

    async def _send(self, loop: Loop) -> None:
        try:
            record, cells = await self.cells(loop)
        except Fault:
            return  # no record, no hum; this loop stays away
        draw = self._host.entropy.draw
        offsets = offsets_ms(hum_pace(record, self._mirror), lambda: uniform(draw))
        url = way_url(record, WayKind.INGRESS) or ""
        await send_hum(self._host.net, url, cells, offsets)
