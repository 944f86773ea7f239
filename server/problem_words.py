"""What went wrong in the daily work, in words, and what to do about it.

The core keeps problem lines: a stable code, and what it is about after a colon. They are turned
into words here and nowhere else; the terminal and the `loket` command show them as they come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.backup import BackupInfo
from core.schemas.clinic import BackupShape, ClosingShape, SyncShape, ToldShape
from server.text import N_, _

PROBLEMS: Mapping[str, tuple[str, str]] = {
    # The closing
    "not_over": (N_("The day is not over yet."), ""),
    "begins_at": (N_("Sending begins at {detail}."), ""),
    "cut_off": (N_("It was cut off before its end."), N_("Press C on the system screen to go on.")),
    "no_proven_backup": (N_("There is no proven backup."), N_("Run: loket backup now")),
    "backup_changed": (
        N_("The backup was changed on the disk: {detail}"),
        N_("Run: loket backup now, and look for who changes files there."),
    ),
    "records_wait": (
        N_("{detail} records wait for the other end."),
        N_("They are sent by themselves as soon as it answers."),
    ),
    "records_refused": (
        N_("{detail} records were refused."),
        N_("loket sync status says for each why and what to do."),
    ),
    "sets_differ": (
        N_("The other end does not hold the same as this clinic."),
        N_("What differs is sent by itself at the next sending."),
    ),
    "only_there": (
        N_("The other end holds {detail} records that this clinic does not have."),
        N_(
            "Was an older backup restored here? Enter what is missing from the paper tickets, and tell the office."
        ),
    ),
    "internal": (
        N_("A fault inside Loket: {detail}"),
        N_(
            "Press C on the system screen to try again; if it stays, tell the maintainer with the server's log."
        ),
    ),
    # Sending
    "not_set_up": (
        N_("Nothing is sent: {detail} is not set."),
        N_("Set it in .env, then start the server again."),
    ),
    "already_running": (N_("It is being sent already."), N_("Wait for it: loket sync status")),
    "unreachable": (
        N_("The other end cannot be reached ({detail})."),
        N_("Is the internet there, and the address right? It is tried again by itself."),
    ),
    "certificate": (
        N_("The other end's certificate does not hold: {detail}."),
        N_("Is this machine's clock right? Otherwise tell the office; nothing is sent until then."),
    ),
    "busy": (N_("The other end is busy or failing ({detail})."), N_("It is tried again by itself.")),
    "strange_answer": (
        N_("What answered is not the other end ({detail})."),
        N_("Does the internet line ask for a sign-in? It is tried again by itself."),
    ),
    "address_wrong": (
        N_("{detail} is no web address."),
        N_("It must begin with https:// - correct it in .env."),
    ),
    "nobody_there": (N_("Nothing receives records at {detail}."), N_("Correct the address in .env.")),
    "token_refused": (
        N_("The office does not accept this clinic's token: {detail}."),
        N_("Ask the office for a new token, set it in .env, then start the server again."),
    ),
    "client_refused": (
        N_("SATUSEHAT does not accept this clinic: {detail}."),
        N_("Correct both in .env, then start the server again."),
    ),
    "facility_refused": (
        N_("The other end refuses this facility: {detail}"),
        N_("Check LOKET_FACILITY_CODE and, for SATUSEHAT, LOKET_SATUSEHAT_ORGANIZATION."),
    ),
    "manifest_refused": (
        N_("The other end refuses to compare: {detail}"),
        N_("Tell the maintainer of this program; keep the words above."),
    ),
    # Backups
    "second_place": (
        N_("The backup did not reach the second place: {detail}"),
        N_("Is the disk of LOKET_BACKUP_SECOND connected, and has it room?"),
    ),
    "command": (
        N_("The command of LOKET_BACKUP_COMMAND failed: {detail}"),
        N_("Try it by hand; what it must hold stands in .env.example."),
    ),
    "no_recovery_key": (
        N_("There is no recovery key."),
        N_("Run: loket backup key, and keep it off this machine."),
    ),
    "key_exists": (
        N_("There is a recovery key already; another would make the older backups look lost."),
        N_("If it is lost, move the file away first: {detail}"),
    ),
    "wrong_key": (N_("This recovery key does not open this backup."), N_("Nothing was changed.")),
    "damaged": (
        N_("The backup is damaged ({detail})."),
        N_("Nothing was changed. Take another: loket backup list"),
    ),
    "database_damaged": (
        N_("The database is damaged ({detail})."),
        N_("Stop the server, copy the data folder away, and run: loket restore FILE --key KEYFILE"),
    ),
    "database_denied": (
        N_("The database may not be opened or written ({detail})."),
        N_("To whom does the data folder belong? Run the command as that user."),
    ),
    "database_unreachable": (
        N_("The database server does not let Loket in ({detail})."),
        N_("Is PostgreSQL running, and LOKET_DATABASE_URL right?"),
    ),
    "database_busy": (
        N_("The database is busy ({detail})."),
        N_("Try again in a minute; if it stays, run: loket doctor"),
    ),
    "missing": (N_("There is no such file or folder: {detail}"), ""),
    "newer_schema": (
        N_("The backup was made by a newer Loket ({detail})."),
        N_("Nothing was changed. Install that version first."),
    ),
    "newer_format": (
        N_("The backup was made by a newer Loket ({detail})."),
        N_("Nothing was changed. Install that version first."),
    ),
    "other_engine": (
        N_("The backup is for another kind of database: {detail}."),
        N_("Nothing was changed. Set LOKET_DATABASE_URL to that kind first."),
    ),
    "in_use": (N_("The database is in use."), N_("Stop the server first, then restore.")),
    "running": (N_("A backup is being made already."), N_("Wait for it.")),
    "disk_full": (N_("The disk is full."), N_("Make room, then try again.")),
    "disk": (N_("The disk refuses: {detail}"), N_("Is it connected, and may this user write there?")),
    "no_scratch": (
        N_("No database can be made to prove the backup in: {detail}"),
        N_("Let Loket's user make databases: ALTER ROLE loket CREATEDB"),
    ),
    "postgres_tool": (
        N_("PostgreSQL's own tools failed: {detail}"),
        N_("Install pg_dump and pg_restore in the server's version; check LOKET_DATABASE_URL."),
    ),
}
"""Code -> what happened, and what to do (empty: nothing)."""

REFUSALS: Mapping[str, str] = {
    "choose_another_code": N_("Choose another diagnosis code in the visit's record and save it."),
    "check_the_settings": N_("Check LOKET_SATUSEHAT_ORGANIZATION in .env."),
    "complete_the_nik": N_("Enter the patient's NIK; the visits follow by themselves."),
    "complete_the_practitioner": N_("Enter the NIK of who served the visit: loket account nik NAME NIK"),
    "correct_and_save": N_("Open the record, correct it and save it."),
    "correct_the_patient": N_("Correct the patient's data and save them."),
    "enter_a_diagnosis": N_("Enter a diagnosis in the visit's record and save it."),
    "look_for_the_other_record": N_("Look for a second record of this patient and merge them."),
    "nothing_to_do": N_("Too old for the other end: nothing to do."),
    "send_the_patient_first": N_("Correct the patient first; the visit follows by itself."),
    "tell_the_maintainer": N_("Tell the maintainer of this program; keep the words above."),
}
"""Remedy of a record that was set aside (`core.outbox.REMEDIES`) -> what to do."""


def told(problems: str | None) -> list[ToldShape]:
    """Problem lines in words; a code that is not known is shown as it is."""
    found = []
    for line in (problems or "").splitlines():
        code, _colon, detail = line.partition(": ")
        text, remedy = PROBLEMS.get(code, (line.replace("{", "{{").replace("}", "}}"), ""))
        detail = detail or "-"
        found.append(
            ToldShape(
                text=_(text).format(detail=detail), remedy=_(remedy).format(detail=detail) if remedy else ""
            )
        )
    return found


def lines(problems: str | None) -> Iterator[str]:
    """Problem lines for a command's output, each with what to do under it."""
    for problem in told(problems):
        yield f"! {problem.text}"
        if problem.remedy:
            yield f"  {problem.remedy}"


