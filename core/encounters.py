"""The clinical record as clinicians read and write it: timeline, visit, SOAP note, addenda."""

from __future__ import annotations

from peewee import fn

from core import (
    audit,
    clock,
    diagnoses,
    feed,
    forms,
    laboratory,
    outbox,
    patients,
    prescribing,
    procedures,
    vitals,
)
from core.actors import Actor
from core.clinic import Clinic
from core.contacts import cluster_of, find_visit, is_locked, require_own_or_reason, write_contact
from core.database import connection, transaction
from core.errors import NotFoundError, ValidationError
from core.identifiers import new_id
from core.models import (
    Account,
    Addendum,
    Diagnosis,
    Encounter,
    Letter,
    Order,
    Prescription,
    Procedure,
    QueueEntry,
    Visit,
)
from core.queue_views import load_entry, shape_of
from core.schemas.record import (
    EncounterFields,
    EncounterShape,
    LetterShape,
    PreviousValue,
    VisitShape,
    VisitSummary,
)
from core.vocabulary import Disposition, Payer, Permission

LOOKED_BACK = 10
"""So many earlier contacts are searched for previous values."""
LASTING = (
    "A15", "A16", "E10", "E11", "E14", "G40", "I10", "I11", "I20", "I25", "I50", "I64", "I69", "J44", "J45",
    "N18", "Z94",
)  # fmt: skip
"""ICD-10 categories that the next clinician must know of, whatever the patient comes for."""


def history(clinic: Clinic, actor: Actor, patient_id: str, reason: str = "") -> list[VisitSummary]:
    """A patient's visits, newest first, one line each.

    Raises:
        NotAllowedError: `reason_required` outside one's own queue.
    """
    with connection():
        patient = patients.find(patient_id)
        require_own_or_reason(actor, patient.id, reason, clinic.today())
        visits = list(
            Visit.select()
            .where(Visit.patient == patient, Visit.voided_at.is_null())
            .order_by(Visit.started_at.desc())
        )
        ids = [visit.id for visit in visits]
        found: dict[str, list[str]] = {}
        for row in (
            Diagnosis.select()
            .where(Diagnosis.visit.in_(ids), Diagnosis.voided_at.is_null())
            .order_by(Diagnosis.rank)
        ):
            found.setdefault(row.visit_id, []).append(f"{row.code} {row.title}")
        clusters: dict[str, list[str]] = {}
        for entry in (
            QueueEntry.select(QueueEntry.visit, QueueEntry.cluster)
            .where(QueueEntry.visit.in_(ids), QueueEntry.voided_at.is_null())
            .order_by(QueueEntry.started_at)
        ):
            path = clusters.setdefault(entry.visit_id, [])
            if not path or path[-1] != entry.cluster:
                path.append(entry.cluster)
        audit.record(
            actor, "history_read", "patient", patient.id, patient.id, **({"reason": reason} if reason else {})
        )
    return [
        VisitSummary(
            id=visit.id,
            service_on=visit.service_on,
            status=visit.status,
            chief_complaint=visit.chief_complaint,
            clusters=clusters.get(visit.id, []),
            diagnoses=found.get(visit.id, []),
        )
        for visit in visits
    ]


def read_visit(clinic: Clinic, actor: Actor, visit_id: str, reason: str = "") -> VisitShape:
    """A visit with its whole record; the read is audited.

    Raises:
        NotFoundError: No such visit.
        NotAllowedError: The role may not read records, or `reason_required` outside one's own queue.
    """
    with connection():
        visit = find_visit(visit_id)
        require_own_or_reason(actor, visit.patient_id, reason, clinic.today())
        audit.record(
            actor, "visit_read", "visit", visit.id, visit.patient_id, **({"reason": reason} if reason else {})
        )
        return _visit_shape(clinic, visit)


def _visit_shape(clinic: Clinic, visit: Visit) -> VisitShape:
    entries = [
        shape_of(load_entry(row.id))
        for row in QueueEntry.select(QueueEntry.id)
        .where(QueueEntry.visit == visit, QueueEntry.voided_at.is_null())
        .order_by(QueueEntry.started_at)
    ]
    contacts = Encounter.select().where(Encounter.visit == visit).order_by(Encounter.started_at)
    standing = (Diagnosis.visit == visit) & Diagnosis.voided_at.is_null()
    done = (Procedure.visit == visit) & Procedure.voided_at.is_null()
    medicines = Prescription.select().where(Prescription.visit == visit).order_by(Prescription.prescribed_at)
    tests = Order.select().where(Order.visit == visit).order_by(Order.ordered_at)
    letters = Letter.select().where(Letter.visit == visit).order_by(Letter.issued_at)
    return VisitShape(
        id=visit.id,
        patient=patients.shape(clinic, visit.patient),
        service_on=visit.service_on,
        status=visit.status,
        chief_complaint=visit.chief_complaint,
        payer=Payer(visit.payer),
        pregnant=visit.pregnant,
        routing=visit.routing,
        override_reason=visit.override_reason,
        disposition=Disposition(visit.disposition) if visit.disposition else None,
        entries=entries,
        encounters=[_encounter_shape(clinic, row) for row in contacts],
        diagnoses=[
            diagnoses.shape(row) for row in Diagnosis.select().where(standing).order_by(Diagnosis.rank)
        ],
        procedures=[
            procedures.shape(row) for row in Procedure.select().where(done).order_by(Procedure.performed_at)
        ],
        prescriptions=[prescribing.shape(row) for row in medicines],
        orders=[laboratory.shape(row) for row in tests],
        letters=[
            LetterShape(id=row.id, kind=row.kind, number=row.number, text=row.text, issued_at=row.issued_at)
            for row in letters
        ],
        previous=_previous(visit),
        alerts=_alerts(visit),
    )


