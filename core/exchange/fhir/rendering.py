"""From rows to records: what is sent, refused or proven as one.

A record is a patient (with the allergies) or a visit (with everything recorded at it). Rows
are read in a few queries for many records; nothing is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from core.exchange.fhir import people
from core.exchange.fhir.clinical import Context, VisitRows, resources
from core.exchange.fhir.systems import Names, Resource
from core.foundation.clinic import Clinic
from core.foundation.codes import MACHINE_ROLES
from core.foundation.database import document_text
from core.models import (
    Account,
    Addendum,
    Allergy,
    Diagnosis,
    Encounter,
    EncounterVersion,
    Immunisation,
    Order,
    OrderVersion,
    Patient,
    Prescription,
    Procedure,
    QueueEntry,
    Visit,
)


@dataclass(frozen=True)
class Entry:
    """One resource with its business identifier."""

    type: str
    value: str
    resource: Resource

    @property
    def key(self) -> str:
        """`Type/value`, unique within a facility."""
        return f"{self.type}/{self.value}"


@dataclass
class Record:
    """The resources of one outbox row, in the order in which they are sent."""

    kind: str
    """`patient`, `visit`, or `directory` (the facility, its clusters and its people)."""
    target: str
    day: date | None = None
    """The clinic's day of a visit."""
    entries: list[Entry] = field(default_factory=list)
    error: str | None = None
    """Why it could not be mapped; such a record is set aside."""


def digest(resource: Resource) -> bytes:
    """SHA-256 of the canonical JSON: what both ends compare."""
    return hashlib.sha256(document_text(resource).encode()).digest()


class Mapper:
    """Reads rows and makes records, for one run."""

    def __init__(self, clinic: Clinic) -> None:
        self._clinic = clinic
        self.names = Names(clinic.settings.facility_code)
        self._usernames: dict[str, str] = {}

    def directory(self) -> Record:
        """Return the facility, its clusters as locations, and its accounts as practitioners."""
        settings = self._clinic.settings
        record = Record("directory", settings.facility_code)
        record.entries.append(
            Entry("Organization", settings.facility_code, people.organization(self.names, settings))
        )
        for cluster in self._clinic.clusters.values():
            record.entries.append(
                Entry("Location", cluster.code, people.location(self.names, settings, cluster))
            )
        accounts = Account.select().where(Account.role.not_in(MACHINE_ROLES))
        for account in accounts.order_by(Account.username):
            record.entries.append(
                Entry("Practitioner", account.username, people.practitioner(self.names, account))
            )
        return record

    def patients(self, ids: Sequence[str]) -> Iterator[Record]:
        """Yield one record a patient, in the order asked for; an unknown id is left out."""
        rows = {row.id: row for row in Patient.select().where(Patient.id.in_(ids))}
        relatives = _relatives(rows.values())
        allergies = _by(Allergy.select().where(Allergy.patient.in_(ids)).order_by(Allergy.id), "patient_id")
        for key in ids:
            if (row := rows.get(key)) is None:
                continue
            mother = relatives.get(row.mother_id or "")
            survivor = relatives.get(row.merged_into_id or "")
            record = Record("patient", key)
            resource = people.patient(
                self.names,
                row,
                mother_nik=mother.nik if mother else None,
                survivor_number=survivor.medical_record_number if survivor else None,
            )
            record.entries.append(Entry("Patient", row.medical_record_number, resource))
            for allergy in allergies.get(key, []):
                made = people.allergy(self.names, allergy, row.medical_record_number)
                record.entries.append(Entry("AllergyIntolerance", allergy.id, made))
            yield record

    def visits(self, ids: Sequence[str]) -> Iterator[Record]:
        """Yield one record a visit, in the order asked for; an unknown id is left out."""
        clinic = self._clinic
        context = Context(self.names, self.usernames(), clinic.clusters.emergency.code, clinic.forms)
        for rows in visit_rows(ids):
            yield visit_record(rows, partial(resources, context))

    def usernames(self) -> dict[str, str]:
        """Return account id -> username of every account that may have recorded something."""
        if not self._usernames:
            self._usernames = {
                row.id: row.username for row in Account.select(Account.id, Account.username, Account.role)
                if row.role not in MACHINE_ROLES
            }  # fmt: skip
        return self._usernames


