"""A visit as P-Care wants it: pure, from Loket's rows to the bodies of the calls, with what is missing.

Source: docs/reference/bpjs.md 6, docs/reference/bpjs.md 7, docs/reference/bpjs.md 8.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from core.exchange.bpjs import allergy_codes
from core.exchange.bpjs.allergy_codes import NOT_LISTED, fold
from core.exchange.fhir.clinical import VisitRows
from core.foundation.codes import Disposition, EntryStatus, OrderStatus, VisitStatus
from core.models import Encounter, Patient, Prescription, Procedure, QueueEntry, Visit
from core.orders.medicines.quantities import read_amount, read_frequency
from core.records.pcare_form import FORM, INSURED, OF_A_REFERRAL, lacking, reason_of

WELL = "well"
"""Stands for a cluster where the poli of healthy visits is said."""
POLI_GAPS = ("poli", "well_poli")
"""Beginnings of the gaps without whose mending there is no registration."""
OUTPATIENT, PROMOTIVE = "10", "50"
NO_TACC = -1
NO_REFERRAL_WAY, REFERRAL_WAY = "3", "4"
WAYS_OF_LEAVING = {
    Disposition.HOME: NO_REFERRAL_WAY,
    Disposition.INTERNAL_REFERRAL: NO_REFERRAL_WAY,
    Disposition.REFERRED: REFERRAL_WAY,
    Disposition.ADMITTED: "9",
    Disposition.LEFT_AGAINST_ADVICE: "9",
    Disposition.DIED: "1",
}
"""Ours -> kdStatusPulang."""
MEASURES = {
    "sistole": "systolic",
    "diastole": "diastolic",
    "beratBadan": "weight",
    "tinggiBadan": "height",
    "respRate": "respiration",
    "lingkarPerut": "waist",
    "heartRate": "pulse",
}
"""P-Care's whole numbers -> our vital signs."""
MOVED = frozenset({EntryStatus.TRANSFERRED, EntryStatus.CANCELLED})
EACH_TIME = re.compile(r"^\s*\d{1,2}\s*[xX×]\s*(\d{1,2})\b(?![.,/])")
"""The second number of `3x2`: pieces each time."""
WHOLE = re.compile(r"^(\d{1,4})\b(?![.,/])")
LONGEST = 1000
"""Letters of a text that are sent."""


@dataclass(frozen=True)
class Codes:
    """The clinic's codes at BPJS."""

    polis: Mapping[str, str] = field(default_factory=dict)
    """Cluster -> kdPoli."""
    cluster_names: Mapping[str, str] = field(default_factory=dict)
    """Cluster -> its name here."""
    doctors: Mapping[str, str] = field(default_factory=dict)
    """Account id -> kdDokter."""
    medicines: Mapping[str, str] = field(default_factory=dict)
    """Folded name -> kdObat, or `NOT_LISTED`."""
    procedures: Mapping[str, str] = field(default_factory=dict)
    """Our code -> kdTindakan, or `NOT_LISTED`."""
    allergies: Mapping[str, str] = field(default_factory=dict)
    """Folded substance -> code with its list, or `NOT_LISTED`."""
    polis_of_the_well: frozenset[str] = frozenset()
    """kdPoli of the polis whose visits are healthy ones."""
    non_specialist: Mapping[str, bool] = field(default_factory=dict)
    """Diagnosis -> whether primary care treats it to the end; those that BPJS told."""
    temperature: str = "text"


@dataclass(frozen=True)
class Item:
    """A medicine or a procedure as it is sent, but for the visit's number."""

    kind: str
    """`medicine` or `procedure`."""
    body: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Hash of what is sent."""
        return digest(self.body)

    @property
    def code(self) -> str:
        """BPJS's code; empty for a medicine outside DPHO."""
        return str(self.body.get("kdObat") or self.body.get("kdTindakan") or "")


