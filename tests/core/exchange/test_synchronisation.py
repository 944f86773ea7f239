"""The way to the office, over real HTTP between a real clinic database and a real office."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from peewee import fn

from core.exchange import fhir, outbox
from core.exchange import service as synchronisation
from core.exchange.service import Pace
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import OutboxStatus, RunStatus
from core.foundation.database import transaction
from core.models import Diagnosis, JobRun, Outbox, Patient, Visit
from server.office.models import Resource
from server.office.models import connection as office_connection
from tests.core.days import Days, open_clinic
from tests.server.offices import Office

DAY = date(2026, 3, 2)
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
"""Whether tests that go through seeds take them all, rather than the first ones."""
QUICK = Pace(backoff=0.01, backoff_cap=0.02, rest=0.0, attempts=3)


@pytest.fixture
def clinic(tmp_path: Path, office: Office) -> Clinic:
    return open_clinic(tmp_path / "clinic", office_url=office.fhir, office_token=office.token)


def everything(clinic: Clinic) -> dict[str, str]:
    """What the office ought to hold, as `Type/value` -> digest."""
    mapper = fhir.Mapper(clinic)
    records = [
        mapper.directory(),
        *mapper.patients([row.id for row in Patient.select(Patient.id)]),
        *mapper.visits([row.id for row in Visit.select(Visit.id)]),
    ]
    return {entry.key: fhir.digest(entry.resource).hex() for record in records for entry in record.entries}


def test_a_day_arrives_whole_and_is_proven(clinic: Clinic, days: Days, office: Office) -> None:
    days.fill(DAY, 60)
    seen: list[tuple[int, int]] = []
    outcome = synchronisation.run(clinic, pace=QUICK, progress=lambda done, total: seen.append((done, total)))
    assert outcome.error is None
    assert outcome.pending == 0
    assert outcome.refused == 0
    assert outcome.manifest_agrees is True
    assert office.held() == everything(clinic)
    assert seen[-1][0] == seen[-1][1]
    status = outbox.status(clinic)
    assert (status.pending, status.refused, status.running) == (0, 0, False)
    assert status.last_contact_at is not None
    assert status.manifest_agrees is True


def test_a_second_run_sends_no_record_and_makes_no_copy(clinic: Clinic, days: Days, office: Office) -> None:
    days.fill(DAY, 20)
    synchronisation.run(clinic, pace=QUICK)
    before = office.held()
    with office.client() as caller:
        versions = caller.get("/fhir/Encounter", params={"_count": 500}).json()
    outcome = synchronisation.run(clinic, pace=QUICK)
    assert (outcome.sent, outcome.batches) == (0, 0)
    assert office.held() == before
    with office.client() as caller:
        assert caller.get("/fhir/Encounter", params={"_count": 500}).json() == versions


def test_an_unreachable_office_leaves_everything_with_the_reason(
    clinic: Clinic, days: Days, office: Office
) -> None:
    days.fill(DAY, 5)
    waiting = outbox.pending_count()
    office.stop()
    outcome = synchronisation.run(clinic, pace=QUICK)
    assert outcome.error is not None
    assert outcome.error.code == "unreachable"
    assert outbox.pending_count() == waiting
    assert outbox.status(clinic).last_error == str(outcome.error)
    run = JobRun.select().where(JobRun.job == "sync").get()
    assert run.status == RunStatus.FAILED
    office._start()
    changed = clinic.settings.model_copy(update={"office_url": office.fhir})
    again = synchronisation.run(Clinic(changed, clinic.clusters), pace=QUICK)
    assert again.error is None
    assert outbox.status(clinic).last_error is None
    assert office.held() == everything(clinic)


def test_a_wrong_token_says_so_and_keeps_everything(clinic: Clinic, days: Days) -> None:
    days.fill(DAY, 3)
    waiting = outbox.pending_count()
    wrong = Clinic(clinic.settings.model_copy(update={"office_token": "nonsense"}), clinic.clusters)
    outcome = synchronisation.run(wrong, pace=QUICK)
    assert str(outcome.error) == "token_refused: LOKET_OFFICE_TOKEN (401)"
    assert outbox.pending_count() == waiting


def test_without_an_office_nothing_is_sent_and_it_is_said(tmp_path: Path) -> None:
    outcome = synchronisation.run(open_clinic(tmp_path / "alone"), pace=QUICK)
    assert str(outcome.error) == "not_set_up: LOKET_OFFICE_URL"


def test_a_poisoned_record_is_set_aside_and_goes_after_an_edit(
    clinic: Clinic, days: Days, office: Office
) -> None:
    visits = days.fill(DAY, 12)
    poisoned = visits[5]
    with transaction():
        # A code that the office's list form refuses, as an old import might hold it.
        Diagnosis.update(code="bad").where(Diagnosis.visit == poisoned).execute()
        outbox.enqueue("visit", poisoned.id)
    outcome = synchronisation.run(clinic, pace=QUICK)
    assert outcome.error is None
    assert (outcome.refused, outcome.pending) == (1, 0)
    assert outcome.manifest_agrees is False
    status = outbox.status(clinic)
    assert status.refusals[0]["target"] == poisoned.id
    assert "ICD-10" in status.refusals[0]["error"]
    assert len(office.bodies("Encounter")) == 11
    assert synchronisation.run(clinic, pace=QUICK).sent == 0

    with transaction():
        Diagnosis.update(code="J00").where(Diagnosis.visit == poisoned).execute()
        outbox.enqueue("visit", poisoned.id)
    mended = synchronisation.run(clinic, pace=QUICK)
    assert (mended.refused, mended.pending, mended.manifest_agrees) == (0, 0, True)
    assert office.held() == everything(clinic)


def test_visits_of_a_refused_patient_follow_when_the_patient_is_mended(
    clinic: Clinic, days: Days, office: Office
) -> None:
    patient = days.patient(sex="neither")
    days.visit(DAY, patient)
    outcome = synchronisation.run(clinic, pace=QUICK)
    assert outcome.error is None
    assert outcome.refused == 2
    assert outcome.pending == 0
    with transaction():
        Patient.update(sex="female").where(Patient.id == patient.id).execute()
        outbox.enqueue("patient", patient.id)
    mended = synchronisation.run(clinic, pace=QUICK)
    assert (mended.refused, mended.pending, mended.manifest_agrees) == (0, 0, True)
    assert office.held() == everything(clinic)


def test_an_edit_during_the_sending_is_sent_again(clinic: Clinic, days: Days, office: Office) -> None:
    visits = days.fill(DAY, 4)
    edited = visits[0]

    def edit(done: int, total: int) -> None:
        with transaction():
            if edited.chief_complaint != "lain":
                edited.chief_complaint = "lain"
                edited.save()
                outbox.enqueue("visit", edited.id)

    outcome = synchronisation.run(clinic, pace=QUICK, progress=edit)
    assert outcome.pending == 0
    assert "lain" in json.loads(office.bodies("Encounter")[edited.id])["reasonCode"][0]["text"]
    assert office.held() == everything(clinic)


def test_an_imported_patient_who_was_never_queued_goes_with_the_visit(
    clinic: Clinic, days: Days, office: Office
) -> None:
    days.fill(DAY, 3)
    Outbox.delete().where(Outbox.kind == "patient").execute()
    outcome = synchronisation.run(clinic, pace=QUICK)
    assert (outcome.refused, outcome.pending, outcome.manifest_agrees) == (0, 0, True)
    assert office.held() == everything(clinic)


TAMPERED: dict[str, Callable[[], Any]] = {
    "deleted": lambda: Resource.delete().where(Resource.type == "Condition"),
    "moved": lambda: Resource.update(day=DAY - timedelta(days=3)).where(Resource.type == "Encounter"),
    "body changed": lambda: Resource.update(body=fn.REPLACE(Resource.body, "finished", "planned")),
    "digest changed": lambda: Resource.update(digest="00").where(Resource.type == "Encounter"),
    "patient gone": lambda: Resource.delete().where(Resource.type == "Patient"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_changed_behind_the_offices_back_is_sent_again(
    clinic: Clinic, days: Days, office: Office, what: str
) -> None:
    with clock.frozen(lambda: datetime(2026, 3, 2, 9, tzinfo=UTC)):  # the day that is compared each time
        days.fill(DAY, 6)
        assert synchronisation.run(clinic, pace=QUICK).manifest_agrees
        before = {kind: office.bodies(kind) for kind in ("Patient", "Encounter", "Condition")}
        with office_connection():
            assert TAMPERED[what]().execute() > 0
        mended = synchronisation.run(clinic, pace=QUICK)
        # What it noted of a body it can find out again by itself.
        assert (mended.manifest_agrees, mended.sent > 0) == (True, what != "digest changed")
        assert {kind: office.bodies(kind) for kind in before} == before
        assert office.held() == everything(clinic)
        assert synchronisation.run(clinic, pace=QUICK).sent == 0


def test_what_only_the_office_holds_stays_there_and_is_told(
    clinic: Clinic, days: Days, office: Office
) -> None:
    """After a restore from an older backup it may be the only copy."""
    with clock.frozen(lambda: datetime(2026, 3, 2, 9, tzinfo=UTC)):
        days.fill(DAY, 4)
        assert synchronisation.run(clinic, pace=QUICK).manifest_agrees
        with office_connection():
            row = Resource.get(Resource.type == "Encounter")
            lost = f"{row.value}-lost"
            Resource.create(**{**row.__data__, "id": None, "value": lost})
        assert synchronisation.run(clinic, pace=QUICK).manifest_agrees is False
        assert outbox.status(clinic).only_there == 1
        assert lost in office.bodies("Encounter")


def test_an_office_that_lost_its_data_is_filled_again(
    clinic: Clinic, days: Days, office: Office, tmp_path: Path
) -> None:
    visits = days.fill(DAY, 8)
    assert synchronisation.run(clinic, pace=QUICK).manifest_agrees
    office.stop()
    fresh = Office(tmp_path / "fresh", port=office.settings.office_http.port)
    try:
        changed = clinic.settings.model_copy(update={"office_token": fresh.token})
        with transaction():
            outbox.enqueue("visit", visits[0].id)
        again = Clinic(changed, clinic.clusters)
        for _ in range(3):
            outcome = synchronisation.run(again, pace=QUICK)
        assert outcome.error is None
        assert outbox.pending_count() == 0
        assert visits[0].id in fresh.bodies("Encounter")
        assert Outbox.select().where(Outbox.status == OutboxStatus.REFUSED).count() == 0
    finally:
        fresh.stop()


def test_only_one_run_at_a_time(clinic: Clinic, days: Days) -> None:
    from core.foundation import jobs

    days.fill(DAY, 2)
    with jobs.alone(clinic.settings.home, "sync") as first:
        assert first
        outcome = synchronisation.run(clinic, pace=QUICK)
    assert str(outcome.error) == "already_running"
    assert synchronisation.run(clinic, pace=QUICK).error is None
