"""Writes reports as files: CSV and XLSX."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from core.daily.reports.registry import REPORTS
from core.daily.reports.report_tables import Cell, ReportTable
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.languages import DEFAULT_LANGUAGE

FOLDER = "reports"
NOTE_FILE = "catatan.txt"
"""Beside the reports of a day: when and why they were written again."""
HEADER_ROW = 5
"""Row of a workbook with the column names: below title, definition, source and an empty row."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t")
"""First characters by which spreadsheets recognise a formula (OWASP, CSV injection)."""
WIDEST = 44
"""Widest column of a workbook, in characters."""


def write(clinic: Clinic, name: str, day: date, report: ReportTable) -> list[Path]:
    """Write a report into the data folder (`reports/DAY/NAME.csv` and `.xlsx`), replacing an older one.

    Args:
        clinic: The clinic whose data folder it is.
        name: The report's name, a name in `registry.REPORTS`.
        day: The day it was asked for.
        report: Its content.

    Returns:
        Paths of the two files.
    """
    clinic.settings.require_daily_folder()
    folder = _folder(clinic, day)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = []
    for suffix, content in (
        # With a mark that tells spreadsheets it is UTF-8.
        ("csv", _csv_bytes(report)),
        ("xlsx", to_xlsx(report)),
    ):
        path = folder / f"{name}.{suffix}"
        part = path.with_name(f"{path.name}.part")
        part.write_bytes(content)
        part.chmod(0o600)
        part.replace(path)
        written.append(path)
    return written


def _folder(clinic: Clinic, day: date) -> Path:
    return clinic.settings.daily_folder / FOLDER / day.isoformat()


def _csv_bytes(report: ReportTable) -> bytes:
    return to_csv(report).encode("utf-8-sig")


def is_outdated(clinic: Clinic, name: str, day: date, report: ReportTable) -> bool:
    """Return whether the file of a report is there and says something else than the report does now.

    Args:
        clinic: The clinic whose data folder it is.
        name: The report's name.
        day: The day it was asked for.
        report: Its content now.
    """
    file = _folder(clinic, day) / f"{name}.csv"
    return file.exists() and file.read_bytes() != _csv_bytes(report)


def note_written_again(clinic: Clinic, day: date, names: Iterable[str]) -> None:
    """Add a line to the note beside a day's reports: whoever handed them in before has to hand them in again.

    Args:
        clinic: The clinic whose data folder it is.
        day: The day of the reports.
        names: Those that say something else than before.
    """
    at = clock.now().astimezone(clinic.zone).strftime("%d-%m-%Y %H:%M")
    titles = ", ".join(REPORTS[name].titles[DEFAULT_LANGUAGE] for name in names)
    line = f"{at} ditulis ulang, karena ada yang dicatat setelah laporan hari ini ditulis: {titles}\n"
    with (_folder(clinic, day) / NOTE_FILE).open("a", encoding="utf-8") as note:
        note.write(line)


def _safe(cell: Cell) -> Cell:
    """Return a cell that a spreadsheet does not take for a formula."""
    if not isinstance(cell, str) or cell == "-":
        return cell
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def to_csv(report: ReportTable) -> str:
    """Return header and rows, comma-separated; the caller chooses the encoding."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(report.columns)
    writer.writerows([_safe(cell) for cell in row] for row in report.rows)
    return out.getvalue()


def to_xlsx(report: ReportTable) -> bytes:
    """Return a workbook of one sheet: title, definition, source, header, rows."""
    # Not needed until a report is written, and one of the slowest imports of a server's start.
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet: Any = book.active
    sheet.title = "Laporan"
    sheet.append([report.title])
    sheet.append([report.definition])
    sheet.append([report.source])
    sheet.append([])
    sheet.append(list(report.columns))
    for row in report.rows:
        sheet.append([_safe(cell) for cell in row])
    for number in (1, HEADER_ROW):
        for cell in sheet[number]:
            cell.font = Font(bold=True)
    for number, column in enumerate(report.columns):
        longest = max(len(str(cell)) for cell in (column, *(row[number] for row in report.rows)))
        sheet.column_dimensions[get_column_letter(number + 1)].width = min(longest + 2, WIDEST)
    sheet.freeze_panes = f"A{HEADER_ROW + 1}"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