@dataclass(frozen=True)
class WantedVisit:
    """The content that BPJS should hold of a visit."""

    is_there: bool
    """True if it should hold anything."""
    card: str = ""
    nik: str = ""
    born: date | None = None
    """None for an estimated birth date."""
    poli: str = ""
    day: date | None = None
    registration: Mapping[str, Any] = field(default_factory=dict)
    visit: Mapping[str, Any] | None = None
    """None while the patient is here."""
    items: Mapping[str, Item] = field(default_factory=dict)
    """Our id -> item."""
    gaps: tuple[str, ...] = ()
    """Codes of what is missing to send all of it: `card`, `poli: Poli Gigi`, `doctor: dr. Contoh`, ..."""

    @property
    def is_registrable(self) -> bool:
        """Return whether BPJS can be told of it at all."""
        return self.is_there and not any(gap == "card" or gap.startswith(POLI_GAPS) for gap in self.gaps)


def wanted(rows: VisitRows, codes: Codes) -> WantedVisit:
    """Return what BPJS should hold of a visit.

    Args:
        rows: The visit with everything that belongs to it.
        codes: The clinic's codes at BPJS.
    """
    visit = rows.visit
    if not _is_wanted(visit) or _left_unseen(rows):
        return WantedVisit(is_there=False)
    patient: Patient = visit.patient
    is_healthy = bool(_answers(rows).get("healthy"))
    poli = codes.polis.get(WELL, "") if is_healthy else _poli(rows.entries, codes.polis)
    poli_gap = "well_poli" if is_healthy else f"poli: {_where(rows.entries, codes)}"
    known = {"card": patient.bpjs_number or patient.nik, poli_gap: poli}
    gaps = tuple(name for name, value in known.items() if not value)
    made = WantedVisit(
        is_there=True,
        card=patient.bpjs_number or "",
        nik=patient.nik or "",
        born=None if patient.birth_date_estimated else patient.birth_date,
        poli=poli,
        day=visit.service_on,
        registration=_registration(rows, poli, is_well=is_healthy or poli in codes.polis_of_the_well),
        gaps=gaps,
    )
    if visit.status != VisitStatus.FINISHED or gaps:
        return made
    return _with_visit(made, rows, codes)


def _is_wanted(visit: Visit) -> bool:
    gone = visit.status == VisitStatus.CANCELLED or visit.voided_at is not None
    return not gone and visit.payer in INSURED


def _left_unseen(rows: VisitRows) -> bool:
    """Return whether the patient left before anything was recorded: there is no visit to enter."""
    ends = [entry.status for entry in rows.entries if entry.voided_at is None]
    is_gone = EntryStatus.LEFT in ends and set(ends) <= MOVED | {EntryStatus.LEFT}
    return is_gone and not rows.encounters and not rows.diagnoses


def _with_visit(made: WantedVisit, rows: VisitRows, codes: Codes) -> WantedVisit:
    body, gaps = _visit(made, rows, codes)
    items: dict[str, Item] = {}
    for row in rows.prescriptions:
        if row.status != OrderStatus.REVOKED:
            _add_medicine(items, gaps, row, codes)
    for done in rows.procedures:
        if done.voided_at is None:
            _add_procedure(items, gaps, done, codes)
    blocked = any(not _is_of_an_item(gap) for gap in gaps)
    return WantedVisit(
        is_there=True,
        card=made.card,
        nik=made.nik,
        born=made.born,
        poli=made.poli,
        day=made.day,
        registration=made.registration,
        visit=None if blocked else body,
        items={} if blocked else items,
        gaps=(*made.gaps, *gaps),
    )


def _is_of_an_item(gap: str) -> bool:
    """Return whether the visit goes all the same, without what the gap names."""
    return gap.startswith(("frequency:", "amount:", "medicine:", "procedure:", "allergy:"))


def _poli(entries: Iterable[QueueEntry], polis: Mapping[str, str]) -> str:
    """Return the kdPoli of the cluster that took the patient last; empty when none is mapped."""
    mapped = [entry for entry in entries if entry.voided_at is None and entry.cluster in polis]
    served = [entry for entry in mapped if entry.served_at is not None]
    staying = [entry for entry in mapped if entry.status not in MOVED]
    chosen = max(served or staying or mapped, key=lambda entry: entry.started_at, default=None)
    return polis[chosen.cluster] if chosen is not None else ""


def _where(entries: Iterable[QueueEntry], codes: Codes) -> str:
    """Return the names of the clusters that had the patient, of which none is mapped."""
    had = [entry for entry in entries if entry.voided_at is None]
    staying = [entry for entry in had if entry.status not in MOVED] or had
    return ", ".join(
        dict.fromkeys(codes.cluster_names.get(entry.cluster, entry.cluster) for entry in staying)
    )


