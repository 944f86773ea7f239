"""The worklist: patients waiting for a result or a medicine, with prescriber, waiting time and place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from core.foundation.codes import Role
from core.schemas.record import WorkItem
from tui import keymap, theme
from tui.messages import QueueChanged, RecordChanged
from tui.screens.base import LoketScreen
from tui.session import Session
from tui.text.formatting import date_text, fit, sex_letter
from tui.text.translation import N_, _
from tui.widgets import PickList, PickRow
from tui.widgets.painting import Line

OpenWork = Callable[[str], Awaitable[None]]


def work_kind(session: Session) -> str:
    """Return the list on which this person works: `orders` or `prescriptions`."""
    return "orders" if session.account.role is Role.LAB else "prescriptions"


class WorklistScreen(LoketScreen[None]):
    """Lists everything that waits, one line a patient, oldest first."""

    AREA = "worklist"
    TITLE_TEXT = N_("Worklist")
    HELP_TEXT = N_(
        "Everything ordered or prescribed that is not done yet, the oldest first, also of patients who have "
        "not come here or were sent on. Enter opens what one patient has. F4 is the queue, where you call."
    )
    BINDINGS = [Binding("enter", "open", N_("Open")), keymap.REFRESH]
    CSS_PATH = "worklist.tcss"

    def __init__(self, session: Session, open_work: OpenWork) -> None:
        """Args: `open_work` shows a visit's work over this screen."""
        super().__init__(session)
        self._open_work = open_work
        self._items: dict[str, WorkItem] = {}

    def compose_body(self) -> ComposeResult:
        """Yield headings, the list, and all items of the chosen patient."""
        yield Static("", id="headings", markup=False)
        yield PickList("work")
        yield Static("", id="detail", markup=False)

    def on_mount(self) -> None:
        """Read the list."""
        self.query_one("#work").focus()
        self.load()

    def on_screen_resume(self) -> None:
        """Read the changes made meanwhile."""
        super().on_screen_resume()
        self.load()

    def after_language(self) -> None:
        """Show the list in the new language."""
        self._show()

    def on_record_changed(self, message: RecordChanged) -> None:
        """Read the list again: something was ordered, done or revoked."""
        if message.kind in {"order", "prescription"}:
            self.load()

    def on_queue_changed(self, message: QueueChanged) -> None:
        """Read the list again: a patient came here or left."""
        if message.queue.cluster in self.session.account.clusters:
            self.load()

    @work(exclusive=True, group="load", exit_on_error=False)
    async def load(self) -> None:
        """Read the list, the cursor staying on its patient."""
        with self.saying_refusals():
            found = await self.session.client.orders.worklist(work_kind(self.session))
            self._items = {item.visit_id: item for item in found}
            self._show()

    def _show(self) -> None:
        name, what = self._widths()
        headings = " ".join(
            [
                "",
                fit(_("Where"), 13),
                fit(_("Patient"), name),
                " " * 5,
                fit(_("Since"), 7),
                fit(_("From"), 14),
                _("What"),
            ]
        )
        self.query_one("#headings", Static).update(headings)
        rows = [PickRow(key, self._line(item, name, what)) for key, item in self._items.items()]
        if not rows:
            rows = [PickRow("", [(_("nothing waits"), theme.PLAIN)])]
        self.query_one("#work", PickList).show_rows(rows, keep=True)
        self._show_detail()

    def _widths(self) -> tuple[int, int]:
        name = 20 if self.size.width < 100 else 30
        return name, max(8, self.size.width - name - 46)

    def _line(self, item: WorkItem, name: int, what: int) -> Line:
        here = theme.STRONG if item.entry is not None else theme.PLAIN
        today = item.service_on == self.session.clinic.today
        since = f"{item.waited_minutes}'" if today else date_text(item.service_on)[:5]
        person = f"{sex_letter(item.patient.sex)}{item.patient.age:>3}"
        things = ", ".join(
            [order.test for order in item.orders] + [each.medicine for each in item.prescriptions]
        )
        return [
            (fit(item.place or "-", 13), here),
            (" " + fit(item.patient.name, name), theme.STRONG),
            (f" {person:>5} {since:>6}  ", theme.PLAIN),
            (fit(item.ordered_by, 14) + " ", theme.PLAIN),
            (fit(things, what), theme.PLAIN),
        ]

    def _show_detail(self) -> None:
        item = self._items.get(self.query_one("#work", PickList).chosen or "")
        lines = []
        if item is not None:
            if item.allergies:
                lines.append(" !! " + _("ALLERGIES: {names}").format(names=", ".join(item.allergies)))
            lines += [f"   {order.test} {order.note}".rstrip() for order in item.orders]
            lines += [
                f"   {each.medicine}  {each.dose} {each.frequency}  {each.amount}"
                for each in item.prescriptions
            ]
        self.query_one("#detail", Static).update("\n".join(lines[:6]))

    def on_key(self) -> None:
        """Show the items of the patient under the cursor."""
        self.call_after_refresh(self._show_detail)

    @on(PickList.Picked)
    async def picked(self, event: PickList.Picked) -> None:
        """Open this patient's work."""
        if event.key:
            await self._open_work(event.key)

    async def action_refresh_data(self) -> None:
        """Read the list again."""
        self.load()
        self.say(_("Up to date."))
