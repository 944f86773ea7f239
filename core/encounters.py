"""The clinical record: visits, SOAP notes, diagnoses, prescriptions, orders.

A record can be corrected for a set time after entry (48 hours by default, PMK 24/2022
art. 30); afterwards only addenda are possible. Every correction keeps the earlier version.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from rapidfuzz import fuzz, process

from core import audit, clock, feed, outbox, patients, vitals
from core.accounts import Actor
from core.clinic import Clinic
from core.database import connection, transaction
from core.errors import ConflictError, NotAllowedError, NotFoundError, RuleError, ValidationError
from core.identifiers import new_id
from core.models import (
    Account,
    Addendum,
    Allergy,
    Diagnosis,
    DiagnosisCode,
    Draft,
    Encounter,
    EncounterVersion,
    Order,
    Prescription,
    QueueEntry,
    Visit,
)
from core.names import fold
from core.queue_views import load_entry, shape_of
from core.schemas import (
    AllergyFields,
    DiagnosisCodeShape,
    DiagnosisFields,
    DiagnosisShape,
    DraftShape,
    EncounterFields,
    EncounterShape,
    OrderFields,
    OrderResult,
    OrderShape,
    PrescriptionFields,
    PrescriptionShape,
    VisitShape,
    VisitSummary,
)
from core.vocabulary import CaseKind, Disposition, OrderStatus, Payer, Permission

VERSIONED = ("vitals", "subjective", "objective", "assessment", "plan", "form", "disposition", "signed_at")


def _visit(visit_id: str) -> Visit:
    visit: Visit | None = Visit.get_or_none(Visit.id == visit_id)
    if visit is None:
        raise NotFoundError("visit", visit_id)
    return visit


def _open_record(actor: Actor, patient_id: str, reason: str, day: date) -> None:
    """Refuse to open a record of a patient who is not in the actor's queue, unless a reason is given.

    Break-glass: the reason goes into the audit log, where it is looked at.
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


def history(clinic: Clinic, actor: Actor, patient_id: str, reason: str = "") -> list[VisitSummary]:
    """A patient's visits, newest first, one line each.

    Raises:
        NotAllowedError: `reason_required` outside one's own queue.
    """
    with connection():
        patient = patients.find(patient_id)
        _open_record(actor, patient.id, reason, clinic.today())
        visits = list(
            Visit.select()
            .where(Visit.patient == patient, Visit.voided_at.is_null())
            .order_by(Visit.started_at.desc())
        )
        ids = [visit.id for visit in visits]
        diagnoses: dict[str, list[str]] = {}
        for row in (
            Diagnosis.select()
            .where(Diagnosis.visit.in_(ids), Diagnosis.voided_at.is_null())
            .order_by(Diagnosis.rank)
        ):
            diagnoses.setdefault(row.visit_id, []).append(f"{row.code} {row.title}")
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
            diagnoses=diagnoses.get(visit.id, []),
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
        visit = _visit(visit_id)
        _open_record(actor, visit.patient_id, reason, clinic.today())
        audit.record(
            actor, "visit_read", "visit", visit.id, visit.patient_id, **({"reason": reason} if reason else {})
        )
        return _visit_shape(clinic, visit)


def _visit_shape(clinic: Clinic, visit: Visit) -> VisitShape:
    entries = [
        shape_of(load_entry(row.id), None, None)
        for row in QueueEntry.select(QueueEntry.id)
        .where(QueueEntry.visit == visit, QueueEntry.voided_at.is_null())
        .order_by(QueueEntry.started_at)
    ]
    encounters = Encounter.select().where(Encounter.visit == visit).order_by(Encounter.started_at)
    diagnoses = (
        Diagnosis.select()
        .where(Diagnosis.visit == visit, Diagnosis.voided_at.is_null())
        .order_by(Diagnosis.rank)
    )
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
        encounters=[_encounter_shape(clinic, encounter) for encounter in encounters],
        diagnoses=[_diagnosis_shape(row) for row in diagnoses],
        prescriptions=[
            prescription_shape(row)
            for row in Prescription.select()
            .where(Prescription.visit == visit)
            .order_by(Prescription.prescribed_at)
        ],
        orders=[
            order_shape(row) for row in Order.select().where(Order.visit == visit).order_by(Order.ordered_at)
        ],
    )


