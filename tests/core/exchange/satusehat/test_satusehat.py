"""SATUSEHAT as the receiver: its order, its rules, its faults; after them it holds exactly the clinic's set."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from core.exchange import outbox
from core.exchange import service as synchronisation
from core.foundation.clinic import Clinic
from core.foundation.codes import OutboxStatus, VisitStatus
from core.foundation.config import Settings
from core.foundation.database import connection, transaction
from core.foundation.errors import SettingsError
from core.models import (
    Account,
    Addendum,
    Diagnosis,
    Encounter,
    Outbox,
    Patient,
    QueueEntry,
    RemoteResource,
    Visit,
)
from tests.core.days import Days, open_clinic
from tests.core.exchange.satusehat.sending import (
    DAY,
    DOCTOR_NIK,
    changed,
    fill,
    held,
    import_icd10,
    known,
    send,
    settings_for,
)
from tests.core.exchange.test_synchronisation import THOROUGH
from tests.server.satusehat import Satusehat


def assert_whole(clinic: Clinic, ministry: Satusehat) -> None:
    """Every visit is there once, with its diagnoses and vital signs, and refers to what is there."""
    there = held(ministry)
    for visit in Visit.select():
        encounter = there[f"Encounter/{visit.id}"]
        assert encounter["status"] == "finished"
        codes = {row.code for row in Diagnosis.select().where(Diagnosis.visit == visit.id)}
        assert len(encounter["diagnosis"]) == len(codes)
        for code in codes:
            condition = there[f"Condition/{visit.id}-{code}"]
            assert condition["encounter"]["reference"] == f"Encounter/{encounter['id']}"
        for contact in Encounter.select().where(Encounter.visit == visit.id):
            written = [key for key in there if key.startswith(f"Observation/{visit.id}-{contact.cluster}-")]
            assert len(written) == len(contact.vitals)
    assert Outbox.select().where(Outbox.status != OutboxStatus.SENT).count() == 0


def test_a_day_arrives_in_its_order(clinic: Clinic, days: Days, ministry: Satusehat) -> None:
    fill(days, ministry)
    outcome = send(clinic)
    assert (outcome.error, outcome.refused, outcome.pending) == (None, 0, 0)
    assert_whole(clinic, ministry)
    first = {path: number for number, (_, path) in reversed(list(enumerate(ministry.log)))}
    order = [
        "/oauth2/v1/accesstoken",
        "/fhir-r4/v1/Practitioner",
        "/fhir-r4/v1/Location",
        "/fhir-r4/v1/Patient",
        "/fhir-r4/v1",
    ]
    assert sorted(order, key=first.__getitem__) == order
    assert ministry.issued == 1
    # A patient whom the registry did not know was made, with the NIK.
    assert len(ministry.population) == 5
    again = send(clinic)
    assert (again.sent, again.error) == (0, None)


def test_one_by_one_it_is_the_same_set(clinic: Clinic, days: Days, ministry: Satusehat) -> None:
    fill(days, ministry, 4)
    outcome = send(changed(clinic, satusehat_bundles=False))
    assert (outcome.error, outcome.refused) == (None, 0)
    assert ministry.asked["POST Bundle"] == 0
    assert_whole(clinic, ministry)


def test_statuses_are_continuous_and_times_have_their_offset(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    patient = days.patient()
    known(ministry, patient)
    visit = days.visit(DAY, patient, started_at=datetime(2026, 3, 2, 0, 30, tzinfo=UTC), minutes=(20, 10))
    assert send(clinic).error is None
    encounter = held(ministry)[f"Encounter/{visit.id}"]
    assert [
        (step["status"], step["period"]["start"][11:], step["period"]["end"][11:])
        for step in encounter["statusHistory"]
    ] == [
        ("arrived", "00:30:00+00:00", "00:50:00+00:00"),
        ("in-progress", "00:50:00+00:00", "01:00:00+00:00"),
        ("finished", "01:00:00+00:00", "01:00:00+00:00"),
    ]


@pytest.mark.parametrize("bundles", [True, False])
@pytest.mark.parametrize("trick", ["plain_500", "html_502", "busy_503", "html_200", "cut", "lose_answer"])
def test_whatever_breaks_nothing_is_lost_or_there_twice(
    clinic: Clinic, days: Days, ministry: Satusehat, trick: str, bundles: bool
) -> None:
    fill(days, ministry, 6)
    clinic = changed(clinic, satusehat_bundles=bundles)
    for seed in range(3 if THOROUGH else 2):
        ministry.mischief.extend(["", trick, "", trick, trick] if seed else [trick])
        send(clinic)
    ministry.mischief.clear()
    outcome = send(clinic)
    assert (outcome.error, outcome.refused, outcome.pending) == (None, 0, 0)
    assert_whole(clinic, ministry)


def test_answers_lost_again_and_again(clinic: Clinic, days: Days, ministry: Satusehat) -> None:
    """Every second answer is lost after it was taken: what is there already is adopted."""
    fill(days, ministry, 6)
    ministry.mischief.extend(["lose_answer", ""] * 60)
    send(clinic, 3)
    ministry.mischief.clear()
    assert send(clinic).error is None
    assert_whole(clinic, ministry)


def test_a_taken_bundle_whose_answer_cannot_be_read_is_adopted(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    patient = days.patient()
    known(ministry, patient)
    assert send(clinic).error is None
    visit = days.visit(DAY, patient)
    ministry.mischief.append("unreadable_bundle")
    send(clinic)
    with transaction():
        Visit.update(disposition="home").where(Visit.id == visit.id).execute()
        outbox.enqueue("visit", visit.id)
    assert send(clinic).error is None
    assert held(ministry)[f"Encounter/{visit.id}"]["hospitalization"]
    assert_whole(clinic, ministry)


def test_a_duplicate_that_the_search_does_not_show_yet_waits(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    patient = days.patient()
    known(ministry, patient)
    visit = days.visit(DAY, patient)
    assert send(clinic).error is None
    RemoteResource.delete().where(RemoteResource.type == "Encounter").execute()
    ministry.hidden.update(ministry.resources["Encounter"])
    with transaction():
        Visit.update(disposition="home").where(Visit.id == visit.id).execute()
        outbox.enqueue("visit", visit.id)
    outcome = send(clinic)
    assert (outcome.error, outcome.refused, outcome.pending) == (None, 0, 1)
    ministry.hidden.clear()
    assert send(clinic).pending == 0
    assert_whole(clinic, ministry)


def test_a_token_that_ends_early_is_renewed_once(clinic: Clinic, days: Days, ministry: Satusehat) -> None:
    fill(days, ministry, 4)
    ministry.token_uses = 5
    assert send(clinic).error is None
    assert ministry.issued > 1
    assert_whole(clinic, ministry)


def test_a_wrong_secret_says_so_and_keeps_everything(clinic: Clinic, days: Days, ministry: Satusehat) -> None:
    fill(days, ministry, 2)
    waiting = outbox.pending_count()
    outcome = send(changed(clinic, satusehat_client_secret="wrong"))
    assert "LOKET_SATUSEHAT_CLIENT_ID" in str(outcome.error)
    assert outbox.pending_count() == waiting
    status = outbox.status(clinic)
    assert (status.receiver, status.last_error) == ("satusehat", str(outcome.error))


def test_a_foreign_organisation_ends_the_run_with_the_setting_to_look_at(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    fill(days, ministry, 2)
    outcome = send(changed(clinic, satusehat_organization="999"))
    assert "LOKET_SATUSEHAT_ORGANIZATION" in str(outcome.error)
    assert "20003" in str(outcome.error)


def test_a_missing_setting_is_named(tmp_path: Path) -> None:
    alone = open_clinic(tmp_path / "alone", sync_target="satusehat", satusehat_url="https://x.example")
    outcome = send(alone)
    assert "LOKET_SATUSEHAT_CLIENT_ID" in str(outcome.error)
    assert not synchronisation.is_set_up(alone.settings)


def test_its_rate_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    strict = Satusehat(per_minute=60)
    strict.practitioners[DOCTOR_NIK] = "N10000001"
    clinic = open_clinic(tmp_path / "clinic", **settings_for(strict, satusehat_per_minute=60))
    waited: list[float] = []
    sleep = time.sleep

    def noted(seconds: float) -> None:
        waited.append(seconds)
        sleep(0)

    monkeypatch.setattr(time, "sleep", noted)
    with connection():
        days = Days(clinic)
        import_icd10()
        Account.update(practitioner_nik=DOCTOR_NIK).execute()
        fill(days, strict, 2)
        outcome = send(clinic)
    strict.stop()
    assert outcome.error is None
    # Sixty a minute: after the first, each waits its second.
    assert sum(seconds for seconds in waited if seconds > 0.5) > len(strict.log) - 2


def test_a_refused_record_is_set_aside_with_the_rule_and_goes_after_an_edit(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    visits = fill(days, ministry, 4)
    Diagnosis.update(code="A97.0").where(Diagnosis.visit == visits[1].id).execute()
    outcome = send(clinic)
    assert (outcome.error, outcome.refused, outcome.pending) == (None, 1, 0)
    refusal = outbox.status(clinic).refusals[0]
    assert refusal["target"] == visits[1].id
    assert "10001" in refusal["error"]
    assert refusal["remedy"] == "choose_another_code"
    with transaction():
        Diagnosis.update(code="A90").where(Diagnosis.visit == visits[1].id).execute()
        outbox.enqueue("visit", visits[1].id)
    assert send(clinic).refused == 0
    assert_whole(clinic, ministry)


def test_a_patient_whom_the_civil_registry_knows_otherwise_goes_after_a_correction(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    patient = days.patient(nik="6371019000000777")
    other = days.patient(nik="6371019000000778")
    ministry.registry = {
        str(patient.nik): ("1961-01-31", patient.sex),
        str(other.nik): (other.birth_date.isoformat(), other.sex),
    }
    days.visit(DAY, patient, codes=["J00"])
    days.visit(DAY, other, codes=["J00"])
    outcome = send(clinic)
    assert (outcome.error, outcome.pending) == (None, 0)
    remedies = {item["kind"]: item["remedy"] for item in outbox.status(clinic).refusals}
    assert remedies == {"patient": "correct_the_patient", "visit": "send_the_patient_first"}
    assert len(ministry.of("Encounter")) == 1  # the other one's
    with transaction():
        Patient.update(birth_date=date(1961, 1, 31)).where(Patient.id == patient.id).execute()
        outbox.enqueue("patient", patient.id)
    assert (send(clinic).refused, len(ministry.of("Encounter"))) == (0, 2)


def test_a_refusal_that_is_not_json_is_set_aside_too(clinic: Clinic, days: Days, ministry: Satusehat) -> None:
    patient = days.patient()
    known(ministry, patient)
    assert send(clinic).error is None
    days.visit(DAY, patient)
    ministry.mischief.extend(["html_400", "html_400"])
    outcome = send(clinic)
    assert (outcome.error, outcome.refused) == (None, 1)
    assert "400" in outbox.status(clinic).refusals[0]["error"]


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("nik", "complete_the_nik"),
        ("diagnosis", "enter_a_diagnosis"),
        ("practitioner", "complete_the_practitioner"),
        ("old", "nothing_to_do"),
    ],
)
def test_what_cannot_go_yet_is_set_aside_before_it_is_sent(
    clinic: Clinic, days: Days, ministry: Satusehat, reason: str, remedy: str
) -> None:
    patient = days.patient(nik=None) if reason == "nik" else days.patient(nik="6371019000000777")
    if patient.nik:
        known(ministry, patient)
    day = date(2013, 1, 7) if reason == "old" else DAY
    visit = days.visit(day, patient, codes=[] if reason == "diagnosis" else ["J00"])
    if reason == "practitioner":
        ministry.practitioners.clear()
    outcome = send(clinic)
    assert outcome.error is None
    assert not held(ministry)
    assert remedy in {item["remedy"] for item in outbox.status(clinic).refusals}
    with transaction():
        if reason == "nik":
            Patient.update(nik="6371019000000778").where(Patient.id == patient.id).execute()
            outbox.enqueue("patient", patient.id)
        elif reason == "diagnosis":
            encounter = Encounter.get(Encounter.visit == visit.id)
            days.diagnosis(visit, encounter, "J00", 1, visit.started_at)
            outbox.enqueue("visit", visit.id)
        elif reason == "practitioner":
            ministry.practitioners[DOCTOR_NIK] = "N10000001"
    if reason != "old":
        assert send(clinic).error is None
        assert_whole(clinic, ministry)


def test_a_newborn_goes_by_the_mothers_nik(clinic: Clinic, days: Days, ministry: Satusehat) -> None:
    mother = days.patient(nik="6371014101900001", sex="female", birth_date=date(1990, 1, 1))
    known(ministry, mother)
    baby = days.patient(
        nik=None, mother=mother, birth_order=0, birth_date=date(2026, 2, 28), sex="male", rt="001", rw="002"
    )
    twin = days.patient(nik=None, mother=mother, birth_order=2, birth_date=date(2026, 2, 28), sex="male")
    days.visit(DAY, baby)
    outcome = send(clinic)
    assert (outcome.error, outcome.refused) == (None, 0)
    children = [person for person in ministry.population.values() if "mother" in person]
    assert sorted(child["order"] for child in children) == [0, 2]
    ids = RemoteResource.select(RemoteResource.remote_id).where(
        RemoteResource.value.in_([baby.medical_record_number, twin.medical_record_number])
    )
    assert len({row.remote_id for row in ids}) == 2


def test_a_visit_that_goes_on_waits_and_one_without_service_is_not_sent(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    patient = days.patient()
    known(ministry, patient)
    open_visit = days.visit(DAY, patient, status=VisitStatus.ARRIVED, ended_at=None)
    gone = days.visit(DAY, patient, full=False)
    QueueEntry.update(served_at=None).where(QueueEntry.visit == gone.id).execute()
    outcome = send(clinic)
    assert (outcome.error, outcome.refused, outcome.pending) == (None, 0, 1)
    assert not held(ministry)
    with transaction():
        ended = open_visit.started_at + timedelta(hours=1)
        Visit.update(status=VisitStatus.FINISHED, ended_at=ended).where(Visit.id == open_visit.id).execute()
        outbox.enqueue("visit", open_visit.id)
    assert send(clinic).pending == 0
    assert set(ministry.of("Encounter")[0]["identifier"][0].values()) >= {open_visit.id}


def test_corrections_voids_merges_and_addenda_travel(clinic: Clinic, days: Days, ministry: Satusehat) -> None:
    one, other = days.patient(nik="6371019000000101"), days.patient(nik="6371019000000102")
    for patient in (one, other):
        known(ministry, patient)
    visit = days.visit(DAY, one, cluster="UMUM", codes=["J00", "I10"])
    voided = days.visit(DAY, one, cluster="UMUM")
    assert send(clinic).error is None
    with transaction():
        contact = Encounter.get(Encounter.visit == visit.id)
        Encounter.update(vitals={"pulse": 80}).where(Encounter.id == contact.id).execute()
        now = visit.ended_at
        Diagnosis.update(voided_at=now).where(Diagnosis.visit == visit.id, Diagnosis.code == "I10").execute()
        Addendum.create(
            id="a" * 36,
            encounter=contact,
            text="Hasil <rontgen> menyusul",
            written_at=now,
            written_by=days.account,
        )
        Visit.update(patient=other).where(Visit.id == visit.id).execute()
        Visit.update(voided_at=now).where(Visit.id == voided.id).execute()
        for target in (visit, voided):
            outbox.enqueue("visit", target.id)
    outcome = send(clinic)
    assert (outcome.error, outcome.refused) == (None, 0)
    there = held(ministry)
    encounter = there[f"Encounter/{visit.id}"]
    assert encounter["subject"]["reference"] == "Patient/P00000000002"
    assert len(encounter["diagnosis"]) == 1
    struck = there[f"Condition/{visit.id}-I10"]["verificationStatus"]["coding"][0]["code"]
    assert struck == "entered-in-error"
    statuses = {
        key.rpartition("-")[0]: resource["status"]
        for key, resource in there.items()
        if key.startswith(f"Observation/{visit.id}")
    }
    assert set(statuses.values()) == {"final", "entered-in-error"}
    assert [resource["status"] for key, resource in there.items() if "8867-4" in key and visit.id in key] == [
        "final"
    ]
    assert "&lt;rontgen&gt;" in json.dumps(there[f"Composition/{visit.id}-RESUME"])
    assert there[f"Encounter/{voided.id}"]["status"] == "entered-in-error"


def test_an_id_that_is_gone_is_made_anew(clinic: Clinic, days: Days, ministry: Satusehat) -> None:
    """The test server is emptied from time to time."""
    visits = fill(days, ministry, 2)
    assert send(clinic).error is None
    for kind in ("Organization", "Location", "Encounter", "Condition", "Observation"):
        ministry.resources[kind].clear()
    with transaction():
        for visit in visits:
            Visit.update(disposition="home").where(Visit.id == visit.id).execute()
            outbox.enqueue("visit", visit.id)
    outcome = send(clinic)
    assert (outcome.error, outcome.refused) == (None, 0)
    assert_whole(clinic, ministry)
    clusters = len(list(clinic.clusters))
    assert (len(ministry.of("Organization")), len(ministry.of("Location"))) == (clusters, clusters + 1)


def test_secrets_stand_in_files_that_only_the_owner_reads(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from a file\n")
    environment = {"LOKET_SATUSEHAT_CLIENT_SECRET_FILE": str(file)}
    file.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        Settings.load(environment, tmp_path / "no.env")
    file.chmod(0o600)
    assert Settings.load(environment, tmp_path / "no.env").satusehat_client_secret == "from a file"
    with pytest.raises(SettingsError, match="cannot be read"):
        Settings.load({"LOKET_OFFICE_TOKEN_FILE": str(tmp_path / "none")}, tmp_path / "no.env")
    with pytest.raises(SettingsError, match="https"):
        Settings.load({"LOKET_SATUSEHAT_URL": "http://satusehat.example"}, tmp_path / "no.env")
