"""The waiting room's terminal screen: numbers and rooms, never names."""

from __future__ import annotations

from textual import work
from textual.app import ComposeResult
from textual.widgets import Static

from tui.formatting import big_text, fit
from tui.messages import QueueChanged, RecordChanged
from tui.screens.base import LoketScreen
from tui.session import Session
from tui.text import N_, _


class DisplayScreen(LoketScreen[None]):
    """The number last called in each cluster, big as room allows."""

    TITLE_TEXT = N_("Waiting room")
    HELP_TEXT = N_("Numbers that are called now. Nothing here needs a key.")
    CSS_PATH = "display.tcss"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._newest = ""

    def compose_body(self) -> ComposeResult:
        """The newest call big, then a line for each cluster."""
        yield Static("", id="newest", markup=False)
        yield Static("", id="all", markup=False)

    def on_mount(self) -> None:
        """Read the board."""
        self.read_board()

    def on_record_changed(self, message: RecordChanged) -> None:
        """Something was called."""
        self.read_board()

    def on_queue_changed(self, message: QueueChanged) -> None:
        """Something was called; a door's shared feed says it this way."""
        self.read_board()

    def on_screen_resume(self) -> None:
        """Read the board."""
        super().on_screen_resume()
        self.read_board()

    @work(exclusive=True, group="board", exit_on_error=False)
    async def read_board(self) -> None:
        """Show the numbers as they are now."""
        with self.saying_refusals():
            before = {cluster.code: cluster.called_number for cluster in self.session.clusters}
            self.session.clusters[:] = await self.session.client.clusters()
            for cluster in self.session.clusters:
                if cluster.called_number and cluster.called_number != before.get(cluster.code):
                    self._newest = f"{cluster.called_number}|{cluster.name}"
            self._show()

    def _show(self) -> None:
        called = [cluster for cluster in self.session.clusters if cluster.called_number]
        if not self._newest and called:
            self._newest = f"{called[0].called_number}|{called[0].name}"
        number, _separator, name = self._newest.partition("|")
        big = "\n".join(big_text(number)) + f"\n\n{name}" if number else ""
        self.query_one("#newest", Static).update(big)
        lines = [
            f"{fit(cluster.name, 32)}  {cluster.called_number or '-':>7}   "
            + _("{number} waiting").format(number=cluster.waiting)
            for cluster in self.session.clusters
        ]
        self.query_one("#all", Static).update("\n".join(lines))
