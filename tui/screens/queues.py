"""The live queues of all clusters: a grid where there is room, one at a time at 80 columns."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.widgets import Static

from tui import keymap
from tui.messages import QueueChanged
from tui.screens.base import LoketScreen
from tui.session import Session
from tui.text import N_, _
from tui.widgets import QueuePane

GRID_FROM_CELLS = 120


class QueuesScreen(LoketScreen[None]):
    """Panes that follow the change feed without a key pressed."""

    AREA = "queues"
    TITLE_TEXT = N_("Queues")
    HELP_TEXT = N_(
        "All clusters' queues, as they are now. Left and right, or a cluster's letter, show another cluster. "
        "'!!' is red, '!' is yellow, '*' comes before others by law; '+' has just arrived. "
        "Minutes are waited so far."
    )
    BINDINGS = [
        Binding("left", "turn(-1)", N_("Before")),
        Binding("right", "turn(1)", N_("After")),
        keymap.REFRESH,
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-single"), (GRID_FROM_CELLS, "-grid")]
    CSS_PATH = "queues.tcss"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        own = session.account.clusters
        codes = [cluster.code for cluster in session.clusters]
        self._shown = next((code for code in codes if code in own), codes[0])

    def compose_body(self) -> ComposeResult:
        """A line of all clusters, and their panes."""
        yield Static("", id="overview", markup=False)
        with Container(id="panes"):
            for cluster in self.session.clusters:
                yield QueuePane(cluster.code, cluster.name, cluster.prefix)

    def on_mount(self) -> None:
        """Show what is known."""
        self.catch_up()

    def on_screen_resume(self) -> None:
        """Show what changed meanwhile."""
        super().on_screen_resume()
        self.catch_up()

    def after_language(self) -> None:
        """Show it again."""
        self.catch_up()

    def catch_up(self) -> None:
        """Take all panes from the feed's last reading."""
        for pane in self.query(QueuePane):
            if pane.cluster in self.session.hub.queues:
                pane.show_entries(self.entries_of(pane.cluster))
            pane.set_class(pane.cluster == self._shown, "-shown")
        self._show_overview()

    def on_queue_changed(self, message: QueueChanged) -> None:
        """One pane changed."""
        for pane in self.query(QueuePane):
            if pane.cluster == message.queue.cluster:
                pane.show_entries(message.queue.entries)
        self._show_overview()

    def minute_passed(self) -> None:
        """Waits have grown by a minute."""
        for pane in self.query(QueuePane):
            pane.minute_passed()

    def _show_overview(self) -> None:
        parts = []
        for cluster in self.session.clusters:
            entries = [entry for entry in self.entries_of(cluster.code) if not entry.status.is_ended]
            mark = ">" if cluster.code == self._shown else " "
            parts.append(f"{mark}{cluster.prefix} {cluster.code} {len(entries)}")
        self.query_one("#overview", Static).update(" " + "  ".join(parts), layout=False)

    def on_key(self, event: events.Key) -> None:
        """A cluster's letter shows it."""
        letter = (event.character or "").upper()
        for cluster in self.session.clusters:
            if letter and cluster.prefix == letter:
                event.stop()
                self._turn_to(cluster.code)

    def action_turn(self, step: int) -> None:
        """Show the next cluster."""
        codes = [cluster.code for cluster in self.session.clusters]
        self._turn_to(codes[(codes.index(self._shown) + step) % len(codes)])

    def _turn_to(self, code: str) -> None:
        self._shown = code
        self.catch_up()

    async def action_refresh_data(self) -> None:
        """Read all panes again."""
        with self.saying_refusals():
            for cluster in self.session.clusters:
                queue = await self.session.client.queue(cluster.code)
                self.session.hub.queues[cluster.code] = queue
            self.catch_up()
            self.say(_("Up to date."))
