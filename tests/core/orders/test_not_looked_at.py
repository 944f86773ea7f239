"""The family "silence looks like nothing wrong": a medicine or dose that was compared with nothing says so.

Three brothers: a dose that no limit was found for, a name whose strength stands without its unit, and a brand
whose last word (`plus`, `extra`, a letter) means one ingredient more.
"""

from __future__ import annotations

import pytest

from core.orders.medicines import catalogue, clashes, read_medicine, unchecked
from core.orders.medicines.checks import TOLD_ONLY, Prescribed, check
from core.orders.medicines.doses import Recipient

ADULT, TODDLER, INFANT = Recipient(360, 60), Recipient(36, 14), Recipient(8, 8)


def codes(medicine: str, dose: str, frequency: str, person: Recipient) -> list[str]:
    return [each.code for each in check(Prescribed(medicine, dose, frequency), [], [], person)]


@pytest.mark.parametrize(
    ("medicine", "dose", "frequency", "person", "said"),
    [
        ("obat xyz", "1 tablet", "3x sehari", ADULT, "ingredient_unread"),
        ("jamu tolak angin", "1 sachet", "2x", TODDLER, "ingredient_unread"),
        ("metotreksat 2,5", "1 tablet", "1x", ADULT, "ingredient_unread"),
        ("Parasetamol sirup", "1 cth", "3x sehari", TODDLER, "dose_unchecked"),
        ("pct", "secukupnya", "3x sehari", ADULT, "dose_unchecked"),
        ("Parasetamol 500 mg tablet", "1 tablet", "seingatnya", ADULT, "dose_unchecked"),
        ("Amoksisilin 500 mg", "1 sendok nasi", "3x", TODDLER, "dose_unchecked"),
        ("Metoklopramid 10 mg tablet", "1/2 tablet", "3x", TODDLER, "child_dose_unknown"),
        ("Loratadin 10 mg tablet", "1 tablet", "1x", TODDLER, "child_dose_unknown"),
        ("Setirizin 10 mg tablet", "1/4 tablet", "1x", INFANT, "child_dose_unknown"),
    ],
)
def test_what_was_compared_with_nothing_is_said(
    medicine: str, dose: str, frequency: str, person: Recipient, said: str
) -> None:
    assert codes(medicine, dose, frequency, person) == [said]
    assert said in TOLD_ONLY


@pytest.mark.parametrize(
    ("medicine", "dose", "frequency", "person"),
    [
        ("pct", "1 tab", "3x1", ADULT),
        ("pct", "1 tab", "bila perlu", ADULT),
        ("pct 500", "satu tablet", "tiga kali sehari", ADULT),
        ("captopril 25", "setengah tablet", "2dd", ADULT),
        ("amoksisilin sirup 125", "1 cth", "3x", Recipient(24, 12)),
        ("zinc 20", "1/2 tab", "1x", Recipient(3, 5)),
        ("oralit", "1 sachet", "setiap BAB cair", TODDLER),
        ("vaksin MR", "0,5 ml", "1x", Recipient(9, 8)),
        ("Hidrokortison krim 2,5 %", "oles tipis", "2x", TODDLER),
        ("Kloramfenikol tetes mata", "1 tetes", "4x", TODDLER),
        ("novorapid", "10 unit", "3x", ADULT),
        ("ampisilin 500", "1 tablet", "4x", ADULT),
        ("pct", "tab 1/2", "3 dd", Recipient(60, 18)),
    ],
)
def test_what_was_compared_and_is_usual_stays_silent(
    medicine: str, dose: str, frequency: str, person: Recipient
) -> None:
    assert codes(medicine, dose, frequency, person) == []


@pytest.mark.parametrize(
    ("medicine", "dose", "frequency", "person"),
    [
        ("pct", "1 tab", "tiap 2 jam", ADULT),
        ("pct", "10 tablet", "1x", ADULT),
        ("pct", "satu tablet", "tiga kali", Recipient(60, 18)),
        ("captopril 25", "25", "3x", ADULT),
        ("metformin 500", "3 tab", "3x", ADULT),
        ("digoxin 0,25", "1 tab", "3x", ADULT),
        ("zinc 20", "1 tab", "1x", Recipient(3, 5)),
        ("albendazol 400", "1 tablet", "1x", Recipient(18, 10)),
        ("domperidon sirup", "1 cth", "3x", Recipient(12, 9)),
        ("novorapid", "100 unit", "3x", ADULT),
        ("insulin lantus", "80 iu", "1x", ADULT),
    ],
)
def test_a_strength_without_its_unit_is_compared_all_the_same(
    medicine: str, dose: str, frequency: str, person: Recipient
) -> None:
    assert "dose_too_much" in codes(medicine, dose, frequency, person)


