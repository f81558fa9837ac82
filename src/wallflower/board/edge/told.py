"""What B told the desk server: the loops of the organisation's canary, and the day's census.

Spec: loop.md 2.4, census.md 4.
"""

from __future__ import annotations

from wallflower.errors import Refused
from wallflower.host import Host
from wallflower.host.loops import LoopSettings, LoopWatch
from wallflower.trust.census import verify_census
from wallflower.trust.record import EpochRecord
from wallflower.wire.loop import Verdict, Way
from wallflower.wire.sizes import TOKEN


class Told:
    """The organisation's own loops by their tokens, and the newest census."""

    def __init__(self, host: Host, loops: LoopSettings | None) -> None:
        self._clock = host.clock
        self._files = host.disk.folder("census")
        self._watch = _watch(host, loops) if loops else None
        self.census = self._files.read("newest")

    def take_loops(self, data: bytes) -> None:
        """Note which of these tokens are of our own loops, or Refused (loop 4.1)."""
        if not data or len(data) % TOKEN:
            raise Refused("loop 4.1", "A list of loops has the wrong length")
        if self._watch is None:
            return
        now = self._clock.now()
        for at in range(0, len(data), TOKEN):
            self._watch.came(data[at : at + TOKEN], now)
        self._watch.forget(now)

    def take_census(self, data: bytes, record: EpochRecord) -> None:
        """Publish a census that B signed, or Refused (census 5)."""
        verify_census(data, record)
        self._files.write("newest", data)
        self.census = data

    def judge(self, way: Way) -> Verdict | None:
        """What the canary's loops say; None when none are watched."""
        return self._watch.judge(way, self._clock.now()) if self._watch else None


def _watch(host: Host, loops: LoopSettings) -> LoopWatch:
    return LoopWatch(host.disk.database("loops.db"), loops, host.clock.now())
