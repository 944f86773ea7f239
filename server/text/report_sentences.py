"""A report as text."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from rich.cells import cell_len

from core.daily.reports.report_tables import ReportTable
from server.text.translation import _

DEFINITION_WIDTH = 80  # columns of the text above the table: the narrowest common terminal


def report_lines(report: ReportTable) -> Iterator[str]:
    """Yield a report as text; a wide one has long lines, for `less -S`, rather than broken columns."""
    yield report.title
    yield from wrap(report.definition, DEFINITION_WIDTH)
    yield from wrap(report.source, DEFINITION_WIDTH)
    yield ""
    table = [[str(cell) for cell in row] for row in (report.columns, *report.rows)]
    columns = range(len(report.columns))
    widths = [max(cell_len(row[column]) for row in table) for column in columns]
    numeric = [column for column in columns if _is_numeric(report, column)]
    for row in table:
        cells = [_padded(row[column], widths[column], column in numeric) for column in columns]
        yield "  ".join(cells).rstrip()


def asked_for_leave() -> str:
    """Return the sentence after leave was asked for."""
    return _("Asked. The head of the clinic decides (list of the day, Y); then run the command again.")


def _is_numeric(report: ReportTable, column: int) -> bool:
    """Return whether a column holds numbers; the first one names its row."""
    return column > 0 and any(isinstance(row[column], (int, float)) for row in report.rows)


def _padded(cell: str, width: int, to_the_right: bool) -> str:
    if to_the_right:
        return cell.rjust(width)
    return cell + " " * (width - cell_len(cell))