@pytest.mark.parametrize(
    ("medicine", "person", "rule"),
    [
        ("Vitamin A 200.000 SI kapsul", INFANT, "vitamin_a_red"),
        ("vit a merah", INFANT, "vitamin_a_red"),
        ("vit a biru", Recipient(4, 6), "vitamin_a_infant"),
        ("Vitamin A 200.000", Recipient(300, 55, pregnant=True), "vitamin_a_pregnant"),
        ("albendazol 400", INFANT, "albendazole_infant"),
        ("asam mefenamat 500", Recipient(96, 25), "mefenamic_child"),
        ("OBH", INFANT, "cough_infant"),
        ("GG", INFANT, "cough_infant"),
        ("kotrim forte", Recipient(300, 55, pregnant=True), "cotrimoxazole_pregnant"),
        ("vaksin MR", Recipient(300, 55, pregnant=True), "live_vaccine_pregnant"),
        ("depo provera", Recipient(300, 55, pregnant=True), "contraceptive_pregnant"),
        ("fluconazole 150", Recipient(300, 55, pregnant=True), "azole_pregnant"),
        ("carbamazepin 200", Recipient(300, 55, pregnant=True), "epilepsy_pregnant"),
    ],
)
def test_age_and_pregnancy_speak_against_it(medicine: str, person: Recipient, rule: str) -> None:
    asked = check(Prescribed(medicine), [], [], person)
    assert [each.given for each in asked if each.code == "contraindication"] == [rule]


def test_the_blue_capsule_is_for_whom_it_is_made() -> None:
    assert check(Prescribed("Vitamin A 100.000 SI kapsul biru", "1 kapsul", "1x"), [], [], INFANT) == []


@pytest.mark.parametrize(
    ("medicine", "allergy"),
    [
        ("Betason-N krim", "alergi neomisin"), ("Buscopan plus", "parasetamol"), ("Scopma plus", "panadol"),
        ("Bodrex extra", "ibuprofen"), ("Bodrex ekstra", "asam mefenamat"), ("Panadol extra", "kafein"),
        ("Bisolvon extra", "GG"), ("Blopress plus", "HCT"),
    ],
)  # fmt: skip
def test_one_word_more_behind_a_brand_is_one_ingredient_more(medicine: str, allergy: str) -> None:
    assert clashes(medicine, [allergy])


@pytest.mark.parametrize(
    "medicine", ["Amlodipin plus", "Sanmol extra", "Benoson N", "Kenacort A", "Concor plus 5", "CTM B"]
)
def test_a_word_more_that_no_list_knows_leaves_it_unread(medicine: str) -> None:
    assert not read_medicine(medicine).is_read
    assert unchecked(medicine, ["udang"]) == [medicine]


@pytest.mark.parametrize(
    ("allergy", "medicine"),
    [
        ("penecilin", "Amoksisilin 500"), ("penisilinn", "Ampisilin"), ("sefalosforin", "Sefadroksil 500"),
        ("sulfonamidda", "Kotrimoksazol"), ("kuinolonn", "Siprofloksasin 500"), ("PNC", "Amoksisilin 500"),
    ],
)  # fmt: skip
def test_a_class_is_read_with_one_slip_as_a_medicine_is(allergy: str, medicine: str) -> None:
    assert clashes(medicine, [allergy])


def test_a_food_is_never_read_with_a_slip() -> None:
    """A word near a food may be a medicine: taken for the food, it would be silently passed."""
    assert unchecked("Amoksisilin 500", ["kepitinx"]) == ["kepitinx"]


def test_another_product_of_the_shop_is_not_read_as_a_medicine_near_its_name() -> None:
    assert not read_medicine("antangin").ingredients


def test_the_usual_dose_of_the_list_is_never_said_to_be_unchecked() -> None:
    for product in catalogue.products():
        found = codes(product.medicine, product.dose, product.frequency, ADULT)
        assert not {"dose_unchecked", "ingredient_unread"} & set(found), product.medicine
