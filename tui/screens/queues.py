"""The live queues of all clusters: a grid where there is room, one at a time at 80 columns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from core.schemas.queues import ClusterOut, EntryOut
from tui import keymap
from tui.screens.entry_actions import ActingScreen
from tui.session import Session
from tui.text.translation import N_
from tui.widgets import QueuePane

OpenVitals = Callable[[EntryOut], Awaitable[None]]
GRID_FROM_CELLS = 120
THREE_COLUMNS_FROM_CELLS = 186  # three panes with names that are not cut
LEAST_ROWS = 2  # of a pane: its title, and that nobody waits
COUNTERS_KEYS = frozenset({"transfer", "leave", "cancel_entry", "prioritise", "undo_step"})


class QueuesScreen(ActingScreen):
    """Shows panes that follow the change feed without a key pressed."""

    AREA = "queues"
    TITLE_TEXT = N_("Queues")
    HELP_TEXT = N_(
        "All clusters' queues, as they are now. Left and right, or a cluster's letter, show another cluster. "
        "'!!' is red, '!' is yellow, '*' comes before others by law; '+' has just arrived. Minutes are waited "
        "so far, '~' is what is still to wait; '!' and '!!' behind them mark a long wait. At the counter, "
        "whoever nobody has called yet can be chosen with the arrows and moved, marked as gone, cancelled or "
        "given another priority; U takes that back. A nurse opens the vital signs of the chosen patient with "
        "Enter. Letters act only on a chosen patient."
    )
    BINDINGS = [
        Binding("left", "turn(-1)", N_("Before")),
        Binding("right", "turn(1)", N_("After")),
        keymap.MEASURE,
        keymap.TRANSFER,
        keymap.LEFT,
        keymap.CANCEL,
        keymap.PRIORITY,
        keymap.UNDO_STEP,
        keymap.REFRESH,
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-single"), (GRID_FROM_CELLS, "-grid")]
    CSS_PATH = "queues.tcss"

    def __init__(self, session: Session, open_vitals: OpenVitals) -> None:
        """Args: `open_vitals` shows the vital signs of an entry over this screen."""
        super().__init__(session)
        self._open_vitals = open_vitals
        self._columns = 2
        own = session.account.clusters
        codes = [cluster.code for cluster in session.clusters]
        self.shown = next((code for code in codes if code in own), codes[0])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Allow actions only to the counter, and measuring to triage; rooms act in their own queue."""
        if action == "measure":
            return self.session.measures
        return self.session.registers if action in COUNTERS_KEYS else True

    @property
    def _chooses(self) -> bool:
        """Return whether this person acts on a chosen row."""
        return self.session.registers or self.session.measures

    def compose_body(self) -> ComposeResult:
        """Yield a line of all clusters, and their panes."""
        yield Static("", id="above", markup=False)
        self._columns = self._columns_wanted()
        with Horizontal(id="panes"):
            for number in range(self._columns):
                with Vertical(classes="column -last" if number == self._columns - 1 else "column"):
                    yield from self._panes(self.session.clusters[number :: self._columns])

    def _panes(self, clusters: Sequence[ClusterOut]) -> ComposeResult:
        for cluster in clusters:
            yield QueuePane(cluster, self.session, chooses=self._chooses, begins_chosen=False)

    def _columns_wanted(self) -> int:
        return 3 if self.app.size.width >= THREE_COLUMNS_FROM_CELLS else 2

    def on_resize(self) -> None:
        """Put the panes into more columns or fewer, and share the new rows."""
        if self._columns != self._columns_wanted():
            self.run_worker(self.show_in_language(), exclusive=True, exit_on_error=False)
        else:
            self.call_after_refresh(self.share_rows)

    def show_line(self) -> None:
        """Show the line above the panes, and give the rows to those who wait."""
        super().show_line()
        self.share_rows()

    def share_rows(self) -> None:
        """Give each pane of a column the rows that its queue needs, as far as they go.

        Nothing moves while nobody is hidden: a pane that grows pushes those below it, which costs bytes and the
        eye's place.
        """
        is_grid = self.size.width >= GRID_FROM_CELLS
        for column in self.query(".column").results(Vertical):
            panes = list(column.query(QueuePane))
            if not is_grid:
                for pane in panes:
                    pane.styles.height = "1fr"
                continue
            needs = [max(LEAST_ROWS, 1 + len(pane.entries)) for pane in panes]
            rows = [pane.rows for pane in panes]
            is_right = sum(rows) == column.size.height
            if is_right and all(need <= row for need, row in zip(needs, rows, strict=True)):
                continue
            for pane, height in zip(panes, shared(needs, column.size.height), strict=True):
                pane.rows = height
                pane.styles.height = height

    def on_mount(self) -> None:
        """Show the queues as last read."""
        self._turn_to(self.shown)

    def after_language(self) -> None:
        """Show the queues in the new language."""
        self._turn_to(self.shown)

    def line_parts(self) -> list[str]:
        """Return the waiting count of each cluster; at 120 columns the panes' titles show it instead."""
        parts = []
        for cluster in self.session.clusters:
            mark = ">" if cluster.code == self.shown else " "
            parts.append(f"{mark}{cluster.prefix} {cluster.code} {len(self.entries_of(cluster.code))}")
        return parts

    def means(self, event: events.Key) -> bool:
        """Return whether a key is a cluster's letter."""
        return self._cluster_of(event) is not None

    def took(self, event: events.Key) -> None:
        """Show the cluster whose letter was pressed."""
        code = self._cluster_of(event)
        if code is not None:
            self._turn_to(code)

    def _cluster_of(self, event: events.Key) -> str | None:
        letter = (event.character or "").upper()
        taken = {binding.key.upper() for binding in self.shown_keys()}
        prefixes = {cluster.prefix: cluster.code for cluster in self.session.clusters}
        return prefixes.get(letter) if letter not in taken else None

    def action_turn(self, step: int) -> None:
        """Show the next cluster."""
        codes = [cluster.code for cluster in self.session.clusters]
        self._turn_to(codes[(codes.index(self.shown) + step) % len(codes)])

    def _turn_to(self, code: str) -> None:
        self.shown = code
        for pane in self.query(QueuePane):
            pane.set_class(pane.cluster == code, "-shown")
            if pane.parent is not None and pane.cluster == code:
                for column in self.query(".column"):
                    column.set_class(column is pane.parent, "-shown")
            pane.forget_choice()
        if self._chooses:
            self.pane.focus()
        self.catch_up()

    async def action_measure(self) -> None:
        """Open the vital signs of the chosen patient."""
        entry = self.chosen()
        if entry is not None:
            await self._open_vitals(entry)


def shared(needs: Sequence[int], rows: int) -> list[int]:
    """Share rows among panes: who needs little gets it whole, the others the same, and what is left over too.

    Args:
        needs: Rows that each pane could fill, at least 1 each.
        rows: Rows in all.

    Returns:
        Rows of each pane; their sum is `rows`, where there is one for each.
    """
    given = [0] * len(needs)
    left = rows
    for index in sorted(range(len(needs)), key=lambda index: needs[index]):
        others = sum(1 for height in given if not height)
        given[index] = max(1, min(needs[index], left // others))
        left -= given[index]
    for index in range(max(0, left)):
        given[index % len(given)] += 1
    return given
