"""Compounded medicines: each ingredient is read and checked, and nothing unread passes for safe."""

from __future__ import annotations

from typing import Any

import pytest

from core.orders.medicines.checks import Check, Prescribed, check
from core.orders.medicines.compounding import Compound, CompoundPart, read_part, roman
from core.orders.medicines.doses import Recipient

CHILD = Recipient(4 * 12, 14.0)


def found(
    *lines: str,
    allergies: tuple[str, ...] = (),
    others: tuple[str, ...] = (),
    person: Recipient = CHILD,
    **made: Any,
) -> list[Check]:
    compound = Compound(tuple(read_part(line) for line in lines), made.pop("papers", 10), **made)
    item = Prescribed(compound.name, "1 bungkus", "3x sehari", "10 bungkus", compound)
    return check(item, allergies, others, person)


def codes(*lines: str, **facts: Any) -> list[tuple[str, str]]:
    return [(each.code, each.medicine) for each in found(*lines, **facts)]


@pytest.mark.parametrize(
    ("typed", "medicine", "amount"),
    [("parasetamol 120 mg", "parasetamol", "120 mg"), ("pct 120mg", "pct", "120mg"), ("ctm 1/4 tab", "ctm", "1/4 tab"),
     ("gg 30 mg", "gg", "30 mg"), ("deksametason 0,5 mg", "deksametason", "0,5 mg"), ("vitamin b6 10 mg", "vitamin b6", "10 mg"),
     ("vit b6", "vit b6", ""), ("vitamin b 6", "vitamin b 6", ""), ("xyz 20 mg", "xyz", "20 mg"), ("salbutamol", "salbutamol", ""),
     ("ambroxol 1 1/2 tab", "ambroxol", "1 1/2 tab"), ("amoksisilin 125", "amoksisilin", "125"),
     ("  dextromethorphan   5   mg ", "dextromethorphan", "5 mg")],
)  # fmt: skip
def test_an_ingredient_is_typed_in_one_line(typed: str, medicine: str, amount: str) -> None:
    assert read_part(typed) == CompoundPart(medicine, amount)


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (1, "I"),
        (4, "IV"),
        (9, "IX"),
        (10, "X"),
        (12, "XII"),
        (15, "XV"),
        (20, "XX"),
        (30, "XXX"),
        (49, "XLIX"),
        (100, "C"),
    ],
)
def test_papers_are_counted_as_prescriptions_count(number: int, written: str) -> None:
    assert roman(number) == written


def test_it_is_written_as_a_prescription_writes_it() -> None:
    compound = Compound((CompoundPart("parasetamol", "120 mg"), CompoundPart("ctm", "1 mg")), 12)
    assert compound.lines() == ["parasetamol 120 mg", "ctm 1 mg", "m.f. pulv. d.t.d. No. XII"]
    assert compound.name == "Racikan puyer: parasetamol, ctm"
    many = Compound(tuple(CompoundPart("bahan yang namanya panjang sekali") for _ in range(6)), 10)
    assert many.name == "Racikan puyer: 6 bahan"


@pytest.mark.parametrize(
    ("line", "allergy"),
    [("amoksisilin 125 mg", "Penicilin"), ("kotrimoksazol 120 mg", "sulfa"), ("parasetamol 120 mg", "pct"),
     ("ibuprofen 50 mg", "NSAID"), ("ctm 1 mg", "klorfeniramin"), ("cefadroxil 125 mg", "sefalosporin"),
     ("eritromisin 100 mg", "erythromycin"), ("antalgin 100 mg", "metamizol"), ("gg 30 mg", "gliseril guaiakolat"),
     ("ambroxol 10 mg", "ambroksol"), ("dexa 0,5 mg", "deksametason"), ("zzyx 5 mg", "zzyx")],
)  # fmt: skip
def test_every_ingredient_is_held_against_the_allergies(line: str, allergy: str) -> None:
    asked = found("vitamin c 25 mg", line, allergies=(allergy,))
    assert (asked[0].code, asked[0].medicine) == ("allergy", read_part(line).medicine)


def test_an_ingredient_that_cannot_be_read_is_said() -> None:
    assert ("ingredient_unread", "serbuk ajaib") in codes("parasetamol 120 mg", "serbuk ajaib 5 mg")
    said = found("parasetamol 120 mg", "serbuk ajaib 5 mg", allergies=("penisilin",))
    assert [each.things for each in said if each.code == "allergy_unchecked"] == [("serbuk ajaib",)]


def test_an_amount_that_cannot_be_read_is_said() -> None:
    assert ("dose_unchecked", "parasetamol") in codes("parasetamol")
    assert ("dose_unchecked", "ctm") in codes("parasetamol 120 mg", "ctm")


@pytest.mark.parametrize(
    ("line", "code"),
    [("parasetamol 500 mg", "dose_too_much"), ("parasetamol 180 mg", None), ("parasetamol 20 mg", "dose_too_little"),
     ("parasetamol 0 mg", "dose_not_positive"), ("ibuprofen 400 mg", "dose_too_much"), ("amoksisilin 2 g", "dose_too_much")],
)  # fmt: skip
def test_the_dose_of_each_ingredient_goes_by_weight(line: str, code: str | None) -> None:
    asked = [each.code for each in found(line) if each.code.startswith("dose_")]
    assert asked == ([code] if code else [])


def test_without_dtd_the_amount_is_parted_among_the_papers() -> None:
    assert ("dose_too_much", "parasetamol") in codes("parasetamol 1800 mg")
    assert codes("parasetamol 1800 mg", per_paper=False) == []
    assert ("dose_too_little", "parasetamol") in codes("parasetamol 180 mg", per_paper=False)


def test_a_childs_weight_is_needed() -> None:
    assert ("weight_needed", "parasetamol") in codes("parasetamol 120 mg", person=Recipient(4 * 12))


def test_the_same_ingredient_twice_and_an_interaction_are_asked_about() -> None:
    assert ("medicine_twice", "pct") in codes("parasetamol 120 mg", "pct 60 mg")
    assert ("medicine_twice", "parasetamol") in codes(
        "parasetamol 120 mg", others=("Parasetamol sirup 120 mg/5 ml",)
    )
    adult = Recipient(40 * 12)
    assert ("interaction", "ibuprofen") in codes("kaptopril 12,5 mg", "ibuprofen 200 mg", person=adult)
    assert ("interaction", "ibuprofen") in codes(
        "ibuprofen 200 mg", others=("Kaptopril 25 mg tablet",), person=adult
    )


@pytest.mark.parametrize(
    ("line", "person"),
    [("doksisiklin 50 mg", CHILD), ("asetosal 80 mg", CHILD), ("kodein 5 mg", CHILD), ("siprofloksasin 100 mg", CHILD),
     ("ibuprofen 200 mg", Recipient(30 * 12, pregnant=True)), ("kodein 10 mg", Recipient(30 * 12, breastfeeding=True))],
)  # fmt: skip
def test_what_a_patient_must_not_have_is_asked_about_in_a_paper_too(line: str, person: Recipient) -> None:
    assert "contraindication" in [each.code for each in found("vitamin c 25 mg", line, person=person)]


def test_an_allergy_comes_before_every_other_question() -> None:
    asked = found("parasetamol 900 mg", "amoksisilin 125 mg", allergies=("penisilin", "obat merah"))
    assert asked[0].code == "allergy"
    assert asked[-1].code in {"allergy_unchecked", "dose_unchecked", "ingredient_unread"}
