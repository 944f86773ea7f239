"""Keeps whether a patient lets the record go to SATUSEHAT: asked once, printed, and changed whenever the patient wants.

Each decision is a row and stays; the newest counts, also of records that were merged. Nobody asked is no refusal: the
law has the clinic connected (docs/reference/indonesia.md 7.1).
"""

from __future__ import annotations

import textwrap
import tomllib
from functools import cache
from importlib import resources

from core.exchange import outbox
from core.foundation import audit, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Permission
from core.foundation.database import connection, transaction
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.models import Patient, SharingDecision, Visit
from core.patients import service as patients
from core.schemas.patients import SharingFields, SharingOut

CELLS = 72
"""Characters a line, as for letters."""


def of_patient(clinic: Clinic, actor: Actor, patient_id: str) -> SharingOut:
    """Return what the patient decided, with the paper.

    Args:
        clinic: For its name and time zone.
        actor: Who asks.
        patient_id: The patient.

    Raises:
        NotAllowedError: The role may not read patients.
        NotFoundError: There is no such patient.
    """
    actor.require(Permission.READ_PATIENTS)
    with connection():
        return _out(clinic, patients.find(patient_id))


def decide(clinic: Clinic, actor: Actor, patient_id: str, fields: SharingFields) -> SharingOut:
    """Keep what the patient decided; the same answer again changes nothing.

    Once somebody agrees after a refusal, what was kept back goes with the next sending.

    Args:
        clinic: For its name and time zone.
        actor: Who asked the patient.
        patient_id: The patient.
        fields: The answer.

    Raises:
        NotAllowedError: The role may not edit patients.
        NotFoundError: There is no such patient.
    """
    actor.require(Permission.EDIT_PATIENTS)
    with transaction():
        patient = patients.find(patient_id)
        last = _newest(patient.id)
        if last is None or last.agreed != fields.agreed:
            SharingDecision.create(
                id=new_id(), patient=patient, agreed=fields.agreed, decided_at=clock.now(),
                decided_by=actor.account_id,
            )  # fmt: skip
            action = "sharing_agreed" if fields.agreed else "sharing_refused"
            audit.record(actor, action, "patient", patient.id, patient.id)
        if fields.agreed and last is not None and not last.agreed:
            visits = Visit.select(Visit.id).where(Visit.patient == patient.id)
            outbox.enqueue("patient", patient.id)
            outbox.enqueue("visit", *[row.id for row in visits])
        return _out(clinic, patient)


def _newest(patient_id: str) -> SharingDecision | None:
    rows = SharingDecision.select().where(SharingDecision.patient == patient_id)
    found: SharingDecision | None = rows.order_by(
        SharingDecision.decided_at.desc(), SharingDecision.id.desc()
    ).first()
    return found


def _out(clinic: Clinic, patient: Patient) -> SharingOut:
    row = _newest(patient.id)
    if row is None:
        return SharingOut(patient_id=patient.id)
    return SharingOut(
        patient_id=patient.id,
        agreed=row.agreed,
        decided_at=row.decided_at,
        decided_by=row.decided_by.name,
        text=_paper(clinic, patient, row),
    )


@cache
def _papers() -> dict[str, str]:
    text = resources.files("core.data").joinpath("sharing.toml").read_text(encoding="utf-8")
    return {name: str(value) for name, value in tomllib.loads(text).items()}


def _paper(clinic: Clinic, patient: Patient, row: SharingDecision) -> str:
    """Return the paper that the patient signs, lines of at most `CELLS` characters."""
    filled = _papers()["agreed" if row.agreed else "refused"].format(
        facility=clinic.settings.facility_name,
        name=patient.name,
        record_number=patient.medical_record_number,
        born=patient.birth_date.strftime("%d-%m-%Y"),
        day=row.decided_at.astimezone(clinic.zone).strftime("%d-%m-%Y %H:%M"),
        actor=row.decided_by.name,
    )
    lines = [
        part
        for line in filled.strip().splitlines()
        for part in textwrap.wrap(line, CELLS, drop_whitespace=False) or [""]
    ]
    return "\n".join(part.rstrip() if part.startswith(" " * 3) else part.strip() for part in lines)
