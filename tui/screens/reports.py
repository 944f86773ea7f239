"""Shows reports as tables, by day, and has them written as CSV and XLSX."""

from __future__ import annotations

from datetime import date, timedelta

from rich.cells import cell_len
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from core.daily.reports.registry import REPORTS, Report
from core.foundation.languages import in_language
from core.schemas.clinic import ReportOut
from tui import keymap, theme
from tui.client.errors import RefusedError
from tui.screens.base import Dialog, LoketScreen
from tui.screens.reasons import LineDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text.formatting import NotADateError, date_text, fit, number_text, parse_date
from tui.text.translation import N_, _, language
from tui.widgets import PickList, PickRow

SHORTEST_REASON = 5  # characters
WIDEST = 28  # cells; a wider column is cut
GAP = 2  # cells between two columns


def _choice(report: Report) -> PickRow:
    return PickRow(report.name, [(f" {in_language(report.titles, language())}", theme.PLAIN)])


class ReportDialog(Dialog[str]):
    """Asks which report to show."""

    TITLE_TEXT = N_("Which report?")

    def compose_body(self) -> ComposeResult:
        """List all of them."""
        yield PickList("reports")

    def on_mount(self) -> None:
        """Fill the list and give it the keys."""
        picker = self.query_one(PickList)
        picker.styles.height = len(REPORTS)
        picker.show_rows([_choice(report) for report in REPORTS.values()])
        picker.focus()
        self.hint(_("Enter: yes    Esc: back"))

    @on(PickList.Picked)
    def take(self, event: PickList.Picked) -> None:
        """Close with the name of the chosen report."""
        self.dismiss(event.key)


class ReportsScreen(LoketScreen[None]):
    """Shows one report at a time."""

    TITLE_TEXT = N_("Reports")
    HELP_TEXT = N_(
        "A report of the chosen day, or of the week or month it lies in. O chooses the report, D the day, the "
        "comma and the full stop go one day back and on. The arrows move through the table, left and right "
        "through its columns. W writes it as CSV and XLSX into the server's data folder; one that names patients "
        "needs the leave of the head of the clinic, which W asks for and which holds for a day."
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
        self._report: ReportOut | None = None
        self._first_column = 0

    def compose_body(self) -> ComposeResult:
        """Show title, definition and source, the column heads, and the table."""
        yield Static("", id="about", markup=False)
        yield Static("", classes="gap")
        yield Static("", id="columns", markup=False)
        yield PickList("table")

    def on_mount(self) -> None:
        """Show the first report."""
        self.query_one("#table", PickList).focus()
        self.action_refresh_data()

    def after_language(self) -> None:
        """Show the report in the new language."""
        self.query_one("#table", PickList).focus()
        self._show()

    def on_resize(self) -> None:
        """Show as many columns as fit now."""
        self._show()

    @work(exclusive=True, group="read", exit_on_error=False)
    async def action_refresh_data(self) -> None:
        """Read the report from the server."""
        with self.saying_refusals():
            self._report = await self.session.client.clinic.report(self._report_name, self._day)
            self._show()

    def action_choose(self) -> None:
        """Ask for another report."""

        def chosen(name: str | None) -> None:
            if name:
                self._report_name, self._first_column = name, 0
                self.action_refresh_data()

        self.app.push_screen(ReportDialog(self.session), chosen)

    def action_day(self) -> None:
        """Ask for another day."""

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
        """Show the day before or after."""
        self._turn_to(self._day + timedelta(days=step))

    def _turn_to(self, day: date) -> None:
        self._day = day
        self.say("")
        self.action_refresh_data()

    @work(exclusive=True, group="write", exit_on_error=False)
    async def action_write(self) -> None:
        """Have the server write both files; ask for leave where the report names patients."""
        with self.saying_refusals(), hold_keys(self.app):
            try:
                written = await self.session.client.clinic.write_report(self._report_name, self._day)
            except RefusedError as refusal:
                if refusal.code != "approval_required":
                    raise
                self._ask_for_leave(self._report_name, self._day)
                return
            path = written.files[0].removesuffix(".csv")
            self.say(_("Written: {path}.csv and .xlsx").format(path=path), "good")

    def _ask_for_leave(self, name: str, day: date) -> None:
        def given(reason: str | None) -> None:
            if reason:
                self._send_request(name, day, reason)

        title = N_("This file names patients. What for? (the head of the clinic decides)")
        self.app.push_screen(LineDialog(self.session, title, shortest=SHORTEST_REASON), given)

    @work(exclusive=True, group="write", exit_on_error=False)
    async def _send_request(self, name: str, day: date, reason: str) -> None:
        with self.saying_refusals(), hold_keys(self.app):
            await self.session.client.clinic.ask_for_report_file(name, day, reason)
            self.say(_("Asked. The head of the clinic decides; then W writes the file."), "good")

    def action_turn_columns(self, step: int) -> None:
        """Show other columns; the first one stays."""
        if self._report is not None:
            last = max(0, len(self._report.columns) - 2)
            self._first_column = min(max(self._first_column + step, 0), last)
            self._show()

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


def _numeric(report: ReportOut) -> list[bool]:
    """Return for each column whether it holds numbers, which are aligned to the right."""
    return [
        any(isinstance(row[index], (int, float)) for row in report.rows) and index > 0
        for index in range(len(report.columns))
    ]


def _widths(report: ReportOut) -> list[int]:
    table = [report.columns, *([_cell(cell) for cell in row] for row in report.rows)]
    return [min(WIDEST, max(cell_len(row[index]) for row in table)) for index in range(len(report.columns))]


def _columns_shown(widths: list[int], first: int, room: int) -> list[int]:
    """Return the indexes of the first column and of as many as fit from the one turned to."""
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