def _previous(visit: Visit) -> dict[str, PreviousValue]:
    """The newest earlier number of each vital sign and form field, for beside the field."""
    earlier = (
        Encounter.select(Encounter, Visit)
        .join(Visit)
        .where(
            Visit.patient == visit.patient_id,
            Visit.id != visit.id,
            Visit.started_at < visit.started_at,
            Visit.voided_at.is_null(),
        )
        .order_by(Encounter.started_at.desc())
        .limit(LOOKED_BACK)
    )
    found: dict[str, PreviousValue] = {}
    for contact in earlier:
        answers = {name: value for form in contact.form.values() for name, value in form.items()}
        for name, value in {**answers, **contact.vitals}.items():
            found.setdefault(name, PreviousValue(value=value, service_on=contact.visit.service_on))
    return found


def _alerts(visit: Visit) -> list[str]:
    """Lasting illnesses from earlier visits: `I10 Hipertensi`."""
    rows = (
        Diagnosis.select(Diagnosis.code, Diagnosis.title)
        .join(Visit)
        .where(
            Visit.patient == visit.patient_id,
            Visit.id != visit.id,
            Visit.voided_at.is_null(),
            Diagnosis.voided_at.is_null(),
            fn.SUBSTR(Diagnosis.code, 1, 3).in_(LASTING),
        )
        .order_by(Diagnosis.recorded_at.desc())
        .limit(100)
    )
    newest: dict[str, str] = {}
    for row in rows:
        newest.setdefault(row.code[:3], f"{row.code} {row.title}")
    return [newest[category] for category in sorted(newest)]


def _encounter_shape(clinic: Clinic, row: Encounter) -> EncounterShape:
    age_days = (row.visit.service_on - row.visit.patient.birth_date).days
    return EncounterShape(
        id=row.id,
        cluster=row.cluster,
        practitioner=row.practitioner.name,
        version=row.version,
        vitals=row.vitals,
        vitals_warnings=vitals.warnings(row.vitals, age_days),
        subjective=row.subjective,
        objective=row.objective,
        assessment=row.assessment,
        plan=row.plan,
        form=row.form,
        disposition=Disposition(row.disposition) if row.disposition else None,
        entered_at=row.entered_at,
        signed_at=row.signed_at,
        locked=is_locked(clinic, row),
        addenda=[
            f"{addendum.written_by.name}: {addendum.text}"
            for addendum in Addendum.select(Addendum, Account)
            .join(Account)
            .where(Addendum.encounter == row)
            .order_by(Addendum.written_at)
        ],
    )


def write_encounter(clinic: Clinic, actor: Actor, visit_id: str, fields: EncounterFields) -> EncounterShape:
    """Write the SOAP note of one contact, or correct it.

    Raises:
        ValidationError: A vital or an answer of a form is impossible, or `cluster` is not one of the actor's.
        ConflictError: Someone corrected it meanwhile.
        RuleError: `record_locked`: too late to correct; an addendum is possible.
    """
    actor.require(Permission.WRITE_RECORDS)
    with transaction():
        visit = find_visit(visit_id)
        cluster = cluster_of(actor, visit, fields.cluster)
        vitals.check(fields.vitals)
        answers = forms.check_answers(clinic.forms, fields.form, visit.service_on)
        fields = fields.model_copy(update={"form": answers})
        encounter = write_contact(clinic, actor, visit, cluster, fields)
        outbox.put("visit", visit.id)
        if fields.disposition is not None:
            Visit.update(disposition=fields.disposition).where(Visit.id == visit.id).execute()
        audit.record(actor, "encounter_written", "encounter", encounter.id, visit.patient_id, cluster=cluster)
        feed.append("encounter", cluster=cluster, visit_id=visit.id)
        return _encounter_shape(clinic, encounter)


def add_addendum(clinic: Clinic, actor: Actor, visit_id: str, text: str) -> EncounterShape:
    """Add a note to a record, locked or not.

    Raises:
        ValidationError: `text` is empty.
        NotFoundError: The visit has no record yet.
    """
    actor.require(Permission.WRITE_RECORDS)
    if not text.strip():
        raise ValidationError({"text": "required"})
    with transaction():
        visit = find_visit(visit_id)
        encounter = (
            Encounter.select().where(Encounter.visit == visit).order_by(Encounter.started_at.desc()).first()
        )
        if encounter is None:
            raise NotFoundError("encounter", visit_id)
        Addendum.create(
            id=new_id(),
            encounter=encounter,
            text=text.strip(),
            written_at=clock.now(),
            written_by=actor.account_id,
        )
        outbox.put("visit", visit.id)
        audit.record(actor, "addendum_written", "encounter", encounter.id, visit.patient_id)
        return _encounter_shape(clinic, encounter)
