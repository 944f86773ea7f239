"""The receipt: the number in big digits, and a time in which to undo."""

from __future__ import annotations

from time import monotonic

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from core.schemas.base import Problem
from core.schemas.patients import PatientOut
from core.schemas.queues import EntryCommand
from core.schemas.registration import Receipt, TicketOut
from tui import keymap, theme
from tui.client.errors import RefusedError, UnreachableError
from tui.printing import NotPrintedError, print_document
from tui.qr import qr_rows
from tui.registration.form_values import FormValues
from tui.registration.identity import identity_to_ask
from tui.screens.base import LoketScreen
from tui.screens.patients.identity_dialog import IdentityDialog
from tui.screens.patients.sharing_dialog import ask_sharing
from tui.screens.reasons import ClusterDialog
from tui.screens.registration.confirm import Saved
from tui.screens.registration.move import MoveDialog
from tui.session import Session
from tui.terminal.driver import terminal_of
from tui.terminal.keyboard import hold_keys
from tui.text import problem_words
from tui.text.formatting import big_text, fit, time_text
from tui.text.translation import N_, _
from tui.ticket import page_address, ticket_document, ticket_of

Note = tuple[str, str]
NARROWEST_TICKET = 44  # cells beside the code


class ReceiptScreen(LoketScreen[Note]):
    """Shown only after the core has confirmed the save."""

    AREA = "register"
    TITLE_TEXT = N_("Saved")
    HELP_TEXT = N_(
        "The registration is saved and stands in the cluster's queue. P prints the ticket, Q shows a QR "
        "code of the page that tells this number's place. M moves the patient to another cluster. Z takes back what was "
        "done last: a move, then, for two minutes, the registration. S, where it is shown, asks once whether the record may go to SATUSEHAT; I asks religion, education, occupation and marital status, as the law wants them. Enter goes to the next patient."
    )
    BINDINGS = [
        keymap.NEXT,
        keymap.PRINT,
        keymap.QR,
        keymap.UNDO,
        keymap.MOVE,
        keymap.ASK_SHARING,
        keymap.ASK_IDENTITY,
        keymap.BACK,
    ]
    CSS_PATH = "receipt.tcss"

    def __init__(self, session: Session, receipt: Receipt, facts: FormValues) -> None:
        """Initialise the receipt of a form with these values."""
        super().__init__(session)
        self.receipt = receipt
        self._facts = facts
        self._patient_name = facts.name
        self._ticket: TicketOut = receipt.ticket
        self._shown_at = monotonic()
        self._moves = 0
        """Moves from here that were not taken back."""
        self._qr_shown = False
        self._not_printed = ""
        self._identity: list[str] = identity_to_ask(session, facts)
        """Fields of the identity that nobody has asked this patient about yet."""
        self._asks_sharing = False
        """True if nobody has asked this patient yet whether the record may go to SATUSEHAT."""

    def compose_body(self) -> ComposeResult:
        """Yield number, cluster and expected wait."""
        with Horizontal():
            with Vertical(id="ticket"):
                yield Static("", id="number", markup=False)
                yield Static("", id="details", markup=False)
            yield Static("", id="qr", markup=False)

    def on_mount(self) -> None:
        """Show the receipt."""
        self._show()
        self.say(_("Saved. Enter: next patient."), "good")
        if self.session.clinic.print_tickets:
            self.print_ticket()
        self._hint_questions()
        if self.session.clinic.asks_sharing:
            self.look_whether_asked()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a question only where nobody has asked it."""
        open_questions = {"sharing": self._asks_sharing, "identity": bool(self._identity)}
        return (
            open_questions[action] if action in open_questions else super().check_action(action, parameters)
        )

    def _hint_questions(self) -> None:
        """Say which questions are open; Enter goes on without them."""
        if self._asks_sharing and self._identity:
            self.hint(_("Not asked yet: S: may it go to SATUSEHAT?   I: identity"))
        elif self._asks_sharing:
            self.hint(_("S: may the record go to SATUSEHAT? Not asked yet."))
        elif self._identity:
            saved, question = _("Saved. Enter: next patient."), _("I: identity, not asked yet.")
            self.say(f"{saved}   {question}", "good")

    @work(exclusive=True, group="sharing-look", exit_on_error=False)
    async def look_whether_asked(self) -> None:
        """Learn in the background whether this patient was asked about SATUSEHAT; no key waits for it."""
        try:
            decision = await self.session.client.patients.sharing(self.receipt.patient_id)
        except (RefusedError, UnreachableError):
            return  # the card asks too
        if decision.agreed is None:
            self._asks_sharing = True
            self._hint_questions()
            self.refresh_bindings()

    def action_sharing(self) -> None:
        """Ask whether the record may go to SATUSEHAT, and print the answer; Enter goes on without it."""
        ask_sharing(self, self.receipt.patient_id)

    def action_identity(self) -> None:
        """Ask what the law asks of an identity besides; Enter goes on without it."""
        dialog = IdentityDialog(self.session, self.receipt.patient_id, self._identity, {})
        self.app.push_screen(dialog, self._identity_asked)

    def _identity_asked(self, patient: PatientOut | None) -> None:
        if patient is None:
            return
        self._identity = [name for name in self._identity if not getattr(patient, name)]
        self.say(_("Identity noted."), "good")
        self.refresh_bindings()

    def after_language(self) -> None:
        """Show the receipt in the new language."""
        self._show()

    def _show(self) -> None:
        ticket = self._ticket
        self.query_one("#number", Static).update("\n".join(big_text(ticket.number)))
        wait = ticket.expected_wait_minutes
        lines = [
            f"{ticket.number}  {self.session.cluster_name(ticket.cluster)}",
            fit(self._patient_name, 60).rstrip(),
            f"RM {self.receipt.medical_record_number}" if self.receipt.medical_record_number else "",
            self._priority_text(),
            _("Place in the queue: {number}").format(number=ticket.position) if ticket.position else "",
            _("Expected wait: about {number} minutes").format(number=wait) if wait is not None else "",
            _("Registered at {time}").format(time=time_text(ticket.issued_at, self.session.clinic.timezone)),
        ]
        self.query_one("#details", Static).update("\n".join(line for line in lines if line))

    def _priority_text(self) -> str:
        """Return the urgency with its sign, as the panes show it; empty where there is none."""
        priority = self._ticket.priority
        name = problem_words.word(problem_words.PRIORITIES, priority) if priority is not None else ""
        if priority is None or not name:
            return ""
        sign = problem_words.PRIORITY_SIGNS.get(priority, "* ")
        return sign + _("Priority: {name}").format(name=name)

    def action_show_qr(self) -> None:
        """Show or hide the code of this number's page; only on a key, for it costs a whole screen's bytes."""
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
        """Return the code's rows; none where it does not fit or cannot be drawn: the address is shown too."""
        capabilities = self.session.capabilities
        if capabilities is not None and not capabilities.utf8:
            return []
        rows = qr_rows(address, draws_light=capabilities is not None and not capabilities.colours)
        space = self.query_one("#ticket").size
        fits = len(rows) <= space.height and len(rows[0]) + NARROWEST_TICKET <= self.size.width
        return rows if fits else []

    def _seconds_left(self) -> float:
        # Counted from when it was shown: a terminal's clock need not agree with the server's.
        return self.session.clinic.undo_seconds - (monotonic() - self._shown_at)

    def action_next(self) -> None:
        """Go to the next patient."""
        place = self._place()
        if self._not_printed:
            self.dismiss((self._not_printed, "warning"))
        else:
            self.dismiss((f"{self._ticket.number}  {self._patient_name}, {place}", "good"))

    def action_back(self) -> None:
        """Go to the next patient, as Enter does: the save is final."""
        self.action_next()

    def action_print_ticket(self) -> None:
        """Print the ticket."""
        self.print_ticket()

    def print_ticket(self) -> None:
        """Print in the background: no key waits for a printer, and the next patient may be served."""
        self.app.run_worker(self._print(self._ticket), group="print", exit_on_error=False)

    async def _print(self, ticket: TicketOut) -> None:
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
        """Take back what was done last: a move, else the registration; the status line says which."""
        with self.saying_refusals(), hold_keys(self.app):
            if self._moves:
                await self._move_back()
                return
            await self.session.client.registrations.undo(self.receipt.registration_id)
            note = _("Taken back: {number}. The number is not given out again.")
            self.dismiss((note.format(number=self._ticket.number), "warning"))

    async def _move_back(self) -> None:
        entry = await self.session.client.queues.act(self._ticket.id, "undo", EntryCommand())
        self._moves -= 1
        self._ticket = ticket_of(entry)
        self._show()
        note = _("The move is taken back: {number}, {cluster}. Z again: the step before.")
        self.say(note.format(number=entry.number, cluster=self._place()), "warning")

    def action_move(self) -> None:
        """Move to another cluster while the patient is still at the counter."""
        if self._seconds_left() <= 0:
            self.say(problem_words.word(problem_words.PROBLEMS, "undo_too_late"), "error")
            return
        others = [item for item in self.session.destinations if item.code != self._ticket.cluster]
        self.app.push_screen(ClusterDialog(self.session, others), self._confirm_move)

    def _confirm_move(self, cluster: str | None) -> None:
        if cluster is not None:
            self.confirm_move(cluster)

    @work(exclusive=True, group="undo", exit_on_error=False)
    async def confirm_move(self, cluster: str) -> None:
        """Put the new cluster to the rules, and ask as before the save: moving is no way round the confirmation."""
        with self.saying_refusals(), hold_keys(self.app):
            routing = await self.session.client.registrations.routing(self._facts.routing(cluster))
            receipt = self.receipt.model_copy(update={"ticket": self._ticket})
            dialog = MoveDialog(self.session, self._facts, receipt, cluster, routing)
            self.app.push_screen(dialog, self._moved)

    def _moved(self, outcome: Saved | Problem | None) -> None:
        if isinstance(outcome, Problem):
            self.say(problem_words.problem_text(outcome), "error")
        elif outcome is not None and outcome.receipt.ticket.id == self._ticket.id:
            self.say(_("Not moved: the patient stays in {cluster}.").format(cluster=self._place()))
        elif outcome is not None:
            self._ticket = outcome.receipt.ticket
            self._moves += 1
            self._show()
            note = _("Moved. The new number is {number}. Z takes the move back.")
            self.say(note.format(number=self._ticket.number), "good")

    def _place(self) -> str:
        return self.session.cluster_name(self._ticket.cluster)
