"""Visits that BPJS refused, or that lack something: mended and sent again here."""

from __future__ import annotations

from textual import on, work
from textual.app import ComposeResult
from textual.timer import Timer
from textual.widgets import Static

from core.foundation.codes import JKN_PAYERS
from core.schemas.bpjs import CHANGED, BpjsStatusOut, BpjsVisitOut
from tui import keymap, theme
from tui.messages import RecordChanged
from tui.screens.item_list import ItemList
from tui.screens.patients.edit import EditScreen
from tui.screens.patients.notes import Corrected
from tui.screens.reasons import LettersDialog
from tui.terminal.keyboard import hold_keys
from tui.text import bpjs_words, problem_words
from tui.text.formatting import date_text, fit, wrapped
from tui.text.translation import N_, _, ngettext
from tui.widgets import PickList, set_text
from tui.widgets.painting import Line

SETTLE_SECONDS = 0.5  # a run tells of many visits at once: the list is read when it falls silent
OTHER_PAYERS = tuple(payer for payer in problem_words.PAYERS if payer not in JKN_PAYERS)


class BpjsVisitsScreen(ItemList[BpjsVisitOut]):
    """Lists the visits set aside, with BPJS's own words."""

    TITLE_TEXT = N_("BPJS")
    HELP_TEXT = N_(
        "Visits of insured people that BPJS refused, or that lack something, the oldest first. Enter shows why, in "
        "BPJS's own words, and what to do. F9 corrects the patient's card; what is missing in the record is written "
        "there, and the visit follows by itself. A sends a mended visit again at once; P says that somebody else pays. Visits that only wait for "
        "BPJS to answer are not listed: they go by themselves."
    )
    BINDINGS = [keymap.SEND_AGAIN, keymap.EDIT, keymap.REFRESH, keymap.BACK]

    _soon: Timer | None = None
    _was_shown = False

    def on_mount(self) -> None:
        """Read the list, and hear of changes while it is open: the counter's other screens need none."""
        super().on_mount()
        self.session.hub.follow(self.app)

    def on_screen_resume(self) -> None:
        """Read what came while another area was shown, which may have ended the following."""
        super().on_screen_resume()
        if self._was_shown:
            self.session.hub.follow(self.app)
            self.read()
        self._was_shown = True

    def on_unmount(self) -> None:
        """Hear of no more changes than before."""
        self.session.hub.rest(self.app)

    def on_record_changed(self, message: RecordChanged) -> None:
        """Read the list again: something was sent, set aside or compared meanwhile."""
        if message.kind == CHANGED:
            if self._soon is not None:
                self._soon.stop()
            self._soon = self.set_timer(SETTLE_SECONDS, self.read)

    def compose_body(self) -> ComposeResult:
        """Yield the proof of the last day, then the list."""
        yield Static("", id="proof", markup=False)
        yield from super().compose_body()

    def _show_proof(self, status: BpjsStatusOut) -> None:
        """Show the last comparison with BPJS's own list, its differences named in as many lines as they need."""
        proof = self.query_one("#proof", Static)
        text = bpjs_words.proof_text(status.comparison)
        proof.display = bool(text)
        agrees = status.comparison is not None and status.comparison["agrees"]
        lines = wrapped(text, max(20, self.size.width - 4))
        set_text(proof, "\n".join((" " if agrees else " ! ") + line for line in lines), layout=True)

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self, note: str = "") -> None:
        """Read the list, and say how far the others are."""
        with self.saying_refusals():
            client = self.session.client
            found = await client.insurance.set_aside()
            status = await client.insurance.status()
            self._items = {f"{visit.what}:{visit.visit_id}": visit for visit in found}
            self._show()
            self._show_proof(status)
            self.say(f"{note} {self._count(len(found), status)}".strip(), "good" if note else "info")

    @staticmethod
    def _count(number: int, status: BpjsStatusOut) -> str:
        if not status.is_set_up:
            return _("BPJS is not set up: see LOKET_BPJS_URL in .env.example.")
        text = ngettext("{number} visit set aside", "{number} visits set aside", number).format(number=number)
        text += ", " + _("{number} waiting, {sent} sent today.").format(
            number=status.waiting, sent=status.settled_today
        )
        return " ".join([text, *(told.text for told in status.told)])

    def _row(self, item: BpjsVisitOut) -> Line:
        number = item.registration_number or "-"  # short; the visit's stands in the dialog
        return [
            (f"{date_text(item.service_on)} ", theme.PLAIN),
            (f"{fit(item.patient_name, 22)} ", theme.STRONG),
            (f"{fit(number, 6)} ", theme.PLAIN),
            ("; ".join(bpjs_words.troubles(item)), theme.ALERT),
        ]

    @on(PickList.Picked)
    def action_open(self) -> None:
        """Show why a visit was set aside, and what to do."""
        visit = self._chosen
        if visit is None:
            return

        def chosen(action: str | None) -> None:
            if action == "again":
                self.action_send_again()
            elif action == "card":
                self.action_edit_patient()
            elif action == "payer":
                self._choose_payer(visit)

        options = [
            ("A", "again", _("Send again")),
            ("K", "card", _("Correct card")),
            ("P", "payer", _("Somebody else pays")),
        ]
        notes = bpjs_words.troubles(visit)
        if visit.visit_number:
            notes.append(_("The visit's number at BPJS: {number}").format(number=visit.visit_number))
        self.app.push_screen(LettersDialog(self.session, N_("Set aside"), options, notes=notes), chosen)

    @work(exclusive=True, group="send", exit_on_error=False)
    async def action_send_again(self) -> None:
        """Send the chosen visit again."""
        visit = self._chosen
        if visit is None:
            return
        with self.saying_refusals(), hold_keys(self.app):
            await self.session.client.insurance.send_again(visit.visit_id)
            self.read(_("{name} is sent again.").format(name=visit.patient_name))

    def _choose_payer(self, visit: BpjsVisitOut) -> None:
        """Ask who pays instead: a visit that BPJS does not pay leaves the list, and BPJS's books."""

        def chosen(payer: str | None) -> None:
            if payer is not None:
                self.change_payer(visit, payer)

        options = [
            (str(number), payer, _(problem_words.PAYERS[payer]))
            for number, payer in enumerate(OTHER_PAYERS, start=1)
        ]
        self.app.push_screen(LettersDialog(self.session, N_("Who pays?"), options), chosen)

    @work(exclusive=True, group="send", exit_on_error=False)
    async def change_payer(self, visit: BpjsVisitOut, payer: str) -> None:
        """Keep who pays, and say so.

        Args:
            visit: That was set aside.
            payer: Code of the one who pays.
        """
        with self.saying_refusals(), hold_keys(self.app):
            await self.session.client.insurance.change_payer(visit.visit_id, payer)
            text = _("{name}: {payer} pays.")
            self.read(text.format(name=visit.patient_name, payer=_(problem_words.PAYERS[payer])))

    @work(exclusive=True, group="send", exit_on_error=False)
    async def action_edit_patient(self) -> None:
        """Correct the patient's card."""
        visit = self._chosen
        if visit is None:
            return
        with self.saying_refusals(), hold_keys(self.app):
            patient = await self.session.client.patients.get(visit.patient_id)
            self.app.push_screen(EditScreen(self.session, patient), self._corrected)

    def _corrected(self, note: Corrected | None) -> None:
        if note is not None:
            self.say(note.text, "good")
