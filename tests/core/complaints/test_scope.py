"""The scope of "tidak", "riwayat", "takut" and "kontrol" over a danger sign, in many sentences."""

import pytest

from core.complaints.facts import RoutingFacts
from core.complaints.language.grammar import GrammarRole
from core.complaints.reading.occurrences import Temporality
from core.complaints.reading.reader import read
from core.complaints.reading.scope import FORWARD_RULES, Scope, ScopeInterpreter
from core.complaints.vocabulary import Vocabulary
from core.queues.clusters import load_clusters
from core.routing import route

POLI = load_clusters("poli")

DANGERS = (
    ("kejang", 8),
    ("sesak napas", 40),
    ("nyeri dada", 50),
    ("muntah darah", 50),
    ("pingsan", 40),
    ("batuk darah", 50),
    ("bicara pelo", 60),
    ("mulut mencong", 60),
    ("BAB hitam", 60),
    ("bibir biru", 5),
    ("susah dibangunkan", 70),
    ("kesadaran menurun", 60),
)


def has_flag(complaint, years):
    return bool(route(RoutingFacts(complaint, int(years * 365.25) + 1), None, POLI).red_flags)


@pytest.mark.parametrize(
    "sentence",
    [
        "{} sejak tadi, demam tidak",
        "sudah tidak batuk tapi {}",
        "kemarin {} sekarang masih",
        "tidak demam tapi {}",
        "tidak tahu kenapa {}",
        "tidak bisa tidur karena {}",
        "tidak seperti biasanya {}",
        "tanpa sebab {}",
        "bukan cuma pusing, tapi juga {}",
        "bukan pertama kali {}",
        "bukannya sembuh malah {}",
        "takut soalnya {}",
        "khawatir karena {}",
        "mau tanya kenapa {} terus",
        "soal {} dari tadi pagi",
        "jangan-jangan serangan jantung, {}",
        "supaya tidak tambah parah, {}",
        "riwayat darah tinggi dengan {}",
        "riwayat DM datang dengan {}",
        "riwayat asma {}",
        "pernah sakit jantung {}",
        "habis operasi bulan lalu {}",
        "dulu pernah jatuh, sekarang {}",
        "tadi pernah {}",
        "{} riwayat darah tinggi",
        "kontrol tensi, {}",
        "obat habis, {}",
        "obat rutin sudah diminum tapi {}",
        "tadi kontrol di klinik malah {}",
        "lagi fisioterapi tiba-tiba {}",
        "habis kontrol {}",
        "rujukan dari pustu dengan {}",
        "mohon rujukan {}",
        "minta surat izin, {}",
        "{} sudah diobati tapi belum sembuh",
        "{} kemarin sudah hilang, sekarang muncul lagi",
        "{} sudah hilang tapi kambuh lagi",
        "{} (+) batuk (-)",
    ],
)
def test_a_danger_sign_of_today_is_seen_in_any_sentence(sentence):
    assert [danger for danger, years in DANGERS if not has_flag(sentence.format(danger), years)] == []


@pytest.mark.parametrize(
    "sentence",
    [
        "batuk, {} tidak ada",
        "belum pernah {}",
        "{} disangkal, batuk (+)",
        "dulu waktu kecil {}, sekarang cuma batuk",
        "{} waktu kecil, sekarang cuma batuk",
        "5 tahun lalu {}, sekarang cuma batuk",
        "takut kena {}",
        "minta vitamin biar tidak {}",
        "{} sudah sembuh tahun lalu, sekarang gatal",
        "{} sudah hilang dari minggu lalu, tinggal gatal",
        "mau tanya soal {}",
        "bapak saya meninggal karena {}, saya mau cek kolesterol",
        "riwayat {} waktu kecil, sekarang pilek",
    ],
)
def test_a_danger_sign_of_another_time_or_nobody_is_none(sentence):
    assert [danger for danger, years in DANGERS if has_flag(sentence.format(danger), years)] == []


@pytest.mark.parametrize(
    "complaint",
    ["takut stroke, mau cek tensi", "takut kalau-kalau stroke", "takut rabies", "khawatir serangan jantung"],
)
def test_a_disease_that_is_feared_by_name_is_none(complaint):
    assert not has_flag(complaint, 50)


def test_a_disease_that_is_feared_hides_nothing_that_is_seen():
    assert has_flag("takut stroke, mulut mencong", 60)
    assert has_flag("takut serangan jantung, dada sakit", 60)


def test_scope_ends_with_its_statement():
    assert has_flag("bukan karena jatuh, bibir biru", 5)
    assert not has_flag("sesak sudah hilang, maag kambuh", 40)
    assert not has_flag("kontrol kejang", 20)


@pytest.mark.parametrize(
    "question",
    [
        "{} itu gejalanya apa ya dok, mau tanya",
        "gejala {} apa saja",
        "apa bedanya {} sama masuk angin",
        "ciri-ciri {} gimana",
    ],
)
@pytest.mark.parametrize("disease", ["stroke", "serangan jantung", "difteri", "rabies"])
def test_a_disease_that_is_asked_about_is_nobodys(question, disease):
    assert not has_flag(question.format(disease), 50)


@pytest.mark.parametrize(
    "complaint",
    [
        "gejala stroke sejak pagi",
        "ada tanda-tanda stroke, tidak bisa apa-apa",
        "apa ini stroke, mulut mencong",
    ],
)
def test_a_sign_of_a_disease_is_no_question_about_it(complaint):
    assert has_flag(complaint, 60)


