"""Red flags: seen however they are spelt, and not seen where they are denied or long past."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.complaints.facts import RoutingFacts
from core.foundation.codes import Priority, Verdict
from core.queues.clusters import load_clusters
from core.routing import route

POLI = load_clusters("poli")


def flags(complaint, years=40.0, sex=None, pregnant=False):
    decision = route(RoutingFacts(complaint, int(years * 365.25 + 1), sex, pregnant), None, POLI)
    return decision, {flag.code for flag in decision.red_flags}


@pytest.mark.parametrize(
    ("complaint", "code"),
    [
        ("nyeri dada sebelah kiri", "chest_pain"),
        ("nyri dada", "chest_pain"),
        ("dada sakit banar", "chest_pain"),
        ("sesak napas", "breathless"),
        ("ssk nfs", "breathless"),
        ("kada kawa bahinak", "breathless"),
        ("kejang", "seizure"),
        ("kjang", "seizure"),
        ("anak sawan", "seizure"),
        ("tidak sadar", "unconscious"),
        ("kada sadar", "unconscious"),
        ("pingsn", "unconscious"),
        ("dipanggil tidak menyahut", "unconscious"),
        ("darah tidak berhenti", "heavy_bleeding"),
        ("badarah banyak", "heavy_bleeding"),
        ("muntah bercampur darah", "vomiting_blood"),
        ("bab hitam seperti aspal", "black_stool"),
        ("lumpuh sabalah", "stroke"),
        ("mulut mncong", "stroke"),
        ("bicara pelo", "stroke"),
        ("tangan kanan tiba-tiba lemah", "stroke"),
        ("luka bakar luas", "wide_burn"),
        ("karacunan", "poisoning"),
        ("termakan racun tikus", "poisoning"),
        ("dipatuk ular", "snake_bite"),
        ("alergi obat, wajah bengkak", "anaphylaxis"),
        ("bibir bengkak setelah disengat tawon", "anaphylaxis"),
        ("ingin bunuh diri", "suicide"),
        ("handak mambunuh diri", "suicide"),
        ("demam dan leher kaku", "meningitis"),
        ("mata kena air keras", "chemical_eye"),
        ("tiba-tiba tidak bisa melihat", "blind_sudden"),
        ("kana satrum", "electrocution"),
        ("tersedak", "choking"),
        ("tenggelam", "drowning"),
        ("mendadak tidak bisa menggenggam", "stroke"),
        ("ulu hati sakit tembus punggung, keringat sebesar jagung", "heart_attack"),
        ("napas satu-satu", "breathless"),
        ("tenggorokan terasa menyempit setelah makan udang", "breathless"),
        ("air liur menetes, tidak bisa menelan", "airway"),
        ("gula darah drop, gemetar", "low_sugar"),
        ("napasnya bau buah", "high_sugar"),
        ("nyeri perut kanan bawah, demam", "acute_abdomen"),
        ("usus keluar dari luka", "stab_trunk"),
        ("jatuh dari pohon, muntah dan mengantuk", "head_injury"),
        ("kena air keras di tangan", "corrosive"),
        ("menghirup gas dari sumur", "poisoning"),
        ("minum paracetamol 30 tablet", "poisoning"),
        ("capek hidup", "suicide"),
        ("mengamuk bawa parang", "violent_behaviour"),
        ("demam, badan dingin, gelisah", "dengue_warning"),
        ("dadanya kayak diduduki gajah", "chest_pain"),
        ("kepala mau pecah mendadak", "thunderclap_headache"),
        ("mimisan tidak berhenti", "nosebleed"),
        ("sendok jatuh terus dari tangan kanan", "stroke"),
        ("nelan peniti", "swallowed_sharp"),
        ("mendengar suara yang menyuruh bunuh orang", "violent_behaviour"),
        ("perut sakit nggak kuat", "acute_abdomen"),
        ("terkapar di jalan", "unconscious"),
        ("tangan masuk gilingan", "severed"),
        ("dari kemarin lumpuh sebelah tidak sembuh", "stroke"),
    ],
)
def test_a_danger_sign_is_seen_however_it_is_written(complaint, code):
    decision, found = flags(complaint)
    assert code in found
    assert decision.proposal == "IGD"
    assert decision.proposed_priority is Priority.RED


@pytest.mark.parametrize(
    ("complaint", "years", "pregnant", "code"),
    [
        ("keluar darah", 28, True, "bleeding_in_pregnancy"),
        ("batianan badarah", 28, False, "bleeding_in_pregnancy"),
        ("air ketuban merembes", 28, True, "membranes_ruptured"),
        ("anak di parut kada bagarak", 28, True, "fetal_movement"),
        ("kaki bengkak, pusing, mata kabur", 28, True, "preeclampsia"),
        ("habis melahirkan darah banyak", 28, False, "postpartum_bleeding"),
        ("demam", 0.1, False, "newborn_fever"),
        ("kada hakun manyusu", 0.1, False, "newborn_not_feeding"),
        ("tidak mau minum", 2, False, "child_not_drinking"),
    ],
)
def test_mothers_and_infants_have_danger_signs_of_their_own(complaint, years, pregnant, code):
    assert code in flags(complaint, years, "female", pregnant)[1]


@pytest.mark.parametrize(
    ("complaint", "years"),
    [
        ("tidak sesak", 40),
        ("batuk, tidak sesak, tidak nyeri dada", 40),
        ("kada sasak, batuk haja", 40),
        ("tanpa sesak napas atau nyeri dada, batuk saja", 40),
        ("batuk (+) sesak (-) kejang (-)", 3),
        ("sesak tidak ada, batuk ada", 40),
        ("nyeri dada disangkal, mual", 40),
        ("kontrol pasca stroke tahun lalu", 60),
        ("stroke, minta rujukan", 60),
        ("riwayat kejang waktu kecil, sekarang pilek", 12),
        ("obat epilepsi habis", 25),
        ("kontrol asma", 30),
        ("lumpuh sejak 2 tahun", 60),
        ("kejang betis", 40),
        ("demam", 0.5),
        ("darah tinggi", 60),
        ("kurang darah", 25),
        ("perut terasa panas terbakar", 40),
        ("digigit nyamuk", 10),
        ("takut digigit ular di kebun", 40),
        ("mau tanya soal kejang demam", 30),
        ("minta vitamin biar tidak gampang pingsan", 13),
        ("kaki kesemutan kayak kesetrum", 40),
        ("obat sesak habis, sekarang tidak sesak", 50),
        ("napas pendek kalau naik tangga? tidak", 45),
        ("digigit nyamuk, takut demam berdarah", 30),
    ],
)
def test_denied_past_and_harmless_things_are_no_danger_signs(complaint, years):
    assert flags(complaint, years)[1] == set()


def test_a_new_symptom_beside_an_old_one_is_still_seen():
    assert flags("kontrol pasca stroke tahun lalu, sekarang nyeri dada", 60)[1] == {"chest_pain"}
    assert flags("kontrol asma tapi sekarang sesak", 30)[1] == {"breathless"}
    assert flags("tidak demam, kejang 2 kali", 3)[1] == {"seizure"}


@pytest.mark.parametrize(
    ("complaint", "years", "sex", "pregnant", "code"),
    [
        ("buah zakar nyeri mendadak", 15, "male", False, "torsion"),
        ("telat haid, perut bawah sakit, mau pingsan", 26, "female", False, "ectopic"),
        ("kepala bayi sudah kelihatan", 29, "female", True, "birth_now"),
        ("ari-ari belum keluar", 24, "female", False, "postpartum_bleeding"),
        ("ubun-ubun menonjol", 0.5, None, False, "meningitis"),
        ("muntah hijau", 0.1, None, False, "acute_abdomen"),
        ("pandangan kabur", 31, "female", True, "preeclampsia"),
    ],
)
def test_a_danger_sign_of_its_age_and_sex_is_seen(complaint, years, sex, pregnant, code):
    assert code in flags(complaint, years, sex, pregnant)[1]


@pytest.mark.parametrize(
    "complaint",
    [
        "jatuh sakit, muntah",
        "mati rasa di jari tangan sejak lama",
        "disengat tawon",
        "nyeri perut kanan",
        "minum obat 3 tablet sehari",
        "gula darah sudah turun",
        "berat badan turun, batuk",
        "badan panas dingin, lemas",
        "suntik vaksin rabies ke-2",
    ],
)
def test_words_of_a_danger_sign_alone_are_none(complaint):
    assert flags(complaint)[1] == set()


def test_denial_ends_where_the_next_thing_begins():
    assert "seizure" in flags("tidak demam dan kejang", 3)[1]
    assert flags("tidak demam atau kejang", 3)[1] == set()


def test_what_is_feared_hides_nothing_that_is_there():
    assert flags("mulut mencong takut stroke")[1] == {"stroke"}
    assert flags("takut mati sesak sekali")[1] == {"breathless"}
    assert flags("habis digigit anjing, takut air")[1] == {"rabies"}


def rows():
    """Every complaint of the bench."""
    data = Path(__file__).parents[3] / "bench/data"
    return [row for name in ("complaints.csv", "complaints_later.csv") for row in _csv(data / name)]


def _csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


DANGERS = (
    "nyeri dada",
    "sesak napas",
    "kejang",
    "tidak sadar",
    "digigit ular",
    "minum racun tikus",
    "ingin bunuh diri",
    "mulut mencong",
    "luka bakar luas",
    "tensi 220/130",
    "spo2 80",
)


@given(row=st.sampled_from(rows()), danger=st.sampled_from(DANGERS), first=st.booleans())
def test_a_danger_sign_added_to_any_complaint_is_seen_and_none_is_lost(row, danger, first):
    alone = RoutingFacts(row["complaint"], int(row["age_days"]), row["sex"] or None, row["pregnant"] == "yes")
    said = f"sekarang {danger}, {row['complaint']}" if first else f"{row['complaint']}, sekarang {danger}"
    before = {flag.code for flag in route(alone, None, POLI).red_flags}
    decision = route(replace(alone, chief_complaint=said), None, POLI)
    after = {flag.code for flag in decision.red_flags}
    expected = {flag.code for flag in route(replace(alone, chief_complaint=danger), None, POLI).red_flags}
    assert expected
    assert before | expected <= after
    assert decision.verdict in (Verdict.MATCH, Verdict.BLOCKED)


def test_what_takes_a_rule_back_in_one_clause_leaves_the_others_alone():
    assert "seizure" in flags("kaki kejang tiap malam, sekarang kejang", 52)[1]
    assert "stroke" in flags("lumpuh sejak 2 tahun, sekarang lumpuh tangan kiri", 60)[1]
