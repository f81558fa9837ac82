"""The census' noise: OpenDP's discrete Laplace, and nothing of our own. Spec: census.md 3.

Like a KEM, the library draws its own randomness, which no seed of ours repeats (ADR 0014).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from wallflower.wire.census import EPSILON


def measurement(epsilon: float = EPSILON) -> Callable[[list[int]], list[int]]:
    """OpenDP's measurement for counts to each of which one hum adds at most one, in one place.

    Its privacy map is checked here, so that the epsilon that is published is the library's own.
    """
    # Loaded when a day ends: 10 MB that no other process of ours should carry.
    from opendp.domains import atom_domain, vector_domain
    from opendp.measurements import make_laplace
    from opendp.metrics import l1_distance
    from opendp.mod import enable_features

    enable_features("contrib")
    made = make_laplace(
        vector_domain(atom_domain(T="i64")), l1_distance(T="i64"), scale=1.0 / epsilon
    )
    if not made.check(d_in=1, d_out=epsilon):
        raise ValueError("the noise does not give the epsilon that is published")
    return cast("Callable[[list[int]], list[int]]", made)


def with_noise(counts: Sequence[int]) -> list[int]:
    """The counts with noise, drawn once for each."""
    return measurement()(list(counts))
