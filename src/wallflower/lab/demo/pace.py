"""The two paces of the demo, and its operators' delays. All of it is in the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wallflower.wire.record import Pace
from wallflower.wire.sizes import DAY_S

HUMS: Final = 60  # a hum of 90 s takes 1.5 s
PARAMETERS: Final = {
    # Shorter than the default of 24 h in all, so that a demo ends: an operator may do this too.
    "mean_a": 2 * 3600, "mean_b": 3 * 3600, "slots": 32, "floor": 40,
    # The longest that a record allows: a quarter of a wall second, which a busy machine can keep.
    "tick": 3600,
    "replies": 13, "receipts": 100, "period": 4 * 3600, "segments": 84,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DemoPace:
    """How many wall seconds a day takes, and where time is anchored."""

    day_s: float
    anchor_ms: int

    @property
    def days(self) -> int:
        """The pace of days."""
        return round(DAY_S / self.day_s)

    def pace(self) -> Pace:
        """What goes into the record and every configuration."""
        return Pace(self.days, HUMS, self.anchor_ms)

    def table(self) -> dict[str, int]:
        """The [pace] table of a configuration."""
        return {"days": self.days, "hums": HUMS, "anchor_ms": self.anchor_ms}
