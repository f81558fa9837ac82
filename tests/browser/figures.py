"""Telling two classes of visits apart by numbers, and what an AUC of n and m visits is worth.

Deliberately small: a rank statistic for each feature, and a linear classifier fitted on half and
judged on the other. Each says how large a difference it could have missed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, pstdev

Row = Sequence[float]


@dataclass(frozen=True, slots=True)
class Auc:
    """The area under the curve, its standard error by Hanley and McNeil (1982), and of how many
    looked at together it is one.
    """

    value: float
    error: float
    looks: int = 1

    def interval(self, risk: float) -> tuple[float, float]:
        """Where the true one lies but with this risk, shared by all that were looked at."""
        half = NormalDist().inv_cdf(1 - risk / 2 / self.looks) * self.error
        return self.value - half, self.value + half

    def excludes_chance(self, risk: float) -> bool:
        """Whether 0.5 lies outside of the interval of this risk."""
        low, high = self.interval(risk)
        return not low <= 0.5 <= high


def auc(negatives: Sequence[float], positives: Sequence[float], *, looks: int = 1) -> Auc:
    """How often a positive scores above a negative; one of `looks`."""
    n, m = len(negatives), len(positives)
    value = (_rank_sum(negatives, positives) - m * (m + 1) / 2) / (n * m)
    q1, q2 = value / (2 - value), 2 * value**2 / (1 + value)
    spread = value * (1 - value) + (m - 1) * (q1 - value**2) + (n - 1) * (q2 - value**2)
    return Auc(value, math.sqrt(max(spread, 0) / (n * m)), looks)


def _rank_sum(negatives: Sequence[float], positives: Sequence[float]) -> float:
    """The sum of the ranks of the positives; equal scores share their rank."""
    scored = sorted([(x, 0) for x in negatives] + [(x, 1) for x in positives])
    total, at = 0.0, 0
    while at < len(scored):
        end = at
        while end < len(scored) and scored[end][0] == scored[at][0]:
            end += 1
        total += sum(label for _, label in scored[at:end]) * (at + 1 + end) / 2
        at = end
    return total


def by_feature(negatives: Sequence[Row], positives: Sequence[Row]) -> Auc:
    """The most telling single feature, its interval widened for their number (Bonferroni)."""
    columns = range(len(negatives[0]))
    found = [
        auc([r[c] for r in negatives], [r[c] for r in positives], looks=len(columns))
        for c in columns
    ]
    return max(found, key=lambda one: abs(one.value - 0.5))


def by_classifier(negatives: Sequence[Row], positives: Sequence[Row]) -> Auc:
    """Logistic regression: fitted to the even rows, judged on the odd ones, looked at once."""
    fit = _fit(negatives[::2], positives[::2])
    return auc([fit.score(row) for row in negatives[1::2]], [fit.score(r) for r in positives[1::2]])


@dataclass(frozen=True, slots=True)
class _Fit:
    means: list[float]
    spreads: list[float]
    weights: list[float]

    def standard(self, row: Row) -> list[float]:
        """A row in units of its columns; a wild one counts as three."""
        parts = zip(row, self.means, self.spreads, strict=True)
        return [max(-3.0, min(3.0, (x - mean) / spread)) for x, mean, spread in parts]

    def score(self, row: Row) -> float:
        """Higher is more like a positive."""
        return sum(w * x for w, x in zip(self.weights, self.standard(row), strict=True))


STEPS, RATE, SHRINK = 300, 0.1, 0.02


def _fit(negatives: Sequence[Row], positives: Sequence[Row]) -> _Fit:
    columns = list(zip(*negatives, *positives, strict=True))
    means = [fmean(c) for c in columns]
    fit = _Fit(means, [pstdev(c) or 1.0 for c in columns], [0.0] * len(columns))
    rows = [(fit.standard(r), 0) for r in negatives] + [(fit.standard(r), 1) for r in positives]
    weights = [0.0] * len(columns)
    for _ in range(STEPS):
        slope = [SHRINK * w for w in weights]
        for row, label in rows:
            z = sum(w * x for w, x in zip(weights, row, strict=True))
            miss = (1 / (1 + math.exp(-z)) - label) / len(rows)
            for c, x in enumerate(row):
                slope[c] += miss * x
        weights = [w - RATE * s for w, s in zip(weights, slope, strict=True)]
    return _Fit(fit.means, fit.spreads, weights)
