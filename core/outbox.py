"""What the office has yet to receive: one row per record, renewed by each edit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core import clock, job_runs
from core.clinic import Clinic
from core.database import transaction
from core.models import JobRun, Outbox, State
from core.schemas import SyncShape
from core.vocabulary import OutboxStatus

PATIENT = "patient"
VISIT = "visit"

LAST_CONTACT = "sync_last_contact"
LAST_ERROR = "sync_last_error"
MANIFEST = "sync_manifest"

SHOWN_REFUSALS = 50


def put(kind: str, target: str) -> None:
    """Note in the caller's transaction that a `patient` or `visit` must be sent (again).

    An edit after a refusal makes the record pending again.
    """
    with transaction():
        updated = (
            Outbox.update(
                change=Outbox.change + 1,
                status=OutboxStatus.PENDING,
                attempts=0,
                error=None,
                queued_at=clock.now(),
            )
            .where(Outbox.kind == kind, Outbox.target == target)
            .execute()
        )
        if not updated:
            Outbox.create(kind=kind, target=target, status=OutboxStatus.PENDING, queued_at=clock.now())


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
        pending=counts[OutboxStatus.PENDING],
        sent=counts[OutboxStatus.SENT],
        refused=counts[OutboxStatus.REFUSED],
        last_contact_at=datetime.fromisoformat(contact["at"]) if contact else None,
        last_error=error["text"] if error else None,
        running=running,
        done=run.done if run else 0,
        total=run.total if run else 0,
        manifest_agrees=manifest["agrees"] if manifest else None,
        refusals=[
            {"kind": row.kind, "target": row.target, "error": row.error, "remedy": remedy(row.error or "")}
            for row in refused
        ],
    )


def remedy(error: str) -> str:
    """A stable code of what to do about a refusal, from the office's own words.

    One of `correct_the_patient`, `send_the_patient_first`, `tell_the_maintainer`, `correct_and_save`.
    """
    words = error.lower()
    if "not-found" in words or "does not resolve" in words:
        return "send_the_patient_first"
    if words.startswith("mapping"):
        return "tell_the_maintainer"
    if any(word in words for word in ("nik", "birthdate", "patient.", "gender")):
        return "correct_the_patient"
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
