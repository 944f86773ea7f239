"""The supervisor's board: each cluster in one line, the staff at work, and the day as columns."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from core.foundation import clock
from core.schemas.queues import BoardCluster, BoardOut, BoardStaff
from tui import keymap, theme
from tui.messages import QueueChanged
from tui.screens.base import LoketScreen
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import standing_words
from tui.text.formatting import fit, in_rows, time_text
from tui.text.translation import N_, _
from tui.widgets import DayPlot

PAUSE_SECONDS = 1.0  # second: a busy clinic's board is read and painted once in this time at most
NAME_CELLS, WIDE_NAME_CELLS, WIDE_FROM_CELLS = 24, 28, 120
COLUMNS = (
    (N_("waiting"), 9), (N_("longest"), 9), (N_("in rooms"), 9), (N_("served"), 9), (N_("gone"), 7),
    (N_("ends about"), 13),
)  # fmt: skip
"""Heading and width of each column."""


class BoardScreen(LoketScreen[None]):
    """Shows all clusters at once and follows the change feed."""

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
        self._board: BoardOut | None = None
        self._reading = False
        self._has_said_counters = False

    def compose_body(self) -> ComposeResult:
        """Yield a table, a line of staff, and two rows of columns."""
        with Horizontal(id="now"):
            yield Static("", id="clusters", markup=False)
            yield Static("", id="staff", classes="wide-only", markup=False)
        yield Static("", id="present", classes="narrow-only", markup=False)
        yield DayPlot("arrivals")
        yield DayPlot("waits", labelled=True)

    def on_mount(self) -> None:
        """Read the board."""
        self.read_board()

    def on_screen_resume(self) -> None:
        """Read the board again."""
        super().on_screen_resume()
        self.read_board()

    def on_queue_changed(self, message: QueueChanged) -> None:
        """Read the board again; many changes at once are read once."""
        if not self._reading:
            self._reading = True
            self.set_timer(PAUSE_SECONDS, self.read_board)

    def minute_passed(self) -> None:
        """Show the longer waits."""
        self.read_board()

    def after_language(self) -> None:
        """Show the board in the new language."""
        self._show()

    @work(exclusive=True, group="board", exit_on_error=False)
    async def read_board(self) -> None:
        """Show the board as it is now."""
        self._reading = False
        with self.saying_refusals():
            self._board = await self.session.client.queues.board()
            self._show()
            await self._say_counters()

    async def _say_counters(self) -> None:
        """Say which counters' machines are silent or have not delivered; the line is free else."""
        machines = await self.session.client.counters.machines()
        if said := standing_words.of_machines(machines, self.session.clinic.timezone):
            self.say(said, "warning")
            self._has_said_counters = True
        elif self._has_said_counters:
            self.settle_status()
            self._has_said_counters = False

    @work(exclusive=True, group="board", exit_on_error=False)
    async def action_refresh_data(self) -> None:
        """Read the board again, and say so."""
        with self.saying_refusals(), hold_keys(self.app):
            self._board = await self.session.client.queues.board()
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
        self._show_staff([self._person(person) for person in board.staff] or [_("nobody")])
        self._show_day(board)

    def _show_staff(self, people: list[str]) -> None:
        """Show who is signed in: beside the clusters where there is room, else in lines below them."""
        said = _("Signed in: {people}").format(people="")
        beside = Text(no_wrap=True, overflow="ellipsis")
        beside.append(said.strip() + "\n", theme.STRONG)
        beside.append("\n".join(f" {person}" for person in people))
        self.query_one("#staff", Static).update(beside)
        rows = in_rows(people, self.size.width - cell_len(said) - 2)
        self.query_one("#present", Static).update(f" {said}" + f"\n {' ' * cell_len(said)}".join(rows))

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

    def _show_day(self, board: BoardOut) -> None:
        zone = self.session.clinic.timezone
        hours = [time_text(period.starts_at, zone) for period in board.periods]
        # A half hour that has not begun shows nothing instead of 0.
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
