"""The outbox: the records that the receiver has yet to get, one row a record, renewed by each edit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.exchange.satusehat import remedies
from core.foundation import clock, jobs, state
from core.foundation.clinic import Clinic
from core.foundation.codes import OutboxStatus
from core.foundation.database import transaction
from core.foundation.job_problems import JobProblem
from core.foundation.statements import Statement, given_for
from core.models import JobRun, Outbox
from core.schemas.clinic import SyncOut

PATIENT = "patient"
VISIT = "visit"

DIRECTORY = "sync_directory"
"""Key of the fact which facility, clusters and people the receiver has; forgotten to send them again."""
LAST_CONTACT = "sync_last_contact"
LAST_ERROR = "sync_last_error"
MANIFEST = "sync_manifest"

SHOWN_REFUSALS = 50
"""Most refusals listed at once: enough to see their causes."""


def enqueue(kind: str, *targets: str) -> None:
    """Note in the caller's transaction that a `patient` or `visit` must be sent (again), or several.

    An edit after a refusal makes the record pending again.
    """
    if not targets:
        return
    now = clock.now()
    with transaction():
        if len(targets) == 1:
            _ENQUEUE_ONE.change(kind=kind, target=targets[0], now=now)
            return
        rows = [
            {"kind": kind, "target": target, "status": OutboxStatus.PENDING, "queued_at": now}
            for target in targets
        ]
        _or_again(Outbox.insert_many(rows)).execute()


def _or_again(inserting: Any) -> Any:
    """Return an insertion that makes a record pending again where it is there already."""
    return inserting.on_conflict(
        conflict_target=[Outbox.kind, Outbox.target],
        preserve=[Outbox.status, Outbox.queued_at],
        update={Outbox.change: Outbox.change + 1, Outbox.attempts: 0, Outbox.error: None},
    )


_ENQUEUE_ONE = Statement(
    lambda: _or_again(
        Outbox.insert(
            {
                Outbox.kind: given_for(Outbox.kind, "kind"),
                Outbox.target: given_for(Outbox.target, "target"),
                Outbox.status: OutboxStatus.PENDING,
                Outbox.queued_at: given_for(Outbox.queued_at, "now"),
            }
        )
    )
)


def pending_count() -> int:
    """Return how many records wait."""
    return _count(OutboxStatus.PENDING)


def status(clinic: Clinic) -> SyncOut:
    """Return how far the synchronisation is, with the receiver's words for each refusal shown."""
    sending: JobRun | None = jobs.newest("sync")
    state_now = SyncOut(
        receiver=clinic.settings.sync_target,
        pending=_count(OutboxStatus.PENDING),
        sent=_count(OutboxStatus.SENT),
        refused=_count(OutboxStatus.REFUSED),
        refusals=_refusals(),
    )
    if contact := state.fact(LAST_CONTACT):
        state_now.last_contact_at = datetime.fromisoformat(contact["at"])
    if error := state.fact(LAST_ERROR):
        state_now.last_error = _problem_line(error)
    if manifest := state.fact(MANIFEST):
        state_now.manifest_agrees = manifest["agrees"]
        state_now.only_there = manifest.get("extra", 0)
    if sending is not None:
        state_now.done, state_now.total = sending.done, sending.total
        state_now.running = sending.ended_at is None and jobs.is_running(clinic.settings.home, "sync")
        state_now.seconds_left = jobs.seconds_left(sending) if state_now.running else None
    return state_now


def _count(wanted: OutboxStatus) -> int:
    return int(Outbox.select().where(Outbox.status == wanted).count())


def _refusals() -> list[dict[str, Any]]:
    """Return the oldest refusals, at most `SHOWN_REFUSALS`, each with its remedy."""
    refused = Outbox.select().where(Outbox.status == OutboxStatus.REFUSED).order_by(Outbox.sequence)
    return [
        {
            "kind": row.kind,
            "target": row.target,
            "error": row.error,
            "remedy": remedies.remedy(row.error or ""),
        }
        for row in refused.limit(SHOWN_REFUSALS)
    ]


def _problem_line(error: dict[str, Any]) -> str:
    """Return the kept error as a line; Loket 0.1 kept the line itself."""
    return error["text"] if "text" in error else str(JobProblem(**error["problem"]))
