"""The desk: its store, its passes over the network, and what a handler does. No web here.

Methods that a person calls are plain: they touch the own disk and memory only. Unlocking blocks
the loop for about a second, on purpose: one person waits, and nothing else is served meanwhile.
"""

from __future__ import annotations

import asyncio
from typing import Final

from wallflower.desk import batch
from wallflower.desk.edge import handed
from wallflower.desk.edge import store as stores
from wallflower.desk.edge.parts import DeskSettings, Parts
from wallflower.desk.edge.rounds import Rounds
from wallflower.desk.edge.store import Locked, Store
from wallflower.desk.header import Cost
from wallflower.desk.tokens import MOST
from wallflower.desk.views import Alarm, Case, Conversation, LetterView, States, Status
from wallflower.errors import Fault
from wallflower.host import Host
from wallflower.host.clock import day_of
from wallflower.wire.reply import cut_reply
from wallflower.wire.sizes import REPLY_INDEXES

_WAIT_S: Final = 0.2  # wall seconds between looks while locked, and at least before a first record
_FIRST_S: Final = 60  # record seconds between passes before a first record
_FAILING_S: Final = 600  # record seconds between passes where the store says no tick
_EARLIER: Final = 20  # acknowledged alarms on the status page


class Desk:
    """One handler's desk. Everything but `exists`, `locked` and `unlock` needs it unlocked."""

    def __init__(self, host: Host, settings: DeskSettings, cost: Cost | None = None) -> None:
        self._host = host
        self._settings = settings
        self._cost = cost or Cost()
        self._store: Store | None = None
        self._rounds: Rounds | None = None

    @property
    def exists(self) -> bool:
        """Whether there is a store to unlock; if not, the first unlocking makes one. A Fault where
        nobody can tell."""
        with stores.refusals():
            return stores.exists(self._host.disk)

    @property
    def locked(self) -> bool:
        """Whether the store is closed."""
        return self._rounds is None

    def unlock(self, passphrase: str, again: str | None = None) -> None:
        """Open the store, or make it when there is none; `again` is the passphrase typed twice."""
        if not self.locked:
            return
        with stores.refusals():
            store = self._opened(passphrase, again)
        try:
            parts = Parts(self._host, self._settings, store)
            with stores.refusals():
                left = handed.take_in(self._host.disk, store, self._settings.token_files)
            for what in left:
                parts.letters.alarm(self.today(), what)
            # What died while this desk was off is gone before anything is asked or shown.
            parts.keyring.erase_dead(self._host.clock.now(), parts.records.longest_mean_b())
            store.forget_log()  # where the power went as a key was erased, it is still in there
        except BaseException:
            store.close()  # else the next try would find it open elsewhere
            raise
        self._store, self._rounds = store, Rounds(parts)

    def _opened(self, passphrase: str, again: str | None) -> Store:
        disk = self._host.disk
        if self.exists:
            return stores.open_store(disk, passphrase)
        typed_twice = passphrase if again is None else again
        return stores.create_store(disk, self._host.entropy, passphrase, typed_twice, self._cost)

    def lock(self) -> None:
        """Close the store and forget its key. A pass that is under way ends quietly."""
        if self._store is not None:
            self._store.close()
        self._store = self._rounds = None

    def change_passphrase(self, old: str, new: str, again: str) -> None:
        """Another passphrase for the same store."""
        self._open()
        disk, entropy = self._host.disk, self._host.entropy
        with stores.refusals():
            stores.change_passphrase(disk, entropy, old, new, again, self._cost)

    def _open(self) -> tuple[Store, Parts]:
        if self._store is None or self._rounds is None:
            raise Locked
        return self._store, self._rounds.parts

    # -- the clock --------------------------------------------------------------------------

    async def step(self) -> None:
        """One pass over keys, record, drops, batch and board; nothing while locked."""
        if self._rounds is not None:
            await self._rounds.step()

    async def run(self) -> None:
        """A pass at each tick of the record, for ever."""
        while True:
            await self.step()
            now, tick, locked = self._host.clock.now(), self._tick(), self.locked
            if tick is not None:
                await self._host.clock.sleep_until((now // tick + 1) * tick)
                continue
            await asyncio.sleep(_WAIT_S)
            if not locked:  # as one that is new, or has new pins, while nobody shows it a record
                await self._host.clock.sleep_until(now + _FIRST_S)

    def _tick(self) -> int | None:
        """The tick in force; without a record in force the newest one's, since a desk server that
        is away or shows an old record is asked no more often for it."""
        parts = self._rounds.parts if self._rounds else None
        try:
            record = (parts.in_force() or parts.records.newest()) if parts else None
        except Fault:  # of the store, as the pass has noted
            return _FAILING_S
        return record.body.parameters.tick if record else None

    # -- what a handler does ----------------------------------------------------------------

    def today(self) -> int:
        """The day of record time."""
        return day_of(self._host.clock.now())

    def inbox(self) -> list[Case]:
        """All conversations, those with the newest letters first."""
        return self._open()[1].letters.inbox()

    def conversations(self) -> list[bytes]:
        """The ids of all conversations."""
        return self._open()[1].letters.conversations()

    def letters(self) -> list[bytes]:
        """The ids of all letters."""
        return self._open()[1].letters.ids()

    def conversation(self, conversation: bytes) -> Conversation:
        """A conversation's letters and replies, and how much can still be answered."""
        _, parts = self._open()
        name = parts.letters.name(conversation)
        link = parts.letters.link(conversation)
        used = parts.outbox.used(conversation, link.week) if link else 0
        return Conversation(
            id=conversation, name=name, letters=parts.letters.of_conversation(conversation),
            replies=parts.outbox.replies(conversation), slots_left=REPLY_INDEXES - used,
            batch_slots=_batch_slots(parts),
        )  # fmt: skip

    def letter(self, letter: bytes) -> LetterView:
        """One letter; its text is empty until it was opened."""
        return self._open()[1].letters.letter(letter)

    def open_letter(self, letter: bytes) -> LetterView:
        """Open a letter, which queues its receipt."""
        store, parts = self._open()
        with store.transaction():
            parts.letters.open(letter)
        return parts.letters.letter(letter)

    def slots_needed(self, text: str) -> int:
        """How many slots a reply takes; Refused when it is empty or longer than any reply."""
        return len(cut_reply(tidy(text), 0))

    def answer(self, conversation: bytes, text: str) -> int:
        """Seal a reply to the conversation's kept link and queue it, once; the reply's number.

        Refused, with nothing queued, what is empty or no text (reply 3.5); Fault what is too long.
        """
        store, parts = self._open()
        link = parts.letters.link(conversation)
        if link is None:
            raise Fault("There is no such conversation", "Go back to the inbox.")
        needed = self.slots_needed(text)
        same = parts.outbox.same(conversation, tidy(text), self.today())
        if same is not None:
            return same
        most = _batch_slots(parts)
        if most is not None and needed > most:
            raise Fault(
                f"The reply needs {needed} slots; a day's batch holds {most}",
                "Write it as several replies.",
            )
        with store.transaction():
            return parts.outbox.answer(conversation, link, tidy(text), self.today())

    def states(self) -> States:
        """Counts of replies and receipts: queued, handed over, on the board."""
        return self._open()[1].outbox.states()

    def next_batch(self) -> int:
        """The day whose batch takes what is queued now: tomorrow, or the day after when
        tomorrow's is built already."""
        _, parts = self._open()
        tomorrow = self.today() + 1
        return tomorrow if parts.outbox.batch(tomorrow) is None else tomorrow + 1

    def unseen_alarms(self) -> int:
        """How many alarms nobody has acknowledged yet; none can be told while locked."""
        if self._store is None:
            return 0
        return int(self._store.run("SELECT count(*) FROM alarms WHERE seen = 0")[0][0])

    def acknowledge(self, newest: int) -> None:
        """A person was shown the unseen alarms up to this id. They stay, as earlier ones; what came
        after the page was made stays unseen."""
        self._open()[0].run("UPDATE alarms SET seen = 1 WHERE id <= ?", newest)

    def status(self) -> Status:
        """How the desk is doing; counts only, and almost nothing while it is locked."""
        if self._store is None or self._rounds is None:
            return Status(locked=True, exists=self.exists, today=self.today())
        return _status(self._store, self._rounds, self.today())


def _batch_slots(parts: Parts) -> int | None:
    """How many slots a day's batch holds; None where no record is known. While none is in force it
    is the newest one's, since records raise it at most: a longer answer might never leave."""
    record = parts.in_force() or parts.records.newest()
    return batch.room(record.body.parameters).slots if record else None


def tidy(text: str) -> str:
    """A reply as it is sealed: plain line ends, no space around it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _status(store: Store, rounds: Rounds, today: int) -> Status:
    letters, opened = store.run("SELECT count(*), coalesce(sum(opened), 0) FROM letters")[0]
    built = store.run("SELECT max(day), max(CASE posted WHEN 1 THEN day END) FROM batches")[0]
    record = rounds.parts.records.newest()
    drop_keys, desk_keys = rounds.parts.keyring.counts()
    known = len(rounds.parts.letters.known())
    # Of the unseen ones all: what is not shown must not be acknowledged with the rest.
    alarms = store.run(
        "SELECT id, day, what, seen FROM alarms WHERE seen = 0 OR id IN "
        "(SELECT id FROM alarms WHERE seen = 1 ORDER BY id DESC LIMIT ?) ORDER BY seen, id DESC",
        _EARLIER,
    )
    return Status(
        locked=False, exists=True, today=today, letters=letters, opened=opened,
        loops=store.get("loops") or 0, known=known, known_left_out=max(0, known - MOST),
        states=rounds.parts.outbox.states(),
        drops_read=store.get("drops") or 0, last_drop=store.get("drop_number") or 0,
        last_drop_day=store.get("drop_day"), record=record.number if record else None,
        record_day=record.body.day if record else None, keys_published=rounds.published,
        drop_keys=drop_keys, desk_keys=desk_keys, batch_built=built[0], batch_posted=built[1],
        board_number=store.get("board_number") or 0,
        faults={rule: count for rule, count in store.run("SELECT rule, count FROM faults")},
        alarms=[Alarm(at, day, what, bool(seen)) for at, day, what, seen in alarms],
        unreachable=rounds.unreachable,
    )  # fmt: skip
