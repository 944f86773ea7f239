"""The clinical record: timeline, visit, SOAP note, addenda."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from peewee import fn

from core.exchange import outbox
from core.foundation import audit, clock, feed
from core.foundation.ages import age_in_days
from core.foundation.clinic import Clinic
from core.foundation.codes import Disposition, Payer, Permission, Sex
from core.foundation.database import connection, transaction
from core.foundation.errors import NotAllowedError, NotFoundError, ValidationError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.models import (
    Account,
    Addendum,
    BpjsVisit,
    Diagnosis,
    Encounter,
    Immunisation,
    LateEntry,
    Letter,
    Order,
    Prescription,
    Procedure,
    QueueEntry,
    Visit,
)
from core.orders import diagnoses, immunisations, laboratory, prescribing, procedures
from core.patients import service as patients
from core.patients import views as patient_views
from core.queues import outcomes
from core.queues.entries import load_shown_entry
from core.queues.views import entry_row_out, for_actor
from core.records import contacts, forms, letters, return_dates, vital_signs
from core.records.access import (
    OpenContact,
    Purpose,
    find_visit,
    is_locked,
    open_contact,
    open_patient,
    require_right,
)
from core.records.pcare_needs import non_specialist
from core.records.vital_signs import VITALS
from core.schemas.record import (
    NO_REASON,
    AddendumFields,
    BreastfeedingFields,
    EncounterFields,
    EncounterOut,
    LateEntryOut,
    PreviousValue,
    StatedReason,
    VisitOut,
    VisitSummary,
)

LOOKED_BACK = 10
"""Earlier contacts that are searched for previous values."""
LASTING = (
    "A15", "A16", "E10", "E11", "E14", "G40", "I10", "I11", "I20", "I25", "I50", "I64", "I69", "J44", "J45",
    "N18", "Z94",
)  # fmt: skip
"""ICD-10 categories that the next clinician must know of, whatever the complaint."""
LASTING_ROWS = 100  # newest lasting diagnoses that are read
NOTE_FIELDS = ("subjective", "objective", "assessment", "plan", "form", "disposition")
VITALS_ONLY = frozenset({"cluster", "expected_version", "vitals"})
"""Fields of a note that a nurse may send."""
BODY_SIZE = frozenset({"weight", "height"})
"""The vital signs that laboratory and pharmacy need: doses and ranges depend on them."""


def history(
    clinic: Clinic, actor: Actor, patient_id: str, reason: StatedReason = NO_REASON
) -> list[VisitSummary]:
    """Return a patient's visits, newest first, one line each; the read is audited.

    Roles that do not read notes see when and where, not why.

    Args:
        clinic: The clinic.
        actor: Actor who reads.
        patient_id: The patient.
        reason: Reason to read outside the actor's own queue.

    Raises:
        NotFoundError: There is no such patient.
        NotAllowedError: `reason_required` outside one's own queue.
    """
    require_right(actor, Purpose.READ)
    with connection():
        patient = patients.find(patient_id)
        open_patient(clinic, actor, patient.id, reason=reason)
        visits = list(
            Visit.select()
            .where(Visit.patient == patient, Visit.voided_at.is_null())
            .order_by(Visit.started_at.desc())
        )
        ids = [visit.id for visit in visits]
        found = _diagnoses_by_visit(ids)
        paths = _paths_by_visit(ids)
        audit.record(actor, "history_read", "patient", patient.id, patient.id, **_kept_reason(reason))
    reads_notes = actor.can(Permission.READ_NOTES)
    return [
        VisitSummary(
            id=visit.id,
            service_on=visit.service_on,
            status=visit.status,
            chief_complaint=visit.chief_complaint if reads_notes else "",
            clusters=paths.get(visit.id, []),
            diagnoses=found.get(visit.id, []) if reads_notes else [],
        )
        for visit in visits
    ]


def _kept_reason(reason: StatedReason) -> dict[str, str]:
    """Return the detail of an audit event: the reason as it was given, if one was."""
    return {"reason": reason.words} if reason.words else {}


def _diagnoses_by_visit(visit_ids: list[str]) -> dict[str, list[str]]:
    """Return visit id -> diagnoses, the main one first: `I10 Hipertensi`."""
    rows = Diagnosis.select().where(Diagnosis.visit.in_(visit_ids), Diagnosis.voided_at.is_null())
    found: dict[str, list[str]] = {}
    for row in rows.order_by(Diagnosis.rank):
        found.setdefault(row.visit_id, []).append(f"{row.code} {row.title}")
    return found


def _paths_by_visit(visit_ids: list[str]) -> dict[str, list[str]]:
    """Return visit id -> codes of the clusters passed through, in order."""
    rows = QueueEntry.select(QueueEntry.visit, QueueEntry.cluster).where(
        QueueEntry.visit.in_(visit_ids), QueueEntry.voided_at.is_null()
    )
    paths: dict[str, list[str]] = {}
    for entry in rows.order_by(QueueEntry.started_at):
        path = paths.setdefault(entry.visit_id, [])
        if not path or path[-1] != entry.cluster:
            path.append(entry.cluster)
    return paths


def read_visit(clinic: Clinic, actor: Actor, visit_id: str, reason: StatedReason = NO_REASON) -> VisitOut:
    """Return a visit with its record, as far as the role sees it; the read is audited.

    Args:
        clinic: The clinic.
        actor: Actor who reads.
        visit_id: The visit.
        reason: Reason to read outside the actor's own queue.

    Raises:
        NotFoundError: There is no such visit.
        NotAllowedError: The role may not read records, or `reason_required` outside one's own queue.
    """
    require_right(actor, Purpose.READ)
    with connection():
        visit = find_visit(visit_id)
        open_contact(clinic, actor, visit, Purpose.READ, reason=reason)
        audit.record(actor, "visit_read", "visit", visit.id, visit.patient_id, **_kept_reason(reason))
        whole = _visit_out(clinic, visit)
    return whole if actor.can(Permission.READ_NOTES) else _without_notes(actor, whole)


def _without_notes(actor: Actor, visit: VisitOut) -> VisitOut:
    """Return a visit as laboratory, pharmacy and triage need it: no notes, no letters, no earlier illnesses."""
    shown = None if actor.can(Permission.WRITE_VITALS) else BODY_SIZE
    is_here = any(actor.sees_complaints(entry.cluster) for entry in visit.entries)
    return visit.model_copy(
        update={
            "chief_complaint": visit.chief_complaint if is_here else "",
            "routing": {},
            "override_reason": None,
            "entries": [for_actor(actor, entry) for entry in visit.entries],
            "encounters": [_without_note(contact, shown) for contact in visit.encounters],
            "procedures": [],
            "immunisations": [],
            "letters": [],
            "previous": {
                name: value
                for name, value in visit.previous.items()
                if name in (VITALS if shown is None else shown)
            },
            "alerts": [],
        }
    )


def _without_note(contact: EncounterOut, shown: Collection[str] | None = None) -> EncounterOut:
    """Return a contact with its vital signs alone, or those of them that are shown."""
    vitals = {name: value for name, value in contact.vitals.items() if shown is None or name in shown}
    return contact.model_copy(
        update={
            "vitals": vitals,
            "vitals_warnings": {
                name: each for name, each in contact.vitals_warnings.items() if name in vitals
            },
            "subjective": "",
            "objective": "",
            "assessment": "",
            "plan": "",
            "form": {},
            "addenda": [],
        }
    )


def _visit_out(clinic: Clinic, visit: Visit) -> VisitOut:
    entries = [
        entry_row_out(load_shown_entry(row.id))
        for row in QueueEntry.select(QueueEntry.id)
        .where(QueueEntry.visit == visit, QueueEntry.voided_at.is_null())
        .order_by(QueueEntry.started_at)
    ]
    contacts = Encounter.select().where(Encounter.visit == visit).order_by(Encounter.started_at)
    standing = (Diagnosis.visit == visit) & Diagnosis.voided_at.is_null()
    done = (Procedure.visit == visit) & Procedure.voided_at.is_null()
    given = (Immunisation.visit == visit) & Immunisation.voided_at.is_null()
    medicines = Prescription.select().where(Prescription.visit == visit).order_by(Prescription.prescribed_at)
    tests = Order.select().where(Order.visit == visit).order_by(Order.ordered_at)
    issued = Letter.select().where(Letter.visit == visit).order_by(Letter.issued_at)
    made = [
        diagnoses.diagnosis_out(row) for row in Diagnosis.select().where(standing).order_by(Diagnosis.rank)
    ]
    flags = non_specialist([one.code for one in made])
    return VisitOut(
        id=visit.id,
        patient=patient_views.patient_out(clinic, visit.patient),
        service_on=visit.service_on,
        status=visit.status,
        chief_complaint=visit.chief_complaint,
        payer=Payer(visit.payer),
        pregnant=visit.pregnant,
        breastfeeding=visit.breastfeeding,
        routing=visit.routing,
        override_reason=visit.override_reason,
        disposition=Disposition(visit.disposition) if visit.disposition else None,
        entries=entries,
        encounters=[_encounter_out(clinic, row) for row in contacts],
        diagnoses=[one.model_copy(update={"non_specialist": flags.get(one.code)}) for one in made],
        procedures=[
            procedures.procedure_out(row)
            for row in Procedure.select().where(done).order_by(Procedure.performed_at)
        ],
        immunisations=[
            immunisations.immunisation_out(row)
            for row in Immunisation.select().where(given).order_by(Immunisation.given_at)
        ],
        prescriptions=prescribing.seen_in_record(visit, list(medicines)),
        orders=laboratory.orders_out(list(tests)),
        letters=[letters.letter_out(row) for row in issued],
        previous=_previous(visit),
        alerts=_alerts(visit),
        late_entry=_late_entry(visit),
        return_date=return_dates.of_visit(visit.id),
        **_numbers_at_bpjs(visit),
    )


def _late_entry(visit: Visit) -> LateEntryOut | None:
    """Return what is known of a visit that was typed in from paper; None for any other."""
    late = LateEntry.get_or_none(LateEntry.visit == visit)
    if late is None:
        return None
    return LateEntryOut(
        arrived_at=late.arrived_at,
        written_by=late.written_by,
        paper_number=late.paper.number if late.paper is not None else "",
        entered_at=late.entered_at,
        entered_by=late.entered_by.name,
    )


def _numbers_at_bpjs(visit: Visit) -> dict[str, Any]:
    """Return the numbers that BPJS gave to a visit, and what it said of the patient."""
    held = BpjsVisit.get_or_none(BpjsVisit.visit == visit)
    return {
        "bpjs_registration": held.registration_number if held is not None else None,
        "bpjs_visit": held.visit_number if held is not None else None,
        "bpjs_back_referral": held.back_referral if held is not None else "",
    }


def _previous(visit: Visit) -> dict[str, PreviousValue]:
    """Return the newest earlier value of each vital sign and form field, shown beside the field."""
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
        values: dict[str, Any] = {}
        for answers in contact.form.values():
            values |= answers
        values |= contact.vitals
        for name, value in values.items():
            found.setdefault(name, PreviousValue(value=value, service_on=contact.visit.service_on))
    return found


def _alerts(visit: Visit) -> list[str]:
    """Return lasting illnesses from earlier visits: `I10 Hipertensi`."""
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
        .limit(LASTING_ROWS)
    )
    newest: dict[str, str] = {}
    for row in rows:
        newest.setdefault(row.code[:3], f"{row.code} {row.title}")
    return [newest[category] for category in sorted(newest)]


def _encounter_out(clinic: Clinic, row: Encounter) -> EncounterOut:
    age_days = age_in_days(row.visit.patient.birth_date, row.visit.service_on)
    return EncounterOut(
        id=row.id,
        cluster=row.cluster,
        practitioner=row.practitioner.name,
        version=row.version,
        vitals=row.vitals,
        vitals_warnings=vital_signs.warnings(row.vitals, age_days),
        subjective=row.subjective,
        objective=row.objective,
        assessment=row.assessment,
        plan=row.plan,
        form=row.form,
        disposition=Disposition(row.disposition) if row.disposition else None,
        entered_at=row.entered_at,
        signed_at=row.signed_at,
        locked=is_locked(clinic, row),
        addenda=_addenda(row),
    )


def _addenda(contact: Encounter, author: Actor | None = None) -> list[str]:
    """Return the addenda of a contact, of one author or of all: `drg. Maya Lestari: hasil foto`."""
    rows = Addendum.select(Addendum, Account).join(Account).where(Addendum.encounter == contact)
    if author is not None:
        rows = rows.where(Addendum.written_by == author.account_id)
    return [f"{row.written_by.name}: {row.text}" for row in rows.order_by(Addendum.written_at)]


def write_encounter(clinic: Clinic, actor: Actor, visit_id: str, fields: EncounterFields) -> EncounterOut:
    """Write the SOAP note of one contact, or correct it; a nurse writes its vital signs alone.

    Args:
        clinic: For its forms and the time that a record can be corrected in.
        actor: The clinician, or the nurse.
        visit_id: The visit.
        fields: The note.

    Raises:
        NotAllowedError: The role writes no records, or vital signs only and there is more.
        NotFoundError: There is no such visit.
        ValidationError: A vital or an answer of a form is impossible, or `cluster` is not one of the actor's
            (`not_yours`) or not one of the visit's (`not_visited`).
        ConflictError: Someone corrected it meanwhile.
        RuleError: `record_locked`: too late to correct; an addendum is possible.
    """
    writes_notes = actor.can(Permission.WRITE_RECORDS)
    purpose = Purpose.WRITE if writes_notes or not actor.can(Permission.WRITE_VITALS) else Purpose.VITALS
    require_right(actor, purpose)
    if not writes_notes and fields.model_fields_set - VITALS_ONLY:
        raise NotAllowedError(Permission.WRITE_RECORDS)
    with transaction():
        visit = find_visit(visit_id)
        opened = open_contact(clinic, actor, visit, purpose, cluster=fields.cluster)
        vital_signs.check(fields.vitals)
        if writes_notes:
            answers = forms.check_answers(clinic.forms, fields.form, visit.service_on)
            fields = fields.model_copy(update={"form": answers})
        elif opened.encounter is not None:
            fields = _with_note_of(opened.encounter, fields)
        encounter = contacts.write(actor, opened, fields, as_author=writes_notes)
        outbox.enqueue("visit", visit.id)
        if writes_notes:
            _keep_disposition(actor, encounter, fields.disposition)
        audit.record(
            actor, "encounter_written", "encounter", encounter.id, visit.patient_id, cluster=opened.cluster
        )
        feed.append("encounter", cluster=opened.cluster, visit_id=visit.id)
        return _answer(clinic, actor, opened, encounter)


def state_breastfeeding(
    clinic: Clinic, actor: Actor, visit_id: str, breastfeeding: bool | None
) -> BreastfeedingFields:
    """Record whether the patient breast-feeds: some medicines depend on it.

    Args:
        clinic: For its day, and the time that a record can be corrected in.
        actor: The clinician, or the nurse.
        visit_id: The visit.
        breastfeeding: As the patient said; None takes an answer back.

    Raises:
        NotAllowedError: The role writes neither notes nor vital signs.
        NotFoundError: There is no such visit.
        ValidationError: `breastfeeding`: the patient is a man (`for_women_only`); `cluster`: not one of the actor's.
        RuleError: `record_locked`.
    """
    purpose = Purpose.WRITE if actor.can(Permission.WRITE_RECORDS) else Purpose.VITALS
    require_right(actor, purpose)
    with transaction():
        visit = find_visit(visit_id)
        open_contact(clinic, actor, visit, purpose)
        if breastfeeding and visit.patient.sex == Sex.MALE:
            raise ValidationError({"breastfeeding": "for_women_only"})
        Visit.update(breastfeeding=breastfeeding).where(Visit.id == visit.id).execute()
        audit.record(
            actor, "breastfeeding_stated", "visit", visit.id, visit.patient_id, breastfeeding=breastfeeding
        )
        feed.append("prescription", visit_id=visit.id)
    return BreastfeedingFields(breastfeeding=breastfeeding)


def _with_note_of(contact: Encounter, fields: EncounterFields) -> EncounterFields:
    """Return the fields with new vital signs over those of a contact, and all else as it is there."""
    kept = {name: getattr(contact, name) for name in NOTE_FIELDS}
    return fields.model_copy(update={**kept, "vitals": contact.vitals | fields.vitals})


def _keep_disposition(actor: Actor, contact: Encounter, disposition: Disposition | None) -> None:
    """Say how the visit ends, unless a later contact has said it: a late correction does not undo that."""
    if disposition is None:
        return
    later = Encounter.select().where(
        Encounter.visit == contact.visit_id,
        Encounter.started_at > contact.started_at,
        Encounter.disposition.is_null(False),
    )
    if not later.exists():
        outcomes.set_outcome(actor, Visit.get_by_id(contact.visit_id), disposition)


def _answer(clinic: Clinic, actor: Actor, opened: OpenContact, contact: Encounter) -> EncounterOut:
    """Return a contact that was written in, without what others wrote there unless it may be read."""
    whole = _encounter_out(clinic, contact)
    if not actor.can(Permission.READ_NOTES):
        return _without_note(whole)
    return whole if opened.is_readable else whole.model_copy(update={"addenda": _addenda(contact, actor)})


def add_addendum(clinic: Clinic, actor: Actor, visit_id: str, fields: AddendumFields) -> EncounterOut:
    """Add a note to a record, locked or not.

    Args:
        clinic: The clinic.
        actor: The clinician.
        visit_id: The visit.
        fields: The note, and why it is added to a record outside the actor's own queue.

    Raises:
        NotAllowedError: The role writes no records; `reason_required` for a contact that the actor
            neither wrote nor may read.
        ValidationError: `text` says nothing.
        NotFoundError: The visit, or that contact, has no record yet.
    """
    require_right(actor, Purpose.ADDENDUM)
    if not any(letter.isalnum() for letter in fields.text):
        raise ValidationError({"text": "required"})
    with transaction():
        visit = find_visit(visit_id)
        encounter = _contact_for_addendum(actor, visit, fields.cluster)
        reason = StatedReason(fields.reason, fields.reason_code)
        opened = open_contact(clinic, actor, visit, Purpose.ADDENDUM, contact=encounter, reason=reason)
        added = Addendum.create(
            id=new_id(),
            encounter=encounter,
            text=fields.text.strip(),
            written_at=clock.now(),
            written_by=actor.account_id,
        )
        outbox.enqueue("visit", visit.id)
        audit.record(actor, "addendum_written", "addendum", added.id, visit.patient_id)
        return _answer(clinic, actor, opened, encounter)


def _contact_for_addendum(actor: Actor, visit: Visit, cluster: str | None) -> Encounter:
    """Return the contact of a cluster; otherwise the newest of the actor's own, or the visit's newest.

    Raises:
        NotFoundError: There is none.
    """
    rows = list(Encounter.select().where(Encounter.visit == visit).order_by(Encounter.started_at.desc()))
    if cluster is not None:
        rows = [row for row in rows if row.cluster == cluster]
    if not rows:
        raise NotFoundError("encounter", visit.id)
    return next((row for row in rows if row.cluster in actor.clusters), rows[0])
