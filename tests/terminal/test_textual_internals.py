"""What `tui/terminal/textual_internals.py` takes from Textual's insides still is what it was."""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
from importlib.metadata import version

import pytest
import textual.app
import textual.constants
from textual.app import App
from textual.css.errors import StylesheetError
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tests.terminal.counter import Confirm, Counter
from tui.terminal.inputs import ThinInput
from tui.terminal.textual_internals import failure_of, key_events, prepare_process


def test_this_is_the_version_it_was_written_for():
    """When this fails, read the rest of this file's failures before changing the number."""
    assert version("textual") == "8.2.8"


@pytest.mark.parametrize(
    ("sequence", "key"),
    [
        ("a", "a"),
        ("é", "é"),
        (" ", "space"),
        ("\t", "tab"),
        ("\r", "enter"),
        ("\x7f", "backspace"),
        ("\x03", "ctrl+c"),
        ("\x1b[A", "up"),
        ("\x1bOA", "up"),
        ("\x1b[Z", "shift+tab"),
        ("\x1b[3~", "delete"),
        ("\x1b[H", "home"),
        ("\x1b[1~", "home"),
        ("\x1b[4~", "end"),
        ("\x1bOP", "f1"),
        ("\x1b[[A", "f1"),
        ("\x1b[11~", "f1"),
        ("\x1b[15~", "f5"),
        ("\x1b[21~", "f10"),
        ("\x1b[24~", "f12"),
        ("\x1b[1;5C", "ctrl+right"),
    ],
)
def test_the_parser_names_keys(sequence, key):
    """Each key of a thin terminal's keyboard has the name that bindings use."""
    assert [event.key for event in key_events(sequence)] == [key]


@pytest.mark.parametrize("sequence", ["\x1b[<0;3;4M", "\x1b[I", "\x1b[99~", "\x1b[12;40R"])
def test_what_is_no_key_is_dropped(sequence):
    assert key_events(sequence) == []


async def test_an_app_leaves_the_loops_tasks_as_they_were():
    """Textual would make them eager on Python 3.12 and newer."""
    async with Counter().run_test():
        assert asyncio.get_running_loop().get_task_factory() is None


def test_the_constants_are_read_when_an_app_is_made(monkeypatch):
    """Colour depth and motion come from the module at that time, not from the environment at import."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert prepare_process()
    assert "NO_COLOR" not in os.environ
    assert not prepare_process()
    app = Counter()
    assert app.console.color_system == "truecolor"
    assert app.animation_level == "none"
    for name in ("COLOR_SYSTEM", "TEXTUAL_ANIMATIONS", "SMOOTH_SCROLL", "DISABLE_KITTY_KEY"):
        assert hasattr(textual.constants, name)


def test_the_streams_are_redirected_by_name():
    """`App` looks the two functions up in its module, where they were replaced."""
    source = inspect.getsource(App._process_messages)
    assert "redirect_stdout(" in source
    assert "redirect_stderr(" in source
    stream = sys.stdout
    with vars(textual.app)["redirect_stdout"](None):
        assert sys.stdout is stream


async def test_a_covered_screen_is_painted_only_behind_a_dialog():
    """Otherwise each message to it would paint the whole screen above it anew."""
    prepare_process()
    app = Counter()
    async with app.run_test() as pilot:
        below = app.screen
        await app.push_screen(Screen())
        assert not below.is_current
        await app.push_screen(Confirm())
        assert app.screen_stack[1].is_current
        assert not below.is_current
        app.pop_screen()
        app.pop_screen()
        await pilot.pause()
        assert below.is_current


async def test_a_letter_renders_the_widgets_of_its_row_alone(monkeypatch):
    prepare_process()
    app = Counter()
    rendered: list[Widget] = []
    render = Widget.render_lines

    def watched(widget: Widget, crop: Region) -> list[Strip]:
        rendered.append(widget)
        return render(widget, crop)

    async with app.run_test() as pilot:
        await pilot.press("x")
        await pilot.pause()  # the first painting is over
        monkeypatch.setattr(Widget, "render_lines", watched)
        await pilot.press("y")
        await pilot.pause()
        focused = app.focused
        assert isinstance(focused, ThinInput)
        assert focused in rendered
        assert {widget.id for widget in rendered if isinstance(widget, ThinInput)} == {focused.id}
        assert focused.value == "xy"


async def test_style_sheets_are_read_once_for_all_apps(monkeypatch):
    """The rules that the first app read are those of the second, its theme and all."""
    prepare_process()
    first, second = Counter(), Counter()
    async with first.run_test():
        await first.push_screen(Confirm())

    def read_again(*given: object, **named: object) -> None:
        raise AssertionError("a style sheet was read again")

    monkeypatch.setattr("textual.css.stylesheet.parse", read_again)
    async with second.run_test():
        await second.push_screen(Confirm())
        assert second.stylesheet.rules == first.stylesheet.rules
        other = second.stylesheet.copy()
        other.set_variables({**second.get_css_variables(), "foreground": "red"})
        with pytest.raises(StylesheetError, match="read again"):
            other.parse()


def test_a_failure_goes_through_the_two_methods_replaced():
    assert "self._fatal_error()" in inspect.getsource(App._handle_exception)
    assert "self._exception = error" in inspect.getsource(App._handle_exception)
    for name in ("_print_error_renderables", "_close_messages_no_wait"):
        assert callable(getattr(App, name))
    assert failure_of(Counter()) is None
