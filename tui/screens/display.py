"""The waiting room's terminal screen: numbers and rooms, never names."""

from __future__ import annotations

from textual import work
from textual.app import ComposeResult
from textual.widgets import Static

from core.schemas.queues import WaitingRoomCall, WaitingRoomOut
from tui.messages import QueueChanged, RecordChanged
from tui.screens.base import LoketScreen
from tui.session import Session
from tui.text.formatting import big_text, fit
from tui.text.translation import N_, _

MARGIN_CELLS, COUNT_CELLS = 4, 13


class DisplayScreen(LoketScreen[None]):
    """Shows the newest call as big as the screen allows, the calls before it, and how many wait."""

    TITLE_TEXT = N_("Waiting room")
    HELP_TEXT = N_("Numbers that are called now. Nothing here needs a key.")
    CSS_PATH = "display.tcss"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._room: WaitingRoomOut | None = None

    def compose_body(self) -> ComposeResult:
        """Yield the newest call, the calls before it, and a count for each cluster."""
        yield Static("", id="newest", markup=False)
        yield Static("", id="calls", markup=False)
        yield Static("", id="waiting", markup=False)

    def on_mount(self) -> None:
        """Read the numbers."""
        self.read_numbers()

    def on_record_changed(self, message: RecordChanged) -> None:
        """Read the numbers again after a call."""
        self.read_numbers()

    def on_queue_changed(self, message: QueueChanged) -> None:
        """Read the numbers again after a call that a door's shared feed reports this way."""
        self.read_numbers()

    def on_screen_resume(self) -> None:
        """Read the numbers."""
        super().on_screen_resume()
        self.read_numbers()

    def after_language(self) -> None:
        """Show the numbers in the new language."""
        self._show()

    @work(exclusive=True, group="numbers", exit_on_error=False)
    async def read_numbers(self) -> None:
        """Show the numbers as they are now; each new call rings the terminal's bell once."""
        with self.saying_refusals():
            before, self._room = self._room, await self.session.client.queues.waiting_room()
            self._show()
            if before is not None and _sounds(self._room) - _sounds(before):
                self.app.bell()

    def _show(self) -> None:
        room = self._room
        if room is None:
            return
        newest = room.calls[0] if room.calls else None
        big = (
            "\n".join(big_text(newest.number)) + f"\n\n{newest.number}  {_place(newest)}"
            if newest is not None
            else ""
        )
        self.query_one("#newest", Static).update(big or _("No calls yet"))
        lines = [f"{fit(call.number, 8)}{fit(_place(call), 48)} {call.at}" for call in room.calls[1:]]
        self.query_one("#calls", Static).update("\n".join(lines))
        name_cells = (self.size.width - MARGIN_CELLS) // 2 - COUNT_CELLS
        counts = [
            fit(name, name_cells) + fit(_("{number} waiting").format(number=number), COUNT_CELLS)
            for name, number in room.waiting.items()
        ]
        rows = ["".join(counts[start : start + 2]) for start in range(0, len(counts), 2)]
        self.query_one("#waiting", Static).update("\n".join(rows))


def _place(call: WaitingRoomCall) -> str:
    return f"{call.cluster} - {call.room}" if call.room else call.cluster


def _sounds(room: WaitingRoomOut) -> set[tuple[str, int]]:
    return {(call.number, call.calls) for call in room.calls}
