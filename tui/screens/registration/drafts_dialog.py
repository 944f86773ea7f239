"""The unfinished forms of this person, to continue one or to throw it away."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding

from core.schemas.registration import DraftOut
from tui import theme
from tui.registration.drafts import complaint_of, drop, label_of, paper_of
from tui.screens.base import Dialog
from tui.screens.reasons import AgreeDialog
from tui.session import Session
from tui.text.formatting import fit, instant_text
from tui.text.translation import N_, _
from tui.widgets import PickList, PickRow

SHOWN = 10  # rows


class DraftsDialog(Dialog[DraftOut]):
    """Returns the form to continue."""

    TITLE_TEXT = N_("Unfinished forms")
    BINDINGS = [Binding("delete,x", "throw_away", show=False)]

    def __init__(self, session: Session, drafts: Sequence[DraftOut]) -> None:
        super().__init__(session)
        self._drafts = {draft.key: draft for draft in drafts}

    def compose_body(self) -> ComposeResult:
        """Yield a line for each form."""
        forms = PickList("forms")
        forms.styles.height = min(SHOWN, len(self._drafts))
        yield forms

    def on_mount(self) -> None:
        """Show the newest first."""
        self.query_one("#forms").focus()
        self._show()

    def _show(self) -> None:
        rows = [PickRow(key, [(self._line(draft), theme.PLAIN)]) for key, draft in self._drafts.items()]
        self.query_one("#forms", PickList).show_rows(rows, keep=True)
        self.hint(_("Enter: continue    X: throw away    Esc: back"))

    def _line(self, draft: DraftOut) -> str:
        at = instant_text(draft.saved_at, self.session.clinic.timezone) if draft.saved_at else ""
        form = fit(paper_of(draft), 6)
        return f"{at} {form} {fit(label_of(draft), 24)} {fit(complaint_of(draft), 20)}".rstrip()

    @on(PickList.Picked)
    def continue_form(self, event: PickList.Picked) -> None:
        """Return the chosen form."""
        self.dismiss(self._drafts[event.key])

    def action_throw_away(self) -> None:
        """Delete the chosen form, after Enter."""
        draft = self._drafts.get(self.query_one("#forms", PickList).chosen or "")
        if draft is None:
            return

        def agreed(is_meant: bool | None) -> None:
            if is_meant:
                self.throw_away(draft)

        self.app.push_screen(
            AgreeDialog(self.session, N_("Throw this form away?"), self._line(draft)), agreed
        )

    @work(exclusive=True, group="draft", exit_on_error=False)
    async def throw_away(self, draft: DraftOut) -> None:
        """Delete a form; with the last one the dialog closes."""
        with self.hinting_refusals():
            await drop(self.session.client, draft.key, _("given up at the counter"))
            del self._drafts[draft.key]
            self._show()
            if not self._drafts:
                self.dismiss(None)
