"""Reports against days made by hand."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from core.daily import closing_actions
from core.daily.reports import report_files, report_tables
from core.daily.reports.diseases import AGE_BANDS, age_band, skdr_matches
from core.daily.reports.registry import REPORTS
from core.daily.reports.report_tables import epidemiological_week, month_of
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import CaseKind, Payer, Sex, VisitStatus
from core.foundation.identifiers import new_id
from core.models import Diagnosis, Encounter, QueueEntry, RoutingExample, Visit
from tests.core.days import Days, open_clinic

DAY = date(2026, 3, 2)


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return open_clinic(tmp_path / "clinic")


def row(report: report_tables.ReportTable, first: object) -> dict[str, object]:
    found = [line for line in report.rows if line[0] == first]
    assert len(found) == 1, report.rows
    return dict(zip(report.columns, found[0], strict=True))


@pytest.mark.parametrize(
    ("born", "band"),
    [
        (DAY, "0-7 hr"),
        (DAY - timedelta(days=7), "0-7 hr"),
        (DAY - timedelta(days=8), "8-28 hr"),
        (DAY - timedelta(days=28), "8-28 hr"),
        (DAY - timedelta(days=29), "29 hr-<1 th"),
        (date(2025, 3, 3), "29 hr-<1 th"),
        (date(2025, 3, 2), "1-4 th"),
        (date(2021, 3, 3), "1-4 th"),
        (date(2021, 3, 2), "5-9 th"),
        (date(2016, 3, 3), "5-9 th"),
        (date(2016, 3, 2), "10-14 th"),
        (date(2011, 3, 2), "15-19 th"),
        (date(2006, 3, 3), "15-19 th"),
        (date(2006, 3, 2), "20-44 th"),
        (date(1981, 3, 3), "20-44 th"),
        (date(1981, 3, 2), "45-54 th"),
        (date(1971, 3, 2), "55-59 th"),
        (date(1966, 3, 3), "55-59 th"),
        (date(1966, 3, 2), "60-69 th"),
        (date(1956, 3, 3), "60-69 th"),
        (date(1956, 3, 2), ">=70 th"),
        (date(1900, 1, 1), ">=70 th"),
    ],
)
def test_ages_at_the_edges_of_the_bands(born: date, band: str) -> None:
    assert AGE_BANDS[age_band(born, DAY)] == band


@pytest.mark.parametrize(
    ("day", "band"),
    [(date(2025, 2, 28), "29 hr-<1 th"), (date(2025, 3, 1), "1-4 th"), (date(2029, 2, 28), "1-4 th")],
)
def test_a_child_of_a_leap_day_has_its_birthday_on_the_first_of_march(day: date, band: str) -> None:
    assert AGE_BANDS[age_band(date(2024, 2, 29), day)] == band


def test_months_and_weeks() -> None:
    assert month_of(date(2028, 2, 10)) == (date(2028, 2, 1), date(2028, 2, 29))
    assert month_of(date(2026, 12, 31)) == (date(2026, 12, 1), date(2026, 12, 31))
    sunday, saturday = date(2026, 3, 1), date(2026, 3, 7)
    for offset in range(7):
        assert epidemiological_week(sunday + timedelta(days=offset)) == (sunday, saturday)


@pytest.mark.parametrize("name", list(REPORTS))
def test_a_day_without_data_is_a_report_with_zeros(clinic: Clinic, days: Days, name: str) -> None:
    report = report_tables.build(clinic, name, DAY)
    assert report.rows
    assert all(len(line) == len(report.columns) for line in report.rows)
    numbers = [cell for line in report.rows for cell in line if isinstance(cell, (int, float))]
    assert numbers
    assert set(numbers) == {0}


@pytest.mark.parametrize("name", list(REPORTS))
def test_every_report_goes_to_csv_and_xlsx_with_the_same_cells(clinic: Clinic, days: Days, name: str) -> None:
    days.fill(DAY, 15)
    report = report_tables.build(clinic, name, DAY)
    lines = list(csv.reader(io.StringIO(report_files.to_csv(report))))
    assert tuple(lines[0]) == report.columns
    assert len(lines) == len(report.rows) + 1
    sheet = load_workbook(io.BytesIO(report_files.to_xlsx(report))).worksheets[0]
    assert sheet["A1"].value == report.title
    assert sheet["A2"].value == report.definition
    assert sheet["A3"].value == report.source
    written = [
        tuple("" if cell is None else cell for cell in line)
        for line in sheet.iter_rows(min_row=6, values_only=True)
    ]
    assert written == report.rows


def test_lb1_counts_cases_by_age_sex_and_kind(clinic: Clinic, days: Days) -> None:
    baby = days.patient(birth_date=DAY - timedelta(days=28), sex=Sex.FEMALE)
    man = days.patient(birth_date=date(1966, 3, 2), sex=Sex.MALE)
    days.visit(DAY, baby, cluster="UMUM", codes=["J06.9"])
    visit = days.visit(DAY, man, cluster="UMUM", codes=["J06.9", "I10"])
    encounter = Encounter.get(Encounter.visit == visit)
    Diagnosis.update(case_kind=CaseKind.OLD).where(Diagnosis.code == "I10").execute()
    # None of these counts: struck out, voided, cancelled, another month.
    days.diagnosis(visit, encounter, "R51", 3, clock.now(), voided_at=clock.now())
    days.visit(DAY, cluster="UMUM", codes=["J06.9"], voided_at=clock.now())
    days.visit(DAY, cluster="UMUM", codes=["J06.9"], status=VisitStatus.CANCELLED)
    days.visit(date(2026, 2, 28), cluster="UMUM", codes=["J06.9"])
    report = report_tables.build(clinic, "lb1", DAY)
    assert [line[0] for line in report.rows] == ["I10", "J06.9", "Jumlah"]
    cold = row(report, "J06.9")
    assert (cold["8-28 hr P"], cold["60-69 th L"], cold["Baru L"], cold["Baru P"], cold["Baru jml"]) == (
        1,
        1,
        1,
        1,
        2,
    )
    assert (cold["Lama jml"], cold["Jumlah"]) == (0, 2)
    pressure = row(report, "I10")
    assert (pressure["Baru jml"], pressure["Lama L"], pressure["Lama jml"], pressure["Jumlah"]) == (
        0,
        1,
        1,
        1,
    )
    assert row(report, "Jumlah")["Jumlah"] == 3


def test_the_ten_most_frequent_are_by_new_cases(clinic: Clinic, days: Days) -> None:
    for _ in range(3):
        days.visit(DAY, cluster="UMUM", codes=["I10"])
    days.visit(DAY, cluster="UMUM", codes=["R51"])
    Diagnosis.update(case_kind=CaseKind.OLD).where(
        Diagnosis.id.in_([found.id for found in Diagnosis.select().where(Diagnosis.code == "I10").limit(2)])
    ).execute()
    for number in range(12):
        days.visit(DAY, cluster="UMUM", codes=[f"J{number:02d}", f"K{number:02d}"])
    report = report_tables.build(clinic, "top-diagnoses", DAY)
    assert len(report.rows) == 11
    assert row(report, "Jumlah")["Jumlah"] == 26
    assert [line[1] for line in report.rows[:2]] == ["I10", "J00"]


def test_skdr_counts_the_week_by_code_and_range(clinic: Clinic, days: Days) -> None:
    days.visit(date(2026, 3, 1), cluster="UMUM", codes=["A09", "J18.9"])
    days.visit(date(2026, 3, 7), cluster="UMUM", codes=["A01.0"])
    days.visit(date(2026, 3, 8), cluster="UMUM", codes=["A09"])
    days.visit(date(2026, 2, 28), cluster="UMUM", codes=["A09"])
    report = report_tables.build(clinic, "skdr", DAY)
    counts = {line[0]: line[3] for line in report.rows}
    assert (counts["A"], counts["D"], counts["F"], counts["B"], counts["Jumlah"]) == (1, 1, 1, 0, 2)


@pytest.mark.parametrize(
    ("code", "patterns", "matches"),
    [
        ("A09", ("A09",), True),
        ("A09.1", ("A09",), True),
        ("A091", ("A09",), False),
        ("J15.2", ("J13-J18",), True),
        ("J19", ("J13-J18",), False),
        ("B17.9", ("B17.9",), True),
        ("B17.1", ("B17.9",), False),
        ("A00.9", ("A00.9",), True),
        ("A00", ("A00.9",), False),
        ("J06.9", (), False),
    ],
)
def test_skdr_patterns(code: str, patterns: tuple[str, ...], matches: bool) -> None:
    assert skdr_matches(code, patterns) is matches


def test_waits_and_services_are_minutes_from_the_queue(clinic: Clinic, days: Days) -> None:
    start = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    for minutes in ((10, 5), (20, 7), (60, 9)):
        days.visit(DAY, cluster="GIGI", started_at=start, minutes=minutes)
    left = days.visit(DAY, cluster="GIGI", started_at=start, full=False)
    QueueEntry.update(status="left", called_at=None, served_at=None).where(QueueEntry.visit == left).execute()
    line = row(report_tables.build(clinic, "waits", DAY), "GIGI")
    assert (line["Nomor"], line["Dipanggil"], line["Dilayani"], line["Pergi"]) == (4, 3, 3, 1)
    assert (line["Tunggu median"], line["Tunggu P90"], line["Tunggu terlama"], line["Pelayanan median"]) == (
        20,
        60,
        60,
        7,
    )


def test_payers_by_cluster_and_as_visits(clinic: Clinic, days: Days) -> None:
    visit = days.visit(DAY, cluster="UMUM", payer=Payer.JKN_PBI)
    days.visit(DAY, cluster="GIGI", payer=Payer.JKN_PBI)
    assert visit.ended_at is not None
    days.entry(visit, "LAB", visit.started_at, visit.started_at, visit.ended_at)
    line = row(report_tables.build(clinic, "payers", DAY), "JKN PBI")
    assert (line["UMUM"], line["GIGI"], line["LAB"], line["Kunjungan"]) == (1, 1, 1, 2)
    assert row(report_tables.build(clinic, "payers", DAY), "Jumlah")["Kunjungan"] == 2


def test_misrouting_is_the_share_moved_by_the_rule_that_proposed(clinic: Clinic, days: Days) -> None:
    decision = {"reasons": [["dental_word", "gigi", "GIGI"]]}
    first = days.visit(DAY, cluster="GIGI", routing=decision)
    days.visit(DAY, cluster="GIGI", routing=decision, override_reason="permintaan pasien")
    days.visit(DAY, cluster="UMUM")
    RoutingExample.create(
        id=new_id(), complaint="x", age_days=1, sex="male", pregnant=False, proposed="GIGI", chosen="UMUM",
        source="transfer", visit=first, at=clock.now(),
    )  # fmt: skip
    line = row(report_tables.build(clinic, "misrouting", DAY), "dental_word")
    assert (line["Kunjungan"], line["Dipilih lain"], line["Dipindah"], line["% dipindah"]) == (2, 1, 1, 50.0)


def test_the_register_lists_the_clinics_day_not_the_worlds(clinic: Clinic, days: Days) -> None:
    """07:30 in Banjarmasin is still yesterday in UTC."""
    patient = days.patient(
        name="Siti Contoh", sex=Sex.FEMALE, birth_date=date(2026, 1, 1), nik="6371014101260001"
    )
    early = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    visit = days.visit(DAY, patient, cluster="UMUM", codes=["J06.9"], started_at=early)
    report = report_tables.build(clinic, "daily-register", DAY)
    line = row(report, 1)
    assert line["Jam"] == "07:30"
    assert (line["Nama"], line["L/P"], line["Umur"], line["ICD-10"], line["Poli"]) == (
        "Siti Contoh",
        "P",
        "2 bl",
        "J06.9",
        "UMUM",
    )
    assert line["No RM"] == patient.medical_record_number
    assert report.rows[-1][:2] == ("Jumlah", 1)
    assert report_tables.build(clinic, "daily-register", date(2026, 3, 1)).rows[-1][1] == 0
    assert Visit.get_by_id(visit.id).service_on == DAY


def test_a_name_that_is_a_formula_stays_text(clinic: Clinic, days: Days) -> None:
    days.visit(DAY, days.patient(name="=HYPERLINK(1)"), cluster="UMUM")
    report = report_tables.build(clinic, "daily-register", DAY)
    assert "'=HYPERLINK(1)" in report_files.to_csv(report)
    sheet = load_workbook(io.BytesIO(report_files.to_xlsx(report))).worksheets[0]
    assert sheet["F6"].value == "'=HYPERLINK(1)"
    assert sheet["F6"].data_type == "s"


def test_a_visit_around_midnight_belongs_to_the_clinics_day(clinic: Clinic, days: Days) -> None:
    """One minute to midnight in Banjarmasin is 15:59 in UTC, one minute past is 16:01 of the same day there."""
    for minute, day in ((59, DAY), (61, DAY + timedelta(days=1))):
        started = datetime(2026, 3, 2, 15, 0, tzinfo=UTC) + timedelta(minutes=minute)
        assert clock.day_of(started, clinic.zone) == day
        days.visit(day, started_at=started, cluster="UMUM", codes=["J00"])
    registers = [report_tables.build(clinic, "daily-register", DAY + timedelta(days=n)) for n in (0, 1)]
    assert [row(report, 1)["Jam"] for report in registers] == ["23:59", "00:01"]
    assert [report.rows[-1][1] for report in registers] == [1, 1]


def test_lb1_puts_each_person_into_the_band_of_the_visits_day(clinic: Clinic, days: Days) -> None:
    """The same child a day before and on its birthday; a leap day's child; a baby of seven and eight days."""
    birthday = days.patient(birth_date=date(2021, 3, 3), sex=Sex.MALE)
    leapling = days.patient(birth_date=date(2012, 2, 29), sex=Sex.FEMALE)
    baby = days.patient(birth_date=date(2026, 2, 23), sex=Sex.FEMALE)
    for day, patient in (
        (date(2026, 3, 2), birthday),  # four years
        (date(2026, 3, 3), birthday),  # five
        (date(2026, 3, 1), leapling),  # fourteen: the birthday falls on 1 March
        (date(2026, 3, 2), baby),  # seven days
        (date(2026, 3, 3), baby),  # eight
    ):
        days.visit(day, patient, cluster="UMUM", codes=["J00"])
    line = row(report_tables.build(clinic, "lb1", DAY), "J00")
    counted = {name: value for name, value in line.items() if value == 1 and name[-2:] in {" L", " P"}}
    assert set(counted) == {"1-4 th L", "5-9 th L", "10-14 th P", "0-7 hr P", "8-28 hr P"}
    assert line["Jumlah"] == 5


