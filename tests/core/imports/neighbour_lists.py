"""Twelve patient lists in the shapes of neighbouring systems, with what is right for each row. Everybody is invented.

The headings are those of the systems' own exports and tables, as public code and files show them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook

M, F = "male", "female"


@dataclass(frozen=True)
class Right:
    """What must come of one row.

    Attributes:
        outcome: `taken`, `paired`, `merged` or `set_aside`.
        why: The reason that must be among those of the report; empty: none is asked for.
        stored: Columns of the patient: exactly these values.
    """

    outcome: str
    why: str
    stored: dict[str, Any]


def taken(name: str, sex: str, born: date, why: str = "", **more: Any) -> Right:
    """Return a row that becomes a patient with these values."""
    return Right("taken", why, {"name": name, "sex": sex, "birth_date": born, **more})


def paired(name: str, sex: str, born: date, why: str = "", **more: Any) -> Right:
    """Return a row that becomes a patient who may be here already."""
    return replace(taken(name, sex, born, why, **more), outcome="paired")


def aside(why: str) -> Right:
    """Return a row that is set aside for this reason."""
    return Right("set_aside", why, {})


@dataclass(frozen=True)
class NeighbourList:
    """One list.

    Attributes:
        system: Whose shape it has.
        file: Name of the file.
        lines: Its lines; cells of a spreadsheet, or the text of a line.
        right: What must come of each row.
    """

    system: str
    file: str
    lines: tuple[Any, ...]
    right: tuple[Right, ...]

    def write(self, folder: Path) -> Path:
        """Write the list as its system does."""
        path = folder / self.file
        if path.suffix != ".xlsx":
            path.write_text("\n".join(self.lines) + "\n", encoding="utf-8")
            return path
        book = Workbook()
        for line in self.lines:
            book.worksheets[0].append(list(line))
        book.save(path)
        return path


LISTS = (
    NeighbourList(
        "SIMRS Khanza, table pasien", "khanza_pasien.csv",
        (
            "no_rkm_medis,nm_pasien,no_ktp,jk,tmp_lahir,tgl_lahir,nm_ibu,alamat,gol_darah,pekerjaan,stts_nikah,agama,"
            "tgl_daftar,no_tlp,umur,pnd,keluarga,namakeluarga,kd_pj,no_peserta,kd_kel",
            "000101,SITI RAHMAWATI,6371015708900002,P,BANJARMASIN,1990-08-17,RUSMINI,JL MAWAR NO 3,O,IRT,MENIKAH,ISLAM,"
            "2024-03-02,081122334455,33 Th 6 Bl 14 Hr,SMA,SUAMI,AHMAD FAUZI,BPJ,0001234567890,17",
            "000102,BUDI SANTOSO,-,L,-,0000-00-00,-,-,-,-,-,-,2024-03-02,0,0 Th 0 Bl 0 Hr,-,DIRI SENDIRI,-,UMU,-,1",
            "000103,NY. HALIMAH,,P,MARTAPURA,0000-00-00,-,JL MELATI 9,-,-,-,-,2024-03-02,,61 Th 2 Bl 1 Hr,-,ANAK,"
            "KARTINI,UMU,,1",
            "000104,RUDI HARTONO,6371010605820003,L,BATULICIN,1970-01-01,SALASIAH,JL KUIN 2,-,-,-,-,2024-03-02,,"
            "41 Th 9 Bl 25 Hr,-,-,-,UMU,,1",
            "000105,DINA AULIA,6371014511010005,P,KANDANGAN,1999-11-05,NORHASANAH,JL KUIN 7,-,-,-,-,2024-03-02,,"
            "22 Th,-,-,-,UMU,,1",
        ),
        (
            taken("SITI RAHMAWATI", F, date(1990, 8, 17), nik="6371015708900002", bpjs_number="0001234567890",
                  phone="081122334455", mother_name="RUSMINI", medical_record_number="00000101"),
            aside("birth_date: placeholder"),
            taken("NY. HALIMAH", F, date(1965, 9, 1), "birth_date: estimated", birth_date_estimated=True, phone="",
                  mother_name="", medical_record_number="00000103"),
            taken("RUDI HARTONO", M, date(1982, 5, 6), "birth_date: from_nik", mother_name="SALASIAH"),
            taken("DINA AULIA", F, date(1999, 11, 5), "birth_date: nik_differs", nik=None),
        ),
    ),
    NeighbourList(
        "mLITE, export of pasien", "mlite_pasien.xlsx",
        (
            ("No. Rekam Medis", "Nama Pasien", "No. KTP", "J.K", "Tgl. Lahir", "Nama Ibu", "Alamat", "No. Telp",
             "No. Peserta", "Tgl. Daftar"),
            ("000201", "Muhammad Ilham", "6371020202850004", "L", datetime(1985, 2, 2), "Zubaidah", "Gg. Damai 4",  # noqa: DTZ001
             "0812000111", "0009876543210", datetime(2023, 5, 1)),  # noqa: DTZ001
            ("000202", "Nadia Putri", 6371024404030010, "P", datetime(2003, 4, 4), "Aminah", "Gg. Damai 5", 812000112,  # noqa: DTZ001
             None, None),
            ("RM/2023/7", "Rahmi", None, "P", "12 Nopember 1977", None, None, None, None, None),
        ),
        (
            taken("Muhammad Ilham", M, date(1985, 2, 2), nik="6371020202850004", bpjs_number="0009876543210",
                  medical_record_number="00000201"),
            taken("Nadia Putri", F, date(2003, 4, 4), "nik: digits_lost", nik=None, phone="0812000112"),
            taken("Rahmi", F, date(1977, 11, 12), "record_number: not_kept", nik=None),
        ),
    ),
    NeighbourList(
        "OpenMRS, person and patient", "openmrs.csv",
        (
            "OpenMRS ID,Given Name,Middle Name,Family Name,Gender,Birthdate,Birthdate Estimated,Phone Number,Address 1",
            "100A,Ana,Maria,Lestari,F,1988-09-06 00:00:00,0,081300011122,Jl. Pramuka 1",
            "101B,Slamet,,Basuki,M,1951-01-01 00:00:00,1,,Jl. Pramuka 2",
            ",,,,M,2001-02-03 00:00:00,0,,",
        ),
        (
            taken("Ana Maria Lestari", F, date(1988, 9, 6), birth_date_estimated=False, phone="081300011122",
                  address="Jl. Pramuka 1"),
            taken("Slamet Basuki", M, date(1951, 1, 1), birth_date_estimated=True),
            aside("name: required"),
        ),
    ),
    NeighbourList(
        "DHIS2 Tracker, list of enrolments", "dhis2.csv",
        (
            "Tracked entity instance,Created,Last updated,Organisation unit,First name,Last name,Gender,Date of birth,"
            "National identifier,Phone number,Mother First Name",
            "aBcDe123,2025-01-02,2025-01-02,Puskesmas Contoh,Kasih,Noor,Female,2024-12-30,,0813555,Rusmini",
            "aBcDe124,2025-01-02,2025-01-02,Puskesmas Contoh,Bayu,Halim,Male,1993-05-14,6371011405930006,,",
            "aBcDe125,2025-01-02,2025-01-02,Puskesmas Contoh,Cahya,Anwar,Unknown,1993-05-14,,,",
        ),
        (
            taken("Kasih Noor", F, date(2024, 12, 30), phone="0813555", mother_name="Rusmini"),
            taken("Bayu Halim", M, date(1993, 5, 14), nik="6371011405930006"),
            aside("sex: unreadable"),
        ),
    ),
    NeighbourList(
        "Synthea, patients.csv", "synthea_patients.csv",
        (
            "Id,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,LAST,SUFFIX,MAIDEN,MARITAL,RACE,ETHNICITY,GENDER,"
            "BIRTHPLACE,ADDRESS,CITY,STATE,COUNTY,ZIP,LAT,LON,HEALTHCARE_EXPENSES,HEALTHCARE_COVERAGE",
            "b9c610cd,1989-05-25,,999-76-6866,S99984236,X19277260X,Mr.,Jose,Rosado,,,M,white,hispanic,M,Marigot,"
            "427 Balistreri Way,Chicopee,Massachusetts,Hampden,01013,42.2,-72.6,271227.08,1334.88",
            "c1f1fcaa,1930-11-14,1999-03-02,999-73-5361,S99962402,X88275464X,Mrs.,Lina,Prosacco,,Haag,M,white,"
            "nonhispanic,F,Danvers,1038 Skiles,Walpole,Massachusetts,Norfolk,02081,42.1,-71.2,793946.01,3204.49",
        ),
        (
            taken("Jose Rosado", M, date(1989, 5, 25), passport_number="X19277260X", nik=None,
                  address="427 Balistreri Way"),
            taken("Lina Prosacco", F, date(1930, 11, 14), "deceased: marked", passport_number="X88275464X"),
        ),
    ),
    NeighbourList(
        "P-Care, list of members", "pcare_peserta.csv",
        (
            "noKartu;nama;hubunganKeluarga;sex;tglLahir;tglMulaiAktif;jnsKelas;golDarah;noHP;noKTP;pstProl;aktif",
            "0001112223334;NURUL HIDAYAH;ISTRI;P;09-06-1988;01-01-2014;KELAS III;B;081234000111;6371014906880009;;AKTIF",
            "1112223341;JOKO SUSILO;PESERTA;L;31-12-1975;01-01-2014;KELAS III;;;6371013112750010;;AKTIF",
            "0001112223358;YATI;ANAK;P;00-00-0000;01-01-2014;KELAS III;;;;;AKTIF",
        ),
        (
            taken("NURUL HIDAYAH", F, date(1988, 6, 9), nik="6371014906880009", bpjs_number="0001112223334",
                  phone="081234000111"),
            taken("JOKO SUSILO", M, date(1975, 12, 31), "bpjs_number: zeros_added", bpjs_number="0001112223341"),
            aside("birth_date: placeholder"),
        ),
    ),
    NeighbourList(
        "FEBRL, record linkage data", "febrl.csv",
        (
            "rec_id, given_name, surname, sex, street_number, address_1, suburb, date_of_birth, soc_sec_id",
            "rec-1-org, michaela, neumann, f, 8, stanley street, winston hills, 19151111, 5304218",
            "rec-2-org, hamish, painter, m, 12, pinkerton circuit, richlands, 19170321, 4066625",
            "rec-3-org, blake, , m, 1, corin place, tarago, 19191317, 4365168",
        ),
        (
            taken("michaela neumann", F, date(1915, 11, 11), nik=None, address="stanley street"),
            taken("hamish painter", M, date(1917, 3, 21)),
            aside("birth_date: unreadable"),
        ),
    ),
    NeighbourList(
        "ePuskesmas, export", "epuskesmas.xlsx",
        (
            ("LAPORAN DATA PASIEN",),
            ("Puskesmas Contoh", None, "2026"),
            (),
            ("No. eRM", "NIK", "Nama Pasien", "Nama KK", "Jenis Kelamin", "Tempat & Tgl Lahir", "No HP Penanggung",
             "Alamat", "No. RT", "No. RW", "Umur"),
            ("00000301", "6371045512000007", "Fitriani", "Sulaiman", "Perempuan", "Banjarmasin, 15-12-2000",
             "0815999888", "Jl. Veteran 12", "003", "1", "25 Th 10 Bl 18 Hr"),
            ("00000302", None, "By. Ny. Fitriani", "Sulaiman", "Laki-laki", "Banjarmasin, 28 Oktober 2026", None,
             "Jl. Veteran 12", "003", "1", "0 Th 0 Bl 5 Hr"),
            ("JUMLAH", None, None, None, None, None, None, None, None, None, "2"),
        ),
        (
            taken("Fitriani", F, date(2000, 12, 15), nik="6371045512000007", phone="", rt="003", rw="1",
                  mother_name="", medical_record_number="00000301"),
            taken("By. Ny. Fitriani", M, date(2026, 10, 28), nik=None),
            aside("name: required"),
        ),
    ),
    NeighbourList(
        "SIKDA Generik, table pasien", "sikda_pasien.csv",
        (
            "KD_PASIEN\tNAMA_LENGKAP\tKD_JENIS_KELAMIN\tTMP_LAHIR\tTGL_LAHIR\tNO_PENGENAL\tNAMA_AYAH\tNAMA_IBU\tALAMAT"
            "\tTELEPON\tNO_ASURANSI",
            "0000401\tHerman Wijaya\tL\tBanjarbaru\t31011990\t6371013101900008\tWijaya\tSri Lestari\tJl. Mawar 8\t\t",
            "0000402\tLusiana\tP\tBanjarbaru\t2071985\t\tUsman\tRohani\tJl. Mawar 9\t0511 336 7788\t",
            "0000403\tTarsan\tL\tBanjarbaru\t99999999\t\t\t\t\t\t",
        ),
        (
            taken("Herman Wijaya", M, date(1990, 1, 31), nik="6371013101900008", mother_name="Sri Lestari"),
            taken("Lusiana", F, date(1985, 7, 2), mother_name="Rohani", phone="05113367788"),
            aside("birth_date: unreadable"),
        ),
    ),
    NeighbourList(
        "Civil registration, list of a village", "dukcapil.csv",
        (
            "NO_KK|NIK|NAMA_LGKP|JENIS_KLMIN|TMPT_LHR|TGL_LHR|NAMA_LGKP_IBU|NAMA_LGKP_AYAH|ALAMAT|NO_RT|NO_RW",
            "6371010101150001|6371012508110011|RIZKI SAPUTRA|LAKI-LAKI|BANJARMASIN|25/08/2011|MEGA WATI|SAPUTRA|JL KUIN|"
            "4|1",
            "6371010101150001|6371012508110012|RIZKA SAPUTRA|LAKI-LAKI|BANJARMASIN|25/08/2011|MEGA WATI|SAPUTRA|JL KUIN|"
            "4|1",
            "6371010101150001|6371016508110013|NISA|LAKI-LAKI|BANJARMASIN|25/08/2011|MEGA WATI|SAPUTRA|JL KUIN|4|1",
        ),
        (
            taken("RIZKI SAPUTRA", M, date(2011, 8, 25), nik="6371012508110011", mother_name="MEGA WATI",
                  family_card_number="6371010101150001"),
            taken("RIZKA SAPUTRA", M, date(2011, 8, 25), nik="6371012508110012"),
            paired("NISA", M, date(2011, 8, 25), "sex: nik_differs", nik=None),
        ),
    ),
    NeighbourList(
        "A clinic's program that writes month before day", "month_first.csv",
        (
            "id,nama,jenis_kelamin,tanggal_lahir,alamat,no_telp",
            "1,Dewi Anggraini,Perempuan,3/4/1985,Jl. Belitung 1,0811000222",
            "2,Agus Salim,Laki-laki,12/25/1979,Jl. Belitung 2,0811000223",
            "3,Maya Sari,Perempuan,7/12/2001,Jl. Belitung 3,0811000224",
            "4,Toni,Laki-laki,25/12/1979,Jl. Belitung 4,0811000225",
        ),
        (
            # Both orders are proved, by rows 2 and 4: what may be either is asked.
            aside("birth_date: order_unclear"),
            taken("Agus Salim", M, date(1979, 12, 25)),
            aside("birth_date: order_unclear"),
            taken("Toni", M, date(1979, 12, 25)),
        ),
    ),
    NeighbourList(
        "A paper register typed into a spreadsheet", "register.csv",
        (
            "BUKU REGISTER PASIEN;;;;;",
            "No;No RM;Nama;L/P;Umur;Alamat",
            "1;501;Kakek Usman;L;81;Gg. Damai RT 3",
            "2;502;An. Raisa;P;8 bln;Gg. Damai RT 4",
            "3;503;Wati;P;-;Gg. Damai RT 5",
            "4;504;Kakek Usman;L;81;Jl. Lain 77",
        ),
        (
            taken("Kakek Usman", M, date(1945, 7, 1), "birth_date: estimated", birth_date_estimated=True,
                  medical_record_number="00000501"),
            taken("An. Raisa", F, date(2026, 3, 1), "birth_date: estimated", birth_date_estimated=True),
            aside("birth_date: required"),
            Right("paired", "possible_duplicate", {"name": "Kakek Usman", "address": "Jl. Lain 77"}),
        ),
    ),
)  # fmt: skip
