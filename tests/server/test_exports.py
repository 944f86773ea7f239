"""Reports that name patients leave Loket as a file only when one person asks and another releases them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.daily.reports.exports import CONCEALED, GIVEN_FOR
from core.daily.reports.registry import REPORTS
from core.foundation import clock
from core.foundation.codes import AppointmentOrigin, AppointmentStatus
from core.foundation.config import Settings
from core.foundation.database import connection
from core.foundation.identifiers import new_id
from core.models import Appointment, Visit
from server.run import Background
from tests.people import Caller, release_file

NAMING = [name for name, report in REPORTS.items() if report.has_names]
FILES: dict[str, Callable[[httpx.Client, str], httpx.Response]] = {
    "csv": lambda caller, name: caller.get(f"reports/{name}", params={"format": "csv"}),
    "xlsx": lambda caller, name: caller.get(f"reports/{name}", params={"format": "xlsx"}),
    "folder": lambda caller, name: caller.post(f"reports/{name}/files"),
}
"""Each way in which a report leaves as a file."""


@pytest.fixture
def supervisor(server: Background) -> Iterator[Caller]:
    with Caller(server.url, "supervisor") as caller:
        yield caller


def refusals(caller: httpx.Client, name: str = "daily-register") -> set[str]:
    return {code_of(take(caller, name)) for take in FILES.values()}


def code_of(answer: httpx.Response) -> str:
    return "given" if answer.is_success else str(answer.json()["code"])


@pytest.mark.parametrize("name", NAMING)
def test_no_door_gives_a_file_with_names_to_one_person_alone(
    clerk: Caller, admin: Caller, supervisor: Caller, name: str
) -> None:
    clerk.registered()
    assert refusals(admin, name) == {"approval_required"}
    assert refusals(supervisor, name) == {"approval_required"}
    asked = admin.post(f"reports/{name}/requests", json={"reason": "rapat dinas"})
    assert asked.status_code == 201
    assert refusals(admin, name) == {"approval_required"}
    approve = f"approvals/{asked.json()['id']}/approve"
    assert admin.post(approve).status_code == 403
    assert supervisor.post(approve).status_code == 200
    assert refusals(admin, name) == {"given"}
    assert refusals(supervisor, name) == {"approval_required"}, "released to who asked, and to nobody else"


def test_the_supervisor_releases_nothing_to_herself(supervisor: Caller) -> None:
    asked = supervisor.post("reports/daily-register/requests", json={"reason": "rapat dinas"}).json()
    assert supervisor.post(f"approvals/{asked['id']}/approve").status_code == 403
    assert refusals(supervisor) == {"approval_required"}


def test_a_refused_request_releases_nothing(admin: Caller, supervisor: Caller) -> None:
    asked = admin.post("reports/daily-register/requests", json={"reason": "rapat dinas"}).json()
    assert supervisor.post(f"approvals/{asked['id']}/refuse").json()["outcome"] == "refused"
    assert refusals(admin) == {"approval_required"}


def test_a_release_is_for_one_day_of_the_report_and_holds_for_a_day(settings: Settings) -> None:
    with (
        Background(settings.model_copy(update={"token_hours": 72})) as server,
        Caller(server.url, "admin") as admin,
        Caller(server.url, "supervisor") as supervisor,
    ):

        def taken(day: str) -> str:
            return code_of(admin.get("reports/daily-register", params={"format": "csv", "date": day}))

        release_file(admin, supervisor, date="2026-01-31")
        assert taken("2026-01-31") == "given"
        assert taken("2026-01-30") == "approval_required"
        released = clock.now()
        almost, over = released + GIVEN_FOR - timedelta(minutes=5), released + GIVEN_FOR
        with clock.frozen(lambda: almost):
            assert taken("2026-01-31") == "given"
        with clock.frozen(lambda: over):
            assert taken("2026-01-31") == "approval_required"


def test_what_names_nobody_needs_no_leave(admin: Caller) -> None:
    for name in set(REPORTS) - set(NAMING):
        assert refusals(admin, name) == {"given"}
        answer = admin.post(f"reports/{name}/requests", json={"reason": "rapat dinas"})
        assert (answer.status_code, code_of(answer)) == (422, "names_nobody")


def test_the_list_of_the_day_tells_who_took_a_file(admin: Caller, supervisor: Caller) -> None:
    release_file(admin, supervisor)
    FILES["xlsx"](admin, "daily-register")
    watched = supervisor.get("audit", params={"watched": True}).json()
    taken = [row for row in watched if row["action"] == "report_exported"]
    assert [(row["account"], row["detail"]["output"]) for row in taken] == [("admin", "xlsx")]
    asked = next(row for row in watched if row["action"] == "approval_requested")
    assert asked["detail"]["reason"] == "untuk dinas kesehatan"


def _misses_a_return(clerk: Caller, receipt: dict[str, Any], complaint: str) -> None:
    """Let a patient be expected today who left the counter again, and did not come."""
    assert clerk.post(f"registrations/{receipt['registration_id']}/undo").is_success
    now = clock.now()
    with connection():
        today = Visit.get_by_id(receipt["visit_id"]).service_on
        Appointment.create(
            id=new_id(), patient=receipt["patient_id"], cluster="GIGI", service_on=today, sequence=99, number="B-099",
            status=AppointmentStatus.NO_SHOW, chief_complaint=complaint, origin=AppointmentOrigin.ROOM, booked_at=now,
        )  # fmt: skip


@pytest.mark.parametrize("name", NAMING)
def test_a_screen_shows_clinical_text_only_to_who_reads_records(
    clerk: Caller, admin: Caller, supervisor: Caller, name: str
) -> None:
    complaint = "sakit gigi geraham kiri"
    receipt = clerk.registered(chief_complaint=complaint)
    if name == "missed-returns":
        _misses_a_return(clerk, receipt, complaint)
    kept, concealed = (reader.get(f"reports/{name}").json() for reader in (supervisor, admin))
    assert complaint in str(kept["rows"])
    assert complaint not in str(concealed["rows"])
    assert concealed["columns"] == kept["columns"]
    clinical = {kept["columns"].index(column) for column in REPORTS[name].clinical}
    for whole, shown in zip(kept["rows"], concealed["rows"], strict=True):
        for index, (cell, seen) in enumerate(zip(whole, shown, strict=True)):
            assert seen == (CONCEALED if index in clinical and cell != "" else cell)
