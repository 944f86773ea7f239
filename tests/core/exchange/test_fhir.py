"""FHIR that an independent validator accepts, for every resource type and every odd record."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from core.exchange import fhir
from core.exchange.fhir.rendering import visit_rows
from core.exchange.fhir.systems import NIK, OWN_KINDS
from core.exchange.satusehat import facility_places, visit_resources
from core.exchange.satusehat.visit_parts import SatusehatContext, SatusehatNames
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Disposition, OrderStatus, VisitStatus
from core.foundation.identifiers import new_id
from core.models import (
    Addendum,
    Allergy,
    Diagnosis,
    Encounter,
    EncounterVersion,
    Immunisation,
    Order,
    Patient,
    Prescription,
    Procedure,
    QueueEntry,
    Visit,
)
from tests import fhir_validator
from tests.core.days import Days, open_clinic
from tests.core.exchange.satusehat.sending import import_icd10

DAY = date(2026, 3, 2)


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return open_clinic(tmp_path / "clinic")


def records(clinic: Clinic) -> list[fhir.Record]:
    mapper = fhir.Mapper(clinic)
    return [
        mapper.directory(),
        *mapper.patients([row.id for row in Patient.select(Patient.id)]),
        *mapper.visits([row.id for row in Visit.select(Visit.id)]),
    ]


def by_type(clinic: Clinic, kind: str) -> list[fhir.Resource]:
    return [entry.resource for record in records(clinic) for entry in record.entries if entry.type == kind]


def everything_odd(days: Days) -> None:
    """One of each unusual thing that a record may hold."""
    mother = days.patient(nik="6371014101900001", sex="female")
    survivor = days.patient()
    days.patient(nik=None, mother=mother, birth_order=1, birth_date=DAY - timedelta(days=3))
    days.patient(birth_date_estimated=True, address="", village_code="", phone="", rt="001", rw="002")
    days.patient(merged_into=survivor, voided_at=clock.now(), nik=None)
    days.patient(
        passport_number="X1234567", family_card_number="6371010101010001", bpjs_number="0001234567890"
    )
    Allergy.create(
        id=new_id(),
        patient=mother,
        substance="Penisilin <i>",
        reaction="gatal",
        recorded_at=clock.now(),
        recorded_by=days.account,
    )
    Allergy.create(
        id=new_id(),
        patient=mother,
        substance="Udang",
        recorded_at=clock.now(),
        recorded_by=days.account,
        voided_at=clock.now(),
    )
    visit = days.visit(DAY, mother, cluster="UMUM", disposition=Disposition.REFERRED, codes=["I10", "R51"])
    encounter = Encounter.get(Encounter.visit == visit)
    encounter.vitals = {"systolic": 120, "arm_circumference": 24.5, "temperature": 36.6}
    encounter.form = {
        "pregnancy": {
            "gravida": 2, "last_period": "2026-01-01", "hiv": "nonreactive", "bleeding": False, "fundal_height": 20.5,
        },
        "sick_child": {},
        "unknown": {"x": 1},
    }  # fmt: skip
    encounter.save()
    Diagnosis.update(voided_at=clock.now(), void_reason="salah").where(Diagnosis.code == "R51").execute()
    at = visit.started_at
    for amount, status in (
        ("10 tablet", "active"),
        ("secukupnya", "revoked"),
        ("1,5", "completed"),
        ("", "active"),
    ):
        Prescription.create(
            id=new_id(), visit=visit, encounter=encounter, medicine="Obat & lain", dose="1", frequency="3x1", amount=amount,
            status=status, prescribed_at=at, prescribed_by=days.account,
        )  # fmt: skip
    for result, unit in (("12,5", "g/dL"), ("< 5", "mg"), ("negatif", ""), (None, "")):
        Order.create(
            id=new_id(), visit=visit, encounter=encounter, test="Uji", note="puasa", status=OrderStatus.ACTIVE,
            ordered_at=at, ordered_by=days.account, result=result, unit=unit, reference_range="4-6" if unit else "",
            resulted_at=at if result else None, resulted_by=days.account if result else None,
        )  # fmt: skip
    Order.update(code="718-7", interpretation="low").where(Order.result == "12,5").execute()
    for code, is_local, voided in (("23.09", False, None), ("TG-01", True, None), ("96.54", False, at)):
        Procedure.create(
            id=new_id(), visit=visit, encounter=encounter, code=code, is_local=is_local, title=f"Tindakan {code}",
            note="46" if voided is None else "", performed_at=at, performed_by=days.account, voided_at=voided,
        )  # fmt: skip
    for voided in (None, at):
        Immunisation.create(
            id=new_id(), visit=visit, encounter=encounter, vaccine="Vaksin BCG", dose_number=1, lot_number="A<1>",
            expires_on=DAY, given_at=at, given_by=days.account, voided_at=voided,
        )  # fmt: skip
    Addendum.create(
        id=new_id(),
        encounter=encounter,
        text='ralat: <b>&"kiri"',
        written_at=clock.now(),
        written_by=days.account,
    )
    cancelled = days.visit(DAY, full=False, status=VisitStatus.CANCELLED)
    QueueEntry.update(status="cancelled", served_at=None).where(QueueEntry.visit == cancelled).execute()
    days.visit(DAY, full=False, voided_at=clock.now())
    open_visit = days.visit(DAY, full=False, status=VisitStatus.ARRIVED, ended_at=None)
    QueueEntry.update(served_at=None, ended_at=None).where(QueueEntry.visit == open_visit).execute()
    days.visit(DAY, cluster="IGD", full=False)


def test_every_type_is_valid_r4(clinic: Clinic, days: Days) -> None:
    everything_odd(days)
    days.fill(DAY, 30)
    seen = set()
    for record in records(clinic):
        assert record.error is None
        for entry in record.entries:
            get_fhir_model_class(entry.type).model_validate(entry.resource)
            seen.add(entry.type)
    assert seen == set(OWN_KINDS)


def test_another_validator_agrees_on_every_type(clinic: Clinic, days: Days) -> None:
    everything_odd(days)
    resources = [entry.resource for record in records(clinic) for entry in record.entries]
    assert {resource["resourceType"] for resource in resources} == set(OWN_KINDS)
    found = fhir_validator.problems([*resources, {"resourceType": "Patient", "gender": "neither"}])
    assert found[-1], "it accepts anything"
    wrong = {
        f"{resource['resourceType']}: {problem}"
        for resource, listed in zip(resources, found, strict=False)
        for problem in listed
    }
    assert wrong == set()


def test_what_satusehat_gets_is_valid_r4_too(clinic: Clinic, days: Days) -> None:
    everything_odd(days)
    import_icd10("R51")
    context = SatusehatContext(
        SatusehatNames("100012345"),
        fhir.Mapper(clinic).usernames(),
        clinic.clusters.emergency.code,
        rooms={cluster.code: cluster.name for cluster in clinic.clusters.values()},
        vitals=frozenset(clinic.settings.satusehat_vitals.split(",")),
    )
    made = [
        resource
        for rows in visit_rows([row.id for row in Visit.select(Visit.id)])
        for _, _, resource in visit_resources.visit_parts(context, rows).made
    ]
    made += [entry.resource for entry in facility_places.entries(context, clinic)]
    made += [visit_resources.opening(resource) for resource in made if resource.get("status") == "finished"]
    kinds = {resource["resourceType"] for resource in made}
    assert kinds >= {"Location", "Encounter", "Condition", "Observation", "Procedure", "Composition"}
    for resource in made:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    assert [problem for listed in fhir_validator.problems(made) for problem in listed] == []


def test_vital_signs_that_were_taken_out_are_taken_back(clinic: Clinic, days: Days) -> None:
    visit = days.visit(DAY, cluster="UMUM")
    encounter = Encounter.get(Encounter.visit == visit)
    EncounterVersion.create(
        encounter=encounter, version=1, data={"vitals": encounter.vitals}, changed_at=clock.now(),
        changed_by=days.account,
    )  # fmt: skip
    Encounter.update(vitals={}, version=2).where(Encounter.id == encounter.id).execute()
    panel = next(
        item for item in by_type(clinic, "Observation") if item["identifier"][0]["value"].endswith("UMUM")
    )
    assert panel["status"] == "entered-in-error"
    assert "component" not in panel
    get_fhir_model_class("Observation").model_validate(panel)


def test_the_bundle_is_valid_r4_and_every_entry_a_conditional_update(clinic: Clinic, days: Days) -> None:
    everything_odd(days)
    mapper = fhir.Mapper(clinic)
    made = records(clinic)
    sendable = fhir.transaction(mapper.names, made, DAY)
    document = json.loads(gzip.decompress(sendable.body))
    get_fhir_model_class("Bundle").model_validate(document)
    assert len(document["entry"]) == len(sendable.owners)
    urls = [entry["request"]["url"] for entry in document["entry"]]
    assert len(set(urls)) == len(urls)
    for entry in document["entry"]:
        resource = entry["resource"]
        identifier = resource["identifier"]
        first = identifier if isinstance(identifier, dict) else identifier[0]
        assert entry["request"] == {
            "method": "PUT",
            "url": f"{resource['resourceType']}?identifier={first['system']}|{first['value']}",
        }


def test_the_same_records_make_the_same_bytes(clinic: Clinic, days: Days) -> None:
    days.fill(DAY, 10)
    names = fhir.Mapper(clinic).names
    assert fhir.transaction(names, records(clinic)).body == fhir.transaction(names, records(clinic)).body


def test_every_reference_is_to_something_that_is_sent(clinic: Clinic, days: Days) -> None:
    everything_odd(days)
    made = [entry for record in records(clinic) for entry in record.entries]
    names = fhir.Mapper(clinic).names
    present = {names.query(entry.type, entry.value) for entry in made}

    def references(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            if "reference" in node:
                yield node["reference"]
            for child in node.values():
                yield from references(child)
        elif isinstance(node, list):
            for child in node:
                yield from references(child)

    for entry in made:
        assert set(references(entry.resource)) <= present


def test_a_patient_without_a_nik_goes_by_the_record_number(clinic: Clinic, days: Days) -> None:
    days.patient(nik=None, medical_record_number="00000007")
    (resource,) = by_type(clinic, "Patient")
    assert [item["value"] for item in resource["identifier"]] == ["00000007"]
    assert all(item["system"] != NIK for item in resource["identifier"])


def test_a_merged_patient_is_inactive_and_points_to_the_survivor(clinic: Clinic, days: Days) -> None:
    survivor = days.patient()
    merged = days.patient(merged_into=survivor, voided_at=clock.now())
    found = {resource["identifier"][0]["value"]: resource for resource in by_type(clinic, "Patient")}
    resource = found[merged.medical_record_number]
    assert resource["active"] is False
    assert resource["link"][0]["type"] == "replaced-by"
    assert resource["link"][0]["other"]["reference"].endswith(f"|{survivor.medical_record_number}")
    assert all(item.get("use") != "official" for item in resource["identifier"])


def test_statuses_follow_each_other_to_the_visits_end(clinic: Clinic, days: Days) -> None:
    start = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    days.visit(DAY, started_at=start, minutes=(20, 10))
    (resource,) = by_type(clinic, "Encounter")
    assert [(step["status"], step["period"]["start"]) for step in resource["statusHistory"]] == [
        ("arrived", "2026-03-02T01:00:00+00:00"),
        ("in-progress", "2026-03-02T01:20:00+00:00"),
    ]
    assert resource["status"] == "finished"
    assert resource["period"] == {"start": "2026-03-02T01:00:00+00:00", "end": "2026-03-02T01:30:00+00:00"}


def test_a_clock_set_back_between_two_actions_makes_no_negative_period(clinic: Clinic, days: Days) -> None:
    visit = days.visit(DAY, minutes=(-60, 10))
    (resource,) = by_type(clinic, "Encounter")
    starts = [step["period"]["start"] for step in resource["statusHistory"]]
    assert starts == sorted(starts)
    assert resource["period"]["end"] >= resource["period"]["start"]
    assert resource["identifier"][0]["value"] == visit.id


def test_a_struck_out_diagnosis_is_entered_in_error_and_comes_back_as_the_same_condition(
    clinic: Clinic, days: Days
) -> None:
    visit = days.visit(DAY, cluster="UMUM", codes=["I10"])
    Diagnosis.update(voided_at=clock.now()).execute()
    (struck,) = by_type(clinic, "Condition")
    assert struck["verificationStatus"]["coding"][0]["code"] == "entered-in-error"
    assert "clinicalStatus" not in struck
    assert "diagnosis" not in by_type(clinic, "Encounter")[0]
    encounter = Encounter.get(Encounter.visit == visit)
    days.diagnosis(visit, encounter, "I10", 1, clock.now())
    (again,) = by_type(clinic, "Condition")
    assert again["identifier"] == struck["identifier"]
    assert "clinicalStatus" in again


def test_vital_signs_are_one_panel_with_a_component_each(clinic: Clinic, days: Days) -> None:
    visit = days.visit(DAY, cluster="UMUM")
    Encounter.update(vitals={"systolic": 130, "temperature": 37.5}).where(Encounter.visit == visit).execute()
    (panel,) = [row for row in by_type(clinic, "Observation") if "component" in row]
    found = {
        part["code"]["coding"][0]["code"]: (part["valueQuantity"]["value"], part["valueQuantity"]["code"])
        for part in panel["component"]
    }
    assert found == {"8480-6": (130, "mm[Hg]"), "8310-5": (37.5, "Cel")}


def test_a_day_is_small_on_the_wire(clinic: Clinic, days: Days, real_compression: None) -> None:
    """data.md E aims at 150 bytes a visit; a bare Patient and Encounter were measured at 123."""
    visits = days.fill(DAY, 300)
    mapper = fhir.Mapper(clinic)
    made = [*mapper.patients([row.id for row in days.patients]), *mapper.visits([row.id for row in visits])]
    everything = fhir.transaction(mapper.names, made, DAY)
    assert len(everything.body) / len(visits) <= 160
    for record in made:
        record.entries = [
            entry for entry in record.entries if entry.type in {"Patient", "Encounter", "Condition"}
        ]
    diagnosed = fhir.transaction(mapper.names, made, DAY)
    assert len(diagnosed.body) / len(visits) <= 123


def test_answers_of_another_count_or_shape_are_no_answers() -> None:
    ok = {"response": {"status": "200 OK"}}
    assert fhir.answers({"resourceType": "Bundle", "entry": [ok]}, 1) == [fhir.Answer(True)]
    wrong: list[Any] = [
        None,
        [],
        {},
        {"resourceType": "Bundle"},
        {"resourceType": "Bundle", "entry": [ok, ok]},
    ]
    for document in wrong:
        with pytest.raises(ValueError, match="answer"):
            fhir.answers(document, 1)


def test_the_offices_words_are_read_from_any_outcome() -> None:
    issue = {
        "severity": "error",
        "code": "value",
        "details": {"text": "salah (RuleNumber: 10002)"},
        "expression": ["X.y"],
    }
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "x"}, issue]}
    assert fhir.outcome_text(outcome, "422") == "value: salah (RuleNumber: 10002) (X.y)"
    others: list[Any] = [None, "text", [], {"issue": "x"}, {"issue": [1]}]
    for odd in others:
        assert fhir.outcome_text(odd, "422") == "422"


def test_the_answers_of_a_form_are_one_observation(clinic: Clinic, days: Days) -> None:
    everything_odd(days)
    forms = {
        resource["code"]["text"]: resource
        for resource in by_type(clinic, "Observation")
        if resource["category"][0]["coding"][0]["code"] == "survey"
    }
    assert set(forms) == {"Kehamilan (ANC)", "Balita sakit (MTBS)"}
    assert forms["Balita sakit (MTBS)"]["status"] == "entered-in-error"
    parts = {
        part["code"].get("text") or part["code"]["coding"][0]["code"]: part
        for part in forms["Kehamilan (ANC)"]["component"]
    }
    assert parts["11996-6"]["valueQuantity"]["value"] == 2
    assert parts["8665-2"]["valueDateTime"] == "2026-01-01"
    assert parts["11778-8"]["valueDateTime"] == "2026-10-08"
    assert parts["HIV"]["valueString"] == "nonreaktif"
    assert parts["Perdarahan"]["valueBoolean"] is False
    assert parts["11881-0"]["valueQuantity"] == {
        "value": 20.5,
        "system": "http://unitsofmeasure.org",
        "code": "cm",
    }
