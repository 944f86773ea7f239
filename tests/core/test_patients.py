"""Patients are registered, found by whatever is known of them, and corrected; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from importlib import import_module
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock, matching, merging, patients, record_numbers, searching
from core.accounts import system_actor
from core.actors import Actor
from core.clinic import Clinic
from core.config import Settings
from core.database import connection, database, transaction
from core.errors import ConflictError, NotAllowedError, NotFoundError, ValidationError
from core.identifiers import new_id
from core.likeness import Person
from core.models import Allergy, AuditEvent, Outbox, Patient, PatientKey, Visit
from core.schemas.patients import PatientFields, PatientPatch
from core.vocabulary import Role, Sex
from tests.postgres import cluster

PEOPLE: dict[str, dict[str, Any]] = {
    "aminah": {
        "name": "Hj. Siti Aminah, S.Pd", "sex": "female", "birth_date": date(1990, 8, 17),
        "nik": "6371 0157 0890 0002", "bpjs_number": "000-1234567890", "phone": "+62 811 2233 4455",
        "address": "Jl. Sungai Andai Komp. Mandiri No. 12", "family_card_number": "6371010101150001",
    },
    "aminah_young": {"name": "Siti Aminah", "sex": "female", "birth_date": date(2015, 3, 2)},
    "aisyah": {"name": "Siti Aisyah", "sex": "female", "birth_date": date(1991, 1, 1), "address": "Gg. Mawar 5"},
    "hidayat": {"name": "Muh. Nur Hidayat", "sex": "male", "birth_date": date(1985, 2, 3), "nik": "6371010302850001"},
    "djoko": {"name": "Djoko Soesanto", "sex": "male", "birth_date": date(1950, 12, 31)},
    "usman": {"name": "Usman", "sex": "male", "birth_date": date(1944, 7, 1), "birth_date_estimated": True},
    "hayati": {"name": "Noor Hayati", "sex": "female", "birth_date": date(1970, 5, 6)},
    "rahman": {"name": "Abdurrahman Wahid", "sex": "male", "birth_date": date(1978, 9, 9)},
}  # fmt: skip


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with cluster() as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def clinic(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    home = tmp_path_factory.mktemp("patients")
    url = ""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        with psycopg.connect(f"{server}postgres", autocommit=True) as administrator:
            administrator.execute("CREATE DATABASE registry")
        url = f"{server}registry"
    opened = Clinic.open(Settings(home=home, database_url=url))
    with connection():
        yield opened
    database.close()


@pytest.fixture
def actor(clinic: Clinic) -> Actor:
    Patient.update(voided_at=clock.now()).where(Patient.voided_at.is_null()).execute()
    return system_actor("test")


def store(clinic: Clinic, actor: Actor, **values: Any) -> Patient:
    values = {"name": "Budi Santoso", "sex": Sex.MALE, "birth_date": date(1971, 3, 4), **values}
    with transaction():
        return patients.create(clinic, actor, PatientFields(**values), clock.now())


@pytest.fixture
def ids(clinic: Clinic, actor: Actor) -> dict[str, str]:
    return {key: store(clinic, actor, **values).id for key, values in PEOPLE.items()}


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("6371015708900002", "aminah"), ("6371 0157 0890 0002", "aminah"), ("0001234567890", "aminah"),
        ("6371015708900020", "aminah"), ("637101570890002", "aminah"), ("0001234567809", "aminah"),
        ("6371010101150001", "aminah"), ("081122334455", "aminah"), ("+62 811-2233-4455", "aminah"),
        ("siti aminah 17-08-1990", "aminah"), ("aminah siti 1990", "aminah"), ("sitti amina 17/8/1990", "aminah"),
        ("17081990", "aminah"), ("17-08-1990", "aminah"), ("1990-08-17 aminah", "aminah"), ("siti aminah 2015", "aminah_young"),
        ("siti aisah", "aisyah"), ("st asiyah", "aisyah"), ("aisyah 01-01-1991", "aisyah"), ("aisyah mawar", "aisyah"),
        ("hidayat", "hidayat"), ("mohamad nur hidayat", "hidayat"), ("nurhidayat", "hidayat"), ("m nur hidyat", "hidayat"),
        ("hidayat muhammad", "hidayat"), ("joko susanto", "djoko"), ("joko sus", "djoko"), ("usmn", "usman"),
        ("usman 1944", "usman"), ("nurhayati", "hayati"), ("norhayti", "hayati"), ("abdul rahman", "rahman"),
        ("abd. rahman wahid", "rahman"), ("wahit rahman", "rahman"), ("mandiri 12", "aminah"), ("sungai andai 12", "aminah"),
        ("dj oko soe santo", "djoko"), ("us man", "usman"), ("nur hi dayat", "hidayat"), ("pak usman", "usman"), ("bu noor hayati", "hayati"),
    ],
)  # fmt: skip
def test_one_box_finds_by_whatever_is_known(
    clinic: Clinic, actor: Actor, ids: dict[str, str], text: str, first: str
) -> None:
    found = patients.search(clinic, actor, text)
    assert found, text
    assert found[0].id == ids[first], [patient.name for patient in found]


def test_a_record_number_is_found_with_and_without_its_zeros(clinic: Clinic, actor: Actor) -> None:
    patient = store(clinic, actor)
    number = patient.medical_record_number
    assert [p.id for p in patients.search(clinic, actor, number)] == [patient.id]
    assert [p.id for p in patients.search(clinic, actor, number.lstrip("0").zfill(4))] == [patient.id]


@pytest.mark.parametrize(
    "text", ["", " ", "-", "99", "zzzz qqqq", "31-02-1990 nobody", "%", "_' OR 1=1 --", "𝟙𝟚𝟛", "m"]
)
def test_what_nobody_answers_to_finds_nobody(
    clinic: Clinic, actor: Actor, ids: dict[str, str], text: str
) -> None:
    assert patients.search(clinic, actor, text) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=50).filter(lambda text: "\x00" not in text))
def test_no_search_is_too_odd(clinic: Clinic, text: str) -> None:
    assert isinstance(searching.by_number(text) or searching.by_words(text, 20), list)


def test_names_of_another_process_are_found_misspelt(clinic: Clinic, actor: Actor) -> None:
    assert patients.search(clinic, actor, "kusumawardan") == []
    patient = store(clinic, actor, name="Kusumawardani")
    assert [found.id for found in patients.search(clinic, actor, "kusumwardani")] == [patient.id]


@pytest.mark.parametrize(
    ("meant", "typed", "sounds_as_typed"),
    [
        ("Warsa Galuh", "warsa glauh", "Warsa Glo"),
        ("Jefri Caturangga", "jefri caurangga", "Jefri Coranga"),
        ("Joko Dartono", "joko dartoo", "Joko Daru"),
    ],
)
def test_a_slip_that_makes_two_letters_read_as_one_hides_nobody(
    clinic: Clinic, actor: Actor, meant: str, typed: str, sounds_as_typed: str
) -> None:
    """Also not behind those whose name sounds as what was typed: enough of them to look no further."""
    patient = store(clinic, actor, name=meant)
    for _ in range(searching.FEW + 1):
        store(clinic, actor, name=sounds_as_typed)
    assert patient.id in [found.id for found in patients.search(clinic, actor, typed)]


def test_who_answers_two_words_of_a_year_is_looked_at_first(
    clinic: Clinic, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "POOL", 3)
    store(clinic, actor, name="Rahmat Effendi", birth_date=date(1990, 1, 2))
    meant = store(clinic, actor, name="Rahmat Usman", birth_date=date(1990, 12, 30))
    for month in range(1, 6):
        store(clinic, actor, name="Usman Halim", birth_date=date(1990, month, 1))
    found = searching._of_year({"ramat": ["ramat"], "usman": ["usman"]}, 1990)
    assert found[0] == meant.id
    assert len(found) == 3


def test_a_name_that_comes_in_is_near_a_word_searched_for_before(clinic: Clinic, actor: Actor) -> None:
    assert patients.search(clinic, actor, "wirasabha") == []
    patient = store(clinic, actor, name="Wirasaba")
    assert [found.id for found in patients.search(clinic, actor, "wirasabha")] == [patient.id]


def test_the_best_comes_first_and_no_more_than_asked_for(clinic: Clinic, actor: Actor) -> None:
    for name in ("Siti Aminah Rahman", "Siti Rahmah", "Aminah", "Siti Aminah", "Siti Aminih"):
        store(clinic, actor, name=name, sex="female")
    found = [patient.name for patient in patients.search(clinic, actor, "siti aminah", limit=3)]
    assert found[0] == "Siti Aminah"
    assert len(found) == 3


def test_candidates_of_the_duplicate_check(clinic: Clinic, actor: Actor, ids: dict[str, str]) -> None:
    asked = Person(name="St. Amminah", birth_date="1990-08-27", nik="6371015708900020", phone="081122334455")
    assert ids["aminah"] in matching.candidates(asked)
    assert matching.ranked(replace(asked, nik="6371015708900002"))[0][1] == ids["aminah"]
    assert ids["usman"] in matching.candidates(Person(name="Usman", birth_date="1945-01-01"))


def test_registering_normalises_indexes_sends_and_audits(
    clinic: Clinic, actor: Actor, ids: dict[str, str]
) -> None:
    patient = patients.find(ids["aminah"])
    assert (patient.nik, patient.bpjs_number, patient.phone) == (
        "6371015708900002",
        "0001234567890",
        "081122334455",
    )
    assert {key.kind for key in patient.keys} == {"name", "pair", "begun", "home"}
    assert Outbox.select().where(Outbox.target == patient.id).count() == 1
    events = AuditEvent.select().where(AuditEvent.patient_id == patient.id)
    assert [event.action for event in events] == ["patient_created"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"nik": "637101320890000"}, {"patient.nik": "nik_length"}),
        ({"nik": "6371013208900001"}, {"patient.nik": "nik_birth_day"}),
        ({"bpjs_number": "123"}, {"patient.bpjs_number": "bpjs_length"}),
        ({"birth_date": date(2999, 1, 1)}, {"patient.birth_date": "birth_date_in_future"}),
        ({"birth_date": date(1800, 1, 1)}, {"patient.birth_date": "birth_date_too_old"}),
        ({"name": "..."}, {"patient.name": "required"}),
        ({"mother_id": "nobody"}, {"patient.mother_id": "unknown"}),
        ({"nik": "6371015708900002"}, {"patient.nik": "taken"}),
        ({"bpjs_number": "0001234567890"}, {"patient.bpjs_number": "taken"}),
    ],
)
def test_what_cannot_be_stored_is_named(
    clinic: Clinic, actor: Actor, ids: dict[str, str], changes: dict[str, Any], problem: dict[str, str]
) -> None:
    with pytest.raises(ValidationError) as caught:
        store(clinic, actor, **changes)
    assert caught.value.fields == problem


def test_record_numbers_are_never_given_twice(clinic: Clinic, actor: Actor) -> None:
    def register(number: int) -> str:
        with connection():
            return str(store(clinic, actor, name=f"Orang {chr(65 + number)}").medical_record_number)

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(register, range(16)))
    assert len(set(numbers)) == 16
    assert all(len(number) == 8 and number.isdigit() for number in numbers)


def store_papers(clinic: Clinic, actor: Actor, *papers: str | None) -> list[str]:
    """The numbers that people with these paper files get."""
    person = PatientFields(name="Orang Lama", sex="male", birth_date=date(1990, 1, 1))
    new = [
        patients.NewPatient(new_id(), patients.checked(clinic, person), record_numbers.of_paper(paper))
        for paper in papers
    ]
    with transaction():
        patients.store(actor, new, clock.now())
    return [Patient.get_by_id(one.id).medical_record_number for one in new]


def test_a_paper_files_number_is_kept_where_it_is_free(clinic: Clinic, actor: Actor) -> None:
    made = store_papers(clinic, actor, "90000123", "90000123", "12-34", "123456789", "0")
    assert made == ["90000123", "90000124", "90000125", "90000126", "90000127"]
    assert store_papers(clinic, actor, "90000125", "80000500", None) == ["90000128", "80000500", "90000129"]


def test_a_number_that_somebody_has_is_not_given_again(clinic: Clinic, actor: Actor) -> None:
    [first] = store_papers(clinic, actor, None)
    following = f"{int(first) + 1:08d}"
    Patient.update(medical_record_number=following).where(Patient.medical_record_number == first).execute()
    assert store_papers(clinic, actor, None, None) == [f"{int(first) + n:08d}" for n in (2, 3)]


def test_an_edit_keeps_what_was_and_is_found_by_what_is(
    clinic: Clinic, actor: Actor, ids: dict[str, str]
) -> None:
    edited = patients.edit(
        clinic,
        actor,
        ids["usman"],
        PatientPatch(expected_version=1, name="Osman Hamid", nik="6371010107440001"),
    )
    assert (edited.version, edited.name, edited.no_identifier_reason) == (2, "Osman Hamid", None)
    assert [version.data["name"] for version in edited.versions] == ["Usman"]
    assert patients.search(clinic, actor, "osman hamid")[0].id == edited.id
    assert [p.id for p in patients.search(clinic, actor, "6371010107440001")] == [edited.id]
    with pytest.raises(ConflictError):
        patients.edit(clinic, actor, edited.id, PatientPatch(expected_version=1, name="X"))
    with pytest.raises(ValidationError) as caught:
        patients.edit(clinic, actor, edited.id, PatientPatch(nik="6371015708900002"))
    assert caught.value.fields == {"nik": "taken"}
    assert patients.find(edited.id).version == 2


def test_a_read_is_audited_and_rights_are_asked_for(
    clinic: Clinic, actor: Actor, ids: dict[str, str]
) -> None:
    patients.get(clinic, actor, ids["djoko"])
    event = AuditEvent.select().order_by(AuditEvent.sequence.desc()).first()
    assert (event.action, event.patient_id) == ("patient_read", ids["djoko"])
    display = replace(actor, role=Role.DISPLAY)
    for refused in (
        lambda: patients.get(clinic, display, ids["djoko"]),
        lambda: patients.search(clinic, display, "joko"),
        lambda: patients.edit(clinic, display, ids["djoko"], PatientPatch(name="X")),
        lambda: patients.unverified(clinic, display),
    ):
        with pytest.raises(NotAllowedError):
            refused()
    with pytest.raises(NotFoundError):
        patients.find("nobody")


def test_a_merged_patient_leads_to_the_survivor(clinic: Clinic, actor: Actor, ids: dict[str, str]) -> None:
    merging.merge(clinic, actor, ids["aminah"], ids["aminah_young"])
    assert patients.get(clinic, actor, ids["aminah"]).id == ids["aminah_young"]
    assert [p.id for p in patients.search(clinic, actor, "6371015708900002")] == [ids["aminah_young"]]


def test_the_empty_box_and_the_verify_later_list(clinic: Clinic, actor: Actor, ids: dict[str, str]) -> None:
    Visit.create(
        id="v" * 36 if not Visit.get_or_none(Visit.id == "v" * 36) else "w" * 36, patient=ids["djoko"],
        service_on=clinic.today(), status="arrived", payer="general", chief_complaint="batuk",
        started_at=clock.now(), registered_by=actor.account_id,
    )  # fmt: skip
    assert patients.recent(clinic, actor, 3)[0].id == ids["djoko"]
    patients.edit(clinic, actor, ids["djoko"], PatientPatch(identity_verified=True))
    unverified = {patient.id for patient in patients.unverified(clinic, actor, 100)}
    assert unverified == set(ids.values()) - {ids["djoko"]}


def test_shapes_say_what_the_counter_needs_in_few_questions(
    clinic: Clinic, actor: Actor, ids: dict[str, str]
) -> None:
    Allergy.create(id="a" * 35 + str(len(ids)), patient=ids["aisyah"], substance="Penisilin", recorded_at=clock.now(),
                   recorded_by=actor.account_id)  # fmt: skip
    asked: list[str] = []
    execute = database.obj.execute_sql
    database.obj.execute_sql = lambda sql, *rest, **more: (asked.append(sql), execute(sql, *rest, **more))[1]
    try:
        shapes = patients.shapes(clinic, [patients.find(patient_id) for patient_id in ids.values()])
    finally:
        del database.obj.execute_sql
    assert len(asked) == len(ids) + 4
    by_id = {shape.id: shape for shape in shapes}
    assert by_id[ids["aisyah"]].allergies == ["Penisilin"]
    assert by_id[ids["aminah"]].age == clinic.today().year - 1990 - (
        (clinic.today().month, clinic.today().day) < (8, 17)
    )
    assert by_id[ids["hidayat"]].warnings == []
    Allergy.delete().execute()


def test_address_keys_of_an_earlier_version_are_written_anew(clinic: Clinic, actor: Actor) -> None:
    patient = store(clinic, actor, name="Siti Aminah", address="Jl. Sungai Andai No. 12")
    now = {(key.kind, key.value) for key in PatientKey.select().where(PatientKey.patient == patient)}
    PatientKey.delete().where(PatientKey.patient == patient, PatientKey.kind == "home").execute()
    PatientKey.create(kind="home", value="sungai 12", patient=patient)
    import_module("core.migrations.0009_search_keys").up(None, database)
    again = {(key.kind, key.value) for key in PatientKey.select().where(PatientKey.patient == patient)}
    assert again == now
