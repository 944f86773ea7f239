"""The one gate to the clinical record: who may read, write, strike, order, result, dispense, and until when.

*Reading*: a patient in a queue of one of the actor's own clusters today opens the whole record, other clusters'
notes included. Any other record asks for a reason (break-glass), which is audited and listed for the
supervisor. *Writing* of any kind: only on the contact to which the thing belongs, of a cluster in which the
visit really was, and only for a set time after entry (48 hours by default, PMK 24/2022 art. 30). Afterwards
addenda, or a correction that the supervisor has released.

Every function of the record goes through `open_contact` or, where there is no visit, `open_patient`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.foundation import audit, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Permission
from core.foundation.errors import NotAllowedError, NotFoundError, RuleError, ValidationError
from core.foundation.permissions import Actor
from core.models import Encounter, QueueEntry, RecordRelease, Visit
from core.queues import service_days
from core.queues.entries import present
from core.schemas.record import NO_REASON, StatedReason


class Purpose(StrEnum):
    """Purpose for which a record is opened."""

    READ = "read"
    WRITE = "write"
    VITALS = "vitals"
    """The vital signs of a note alone."""
    STRIKE = "strike"
    ORDER = "order"
    RESULT = "result"
    DISPENSE = "dispense"
    ADDENDUM = "addendum"
    LETTER = "letter"
    ALLERGY = "allergy"
    COPY = "copy"
    """The patient's own copy, which holds whole notes."""


RIGHTS: dict[Purpose, tuple[Permission, ...]] = {
    Purpose.READ: (Permission.READ_RECORDS,),
    Purpose.WRITE: (Permission.WRITE_RECORDS,),
    Purpose.VITALS: (Permission.WRITE_VITALS,),
    Purpose.STRIKE: (Permission.WRITE_RECORDS,),
    Purpose.ORDER: (Permission.WRITE_RECORDS, Permission.ENTER_RESULTS),
    Purpose.RESULT: (Permission.ENTER_RESULTS,),
    Purpose.DISPENSE: (Permission.DISPENSE,),
    Purpose.ADDENDUM: (Permission.WRITE_RECORDS,),
    Purpose.LETTER: (Permission.WRITE_RECORDS,),
    Purpose.ALLERGY: (Permission.WRITE_RECORDS,),
    Purpose.COPY: (Permission.READ_NOTES,),
}
"""The rights of which one opens a record for a purpose."""


@dataclass(frozen=True)
class OpenContact:
    """Contact that the gate lets through."""

    visit: Visit
    cluster: str
    """The cluster of the contact; empty where the whole visit is read."""
    encounter: Encounter | None
    """The contact; None before its first entry, and where the whole visit is read."""
    is_readable: bool
    """Whether the answer may carry the whole note, also what others wrote."""


def require_right(actor: Actor, purpose: Purpose) -> None:
    """Refuse a role that may not open records for a purpose.

    Raises:
        NotAllowedError: It has none of the rights.
    """
    if not any(actor.can(right) for right in RIGHTS[purpose]):
        raise NotAllowedError(RIGHTS[purpose][0])


def find_visit(visit_id: str) -> Visit:
    """Return a visit by its id.

    Raises:
        NotFoundError: There is no such visit.
    """
    visit: Visit | None = Visit.get_or_none(Visit.id == visit_id)
    if visit is None:
        raise NotFoundError("visit", visit_id)
    return visit


def is_own_patient(clinic: Clinic, actor: Actor, patient_id: str) -> bool:
    """Return whether a patient is in one of the queues of the actor's clusters, or was on its present service day.

    Args:
        clinic: For its days.
        actor: Actor who works the clusters.
        patient_id: The patient.
    """
    here = present(QueueEntry.select().join(Visit), service_days.present_days(clinic))
    own = here.where(Visit.patient == patient_id, QueueEntry.cluster.in_(actor.clusters or [""]))
    return bool(own.exists())


