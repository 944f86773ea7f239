"""The help of the loket command in the clinic's language.

Typer takes help from docstrings and options when the module is read, before any setting is. So the finished
commands are walked through once and their sentences replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from typer import rich_utils

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
    for name, title in TITLES.items():
        setattr(rich_utils, name, _(title))
    command = typer.main.get_command(app)
    for part in _parts(command):
        part.help = _(_shown(part.help))
    for each in _commands(command):
        each.get_help_option(typer.Context(each)).help = _(HELP_OPTION)
    return command


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
