"""Return dates given in the room: numbers of the clinic's own, on days on which it works, and who did not come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from core.accounts.service import system_actor
from core.daily.reports.service_use import missed_returns
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import AppointmentStatus, Role
from core.foundation.database import connection
from core.foundation.errors import ConflictError, RuleError, ValidationError
from core.foundation.permissions import Actor
from core.models import Account, Appointment, Outbox, Patient, RosterVersion, Visit
from core.records import return_dates
from core.schemas.record import ReturnDateFields
from core.visits import appointments
from tests.core.days import Days, open_clinic

MONDAY = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
DAY, LATER, SUNDAY = date(2026, 3, 2), date(2026, 3, 16), date(2026, 3, 15)
CLERK = Actor("1", "clerk", "Clerk", Role.CLERK)


class Time:
    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Iterator[Time]:
    moving = Time()
    with clock.frozen(moving):
        yield moving


@pytest.fixture
def clinic(tmp_path: Path, time: Time) -> Iterator[Clinic]:
    made = open_clinic(tmp_path / "clinic", jkn_quota=1)
    with connection():
        yield made


def seen(
    clinic: Clinic, cluster: str = "UMUM", patient: Patient | None = None, seed: int = 1
) -> tuple[Visit, Actor]:
    """A visit of today, and the clinician of its room."""
    days = Days(clinic, seed=seed)
    visit = days.visit(clinic.today(), patient or days.patient(), cluster=cluster, codes=["I10"])
    account = Account.get(Account.username == "doctor")
    return visit, Actor(account.id, "doctor", account.name, Role.CLINICIAN, clusters=(cluster,))


def give(clinic: Clinic, visit: Visit, doctor: Actor, on: date | None) -> Appointment | None:
    return_dates.give(clinic, doctor, visit.id, ReturnDateFields(on=on))
    return appointments.return_of(visit.id)


def test_a_return_date_is_a_number_that_waits_at_the_counter(clinic: Clinic) -> None:
    visit, doctor = seen(clinic)
    given = give(clinic, visit, doctor, LATER)
    assert given is not None
    assert (given.cluster, given.number, given.service_on) == ("UMUM", "A-001", LATER)
    assert given.chief_complaint.startswith("Kontrol ")
    assert [row.id for row in appointments.of_day(CLERK, LATER)] == [given.id]


@pytest.mark.parametrize(
    ("on", "problem"),
    [(DAY, "past"), (DAY - timedelta(days=1), "past"), (DAY + timedelta(days=181), "too_far")],
)
def test_a_day_outside_what_may_be_given_is_refused(clinic: Clinic, on: date, problem: str) -> None:
    visit, doctor = seen(clinic)
    with pytest.raises(ValidationError) as refusal:
        give(clinic, visit, doctor, on)
    assert refusal.value.fields == {"day": problem}


def test_nobody_is_asked_to_come_on_a_closed_day(clinic: Clinic) -> None:
    visit, doctor = seen(clinic)
    with pytest.raises(RuleError, match="closed_day"):
        give(clinic, visit, doctor, SUNDAY)
    document = {
        "closed_weekdays": ["sunday"], "closed_on": [LATER.isoformat()],
        "sessions": [{"cluster": "UMUM", "doctor": "101", "name": "dr. A", "weekdays": ["friday"], "hours": "08:00-12:00"}],
    }  # fmt: skip
    account = Account.get(Account.username == "doctor")
    RosterVersion.create(number=1, document=document, changed_at=clock.now(), changed_by=account)
    with pytest.raises(RuleError, match="closed_day"):
        give(clinic, visit, doctor, LATER)
    with pytest.raises(RuleError, match="no_session"):
        give(clinic, visit, doctor, LATER + timedelta(days=1))
    given = give(clinic, visit, doctor, date(2026, 3, 20))
    assert given is not None
    assert given.hours == "08:00-12:00"


def test_another_day_takes_the_place_of_the_first_and_it_can_be_taken_back(clinic: Clinic) -> None:
    visit, doctor = seen(clinic)
    first = give(clinic, visit, doctor, LATER)
    second = give(clinic, visit, doctor, LATER + timedelta(days=1))
    assert first is not None
    assert second is not None
    assert Appointment.get_by_id(first.id).status == AppointmentStatus.CANCELLED
    assert give(clinic, visit, doctor, None) is None
    assert Appointment.get_by_id(second.id).status == AppointmentStatus.CANCELLED


def edits_to_send(visit: Visit) -> int:
    """How often the visit was put on the list of what is to be sent."""
    row = Outbox.get_or_none(Outbox.kind == "visit", Outbox.target == visit.id)
    return row.change if row else 0


def test_a_return_date_that_is_given_or_taken_back_sends_its_visit_again(clinic: Clinic) -> None:
    visit, doctor = seen(clinic)
    before = edits_to_send(visit)
    given = give(clinic, visit, doctor, LATER)
    after_giving = edits_to_send(visit)
    assert after_giving > before
    assert given is not None
    Appointment.update(card="0001200300401").where(Appointment.id == given.id).execute()
    at_home = Actor(doctor.account_id, "jkn", "Mobile JKN", Role.CLERK)
    appointments.cancel(at_home, "0001200300401", "UMUM", LATER)
    after_cancelling = edits_to_send(visit)
    assert after_cancelling > after_giving
    give(clinic, visit, doctor, LATER + timedelta(days=1))
    give(clinic, visit, doctor, None)
    assert edits_to_send(visit) >= after_cancelling + 2


def test_a_refused_day_leaves_the_earlier_one(clinic: Clinic) -> None:
    visit, doctor = seen(clinic)
    first = give(clinic, visit, doctor, LATER)
    with pytest.raises(RuleError):
        give(clinic, visit, doctor, SUNDAY)
    held = appointments.return_of(visit.id)
    assert held is not None
    assert first is not None
    assert held.id == first.id


def test_one_patient_has_one_number_in_a_cluster_on_a_day(clinic: Clinic) -> None:
    visit, doctor = seen(clinic)
    other, same = seen(clinic, patient=visit.patient)
    give(clinic, visit, doctor, LATER)
    with pytest.raises(ConflictError, match="already_booked"):
        give(clinic, other, same, LATER)


def test_return_dates_do_not_use_up_the_quota_of_mobile_jkn(clinic: Clinic, time: Time) -> None:
    time.now = MONDAY - timedelta(days=1)
    days = Days(clinic, seed=9)
    for seed in range(2):
        visit, doctor = seen(clinic, seed=seed)
        give(clinic, visit, doctor, DAY)
    wanted = appointments.Booking("UMUM", DAY, "batuk", card="0001112223334")
    made = appointments.book(clinic, system_actor(), days.patient(), wanted)
    assert made.number == "A-003"


def test_who_did_not_come_is_listed_until_they_come(clinic: Clinic, time: Time) -> None:
    visit, doctor = seen(clinic)
    other, second = seen(clinic, seed=2)
    give(clinic, visit, doctor, LATER)
    give(clinic, other, second, LATER)
    time.now = MONDAY + timedelta(days=14)
    days = Days(clinic)
    days.visit(LATER, other.patient, cluster="UMUM", codes=["I10"])
    appointments.close_day(LATER)
    time.now += timedelta(days=1)
    assert [row.patient_id for row in appointments.missed(clinic, CLERK)] == [visit.patient_id]
    rows = missed_returns(clinic, LATER).rows
    assert [row[4] for row in rows] == [visit.patient.name, ""]
    assert rows[-1][1:3] == (1, "dari 2")
    days.visit(clinic.today(), visit.patient, cluster="GIGI", codes=["K02.9"])
    assert appointments.missed(clinic, CLERK) == []
