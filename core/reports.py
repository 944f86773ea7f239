"""The reports a Puskesmas owes, drawn from visits, diagnoses and queue entries as they are stored.

Each report says its own definition. A period without data is a report with zeros. Cancelled
and voided visits and struck-out diagnoses are left out everywhere. Titles and columns are in
Indonesian, since the readers are the health office.

Source: indonesia.md 6 (registers, LB1 layout, SKDR codes); issue 6.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font

from core.clinic import Clinic, age_on
from core.database import connection
from core.models import (
    Account,
    Diagnosis,
    DiagnosisCode,
    Patient,
    QueueEntry,
    RoutingExample,
    Ticket,
    Visit,
)
from core.vocabulary import CaseKind, EntryStatus, Payer, Sex, VisitStatus

Cell = str | int | float


@dataclass(frozen=True)
class Report:
    """A table with its meaning."""

    title: str
    definition: str
    """What is counted, over which period, from which records."""
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    """Each as long as `columns`; totals last."""


TOTAL = "Jumlah"
PAYERS = {
    Payer.GENERAL: "Umum",
    Payer.JKN_PBI: "JKN PBI",
    Payer.JKN_NON_PBI: "JKN non-PBI",
    Payer.JAMKESDA: "Jamkesda",
    Payer.OTHER: "Lain-lain",
}
SEXES = {Sex.MALE: "L", Sex.FEMALE: "P"}
DISPOSITIONS = {
    "home": "Pulang",
    "referred": "Dirujuk",
    "internal_referral": "Rujuk internal",
    "admitted": "Rawat inap",
    "left_against_advice": "Pulang paksa",
    "died": "Meninggal",
}

AGE_BANDS = (
    "0-7 hr", "8-28 hr", "29 hr-<1 th", "1-4 th", "5-9 th", "10-14 th", "15-19 th", "20-44 th", "45-54 th",
    "55-59 th", "60-69 th", ">=70 th",
)  # fmt: skip
"""LB1's columns (indonesia.md 6.2)."""
BAND_FROM_YEARS = (1, 5, 10, 15, 20, 45, 55, 60, 70)
"""Completed years at which the fourth and later bands begin."""


def age_band(birth_date: date, day: date) -> int:
    """Index into `AGE_BANDS` for an age at a visit, both ends of a band inclusive."""
    years = age_on(birth_date, day)
    if years < 1:
        days = (day - birth_date).days
        return 0 if days <= 7 else 1 if days <= 28 else 2
    return 2 + sum(years >= start for start in BAND_FROM_YEARS)


def month_of(day: date) -> tuple[date, date]:
    """First and last day of the calendar month."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def epidemiological_week(day: date) -> tuple[date, date]:
    """Sunday to Saturday, as SKDR counts."""
    sunday = day - timedelta(days=(day.weekday() + 1) % 7)
    return sunday, sunday + timedelta(days=6)


def _visits(first: date, last: date) -> list[Visit]:
    return list(
        Visit.select(Visit, Patient)
        .join(Patient)
        .where(
            Visit.service_on >= first,
            Visit.service_on <= last,
            Visit.status != VisitStatus.CANCELLED,
            Visit.voided_at.is_null(),
        )
        .order_by(Visit.service_on, Visit.started_at, Visit.id)
    )


def _cases(first: date, last: date) -> list[Diagnosis]:
    """Diagnoses of the period with visit and patient: each diagnosis of a visit is a case."""
    return list(
        Diagnosis.select(Diagnosis, Visit, Patient)
        .join(Visit)
        .join(Patient)
        .where(
            Visit.service_on >= first,
            Visit.service_on <= last,
            Visit.status != VisitStatus.CANCELLED,
            Visit.voided_at.is_null(),
            Diagnosis.voided_at.is_null(),
        )
        .order_by(Visit.service_on, Diagnosis.code)
    )


def _entries(first: date, last: date) -> list[QueueEntry]:
    return list(
        QueueEntry.select(QueueEntry, Ticket, Visit)
        .join_from(QueueEntry, Ticket)
        .join_from(QueueEntry, Visit)
        .where(
            QueueEntry.service_on >= first,
            QueueEntry.service_on <= last,
            QueueEntry.voided_at.is_null(),
            Visit.voided_at.is_null(),
        )
        .order_by(QueueEntry.started_at, QueueEntry.id)
    )


def _titles(codes: Iterable[str]) -> dict[str, str]:
    """Names of codes: the list's, or what was written down at the diagnosis."""
    wanted = set(codes)
    found = {
        row.code: row.title_id for row in DiagnosisCode.select().where(DiagnosisCode.code.in_(wanted or [""]))
    }
    missing = wanted - found.keys()
    for row in Diagnosis.select(Diagnosis.code, Diagnosis.title).where(Diagnosis.code.in_(missing or [""])):
        found.setdefault(row.code, row.title)
    return found


