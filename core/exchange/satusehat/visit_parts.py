"""Holds what all resources of a visit share: the names of people and rooms, the official texts, and what could not be made.

A part that needs an official text that is missing is held and named; the parts that do not refer to it are made all the
same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from core.exchange.fhir.clinical import Context, Made, VisitRows, live_diagnoses, part_key
from core.exchange.fhir.systems import OWN, Names, Resource
from core.exchange.satusehat.kfa_products import KfaProducts
from core.exchange.satusehat.official_displays import Displays, MissingDisplayError
from core.models import Visit

OWN_SYSTEMS = {
    "Specimen": "specimen/{code}",
    "DiagnosticReport": "diagnostic/{code}/lab",
    "Medication": "medication/{code}",
    "MedicationDispense": "prescription/{code}",
    "ClinicalImpression": "clinicalimpression/{code}",
}
"""Resource types that only SATUSEHAT gets -> the end of their identifier system (docs/reference/indonesia.md 5.2)."""


@dataclass(frozen=True)
class SatusehatNames(Names):
    """The identifier systems of one facility at SATUSEHAT."""

    def system(self, resource_type: str) -> str:
        """Return the identifier system of the facility's own resources of a type."""
        own = OWN_SYSTEMS.get(resource_type)
        return (
            super().system(resource_type) if own is None else f"{OWN}/{own.format(code=self.facility_code)}"
        )


@dataclass(frozen=True)
class SatusehatContext(Context):
    """Facts that are the same for all visits of a run; `usernames` holds only people whom SATUSEHAT knows."""

    displays: Displays = field(default_factory=Displays)
    people: Mapping[str, str] = field(default_factory=dict)
    """Username -> name."""
    rooms: Mapping[str, str] = field(default_factory=dict)
    """Code of a cluster -> its name."""
    vitals: frozenset[str] = frozenset()
    """LOINC codes of the vital signs that are sent."""
    products: KfaProducts = field(default_factory=KfaProducts)
    """The clinic's import of KFA."""
    zone: tzinfo = UTC
    """The clinic's time zone."""

    def practitioner(self, username: str) -> Resource:
        """Return a reference to a practitioner, with the name."""
        return self.names.reference("Practitioner", username) | _shown(self.people.get(username))

    def room(self, code: str) -> Resource:
        """Return a reference to a cluster's room, with its name."""
        return self.names.reference("Location", code) | _shown(self.rooms.get(code))

    def facility(self) -> Resource:
        """Return a reference to the facility, by its IHS number."""
        return {"reference": f"Organization/{self.names.facility_code}"}

    def performer(self, account_id: str | None) -> Resource:
        """Return who did something: the practitioner where SATUSEHAT knows one, else the facility."""
        username = self.usernames.get(account_id or "")
        return self.facility() if username is None else self.practitioner(username)


def _shown(name: str | None) -> Resource:
    return {"display": name} if name else {}


@dataclass
class VisitParts:
    """The resources of one visit as they are made."""

    context: SatusehatContext
    rows: VisitRows
    made: list[Made] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    """`Type/identifier value` of what could not be made -> the code whose text is missing."""

    @property
    def visit(self) -> Visit:
        """The visit."""
        return self.rows.visit

    @property
    def is_valid(self) -> bool:
        """True where the visit stands; of a voided one everything is entered in error."""
        return self.visit.voided_at is None

    def key(self, part: str) -> str:
        """Return the identifier of a part, which follows from the visit's."""
        return part_key(self.visit, part)

    def shared(self) -> Resource:
        """Return what resources of the visit carry: the patient with the name, and the Encounter."""
        return {
            "subject": self.subject(),
            "encounter": self.context.names.reference("Encounter", self.visit.id),
        }

    def subject(self) -> Resource:
        """Return a reference to the patient, with the name."""
        patient = self.visit.patient
        reference = self.context.names.reference("Patient", patient.medical_record_number)
        return reference | {"display": patient.name}

    def add(self, kind: str, key: str, make: Callable[[], Resource]) -> bool:
        """Make a part, or hold it; return whether it was made.

        Args:
            kind: The resource type.
            key: The value of its identifier.
            make: Makes the resource.
        """
        try:
            self.made.append((kind, key, make()))
        except MissingDisplayError as error:
            self.held[f"{kind}/{key}"] = error.words
            return False
        return True

    def has(self, kind: str, key: str) -> bool:
        """Return whether a part was made."""
        return any((made, value) == (kind, key) for made, value, _ in self.made)

    def identifier(self, kind: str, key: str) -> Resource:
        """Return the business identifier of a part."""
        return self.context.names.identifier(kind, key)

    def reference(self, kind: str, key: str) -> Resource:
        """Return a reference to a part."""
        return self.context.names.reference(kind, key)

    def main_diagnosis(self) -> list[Resource]:
        """Return a reference to the main diagnosis, where one can be sent."""
        keys = [self.key(row.code) for row in live_diagnoses(self.rows)]
        return [self.reference("Condition", key) for key in keys if self.has("Condition", key)][:1]

    def standing(self, kinds: Iterable[str]) -> list[tuple[str, str]]:
        """Return type and key of the parts of some types that are not entered in error."""
        wanted = frozenset(kinds)
        return [(kind, key) for kind, key, made in self.made if kind in wanted and not is_taken_back(made)]


def is_taken_back(resource: Resource) -> bool:
    """Return whether a resource says of itself that it was entered in error, or was called off."""
    verified = resource.get("verificationStatus", {}).get("coding", [{}])[0].get("code")
    gone = {"entered-in-error", "cancelled", "revoked"}
    return resource.get("status") in gone or verified in gone
