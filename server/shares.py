"""Shares of the server's threads, so that those who read never wait behind those who write.

A save holds its thread until it is its turn to write. Without shares, a burst of saves takes every thread,
and a pane that only reads waits for all of them (measured: 41 s).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from fastapi.routing import APIRoute

WRITING = 8
"""Threads for calls that change something: one writes, the others prepare."""
AUDITED = 16
"""Threads for calls that read a record, and write that into the audit trail."""
READ_ONLY = frozenset({"GET", "HEAD", "OPTIONS"})
AUDITED_PATHS = ("/patients", "/visits", "/worklists", "/audit", "/reports")
"""Parts of the paths of such reads."""
_limiters: RunVar[dict[int, CapacityLimiter]] = RunVar("loket_shares")
"""Size -> limiter, of the event loop that runs."""


class SharedRoute(APIRoute):
    """A route that has its share of the threads where it writes or is audited."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        size = _size(path, set(options.get("methods") or {"GET"}))
        is_coroutine = inspect.iscoroutinefunction(endpoint)
        shared = endpoint if size is None or is_coroutine else _in_share(endpoint, size)
        super().__init__(path, shared, **options)


def _size(path: str, methods: set[str]) -> int | None:
    """Return how many threads a route shares with its like; None for all of them."""
    if methods - READ_ONLY:
        return WRITING
    return AUDITED if any(part in path for part in AUDITED_PATHS) else None


def _in_share(endpoint: Callable[..., Any], size: int) -> Callable[..., Any]:
    @functools.wraps(endpoint)
    async def limited(**given: Any) -> Any:
        return await to_thread.run_sync(functools.partial(endpoint, **given), limiter=_limiter(size))

    return limited


def _limiter(size: int) -> CapacityLimiter:
    """Return the limiter of a share, made where an event loop runs."""
    try:
        limiters = _limiters.get()
    except LookupError:
        limiters = {}
        _limiters.set(limiters)
    return limiters.setdefault(size, CapacityLimiter(size))
