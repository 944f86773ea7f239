"""Rebuilds the search keys of all patients when the rules that make them have changed.

Search keys are derived data, so no schema step writes them. `State` holds the version they were made
with; a start that finds an older one makes them again.
"""

from __future__ import annotations

from core.foundation import state
from core.foundation.database import connection, database, transaction, tuples
from core.linkage.blocking import stored_keys
from core.linkage.key_queries import add_keys
from core.linkage.scoring import Person
from core.models import Patient, PatientVersion

SEARCH_KEYS_VERSION = 2
"""Raise it with every change of `core.linkage.blocking.stored_keys` or of what it folds names and addresses to."""

FORMER = "formerly"
"""Kind of the keys of NIKs that a card held before."""

_KEY = "search_keys"
_BATCH = 1000  # patients whose keys are written by one statement


def rebuild_if_outdated() -> bool:
    """Make the search keys again if an earlier version made them; return whether that was needed.

    Reads and writes the open database in one transaction, so that nobody searches half of the keys.
    """
    with connection():
        if _made_with() == SEARCH_KEYS_VERSION:
            return False
        with transaction(unhurried=True):
            _rebuild()
            state.note(_KEY, version=SEARCH_KEYS_VERSION)
    return True


def _made_with() -> int | None:
    known = state.fact(_KEY)
    return None if known is None else known["version"]


def _rebuild() -> None:
    database.execute_sql("DELETE FROM patient_key")
    rows = database.execute_sql(
        "SELECT id, name, birth_date, mother_name, address, other_names FROM patient WHERE voided_at IS NULL"
    ).fetchall()
    for first in range(0, len(rows), _BATCH):
        add_keys([key for row in rows[first : first + _BATCH] for key in _keys_of(*row)])
    add_keys(former_keys())


def keys_of_patients(ids: list[str]) -> list[tuple[str, str, str]]:
    """Return (kind, value, patient id) of each key of some patients, as their cards are now."""
    marks = ", ".join("?" for _ in ids)
    rows = database.execute_sql(
        "SELECT id, name, birth_date, mother_name, address, other_names FROM patient"  # noqa: S608  # marks only
        f" WHERE voided_at IS NULL AND id IN ({marks})",
        ids,
    ).fetchall()
    return [key for row in rows for key in _keys_of(*row)]


def former_keys(patient_id: str | None = None) -> list[tuple[str, str, str]]:
    """Return (kind, value, patient id) of each NIK that a patient's card held before; of all patients for None.

    A NIK of a record that was merged into the patient's counts too.
    """
    versions = PatientVersion.select(PatientVersion.patient, PatientVersion.data, Patient.nik).join(Patient)
    versions = versions.where(PatientVersion.cause != "unmerge")  # such a number was the other record's
    merged = Patient.select(Patient.merged_into, Patient.nik).where(Patient.merged_into.is_null(False))
    if patient_id is not None:
        versions = versions.where(PatientVersion.patient == patient_id)
        merged = merged.where(Patient.merged_into == patient_id)
    else:
        versions = versions.where(Patient.voided_at.is_null())
    had = {(data.get("nik"), owner) for owner, data, nik in tuples(versions) if data.get("nik") != nik}
    had |= {(nik, owner) for owner, nik in tuples(merged)}
    return sorted((FORMER, nik, owner) for nik, owner in had if nik)


def _keys_of(
    patient_id: str,
    name: str,
    birth_date: str,
    mother_name: str | None,
    address: str | None,
    other_names: str,
) -> list[tuple[str, str, str]]:
    """Return (kind, value, patient id) of each key of one patient."""
    person = Person(
        name=name,
        birth_date=str(birth_date),
        mother_name=mother_name or "",
        address=address or "",
        other_names=other_names,
    )
    return [(kind, value, patient_id) for kind, value in sorted(stored_keys(person))]
