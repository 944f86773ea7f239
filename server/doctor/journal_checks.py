"""Checks of what outlives the disk: the journal, the archive of the log or PostgreSQL's replica, and the standbys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from core.daily.backup import journal_status
from core.daily.backup.journal_status import StandbyLag
from core.daily.standby import following
from core.foundation import clock, database_replica, wal_archive
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import is_sqlite
from server.doctor.findings import CheckResult, Level
from server.text import standby_sentences
from server.text.problem_words import sentence
from server.text.translation import _

STANDBY_SECONDS = 60
"""Longest silence of a standby."""
PLACE_IS_READ = frozenset({"base_due", "journal_behind", "superseded"})
"""Problems of the journal that are found in its folder: who is the core was read there too."""
NO_FAULTS = frozenset({"wal_no_slot", "wal_unseen", "wal_base_old"})
"""Problems of the archive with which nothing that it promised is lost."""
REPLICA_WARNINGS = frozenset({"replica_unnamed", "replica_not_waited"})
"""Problems of the replica while it holds what was saved."""


def check_journal(clinic: Clinic) -> Iterator[CheckResult]:
    """Check that what is acknowledged is on the second place: compared now, whatever the server believes."""
    if not is_sqlite():
        yield from _archive(clinic)
        return
    status = journal_status.examine(clinic.settings)
    if status is None:
        return
    if status.problem:
        yield CheckResult("error", "journal", sentence(status.problem))
        if status.problem.split(":")[0] not in PLACE_IS_READ:
            words = _(
                "While that place is away this machine cannot know whether another one took over (loket promote). If one "
                "did, end the server here."
            )
            yield CheckResult("warning", "standby", words)
    elif status.is_on_first_disk:
        words = _("The second place {place} is on the same disk as the data and would be lost with it.")
        yield CheckResult("warning", "journal", words.format(place=clinic.settings.journal_dir))
    else:
        yield CheckResult("ok", "journal", _("in step: every saved action is on the second place"))
    yield from _standbys(status.standbys)


def _archive(clinic: Clinic) -> Iterator[CheckResult]:
    """Check PostgreSQL's own archive: that its log is received, and that a base and all of the log since are there."""
    found = wal_archive.examine(clinic.settings)
    replica = database_replica.examine(clinic.settings.resolved_database_url)
    yield from _replica(replica)
    for problem in found.problems:
        if problem == "wal_no_slot" and replica == ():
            continue  # the second machine's disk holds it all
        level: Level = "warning" if problem.split(":")[0] in NO_FAULTS else "error"
        yield CheckResult(level, "journal", sentence(problem))
    if not found.problems and found.base_at is not None:
        hours = max(0.0, (clock.now() - found.base_at).total_seconds() / 3600)
        words = _("in step: every saved action is in PostgreSQL's archive; its base is {hours:.0f} hours old")
        yield CheckResult("ok", "journal", words.format(hours=hours))


def _replica(found: Sequence[str] | None) -> Iterator[CheckResult]:
    """Tell of PostgreSQL's own replica on a second machine, where there is one or several servers are named."""
    for problem in found or ():
        level: Level = "warning" if problem in REPLICA_WARNINGS else "error"
        yield CheckResult(level, "standby", sentence(problem))
    if found is not None and not found:
        yield CheckResult("ok", "standby", _("the second PostgreSQL holds every saved action"))


def _standbys(found: Sequence[StandbyLag]) -> Iterator[CheckResult]:
    """Tell how far each machine is that could take over."""
    for lag in found:
        if lag.silent_seconds > STANDBY_SECONDS:
            words = _("{name} has not looked for {minutes:.0f} minutes. Run there: loket standby").format(
                name=lag.name, minutes=lag.silent_seconds / 60
            )
            yield CheckResult("warning", "standby", words)
        elif lag.actions:
            words = _("{name} does not hold all yet: {number} actions").format(
                name=lag.name, number=lag.actions if lag.actions > 0 else "?"
            )
            yield CheckResult("warning", "standby", words)
        else:
            yield CheckResult("ok", "standby", _("{name} holds every saved action").format(name=lag.name))


def check_standby(settings: Settings) -> Iterator[CheckResult]:
    """Tell how far this machine is, where it is the standby."""
    note = following.last_note(settings.home)
    words = standby_sentences.noted(note, settings.timezone)
    silent = clock.now() - datetime.fromisoformat(note.looked_at) if note is not None else timedelta.max
    is_late = silent > timedelta(seconds=STANDBY_SECONDS)
    yield CheckResult("warning" if is_late else "ok", "standby", words)
    if note is not None and note.waiting:
        words = _("{number} actions of the folder cannot be read.").format(number=note.waiting)
        yield CheckResult("error", "standby", words)
