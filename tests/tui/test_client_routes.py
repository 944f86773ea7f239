"""Each call of the terminal's client is a route of the server."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from pathlib import Path

from fastapi import APIRouter

import server.endpoints
import tui.client
from server.resources import ResourceRoute
from tests.counter_machine import OWN_ROUTES

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def server_routes() -> list[tuple[str, re.Pattern[str]]]:
    found = []
    for module in pkgutil.iter_modules(server.endpoints.__path__):
        router = getattr(importlib.import_module(f"server.endpoints.{module.name}"), "router", None)
        for route in router.routes if isinstance(router, APIRouter) else ():
            assert isinstance(route, ResourceRoute)  # audited, and with its share of the threads
            pattern = re.compile(
                re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route.path.removeprefix("/api/v1/"))) + "$"
            )
            found += [(method, pattern) for method in route.methods or ()]
    return found


def path_text(node: ast.expr, names: dict[str, ast.expr]) -> str:
    """Return a path with `x` for each value put into it."""
    if isinstance(node, ast.Name):
        return path_text(names[node.id], names)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
    assert isinstance(node, ast.Constant)
    return str(node.value)


def assigned(function: ast.AST) -> dict[str, ast.expr]:
    names: dict[str, ast.expr] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            names[node.targets[0].id] = node.value
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            assert isinstance(node.value, ast.Tuple)
            for target, value in zip(node.targets[0].elts, node.value.elts, strict=True):
                assert isinstance(target, ast.Name)
                names[target.id] = value
    return names


def client_calls() -> list[tuple[str, str]]:
    found = []
    for file in Path(tui.client.__path__[0]).glob("*.py"):
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.AsyncFunctionDef):
                found += calls_of(function)
    return found


def calls_of(function: ast.AsyncFunctionDef) -> list[tuple[str, str]]:
    found = []
    for node in ast.walk(function):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if ast.unparse(node.func.value) != "self._connection" or node.func.attr not in {
            "one",
            "many",
            "send",
        }:
            continue
        place = {"one": 1, "many": 0, "send": 0}[node.func.attr]
        method = "GET" if node.func.attr == "many" else path_text(node.args[place], {})
        found.append((method, path_text(node.args[place + 1], assigned(function)).partition("?")[0]))
    return found


def test_each_call_of_the_client_is_a_route_of_the_server():
    routes, calls = server_routes(), client_calls()
    assert len(calls) > 60
    assert {method for method, _ in calls} <= METHODS
    # The name of an action is part of the path there, and a value here.
    of_the_machine = [(method, re.compile(f"{path[1:]}$")) for method, path in OWN_ROUTES]
    known = [*routes, ("POST", re.compile(r"queue-entries/[^/]+/[^/]+$")), *of_the_machine]
    missing = [
        (method, path)
        for method, path in calls
        if not any(method == known_method and pattern.match(path) for known_method, pattern in known)
    ]
    assert missing == []


def test_no_two_methods_of_the_client_make_the_same_call():
    calls = client_calls()
    assert len(calls) == len(set(calls))
