"""Vaccines at SATUSEHAT: three kinds of codes, dose, lot and expiry; what lacks a code stays and is named."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from fhir.resources.R4B.immunization import Immunization

from core.exchange import outbox
from core.exchange.satusehat import official_displays, vaccinations
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.database import transaction
from core.foundation.identifiers import new_id
from core.models import Encounter, Immunisation, MedicineCode, Visit
from core.orders.medicines.vaccines import listed, vaccine_of
from tests.core.days import Days
from tests.core.exchange.satusehat.sending import DAY, held, known, send
from tests.server.satusehat import Satusehat

PENTABIO = {"code": "93001282", "name": "Vaksin DTP - HB - Hib 0,5 mL", "brand": "PENTABIO, 1"}
BCG = {"code": "93005208", "name": "Vaksin BCG Kering", "brand": "BIO FARMA, 20"}


def product(ministry: Satusehat, ingredient: str, row: dict[str, str]) -> None:
    MedicineCode.create(**row, ingredients=[ingredient])
    ministry.products[row["code"]] = f"{row['name']} ({row['brand']})"


@pytest.fixture
def visit(days: Days, ministry: Satusehat) -> Visit:
    child = days.patient(nik="6371019000000951", birth_date=date(2025, 12, 1))
    known(ministry, child)
    ministry.now = clock.now()
    return days.visit(DAY, child, cluster="KIA", codes=["J00"])


def give(days: Days, visit: Visit, vaccine: str, **changes: Any) -> Immunisation:
    return Immunisation.create(
        id=new_id(), visit=visit, encounter=Encounter.get(Encounter.visit == visit.id), vaccine=vaccine, dose_number=2,
        lot_number="AB 12/3", expires_on=DAY + timedelta(days=90), given_at=visit.started_at, given_by=days.account,
        **changes,
    )  # fmt: skip


def test_a_vaccine_is_told_by_product_group_and_cvx(
    clinic: Clinic, days: Days, ministry: Satusehat, visit: Visit
) -> None:
    product(ministry, "vaksin dpt-hb-hib", PENTABIO)
    give(days, visit, "Vaksin DPT-HB-Hib", site="LT")
    outcome = send(clinic)
    assert (outcome.error, outcome.refused) == (None, 0)
    made = held(ministry)[f"Immunization/{visit.id}-V1"]
    codes = [(item["system"].rpartition("/")[2], item["code"]) for item in made["vaccineCode"]["coding"]]
    assert codes == [("kfa", "93001282"), ("kfa", "VG17"), ("kfa", "VG45"), ("kfa", "VG107"), ("cvx", "198")]
    assert (made["lotNumber"], made["expirationDate"]) == ("AB 12/3", (DAY + timedelta(days=90)).isoformat())
    assert made["protocolApplied"] == [{"doseNumberPositiveInt": 2}]
    assert made["doseQuantity"]["value"] == 0.5
    assert made["site"]["coding"][0]["display"] == "Left Thigh"
    assert [item["actor"]["reference"].partition("/")[0] for item in made["performer"]] == [
        "Practitioner", "Organization",
    ]  # fmt: skip
    Immunization.model_validate(made)


def test_a_strike_is_entered_in_error_there(
    clinic: Clinic, days: Days, ministry: Satusehat, visit: Visit
) -> None:
    product(ministry, "vaksin bcg", BCG)
    row = give(days, visit, "Vaksin BCG")
    assert send(clinic).refused == 0
    with transaction():
        Immunisation.update(voided_at=clock.now()).where(Immunisation.id == row.id).execute()
        outbox.enqueue("visit", visit.id)
    assert send(clinic).refused == 0
    assert held(ministry)[f"Immunization/{visit.id}-V1"]["status"] == "entered-in-error"


def test_one_of_several_products_is_no_guess_but_the_one_that_was_chosen_goes(
    clinic: Clinic, days: Days, ministry: Satusehat, visit: Visit
) -> None:
    product(ministry, "vaksin bcg", BCG)
    product(ministry, "vaksin bcg", {**BCG, "code": "93005209", "brand": "BIO FARMA, 10"})
    give(days, visit, "Vaksin BCG")
    give(days, visit, "Vaksin BCG", product="93005209")
    assert send(clinic).refused == 1
    assert outbox.status(clinic).refusals[0]["error"] == "display-missing: kfa Vaksin BCG"
    (made,) = ministry.of("Immunization")
    assert made["vaccineCode"]["coding"][0]["code"] == "93005209"
    assert ministry.of("Encounter"), "everything else of the visit went"


def test_an_import_of_kfa_sends_what_waited(
    clinic: Clinic, days: Days, ministry: Satusehat, visit: Visit
) -> None:
    give(days, visit, "Vaksin BCG")
    assert (send(clinic).refused, ministry.of("Immunization")) == (1, [])
    product(ministry, "vaksin bcg", BCG)
    with transaction():
        official_displays.release_held()
    assert send(clinic).refused == 0
    assert len(ministry.of("Immunization")) == 1


def test_each_vaccine_of_the_list_is_read_as_itself_and_the_codes_have_texts() -> None:
    names = {vaccine_of(each.medicine) for each in listed()}
    assert len(names) == len(listed())
    assert None not in names
    assert vaccinations.codes().keys() <= names
    shipped = {code for _, code in official_displays.shipped()}
    for row in vaccinations.codes().values():
        wanted = [*filter(None, row["groups"].split(";")), row["route"], *filter(None, [row["cvx"]])]
        assert set(wanted) <= shipped
    assert names - vaccinations.codes().keys() == {
        "vaksin japanese encephalitis",
        "vaksin covid-19",
    }, "no source for their groups was found"
