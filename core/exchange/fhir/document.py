"""A patient's record as one FHIR document: a Bundle that needs nothing outside itself.

Built from the same records that the office gets; what was struck out or taken back is left out, and so is what the
Bundle does not hold. The notes, which the office does not get, are sections of the Composition.

Source: docs/reference/indonesia.md 5 (systems); FHIR R4 documents.html, bundle.html (bdl-9 to bdl-11).
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from core.exchange.fhir import systems
from core.exchange.fhir.clinical import instant
from core.exchange.fhir.rendering import Entry, Record
from core.exchange.fhir.systems import Names, Resource, concept

TAKEN_BACK = frozenset({"entered-in-error", "revoked", "cancelled"})
"""Statuses of what the patient's copy leaves out."""
MEDICAL_RECORD = "11503-0"
PROGRESS_NOTE = "11506-3"
SECTIONS = (
    ("AllergyIntolerance", "48765-2", "Alergi"),
    ("Condition", "11450-4", "Diagnosis"),
    ("MedicationRequest", "10160-0", "Obat"),
    ("Observation", "30954-2", "Tanda vital dan hasil pemeriksaan"),
    ("Procedure", "47519-4", "Tindakan"),
    ("Immunization", "11369-6", "Imunisasi"),
    ("Encounter", "46240-8", "Kunjungan"),
)
"""Resource type, LOINC code of its section, and the section's title."""
POINTERS = frozenset({"individual", "condition", "other", "actor", "location"})
"""Elements for which the part that holds them is there: without them it says nothing."""
NOTHING: tuple[object, ...] = (None, [], {})
CONDITIONAL = re.compile(r"^[A-Z][A-Za-z]+\?identifier=")


def document(
    names: Names, records: Iterable[Record], notes: Sequence[tuple[str, str]], made_at: datetime, number: str
) -> Resource:
    """Return a record as a document.

    Args:
        names: The facility's identifier systems.
        records: The directory, the patient, and the patient's visits.
        notes: Heading and text of each note, oldest first.
        made_at: When the copy is made.
        number: The patient's medical record number.
    """
    entries = [entry for record in records for entry in record.entries if _is_given(entry, number)]
    urls = {names.query(entry.type, entry.value): _url(names, entry) for entry in entries}
    head = _composition(names, entries, notes, made_at, number)
    resources = [(_named(f"{number} {instant(made_at)}"), head)]
    resources += [(_url(names, entry), entry.resource) for entry in _reached(names, entries, number)]
    return {
        "resourceType": "Bundle",
        "type": "document",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": _named(f"Bundle {number} {instant(made_at)}")},
        "timestamp": instant(made_at),
        "entry": [{"fullUrl": url, "resource": _inside(resource, urls)} for url, resource in resources],
    }


def _is_given(entry: Entry, number: str) -> bool:
    """Return whether an entry belongs into the copy: it stands, and is about this patient or the clinic."""
    if entry.type == "Composition" or (entry.type == "Patient" and entry.value != number):
        return False
    resource = entry.resource
    verified = resource.get("verificationStatus", {}).get("coding", [{}])[0].get("code")
    return resource.get("status") not in TAKEN_BACK and verified not in TAKEN_BACK


def _reached(names: Names, entries: Sequence[Entry], number: str) -> list[Entry]:
    """Return the entries that the record mentions: of the clinic's people and places no others."""
    directory = {"Organization", "Location", "Practitioner"}
    own = [entry for entry in entries if entry.type not in directory]
    said = {found for entry in own for found in _references(entry.resource)}
    said.add(names.query("Organization", names.facility_code))
    places = [entry for entry in entries if entry.type in directory]
    return [*own, *(entry for entry in places if names.query(entry.type, entry.value) in said)]


def _references(value: object) -> Iterable[str]:
    if isinstance(value, dict):
        for name, found in value.items():
            if name == "reference" and isinstance(found, str):
                yield found
            else:
                yield from _references(found)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _inside(value: object, urls: dict[str, str]) -> object:
    """Return a resource that mentions others by their place in the Bundle; what is not there is not mentioned."""
    if isinstance(value, list):
        return [item for item in (_inside(item, urls) for item in value) if item not in NOTHING]
    if not isinstance(value, dict):
        return value
    mentioned = value.get("reference")
    if isinstance(mentioned, str) and CONDITIONAL.match(mentioned):
        return {"reference": urls[mentioned]} if mentioned in urls else None
    made = {name: _inside(found, urls) for name, found in value.items()}
    if POINTERS & value.keys() and None in made.values():
        return None  # a part that only points at what is left out
    return {name: found for name, found in made.items() if found not in NOTHING}


def _composition(
    names: Names, entries: Sequence[Entry], notes: Sequence[tuple[str, str]], made_at: datetime, number: str
) -> Resource:
    """Return the document's head: a section for each kind of entry, one for the notes.

    Args:
        names: The facility's identifier systems.
        entries: What the document holds.
        notes: Heading and text of each note.
        made_at: When the copy is made.
        number: The patient's medical record number.
    """
    sections: list[Resource] = []
    for kind, code, title in SECTIONS:
        of_kind = [entry for entry in entries if entry.type == kind]
        if of_kind:
            mentioned = [names.reference(entry.type, entry.value) for entry in of_kind]
            sections.append({"title": title, "code": concept(systems.LOINC, code), "entry": mentioned})
    parts = [{"title": heading, "text": _narrative(text)} for heading, text in notes]
    if parts:
        sections.append({"title": "Catatan", "code": concept(systems.LOINC, PROGRESS_NOTE), "section": parts})
    return {
        "resourceType": "Composition",
        "status": "final",
        "type": concept(systems.LOINC, MEDICAL_RECORD),
        "subject": names.reference("Patient", number),
        "date": instant(made_at),
        "author": [names.reference("Organization", names.facility_code)],
        "title": "Salinan rekam medis",
        "section": sections,
    }


def _narrative(text: str) -> Resource:
    lines = "<br/>".join(html.escape(line) for line in text.splitlines())
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{lines}</div>'}


def _url(names: Names, entry: Entry) -> str:
    return _named(names.query(entry.type, entry.value))


def _named(text: str) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, text)}"


def to_json(made: Resource) -> str:
    """Return a document as the text of a file."""
    return json.dumps(made, ensure_ascii=False, indent=1)
