"""Diagnoses and procedures by words; a clinic's own list in, a wrong edition kept out."""

from __future__ import annotations

import csv
import shutil
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from core.foundation.clinic import Clinic
from core.foundation.database import connection, database
from core.foundation.errors import ValidationError
from core.linkage.names import fold
from core.models import DiagnosisCode
from core.orders import diagnoses, procedures
from core.terminology import code_search, icd10
from core.terminology.code_search import Code, CodeList, shipped, spaced, titles_of
from core.terminology.patient_fit import unfit
from tests.core.days import open_clinic


def listed(source: code_search.Source) -> CodeList:
    rows = sorted(shipped(source), key=lambda row: -int(row["usual"]))
    return CodeList(
        [
            Code(
                row["code"], titles_of(row),
                spaced(f"{row['title_id']} {row['title_en']} {row.get('words', '')}"), int(row["usual"]),
            )
            for row in rows
        ]
    )  # fmt: skip


ICD10, PROCEDURES = listed(icd10.SOURCE), listed(procedures.SOURCE)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("hipertensi", "I10"),
        ("darah tinggi", "I10"),
        ("hypertension", "I10"),
        ("kencing manis", "E11.9"),
        ("gigi berlubang", "K02.9"),
        ("toothache", "K08.8"),
        ("demam berdarah", "A91"),
        ("osteoartritis lutut", "M17.9"),
        ("osteo lutut", "M17.9"),
        ("i10", "I10"),
        ("I10", "I10"),
        ("k029", "K02.9"),
        ("K02", "K02.9"),
        ("k02.9", "K02.9"),
        ("hipertenis", "I10"),
        ("gastritiss", "K29.7"),
        ("katarak usia", "H25.9"),
        ("hamil pertama", "Z34.0"),
        # What clinicians write for short, and what patients say.
        ("isk", "N39.0"),
        ("lbp", "M54.5"),
        ("tth", "G44.2"),
        ("dhf", "A91"),
        ("gea", "A09"),
        ("cephalgia", "R51"),
        ("obs febris", "R50.9"),
        ("kpd", "O42.9"),
        ("bblr", "P07.1"),
        ("vulnus laceratum", "T14.1"),
        ("mencret", "A09"),
        ("tifus", "A01.0"),
        ("hipotensi", "I95.9"),
        ("ikterus", "P59.9"),
        ("tuli", "H91.9"),
        ("batuk", "R05"),
        ("sore throat", "J02.9"),
        # A word that is in no title: the rarer of the others says more.
        ("sakit pinggang kanan", "M54.5"),
        ("gigi goyang sekali", "K08.8"),
        ("hipertensi emergency", "I10"),
    ],
)
def test_what_is_usually_meant_comes_first(words: str, code: str) -> None:
    assert ICD10.find(words, 5)[0].code == code


@pytest.mark.parametrize(
    ("words", "code"), [("cabut gigi", "23.01"), ("nebulizer", "93.94"), ("sunat", "64.0"), ("2309", "23.09")]
)
def test_procedures_are_found_alike(words: str, code: str) -> None:
    assert code in [item.code for item in PROCEDURES.find(words, 3)]


def test_the_title_counts_more_than_what_else_it_is_called() -> None:
    codes = [
        Code("B00", {"id": "Selesma"}, spaced("Selesma batuk"), 9),
        Code("A00", {"id": "Batuk"}, spaced("Batuk"), 1),
    ]
    assert [item.code for item in CodeList(codes).find("batuk", 2)] == ["A00", "B00"]


@pytest.mark.parametrize("words", ["xilofon", "kwartet gesek"])
def test_what_is_like_no_illness_finds_none(words: str) -> None:
    assert ICD10.find(words, 5) == []


def test_an_empty_box_shows_the_most_usual() -> None:
    assert [item.code for item in ICD10.find("", 2)] == ["J06.9", "I10"]


