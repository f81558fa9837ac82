"""Letters and conversations in the store."""

from __future__ import annotations

from typing import Any

from wallflower.desk.edge.store import Store
from wallflower.desk.inbox import Arrived, Opened, place
from wallflower.desk.names import name_of, names, plants_of
from wallflower.desk.tokens import LOT_KEY, KnownCase
from wallflower.desk.views import Case, LetterView, Sending
from wallflower.errors import Fault
from wallflower.host.entropy import Entropy, below
from wallflower.wire.chain import Continuity, Link

_LETTER = """
SELECT l.id, l.conversation, c.name, l.day, l.continuity, l.part, l.parts, l.language,
       CASE l.opened WHEN 1 THEN l.text ELSE '' END, l.opened, r.state, r.batch
FROM letters l JOIN conversations c ON c.id = l.conversation
LEFT JOIN receipts r ON r.value = l.receipt AND l.opened = 1
"""
# Of all at once: a question for each conversation would take minutes in a flood of first letters.
_CASES = """
SELECT c.id, c.name, count(*), sum(l.opened), max(l.day), sum(l.continuity = ?),
       max(l.continuity = ?)
FROM conversations c JOIN letters l ON l.conversation = c.id GROUP BY c.id
"""
_ANSWERS = "SELECT conversation, count(*), sum(state != ?) FROM replies GROUP BY conversation"


