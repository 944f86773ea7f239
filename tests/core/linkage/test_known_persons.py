"""Who is asked about and who is opened: placeholders, households, and the ways in which one name is said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.linkage.addresses import Address, compare_addresses
from core.linkage.birth_dates import PLACEHOLDERS, compare_birth_dates
from core.linkage.blocking import People
from core.linkage.caps import CAPS, EXISTING, FLOORS, LEAST_FOR_REVIEW, REVIEW, Levels
from core.linkage.mistyped import is_sayable, is_slip_of
from core.linkage.name_comparison import SURE_NAMES, compare_names
from core.linkage.scoring import Person, comparison_levels, score
from core.linkage.weights import MATCH_WEIGHTS, WEIGHTS

RATNA = Person(
    name="Ratna Sumiyati", sex="female", birth_date="1984-03-19", nik="6371015903840003", mother_name="Poniyem",
    phone="081234567890", address="Jl. Veteran No. 14", rt="7", rw="2",
)  # fmt: skip
HEARD = replace(RATNA, nik=None, mother_name="", phone="", address="", rt="", rw="")

SAID_OTHERWISE = {
    "in part": "Sumiyati",
    "joined": "Ratnasumiyati",
    "swapped": "Sumiyati Ratna",
    "two letters off": "Rtana Sumiyeti",
    "two letters off a short word": "Rtena",
    "nickname": "Yati",
    "nickname after a form of address": "Mbak Yati",
    "binti": "Ratna Sumiyati binti Kasan",
    "husband's name": "Ny. Bambang Hartono",
    "husband's name after Bu": "Bu Bambang",
}


OF_PHONE_ONLY = "two letters off a short word"
"""Two letters of five make another name: the mother alone has namesakes."""
SAID = [
    pytest.param(name, fact, id=f"{kind}, {fact}")
    for kind, name in SAID_OTHERWISE.items()
    for fact in ("phone", "mother_name")
    if (kind, fact) != (OF_PHONE_ONLY, "mother_name")
]


@pytest.mark.parametrize(("name", "fact"), SAID)
def test_an_exact_date_with_phone_or_mother_is_asked_about_however_the_name_is_said(
    name: str, fact: str
) -> None:
    said = replace(HEARD, name=name, **{fact: getattr(RATNA, fact)})
    assert score(RATNA, said).probability >= REVIEW
    file: People[str] = People()
    file.put("ratna", RATNA)
    assert "ratna" in file.candidates(said)


def test_a_daughter_of_the_same_mother_with_another_date_is_not_asked_about() -> None:
    sister = replace(RATNA, name="Ratih Handayani", birth_date="1987-11-02", nik=None)
    assert score(RATNA, sister).probability < REVIEW


def test_the_phone_of_the_house_brings_no_brother_of_another_sex() -> None:
    brother = replace(HEARD, name="Bambang Hartono", sex="male", phone=RATNA.phone)
    assert score(RATNA, brother).probability < REVIEW


@pytest.mark.parametrize("number", ["6371015903840041", "6371015903480003", "6371019503840003"])
def test_a_nik_two_digits_off_with_name_and_date_is_asked_about(number: str) -> None:
    said = replace(HEARD, name="Sumiyati", nik=number)
    result = score(RATNA, said)
    assert result.probability >= REVIEW
    assert score(RATNA, replace(said, nik="6371014411700009")).probability < REVIEW


@pytest.mark.parametrize("day", sorted(PLACEHOLDERS))
def test_a_placeholder_weighs_less_than_a_birthday(day: str) -> None:
    level = compare_birth_dates(f"1960-{day}", f"1960-{day}")
    assert level == "same_usual_date"
    assert MATCH_WEIGHTS[level] < MATCH_WEIGHTS["same_first_of_month"] < MATCH_WEIGHTS["same_birth_date"]


@pytest.mark.parametrize(
    ("told", "level"),
    [
        ("1960-01-01", "birth_date_estimated"), ("1962-07-01", "birth_date_estimated"), ("1965-07-01", "birth_date_rounded"),
        ("1966-07-01", "other_birth_date"), ("1980-01-01", "other_generation"),
    ],
)  # fmt: skip
def test_an_age_that_was_told_is_an_estimate(told: str, level: str) -> None:
    assert compare_birth_dates("1960-05-23", told) == compare_birth_dates(told, "1960-05-23") == level


@given(st.sampled_from(sorted(PLACEHOLDERS)), st.integers(1940, 1990), st.booleans())
def test_nobody_is_opened_by_name_and_placeholder(day: str, year: int, in_the_street: bool) -> None:
    home = {"address": "Jl. Veteran" if in_the_street else "", "rt": "3", "rw": "1"}
    one = Person(name="Slamet Riyadi", sex="male", birth_date=f"{year}-{day}", **home)
    result = score(one, replace(one, address=home["address"]))
    assert REVIEW <= result.probability < EXISTING


def test_two_facts_of_the_household_open_whoever_has_a_placeholder() -> None:
    old = replace(RATNA, birth_date="1950-01-01", nik=None)
    assert score(old, replace(old, address="", rt="", rw="")).probability >= EXISTING
    assert score(old, replace(old, mother_name="", phone="")).probability < EXISTING


NEARLY_TOLD = {"day misheard": "1984-03-02", "month misheard": "1984-11-19", "age told": "1985-07-01"}


@pytest.mark.parametrize("born", NEARLY_TOLD.values(), ids=NEARLY_TOLD)
@pytest.mark.parametrize(
    ("of_few", "opens"),
    [({"phone": RATNA.phone}, True), ({"address": RATNA.address, "rt": "7", "rw": "2"}, True), ({"address": "Jl. Veteran"}, False),
     ({"phone": RATNA.phone, "mother_name": "Kartini"}, False), ({"nik": "6371015903849999", "phone": RATNA.phone}, False)],
)  # fmt: skip
def test_a_date_nearly_told_opens_only_with_a_fact_that_few_share(
    born: str, of_few: dict[str, str], opens: bool
) -> None:
    """Nobody of one name and house is born in the same month or at an age that was told; a father is a generation older."""
    told = replace(HEARD, birth_date=born, **of_few)
    assert (score(RATNA, told).probability >= EXISTING) is opens


@pytest.mark.parametrize("born", ["1984-03-29", "1983-03-19"])
def test_a_part_of_the_name_with_a_slip_of_the_date_needs_two_facts(born: str) -> None:
    said = replace(HEARD, name="Sumiyati", birth_date=born, phone=RATNA.phone)
    assert REVIEW <= score(RATNA, said).probability < EXISTING
    assert score(RATNA, replace(said, address=RATNA.address)).probability >= EXISTING


MISTYPED = (
    "Rtna Sumiyati",
    "Rstna Sumiyati",
    "Rtana Sumiyati",
    "Ratna Sumiyatii",
    "Ratna Sumiytai",
    "Rathna Smuiyati",
)
TWINS = (
    "Ratna Sumiyata",
    "Ratna Sumiyani",
    "Ratni Sumiyati",
    "Ratna Sumiyatin",
    "Retno Sumiyati",
    "Ratna Sumirati",
)


@pytest.mark.parametrize("name", MISTYPED)
def test_what_nobody_can_be_named_is_a_slip_and_opens(name: str) -> None:
    assert compare_names(RATNA.name, name) == compare_names(name, RATNA.name) in SURE_NAMES
    assert score(RATNA, replace(HEARD, name=name)).probability >= EXISTING


@pytest.mark.parametrize("name", TWINS)
def test_what_a_twin_may_be_named_is_asked_about(name: str) -> None:
    """All that twins share agrees: mother, phone and house."""
    twin = replace(RATNA, name=name, nik=None)
    assert compare_names(RATNA.name, name) not in SURE_NAMES
    assert REVIEW <= score(RATNA, twin).probability < EXISTING


@pytest.mark.parametrize(
    "name",
    "Chandra Sulastri Ngatinah Nyoman Stanislaus Ndaru Rizky Teddy Robert Hans Syafrizal Khadijah Mbareb Indrawati Yves".split(),
)
def test_names_can_be_said(name: str) -> None:
    assert is_sayable(name.lower())


@pytest.mark.parametrize("word", "hsnah sbari bambng dsdang kotlbang wulndari ktut rb mhd".split())
def test_what_cannot_be_said_is_no_name(word: str) -> None:
    assert not is_sayable(word)


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_slip_is_one_from_either_side(one: str, other: str) -> None:
    assert is_slip_of(one, other) == is_slip_of(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Address("Jl. Veteran No. 8", "2", "3"), Address("Jl. Melati No. 31", "9", "3")),
        (Address("Jl. Veteran No. 8", "2", "3"), Address("Jl. Melati No. 8", "2", "3")),
        (Address("Komp. Bumi Indah 12", "1", "1"), Address("Gg. Setia 12", "1", "1")),
    ],
)
def test_rt_rw_and_a_number_make_no_neighbour_without_the_street(one: Address, other: Address) -> None:
    assert compare_addresses(one, other) == compare_addresses(other, one) == "other_address"


def test_rt_and_rw_count_with_the_village() -> None:
    one = Address("Jl. Veteran Kel. Sungai Miai", "2", "3")
    assert compare_addresses(one, Address("Kel. Sungai Miai", "2", "3")) != "other_address"
    assert compare_addresses(one, Address("Jl. Melati Kel. Sungai Miai", "2", "3")) == "other_address"


@pytest.mark.parametrize(
    "name",
    ["Ratna Sumiyaati", "Ratna Sumijati", "Rathna Sumiyati"],
    ids=["doubled", "old spelling", "with h"],
)
def test_twins_whose_names_sound_alike_are_told_apart_by_their_numbers(name: str) -> None:
    twin = replace(RATNA, name=name, nik="6371015903840004")
    assert score(RATNA, twin).probability < EXISTING
    one, two = (replace(child, nik=None, bpjs_number=number) for child, number in zip(
        (RATNA, twin), ("0001112223334", "0005556667778"), strict=True))  # fmt: skip
    assert score(one, two).probability < EXISTING
    assert score(RATNA, replace(RATNA, nik="6371015903840004")).probability >= EXISTING, "a slip of the hand"


def test_two_letters_that_changed_places_are_a_slip_and_no_twin() -> None:
    said = replace(HEARD, name="Ratna Suimyati", phone=RATNA.phone)
    assert score(RATNA, said).probability >= EXISTING
    assert score(RATNA, replace(said, name="Ratna Sumiyatu")).probability < EXISTING
    brother = replace(RATNA, name="Septian Rahman", sex="male", nik=None)
    assert score(brother, replace(brother, name="Septina Rahman")).probability < EXISTING


def test_a_namesake_of_the_day_with_another_telephone_is_asked_about() -> None:
    bare = replace(RATNA, nik=None, mother_name="", address="", rt="", rw="")
    assert REVIEW <= score(bare, replace(HEARD, phone="089999111222")).probability < EXISTING
    assert score(bare, HEARD).probability >= EXISTING


@pytest.mark.parametrize("table", [WEIGHTS, CAPS, FLOORS], ids=["weights", "caps", "floors"])
def test_every_row_of_the_tables_says_why(table: tuple[object, ...]) -> None:
    assert all(getattr(row, "reason", "").endswith(".") for row in table)


def test_a_floor_lifts_to_a_question_and_no_further() -> None:
    pairs = {
        0: (RATNA, replace(HEARD, mother_name="Tukinem")),
        1: (RATNA, replace(HEARD, name="Endang", phone=RATNA.phone)),
        2: (RATNA, replace(HEARD, name="Yati", mother_name=RATNA.mother_name)),
    }
    for number, pair in pairs.items():
        levels = Levels(frozenset(comparison_levels(*pair)), MATCH_WEIGHTS, is_complete=True)
        assert FLOORS[number].applies(levels)
        assert score(*pair).probability < EXISTING
    assert LEAST_FOR_REVIEW > 0
