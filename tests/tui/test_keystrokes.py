"""A returning patient costs few keys, from arrival to the end of the visit."""

from __future__ import annotations

from bench.keystrokes import count, count_new
from tests.tui.conftest import Counter


async def test_no_step_takes_more_keys_than_promised(counter: Counter):
    steps = await count(counter)
    assert [step.name for step in steps if not step.keeps_promise] == []
    assert len(steps) == 4


async def test_a_new_patient_with_a_nik_costs_at_most_sixty_keys_beyond_the_words(counter: Counter):
    steps = await count_new(counter)
    assert [step.name for step in steps if not step.keeps_promise] == []
    assert len(steps) == 4
