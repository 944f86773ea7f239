"""An existing patient list comes in: guessed columns, messy cells, duplicates, and going on after a stop."""

from __future__ import annotations

import csv
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from core.foundation import audit_check, clock, spreadsheets, state
from core.foundation.clinic import Clinic
from core.foundation.codes import Sex
from core.foundation.errors import ValidationError
from core.foundation.permissions import Actor
from core.imports import service as importing
from core.imports.dates import read_date
from core.imports.row_decisions import Decided, Decisions
from core.imports.row_reader import ImportTable, read_row, read_table
from core.linkage import review_queue
from core.models import AuditEvent, CandidatePair, Outbox, Patient, PatientVersion, SetAsideRow
from core.patients import service as patients
from core.schemas.patients import PatientFields

TODAY = date(2026, 11, 2)


def write(file: Path, *lines: str) -> Path:
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


LIST = (
    "DATA PASIEN;;;;;;",
    "No. RM;Nama Pasien;JK;Tgl Lahir;NIK;Nama Ibu;No HP",
    "00-12-34;Siti Aminah;P;17-08-1990;6371015708900002;Rusmini;0811 2233 445",
    "00-12-35;Ahmad Fauzi;L;2 Mei 1985;;Halimah;+62 811 9988 776",
    "00-12-36;St. Aminah;P;17/08/1990;;Rusmini;08112233445",
    "00-12-37;Budi Santoso;;1971-03-04;6371010403710001;;",
    "00-12-38;;L;01-01-1980;;;",
    "00-12-39;Tanpa Tanggal;L;kapan;;;",
    "00-12-40;Rahmi Rudi;P;05-06-1999;123;;",
)


def test_a_list_comes_in(clinic: Clinic, actor: Actor, tmp_path: Path) -> None:
    file = write(tmp_path / "list.csv", *LIST)
    report = importing.run(clinic, actor, file, dry_run=False)
    assert report.document() | {"report": "", "columns": {}} == {
        "rows": 7,
        "done": 7,
        "resumed_at": 0,
        "dry_run": False,
        "taken": 4,
        "paired": 0,
        "merged": 1,
        "set_aside": 2,
        "reasons": {
            "sex: from_nik": 1,
            "name: required": 1,
            "birth_date: unreadable": 1,
            "nik: nik_length": 1,
        },
        "columns": {},
        "ignored": [],
        "report": "",
    }
    aminah = Patient.get(Patient.name == "Siti Aminah")
    assert aminah.medical_record_number == "00001234"
    assert (aminah.nik, aminah.phone, aminah.birth_date) == (
        "6371015708900002",
        "08112233445",
        date(1990, 8, 17),
    )
    fauzi = Patient.get(Patient.name == "Ahmad Fauzi")
    assert (fauzi.birth_date, fauzi.phone, fauzi.no_identifier_reason) == (
        date(1985, 5, 2),
        "08119988776",
        "forgotten",
    )
    assert Patient.get(Patient.name == "Budi Santoso").sex == Sex.MALE
    with Path(report.file).open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["outcome"] for row in rows] == [
        "taken", "taken", "merged", "taken", "set_aside", "set_aside", "taken",
    ]  # fmt: skip
    assert rows[2]["medical_record_number"] == "00001234"
    assert "Aminah" not in Path(report.file).read_text()
    assert AuditEvent.select().where(AuditEvent.action == "patient_created").count() == 4


def test_a_dry_run_stores_nothing_and_foresees_the_same(clinic: Clinic, actor: Actor, tmp_path: Path) -> None:
    file = write(tmp_path / "list.csv", *LIST)
    foreseen = importing.run(clinic, actor, file, dry_run=True)
    assert Patient.select().count() == 0
    done = importing.run(clinic, actor, file, dry_run=False)
    assert foreseen.outcomes == done.outcomes
    assert foreseen.reasons == done.reasons


