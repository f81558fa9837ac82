"""Whether a mix may believe its own clock after it jumped. Spec: record.md 7. Pure.

A clock that was set wrong for an hour must not erase keys that everybody still uses, nor throw
away cells as too early. So a jump asks one witness: the record that the desk server hands out.
"""

from __future__ import annotations

from enum import Enum

from wallflower.mix.signing import EARLY_S
from wallflower.trust.record import EpochRecord
from wallflower.wire.sizes import DAY_S

JUMP_S = 2 * 3600
# After so long our own clock counts, whatever the witness says: else who shows an old record for
# ever would keep keys from dying.
MOST_HELD_S = DAY_S


class Jump(Enum):
    """How a clock moved since the last round."""

    NONE = 0
    FORWARD = 1
    BACK = 2


def jump(before: float | None, now: float) -> Jump:
    """How far apart two looks at the clock are; without an earlier look nothing is known."""
    if before is None:
        return Jump.NONE
    if now - before > JUMP_S:
        return Jump.FORWARD
    return Jump.BACK if before - now > JUMP_S else Jump.NONE


def may_go_on(how: Jump, shown: EpochRecord | None, now: float) -> bool:
    """Whether to go on by our own clock, with the record that the desk server shows, if any.

    Nobody to ask: forward is how a machine wakes, and keys have to die; back is a fault.
    """
    if how is Jump.NONE:
        return True
    if shown is None:
        return how is Jump.FORWARD
    return shown.body.not_before - EARLY_S <= now < shown.body.not_after + EARLY_S
