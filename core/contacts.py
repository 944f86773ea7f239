"""One contact of a visit with one cluster: who may open it, who may write it, and until when.

A record can be corrected for a set time after entry (48 hours by default, PMK 24/2022 art. 30);
afterwards only addenda are possible. Every correction keeps the earlier version.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from core import clock
from core.actors import Actor
from core.clinic import Clinic
from core.errors import ConflictError, NotAllowedError, NotFoundError, RuleError, ValidationError
from core.identifiers import new_id
from core.models import Encounter, EncounterVersion, QueueEntry, Visit
from core.schemas.record import EncounterFields
from core.vocabulary import Permission

VERSIONED = ("vitals", "subjective", "objective", "assessment", "plan", "form", "disposition", "signed_at")


def find_visit(visit_id: str) -> Visit:
    """A visit by its id.

    Raises:
        NotFoundError: No such visit.
    """
    visit: Visit | None = Visit.get_or_none(Visit.id == visit_id)
    if visit is None:
        raise NotFoundError("visit", visit_id)
    return visit


def require_own_or_reason(actor: Actor, patient_id: str, reason: str, day: date) -> None:
    """Refuse to open a record of a patient who is not in the actor's queue, unless a reason is given.

    Break-glass: the reason goes into the audit log, where it is looked at.

    Raises:
        NotAllowedError: The role does not read records, or `reason_required`.
    """
    actor.require(Permission.READ_RECORDS)
    own = (
        QueueEntry.select()
        .join(Visit)
        .where(
            Visit.patient == patient_id,
            QueueEntry.service_on == day,
            QueueEntry.cluster.in_(actor.clusters or [""]),
            QueueEntry.voided_at.is_null(),
        )
    )
    if not own.exists() and not reason.strip():
        raise NotAllowedError(Permission.READ_RECORDS, code="reason_required")


def is_locked(clinic: Clinic, encounter: Encounter) -> bool:
    """Whether it is too late to correct."""
    return bool(clock.now() >= encounter.entered_at + timedelta(hours=clinic.settings.lock_hours))


def require_unlocked(clinic: Clinic, encounter: Encounter) -> None:
    """Go on, or refuse.

    Raises:
        RuleError: `record_locked`: too late to correct; an addendum is possible.
    """
    if is_locked(clinic, encounter):
        raise RuleError("record_locked", hours=clinic.settings.lock_hours)


def cluster_of(actor: Actor, visit: Visit, wanted: str | None = None) -> str:
    """The actor's cluster that a contact belongs to: the one asked for, or the visit's newest.

    Raises:
        ValidationError: `cluster`: `not_yours`.
    """
    if wanted is None:
        row = (
            QueueEntry.select(QueueEntry.cluster)
            .where(
                QueueEntry.visit == visit,
                QueueEntry.cluster.in_(actor.clusters or [""]),
                QueueEntry.voided_at.is_null(),
            )
            .order_by(QueueEntry.started_at.desc())
            .first()
        )
        wanted = row.cluster if row else None
    if wanted is None or wanted not in actor.clusters:
        raise ValidationError({"cluster": "not_yours"})
    return wanted


def contact_to_write(clinic: Clinic, actor: Actor, visit: Visit) -> Encounter:
    """The actor's contact with this visit, begun if need be.

    Raises:
        ValidationError: `cluster`: the visit was never in one of the actor's.
        RuleError: `record_locked`.
    """
    cluster = cluster_of(actor, visit)
    existing: Encounter | None = Encounter.get_or_none(Encounter.visit == visit, Encounter.cluster == cluster)
    if existing is None:
        return write_contact(clinic, actor, visit, cluster, EncounterFields())
    require_unlocked(clinic, existing)
    return existing


def write_contact(
    clinic: Clinic, actor: Actor, visit: Visit, cluster: str, fields: EncounterFields
) -> Encounter:
    """Begin a contact, or correct it and keep what it said before.

    Raises:
        ConflictError: Someone corrected it meanwhile.
        RuleError: `record_locked`.
    """
    at = clock.now()
    values: dict[str, Any] = {
        "vitals": fields.vitals,
        "subjective": fields.subjective,
        "objective": fields.objective,
        "assessment": fields.assessment,
        "plan": fields.plan,
        "form": fields.form,
        "disposition": fields.disposition,
    }
    existing = Encounter.get_or_none(Encounter.visit == visit, Encounter.cluster == cluster)
    if existing is None:
        created: Encounter = Encounter.create(
            id=new_id(),
            visit=visit,
            cluster=cluster,
            practitioner=actor.account_id,
            started_at=at,
            entered_at=at,
            signed_at=at if fields.sign else None,
            **values,
        )
        return created
    require_unlocked(clinic, existing)
    # A form that was answered and is no more stays, empty: it may have been sent.
    values["form"] = {code: {} for code in existing.form} | fields.form
    if fields.expected_version is not None and existing.version != fields.expected_version:
        raise ConflictError(version=existing.version, changed_by=existing.practitioner.name)
    EncounterVersion.create(
        encounter=existing,
        version=existing.version,
        data={name: getattr(existing, name) for name in VERSIONED},
        changed_at=at,
        changed_by=actor.account_id,
    )
    Encounter.update(
        version=existing.version + 1,
        practitioner=actor.account_id,
        signed_at=at if fields.sign else existing.signed_at,
        **values,
    ).where(Encounter.id == existing.id).execute()
    reloaded: Encounter = Encounter.get_by_id(existing.id)
    return reloaded
