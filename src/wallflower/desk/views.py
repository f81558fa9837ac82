"""What the desk shows: plain values for its pages and for tests. No keys, no ticks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from wallflower.wire.chain import Continuity


class Sending(StrEnum):
    """How far a reply or a receipt has come."""

    QUEUED = "queued"
    HANDED = "handed"
    BOARD = "board"


@dataclass(frozen=True, slots=True)
class LetterView:
    """One letter. `text` is empty until it was opened; `receipt` is None until then."""

    id: bytes
    conversation: bytes
    case: str
    day: int
    continuity: Continuity
    part: int
    of: int
    language: int
    text: str
    opened: bool
    receipt: Sending | None
    receipt_day: int | None


@dataclass(frozen=True, slots=True)
class ReplyView:
    """One answer of ours; `batch_day` is the day of the batch that it was put in."""

    id: int
    day: int
    text: str
    parts: int
    state: Sending
    batch_day: int | None


@dataclass(frozen=True, slots=True)
class Case:
    """A conversation in the inbox. `continuity` is that of its newest link that is believed;
    `waiting` counts replies that are not yet on the board."""

    id: bytes
    name: str
    letters: int
    new: int
    last_day: int
    continuity: Continuity
    unconfirmed: int
    replies: int
    waiting: int

    @property
    def known(self) -> bool:
        """Whether a handler has opened a letter of it."""
        return self.new < self.letters


CASES_A_PAGE: Final = 100


def page_of(cases: Sequence[Case], number: int) -> list[Case]:
    """Page `number`, from 1, of the inbox: the next CASES_A_PAGE conversations that are known and
    as many that are not, in the order given. So no flood of first letters hides a known one."""
    first = (number - 1) * CASES_A_PAGE
    shown = set()
    for known in (True, False):
        alike = [case.id for case in cases if case.known is known]
        shown.update(alike[first : first + CASES_A_PAGE])
    return [case for case in cases if case.id in shown]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation in full, and how much can still be answered."""

    id: bytes
    name: str
    letters: list[LetterView]
    replies: list[ReplyView]
    slots_left: int
    batch_slots: int | None


@dataclass(frozen=True, slots=True)
class States:
    """Counts of what was answered and acknowledged, by state."""

    replies: dict[Sending, int]
    receipts: dict[Sending, int]


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that must not pass unseen. Ids rise: what came later has a higher one."""

    id: int
    day: int
    what: str
    seen: bool


HERE: Final = "this "  # begins what is no other node: this computer's disk, this desk itself


@dataclass(frozen=True, slots=True)
class Status:
    """How the desk is doing. Counts only."""

    locked: bool
    exists: bool
    today: int
    letters: int = 0
    opened: int = 0
    loops: int = 0
    known: int = 0
    known_left_out: int = 0
    states: States = field(default_factory=lambda: States({}, {}))
    drops_read: int = 0
    last_drop: int = 0
    last_drop_day: int | None = None
    record: int | None = None
    record_day: int | None = None
    keys_published: int | None = None
    drop_keys: int = 0
    desk_keys: int = 0
    batch_built: int | None = None
    batch_posted: int | None = None
    board_number: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    alarms: list[Alarm] = field(default_factory=list)
    unreachable: list[str] = field(default_factory=list)

    @property
    def away(self) -> list[str]:
        """The nodes that did not answer at the last pass."""
        return [name for name in self.unreachable if not name.startswith(HERE)]

    @property
    def failing(self) -> list[str]:
        """What failed on this computer at the last pass, each once: no operator can mend it."""
        return list(dict.fromkeys(name for name in self.unreachable if name.startswith(HERE)))
