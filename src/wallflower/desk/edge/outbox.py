"""Replies, receipts and day batches in the store: queued, handed over, on the board."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from wallflower.desk.batch import Again, Batch, Room, WaitingReceipt, WaitingReply
from wallflower.desk.edge.store import Store
from wallflower.desk.views import ReplyView, Sending, States
from wallflower.host.entropy import Entropy
from wallflower.wire.chain import Continuity, Link
from wallflower.wire.reply import cut_reply, seal_part
from wallflower.wire.sizes import DAY_S, RECEIPT, REPLY_SALT, REPLY_SLOT

_QUEUED, _HANDED, _BOARD = (s.value for s in (Sending.QUEUED, Sending.HANDED, Sending.BOARD))


class Outbox:
    """What goes out. The methods that write are called inside of a transaction."""

    def __init__(self, store: Store, entropy: Entropy) -> None:
        self._store = store
        self._entropy = entropy

    def used(self, conversation: bytes, week: int) -> int:
        """How many indexes of e_w were given to this conversation (reply 1.4)."""
        rows = self._store.run(
            "SELECT indexes FROM used WHERE conversation = ? AND week = ?", conversation, week
        )
        return int(rows[0][0]) if rows else 0

    def answer(self, conversation: bytes, link: Link, text: str, day: int) -> int:
        """Cut and seal a reply to the kept link and queue it; its number."""
        first = self.used(conversation, link.week)
        parts = cut_reply(text, first)
        self._store.run(
            "INSERT INTO replies(conversation, day, text, parts, state) VALUES (?, ?, ?, ?, ?)",
            conversation, day, text, len(parts), _QUEUED,
        )  # fmt: skip
        reply = int(self._store.run("SELECT last_insert_rowid()")[0][0])
        for n, part in enumerate(parts):
            salt = self._entropy.draw(REPLY_SALT)
            slot = seal_part(link.e, first + n, salt, n + 1, len(parts), part)
            self._store.run("INSERT INTO outgoing VALUES (?, ?, ?)", reply, n + 1, slot)
        self._store.run(
            "INSERT OR REPLACE INTO used VALUES (?, ?, ?)",
            conversation, link.week, first + len(parts),
        )  # fmt: skip
        return reply

    def same(self, conversation: bytes, text: str, day: int) -> int | None:
        """The reply of this very text and day that is in no batch yet: a button that was pressed
        twice, or a form that was sent again after a crash, is one answer."""
        rows = self._store.run(
            "SELECT id FROM replies WHERE conversation = ? AND text = ? AND day = ? "
            "AND batch IS NULL AND state = ?", conversation, text, day, _QUEUED,
        )  # fmt: skip
        return int(rows[0][0]) if rows else None

    def replies(self, conversation: bytes) -> list[ReplyView]:
        """A conversation's replies, oldest first."""
        rows = self._store.run(
            "SELECT id, day, text, parts, state, batch FROM replies WHERE conversation = ? "
            "ORDER BY id", conversation,
        )  # fmt: skip
        return [
            ReplyView(number, day, text, parts, Sending(state), batch)
            for number, day, text, parts, state, batch in rows
        ]

    def waiting_replies(self) -> list[WaitingReply]:
        """Replies that are in no batch yet, oldest first."""
        rows = self._store.run(
            "SELECT o.reply, o.slot FROM outgoing o JOIN replies r ON r.id = o.reply "
            "WHERE r.state = ? AND r.batch IS NULL ORDER BY o.reply, o.part", _QUEUED,
        )  # fmt: skip
        slots: dict[int, list[bytes]] = {}
        for reply, slot in rows:
            slots.setdefault(reply, []).append(slot)
        return [WaitingReply(reply, tuple(parts)) for reply, parts in slots.items()]

    def waiting_receipts(self) -> list[WaitingReceipt]:
        """Receipts that are in no batch yet."""
        rows = self._store.run(
            "SELECT value, continuity FROM receipts WHERE state = ? AND batch IS NULL", _QUEUED
        )
        return [WaitingReceipt(value, Continuity(continuity)) for value, continuity in rows]

    def batch(self, day: int) -> tuple[bytes, bool] | None:
        """The bytes of the batch of a day and whether it was taken; None when none was built."""
        rows = self._store.run("SELECT body, posted FROM batches WHERE day = ?", day)
        return (rows[0][0], bool(rows[0][1])) if rows else None

    def keep(self, batch: Batch) -> None:
        """Keep a batch before it is posted, so that the same bytes can be sent again."""
        self._store.run("INSERT INTO batches(day, body) VALUES (?, ?)", batch.day, batch.body)
        for reply in batch.replies:
            self._store.run("UPDATE replies SET batch = ? WHERE id = ?", batch.day, reply)
        for value in batch.receipts:
            self._store.run("UPDATE receipts SET batch = ? WHERE value = ?", batch.day, value)
        for value in batch.everything:
            self._store.run("INSERT OR REPLACE INTO unseen VALUES (?, ?)", value, batch.day)

    def again(self, size: Room) -> Again:
        """What the board did not show of whole batches that fit; others wait for the next."""
        rows = self._store.run(
            "SELECT u.batch, u.value FROM unseen u JOIN batches b ON b.day = u.batch "
            "WHERE b.settled = 1 ORDER BY u.batch"
        )
        slots: list[bytes] = []
        receipts: list[bytes] = []
        kept: set[bytes] = set()
        for _, of_day in groupby(rows, key=lambda row: row[0]):
            values = [value for _, value in of_day]
            more = [value for value in values if len(value) == REPLY_SLOT]
            told = [value for value in values if len(value) == RECEIPT]
            if len(slots + more) > size.slots or len(receipts + told) > size.receipts:
                kept.update(values)
            else:
                slots += more
                receipts += told
        return Again(tuple(slots), tuple(receipts), frozenset(kept))

    def handed_over(self, day: int) -> None:
        """The desk server has the batch of this day."""
        self._store.run("UPDATE batches SET posted = 1 WHERE day = ?", day)
        for table in ("replies", "receipts"):
            self._store.run(
                f"UPDATE {table} SET state = ? WHERE batch = ? AND state = ?",  # noqa: S608
                _HANDED, day, _QUEUED,
            )  # fmt: skip

    def seen(self, slots: set[bytes], receipts: set[bytes]) -> None:
        """Mark what stands on the board; a reply counts when all of its parts do.

        So does what waits to go again, when a server shows it late: it would else come again where
        filler does not, and show that it is real.
        """
        for value in slots | receipts:
            self._store.run("DELETE FROM unseen WHERE value = ?", value)
        for reply, part, slot in self._store.run("SELECT reply, part, slot FROM outgoing"):
            if slot in slots:
                self._store.run("DELETE FROM outgoing WHERE reply = ? AND part = ?", reply, part)
        self._store.run(
            "UPDATE replies SET state = ? WHERE state != ? AND NOT EXISTS "
            "(SELECT 1 FROM outgoing o WHERE o.reply = replies.id)", _BOARD, _BOARD,
        )  # fmt: skip
        waiting = self._store.run("SELECT value FROM receipts WHERE state != ?", _BOARD)
        for (value,) in waiting:
            if value in receipts:
                self._store.run("UPDATE receipts SET state = ? WHERE value = ?", _BOARD, value)

    def settle(self, board_since: int, board_until: int) -> None:
        """Close the batches whose day the board has shown to its end.

        What is not there although the whole day was seen goes into a later batch with the same
        bytes, its filler too: the board holds them nowhere, so nothing public is ever repeated.
        Where the board was not seen whole (this desk was off for longer than the board is), what
        was handed over stays so, and only a batch that was never taken goes again, all of it.
        """
        for day, posted in self._store.run("SELECT day, posted FROM batches WHERE settled = 0"):
            if board_until < (day + 1) * DAY_S:
                continue
            whole = board_since <= day * DAY_S
            states = (_QUEUED, _HANDED) if whole else (_QUEUED, _QUEUED)
            for table in ("replies", "receipts"):
                self._store.run(
                    f"UPDATE {table} SET state = ?, batch = NULL "  # noqa: S608
                    "WHERE batch = ? AND state IN (?, ?)", _QUEUED, day, *states,
                )  # fmt: skip
            if posted and not whole:
                self._store.run("DELETE FROM unseen WHERE batch = ?", day)
            self._store.run("UPDATE batches SET settled = 1, body = NULL WHERE day = ?", day)

    def states(self) -> States:
        """Counts of replies and receipts by state."""
        counts = []
        for table in ("replies", "receipts"):
            rows = self._store.run(f"SELECT state FROM {table}")  # noqa: S608
            found = Counter(Sending(state) for (state,) in rows)
            counts.append({state: found[state] for state in Sending})
        return States(*counts)
