"""How far "tidak", "riwayat", "takut", "kontrol" and their like reach over a danger sign, in many sentences."""

import pytest

from core.clusters import load_clusters
from core.routing import Facts, route

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
    return bool(route(Facts(complaint, int(years * 365.25) + 1), None, POLI).red_flags)


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


def test_reach_ends_with_what_it_tells_of():
    assert has_flag("bukan karena jatuh, bibir biru", 5)
    assert not has_flag("sesak sudah hilang, maag kambuh", 40)
    assert not has_flag("kontrol kejang", 20)
