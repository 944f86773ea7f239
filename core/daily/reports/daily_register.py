"""The daily register: all visits registered on a day, in order of arrival."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from core.daily.reports.report_tables import (
    PAYERS,
    SEXES,
    TOTAL,
    Cell,
    ReportTable,
    cases_of,
    catchment_of,
    entries_of,
    late_entries_of,
    visits_of,
)
from core.foundation.ages import age_in_days, age_in_months, age_in_years
from core.foundation.clinic import Clinic
from core.foundation.codes import CaseKind, Payer, Sex
from core.models import Account, Diagnosis, LateEntry, QueueEntry, Visit

DISPOSITIONS = {
    "home": "Pulang",
    "referred": "Dirujuk",
    "internal_referral": "Rujuk internal",
    "admitted": "Rawat inap",
    "left_against_advice": "Pulang paksa",
    "died": "Meninggal",
}


def _age_text(birth_date: date, day: date) -> str:
    """Return whole years, below one year whole months, below one month days."""
    if years := age_in_years(birth_date, day):
        return f"{years} th"
    if months := age_in_months(birth_date, day):
        return f"{months} bl"
    return f"{age_in_days(birth_date, day)} hr"


def daily_register(clinic: Clinic, day: date) -> ReportTable:
    """Build the register of a day: one row a visit, in order of arrival."""
    entries: defaultdict[str, list[QueueEntry]] = defaultdict(list)
    for entry in entries_of(day, day):
        entries[entry.visit_id].append(entry)
    diagnoses: defaultdict[str, list[Diagnosis]] = defaultdict(list)
    for diagnosis in cases_of(day, day):
        diagnoses[diagnosis.visit_id].append(diagnosis)
    clerks = {row.id: row.name for row in Account.select(Account.id, Account.name)}
    late = late_entries_of(day, day)
    visits = visits_of(day, day)
    rows: list[tuple[Cell, ...]] = []
    for number, visit in enumerate(visits, 1):
        path = entries[visit.id]
        rows.append(
            (
                number,
                *_arrival_cells(clinic, visit, path),
                *_diagnosis_cells(diagnoses[visit.id]),
                DISPOSITIONS.get(visit.disposition or "", ""),
                clerks.get(visit.registered_by_id, ""),
                _first_call(clinic, path),
                _clock(clinic, visit.ended_at),
                _late_cell(clinic, late.get(visit.id)),
            )
        )
    entered_late = sum(visit.id in late for visit in visits)
    rows.append((TOTAL, len(visits), *[""] * (len(REGISTER_COLUMNS) - 3), entered_late))
    return ReportTable(
        f"Register kunjungan harian {day.isoformat()}",
        "Semua kunjungan yang didaftarkan pada hari itu menurut jam kedatangan; tanpa yang dibatalkan. "
        "Entri susulan: pasien dicatat di kertas dan diketik kemudian, pada jam yang tertulis. "
        "Wilayah: dalam atau luar wilayah kerja (LOKET_CATCHMENT); kosong bila kelurahan tidak diketahui.",
        "Pendaftaran di loket; jam menurut antrean.",
        REGISTER_COLUMNS,
        rows,
    )


REGISTER_COLUMNS = (
    "No", "Jam", "Nomor antrean", "No RM", "NIK", "Nama", "Umur", "L/P", "Alamat", "Kode kelurahan",
    "Wilayah", "Kunjungan", "Cara bayar", "No BPJS", "Poli", "Keluhan", "ICD-10", "Kasus", "Tindak lanjut", "Petugas",
    "Jam panggil", "Jam selesai", "Entri susulan",
)  # fmt: skip


def _arrival_cells(clinic: Clinic, visit: Visit, path: Sequence[QueueEntry]) -> tuple[Cell, ...]:
    """Return the cells from the time of arrival to the complaint: patient, payer, clusters visited."""
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
        catchment_of(clinic, patient.village_code),
        "baru" if visit.is_first_this_year else "lama",
        PAYERS[Payer(visit.payer)],
        patient.bpjs_number or "",
        " > ".join(dict.fromkeys(entry.cluster for entry in path)),
        visit.chief_complaint,
    )


def _diagnosis_cells(diagnoses: Sequence[Diagnosis]) -> tuple[str, str]:
    """Return the codes of a visit's diagnoses and their kinds of case, main diagnosis first."""
    ranked = sorted(diagnoses, key=lambda row: row.rank)
    kinds = ["baru" if row.case_kind == CaseKind.NEW else "lama" for row in ranked]
    return ", ".join(row.code for row in ranked), ", ".join(kinds)


def _late_cell(clinic: Clinic, late: LateEntry | None) -> str:
    """Return when a late entry was typed, from which form, and who wrote it; empty for any other visit."""
    if late is None:
        return ""
    typed = late.entered_at.astimezone(clinic.zone).strftime("%d-%m %H:%M")
    form = f" {late.paper.number}" if late.paper is not None else ""
    return f"{typed}{form}, ditulis {late.written_by}"


def _first_call(clinic: Clinic, path: Sequence[QueueEntry]) -> str:
    """Return when the patient was first called in any queue; empty when never."""
    return _clock(clinic, min((entry.called_at for entry in path if entry.called_at), default=None))


def _clock(clinic: Clinic, at: datetime | None) -> str:
    return "" if at is None else at.astimezone(clinic.zone).strftime("%H:%M")