def test_what_was_struck_out_voided_or_cancelled_counts_nowhere(clinic: Clinic, days: Days) -> None:
    kept = days.visit(DAY, cluster="UMUM", codes=["I10"])
    days.visit(DAY, cluster="UMUM", codes=["I10"], voided_at=clock.now())
    days.visit(DAY, cluster="UMUM", codes=["I10"], status=VisitStatus.CANCELLED)
    Diagnosis.update(voided_at=clock.now()).where(Diagnosis.visit != kept.id).execute()
    struck = days.visit(DAY, cluster="UMUM", codes=["J00"])
    Diagnosis.update(voided_at=clock.now()).where(Diagnosis.visit == struck.id).execute()
    assert report_tables.build(clinic, "daily-register", DAY).rows[-1][1] == 2
    assert [line[0] for line in report_tables.build(clinic, "lb1", DAY).rows] == ["I10", "Jumlah"]
    assert report_tables.build(clinic, "top-diagnoses", DAY).rows[0][5] == 1


def test_a_week_takes_saturday_and_leaves_sunday(clinic: Clinic, days: Days) -> None:
    for day in (date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 7), date(2026, 3, 8)):
        days.visit(day, cluster="UMUM", codes=["A09"])
    assert row(report_tables.build(clinic, "skdr", DAY), "A")["Kasus"] == 2
    assert report_tables.build(clinic, "skdr", DAY).rows[-1][-1] == 2