def test_a_stopped_import_goes_on_where_it_was(
    clinic: Clinic, actor: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 10)
    names = [f"{a}{b}{c}o" for a in ("Sur", "Har", "Kus", "Mul") for b in ("ya", "di", "man") for c in "dnt"]
    lines = [
        f"{name},L,{index % 28 + 1:02d}-0{index % 9 + 1}-19{50 + index}" for index, name in enumerate(names)
    ]
    file = write(tmp_path / "list.csv", "nama,jk,tanggal lahir", *lines)

    def stop(done: int, total: int) -> None:
        if done >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importing.run(clinic, actor, file, dry_run=False, progress=stop)
    assert Patient.select().count() == 20
    report = importing.run(clinic, actor, file, dry_run=False)
    assert (report.resumed_at, report.done, report.outcomes["taken"]) == (20, 36, 36)
    assert sorted(patient.name for patient in Patient.select()) == sorted(names)
    with Path(report.file).open(newline="") as rows:
        assert [row["row"] for row in csv.DictReader(rows)] == [str(n) for n in range(1, 37)]
    again = importing.run(clinic, actor, file, dry_run=False)
    assert (again.resumed_at, Patient.select().count()) == (36, 36)


def test_a_batch_that_fails_leaves_nothing_of_itself(
    clinic: Clinic, actor: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    file = write(tmp_path / "list.csv", *LIST)
    note, calls = state.note, []

    def failing(*args: object, **options: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise OSError("disk full")
        note(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(state, "note", failing)
    with pytest.raises(OSError, match="disk full"):
        importing.run(clinic, actor, file, dry_run=False)
    assert sorted(patient.name for patient in Patient.select()) == ["Ahmad Fauzi", "Siti Aminah"]
    events = AuditEvent.select().where(AuditEvent.action == "patient_created").count()
    assert (events, Outbox.select().count(), PatientVersion.select().count()) == (2, 2, 0)
    report = importing.run(clinic, actor, file, dry_run=False)
    assert (report.resumed_at, report.outcomes["taken"], report.outcomes["merged"]) == (2, 4, 1)
    assert audit_check.verify().problems == []


def test_who_is_registered_meanwhile_is_not_taken_twice(
    clinic: Clinic, actor: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "list.csv", *LIST)
    decide, calls = Decisions.decide, []

    def overtaken(decisions: Decisions, done: int, count: int) -> list[Decided]:
        decided = decide(decisions, done, count)
        calls.append(done)
        if len(calls) == 1:
            aminah = PatientFields(
                name="Siti Aminah", sex=Sex.FEMALE, birth_date=date(1990, 8, 17), nik="6371015708900002"
            )
            patients.create(clinic, actor, aminah, clock.now())
        return decided

    monkeypatch.setattr(Decisions, "decide", overtaken)
    report = importing.run(clinic, actor, file, dry_run=False)
    assert (calls, report.outcomes["taken"], report.outcomes["merged"]) == ([0, 0], 3, 2)
    assert Patient.select().where(Patient.nik == "6371015708900002").count() == 1


@pytest.mark.parametrize("batch", [1, 2, 32])
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_row_is_compared_with_what_rows_before_it_added(
    clinic: Clinic, actor: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dry_run: bool, batch: int
) -> None:
    monkeypatch.setattr(importing, "BATCH", batch)
    file = write(
        tmp_path / "list.csv",
        "nama,jk,tgl lahir,nik,ibu,hp",
        "Noor Hayati Zubaidah,P,17-08-1990,,Rusmini,",
        "Noor Hayati Zubaidah,P,17-08-1990,6371015708900002,Rusmini,",
        "Zubaidah,P,18-08-1990,6371015708900002,Rusmini,0811223344",
    )
    report = importing.run(clinic, actor, file, dry_run=dry_run)
    assert report.outcomes == {"taken": 1, "merged": 2}
    if not dry_run:
        kept = Patient.get()
        assert (kept.nik, kept.phone, kept.no_identifier_reason) == ("6371015708900002", "0811223344", None)
        assert PatientVersion.select().count() == 2


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_number_that_is_anothers_is_said_with_whose_it_is(
    clinic: Clinic, actor: Actor, tmp_path: Path, dry_run: bool
) -> None:
    heading = "rm,nama,jk,tgl lahir,no bpjs"
    importing.run(
        clinic, actor, write(tmp_path / "a.csv", heading, "501,Rina,P,1-2-2015,0001234567890"), dry_run=False
    )
    file = write(
        tmp_path / "b.csv",
        heading,
        "502,Joko Santoso,L,7-7-1960,0001234567890",
        "503,Budi,L,9-9-1971,0001234567906",
        "504,Wati,P,4-4-1944,0001234567906",
    )
    report = importing.run(clinic, actor, file, dry_run=dry_run)
    assert (report.outcomes, report.reasons) == ({"taken": 3}, {"bpjs_number: taken": 2})
    waiting = [(row.values["name"], Patient.get_by_id(row.alike_id).name) for row in SetAsideRow.select()]
    assert waiting == ([] if dry_run else [("Joko Santoso", "Rina"), ("Wati", "Budi")])
    if not dry_run:
        assert Patient.select().where(Patient.bpjs_number == "0001234567906").count() == 1


def test_what_the_list_knows_more_is_filled_in(clinic: Clinic, actor: Actor, tmp_path: Path) -> None:
    importing.run(
        clinic, actor,
        write(tmp_path / "a.csv", "nama;jk;tgl lahir;nama ibu;hp", "Siti Aminah;P;17-08-1990;Rusmini;0811223344"),
        dry_run=False,
    )  # fmt: skip
    file = write(
        tmp_path / "b.csv",
        "nama;jk;tgl lahir;nik;alamat;hp",
        "Siti Aminah;P;17-08-1990;6371015708900002;Jl. Mawar 3;0811223344",
    )
    report = importing.run(clinic, actor, file, dry_run=False)
    assert report.outcomes == {"merged": 1}
    patient = Patient.get()
    assert (patient.nik, patient.address, patient.mother_name) == (
        "6371015708900002",
        "Jl. Mawar 3",
        "Rusmini",
    )
    assert PatientVersion.select().where(PatientVersion.patient == patient).count() == 1


def pairs() -> list[set[str]]:
    """The pairs that wait for clerical review, by name and record number."""
    said = {row.id: f"{row.name} {row.medical_record_number}" for row in Patient.select()}
    return [{said[pair.low_id], said[pair.high_id]} for pair in CandidatePair.select()]


def test_a_possible_twin_is_stored_and_paired(clinic: Clinic, actor: Actor, tmp_path: Path) -> None:
    head = "rm;nama;jk;tgl lahir;nama ibu;alamat"
    file = write(
        tmp_path / "twins.csv", head, "1;Rina Hidayat;P;17-08-2015;Rusmini;Jl. Mawar No 3 RT 2",
        "2;Rini Hidayat;P;17-08-2015;Rusmini;Jl. Mawar No 3 RT 2",
    )  # fmt: skip
    report = importing.run(clinic, actor, file, dry_run=False)
    assert report.outcomes == {"taken": 1, "paired": 1}
    assert report.reasons["possible_duplicate"] == 1
    assert pairs() == [{"Rina Hidayat 00000001", "Rini Hidayat 00000002"}]
    assert [sorted((pair.left.name, pair.right.name)) for pair in review_queue.candidate_pairs()] == [
        ["Rina Hidayat", "Rini Hidayat"]
    ]


def test_a_row_that_may_be_either_of_two_twins_is_stored_and_paired_with_both(
    clinic: Clinic, actor: Actor, tmp_path: Path
) -> None:
    for name in ("Najwa Qadri", "Nazwa Qadri"):
        born = date(2020, 11, 24)
        twin = PatientFields(name=name, sex=Sex.FEMALE, birth_date=born, mother_name="Rusmini")
        patients.create(clinic, actor, twin, clock.now())
    row = "Najwa Qadri;P;24-11-2020;Rusmini"
    file = write(tmp_path / "twins.csv", "nama;jk;tgl lahir;nama ibu", row)
    report = importing.run(clinic, actor, file, dry_run=False)
    assert (report.outcomes["paired"], report.reasons["meant_as_well"]) == (1, 1)
    assert (Patient.select().count(), len(pairs())) == (3, 2)


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        ("Siti Aminah;P;17-08-1990;;;", "Siti Aminah;P;17-08-1990;;;", "paired"),
        ("Siti Aminah;P;17-08-1990;Rusmini;;", "Siti Aminah;P;17-08-1990;;;", "paired"),
        ("Siti Aminah;P;17-08-1990;;;Gg. Antasan Kecil No. 12", "Siti Aminah;P;17-08-1990;;;Komp. Saka Permai No. 12 "
         "Kel. Antasan Besar", "paired"),
        ("Siti Aminah;P;17-08-1990;Rusmini;;Jl. Mawar 3", "Siti Aminah;P;17-08-1990;Halimah;;Jl. Melati 9", "paired"),
        ("Siti Aminah;P;01-07-1990;Rusmini;;Jl. Mawar 3", "Siti Aminah;P;01-07-1990;Halimah;;Jl. Melati 9", "taken"),
        ("Siti Aminah;P;17-08-1990;Rusmini;;", "St. Aminah;P;17-08-1990;Rusmini;;", "merged"),
        ("Siti Aminah;P;17-08-1990;;0811223344;", "Siti Aminah;P;17-08-1990;;0811223344;", "merged"),
        ("Siti Aminah;P;17-08-1990;;;", "Siti Aminah;P;18-12-1951;;;", "taken"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("in_one_list", [True, False])
def test_nobody_is_joined_on_name_and_birth_date_alone(
    clinic: Clinic, actor: Actor, tmp_path: Path, first: str, second: str, outcome: str, in_one_list: bool
) -> None:
    head = "nama;jk;tgl lahir;nama ibu;hp;alamat;keterangan"
    first, second = f"{first};a", f"{second};b"
    rows = [[first, second]] if in_one_list else [[first], [second]]
    for number, lines in enumerate(rows):
        report = importing.run(clinic, actor, write(tmp_path / f"{number}.csv", head, *lines), dry_run=False)
    assert report.outcomes[outcome] == (1 if outcome != "taken" else len(lines))
    assert Patient.select().count() == (1 if outcome == "merged" else 2)


def test_the_number_of_the_paper_file_tells_who_a_row_is(
    clinic: Clinic, actor: Actor, tmp_path: Path
) -> None:
    heading, row = "rm;nama;jk;tgl lahir", "501;Siti Aminah;P;17-08-1990"
    importing.run(clinic, actor, write(tmp_path / "a.csv", heading, row), dry_run=False)
    grown = write(tmp_path / "b.csv", heading, row, "502;Budi Santoso;L;1-2-1980")
    assert importing.run(clinic, actor, grown, dry_run=False).outcomes == {"merged": 1, "taken": 1}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Ana;P;0000-00-00;;0 Th 0 Bl 0 Hr", "birth_date: placeholder"),
        ("Ana;P;01-01-1900;;", "birth_date: placeholder"),
    ],
)
def test_what_is_no_date_is_set_aside_with_the_reason(
    clinic: Clinic, actor: Actor, tmp_path: Path, row: str, reason: str
) -> None:
    file = write(tmp_path / "list.csv", "nama;jk;tgl lahir;nik;umur", row)
    report = importing.run(clinic, actor, file, dry_run=False)
    assert (report.outcomes, report.reasons, Patient.select().count()) == ({"set_aside": 1}, {reason: 1}, 0)


def test_the_report_names_the_line_of_the_file(clinic: Clinic, actor: Actor, tmp_path: Path) -> None:
    file = write(tmp_path / "list.csv", "DATA PASIEN", "", "nama;jk;tgl lahir", "", ";L;1-2-1980")
    report = importing.run(clinic, actor, file, dry_run=True)
    with Path(report.file).open(newline="") as lines:
        assert [(line["row"], line["line"]) for line in csv.DictReader(lines)] == [("1", "5")]


def _bomb(path: Path) -> None:
    archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
    with archive, archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
        for _ in range(300):
            part.write(b" " * 1_000_000)


def test_lists_beyond_the_bounds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = tmp_path / "bomb.xlsx"
    _bomb(bomb)
    assert bomb.stat().st_size < 1_000_000
    with pytest.raises(ValidationError, match="too_large"):
        read_table(bomb, {})
    long = write(tmp_path / "long.csv", "nama;jk;tgl lahir", f"{'x' * 40_000};L;1-2-1980")
    with pytest.raises(ValidationError, match="too_large"):
        read_table(long, {})
    rows = write(tmp_path / "rows.csv", "nama;jk;tgl lahir", *["Budi;L;1-2-1980"] * 20)
    for bound, value in (("MOST_ROWS", 20), ("MOST_CELLS", 60), ("LARGEST_FILE", 100)):
        monkeypatch.setattr(spreadsheets, bound, value)
        with pytest.raises(ValidationError, match="too_large"):
            read_table(rows, {})
        monkeypatch.undo()
    assert len(read_table(rows, {}).rows) == 20


def test_a_sheet_that_claims_a_million_rows_is_refused(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["nama", "jk", "tgl lahir"])
    sheet.cell(1_048_576, 1, "x")
    book.save(tmp_path / "tall.xlsx")
    with pytest.raises(ValidationError, match="too_large"):
        read_table(tmp_path / "tall.xlsx", {})


def test_numbers_given_later_go_on_above_the_papers(clinic: Clinic, actor: Actor, tmp_path: Path) -> None:
    file = write(
        tmp_path / "list.csv", "rm;nama;jk;tgl lahir", "0501;Siti Aminah;P;17-08-1990", ";Budi;L;1-2-1980"
    )
    importing.run(clinic, actor, file, dry_run=False)
    numbers = sorted(patient.medical_record_number for patient in Patient.select())
    assert numbers == ["00000501", "00000502"]


def test_no_number_is_given_that_the_papers_have(clinic: Clinic, actor: Actor, tmp_path: Path) -> None:
    file = write(
        tmp_path / "list.csv",
        "rm;nama;jk;tgl lahir",
        ";Budi;L;1-2-1980",
        "1;Siti Aminah;P;17-08-1990",
        "2;Ani;P;3-3-1933",
    )
    report = importing.run(clinic, actor, file, dry_run=False)
    numbers = {patient.name: patient.medical_record_number for patient in Patient.select()}
    assert numbers == {"Budi": "00000003", "Siti Aminah": "00000001", "Ani": "00000002"}
    assert report.reasons == {}


def test_a_mistyped_paper_number_leaves_room_for_those_to_come(
    clinic: Clinic, actor: Actor, tmp_path: Path
) -> None:
    file = write(
        tmp_path / "list.csv",
        "rm;nama;jk;tgl lahir",
        "700;Budi;L;1-2-1980",
        "99999999;Siti Aminah;P;17-08-1990",
        ";Ani;P;3-3-1933",
    )
    importing.run(clinic, actor, file, dry_run=False)
    numbers = {patient.name: patient.medical_record_number for patient in Patient.select()}
    assert numbers == {"Budi": "00000700", "Siti Aminah": "99999999", "Ani": "00000701"}


def test_a_spreadsheet_comes_in(clinic: Clinic, actor: Actor, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["NIK", "NAMA LENGKAP", "L/P", "TTL", "UMUR", "NO. HP"])
    sheet.append(["6371015708900002", "Siti Aminah", "P", "Banjarmasin, 17 Agustus 1990", 36, 8112233445])
    sheet.append([6371010403710010, "Budi Santoso", "L", datetime(1971, 3, 4), None, None])  # noqa: DTZ001
    sheet.append([None, "Kakek Usman", "L", None, 81, None])
    book.save(tmp_path / "list.xlsx")
    report = importing.run(clinic, actor, tmp_path / "list.xlsx", dry_run=False)
    assert report.outcomes == {"taken": 3}
    assert report.reasons == {"nik: digits_lost": 1, "birth_date: estimated": 1}
    rows = {patient.name: patient for patient in Patient.select()}
    assert (rows["Siti Aminah"].birth_date, rows["Siti Aminah"].phone) == (date(1990, 8, 17), "08112233445")
    assert rows["Budi Santoso"].birth_date == date(1971, 3, 4)
    assert rows["Kakek Usman"].birth_date_estimated


def test_a_book_is_read_at_its_first_sheet_with_headings(
    clinic: Clinic, actor: Actor, tmp_path: Path
) -> None:
    book = Workbook()
    book.worksheets[0].append(["REKAPITULASI KUNJUNGAN"])
    sheet = book.create_sheet("Data")
    sheet.append(["Puskesmas Kuin Raya"])
    sheet.append(["", "Identitas", "", "Nomor"])
    sheet.append(["No", "Nama", "L/P", "NIK"])
    sheet.append([1, "Siti Aminah", "P", "6371015708900002"])
    book.save(tmp_path / "list.xlsx")
    assert importing.run(clinic, actor, tmp_path / "list.xlsx", dry_run=False).outcomes == {"taken": 1}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_list_is_read_however_it_was_saved(
    clinic: Clinic, actor: Actor, tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes("Nama;L/P;Tgl.Lahir;N I K\nAndré Tan;L;07-05-1985;".encode(encoding))
    report = importing.run(clinic, actor, file, dry_run=False)
    assert (set(report.columns), Patient.get().name) == ({"name", "sex", "birth_date", "nik"}, "André Tan")


def test_what_a_spreadsheet_dropped_is_put_back_and_said(
    clinic: Clinic, actor: Actor, tmp_path: Path
) -> None:
    file = write(tmp_path / "list.csv", "nama,jk,tgl lahir,no bpjs", "Budi,L,1-2-1980,1234567890")
    report = importing.run(clinic, actor, file, dry_run=False)
    assert (Patient.get().bpjs_number, report.reasons) == ("0001234567890", {"bpjs_number: zeros_added": 1})


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_paper_number_that_is_there_twice_is_said(
    clinic: Clinic, actor: Actor, tmp_path: Path, dry_run: bool
) -> None:
    file = write(
        tmp_path / "list.csv", "rm,nama,jk,tgl lahir", "7,Budi Santoso,L,1-2-1980", "7,Rina Wati,P,9-3-1991"
    )
    report = importing.run(clinic, actor, file, dry_run=dry_run)
    assert (report.outcomes, report.reasons) == ({"taken": 2}, {"record_number: not_kept": 1})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Ana;P;06-10-1988;6371014609883004;", "birth_date: nik_differs"),
        ("Ana;L;06-09-1988;6371014609883004;", "sex: nik_differs"),
        ("Ana;P;06-10-1988;;12", "birth_date: age_differs"),
    ],
)
def test_what_contradicts_itself_is_stored_without_the_number_and_asked_about(
    clinic: Clinic, actor: Actor, tmp_path: Path, row: str, reason: str
) -> None:
    file = write(tmp_path / "list.csv", "nama;jk;tgl lahir;nik;umur", row)
    report = importing.run(clinic, actor, file, dry_run=False)
    assert (report.outcomes, report.reasons) == ({"taken": 1}, {reason: 1})
    stored = Patient.get()
    assert (stored.name, stored.nik, stored.no_identifier_reason) == ("Ana", None, "forgotten")
    waiting = SetAsideRow.get()
    assert (list(waiting.reasons), waiting.alike_id) == ([reason], stored.id)
    assert waiting.values.get("nik", "") == ("" if "age" in reason else "6371014609883004")


HOUSEHOLD = "nama;jk;tgl lahir;nama ibu;hp;alamat;rt;rw"


@pytest.mark.parametrize(
    "second",
    [
        "Siti Aminah;P;19-08-1990;Rusmini;0822000111;Jl. Mawar No. 3;2;1",
        "Siti Aminah;P;19-08-1990;Halimah;0811223344;Jl. Mawar No. 3;2;1",
        "Siti Aminah;P;19-08-1990;Rusmini;0811223344;Jl. Mawar No. 8;2;1",
        "Siti Aminah;P;19-08-1990;Rusmini;0811223344;Jl. Melati No. 3;2;1",
        "Siti Aminah;P;19-08-1990;;;Jl. Mawar No. 3;7;1",
    ],
    ids=["phone", "mother", "house number", "street", "RT"],
)
def test_nobody_is_joined_whose_house_phone_or_mother_differs(
    clinic: Clinic, actor: Actor, tmp_path: Path, second: str
) -> None:
    first = "Siti Aminah;P;19-08-1990;Rusmini;0811223344;Jl. Mawar No. 3;2;1"
    report = importing.run(clinic, actor, write(tmp_path / "a.csv", HOUSEHOLD, first, second), dry_run=False)
    assert report.outcomes == {"taken": 1, "paired": 1}
    assert len(pairs()) == 1


@pytest.mark.parametrize(
    "second",
    [
        "Slamet;L;01-07-1950;;;Jl. Melati No. 31;9;3",
        "Slamet;L;01-07-1950;;;Jl. Veteran;2;3",
        "Slamet;L;01-07-1950;;;;2;3",
    ],
)
def test_a_placeholder_with_rt_and_rw_joins_nobody(
    clinic: Clinic, actor: Actor, tmp_path: Path, second: str
) -> None:
    first = "Slamet;L;01-07-1950;;;Jl. Veteran No. 8;2;3"
    report = importing.run(clinic, actor, write(tmp_path / "a.csv", HOUSEHOLD, first, second), dry_run=False)
    assert (report.outcomes["merged"], Patient.select().count()) == (0, 2)


def test_a_number_of_another_names_the_record_it_is_like(
    clinic: Clinic, actor: Actor, tmp_path: Path
) -> None:
    heading = "rm,nama,jk,tgl lahir,no bpjs"
    first = write(tmp_path / "a.csv", heading, "501,Rina Lestari,P,1-2-2015,0001234567890")
    importing.run(clinic, actor, first, dry_run=False)
    other = write(tmp_path / "b.csv", heading, "502,Joko Santoso,L,7-7-1960,0001234567890")
    importing.run(clinic, actor, other, dry_run=False)
    [row] = SetAsideRow.select()
    assert Patient.get_by_id(row.alike_id).medical_record_number == "00000501"
    assert Patient.get(Patient.name == "Joko Santoso").bpjs_number is None


@pytest.mark.parametrize(
    ("age", "born"),
    [
        ("45", date(1981, 7, 1)), ("45 th", date(1981, 7, 1)), ("8 bln", date(2026, 3, 1)), ("1 th 2 bl", date(2025, 9, 1)),
        ("10 hari", date(2026, 10, 23)),
    ],
)  # fmt: skip
def test_ages_as_found_in_lists(age: str, born: date, tmp_path: Path) -> None:

    table = read_table(write(tmp_path / "list.csv", "nama,jk,umur", f"Budi,L,{age}"), {})
    assert read_row(table, table.rows[0], TODAY).fields["birth_date"] == born


def test_the_admin_names_a_column_that_was_not_guessed(clinic: Clinic, actor: Actor, tmp_path: Path) -> None:
    file = write(tmp_path / "list.csv", "nama,tgl lahir,jk,X1", "Budi,1-2-1980,L,Halimah")
    report = importing.run(clinic, actor, file, dry_run=False, columns={"mother_name": "X1"})
    assert (report.ignored, Patient.get().mother_name) == ([], "Halimah")
    with pytest.raises(ValidationError, match="unknown_column"):
        importing.run(clinic, actor, file, columns={"phone": "no such heading"})


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 not a book", b"\xff\xfe\x00", b"only one column\nx\n", b"\x00" * 9]
)
def test_a_file_that_is_no_list_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(content)
    with pytest.raises(ValidationError):
        read_table(tmp_path / "list", {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("17-08-1990", date(1990, 8, 17)), ("17/8/90", date(1990, 8, 17)), ("1990-08-17", date(1990, 8, 17)),
        ("17 Agustus 1990", date(1990, 8, 17)), ("Bjm, 17 Agt 1990", date(1990, 8, 17)), ("17081990", date(1990, 8, 17)),
        ("17.08.1990", date(1990, 8, 17)), ("1990-08-17 00:00:00", date(1990, 8, 17)), ("33102", date(1990, 8, 17)),
        (33102, date(1990, 8, 17)), (33102.0, date(1990, 8, 17)), ("3 Pebruari 24", date(2024, 2, 3)),
        ("01-02-03", date(2003, 2, 1)), ("31-02-1990", None), ("1990", None), ("", None), (None, None), ("kapan", None),
    ],
)  # fmt: skip
def test_dates_as_found_in_lists(text: object, expected: date | None) -> None:
    assert read_date(text, TODAY) == expected


@given(st.one_of(st.none(), st.text(max_size=40), st.integers(), st.floats(), st.dates()))
def test_no_cell_is_too_odd_for_a_date(cell: object) -> None:
    assert read_date(cell, TODAY) is None or isinstance(read_date(cell, TODAY), date)


@given(st.lists(st.lists(st.text(max_size=20), min_size=1, max_size=8), max_size=6))
def test_odd_cells_are_set_aside_not_fatal(cells: list[list[str]]) -> None:

    places = {
        name: index for index, name in enumerate(("name", "sex", "birth_date", "nik", "age", "phone", "rt"))
    }
    table = ImportTable({}, places, [], [], b"")
    for line in cells:
        row = read_row(table, line, TODAY)
        assert set(row.fatal) <= {"name", "sex", "birth_date"}
