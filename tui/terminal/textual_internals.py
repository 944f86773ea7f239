"""The only place that leans on parts of Textual that are not its public interface.

Written for Textual 8.2.8, which `pyproject.toml` pins. `tests/terminal/test_textual_internals.py` checks each
use; when an upgrade breaks one, it fails there with its name.

What is used, and why no public way does:

- `XTermParser` turns escape sequences into key events; a driver cannot be written without it.
- `textual.constants` are read from the process's environment at import; a process with many terminals must
  not take one person's settings for all. The encoder reduces colours per client, so Textual always renders
  true colour, and nothing moves or scrolls by itself.
- `textual.app.redirect_stdout` and its twin put every app's standard streams over those of the process; two
  apps that end in the order they began leave `sys.stdout` bound to a dead one.
- `App.run_async` makes every task of the loop eager where Python can (3.12 and newer), asyncssh's and the
  core client's too; a first screen then mounts before it stands on the stack, and its fields fail. The
  `asyncio` that `textual.app` sees lacks the factory, so that the loop is the same on every Python.
- `App._fatal_error` and `App._print_error_renderables` print a traceback with local variables, which hold
  patients' data, to the server's standard error.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any

import textual.app
import textual.constants
from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App

Failure = Callable[[BaseException], None]

_process_settings = {
    "COLOR_SYSTEM": "truecolor",
    "TEXTUAL_ANIMATIONS": "none",
    "SMOOTH_SCROLL": False,
    "DISABLE_KITTY_KEY": True,
}


def key_events(sequence: str) -> list[events.Key]:
    """Name the keys that a complete sequence of characters stands for.

    Args:
        sequence: One character, or one whole escape sequence such as `ESC [ A`.

    Returns:
        Key events in order; empty for a sequence that is no key (mouse, focus, an unknown one).
    """
    found = XTermParser(False).feed(sequence)
    return [event for event in found if isinstance(event, events.Key)]


def _keep_stream(target: object) -> AbstractContextManager[object]:
    """Stand in for `redirect_stdout`: the process's streams stay as they are."""
    return nullcontext(target)


def _without_eager_tasks() -> ModuleType:
    seen = ModuleType("asyncio")
    vars(seen).update(vars(asyncio))
    vars(seen).pop("eager_task_factory", None)
    return seen


def prepare_process() -> bool:
    """Make Textual fit for many apps in one process; harmless when repeated.

    Call it before the first `App` is made: its constructor reads the settings.

    Returns:
        Whether `NO_COLOR` stood in the environment. It is taken out, for Textual would strip the colours of
        every client; a client's own wish is honoured by its capabilities.
    """
    for name, value in _process_settings.items():
        setattr(textual.constants, name, value)
    vars(textual.app)["asyncio"] = _without_eager_tasks()
    vars(textual.app)["redirect_stdout"] = _keep_stream
    vars(textual.app)["redirect_stderr"] = _keep_stream
    return os.environ.pop("NO_COLOR", None) is not None


def contain_failures(app: App[Any], report: Failure) -> None:
    """Make an app's unhandled exception end that app only, without printing anything.

    Args:
        app: An app that does not run yet.
        report: Gets the exception, in the app's own task; must not raise.
    """

    def fail() -> None:
        error = app._exception
        if error is not None:
            report(error)
        app._close_messages_no_wait()

    def forget() -> None:
        app._exit_renderables.clear()

    vars(app)["_fatal_error"] = fail
    vars(app)["_print_error_renderables"] = forget


def failure_of(app: App[Any]) -> BaseException | None:
    """Give the exception that ended an app, or None; `App.run_async` itself returns as if all were well."""
    return app._exception
