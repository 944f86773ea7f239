"""Words as they are typed: affixes, Banjarese spelling, slips, durations, ages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.routing import Vocabulary
from core.routing.language import MAX_CHARACTERS, stems, tokens
from core.routing.reach import LONG_DAYS
from core.routing.reading import read

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


@pytest.mark.parametrize(
    ("complaint", "days"),
    [
        ("batuk 3 minggu", 21),
        ("batuk sudah 2mgg", 14),
        ("batuk, 10 hari", 10),
        ("sudah tiga minggu batuk", 21),
        ("batuk sebulan", 30),
        ("batuk sapakan", 7),
        ("batuk kurang dari 2 minggu", 14),
        ("batuk kurang 2 minggu", 13),
        ("batuk <2 minggu", 13),
        ("batuk 2-3 minggu", 21),
        ("batuk lama", LONG_DAYS),
        ("batuk tidak sembuh-sembuh", LONG_DAYS),
        ("batuk hari ke-5", 5),
        ("batuk hari kelima", 5),
        ("batuk 2 mingguan", 14),
        ("demam 2 hari batuk 3 minggu", 21),
        ("batuk 3 minggu demam 2 hari", 21),
        ("hamil 8 bulan batuk", None),
        ("batuk", None),
    ],
)
def test_durations_belong_to_what_they_were_said_of(complaint, days):
    reading = read(complaint, VOCABULARY)
    coughs = [occurrence for occurrence in reading.occurrences if "cough" in occurrence.concepts]
    assert [cough.days for cough in coughs] == [days]


def said(complaint):
    """Concepts affirmed in a complaint."""
    return {c for o in read(complaint, VOCABULARY).occurrences if not o.denied for c in o.concepts}


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


def test_an_age_in_the_complaint_is_no_duration():
    reading = read("anak umur 3 tahun demam", VOCABULARY)
    assert reading.age_days == 3 * 365
    assert all(occurrence.days is None for occurrence in reading.occurrences)


def test_words_written_twice_count_once():
    assert [word for _, word in tokens("Gatal-gatal, batuk2, kejang kejang")] == [
        *("gatal", ","),
        *("batuk", ","),
        "kejang",
    ]


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
        return [(o.concepts, o.denied) for o in read(complaint, VOCABULARY).occurrences if not o.is_aside]

    assert heard(together) == heard(apart)


@pytest.mark.parametrize("word", ["gatal", "ganas", "gajah", "gampang", "takut", "gatau", "gini", "gitu"])
def test_a_word_that_only_begins_like_a_not_denies_nothing(word):
    assert "tidak" not in VOCABULARY.lexicon.resolve(word).forms


def heard_concepts(complaint):
    return [
        (o.concepts, o.denied)
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


def test_an_age_of_years_and_months_is_one():
    assert read("anak 4 tahun 11 bulan batuk", VOCABULARY).age_days == 4 * 365 + 11 * 30
    assert all(o.days is None for o in read("an. 4 th 11 bln batuk", VOCABULARY).occurrences)


def test_weight_for_age_is_no_tuberculosis():
    assert "tuberculosis" not in said("stunting, TB/U -3 SD")
    assert "growth" in said("BB/U kurang")


@pytest.mark.parametrize(("typed", "meant"), [("bbrnya", "bibir"), ("ddnya", "dada"), ("mukany", "muka")])
def test_a_word_with_nya_is_read_without_its_vowels(typed, meant):
    assert meant in VOCABULARY.lexicon.resolve(typed).forms


def test_a_value_belongs_to_the_name_before_it():
    assert "saturation_low" in said("obat darah tinggi dan spo2 82")


def test_a_word_of_the_vocabulary_is_read_after_any_amount_of_nonsense():
    nonsense = " ".join(f"xq{a}z{b}w" for a in "bcdfg" for b in "hjklm")
    assert "seizure" in {c for o in read(f"{nonsense} kejang", VOCABULARY).occurrences for c in o.concepts}
