"""One pass of the desk over the network: keys, record, drops, batch, board.

Each part is alone: what does not answer is noted and asked again at the next pass, and what stays
away until letters may be lost becomes an alarm. Nothing that is sent depends on what a person does
here; the batch and the keys go out on the clock.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from wallflower.desk import batch, keys, tokens
from wallflower.desk.edge import handed
from wallflower.desk.edge.drops import read_drops
from wallflower.desk.edge.parts import HostChance, Parts
from wallflower.desk.edge.store import Locked
from wallflower.desk.edge.watch import look_at_board
from wallflower.desk.keys import wanted_days
from wallflower.desk.views import HERE
from wallflower.errors import Fault, Refused
from wallflower.host.clock import day_of
from wallflower.host.disk import DiskTrouble
from wallflower.host.net import Unreachable
from wallflower.wire.sizes import HASH, WEEK_BASE_DAY, week_of_day

_HOUR_S = 3600
_MOST_REVOKED = 1024


class Rounds:
    """The passes of an unlocked desk."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.unreachable: list[str] = []
        self.published: int | None = None
        self.tokens_handed: int | None = None

    async def step(self) -> None:
        """One pass. Ends quietly when the desk is locked in the middle of it."""
        works: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("desk server: keys", self._publish_keys),
            ("desk server: record", self.parts.fetch_record),
            ("mix B: drops", partial(read_drops, self.parts)),
            ("mix B: tokens", self._hand_tokens),
            ("desk server: batch", self._hand_over),
            ("desk server: board", partial(look_at_board, self.parts)),
            ("", self._warn),
        ]
        unreachable = []
        if day_of(self.parts.host.clock.now()) < WEEK_BASE_DAY:  # no key has such a day
            self.unreachable = [f"{HERE}computer's clock, which is years behind"]
            return
        try:
            for name, work in works:
                if trouble := await self._trouble_of(name, work):
                    unreachable.append(trouble)
        except Locked:
            return
        self.unreachable = unreachable

    async def _trouble_of(self, name: str, work: Callable[[], Awaitable[None]]) -> str:
        """Do one part of a pass; who or what kept it from its end, if anybody did."""
        try:
            try:
                await work()
            except Refused as refused:  # which is counted in the store, and so needs the disk too
                self.parts.letters.fault(refused.rule)
        except Locked:
            raise
        except Unreachable:
            return name
        except DiskTrouble:  # nothing was kept or acknowledged; it comes again
            return f"{HERE}computer's disk, which is full or fails"
        except Fault as fault:  # of the desk itself, such as a damaged store; its pages say more
            return f"{HERE}desk itself: {fault.what}"
        return ""

    async def _publish_keys(self) -> None:
        keyring, now = self.parts.keyring, self.parts.host.clock.now()
        today = day_of(now)
        keyring.erase_dead(now, self.parts.records.longest_mean_b())
        keyring.make_missing(today, self.parts.host.entropy)
        revoked, ring = await self._revoked(), partial(self.parts.letters.alarm, today)
        if keyring.renew(today, revoked, self.parts.host.entropy, ring):
            self.published = None
        until = wanted_days(today)[-1]
        # Once a day and once per unlocking; the first keys for a day stay, so a repeat is harmless.
        if self.published == until:
            return
        await self.parts.post("desk/keys", keyring.publication(today))
        self.published = until
        self.parts.store.put("keys_until", until)

    async def _warn(self) -> None:
        """Keep as alarms what the desk's person has to know a day before it matters."""
        store, now = self.parts.store, self.parts.host.clock.now()
        for node, name in self.parts.settings.token_files.items():
            if handed.token(store, node) is None:
                self.parts.letters.alarm(day_of(now), _no_token(node, name))
        for what in keys.alarms(store.get("keys_until"), store.get("drop_day"), now):
            self.parts.letters.alarm(day_of(now), what)
        record = self.parts.in_force()
        if record is not None and not self.parts.keyring.is_ours(record):
            self.parts.letters.alarm(
                day_of(now),
                "The record names keys that this desk does not have, so letters go to somebody else"
                " or are lost: tell the organisation",
            )

    async def _hand_tokens(self) -> None:
        """Hand B the sets of this week and the next, each hour, whatever changed (token 2.5)."""
        now, url = self.parts.host.clock.now(), self.parts.settings.b.url.rstrip("/")
        hour = int(now // _HOUR_S)
        if self.tokens_handed == hour:
            return
        week, cases = week_of_day(day_of(now)), self.parts.letters.known()
        for each in (week, week + 1):
            made = tokens.week_set(
                cases, each, self.parts.letters.lot_key(), self.parts.host.entropy.draw
            )
            token = self.parts.token("b")
            await self.parts.host.net.post(f"{url}/tokens", made, token, limit=0)
        self.tokens_handed = hour

    async def _revoked(self) -> frozenset[bytes]:
        """The hashes of our keys that the organisation revoked; none when nobody can say."""
        try:
            hashes = await self.parts.get("desk/revoked", _MOST_REVOKED * HASH)
        except Unreachable:
            return frozenset()
        return frozenset(hashes[at : at + HASH] for at in range(0, len(hashes), HASH))

    async def _hand_over(self) -> None:
        """Build tomorrow's batch once in the evening, and post it until it is taken."""
        outbox, now = self.parts.outbox, self.parts.host.clock.now()
        if not batch.is_evening(now):
            return
        day = day_of(now) + 1
        kept = outbox.batch(day)
        if kept is None:
            record = self.parts.in_force()
            if record is None:
                return
            size = batch.room(record.body.parameters)
            built = batch.build(
                day, size, outbox.waiting_replies(), outbox.waiting_receipts(),
                HostChance(self.parts.host.entropy), outbox.again(size),
            )  # fmt: skip
            with self.parts.store.transaction():
                outbox.keep(built)
            kept = (built.body, False)
        body, posted = kept
        if posted:
            return
        await self.parts.post("desk/batch", body)
        with self.parts.store.transaction():
            outbox.handed_over(day)


def _no_token(node: str, name: str) -> str:
    return (
        f"This desk has no token for {handed.NODES[node]}: ask its operator for it, put it beside"
        f" desk.toml as {Path(name).name}, then lock and unlock the desk"
    )
