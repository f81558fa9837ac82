"""The best test of "is this an X-Wing ciphertext or are these random bytes", and what it finds.

An ML-KEM-768 ciphertext is 768 coefficients of ten bits and 256 of four, compressed from uniform
numbers below q = 3329: 257 of the 1,024 values come a third more often than the others. An X25519
share has its top bit clear and lies on the curve, not on its twist. The sum of the logarithms of
both ratios is the most powerful score there is for this question (Neyman and Pearson), but for the
share's order, which is left out.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

_Q = 3329
_P = 2**255 - 19
_A = 486662
_IMPOSSIBLE = -50.0  # the logarithm of a ratio that is zero


def _table(bits: int) -> list[float]:
    """log of how much likelier each compressed value is than under uniform bits."""
    size = 1 << bits
    counts = [0] * size
    for x in range(_Q):
        counts[(2 * size * x + _Q) // (2 * _Q) % size] += 1
    return [math.log(count * size / _Q) for count in counts]


_U, _V = _table(10), _table(4)
_V_BYTE = [_V[byte & 15] + _V[byte >> 4] for byte in range(256)]


def x_wing_score(data: bytes) -> float:
    """The log-likelihood ratio of the first 1,120 bytes: high for X-Wing, low for random bytes."""
    total = 0.0
    for at in range(0, 960, 5):
        five = int.from_bytes(data[at : at + 5], "little")
        total += _U[five & 1023] + _U[five >> 10 & 1023] + _U[five >> 20 & 1023] + _U[five >> 30]
    total += sum(_V_BYTE[byte] for byte in data[960:1088])
    return total + _share_score(data[1088:1120])


def _share_score(share: bytes) -> float:
    u = int.from_bytes(share, "little")
    if u >> 255:
        return _IMPOSSIBLE
    on_curve = pow(u * (u * u + _A * u + 1), (_P - 1) // 2, _P) != _P - 1
    return 2 * math.log(2) if on_curve else _IMPOSSIBLE


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """How often a positive scores above a negative; ties count half."""
    ordered = sorted(negative)
    wins = sum(bisect_left(ordered, p) + bisect_right(ordered, p) for p in positive)
    return wins / (2 * len(positive) * len(negative))


def auc_margin(positive: int, negative: int, deviations: float) -> float:
    """Half the width of the interval around 0.5 when nothing tells them apart (Mann-Whitney)."""
    return deviations * math.sqrt((positive + negative + 1) / (12 * positive * negative))


def tpr(positive: Sequence[float], negative: Sequence[float], fpr: float) -> float:
    """The share of positives above the threshold that `fpr` of the negatives pass."""
    threshold = sorted(negative, reverse=True)[int(fpr * len(negative))]
    return sum(p > threshold for p in positive) / len(positive)
