"""Performance-based capitation (KBK): contacts, referrals that primary care could have treated, chronic illness controlled."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict

from core.daily.reports.report_tables import Cell, ReportTable, cases_of, month_of, period_text, visits_of
from core.foundation.clinic import Clinic
from core.foundation.codes import JKN_PAYERS, Disposition
from core.models import BpjsVisit, Diagnosis, Encounter, Order, Visit
from core.orders.laboratory_results import Interval, read_result
from core.records.pcare_form import FORM
from core.records.pcare_needs import non_specialist

UNKNOWN = "tidak diketahui"
COLUMNS = ("Indikator", "Pembilang", "Penyebut", "Belum terbaca", "Hasil", "Satuan", "Target")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str


class _Figure(_Part):
    unit: str
    target: str


class _Illness(_Part):
    codes: list[str]
    results: dict[str, tuple[float, float]] = {}
    below: dict[str, float] = {}


class _Prolanis(_Figure):
    seen_within_days: int
    diabetes: _Illness
    hypertension: _Illness


class _Definitions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    contact_rate: _Figure
    non_specialist_referrals: _Figure
    prolanis: _Prolanis


@cache
def definitions() -> _Definitions:
    """Return the figures with their limits, as `core/data/kbk.toml` has them."""
    text = resources.files("core.data").joinpath("kbk.toml").read_text(encoding="utf-8")
    return _Definitions.model_validate(tomllib.loads(text))


@dataclass(frozen=True)
class _Count:
    """A number of people out of a number of people.

    Attributes:
        hits: The numerator.
        total: The denominator; None: nobody has told it.
        unread: Cases of which nobody can say; they are no hits, and are told.
    """

    hits: int
    total: int | None
    unread: int = 0

    def share(self, of: int) -> float | None:
        """Return the share of so many; None where the denominator is unknown, 0 where it is nobody."""
        if self.total is None:
            return None
        return self.hits * of / self.total if self.total else 0.0


def kbk(clinic: Clinic, day: date) -> ReportTable:
    """Build the three figures of the month from Loket's own records."""
    first, last = month_of(day)
    visits = [visit for visit in visits_of(first, last) if visit.payer in JKN_PAYERS]
    figures = definitions()
    prolanis = figures.prolanis
    diabetes = _of_diabetes(prolanis, first, last)
    hypertension = _of_hypertension(prolanis, first, last)
    shares = [count.share(100) or 0.0 for count in (diabetes, hypertension)]
    rows = [
        _row(figures.contact_rate, _contacts(clinic, visits), 1000),
        _row(figures.non_specialist_referrals, _referrals(visits), 100),
        (prolanis.diabetes.name, *_cells(diabetes, 100), prolanis.unit, ""),
        (prolanis.hypertension.name, *_cells(hypertension, 100), prolanis.unit, ""),
        (prolanis.name, "", "", "", _rounded(sum(shares) / len(shares)), prolanis.unit, prolanis.target),
    ]
    return ReportTable(
        f"Kapitasi berbasis kinerja (KBK) {first:%Y-%m}",
        f"Kunjungan JKN {period_text(first, last)}. Angka kontak: peserta terdaftar yang berkunjung, sehat atau sakit, "
        "tiap orang sekali, per 1.000 peserta (LOKET_BPJS_MEMBERS). Rujukan non spesialistik: dirujuk dengan diagnosis "
        "utama yang menurut BPJS tuntas di FKTP, tanpa TACC; 'belum terbaca': BPJS belum menyebut diagnosisnya. "
        f"Prolanis: pasien JKN dengan diagnosisnya dalam {prolanis.seen_within_days} hari; terkendali menurut hasil "
        "terakhir bulan ini; 'belum terbaca': bulan ini belum diperiksa. Rasio prolanis: rata-rata kedua penyakit.",
        "Peraturan BPJS Kesehatan 7/2019 tentang KBK; batas di core/data/kbk.toml.",
        COLUMNS,
        rows,
    )


def _row(figure: _Figure, count: _Count, of: int) -> tuple[Cell, ...]:
    return (figure.name, *_cells(count, of), figure.unit, figure.target)


def _cells(count: _Count, of: int) -> tuple[Cell, ...]:
    share = count.share(of)
    total: Cell = UNKNOWN if count.total is None else count.total
    return (count.hits, total, count.unread, UNKNOWN if share is None else _rounded(share))


def _rounded(share: float) -> float:
    return round(share, 2)


