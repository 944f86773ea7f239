"""Made-up days of a clinic, written straight into its tables: many visits in little time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.accounts.service import create_account
from core.exchange import outbox
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import (
    CaseKind,
    EntryAction,
    EntryStatus,
    OrderStatus,
    Payer,
    Role,
    Sex,
    VisitStatus,
)
from core.foundation.config import Settings
from core.foundation.database import connection, transaction
from core.foundation.identifiers import new_id
from core.models import (
    Account,
    Diagnosis,
    Encounter,
    Order,
    Patient,
    Prescription,
    QueueEntry,
    QueueEvent,
    Ticket,
    Visit,
)
from core.queues import turns

BECAUSE = "cakram lama rusak"
"""The reason for restoring a backup."""
GIVEN = (
    "Siti",
    "Ahmad",
    "Noor",
    "Rahmah",
    "Budi",
    "Dewi",
    "Fauzi",
    "Hadi",
    "Lina",
    "Yusuf",
    "Aisyah",
    "Rudi",
)
FAMILY = ("Aminah", "Hidayat", "Rahman", "Lestari", "Saputra", "Wati", "Gunawan", "Fitri", "Anwar", "Sari")
STREETS = ("Jl. Sungai Andai", "Jl. Veteran", "Jl. Kuin Utara", "Jl. Pramuka", "Gg. Melati")
COMPLAINTS = {
    "UMUM": ("batuk pilek 3 hari", "demam", "pusing", "nyeri ulu hati", "gatal di tangan", "kontrol tensi"),
    "GIGI": ("sakit gigi", "gusi bengkak", "gigi berlubang", "cabut gigi"),
    "KIA": ("periksa hamil", "imunisasi", "KB suntik", "anak demam"),
    "LANSIA": ("kontrol gula", "nyeri lutut", "kontrol tensi", "sulit tidur"),
}
CODES = {
    "UMUM": ("J06.9", "I10", "K29.7", "R51", "L30.9", "A09"),
    "GIGI": ("K04.0", "K02.9", "K05.1"),
    "KIA": ("Z34.9", "Z30.9", "J06.9"),
    "LANSIA": ("I10", "E11.9", "M19.9", "M10.9"),
}
MEDICINES = ("Paracetamol 500 mg", "Amoxicillin 500 mg", "Amlodipine 5 mg", "Metformin 500 mg", "Antasida")


@dataclass
class Days:
    """Writes days of visits into one clinic."""

    clinic: Clinic
    seed: int = 1
    patients: list[Patient] = field(default_factory=list)
    _serial: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.account = Account.get_or_none(Account.username == "doctor") or create_account(
            "doctor", "dr. Contoh", Role.CLINICIAN, "long enough", list(self.clinic.clusters)
        )

    def patient(self, **changes: Any) -> Patient:
        self._serial += 1
        serial = self.seed * 1_000_000 + self._serial
        born = date(1940, 1, 1) + timedelta(days=self.random.randrange(30_000))
        values: dict[str, Any] = {
            "id": new_id(),
            "medical_record_number": f"{serial:08d}",
            "name": f"{self.random.choice(GIVEN)} {self.random.choice(FAMILY)}",
            "sex": self.random.choice((Sex.MALE, Sex.FEMALE)),
            "birth_date": born,
            "nik": f"6371019{serial:09d}" if self._serial % 10 else None,
            "phone": f"08{self.random.randrange(10**9):09d}" if self._serial % 2 else "",
            "address": f"{self.random.choice(STREETS)} {self.random.randrange(1, 200)}",
            "village_code": "6371011001",
            "created_at": clock.now(),
            "created_by": self.account,
            "updated_at": clock.now(),
            **changes,
        }
        patient = Patient.create(**values)
        outbox.enqueue("patient", patient.id)
        self.patients.append(patient)
        return patient

    def visit(
        self,
        day: date,
        patient: Patient | None = None,
        *,
        cluster: str | None = None,
        codes: Sequence[str] | None = None,
        started_at: datetime | None = None,
        minutes: tuple[int, int] = (20, 10),
        full: bool = True,
        **changes: Any,
    ) -> Visit:
        """A finished visit: waited `minutes[0]`, served `minutes[1]`."""
        patient = patient or self.patient()
        cluster = cluster or self.random.choice(list(CODES))
        local = datetime(day.year, day.month, day.day, 8, tzinfo=self.clinic.zone)
        start = started_at or (local + timedelta(seconds=self.random.randrange(4 * 3600))).astimezone(UTC)
        served, ended = start + timedelta(minutes=minutes[0]), start + timedelta(minutes=sum(minutes))
        values: dict[str, Any] = {
            "id": new_id(),
            "patient": patient,
            "service_on": day,
            "status": VisitStatus.FINISHED,
            "payer": self.random.choice(list(Payer)),
            "chief_complaint": self.random.choice(COMPLAINTS.get(cluster, COMPLAINTS["UMUM"])),
            "suggested_cluster": cluster,
            "started_at": start,
            "ended_at": ended,
            "registered_by": self.account,
            **changes,
        }
        visit = Visit.create(**values)
        entry = self.entry(visit, cluster, start, served, ended)
        if full:
            self._record(visit, entry, codes, served)
        outbox.enqueue("visit", visit.id)
        return visit

    def entry(
        self,
        visit: Visit,
        cluster: str,
        start: datetime,
        served: datetime | None,
        ended: datetime,
        **changes: Any,
    ) -> QueueEntry:
        sequence = (
            Ticket.select().where(Ticket.cluster == cluster, Ticket.service_on == visit.service_on).count()
            + 1
        )
        ticket = Ticket.create(
            id=new_id(),
            cluster=cluster,
            service_on=visit.service_on,
            sequence=sequence,
            turn=turns.of_number(sequence),
            number=f"{self.clinic.clusters[cluster].prefix}-{sequence:03d}",
            visit=visit,
            issued_at=start,
        )
        values: dict[str, Any] = {
            "id": new_id(),
            "visit": visit,
            "ticket": ticket,
            "cluster": cluster,
            "service_on": visit.service_on,
            "status": EntryStatus.DONE,
            "priority": "regular",
            "queued_at": start,
            "practitioner": self.account,
            "started_at": start,
            "called_at": served,
            "served_at": served,
            "ended_at": ended,
            **changes,
        }
        entry: QueueEntry = QueueEntry.create(**values)
        QueueEvent.create(
            entry=entry, action=EntryAction.ISSUE, to_status="waiting", at=start, by=self.account
        )
        return entry

    def _record(self, visit: Visit, entry: QueueEntry, codes: Sequence[str] | None, at: datetime) -> None:
        pick = self.random
        encounter = Encounter.create(
            id=new_id(),
            visit=visit,
            cluster=entry.cluster,
            practitioner=self.account,
            vitals={
                "systolic": pick.randrange(100, 160),
                "diastolic": pick.randrange(60, 95),
                "pulse": pick.randrange(60, 100),
                "temperature": pick.randrange(360, 390) / 10,
            }
            if entry.cluster != "GIGI"
            else {},
            subjective="keluhan seperti di atas",
            started_at=at,
            entered_at=at,
        )
        chosen = codes if codes is not None else [pick.choice(CODES[entry.cluster])]
        for rank, code in enumerate(chosen, 1):
            self.diagnosis(visit, encounter, code, rank, at)
        if pick.random() < 0.5:
            Prescription.create(
                id=new_id(),
                visit=visit,
                encounter=encounter,
                medicine=pick.choice(MEDICINES),
                dose="1 tablet",
                frequency="3x1",
                amount="10 tablet",
                status=OrderStatus.ACTIVE,
                prescribed_at=at,
                prescribed_by=self.account,
            )
        if pick.random() < 0.1:
            Order.create(
                id=new_id(),
                visit=visit,
                encounter=encounter,
                test="Hemoglobin",
                status=OrderStatus.COMPLETED,
                ordered_at=at,
                ordered_by=self.account,
                result="12,5",
                unit="g/dL",
                resulted_at=at,
                resulted_by=self.account,
            )

    def diagnosis(
        self, visit: Visit, encounter: Encounter, code: str, rank: int, at: datetime, **changes: Any
    ) -> Diagnosis:
        values = {"case_kind": CaseKind.NEW, **changes}
        return Diagnosis.create(
            id=new_id(),
            visit=visit,
            encounter=encounter,
            code=code,
            title=code,
            rank=rank,
            recorded_at=at,
            recorded_by=self.account,
            **values,
        )

    def fill(self, day: date, count: int, *, returning: float = 0.7, full: bool = True) -> list[Visit]:
        """`count` visits, of which this share are of patients known before."""
        made = []
        for start in range(0, count, 100):
            with transaction():
                for _ in range(min(100, count - start)):
                    known = self.patients and self.random.random() < returning
                    patient = self.random.choice(self.patients) if known else None
                    made.append(self.visit(day, patient, full=full))
        return made


def open_clinic(home: Path, **values: Any) -> Clinic:
    """Open a clinic on a fresh database in `home`, with these settings."""
    return Clinic.open(Settings(home=home, **values))


@pytest.fixture
def days(clinic: Clinic) -> Iterator[Days]:
    """Days of the module's clinic, its database open."""
    with connection():
        yield Days(clinic)
