"""B's counters of the day, and the file that they become. Spec: census.md 2-4.

A counter is a number for a channel and a language; nothing of a single hum is kept. When a day is
over its counters get their noise, once, and are deleted with the same commit.
"""

from __future__ import annotations

from wallflower.host import Host
from wallflower.host.clock import day_of
from wallflower.mix.edge.state import State
from wallflower.mix.noise import with_noise
from wallflower.wire.census import CHANNELS, LANGUAGES, make_census, places, published
from wallflower.wire.census import Census as Day
from wallflower.wire.hello import SILENT, Report


class Census:
    """Counts for B. The caller wraps each call in one transaction."""

    def __init__(self, host: Host, state: State, signing_seed: bytes) -> None:
        self._clock = host.clock
        self._state = state
        self._db = state.db
        self._seed = signing_seed
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS census (day INTEGER, channel INTEGER, language INTEGER, "
            "reports INTEGER NOT NULL, PRIMARY KEY (day, channel, language)) WITHOUT ROWID"
        )

    def count(self, report: Report) -> None:
        """Count what a cover reports; most report nothing (census 2)."""
        if report == SILENT or not 1 <= report.channel <= CHANNELS:
            return
        language = report.language if report.language < LANGUAGES else 0
        self._db.execute(
            "INSERT INTO census VALUES (?, ?, ?, 1) "
            "ON CONFLICT DO UPDATE SET reports = reports + 1",
            (day_of(self._clock.now()), report.channel - 1, language),
        )

    def close_days(self, record: int) -> None:
        """Turn the newest day that is over into its signed file, and delete its counters.

        Days before it, which only an outage leaves behind, are deleted and never published.
        """
        today = day_of(self._clock.now())
        closed = self._state.number("census_day")
        if closed == today - 1:
            return
        self._state.set_number("census_day", today - 1)
        # A new B has no yesterday; and by a clock that was ahead it was closed before.
        if not 0 < closed < today:
            self._db.execute("DELETE FROM census WHERE day != ?", (today,))
            return
        rows = self._db.execute(
            "SELECT channel, language, reports FROM census WHERE day = ?", (today - 1,)
        ).fetchall()
        counts = {(channel, language): reports for channel, language, reports in rows}
        noisy = with_noise([counts.get(place, 0) for place in places()])
        file = make_census(Day(record, today - 1, published(noisy)), self._seed)
        self._state.set_data("census", file)
        self._db.execute("DELETE FROM census WHERE day < ?", (today,))

    def file(self) -> bytes:
        """The newest file, or nothing before the first day has ended."""
        return self._state.data("census")
