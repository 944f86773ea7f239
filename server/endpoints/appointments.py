"""Numbers taken from home, as the counter sees them."""

from __future__ import annotations

from datetime import date

from core.foundation.codes import AppointmentStatus
from core.foundation.database import connection
from core.patients import views as patients
from core.schemas.patients import BookingOut
from core.visits import appointments as kept
from server.resources import resource
from server.security import ActorNow, ClinicNow

router = resource("registration")


@router.get("/appointments")
def appointments(actor: ActorNow, clinic: ClinicNow, date: date | None = None) -> list[BookingOut]:
    """Return the numbers taken from home for a day (today): those still awaited first, by number."""
    with connection():
        rows = kept.of_day(actor, date or clinic.today())
        people = {row.patient_id: row.patient for row in rows}
        shown = {out.id: out for out in patients.patients_out(clinic, list(people.values()))}
        return [
            BookingOut(
                id=row.id,
                number=row.number,
                cluster=row.cluster,
                chief_complaint=row.chief_complaint,
                bpjs_number=row.card,
                status=AppointmentStatus(row.status),
                patient=shown[row.patient_id],
                phone=row.phone,
                doctor=row.doctor,
                hours=row.hours,
                booked_at=row.booked_at,
                end_reason=row.end_reason,
            )
            for row in rows
        ]
