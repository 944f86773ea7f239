"""The contact of a visit with one cluster: begun with its first entry, corrected with its earlier version kept.

Who may do so, and until when, is decided before by `core.records.access`.
"""

from __future__ import annotations

from typing import Any

from core.foundation import audit, clock
from core.foundation.clinic import Clinic
from core.foundation.errors import ConflictError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.models import Encounter, EncounterVersion, Visit
from core.records.access import OpenContact, Purpose, open_contact
from core.schemas.record import NO_REASON, EncounterFields, StatedReason

VERSIONED = ("vitals", "subjective", "objective", "assessment", "plan", "form", "disposition", "signed_at")


def contact_to_write(
    clinic: Clinic,
    actor: Actor,
    visit: Visit,
    purpose: Purpose = Purpose.WRITE,
    reason: StatedReason = NO_REASON,
) -> Encounter:
    """Return the actor's contact with this visit, begun if need be.

    Args:
        clinic: For the time that a record can be corrected in.
        actor: The clinician, or the laboratory.
        visit: The visit.
        purpose: What is written: a note, an order, a letter.
        reason: Why a record outside the actor's own queue is opened, for a letter.

    Raises:
        NotAllowedError: As `core.records.access.open_contact`.
        ValidationError: `cluster`: the visit was never in one of the actor's.
        RuleError: `record_locked`.
    """
    opened = open_contact(clinic, actor, visit, purpose, reason=reason)
    return opened.encounter or _begin(actor, opened, EncounterFields())


def write(actor: Actor, opened: OpenContact, fields: EncounterFields, *, as_author: bool = True) -> Encounter:
    """Begin a contact, or correct it and keep its earlier version.

    Args:
        actor: The clinician, or the nurse.
        opened: What the gate let through, to write in.
        fields: The note.
        as_author: Whether the note is the actor's from now on; vital signs alone leave it to who wrote it.

    Raises:
        ConflictError: Someone corrected it meanwhile.
    """
    existing = opened.encounter
    if existing is None:
        return _begin(actor, opened, fields)
    values = _values(fields)
    # A form whose answers were all removed stays, empty: it may have been sent.
    values["form"] = {code: {} for code in existing.form} | fields.form
    if fields.expected_version is not None and existing.version != fields.expected_version:
        raise ConflictError(version=existing.version, changed_by=existing.practitioner.name)
    at = clock.now()
    _keep_version(actor, existing)
    Encounter.update(
        version=existing.version + 1,
        practitioner=actor.account_id if as_author else existing.practitioner_id,
        signed_at=at if fields.sign else existing.signed_at,
        **values,
    ).where(Encounter.id == existing.id).execute()
    reloaded: Encounter = Encounter.get_by_id(existing.id)
    return reloaded


def void_outcome(actor: Actor, visit: Visit, cluster: str) -> str | None:
    """Take back signature and outcome of a contact, as the undo of what ended it; its earlier version is kept.

    Args:
        actor: Actor of the undo.
        visit: The visit.
        cluster: Code of the cluster.

    Returns:
        The outcome that was taken back; None where there was none.
    """
    contact = Encounter.get_or_none(Encounter.visit == visit, Encounter.cluster == cluster)
    if contact is None or (contact.signed_at is None and contact.disposition is None):
        return None
    _keep_version(actor, contact)
    Encounter.update(version=contact.version + 1, signed_at=None, disposition=None).where(
        Encounter.id == contact.id
    ).execute()
    taken: str | None = contact.disposition
    audit.record(actor, "outcome_undone", "encounter", contact.id, visit.patient_id, outcome=taken)
    return taken


def _keep_version(actor: Actor, contact: Encounter) -> None:
    EncounterVersion.create(
        encounter=contact,
        version=contact.version,
        data={name: getattr(contact, name) for name in VERSIONED},
        changed_at=clock.now(),
        changed_by=actor.account_id,
    )


def _begin(actor: Actor, opened: OpenContact, fields: EncounterFields) -> Encounter:
    at = clock.now()
    created: Encounter = Encounter.create(
        id=new_id(),
        visit=opened.visit,
        cluster=opened.cluster,
        practitioner=actor.account_id,
        started_at=at,
        entered_at=at,
        signed_at=at if fields.sign else None,
        **_values(fields),
    )
    audit.record(actor, "contact_begun", "encounter", created.id, opened.visit.patient_id)
    return created


def _values(fields: EncounterFields) -> dict[str, Any]:
    return {
        "vitals": fields.vitals,
        "subjective": fields.subjective,
        "objective": fields.objective,
        "assessment": fields.assessment,
        "plan": fields.plan,
        "form": fields.form,
        "disposition": fields.disposition,
    }