def sentence(problems: str | None) -> str:
    """Problem lines as running text."""
    return " ".join(f"{problem.text} {problem.remedy}".strip() for problem in told(problems))


def todo(refusal: Mapping[str, Any]) -> str:
    """What to do about a record that was set aside."""
    return _(REFUSALS.get(str(refusal.get("remedy")), REFUSALS["correct_and_save"]))


def closing_in_words(status: Mapping[str, Any]) -> ClosingShape:
    """A closing's state with its problems in words."""
    shape = ClosingShape.model_validate(status)
    for step in shape.steps:
        step.told = told(step.error)
        if why := step.detail.get("why"):
            step.note = sentence(str(why))
    shape.told = told(shape.error)
    return shape


def sync_in_words(shape: SyncShape) -> SyncShape:
    """The synchronisation's state with its problems in words."""
    shape.told = told(shape.last_error)
    shape.refusals = [{**refusal, "todo": todo(refusal)} for refusal in shape.refusals]
    return shape


def backup_in_words(info: BackupInfo) -> BackupShape:
    """One backup with its problems in words."""
    return BackupShape(
        path=info.path,
        made_at=info.made_at,
        bytes=info.bytes,
        newest_change=info.newest_change,
        verified=info.verified,
        problems=list(info.problems),
        told=told("\n".join(info.problems)),
    )
