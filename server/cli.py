"""The `loket` command, composed of the groups in `server.commands`.

Only the group that is called is imported, and what it needs is imported by its command: `loket --help` loads neither
the database nor the complaint rules.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import typer

from core.foundation import logs
from core.foundation.errors import SettingsError
from core.foundation.setting_variables import language_wanted
from server.text import command_help, translation

WRONG_SETTING_STATUS = 2  # exit status as for a mistyped option: the command was not tried
FAILED_STATUS = 1

COMMANDS = {
    "serve": "serving",
    "demo": "serving",
    "tui": "serving",
    "door": "serving",
    "office": "office",
    "restore": "backup",
    "doctor": "doctor",
    "report": "reports",
    "upgrade": "upgrading",
    "rollback": "upgrading",
    "move-database": "moving",
    "standby": "taking_over",
    "promote": "taking_over",
    "superseded": "taking_over",
}
"""Command -> the module of `server.commands` in which it is a function of that name."""
GROUPS = {
    "sync": "sync",
    "bpjs": "bpjs",
    "backup": "backup",
    "account": "accounts",
    "audit": "audit",
    "import": "imports",
    "routing": "routing",
    "forms": "forms",
    "codes": "codes",
    "paper": "paper",
    "counter": "counter_machines",
    "first-start": "first_start",
}
"""Group of commands -> the module whose `app` it is."""


def composed(words: Sequence[str] = ()) -> typer.Typer:
    """Return the app with the command that is called; with all of them where the words begin with none.

    Args:
        words: What follows `loket`.
    """
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # they would print local variables, and those hold patients
        help="Loket: the counter of a Puskesmas.",
    )
    app.callback()(_loket)
    called = set(words[:1]) & {*COMMANDS, *GROUPS}
    for name in called or (*COMMANDS, *GROUPS):
        module = import_module(f"server.commands.{COMMANDS.get(name) or GROUPS[name]}")
        if name in COMMANDS:
            app.command(name)(getattr(module, name.replace("-", "_")))
        else:
            app.add_typer(module.app, name=name)
    return app


def _loket() -> None:
    """Keep the name of a command a word of its own where only one is loaded."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command; an expected failure is one line on standard error, not a traceback."""
    logs.configure_logging(logging.WARNING)
    os.umask(0o077)  # every file Loket writes holds patients or secrets
    translation.speak(language_wanted())
    words = sys.argv[1:] if arguments is None else arguments
    with contextlib.suppress(BrokenPipeError):
        try:
            command_help.translated(composed(words))(words)
        except Exception as error:
            from server.text.failures import expected_failure

            said = expected_failure(error)
            if said is None:
                raise
            sys.stderr.write(f"loket: {said}\n")
            sys.exit(WRONG_SETTING_STATUS if isinstance(error, SettingsError) else FAILED_STATUS)


if __name__ == "__main__":
    main()
