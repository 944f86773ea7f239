"""KFA's table of products: the rows of known medicines are taken, what cannot be read is named, brands become known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.foundation import state
from core.foundation.clinic import Clinic
from core.foundation.database import connection
from core.foundation.errors import ValidationError
from core.models import MedicineCode
from core.orders import kfa
from core.orders.medicines import clashes, learned_names
from core.orders.medicines.reading import read_medicine
from tests.core.days import open_clinic

HEADER = (
    "kfa_code;product_template;display_name;brand;uom_drug_form;drug_form_hl7;medication_form;medication_form_code;"
    "logistic_dose;drug_class;atc_class;fornas;lkpp_price;izin_edar;het;manufacturer;lkpp_show;tag;status"
)
# The shape of KFA's own rows; codes and brands are made up.
ROWS = (
    "93900001;Diazepam 2 mg Tablet;Diazepam 2 mg Tablet (TENANGIN);TENANGIN;Tablet;TAB;Tablet;BS066;1;Obat Psikotropika;"
    "N05BA01 - Diazepam;TRUE;0;;0;lokal;FALSE;;Valid",
    "93900002;Ibuprofen 200 mg Tablet;Ibuprofen 200 mg Tablet (IBUFARMASA);IBUFARMASA;Tablet;TAB;Tablet;BS066;1;Obat Bebas;"
    "M01AE01 - Ibuprofen;TRUE;138;;590;lokal;TRUE;;Valid",
    "93900003;Amoxicillin Trihydrate 500 mg Tablet Salut Selaput;Amoxicillin 500 mg (ZUMOXIDA);ZUMOXIDA;Tablet;ECTAB;"
    "Tablet Salut Selaput;BS077;1;Obat Keras;J01CA04 - Amoxicillin;TRUE;405;;0;lokal;TRUE;;Valid",
    "93900004;Gemcitabine Hydrochloride 1000 mg Serbuk Injeksi Liofilisasi;Gemcitabine (ABCGEM);ABCGEM;Vial;POWD;"
    "Serbuk Injeksi Liofilisasi;BS050;1;Obat Keras;L01BC05 - Gemcitabine;TRUE;308934,5;;0;import;FALSE;Kanker;Valid",
    "93900005;Amlodipine Besylate 5 mg Tablet;Amlodipine 5 mg (TENSILOWA);TENSILOWA;Tablet;TAB;Tablet;BS066;1;Obat Keras;"
    "C08CA01 - Amlodipine;TRUE;0;;0;lokal;TRUE;;Valid",
    "93900006;Ibuprofenum forte compositum 200 mg Tablet;Ibu (KOMPOSITA);KOMPOSITA;Tablet;TAB;Tablet;BS066;1;Obat Keras;"
    "M01AE01 - Ibuprofen;TRUE;0;;0;lokal;TRUE;;Valid",
    "93900007;Metformin Hydrochloride 500 mg Tablet Salut Selaput;Metformin (GULATURUN);GULATURUN;Tablet;ECTAB;"
    "Tablet Salut Selaput;BS077;1;Obat Keras;A10BA02 - Metformin;TRUE;0;;0;lokal;TRUE;;Tidak Valid",
    "9390000;Ibuprofen 400 mg Tablet;Ibuprofen (X);X;Tablet;TAB;Tablet;BS066;1;Obat;M01AE01 - Ibuprofen;TRUE;0;;0;l;T;;Valid",
    "93900009;;;KOSONG;Tablet;TAB;Tablet;BS066;1;Obat;M01AE01 - Ibuprofen;TRUE;0;;0;l;T;;Valid",
    "92900010;Cefadroxil Monohydrate 500 mg Kapsul;Cefadroxil 500 mg Kapsul;;Kapsul;CAP;Kapsul;BS019;1;Obat Keras;"
    "J01DB05 - Cefadroxil;FALSE;0;;0;lokal;TRUE;;Valid",
)  # fmt: skip


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return open_clinic(tmp_path / "home")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "kfa.csv"
    file.write_text("\n".join((HEADER, *ROWS)) + "\n", encoding="utf-8")
    return file


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Other tests of this process know no brand of these."""
    yield
    learned_names.learn({})
    kfa._Known.stamp = ""