def _encounter_shape(clinic: Clinic, row: Encounter) -> EncounterShape:
    age_days = (row.visit.service_on - row.visit.patient.birth_date).days
    return EncounterShape(
        id=row.id,
        cluster=row.cluster,
        practitioner=row.practitioner.name,
        version=row.version,
        vitals=row.vitals,
        vitals_warnings=vitals.check(row.vitals, age_days),
        subjective=row.subjective,
        objective=row.objective,
        assessment=row.assessment,
        plan=row.plan,
        form=row.form,
        disposition=Disposition(row.disposition) if row.disposition else None,
        entered_at=row.entered_at,
        signed_at=row.signed_at,
        locked=_is_locked(clinic, row),
        addenda=[
            f"{addendum.written_by.name}: {addendum.text}"
            for addendum in Addendum.select(Addendum, Account)
            .join(Account)
            .where(Addendum.encounter == row)
            .order_by(Addendum.written_at)
        ],
    )


def _is_locked(clinic: Clinic, encounter: Encounter) -> bool:
    return bool(clock.now() >= encounter.entered_at + timedelta(hours=clinic.settings.lock_hours))


def write_encounter(clinic: Clinic, actor: Actor, visit_id: str, fields: EncounterFields) -> EncounterShape:
    """Write the SOAP note of one contact, or correct it.

    Raises:
        ValidationError: A vital is impossible, or `cluster` is not one of the actor's.
        ConflictError: Someone corrected it meanwhile.
        RuleError: `record_locked`: too late to correct; an addendum is possible.
    """
    actor.require(Permission.WRITE_RECORDS)
    with transaction():
        visit = _visit(visit_id)
        cluster = _cluster_of(actor, visit, fields.cluster)
        age_days = (visit.service_on - visit.patient.birth_date).days
        vitals.check(fields.vitals, age_days)
        encounter = _encounter(actor, visit, cluster, fields)
        outbox.put("visit", visit.id)
        if fields.disposition is not None:
            Visit.update(disposition=fields.disposition).where(Visit.id == visit.id).execute()
        audit.record(actor, "encounter_written", "encounter", encounter.id, visit.patient_id, cluster=cluster)
        feed.append("encounter", cluster=cluster, visit_id=visit.id)
        return _encounter_shape(clinic, _checked(clinic, encounter))


def _checked(clinic: Clinic, encounter: Encounter) -> Encounter:
    reloaded: Encounter = Encounter.get_by_id(encounter.id)
    if _is_locked(clinic, reloaded):
        # Raised inside the transaction, which takes the change back.
        raise RuleError("record_locked", hours=clinic.settings.lock_hours)
    return reloaded


def _cluster_of(actor: Actor, visit: Visit, wanted: str | None) -> str:
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


def _encounter(actor: Actor, visit: Visit, cluster: str, fields: EncounterFields) -> Encounter:
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


def _encounter_for(actor: Actor, visit: Visit) -> Encounter:
    """The actor's contact with this visit, begun if need be."""
    cluster = _cluster_of(actor, visit, None)
    existing = Encounter.get_or_none(Encounter.visit == visit, Encounter.cluster == cluster)
    return existing or _encounter(actor, visit, cluster, EncounterFields())


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
        visit = _visit(visit_id)
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


# --- diagnoses


