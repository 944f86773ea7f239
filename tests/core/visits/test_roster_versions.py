"""The roster that is kept on the screen: what holds for bookings and letters, and what is refused."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from core.accounts import service as accounts
from core.accounts.service import system_actor
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Role, Sex
from core.foundation.database import connection, transaction
from core.foundation.errors import ConflictError, NotAllowedError, RuleError, ValidationError
from core.foundation.permissions import Actor, actor_of
from core.models import AuditEvent, BpjsCode
from core.patients import service as patients
from core.schemas.patients import PatientFields
from core.schemas.roster import RosterChange, SessionFields
from core.visits import appointments, roster_versions
from core.visits.roster import WEEKDAYS

SESSION = SessionFields(
    cluster="GIGI",
    doctor="4711",
    name="drg. Contoh",
    weekdays=list(WEEKDAYS),
    hours="00:00-23:59",
    quota=1,
    licence="446/SIP/17",
)


@pytest.fixture
def admin(clinic: Clinic) -> Actor:
    with connection():
        return actor_of(accounts.create_account("kepala", "Admin Satu", Role.ADMIN, "rahasia-sekali"))


def saved(clinic: Clinic, admin: Actor, **changes: object) -> int:
    version = roster_versions.shown(clinic, admin).version
    fields = {"closed_weekdays": [], "sessions": [SESSION], "version": version, **changes}
    return roster_versions.change(clinic, admin, RosterChange.model_validate(fields)).version


def test_nobody_has_saved_one_and_sundays_are_closed(clinic: Clinic, admin: Actor) -> None:
    shown = roster_versions.shown(clinic, admin)
    assert (shown.version, shown.closed_weekdays, shown.sessions, shown.changed_at) == (
        0,
        ["sunday"],
        [],
        None,
    )


def test_what_is_saved_holds_and_says_who_saved_it(clinic: Clinic, admin: Actor) -> None:
    assert saved(clinic, admin, closed_on=["2027-08-17"]) == 1
    shown = roster_versions.shown(clinic, admin)
    assert (shown.version, shown.changed_by, shown.sessions) == (1, "Admin Satu", [SESSION])
    now = roster_versions.current(clinic)
    assert now.is_closed(date(2027, 8, 17))
    assert not now.is_closed(date(2027, 8, 15))  # a Sunday
    with connection():
        assert AuditEvent.select().where(AuditEvent.action == "roster_changed").count() == 1


def test_numbers_from_home_are_given_by_it_at_once(clinic: Clinic, admin: Actor) -> None:
    """Also the closed day that is entered after others have booked: their numbers stay, nobody gets a new one."""
    tomorrow = clinic.today() + timedelta(days=1)
    jkn = system_actor("jkn")
    wanted = appointments.Booking("GIGI", tomorrow, "sakit gigi")
    saved(clinic, admin)
    fields = PatientFields(name="Siti Aminah", sex=Sex.FEMALE, birth_date=date(1990, 5, 1))
    with transaction():
        patient = patients.create(clinic, jkn, fields, clock.now())
    with connection():
        booked = appointments.book(clinic, jkn, patient, wanted)
        assert (booked.doctor, booked.hours) == ("4711", "00:00-23:59")
    saved(clinic, admin, closed_on=[tomorrow])
    with connection(), pytest.raises(RuleError) as refused:
        appointments.book(clinic, jkn, patient, wanted)
    assert refused.value.code == "closed_day"
    with connection():
        assert appointments.held_for(patient.id, "GIGI", tomorrow) is not None


def test_two_who_change_the_same_version_do_not_undo_each_other(clinic: Clinic, admin: Actor) -> None:
    saved(clinic, admin)
    late = RosterChange(version=0, sessions=[])
    with pytest.raises(ConflictError) as refused:
        roster_versions.change(clinic, admin, late)
    assert (refused.value.code, refused.value.details["name"]) == ("roster_changed", "Admin Satu")
    assert roster_versions.shown(clinic, admin).sessions == [SESSION]


def test_hours_that_cannot_be_told_apart_are_refused(clinic: Clinic, admin: Actor) -> None:
    twice = SESSION.model_copy(update={"weekdays": ["friday"], "name": "Lagi"})
    with pytest.raises(RuleError) as refused:
        saved(clinic, admin, sessions=[SESSION, twice])
    assert (refused.value.code, refused.value.details["name"]) == ("session_twice", "Lagi")


def test_a_cluster_that_the_clinic_does_not_have_is_named(clinic: Clinic, admin: Actor) -> None:
    with pytest.raises(ValidationError) as refused:
        saved(clinic, admin, sessions=[SESSION, SESSION.model_copy(update={"cluster": "JANTUNG"})])
    assert refused.value.fields == {"sessions.1.cluster": "unknown"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hours", "12:00-08:00"),
        ("hours", "pagi"),
        ("doctor", "x"),
        ("weekdays", []),
        ("quota", -1),
        ("name", ""),
    ],
)
def test_what_cannot_be_read_is_no_session(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        SessionFields.model_validate(SESSION.model_dump() | {field: value})


def test_others_than_the_admin_look_and_do_not_change(clinic: Clinic) -> None:
    with connection():
        clerk = actor_of(accounts.create_account("loket", "Petugas", Role.CLERK, "rahasia-sekali"))
    assert roster_versions.shown(clinic, clerk).version == 0
    with pytest.raises(NotAllowedError):
        saved(clinic, clerk)


def test_a_file_holds_instead_and_is_not_changed_here(clinic: Clinic, admin: Actor, tmp_path: Path) -> None:
    saved(clinic, admin)
    file = tmp_path / "roster.toml"
    file.write_text('closed_on = [2027-01-01]\n[[session]]\ncluster = "UMUM"\ndoctor = 1\nname = "dr. A"\n'
                    'weekdays = ["monday"]\nhours = "08:00-12:00"\nlicence = "SIP 9"\n')  # fmt: skip
    by_file = Clinic(clinic.settings.model_copy(update={"roster": str(file)}), clinic.clusters)
    shown = roster_versions.shown(by_file, admin)
    assert (shown.file, shown.closed_on) == (str(file), [date(2027, 1, 1)])
    assert [(each.cluster, each.doctor, each.licence) for each in shown.sessions] == [("UMUM", "1", "SIP 9")]
    with pytest.raises(RuleError) as refused:
        saved(by_file, admin)
    assert refused.value.code == "roster_in_file"


def test_a_clinicians_licence_is_found_by_bpjss_number(clinic: Clinic, admin: Actor) -> None:
    saved(clinic, admin)
    with connection():
        assert roster_versions.licence_of(clinic, "ani") == ""
        BpjsCode.create(kind="doctor", ours="ani", theirs="4711")
        assert roster_versions.licence_of(clinic, "ani") == "446/SIP/17"
        BpjsCode.create(kind="doctor", ours="budi", theirs="4712")
        assert roster_versions.licence_of(clinic, "budi") == ""
