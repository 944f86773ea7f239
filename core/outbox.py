"""What the office has yet to receive: one row per record, renewed by each edit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core import clock, job_runs
from core.clinic import Clinic
from core.database import transaction
from core.models import JobRun, Outbox, State
from core.schemas.clinic import SyncShape
from core.vocabulary import OutboxStatus

PATIENT = "patient"
VISIT = "visit"

DIRECTORY = "sync_directory"
"""What of the facility, its clusters and people the receiver has; forgotten to send them again."""
LAST_CONTACT = "sync_last_contact"
LAST_ERROR = "sync_last_error"
MANIFEST = "sync_manifest"

SHOWN_REFUSALS = 50


def put(kind: str, *targets: str) -> None:
    """Note in the caller's transaction that a `patient` or `visit` must be sent (again), or several.

    An edit after a refusal makes the record pending again.
    """
    waiting = {"status": OutboxStatus.PENDING, "queued_at": clock.now()}
    again = {Outbox.change: Outbox.change + 1, Outbox.attempts: 0, Outbox.error: None}
    rows = [{"kind": kind, "target": target, **waiting} for target in targets]
    if rows:
        with transaction():
            Outbox.insert_many(rows).on_conflict(
                conflict_target=[Outbox.kind, Outbox.target],
                preserve=[Outbox.status, Outbox.queued_at],
                update=again,
            ).execute()


def pending_count() -> int:
    """How many records wait."""
    return int(Outbox.select().where(Outbox.status == OutboxStatus.PENDING).count())


def status(clinic: Clinic) -> SyncShape:
    """Where synchronisation stands, with the office's words for what it refused."""
    counts = {state: Outbox.select().where(Outbox.status == state).count() for state in OutboxStatus}
    run: JobRun | None = job_runs.newest("sync")
    running = run is not None and run.ended_at is None and job_runs.is_running(clinic.settings.home, "sync")
    contact, error, manifest = fact(LAST_CONTACT), fact(LAST_ERROR), fact(MANIFEST)
    refused = (
        Outbox.select()
        .where(Outbox.status == OutboxStatus.REFUSED)
        .order_by(Outbox.sequence)
        .limit(SHOWN_REFUSALS)
    )
    return SyncShape(
        receiver=clinic.settings.sync_target,
        pending=counts[OutboxStatus.PENDING],
        sent=counts[OutboxStatus.SENT],
        refused=counts[OutboxStatus.REFUSED],
        last_contact_at=datetime.fromisoformat(contact["at"]) if contact else None,
        last_error=error["text"] if error else None,
        running=running,
        done=run.done if run else 0,
        total=run.total if run else 0,
        seconds_left=job_runs.seconds_left(run) if run and running else None,
        manifest_agrees=manifest["agrees"] if manifest else None,
        only_there=manifest.get("extra", 0) if manifest else 0,
        refusals=[
            {"kind": row.kind, "target": row.target, "error": row.error, "remedy": remedy(row.error or "")}
            for row in refused
        ],
    )


REMEDIES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("nik-missing",), "complete_the_nik"),
    (("practitioner-missing",), "complete_the_practitioner"),
    (("diagnosis-missing", "10457"), "enter_a_diagnosis"),
    (("too-old",), "nothing_to_do"),
    (("ambiguous", "duplicate"), "look_for_the_other_record"),
    (("10001", "code has no icd-10", "icd-10"), "choose_another_code"),
    (("10117", "20003"), "check_the_settings"),
    (("mapping", "10002", "10105", "10124", "10132", "10134", "10254", "10263"), "tell_the_maintainer"),
    (("not-found", "does not resolve"), "send_the_patient_first"),
    (("nik", "birthdate", "patient.", "gender"), "correct_the_patient"),
)
"""What a refusal's words hold, in order of trust, and the remedy (rule numbers: indonesia.md 5.7)."""


def remedy(error: str) -> str:
    """A stable code of what to do about a refusal, from the receiver's own words.

    One of those in `REMEDIES`, or `correct_and_save`.
    """
    words = error.lower()
    for marks, code in REMEDIES:
        if any(mark in words for mark in marks):
            return code
    return "correct_and_save"


def fact(key: str) -> dict[str, Any] | None:
    """A small fact kept across restarts (`State`), None when it was never noted."""
    row: State | None = State.get_or_none(State.key == key)
    return None if row is None else row.value


def note(key: str, **value: Any) -> None:
    """Keep a small fact across restarts."""
    with transaction():
        State.insert(key=key, value=value).on_conflict(
            conflict_target=[State.key], update={State.value: value}
        ).execute()


def forget(key: str) -> None:
    """Drop a fact that no longer holds, such as the last error."""
    with transaction():
        State.delete().where(State.key == key).execute()
