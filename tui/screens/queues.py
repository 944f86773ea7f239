"""The live queues of all clusters: a grid where there is room, one at a time at 80 columns."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.widgets import Static

from tui import keymap
from tui.screens.acting import ActingScreen
from tui.session import Session
from tui.text import N_
from tui.widgets import QueuePane

GRID_FROM_CELLS = 120
COUNTERS_KEYS = frozenset({"transfer", "leave", "cancel_entry", "prioritise", "undo_step"})


class QueuesScreen(ActingScreen):
    """Panes that follow the change feed without a key pressed."""

    AREA = "queues"
    TITLE_TEXT = N_("Queues")
    HELP_TEXT = N_(
        "All clusters' queues, as they are now. Left and right, or a cluster's letter, show another cluster. "
        "'!!' is red, '!' is yellow, '*' comes before others by law; '+' has just arrived. Minutes are waited "
        "so far, '~' is what is still to wait; '!' and '!!' behind them mark a long wait. At the counter, "
        "whoever nobody has called yet can be moved, marked as gone, cancelled or given another priority; "
        "U takes that back."
    )
    BINDINGS = [
        Binding("left", "turn(-1)", N_("Before")),
        Binding("right", "turn(1)", N_("After")),
        keymap.TRANSFER,
        keymap.LEFT,
        keymap.CANCEL,
        keymap.PRIORITY,
        keymap.UNDO_STEP,
        keymap.REFRESH,
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-single"), (GRID_FROM_CELLS, "-grid")]
    CSS_PATH = "queues.tcss"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        own = session.account.clusters
        codes = [cluster.code for cluster in session.clusters]
        self.shown = next((code for code in codes if code in own), codes[0])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the counter acts here; rooms act in their own queue."""
        return self.session.registers if action in COUNTERS_KEYS else True

    def compose_body(self) -> ComposeResult:
        """A line of all clusters, and their panes."""
        yield Static("", id="above", markup=False)
        with Container(id="panes"):
            for cluster in self.session.clusters:
                yield QueuePane(cluster, self.session, chooses=self.session.registers)

    def on_mount(self) -> None:
        """Show what is known."""
        self._turn_to(self.shown)

    def after_language(self) -> None:
        """Show it again."""
        self._turn_to(self.shown)

    def line_parts(self) -> list[str]:
        """How many stand in each cluster; at 120 columns the panes' titles say it."""
        parts = []
        for cluster in self.session.clusters:
            mark = ">" if cluster.code == self.shown else " "
            parts.append(f"{mark}{cluster.prefix} {cluster.code} {len(self.entries_of(cluster.code))}")
        return parts

    def on_key(self, event: events.Key) -> None:
        """A cluster's letter shows it, where the letter does nothing else."""
        letter = (event.character or "").upper()
        taken = {binding.key.upper() for binding in self.shown_keys()}
        for cluster in self.session.clusters:
            if letter and cluster.prefix == letter and letter not in taken:
                event.stop()
                self._turn_to(cluster.code)

    def action_turn(self, step: int) -> None:
        """Show the next cluster."""
        codes = [cluster.code for cluster in self.session.clusters]
        self._turn_to(codes[(codes.index(self.shown) + step) % len(codes)])

    def _turn_to(self, code: str) -> None:
        self.shown = code
        for pane in self.query(QueuePane):
            pane.set_class(pane.cluster == code, "-shown")
        if self.session.registers:
            self.pane.focus()
        self.catch_up()