def test_misrouting_is_counted_by_the_rule_that_proposed(clinic: Clinic, days: Days) -> None:
    """Four by one rule, of which one was moved and one overridden; two by another, none moved."""

    def routed(rule: str, **changes: Any) -> Visit:
        return days.visit(DAY, cluster="UMUM", routing={"reasons": [[rule, {}]]}, **changes)

    moved = [
        routed("elderly"),
        routed("elderly"),
        routed("elderly", override_reason="minta"),
        routed("elderly"),
    ][0]
    for _ in range(2):
        routed("general")
    RoutingExample.create(
        id=new_id(), complaint="x", age_days=1, sex="male", pregnant=False, proposed="LANSIA", chosen="UMUM",
        source="transfer", visit=moved, at=clock.now(),
    )  # fmt: skip
    report = report_tables.build(clinic, "misrouting", DAY)
    assert [tuple(line) for line in report.rows] == [
        ("elderly", 4, 1, 1, 25.0),
        ("general", 2, 0, 0, 0.0),
        ("Jumlah", 6, 1, 1, 16.7),
    ]


@pytest.mark.parametrize("name", list(REPORTS))
def test_every_report_says_what_it_counts_and_by_whose_rule(clinic: Clinic, days: Days, name: str) -> None:
    report = report_tables.build(clinic, name, DAY)
    assert report.definition.endswith(".")
    assert report.source.endswith(".")
    assert len(set(report.columns)) == len(report.columns)


