"""Indonesian names are compared by what identifies, however they are written."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.linkage.names import (
    as_one,
    fold,
    is_newborn_name,
    meant_sounds,
    name_sounds,
    name_words,
    own_name,
    phonetic,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Muh. Rizki", "Mohammad Rizki"), ("M. Rizki", "Moch Rizqi"), ("Mhd Rizki", "MUHAMMAD RIZKI"),
        ("St. Aminah", "Siti Aminah"), ("Hj. Siti Aminah, S.Pd", "siti aminah"), ("dr. H. Budi", "Budi"),
        ("Soekarno", "Sukarno"), ("Djoko Tjahjono", "Joko Cahyono"), ("Jahja", "Yahya"), ("Achmad", "Ahmad"),
        ("Sjarifah", "Syarifah"), ("Chairul", "Khairul"), ("Choirul", "Khoirul"), ("Rachmat", "Rahmat"),
        ("Rahmad", "Rahmat"), ("Noor Hayati", "Nurhayati"), ("Abd. Rahman", "Abdurrahman"),
        ("Abdul Rahman", "Abdurahman"), ("Fauzi", "Pauzi"), ("Taufik", "Topik"), ("Sitti", "Siti"),
        ("Jumiyati", "Djoemiati"), ("Sulaeman", "Sulaiman"), ("Ma'ruf", "Maruf"), ("Suwarno", "Suarno"),
        ("Siti  Aminah", "Siti Aminah"), ("José", "Jose"), ("Rizky", "Rizki"), ("Desy", "Desi"), ("Sylvia", "Silvia"),
        ("Norhayati, A.Md.Keb", "Norhayati"), ("Aisah", "Aisyah"), ("Gt. Rusli", "Gusti Rusli"),
    ],
)  # fmt: skip
def test_one_name_written_twice_sounds_the_same(one: str, other: str) -> None:
    assert name_sounds(one) == name_sounds(other)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("glauh", "galuh"),
        ("caurangga", "caturangga"),
        ("dartoo", "dartono"),
        ("watuuti", "watuti"),
        ("eeva", "eva"),
        ("raaman", "rawaman"),
    ],
)
def test_letters_that_a_slip_brought_together_are_also_read_apart(typed: str, meant: str) -> None:
    assert phonetic(meant) in meant_sounds(typed) | {phonetic(typed)}


def test_a_word_without_such_letters_means_what_it_says() -> None:
    assert meant_sounds("budi") == set()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hasan", "Husin"), ("Rina", "Rini"), ("Chandra", "Handra"), ("Norman", "Nurman"), ("Abdullah", "Abdul"),
        ("Budi", "Badu"), ("Dina", "Tina"), ("Aminah", "Amanah"),
    ],
)  # fmt: skip
def test_two_names_sound_different(one: str, other: str) -> None:
    assert name_sounds(one) != name_sounds(other)


def test_a_name_of_titles_only_is_kept() -> None:
    assert name_words("Haji") == ("haji",)
    assert name_words("M") == ("m",)
    assert name_words("St.") == ("st",)


def test_a_father_is_told_from_the_name() -> None:
    assert own_name("Rusli bin H. Umar") == "Rusli"
    assert own_name("Aminah Binti Umar") == "Aminah"
    assert own_name("Rusli") == "Rusli"
    assert own_name("bin Umar") == "bin Umar"


@pytest.mark.parametrize(
    ("name", "newborn"),
    [
        ("By. Ny. Siti", True),
        ("Bayi Aminah", True),
        ("BY AMINAH", True),
        ("Bayu Aji", False),
        ("Bayi", False),
        ("", False),
    ],
)
def test_a_newborn_has_its_mothers_name(name: str, newborn: bool) -> None:
    assert is_newborn_name(name) == newborn


def test_parts_that_are_also_written_as_one() -> None:
    assert as_one(("nur", "hajati", "sari")) == ["nurhajati"]
    assert as_one(("budi", "santoso")) == []


def test_every_character_folds_once_and_for_all() -> None:
    for character in map(chr, range(sys.maxunicode + 1)):
        once = fold(character)
        assert fold(once) == once, hex(ord(character))


@given(st.text(max_size=60))
def test_no_text_is_too_odd(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    for sound in name_sounds(text):
        assert sound
        assert " " not in sound
    assert name_words(text.upper()) is not None
    assert is_newborn_name(text) in {True, False}
    assert isinstance(own_name(text), str)


@given(st.from_regex(r"[bdgklmprs][aiu][a-z]{0,10}", fullmatch=True))
def test_a_doubled_letter_is_not_heard(word: str) -> None:
    assert phonetic(word[0] + word) == phonetic(word)
