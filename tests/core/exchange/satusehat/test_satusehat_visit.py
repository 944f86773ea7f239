"""A visit at SATUSEHAT, read back field by field: the Encounter, its Conditions, what was measured, and the summary."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.exchange import outbox
from core.exchange.satusehat import official_displays
from core.exchange.satusehat.complaint_codes import findings
from core.exchange.satusehat.vital_observations import wanted_codes
from core.foundation.clinic import Clinic
from core.foundation.codes import CaseKind
from core.foundation.database import transaction
from core.foundation.errors import ValidationError
from core.models import Diagnosis, Encounter, OfficialDisplay, Outbox, Prescription, Visit
from core.orders import laboratory_tests
from core.records.vital_signs import VITALS
from tests.core.days import Days
from tests.core.exchange.satusehat.sending import held, known, send
from tests.server.satusehat import ORGANIZATION, SEEN_ELSEWHERE, Satusehat
from tests.server.satusehat import official_displays as lists

DAY = date(2026, 3, 2)
ALL_VITALS = {
    "systolic": 185, "diastolic": 80, "pulse": 55, "respiration": 18, "temperature": 39.0, "oxygen_saturation": 88,
    "weight": 60, "height": 160, "waist": 85, "arm_circumference": 25, "head_circumference": 55, "glucose": 250,
}  # fmt: skip


def write(visit: Visit, **changes: Any) -> Encounter:
    """Change the contact of a visit and send it again."""
    with transaction():
        Encounter.update(**changes).where(Encounter.visit == visit.id).execute()
        outbox.enqueue("visit", visit.id)
    return Encounter.get(Encounter.visit == visit.id)


def visit_of(days: Days, ministry: Satusehat, **changes: Any) -> Visit:
    patient = days.patient(nik="6371019000000401", birth_date=date(1980, 5, 1), name="Siti Aminah")
    known(ministry, patient)
    return days.visit(DAY, patient, cluster="UMUM", **changes)


def display(concept: dict[str, Any]) -> str:
    return str(concept["coding"][0]["display"])


def test_the_encounter_names_who_where_and_why(clinic: Clinic, days: Days, ministry: Satusehat) -> None:
    visit = visit_of(days, ministry, codes=["J06.9", "I10"], chief_complaint="batuk dan demam 3 hari")
    Diagnosis.update(case_kind=CaseKind.OLD).where(Diagnosis.code == "I10").execute()
    outcome = send(clinic)
    assert (outcome.error, outcome.refused) == (None, 0)
    there = held(ministry)
    encounter = there[f"Encounter/{visit.id}"]
    assert encounter["subject"]["display"] == "Siti Aminah"
    assert encounter["participant"][0]["individual"] == {
        "reference": "Practitioner/N10000001",
        "display": "dr. Contoh",
    }
    room = encounter["location"][0]
    assert room["location"]["display"] == "Poli Umum"
    assert room["period"]["start"] == encounter["period"]["start"]
    assert encounter["reasonCode"] == [{"text": "batuk dan demam 3 hari"}]
    assert [(item["rank"], item["condition"]["display"]) for item in encounter["diagnosis"]] == [
        (1, "J06.9 as the list of 2010 calls it"),
        (2, "I10 as the list of 2010 calls it"),
    ]
    first, second = (there[f"Condition/{visit.id}-{code}"] for code in ("J06.9", "I10"))
    assert [item["note"][0]["text"] for item in (first, second)] == ["Kasus baru", "Kasus lama"]
    assert first["recorder"]["display"] == "dr. Contoh"
    complaints = {
        display(item["code"]): item["code"]["text"]
        for item in ministry.of("Condition")
        if item["category"][0]["coding"][0]["code"] == "problem-list-item"
    }
    assert complaints == dict.fromkeys(("Cough", "Fever"), "batuk dan demam 3 hari")


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("batuk", ["49727002"]),
        ("Batuk, demam sejak 3 hari yang lalu", ["49727002", "386661006"]),
        ("sakit kepala 2 minggu", ["25064002"]),
        ("tidak demam", []),
        ("batuk, lemas", []),
        ("anak demam", []),
        ("", []),
    ],
)
def test_a_complaint_is_coded_only_when_every_part_of_it_is_known(words: str, codes: list[str]) -> None:
    assert findings(words) == codes


def test_all_twelve_vital_signs_go_with_site_and_interpretation(
    clinic: Clinic,
    days: Days,
    ministry: Satusehat,
) -> None:
    visit = visit_of(days, ministry, codes=["I10"])
    write(visit, vitals=ALL_VITALS)
    assert (send(clinic).refused, set(ALL_VITALS)) == (0, set(VITALS))
    found = {item["code"]["coding"][0]["code"]: item for item in ministry.of("Observation")}
    assert {found[vital.code]["valueQuantity"]["value"] for vital in VITALS.values() if vital.code} == set(
        ALL_VITALS.values()
    )
    said = {
        name: [display(item) for item in found[vital.code].get("interpretation", [])]
        for name, vital in VITALS.items()
        if vital.code
    }
    assert said == {
        "systolic": ["Critical high"], "diastolic": ["Normal"], "pulse": ["Low"], "respiration": ["Normal"],
        "temperature": ["High"], "oxygen_saturation": ["Critical low"], "weight": ["Normal"], "height": ["Normal"],
        "waist": [], "arm_circumference": ["Normal"], "head_circumference": [], "glucose": ["High"],
    }  # fmt: skip
    assert display(found["8480-6"]["bodySite"]) == "Upper arm structure"
    assert display(found["9843-4"]["bodySite"]) == "Head structure"
    arm = found["284473002"]
    assert (display(arm["code"]), display(arm["bodySite"])) == (
        "Mid upper arm circumference", "Upper arm structure",
    ), "nobody recorded a side"  # fmt: skip
    assert all(item["performer"][0]["display"] == "dr. Contoh" for item in found.values())


def test_consciousness_and_prognosis_go_as_the_ministry_lists_them_and_are_taken_back(
    clinic: Clinic,
    days: Days,
    ministry: Satusehat,
) -> None:
    visit = visit_of(days, ministry, codes=["I10"])
    write(visit, form={"bpjs": {"consciousness": "02", "prognosis": "04"}})
    assert send(clinic).refused == 0
    there = held(ministry)
    assert (
        display(there[f"Observation/{visit.id}-UMUM-67775-7"]["valueCodeableConcept"]) == "Response to voice"
    )
    (impression,) = ministry.of("ClinicalImpression")
    assert display(impression["prognosisCodeableConcept"][0]) == "Fair prognosis"
    assert impression["assessor"]["display"] == "dr. Contoh"
    assert len(impression["problem"]) == 1
    write(visit, form={})
    assert send(clinic).refused == 0
    assert [item["status"] for item in ministry.of("ClinicalImpression")] == ["entered-in-error"]
    assert held(ministry)[f"Observation/{visit.id}-UMUM-67775-7"]["status"] == "entered-in-error"


def test_the_summary_has_a_section_for_each_kind_of_what_was_sent(
    clinic: Clinic,
    days: Days,
    ministry: Satusehat,
) -> None:
    visit = visit_of(days, ministry, codes=["I10"], chief_complaint="batuk <dan> pilek")
    assert send(clinic).refused == 0
    summary = held(ministry)[f"Composition/{visit.id}-RESUME"]
    titles = [section["title"] for section in summary["section"]]
    assert titles == ["Keluhan Utama", "Pemeriksaan Fisik", "Diagnosis"]
    assert "batuk &lt;dan&gt; pilek" in summary["section"][0]["text"]["div"]
    assert len(summary["section"][1]["entry"]) == 4
    assert display(summary["type"]) == "Outpatient hospital Discharge summary"
    assert summary["custodian"] == {"reference": f"Organization/{ORGANIZATION}"}


# Official texts


def test_what_ships_has_source_and_licence_and_agrees_with_what_others_send() -> None:
    file = Path(__file__).parents[4] / "core/data/satusehat_displays.csv"
    with file.open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    licences = {"LOINC", "CC-BY-ND-4.0", "CC0-1.0", "Kemkes", "WHOCC", "public domain"}
    assert {row["licence"] for row in rows} == licences
    assert all(row["source"] and row["display"] for row in rows)
    assert len({(row["system"], row["code"]) for row in rows}) == len(rows)
    shipped = official_displays.shipped()
    assert {key: shipped[key] for key in SEEN_ELSEWHERE} == SEEN_ELSEWHERE
    assert not [key for key in shipped if key[0].endswith("icd-10")], "WHO's words do not ship"


def test_every_code_of_the_clinic_has_a_text_but_those_that_are_named() -> None:
    displays = lists()
    codes = {vital.loinc for vital in VITALS.values()} | {
        test.loinc for test in laboratory_tests.tests().values()
    }
    missing = {code for code in codes if code and ("http://loinc.org", code) not in displays}
    assert missing == {"98979-8", "75377-2"}, "their wording differs between editions"


def test_a_missing_text_holds_the_resource_names_it_and_goes_after_an_import(
    clinic: Clinic,
    days: Days,
    ministry: Satusehat,
    tmp_path: Path,
) -> None:
    visit = visit_of(days, ministry, codes=["J06.9", "L30.9"])
    Prescription.delete().execute()  # medicines have their own test
    OfficialDisplay.delete().where(OfficialDisplay.code == "L30.9").execute()
    outcome = send(clinic)
    assert (outcome.error, outcome.refused) == (None, 1)
    refusal = outbox.status(clinic).refusals[0]
    assert (refusal["error"], refusal["remedy"]) == ("display-missing: icd10 L30.9", "import_displays")
    there = held(ministry)
    assert f"Condition/{visit.id}-L30.9" not in there
    assert len(there[f"Encounter/{visit.id}"]["diagnosis"]) == 1, "the rest went"
    assert official_displays.codes_without_display() == {"icd10 L30.9": 1}
    file = tmp_path / "icd10.csv"
    file.write_text("CODE;STR;SAB\nL30.9;L30.9 as the list of 2010 calls it;ICD10_2010\n;;\nXX;kosong;\n")
    imported = official_displays.import_displays(file, "icd10")
    assert (imported.taken, imported.refused, imported.waiting_again) == (1, ("4: XX",), 1)
    assert send(clinic).refused == 0
    assert len(held(ministry)[f"Encounter/{visit.id}"]["diagnosis"]) == 2
    assert official_displays.codes_without_display() == {}


def test_a_visit_of_which_no_diagnosis_has_a_text_waits_whole(
    clinic: Clinic,
    days: Days,
    ministry: Satusehat,
) -> None:
    visit_of(days, ministry, codes=["J06.9"])
    OfficialDisplay.delete().execute()
    assert send(clinic).refused == 1
    assert outbox.status(clinic).refusals[0]["error"] == "display-missing: icd10 J06.9"
    assert not held(ministry)


def test_one_refused_resource_does_not_stop_the_others(
    clinic: Clinic,
    days: Days,
    ministry: Satusehat,
) -> None:
    visit = visit_of(days, ministry, codes=["I10", "A97.0"])
    assert send(clinic).refused == 1
    there = held(ministry)
    assert there[f"Encounter/{visit.id}"]["status"] == "finished"
    assert [item["rank"] for item in there[f"Encounter/{visit.id}"]["diagnosis"]] == [1]
    assert f"Observation/{visit.id}-UMUM-8867-4" in there
    with transaction():
        Diagnosis.update(code="A90").where(Diagnosis.code == "A97.0").execute()
        outbox.enqueue("visit", visit.id)
    assert send(clinic).refused == 0
    assert len(held(ministry)[f"Encounter/{visit.id}"]["diagnosis"]) == 2
    assert Outbox.select().where(Outbox.error.is_null(False)).count() == 0


@pytest.mark.parametrize(
    ("text", "problem"), [("a;b\n1;2\n", "columns"), ("code;str\nXX;y\n", "empty"), ("", "columns")]
)
def test_a_file_without_codes_is_refused(
    clinic: Clinic, days: Days, tmp_path: Path, text: str, problem: str
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(text)
    with pytest.raises(ValidationError) as refused:
        official_displays.import_displays(file, "icd10")
    assert refused.value.fields == {"file": problem}
    with pytest.raises(ValidationError):
        official_displays.import_displays(file, "kfa")


def test_a_setting_with_the_right_arms_code_still_sends_the_arm() -> None:
    assert "284473002" in wanted_codes("8480-6, 56072-2")
