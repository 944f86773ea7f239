"""The patient's own copy of the record: in words to print, or as a FHIR document.

Given through the gate to the record, by those who may read whole notes; outside one's own queue for a reason.

Source: docs/reference/indonesia.md 7.1 (the content of the record is the patient's), 7.2 (the right to a copy).
"""

from __future__ import annotations

from core.exchange.copy_text import copy_text, notes_of
from core.exchange.fhir import Mapper
from core.exchange.fhir.document import document, to_json
from core.exchange.fhir.rendering import visit_rows
from core.foundation import audit, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import CopyForm
from core.foundation.database import connection
from core.foundation.errors import NotFoundError
from core.foundation.permissions import Actor
from core.foundation.private_files import write_private
from core.models import Patient, Visit
from core.records.access import Purpose, open_patient, require_right
from core.schemas.record import CopyFields, CopyOut, StatedReason

FOLDER = "copies"
"""The folder in which documents wait to be carried away; `core.daily.backup.retention` removes them after a week."""


def give(clinic: Clinic, actor: Actor, patient_id: str, fields: CopyFields) -> CopyOut:
    """Make a copy of a patient's record for the patient; it is a row of the audit log.

    Args:
        clinic: The clinic.
        actor: Who gives it.
        patient_id: The patient.
        fields: In which form, and why, outside one's own queue.

    Raises:
        NotAllowedError: The role does not read whole notes; `reason_required` outside one's own queue.
        NotFoundError: There is no such patient.
    """
    require_right(actor, Purpose.COPY)
    with connection():
        patient: Patient | None = Patient.get_or_none(Patient.id == patient_id)
        if patient is None:
            raise NotFoundError("patient", patient_id)
        reason = StatedReason(fields.reason, fields.reason_code)
        open_patient(clinic, actor, patient.id, Purpose.COPY, reason)
        audit.record(actor, "copy_given", "patient", patient.id, patient.id, form=fields.form.value)
        return _made(clinic, actor, patient, fields.form)


def _made(clinic: Clinic, actor: Actor, patient: Patient, form: CopyForm) -> CopyOut:
    standing = Visit.select(Visit.id).where(Visit.patient == patient, Visit.voided_at.is_null())
    ids = [row.id for row in standing.order_by(Visit.started_at)]
    visits, now = list(visit_rows(ids)), clock.now()
    if form is CopyForm.TEXT:
        return CopyOut(
            patient_id=patient.id, form=form, text=copy_text(clinic, patient, visits, now, actor.name)
        )
    mapper = Mapper(clinic)
    records = [mapper.directory(), *mapper.patients([patient.id]), *mapper.visits(ids)]
    number = patient.medical_record_number
    made = document(mapper.names, records, notes_of(clinic, visits), now, number)
    if form is CopyForm.DOCUMENT:
        return CopyOut(patient_id=patient.id, form=form, document=made)
    return CopyOut(patient_id=patient.id, form=form, file=_write(clinic, number, to_json(made)))


def _write(clinic: Clinic, number: str, text: str) -> str:
    """Write a document into the data folder, readable by its owner only; return its path."""
    folder = clinic.settings.home / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    safe = "".join(letter if letter.isalnum() else "-" for letter in number)
    path = folder / f"{safe}-{clinic.today().isoformat()}.json"
    write_private(path, text.encode())
    return str(path)
