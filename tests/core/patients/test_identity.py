"""NIK, BPJS and family card numbers: the table of the national format, and properties of the checks."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.foundation.codes import Sex
from core.patients.national_ids import (
    Outcome,
    check_bpjs_number,
    check_family_card_number,
    check_nik,
    compose_nik,
    normalise_number,
    region_name,
    region_path,
)

TODAY = date(2026, 3, 2)


def codes(check):
    return [finding.code for finding in check.findings]


@pytest.mark.parametrize(
    ("nik", "sex", "born"),
    [
        pytest.param("6371011708900001", Sex.MALE, date(1990, 8, 17), id="man"),
        pytest.param("6371015708900002", Sex.FEMALE, date(1990, 8, 17), id="woman: day plus 40"),
        pytest.param("6371054102240003", Sex.FEMALE, date(2024, 2, 1), id="girl"),
        pytest.param("6371 0117 0890 0001", Sex.MALE, date(1990, 8, 17), id="spaces"),
        pytest.param("63.71.01.170890-0001", Sex.MALE, date(1990, 8, 17), id="dots and dashes"),
        pytest.param("６３７１０１１７０８９００００１", Sex.MALE, date(1990, 8, 17), id="full-width digits"),
        pytest.param("6371012902000001", Sex.MALE, date(2000, 2, 29), id="29 February 2000, not 1900"),
    ],
)
def test_a_valid_nik_gives_birth_date_sex_and_region(nik, sex, born):
    check = check_nik(nik, today=TODAY)
    assert (check.outcome, check.findings) == (Outcome.OK, ())
    assert (check.sex, check.birth_date) == (sex, born)
    assert len(check.value) == 16
    assert check.region_code is not None
    assert (region_name(check.region_code) or "").startswith("Banjarmasin")


@pytest.mark.parametrize(
    ("nik", "code"),
    [
        ("6371013208900001", "nik_birth_day"),
        ("6371017208900001", "nik_birth_day"),
        ("6371010008900001", "nik_birth_day"),
        ("6371014008900001", "nik_birth_day"),
        ("6371019908900001", "nik_birth_day"),
        ("6371013102900001", "nik_birth_date"),
        ("6371012902010001", "nik_birth_date"),
        ("6371017102900001", "nik_birth_date"),
        ("6371011713900001", "nik_birth_month"),
        ("6371011700900001", "nik_birth_month"),
        ("6371011708900000", "nik_serial"),
        ("637101170890001", "nik_length"),
        ("63710117089000011", "nik_length"),
        ("", "nik_empty"),
        (" - ", "nik_empty"),
        ("637101170890000O", "nik_not_digits"),
        ("1111111111111111", "nik_repeated"),
        ("0000000000000000", "nik_repeated"),
        ("9999999999999999", "nik_repeated"),
        ("1234567890123456", "nik_placeholder"),
    ],
)
def test_an_impossible_nik_is_rejected_and_says_why(nik, code):
    check = check_nik(nik, today=TODAY)
    assert check.outcome is Outcome.REJECT
    assert codes(check) == [code]
    assert (check.birth_date, check.sex, check.region_code) == (None, None, None)


def test_a_region_no_longer_listed_only_warns():
    check = check_nik("5401011708700001", today=TODAY)
    assert (check.outcome, codes(check)) == (Outcome.WARN, ["nik_region_unknown"])
    assert check.birth_date == date(1970, 8, 17)


def test_a_district_not_listed_in_a_known_city_only_warns():
    assert codes(check_nik("6371991708700001", today=TODAY)) == ["nik_district_unknown"]


def test_a_sex_or_birth_date_that_differs_from_the_form_warns():
    check = check_nik("6371011708900001", birth_date=date(1990, 8, 18), sex="female", today=TODAY)
    assert check.outcome is Outcome.WARN
    assert codes(check) == ["nik_birth_date_differs", "nik_sex_differs"]
    assert check.birth_date == date(1990, 8, 17)


def test_the_century_is_open_until_the_form_settles_it():
    open_century = check_nik("6371050102240003", today=TODAY)
    assert open_century.century_ambiguous
    assert open_century.birth_date == date(2024, 2, 1)
    old = check_nik("6371050102240003", birth_date=date(1924, 2, 1), today=TODAY)
    assert not old.century_ambiguous
    assert (old.outcome, old.birth_date) == (Outcome.OK, date(1924, 2, 1))


@pytest.mark.parametrize(
    ("digits", "year"),
    [("010327", 1927), ("030326", 1926), ("010326", 2026)],
    ids=["year after this one", "tomorrow", "yesterday or a century ago"],
)
def test_a_birth_date_is_never_read_into_the_future(digits, year):
    birth_date = check_nik(f"637101{digits}0001", today=TODAY).birth_date
    assert birth_date is not None
    assert birth_date.year == year


def test_an_age_above_110_warns():
    check = check_nik("6371010101130001", birth_date=date(1913, 1, 1), today=TODAY)
    assert codes(check) == ["nik_age"]


@pytest.mark.parametrize(
    ("number", "outcome", "found"),
    [
        ("0000000000017", Outcome.OK, []),
        ("0001 2345 67890", Outcome.OK, []),
        ("1234567890123", Outcome.WARN, ["bpjs_prefix"]),
        ("000123456789", Outcome.REJECT, ["bpjs_length"]),
        ("6371011708900001", Outcome.REJECT, ["bpjs_length"]),
        ("000123456789A", Outcome.REJECT, ["bpjs_not_digits"]),
        ("0000000000000", Outcome.REJECT, ["bpjs_repeated"]),
        ("", Outcome.REJECT, ["bpjs_empty"]),
    ],
)
def test_bpjs_numbers(number, outcome, found):
    check = check_bpjs_number(number)
    assert (check.outcome, codes(check)) == (outcome, found)


@pytest.mark.parametrize(
    ("number", "outcome", "found"),
    [
        ("6371011203120007", Outcome.OK, []),
        ("6371011708900001", Outcome.WARN, ["family_card_equals_nik"]),
        ("6371014203120007", Outcome.WARN, ["family_card_date"]),
        ("9901011203120007", Outcome.WARN, ["family_card_region_unknown"]),
        ("63710112031200", Outcome.REJECT, ["family_card_length"]),
        ("7777777777777777", Outcome.REJECT, ["family_card_repeated"]),
    ],
)
def test_family_card_numbers(number, outcome, found):
    check = check_family_card_number(number, nik="6371 0117 0890 0001")
    assert (check.outcome, codes(check)) == (outcome, found)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("63", "Kalimantan Selatan"),
        ("63.71", "Kota Banjarmasin"),
        ("637104", "Banjarmasin Utara"),
        ("63.71.05.1012", "Kelayan Luar"),
        ("96", "Papua Barat Daya"),
        ("99", None),
        ("", None),
    ],
)
def test_region_names(code, name):
    assert region_name(code) == name


def test_a_village_is_named_up_to_its_province():
    assert region_path("6371041004") == (
        "Sungai Jingah",
        "Banjarmasin Utara",
        "Kota Banjarmasin",
        "Kalimantan Selatan",
    )


@given(
    born=st.dates(date(1930, 1, 1), TODAY),
    sex=st.sampled_from(Sex),
    serial=st.integers(1, 9999),
    region=st.sampled_from(["637101", "637105", "110101", "630101"]),
)
def test_what_is_composed_is_read_back(born, sex, serial, region):
    check = check_nik(compose_nik(region, born, sex, serial), birth_date=born, sex=sex, today=TODAY)
    assert (check.outcome, check.birth_date, check.sex, check.region_code) == (Outcome.OK, born, sex, region)


@pytest.mark.parametrize(
    ("region", "serial"), [("63710", 1), ("63710a", 1), ("637101", 0), ("637101", 10000)]
)
def test_composing_from_impossible_parts_is_an_error(region, serial):
    with pytest.raises(ValueError):
        compose_nik(region, date(1990, 1, 1), Sex.MALE, serial)


def test_a_number_is_normalised_once_and_for_all() -> None:
    once = normalise_number("R\u200b\u0327")
    assert normalise_number(once) == once


@given(
    text=st.one_of(st.text(), st.from_regex(r"[0-9]{12,18}"), st.from_regex(r"[0-9 .٠-٩-]{16,24}")),
    born=st.none() | st.dates(),
    today=st.dates(date(1950, 1, 1), date(2100, 1, 1)),
)
def test_no_input_crashes_a_check(text, born, today):
    for check in (
        check_nik(text, birth_date=born, today=today),
        check_bpjs_number(text),
        check_family_card_number(text, nik=text),
    ):
        assert (check.outcome is Outcome.OK) == (not check.findings)
        assert normalise_number(check.value) == check.value
