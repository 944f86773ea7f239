"""A short clinic day against the real server; the long one is `bench/clinic_day.py`."""

from __future__ import annotations

import pytest

from bench.clinic_day import simulate


@pytest.mark.timeout(300)
def test_every_promise_of_the_queue_holds_after_a_day() -> None:
    outcome = simulate(visits=30, speed=1200, seed=7)
    assert {finding.name: finding.faults for finding in outcome.findings if finding.faults} == {}
    assert all(finding.looked_at for finding in outcome.findings if "too late" not in finding.name)
    assert outcome.closed == 3
