"""Endings: an outcome is marked, asked about, and taken back whole."""

from __future__ import annotations

import httpx
import pytest

from core.foundation.identifiers import new_id
from core.models import Encounter, EncounterVersion, Patient, Visit
from tests.people import Caller


@pytest.fixture
def entry(clerk: Caller, dentist: Caller) -> dict[str, str]:
    clerk.registered()
    called = dentist.post("queues/GIGI/call-next", json={}).json()
    return dict(dentist.act(called["id"], "start").json())


def end(dentist: Caller, entry: dict[str, str], disposition: str) -> dict[str, object]:
    """As the record's F10 does it: signed first, then finished."""
    note = {"subjective": "henti napas", "disposition": disposition, "sign": True}
    assert dentist.put(f"visits/{entry['visit_id']}/encounter", json=note).status_code == 200
    done = dentist.act(entry["id"], "finish", disposition=disposition)
    assert done.status_code == 200
    return dict(done.json())


def patient_of(caller: Caller, entry: dict[str, str]) -> dict[str, object]:
    visit = Visit.get_by_id(entry["visit_id"])
    return dict(caller.get(f"patients/{visit.patient_id}").json())


def again(clerk: Caller, patient: str, **more: object) -> httpx.Response:
    body = {
        "id": new_id(), "patient_id": patient, "chief_complaint": "sakit gigi", "cluster": "GIGI",
        "payer": "general", **more,
    }  # fmt: skip
    return clerk.post("registrations", json=body)


def test_who_died_is_marked_found_so_and_asked_about(
    clerk: Caller, dentist: Caller, entry: dict[str, str]
) -> None:
    assert patient_of(clerk, entry)["deceased_on"] is None
    end(dentist, entry, "died")
    patient = patient_of(clerk, entry)
    day = Visit.get_by_id(entry["visit_id"]).service_on.isoformat()
    assert patient["deceased_on"] == day
    found = clerk.get("patients", params={"q": str(patient["medical_record_number"])}).json()
    assert found[0]["deceased_on"] == day
    refused = again(clerk, str(patient["id"]))
    assert (refused.status_code, refused.json()["code"]) == (422, "patient_deceased")
    assert refused.json()["details"] == {"deceased_on": day}
    assert again(clerk, str(patient["id"]), deceased_confirmed=True).status_code == 201


@pytest.mark.parametrize("disposition", ["died", "referred", "admitted", "home"])
def test_undo_takes_back_outcome_and_signature_and_keeps_the_version(
    clerk: Caller, dentist: Caller, entry: dict[str, str], disposition: str
) -> None:
    end(dentist, entry, disposition)
    assert dentist.act(entry["id"], "undo").status_code == 200
    visit = Visit.get_by_id(entry["visit_id"])
    contact = Encounter.get(Encounter.visit == visit)
    assert (visit.disposition, contact.disposition, contact.signed_at) == (None, None, None)
    assert contact.subjective == "henti napas"
    kept = EncounterVersion.select().order_by(EncounterVersion.version.desc()).get().data
    assert kept["disposition"] == disposition
    assert kept["signed_at"]
    assert patient_of(clerk, entry)["deceased_on"] is None
    # The service goes on, and may end in another way.
    assert end(dentist, entry, "home")["status"] == "done"


def test_a_corrected_outcome_takes_the_mark_back(
    clerk: Caller, dentist: Caller, entry: dict[str, str]
) -> None:
    end(dentist, entry, "died")
    dentist.put(f"visits/{entry['visit_id']}/encounter", json={"disposition": "referred", "sign": True})
    assert patient_of(clerk, entry)["deceased_on"] is None


def test_an_outcome_given_in_the_queue_alone_is_marked_and_undone(
    clerk: Caller, dentist: Caller, entry: dict[str, str]
) -> None:
    dentist.act(entry["id"], "finish", disposition="died")
    assert patient_of(clerk, entry)["deceased_on"] is not None
    dentist.act(entry["id"], "undo")
    assert patient_of(clerk, entry)["deceased_on"] is None
    assert Visit.get_by_id(entry["visit_id"]).disposition is None


def test_finishing_without_note_or_diagnosis_succeeds_and_warns(
    dentist: Caller, entry: dict[str, str]
) -> None:
    done = dentist.act(entry["id"], "finish", disposition="home").json()
    assert (done["status"], done["warnings"]) == ("done", ["no_note", "no_diagnosis"])
    dentist.act(entry["id"], "undo")
    dentist.put(f"visits/{entry['visit_id']}/encounter", json={"subjective": "ngilu"})
    assert dentist.act(entry["id"], "finish", disposition="home").json()["warnings"] == ["no_diagnosis"]
    dentist.act(entry["id"], "undo")
    dentist.post(f"visits/{entry['visit_id']}/diagnoses", json={"code": "K02.9"})
    assert dentist.act(entry["id"], "finish", disposition="home").json()["warnings"] == []


def test_death_travels_with_the_patient(clerk: Caller, dentist: Caller, entry: dict[str, str]) -> None:
    from core.exchange.fhir import people
    from core.exchange.fhir.systems import Names

    end(dentist, entry, "died")
    row = Patient.get_by_id(Visit.get_by_id(entry["visit_id"]).patient_id)
    resource = people.patient(Names("P1"), row, mother_nik=None, survivor_number=None)
    assert row.deceased_on is not None
    assert resource["deceasedDateTime"] == row.deceased_on.isoformat()


@pytest.mark.parametrize("kind", ["sick", "health", "referral"])
def test_a_letter_for_who_died_is_asked_about_and_says_so(
    dentist: Caller, entry: dict[str, str], kind: str
) -> None:
    end(dentist, entry, "died")
    day = Visit.get_by_id(entry["visit_id"]).service_on
    answers = {
        "sick": {"days": 1, "rest_from": day.isoformat()},
        "health": {"purpose": "arsip", "fit": "SEHAT", "colour_blind": "tidak", "blood": "A"},
        "referral": {"hospital": "RSUD", "department": "Forensik", "reason": "otopsi"},
    }[kind]
    path = f"visits/{entry['visit_id']}/letters"
    refused = dentist.post(path, json={"kind": kind, "answers": answers})
    assert (refused.status_code, refused.json()["code"]) == (422, "patient_deceased"), refused.text
    issued = dentist.post(path, json={"kind": kind, "answers": answers, "deceased_confirmed": True})
    assert issued.status_code == 201, issued.text
    assert f"meninggal dunia pada tanggal {day.day} " in issued.json()["text"]


def test_a_letter_for_the_living_says_nothing_of_death(dentist: Caller, entry: dict[str, str]) -> None:
    answers = {"hospital": "RSUD", "department": "Bedah", "reason": "abses"}
    path = f"visits/{entry['visit_id']}/letters"
    assert "meninggal" not in dentist.post(path, json={"kind": "referral", "answers": answers}).json()["text"]
