"""`loket import patients` as the admin types it: confirmed, tried, stored, killed half-way, gone on with."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import loket_command
from tests.people import Caller

SYLLABLES = (
    ("Sur", "Har", "Kus", "Mul", "War", "Dar"),
    ("ya", "di", "man", "to", "ni"),
    ("dono", "wati", "sih"),
)
NAMES = [a + b + c for a in SYLLABLES[0] for b in SYLLABLES[1] for c in SYLLABLES[2]]


ENDS = ("taken", "paired", "merged", "set_aside")
"""Each row ends as one of these."""


def write_list(file: Path, rows: int) -> Path:
    """People who have nothing in common."""
    lines = ["No RM;Nama Pasien;JK;Tgl Lahir;No KK;Keterangan"]
    for number in range(rows):
        name = f"{NAMES[number % len(NAMES)]} {NAMES[number * 7 % len(NAMES)]}".title()
        born = f"{number % 28 + 1:02d}-{number % 12 + 1:02d}-{1930 + number % 80}"
        lines.append(f"{number + 1};{name} {chr(97 + number % 26) * 5};L;{born};;x")
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def command(home: Path, file: Path, *options: str) -> list[str]:
    assert home
    return [sys.executable, "-m", "server.cli", "import", "patients", str(file), *options]


def run(
    home: Path, file: Path, *options: str, typed: str = "", language: str = "en"
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LOKET_HOME": str(home), "LOKET_LANGUAGE": language}
    return loket_command.loket("import", "patients", file, *options, environment=environment, typed=typed)


def rows_of(report: Path) -> list[dict[str, str]]:
    with report.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_killed_half_way_it_goes_on_where_it_was(tmp_path: Path) -> None:
    home, total = tmp_path / "home", 300
    file = write_list(tmp_path / "list.csv", total)
    report = Path(f"{file}.report.csv")
    process = subprocess.Popen(
        command(home, file, "--yes", "--tried"), env={**os.environ, "LOKET_HOME": str(home)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while process.poll() is None and (not report.exists() or report.read_text().count("\n") < 40):
        time.sleep(0.01)
    assert process.poll() is None, "it ended before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()
    again = run(home, file, "--yes", "--json")
    assert again.returncode == 0, again.stderr
    assert "going on there" in again.stderr
    document = json.loads(again.stdout)
    assert 0 < document["resumed_at"] < total
    assert (document["done"], sum(document[kind] for kind in ENDS)) == (
        total,
        total,
    )
    rows = rows_of(report)
    assert [row["row"] for row in rows] == [str(number) for number in range(1, total + 1)]
    numbers = [row["medical_record_number"] for row in rows if row["outcome"] == "taken"]
    assert len(set(numbers)) == len(numbers) == document["taken"]
    once_more = json.loads(run(home, file, "--yes", "--tried", "--json").stdout)
    assert (once_more["resumed_at"], once_more["taken"]) == (total, document["taken"])


def test_the_admin_corrects_the_columns_and_agrees_to_what_the_dry_run_foresees(tmp_path: Path) -> None:
    home, file = tmp_path / "home", write_list(tmp_path / "list.csv", 5)
    said = run(home, file, typed="mother_name=Keterangan\nnonsense\nphone=No such\nphone=\n\ny\n")
    assert said.returncode == 0, said.stderr
    assert "phone: there is no such heading" in said.stderr
    assert "write field=heading" in said.stderr
    assert said.stderr.index("Would be:") < said.stderr.index("Store this?") < said.stderr.index("Done:")
    assert {row["outcome"] for row in rows_of(Path(f"{file}.report.csv"))} == {"taken"}


def test_what_is_noted_is_explained_in_the_clinics_language(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("Nama;L/P;Tgl Lahir\nBudi;L;kapan\nRina;P;3 th\n", encoding="utf-8")
    said = run(tmp_path / "home", file, "--yes", "--dry-run", language="id")
    assert "birth_date: unreadable: ini bukan tanggal" in said.stderr
    assert "birth_date: estimated: dihitung dari umur" in said.stderr
    assert "Hasilnya nanti:" in said.stderr


def test_nothing_is_stored_until_the_admin_agrees(tmp_path: Path) -> None:
    home, file = tmp_path / "home", write_list(tmp_path / "list.csv", 5)
    assert run(home, file, typed="\nn\n").returncode == 1
    assert not Path(f"{file}.report.csv").exists()
    assert run(home, file, "--yes", "--dry-run").returncode == 0
    assert not Path(f"{file}.report.csv").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no book", b"one column\nx\n"])
def test_a_file_that_is_no_list_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(content)
    said = run(tmp_path / "home", file, "--yes")
    assert said.returncode == 1
    assert said.stderr.startswith("loket: ")
    assert "Traceback" not in said.stderr


def test_the_clinic_goes_on_meanwhile(tmp_path: Path, settings, clerk: Caller) -> None:
    file = write_list(tmp_path / "list.csv", 120)
    process = subprocess.Popen(
        command(settings.home, file, "--yes", "--tried"), env={**os.environ, "LOKET_HOME": str(settings.home)},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    numbers = []
    while process.poll() is None:
        numbers.append(clerk.registered()["ticket"]["number"])
    assert process.returncode == 0, process.stderr.read() if process.stderr else ""
    assert len(numbers) == len(set(numbers)) > 0
    taken = [row for row in rows_of(Path(f"{file}.report.csv")) if row["outcome"] == "taken"]
    found = clerk.get("patients", params={"q": taken[-1]["medical_record_number"]}).json()
    assert [patient["medical_record_number"] for patient in found] == [taken[-1]["medical_record_number"]]
