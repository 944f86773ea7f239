"""Computes how long to wait before another attempt: doubled with each failure, with jitter."""

from __future__ import annotations

import random
from dataclasses import dataclass

MOST_DOUBLINGS = 30  # far beyond any longest wait; a number could overflow after hours of failures


@dataclass(frozen=True)
class Backoff:
    """Waits between attempts, in seconds. Jitter keeps many clients from coming back at once."""

    first: float
    """After the first failure, before jitter."""
    longest: float
    """No wait is longer, before jitter."""
    jitter: tuple[float, float]
    """Least and greatest factor by which a wait is multiplied."""

    def seconds(self, failures: int) -> float:
        """Return the wait after so many failures in a row (>= 1)."""
        doublings = min(failures - 1, MOST_DOUBLINGS)
        wait = min(self.longest, self.first * 2.0**doublings)
        return wait * random.uniform(*self.jitter)  # noqa: S311  # spreads load, guards no secret