def _period(first: date, last: date) -> str:
    return f"{first.isoformat()} s.d. {last.isoformat()}" if first != last else first.isoformat()


def _sums(rows: Iterable[Sequence[int]], width: int) -> list[int]:
    """Column totals; zeros when there is no row."""
    totals = [0] * width
    for row in rows:
        totals = [total + value for total, value in zip(totals, row, strict=True)]
    return totals


# --- the reports


def _age_text(birth_date: date, day: date) -> str:
    years = age_on(birth_date, day)
    if years:
        return f"{years} th"
    days = (day - birth_date).days
    return f"{days // 30} bl" if days >= 60 else f"{days} hr"


def daily_register(clinic: Clinic, day: date) -> Report:
    """Everyone registered on a day, in order of arrival."""
    entries: dict[str, list[QueueEntry]] = {}
    for entry in _entries(day, day):
        entries.setdefault(entry.visit_id, []).append(entry)
    diagnoses: dict[str, list[Diagnosis]] = {}
    for row in _cases(day, day):
        diagnoses.setdefault(row.visit_id, []).append(row)
    names = {row.id: row.name for row in Account.select(Account.id, Account.name)}
    visits = _visits(day, day)
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


def lb1(clinic: Clinic, day: date) -> Report:
    """Morbidity of the month by ICD-10, age band, sex, new and old cases."""
    first, last = month_of(day)
    table: dict[str, list[int]] = {}
    width = 2 * len(AGE_BANDS) + 7
    for case in _cases(first, last):
        row = table.setdefault(case.code, [0] * width)
        sex = 0 if case.visit.patient.sex == Sex.MALE else 1
        row[2 * age_band(case.visit.patient.birth_date, case.visit.service_on) + sex] += 1
        kind = 2 * len(AGE_BANDS) + (0 if case.case_kind == CaseKind.NEW else 3)
        row[kind + sex] += 1
        row[kind + 2] += 1
        row[-1] += 1
    titles = _titles(table)
    rows: list[tuple[Cell, ...]] = [(code, titles.get(code, ""), *table[code]) for code in sorted(table)]
    rows.append((TOTAL, "", *_sums(table.values(), width)))
    return Report(
        f"LB1 data kesakitan {first:%Y-%m}",
        f"Kasus (setiap diagnosis satu kasus) dari kunjungan {_period(first, last)}, umur pada hari "
        "kunjungan. Kolom umur memuat kasus baru dan lama. Kasus baru: pertama kali dalam episode ini; "
        "kasus lama: kontrol berikutnya.",
        (
            "ICD-10", "Penyakit", *(f"{band} {sex}" for band in AGE_BANDS for sex in "LP"),
            "Baru L", "Baru P", "Baru jml", "Lama L", "Lama P", "Lama jml", TOTAL,
        ),
        rows,
    )  # fmt: skip


def top_diagnoses(clinic: Clinic, day: date) -> Report:
    """The ten most frequent diseases of the month by new cases."""
    first, last = month_of(day)
    counts: dict[str, list[int]] = {}
    for case in _cases(first, last):
        if case.case_kind == CaseKind.NEW:
            counts.setdefault(case.code, [0, 0])[0 if case.visit.patient.sex == Sex.MALE else 1] += 1
    whole = sum(map(sum, counts.values()))
    order = sorted(counts, key=lambda code: (-sum(counts[code]), code))[:10]
    titles = _titles(order)
    rows: list[tuple[Cell, ...]] = [
        (
            rank,
            code,
            titles.get(code, ""),
            *counts[code],
            sum(counts[code]),
            round(100 * sum(counts[code]) / whole, 1),
        )
        for rank, code in enumerate(order, 1)
    ]
    men, women = _sums(counts.values(), 2)
    rows.append((TOTAL, "", "Semua penyakit", men, women, whole, 100.0 if whole else 0.0))
    return Report(
        f"Sepuluh besar penyakit {first:%Y-%m}",
        f"Kasus baru dari kunjungan {_period(first, last)} menurut ICD-10; persen dari semua kasus baru.",
        ("Peringkat", "ICD-10", "Penyakit", "L", "P", TOTAL, "%"),
        rows,
    )


