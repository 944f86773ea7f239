"""Vital signs and consciousness: an Observation each, with body site and interpretation.

The record does not say where a sign was taken. The site is the one that the measurement itself means: the head of a head
circumference, the upper arm of a cuff; for what concerns the whole body, the body as a whole.

Source: yy-dto/IDCore, Profile-IDCoreObservationVitalSigns and Profile-IDCoreVSBPSystolic (bodySite 1..1, interpretation
1..1); SATUSEHAT, Lampiran Terminologi Resume Medis Rawat Jalan, table 6 (consciousness).
"""

from __future__ import annotations

from core.exchange.fhir.clinical import instant
from core.exchange.fhir.systems import INTERPRETATION, LOINC, OBSERVATION_CATEGORY, SNOMED, UCUM, Resource
from core.exchange.satusehat.visit_parts import VisitParts
from core.foundation.ages import age_in_days
from core.models import Encounter
from core.records.pcare_form import FORM
from core.records.vital_signs import VITALS, Vital

WHOLE_BODY = "38266002"
UPPER_ARM = "40983000"
BODY_SITES = {
    "systolic": UPPER_ARM,
    "diastolic": UPPER_ARM,
    "waist": "113345001",
    "arm_circumference": UPPER_ARM,
    "head_circumference": "69536005",
}
"""Vital sign -> SNOMED site; all others: the body as a whole."""
INTERPRETATIONS = {"low": "L", "high": "H"}
"""Warning of the record -> HL7 interpretation; a dangerous value is a critical one, a usual one normal."""
CATEGORIES = {"glucose": "laboratory", "arm_circumference": "exam"}
"""Vital sign -> category; all others: `vital-signs`."""
RENAMED = {"56072-2": "284473002"}
"""Code of the setting -> the one that is sent now: LOINC's arm circumference is the right arm's, and no side is recorded."""
CONSCIOUSNESS_CODE = "67775-7"
CONSCIOUSNESS = {"01": "248234008", "02": "300202002", "03": "450847001", "04": "422768004"}
"""P-Care's four answers -> SNOMED as SATUSEHAT lists them: alert, voice, pain, unresponsive."""


def wanted_codes(setting: str) -> frozenset[str]:
    """Return the codes of the vital signs that are sent.

    Args:
        setting: Codes with commas between them.
    """
    codes = [code.strip() for code in setting.split(",")]
    return frozenset(RENAMED.get(code, code) for code in codes)


def add(parts: VisitParts) -> None:
    """Add an Observation for each vital sign that is sent, and one for the consciousness where it was noted."""
    for contact in parts.rows.encounters:
        for name, value in contact.vitals.items():
            vital = VITALS.get(name)
            if vital is not None and vital.code in parts.context.vitals:
                _add_vital(parts, contact, vital, value)
        answer = (contact.form.get(FORM) or {}).get("consciousness")
        if answer in CONSCIOUSNESS:
            _add_consciousness(parts, contact, CONSCIOUSNESS[answer])


def _add_vital(parts: VisitParts, contact: Encounter, vital: Vital, value: float) -> None:
    key = parts.key(f"{contact.cluster}-{vital.code}")
    category = CATEGORIES.get(vital.name, "vital-signs")
    system = LOINC if vital.loinc else SNOMED

    def make() -> Resource:
        code = parts.context.displays.concept(system, vital.code or "")
        made = _observation(parts, contact, key, code, category)
        made |= {
            "valueQuantity": {"value": value, "unit": vital.unit, "system": UCUM, "code": vital.ucum},
            "bodySite": parts.context.displays.concept(SNOMED, BODY_SITES.get(vital.name, WHOLE_BODY)),
            "interpretation": _interpretation(parts, vital, value),
        }
        return {name: item for name, item in made.items() if item}

    parts.add("Observation", key, make)


def _interpretation(parts: VisitParts, vital: Vital, value: float) -> list[Resource]:
    """Return low, high, critical or normal for the patient's age; nothing where age alone sets no range."""
    age_days = age_in_days(parts.visit.patient.birth_date, parts.visit.service_on)
    limits = vital.soft_range(age_days)
    if limits is None:
        return []
    warning = vital.warning(value, age_days)
    if warning == "danger":
        code = "LL" if value < limits.low else "HH"
    else:
        code = INTERPRETATIONS.get(warning or "", "N")
    return [parts.context.displays.concept(INTERPRETATION, code)]


def _add_consciousness(parts: VisitParts, contact: Encounter, code: str) -> None:
    key = parts.key(f"{contact.cluster}-{CONSCIOUSNESS_CODE}")

    def make() -> Resource:
        asked = parts.context.displays.concept(LOINC, CONSCIOUSNESS_CODE)
        made = _observation(parts, contact, key, asked, "vital-signs")
        return made | {
            "valueCodeableConcept": parts.context.displays.concept(SNOMED, code),
            "bodySite": parts.context.displays.concept(SNOMED, WHOLE_BODY),
        }

    parts.add("Observation", key, make)


def _observation(parts: VisitParts, contact: Encounter, key: str, code: Resource, category: str) -> Resource:
    """Return an Observation of a contact without its value.

    Args:
        parts: The visit.
        contact: The contact with one cluster.
        key: The business identifier of the resource.
        code: The concept that was measured.
        category: `vital-signs`, `exam` or `laboratory`.
    """
    displays = parts.context.displays
    at = instant(contact.entered_at)
    return {
        "resourceType": "Observation",
        "identifier": [parts.identifier("Observation", key)],
        "status": "final" if parts.is_valid else "entered-in-error",
        "category": [displays.concept(OBSERVATION_CATEGORY, category)],
        "code": code,
        **parts.shared(),
        "effectiveDateTime": at,
        "issued": at,
        "performer": [parts.context.performer(contact.practitioner_id)],
    }
