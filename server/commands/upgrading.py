"""`loket upgrade` and `loket rollback`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.commands import console
from server.commands.backup import KeyOption, read_key


def upgrade() -> None:
    """Bring the data to this version, after a backup; the server must not be running."""
    from core.daily import upgrading
    from server import ports
    from server.text import upgrade_sentences as sentences

    settings = console.load_settings()
    ports.must_be_free(settings.http, "LOKET_HTTP")
    made, steps = upgrading.upgrade(settings)
    lines = [sentences.nothing_to_do()] if made is None else sentences.upgraded(made.path, steps)
    for line in lines:
        print(line)


def rollback(key: KeyOption, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Go back to the data from before the upgrade; what that leaves out is listed, to be entered again.

    \f

    Args:
        key: File with the recovery key.
        yes: Whether to go back without asking.

    Raises:
        Exit: The answer was no; nothing was changed.
    """  # noqa: D301  # the form feed ends what the help shows
    from core.daily import backup, upgrading
    from server import ports
    from server.text import backup_sentences
    from server.text import upgrade_sentences as sentences

    settings = console.load_settings()
    ports.must_be_free(settings.http, "LOKET_HTTP")
    secret = read_key(key)
    info, rows = upgrading.way_back(settings)
    file = upgrading.write_list(settings, rows) if rows else None
    for line in sentences.what_is_left_out(info.made_at, rows, file, settings.timezone):
        print(line)
    if not yes and not console.ask_yes_no(sentences.ask()):
        print(backup_sentences.not_restored())
        raise typer.Exit(1)
    alone = backup.BACKUP_ALONE
    backup.restore(
        Path(info.path), secret, settings, aim=alone, because="loket rollback", by=console.AUDIT_NAME
    )
    print(sentences.rolled_back())
