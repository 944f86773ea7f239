"""The codes and resources that Loket sends against those that public integrations send for the same facts.

Codes of vaccines from satusehat-integration 4.14.1 (PyPI, MIT; terminology/immunization_terminology.py), read by hand; resources from
its builders, run (`tests/satusehat_payloads`).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from core.exchange.fhir.systems import CVX
from core.exchange.satusehat.official_displays import KFA, shipped
from core.exchange.satusehat.vaccinations import codes
from core.foundation.clinic import Clinic
from core.foundation.codes import Disposition
from core.foundation.identifiers import new_id
from core.models import Encounter, Procedure
from tests.core.days import Days
from tests.core.exchange.satusehat.sending import DAY, known, send
from tests.core.exchange.satusehat.test_satusehat_visit import ALL_VITALS
from tests.satusehat_payloads import payloads
from tests.server.satusehat import Satusehat

SENT_ELSEWHERE = {
    "vaksin dpt-hb-hib": ({"VG17": "HIB", "VG45": "HepB", "VG107": "DTAP"}, ("198", "DTP-hepB-Hib Pentavalent Non-US")),
    "vaksin bcg": ({"VG19": "BCG"}, ("19", "BCG")),
    "vaksin polio oral": ({"VG89": "POLIO"}, ("178", "OPV bivalent")),
    "vaksin polio inaktif": ({"VG89": "POLIO"}, ("10", "IPV")),
    "vaksin campak rubela": ({"VG03": "MMR"}, ("4", "M/R")),
    "vaksin pcv": ({"VG152": "PneumoPCV"}, ("152", "Pneumococcal Conjugate, unspecified formulation")),
    "vaksin hpv": ({"VG137": "HPV"}, ("62", "HPV, quadrivalent")),
    "vaksin rabies": ({"VG90": "RABIES"}, ("18", "rabies, intramuscular injection")),
}  # fmt: skip
"""Vaccine -> groups with their texts, CVX code with its text. Of hepatitis B it has the adults' product alone."""


@pytest.mark.parametrize("vaccine", SENT_ELSEWHERE)
def test_a_vaccine_has_the_codes_and_texts_that_others_send(vaccine: str) -> None:
    groups, (cvx, name) = SENT_ELSEWHERE[vaccine]
    ours = codes()[vaccine]
    assert ours["groups"].split(";") == list(groups)
    assert {code: shipped()[KFA, code] for code in groups} == groups
    # CDC writes two figures, `04`; that integration one.
    assert ours["cvx"].lstrip("0") == cvx
    assert shipped()[CVX, ours["cvx"]] == name


# Resources, field by field


def coding(concept: dict[str, Any]) -> list[str]:
    first = concept["coding"][0]
    return [first["code"], first["display"], first["system"]]


def shared(resource: dict[str, Any]) -> list[list[Any]]:
    """The calls that all builders take: identifier, status, patient, visit."""
    identifier = resource["identifier"][0]
    calls = [
        ["add_identifier", [identifier["system"], identifier["value"]]],
        ["set_subject", [resource["subject"]["reference"], resource["subject"]["display"]]],
        ["set_encounter", [resource["encounter"]["reference"]]],
    ]
    return calls + ([["set_status", [resource["status"]]]] if "status" in resource else [])


def fact_of(resource: dict[str, Any]) -> dict[str, Any]:
    """The facts of a resource as calls of the package's builder."""
    kind = resource["resourceType"]
    calls = shared(resource)
    category = resource["category"]
    calls.append(
        [
            "add_category" if kind in {"Observation", "Condition"} else "set_category",
            coding(category[0] if isinstance(category, list) else category),
        ]
    )
    calls.append(["set_code", coding(resource["code"])])
    if kind == "Observation":
        amount = resource["valueQuantity"]
        calls += [
            ["set_value_quantity", [amount["value"], amount["unit"], amount["system"], amount["code"]]],
            ["add_performer", [resource["performer"][0]["reference"], resource["performer"][0]["display"]]],
        ]
    elif kind == "Condition":
        status = resource["clinicalStatus"]["coding"][0]
        calls += [
            ["set_clinical_status", [status["code"], status["display"]]],
            ["set_recorded_date", [resource["recordedDate"]]],
            ["set_recorder", [resource["recorder"]["reference"], resource["recorder"]["display"]]],
        ]
    elif kind == "ServiceRequest":
        calls = [call for call in calls if call[0] != "set_category"]  # its builder has none
        calls += [
            ["set_intent", [resource["intent"]]],
            ["set_priority", [resource["priority"]]],
            ["set_authored_on", [resource["authoredOn"]]],
            ["set_requester", [resource["requester"]["reference"], resource["requester"]["display"]]],
        ]
    elif kind == "Procedure":
        calls.append(
            [
                "set_performed_period",
                [resource["performedPeriod"]["start"], resource["performedPeriod"]["end"]],
            ]
        )
    return {"builder": f"{kind}Builder", "calls": calls}


MORE = {
    "Observation": {"effectiveDateTime", "issued", "bodySite", "interpretation"},
    "Condition": {"note"},
    "ServiceRequest": {
        "category",
        "performer",
        "locationCode",
        "occurrenceDateTime",
        "reasonReference",
        "reasonCode",
    },
    "Procedure": {"performer", "reasonReference", "note"},
}
"""Type -> what Loket sends besides: IDCore and the guide ask for it; the package has no call, or one that R4 refuses (`effectiveTime`, `performer`
of a Procedure as `individual`, `interpretation` as an object)."""


def test_the_same_facts_make_the_same_resources_as_the_package_makes(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    patient = days.patient(nik="6371019000000991", birth_date=date(1980, 5, 1))
    known(ministry, patient)
    visit = days.visit(DAY, patient, cluster="UMUM", codes=["I10"], disposition=Disposition.REFERRED)
    contact = Encounter.get(Encounter.visit == visit.id)
    Encounter.update(vitals=ALL_VITALS, plan="kontrol 3 hari lagi").where(
        Encounter.id == contact.id
    ).execute()
    Procedure.create(
        id=new_id(), visit=visit, encounter=contact, code="23.09", title="x", is_local=False, performed_at=contact.entered_at,
        performed_by=days.account,
    )  # fmt: skip
    assert send(clinic).refused == 0
    ours = [
        {name: value for name, value in resource.items() if name != "id"}
        for kind in MORE
        for resource in ministry.of(kind)
        if kind != "ServiceRequest" or ("priority" in resource and "display" in resource["requester"])
    ]
    assert {resource["resourceType"] for resource in ours} == set(MORE)
    for own, theirs in zip(ours, payloads([fact_of(resource) for resource in ours]), strict=True):
        kind = own["resourceType"]
        same = {name: value for name, value in own.items() if name not in MORE[kind]}
        same["code"] = {"coding": same["code"]["coding"]}  # its builders take no text beside a code
        assert same == theirs, kind
