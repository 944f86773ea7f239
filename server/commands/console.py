"""Shared by all commands: settings, the open clinic, printing and asking."""

from __future__ import annotations

import getpass
import json
import os
import pwd
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.foundation.errors import SettingsError, ValidationError
from core.foundation.setting_variables import language_wanted
from server.text import translation
from server.text.formatting import nothing

if TYPE_CHECKING:
    from core.foundation.clinic import Clinic
    from core.foundation.config import Settings

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PasswordOption = Annotated[bool, typer.Option(help="Read the password from standard input.")]


def person_behind() -> str:
    """Return who runs the command: as they name themselves, and as the system knows them."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"#{os.getuid()}"
    login = os.environ.get("SUDO_USER", "").strip() or user
    named = os.environ.get("LOKET_ACTOR", "").strip()
    return f"{named[:40]} ({login[:20]})" if named else login[:40]


AUDIT_NAME = f"loket command: {person_behind()}"
"""Origin in the audit log of what the command does, with the person behind it."""
YES = frozenset({"y", "ya", "yes"})
"""Answers that count as yes, whatever the clinic's language."""


def load_settings() -> Settings:
    """Return the settings, and speak the clinic's language from here on.

    Raises:
        SettingsError: A setting is wrong, or the data folder belongs to another user.
    """
    from core.foundation.config import Settings

    translation.speak(language_wanted())
    settings = Settings.load()
    translation.speak(settings.language)
    _require_owner(settings.home)
    return settings


def _require_owner(home: Path) -> None:
    """Refuse to act in another user's data folder: files made there as root would lock the server out.

    Raises:
        SettingsError: The folder belongs to another user.
    """
    if not home.exists():
        return
    owner = home.stat().st_uid
    if owner == os.geteuid():
        return
    name = _user_name(owner)
    raise SettingsError(
        "{setting}: {home} belongs to {name}. Run the command as that user: sudo -u {name} loket ...",
        setting="LOKET_HOME",
        home=home,
        name=name,
    )


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def open_clinic() -> Clinic:
    """Return the clinic of the settings, its database open; only the server changes the tables of an existing one.

    Raises:
        SettingsError: A setting is wrong, or the data folder belongs to another user.
    """
    from core.foundation.clinic import Clinic

    return Clinic.open(load_settings(), migrates=False)


def print_json(document: Any) -> None:
    """Print a document for scripts."""
    print(json.dumps(document, ensure_ascii=False, indent=2, default=str))


def print_rows(rows: list[dict[str, Any]], as_json: bool) -> None:
    """Print rows as a table for people, or as JSON for scripts."""
    if as_json:
        print_json(rows)
        return
    if not rows:
        print(nothing())
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE)
    for heading in rows[0]:
        table.add_column(str(heading), overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    Console().print(table)


def print_lines(lines: Iterable[str], document: Any, as_json: bool) -> None:
    """Print sentences for people, or the document for scripts.

    Args:
        lines: Translated sentences.
        document: The same facts, as JSON values.
        as_json: Whether to print the document.
    """
    if as_json:
        print_json(document)
        return
    for line in lines:
        print(line)


def print_ok(subject: object) -> None:
    """Confirm that a command changed the account, clinic or file it was given."""
    print(f"{subject}: ok")


def words(text: str, field: str) -> str:
    """Return a reason that was given in words, cleaned as any text that comes in.

    Args:
        text: As typed.
        field: Name of the option.

    Raises:
        ValidationError: Too few or too many letters, or characters that no text holds.
    """
    from pydantic import TypeAdapter
    from pydantic import ValidationError as MalformedError

    from core.schemas.base import Because

    try:
        cleaned: str = TypeAdapter(Because).validate_python(text)
    except MalformedError:
        raise ValidationError({field: "words"}) from None
    return cleaned


def ask_line(question: str) -> str:
    """Ask on standard output; return the line that was typed."""
    print(question, flush=True)
    return sys.stdin.readline().strip()


def ask_password(from_stdin: bool) -> str:
    """Read a password from standard input's first line, or ask for it without showing it."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    return getpass.getpass("Password: ")


def ask_yes_no(question: str) -> bool:
    """Ask on standard output; any answer other than yes counts as no."""
    print(question, end=" ", flush=True)
    return sys.stdin.readline().strip().lower() in YES


def ask_words(words: str) -> bool:
    """Ask on standard error for words to be typed as they stand; return whether they were."""
    sys.stderr.write(f"> {words}\n> ")
    sys.stderr.flush()
    return " ".join(sys.stdin.readline().split()).casefold() == words.casefold()
