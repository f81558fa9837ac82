"""What B told the desk server: the loops of the organisation's canary, and the day's census.

Spec: loop.md 2.4, census.md 4.
"""

from __future__ import annotations

import errno
import sqlite3
from contextlib import suppress

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
        self._host = host
        self._loops = loops
        self._watch: LoopWatch | None = None
        self.census = self._files.read("newest")
        self._watched()

    def take_loops(self, data: bytes) -> None:
        """Note which of these tokens are of our own loops, or Refused (loop 4.1).

        Raises OSError while the disk is full; B tells them again.
        """
        if not data or len(data) % TOKEN:
            raise Refused("loop 4.1", "A list of loops has the wrong length")
        if self._loops is None:
            return
        watch, now = self._watched(), self._clock.now()
        if watch is None:
            raise OSError(errno.ENOSPC, "the disk is full")
        try:
            for at in range(0, len(data), TOKEN):
                watch.came(data[at : at + TOKEN], now)
            watch.forget(now)
        except sqlite3.Error:
            raise OSError(errno.ENOSPC, "the disk is full") from None

    def take_census(self, data: bytes, record: EpochRecord) -> None:
        """Publish a census that B signed, or Refused (census 5)."""
        verify_census(data, record)
        self._files.write("newest", data)
        self.census = data

    def judge(self, way: Way) -> Verdict | None:
        """What the canary's loops say; None when none are watched, or their table fails."""
        watch = self._watched()
        with suppress(sqlite3.Error):
            return watch.judge(way, self._clock.now()) if watch else None
        return None

    @property
    def watches(self) -> bool:
        """Whether loops are to be watched."""
        return self._loops is not None

    def _watched(self) -> LoopWatch | None:
        """The watch, opened when there is room for its table; the desk server stays without."""
        if self._watch is None and self._loops is not None:
            with suppress(OSError, sqlite3.Error):
                db = self._host.disk.database("loops.db")
                self._watch = LoopWatch(db, self._loops, self._clock.now())
        return self._watch
