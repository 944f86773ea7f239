"""Who is already known: evidence, bands, blocks, and the pairs of the quiet hour."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.accounts.service import system_actor
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import DuplicateBand, Sex
from core.foundation.config import Settings
from core.foundation.database import connection, database, transaction
from core.foundation.errors import NotFoundError, ValidationError
from core.foundation.permissions import Actor
from core.linkage import birth_dates, candidates, review_queue, scoring
from core.linkage.addresses import Address, compare_addresses
from core.linkage.blocking import People, one_digit_off, stored_keys
from core.linkage.caps import EXISTING, REVIEW
from core.linkage.name_comparison import ALIKE, compare_names, fit, fitting, part
from core.linkage.scoring import Person, comparison_levels, score, score_from
from core.linkage.weights import MATCH_WEIGHTS, RISING_LEVELS
from core.models import CandidatePair, Patient
from core.patients import clerical_review, duplicate_check
from core.patients import service as patients
from core.schemas.patients import DuplicateQuery, PatientFields, PatientPatch

AMINAH = Person(
    name="Siti Aminah", sex="female", birth_date="1990-08-17", nik="6371015708900002", bpjs_number="0001234567890",
    family_card_number="6371010101150001", mother_name="Rusmini", phone="081122334455", address="Jl. Mawar No. 3",
)  # fmt: skip
BARE = Person(name="Siti Aminah", sex="female", birth_date="1990-08-17")
HOUSE = "Jl. Kelayan A Gg. Damai No. 12 RT 07 RW 03"

NAMES = st.one_of(
    st.sampled_from(
        ("", "Siti Aminah", "St. Aminah", "Aminah", "Siti Aisyah", "Rina", "Rini", "Muh. Hasan", "Muhammad Husin",
         "By. Ny. Siti Aminah", "Nurhayati", "Noor Hayati", "M. Hasan bin Umar", "H.")
    ),
    st.text(max_size=12),
)  # fmt: skip
DATES = st.one_of(
    st.just(""),
    st.sampled_from(("1990-08-17", "1990-01-01", "1991-01-01", "1990-07-08", "1980-08-17")),
    st.dates().map(date.isoformat),
)
WORDS = (
    "siti", "sity", "aminah", "aminnah", "amianh", "amin", "aminahwati", "a", "s", "muhammad", "djoemiati", "jumiyati",
    "rina", "rini", "hayati", "nurhayati", "chairul", "khoirul", "rachmat", "rahmad", "yusuf", "jusup", "\u00f1ora",
)  # fmt: skip
NUMBERS = st.sampled_from(
    (None, "6371015708900002", "6371015708900003", "6371015708900020", "6371011708850001")
)
PEOPLE = st.builds(
    Person,
    name=NAMES,
    sex=st.sampled_from((None, "male", "female")),
    birth_date=DATES,
    nik=NUMBERS,
    bpjs_number=st.sampled_from((None, "0001234567890", "0001234567891", "0009876543210")),
    family_card_number=st.sampled_from((None, "6371010101150001")),
    mother_name=NAMES,
    phone=st.sampled_from(("", "0811", "0822")),
    address=st.sampled_from(
        (
            "",
            "Jl. Mawar No. 3",
            "Gang Mawar 3 RT 2",
            "Komp. Veteran 9",
            "x",
            "Jl. Kuin Utara 5 RT 3 RW 1 Sungai Miai",
            "Kuin Utara 5 RT 3/1",
        )
    ),
    rt=st.sampled_from(("", "3", "03", "012")),
    rw=st.sampled_from(("", "1", "002")),
)


@settings(max_examples=400)
@given(PEOPLE, PEOPLE)
def test_the_score_is_symmetric(a: Person, b: Person) -> None:
    assert score(a, b) == score(b, a)
    assert 0 <= score(a, b).probability <= 1


@settings(max_examples=600)
@given(PEOPLE, PEOPLE, st.sampled_from([field.name for field in fields(Person)]))
def test_agreeing_evidence_never_lowers_the_score(a: Person, b: Person, name: str) -> None:
    value = getattr(b, name)
    agreeing = replace(a, **{name: value})
    if value and not getattr(a, name):
        assert score(agreeing, b).probability >= score(a, b).probability


@pytest.mark.parametrize("rising", RISING_LEVELS, ids=lambda codes: codes[-1])
def test_what_is_more_alike_never_counts_for_less(rising: tuple[str, ...]) -> None:
    counted = [MATCH_WEIGHTS[code] for code in rising]
    assert counted == sorted(counted)


@settings(max_examples=600)
@given(PEOPLE, PEOPLE, st.sampled_from((REVIEW / 2, REVIEW, EXISTING)))
def test_who_is_dismissed_early_would_have_scored_less(a: Person, b: Person, least: float) -> None:
    whole = score(a, b)
    assert score_from(a, b, least) == (whole if whole.probability >= least else None)


@given(st.lists(st.sampled_from(WORDS), max_size=4), st.lists(st.sampled_from(WORDS), max_size=4))
def test_no_fit_is_overlooked_by_the_letters(left: list[str], right: list[str]) -> None:
    one, other = ([part(word) for word in words] for words in (left, right))
    measured = [(fit(x, y), i, j) for i, x in enumerate(one) for j, y in enumerate(other)]
    assert fitting(one, other) == [found for found in measured if found[0] >= ALIKE]


@given(PEOPLE)
def test_everybody_is_found_by_what_is_stored_of_them(person: Person) -> None:
    person = replace(person, birth_date=person.birth_date or "1990-08-17")  # nobody is stored without
    stored = stored_keys(person)
    people: People[str] = People()
    people.put("this", person)
    assert people.candidates(person) == {"this": person}
    assert all(len(value) <= 80 and len(kind) <= 12 for kind, value in stored)


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ("St. Aminah", "same_name"), ("Hj. Siti Aminah, S.Pd", "same_name"), ("Aminah Siti", "same_name"),
        ("Siti Aminah binti Umar", "same_name"), ("Siti Aminahh", "same_name"), ("Sitiaminah", "same_name"),
        ("Siti Amianh", "mistyped_name"), ("Siti Amimah", "similar_name"), ("Siti Aminha", "same_name"), ("Aminah", "part_of_name"), ("Siti Aminah Rahman", "part_of_name"),
        ("S. Aminah", "similar_name"), ("Siti Umunah", "rhyming_name"), ("Siti Rahmah", "other_name"),
        ("By. Ny. Siti Aminah", "newborn_name"), ("", None),
    ],
)  # fmt: skip
def test_what_a_name_says(other: str, code: str | None) -> None:
    assert compare_names("Siti Aminah", other) == code


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ("1990-08-18", "birth_date_one_digit"), ("1980-08-17", "birth_date_one_digit"),
        ("1989-08-17", "birth_date_one_digit"), ("1991-01-01", "birth_date_estimated"),
        ("1990-08-25", "birth_date_two_parts"), ("1984-08-17", "birthday_of_another_year"), ("1990-02-03", "same_birth_year"), ("1979-02-03", "other_birth_date"),
        ("1976-02-03", "other_generation"), ("", None),
    ],
)  # fmt: skip
def test_what_a_birth_date_says(other: str, code: str | None) -> None:
    assert birth_dates.compare_birth_dates("1990-08-19", "1990-08-19") == "same_birth_date"
    assert birth_dates.compare_birth_dates("1990-08-19", other.replace("-17", "-19")) == code


@pytest.mark.parametrize(
    ("one", "other", "code"),
    [
        ("Aminah", "Aminah", "same_short_name"), ("Siti Aminah", "St. Aminah", "same_name"),
        ("Rina Lestari", "Lestari Rina", "same_name"), ("Siti Rina Lestari", "Siti Rinalestari", "same_name"),
        ("Rina Lestari", "Rina Wulandari", "shared_first_name"), ("Rina Lestari", "Dina Lestari", "rhyming_name"),
        ("Rina Lestari", "Budi Lestari", "shared_name"), ("Muhammad Yani", "Muhammad Ramadhan", "other_name"),
        ("Muhammad Yani", "Abdul Yani", "shared_name"), ("Yani Abdul", "Muhammad Yani", "shared_name"),
    ],
)  # fmt: skip
def test_which_parts_of_a_name_tell(one: str, other: str, code: str) -> None:
    assert compare_names(one, other) == compare_names(other, one) == code


def test_day_and_month_swapped() -> None:
    assert birth_dates.compare_birth_dates("1990-08-07", "1990-07-08") == "birth_date_swapped"


TWINS = [
    ("Hasan", "Husin"), ("Rina Hidayat", "Rini Hidayat"), ("Muhammad Hasan", "Muhammad Husin"),
    ("Siti Aminah", "Siti Aisyah"), ("Dina Rahmawati", "Dini Rahmawati"), ("Ahmad", "Ahmad Fauzi"),
    ("Salwa", "Salma"), ("Putra Pratama", "Putri Pratama"), ("Nur Laila", "Nur Laili"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), TWINS)
@pytest.mark.parametrize("numbered", [True, False])
def test_twins_are_never_taken_for_one(one: str, other: str, numbered: bool) -> None:
    shared = replace(AMINAH, nik="6371015708900002" if numbered else None, bpjs_number=None)
    twin = replace(shared, name=other, nik="6371015708900003" if numbered else None)
    assert score(replace(shared, name=one), twin).probability < EXISTING


@pytest.mark.parametrize("sex", ["female", "male"])
@pytest.mark.parametrize("other", ["By. Ny. Lina Fauzi", "Bayi Lina Fauzi", "By. Ny. Lina Fauzi II"])
def test_newborn_twins_under_their_mothers_name_are_asked_about(other: str, sex: str) -> None:
    first = Person(
        name="By. Ny. Lina Fauzi", sex="female", birth_date="2026-11-24", mother_name="Lina Fauzi",
        phone="081234", address="Jl. Kelayan A Gg. Damai No. 12 RT 07 RW 03", family_card_number="6371010101150001",
    )  # fmt: skip
    assert REVIEW <= score(first, replace(first, name=other, sex=sex)).probability < EXISTING
    assert REVIEW <= score(first, Person(name=other, birth_date="2026-11-24")).probability < EXISTING


def test_the_card_of_one_child_laid_down_for_the_other_is_asked_about() -> None:
    result = score(AMINAH, replace(AMINAH, name="Siti Rahmah"))
    assert REVIEW <= result.probability < EXISTING
    assert result.reasons[0] == "same_nik"


@pytest.mark.parametrize("number", ["nik", "bpjs_number"])
def test_the_card_of_one_twin_laid_down_for_the_other_is_asked_about(number: str) -> None:
    card: dict[str, Any] = {"nik": None, "bpjs_number": None, number: getattr(AMINAH, number)}
    aldi, aldo = (replace(AMINAH, name=f"{name} Mubarak", **card) for name in ("Aldi", "Aldo"))
    assert REVIEW <= score(aldi, aldo).probability < EXISTING


def test_a_sisters_card_with_the_shared_last_name_is_asked_about() -> None:
    sister = Person(name="Sri Pratama", birth_date="2007-02-21", bpjs_number="0001234567890", address=HOUSE)
    heard = replace(sister, name="Pratama", birth_date="2009-09-09")
    assert REVIEW <= score(sister, heard).probability < EXISTING
    assert score(sister, replace(sister, birth_date="2009-09-09")).probability >= EXISTING


def test_a_sons_name_on_his_fathers_card_is_asked_about() -> None:
    father = Person(name="Jumri Usman", birth_date="1984-01-10", bpjs_number="0001234567890", address=HOUSE)
    result = score(father, replace(father, birth_date="2006-02-02"))
    assert REVIEW <= result.probability < EXISTING


@pytest.mark.parametrize("slip", ["1992-08-17", "1990-08-27", "1980-08-17"])
def test_a_namesake_of_nearly_the_same_date_needs_something_of_the_household(slip: str) -> None:
    street = replace(BARE, address="Jl. Belitung Darat Gg. Setia No. 95")
    other = replace(street, birth_date=slip, address="Jl. Belitung Darat No. 2")
    assert REVIEW <= score(street, other).probability < EXISTING
    assert score(street, replace(other, address=street.address)).probability >= EXISTING
    one, two = (replace(person, phone="081122334455") for person in (street, other))
    assert score(one, two).probability >= EXISTING


def test_brothers_and_sisters_are_new() -> None:
    assert score(AMINAH, replace(BARE, name="Budi", sex="male", birth_date="1993-04-02", nik=None,
                                 mother_name="Rusmini", address=AMINAH.address)).probability < 0.05  # fmt: skip


@pytest.mark.parametrize("born", ["1961-03-02", "1962-07-01", "1990-12-30", "1994-08-25", ""])
def test_a_namesake_of_the_house_with_another_birth_date_is_never_taken_for_known(born: str) -> None:
    son = replace(
        BARE, name="Abdul Rahman", sex="male", address=HOUSE, phone="08123", birth_date="1990-08-17"
    )
    assert score(son, replace(son, birth_date=born)).probability < EXISTING


@pytest.mark.parametrize(
    "other", [{"bpjs_number": "0009999999999"}, {"mother_name": "Zubaidah"}, {"nik": "6371019999999999"}]
)
def test_the_same_name_and_birth_date_are_asked_about_whatever_contradicts(other: dict[str, str]) -> None:
    known = replace(
        BARE, birth_date="1990-08-15", bpjs_number="0001234567890", mother_name="Rusmini", nik=AMINAH.nik
    )
    again = replace(replace(known, nik=None, bpjs_number=None), **other)
    assert score(known, again).probability >= REVIEW


def test_a_slip_in_a_common_or_long_word_is_no_rhyme() -> None:
    assert compare_names("Mihammad Hidayat", "Muhammad Hidayat") == "similar_name"
    assert compare_names("Siti Permatasari", "Siti Pirmatasari") == "similar_name"
    assert compare_names("Rina Lestari", "Rini Lestari") == "rhyming_name"


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("Jln Kelayan A, Gang Damai no 12 rt.07/03", "same_long_address"),
        ("KELAYAN A GG DAMAI NO12 RT7", "same_long_address"),
        ("Jl. Kelayan A Gg. Damai", "same_address"),
        ("Jl. Kelayan A Gg. Damai No. 88 RT 07 RW 03", "same_street"),
        ("Jl. Kelayan A Gg. Damai No. 12 RT 19 RW 03", "same_street"),
        ("Kelayan A", "same_street"),
        ("Jl. Veteran No. 7", "other_address"),
    ],
)
def test_only_the_same_numbers_make_one_house(other: str, expected: str) -> None:
    one, two = Address(HOUSE), Address(other)
    assert compare_addresses(one, two) == compare_addresses(two, one) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Address("Jl. Kuin Utara 5", "03", "1"), Address("Kuin Utara No 5 RT 3/1"), "same_long_address"),
        (
            Address("Jl. Kuin Utara 5", "3", "1"),
            Address("Jl. Kuin Utara 5", "003", "01"),
            "same_long_address",
        ),
        (Address("Jl. Kuin Utara 5", "3"), Address("Jl. Kuin Utara 5", "4"), "same_street"),
        (Address("Jl. Kuin Utara 5", "3"), Address("Jl. Kuin Utara 5 RT 4"), "same_street"),
        (Address("Jl. Kuin Utara 5", "3"), Address("Jl. Kuin Utara 5"), "same_address"),
        (Address("", "3", "1"), Address("", "3", "1"), None),
        (Address("Jl.", "3", "1"), Address("Jl.", "3", "1"), None),
    ],
)
def test_rt_and_rw_of_the_form_are_part_of_the_address(
    one: Address, other: Address, expected: str | None
) -> None:
    assert compare_addresses(one, other) == compare_addresses(other, one) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Jl. A. Yani Km 5 Gg. Taufik", "Jl. A. Yani Km. 5 Gg. Swadaya", "similar_address"),
        ("Jl. A. Yani Km 5 No. 72", "A Yani Km5 no 72", "same_long_address"),
        ("Jl. A. Yani Km 5", "Jl. A. Yani Km 12", "same_street"),
        ("Jl. Belitung Darat Gg. 12", "Jl. Kelayan B Gg. 12", "other_address"),
        ("Jl. Kelayan A No. 52", "Jl. Alalak Selatan No. 33", None),
    ],
)
def test_a_lane_or_a_kilometre_is_no_house(one: str, other: str, expected: str | None) -> None:
    assert compare_addresses(Address(one), Address(other)) == expected
    assert compare_addresses(Address(other), Address(one)) == expected


def test_whoever_was_not_born_with_a_newborn_is_somebody_else() -> None:
    newborn = Person(name="By. Ny. Ulfah", birth_date="2026-04-11", mother_name="Ulfah", address=HOUSE)
    grown = Person(name="Agus Untung", birth_date="1998-04-01", address=HOUSE)
    assert score(newborn, grown).probability < REVIEW / 2
    assert score(newborn, replace(grown, birth_date="2026-04-12")).probability >= REVIEW


def test_a_namesake_is_nobody_to_decide_about() -> None:
    assert score(Person(name="Siti Aminah"), AMINAH).probability < REVIEW
    assert score(BARE, AMINAH).probability >= REVIEW


def test_reasons_are_what_speaks_for_it_the_strongest_first() -> None:
    reasons = score(AMINAH, AMINAH).reasons
    assert reasons[0] == "same_nik"
    assert [MATCH_WEIGHTS[code] for code in reasons] == sorted(
        (MATCH_WEIGHTS[code] for code in reasons), reverse=True
    )


def test_every_piece_of_evidence_has_a_weight() -> None:
    text = Path(scoring.__file__).read_text()
    codes = set(re.findall(r'"((?:same|other|similar|nik|bpjs|birth_date)_[a-z_]+)"', text))
    assert codes - {field.name for field in fields(Person)} <= set(MATCH_WEIGHTS)


def test_one_digit_off() -> None:
    number = AMINAH.nik
    assert number is not None
    near = one_digit_off(number, 16)
    assert len(near) == len(set(near)) == 16 * 9 + len([1 for a, b in pairwise(number) if a != b])
    assert number in one_digit_off(number[:7] + number[8:], 16)
    assert number in one_digit_off(number + "5", 16)
    assert one_digit_off("123", 16) == []


# --- against stored patients


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    opened = Clinic.open(Settings(home=tmp_path_factory.mktemp("matching")))
    with connection():
        yield opened
    database.close()


@pytest.fixture
def actor(clinic: Clinic) -> Actor:
    Patient.update(voided_at=clock.now()).where(Patient.voided_at.is_null()).execute()
    return system_actor("test")


def store(clinic: Clinic, actor: Actor, person: Person = AMINAH) -> Patient:
    values: dict[str, Any] = {field.name: getattr(person, field.name) for field in fields(Person)}
    with transaction():
        return patients.create(clinic, actor, PatientFields(**values), clock.now())


@pytest.mark.parametrize(
    ("changes", "band", "reason"),
    [
        ({}, DuplicateBand.EXISTING, "same_nik"),
        ({"nik": "6371 0157-0890.0002"}, DuplicateBand.EXISTING, "same_nik"),
        ({"nik": "6371015708900020", "bpjs_number": None}, DuplicateBand.EXISTING, "nik_one_digit"),
        ({"nik": None, "bpjs_number": "0001234567809"}, DuplicateBand.EXISTING, "bpjs_one_digit"),
        (
            {"nik": None, "bpjs_number": None, "birth_date": date(1980, 8, 17)},
            DuplicateBand.EXISTING,
            "same_name",
        ),
        ({"nik": None, "bpjs_number": None, "name": "Sitti Amminah"}, DuplicateBand.EXISTING, "same_name"),
        (
            {"nik": None, "bpjs_number": None, "name": "Siti Amianh"},
            DuplicateBand.EXISTING,
            "mistyped_name",
        ),
        ({"nik": None, "bpjs_number": None, "name": "Siti Amimah"}, DuplicateBand.REVIEW, "similar_name"),
        ({"nik": None, "bpjs_number": None, "name": "Siti Rahmah"}, DuplicateBand.REVIEW, "same_birth_date"),
        (
            {"nik": None, "bpjs_number": None, "name": "Siti Rahmah", "birth_date": date(1992, 3, 4)},
            DuplicateBand.NEW,
            "",
        ),
    ],
)
def test_bands(
    clinic: Clinic, actor: Actor, changes: dict[str, Any], band: DuplicateBand, reason: str
) -> None:
    known = store(clinic, actor)
    values: dict[str, Any] = {field.name: getattr(AMINAH, field.name) for field in fields(Person)}
    result = duplicate_check.duplicates(clinic, DuplicateQuery(**{**values, **changes}))
    assert result.band == band
    if reason:
        assert result.candidates[0].patient.id == known.id
        assert reason in result.candidates[0].reasons
    else:
        assert all(candidate.score < REVIEW for candidate in result.candidates)


def test_rt_and_rw_beside_the_address_are_compared(clinic: Clinic, actor: Actor) -> None:
    home = replace(BARE, address="Jl. Kuin Utara No. 5", rt="03", rw="1")
    store(clinic, actor, home)
    said: dict[str, Any] = {"name": "Siti Amianh", "birth_date": date(1990, 8, 17), "address": "Kuin Utara 5"}

    def reasons(**beside: Any) -> list[str]:
        return duplicate_check.duplicates(clinic, DuplicateQuery(**said, **beside)).candidates[0].reasons

    assert "same_long_address" in reasons(rt="3", rw="01")
    assert "same_address" in reasons()
    assert "same_street" in reasons(rt="9", rw="1")


@pytest.mark.parametrize(
    "written",
    [
        replace(BARE, name="Aminnah", birth_date="1990-08-17"),
        replace(BARE, birth_date="1990-08-27"),
        replace(BARE, birth_date="1991-08-17"),
        replace(BARE, birth_date="1992-01-01"),
        replace(BARE, birth_date="1989-07-01"),
        replace(BARE, name="Hj. St. Aminnah", birth_date="", address="Mawar 3"),
        Person(name="X", birth_date="2001-01-01", phone="081122334455"),
        Person(name="By. Ny. X", birth_date="2001-01-01", family_card_number="6371010101150001"),
    ],
)
def test_blocks_reach_over_a_usual_slip(clinic: Clinic, actor: Actor, written: Person) -> None:
    known = store(clinic, actor)
    assert known.id in candidates.candidates(written)


def test_a_named_child_is_found_under_its_mothers_name(clinic: Clinic, actor: Actor) -> None:
    newborn = store(clinic, actor, Person(name="By. Ny. Siti Aminah", sex="male", birth_date="2026-05-05"))
    named = Person(name="Rizki", sex="male", birth_date="2026-05-04", mother_name="Siti Aminah")
    assert newborn.id in candidates.candidates(named)
    result = duplicate_check.duplicates(
        clinic, DuplicateQuery(name="Rizki", birth_date=date(2026, 5, 5), mother_name="Siti Aminah")
    )
    assert result.band is not DuplicateBand.EXISTING


TWIN = replace(
    AMINAH, name="Najwa Qadri", sex="male", birth_date="2020-11-24", nik=None, bpjs_number=None, phone=""
)
HEARD = DuplicateQuery(name="Najwa Qadri", birth_date=date(2020, 11, 24), mother_name="Rusmini")


def test_who_has_a_twin_on_file_is_asked_about(clinic: Clinic, actor: Actor) -> None:
    najwa = store(clinic, actor, TWIN)
    assert duplicate_check.duplicates(clinic, HEARD).band is DuplicateBand.EXISTING
    nazwa = store(clinic, actor, replace(TWIN, name="Nazwa Qadri"))
    found = duplicate_check.duplicates(clinic, HEARD)
    assert found.band is DuplicateBand.REVIEW
    assert {candidate.patient.id for candidate in found.candidates} == {najwa.id, nazwa.id}
    assert [candidates.MEANT_AS_WELL in candidate.reasons for candidate in found.candidates] == [False, True]


@pytest.mark.parametrize(
    ("heard", "band"),
    [("Najwa Qadri", DuplicateBand.EXISTING), ("Nazwa Qadri", DuplicateBand.REVIEW)],
)
def test_the_number_of_one_twin_opens_it_unless_the_name_is_the_others(
    clinic: Clinic, actor: Actor, heard: str, band: DuplicateBand
) -> None:
    store(clinic, actor, replace(TWIN, bpjs_number="0001234567890"))
    store(clinic, actor, replace(TWIN, name="Nazwa Qadri"))
    query = HEARD.model_copy(update={"name": heard, "bpjs_number": "0001234567890"})
    assert duplicate_check.duplicates(clinic, query).band is band


def test_two_namesakes_of_one_day_are_asked_about(clinic: Clinic, actor: Actor) -> None:
    store(clinic, actor, replace(BARE, mother_name="Rusmini", nik="6371015708900002"))
    query = DuplicateQuery(name="Siti Aminah", birth_date=date(1990, 8, 17))
    assert duplicate_check.duplicates(clinic, query).band is DuplicateBand.EXISTING
    store(clinic, actor, replace(BARE, mother_name="Halimah", nik="6371015708900013"))
    assert duplicate_check.duplicates(clinic, query).band is DuplicateBand.REVIEW
    by_number = query.model_copy(update={"nik": "6371015708900013"})
    assert duplicate_check.duplicates(clinic, by_number).band is DuplicateBand.EXISTING


def test_a_namesake_of_the_day_in_another_house_is_asked_about() -> None:
    here, there = (replace(BARE, address=home) for home in (HOUSE, "Jl. Veteran No. 8 RT 02 RW 01"))
    assert REVIEW <= score(here, there).probability < EXISTING
    moved = score(replace(here, mother_name="Rusmini"), replace(there, mother_name="Rusmini"))
    assert moved.probability >= EXISTING


def test_voided_patients_are_nobodys_duplicates(clinic: Clinic, actor: Actor) -> None:
    known = store(clinic, actor)
    Patient.update(voided_at=clock.now()).where(Patient.id == known.id).execute()
    assert (
        duplicate_check.duplicates(clinic, DuplicateQuery(name="Siti Aminah", nik=AMINAH.nik)).candidates
        == []
    )


@settings(max_examples=60, deadline=None)
@given(PEOPLE)
def test_no_half_filled_form_is_too_odd(clinic: Clinic, person: Person) -> None:
    assert isinstance(candidates.ranked(person), list)


def test_everybody_is_looked_through_once_and_again_after_a_change(
    clinic: Clinic, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_queue, "BATCH", 2)
    monkeypatch.setattr(review_queue, "LATEST", 0)  # what nobody waits for: the work at night alone
    one = store(clinic, actor)
    other = store(clinic, actor, replace(AMINAH, name="St. Aminah", nik=None, bpjs_number=None))
    third = store(clinic, actor, replace(AMINAH, name="Budi Santoso", sex="male", nik=None, bpjs_number=None))
    assert review_queue.candidate_pairs() == []
    assert review_queue.compare_changed(clinic) == {"looked_at": 3}
    assert [{p.left.id, p.right.id} for p in review_queue.candidate_pairs()] == [{one.id, other.id}]
    assert review_queue.compare_changed(clinic) == {"looked_at": 0}
    patients.edit(
        clinic, actor, other.id, PatientPatch(name="Rudi Hartono", sex=Sex.MALE, birth_date=date(1961, 2, 3))
    )
    assert review_queue.candidate_pairs() == []
    assert review_queue.compare_changed(clinic) == {"looked_at": 1}
    assert CandidatePair.select().count() == 0
    patients.edit(clinic, actor, third.id, PatientPatch(name="Siti Aminah", sex=Sex.FEMALE))
    assert review_queue.compare_changed(clinic) == {"looked_at": 1}
    assert [{p.left.id, p.right.id} for p in review_queue.candidate_pairs()] == [{one.id, third.id}]


def test_suspected_pairs_until_judged(clinic: Clinic, actor: Actor) -> None:
    one = store(clinic, actor)
    other = store(clinic, actor, replace(AMINAH, name="St. Aminah", nik=None, bpjs_number=None))
    store(clinic, actor, replace(AMINAH, name="Budi Santoso", sex="male", nik=None, bpjs_number=None))
    pairs = review_queue.candidate_pairs()
    assert [{pair.left.id, pair.right.id} for pair in pairs] == [{one.id, other.id}]
    assert pairs[0].score >= REVIEW
    clerical_review.mark_non_match(actor, other.id, one.id)
    clerical_review.mark_non_match(actor, one.id, other.id)
    assert review_queue.candidate_pairs() == []
    query = DuplicateQuery(
        name="St. Aminah", birth_date=date(1990, 8, 17), mother_name="Rusmini", exclude_id=other.id
    )
    assert duplicate_check.duplicates(clinic, query).candidates == []
    with pytest.raises(ValidationError):
        clerical_review.mark_non_match(actor, one.id, one.id)
    with pytest.raises(NotFoundError):
        clerical_review.mark_non_match(actor, one.id, "nobody")
    assert comparison_levels(AMINAH, AMINAH)
