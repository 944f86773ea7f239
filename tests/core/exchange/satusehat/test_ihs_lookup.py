"""IHS numbers are looked up while the patients wait: kept and shown, never made, never asked for of who refuses."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import httpx
import pytest

from core.exchange.satusehat.ihs_lookup import IhsLookup
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.database import transaction
from core.foundation.identifiers import new_id
from core.models import Patient, RemoteResource, SharingDecision
from core.patients import views
from tests.core.days import Days
from tests.core.exchange.satusehat.sending import DAY, changed, known, send
from tests.server.satusehat import Satusehat


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(DAY.year, DAY.month, DAY.day, 9, tzinfo=UTC))


def came(days: Days, number: int, **changes: object) -> Patient:
    patient = days.patient(nik=f"637101900000{number:04d}", **changes)
    days.visit(DAY, patient)
    return patient


def shown(clinic: Clinic, patient: Patient) -> str:
    return views.patient_out(clinic, Patient.get_by_id(patient.id)).ihs_number


def test_the_number_of_who_came_today_is_kept_and_shown_and_asked_for_once(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    patient, stranger = came(days, 901), came(days, 902)
    ihs = known(ministry, patient)
    lookup = IhsLookup(clinic)
    assert shown(clinic, patient) == ""
    assert lookup.look() == 1
    assert (shown(clinic, patient), shown(clinic, stranger)) == (ihs, ""), "unknown stays unknown"
    asked = ministry.asked["GET Patient"]
    assert (asked, lookup.look()) == (2, 0)
    assert ministry.asked["GET Patient"] == asked, "nobody is asked for twice"
    assert ministry.asked["POST Patient"] == 0, "nobody is made"


def test_a_corrected_number_is_asked_for_again(clinic: Clinic, days: Days, ministry: Satusehat) -> None:
    patient = came(days, 903)
    lookup = IhsLookup(clinic)
    assert lookup.look() == 0
    ihs = ministry.citizen("6371019000000999", patient.birth_date.isoformat())
    with transaction():
        Patient.update(nik="6371019000000999", version=2).where(Patient.id == patient.id).execute()
    assert lookup.look() == 1
    assert shown(clinic, patient) == ihs


def test_of_who_refuses_and_of_who_did_not_come_nobody_is_told(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    refusing, absent = came(days, 904), days.patient(nik="6371019000000905")
    for each in (refusing, absent):
        known(ministry, each)
    SharingDecision.create(
        id=new_id(), patient=refusing, agreed=False, decided_at=clock.now(), decided_by=days.account
    )
    assert IhsLookup(clinic).look() == 0
    assert ministry.asked["GET Patient"] == 0
    SharingDecision.update(agreed=True).execute()
    assert IhsLookup(clinic).look() == 1, "an agreement is looked up with the next look"


def test_an_outage_is_paused_and_the_number_found_afterwards(
    clinic: Clinic, days: Days, ministry: Satusehat, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = came(days, 906)
    known(ministry, patient)
    lookup = IhsLookup(clinic)
    ministry.mischief.extend(["cut", "html_502"])
    now = time.monotonic()
    assert lookup.look() == 0
    assert lookup.look() == 0, "it pauses"
    assert len(ministry.mischief) == 1, "and sends nothing meanwhile"
    for hours in (1, 2):
        monkeypatch.setattr(time, "monotonic", lambda later=now + 3600 * hours: later)
        found = lookup.look()
    assert found == 1
    assert shown(clinic, patient)


def test_a_number_that_the_sending_knows_is_not_asked_for(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    patient = came(days, 907)
    known(ministry, patient)
    ministry.now = clock.now().replace(hour=23)
    send(clinic)
    asked = ministry.asked["GET Patient"]
    assert IhsLookup(clinic).look() == 0
    assert ministry.asked["GET Patient"] == asked
    assert RemoteResource.get(RemoteResource.type == "Patient").remote_id == shown(clinic, patient)


@pytest.mark.parametrize("settings", [{"sync_target": "office"}, {"satusehat_client_secret": ""}])
def test_nothing_is_asked_where_satusehat_is_not_the_receiver(
    clinic: Clinic, days: Days, ministry: Satusehat, settings: dict[str, str]
) -> None:
    known(ministry, came(days, 908))
    refuse = httpx.MockTransport(lambda request: pytest.fail("it asked"))
    assert IhsLookup(changed(clinic, **settings), httpx.Client(transport=refuse)).look() == 0
