"""A patient who refuses: nothing more goes; what was struck out of what is there is taken back; an agreement sends the rest."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from core.exchange import outbox
from core.foundation.clinic import Clinic
from core.foundation.codes import Role
from core.foundation.database import transaction
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.models import Allergy, Diagnosis, Encounter, Outbox, Patient, SharingDecision, Visit
from core.patients import merging, sharing
from core.schemas.patients import SharingFields
from tests.core.days import Days
from tests.core.exchange.satusehat.sending import DAY, held, known, send
from tests.server.satusehat import Satusehat


@pytest.fixture
def patient(days: Days, ministry: Satusehat) -> Patient:
    made = days.patient(nik="6371019000000801", birth_date=date(1980, 5, 1))
    known(ministry, made)
    return made


def answer(days: Days, patient: Patient, *, agreed: bool, hour: int = 9) -> None:
    SharingDecision.create(
        id=new_id(), patient=patient, agreed=agreed, decided_at=datetime(2026, 3, 2, hour, tzinfo=UTC),
        decided_by=days.account,
    )  # fmt: skip


def edit(kind: str, target: str) -> None:
    with transaction():
        outbox.enqueue(kind, target)


def test_of_who_refuses_nothing_goes_and_nobody_is_asked_for(
    clinic: Clinic, days: Days, ministry: Satusehat, patient: Patient
) -> None:
    other = days.patient(nik="6371019000000802")
    known(ministry, other)
    for each in (patient, other):
        days.visit(DAY, each, codes=["I10"])
    answer(days, patient, agreed=False)
    outcome = send(clinic)
    assert (outcome.error, outcome.refused, outcome.pending) == (None, 0, 0)
    assert ministry.asked["GET Patient"] == 1, "to look a person up is to tell of them"
    assert [item["subject"]["reference"] for item in ministry.of("Encounter")] == ["Patient/P00000000002"]


def test_who_was_not_asked_has_not_refused_and_the_newest_answer_counts(
    clinic: Clinic, days: Days, ministry: Satusehat, patient: Patient
) -> None:
    days.visit(DAY, patient, codes=["I10"])
    answer(days, patient, agreed=False, hour=8)
    answer(days, patient, agreed=True, hour=9)
    assert send(clinic).refused == 0
    assert len(ministry.of("Encounter")) == 1


def test_after_a_withdrawal_only_strikes_travel(
    clinic: Clinic, days: Days, ministry: Satusehat, patient: Patient
) -> None:
    kept, voided = (days.visit(DAY, patient, codes=["I10", "J00"], cluster="UMUM") for _ in range(2))
    assert send(clinic).refused == 0
    before = held(ministry)
    answer(days, patient, agreed=False)
    later = days.visit(DAY, patient, codes=["I10"])
    with transaction():
        Diagnosis.update(voided_at=kept.ended_at).where(
            Diagnosis.visit == kept.id, Diagnosis.code == "J00"
        ).execute()
        Encounter.update(vitals={"pulse": 99}).where(Encounter.visit == kept.id).execute()
        Visit.update(voided_at=voided.ended_at).where(Visit.id == voided.id).execute()
    for visit in (kept, voided):
        edit("visit", visit.id)
    outcome = send(clinic)
    assert (outcome.error, outcome.refused, outcome.pending) == (None, 0, 0)
    there = held(ministry)
    assert not [key for key in there if later.id in key]
    struck = there[f"Condition/{kept.id}-J00"]["verificationStatus"]["coding"][0]["code"]
    assert struck == "entered-in-error"
    pulse = f"Observation/{kept.id}-UMUM-8867-4"
    assert there[pulse] == before[pulse], "a new value is new data"
    assert there[f"Observation/{kept.id}-UMUM-8480-6"]["status"] == "entered-in-error"
    assert there[f"Encounter/{voided.id}"]["status"] == "entered-in-error"


def test_a_struck_allergy_is_taken_back_although_the_patient_refuses(
    clinic: Clinic, days: Days, ministry: Satusehat, patient: Patient
) -> None:
    at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    Allergy.create(id=new_id(), patient=patient, substance="udang", recorded_at=at, recorded_by=days.account)
    assert send(clinic).refused == 0
    answer(days, patient, agreed=False)
    Allergy.create(id=new_id(), patient=patient, substance="telur", recorded_at=at, recorded_by=days.account)
    with transaction():
        Allergy.update(voided_at=at).where(Allergy.substance == "udang").execute()
    edit("patient", patient.id)
    assert send(clinic).refused == 0
    (only,) = ministry.of("AllergyIntolerance")
    assert only["verificationStatus"]["coding"][0]["code"] == "entered-in-error"


def actor_of(clinic: Clinic, days: Days, role: Role) -> Actor:
    from core.accounts.service import create_account

    account = create_account(f"uji-{role.value}", "Uji", role, "long enough", [])
    return Actor(account_id=account.id, username=account.username, name=account.name, role=role)


def test_an_agreement_sends_what_was_kept_back_and_each_answer_stays(
    clinic: Clinic, days: Days, ministry: Satusehat, patient: Patient
) -> None:
    clerk = actor_of(clinic, days, Role.CLERK)
    visit = days.visit(DAY, patient, codes=["I10"])
    assert sharing.of_patient(clinic, clerk, patient.id).agreed is None
    refused = sharing.decide(clinic, clerk, patient.id, SharingFields(agreed=False))
    assert (refused.agreed, "TIDAK SETUJU" in refused.text, patient.name in refused.text) == (
        False,
        True,
        True,
    )
    assert max(len(line) for line in refused.text.splitlines()) <= 72
    sharing.decide(clinic, clerk, patient.id, SharingFields(agreed=False))
    assert SharingDecision.select().count() == 1, "the same answer again changes nothing"
    send(clinic)
    assert not ministry.of("Encounter")
    agreed = sharing.decide(clinic, clerk, patient.id, SharingFields(agreed=True))
    assert "dan SETUJU" in agreed.text.replace("\n", " ")
    assert send(clinic).refused == 0
    assert held(ministry)[f"Encounter/{visit.id}"]
    assert SharingDecision.select().count() == 2
    assert Outbox.select().where(Outbox.status != "sent").count() == 0


def test_a_refusal_survives_a_merge(
    clinic: Clinic, days: Days, ministry: Satusehat, patient: Patient
) -> None:
    double = days.patient(nik=None)
    answer(days, double, agreed=False)
    merging.merge(clinic, actor_of(clinic, days, Role.RECORDS), double.id, patient.id)
    days.visit(DAY, patient, codes=["I10"])
    assert send(clinic).refused == 0
    assert not ministry.of("Encounter")
