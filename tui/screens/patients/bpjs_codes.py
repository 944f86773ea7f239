"""Maps clusters, clinicians, medicines, procedures and allergies to BPJS's lists: what has no code cannot be entered there."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on, work

from core.schemas.bpjs import BpjsCodeOut, BpjsListItemOut
from tui import keymap, theme
from tui.screens.item_list import ItemList
from tui.screens.record.search_dialog import SearchDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import bpjs_words
from tui.text.formatting import date_text, fit
from tui.text.translation import N_, _, ngettext
from tui.widgets import PickList, PickRow
from tui.widgets.painting import Line

NOT_LISTED = "-"
"""Says that BPJS's list has none."""
TAKEN_BACK = ""
MAY_BE_OUTSIDE = frozenset({"medicine", "procedure", "allergy"})


class CodePickDialog(SearchDialog[tuple[str, str]]):
    """Looks for an item of a list of BPJS's; returns its code and name."""

    def __init__(self, session: Session, item: BpjsCodeOut) -> None:
        super().__init__(session, N_("Which is it at BPJS?"))
        self._item = item
        self._is_chosen = False

    async def search(self, text: str) -> Sequence[tuple[str, BpjsListItemOut]]:
        """Return the items that fit; first of all those that say that there is none."""
        kind = bpjs_words.WELL if self._item.ours == bpjs_words.WELL else self._item.kind
        found = await self.session.client.insurance.offered(kind, text)
        rows = [(item.code, item) for item in found]
        return rows if text.strip() else [*rows, *self._others()]

    def _others(self) -> list[tuple[str, BpjsListItemOut]]:
        """Return the answers that are no item of the list."""
        others = []
        if self._item.kind in MAY_BE_OUTSIDE:
            others.append(
                (NOT_LISTED, BpjsListItemOut(code=NOT_LISTED, name=_("BPJS's list does not have it")))
            )
        if self._item.code:
            taken_back = BpjsListItemOut(code=TAKEN_BACK, name=_("take the code back"))
            others.append((TAKEN_BACK, taken_back))
        return others

    def action_move(self, step: int) -> None:
        """Move in the list: what stands under the cursor then is meant."""
        self._is_chosen = True
        super().action_move(step)

    def submit(self, text: str) -> None:
        """Take an item that was searched for or moved to; Enter alone, by reflex, takes none."""
        if text.strip() or self._is_chosen:
            super().submit(text)

    def row(self, key: str, thing: BpjsListItemOut) -> PickRow:
        """Return an item as a line of the list."""
        return PickRow(key, [(f"{fit(thing.code, 11)} ", theme.STRONG), (thing.name, theme.PLAIN)])

    def take(self, key: str, thing: BpjsListItemOut) -> None:
        """Return the chosen item."""
        self.dismiss((thing.code, thing.name if thing.code != NOT_LISTED else ""))

    def say_keys(self) -> None:
        """Show what it is about, and the keys."""
        keys = _("Type: search BPJS's list    arrows, Enter: choose    Esc: back")
        self.hint(f"{bpjs_words.code_title(self._item)}\n{keys}")


class BpjsCodesScreen(ItemList[BpjsCodeOut]):
    """Lists what needs a code at BPJS, first what has none."""

    TITLE_TEXT = N_("Codes at BPJS")
    HELP_TEXT = N_(
        "Clusters, clinicians, and the medicines, procedures and allergies of insured people, with the code that each has in "
        "P-Care; what has none stands on top, the most used first. Enter chooses from BPJS's own list, which is read "
        "once a day; medicines are looked for at BPJS while you type. Nothing is guessed: only the very same name is "
        "found by itself. Visits that were set aside for want of a code follow by themselves."
    )
    BINDINGS = [keymap.REFRESH, keymap.BACK]

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self, note: str = "") -> None:
        """Read the list, and say how many have no code."""
        with self.saying_refusals():
            found = await self.session.client.insurance.codes()
            self._items = {f"{item.kind}:{item.ours}": item for item in found.items}
            self._show()
            missing = sum(1 for item in found.items if not item.code and not bpjs_words.is_optional(item))
            count = ngettext("{number} without a code.", "{number} without a code.", missing).format(
                number=missing
            )
            if found.read_at is None:
                read = _("BPJS's lists were not read yet.")
            else:
                read = _("BPJS's lists are of {day}.").format(day=date_text(found.read_at.date()))
            said = f"{note} {count}" if note else f"{count} {read}"
            self.say(said, "warning" if missing else "good")

    def _row(self, item: BpjsCodeOut) -> Line:
        is_open = not item.code and not bpjs_words.is_optional(item)
        used = f"{item.used}x" if item.used else ""
        return [
            (f"{fit(_(bpjs_words.KINDS[item.kind]), 9)} ", theme.PLAIN),
            (f"{fit(bpjs_words.code_title(item), 34)} ", theme.STRONG),
            (f"{fit(used, 4)} ", theme.PLAIN),
            (bpjs_words.code_text(item), theme.ALERT if is_open else theme.PLAIN),
        ]

    @on(PickList.Picked)
    def action_open(self) -> None:
        """Choose the code of an item."""
        item = self._chosen
        if item is None:
            return

        def chosen(found: tuple[str, str] | None) -> None:
            if found is not None:
                self.map_item(item, *found)

        self.app.push_screen(CodePickDialog(self.session, item), chosen)

    @work(exclusive=True, group="save", exit_on_error=False)
    async def map_item(self, item: BpjsCodeOut, code: str, name: str) -> None:
        """Keep the choice.

        Args:
            item: Of the clinic's.
            code: At BPJS; empty takes it back.
            name: As BPJS names it.
        """
        with self.saying_refusals(), hold_keys(self.app):
            await self.session.client.insurance.map_code(item.kind, item.ours, code, name)
            said = bpjs_words.code_text(item.model_copy(update={"code": code, "code_name": name}))
            self.read(f"{bpjs_words.code_title(item)}: {said}.")
