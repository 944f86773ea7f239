"""What an analyser, a hand or a pair of hours says beside a number is not dropped: nothing silent that was not compared."""

from __future__ import annotations

import pytest

from core.orders import medicine_gate
from core.orders.laboratory_results import interpret
from core.orders.medicines.checks import Prescribed, check
from core.orders.medicines.doses import Recipient
from core.orders.medicines.quantities import read_frequency
from core.orders.medicines.reading import read_medicine

ADULT, CHILD = Recipient(360, 60.0), Recipient(24, 12.0)


@pytest.mark.parametrize(
    ("test", "typed", "reference", "said"),
    [
        ("Hemoglobin", "12 H", "12 - 16", "unread"), ("Hemoglobin", "13*", "12 - 16", "unread"),
        ("Hemoglobin", "13 (L)", "12 - 16", "unread"), ("Hemoglobin", "7,2 L", "12 - 16", "low"),
        ("Hemoglobin", "7,2 H", "12 - 16", "unread"), ("Hemoglobin", "18 (H)", "12 - 16", "high"),
        ("Hemoglobin", "18 L", "12 - 16", "unread"), ("Hemoglobin", "7,2*", "12 - 16", "low"),
        ("Hemoglobin", "12-16", "12 - 16", "unread"), ("Gula darah sewaktu", "70-110", "70 - 199", "unread"),
        ("Leukosit", "4-11", "4 - 11", "unread"), ("Leukosit", "8-10", "4 - 11", "normal"),
        ("Trombosit", "20-30", "150 - 450", "low"), ("Hemoglobin", "13", "12 - 16", "normal"),
    ],
)  # fmt: skip
def test_a_sign_behind_a_value_and_a_copied_range_are_never_normal(
    test: str, typed: str, reference: str, said: str
) -> None:
    assert interpret(test, typed, reference, "") == said


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("tiap jam", 24), ("setiap jam", 24), ("prn tiap jam", 24), ("tiap 30 menit", 48), ("tiap 6-8 jam", 4),
        ("3-4x sehari", 4), ("4-12x sehari", 12), ("2 - 3 kali sehari", 3), ("tiap 4 jam", 6), ("3x sehari", 3),
        ("-3x", -3), ("bila perlu", None),
    ],
)  # fmt: skip
def test_the_most_that_a_frequency_allows_is_read(text: str, times: float | None) -> None:
    assert read_frequency(text) == times


@pytest.mark.parametrize(
    ("who", "medicine", "dose", "frequency", "code"),
    [
        (ADULT, "Parasetamol 500 mg tablet", "1 tablet", "prn tiap jam", "dose_impossible"),
        (ADULT, "Parasetamol 500 mg tablet", "1 tablet", "tiap 30 menit", "dose_impossible"),
        (ADULT, "Vitamin A 200.000 IU kapsul", "1 kapsul", "3x sehari", "dose_too_much"),
        (CHILD, "Vitamin A 200.000 IU kapsul", "1 kapsul", "2x sehari", "dose_too_much"),
        (CHILD, "Zink 20 mg tablet dispersibel", "1 tablet", "3x sehari", "dose_too_much"),
        (ADULT, "Epinefrin injeksi", "5 ml", "1x", "dose_unchecked"),
        (ADULT, "Epinefrin injeksi", "5", "1x", "dose_unchecked"),
        (ADULT, "Loratadin 10 mg tablet", "secukupnya", "1x sehari", "dose_unchecked"),
        (ADULT, "Loratadin 10 mg tablet", "1 tablet", "terserah", "dose_unchecked"),
    ],
)  # fmt: skip
def test_a_dose_that_nothing_was_held_against_is_told(
    who: Recipient, medicine: str, dose: str, frequency: str, code: str
) -> None:
    found = [each.code for each in check(Prescribed(medicine, dose, frequency, "1"), [], [], who)]
    assert code in found


@pytest.mark.parametrize(
    ("who", "medicine", "dose", "frequency"),
    [
        (ADULT, "Vitamin A 200.000 IU kapsul", "1 kapsul", "sekali minum"),
        (CHILD, "Zink 20 mg tablet dispersibel", "1 tablet", "1x sehari"),
        (ADULT, "Parasetamol 500 mg tablet", "1 tablet", "3-4x sehari"),
        (ADULT, "Loratadin 10 mg tablet", "1 tablet", "1x sehari"),
        (ADULT, "novorapid", "10 unit", "3x"),
    ],
)
def test_what_is_usual_stays_silent(who: Recipient, medicine: str, dose: str, frequency: str) -> None:
    assert check(Prescribed(medicine, dose, frequency, "1"), [], [], who) == []


def test_a_range_written_backwards_judges_nothing() -> None:
    assert interpret("Hemoglobin", "13", "16 - 12", "") == "unread"


@pytest.mark.parametrize(("reason", "says"), [(".", False), ("-", False), ("  ", False), ("??!", False), ("ok.", False),
                                              ("riwayat tidak jelas", True), ("uji kulit (-)", True)])  # fmt: skip
def test_a_reason_against_an_allergy_says_something(reason: str, says: bool) -> None:
    assert medicine_gate.says_why(reason) is says


@pytest.mark.parametrize(
    ("brand", "ingredient"),
    [
        ("AMOXIL 500", "amoksisilin"), ("Oskadon", "parasetamol"), ("Konidin", "dekstrometorfan"),
        ("Komix", "klorfeniramin"), ("Procold", "pseudoefedrin"), ("Inzana", "asetosal"), ("Starcef 100", "sefiksim"),
    ],
)  # fmt: skip
def test_a_shop_brand_is_read_as_what_it_holds(brand: str, ingredient: str) -> None:
    read = read_medicine(brand)
    assert ingredient in read.ingredients
    assert not read.guessed