def find_diagnoses(text: str, limit: int = 20) -> list[DiagnosisCodeShape]:
    """ICD-10 by code or words, Indonesian or English, misspellings forgiven; usual ones first."""
    text = text.strip()
    with connection():
        if not text:
            rows = DiagnosisCode.select().order_by(DiagnosisCode.usual.desc()).limit(limit)
            return [DiagnosisCodeShape(code=row.code, title=row.title_id) for row in rows]
        by_code = list(
            DiagnosisCode.select()
            .where(DiagnosisCode.code.startswith(text.upper()))
            .order_by(DiagnosisCode.code)
            .limit(limit)
        )
        words = [word for word in fold(text).split() if word]
        query = DiagnosisCode.select().order_by(DiagnosisCode.usual.desc(), DiagnosisCode.code)
        for word in words:
            query = query.where(DiagnosisCode.words.contains(word))
        by_words = list(query.limit(limit)) if words else []
        if not by_code and not by_words and words:
            choices = {
                row.code: row.words for row in DiagnosisCode.select(DiagnosisCode.code, DiagnosisCode.words)
            }
            close = process.extract(
                " ".join(words), choices, scorer=fuzz.token_set_ratio, limit=limit, score_cutoff=70
            )
            order = [code for _, _, code in close]
            found = {row.code: row for row in DiagnosisCode.select().where(DiagnosisCode.code.in_(order))}
            by_words = [found[code] for code in order]
    seen = {row.code: DiagnosisCodeShape(code=row.code, title=row.title_id) for row in [*by_code, *by_words]}
    return list(seen.values())[:limit]


def add_diagnosis(clinic: Clinic, actor: Actor, visit_id: str, fields: DiagnosisFields) -> DiagnosisShape:
    """Record one diagnosis; the first is the main one.

    Raises:
        ValidationError: `code` is not in the list, or is on the visit already.
    """
    actor.require(Permission.WRITE_RECORDS)
    with transaction():
        visit = _visit(visit_id)
        listed = DiagnosisCode.get_or_none(DiagnosisCode.code == fields.code)
        if listed is None:
            raise ValidationError({"code": "unknown"})
        present = Diagnosis.select().where(Diagnosis.visit == visit, Diagnosis.voided_at.is_null())
        if present.where(Diagnosis.code == fields.code).exists():
            raise ValidationError({"code": "taken"})
        row = Diagnosis.create(
            id=new_id(),
            visit=visit,
            encounter=_encounter_for(actor, visit),
            code=listed.code,
            title=listed.title_id,
            rank=present.count() + 1,
            case_kind=fields.case_kind,
            recorded_at=clock.now(),
            recorded_by=actor.account_id,
        )
        outbox.put("visit", visit.id)
        audit.record(actor, "diagnosis_added", "diagnosis", row.id, visit.patient_id)
        feed.append("encounter", cluster=row.encounter.cluster, visit_id=visit.id)
        return _diagnosis_shape(row)


def void_diagnosis(actor: Actor, visit_id: str, diagnosis_id: str, reason: str) -> None:
    """Strike a diagnosis out; it stays in the history.

    Raises:
        ValidationError: `reason` is missing.
        NotFoundError: Not a diagnosis of this visit.
    """
    actor.require(Permission.WRITE_RECORDS)
    if not reason.strip():
        raise ValidationError({"reason": "required"})
    with transaction():
        visit = _visit(visit_id)
        changed = (
            Diagnosis.update(
                voided_at=clock.now(), voided_by=actor.account_id, void_reason=reason.strip()[:200]
            )
            .where(Diagnosis.id == diagnosis_id, Diagnosis.visit == visit, Diagnosis.voided_at.is_null())
            .execute()
        )
        if not changed:
            raise NotFoundError("diagnosis", diagnosis_id)
        outbox.put("visit", visit.id)
        audit.record(actor, "diagnosis_voided", "diagnosis", diagnosis_id, visit.patient_id, reason=reason)


def _diagnosis_shape(row: Diagnosis) -> DiagnosisShape:
    return DiagnosisShape(
        id=row.id,
        code=row.code,
        title=row.title,
        rank=row.rank,
        case_kind=CaseKind(row.case_kind),
        recorded_at=row.recorded_at,
    )


