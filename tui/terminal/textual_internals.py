"""All uses of Textual's private parts.

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
  core client's too; a first screen then mounts before it is on the stack, and its fields fail. The
  `asyncio` that `textual.app` sees lacks the factory, so that the loop is the same on every Python.
- `App._background_screens` counts the screen below any other as seen through it. Each message then paints the
  covered screen, and with it the whole one above. Only a screen behind a dialog is visible.
- `Compositor._get_renders` renders every widget whose clip touches what changed, and a clip is mostly the whole
  screen: for one letter it rendered a form of sixty widgets.
- `Stylesheet._parse_rules` reads the same style sheets for each app and, when a screen brings its own, all of them
  once more: a quarter of the time to the first screen. Rules are never changed, so that all apps can share them.
- `DOMNode._inherit_component_classes` is a parameter of a class that `Widget` does not hand on. Each part of a field
  that has a style of its own costs as much as another widget.
- `App._fatal_error` and `App._print_error_renderables` print a traceback with local variables, which hold
  patients' data, to the server's standard error.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any, TypeVar

import textual.app
import textual.constants
from textual import events
from textual._compositor import Compositor
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.css.types import CSSLocation
from textual.geometry import Region
from textual.screen import ModalScreen, Screen
from textual.strip import Strip
from textual.widget import Widget

Render = tuple[Region, Region, list[Strip]]
Failure = Callable[[BaseException], None]
WidgetType = TypeVar("WidgetType", bound=type[Widget])

_process_settings = {
    "COLOR_SYSTEM": "truecolor",
    "TEXTUAL_ANIMATIONS": "none",
    "SMOOTH_SCROLL": False,
    "DISABLE_KITTY_KEY": True,
}


def key_events(sequence: str) -> list[events.Key]:
    """Return the keys of one complete sequence of characters.

    Args:
        sequence: One character, or one whole escape sequence such as `ESC [ A`.

    Returns:
        Key events in order; empty for a sequence that is no key (mouse, focus, an unknown one).
    """
    found = XTermParser(False).feed(sequence)
    return [event for event in found if isinstance(event, events.Key)]


def _keep_stream(target: object) -> AbstractContextManager[object]:
    """Replace `redirect_stdout`: the process's streams stay as they are."""
    return nullcontext(target)


def _without_eager_tasks() -> ModuleType:
    seen = ModuleType("asyncio")
    vars(seen).update(vars(asyncio))
    vars(seen).pop("eager_task_factory", None)
    return seen


_screens_behind: Callable[[App[Any]], list[Screen[Any]]] = vars(App)["_background_screens"].fget


def _screens_seen_behind(app: App[Any]) -> list[Screen[Any]]:
    """Replace `App._background_screens`: a screen that is no dialog covers those below it."""
    return _screens_behind(app) if isinstance(app.screen, ModalScreen) else []


_renders: Callable[[Compositor, Region | None], Iterable[Render]] = Compositor._get_renders


def _renders_within(compositor: Compositor, crop: Region | None = None) -> Iterable[Render]:
    """Replace `Compositor._get_renders`: widgets outside the crop are not rendered."""
    if crop is None:
        return _renders(compositor, crop)
    visible = compositor.visible_widgets
    compositor._visible_widgets = {
        widget: (region, clip) for widget, (region, clip) in visible.items() if crop.overlaps(region)
    }
    try:
        return list(_renders(compositor, crop))
    finally:
        compositor._visible_widgets = visible


_parse: Callable[..., list[RuleSet]] = Stylesheet._parse_rules
_parsed: dict[tuple[object, ...], list[RuleSet]] = {}
"""One entry for each style sheet and each set of variables; an application has one set."""


def _parsed_once(
    sheet: Stylesheet,
    css: str,
    read_from: CSSLocation,
    is_default_rules: bool = False,
    tie_breaker: int = 0,
    scope: str = "",
) -> list[RuleSet]:
    """Replace `Stylesheet._parse_rules`: a sheet parsed for one app is not parsed for another."""
    key = (frozenset(sheet._variables.items()), css, read_from, is_default_rules, tie_breaker, scope)
    rules = _parsed.get(key)
    if rules is None:
        rules = _parsed[key] = _parse(sheet, css, read_from, is_default_rules, tie_breaker, scope)
    return rules


def without_parts(widget: WidgetType) -> WidgetType:
    """Decorate a class of widgets that needs none of the separately styled parts of its base class."""
    widget._inherit_component_classes = False
    return widget


def prepare_process() -> bool:
    """Prepare Textual for many apps in one process; harmless when repeated.

    Call it before the first `App` is made: its constructor reads the settings.

    Returns:
        Whether `NO_COLOR` was in the environment. It is taken out, for Textual would strip the colours of
        every client; a client's own wish is honoured by its capabilities.
    """
    for name, value in _process_settings.items():
        setattr(textual.constants, name, value)
    vars(textual.app)["asyncio"] = _without_eager_tasks()
    vars(textual.app)["redirect_stdout"] = _keep_stream
    vars(textual.app)["redirect_stderr"] = _keep_stream
    setattr(Compositor, "_get_renders", _renders_within)  # noqa: B010
    setattr(Stylesheet, "_parse_rules", _parsed_once)  # noqa: B010
    setattr(App, "_background_screens", property(_screens_seen_behind))  # noqa: B010
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
    """Return the exception that ended an app, or None; `App.run_async` does not raise it."""
    return app._exception
