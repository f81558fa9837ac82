"""Everything rotates while letters are in flight, and every letter is delivered or accounted for."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.lab.month import REAL, Account, Month, Night, Plan, drop_size
from tests.lab.site import SATURDAY

from wallflower.wire.segment import segment_size
from wallflower.wire.sizes import DAY_S

THREE_DAYS = Plan(days=3, letters=60, covers=180, desk_every=36)
MONTH = Plan(
    days=30, letters=10_000, covers=20_000, nights=(Night("mix-a", 10), Night("mix-b", 20)),
    revocations=((15, "hops"), (24, "drop")),
)  # fmt: skip


def check(account: Account, plan: Plan, sleeping_ticks: int = 0) -> None:
    assert account.lost() == set()
    assert account.refused == {}
    assert account.cells_refused == 0
    assert len(account.sent) + len(account.waiting) == plan.letters
    assert not (account.delivered & (account.in_a | account.in_b))
    assert set(account.drop_sizes) == {drop_size(REAL.slots)}
    ticks = plan.days * DAY_S // REAL.tick
    assert abs(account.drop_sizes.total() - (ticks - sleeping_ticks)) <= 2
    assert set(account.segment_sizes) == {segment_size(REAL.replies, REAL.receipts)}
    assert account.segment_sizes.total() >= plan.days * DAY_S // REAL.period
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
    lines = [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, a simulated month, 1 of {os.cpu_count()} cores"
    ]
    began = time.process_time()
    month = Month(tmp_path, MONTH, SATURDAY, lambda line: (lines.append(line), print(line))[1])
    account = await month.run()
    lines.append(account.table(MONTH, time.process_time() - began))
    where = os.environ.get("WALLFLOWER_MONTH")
    if where:
        Path(where).write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    check(account, MONTH, sleeping_ticks=54)
    assert len(account.delivered) > 9_000
