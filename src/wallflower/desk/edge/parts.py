"""What the passes of an unlocked desk share: its shelves in the store, and the desk server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from wallflower.desk.edge import handed
from wallflower.desk.edge.keyring import Keyring, Records
from wallflower.desk.edge.letters import Letters
from wallflower.desk.edge.outbox import Outbox
from wallflower.desk.edge.store import Store
from wallflower.errors import Refused
from wallflower.host import Host
from wallflower.host.clock import day_of
from wallflower.host.entropy import Entropy, shuffled
from wallflower.host.net import Unreachable
from wallflower.trust.pins import Pins
from wallflower.trust.record import (
    EpochRecord,
    ancestor_of,
    verify_follows,
    verify_in_force,
    verify_record,
)
from wallflower.wire.sizes import ANCESTORS, RECORD_MAX

T = TypeVar("T")
# Records are signed three days ahead, and a revocation skips numbers (record 6).
_MOST_AHEAD: Final = 4 + 2 * ANCESTORS
_MOST_BEHIND: Final = 4 * ANCESTORS


@dataclass(frozen=True, slots=True, repr=False)
class Peer:
    """Another node, and the file in which the token that it knows us by is handed over."""

    url: str
    token_file: str


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """A desk's name, its pins, and the two nodes that it speaks to."""

    name: str
    pins: Pins
    b: Peer
    board: Peer

    @property
    def token_files(self) -> dict[str, str]:
        """Where each node's token is handed over: node -> file."""
        return {"b": self.b.token_file, "board": self.board.token_file}


class HostChance:
    """The host's entropy as bytes and orders."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy

    def draw(self, size: int) -> bytes:
        """`size` uniform bytes."""
        return self._entropy.draw(size)

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in uniform random order."""
        return shuffled(self._entropy.draw, items)


class Parts:
    """The shelves of one store, and what is asked of the desk server."""

    def __init__(self, host: Host, settings: DeskSettings, store: Store) -> None:
        self.host = host
        self.settings = settings
        self.store = store
        self.letters = Letters(store, host.entropy)
        self.outbox = Outbox(store, host.entropy)
        self.keyring = Keyring(store, settings.pins, settings.name)
        self.records = Records(store, settings.pins)
        # From before a signer's key was replaced. Apart from the others: nothing but the drop or
        # segment that names one is read by it, and no key lives longer for its sake.
        self._ancestors: dict[int, EpochRecord] = {}
        self.record_shown = False  # at the last question: the desk server's record was a good one
        self._url = settings.board.url.rstrip("/")

    def today(self) -> int:
        """The day of record time."""
        return day_of(self.host.clock.now())

    def in_force(self) -> EpochRecord | None:
        """The newest record that is in force."""
        return self.records.in_force(self.host.clock.now())

    def token(self, node: str) -> str:
        """The token of "b" or "board"; Unreachable while it was not handed over."""
        found = handed.token(self.store, node)
        if found is None:
            raise Unreachable(f"There is no token for {handed.NODES[node]} yet")
        return found

    async def post(self, path: str, body: bytes) -> None:
        """Hand something to the desk server."""
        await self.host.net.post(f"{self._url}/{path}", body, self.token("board"))

    async def get(self, path: str, limit: int) -> bytes:
        """Fetch a public file; without the token, as anybody would."""
        return await self.host.net.get(f"{self._url}/{path}", "", limit)

    async def fetch_record(self) -> None:
        """Fetch the record in force, verify it, and keep it."""
        self.record_shown = False
        data = await self.get("record", RECORD_MAX)
        record = verify_record(data, self.settings.pins)
        verify_in_force(record, self.host.clock.now())
        try:
            self._check_place(record)
        except Refused:
            self.letters.alarm(
                self.today(),
                "The desk server showed a record that does not follow: ask the organisation",
            )
            raise
        self.records.keep(record)
        self.record_shown = True

    def _check_place(self, record: EpochRecord) -> None:
        """One record per number, and each continues the one before it (record 2.11)."""
        known = self.records.by_number(record.number)
        if known is not None and known.hash != record.hash:
            raise Refused("record 2.11", "There are two records of one number")
        before = self.records.before(record.number)
        if before is not None:
            verify_follows(record, before)

    async def record(self, number: int) -> EpochRecord | None:
        """The record that a drop or a segment names; None when none can have that number.

        B may have tomorrow's record a moment before us, so a few numbers ahead are asked for; one
        that is not there yet is Unreachable, and the drop waits instead of being lost.
        """
        kept, newest = self.records.by_number(number), self.records.newest()
        kept = kept or self._ancestors.get(number)
        if kept is not None or newest is None:
            return kept
        if not newest.number - _MOST_BEHIND <= number <= newest.number + _MOST_AHEAD:
            return None
        data = await self.get(f"records/{number}", RECORD_MAX)
        try:
            record = verify_record(data, self.settings.pins)
        except Refused:
            ancestor = ancestor_of(newest, data)
            if ancestor is None or ancestor.number != number:
                raise
            self._ancestors[number] = ancestor
            return ancestor
        if record.number != number:
            raise Refused("record 2.11", "Another record was asked for")
        self._check_place(record)
        self.records.keep(record)
        return record
