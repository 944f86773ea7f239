"""Days of a clinic that are sent to SATUSEHAT's stand-in, and what is there afterwards."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from core.exchange import service as synchronisation
from core.exchange.fhir.systems import ICD10
from core.exchange.service import Pace
from core.foundation.clinic import Clinic
from core.models import OfficialDisplay, Patient, Visit
from tests.core.days import CODES, Days
from tests.server.satusehat import CLIENT, ORGANIZATION, REQUIRED, SECRET, Satusehat, identity, official_icd10

DAY = date(2026, 3, 2)
QUICK = Pace(backoff=0.01, backoff_cap=0.02, rest=0.0, attempts=3)
DOCTOR_NIK = "6371010101700001"


def settings_for(ministry: Satusehat, **changes: Any) -> dict[str, Any]:
    return {
        "sync_target": "satusehat",
        "satusehat_url": ministry.url,
        "satusehat_client_id": CLIENT,
        "satusehat_client_secret": SECRET,
        "satusehat_organization": ORGANIZATION,
        "satusehat_per_minute": 6000,
        **changes,
    }


def import_icd10(*others: str) -> None:
    """The texts of the diagnoses that these tests make, as if the clinic had imported them."""
    codes = {code for listed in CODES.values() for code in listed} | {"J00", "I10", "A90", "A97.0", *others}
    OfficialDisplay.insert_many(
        {
            "system": ICD10, "code": code, "display": official_icd10(code), "source": "icd10.csv",
            "imported_at": datetime(2026, 1, 1, tzinfo=UTC),
        }
        for code in sorted(codes)
    ).execute()  # fmt: skip


def changed(clinic: Clinic, **changes: Any) -> Clinic:
    return Clinic(clinic.settings.model_copy(update=changes), clinic.clusters)


def known(ministry: Satusehat, patient: Patient) -> str:
    assert patient.nik is not None
    return ministry.citizen(patient.nik, patient.birth_date.isoformat(), patient.sex)


def fill(days: Days, ministry: Satusehat, count: int = 8) -> list[Visit]:
    """Visits of patients who have a NIK; every other one is known to the registry."""
    patients = [days.patient(nik=f"637101900000{number:04d}") for number in range(1, count // 2 + 2)]
    for patient in patients[::2]:
        known(ministry, patient)
    return [days.visit(DAY, patients[number % len(patients)]) for number in range(count)]


def send(clinic: Clinic, runs: int = 1) -> synchronisation.SyncOutcome:
    for _ in range(runs):
        outcome = synchronisation.run(clinic, pace=QUICK)
    return outcome


def held(ministry: Satusehat) -> dict[str, dict[str, Any]]:
    """`Type/identifier value` -> resource; fails when something is there twice."""
    found: dict[str, dict[str, Any]] = {}
    for kind in REQUIRED.keys() - {"Organization", "Location", "Patient"}:
        for resource in ministry.of(kind):
            named = identity(resource)
            assert named is not None
            assert f"{kind}/{named[1]}" not in found
            found[f"{kind}/{named[1]}"] = resource
    return found
