"""How much memory a mix takes at most: `python -m bench.loaded FOLDER` prints its peak in MB.

A process of its own, which holds little else: both mixes of a town take full pages one after
another, A of cells and B of parcels.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from bench.mixing import opened
from bench.place import open_place
from bench.processes import peak_mb
from wallflower.host.serve import calm_collector
from wallflower.mix.edge.mix import PAGE
from wallflower.wire.sizes import HUM_CELLS

ROUNDS = 3


async def run(folder: Path) -> float:
    """Take full pages; the peak of this process."""
    place = await open_place(folder, in_memory=False)
    count = PAGE["a"] // HUM_CELLS
    for _ in range(ROUNDS):
        hums = place.hums(count)
        await place.take(place.town.a, [cell for hum in hums for cell in hum])
        parcels = opened(place, hums)
        await place.take(place.town.b, parcels * (PAGE["b"] // count))
    place.town.close()
    return peak_mb(os.getpid())


if __name__ == "__main__":
    calm_collector()
    print(asyncio.run(run(Path(sys.argv[1]))))
