"""Past decisions about possible duplicates, merged or told apart, and how to undo them."""

from __future__ import annotations

import asyncio
from datetime import datetime

from textual import work

from core.schemas.patients import MergeOut, NonMatchOut
from tui import keymap, theme
from tui.screens.item_list import ItemList
from tui.screens.reasons import LettersDialog
from tui.terminal.keyboard import hold_keys
from tui.text.formatting import fit, instant_text
from tui.text.translation import N_, _
from tui.widgets.painting import Line

Decision = MergeOut | NonMatchOut


def _key(decision: Decision) -> str:
    if isinstance(decision, MergeOut):
        return decision.id
    return f"{decision.left_id} {decision.right_id}"


def _decided_at(decision: Decision) -> datetime:
    return decision.merged_at if isinstance(decision, MergeOut) else decision.decided_at


class DecisionsScreen(ItemList[Decision]):
    """Lists the last decisions about possible duplicates; a wrong one is undone here."""

    TITLE_TEXT = N_("Decisions")
    HELP_TEXT = N_(
        "Look-alikes that were made one (RM > RM) or told apart (RM / RM), the last first. U takes a decision "
        "back. Two records that were made one are as they were, and visits made since then stay with the "
        "record that stayed; only an administrator may do that. Two that were told apart are asked about again."
    )
    BINDINGS = [keymap.UNDO_STEP, keymap.REFRESH, keymap.BACK]

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self, note: str = "") -> None:
        """Read the list and explain it."""
        with self.saying_refusals():
            client = self.session.client
            merges, apart = await asyncio.gather(
                client.patients.merges(), client.patients.judged_two_people()
            )
            decisions: list[Decision] = [*merges, *apart]
            decisions.sort(key=_decided_at, reverse=True)
            self._items = {_key(decision): decision for decision in decisions}
            self._show()
            self.say(note or (_("The last decisions.") if decisions else _("Nothing has been decided yet.")))

    def _row(self, item: Decision) -> Line:
        if isinstance(item, MergeOut):
            numbers, by = f"{item.merged_number} > {item.survivor_number}", item.merged_by
            name = item.name
            outcome = (_("taken back"), theme.GOOD) if item.undone_at else (_("made one"), theme.PLAIN)
        else:
            numbers, by = f"{item.left_number} / {item.right_number}", item.decided_by
            name = item.left_name
            outcome = (_("two people"), theme.PLAIN)
        wide = self.size.width >= 120
        return [
            (f"{instant_text(_decided_at(item), self.session.clinic.timezone)} ", theme.PLAIN),
            (f"{fit(name, 36 if wide else 18)} ", theme.STRONG),
            (f"{numbers} {fit(by, 20 if wide else 10)} ", theme.PLAIN),
            outcome,
        ]

    def action_undo_step(self) -> None:
        """Undo the chosen decision, after one more question."""
        decision = self._chosen
        if decision is None:
            return
        if isinstance(decision, NonMatchOut):
            question, yes = N_("Were they perhaps one person?"), _("yes, ask again")
        elif not self.session.administers:
            self.say(_("Only an administrator takes a merge back."), "warning")
            return
        elif decision.undone_at is not None:
            self.say(_("This was undone already."), "warning")
            return
        else:
            question, yes = N_("Take this merge back?"), _("yes, two people again")

        def agreed(answer: str | None) -> None:
            if answer == "yes":
                self.take_back(decision)

        self.app.push_screen(LettersDialog(self.session, question, [("Y", "yes", yes)]), agreed)

    @work(exclusive=True, group="save", exit_on_error=False)
    async def take_back(self, decision: Decision) -> None:
        """Undo a decision."""
        with self.saying_refusals(), hold_keys(self.app):
            if isinstance(decision, NonMatchOut):
                await self.session.client.patients.undo_not_same(decision.left_id, decision.right_id)
                self.read(_("Taken back: perhaps one person."))
                return
            made = await self.session.client.patients.undo_merge(decision.id)
            self.read(
                _("RM {merged} and RM {survivor} are two records again.").format(
                    merged=made.merged_number, survivor=made.survivor_number
                )
            )
