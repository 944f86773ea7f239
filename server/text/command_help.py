"""The help of the loket command in the clinic's language.

Typer takes help from docstrings and options when the module is read, before any setting is. So the finished
commands are walked through and their sentences replaced, when somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import typer

from server.text.translation import N_, _

TITLES = {
    "ARGUMENTS_PANEL_TITLE": N_("Arguments"),
    "OPTIONS_PANEL_TITLE": N_("Options"),
    "COMMANDS_PANEL_TITLE": N_("Commands"),
    "ERRORS_PANEL_TITLE": N_("Error"),
    "REQUIRED_LONG_STRING": N_("[required]"),
    "RICH_HELP": N_("Try [blue]'{command_path} {help_option}'[/] for help."),
}
"""Typer's own words, by the name under which it reads them; its errors on mistyped options stay English."""
HELP_OPTION = N_("Show this message and exit.")


def translated(app: typer.Typer) -> Any:
    """Return the command of an app, with all its help in the current language."""
    command: Any = typer.main.get_command(app)
    for each in _commands(command):
        each.format_help = _in_words(each, each.format_help)
    command.make_context = _with_errors_in_words(command.make_context)
    command.invoke = _with_errors_in_words(command.invoke)
    return command


def _in_words(command: Any, format_help: Callable[..., None]) -> Callable[..., None]:
    """Return the formatting of a command's help, after its sentences are translated."""

    def formatted(*arguments: Any) -> None:
        _speak_of_titles()
        for part in _parts(command):
            part.help = _(_shown(part.help))
        command.get_help_option(typer.Context(command)).help = _(HELP_OPTION)
        format_help(*arguments)

    return formatted


def _with_errors_in_words(act: Callable[..., Any]) -> Callable[..., Any]:
    """Return a step of a command after whose mistyped options Typer's words around the error are translated."""

    def acted(*arguments: Any, **options: Any) -> Any:
        try:
            return act(*arguments, **options)
        except typer.TyperException:
            _speak_of_titles()
            raise

    return acted


def _speak_of_titles() -> None:
    # Rich's share of Typer takes a tenth of the time of a short command, and most commands print no help.
    from typer import rich_utils

    for name, title in TITLES.items():
        setattr(rich_utils, name, _(title))


def sentences(app: typer.Typer) -> set[str]:
    """Return every sentence of an app's help, for the catalogue."""
    return {_shown(part.help) for part in _parts(typer.main.get_command(app))}


def _shown(text: str) -> str:
    """Return what a docstring says to whoever types the command: what comes before the form feed."""
    return text.partition("\f")[0].rstrip()


def _commands(command: Any) -> Iterator[Any]:
    """Yield a command and all below it."""
    yield command
    for part in getattr(command, "commands", {}).values():
        yield from _commands(part)


def _parts(command: Any) -> Iterator[Any]:
    """Yield the commands and options that have help."""
    for each in _commands(command):
        yield from (part for part in (each, *each.params) if getattr(part, "help", None))
