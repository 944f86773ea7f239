"""Visits with their notes, letters and forms."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import Query

from core.foundation.codes import Permission
from core.records import encounters, letters, releases, return_dates
from core.records.forms import FormDefinition, LetterKind
from core.records.vital_signs import VITALS
from core.schemas.oversight import ApprovalOut
from core.schemas.record import (
    AddendumFields,
    BreastfeedingFields,
    EncounterFields,
    EncounterOut,
    GlassBroken,
    LetterFields,
    LetterOut,
    ReleaseAsked,
    ReleaseFields,
    ReleaseOut,
    ReturnDateFields,
    ReturnDateOut,
    VisitOut,
)
from server.resources import resource
from server.security import ActorNow, ClinicNow, ReasonNow

router = resource("visits")


@router.get("/visits/{visit_id}")
def read(visit_id: str, actor: ActorNow, clinic: ClinicNow, reason: ReasonNow) -> VisitOut:
    """Return a visit with its record; outside one's own queue a reason is required."""
    return encounters.read_visit(clinic, actor, visit_id, reason)


@router.put("/visits/{visit_id}/encounter")
def write_encounter(visit_id: str, body: EncounterFields, actor: ActorNow, clinic: ClinicNow) -> EncounterOut:
    """Write or correct the SOAP note of one's own cluster."""
    return encounters.write_encounter(clinic, actor, visit_id, body)


@router.put("/visits/{visit_id}/breastfeeding")
def state_breastfeeding(
    visit_id: str, body: BreastfeedingFields, actor: ActorNow, clinic: ClinicNow
) -> BreastfeedingFields:
    """Record whether the patient breast-feeds: some medicines depend on it."""
    return encounters.state_breastfeeding(clinic, actor, visit_id, body.breastfeeding)


@router.post("/visits/{visit_id}/addenda", status_code=201)
def add_addendum(visit_id: str, body: AddendumFields, actor: ActorNow, clinic: ClinicNow) -> EncounterOut:
    """Add a note to a record, locked or not."""
    return encounters.add_addendum(clinic, actor, visit_id, body)


@router.post("/visits/{visit_id}/release", status_code=201)
def release(visit_id: str, body: ReleaseFields, actor: ActorNow, clinic: ClinicNow) -> ReleaseOut:
    """Let a visit's record be corrected after its time, for some hours.

    Args:
        visit_id: The visit.
        body: Why, for how long, and which contact.
        actor: The supervisor.
        clinic: The clinic.
    """
    return releases.release(clinic, actor, visit_id, body)


@router.post("/visits/{visit_id}/release-requests", status_code=201)
def ask_release(visit_id: str, body: ReleaseAsked, actor: ActorNow, clinic: ClinicNow) -> ApprovalOut:
    """Ask the supervisor for leave to correct one's own contact after its time.

    Args:
        visit_id: The visit.
        body: Why, and which contact.
        actor: The clinician.
        clinic: The clinic.
    """
    return releases.ask(clinic, actor, visit_id, body)


@router.get("/visits/{visit_id}/releases")
def released(visit_id: str, actor: ActorNow, clinic: ClinicNow, reason: ReasonNow) -> list[ReleaseOut]:
    """Return who released this record, when, why and until when, newest first; as the record is opened.

    Args:
        visit_id: The visit.
        actor: Who reads.
        clinic: The clinic.
        reason: Why, outside one's own queue; whoever releases records needs none.
    """
    return releases.of_visit(clinic, actor, visit_id, reason)


@router.get("/break-glass")
def broken_glass(
    actor: ActorNow, clinic: ClinicNow, day: Annotated[date | None, Query(alias="date")] = None
) -> list[GlassBroken]:
    """Return the records opened outside their readers' own queues on a day, newest first.

    Args:
        actor: The supervisor.
        clinic: The clinic.
        day: The clinic's day; today unless given.
    """
    return releases.broken_glass(clinic, actor, day)


@router.get("/letters")
def letter_kinds(actor: ActorNow) -> list[LetterKind]:
    """Return the kinds of letters and certificates, each with its fields."""
    actor.require(Permission.READ_RECORDS)
    return list(letters.kinds().values())


@router.post("/visits/{visit_id}/letters", status_code=201)
def issue_letter(visit_id: str, body: LetterFields, actor: ActorNow, clinic: ClinicNow) -> LetterOut:
    """Issue a certificate or a referral."""
    return letters.issue(clinic, actor, visit_id, body)


@router.put("/visits/{visit_id}/return-date")
def give_return_date(
    visit_id: str, body: ReturnDateFields, actor: ActorNow, clinic: ClinicNow
) -> ReturnDateOut | None:
    """Give, change or take back the day on which the clinician wants to see the patient again."""
    return return_dates.give(clinic, actor, visit_id, body)


@router.get("/forms")
def read_forms(actor: ActorNow, clinic: ClinicNow) -> list[FormDefinition]:
    """Return the specialised forms, with all that a terminal needs to draw and check them."""
    actor.require(Permission.READ_RECORDS)
    return list(clinic.forms.values())


@router.get("/vitals")
def vitals_table(actor: ActorNow) -> list[dict[str, Any]]:
    """Return the vital signs, with units and limits."""
    return [
        {
            "name": vital.name,
            "label": vital.label,
            "unit": vital.unit,
            "hard_low": vital.hard_low,
            "hard_high": vital.hard_high,
            "soft": [
                {"under_days": limits.under_days, "low": limits.low, "high": limits.high}
                for limits in vital.soft
            ],
        }
        for vital in VITALS.values()
    ]
