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
from fastapi import APIRouter
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


def divided(router: APIRouter) -> APIRouter:
    """Give every writing and every audited endpoint of a router its share of the threads."""
    for route in router.routes:
        if not isinstance(route, APIRoute) or inspect.iscoroutinefunction(route.endpoint):
            continue  # routers are shared by every application of a process: what has its share is a coroutine
        if (size := _size(route)) is not None:
            route.endpoint = _in_share(route.endpoint, size)
    return router


def _size(route: APIRoute) -> int | None:
    """Return how many threads a route shares with its like; None for all of them."""
    if (route.methods or set()) - READ_ONLY:
        return WRITING
    return AUDITED if any(part in route.path for part in AUDITED_PATHS) else None


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