def _contacts(clinic: Clinic, visits: Collection[Visit]) -> _Count:
    """Count the clinic's own members who came; whoever BPJS says is registered elsewhere is none of them.

    Whom BPJS has told nothing of counts as a member, and as unread.
    """
    own = clinic.settings.bpjs_provider
    known = BpjsVisit.select().where(BpjsVisit.visit.in_([visit.id for visit in visits]))
    told = {row.visit_id: row.provider for row in known if row.provider and own}
    came = {visit.patient_id for visit in visits}
    elsewhere = {visit.patient_id for visit in visits if told.get(visit.id, own) != own}
    read = {visit.patient_id for visit in visits if visit.id in told}
    return _Count(len(came - elsewhere), clinic.settings.bpjs_members or None, len(came - read))


def _referrals(visits: Collection[Visit]) -> _Count:
    """Count the referrals of what primary care treats to the end, without a reason that BPJS accepts."""
    referred = [visit.id for visit in visits if visit.disposition == Disposition.REFERRED]
    first_codes = _first_codes(referred)
    flags = non_specialist(set(first_codes.values()))
    reasoned = _with_tacc(referred)
    told = {visit: flags.get(code) for visit, code in first_codes.items()}
    hits = sum(told.get(visit) is True and visit not in reasoned for visit in referred)
    return _Count(hits, len(referred), sum(told.get(visit) is None for visit in referred))


def _first_codes(visit_ids: Collection[str]) -> dict[str, str]:
    """Return visit -> code of its first diagnosis."""
    standing = (
        Diagnosis.select()
        .where(Diagnosis.visit.in_(list(visit_ids)), Diagnosis.voided_at.is_null())
        .order_by(Diagnosis.rank.desc())
    )
    return {row.visit_id: row.code for row in standing}  # the first rank comes last and stays


def _with_tacc(visit_ids: Collection[str]) -> set[str]:
    """Return the visits whose referral has a reason of time, age, complication or comorbidity."""
    contacts = Encounter.select().where(Encounter.visit.in_(list(visit_ids)))
    return {row.visit_id for row in contacts if (row.form.get(FORM) or {}).get("tacc")}


def _of_diabetes(prolanis: _Prolanis, first: date, last: date) -> _Count:
    """Count the diabetics whose last fasting glucose or HbA1c of the month is within the limits."""
    group = _patients_with(prolanis.diabetes.codes, prolanis.seen_within_days, last)
    limits = prolanis.diabetes.results
    orders = (
        Order.select(Order, Visit)
        .join(Visit)
        .where(
            Order.code.in_(list(limits)),
            Order.result.is_null(False),
            Visit.service_on >= first,
            Visit.service_on <= last,
            Visit.voided_at.is_null(),
        )
        .order_by(Order.resulted_at)
    )
    newest: dict[str, bool | None] = {}
    for order in orders:
        newest[order.visit.patient_id] = _is_within(order.result or "", limits[order.code or ""])
    return _counted(group, newest)


def _is_within(result: str, limits: tuple[float, float]) -> bool | None:
    """Return whether a result lies within limits; None where it cannot be read, or may lie on either side."""
    read = read_result(result)
    if read is None:
        return None
    meant = Interval(*limits)
    if read.interval.is_within(meant):
        return True
    is_outside = read.interval.is_below(meant) or meant.is_below(read.interval)
    return False if is_outside else None


def _of_hypertension(prolanis: _Prolanis, first: date, last: date) -> _Count:
    """Count the hypertensives whose last blood pressure of the month is below the limits."""
    group = _patients_with(prolanis.hypertension.codes, prolanis.seen_within_days, last)
    contacts = (
        Encounter.select(Encounter, Visit)
        .join(Visit)
        .where(Visit.service_on >= first, Visit.service_on <= last, Visit.voided_at.is_null())
        .order_by(Encounter.started_at)
    )
    newest: dict[str, bool | None] = {}
    for contact in contacts:
        below = [
            contact.vitals[name] < limit
            for name, limit in prolanis.hypertension.below.items()
            if name in contact.vitals
        ]
        if len(below) == len(prolanis.hypertension.below):
            newest[contact.visit.patient_id] = all(below)
    return _counted(group, newest)


def _patients_with(codes: Iterable[str], days: int, last: date) -> set[str]:
    """Return the insured patients who had one of the diagnoses within so many days before the end of the month."""
    begins = tuple(codes)
    cases = cases_of(last - timedelta(days=days), last)
    return {
        case.visit.patient_id
        for case in cases
        if case.code.startswith(begins) and case.visit.payer in JKN_PAYERS
    }


def _counted(group: Collection[str], newest: Mapping[str, bool | None]) -> _Count:
    readable = [newest[patient] for patient in group if newest.get(patient) is not None]
    return _Count(
        sum(bool(is_controlled) for is_controlled in readable), len(group), len(group) - len(readable)
    )
