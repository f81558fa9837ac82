"""What a process holds in memory goes to no disk when it crashes.

Keys are erased from disks on time (record 4), and letters and words never reach one. An image of
the memory (core(5)) would bring all of them there, where nobody erases them.
"""

from __future__ import annotations

import ctypes
import resource
import sys
from pathlib import Path
from typing import Final

SWAPS: Final = Path("/proc/swaps")
_SET_DUMPABLE: Final = 4  # prctl(2)


def leave_no_image() -> None:
    """Have the system write no image of this process, whatever it was configured to do.

    Other processes of the same user cannot read its memory from then on either. A program that is
    executed begins anew: it has to ask for this itself. Raises OSError when the system refuses.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A kernel that hands images to a program does not look at that limit, but at this.
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "the system does not protect this process's memory")


def is_swapped(swaps: Path = SWAPS) -> bool:
    """Whether the system may write memory to a disk while we run: swap that is not in memory
    itself (proc(5), zram). Whether such a disk is encrypted cannot be seen from here."""
    try:
        places = [line.split()[0] for line in swaps.read_text("utf-8").splitlines()[1:] if line]
    except OSError:
        return False
    return any(not Path(place).name.startswith("zram") for place in places)