@pytest.mark.parametrize(
    ("complaint", "years"),
    [
        ("anak takut disuntik", 5),
        ("minta vitamin biar tidak gampang pingsan", 13),
        ("gejala diabetes apa saja ya", 40),
    ],
)
def test_what_nobody_has_or_asks_for_is_no_reason_to_come(complaint, years):
    assert route(RoutingFacts(complaint, years * 366), None, POLI).proposal is None


def test_fear_of_a_needle_hides_no_errand():
    assert route(RoutingFacts("takut disuntik, mau cabut gigi", 3752), None, POLI).proposal == "GIGI"


def test_weakness_said_to_be_of_one_side_only_is_seen_across_commas():
    assert has_flag("tangan kayak ga ada tenaga, yang kanan doang", 50)
    assert not has_flag("lutut pegal, yang kanan doang", 50)


@pytest.mark.parametrize(
    "errand", ["periksa hamil", "kontrol hamil", "USG", "cek hb hamil", "mau periksa hamil"]
)
@pytest.mark.parametrize(
    "bleeding", ["keluar darah", "ada flek", "pendarahan sedikit", "ngeflek dari kemarin"]
)
def test_bleeding_in_pregnancy_is_seen_beside_any_errand(errand, bleeding):
    facts = RoutingFacts(f"{errand} {bleeding}", 10000, "female", True)
    assert route(facts, None, POLI).red_flags


@pytest.mark.parametrize("complaint", ["hamil mau cek darah", "tes darah hamil", "hamil kurang darah"])
def test_blood_that_is_tested_is_no_bleeding(complaint):
    assert not route(RoutingFacts(complaint, 10000, "female", True), None, POLI).red_flags


def test_what_takes_a_danger_sign_back_reaches_no_further_than_dan():
    assert has_flag("sakit gigi dan darah dari luka di kaki tidak berhenti", 30)
    assert not has_flag("gusi keluar darah terus habis cabut gigi", 30)


@pytest.mark.parametrize("complaint", ["kontrol kejang sejak semalam", "kejang tadi pagi kontrol"])
def test_a_treatment_makes_nothing_old_that_is_said_to_be_of_today(complaint):
    assert has_flag(complaint, 20)


def test_a_place_named_by_itself_is_where_the_next_clause_hurts():
    assert has_flag("dada kiri. sakit sekali.", 50)
    assert has_flag("tangan kanan, lemas mendadak", 60)
    assert not has_flag("lutut kanan, sakit", 60)
    assert not has_flag("dada tidak apa-apa, lutut sakit", 60)


@pytest.mark.parametrize(
    "complaint",
    ["ISPA, febris -, sesak -", "batuk +, sesak -, kejang -", "oedem -, TD 110/70 kontrol", "rh -/-, batuk"],
)
def test_a_clinicians_bare_minus_denies(complaint):
    assert not has_flag(complaint, 30)


def test_a_dash_at_the_end_of_all_denies_nothing():
    assert has_flag("nyeri dada -", 50)


def test_every_forward_scope_has_one_rule():
    assert sorted(rule.scope for rule in FORWARD_RULES) == sorted(Scope)


def context(complaint, concept):
    """(negated, temporality, generic) of the only mention of a concept."""
    found = [o for o in read(complaint, Vocabulary.load()).occurrences if concept in o.concepts]
    assert len(found) == 1
    return found[0].negated, found[0].temporality, found[0].is_generic


@pytest.mark.parametrize(
    ("complaint", "concept", "expected"),
    [
        ("demam", "fever", (False, Temporality.RECENT, False)),
        ("tidak demam", "fever", (True, Temporality.RECENT, False)),
        ("demam (-)", "fever", (True, Temporality.RECENT, False)),
        ("tidak batuk atau demam", "fever", (True, Temporality.RECENT, False)),
        ("tidak batuk dan demam", "fever", (False, Temporality.RECENT, False)),
        ("riwayat asma", "asthma", (False, Temporality.HISTORICAL, False)),
        ("riwayat asma dengan demam", "fever", (False, Temporality.RECENT, False)),
        ("takut kena rabies", "rabies", (False, Temporality.HYPOTHETICAL, False)),
        ("mau tanya soal demam", "fever", (False, Temporality.HYPOTHETICAL, False)),
        ("mau tanya soal demam tadi malam", "fever", (False, Temporality.RECENT, False)),
        ("gejala rabies apa saja", "rabies", (False, Temporality.HYPOTHETICAL, True)),
    ],
)
def test_a_mention_has_the_context_it_was_said_in(complaint, concept, expected):
    assert context(complaint, concept) == expected


@pytest.mark.parametrize("role", [GrammarRole.HYPOTHETICAL, GrammarRole.FEARED, GrammarRole.PREVENTION])
def test_a_new_clause_ends_every_scope(role):
    scope = ScopeInterpreter(diseases={"rabies"}, history_openers=(), procedures=(), functions=())
    scope.open_scopes({role})
    scope.mention(frozenset({"rabies"}), "rabies", 1, 1)
    scope.open_scopes({role})
    scope.enter(1)
    scope.mention(frozenset({"rabies"}), "rabies", 3, 3)
    assert [o.is_current for o in scope.finished()] == [False, True]
