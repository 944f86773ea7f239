"""What a process makes at its start is not collected, and what it makes later is."""

from __future__ import annotations

import gc

import pytest

from core.foundation import garbage

pytestmark = pytest.mark.usefixtures("real_collector")


def test_what_is_made_at_the_start_is_never_walked_over() -> None:
    before = gc.get_freeze_count()
    try:
        with garbage.not_collected():
            assert not gc.isenabled()
            kept = [[number] for number in range(1000)]
        assert gc.isenabled()
        assert gc.get_freeze_count() >= before + len(kept)
    finally:
        gc.unfreeze()


def test_a_start_that_fails_leaves_the_collector_as_it_was() -> None:
    try:
        with pytest.raises(ValueError, match="no start"), garbage.not_collected():
            raise ValueError("no start")
        assert gc.isenabled()
    finally:
        gc.unfreeze()
