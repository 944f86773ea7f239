"""Words as they are typed: affixes, Banjarese spelling, typing errors."""

import pytest

from core.complaints.language.morphology import stems
from core.complaints.vocabulary import Vocabulary

VOCABULARY = Vocabulary.load()


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("tertusuk", "tusuk"),
        ("ditusuk", "tusuk"),
        ("menyusui", "susu"),
        ("kehamilan", "hamil"),
        ("giginya", "gigi"),
        ("memeriksakan", "periksa"),
        ("badarah", "darah"),
        ("ketabrak", "tabrak"),
    ],
)
def test_affixes_come_off(typed, word):
    assert word in stems(typed)


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("tinsi", "tensi"),
        ("tasangal", "tersengal"),
        ("sakiiit", "sakit"),
        ("dmam", "demam"),
        ("bauk", "batuk"),
        ("pinsan", "pingsan"),
        ("kesterum", "kesetrum"),
        ("dda", "dada"),
        ("kada", "tidak"),
        ("sblah", "sebelah"),
        ("brdarah", "darah"),
        ("untune", "gigi"),
        ("dengkol", "lutut"),
        ("diarrea", "diare"),
        ("srawan", "sariawan"),
        ("perrut", "perut"),
        ("multu", "mulut"),
        ("prdrhn", "perdarahan"),
        ("pingsa", "pingsan"),
        ("kaaki", "kaki"),
        ("daah", "darah"),
        ("peut", "perut"),
        ("ngak", "tidak"),
        ("mnthny", "muntah"),
        ("alrg", "alergi"),
    ],
)
def test_a_word_is_known_in_other_spellings(typed, word):
    assert word in VOCABULARY.lexicon.resolve(typed).forms


def test_what_is_owned_comes_before_what_only_looks_like_a_prefix():
    forms = VOCABULARY.lexicon.resolve("matanya").forms
    assert forms.index("mata") < forms.index("tanya")


@pytest.mark.parametrize("ordinary", ["ikut", "segar", "keliling", "bersihin", "patin", "kamar"])
def test_an_ordinary_word_is_not_taken_for_a_misspelt_complaint(ordinary):
    assert VOCABULARY.lexicon.resolve(ordinary).forms == ()


@pytest.mark.parametrize("word", ["gatal", "ganas", "gajah", "gampang", "takut", "gatau", "gini", "gitu"])
def test_a_word_that_only_begins_like_a_not_denies_nothing(word):
    assert "tidak" not in VOCABULARY.lexicon.resolve(word).forms


@pytest.mark.parametrize(("typed", "meant"), [("bbrnya", "bibir"), ("ddnya", "dada"), ("mukany", "muka")])
def test_a_word_with_nya_is_read_without_its_vowels(typed, meant):
    assert meant in VOCABULARY.lexicon.resolve(typed).forms
