"""The lists of the stand-in: codes as P-Care has them, a few of each.

Source: docs/reference/bpjs.md 5.
"""

from __future__ import annotations

OWN_PROVIDER = "0114U163"
"""The clinic's own number at BPJS."""
PROVIDERS = ((OWN_PROVIDER, "PUSKESMAS LOKET"), ("0114U999", "PUSKESMAS SEBERANG"), ("0114R001", "RSUD KOTA"))
POLIS = (
    ("001", "POLI UMUM", True),
    ("002", "POLI GIGI & MULUT", True),
    ("003", "POLI KIA", True),
    ("004", "LABORATORIUM", True),
    ("005", "IGD", True),
    ("021", "KUNJUNGAN SEHAT", False),
)
"""Code, name, whether it is for the ill."""
DOCTORS = (
    ("D001", "dr. Yusuf Hakim"),
    ("D002", "drg. Maya Lestari"),
    ("D003", "Bidan Norhasanah"),
    ("D004", "dr. Sari Utami"),
    ("D005", "drg. Andi Pratama"),
    ("D006", "Bidan Lilis Suryani"),
    ("D007", "Arif Wibowo"),
    ("D008", "Nurdin Hamzah"),
)
"""Named as the clinicians and the laboratory's staff of the demo, and their simulated colleagues."""
SESSIONS = (
    ("001", 101, "dr. Yusuf Hakim", "08:00-12:00"),
    ("001", 104, "dr. Sari Utami", "12:00-16:00"),
    ("002", 102, "drg. Maya Lestari", "08:00-14:00"),
    ("003", 103, "Bidan Norhasanah", "08:00-14:00"),
    ("004", 107, "Arif Wibowo", "08:00-14:00"),
    ("005", 108, "Nurdin Hamzah", "00:00-23:59"),
)
"""Poli, the doctor's number in the queue, name, hours."""
CONSCIOUSNESS = (("01", "COMPOS MENTIS"), ("02", "SOMNOLENCE"), ("03", "SOPOR"), ("04", "COMA"))
PROGNOSES = (
    ("01", "Sanam (Sembuh)"),
    ("02", "Bonam (Baik)"),
    ("03", "Malam (Buruk/Jelek)"),
    ("04", "Dubia Ad Sanam/Bolam (Tidak tentu/Ragu-ragu, Cenderung Sembuh/Baik)"),
    ("05", "Dubia Ad Malam (Tidak tentu/Ragu-ragu, Cenderung Buruk/Jelek)"),
)
WAYS_OF_LEAVING = (
    ("1", "Meninggal"),
    ("3", "Berobat Jalan"),
    ("4", "Rujuk Lanjut"),
    ("5", "Rujuk Internal"),
    ("9", "Lain-lain"),
)
ALLERGIES = {
    "01": (("00", "Tidak Ada"), ("01", "Seafood"), ("02", "Gandum"), ("03", "Susu Sapi")),
    "02": (("00", "Tidak Ada"), ("01", "Udara Panas"), ("02", "Udara Dingin"), ("03", "Udara Kotor")),
    "03": (("00", "Tidak Ada"), ("01", "Antibiotik"), ("02", "Antiinflamasi"), ("03", "Non Steroid")),
}
NON_SPECIALIST = frozenset({"J00", "J06.9", "R51", "K29.7", "A09.9", "I10"})
"""Diagnoses that a primary-care facility treats to the end."""
MEDICINES = (
    ("130000001", "Parasetamol 500 mg"),
    ("130000002", "Amoksisilin 500 mg"),
    ("130000003", "CTM 4 mg"),
    ("130000004", "Antasida DOEN tablet"),
    ("130000005", "Amlodipin 5 mg"),
    ("130000006", "Metformin 500 mg"),
    ("130000007", "Asam mefenamat 500 mg"),
)
PROCEDURES = (("01001", "Konsultasi dokter"), ("01002", "Jahit luka"), ("01003", "Cabut gigi"))
SPECIALISTS = (
    ("INT", "PENYAKIT DALAM"),
    ("ANA", "ANAK"),
    ("BED", "BEDAH"),
    ("OBG", "OBSTETRI DAN GINEKOLOGI"),
    ("MAT", "MATA"),
    ("JAN", "JANTUNG DAN PEMBULUH DARAH"),
)
SUBSPECIALISTS = {
    "INT": (("3", "PENYAKIT DALAM"), ("8", "GINJAL-HIPERTENSI"), ("10", "ENDOKRIN-METABOLIK-DIABETES")),
    "ANA": (("26", "ANAK"), ("27", "NEONATOLOGI")),
    "BED": (("40", "BEDAH"), ("41", "BEDAH DIGESTIF")),
    "OBG": (("55", "OBSTETRI DAN GINEKOLOGI"),),
    "MAT": (("60", "MATA"),),
    "JAN": (("70", "JANTUNG"),),
}
"""By specialist."""
MEANS = (("1", "RAWAT JALAN"), ("2", "HEMODIALISA"), ("3", "KEMOTERAPI"))
HOSPITALS = (
    ("0114R001", "RSUD KOTA", "KOTA BANJARMASIN", "B", 3.2, 40, 12, ("3", "8", "26", "40", "55", "60"), ("1", "2")),
    ("0114R002", "RS SEHAT SEJAHTERA", "KOTA BANJARMASIN", "C", 5.7, 20, 20, ("3", "10", "26", "55"), ("1",)),
    ("0114R003", "RSUP PROVINSI", "KOTA BANJARMASIN", "A", 9.4, 60, 31,
     ("3", "8", "10", "26", "27", "40", "41", "55", "60", "70"), ("1", "2", "3")),
)  # fmt: skip
"""Code, name, town, class, kilometres, places a day, taken, subspecialists, means."""