@given(item=st.sampled_from(ICD10.codes), data=st.data())
def test_every_code_is_found_by_its_code_and_by_the_beginnings_of_its_words(
    item: Code, data: st.DataObject
) -> None:
    assert ICD10.find(item.code.lower(), 20)[0].code == item.code
    words = [word for word in fold(item.title("id")).split() if len(word) > 3]
    begun = " ".join(word[: data.draw(st.integers(3, len(word)))] for word in words)
    if begun:
        assert item.code in [found.code for found in ICD10.find(begun, len(ICD10.codes))]


@given(text=st.text(max_size=40))
def test_no_text_breaks_the_search(text: str) -> None:
    assert len(ICD10.find(text, 10)) <= 10


def test_the_shipped_list_is_in_order() -> None:
    codes = [row["code"] for row in shipped(icd10.SOURCE)]
    assert len(codes) == len(set(codes))
    assert all(icd10.CODE.match(code) and not icd10.AFTER_2010.match(code) for code in codes)
    assert {"A90", "A91", "I84.9", "K35.9"} <= set(codes)
    assert all(procedures.ICD9.match(row["code"]) for row in shipped(procedures.SOURCE))


@pytest.fixture(scope="module")
def shipped_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clinic's folder with the lists that ship, made once."""
    home = tmp_path_factory.mktemp("lists")
    open_clinic(home)
    with connection():
        icd10.load_builtin()
        procedures.load_builtin()
        database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return home


@pytest.fixture
def lists(shipped_home: Path, tmp_path: Path) -> Clinic:
    """A clinic with the lists that ship, on a database file of its own."""
    shutil.copytree(shipped_home, tmp_path / "home")
    return open_clinic(tmp_path / "home")


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_clinics_full_list_is_taken_and_lay_words_still_find(lists: Clinic, tmp_path: Path) -> None:
    file = write(
        tmp_path / "icd.csv",
        "CODE;STR;nama",
        "I10;Essential (primary) hypertension;Hipertensi esensial (primer)",
        "Q999;Chromosomal abnormality, unspecified;Kelainan kromosom, tidak ditentukan",
        "A90;Dengue fever;Demam dengue",
        "A97.0;Dengue without warning signs;Dengue tanpa tanda bahaya",
        "XX;No code;Bukan kode",
    )
    result = icd10.import_codes(file)
    assert (result.taken, result.newer, result.refused) == (3, 1, ("6: XX",))
    assert diagnoses.find("kromosom")[0].code == "Q99.9"
    found = diagnoses.find("darah tinggi")[0]
    assert (found.code, found.title) == ("I10", "Hipertensi esensial (primer)")
    assert diagnoses.find("primary hypertension", language="en")[0].title.startswith("Essential")
    assert "A97.0" not in [item.code for item in diagnoses.find("dengue")]
    # What ships comes in again at the next start, and leaves the clinic's titles alone.
    icd10.load_builtin()
    assert diagnoses.find("i10")[0].title == "Hipertensi esensial (primer)"


def test_titles_of_a_third_language_are_shown_and_found_and_outlive_a_list_without_them(
    lists: Clinic, tmp_path: Path
) -> None:
    icd10.import_codes(
        write(tmp_path / "jv.csv", "kode,nama,title_jv", "I10,Hipertensi,Getih dhuwur", "A90,Dengue,")
    )
    procedures.import_codes(write(tmp_path / "own.csv", "kode,title_jv", "TG-01,Tindhik kuping"))
    assert diagnoses.find("getih dhuwur", language="jv")[0].title == "Getih dhuwur"
    assert diagnoses.find("i10", language="id")[0].title == "Hipertensi"
    assert diagnoses.find("a90", language="jv")[0].title == "Dengue"  # no title in it
    assert {procedures.find("tindhik", language=each)[0].title for each in ("jv", "id")} == {"Tindhik kuping"}
    icd10.load_builtin()
    assert diagnoses.find("i10", language="jv")[0].title == "Getih dhuwur"
    icd10.import_codes(write(tmp_path / "two.csv", "title_jv,kode,title_en", "Kencing manis,E10,Diabetes"))
    assert diagnoses.find("e10", language="id")[0].title == "Diabetes", "English before any other"


