"""A returning patient costs few keys, from arrival to the end of the visit."""

from __future__ import annotations

from bench.keystrokes import count
from tests.tui.conftest import Counter


async def test_no_step_takes_more_keys_than_promised(counter: Counter):
    steps = await count(counter)
    assert [step.name for step in steps if not step.keeps_promise] == []
    assert len(steps) == 4
