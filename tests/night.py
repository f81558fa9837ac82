"""How much of a night's size is run: all of it, or the share that WALLFLOWER_NIGHT names.

Only `tools/nightly.py --short` sets it, to prove that a part's command starts and ends.
"""

from __future__ import annotations

import os

SHARE = float(os.environ.get("WALLFLOWER_NIGHT", "1"))


def share(count: int) -> int:
    """So many, or the share of it; never none."""
    return max(1, int(count * SHARE))
