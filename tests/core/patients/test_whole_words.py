"""A patient whose name has the very word that was typed goes before one that only resembles it, however long the name."""

from __future__ import annotations

import pytest

from core.patients.search_query import Found, read_query

LONG = {
    "ayu": "Raden Ayu Siti Nurhaliza Kusumaningrum Wardhani", "ani": "Dr. Ani Wijayanti Kusuma Dewi Lestari",
    "adi": "Adi Putra Pratama Wijaya Kusuma", "ria": "Ria Angelina Dewi Kartika Sari", "ida": "Ida Bagus Made Oka Putra",
    "eka": "Eka Putri Ayu Dewi Lestari Ningsih", "abu": "Abu Bakar Sidik Rahman Hakim",
    "siti": "Siti Nur Halimah Az Zahra Putri",
}  # fmt: skip
RESEMBLING = {
    "ayu": ["Bayu Maulana", "Rahayu", "Wahyu"], "ani": ["Yani", "Anis", "Ana"], "adi": ["Hadi", "Adik", "Budi"],
    "ria": ["Maria", "Riana", "Rita"], "ida": ["Farida", "Saidah", "Aida"], "eka": ["Reka", "Eko", "Ika"],
    "abu": ["Abun", "Sabu", "Ali"], "siti": ["Isti", "Sita", "Sintia"],
}  # fmt: skip
BEFORE = ("", "Raden ", "H. ", "Hj. ", "dr. ", "Ny ", "bu ", "pak ", "alm ", "sdr ")


def fitness(text: str, name: str) -> float:
    return read_query(text).fitness(Found(name, name, "1980-01-01", "", "", None, None, "", "1"))


@pytest.mark.parametrize("word", LONG)
@pytest.mark.parametrize("before", BEFORE)
def test_a_whole_word_beats_a_part_whatever_title_is_typed_before_it(word: str, before: str) -> None:
    asked = before + word
    assert all(fitness(asked, LONG[word]) > fitness(asked, other) for other in RESEMBLING[word]), asked


def test_a_typed_title_finds_first_who_bears_it() -> None:
    names = ["Gusti Ayu", "Ayu Lestari", LONG["ayu"], "Bayu Maulana"]
    ranked = sorted(names, key=lambda name: -fitness("Raden Ayu", name))
    assert ranked[0] == LONG["ayu"]
    assert ranked[-1] == "Bayu Maulana"
    assert max(names, key=lambda name: fitness("ayu", name)) == "Gusti Ayu"
