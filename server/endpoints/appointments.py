"""Numbers taken from home and return dates, as the counter sees them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from core.foundation.clinic import Clinic
from core.foundation.codes import AppointmentOrigin, AppointmentStatus
from core.foundation.database import connection
from core.models import Appointment
from core.patients import views as patients
from core.schemas.patients import BookingOut
from core.visits import appointments as kept
from server.resources import resource
from server.security import ActorNow, ClinicNow

router = resource("registration")


@router.get("/appointments")
def appointments(actor: ActorNow, clinic: ClinicNow, date: date | None = None) -> list[BookingOut]:
    """Return the numbers that wait for a day (today), from home and from the rooms: those still awaited first."""
    with connection():
        return _out(clinic, kept.of_day(actor, date or clinic.today()))


@router.get("/appointments/missed")
def missed_appointments(actor: ActorNow, clinic: ClinicNow) -> list[BookingOut]:
    """Return the return dates of late at which nobody came, and whose patients were not here since."""
    with connection():
        return _out(clinic, kept.missed(clinic, actor))


def _out(clinic: Clinic, rows: Sequence[Appointment]) -> list[BookingOut]:
    people = {row.patient_id: row.patient for row in rows}
    shown = {out.id: out for out in patients.patients_out(clinic, list(people.values()))}
    return [
        BookingOut(
            id=row.id,
            service_on=row.service_on,
            origin=AppointmentOrigin(row.origin),
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
