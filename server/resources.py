"""The routers of the API: what holds for each of its routes, whatever the endpoint.

A route is made once a process, with its whole path, and is the same object in every application that serves it:
FastAPI's `include_router` would read the parameters of all endpoints again, before the first answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter

from server import problems, read_audit, shares
from server.api_paths import API


class ResourceRoute(shares.SharedRoute):
    """A route that writes into the log of reads whom its answers show."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, read_audit.audited(endpoint), **options)


def resource(tag: str, path: str = "") -> APIRouter:
    """Return the router of one resource.

    Args:
        tag: Its heading in the API's description.
        path: What its paths begin with, below the API's.
    """
    return APIRouter(prefix=API + path, tags=[tag], responses=problems.RESPONSES, route_class=ResourceRoute)
