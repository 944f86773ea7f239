"""Sentences of `loket audit`, and what `loket doctor` says of the log."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from core.foundation.audit_check import AuditReport
from core.foundation.audit_vouches import LASTING, AuditProblem
from server.text.translation import N_, _

PROBLEMS = {
    "chain_missing": N_("The log is empty: every row was taken out."),
    "row_changed": N_("Event {sequence} was changed afterwards."),
    "rows_missing": N_("Before event {sequence}, {number} events were taken out."),
    "rows_cut": N_("The last {number} events, up to {sequence}, were taken out."),
    "rows_were_cut": N_("Before event {sequence}, the last {number} events of then were taken out."),
    "head_differed": N_("Before event {sequence} the end of the log was not what was noted outside the database."),
    "head_differs": N_("The end of the log is not what was noted outside the database."),
    "head_missing": N_("The note outside the database of where the log ends is gone (audit.head)."),
    "head_lost": N_("Before event {sequence} the note of where the log ends was gone: events may be missing there."),
    "key_lost": N_("The key was lost: {number} events before {sequence} cannot be checked."),
    "old_rows_changed": N_("Events of before {sequence}, when the log had no key yet, were changed or taken out."),
    "unprotected": N_("The database no longer refuses changes of the log: its triggers are gone."),
    "was_unprotected": N_("Before event {sequence} the database did not refuse changes of the log: its triggers were gone."),
    "record_changed": N_("{kind} {target} was changed behind Loket's back, after event {sequence}."),
    "record_missing": N_("{kind} {target} was taken out behind Loket's back."),
    "version_missing": N_("An earlier version of {kind} {target}, of event {sequence}, was taken out behind Loket's back."),
    "record_unaudited": N_("{kind} {target} was put in behind Loket's back: the log does not know it."),
    "log_missing": N_("The file of the log cannot be read, or is gone."),
    "index_differs": N_("The list of who was shown in which event was changed."),
    "database_restored": N_("Event {sequence}: a backup was restored; events after that backup are gone."),
}  # fmt: skip
"""`AuditProblem.code` -> what it says."""

TOLD = 50  # breaks of before that are named one by one
KINDS = {
    "patient": N_("Patient"),
    "encounter": N_("Note"),
    "diagnosis": N_("Diagnosis"),
    "prescription": N_("Prescription"),
    "order": N_("Laboratory order"),
    "allergy": N_("Allergy"),
    "account": N_("Account"),
    "visit": N_("Visit"),
    "procedure": N_("Procedure"),
    "addendum": N_("Addendum"),
    "letter": N_("Letter"),
    "immunisation": N_("Vaccine"),
    "account_key": N_("SSH key"),
    "approval": N_("Approval"),
    "rights_change": N_("Change of rights"),
    "right": N_("Right"),
}
"""`AuditProblem.kind` -> its word."""


def verified(report: AuditReport, zone: ZoneInfo) -> Iterator[str]:
    """Say what a look at the whole log found.

    Args:
        report: What was found.
        zone: The clinic's time zone.
    """
    yield _("{rows} events, {reads} reads and {records} records looked at.").format(
        rows=report.rows, reads=report.reads, records=report.records
    )
    if report.records_older:
        yield _(
            "{number} records have not changed since the log binds records: nothing to compare them with."
        ).format(number=report.records_older)
    for note in report.notes:
        yield _sentence(note)
    yield from vouched(report, zone)
    if not report.problems:
        yield (
            _("No break but those that two people vouched for.")
            if report.vouched
            else _("The log is whole, and the records are as their last change left them.")
        )
    yield from problems(report)


def problems(report: AuditReport) -> Iterator[str]:
    """Say what is not as it was written, and what to do."""
    for problem in report.problems:
        yield _sentence(problem)
    if report.problems:
        yield _(
            "Keep the data folder and its backups as they are, and report it. Once it is known what happened: loket audit vouch"
        )


def vouched(report: AuditReport, zone: ZoneInfo) -> Iterator[str]:
    """The breaks that two people vouched for, with who, when and their words.

    Args:
        report: What was found.
        zone: The clinic's time zone.
    """
    for problem, vouch in report.vouched[:TOLD]:
        yield _("Known: {sentence} {asked} and {approved}, {day}: {words}").format(
            sentence=_sentence(problem),
            asked=vouch.asked_by,
            approved=vouch.approved_by,
            day=vouch.at.astimezone(zone).strftime("%d-%m-%Y"),
            words=vouch.words,
        )
    if (more := len(report.vouched) - TOLD) > 0:
        yield _("{number} more breaks are known and vouched for.").format(number=more)


def lasting(report: AuditReport) -> Iterator[str]:
    """The breaks that can be vouched for, in words."""
    yield from (_sentence(problem) for problem in report.problems if problem.code in LASTING)


def not_lasting(report: AuditReport) -> Iterator[str]:
    """Say what has to be mended instead."""
    for problem in report.problems:
        if problem.code not in LASTING:
            yield _("Nobody can vouch for this, it has to be mended:") + " " + _sentence(problem)


def _sentence(problem: AuditProblem) -> str:
    words = _(PROBLEMS[problem.code])
    if problem.log == "reads":
        words = _("Log of reads:") + " " + words
    return words.format(
        sequence=problem.sequence,
        number=problem.number,
        target=problem.target,
        kind=_(KINDS.get(problem.kind, problem.kind)),
    )
