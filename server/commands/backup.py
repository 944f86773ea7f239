"""`loket backup` and `loket restore`."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from core.foundation.errors import BackupError, ValidationError
from server.commands import console
from server.commands.console import JsonOption

if TYPE_CHECKING:
    from core.daily.backup import PreparedRestore

app = typer.Typer(no_args_is_help=True, help="Backups.")

KeyOption = Annotated[Path, typer.Option(help="File with the recovery key.")]


@app.command("now")
def backup_now(
    as_json: JsonOption = False,
    before_upgrade: Annotated[
        bool, typer.Option("--before-upgrade", help="Keep it among the newest five made before an upgrade.")
    ] = False,
) -> None:
    """Make, encrypt and verify a backup."""
    from core.daily import backup
    from server.text import backup_sentences

    clinic = console.open_clinic()
    info = backup.make(clinic, "upgrade" if before_upgrade else "hand").document()
    console.print_lines(backup_sentences.backup_made(info, clinic.zone), info, as_json)
    if info["problems"] or not info["verified"]:
        raise typer.Exit(1)


@app.command("key")
def backup_key() -> None:
    """Make the recovery key and print it once: write it down and keep it off this machine."""
    from core.daily import backup
    from core.foundation import shared_files
    from server.text import backup_sentences

    settings = console.load_settings()
    shared_files.exchange_unopened(settings)  # another server of the database may have made it
    key = backup.create_recovery_key(settings.home)
    shared_files.exchange_unopened(settings)
    sys.stderr.write(f"{backup_sentences.keep_the_key()}\n")
    print(key)


@app.command("signer")
def backup_signer() -> None:
    """Print the line of the recovery sheet that tells this clinic's backups from others'."""
    from core.daily import backup

    print(backup.signer_line(console.load_settings().home))


@app.command("list")
def backup_list(as_json: JsonOption = False) -> None:
    """The backups kept, newest first."""
    from core.daily import backup
    from core.foundation.clinic import Clinic
    from server.text import backup_sentences

    clinic = Clinic.without_database(console.load_settings())  # it may be lost: that is when they are wanted
    kept = [info.document() for info in backup.list_backups(clinic)]
    console.print_lines(backup_sentences.backups_kept(kept, clinic.zone), kept, as_json)


@app.command("verify")
def backup_verify(file: Path, key: KeyOption, as_json: JsonOption = False) -> None:
    """The drill: restore a backup into a scratch database and compare."""
    from core.daily import backup
    from core.daily.backup.drills import note_drill
    from server.text import backup_sentences

    settings = console.load_settings()
    info = backup.verify(file, read_key(key)).document()
    note_drill(settings.home, file)
    console.print_lines(backup_sentences.backup_made(info, settings.timezone), info, as_json)


def restore(
    file: Annotated[
        Path, typer.Argument(help="The backup, or the folder of the journal: then its newest backup.")
    ],
    key: KeyOption,
    until: Annotated[
        str, typer.Option(help="Go back to this moment of the clinic's clock: 2026-01-31 14:00")
    ] = "",
    without_journal: Annotated[
        bool, typer.Option("--without-journal", help="Leave out what came after the backup.")
    ] = False,
    unsigned: Annotated[
        str,
        typer.Option(
            help="Why a backup is taken that this clinic has not signed, in words; the supervisor sees it."
        ),
    ] = "",
    because: Annotated[
        str,
        typer.Option(
            help="Why it is restored, in words; asked for otherwise. The head of the clinic approves afterwards."
        ),
    ] = "",
    old_is_off: Annotated[
        bool,
        typer.Option(
            "--old-is-off",
            help="The machine that took over after this backup is off; words are asked for too.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Bring a fresh machine back from a backup and the journal; says first what will be lost.

    \f

    Args:
        file: The backup, or the folder of the journal.
        key: File with the recovery key.
        until: Moment to go back to; empty: as far as the journal goes.
        without_journal: Whether the backup alone is restored.
        unsigned: Why an unsigned backup is taken.
        because: Why it is restored; empty: it is asked.
        old_is_off: Whether the machine that took over after this backup is off.
        yes: Whether to restore without asking.

    Raises:
        Exit: The answer was no; nothing was changed.
    """  # noqa: D301  # the form feed ends what the help shows
    from core.daily import backup
    from server.text import backup_sentences

    settings = console.load_settings()
    aim = backup.Aim(uses_journal=not without_journal, until=_moment(until, settings.timezone))
    with backup.prepared(file, read_key(key), settings, unsigned, aim) as ready:
        for line in backup_sentences.restore_preview(ready.preview().document(), settings.timezone):
            print(line)
        _agree_to_take_over(ready, old_is_off=old_is_off, asks=not yes)
        if not yes and not console.ask_yes_no(backup_sentences.ask_restore()):
            print(backup_sentences.not_restored())
            raise typer.Exit(1)
        if not because and not yes:
            because = console.ask_line(backup_sentences.ask_why())
        if because:
            because = console.words(because, "because")
        done = ready.restore(because, console.AUDIT_NAME, old_is_off=old_is_off)
        print(backup_sentences.restored(done.document()))


def _agree_to_take_over(ready: PreparedRestore, *, old_is_off: bool, asks: bool) -> None:
    """Ask whether this machine is to be the core instead of one that took over after the backup.

    Args:
        ready: What would be restored.
        old_is_off: Whether the option says that the other one is off.
        asks: Whether words are asked for.

    Raises:
        BackupError: `taken_over`: the option is missing.
        Exit: The words were not typed; nothing was changed.
    """
    from server.text import backup_sentences, standby_sentences

    promotion = ready.taken_over()
    if promotion is None:
        return
    if not old_is_off:
        raise BackupError("taken_over", promotion.at)
    sys.stderr.write(f"{backup_sentences.before_taking_over(promotion.at, ready.settings.timezone)}\n")
    if asks and not console.ask_words(standby_sentences.words_to_type()):
        print(backup_sentences.not_restored())
        raise typer.Exit(1)


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    """Return the moment that was typed, on the clinic's clock unless it names another; None when none was.

    Raises:
        ValidationError: `until`.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValidationError({"until": "format"}) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def read_key(file: Path) -> str:
    """Return the recovery key in a file.

    Raises:
        BackupError: The file is no text.
    """
    try:
        return file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise BackupError("wrong_key") from None