def open_patient(
    clinic: Clinic,
    actor: Actor,
    patient_id: str,
    purpose: Purpose = Purpose.READ,
    reason: StatedReason = NO_REASON,
) -> None:
    """Open a patient's whole record, or refuse; outside one's own queue for a reason that is kept.

    Args:
        clinic: For its day.
        actor: Actor who reads.
        patient_id: The patient.
        purpose: What for; its right is needed.
        reason: Why, outside the actor's own queue.

    Raises:
        NotAllowedError: The right is missing; `reason_required` outside one's own queue.

    Side effects: a reason that was needed goes into the audit log as `glass_broken`.
    """
    require_right(actor, purpose)
    if is_own_patient(clinic, actor, patient_id):
        return
    if not reason.is_given:
        raise NotAllowedError(Permission.READ_RECORDS, code="reason_required")
    facts = {"reason": reason.words, "code": reason.code.value, "purpose": purpose.value}
    audit.record(actor, "glass_broken", "patient", patient_id, patient_id, **facts)


def open_contact(
    clinic: Clinic,
    actor: Actor,
    visit: Visit,
    purpose: Purpose,
    *,
    cluster: str | None = None,
    contact: Encounter | None = None,
    recorded_at: datetime | None = None,
    reason: StatedReason = NO_REASON,
) -> OpenContact:
    """Open a visit's record for one purpose, or refuse.

    Args:
        clinic: For its day, and the time that a record can be corrected in.
        actor: Actor of the step.
        visit: The visit.
        purpose: What for.
        cluster: Code of the cluster to write in; the visit's newest one of the actor's unless given.
        contact: The contact to which the thing belongs that is struck, resulted or added to.
        recorded_at: When the result that is overwritten was first entered; None: there is none.
        reason: Why a record outside the actor's own queue is opened.

    Raises:
        NotAllowedError: The right, or the contact's cluster, is not the actor's; `reason_required`.
        ValidationError: `cluster`: not one of the actor's (`not_yours`), or never visited (`not_visited`).
        RuleError: `record_locked`: too late to correct.
    """
    require_right(actor, purpose)
    request = _Request(clinic, actor, visit, purpose, cluster, contact, recorded_at, reason)
    return _OPENERS[purpose](request)


def open_work(
    clinic: Clinic,
    actor: Actor,
    visit: Visit,
    purpose: Purpose,
    done_at: Sequence[datetime | None],
    reason: StatedReason = NO_REASON,
) -> None:
    """Open what was ordered at a visit for those who carry it out, or refuse.

    An order sends them as long as it waits, and for the time of corrections after it was carried out; so does the
    patient in their own queue today. Anything else needs a reason.

    Args:
        clinic: For its day, and the time that a record can be corrected in.
        actor: The laboratory or the pharmacy.
        visit: The visit.
        purpose: `RESULT` or `DISPENSE`.
        done_at: When each order was carried out; None while it waits.
        reason: Why, where neither sends them.

    Raises:
        NotAllowedError: The right is missing; `reason_required`.
    """
    require_right(actor, purpose)
    if not any(at is None or not _is_over(clinic, at) for at in done_at):
        open_patient(clinic, actor, visit.patient_id, purpose, reason)


@dataclass(frozen=True)
class _Request:
    """The arguments of `open_contact`."""

    clinic: Clinic
    actor: Actor
    visit: Visit
    purpose: Purpose
    cluster: str | None
    contact: Encounter | None
    recorded_at: datetime | None
    reason: StatedReason

    def open_patient(self) -> None:
        open_patient(self.clinic, self.actor, self.visit.patient_id, self.purpose, self.reason)

    def is_own_patient(self) -> bool:
        return is_own_patient(self.clinic, self.actor, self.visit.patient_id)

    def given_contact(self) -> Encounter:
        if self.contact is None or self.contact.visit_id != self.visit.id:
            raise NotFoundError("encounter", self.visit.id)
        return self.contact


def _open_whole(request: _Request) -> OpenContact:
    request.open_patient()
    return OpenContact(request.visit, "", None, is_readable=True)


def _open_own(request: _Request) -> OpenContact:
    """Open the contact of the actor's own cluster, which the visit has; it may not have begun yet."""
    cluster = _own_cluster(request.actor, request.visit, request.cluster)
    contact = Encounter.get_or_none(Encounter.visit == request.visit, Encounter.cluster == cluster)
    _require_unlocked(request.clinic, request.visit, cluster, contact)
    return OpenContact(request.visit, cluster, contact, request.is_own_patient())


def _open_letter(request: _Request) -> OpenContact:
    """Open one's own contact for a letter, which also says what other clusters found."""
    own = _open_own(request)
    request.open_patient()
    return own