def test_only_known_medicines_are_taken_and_the_rest_is_accounted_for(clinic: Clinic, table: Path) -> None:
    with connection():
        outcome = kfa.import_codes(table)
        taken = {row.code: row for row in MedicineCode.select()}
    assert sorted(taken) == ["92900010", "93900001", "93900002", "93900003", "93900005"]
    assert (
        outcome.read == len(ROWS) == outcome.taken + outcome.other + outcome.ended + outcome.unread_count + 2
    )
    assert (outcome.other, outcome.ended) == (1, 1)
    assert outcome.unread == ("7: Ibuprofenum forte compositum 200 mg Tablet",)
    assert outcome.refused == ("9: 9390000", "10: 93900009")
    amoxicillin = taken["93900003"]
    assert (amoxicillin.ingredients, amoxicillin.form_code) == (["amoksisilin"], "BS077")
    assert (amoxicillin.atc, amoxicillin.is_fornas) == ("J01CA04", True)


def test_a_preview_stores_nothing(clinic: Clinic, table: Path) -> None:
    with connection():
        assert kfa.import_codes(table, dry_run=True).taken == 5
        assert MedicineCode.select().count() == 0
        assert state.fact(kfa.STAMP) is None


def test_a_newer_table_replaces_the_older_one(clinic: Clinic, table: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer.csv"
    newer.write_text("\n".join((HEADER, ROWS[0])) + "\n", encoding="utf-8")
    with connection():
        kfa.import_codes(table)
        kfa.import_codes(newer)
        assert [row.code for row in MedicineCode.select()] == ["93900001"]


@pytest.mark.parametrize(
    ("brand", "allergy", "clash"),
    [("Tenangin 2 mg", "diazepam", True), ("IBUFARMASA", "NSAID", True), ("zumoxida 500", "penisilin", True),
     ("Zumoksida", "amoxicillin", True), ("tensilowa", "amlodipin", True), ("tensilowa 5 mg", "penisilin", False)],
)  # fmt: skip
def test_an_imported_brand_is_read_like_a_known_one(
    clinic: Clinic, table: Path, brand: str, allergy: str, clash: bool
) -> None:
    assert not read_medicine(brand).is_read
    with connection():
        kfa.import_codes(table)
        kfa.refresh_names()
    assert read_medicine(brand).is_read
    assert bool(clashes(brand, [allergy])) is clash


def test_a_brand_is_found_by_its_beginning_with_its_generic_name(clinic: Clinic, table: Path) -> None:
    with connection():
        kfa.import_codes(table)
        kfa.refresh_names()
        [found] = kfa.find_brands("zumo", 5)
        assert kfa.find_brands("zu", 5) == []
        assert kfa.find_brands("gemcit", 5) == []
    assert found.medicine == "Amoxicillin Trihydrate 500 mg Tablet Salut Selaput (ZUMOXIDA)"


def test_a_clinic_without_an_import_knows_no_brand_of_another(clinic: Clinic, table: Path) -> None:
    with connection():
        kfa.import_codes(table)
        kfa.refresh_names()
        MedicineCode.delete().execute()
        state.forget(kfa.STAMP)
        kfa.refresh_names()
    assert not read_medicine("zumoxida").is_read


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("kolom;lain\n1;2\n", "columns"),
        ("kfa_code;product_template\n93900004;Gemcitabine 1000 mg\n", "empty"),
        ("", "columns"),
    ],
)
def test_a_file_without_its_columns_or_rows_is_refused(
    clinic: Clinic, tmp_path: Path, text: str, problem: str
) -> None:
    file = tmp_path / "x.csv"
    file.write_text(text, encoding="utf-8")
    with connection(), pytest.raises(ValidationError) as refused:
        kfa.import_codes(file)
    assert refused.value.fields == {"file": problem}