def _relatives(patients: Iterable[Patient]) -> dict[str | None, Patient]:
    """Return by id the mothers of patients and the patients they were merged into."""
    related = [key for row in patients for key in (row.mother_id, row.merged_into_id) if key]
    known = Patient.select(Patient.id, Patient.nik, Patient.medical_record_number)
    return {row.id: row for row in known.where(Patient.id.in_(related or [""]))}


def visit_rows(ids: Sequence[str]) -> Iterator[VisitRows]:
    """Yield the rows of each visit, in the order asked for; an unknown id is left out."""
    found = {
        row.id: VisitRows(row) for row in Visit.select(Visit, Patient).join(Patient).where(Visit.id.in_(ids))
    }
    _attach(found, "entries", QueueEntry.select().where(QueueEntry.visit.in_(ids)))
    _attach(found, "encounters", Encounter.select().where(Encounter.visit.in_(ids)).order_by(Encounter.id))
    _remember_measurements(found)
    _attach(found, "diagnoses", Diagnosis.select().where(Diagnosis.visit.in_(ids)))
    done = Procedure.select().where(Procedure.visit.in_(ids)).order_by(Procedure.id)
    _attach(found, "procedures", done)
    given = Immunisation.select().where(Immunisation.visit.in_(ids)).order_by(Immunisation.id)
    _attach(found, "immunisations", given)
    _attach(found, "orders", Order.select().where(Order.visit.in_(ids)).order_by(Order.id))
    _attach_results(found)
    _attach(
        found,
        "prescriptions",
        Prescription.select().where(Prescription.visit.in_(ids)).order_by(Prescription.id),
    )
    notes = Addendum.select(Addendum, Encounter).join(Encounter).where(Encounter.visit.in_(ids))
    for note in notes:
        found[note.encounter.visit_id].addenda.append(note)
    yield from (found[key] for key in ids if key in found)


def _attach_results(found: dict[str, VisitRows]) -> None:
    """Attach the results that were corrected or voided: they may have been sent."""
    versions = OrderVersion.select(OrderVersion, Order).join(Order).where(Order.visit.in_(list(found)))
    for version in versions.order_by(OrderVersion.version):
        rows = found[version.order.visit_id]
        rows.result_versions.setdefault(version.order_id, []).append(version)


def _remember_measurements(found: dict[str, VisitRows]) -> None:
    """Mark encounters whose vital signs a correction removed: they were sent once, and must be taken back."""
    emptied = {
        contact.id: rows
        for rows in found.values()
        for contact in rows.encounters
        if contact.version > 1 and not contact.vitals
    }
    if emptied:
        for row in EncounterVersion.select().where(EncounterVersion.encounter.in_(list(emptied))):
            if row.data.get("vitals"):
                emptied[row.encounter_id].measured_before.add(row.encounter_id)


def visit_record(rows: VisitRows, make: Callable[[VisitRows], list[tuple[str, str, Resource]]]) -> Record:
    """Return a visit's rows as a record, in the form that `make` gives them."""
    record = Record("visit", rows.visit.id, rows.visit.service_on)
    try:
        record.entries = [Entry(*made) for made in make(rows)]
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        # One row that no version of this code could have written must not stop the day.
        record.error = f"mapping: {type(error).__name__}"
    return record


def _by(rows: Iterable[Any], column: str) -> dict[str, list[Any]]:
    grouped: dict[str, list[Any]] = {}
    for row in rows:
        grouped.setdefault(getattr(row, column), []).append(row)
    return grouped


def _attach(found: dict[str, VisitRows], name: str, rows: Iterable[Any]) -> None:
    for row in rows:
        getattr(found[row.visit_id], name).append(row)
