"""The daily register: everyone registered on a day, in order of arrival."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from core.clinic import Clinic, age_on
from core.models import Account, Diagnosis, QueueEntry, Visit
from core.reports.tables import PAYERS, SEXES, TOTAL, Cell, Report, cases_of, entries_of, visits_of
from core.vocabulary import CaseKind, Payer, Sex

DISPOSITIONS = {
    "home": "Pulang",
    "referred": "Dirujuk",
    "internal_referral": "Rujuk internal",
    "admitted": "Rawat inap",
    "left_against_advice": "Pulang paksa",
    "died": "Meninggal",
}


def _age_text(birth_date: date, day: date) -> str:
    """Whole years, below one year whole months, below one month days."""
    years = age_on(birth_date, day)
    if years:
        return f"{years} th"
    months = (day.year - birth_date.year) * 12 + day.month - birth_date.month - (day.day < birth_date.day)
    return f"{months} bl" if months else f"{(day - birth_date).days} hr"


def daily_register(clinic: Clinic, day: date) -> Report:
    """Everyone registered on a day, in order of arrival."""
    entries: dict[str, list[QueueEntry]] = {}
    for entry in entries_of(day, day):
        entries.setdefault(entry.visit_id, []).append(entry)
    diagnoses: dict[str, list[Diagnosis]] = {}
    for row in cases_of(day, day):
        diagnoses.setdefault(row.visit_id, []).append(row)
    names = {row.id: row.name for row in Account.select(Account.id, Account.name)}
    visits = visits_of(day, day)
    rows: list[tuple[Cell, ...]] = []
    for number, visit in enumerate(visits, 1):
        path = entries.get(visit.id, [])
        found = sorted(diagnoses.get(visit.id, []), key=lambda row: row.rank)
        rows.append(
            (
                number,
                *_register_person(clinic, visit, path),
                ", ".join(row.code for row in found),
                ", ".join("baru" if row.case_kind == CaseKind.NEW else "lama" for row in found),
                DISPOSITIONS.get(visit.disposition or "", ""),
                names.get(visit.registered_by_id, ""),
                _clock(clinic, min((row.called_at for row in path if row.called_at), default=None)),
                _clock(clinic, visit.ended_at),
            )
        )
    rows.append((TOTAL, len(visits), *[""] * (len(REGISTER_COLUMNS) - 2)))
    return Report(
        f"Register kunjungan harian {day.isoformat()}",
        "Semua kunjungan yang didaftarkan pada hari itu menurut jam kedatangan; tanpa yang dibatalkan.",
        "Pendaftaran di loket; jam menurut antrean.",
        REGISTER_COLUMNS,
        rows,
    )


REGISTER_COLUMNS = (
    "No", "Jam", "Nomor antrean", "No RM", "NIK", "Nama", "Umur", "L/P", "Alamat", "Kode kelurahan",
    "Kunjungan", "Cara bayar", "No BPJS", "Poli", "Keluhan", "ICD-10", "Kasus", "Tindak lanjut", "Petugas",
    "Jam panggil", "Jam selesai",
)  # fmt: skip


def _register_person(clinic: Clinic, visit: Visit, path: Sequence[QueueEntry]) -> tuple[Cell, ...]:
    patient = visit.patient
    rt_rw = f" RT {patient.rt} RW {patient.rw}" if patient.rt or patient.rw else ""
    return (
        _clock(clinic, visit.started_at),
        " ".join(dict.fromkeys(entry.ticket.number for entry in path)),
        patient.medical_record_number,
        patient.nik or "",
        patient.name,
        _age_text(patient.birth_date, visit.service_on),
        SEXES[Sex(patient.sex)],
        f"{patient.address}{rt_rw}".strip(),
        patient.village_code,
        "baru" if visit.is_first_this_year else "lama",
        PAYERS[Payer(visit.payer)],
        patient.bpjs_number or "",
        " > ".join(dict.fromkeys(entry.cluster for entry in path)),
        visit.chief_complaint,
    )


def _clock(clinic: Clinic, at: datetime | None) -> str:
    return "" if at is None else at.astimezone(clinic.zone).strftime("%H:%M")
