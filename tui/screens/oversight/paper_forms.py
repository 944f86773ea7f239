"""The numbered paper forms: printed beforehand for the hours without a computer, and what became of each."""

from __future__ import annotations

from textual import work
from textual.binding import Binding

from core.foundation.codes import NumberStatus
from core.schemas.queues import PaperFormOut, PaperFormsMade
from tui import keymap, theme
from tui.printing import NotPrintedError, print_document
from tui.screens.item_list import ItemList
from tui.screens.reasons import ClusterDialog, LineDialog
from tui.terminal.driver import terminal_of
from tui.terminal.keyboard import hold_keys
from tui.text import problem_words
from tui.text.formatting import fit, instant_text
from tui.text.translation import N_, _
from tui.widgets.painting import Line

USUAL_COUNT = "20"  # forms for a cluster's morning
MOST_COUNT = 100  # as the core allows at once
SHORTEST_REASON = 3  # letters


class PaperFormsScreen(ItemList[PaperFormOut]):
    """A row for each form, those printed last first."""

    AREA = "paper"
    TITLE_TEXT = N_("Paper forms")
    HELP_TEXT = N_(
        "Forms on which the counter writes while no computer answers, each with a number that nobody else gets. Print a "
        "stack for each cluster beforehand: N asks for the cluster and how many. The counter types them in later with "
        "Ctrl+T. V notes that a form was spoiled or lost, B that it came back unused, each with a reason. "
        "O shows only those that are still out."
    )
    BINDINGS = [
        keymap.BACK,
        Binding("n", "print_forms", N_("Print forms")),
        Binding("v", "void", N_("Spoiled, lost")),
        Binding("b", "take_back", N_("Came back")),
        Binding("o", "only_out", N_("Only those out")),
        keymap.REFRESH,
    ]
    _only_out = False

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self) -> None:
        """Read the forms."""
        with self.saying_refusals():
            await self._read()

    async def _read(self) -> None:
        status = NumberStatus.LENT if self._only_out else None
        forms = await self.session.client.paper_forms.all(status)
        self._items = {form.number: form for form in forms}
        self._show()
        out = sum(form.status is NumberStatus.LENT for form in forms)
        self.hint(
            _("{number} forms, {out} of them are out. N prints more.").format(number=len(forms), out=out)
        )

    def _row(self, item: PaperFormOut) -> Line:
        zone = self.session.clinic.timezone
        is_out = item.status is NumberStatus.LENT
        state = problem_words.word(problem_words.PAPER_STATUSES, item.status)
        at = instant_text(item.lent_at if is_out else item.ended_at, zone)
        place = self.session.cluster_name(item.cluster)
        text = f" {fit(item.number, 8)} {fit(place, 24)} {fit(state, 12)} {at}  {item.reason}"
        return [(text, theme.STRONG if is_out else theme.PLAIN)]

    # Printing

    def action_print_forms(self) -> None:
        """Ask for the cluster and how many."""

        def chosen(cluster: str | None) -> None:
            if cluster:
                self._ask_count(cluster)

        self.app.push_screen(ClusterDialog(self.session, self.session.destinations), chosen)

    def _ask_count(self, cluster: str) -> None:
        def given(text: str | None) -> None:
            if text is None:
                return
            if text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_COUNT:
                self._print(cluster, int(text))
            else:
                self.say(_("Type a number from 1 to 100."), "error")

        title = N_("How many forms? (1 to 100)")
        self.app.push_screen(LineDialog(self.session, title, value=USUAL_COUNT), given)

    @work(exclusive=True, group="print", exit_on_error=False)
    async def _print(self, cluster: str, count: int) -> None:
        """Reserve the numbers, print form after form; what cannot be printed is voided, so that none is lost sight of."""
        with self.saying_refusals(), hold_keys(self.app):
            made = await self.session.client.paper_forms.make(cluster, count)
            printed, why = await self._print_all(made)
            for form in made.forms[printed:]:
                await self.session.client.paper_forms.end(form.number, NumberStatus.VOIDED, _("not printed"))
            await self._read()
            if printed < count:
                self.say(
                    _("{number} not printed and voided: {why}").format(number=count - printed, why=why),
                    "error",
                )
            else:
                first, last = made.forms[0].number, made.forms[-1].number
                said = _("{number} forms printed: {first} to {last}.")
                self.say(said.format(number=count, first=first, last=last), "good")

    async def _print_all(self, made: PaperFormsMade) -> tuple[int, str]:
        """Return how many were printed, and why not more."""
        terminal = terminal_of(self.app)
        for number, document in enumerate(made.documents):
            try:
                await print_document(self.session, terminal, document)
            except NotPrintedError as failure:
                return number, str(failure)
        return len(made.documents), ""

    # Ending

    def action_void(self) -> None:
        """Ask why a form is void."""
        self._end(NumberStatus.VOIDED, N_("How was the form spoiled or lost?"))

    def action_take_back(self) -> None:
        """Ask why a form came back."""
        self._end(NumberStatus.RETURNED, N_("Why did the form come back unused?"))

    def _end(self, outcome: NumberStatus, title: str) -> None:
        form = self._chosen
        if form is None or form.status is not NumberStatus.LENT:
            self.say(_("Choose a form that is still out."), "warning")
            return

        def given(reason: str | None) -> None:
            if reason:
                self._send_end(form.number, outcome, reason)

        dialog = LineDialog(self.session, title, note=form.number, shortest=SHORTEST_REASON)
        self.app.push_screen(dialog, given)

    @work(exclusive=True, group="do", exit_on_error=False)
    async def _send_end(self, number: str, outcome: NumberStatus, reason: str) -> None:
        with self.saying_refusals(), hold_keys(self.app):
            await self.session.client.paper_forms.end(number, outcome, reason)
            await self._read()
            state = problem_words.word(problem_words.PAPER_STATUSES, outcome)
            self.say(f"{number}: {state}", "good")

    def action_only_out(self) -> None:
        """Show only the forms that are out, or all again."""
        self._only_out = not self._only_out
        self.read()
