"""Clerical review of record pairs that may be one person."""

from __future__ import annotations

from textual import on, work

from core.schemas.patients import CandidatePairOut, PatientOut
from tui import keymap, theme
from tui.screens.item_list import ItemList
from tui.screens.patients.compare import CompareScreen, Outcome
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import problem_words
from tui.text.formatting import fit
from tui.text.translation import N_, _, ngettext
from tui.widgets import PickList
from tui.widgets.painting import Line


def _key(pair: CandidatePairOut) -> str:
    """Return the same key for either order of the two."""
    return " ".join(sorted((pair.left.id, pair.right.id)))


class PairsScreen(ItemList[CandidatePairOut]):
    """Lists suspected pairs, the most suspicious first; judged ones are not shown again."""

    TITLE_TEXT = N_("Look-alikes")
    HELP_TEXT = N_(
        "Pairs of records that may be one person. Enter puts them side by side. N remembers that they are "
        "two people, U takes the last such decision back; older ones are in the list of decisions. L leaves "
        "a pair for later. Only an administrator makes two records one."
    )
    BINDINGS = [
        keymap.OPEN,
        keymap.NOT_SAME,
        keymap.UNDO_STEP,
        keymap.LATER,
        keymap.REFRESH,
        keymap.BACK,
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._judged: list[CandidatePairOut] = []
        """Pairs judged here to be two people, the last one last."""

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self, note: str = "", chosen: str = "") -> None:
        """Read the list, put the cursor on a pair, and show the length of the list."""
        self.say(_("Looking ..."))
        with self.saying_refusals():
            found = await self.session.client.patients.suspected()
            self._items = {_key(pair): pair for pair in found}
            self._show()
            if chosen in self._items:
                self._list.action_move(list(self._items).index(chosen) - self._list.cursor)
            self._say_count(note)

    def _say_count(self, note: str = "") -> None:
        number = len(self._items)
        count = ngettext("{number} pair to look at", "{number} pairs to look at", number).format(
            number=number
        )
        text = count if number else _("No pair is waiting.")
        self.say(f"{note} {text}".strip(), "good" if note else "info")

    def _row(self, item: CandidatePairOut) -> Line:
        wide = self.size.width >= 120
        return [
            (f"{round(100 * item.score):3d} %  ", theme.PLAIN),
            (self._who(item.left, wide=wide), theme.STRONG),
            (self._who(item.right, wide=wide), theme.STRONG),
            (", ".join(problem_words.likeness(item.reasons)), theme.PLAIN),
        ]

    def _who(self, patient: PatientOut, *, wide: bool) -> str:
        if wide:
            return f"{fit(patient.name, 28)} {patient.medical_record_number}  "
        return f"{fit(patient.name, 19)} "

    @on(PickList.Picked)
    def action_open(self) -> None:
        """Compare the pair."""
        pair = self._chosen
        if pair is not None:
            self.app.push_screen(CompareScreen(self.session, pair), self._decided)

    def _decided(self, outcome: Outcome | None) -> None:
        if outcome is None:
            return
        action, text = outcome
        if action == "merged":
            self.read(text)  # the merged record may resemble others
        else:
            pair = self._chosen
            if action == "not_same" and pair is not None:
                self._judged.append(pair)
            self._put_aside()
            self._say_count(text)

    def action_later(self) -> None:
        """Put the pair aside until the list is read again."""
        if self._chosen is not None:
            self._put_aside()
            self._say_count(_("Left for later."))

    def _put_aside(self) -> None:
        at = self._list.cursor
        self._items.pop(self._list.chosen or "", None)
        self._show()
        self._list.action_move(at)

    @work(exclusive=True, group="save", exit_on_error=False)
    async def action_not_same(self) -> None:
        """Store that they are two people."""
        pair = self._chosen
        if pair is None:
            return
        with self.saying_refusals(), hold_keys(self.app):
            await self.session.client.patients.not_same(pair.left.id, pair.right.id)
            self._judged.append(pair)
            self._put_aside()
            self._say_count(_("Remembered: two people."))

    @work(exclusive=True, group="save", exit_on_error=False)
    async def action_undo_step(self) -> None:
        """Undo the last "two people" of this screen: N lies beside other keys."""
        if not self._judged:
            self.say(_("There is nothing to undo here."))
            return
        pair = self._judged[-1]
        with self.saying_refusals(), hold_keys(self.app):
            await self.session.client.patients.undo_not_same(pair.left.id, pair.right.id)
            self._judged.pop()
            self.read(_("Taken back: perhaps one person."), _key(pair))
