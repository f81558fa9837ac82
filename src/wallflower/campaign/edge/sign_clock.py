"""Whether a computer's clock can be right, by what is known to have been before. Spec: bundle.md 4.

Who signs with a clock that is behind makes papers that are old, or nearly so, for everybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from wallflower.campaign.edge.ceremony_keys import Keys, ends
from wallflower.campaign.edge.verify_places import scan
from wallflower.campaign.repository import signed_on
from wallflower.errors import Fault

# Two computers' clocks differ, and a stick may keep times without their zone. A promise of
# fourteen days that is made anew every ten bears as much.
GRACE: Final = timedelta(days=1)
# Disks keep times that no calendar has: whatever lies outside counts as the first or last day of it
# that a datetime holds.
_DAY_S: Final = 86400
_EARLIEST: Final = int(datetime.min.replace(tzinfo=UTC).timestamp()) + _DAY_S
_LATEST: Final = int(datetime.max.replace(tzinfo=UTC).timestamp()) - _DAY_S


def check_clock(folder: Path, keys: Keys, now: datetime) -> None:
    """A Fault when `now` is more than a day before the newest signature of these keys, or before
    the newest file of the folder that is to be signed. Nothing shows that a clock is ahead."""
    moment, what = max(_known(folder, keys))
    if now < moment - GRACE:
        raise Fault(
            f"By this computer's clock it is {now:%F %H:%M} UTC, but {what} is of "
            f"{moment:%F %H:%M} UTC, so nothing was signed",
            "Set the clock, and type this again. If it is right now, and was ahead then, add "
            "--clock-is-right.",
        )


def _known(folder: Path, keys: Keys) -> Iterator[tuple[datetime, str]]:
    for role, end in ends(keys).items():
        yield signed_on(role, end), f"the signature of {role}"
    for name in scan(folder):
        changed = (folder / name).stat().st_mtime
        yield datetime.fromtimestamp(min(max(changed, _EARLIEST), _LATEST), UTC), name
