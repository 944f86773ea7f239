"""Schedules garbage collection in a process that holds many apps.

A full collection walks over every widget of every app: 0.2 seconds with a few people, more than a second with
a hundred, and all keys wait meanwhile. Apps that have ended are garbage in cycles, so it cannot be
left out either. Long-lived objects are therefore taken out of the collector's sight (`gc.freeze`) after each start,
and the full collection after sessions have ended waits for a moment without typing.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

SETTLED_SECONDS = 1.5  # after its start an app's objects are there to stay
QUIET_SECONDS = 2.0  # without a key in any app: a moment for a full collection
LOOK_SECONDS = 5.0  # between looks for a quiet moment
TOO_MANY_ENDED = 40  # ended apps that are collected even while people type
THRESHOLDS = (5_000, 4, 1_000)
"""Allocations, then collections, before the next generation is collected. The young ones often, since all keys
wait while one runs: with (20,000, 20) the second generation grew to 50,000 dead objects and 0.2 seconds."""


class Collector:
    """Freezes and collects garbage for one door."""

    def __init__(self, idle_seconds: Callable[[], float]) -> None:
        self._idle_seconds = idle_seconds
        self._ended = 0
        self._before = gc.get_threshold()
        self._timer: asyncio.TimerHandle | None = None
        self._freeze_timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Freeze all that was imported."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)

    def end(self) -> None:
        """Restore the collector's settings."""
        for timer in (self._timer, self._freeze_timer):
            if timer is not None:
                timer.cancel()
        gc.unfreeze()
        gc.set_threshold(*self._before)

    def session_began(self) -> None:
        """Freeze once the new app has settled; a burst of starts is frozen together."""
        if self._freeze_timer is not None:
            self._freeze_timer.cancel()
        self._freeze_timer = asyncio.get_running_loop().call_later(SETTLED_SECONDS, gc.freeze)

    def session_ended(self) -> None:
        """Collect the ended app at the next quiet moment."""
        self._ended += 1
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._ended < TOO_MANY_ENDED and self._idle_seconds() < QUIET_SECONDS:
            self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)
            return
        self._ended = 0
        gc.unfreeze()
        gc.collect()
        gc.freeze()
