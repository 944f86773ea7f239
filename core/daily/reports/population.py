"""Reports on who comes: from which area, and what the law asks of an identity besides."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date

from core.daily.reports.report_tables import (
    TOTAL,
    Cell,
    ReportTable,
    cases_of,
    catchment_of,
    month_of,
    period_text,
    sums_of,
    visits_of,
)
from core.foundation.clinic import Clinic
from core.foundation.codes import CaseKind, Sex
from core.patients import villages
from core.patients.identity_values import REFUSED, IdentityList, lists

UNKNOWN_AREA = "tidak diketahui"
AREAS = {"dalam": "Dalam wilayah", "luar": "Luar wilayah", "": "Wilayah tidak diketahui"}
"""Area of a village -> its name in the report, in this order."""
QUESTIONS = {
    "religion": "Agama",
    "education": "Pendidikan",
    "occupation": "Pekerjaan",
    "marital_status": "Status perkawinan",
}
NOT_ASKED, DOES_NOT_SAY = "Belum ditanyakan", "Tidak menjawab"


def regions(clinic: Clinic, day: date) -> ReportTable:
    """Build the visits and cases of the month by area and village."""
    first, last = month_of(day)
    counts: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 5)
    for visit in visits_of(first, last):
        village = visit.patient.village_code
        row = counts[catchment_of(clinic, village), village]
        row[0] += 1
        row[1] += visit.is_first_this_year
        row[2] += visit.patient.sex == Sex.FEMALE
    for case in cases_of(first, last):
        village = case.visit.patient.village_code
        counts[catchment_of(clinic, village), village][3 if case.case_kind == CaseKind.NEW else 4] += 1
    rows: list[tuple[Cell, ...]] = []
    for area, title in AREAS.items():
        own = {village: row for (where, village), row in counts.items() if where == area}
        for village, row in sorted(own.items(), key=lambda item: (-item[1][0], item[0])):
            rows.append((title, village, villages.label_of(village) or UNKNOWN_AREA, *row))
        rows.append((title, "", TOTAL, *sums_of(own.values(), 5)))
    rows.append((TOTAL, "", "", *sums_of(counts.values(), 5)))
    return ReportTable(
        f"Kunjungan dan kasus menurut wilayah {first:%Y-%m}",
        f"Kunjungan {period_text(first, last)} menurut kelurahan alamat pasien. Dalam atau luar wilayah kerja menurut "
        "LOKET_CATCHMENT; tidak diketahui bila kelurahan atau wilayah kerja belum diisi. Kasus: setiap diagnosis satu kasus.",
        "Alamat di pendaftaran; kode kelurahan Kemendagri.",
        (
            "Wilayah", "Kode kelurahan", "Kelurahan", "Kunjungan", "Kunjungan baru", "Kunjungan perempuan", "Kasus baru",
            "Kasus lama",
        ),
        rows,
    )  # fmt: skip


def identity(clinic: Clinic, day: date) -> ReportTable:
    """Build the answers of the patients of the month to what the law asks of an identity besides."""
    first, last = month_of(day)
    people = {visit.patient_id: visit.patient for visit in visits_of(first, last)}.values()
    rows: list[tuple[Cell, ...]] = []
    for name, listed in lists().items():
        counted = Counter(getattr(patient, name) for patient in people)
        rows += [(QUESTIONS[name], code, label, counted[code]) for code, label in _answers(listed)]
    return ReportTable(
        f"Identitas pasien {first:%Y-%m}",
        f"Pasien yang berkunjung {period_text(first, last)}, tiap pasien satu kali. Tidak menjawab: sudah ditanyakan, pasien "
        "tidak menjawab; belum ditanyakan: tidak ada yang menanyakan.",
        "Data identitas menurut KMK HK.01.07/MENKES/1423/2022, ditanyakan sesudah pendaftaran.",
        ("Pertanyaan", "Kode", "Jawaban", "Pasien"),
        rows,
    )


def _answers(listed: IdentityList) -> list[tuple[str, str]]:
    """Return code and words of each answer, the refusal and the missing answer last."""
    said = [(value.code, listed.label(value.code)) for value in listed.values]
    return [*said, (REFUSED, DOES_NOT_SAY), ("", NOT_ASKED)]
