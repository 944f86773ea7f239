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
    "a disease by hearsay, and what it is in truth": [
        ("serangan jantung kata orang pintar, padahal pegal habis nyangkul", 18000, "male", False),
        ("kata tetangga stroke, padahal cuma kesemutan duduk lama", 20000, "female", False),
    ],
    "figures of speech": [
        ("gatal setengah mati kepikiran terus, minta salep", ADULT, "male", False),
        ("mau mati ketawa, sekarang batuk saja", ADULT, "male", False),
        ("tetangga berisik bikin mau mati kesal, saya batuk", ADULT, "female", False),
        ("gigi geraham serasa mau meledak, berlubang", ADULT, "male", False),
        ("hati terpukul, susah tidur", ADULT, "male", False),
        ("bajunya sesak, mau konsul gizi", ADULT, "female", False),
    ],
    "school days, youth and last year in Javanese": [
        ("kejang terakhir waktu SMA, minta surat keterangan", 7500, "male", False),
        ("digigit ular zaman perang, sekarang kontrol tensi", 28000, "male", False),
        ("kecokot ula taun kepungkur, saiki watuk", 20000, "male", False),
        ("waktu kecelakaan dulu pernah dironsen, minta hasilnya", ADULT, "male", False),
    ],
    "lame since a calendar year": [
        ("lemah sebelah kiri sejak 2016, minta surat kontrol", 24000, "female", False),
    ],
    "another child, an escort, and one's own errand": [
        ("kakaknya kejang semalam, adiknya ini cuma pilek", 600, "male", False),
        ("keponakan jatuh dari motor, saya antar saja sekalian minta obat flu", ADULT, "male", False),
        (
            "antar ibu pingsan ke rumah sakit kemarin, sekarang saya sendiri mau periksa gigi",
            ADULT,
            "male",
            False,
        ),
    ],
    "an animal's illness": [("kucing muntah darah di rumah, saya mau obat gatal", ADULT, "female", False)],
    "places and trades": [
        ("rumah di jalan Darurat nomor 7, batuk pilek", ADULT, "male", False),
        ("alamat jalan Ular nomor 4, batuk pilek", ADULT, "male", False),
        ("jual racun tikus di pasar, minta surat sehat", ADULT, "male", False),
        ("kata orang IGD cuma masuk angin, minta obat", ADULT, "male", False),
    ],
    "a result of a test": [("ambil hasil tes racun pestisida", ADULT, "male", False)],
    "a child that learns to speak": [("baru bisa ngomong sekata dua kata", 800, "male", False)],
    "an old thigh that tires": [("paha sakit, tidak bisa berdiri lama", 26000, "female", False)],
    "a baby that pauses for its nose": [("bayi nyusu sering berhenti, hidung mampet", 40, "male", False)],
    "a still husband": [("gerakan bayi aktif, suami diam saja di rumah", 10000, "female", True)],
    "rice water as a drink": [("diare 10 kali, minum air tajin", ADULT, "male", False)],
    "a giddy child": [("anak pusing, mata berputar kalau lihat atas", 3000, "male", False)],
    "a gouty leg": [("kaki kanan gak bisa dipakai jalan sejak asam urat", 20000, "male", False)],
    "a scar": [("luka bakar di lengan bekasnya hitam, mau dihilangkan", ADULT, "female", False)],
    "stool dark from iron, as the midwife says": [
        ("bab hitam kata bidan karena tablet tambah darah, mau cek hamil", 9500, "female", True),
    ],
    "a young chest that was trained": [("dada sakit kalau ditekan habis push up", 7000, "male", False)],
    "a question, in Sundanese": [("stroke cirina kumaha, abdi hoyong terang", 22000, "male", False)],
    "regional words near those of a sting and a wound": [
        ("nyuhunkeun ubar batuk", ADULT, "male", False),
        ("watuk wis suwe", 24000, "male", False),
        ("gatal sudah diolesi minyak tawon", 24000, "male", False),
    ],
}