def _registration(rows: VisitRows, poli: str, *, is_well: bool) -> dict[str, Any]:
    return {
        "tglDaftar": day_text(rows.visit.service_on),
        "kdPoli": poli,
        "keluhan": rows.visit.chief_complaint[:LONGEST] or None,
        "kunjSakit": not is_well,
        # The vital signs follow with the visit: a registration is never sent again for them.
        **dict.fromkeys(MEASURES, 0),
        "rujukBalik": 0,
        "kdTkp": PROMOTIVE if is_well else OUTPATIENT,
    }


def _visit(made: WantedVisit, rows: VisitRows, codes: Codes) -> tuple[dict[str, Any], list[str]]:
    visit, contact, answers = rows.visit, _contact(rows), _answers(rows)
    way = WAYS_OF_LEAVING[Disposition(visit.disposition)] if visit.disposition else ""
    doctor = codes.doctors.get(contact.practitioner_id, "") if contact is not None else ""
    diagnoses = _diagnoses(rows)
    gaps = _gaps(contact, doctor, diagnoses, way)
    if contact is not None:
        flag = codes.non_specialist.get(diagnoses[0]) if diagnoses else None
        gaps += lacking(answers, disposition=visit.disposition, non_specialist=flag)
    referral = _referral(answers) if way == REFERRAL_WAY else None
    vitals = contact.vitals if contact is not None else {}
    anamnesis = contact.subjective if contact is not None else ""
    first, second, third = (*diagnoses, None, None, None)[:3]
    allergies, unmapped = allergy_codes.fields(
        [row.substance for row in rows.allergies],
        codes.allergies,
        none_known=visit.patient.no_known_allergies_at is not None,
    )
    gaps += [f"allergy: {substance}" for substance in unmapped]
    day = day_text(visit.service_on)
    body = {
        "tglDaftar": day, "kdPoli": made.poli, "keluhan": visit.chief_complaint[:LONGEST],
        "kdSadar": answers.get("consciousness"), **_measures(vitals), "kdStatusPulang": way, "tglPulang": day,
        "kdDokter": doctor, "kdDiag1": first, "kdDiag2": second, "kdDiag3": third, "kdPoliRujukInternal": None,
        "rujukLanjut": referral, "kdTacc": int(answers.get("tacc") or NO_TACC),
        "alasanTacc": reason_of(answers),
        "anamnesa": anamnesis[:LONGEST] or visit.chief_complaint,
        **allergies,
        "kdPrognosa": answers.get("prognosis"), "terapiObat": _therapy(rows.prescriptions),
        "terapiNonObat": answers.get("other_therapy") or "-", "bmhp": "-",
        "suhu": temperature(vitals.get("temperature"), codes.temperature),
    }  # fmt: skip
    return body, gaps


def _gaps(contact: Encounter | None, doctor: str, diagnoses: Sequence[str], way: str) -> list[str]:
    """Return what the record lacks, but for the form of BPJS.

    Args:
        contact: The contact that counts; None: nothing was recorded.
        doctor: Its practitioner's code at BPJS.
        diagnoses: Codes of the diagnoses.
        way: How the patient left, as BPJS codes it.
    """
    if contact is None:
        return ["record"]
    needed = {f"doctor: {contact.practitioner.name}": doctor, "diagnosis": diagnoses, "disposition": way}
    return [name for name, value in needed.items() if not value]


def _contact(rows: VisitRows) -> Encounter | None:
    """Return the contact whose practitioner counts: the one that ended the visit, else the newest."""
    contacts = sorted(rows.encounters, key=lambda row: row.started_at)
    ending = [row for row in contacts if row.disposition]
    return next(reversed(ending or contacts), None)


def _answers(rows: VisitRows) -> dict[str, Any]:
    """Return the answers to the form of BPJS; a later contact's stand before an earlier one's."""
    found: dict[str, Any] = {}
    for contact in sorted(rows.encounters, key=lambda row: row.started_at):
        found |= contact.form.get(FORM) or {}
    return found


def _diagnoses(rows: VisitRows) -> list[str]:
    standing = [row for row in rows.diagnoses if row.voided_at is None]
    return list(dict.fromkeys(row.code for row in sorted(standing, key=lambda row: row.rank)))[:3]


