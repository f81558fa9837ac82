"""Everything rotates while letters are in flight; each is delivered or accounted for."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.lab.month import REAL, Account, Month, Night, Plan, drop_size
from tests.lab.site import SATURDAY

from wallflower.wire.segment import segment_size
from wallflower.wire.sizes import DAY_S

# Fewer ticks and slots than a real town, so that it runs with every change.
SMALL = replace(REAL, tick=1800, slots=8)
THREE_DAYS = Plan(days=3, letters=60, covers=120, parameters=SMALL, desk_every=12)
MONTH = Plan(
    days=30, letters=10_000, covers=20_000, nights=(Night("mix-a", 10), Night("mix-b", 20)),
    revocations=((15, "hops"), (24, "drop")),
)  # fmt: skip


def check(account: Account, plan: Plan, sleeping_ticks: int = 0) -> None:
    p = plan.parameters
    assert account.lost() == set()
    assert account.refused == {}
    assert account.cells_refused == 0
    assert len(account.sent) + len(account.waiting) == plan.letters
    assert not (account.delivered & (account.in_a | account.in_b))
    assert set(account.drop_sizes) == {drop_size(p.slots)}
    ticks = plan.days * DAY_S // p.tick
    assert abs(account.drop_sizes.total() - (ticks - sleeping_ticks)) <= 2
    assert set(account.segment_sizes) == {segment_size(p.replies, p.receipts)}
    assert account.segment_sizes.total() >= plan.days * DAY_S // p.period
    assert len(account.batch_sizes) == 1
    assert account.boards_read == plan.days * plan.readers


async def test_three_days_across_a_week_change_account_for_every_letter(tmp_path: Path) -> None:
    month = Month(tmp_path, THREE_DAYS, SATURDAY, lambda _: None)
    account = await month.run()
    check(account, THREE_DAYS)
    assert len(account.delivered) > 10


@pytest.mark.nightly
async def test_a_month_with_two_nights_and_two_revocations_accounts_for_every_letter(
    tmp_path: Path,
) -> None:
    lines = [f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, one used"]
    began = time.process_time()
    account = await Month(tmp_path, MONTH, SATURDAY, lines.append).run()
    lines.append(account.table(MONTH, time.process_time() - began))
    print("\n" + "\n".join(lines))
    check(account, MONTH, sleeping_ticks=54)
    assert len(account.delivered) > 9_000
