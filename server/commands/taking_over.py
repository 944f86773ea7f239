"""`loket standby`, `loket promote` and `loket superseded`: a second machine that takes over."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands import console
from server.commands.backup import read_key
from server.commands.console import JsonOption

if TYPE_CHECKING:
    from core.daily.standby.following import Standing
    from core.foundation.config import Settings

POLL_SECONDS = 1.0
AGAIN_SECONDS = 5.0
"""After a look that failed."""
TOLD_EVERY_SECONDS = 60.0
"""Between two lines while nothing new comes."""


def standby(
    folder: Annotated[
        Path | None,
        typer.Argument(help="The journal's folder, the first time; LOKET_JOURNAL_DIR otherwise."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="File with the recovery key, the first time; it is not kept.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name that the core shows; this machine's otherwise.")] = "",
    once: Annotated[bool, typer.Option("--once", help="Look once, say how far it is, and end.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Follow the clinic's journal on a second machine, so that it can take over; nobody is served from here.

    \f

    Args:
        folder: The journal's.
        key: File with the recovery key.
        name: Of this standby.
        once: Whether to look once only.
        as_json: Whether to print JSON.

    Raises:
        Exit: It was paired already with another folder.
    """  # noqa: D301  # the form feed ends what the help shows
    from core.daily.standby import following
    from core.foundation.errors import BackupError

    settings = console.load_settings()
    if not following.is_paired(settings.home):
        named = folder or (Path(settings.journal_dir) if settings.journal_dir else None)
        if named is None or key is None:
            raise BackupError("no_standby", str(settings.home))
        _pair(settings, named, key, name or socket.gethostname().split(".")[0])
    if once:
        _tell(following.catch_up(settings), settings, as_json)
        return
    _follow(settings, as_json)


def _pair(settings: Settings, folder: Path, key: Path, name: str) -> None:
    from core.daily.standby import following
    from server.text import standby_sentences

    following.pair(settings, folder, read_key(key), name)
    sys.stderr.write(f"{standby_sentences.paired(name)}\n")


def _tell(standing: Standing, settings: Settings, as_json: bool) -> None:
    from server.text import standby_sentences

    lines = standby_sentences.position(standing, settings.timezone)
    console.print_lines(lines, standing.document(), as_json)
    sys.stdout.flush()


def _follow(settings: Settings, as_json: bool) -> None:
    """Look again and again until this machine is promoted, or the command is ended."""
    from core.daily.standby import following
    from core.foundation.errors import CoreError
    from server.standby_answer import StandbyAnswer
    from server.text import standby_sentences
    from server.text.failures import expected_failure

    told_at, complained = 0.0, ""
    with StandbyAnswer(settings):
        while following.is_paired(settings.home):
            try:
                standing = following.catch_up(settings)
            except (CoreError, OSError) as error:
                if not following.is_paired(settings.home):
                    break  # promoted while this waited for its turn
                words = expected_failure(error) or str(error)
                if words != complained:
                    sys.stderr.write(f"loket: {words}\n")
                complained = words
                time.sleep(AGAIN_SECONDS)
                continue
            complained = ""
            is_news = bool(standing.applied or standing.is_new_base)
            if is_news or time.monotonic() - told_at > TOLD_EVERY_SECONDS:
                _tell(standing, settings, as_json)
                told_at = time.monotonic()
            time.sleep(POLL_SECONDS)
    print(standby_sentences.core_now())


def promote(
    old_is_off: Annotated[
        bool, typer.Option("--old-is-off", help="The old machine is switched off; words are asked for too.")
    ] = False,
    because: Annotated[
        str,
        typer.Option(
            help="Why, in words; asked for otherwise. The head of the clinic approves it afterwards."
        ),
    ] = "",
    leave_out_numbers: Annotated[
        bool,
        typer.Option(
            "--leave-out-numbers",
            help="Leave 20 numbers out in each cluster: the old machine gave out some that never reached the folder.",
        ),
    ] = False,
) -> None:
    """Make this standby the clinic's core, once the old machine is off.

    \f

    Args:
        old_is_off: Whether the old machine is off.
        because: Why; empty: it is asked.
        leave_out_numbers: Whether some numbers are left out.

    Raises:
        Exit: It was not confirmed; nothing was changed.
    """  # noqa: D301  # the form feed ends what the help shows
    from core.daily.standby import following, promotion
    from server.text import backup_sentences
    from server.text import standby_sentences as sentences

    settings = console.load_settings()
    following.pairing_of(settings.home)
    if not old_is_off:
        sys.stderr.write(f"{sentences.old_is_off_needed()}\n")
        raise typer.Exit(1)
    if (other := promotion.later_core(settings)) is not None:
        sys.stderr.write(f"{sentences.later_core(other.at, settings.timezone)}\n")
    sys.stderr.write(f"{sentences.before_promotion(following.last_note(settings.home), settings.timezone)}\n")
    if not console.ask_words(sentences.words_to_type()):
        sys.stderr.write(f"{sentences.not_promoted()}\n")
        raise typer.Exit(1)
    because = console.words(because or console.ask_line(backup_sentences.ask_why()), "because")
    done = promotion.promote(settings, because, console.AUDIT_NAME, leaves_out_numbers=leave_out_numbers)
    for line in sentences.promoted(done, settings.journal_dir, settings.timezone):
        print(line)


def superseded() -> None:
    """List what this machine saved after another one took over, for whoever enters it again there."""
    from core.daily.superseded import left_behind
    from server.text import standby_sentences

    settings = console.load_settings()
    for line in standby_sentences.left_behind(left_behind(settings), settings.timezone):
        print(line)
