"""Reports as files: CSV and XLSX."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from core.clinic import Clinic
from core.reports.tables import Cell, Report

FOLDER = "reports"
WIDEST = 44
"""Letters of a column in a workbook."""


def write(clinic: Clinic, name: str, day: date, report: Report) -> list[Path]:
    """Put a report into the data folder (`reports/DAY/NAME.csv` and `.xlsx`); an older one is replaced.

    Returns:
        The files.
    """
    folder = clinic.settings.home / FOLDER / day.isoformat()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = []
    for suffix, content in (
        # With a mark that tells spreadsheets it is UTF-8.
        ("csv", to_csv(report).encode("utf-8-sig")),
        ("xlsx", to_xlsx(report)),
    ):
        path = folder / f"{name}.{suffix}"
        part = path.with_name(f"{path.name}.part")
        part.write_bytes(content)
        part.replace(path)
        written.append(path)
    return written


def _safe(cell: Cell) -> Cell:
    """Text that begins like a formula must stay text in a spreadsheet."""
    return (
        f"'{cell}"
        if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t"} and cell != "-"
        else cell
    )


def to_csv(report: Report) -> str:
    """Header and rows, comma-separated; the caller chooses the encoding."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(report.columns)
    writer.writerows([_safe(cell) for cell in row] for row in report.rows)
    return out.getvalue()


def to_xlsx(report: Report) -> bytes:
    """A workbook of one sheet: title, definition, source, header, rows."""
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
    for number in (1, 5):
        for cell in sheet[number]:
            cell.font = Font(bold=True)
    for number, column in enumerate(report.columns):
        longest = max(len(str(cell)) for cell in (column, *(row[number] for row in report.rows)))
        sheet.column_dimensions[get_column_letter(number + 1)].width = min(longest + 2, WIDEST)
    sheet.freeze_panes = "A6"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
