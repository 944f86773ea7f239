"""Names of medicines and allergies as they are typed: found, or said to be unread; nothing passes in silence."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from bench.medicines import judge_pair, read_name
from core.orders.medicines import catalogue, clashes, read_allergy, read_medicine, unchecked, usual_medicines
from core.orders.medicines.folding import fold_words, one_slip

HERE = Path(__file__).parent


def cases(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", cases("medicine_names.csv"), ids=lambda row: row["typed"])
def test_a_name_is_found_or_said_to_be_unread(row: dict[str, str]) -> None:
    assert read_name(row["typed"], row["ingredients"]) == ("found" if row["ingredients"] else "unread")


@pytest.mark.parametrize(
    "row", cases("allergy_pairs.csv"), ids=lambda row: f"{row['allergy']} x {row['medicine']}"
)
def test_an_allergy_against_a_medicine(row: dict[str, str]) -> None:
    assert judge_pair(row["allergy"], row["medicine"]) == row["expected"]


@pytest.mark.parametrize("product", catalogue.products(), ids=lambda product: product.medicine)
def test_every_product_of_the_list_is_read_as_what_it_holds(product: catalogue.Product) -> None:
    reading = read_medicine(product.medicine)
    assert (reading.ingredients, reading.certain) == (product.ingredients, True)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("pct", "Parasetamol 500 mg tablet"),
        ("captopril", "Kaptopril 12.5 mg tablet"),
        ("captopril 25", "Kaptopril 25 mg tablet"),
        ("amoxicillin 500", "Amoksisilin 500 mg tablet"),
        ("cotrimoxazole", "Kotrimoksazol 480 mg tablet"),
        ("vitamin k", "Vitamin K1 injeksi 2 mg/ml"),
        ("sulfas ferosus", "Besi sulfat 300 mg tablet"),
        ("panad", "Parasetamol 500 mg tablet"),
        ("metformni", "Metformin 500 mg tablet"),
        ("mgso4", "Magnesium sulfat injeksi 40%"),
    ],
)
def test_the_search_finds_it_under_any_name(typed: str, first: str) -> None:
    assert first in [each.medicine for each in usual_medicines(typed, [], 3)][:1]


@pytest.mark.parametrize(
    "word",
    ["santai", "toraks", "vertigo", "lapisan", "aseton", "apotik", "hepatitis", "kompleks", "ibu", "minggu"],
)
def test_an_everyday_word_is_never_taken_for_a_medicine(word: str) -> None:
    assert not read_medicine(word).ingredients


@pytest.mark.parametrize(
    ("left", "right", "is_one"),
    [
        ("amoksisiln", "amoksisilin", True),
        ("metfromin", "metformin", True),
        ("kaptropil", "kaptopril", True),
        ("amoksisilin", "ampisilin", False),
        ("rani", "rami", False),
        ("sefiksim100", "sefiksim200", False),
    ],
)
def test_one_slip_is_forgiven_in_long_words_only(left: str, right: str, is_one: bool) -> None:
    assert one_slip(left, right) is is_one


def test_short_abbreviations_keep_their_letters() -> None:
    assert fold_words("Vit C") != fold_words("vit k")


def test_a_name_that_may_be_two_medicines_is_unread() -> None:
    assert not read_medicine("prednisolo").certain


@pytest.mark.parametrize("allergy", ["sulfat", "obat", "antibiotik", "sirup jeruk", "alergi", "???"])
def test_an_allergy_that_names_no_substance_is_not_read(allergy: str) -> None:
    assert not read_allergy(allergy).is_read


def test_what_is_unknown_on_both_sides_still_clashes_with_itself() -> None:
    assert clashes("morezulon 10 mg", ["morezulon"]) == ["morezulon"]


def test_without_allergies_a_medicine_that_is_not_read_is_no_question() -> None:
    assert unchecked("puyer racikan", []) == []
    assert unchecked("puyer racikan", ["tidak ada alergi"]) == []