def test_shipped_titles_of_a_third_language_stay_where_a_clinics_list_has_none(
    lists: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{**row, "title_jv": f"jv {row['code']}"} for row in shipped(icd10.SOURCE)]
    monkeypatch.setattr(code_search, "shipped", lambda _: rows)
    icd10.load_builtin()
    assert diagnoses.find("i10", language="jv")[0].title == "jv I10"
    icd10.import_codes(write(tmp_path / "icd.csv", "kode,nama", "I10,Hipertensi esensial"))
    found = {language: diagnoses.find("i10", language=language)[0].title for language in ("jv", "id")}
    assert found == {"jv": "jv I10", "id": "Hipertensi esensial"}


def test_a_list_may_be_a_spreadsheet(lists: Clinic, tmp_path: Path) -> None:
    book = Workbook()
    book.worksheets[0].append(["Kode ICD-10", " Nama Diagnosa "])
    book.worksheets[0].append(["Q99.9", "Kelainan kromosom"])
    book.save(tmp_path / "icd.xlsx")
    assert icd10.import_codes(tmp_path / "icd.xlsx").taken == 1
    assert diagnoses.find("kromosom")[0].code == "Q99.9"


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (("code,title_en", "A97.0,Dengue", "I10,Hypertension"), "edition"),
        (("code,title_en", "A97.0,Dengue"), "edition"),
        (("nomor,isi", "1,x"), "columns"),
        (("code,title_en", "nothing,here"), "empty"),
        (("",), "columns"),
    ],
)
def test_a_wrong_list_changes_nothing(
    lists: Clinic, tmp_path: Path, lines: tuple[str, ...], problem: str
) -> None:
    before = [item.title for item in diagnoses.find("", 50)]
    with pytest.raises(ValidationError) as refused:
        icd10.import_codes(write(tmp_path / "icd.csv", *lines))
    assert refused.value.fields == {"file": problem}
    assert [item.title for item in diagnoses.find("", 50)] == before


def test_a_missing_file_is_said(lists: Clinic, tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as refused:
        icd10.import_codes(tmp_path / "none.csv")
    assert refused.value.fields == {"file": "unreadable"}


def test_a_clinics_own_procedures_are_marked_as_its_own(lists: Clinic, tmp_path: Path) -> None:
    file = write(tmp_path / "own.csv", "kode,nama", "TG-01,Tindik telinga bayi", "18.01,Tindik telinga")
    assert procedures.import_codes(file).taken == 2
    known = code_search.load(procedures.SOURCE).by_code
    assert known["TG-01"].is_local
    assert not known["18.01"].is_local
    assert [item.code for item in procedures.find("tindik")] == ["18.01", "TG-01"]


FEWEST_WORDS = 400
"""Usual words, lay and clinical, that the figures stand on."""


def test_usual_words_find_what_is_meant_and_never_what_the_patient_cannot_have() -> None:
    """The first list was written before the search was tuned, the further one by whoever tried to break it."""
    folder = Path(__file__).with_name("data")
    texts = [(folder / name).read_text(encoding="utf-8") for name in ("usual_words.csv", "further_words.csv")]
    rows = [row for text in texts for row in csv.DictReader(text.splitlines())]
    assert len(rows) >= FEWEST_WORDS
    first = among_five = 0
    for row in rows:
        sex, years = row["sex"], float(row["years"])
        found = ICD10.find(row["words"], 5, partial(_fits, sex=sex, years=years))
        codes, meant = [item.code for item in found], set(row["codes"].split("|"))
        assert all(unfit(code, sex, years) is None for code in codes), row["words"]
        first += codes[:1] != [] and codes[0] in meant
        among_five += not meant.isdisjoint(codes)
    assert first / len(rows) >= 0.9
    assert among_five / len(rows) >= 0.98


def test_words_of_lay_people_find_what_is_meant() -> None:
    """Two lists, each written before it was run: at first 88 % and 80 % were found first, 95 % and 86 % among five."""
    file = Path(__file__).with_name("data") / "lay_words.tsv"
    rows = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()]
    missed_first, missed = [], []
    for words, codes in rows:
        found = [item.code for item in ICD10.find(words, 5)]
        beginnings = tuple(codes.split("|"))
        if not any(code.startswith(beginnings) for code in found):
            missed.append(words)
        elif not found[0].startswith(beginnings):
            missed_first.append(words)
    assert missed == []
    assert len(missed_first) <= len(rows) * 0.02, missed_first


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("ptsd", "F43.1"), ("nyeri bahu", "M25.5"), ("sakit bahu", "M25.5"), ("keracunan", "T65.9"),
        ("sakit dada", "R07.4"), ("pendarahan setelah melahirkan", "O72.1"), ("mual", "R11"), ("stres", "F43.2"),
    ],
)  # fmt: skip
def test_lay_and_clinical_words_for_one_thing_find_it_alike(words: str, code: str) -> None:
    assert ICD10.find(words, 5)[0].code == code


