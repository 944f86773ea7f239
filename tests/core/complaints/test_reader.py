"""Complaints as a whole: phrases, typing errors, negation, and what must not be run together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.complaints.language.tokenizer import MAX_CHARACTERS
from core.complaints.reading.reader import read
from core.complaints.vocabulary import Vocabulary

VOCABULARY = Vocabulary.load()


def said(complaint):
    """Concepts affirmed in a complaint."""
    return {c for o in read(complaint, VOCABULARY).occurrences if not o.negated for c in o.concepts}


@pytest.mark.parametrize(
    ("complaint", "concept"),
    [
        ("cek asamurat", "lab"),
        ("cek guladrah", "lab"),
        ("dara tinggi", "hypertension"),
        ("muntah dara", "vomiting_blood"),
    ],
)
def test_a_phrase_is_known_with_a_slip_in_it_or_without_its_blank(complaint, concept):
    assert concept in said(complaint)


@pytest.mark.parametrize("complaint", ["periksa haja", "mau cek saja", "periksa hari ini"])
def test_ordinary_words_do_not_make_a_phrase(complaint):
    assert not said(complaint) & {"health_check", "hajj", "lab"}


def test_bukan_denies_all_up_to_the_next_clause():
    assert "tooth" not in said("bukan sakit gigi, sakit telinga")
    assert "cold" in said("bukan demam tapi pilek")


def test_what_is_gone_is_denied_and_the_loss_of_a_sense_is_not():
    assert "breathless" not in said("sesak sudah hilang, kontrol asma")
    assert "blind_sudden" in said("penglihatan sudah hilang")


def test_what_is_not_yet_over_still_holds():
    assert "cough" in said("batuk belum sembuh")
    assert "fever" in said("demam tidak membaik")
    assert "cough" not in said("batuk sudah sembuh")


def test_words_passed_over_in_phrases_are_heard_by_the_rules():
    assert {"right", "low"} <= said("nyeri perut kanan bawah")


def test_codes_with_digits_are_words_only_when_they_mean_something():
    assert any("lab" in o.concepts for o in read("hba1c", VOCABULARY).occurrences)
    assert any(o.days == 3 for o in read("dmm3hr", VOCABULARY).occurrences)


@given(st.text(max_size=2 * MAX_CHARACTERS))
def test_anything_can_be_read(text):
    reading = read(text, VOCABULARY)
    assert all(occurrence.first <= occurrence.last for occurrence in reading.occurrences)
    assert reading == read(text, VOCABULARY)


@pytest.mark.parametrize(
    ("together", "apart"),
    [
        ("gasadar", "ga sadar"),
        ("gabisa bangun", "ga bisa bangun"),
        ("tdksadar", "tdk sadar"),
        ("gakmau minum", "gak mau minum"),
        ("batuk, gasesak", "batuk, ga sesak"),
    ],
)
def test_a_short_not_written_together_with_its_word_denies_it(together, apart):
    def heard(complaint):
        return [(o.concepts, o.negated) for o in read(complaint, VOCABULARY).occurrences if not o.is_aside]

    assert heard(together) == heard(apart)


def heard_concepts(complaint):
    return [
        (o.concepts, o.negated)
        for o in read(complaint, VOCABULARY).occurrences
        if not o.concepts <= {"over_felt"}
    ]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("pin gsan", "pingsan"),
        ("se sak na fas", "sesak nafas"),
        ("ke jang", "kejang"),
        ("berda rah", "berdarah"),
        ("ti dak sesak", "tidak sesak"),
        ("kesambarpetir", "kesambar petir"),
        ("kadasadar", "kada sadar"),
        ("mntahdrah", "mntah drah"),
        ("tidakmau minum", "tidak mau minum"),
        ("gqk sesak", "gak sesak"),
        ("tfk sesak", "tdk sesak"),
        ("mukanyq bengkak", "mukanya bengkak"),
        ("matanay merah", "matanya merah"),
    ],
)
def test_a_slip_of_the_blank_or_in_a_short_word_changes_nothing(typed, meant):
    assert heard_concepts(typed) == heard_concepts(meant)


@pytest.mark.parametrize(
    ("complaint", "words"),
    [
        # A slip stays with its own word, whatever stands beside it.
        ("mata kabr sejak kemarin", ["mata", "kabr", "sejak", "kemarin"]),
        ("bayi pansa awaknya", ["bayi", "pansa", "awaknya"]),
        ("tn budi batuk", ["tn", "budi", "batuk"]),
        ("sakit di perut", ["sakit", "di", "perut"]),
    ],
)
def test_words_that_stand_beside_each_other_are_not_run_together(complaint, words):
    assert [word for word, _, _ in read(complaint, VOCABULARY).forms] == words


@pytest.mark.parametrize(
    ("word", "concept"), [("gusinya", "tooth"), ("kulitnya", "skin"), ("lidahnya", "at_mouth")]
)
def test_a_word_listed_with_nya_still_means_what_its_root_means(word, concept):
    assert concept in said(word)


def test_weight_for_age_is_no_tuberculosis():
    assert "tuberculosis" not in said("stunting, TB/U -3 SD")
    assert "growth" in said("BB/U kurang")


def test_a_value_belongs_to_the_name_before_it():
    assert "saturation_low" in said("obat darah tinggi dan spo2 82")


def test_a_word_of_the_vocabulary_is_read_after_any_amount_of_nonsense():
    nonsense = " ".join(f"xq{a}z{b}w" for a in "bcdfg" for b in "hjklm")
    assert "seizure" in {c for o in read(f"{nonsense} kejang", VOCABULARY).occurrences for c in o.concepts}
