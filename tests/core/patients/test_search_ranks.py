"""The search box ranks by everything that was typed, and hides nobody for a slip in some of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Sex
from core.foundation.database import transaction
from core.foundation.permissions import Actor
from core.linkage import search_keys
from core.models import Patient, QueueEntry, Ticket, Visit
from core.patients import merging, search_query
from core.patients import service as patients
from core.patients import views as patient_views
from core.schemas.patients import PatientFields, PatientPatch

PEOPLE: dict[str, dict[str, Any]] = {
    "meant": {
        "name": "Sulastri Wahyuni", "birth_date": date(1983, 6, 9), "nik": "6371014906830007", "phone": "081355501234",
        "address": "Jl. Cempaka No. 9", "medical_record_number": "41",
    },
    "namesake": {"name": "Sulastri Wahyuni", "birth_date": date(1961, 2, 25)},
    "young namesake": {"name": "Sulastri Wahyuni", "birth_date": date(2011, 12, 30)},
    "sister": {"name": "Sulastri Handayani", "birth_date": date(1985, 1, 17)},
    "stranger of the day": {"name": "Tuminah", "birth_date": date(1983, 6, 9)},
    "husband": {
        "name": "Karyono Wibisono", "sex": Sex.MALE, "birth_date": date(1980, 3, 3), "address": "Jl. Cempaka No. 9",
    },
    "his daughter": {"name": "Rini Wibisono", "birth_date": date(2008, 3, 3), "address": "Jl. Cempaka No. 9"},
}  # fmt: skip


@pytest.fixture
def ids(clinic: Clinic, actor: Actor) -> dict[str, str]:
    return {key: store(clinic, actor, **values).id for key, values in PEOPLE.items()}


def store(clinic: Clinic, actor: Actor, **values: Any) -> Patient:
    given: dict[str, Any] = {"sex": Sex.FEMALE, **values}
    paper = given.pop("medical_record_number", None)
    with transaction():
        return patients.create(
            clinic, actor, PatientFields(**given), clock.now(), paper and f"{int(paper):08d}"
        )


@pytest.mark.parametrize(
    "said",
    [
        "Sulastri Wahyuni 09-06-1983", "Sulastri Wahyuni 10-06-1983", "Sulastri Wahyuni 19-06-1983",
        "Sulastri Wahyuni 09-07-1983", "Sulastri Wahyuni 06-09-1983", "Sulastri Wahyuni 09-06-1982",
        "Sulastri Wahyuni 09-06-1993", "Sulastri Wahyuni 01-07-1984", "Sulastri Wahyuni 01-01-1982",
        "Sulastri Wahyuni 30-11-1983", "Sulastri Wahyuni 9-6-1983", "Sulastri Wahyuni 06-19-1983",
        "Sulastri Wahyuni 1983", "Sulastri Wahyuni 1984", "Sulastri Wahyuni 1982", "sulastri 1983", "wahyuni 9/6/1983",
        "Wahyuni Sulastri 1983", "sulastriwahyuni 1983", "Slastri Wahyuni 10-06-1983", "Sulastri binti Kasan 1983",
        "Bu Lastri 9-6-1983", "Sulastri Wahyuni 1234", "Sulastri 0007", "wahyuni 1234",
    ],
)  # fmt: skip
def test_a_date_or_number_beside_the_name_lowers_and_never_hides(
    clinic: Clinic, actor: Actor, ids: dict[str, str], said: str
) -> None:
    assert patient_views.search(clinic, actor, said)[0].id == ids["meant"]


@pytest.mark.parametrize(
    "said", ["Sulastri Wahyuni 03-10-1940", "Sulastri Wahyuni 1940", "Sulastri Wahyuni 8888"]
)
def test_what_fits_nobody_hides_nobody(clinic: Clinic, actor: Actor, ids: dict[str, str], said: str) -> None:
    found = {patient.id for patient in patient_views.search(clinic, actor, said)}
    assert {ids["meant"], ids["namesake"], ids["young namesake"]} <= found


@pytest.mark.parametrize(
    "said",
    ["wahyuni", "Wahyuni Sulastri", "sulastriwahyuni", "Sulastri Wahyuni binti Kasan", "lastri wahyuni"],
)
def test_a_name_in_part_swapped_joined_or_with_the_fathers_finds_all_who_bear_it(
    clinic: Clinic, actor: Actor, ids: dict[str, str], said: str
) -> None:
    found = [patient.id for patient in patient_views.search(clinic, actor, said)][:3]
    assert set(found) == {ids["meant"], ids["namesake"], ids["young namesake"]}


@pytest.mark.parametrize("said", ["Ny. Karyono Wibisono", "bu karyono", "Ibu Wibisono"])
def test_a_wife_is_found_by_her_husbands_name(
    clinic: Clinic, actor: Actor, ids: dict[str, str], said: str
) -> None:
    found = [patient.id for patient in patient_views.search(clinic, actor, said)]
    assert ids["meant"] in found[:2]
    assert ids["husband"] in found


@pytest.mark.parametrize(
    "said",
    [
        "NIK: 6371014906830007", "nik 6371014906830007", "No. KTP 6371014906830007", "NIK:6371014906830007 SULASTRI",
        "6371014906830007;SULASTRI WAHYUNI;PEREMPUAN", "HP 081355501234", "WA: +62 813-5550-1234", "RM 41", "No RM: 00000041",
        "1234", "0007",
    ],
)  # fmt: skip
def test_a_number_is_found_behind_its_label_and_by_its_last_digits(
    clinic: Clinic, actor: Actor, ids: dict[str, str], said: str
) -> None:
    assert ids["meant"] in [patient.id for patient in patient_views.search(clinic, actor, said)]


def test_a_nik_that_the_card_held_before_finds_its_person(
    clinic: Clinic, actor: Actor, ids: dict[str, str]
) -> None:
    patients.edit(clinic, actor, ids["meant"], PatientPatch(nik="6371014906830015"))
    for _ in range(2):  # also after the keys were made again
        found = patient_views.search(clinic, actor, "6371014906830007")
        assert [patient.id for patient in found] == [ids["meant"]]
        search_keys._rebuild()
    other = store(clinic, actor, name="Tarmini", birth_date=date(1983, 6, 9), nik="6371014906830007")
    assert patient_views.search(clinic, actor, "6371014906830007")[0].id == other.id


def test_the_nik_of_a_record_that_was_merged_leads_to_the_survivor(
    clinic: Clinic, actor: Actor, ids: dict[str, str]
) -> None:
    survivor = store(clinic, actor, name="Sulastri W", birth_date=date(1983, 6, 9), nik="6371014906830023")
    merging.merge(clinic, actor, ids["meant"], survivor.id)
    for nik in ("6371014906830007", "6371014906830023"):
        assert [one.id for one in patient_views.search(clinic, actor, nik)] == [survivor.id]


def test_the_number_of_a_ticket_of_today_finds_who_holds_it(
    clinic: Clinic, actor: Actor, ids: dict[str, str]
) -> None:
    today = clinic.today()
    for key, day in (("meant", today), ("sister", date(2020, 1, 6))):
        visit = Visit.create(
            id=key.ljust(36, "v"), patient=ids[key], service_on=day, status="arrived", payer="general", chief_complaint="batuk",
            started_at=clock.now(), registered_by=actor.account_id,
        )  # fmt: skip
        Ticket.create(
            id=key.ljust(36, "t"), cluster="UMUM", service_on=day, sequence=12, turn=12, number="A-012", visit=visit,
            issued_at=clock.now(),
        )  # fmt: skip
    for said in ("A-012", "a12", "A-12"):
        assert [one.id for one in patient_views.search(clinic, actor, said)] == [ids["meant"]]
    assert QueueEntry.select().count() == 0


@pytest.mark.parametrize(
    ("typed", "day", "year"),
    [
        ("ani 31-12-1990", date(1990, 12, 31), None), ("ani 12-31-1990", date(1990, 12, 31), None),
        ("ani 1990-12-31", date(1990, 12, 31), None), ("ani 31-02-1990", None, None), ("ani 1990", None, 1990),
    ],
)  # fmt: skip
def test_dates_are_read_in_either_order(typed: str, day: date | None, year: int | None) -> None:
    query = search_query.read_query(typed)
    assert (query.day, query.year, [one.word for one in query.words]) == (day, year, ["ani"])