# --- prescriptions and orders


def prescribe(clinic: Clinic, actor: Actor, visit_id: str, fields: PrescriptionFields) -> PrescriptionShape:
    """Prescribe one medicine.

    Raises:
        RuleError: `allergy`: the patient reacts to a substance in its name; sent again with
            `allergy_override` it is kept, and the override is in the audit log.
    """
    actor.require(Permission.WRITE_RECORDS)
    with transaction():
        visit = _visit(visit_id)
        medicine = fold(fields.medicine)
        against = [
            allergy.substance
            for allergy in Allergy.select().where(
                Allergy.patient == visit.patient_id, Allergy.voided_at.is_null()
            )
            if fold(allergy.substance) in medicine or medicine in fold(allergy.substance)
        ]
        if against and not fields.allergy_override:
            raise RuleError("allergy", substances=against)
        row = Prescription.create(
            id=new_id(),
            visit=visit,
            encounter=_encounter_for(actor, visit),
            status=OrderStatus.ACTIVE,
            prescribed_at=clock.now(),
            prescribed_by=actor.account_id,
            **fields.model_dump(exclude={"allergy_override"}),
        )
        outbox.put("visit", visit.id)
        audit.record(
            actor, "prescribed", "prescription", row.id, visit.patient_id, allergy_override=bool(against)
        )
        feed.append("prescription", visit_id=visit.id)
        return prescription_shape(row)


def dispense(clinic: Clinic, actor: Actor, prescription_id: str) -> PrescriptionShape:
    """Hand a prescribed medicine out, once.

    Raises:
        ConflictError: It was handed out already.
    """
    actor.require(Permission.DISPENSE)
    with transaction():
        changed = (
            Prescription.update(
                status=OrderStatus.COMPLETED, dispensed_at=clock.now(), dispensed_by=actor.account_id
            )
            .where(Prescription.id == prescription_id, Prescription.status == OrderStatus.ACTIVE)
            .execute()
        )
        row = Prescription.get_or_none(Prescription.id == prescription_id)
        if row is None:
            raise NotFoundError("prescription", prescription_id)
        if not changed:
            raise ConflictError(status=row.status)
        outbox.put("visit", row.visit_id)
        audit.record(actor, "dispensed", "prescription", row.id, row.visit.patient_id)
        feed.append("prescription", visit_id=row.visit_id)
        return prescription_shape(row)


def prescription_shape(row: Prescription) -> PrescriptionShape:
    """As sent to terminals."""
    return PrescriptionShape(
        id=row.id,
        medicine=row.medicine,
        dose=row.dose,
        frequency=row.frequency,
        amount=row.amount,
        instructions=row.instructions,
        status=OrderStatus(row.status),
        prescribed_at=row.prescribed_at,
        dispensed_at=row.dispensed_at,
    )


def order(clinic: Clinic, actor: Actor, visit_id: str, fields: OrderFields) -> OrderShape:
    """Order one laboratory test."""
    actor.require(Permission.WRITE_RECORDS)
    with transaction():
        visit = _visit(visit_id)
        row = Order.create(
            id=new_id(),
            visit=visit,
            encounter=_encounter_for(actor, visit),
            test=fields.test,
            note=fields.note,
            status=OrderStatus.ACTIVE,
            ordered_at=clock.now(),
            ordered_by=actor.account_id,
        )
        outbox.put("visit", visit.id)
        audit.record(actor, "ordered", "order", row.id, visit.patient_id)
        feed.append("order", visit_id=visit.id)
        return order_shape(row)


