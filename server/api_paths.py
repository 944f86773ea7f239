"""Paths of the API, as it calls them itself: without what all of them begin with."""

from __future__ import annotations

from starlette.types import Scope

API = "/api/v1"


def route_path(scope: Scope) -> str:
    """Return the path of the route that answers a request, with names in braces; empty where none does."""
    return getattr(scope.get("route"), "path", "").removeprefix(API)
