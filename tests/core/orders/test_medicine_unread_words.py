"""A typed word that says nothing known is never replaced by a medicine of the list."""

from __future__ import annotations

import pytest

from core.orders.medicines.medicine_search import usual_medicines


@pytest.mark.parametrize(
    "typed",
    [
        "salep racikan", "salep dokter", "amoksisilin racikan", "pct racikan", "sirup obat batuk anak",
        "tablet putih kecil", "kapsul herbal", "tetes mata dokter", "krim racikan", "puyer racikan",
        "obat kemarin", "antasida jamu",
    ],
)  # fmt: skip
def test_an_unread_word_offers_no_other_medicine(typed: str):
    assert [item.medicine for item in usual_medicines(typed, [], 5)] == []


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("pana", "Parasetamol"), ("pana 500", "Parasetamol"), ("sanmol sirup", "Parasetamol"),
        ("salep 2-4", "Salep 2-4"), ("amoks", "Amoksisilin"), ("amoxicillin 500", "Amoksisilin 500"),
        ("captopril 25", "Kaptopril 25"), ("lasi tablet", "Furosemid"),
    ],
)  # fmt: skip
def test_a_name_or_its_beginning_still_finds_its_medicine(typed: str, first: str):
    assert usual_medicines(typed, [], 5)[0].medicine.startswith(first)
