"""Keeps the garbage collector away from what a process of the tests holds to its end: code, tests, words.

Eight thousand tests and all of Loket's modules are half a million objects. A full collection walks over them in
half a second and finds nothing, and there were many of them: every ended door collects, and so does whoever makes
an app. So what was read and collected is frozen once; and as a frozen object is thawed with all others or not at
all, no server or door in this process freezes, thaws or collects anything. `tests/terminal/test_memory.py` and
`tests/core/foundation/test_garbage.py` test that they do.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from functools import partial
from types import ModuleType

import pytest

import server.app
from core.foundation import garbage
from tui.door import memory

THRESHOLDS = (10_000, 10, 10)
"""Allocations, then collections, before the next generation is collected: what a test makes is gone without it."""
FREEZING = (garbage, server.app, memory)
"""Modules that freeze."""


class Collecting(ModuleType):
    """Python's `gc` that collects by itself only."""

    __getattr__ = staticmethod(partial(getattr, gc))

    @staticmethod
    def freeze() -> None:
        """Leave everything where it is."""

    unfreeze = collect = freeze


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect nothing while the tests are read, and never walk over them."""
    gc.disable()
    yield
    freeze_all()
    gc.set_threshold(*THRESHOLDS)
    gc.enable()


def freeze_all() -> None:
    """Take what is held now out of the collector's sight."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def nothing_more_is_frozen() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in FREEZING:
            patch.setattr(module, "gc", Collecting("gc"))
        yield


@pytest.fixture
def real_collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the modules freeze and thaw as they do in a clinic."""
    with monkeypatch.context() as patch:
        for module in FREEZING:
            patch.setattr(module, "gc", gc)
        yield
    freeze_all()