SKDR: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("A", "Diare akut", ("A09",)),
    ("B", "Malaria", ("B51-B54",)),
    ("C", "Suspek dengue", ("A90", "A91")),
    ("D", "Pneumonia", ("J13-J18",)),
    ("E", "Diare berdarah", ("A03", "A06")),
    ("F", "Suspek tifoid", ("A01", "A02", "A75")),
    ("G", "Jaundice akut", ("A95", "B15", "B17.9", "R17")),
    ("H", "Suspek chikungunya", ("A92",)),
    ("J", "Suspek flu burung", ("J09",)),
    ("K", "Suspek campak", ("B05", "B06")),
    ("L", "Suspek difteri", ("A36",)),
    ("M", "Suspek pertusis", ("A37.9",)),
    ("N", "AFP (lumpuh layu mendadak)", ("A80", "G54")),
    ("P", "Gigitan hewan penular rabies", ("A82.9", "Z20.3", "W54", "W55")),
    ("Q", "Suspek antraks", ("A22",)),
    ("R", "Suspek leptospirosis", ("A27.9",)),
    ("S", "Suspek kolera", ("A00.9",)),
    ("T", "Kluster penyakit yang tidak lazim", ()),
    ("U", "Suspek meningitis/ensefalitis", ("G03.9", "G04.9")),
    ("V", "Suspek tetanus neonatorum", ("A33",)),
    ("W", "Suspek tetanus", ("A35",)),
    ("Y", "ILI (penyakit serupa influenza)", ("J10-J11",)),
    ("Z", "Suspek HFMD", ("B08.4",)),
    ("AC", "Suspek COVID-19", ("U07.1", "U07.2", "B34.2")),
)
"""SKDR code, disease, ICD-10 codes (KMK 2015/2023 by indonesia.md 6.3).

The table gives J09-J11 for both J and Y; here each case counts once: J09 is avian influenza,
J10-J11 influenza-like illness. T has no ICD-10 and is reported by hand.
"""


def skdr_matches(code: str, patterns: Iterable[str]) -> bool:
    """Whether an ICD-10 code falls under a three-character code, a full code, or a range of them."""
    for pattern in patterns:
        low, _, high = pattern.partition("-")
        if high:
            if low <= code[:3] <= high:
                return True
        elif code == pattern or code.startswith(f"{pattern}." if "." not in pattern else pattern):
            return True
    return False


def skdr(clinic: Clinic, day: date) -> Report:
    """Weekly counts for the early warning system; zeros are reported too."""
    first, last = epidemiological_week(day)
    codes = [case.code for case in _cases(first, last) if case.case_kind == CaseKind.NEW]
    rows: list[tuple[Cell, ...]] = [
        (letter, disease, ", ".join(patterns), sum(skdr_matches(code, patterns) for code in codes))
        for letter, disease, patterns in SKDR
    ]
    rows.append((TOTAL, "Semua kunjungan", "", len(_visits(first, last))))
    return Report(
        f"SKDR minggu {first.isoformat()} - {last.isoformat()}",
        "Kasus baru per kode SKDR dari kunjungan minggu epidemiologi (Minggu sampai Sabtu); baris terakhir "
        "jumlah seluruh kunjungan. J09 dihitung sebagai flu burung, J10-J11 sebagai ILI; T diisi tangan.",
        ("Kode", "Penyakit", "ICD-10", "Kasus"),
        rows,
    )


def payers(clinic: Clinic, day: date) -> Report:
    """Visits of the month by payer and cluster."""
    first, last = month_of(day)
    served: dict[str, set[str]] = {}
    for entry in _entries(first, last):
        if entry.served_at is not None:
            served.setdefault(entry.visit_id, set()).add(entry.cluster)
    clusters = list(clinic.clusters)
    table = {payer: [0] * (len(clusters) + 1) for payer in Payer}
    for visit in _visits(first, last):
        row = table[Payer(visit.payer)]
        row[-1] += 1
        for index, cluster in enumerate(clusters):
            row[index] += cluster in served.get(visit.id, ())
    rows: list[tuple[Cell, ...]] = [(PAYERS[payer], *table[payer]) for payer in Payer]
    rows.append((TOTAL, *_sums(table.values(), len(clusters) + 1)))
    return Report(
        f"Kunjungan menurut cara bayar {first:%Y-%m}",
        f"Kunjungan {_period(first, last)}. Kolom poli: kunjungan yang dilayani di poli itu (satu kunjungan "
        "dapat dilayani di beberapa poli); kolom terakhir: semua kunjungan.",
        ("Cara bayar", *clusters, "Kunjungan"),
        rows,
    )


