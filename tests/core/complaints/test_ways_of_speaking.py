"""Families of sentences in everyday and regional speech: harmless ones stay calm, dangers are seen."""

import pytest

from core.complaints.facts import RoutingFacts
from core.queues.clusters import load_clusters
from core.routing import route

POLI = load_clusters("poli")
ADULT, CHILD, INFANT = 12000, 2200, 200
"""Ages in days."""

CALM = {
    "fear, named with somebody who had it": [
        ("takut pingsan kayak ibu saya, mau cek gula", ADULT, None, False),
        ("khawatir kejang seperti kakaknya, mau imunisasi", INFANT, None, False),
    ],
    "long ago, in Javanese and Sundanese": [
        ("biyen kecokot ula, saiki kontrol tensi", 20000, "male", False),
        ("baheula kungsi strok, ayeuna ngan batuk", 20000, "male", False),
    ],
    "fear, in Javanese and Sundanese": [
        ("wedi stroke koyo tonggoku, aku mung pegel", 20000, "male", False),
        ("sieun rabies, abdi ngan flu", ADULT, "male", False),
    ],
    "a calendar year that is over": [
        ("tabrakan tahun 2017, minta rujukan cabut pen", ADULT, "male", False),
        ("pernah jatuh thn 2020, sekarang batuk", ADULT, "male", False),
    ],
    "a calendar year without the word": [
        ("stroke ringan 2018, sekarang minta vaksin flu", 24000, "male", False),
    ],
    "a spelled number that is harmless": [
        ("tensi seratus tiga puluh, ambil obat", 20000, "male", False),
    ],
    "in store, for the case": [("minta obat jaga-jaga kalau sesak", 15000, "male", False)],
    "a sting that stays where it is": [
        ("disengat lebah di tangan, gatal bengkak di situ saja", ADULT, "male", False),
    ],
    "blisters in a row on the chest": [
        ("lenting berderet, dada kiri panas perih", 24000, "male", False),
    ],
    "a child that strains": [("anak ngeden keras, BAB seperti kerikil", 2000, "female", False)],
    "breath that is well again": [
        ("inhaler mau diisi ulang, napas lega", ADULT, "male", False),
        ("batuk tinggal sedikit, napas sudah lega", ADULT, "male", False),
    ],
    "trades and tempers": [
        ("bahu pegal, tukang jahit dari pagi", ADULT, "female", False),
        ("gampang meledak sama anak, mau cerita", ADULT, "female", False),
    ],
    "birth without labour": [
        ("surat cuti lahiran buat kantor", 10500, "female", True),
        ("tanya kapan melahirkan, hamil 8 bulan", 10500, "female", True),
    ],
    "biting and chewing": [
        ("gigi atas maju, gigit susah ketemu", 6000, "female", False),
        ("gigi bolong kemasukan daging kalau makan", ADULT, "male", False),
    ],
    "the emergency room of yesterday": [
        ("kata perawat IGD cuma masuk angin, lanjut obat", ADULT, "male", False),
        ("semalam ke UGD karena biduran, sekarang sudah hilang", ADULT, "male", False),
    ],
    "a fall long ago, or only feared": [
        ("jatuh dari tangga dua tahun lalu, sekarang minta vitamin", ADULT, "female", False),
        ("eyang takut jatuh, minta tongkat", 28000, "female", False),
    ],
    "waters that broke before the birth": [
        ("kontrol nifas setelah sesar karena ketuban pecah", 9500, "female", False),
    ],
    "bleeding that is over": [
        ("pasca kuret sebulan, darahnya sudah berhenti, mau pasang KB", 10500, "female", False),
    ],
    "ordinary words like words of danger": [
        ("test pack dua garis, mau pastiin usia kandungan", 8000, "female", True),
        ("rahang bunyi kalau menguap", ADULT, "female", False),
        ("nyeri ulu hati habis makan sambel", ADULT, "male", False),
        ("suara hilang habis karaoke di hajatan", ADULT, "female", False),
    ],
}

