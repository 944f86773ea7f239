"""The ideas behind the rules, each in sentences of its own: danger kept, and what only sounds like it left in peace."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from core.complaints.facts import RoutingFacts
from core.complaints.language.medicine_names import CONCEPT, medicine_names
from core.complaints.patient import Fit, fit
from core.complaints.reading.experiencer import Experiencer
from core.complaints.rules.rule_schema import split_words
from core.complaints.rules.shipped_rules import shipped_document
from core.complaints.vocabulary import Vocabulary
from core.foundation.codes import Sex, Verdict
from core.queues.clusters import load_clusters
from core.routing import route

POLI = load_clusters("poli")
SENTENCES = Path(__file__).parents[3] / "bench" / "data" / "complaints_ideas.csv"


def sentences():
    with SENTENCES.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def decide(complaint, days, sex=None, pregnant=False):
    return route(RoutingFacts(complaint, age_days=days, sex=sex, pregnant=pregnant), None, POLI)


@pytest.mark.parametrize("row", sentences(), ids=lambda row: f"{row['idea']}: {row['complaint']}")
def test_each_idea_holds_in_both_directions(row):
    decision = decide(row["complaint"], int(row["age_days"]), row["sex"], row["pregnant"] == "yes")
    said = decision.proposal or decision.verdict.value
    if row["red_flag"] in ("yes", "no"):
        assert bool(decision.red_flags) == (row["red_flag"] == "yes")
    if row["poli"] != "*":
        assert said in row["poli"].split("|")


@pytest.mark.parametrize(
    ("sentence", "is_danger"),
    [
        ("habis minum {} bibir bengkak", True),
        ("minum {} semalam, sekarang kelopak mata bengkak", True),
        ("setelah minum {} sesak", True),
        ("sudah minum {} masih batuk pilek", False),
        ("obat {} habis minta lagi", False),
    ],
)
def test_every_medicine_of_the_list_is_one(sentence, is_danger):
    flagged = {
        name: bool(decide(sentence.format(name), 12_000).red_flags) for name in medicine_names()[CONCEPT]
    }
    # Named after what else they are: a salt that is a poison by itself, a carbolic, a follow-up.
    other = {"kalium diklofenak", "karbol gliserin", "oat lanjutan"}
    assert {name for name, is_red in flagged.items() if is_red != is_danger} <= other


@pytest.mark.parametrize("word", ["sarah", "disisir", "pahlawan", "artis", "jangkar", "kalung", "bersulang"])
def test_an_everyday_word_is_no_slip_of_a_complaint(word):
    assert Vocabulary.load().lexicon.resolve(word).forms == ()


@pytest.mark.parametrize("slip", ["daah", "kejng", "pinsan", "prut", "sesakk", "mntah"])
def test_a_slip_of_a_complaint_is_still_read(slip):
    assert Vocabulary.load().lexicon.resolve(slip).how in ("typing", "exact", "affix", "spelling")
    assert Vocabulary.load().lexicon.resolve(slip).forms


def test_a_pregnant_wife_never_blocks_a_man():
    for said in ("istri saya hamil", "istri hamil 8 bulan, saya demam", "bini batianan, ulun sakit pinggang"):
        decision = route(RoutingFacts(said, age_days=12_000, sex="male"), "UMUM", POLI)
        assert decision.verdict is not Verdict.BLOCKED
        assert not decision.red_flags


@pytest.mark.parametrize(
    ("person", "sex", "years", "expected"),
    [
        (Experiencer.WIFE, Sex.MALE, 30, Fit.NEVER),
        (Experiencer.WIFE, Sex.FEMALE, 30, Fit.LIKELY),
        (Experiencer.MOTHER, Sex.FEMALE, 25, Fit.MAYBE),
        (Experiencer.MOTHER, Sex.FEMALE, 5, Fit.NEVER),
        (Experiencer.CHILD, Sex.FEMALE, 3, Fit.LIKELY),
        (Experiencer.CHILD, Sex.FEMALE, 45, Fit.MAYBE),
        (Experiencer.GRANDFATHER, Sex.MALE, 72, Fit.LIKELY),
        (Experiencer.OUTSIDER, None, None, Fit.NEVER),
        (Experiencer.FATHER, None, None, Fit.LIKELY),
    ],
)
def test_a_relative_fits_the_patient_by_sex_and_age(person, sex, years, expected):
    days = None if years is None else int(years * 365.25) + 1
    assert fit(person, RoutingFacts("", age_days=days, sex=sex)) is expected


@pytest.mark.parametrize(
    "complaint",
    [
        "teman saya pingsan tadi, saya antar",
        "adik saya kejang, saya bawa ke sini",
        "kakak sesak saya kasih obat asma",
        "istri hamil keluar darah banyak",
        "suami kerja di luar, sesak napas sejak tadi",
        "ibu saya jatuh, dada saya sakit",
        "dipukul suami, kepala berdarah muntah",
        "saya ke sini karena istri pingsan",
    ],
)
def test_the_danger_of_a_relative_stays_where_nobody_else_comes(complaint):
    assert decide(complaint, 15_000, "male").red_flags


@pytest.mark.parametrize(
    "complaint",
    [
        "tidak ada demam dan sesak",
        "batuk, tidak ada demam dan sesak berat",
        "batuk, tidak ada demam, pusing dan nyeri dada hebat",
        "pilek, tidak ada demam dan sudah 2 hari muntah darah",
        "batuk, tidak ada demam dan ada batuk darah",
        "tidak ada respon dan kejang",
        "tidak ada demam sama sekali, sesak napas",
        "batuk tidak demam dan sesak",
    ],
)
def test_a_denied_list_ends_where_something_is_there(complaint):
    assert decide(complaint, 15_000, "male").red_flags


@pytest.mark.parametrize(
    "years_long", ["sejak kecil", "dari lahir", "sudah 3 tahun", "bertahun tahun", "dari dulu"]
)
@pytest.mark.parametrize("sign", ["sesak napas", "nyeri dada", "bicara pelo", "tangan keringat dingin"])
def test_what_has_been_there_for_years_is_danger_only_when_it_is_new_or_worse(sign, years_long):
    assert not decide(f"{sign} {years_long}", 10_000).red_flags
    assert decide(f"{sign} {years_long} sekarang makin parah", 10_000).red_flags or sign.startswith("tangan")
    assert decide(f"{sign} mendadak", 10_000).red_flags or sign.startswith("tangan")


@pytest.mark.parametrize(
    "complaint",
    ["ingin bunuh diri sejak dulu", "batuk darah sudah setahun", "muntah darah bertahun tahun"],
)
def test_some_dangers_hold_however_long_they_last(complaint):
    assert decide(complaint, 15_000).red_flags


def test_a_word_beside_people_has_one_meaning():
    listed = [word for words in shipped_document()["people"].values() for word in split_words(words)]
    assert {word for word, times in Counter(listed).items() if times > 1} == set()


@pytest.mark.parametrize(
    ("complaint", "is_danger"),
    [
        ("tetangga meninggal sesak napas, jadi takut, mau cek paru", False),
        ("bapak meninggal karena serangan jantung, mau cek kolesterol", False),
        ("almarhum bapak stroke, saya mau cek kolesterol", False),
        ("suami saya mau meninggal sesak napas", True),
        ("ibu hampir mati sesak napas", True),
        ("ingin meninggal saja", True),
    ],
)
def test_the_dead_come_for_nothing_and_the_dying_do(complaint, is_danger):
    assert bool(decide(complaint, 18_000).red_flags) == is_danger


@pytest.mark.parametrize(
    ("complaint", "is_danger"),
    [
        ("kemarin sesak sudah ke igd, sekarang kontrol saja sudah baik", False),
        ("habis rawat inap karena sesak, kontrol, sekarang sudah enak", False),
        ("kemarin sesak dari igd, sekarang belum enak", True),
        ("dari igd semalam karena nyeri dada, sekarang nyeri dada lagi", True),
        ("nyeri dada tadi, sekarang sudah enakan", True),
        ("apakah diabetes bisa bikin buta", False),
        ("bagaimana kalau anak kejang lagi, minta obat jaga jaga", False),
        ("bagaimana kalau dada nyeri terus sejak tadi", True),
    ],
)
def test_a_treatment_that_helped_and_a_question_in_general_are_no_danger(complaint, is_danger):
    assert bool(decide(complaint, 18_000).red_flags) == is_danger


@pytest.mark.parametrize(
    ("complaint", "years", "is_danger"),
    [
        ("punggung sakit kayak ditusuk jarum", 40, False), ("kaki seperti ditikam kalau jalan", 55, False),
        ("ditusuk pisau orang di perut", 25, True), ("digigit ular, kayak ular tanah", 30, True),
        ("wajah melepuh kayak kena air panas", 40, True), ("kecelakaan, kaki seperti remuk", 30, True),
        ("dada kayak ditusuk, keringat dingin", 50, True), ("kepala kayak disambar petir, paling sakit seumur hidup", 50, True),
    ],
)  # fmt: skip
def test_a_blow_in_a_likeness_is_none_and_the_pain_is(complaint, years, is_danger):
    assert bool(decide(complaint, years * 366).red_flags) is is_danger


@pytest.mark.parametrize(
    ("complaint", "is_danger"),
    [
        ("takut vaksin bikin kejang, mau tanya dulu", False), ("khawatir obatnya menyebabkan stroke", False),
        ("takut pingsan kalau puasa, tanya jadwal obat", False), ("kalau ketuban pecah nanti ke mana ya", False),
        ("sesak kalau jalan, periksa ke mana", True), ("takut, pingsan tadi kalau berdiri", True),
        ("takut, habis minum obat ini sesak napas sekarang", True), ("takut obat ini bikin saya sesak, sekarang sesak sekali", True),
    ],
)  # fmt: skip
def test_what_something_is_feared_to_cause_is_not_there(complaint, is_danger):
    assert bool(decide(complaint, 12_000).red_flags) is is_danger


@pytest.mark.parametrize(
    ("complaint", "years", "code"),
    [
        ("nelan air tidak bisa, ngiler terus", 5, "airway"), ("nelan ludah gak bisa, panas, ngiler", 6, "airway"),
        ("minum obat ga mau, batuk", 3, None), ("jalan jauh ga bisa, lutut sakit", 66, None),
    ],
)  # fmt: skip
def test_a_denial_behind_an_object_denies_what_the_body_does(complaint, years, code):
    assert [flag.code for flag in decide(complaint, years * 366).red_flags] == ([code] if code else [])


@pytest.mark.parametrize(
    ("complaint", "sex", "days", "is_danger"),
    [
        ("hb hamil trimester 2 mau cek", "female", 10_000, False), ("hb 5 lemas pucat", "female", 10_000, True),
        ("tensi 120/80, kaki bengkak", "female", 10_000, False), ("tensi 170/110, kaki bengkak", "female", 10_000, True),
    ],
)  # fmt: skip
def test_a_number_is_the_value_that_it_says(complaint, sex, days, is_danger):
    assert bool(decide(complaint, days, sex, pregnant=True).red_flags) is is_danger