class Letters:
    """What has arrived. The methods that write are called inside of a transaction."""

    def __init__(self, store: Store, entropy: Entropy) -> None:
        self._store = store
        self._entropy = entropy

    def keep(self, opened: Opened, day: int) -> None:
        """Keep the letters of one drop; one that is there already changes nothing."""
        for arrived in opened.letters:
            if not self._store.run("SELECT 1 FROM letters WHERE id = ?", arrived.id):
                self._keep(arrived, day)
        self.count("loops", opened.loops)
        for rule, count in opened.faults.items():
            self.fault(rule, count)

    def _keep(self, arrived: Arrived, day: int) -> None:
        letter = arrived.letter
        kept = self.link(letter.conversation)
        continuity, link = place(kept, arrived)
        if kept is None:
            self._store.run(
                "INSERT INTO conversations VALUES (?, ?, ?, ?, ?)",
                letter.conversation, self._new_name(), link.week, link.e, link.x,
            )  # fmt: skip
        elif link != kept:
            self._store.run(
                "UPDATE conversations SET week = ?, e = ?, x = ? WHERE id = ?",
                link.week, link.e, link.x, letter.conversation,
            )  # fmt: skip
        self._store.run(
            "INSERT INTO letters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            arrived.id, letter.conversation, letter.week, day, continuity.value,
            letter.part, letter.of, letter.language, letter.mark, letter.text, arrived.receipt,
        )  # fmt: skip

    def _new_name(self) -> str:
        tries = 0
        while True:
            plants = plants_of(tries)
            name = name_of(below(self._entropy.draw, names(plants)), plants)
            if not self._store.run("SELECT 1 FROM conversations WHERE name = ?", name):
                return name
            tries += 1

    def link(self, conversation: bytes) -> Link | None:
        """The kept link of a conversation, which says where replies go."""
        rows = self._store.run("SELECT week, e, x FROM conversations WHERE id = ?", conversation)
        return Link(*rows[0]) if rows else None

    def name(self, conversation: bytes) -> str:
        """The conversation's name, or a Fault."""
        rows = self._store.run("SELECT name FROM conversations WHERE id = ?", conversation)
        if not rows:
            raise Fault("There is no such conversation", "Go back to the inbox.")
        return str(rows[0][0])

    def open(self, letter: bytes) -> None:
        """Mark a letter as opened and queue its receipt, once."""
        rows = self._store.run("SELECT receipt, continuity FROM letters WHERE id = ?", letter)
        if not rows:
            raise Fault("There is no such letter", "Go back to the inbox.")
        self._store.run("UPDATE letters SET opened = 1 WHERE id = ?", letter)
        # Two letters may share a mark; their receipt then goes once, since the same sixteen bytes
        # twice on a public board would show that they are real.
        self._store.run(
            "INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, NULL)", *rows[0], Sending.QUEUED.value
        )

    def letter(self, letter: bytes) -> LetterView:
        """One letter, or a Fault."""
        rows = self._store.run(_LETTER + "WHERE l.id = ?", letter)
        if not rows:
            raise Fault("There is no such letter", "Go back to the inbox.")
        return _view(rows[0])

    def of_conversation(self, conversation: bytes) -> list[LetterView]:
        """A conversation's letters, oldest first; within a day their order is not known."""
        order = "WHERE l.conversation = ? ORDER BY l.day, l.week, l.part, l.id"
        return [_view(row) for row in self._store.run(_LETTER + order, conversation)]

    def ids(self) -> list[bytes]:
        """The ids of all letters."""
        return [bytes(name) for (name,) in self._store.run("SELECT id FROM letters")]

    def conversations(self) -> list[bytes]:
        """The ids of all conversations."""
        return [bytes(name) for (name,) in self._store.run("SELECT id FROM conversations")]

    def inbox(self) -> list[Case]:
        """All conversations, those with the newest letters first."""
        answers = {
            bytes(conversation): (count, waiting)
            for conversation, count, waiting in self._store.run(_ANSWERS, Sending.BOARD)
        }
        kinds = (Continuity.UNCONFIRMED, Continuity.CONFIRMED)
        cases = [_case(answers, *row) for row in self._store.run(_CASES, *kinds)]
        return sorted(cases, key=lambda case: (-case.last_day, case.name))

    def known(self) -> list[KnownCase]:
        """The conversations of which a handler has opened a letter (token 2.4)."""
        rows = self._store.run(
            "SELECT DISTINCT l.conversation, EXISTS (SELECT 1 FROM replies r "
            "WHERE r.conversation = l.conversation) FROM letters l WHERE l.opened = 1"
        )
        return [KnownCase(bytes(conversation), bool(answered)) for conversation, answered in rows]

    def lot_key(self) -> bytes:
        """What this desk's weekly lot is drawn with; made when it is first asked for."""
        kept: bytes | None = self._store.get("lot_key")
        if kept is None:
            kept = self._entropy.draw(LOT_KEY)
            self._store.put("lot_key", kept)
        return kept

    def count(self, name: str, more: int) -> None:
        """Add to a counter of the state."""
        self._store.put(name, (self._store.get(name) or 0) + more)

    def fault(self, rule: str, count: int = 1) -> None:
        """Count something that was refused, by its rule."""
        self._store.run(
            "INSERT INTO faults VALUES (?, ?) ON CONFLICT DO UPDATE SET count = count + ?",
            rule, count, count,
        )  # fmt: skip

    def alarm(self, day: int, what: str, instead_of: str = "") -> None:
        """Keep something that must not pass unseen; the same one once a day.

        One that stands for an earlier one of the day and more is unseen, whoever saw that one.
        """
        if instead_of:
            self._store.run(
                "UPDATE alarms SET id = (SELECT max(id) + 1 FROM alarms), what = ?, seen = 0 "
                "WHERE day = ? AND what = ?", what, day, instead_of,
            )  # fmt: skip
        if not self._store.run("SELECT 1 FROM alarms WHERE day = ? AND what = ?", day, what):
            self._store.run("INSERT INTO alarms(day, what) VALUES (?, ?)", day, what)


def _case(
    answers: dict[bytes, tuple[int, int]], conversation: bytes, name: str, letters: int,
    opened: int, last_day: int, unconfirmed: int, confirmed: int,
) -> Case:  # fmt: skip
    replies, waiting = answers.get(bytes(conversation), (0, 0))
    return Case(
        id=conversation, name=name, letters=letters, new=letters - opened, last_day=last_day,
        continuity=Continuity.CONFIRMED if confirmed else Continuity.FIRST,
        unconfirmed=unconfirmed, replies=replies, waiting=waiting,
    )  # fmt: skip


def _view(row: tuple[Any, ...]) -> LetterView:
    (name, conversation, case, day, continuity, part, of, language, text, opened, state,
     batch) = row  # fmt: skip
    return LetterView(
        id=bytes(name), conversation=bytes(conversation), case=str(case), day=int(day),
        continuity=Continuity(continuity), part=int(part), of=int(of), language=int(language),
        text=str(text), opened=bool(opened), receipt=None if state is None else Sending(state),
        receipt_day=None if batch is None else int(batch),
    )  # fmt: skip
