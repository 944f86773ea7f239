"""What a laboratory types is read as what it says; what cannot be read is never normal."""

from __future__ import annotations

import pytest

from core.orders.laboratory_results import Judgement, judge
from core.orders.laboratory_tests import tests as listed_tests


def judged(test: str, typed: str, unit: str = "", *, sex: str = "male", years: float = 30) -> Judgement:
    """As `core.orders.laboratory` asks for it."""
    listed = listed_tests().get(test)
    limits = listed.range_for(sex, years, False) if listed else None
    critical = listed.critical_for(sex, years, False) if listed else ()
    return judge(test, typed, unit, limits.text() if limits else "", own_reference=False, critical=critical)


@pytest.mark.parametrize(
    ("test", "typed", "read"),
    [
        ("Gula darah sewaktu", "HI", "high"),
        ("Gula darah sewaktu", "hi", "high"),
        ("Gula darah sewaktu", "High", "high"),
        ("Gula darah puasa", "LO", "low"),
        ("Gula darah sewaktu", "low", "low"),
        ("Leukosit", "<4", "low"),
        ("Leukosit", "kurang dari 4", "low"),
        ("Gula darah sewaktu", ">199", "high"),
        ("Gula darah sewaktu", "> 199 mg/dL", "high"),
        ("Gula darah sewaktu", ">=200", "high"),
        ("Gula darah sewaktu", "≥ 200", "high"),
        ("Trigliserida", "<45", "normal"),
        ("Kolesterol total", "<100", "normal"),
        ("Leukosit", "8-9", "normal"),
        ("Hemoglobin", "7 g/dL", "low"),
        ("Hemoglobin", "7.2 gr%", "low"),
        ("Hemoglobin", "14,1", "normal"),
        ("Hemoglobin", "14.1", "normal"),
        ("Gula darah sewaktu", "250 (H)", "high"),
        ("Gula darah sewaktu", "250 *", "high"),
        ("Natrium", "140 mEq/L", "normal"),
        # Neither is certain, or legible.
        ("Leukosit", "<5", "unread"),
        ("Leukosit", ">4", "unread"),
        ("Gula darah sewaktu", "60-80", "unread"),
        ("Trombosit", "menggumpal", "unread"),
        ("Hemoglobin", "lisis", "unread"),
        ("Hemoglobin", "-", "unread"),
        ("Hemoglobin", "cukup", "unread"),
        ("Hemoglobin", "12 sekian", "unread"),
        ("Gula darah sewaktu", "1O0", "unread"),
        ("Gula darah sewaktu", "normal", "unread"),
        ("Gula darah sewaktu", "error", "unread"),
        ("HbA1c", "48 mmol/mol", "unread"),
        ("Protein urin", "ungu", "unread"),
        ("Golongan darah ABO", "Z", "unread"),
        ("HIV (rapid)", "ragu", "unread"),
        # Answers as they are written.
        ("Protein urin", "Negatif", "normal"),
        ("Protein urin", "neg", "normal"),
        ("Protein urin", "++", "abnormal"),
        ("Protein urin", "1+", "abnormal"),
        ("HIV (rapid)", "non reaktif", "normal"),
        ("HBsAg (rapid)", "POSITIF", "abnormal"),
        # Tests without limits say nothing.
        ("Widal", "1/320", None),
        ("Sedimen urin", "8-10/LPB", None),
        ("Golongan darah ABO", "o", None),
    ],
)
def test_a_result_reads_as_what_it_says(test: str, typed: str, read: str | None) -> None:
    assert judged(test, typed).interpretation == read


@pytest.mark.parametrize(
    ("test", "typed", "unit", "stored"),
    [
        ("Hemoglobin", "7 g/dL", "g/dL", ("7", "g/dL")),
        ("Hemoglobin", "70 g/L", "g/dL", ("7", "g/dL")),
        ("Hemoglobin", "94", "g/L", ("9,4", "g/dL")),
        ("Gula darah sewaktu", "5.5 mmol/L", "mg/dL", ("99,09", "mg/dL")),
        ("Gula darah sewaktu", "110 mg%", "", ("110", "mg/dL")),
        ("Leukosit", "8.500/uL", "", ("8,5", "10^3/uL")),
        ("Leukosit", "8500 /mm3", "", ("8,5", "10^3/uL")),
        ("Leukosit", "1,2 ribu", "", ("1,2", "10^3/uL")),
        ("Trombosit", "150.000/µL", "", ("150", "10^3/uL")),
        ("Trombosit", "1.250.000 /uL", "", ("1250", "10^3/uL")),
        ("Kreatinin", "88,4 umol/L", "", ("0,9998", "mg/dL")),
        ("Kalium", "4,1 mEq/L", "", ("4,1", "mmol/L")),
        ("Gula darah sewaktu", "> 600", "", ("> 600", "mg/dL")),
        # Not certain: kept as it was written.
        ("Gula darah sewaktu", "5 satuan", "mg/dL", ("5", "satuan")),
        ("Widal", "1/320", "", ("1/320", "")),
    ],
)
def test_a_unit_beside_is_taken_off_and_converted_only_when_certain(
    test: str, typed: str, unit: str, stored: tuple[str, str]
) -> None:
    found = judged(test, typed, unit)
    assert (found.result, found.unit) == stored