def _fits(item: Code, sex: str, years: float) -> bool:
    return unfit(item.code, sex, years) is None


@pytest.mark.parametrize(
    ("code", "sex", "years", "reason"),
    [
        ("O21.9", "male", 38, "sex"), ("O21.9", "female", 30, None), ("O21.9", "female", 70, "age"),
        ("O80.0", "female", 6, "age"), ("N40", "female", 60, "sex"), ("N40", "male", 8, "age"),
        ("P59.9", "male", 0, None), ("P59.9", "male", 30, "age"), ("C53.9", "male", 50, "sex"),
        ("N94.6", "male", 20, "sex"), ("Z34.9", "male", 20, "sex"), ("Z41.2", "female", 9, "sex"),
        ("E45", "male", 40, "age"), ("Z00.1", "female", 60, "age"), ("I10", "male", 50, None),
        ("N47", "female", 3, "sex"), ("A33", "male", 20, "age"), ("O21.9", None, None, None),
        ("Z30.9", "female", 3, "age"), ("Z30.0", "male", 2.5, "age"), ("Z31.1", "female", 4, "age"),
        ("G30.9", "male", 8, "age"), ("G20", "female", 10, "age"), ("M17.9", "male", 7, "age"),
        ("R54", "female", 30, "age"), ("I25.9", "male", 5, "age"), ("J44.9", "male", 2, "age"),
        ("F01.9", "male", 12, "age"), ("Z30.9", "female", 24, None), ("M17.9", "female", 61, None),
        ("J45.9", "male", 4, None), ("R54", "male", 88, None), ("J44.9", "male", None, None),
    ],
)  # fmt: skip
def test_a_code_of_the_other_sex_or_an_impossible_age_is_told(
    code: str, sex: str | None, years: float | None, reason: str | None
) -> None:
    assert unfit(code, sex, years) == reason


@pytest.mark.parametrize(
    ("words", "doubtful"),
    [
        ("hipertensi", False),
        ("hipertenis", True),
        ("gigi goyang sekali", True),
        ("I10", False),
        ("kutil", False),
    ],
)
def test_a_guess_is_told_apart(words: str, doubtful: bool) -> None:
    assert ICD10.find_with_doubt(words, 5)[1] is doubtful


@pytest.mark.parametrize(
    "lines",
    [
        ("icd10_code;icd10_en;icd10_id", "A00.0;Cholera due to Vibrio;Kolera", "A17.0†;Tuberculous meningitis;",
         "G01*;Meningitis in bacterial diseases;"),
        ("kd_penyakit,nm_penyakit", "A00.0,Cholera due to Vibrio", "A17.0+,Tuberculous meningitis", "G01 *,Meningitis"),
        ("A00.0,Cholera due to Vibrio", "A170†,Tuberculous meningitis", "G01*,Meningitis in bacterial diseases"),
        ("1;A00.0;Cholera due to Vibrio", "2;A17.0;Tuberculous meningitis", "3;G01;Meningitis"),
    ],
)  # fmt: skip
def test_the_public_lists_of_diagnoses_come_in(lists: Clinic, lines: tuple[str, ...], tmp_path: Path) -> None:
    result = icd10.import_codes(write(tmp_path / "icd10.csv", *lines))
    assert (result.taken, result.refused) == (3, ())
    rows = {row.code: row for row in DiagnosisCode.select()}
    assert "Tuberculous meningitis" in {rows["A17.0"].title_en, rows["A17.0"].title_id}
    assert {"A00.0", "A17.0", "G01"} <= rows.keys()
