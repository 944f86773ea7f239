"""Patients are registered, found by whatever is known of them, and corrected; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.accounts.service import system_actor
from core.foundation import audit_query, clock, state
from core.foundation.audit_query import AuditQuery
from core.foundation.clinic import Clinic
from core.foundation.codes import Role, Sex
from core.foundation.config import Settings
from core.foundation.database import connection, database, transaction
from core.foundation.errors import ConflictError, NotAllowedError, NotFoundError, ValidationError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.linkage import candidates, search_keys
from core.linkage.scoring import Person
from core.models import Allergy, AuditEvent, Outbox, Patient, PatientKey, PatientVersion, Visit
from core.patients import merging, record_numbers
from core.patients import search as patient_search
from core.patients import service as patients
from core.patients import views as patient_views
from core.schemas.patients import PatientFields, PatientPatch
from tests.postgres import new_database

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


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def clinic(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    home = tmp_path_factory.mktemp("patients")
    url = new_database(request.getfixturevalue("postgres")) if request.param == "postgresql" else ""
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
    """Everybody of `PEOPLE`, registered for one test that changes them; nobody else is active."""
    return {key: store(clinic, actor, **values).id for key, values in PEOPLE.items()}


@pytest.fixture(scope="module")
def town_ids(clinic: Clinic) -> dict[str, str]:
    Patient.update(voided_at=clock.now()).where(Patient.voided_at.is_null()).execute()
    return {key: store(clinic, system_actor("test"), **values).id for key, values in PEOPLE.items()}


@pytest.fixture
def town(town_ids: dict[str, str], actor: Actor) -> dict[str, str]:
    """Everybody of `PEOPLE`, registered once for the tests that only read; nobody else is active."""
    Patient.update(voided_at=None).where(Patient.id.in_(list(town_ids.values()))).execute()
    return town_ids


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
    clinic: Clinic, actor: Actor, town: dict[str, str], text: str, first: str
) -> None:
    found = patient_views.search(clinic, actor, text)
    assert found, text
    assert found[0].id == town[first], [patient.name for patient in found]


def test_a_record_number_is_found_with_and_without_its_zeros(clinic: Clinic, actor: Actor) -> None:
    patient = store(clinic, actor)
    number = patient.medical_record_number
    assert [p.id for p in patient_views.search(clinic, actor, number)] == [patient.id]
    assert [p.id for p in patient_views.search(clinic, actor, number.lstrip("0").zfill(4))] == [patient.id]


@pytest.mark.parametrize(
    "text", ["", " ", "-", "99", "zzzz qqqq", "31-02-1990 nobody", "%", "_' OR 1=1 --", "𝟙𝟚𝟛", "m"]
)
def test_what_nobody_answers_to_finds_nobody(
    clinic: Clinic, actor: Actor, town: dict[str, str], text: str
) -> None:
    assert patient_views.search(clinic, actor, text) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=50).filter(lambda text: "\x00" not in text))
def test_no_search_is_too_odd(clinic: Clinic, text: str) -> None:
    assert isinstance(patient_search.found(text, 20), list)
    assert isinstance(patient_search.by_words(text, 20), list)


def test_names_of_another_process_are_found_misspelt(clinic: Clinic, actor: Actor) -> None:
    assert patient_views.search(clinic, actor, "kusumawardan") == []
    patient = store(clinic, actor, name="Kusumawardani")
    assert [found.id for found in patient_views.search(clinic, actor, "kusumwardani")] == [patient.id]


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
    for _ in range(patient_search.FEW + 1):
        store(clinic, actor, name=sounds_as_typed)
    assert patient.id in [found.id for found in patient_views.search(clinic, actor, typed)]


def test_who_answers_two_words_of_a_year_is_looked_at_first(
    clinic: Clinic, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient_search, "POOL", 3)
    store(clinic, actor, name="Rahmat Effendi", birth_date=date(1990, 1, 2))
    meant = store(clinic, actor, name="Rahmat Usman", birth_date=date(1990, 12, 30))
    for month in range(1, 6):
        store(clinic, actor, name="Usman Halim", birth_date=date(1990, month, 1))
    found = patient_search._of_year({"ramat": ["ramat"], "usman": ["usman"]}, 1990)
    assert found[0] == meant.id
    assert len(found) == 3


def test_a_name_that_comes_in_is_near_a_word_searched_for_before(clinic: Clinic, actor: Actor) -> None:
    assert patient_views.search(clinic, actor, "wirasabha") == []
    patient = store(clinic, actor, name="Wirasaba")
    assert [found.id for found in patient_views.search(clinic, actor, "wirasabha")] == [patient.id]


def test_the_best_comes_first_and_no_more_than_asked_for(clinic: Clinic, actor: Actor) -> None:
    for name in ("Siti Aminah Rahman", "Siti Rahmah", "Aminah", "Siti Aminah", "Siti Aminih"):
        store(clinic, actor, name=name, sex="female")
    found = [patient.name for patient in patient_views.search(clinic, actor, "siti aminah", limit=3)]
    assert found[0] == "Siti Aminah"
    assert len(found) == 3


def test_candidates_of_the_duplicate_check(clinic: Clinic, actor: Actor, town: dict[str, str]) -> None:
    asked = Person(name="St. Amminah", birth_date="1990-08-27", nik="6371015708900020", phone="081122334455")
    assert town["aminah"] in candidates.candidates(asked)
    assert candidates.ranked(replace(asked, nik="6371015708900002"))[0][1] == town["aminah"]
    assert town["usman"] in candidates.candidates(Person(name="Usman", birth_date="1945-01-01"))


def test_registering_normalises_indexes_sends_and_audits(
    clinic: Clinic, actor: Actor, town: dict[str, str]
) -> None:
    patient = patients.find(town["aminah"])
    assert (patient.nik, patient.bpjs_number, patient.phone) == (
        "6371015708900002",
        "0001234567890",
        "081122334455",
    )
    keys = PatientKey.select().where(PatientKey.patient == patient)
    assert {key.kind for key in keys} == {"name", "pair", "begun", "home"}
    assert Outbox.select().where(Outbox.target == patient.id).count() == 1
    events = AuditEvent.select().where(AuditEvent.patient_id == patient.id)
    assert [event.action for event in events] == ["patient_created"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"nik": "637101320890000"}, {"patient.nik": "nik_length"}),
        ({"nik": "6371013208900001"}, {"patient.nik": "nik_birth_day"}),
        ({"bpjs_number": "123"}, {"patient.bpjs_number": "bpjs_length"}),
        ({"passport_number": "C-12"}, {"patient.passport_number": "passport_format"}),
        ({"passport_number": "C12345 é"}, {"patient.passport_number": "passport_format"}),
        ({"birth_date": date(2999, 1, 1)}, {"patient.birth_date": "birth_date_in_future"}),
        ({"birth_date": date(1800, 1, 1)}, {"patient.birth_date": "birth_date_too_old"}),
        ({"name": "..."}, {"patient.name": "required"}),
        ({"mother_id": "nobody"}, {"patient.mother_id": "unknown"}),
        ({"nik": "6371015708900002"}, {"patient.nik": "taken"}),
        ({"bpjs_number": "0001234567890"}, {"patient.bpjs_number": "taken"}),
    ],
)
def test_what_cannot_be_stored_is_named(
    clinic: Clinic, actor: Actor, town: dict[str, str], changes: dict[str, Any], problem: dict[str, str]
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
    person = PatientFields(name="Orang Lama", sex=Sex.MALE, birth_date=date(1990, 1, 1))
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
    versions = PatientVersion.select().where(PatientVersion.patient == edited)
    assert [version.data["name"] for version in versions] == ["Usman"]
    assert patient_views.search(clinic, actor, "osman hamid")[0].id == edited.id
    assert [p.id for p in patient_views.search(clinic, actor, "6371010107440001")] == [edited.id]
    with pytest.raises(ConflictError):
        patients.edit(clinic, actor, edited.id, PatientPatch(expected_version=1, name="X"))
    with pytest.raises(ValidationError) as caught:
        patients.edit(clinic, actor, edited.id, PatientPatch(nik="6371015708900002"))
    assert caught.value.fields == {"nik": "taken"}
    assert patients.find(edited.id).version == 2


def test_a_read_is_audited_and_rights_are_asked_for(
    clinic: Clinic, actor: Actor, ids: dict[str, str]
) -> None:
    patient_views.get(clinic, actor, ids["djoko"])
    event = audit_query.newest(AuditQuery(patient_id=ids["djoko"]))[0]
    assert (event.log, event.action, event.patient_id) == ("reads", "patient_read", ids["djoko"])
    display = replace(actor, role=Role.DISPLAY, rights=None)
    for refused in (
        lambda: patient_views.get(clinic, display, ids["djoko"]),
        lambda: patient_views.search(clinic, display, "joko"),
        lambda: patients.edit(clinic, display, ids["djoko"], PatientPatch(name="X")),
        lambda: patient_views.unverified(clinic, display),
    ):
        with pytest.raises(NotAllowedError):
            refused()
    with pytest.raises(NotFoundError):
        patients.find("nobody")


def test_a_merged_patient_leads_to_the_survivor(clinic: Clinic, actor: Actor, ids: dict[str, str]) -> None:
    merging.merge(clinic, actor, ids["aminah"], ids["aminah_young"])
    assert patient_views.get(clinic, actor, ids["aminah"]).id == ids["aminah_young"]
    assert [p.id for p in patient_views.search(clinic, actor, "6371015708900002")] == [ids["aminah_young"]]


def test_the_empty_box_and_the_verify_later_list(clinic: Clinic, actor: Actor, ids: dict[str, str]) -> None:
    Visit.create(
        id="v" * 36 if not Visit.get_or_none(Visit.id == "v" * 36) else "w" * 36, patient=ids["djoko"],
        service_on=clinic.today(), status="arrived", payer="general", chief_complaint="batuk",
        started_at=clock.now(), registered_by=actor.account_id,
    )  # fmt: skip
    assert patient_views.recent(clinic, actor, 3)[0].id == ids["djoko"]
    patients.edit(clinic, actor, ids["djoko"], PatientPatch(identity_verified=True))
    unverified = {patient.id for patient in patient_views.unverified(clinic, actor, 100)}
    assert unverified == set(ids.values()) - {ids["djoko"]}


def test_shapes_say_what_the_counter_needs_in_few_questions(
    clinic: Clinic, actor: Actor, ids: dict[str, str]
) -> None:
    Allergy.create(id="a" * 35 + str(len(ids)), patient=ids["aisyah"], substance="Penisilin", recorded_at=clock.now(),
                   recorded_by=actor.account_id)  # fmt: skip
    asked: list[str] = []
    execute = database.obj.execute_sql

    def watched(sql: str, *rest: Any, **more: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest, **more)

    database.obj.execute_sql = watched
    try:
        shown = patient_views.patients_out(clinic, [patients.find(patient_id) for patient_id in ids.values()])
    finally:
        del database.obj.execute_sql
    assert len(asked) == len(ids) + 5, "one to find each, then five for all of them"
    by_id = {patient.id: patient for patient in shown}
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
    with transaction():
        state.note("search_keys", version=0)
    assert search_keys.rebuild_if_outdated()
    assert not search_keys.rebuild_if_outdated()
    again = {(key.kind, key.value) for key in PatientKey.select().where(PatientKey.patient == patient)}
    assert again == now