def _referral(answers: Mapping[str, Any]) -> dict[str, Any] | None:
    if not all(answers.get(name) for name in OF_A_REFERRAL):
        return None
    day = answers["refer_on"]
    return {
        "kdppk": answers["refer_provider"],
        "tglEstRujuk": day_text(day if isinstance(day, date) else date.fromisoformat(str(day))),
        "subSpesialis": {
            "kdSubSpesialis1": answers["refer_subspecialist"],
            "kdSarana": answers.get("refer_means") or None,
        },
        "khusus": None,
    }


def first_of_referral(rows: VisitRows) -> list[str]:
    """Return the first diagnosis of a visit that ends with a referral: BPJS may ask why."""
    is_referral = rows.visit.disposition == Disposition.REFERRED
    return _diagnoses(rows)[:1] if is_referral and _is_wanted(rows.visit) else []


def _therapy(prescriptions: Sequence[Prescription]) -> str:
    standing = [row for row in prescriptions if row.status != OrderStatus.REVOKED]
    lines = [f"{row.medicine} {row.dose} {row.frequency} ({row.amount})" for row in standing]
    return "; ".join(lines)[:LONGEST] or "-"


def _add_medicine(items: dict[str, Item], gaps: list[str], row: Prescription, codes: Codes) -> None:
    """Add a medicine, or say which part of it cannot be read."""
    signa = _signa(row)
    amount = WHOLE.match((row.dispensed_amount or row.amount).strip())
    if signa is None or amount is None:
        gaps.append(f"{'frequency' if signa is None else 'amount'}: {row.medicine}")
        return
    # A compounded medicine stands in no list.
    known = NOT_LISTED if row.ingredients else codes.medicines.get(fold(row.medicine))
    if known is None:
        gaps.append(f"medicine: {row.medicine}")
        return
    code = None if known == NOT_LISTED else known
    body = {
        "kdObatSK": 0, "racikan": False, "kdRacikan": None, "obatDPHO": code is not None, "kdObat": code,
        "signa1": signa[0], "signa2": signa[1], "jmlObat": int(amount[1]),
        "jmlPermintaan": 1, "nmObatNonDPHO": "-" if code is not None else row.medicine,
    }  # fmt: skip
    items[row.id] = Item("medicine", body)


def _signa(row: Prescription) -> tuple[int, int] | None:
    """Return how often a day and how many each time; None when it is not so often a day, or is not said.

    A part of a tablet counts as one, as P-Care takes whole numbers alone; the words stand in `terapiObat`.
    """
    times = read_frequency(row.frequency)
    if times is None or times < 1 or not times.is_integer():
        return None
    written, dose = EACH_TIME.match(row.frequency), read_amount(row.dose)
    if written is not None:
        return int(times), int(written[1])
    return int(times), max(1, math.ceil(dose.number)) if dose is not None else 1


def _add_procedure(items: dict[str, Item], gaps: list[str], row: Procedure, codes: Codes) -> None:
    """Add a procedure, or say that it has no code at BPJS."""
    code = codes.procedures.get(row.code)
    if code is None:
        gaps.append(f"procedure: {row.code}")
        return
    if code == NOT_LISTED:
        return
    body = {"kdTindakanSK": 0, "kdTindakan": code, "biaya": 0, "keterangan": None, "hasil": 0}
    items[row.id] = Item("procedure", body)


def _measures(vitals: Mapping[str, Any]) -> dict[str, int]:
    """Return whole numbers; what was not measured is 0 here, and only here."""
    return {theirs: round(float(vitals.get(ours) or 0)) for theirs, ours in MEASURES.items()}


def temperature(value: float | None, form: str) -> str | int:
    """Return a temperature as text with a comma, or as a whole number; 0 when it was not measured.

    Args:
        value: Degrees Celsius; None: not measured.
        form: `text` or `number`.
    """
    if form == "number":
        return round(value or 0)
    return f"{value:.1f}".replace(".", ",") if value else "0"


def day_text(day: date) -> str:
    """Return a day as P-Care writes it."""
    return day.strftime("%d-%m-%Y")


def digest(body: Mapping[str, Any]) -> str:
    """Return the hash of a body."""
    text = json.dumps(body, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