@pytest.mark.parametrize(
    ("test", "typed", "critical"),
    [
        ("Trombosit", "45", True),
        ("Trombosit", "45.000/uL", True),
        ("Trombosit", "<20", True),
        ("Trombosit", "120", False),
        ("Trombosit", "<140", False),
        ("Hemoglobin", "5,2", True),
        ("Hemoglobin", "52 g/L", True),
        ("Hemoglobin", "11", False),
        ("Gula darah sewaktu", "HI", True),
        ("Gula darah sewaktu", "LO", True),
        ("Gula darah sewaktu", "35", True),
        ("Gula darah sewaktu", "520", True),
        ("Gula darah sewaktu", ">600", True),
        ("Gula darah sewaktu", "28 mmol/L", True),
        ("Gula darah sewaktu", ">199", False),
        ("Gula darah puasa", "90", False),
        ("Kalium", "6,8", True),
        ("Kalium", "2.3", True),
        ("Kalium", "HI", True),
        ("Kalium", "4", False),
        ("Natrium", "112", True),
        ("Leukosit", "0,9", True),
        ("Leukosit", "88", True),
        ("Leukosit", "8", False),
        ("Kreatinin", "9,1", True),
        ("Malaria (rapid)", "P. falciparum", True),
        ("Malaria (rapid)", "negatif", False),
    ],
)
def test_critical_values_are_told_apart(test: str, typed: str, critical: bool) -> None:
    assert judged(test, typed).is_critical is critical


@pytest.mark.parametrize("years", [0, 1, 8, 30, 80])
@pytest.mark.parametrize("sex", ["male", "female"])
def test_every_critical_limit_lies_beyond_what_is_normal_and_has_a_source(years: float, sex: str) -> None:
    for test in listed_tests().values():
        normal = test.range_for(sex, years, False)
        for limits in test.critical_for(sex, years, False):
            assert limits.source
            assert normal is not None
            assert limits.below is None or normal.low is None or limits.below < normal.low
            assert limits.above is None or normal.high is None or limits.above > normal.high
        assert set(test.critical_choices) <= set(test.choices)


def test_a_range_of_the_laboratorys_own_speaks_of_its_own_unit() -> None:
    found = judge("Hemoglobin", "94", "g/L", "120-160", own_reference=True)
    assert (found.result, found.unit, found.interpretation) == ("94", "g/L", "low")
    assert judge("Hemoglobin", "12", "", "lihat lembar", own_reference=True).interpretation == "unread"


@pytest.mark.parametrize(
    "typed",
    [
        "12,5 (N)",
        "7,0 (kritis)",
        "250/300",
        "250 -> 300",
        "6·9",
        "450!",
        "450 !!",
        "12.5.3",
        "150'000",
        "7,1 (lisis)",
    ],
)
def test_what_stands_behind_a_number_and_is_no_unit_leaves_the_whole_text_unread(typed: str) -> None:
    """The family "half a number": the comma and what follows it is not taken for a unit."""
    found = judged("Gula darah sewaktu", typed, "mg/dL")
    assert (found.result, found.unit, found.interpretation) == (typed, "mg/dL", "unread")


@pytest.mark.parametrize(
    ("test", "typed", "result", "critical"),
    [
        ("Trombosit", "0,45 x10^5", "45", True),
        ("Trombosit", "1.2x10^5/uL", "120", False),
        ("Trombosit", "1,5 lakh", "150", False),
        ("Trombosit", "4,5 x 10^4 /uL", "45", True),
        ("Trombosit", "45 10^9/L", "45", True),
        ("Leukosit", "0,12 x10^4", "1,2", True),
    ],
)
def test_a_power_of_ten_is_a_unit(test: str, typed: str, result: str, critical: bool) -> None:
    found = judged(test, typed)
    assert (found.result, found.unit, found.is_critical) == (result, "10^3/uL", critical)


@pytest.mark.parametrize(
    ("test", "typed", "answer"),
    [
        ("Malaria mikroskopis", "P falciparum +2", "P. falciparum"),
        ("Malaria mikroskopis", "PF ring 3+", "P. falciparum"),
        ("Malaria mikroskopis", "Pf (+++)", "P. falciparum"),
        ("Malaria mikroskopis", "p.f. gametosit 120/ul", "P. falciparum"),
        ("Malaria mikroskopis", "P.v trofozoit ++", "P. vivax"),
        ("Malaria mikroskopis", "Pf+Pv", "campuran"),
        ("Malaria (rapid)", "P.f", "P. falciparum"),
        ("Malaria mikroskopis", "tidak ditemukan", "negatif"),
        ("Protein urin", "neg.", "negatif"),
        ("Protein urin", "negatif (-)", "negatif"),
        ("Protein urin", "±", "trace"),
        ("HIV (rapid)", "Reaktif (+)", "reaktif"),
        ("HIV (rapid)", "R", "reaktif"),
    ],
)
def test_an_answer_with_its_density_or_said_twice_is_that_answer(test: str, typed: str, answer: str) -> None:
    assert judged(test, typed).result == answer


@pytest.mark.parametrize(
    ("test", "typed"),
    [
        ("HIV (rapid)", "negatif (+)"), ("HIV (rapid)", "reaktif lemah"), ("Malaria mikroskopis", "pf negatif"),
        ("Malaria mikroskopis", "bukan pf"), ("Protein urin", "positif"), ("Malaria mikroskopis", "P. malariae"),
    ],
)  # fmt: skip
def test_an_answer_that_speaks_against_itself_is_unread(test: str, typed: str) -> None:
    assert judged(test, typed).interpretation == "unread"