@pytest.mark.parametrize("names_too", [True, False])
def test_files_that_name_patients_are_written_only_where_the_setting_says_so(
    clinic: Clinic, days: Days, names_too: bool
) -> None:
    """And none of the others names anybody; nobody else on the machine reads any of them."""
    days.fill(DAY, 8)
    patients = [visit.patient for visit in Visit.select()]
    settings = clinic.settings.model_copy(update={"reports_with_names": names_too})
    closing_actions.write_reports(replace(clinic, settings=settings), DAY)
    folder = clinic.settings.home / "reports" / DAY.isoformat()
    files = sorted(folder.glob("*.csv"))
    naming = {file.stem for file in files if any(one.name in file.read_text("utf-8-sig") for one in patients)}
    assert naming == ({"daily-register"} if names_too else set())
    kept_back = sum(report.has_names for report in REPORTS.values())
    assert len(files) == len(REPORTS) - (0 if names_too else kept_back)
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


@pytest.mark.parametrize(
    ("catchment", "village", "said"),
    [
        ("637101,6371031001", "6371011001", "dalam"),
        ("637101,6371031001", "6371031001", "dalam"),
        ("637101,6371031001", "6371031002", "luar"),
        ("637101", "", ""),
        ("", "6371011001", ""),
    ],
)
def test_the_register_says_who_is_from_the_catchment(
    clinic: Clinic, days: Days, catchment: str, village: str, said: str
) -> None:
    told = Clinic(clinic.settings.model_copy(update={"catchment": catchment}), clinic.clusters)
    visit = days.visit(DAY, days.patient(village_code=village))
    register = report_tables.build(told, "daily-register", visit.service_on)
    assert register.rows[0][register.columns.index("Wilayah")] == said
