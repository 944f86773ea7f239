"""The `loket` command, composed of the groups in `server.commands`.

Only modules that the help needs are imported here and at the top of `server.commands`; the rest is
imported by the command that runs.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys

import typer

from core.foundation import logs
from core.foundation.config import Settings
from core.foundation.errors import SettingsError
from server.commands import (
    accounts,
    audit,
    backup,
    bpjs,
    doctor,
    first_start,
    forms,
    imports,
    moving,
    office,
    reports,
    routing,
    serving,
    sync,
    taking_over,
    upgrading,
)
from server.text import command_help, translation

WRONG_SETTING_STATUS = 2  # exit status as for a mistyped option: the command was not tried
FAILED_STATUS = 1

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would print local variables, and those hold patients
    help="Loket: the counter of a Puskesmas.",
)
for command in (
    serving.serve,
    serving.demo,
    serving.tui,
    serving.door,
    office.office,
    backup.restore,
    doctor.doctor,
    reports.report,
    upgrading.upgrade,
    upgrading.rollback,
    moving.move_database,
    taking_over.standby,
    taking_over.promote,
    taking_over.superseded,
):
    app.command()(command)
for name, group in (
    ("sync", sync.app),
    ("bpjs", bpjs.app),
    ("backup", backup.app),
    ("account", accounts.app),
    ("audit", audit.app),
    ("import", imports.app),
    ("routing", routing.app),
    ("forms", forms.app),
    ("first-start", first_start.app),
):
    app.add_typer(group, name=name)


def main(arguments: list[str] | None = None) -> None:
    """Run the command; an expected failure is one line on standard error, not a traceback."""
    logs.configure_logging(logging.WARNING)
    os.umask(0o077)  # every file Loket writes holds patients or secrets
    translation.speak(Settings.language_wanted())
    with contextlib.suppress(BrokenPipeError):
        try:
            command_help.translated(app)(arguments)
        except Exception as error:
            from server.text.failures import expected_failure

            words = expected_failure(error)
            if words is None:
                raise
            sys.stderr.write(f"loket: {words}\n")
            sys.exit(WRONG_SETTING_STATUS if isinstance(error, SettingsError) else FAILED_STATUS)


if __name__ == "__main__":
    main()