def _open_struck(request: _Request) -> OpenContact:
    contact = request.given_contact()
    if contact.cluster not in request.actor.clusters:
        raise NotAllowedError(f"{Permission.WRITE_RECORDS}:{contact.cluster}")
    _require_unlocked(request.clinic, request.visit, contact.cluster, contact)
    return OpenContact(request.visit, contact.cluster, contact, request.is_own_patient())


def _open_ordered(request: _Request) -> OpenContact:
    """Open what a clinician ordered or prescribed, for those who carry it out.

    The order itself sends them: the patient need not have come to their queue yet. A result can be
    corrected as long as the contact, or for the same time after its first entry.
    """
    contact = request.given_contact()
    if request.recorded_at is not None and _is_over(request.clinic, request.recorded_at):
        _require_unlocked(request.clinic, request.visit, contact.cluster, contact)
    return OpenContact(request.visit, contact.cluster, contact, is_readable=False)


def _open_addendum(request: _Request) -> OpenContact:
    """Open a contact for an addendum: one's own note, or one that may be read."""
    contact = request.given_contact()
    if contact.practitioner_id == request.actor.account_id and not request.reason.is_given:
        return OpenContact(request.visit, contact.cluster, contact, request.is_own_patient())
    request.open_patient()
    return OpenContact(request.visit, contact.cluster, contact, is_readable=True)


_OPENERS: dict[Purpose, Callable[[_Request], OpenContact]] = {
    Purpose.READ: _open_whole,
    Purpose.ALLERGY: _open_whole,
    Purpose.WRITE: _open_own,
    Purpose.VITALS: _open_own,
    Purpose.ORDER: _open_own,
    Purpose.LETTER: _open_letter,
    Purpose.STRIKE: _open_struck,
    Purpose.RESULT: _open_ordered,
    Purpose.DISPENSE: _open_ordered,
    Purpose.ADDENDUM: _open_addendum,
}


def _entries_in(visit: Visit, clusters: tuple[str, ...]) -> list[QueueEntry]:
    """Return the visit's queue entries in some clusters, newest first; those taken back do not count."""
    rows = QueueEntry.select().where(
        QueueEntry.visit == visit, QueueEntry.cluster.in_(clusters or [""]), QueueEntry.voided_at.is_null()
    )
    return list(rows.order_by(QueueEntry.started_at.desc()))


def _own_cluster(actor: Actor, visit: Visit, wanted: str | None) -> str:
    """Return the actor's cluster in which the visit is written: the wanted one, or the visit's newest.

    Raises:
        ValidationError: `cluster`: `not_yours`, or `not_visited`.
    """
    if wanted is not None and wanted not in actor.clusters:
        raise ValidationError({"cluster": "not_yours"})
    visited = _entries_in(visit, actor.clusters if wanted is None else (wanted,))
    if not visited:
        raise ValidationError({"cluster": "not_yours" if wanted is None else "not_visited"})
    return visited[0].cluster


# The time for corrections


def is_locked(clinic: Clinic, contact: Encounter) -> bool:
    """Return whether the time for corrections is over, and nobody has released the record."""
    return _is_over(clinic, contact.entered_at) and not _is_released(contact.visit_id, contact.cluster)


def _is_over(clinic: Clinic, since: datetime) -> bool:
    return bool(clock.now() >= since + timedelta(hours=clinic.settings.lock_hours))


def _is_released(visit_id: str, cluster: str) -> bool:
    return (
        RecordRelease.select()
        .where(
            RecordRelease.visit == visit_id,
            RecordRelease.until > clock.now(),
            RecordRelease.cluster.is_null() | (RecordRelease.cluster == cluster),
        )
        .exists()
    )


def _require_unlocked(clinic: Clinic, visit: Visit, cluster: str, contact: Encounter | None) -> None:
    """Refuse to write in a contact after its time.

    One that was never begun counts from the time when the patient left the cluster, so that an old
    visit gets no new notes.

    Raises:
        RuleError: `record_locked`: too late to correct; an addendum is possible.
    """
    since = contact.entered_at if contact is not None else _left_at(visit, cluster)
    if _is_over(clinic, since) and not _is_released(visit.id, cluster):
        raise RuleError("record_locked", hours=clinic.settings.lock_hours)


def _left_at(visit: Visit, cluster: str) -> datetime:
    """Return when the patient left a cluster; now while they are there."""
    return max(entry.ended_at or clock.now() for entry in _entries_in(visit, (cluster,)))