def enter_result(clinic: Clinic, actor: Actor, order_id: str, fields: OrderResult) -> OrderShape:
    """Enter, or correct, a laboratory result."""
    actor.require(Permission.ENTER_RESULTS)
    with transaction():
        row = Order.get_or_none(Order.id == order_id)
        if row is None:
            raise NotFoundError("order", order_id)
        if row.result is not None:
            audit.record(actor, "result_corrected", "order", row.id, row.visit.patient_id, earlier=row.result)
        Order.update(
            status=OrderStatus.COMPLETED,
            resulted_at=clock.now(),
            resulted_by=actor.account_id,
            **fields.model_dump(),
        ).where(Order.id == order_id).execute()
        outbox.put("visit", row.visit_id)
        audit.record(actor, "result_entered", "order", row.id, row.visit.patient_id)
        feed.append("order", visit_id=row.visit_id)
        return order_shape(Order.get_by_id(order_id))


def order_shape(row: Order) -> OrderShape:
    """As sent to terminals."""
    return OrderShape(
        id=row.id,
        test=row.test,
        note=row.note,
        status=OrderStatus(row.status),
        ordered_at=row.ordered_at,
        result=row.result,
        unit=row.unit,
        reference_range=row.reference_range,
        resulted_at=row.resulted_at,
    )


def worklist(clinic: Clinic, actor: Actor, kind: str) -> list[dict[str, Any]]:
    """What the laboratory (`orders`) or the pharmacy (`prescriptions`) has to do, oldest first.

    Returns:
        One document an item: the order's or prescription's shape with `visit_id`, `patient`,
        `ordered_by` and `since`.
    """
    is_lab = kind == "orders"
    actor.require(Permission.ENTER_RESULTS if is_lab else Permission.DISPENSE)
    table: Any = Order if is_lab else Prescription
    since, author = (
        (Order.ordered_at, "ordered_by") if is_lab else (Prescription.prescribed_at, "prescribed_by")
    )
    with connection():
        rows = list(
            table.select(table, Visit)
            .join(Visit)
            .where(table.status == OrderStatus.ACTIVE, Visit.voided_at.is_null())
            .order_by(since)
            .limit(200)
        )
        items = [
            {
                **(order_shape(row) if is_lab else prescription_shape(row)).model_dump(mode="json"),
                "visit_id": row.visit_id,
                "patient": row.visit.patient.name,
                "medical_record_number": row.visit.patient.medical_record_number,
                "by": getattr(row, author).name,
                "since": getattr(row, since.name).isoformat(),
            }
            for row in rows
        ]
        audit.record(actor, "worklist_read", "worklist", kind)
    return items


# --- allergies and drafts


def add_allergy(actor: Actor, patient_id: str, fields: AllergyFields) -> str:
    """Record an allergy; returns its id."""
    actor.require(Permission.WRITE_RECORDS)
    with transaction():
        patient = patients.find(patient_id)
        row = Allergy.create(
            id=new_id(),
            patient=patient,
            substance=fields.substance,
            reaction=fields.reaction,
            recorded_at=clock.now(),
            recorded_by=actor.account_id,
        )
        outbox.put("patient", patient.id)
        audit.record(actor, "allergy_added", "allergy", row.id, patient.id)
    return str(row.id)


def save_draft(actor: Actor, key: str, data: dict[str, Any]) -> None:
    """Keep something half-typed; the newest one stands."""
    with transaction():
        Draft.delete().where(Draft.account == actor.account_id, Draft.key == key).execute()
        Draft.create(account=actor.account_id, key=key, data=data, saved_at=clock.now())


def read_draft(actor: Actor, key: str) -> DraftShape:
    """One's own draft.

    Raises:
        NotFoundError: There is none.
    """
    with connection():
        row = Draft.get_or_none(Draft.account == actor.account_id, Draft.key == key)
        if row is None:
            raise NotFoundError("draft", key)
        return DraftShape(key=row.key, data=row.data, saved_at=row.saved_at)


def drop_draft(actor: Actor, key: str) -> None:
    """Forget a draft; none is no error."""
    with transaction():
        Draft.delete().where(Draft.account == actor.account_id, Draft.key == key).execute()
