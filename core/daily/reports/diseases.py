"""Diseases: LB1, the ten most frequent, and the weekly early warning (SKDR)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import date

from core.daily.reports.report_tables import (
    TOTAL,
    Cell,
    ReportTable,
    cases_of,
    epidemiological_week,
    month_of,
    period_text,
    sums_of,
    titles_of,
    visits_of,
)
from core.foundation.ages import age_in_days, age_in_years
from core.foundation.clinic import Clinic
from core.foundation.codes import CaseKind, Sex

AGE_BANDS = (
    "0-7 hr", "8-28 hr", "29 hr-<1 th", "1-4 th", "5-9 th", "10-14 th", "15-19 th", "20-44 th", "45-54 th",
    "55-59 th", "60-69 th", ">=70 th",
)  # fmt: skip
"""LB1's columns (docs/reference/indonesia.md 6.2)."""
BAND_FROM_YEARS = (1, 5, 10, 15, 20, 45, 55, 60, 70)
"""Completed years at which the fourth and later bands begin."""


def age_band(birth_date: date, day: date) -> int:
    """Return the index into `AGE_BANDS` for an age at a visit, both ends of a band inclusive."""
    years = age_in_years(birth_date, day)
    if years < 1:
        # The first two bands end with the 7th and the 28th day of life.
        return bisect_left((7, 28), age_in_days(birth_date, day))
    return 2 + sum(years >= start for start in BAND_FROM_YEARS)


def lb1(clinic: Clinic, day: date) -> ReportTable:
    """Build the morbidity of the month by ICD-10, age band, sex, new and old cases."""
    first, last = month_of(day)
    table: dict[str, list[int]] = {}
    width = 2 * len(AGE_BANDS) + 7
    for case in cases_of(first, last):
        row = table.setdefault(case.code, [0] * width)
        sex = 0 if case.visit.patient.sex == Sex.MALE else 1
        row[2 * age_band(case.visit.patient.birth_date, case.visit.service_on) + sex] += 1
        kind = 2 * len(AGE_BANDS) + (0 if case.case_kind == CaseKind.NEW else 3)
        row[kind + sex] += 1
        row[kind + 2] += 1
        row[-1] += 1
    titles = titles_of(table)
    rows: list[tuple[Cell, ...]] = [(code, titles.get(code, ""), *table[code]) for code in sorted(table)]
    rows.append((TOTAL, "", *sums_of(table.values(), width)))
    return ReportTable(
        f"LB1 data kesakitan {first:%Y-%m}",
        f"Kasus (setiap diagnosis satu kasus) dari kunjungan {period_text(first, last)}, umur pada hari "
        "kunjungan. Kolom umur memuat kasus baru dan lama. Kasus baru: pertama kali dalam episode ini; "
        "kasus lama: kontrol berikutnya.",
        "Format LB1 SP2TP; kelompok umur menurut formulir dinas kesehatan.",
        (
            "ICD-10", "Penyakit", *(f"{band} {sex}" for band in AGE_BANDS for sex in "LP"),
            "Baru L", "Baru P", "Baru jml", "Lama L", "Lama P", "Lama jml", TOTAL,
        ),
        rows,
    )  # fmt: skip


def top_diagnoses(clinic: Clinic, day: date) -> ReportTable:
    """Build the ten most frequent diseases of the month by new cases."""
    first, last = month_of(day)
    counts: dict[str, list[int]] = {}
    for case in cases_of(first, last):
        if case.case_kind == CaseKind.NEW:
            counts.setdefault(case.code, [0, 0])[0 if case.visit.patient.sex == Sex.MALE else 1] += 1
    whole = sum(map(sum, counts.values()))
    order = sorted(counts, key=lambda code: (-sum(counts[code]), code))[:10]
    titles = titles_of(order)
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
    men, women = sums_of(counts.values(), 2)
    rows.append((TOTAL, "", "Semua penyakit", men, women, whole, 100.0 if whole else 0.0))
    return ReportTable(
        f"Sepuluh besar penyakit {first:%Y-%m}",
        f"Kasus baru dari kunjungan {period_text(first, last)} menurut ICD-10; persen dari semua kasus baru.",
        "Diagnosis yang dicatat klinisi; ICD-10 edisi 2010.",
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
"""SKDR code, disease, ICD-10 codes (KMK 2015/2023 by docs/reference/indonesia.md 6.3).

The table gives J09-J11 for both J and Y; here each case counts once: J09 is avian influenza,
J10-J11 influenza-like illness. T has no ICD-10 and is reported by hand.
"""


def skdr_matches(code: str, patterns: Iterable[str]) -> bool:
    """Return whether an ICD-10 code falls under a three-character code, a full code, or a range of them."""
    for pattern in patterns:
        low, _, high = pattern.partition("-")
        if high:
            if low <= code[:3] <= high:
                return True
        elif code == pattern or code.startswith(f"{pattern}." if "." not in pattern else pattern):
            return True
    return False


def skdr(clinic: Clinic, day: date) -> ReportTable:
    """Build the weekly counts for the early warning system; zeros are reported too."""
    first, last = epidemiological_week(day)
    codes = [case.code for case in cases_of(first, last) if case.case_kind == CaseKind.NEW]
    rows: list[tuple[Cell, ...]] = [
        (letter, disease, ", ".join(patterns), sum(skdr_matches(code, patterns) for code in codes))
        for letter, disease, patterns in SKDR
    ]
    rows.append((TOTAL, "Semua kunjungan", "", len(visits_of(first, last))))
    return ReportTable(
        f"SKDR minggu {first.isoformat()} - {last.isoformat()}",
        "Kasus baru per kode SKDR dari kunjungan minggu epidemiologi (Minggu sampai Sabtu); baris terakhir "
        "jumlah seluruh kunjungan. J09 dihitung sebagai flu burung, J10-J11 sebagai ILI; T diisi tangan.",
        "Kode SKDR menurut KMK HK.01.07/MENKES/2015/2023.",
        ("Kode", "Penyakit", "ICD-10", "Kasus"),
        rows,
    )
