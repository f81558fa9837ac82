"""Everything that a role needs from the machine: clock, entropy, disk, network.

Roles get a `Host` as an argument and touch nothing else, so that the same code runs on a real
machine and on the simulated host in `lab`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # at run time a command loads of it what it needs: most need no network
    from wallflower.host.clock import Clock
    from wallflower.host.disk import Folder
    from wallflower.host.entropy import Entropy
    from wallflower.host.net import Net


@dataclass(frozen=True, slots=True)
class Host:
    """The four services of one process."""

    clock: Clock
    entropy: Entropy
    disk: Folder
    net: Net
