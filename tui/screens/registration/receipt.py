"""The receipt: the number, big, and two minutes to take it back."""

from __future__ import annotations

from time import monotonic

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from core.schemas.queues import EntryCommand
from core.schemas.registration import Receipt, TicketShape
from tui import keymap, theme, words
from tui.client import Refused
from tui.formatting import big_text, fit, time_text
from tui.printing import NotPrintedError, print_document
from tui.qr import qr_rows
from tui.screens.base import LoketScreen
from tui.screens.reasons import ClusterDialog
from tui.session import Session
from tui.terminal.driver import terminal_of
from tui.terminal.keyboard import hold_keys
from tui.text import N_, _
from tui.ticket import page_address, ticket_document

Note = tuple[str, str]
NARROWEST_TICKET = 44  # cells beside the code


class ReceiptScreen(LoketScreen[Note]):
    """Shown only with the core's proof in hand."""

    AREA = "register"
    TITLE_TEXT = N_("Saved")
    HELP_TEXT = N_(
        "The registration is saved and stands in the cluster's queue. P prints the ticket, Q shows a QR "
        "code of the page that tells this number's place. For two minutes Z takes the registration back and M "
        "moves it to another cluster. Enter goes to the next patient."
    )
    BINDINGS = [keymap.NEXT, keymap.PRINT, keymap.QR, keymap.UNDO, keymap.MOVE, keymap.BACK]
    CSS_PATH = "receipt.tcss"

    def __init__(self, session: Session, receipt: Receipt, name: str) -> None:
        super().__init__(session)
        self.receipt = receipt
        self._patient_name = name
        self._ticket: TicketShape = receipt.ticket
        self._shown_at = monotonic()
        self._qr_shown = False
        self._not_printed = ""

    def compose_body(self) -> ComposeResult:
        """Number, cluster, wait."""
        with Horizontal():
            with Vertical(id="ticket"):
                yield Static("", id="number", markup=False)
                yield Static("", id="details", markup=False)
            yield Static("", id="qr", markup=False)

    def on_mount(self) -> None:
        """Show it."""
        self._show()
        self.say(_("Saved. Enter: next patient."), "good")
        if self.session.clinic.print_tickets:
            self.print_ticket()

    def after_language(self) -> None:
        """Show it again."""
        self._show()

    def _show(self) -> None:
        ticket = self._ticket
        self.query_one("#number", Static).update("\n".join(big_text(ticket.number)))
        wait = ticket.expected_wait_minutes
        lines = [
            f"{ticket.number}  {self.session.cluster_name(ticket.cluster)}",
            fit(self._patient_name, 60).rstrip(),
            "",
            _("Place in the queue: {number}").format(number=ticket.position) if ticket.position else "",
            _("Expected wait: about {number} minutes").format(number=wait) if wait is not None else "",
            _("Registered at {time}").format(time=time_text(ticket.issued_at, self.session.clinic.timezone)),
        ]
        self.query_one("#details", Static).update("\n".join(line for line in lines if line or line == ""))

    def action_show_qr(self) -> None:
        """Show or hide the way to this number's page; not unasked, for it costs as much as a whole screen."""
        address = page_address(self.session.clinic, self._ticket)
        if not address:
            self.say(_("There is no page for this number."), "warning")
            return
        self._qr_shown = not self._qr_shown
        rows = self._qr_rows(address) if self._qr_shown else []
        capabilities = self.session.capabilities
        has_colours = capabilities is None or capabilities.colours > 0
        self.query_one("#qr", Static).update(Text("\n".join(rows), theme.QR if has_colours else theme.PLAIN))
        if self._qr_shown:
            self.say(address.partition("://")[2])

    def _qr_rows(self, address: str) -> list[str]:
        """The code's rows; none where it does not fit or cannot be drawn: the address is said anyway."""
        capabilities = self.session.capabilities
        if capabilities is not None and not capabilities.utf8:
            return []
        rows = qr_rows(address, draws_light=capabilities is not None and not capabilities.colours)
        space = self.query_one("#ticket").size
        fits = len(rows) <= space.height and len(rows[0]) + NARROWEST_TICKET <= self.size.width
        return rows if fits else []

    def _seconds_left(self) -> float:
        # Since it was shown: the clock of a terminal elsewhere need not agree with the server's.
        return self.session.clinic.undo_seconds - (monotonic() - self._shown_at)

    def action_next(self) -> None:
        """Go to the next patient."""
        place = self.session.cluster_name(self._ticket.cluster)
        if self._not_printed:
            self.dismiss((self._not_printed, "warning"))
        else:
            self.dismiss((f"{self._ticket.number}  {self._patient_name}, {place}", "good"))

    def action_back(self) -> None:
        """The same as Enter: what is saved is saved."""
        self.action_next()

    def action_print_ticket(self) -> None:
        """Print the ticket."""
        self.print_ticket()

    def print_ticket(self) -> None:
        """Print beside everything else: no key waits for a printer, and the next patient may be served."""
        self.app.run_worker(self._print(self._ticket), group="print", exit_on_error=False)

    async def _print(self, ticket: TicketShape) -> None:
        app = self.app
        cluster = self.session.cluster_name(ticket.cluster)
        document = ticket_document(self.session.clinic, ticket, cluster)
        try:
            said = await print_document(self.session, terminal_of(app), document)
        except NotPrintedError as failure:
            self._not_printed = f"{ticket.number}: {failure}"
            if isinstance(app.screen, LoketScreen):
                app.screen.say(self._not_printed, "warning")
        else:
            self._not_printed = ""
            if self.is_current:
                self.hint(said)

    @work(exclusive=True, group="undo", exit_on_error=False)
    async def action_undo(self) -> None:
        """Take the registration back."""
        with self.saying_refusals(), hold_keys(self.app):
            await self.session.client.undo_registration(self.receipt.registration_id)
            note = _("Taken back: {number}. The number is not given out again.")
            self.dismiss((note.format(number=self._ticket.number), "warning"))

    def action_move(self) -> None:
        """Move to another cluster while the patient still stands here."""
        if self._seconds_left() <= 0:
            self.say(words.word(words.PROBLEMS, "undo_too_late"), "error")
            return
        others = [item for item in self.session.destinations if item.code != self._ticket.cluster]
        self.app.push_screen(ClusterDialog(self.session, others), self._move_to)

    def _move_to(self, cluster: str | None) -> None:
        if cluster is not None:
            self.move(cluster)

    @work(exclusive=True, group="undo", exit_on_error=False)
    async def move(self, cluster: str) -> None:
        """End this entry and start one there, with a number of that cluster."""
        with hold_keys(self.app):
            try:
                with self.saying_refusals():
                    entry = await self.session.client.act(
                        self._ticket.id, "transfer", EntryCommand(cluster=cluster)
                    )
                    self._ticket = TicketShape(
                        id=entry.id,
                        number=entry.number,
                        cluster=entry.cluster,
                        status=entry.status,
                        position=entry.position,
                        issued_at=entry.issued_at,
                        expected_wait_minutes=entry.expected_wait_minutes,
                    )
                    self._show()
                    self.say(_("Moved. The new number is {number}.").format(number=entry.number), "good")
            except Refused as refusal:  # pragma: no cover - said by saying_refusals
                self.say(words.problem_text(refusal.problem), "error")
