"""The reports as tables: choose one, choose the day, read, have it written as CSV and XLSX."""

from __future__ import annotations

from datetime import date, timedelta

from rich.cells import cell_len
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from core.schemas.clinic import ReportShape
from tui import keymap, theme
from tui.formatting import NotADateError, date_text, fit, number_text, parse_date
from tui.screens.base import Dialog, LoketScreen
from tui.screens.reasons import LineDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import N_, _
from tui.widgets import PickList, PickRow

REPORTS = {
    "daily-register": N_("Daily register"),
    "lb1": N_("LB1 diseases of the month"),
    "top-diagnoses": N_("Ten most frequent diseases"),
    "skdr": N_("SKDR weekly counts"),
    "payers": N_("Visits by payer and cluster"),
    "waits": N_("Waits and services"),
    "misrouting": N_("Misrouting by rule"),
}
WIDEST = 28  # cells of one column
GAP = 2


class ReportDialog(Dialog[str]):
    """Which report."""

    TITLE_TEXT = N_("Which report?")

    def compose_body(self) -> ComposeResult:
        """All of them."""
        yield PickList("reports")

    def on_mount(self) -> None:
        """Choose among them."""
        picker = self.query_one(PickList)
        picker.styles.height = len(REPORTS)
        picker.show_rows([PickRow(name, [(f" {_(title)}", theme.PLAIN)]) for name, title in REPORTS.items()])
        picker.focus()
        self.hint(_("Enter: yes    Esc: back"))

    @on(PickList.Picked)
    def take(self, event: PickList.Picked) -> None:
        """Give it."""
        self.dismiss(event.key)


class ReportsScreen(LoketScreen[None]):
    """One report at a time."""

    TITLE_TEXT = N_("Reports")
    HELP_TEXT = N_(
        "A report of the chosen day, or of the week or month it lies in. O chooses the report, D the day, the "
        "comma and the full stop go one day back and on. The arrows move through the table, left and right "
        "through its columns. W writes it as CSV and XLSX into the server's data folder."
    )
    BINDINGS = [
        keymap.BACK,
        Binding("o", "choose", N_("Report")),
        Binding("d", "day", N_("Day")),
        Binding("comma", "turn_day(-1)", show=False),
        Binding("full_stop", "turn_day(1)", show=False),
        Binding("w", "write", N_("Write files")),
        Binding("left", "turn_columns(-1)", show=False),
        Binding("right", "turn_columns(1)", show=False),
        keymap.REFRESH,
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._report_name = next(iter(REPORTS))
        self._day = session.clinic.today
        self._report: ReportShape | None = None
        self._first_column = 0

    def compose_body(self) -> ComposeResult:
        """What it is, what it means, the table."""
        yield Static("", id="about", markup=False)
        yield Static("", classes="gap")
        yield Static("", id="columns", markup=False)
        yield PickList("table")

    def on_mount(self) -> None:
        """Show the first."""
        self.query_one("#table", PickList).focus()
        self.action_refresh_data()

    def after_language(self) -> None:
        """Show it again."""
        self.query_one("#table", PickList).focus()
        self._show()

    def on_resize(self) -> None:
        """More or fewer columns fit."""
        self._show()

    @work(exclusive=True, group="read", exit_on_error=False)
    async def action_refresh_data(self) -> None:
        """Read it."""
        with self.saying_refusals():
            self._report = await self.session.client.report(self._report_name, self._day)
            self._show()

    def action_choose(self) -> None:
        """Another report."""

        def chosen(name: str | None) -> None:
            if name:
                self._report_name, self._first_column = name, 0
                self.action_refresh_data()

        self.app.push_screen(ReportDialog(self.session), chosen)

    def action_day(self) -> None:
        """Another day."""

        def typed(text: str | None) -> None:
            if not text:
                return
            try:
                self._turn_to(parse_date(text))
            except NotADateError:
                self.say(_("That is no day of the calendar. Type it like 31-12-2026."), "error")

        title = N_("Which day? (for example 31-12-2026)")
        self.app.push_screen(LineDialog(self.session, title, value=date_text(self._day)), typed)

    def action_turn_day(self, step: int) -> None:
        """The day before or after."""
        self._turn_to(self._day + timedelta(days=step))

    def _turn_to(self, day: date) -> None:
        self._day = day
        self.say("")
        self.action_refresh_data()

    @work(exclusive=True, group="write", exit_on_error=False)
    async def action_write(self) -> None:
        """Have both files written."""
        with self.saying_refusals(), hold_keys(self.app):
            written = await self.session.client.write_report(self._report_name, self._day)
            path = written.files[0].removesuffix(".csv")
            self.say(_("Written: {path}.csv and .xlsx").format(path=path), "good")

    def action_turn_columns(self, step: int) -> None:
        """Show other columns; the first stays."""
        if self._report is not None:
            last = max(0, len(self._report.columns) - 2)
            self._first_column = min(max(self._first_column + step, 0), last)
            self._show()

    # What is shown

    def _show(self) -> None:
        report = self._report
        if report is None:
            return
        room = max(40, self.size.width - 2)
        about = [report.title, *_wrapped(report.definition, room), *_wrapped(report.source, room)]
        self.query_one("#about", Static).update("\n".join(f" {line}" for line in about))
        widths = _widths(report)
        shown = _columns_shown(widths, self._first_column, room)
        heads = _line(report.columns, widths, shown, _numeric(report))
        left, right = self._first_column > 0, shown[-1] < len(widths) - 1
        marks = ("<" if left else " ") + (">" if right else " ")
        self.query_one("#columns", Static).update(f"{marks[0]}{heads}{marks[1]}")
        rows = [
            PickRow(str(number), [(_line([_cell(cell) for cell in row], widths, shown, _numeric(report)), theme.PLAIN)])
            for number, row in enumerate(report.rows)
        ]  # fmt: skip
        self.query_one("#table", PickList).show_rows(rows, keep=True)


def _cell(value: str | int | float) -> str:
    return number_text(value) if isinstance(value, float) else str(value)


def _numeric(report: ReportShape) -> list[bool]:
    """Which columns hold numbers: these stand to the right."""
    return [
        any(isinstance(row[index], (int, float)) for row in report.rows) and index > 0
        for index in range(len(report.columns))
    ]


def _widths(report: ReportShape) -> list[int]:
    table = [report.columns, *([_cell(cell) for cell in row] for row in report.rows)]
    return [min(WIDEST, max(cell_len(row[index]) for row in table)) for index in range(len(report.columns))]


def _columns_shown(widths: list[int], first: int, room: int) -> list[int]:
    """The first column, then as many as fit after those that were turned past."""
    shown, left = [0], room - widths[0] - GAP
    for index in range(1 + first, len(widths)):
        left -= widths[index] + GAP
        if left < 0 and len(shown) > 1:
            break
        shown.append(index)
    return shown


def _line(cells: list[str], widths: list[int], shown: list[int], numeric: list[bool]) -> str:
    parts = []
    for index in shown:
        text = fit(cells[index], widths[index])
        parts.append(text.rstrip().rjust(widths[index]) if numeric[index] else text)
    return (" " * GAP).join(parts)


def _wrapped(text: str, width: int) -> list[str]:
    from textwrap import wrap

    return wrap(text, width - 1)