def waits(clinic: Clinic, day: date) -> Report:
    """Waits and service times of a day by cluster."""
    entries = _entries(day, day)
    groups: list[tuple[str, list[QueueEntry]]] = [
        (cluster, [entry for entry in entries if entry.cluster == cluster]) for cluster in clinic.clusters
    ]
    rows = [(name, *_wait_figures(group)) for name, group in [*groups, (TOTAL, entries)]]
    return Report(
        f"Waktu tunggu dan pelayanan {day.isoformat()}",
        "Menit dari masuk antrean sampai dipanggil, dan dari mulai sampai selesai dilayani, menurut catatan "
        "antrean hari itu. P90: sembilan dari sepuluh pasien tidak lebih lama.",
        (
            "Poli", "Nomor", "Dipanggil", "Tunggu median", "Tunggu P90", "Tunggu terlama", "Dilayani",
            "Pelayanan median", "Pergi", "Dibatalkan",
        ),
        rows,
    )  # fmt: skip


def _wait_figures(entries: Sequence[QueueEntry]) -> tuple[Cell, ...]:
    waited = sorted(_minutes(row.started_at, row.called_at) for row in entries if row.called_at is not None)
    served = [
        _minutes(row.served_at, row.ended_at)
        for row in entries
        if row.served_at is not None and row.ended_at is not None
    ]
    return (
        len(entries),
        len(waited),
        round(median(waited), 1) if waited else 0,
        round(waited[max(0, -(-9 * len(waited) // 10) - 1)], 1) if waited else 0,
        round(waited[-1], 1) if waited else 0,
        sum(row.served_at is not None for row in entries),
        round(median(served), 1) if served else 0,
        sum(row.status == EntryStatus.LEFT for row in entries),
        sum(row.status == EntryStatus.CANCELLED for row in entries),
    )


def _minutes(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds() / 60)


def misrouting(clinic: Clinic, day: date) -> Report:
    """How often each routing rule was wrong in the month."""
    first, last = month_of(day)
    moved = {
        row.visit_id
        for row in RoutingExample.select(RoutingExample.visit)
        .join(Visit)
        .where(RoutingExample.source == "transfer", Visit.service_on >= first, Visit.service_on <= last)
    }
    table: dict[str, list[int]] = {}
    for visit in _visits(first, last):
        reasons = (visit.routing or {}).get("reasons") or []
        rule = str(reasons[0][0]) if reasons else "-"
        row = table.setdefault(rule, [0, 0, 0])
        row[0] += 1
        row[1] += visit.override_reason is not None
        row[2] += visit.id in moved
    rows: list[tuple[Cell, ...]] = [
        (rule, *table[rule], _share(table[rule]))
        for rule in sorted(table, key=lambda rule: (-table[rule][2], rule))
    ]
    whole = _sums(table.values(), 3)
    rows.append((TOTAL, *whole, _share(whole)))
    return Report(
        f"Salah poli menurut aturan {first:%Y-%m}",
        f"Kunjungan {_period(first, last)} menurut aturan pertama yang mengusulkan poli. Dipilih lain: "
        "petugas loket mempertahankan poli lain dengan alasan. Dipindah: klinisi memindahkan pasien dari "
        "poli pertama; persen dari kunjungan aturan itu.",
        ("Aturan", "Kunjungan", "Dipilih lain", "Dipindah", "% dipindah"),
        rows,
    )


def _share(row: Sequence[int]) -> float:
    return round(100 * row[2] / row[0], 1) if row[0] else 0.0


REPORTS: dict[str, Callable[[Clinic, date], Report]] = {
    "daily-register": daily_register,
    "lb1": lb1,
    "top-diagnoses": top_diagnoses,
    "skdr": skdr,
    "payers": payers,
    "waits": waits,
    "misrouting": misrouting,
}
"""Name -> how it is made for the day, week or month that holds a day."""


def build(clinic: Clinic, name: str, day: date) -> Report:
    """One report.

    Raises:
        KeyError: Not one of `REPORTS`.
    """
    with connection():
        return REPORTS[name](clinic, day)


def _safe(cell: Cell) -> Cell:
    """Text that begins like a formula must stay text in a spreadsheet."""
    return (
        f"'{cell}"
        if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t"} and cell != "-"
        else cell
    )


def to_csv(report: Report) -> str:
    """Header and rows, comma-separated; the caller chooses the encoding."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(report.columns)
    writer.writerows([_safe(cell) for cell in row] for row in report.rows)
    return out.getvalue()


def to_xlsx(report: Report) -> bytes:
    """A workbook of one sheet: title, definition, header, rows."""
    book = Workbook()
    sheet: Any = book.active
    sheet.title = "Laporan"
    sheet.append([report.title])
    sheet.append([report.definition])
    sheet.append([])
    sheet.append(list(report.columns))
    for row in report.rows:
        sheet.append([_safe(cell) for cell in row])
    for number in (1, 4):
        for cell in sheet[number]:
            cell.font = Font(bold=True)
    sheet.freeze_panes = "A5"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
