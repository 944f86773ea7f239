"""The supervisor's board: every cluster in one line, who is at work, the day as columns."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.widgets import Static

from core import clock
from core.schemas.queues import BoardCluster, BoardShape, BoardStaff
from tui import keymap, theme
from tui.formatting import fit, in_rows, time_text
from tui.messages import QueueChanged
from tui.screens.base import LoketScreen
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import N_, _
from tui.widgets import DayPlot

PAUSE_SECONDS = 1.0  # a busy clinic's board is read and painted once a second at most
NAME_CELLS, WIDE_NAME_CELLS, WIDE_FROM_CELLS = 24, 40, 110
COLUMNS = (
    (N_("waiting"), 9), (N_("longest"), 9), (N_("in rooms"), 9), (N_("served"), 9), (N_("gone"), 7),
    (N_("ends about"), 13),
)  # fmt: skip
"""Heading and width of what is counted."""


class BoardScreen(LoketScreen[None]):
    """All clusters at once; follows the change feed."""

    AREA = "board"
    TITLE_TEXT = N_("Board")
    HELP_TEXT = N_(
        "Every cluster as it is now: who waits, the longest wait in minutes ('!' and '!!' mark a long one), "
        "who is in the rooms, how many were served, how many have gone away, and when those who are here will "
        "have been served if nobody else comes. Below: who is signed in and with which number, arrivals in "
        "each half hour, and the median wait of those called in it."
    )
    BINDINGS = [keymap.REFRESH]
    CSS_PATH = "board.tcss"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._board: BoardShape | None = None
        self._reading = False

    def compose_body(self) -> ComposeResult:
        """A table, a line of people, two rows of columns."""
        yield Static("", id="clusters", markup=False)
        yield Static("", id="present", markup=False)
        yield DayPlot("arrivals")
        yield DayPlot("waits", labelled=True)

    def on_mount(self) -> None:
        """Read it."""
        self.read_board()

    def on_screen_resume(self) -> None:
        """Read it again."""
        super().on_screen_resume()
        self.read_board()

    def on_queue_changed(self, message: QueueChanged) -> None:
        """Something happened in some queue; many things at once are read once."""
        if not self._reading:
            self._reading = True
            self.set_timer(PAUSE_SECONDS, self.read_board)

    def minute_passed(self) -> None:
        """Waits have grown."""
        self.read_board()

    def after_language(self) -> None:
        """Show it again."""
        self._show()

    @work(exclusive=True, group="board", exit_on_error=False)
    async def read_board(self) -> None:
        """Show the board as it is now."""
        self._reading = False
        with self.saying_refusals():
            self._board = await self.session.client.board()
            self._show()

    @work(exclusive=True, group="board", exit_on_error=False)
    async def action_refresh_data(self) -> None:
        """Read it again, and say so."""
        with self.saying_refusals(), hold_keys(self.app):
            self._board = await self.session.client.board()
            self._show()
            self.say(_("Up to date."))

    def _show(self) -> None:
        board = self._board
        if board is None:
            return
        name_cells = WIDE_NAME_CELLS if self.size.width >= WIDE_FROM_CELLS else NAME_CELLS
        text = Text(no_wrap=True, overflow="ellipsis")
        headings = "".join(f"{_(heading):>{cells}}" for heading, cells in COLUMNS)
        text.append(" " * name_cells + headings, theme.STRONG)
        for cluster in board.clusters:
            text.append(f"\n {self.session.prefix_of(cluster.code)} ", theme.STRONG)
            text.append(fit(self.session.cluster_name(cluster.code), name_cells - 4) + " ")
            self._append_counts(text, cluster)
        text.append("\n" + fit(" " + _("All"), name_cells), theme.STRONG)
        self._append_counts(text, _sum(board.clusters))
        self.query_one("#clusters", Static).update(text)
        people = [self._person(person) for person in board.staff] or [_("nobody")]
        said = _("Signed in: {people}").format(people="")
        rows = in_rows(people, self.size.width - cell_len(said) - 2)
        self.query_one("#present", Static).update(f" {said}" + f"\n {' ' * cell_len(said)}".join(rows))
        self._show_day(board)

    def _append_counts(self, text: Text, cluster: BoardCluster) -> None:
        clinic = self.session.clinic
        longest = cluster.longest_wait_minutes
        sign, style = "", theme.PLAIN
        if longest is not None and longest >= clinic.wait_limit_minutes:
            sign, style = "!!", theme.ALERT
        elif longest is not None and longest >= clinic.wait_warning_minutes:
            sign, style = "!", theme.WARNING
        ends = time_text(cluster.expected_end_at, clinic.timezone) or "-"
        cells = [width for _heading, width in COLUMNS]
        text.append(f"{cluster.waiting:>{cells[0]}}")
        text.append(f"{'-' if longest is None else f'{longest}{chr(39)}{sign}':>{cells[1]}}", style)
        text.append(f"{cluster.at_work:>{cells[2]}}{cluster.served:>{cells[3]}}{cluster.left:>{cells[4]}}")
        text.append(f"{ends:>{cells[5]}}")

    def _person(self, person: BoardStaff) -> str:
        place = person.service_point or " ".join(self.session.prefix_of(code) for code in person.clusters)
        return f"{person.name} ({place}{': ' + person.number if person.number else ''})"

    def _show_day(self, board: BoardShape) -> None:
        zone = self.session.clinic.timezone
        hours = [time_text(period.starts_at, zone) for period in board.periods]
        # What has not begun yet is no number, not a nought.
        begun = [period.starts_at <= clock.now() for period in board.periods]
        arrivals = [
            period.arrivals if is_begun else None
            for period, is_begun in zip(board.periods, begun, strict=True)
        ]
        waits = [period.median_wait_minutes for period in board.periods]
        self.query_one("#arrivals", DayPlot).show_day(_("Arrivals in each half hour"), hours, arrivals)
        limit = self.session.clinic.wait_limit_minutes
        self.query_one("#waits", DayPlot).show_day(_("Median wait in minutes"), hours, waits, limit)


def _sum(clusters: list[BoardCluster]) -> BoardCluster:
    return BoardCluster(
        code="",
        waiting=sum(item.waiting for item in clusters),
        longest_wait_minutes=max(
            (item.longest_wait_minutes for item in clusters if item.longest_wait_minutes is not None),
            default=None,
        ),
        at_work=sum(item.at_work for item in clusters),
        served=sum(item.served for item in clusters),
        left=sum(item.left for item in clusters),
        expected_end_at=max(
            (item.expected_end_at for item in clusters if item.expected_end_at is not None), default=None
        ),
    )
