"""Every route of the API has one method in the terminal's client, and every call of the client has a route."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import re
import types
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

import httpx
import pytest
from pydantic import BaseModel

from core.foundation.config import Settings
from server.api_paths import API
from server.app import create_app
from tests.counter_machine import OWN_ROUTES
from tui.client.core_client import CoreClient
from tui.client.resource import ResourceClient

Route = tuple[str, str]

MACHINE = "asked by a counter's own machine (server.counter.keeper), which has no screen"
OTHER_CALLERS = {
    ("GET", "/changes"): "a stream, read by tui.change_stream",
    ("POST", "/tokens/check"): "for other programs; the terminal unlocks by signing in",
    ("GET", "/vitals"): "read by other programs; the terminal has the same table",
    ("GET", "/counters/profile"): MACHINE,
    ("GET", "/counters/store-key"): MACHINE,
    ("PUT", "/counters/store-key"): MACHINE,
    ("POST", "/counters/copy"): MACHINE,
    ("POST", "/counters/deliveries"): MACHINE,
    ("POST", "/counters/undone"): MACHINE,
    ("POST", "/counters/chain"): MACHINE,
}
"""Routes without a method in the client -> the reason."""


@pytest.fixture(scope="module")
def routes(demo_home) -> set[Route]:
    paths = create_app(Settings(home=demo_home), demo=True).openapi()["paths"]
    return {
        (method.upper(), path.removeprefix(API))
        for path, methods in paths.items()
        for method in methods
        if path.startswith(API)
    }


def argument(kind: Any, text: str) -> Any:
    if get_origin(kind) in (types.UnionType, Union):
        kind = next(member for member in get_args(kind) if member is not type(None))
    plain = get_origin(kind) or kind
    if isinstance(plain, type) and issubclass(plain, Enum):
        return next(iter(plain))
    if not isinstance(plain, type) or issubclass(plain, str):
        return text
    if issubclass(plain, BaseModel):
        return plain.model_construct()
    if hasattr(plain, "_fields"):  # a named tuple
        return plain()
    values = {date: date(2026, 1, 31), int: 1, float: 1.0, bool: True}
    if plain in values:
        return values[plain]
    return {} if issubclass(plain, Mapping) else [] if issubclass(plain, Sequence) else text


def call(method: Any, text: str) -> set[Route]:
    """What a method of the client asks of the server; every answer is a refusal."""
    asked: set[Route] = set()

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.add((request.method, request.url.path.removeprefix(API)))
        problem = {"status": 403, "code": "not_allowed", "title": "Not allowed"}
        return httpx.Response(403, json=problem, headers={"content-type": "application/problem+json"})

    async def run() -> None:
        http = httpx.AsyncClient(transport=httpx.MockTransport(refuse))
        owner, name = method
        resource = getattr(CoreClient("http://core.test", "secret", http=http), owner)
        function = getattr(resource, name)
        hints = get_type_hints(function)
        required = inspect.signature(function).parameters.values()
        positional = [argument(hints[p.name], text) for p in required if p.kind is not p.KEYWORD_ONLY]
        named = {p.name: argument(hints[p.name], text) for p in required if p.kind is p.KEYWORD_ONLY}
        with contextlib.suppress(Exception):  # the refusal, or a value that is none
            await function(*positional, **named)

    asyncio.run(run())
    assert asked, f"{method} asked nothing"
    return asked


def route_of(asked: Route, routes: set[Route]) -> Route | None:
    """The route that answers a call: of several that fit, the one with the fewest parameters."""
    method, path = asked
    fitting = [
        route
        for route in routes
        if route[0] == method and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", route[1]), path)
    ]
    return min(fitting, key=lambda route: route[1].count("{"), default=None)


def queue_actions(routes: set[Route]) -> set[str]:
    """The last words of the routes that act on a queue entry: one method of the client calls them all."""
    return {path.rsplit("/", 1)[1] for method, path in routes if re.match("/queue-entries/[^/]+/.", path)}


@pytest.fixture(scope="module")
def callers(routes: set[Route]) -> dict[Route, set[str]]:
    client = CoreClient("http://core.test")
    found: dict[Route, set[str]] = defaultdict(set)
    for owner, resource in vars(client).items():
        if not isinstance(resource, ResourceClient):
            continue
        for name, function in inspect.getmembers(type(resource), inspect.iscoroutinefunction):
            if name.startswith("_"):
                continue
            actions = queue_actions(routes) if "action" in inspect.signature(function).parameters else ()
            for text in ("", "x", *actions):
                for asked in call((owner, name), text):
                    if all(asked[1].split("/")[1:]):  # an empty text leaves a hole in a path
                        found[route_of(asked, routes) or asked].add(f"{owner}.{name}")
    return found


def test_every_route_has_one_method_in_the_client(routes: set[Route], callers: dict[Route, set[str]]) -> None:
    counted = {route: callers.get(route, set()) for route in routes - set(OTHER_CALLERS)}
    assert {route: names for route, names in counted.items() if len(names) != 1} == {}


def test_every_call_of_the_client_has_a_route(routes: set[Route], callers: dict[Route, set[str]]) -> None:
    without_action = ("POST", "/queue-entries/x/x")
    assert set(callers) - routes - {without_action} - OWN_ROUTES == set()


def test_routes_of_other_callers_are_still_there(routes: set[Route], callers: dict[Route, set[str]]) -> None:
    assert set(OTHER_CALLERS) <= routes
    assert set(OTHER_CALLERS) & set(callers) == set()
