"""Children's doses against the table's sources, and what is read of a written dose."""

from __future__ import annotations

import pytest

from core.orders.medicines.doses import Recipient, questions, suggest
from core.orders.medicines.quantities import read_amount, read_frequency, read_strength

SYRUP, DROPS = "Parasetamol sirup 120 mg/5 ml", "Parasetamol tetes 100 mg/ml"
AMOXICILLIN = "Amoksisilin sirup kering 125 mg/5 ml"


@pytest.mark.parametrize(
    ("medicine", "months", "weight", "dose", "frequency"),
    [
        (DROPS, 1, 4, "0.5 ml", "4x sehari"),
        (DROPS, 6, 7, "0.9 ml", "4x sehari"),
        (SYRUP, 6, 7, "3.5 ml", "4x sehari"),
        (SYRUP, 12, 9, "4.5 ml", "4x sehari"),
        (SYRUP, 24, 12, "6.5 ml", "4x sehari"),
        (SYRUP, 60, 18, "9.5 ml", "4x sehari"),
        ("Parasetamol sirup 250 mg/5 ml", 60, 18, "4.5 ml", "4x sehari"),
        ("Parasetamol 500 mg tablet", 84, 22, "1/2 tablet", "4x sehari"),
        ("Parasetamol 500 mg tablet", 132, 38, "1 tablet", "4x sehari"),
        ("Ibuprofen sirup 100 mg/5 ml", 12, 10, "4 ml", "3x sehari"),
        ("Ibuprofen sirup 100 mg/5 ml", 48, 16, "6 ml", "3x sehari"),
        (AMOXICILLIN, 4, 6, "9.5 ml", "2x sehari"),
        ("Amoksisilin sirup kering 250 mg/5 ml", 24, 12, "9.5 ml", "2x sehari"),
        ("Amoksisilin sirup kering 250 mg/5 ml", 48, 16, "13 ml", "2x sehari"),
        ("Kotrimoksazol sirup 240 mg/5 ml", 12, 10, "5 ml", "2x sehari"),
        ("Kotrimoksazol sirup 240 mg/5 ml", 48, 16, "8 ml", "2x sehari"),
        ("Eritromisin sirup kering 200 mg/5 ml", 24, 12, "4 ml", "4x sehari"),
        ("Azitromisin sirup kering 200 mg/5 ml", 36, 14, "3.5 ml", "1x sehari"),
        ("Metronidazol suspensi 125 mg/5 ml", 36, 14, "5.5 ml", "3x sehari"),
        ("Sefadroksil sirup kering 125 mg/5 ml", 24, 12, "7 ml", "2x sehari"),
        ("Sefiksim sirup kering 100 mg/5 ml", 24, 12, "2.4 ml", "2x sehari"),
        ("Kloramfenikol suspensi 125 mg/5 ml", 48, 16, "16 ml", "4x sehari"),
        ("Salbutamol sirup 2 mg/5 ml", 24, 12, "3 ml", "3x sehari"),
        ("Setirizin sirup 5 mg/5 ml", 36, 14, "3.5 ml", "1x sehari"),
        ("Ambroksol sirup 15 mg/5 ml", 36, 14, "2.3 ml", "3x sehari"),
        ("Domperidon suspensi 5 mg/5 ml", 24, 12, "3 ml", "3x sehari"),
        ("Pirantel pamoat suspensi 125 mg/5 ml", 24, 12, "5 ml", "1x sehari"),
        ("Asam valproat sirup 250 mg/5 ml", 72, 20, "4 ml", "2x sehari"),
        ("Zink 20 mg tablet dispersibel", 3, None, "1/2 tablet", "1x sehari"),
        ("Zink 20 mg tablet dispersibel", 8, None, "1 tablet", "1x sehari"),
    ],
)
def test_the_dose_goes_by_weight(
    medicine: str, months: int, weight: float | None, dose: str, frequency: str
) -> None:
    given = suggest(medicine, Recipient(months, weight))
    assert (given.dose, given.frequency) == (dose, frequency)
    assert given.source


@pytest.mark.parametrize(
    ("medicine", "months", "weight", "basis"),
    [
        (SYRUP, 24, None, "weight_needed"),
        (AMOXICILLIN, 4, None, "weight_needed"),
        ("Ibuprofen sirup 100 mg/5 ml", 2, 5, "no_child_dose"),
        ("Sefiksim sirup kering 100 mg/5 ml", 3, 6, "no_child_dose"),
        ("Parasetamol 500 mg tablet", 24, 12, "no_child_dose"),
        ("Meloksikam 7.5 mg tablet", 100, 25, "no_child_dose"),
        ("Amlodipin 5 mg tablet", 143, 40, "no_child_dose"),
        ("Siprofloksasin 500 mg tablet", 36, 14, "no_child_dose"),
        ("Klorfeniramin (CTM) 4 mg tablet", 6, 7, "no_child_dose"),
        ("obat puyer", 24, 12, "no_child_dose"),
    ],
)
def test_without_a_weight_or_a_childs_dose_nothing_is_put_before_anybody(
    medicine: str, months: int, weight: float | None, basis: str
) -> None:
    given = suggest(medicine, Recipient(months, weight))
    assert (given.dose, given.frequency, given.basis) == ("", "", basis)


def test_from_twelve_years_the_adult_dose_stands() -> None:
    assert suggest("Parasetamol 500 mg tablet", Recipient(144, None)).dose == "1 tablet"


@pytest.mark.parametrize(
    ("dose", "code"),
    [("20 ml", "dose_too_much"), ("6.5 ml", ""), ("5 ml", ""), ("1 ml", "dose_too_little"), ("sdm", "")],
)
def test_a_childs_dose_is_judged_by_weight(dose: str, code: str) -> None:
    asked = questions(SYRUP, dose, "4x sehari", "1 botol", Recipient(24, 12))
    assert [each.code for each in asked] == ([code] if code else [])


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [("1/2 tablet", 0.5, "tablet"), ("1 1/2 tablet", 1.5, "tablet"), ("½ tab", 0.5, "tab"), ("0,6 ml", 0.6, "ml"),
     ("1-2 tablet", 2, "tablet"), ("-1 tablet", -1, "tablet"), ("2 sendok takar", 2, "sendok takar"), ("500 mg", 500, "mg")],
)  # fmt: skip
def test_a_dose_is_read(text: str, number: float, unit: str) -> None:
    read = read_amount(text)
    assert read is not None
    assert (read.number, read.unit) == (number, unit)


@pytest.mark.parametrize(
    ("text", "times"),
    [("3x sehari", 3), ("3 x 1", 3), ("3x1", 3), ("2 dd 1", 2), ("tiap 8 jam", 3), ("sekali", 1), ("3 kali sehari", 3),
     ("99x sehari", 99), ("0x sehari", 0), ("bila perlu", None)],
)  # fmt: skip
def test_a_frequency_is_read(text: str, times: float | None) -> None:
    assert read_frequency(text) == times


@pytest.mark.parametrize(
    ("name", "milligrams"),
    [("X 500 mg tablet", 500), ("X 120 mg/5 ml", 24), ("X 1 g", 1000), ("X 100 mcg", 0.1)],
)
def test_a_strength_is_read(name: str, milligrams: float) -> None:
    read = read_strength(name)
    assert read is not None
    assert read.milligrams == pytest.approx(milligrams)
