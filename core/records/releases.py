"""Decisions and reviews of the supervisor: locked records that may be corrected, and broken glass."""

from __future__ import annotations

from datetime import date, timedelta

from core.foundation import approvals, audit, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import AccessReason, ApprovalKind, Permission, Role
from core.foundation.database import connection, transaction
from core.foundation.errors import NotFoundError, RuleError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.models import Account, Approval, AuditEvent, Encounter, Patient, RecordRelease, Visit
from core.records.access import (
    Purpose,
    find_visit,
    is_locked,
    open_patient,
    require_right,
)
from core.schemas.oversight import ApprovalOut
from core.schemas.record import NO_REASON, GlassBroken, ReleaseAsked, ReleaseFields, ReleaseOut, StatedReason

FIRST_YEAR, LAST_YEAR = 1900, 9000  # beyond them an instant cannot be told in every time zone


def release(clinic: Clinic, actor: Actor, visit_id: str, fields: ReleaseFields) -> ReleaseOut:
    """Let a visit's record be corrected after its time; what it said before is kept as ever.

    Args:
        clinic: For its clusters.
        actor: The supervisor.
        visit_id: The visit.
        fields: Why, for how long, and which contact.

    Raises:
        NotAllowedError: The role may not release records.
        NotFoundError: There is no such visit, or no such cluster.
    """
    actor.require(Permission.RELEASE_RECORDS)
    cluster = clinic.clusters[fields.cluster].code if fields.cluster is not None else None
    with transaction():
        visit = find_visit(visit_id)
        at = clock.now()
        row = RecordRelease.create(
            id=new_id(),
            visit=visit,
            cluster=cluster,
            reason=fields.reason,
            released_at=at,
            released_by=actor.account_id,
            until=at + timedelta(hours=fields.hours),
        )
        audit.record(
            actor,
            "record_released",
            "visit",
            visit.id,
            visit.patient_id,
            reason=fields.reason,
            hours=fields.hours,
        )
        return _release_out(row)


def ask(clinic: Clinic, actor: Actor, visit_id: str, fields: ReleaseAsked) -> ApprovalOut:
    """Ask the supervisor for leave to correct one's own contact after its time.

    Args:
        clinic: For the time that a record can be corrected in.
        actor: The clinician.
        visit_id: The visit.
        fields: Why, and which contact.

    Raises:
        NotAllowedError: The role writes no records.
        NotFoundError: There is no such visit, or the actor's cluster has no contact in it.
        RuleError: `not_locked`: it can be corrected as it is.
        ConflictError: `already_requested`.
    """
    actor.require(Permission.WRITE_RECORDS)
    with transaction():
        visit = find_visit(visit_id)
        contact = _own_contact(actor, visit, fields.cluster)
        if not is_locked(clinic, contact):
            raise RuleError("not_locked")
        return approvals.out(
            approvals.ask(actor, ApprovalKind.RELEASE, visit.id, fields.reason, cluster=contact.cluster)
        )


def _own_contact(actor: Actor, visit: Visit, cluster: str | None) -> Encounter:
    wanted = [code for code in actor.clusters if cluster in {None, code}]
    contact: Encounter | None = (
        Encounter.select()
        .where(Encounter.visit == visit, Encounter.cluster.in_(wanted or [""]))
        .order_by(Encounter.entered_at.desc())
        .first()
    )
    if contact is None:
        raise NotFoundError("encounter", visit.id)
    return contact


def grant(clinic: Clinic, actor: Actor, asked: Approval) -> None:
    """Approve a clinician's request: the contact can be corrected for a day.

    Args:
        clinic: For its clusters.
        actor: The supervisor.
        asked: The request.

    Raises:
        NotAllowedError: As `approvals.decide`, or the role may not release records.
        ConflictError: It was decided already.
    """
    with transaction():
        approvals.decide(actor, asked, approved=True)
        fields = ReleaseFields(reason=asked.reason, cluster=asked.detail.get("cluster"))
        release(clinic, actor, asked.target, fields)


def of_visit(
    clinic: Clinic, actor: Actor, visit_id: str, reason: StatedReason = NO_REASON
) -> list[ReleaseOut]:
    """Return the releases of a visit, newest first; their words tell of the record, and are read as it is.

    Args:
        clinic: For its day.
        actor: Who reads; whoever releases records sees the releases without a reason.
        visit_id: The visit.
        reason: Why, outside the actor's own queue.

    Raises:
        NotAllowedError: The role neither reads records nor releases them; `reason_required`.
        NotFoundError: There is no such visit.
    """
    releases = actor.can(Permission.RELEASE_RECORDS)
    if not releases:
        require_right(actor, Purpose.READ)
    with connection():
        visit = find_visit(visit_id)
        if not releases:
            open_patient(clinic, actor, visit.patient_id, reason=reason)
        audit.record(actor, "releases_read", "visit", visit.id, visit.patient_id)
        rows = RecordRelease.select().where(RecordRelease.visit == visit)
        return [_release_out(row) for row in rows.order_by(RecordRelease.released_at.desc())]


def _release_out(row: RecordRelease) -> ReleaseOut:
    return ReleaseOut(
        id=row.id,
        visit_id=row.visit_id,
        cluster=row.cluster,
        reason=row.reason,
        released_at=row.released_at,
        released_by=row.released_by.name,
        until=row.until,
    )


def broken_glass(clinic: Clinic, actor: Actor, day: date | None = None) -> list[GlassBroken]:
    """Return the records opened for a reason on a day, newest first.

    Args:
        clinic: For its day.
        actor: The supervisor.
        day: The clinic's day; today unless given.

    Raises:
        NotAllowedError: The role may not read the audit log.
    """
    actor.require(Permission.READ_AUDIT)
    day = day or clinic.today()
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return []
    begin = clock.start_of(day, clinic.zone)
    end = begin + timedelta(days=1)
    with connection():
        events = list(
            AuditEvent.select(AuditEvent, Account)
            .join(Account)
            .where(AuditEvent.action == "glass_broken", AuditEvent.at >= begin, AuditEvent.at < end)
            .order_by(AuditEvent.sequence.desc())
        )
        shown = {event.patient_id for event in events}
        patients = {row.id: row for row in Patient.select().where(Patient.id.in_(shown or {""}))}
    return [
        _glass_out(event, event.account, patients[event.patient_id])
        for event in events
        if event.account is not None and event.patient_id in patients
    ]


def _glass_out(event: AuditEvent, account: Account, patient: Patient) -> GlassBroken:
    return GlassBroken(
        at=event.at,
        username=account.username,
        name=account.name,
        role=Role(account.role),
        origin=event.origin,
        patient_id=patient.id,
        patient_name=patient.name,
        medical_record_number=patient.medical_record_number,
        code=AccessReason(event.detail.get("code", AccessReason.OTHER)),
        reason=event.detail.get("reason", ""),
        purpose=event.detail.get("purpose", ""),
    )
