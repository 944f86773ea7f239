"""Figures of a series: the interval beside a share, and the 99th of a hundred."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

Z_95 = 1.96
"""Standard deviations on each side that hold 95 % of a normal distribution."""


def interval(hits: int, total: int) -> tuple[float, float]:
    """Return Wilson's interval of 95 % of a share.

    Args:
        hits: Rows counted.
        total: Rows in all; above 0.
    """
    share, square = hits / total, Z_95 * Z_95
    middle = (share + square / (2 * total)) / (1 + square / total)
    spread = Z_95 * sqrt(share * (1 - share) / total + square / (4 * total * total)) / (1 + square / total)
    return max(0.0, middle - spread), min(1.0, middle + spread)


def p99_of(values: Sequence[float]) -> float:
    """Return the value that 99 of a hundred do not pass, by nearest rank; the largest of a short series."""
    ordered = sorted(values)
    return ordered[max(0, -(-99 * len(ordered) // 100) - 1)]