DANGERS = {
    "a street, and a danger in it": [
        ("alamat jalan Melati sesak dari tadi", ADULT, "male", False),
        ("rumah jl Mawar 3, digigit ular", ADULT, "male", False),
    ],
    "hearsay that nothing takes back": [
        ("kata tetangga stroke, mulutnya mencong", 22000, "male", False),
        ("serangan jantung kata orang, padahal masih muda", 12000, "male", False),
        ("kata dukun angin, dada sakit tembus punggung", 20000, "male", False),
        ("digigit ular kata tetangga, padahal kakinya bengkak biru", ADULT, "male", False),
    ],
    "a trade with its poison in the body": [
        ("kerja di pabrik pestisida, muntah gemetar", ADULT, "male", False)
    ],
    "dark stool that nobody has explained": [("bab hitam lemas, minum tablet besi", 9500, "female", True)],
    "the child that is pointed to": [
        ("kakaknya kejang kemarin, adiknya ini juga kejang", 600, "male", False)
    ],
    "bleeding that is back": [
        ("nifas, darah sudah berhenti sebentar keluar lagi banyak", 10000, "female", False),
    ],
    "no more movement since yesterday": [("gerakan bayi tidak ada dari kemarin", 10000, "female", True)],
    "no more urine since yesterday": [
        ("mencret, kencing tidak ada dari kemarin", 700, "male", False),
    ],
    "lame since today": [
        ("lemah sebelah kiri sejak pagi, tahun 2016 pernah operasi", 24000, "female", False)
    ],
    "a head that grows drowsy": [("sakit kepala parah muntah, ngantuk terus", ADULT, "male", False)],
    "one side that is not used": [("nenek tangan kanannya gak dipake dari tadi", 27000, "female", False)],
    "a feverish child that bears no weight": [
        ("lutut anak nyeri, panas tinggi, ga bisa napak", 2500, "male", False)
    ],
    "an ear that stands off": [("belakang telinga bengkak, panas, kupingnya menonjol", 1500, "male", False)],
    "a starved child's hair and legs": [("kaki bengkak dua-duanya, rambut jagung", 900, "male", False)],
    "measles in the eye": [("campak, mata keruh putih", 1200, "male", False)],
    "a breast with pus and shivers": [("payudara bernanah, panas 39,4, menggigil", 10000, "female", False)],
    "smoke in the airway": [("habis kebakaran, bulu hidung gosong", ADULT, "male", False)],
    "a hip of the old": [("mbah jatuh, pangkal paha nyeri, tidak bisa berdiri", 28000, "female", False)],
    "forced": [("dipaksa kenalan semalam, berdarah di bawah", 6300, "female", False)],
    "a ray": [("diinjak ikan pari, kaki nyeri hebat", ADULT, "male", False)],
    "molten tar": [("kesiram lelehan aspal panas di paha dan muka", ADULT, "male", False)],
    "a struck kidney": [("pinggang ditendang kuda, kencing merah darah", 15000, "male", False)],
    "eyes of the first week": [("mata bayi nanah bengkak", 4, "female", False)],
    "weakness that climbs": [("lemas dari kaki naik ke tangan tiga hari ini", 11000, "male", False)],
    "one word to a breath": [("ngomong sepatah saja sudah berhenti", 20000, "male", False)],
    "a breast with shivers": [
        ("payudara bengkak merah, panas 39,6, ga kuat berdiri", 10000, "female", False)
    ],
    "a pad that fills": [("baru melahirkan, pembalut penuh tiga kali sejam", 10000, "female", False)],
    "a scarred womb": [("hamil tua bekas sesar, perut mendadak nyeri", 11000, "female", True)],
    "a child that has kicked and lies still": [
        ("kemarin masih nendang, hari ini diam seharian", 11000, "female", True)
    ],
    "stool like rice water": [("mencret 25 kali kayak air cucian beras", 17000, "male", False)],
    "eyes that roll in a fever": [("panas tinggi, mata putar ke atas", 2000, "male", False)],
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
