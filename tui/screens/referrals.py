"""Referrals of late: BPJS's number of each once it has come, and its letter."""

from __future__ import annotations

from textual import on, work

from core.records.pcare_form import LETTER
from core.schemas.bpjs import REFERRED, ReferralOut
from tui import keymap, theme
from tui.messages import RecordChanged
from tui.screens.item_list import ItemList
from tui.screens.reasons import LettersDialog
from tui.screens.record.letters import issue, print_text, show_letter
from tui.terminal.keyboard import hold_keys
from tui.text import referral_words
from tui.text.formatting import date_text, fit
from tui.text.translation import N_, _, ngettext
from tui.widgets import PickList
from tui.widgets.painting import Line


class ReferralsScreen(ItemList[ReferralOut]):
    """Lists the insured patients whom one's clusters referred, the newest first."""

    AREA = "work"
    TITLE_TEXT = N_("Referrals")
    HELP_TEXT = N_(
        "Patients whom your clusters referred in the last two weeks. BPJS gives each its number when it has taken the "
        "visit; until then the letter says that the number follows. Enter shows the letter, P prints it: a letter "
        "that left without its number is issued again with it. What BPJS did not take stands here in its own words."
    )
    BINDINGS = [keymap.PRINT_LETTER, keymap.REFRESH, keymap.BACK]

    def on_record_changed(self, message: RecordChanged) -> None:
        """Read the list again: a number has come, or was refused."""
        if message.kind == REFERRED:
            self.read(says=False)

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self, *, says: bool = True) -> None:
        """Read the list.

        Args:
            says: Whether it says how many wait for their number, in place of what stands there.
        """
        with self.saying_refusals():
            found = await self.session.client.insurance.referrals()
            self._items = {item.visit_id: item for item in found}
            self._show()
            if not says:
                return
            waiting = sum(not item.number for item in found)
            count = ngettext(
                "{number} referral waits for its number.",
                "{number} referrals wait for their numbers.",
                waiting,
            )
            self.say(count.format(number=waiting))

    def _row(self, item: ReferralOut) -> Line:
        is_strange = referral_words.is_refused(item)
        is_ready = referral_words.is_ready(item)
        sign = "!!" if is_strange else "! " if item.urgent and not item.number else "  "
        who: Line = [
            (f"{sign} ", theme.ALERT),
            (f"{date_text(item.service_on)[:5]} {fit(item.ticket, 5)} ", theme.PLAIN),
            (f"{fit(item.patient_name, 16)} ", theme.STRONG),
        ]
        if is_strange:  # what has to be mended needs the room
            return [*who, (referral_words.state_text(item), theme.ALERT)]
        return [
            *who,
            (f"{fit(item.facility, 12)} ", theme.PLAIN),
            (f"{fit(referral_words.letter_text(item), 11)} ", theme.ALERT if is_ready else theme.PLAIN),
            (referral_words.state_text(item), theme.PLAIN),
        ]

    @on(PickList.Picked)
    def action_open(self) -> None:
        """Show how far a referral is, and what can be done."""
        item = self._chosen
        if item is None:
            return

        def chosen(action: str | None) -> None:
            if action == "show":
                self.show_letter(item)
            elif action == "print":
                self.action_print_letter()

        notes = [
            f"{item.patient_name}  RM {item.medical_record_number}",
            f"{item.department}, {item.facility}, {date_text(item.refer_on)}",
            referral_words.state_text(item),
        ]
        if item.until:
            notes.append(_("The hospital takes it until {day}.").format(day=item.until))
        options = [("L", "show", _("Letter")), ("P", "print", _("Print"))]
        self.app.push_screen(LettersDialog(self.session, N_("Referral"), options, notes=notes), chosen)

    def action_print_letter(self) -> None:
        """Print the letter of the chosen referral, with its number if that has come."""
        if (item := self._chosen) is not None:
            self.show_letter(item, prints=True)

    @work(exclusive=True, group="letter", exit_on_error=False)
    async def show_letter(self, item: ReferralOut, *, prints: bool = False) -> None:
        """Show or print the newest letter, issued anew where it lacks the number.

        Args:
            item: The referral.
            prints: Whether it is printed at once.
        """
        with self.saying_refusals(), hold_keys(self.app):
            if not item.letter or referral_words.is_ready(item):
                await issue(self, item.visit_id, LETTER, {}, prints=prints)
            else:
                visit = await self.session.client.visits.get(item.visit_id)
                letter = next(one for one in visit.letters if one.number == item.letter)
                if prints:
                    await print_text(self, letter.number, letter.text, letter.barcode)
                else:
                    show_letter(self, letter)
