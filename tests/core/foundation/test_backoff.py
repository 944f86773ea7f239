"""Waits double, stay below a bound, and differ."""

from __future__ import annotations

import random

import pytest

from core.foundation.backoff import Backoff


def test_waits_double_up_to_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda least, most: most)
    backoff = Backoff(first=0.5, longest=10.0, jitter=(0.5, 1.0))
    assert [backoff.seconds(failures) for failures in range(1, 8)] == [0.5, 1, 2, 4, 8, 10, 10]


def test_a_wait_after_days_of_failures_is_the_longest() -> None:
    assert Backoff(first=0.5, longest=10.0, jitter=(1.0, 1.0)).seconds(100_000) == 10.0


def test_jitter_stays_between_its_factors() -> None:
    backoff = Backoff(first=2.0, longest=2.0, jitter=(0.5, 1.5))
    waits = {backoff.seconds(1) for _ in range(100)}
    assert min(waits) >= 1.0
    assert max(waits) <= 3.0
    assert len(waits) > 1
