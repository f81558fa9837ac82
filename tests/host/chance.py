"""Statistics of tests: a chi-square limit that a fair stream passes once in a thousand seeds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

Z = 3.09  # one-sided p = 0.001


def chi_square(seen: Iterable[object], values: int) -> float:
    """Pearson's statistic of draws that should be uniform over so many values."""
    counts = Counter(seen)
    expected = counts.total() / values
    missing = (values - len(counts)) * expected
    return sum((n - expected) ** 2 / expected for n in counts.values()) + missing


def limit(values: int) -> float:
    """The 99.9th percentile of chi-square with values - 1 degrees (Wilson and Hilferty)."""
    k = values - 1
    return float(k * (1 - 2 / (9 * k) + Z * math.sqrt(2 / (9 * k))) ** 3)