DANGERS = {
    "Javanese": [
        ("dhadhaku kaya ditumpuki karung, kringeten adem", 20000, "male", False),
        ("awake mati sisih dadakan", 23000, "male", False),
        ("kawah wis pecah kawit bengi", 9500, "female", True),
        ("bayine wis ora obah kawit esuk", 9500, "female", True),
        ("arep ngendhat, wis bosen urip", ADULT, "male", False),
    ],
    "Sundanese": [
        ("utah getih dua kali", 17000, "male", False),
        ("digegel anjing gelo tadi", 5000, "male", False),
    ],
    "Madurese": [
        ("ngota dhara tello kale", 17000, "male", False),
        ("esengngek nyarowan, mowana bareh", 15000, "male", False),
        ("colona mereng ghi buru", 24000, "male", False),
    ],
    "vomits whatever enters": [("apa saja yang masuk dimuntahin lagi", 700, "male", False)],
    "a newborn's infected skin and navel": [
        ("pusarnya merah, bau", 9, "male", False),
        ("bisul nanah di seluruh badan", 20, "female", False),
    ],
    "a wasted child who is ill": [("badan tinggal tulang, lemas sekali", 500, "female", False)],
    "a pain that moved from the navel": [
        ("nyeri kanan bawah, tadinya di pusar, muntah", 7000, "male", False)
    ],
    "a foul foot with shivers": [("kaki diabetes busuk, menggigil", 21000, "male", False)],
    "a spelled number that is none of a healthy body": [
        ("tensi dua ratus dua puluh, pusing", 22000, "male", False),
        ("napas tujuh puluh dua kali semenit", 20, "male", False),
        ("gula empat ratus delapan puluh, lemas", 20000, "male", False),
    ],
    "one leg that swells after lying": [
        ("kaki sebelah bengkak, dua minggu tiduran terus", 22000, "female", False)
    ],
    "fever and a spreading rash after a tick": [
        ("demam, ruam merah menyebar, habis digigit kutu di hutan", 4000, "male", False),
    ],
    "a newborn that arches": [("nangis melengking melengkung", 12, "male", False)],
    "a limb under something heavy": [("kakinya ketindihan motor", ADULT, "male", False)],
    "slow breath": [("napas 7 kali semenit habis minum pil", ADULT, "male", False)],
    "a socket that bleeds": [
        ("habis cabut gigi darahnya gak mau mampet, segelas penuh", 15000, "male", False)
    ],
    "an erection that stays": [("anunya tegang terus dari semalam gak bisa lemas", ADULT, "male", False)],
    "fear of what has happened": [
        ("takut, tadi pingsan seperti mau mati", ADULT, "male", False),
        ("takut sekali, ibu saya pingsan barusan", ADULT, "male", False),
    ],
    "bleeding that does not stop": [
        ("pasca kuret seminggu, darah gak berhenti banyak", 10500, "female", False)
    ],
}


def _families(table):
    return [pytest.param(*row, id=f"{family}: {row[0]}") for family, rows in table.items() for row in rows]


def _is_emergency(complaint, age_days, sex, pregnant):
    decision = route(RoutingFacts(complaint, age_days, sex, pregnant), None, POLI)
    return bool(decision.red_flags) or decision.proposal == "IGD"


@pytest.mark.parametrize(("complaint", "age_days", "sex", "pregnant"), _families(CALM))
def test_harmless_speech_alarms_nobody(complaint, age_days, sex, pregnant):
    assert not _is_emergency(complaint, age_days, sex, pregnant)


@pytest.mark.parametrize(("complaint", "age_days", "sex", "pregnant"), _families(DANGERS))
def test_a_danger_in_everyday_or_regional_speech_is_seen(complaint, age_days, sex, pregnant):
    assert _is_emergency(complaint, age_days, sex, pregnant)
