"""The audit log: who opened this patient, what did this account do."""

from __future__ import annotations

from textual import work
from textual.binding import Binding

from core.schemas.oversight import AuditLineOut
from core.schemas.patients import PatientOut
from tui import keymap
from tui.screens.oversight.audit_lines import AuditLines, audit_row, line_key
from tui.screens.reasons import LineDialog
from tui.screens.record.patient_finder import PatientDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text.translation import N_, _
from tui.widgets.painting import Line

PAGE_ROWS = 200  # rows that are read at once


class OpenedPatientDialog(PatientDialog):
    """Finds the patient whose rows are wanted."""

    TITLE_TEXT = N_("Who opened this patient?")

    def say_keys(self) -> None:
        """Say that Enter shows the rows; the record itself stays closed."""
        self.hint(_("Enter: who opened this patient    Esc: back"))


class AuditLogScreen(AuditLines[AuditLineOut]):
    """The newest rows of both logs: of everybody, about one patient, or of one account."""

    AREA = "log"
    TITLE_TEXT = N_("Audit log")
    HELP_TEXT = N_(
        "Who saw and changed what, the newest first. P asks for a patient: who opened this record. A asks for a user "
        "name: what did this account do. E shows everybody again. O goes further back. Enter shows a row in full. "
        "Looking here is written into the log too."
    )
    BINDINGS = [
        keymap.BACK,
        Binding("p", "patient", N_("Of a patient")),
        Binding("a", "account", N_("Of an account")),
        Binding("e", "everybody", N_("Of everybody")),
        Binding("o", "older", N_("Older")),
        keymap.REFRESH,
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._patient_id, self._account = "", ""
        self._about = ""

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self) -> None:
        """Read the newest rows."""
        await self._read_page("")

    async def _read_page(self, until: str) -> None:
        """Read a page of rows; those after the first page stand below the others."""
        with self.saying_refusals(), hold_keys(self.app):
            lines = await self.session.client.oversight.audit(
                patient_id=self._patient_id, account=self._account, until=until, limit=PAGE_ROWS
            )
            before = self._items if until else {}
            self._items = {**before, **{line_key(line): line for line in lines}}
            self._show()
            if until and not lines:
                self.say(_("There are no older rows."))
            else:
                about = self._about or _("everybody")
                self.say(_("{about}: {number} rows").format(about=about, number=len(self._items)))

    def _row(self, item: AuditLineOut) -> Line:
        return audit_row(item, self.session.clinic.timezone, with_day=True)

    def action_patient(self) -> None:
        """Ask whose record was opened."""

        def found(patient: PatientOut | None) -> None:
            if patient is not None:
                self._narrow(f"{patient.name} {patient.medical_record_number}", patient_id=patient.id)

        self.app.push_screen(OpenedPatientDialog(self.session), found)

    def action_account(self) -> None:
        """Ask for the account."""

        def given(username: str | None) -> None:
            if username:
                self._narrow(username.lower(), account=username.lower())

        self.app.push_screen(LineDialog(self.session, N_("What did this account do? (user name)")), given)

    def action_everybody(self) -> None:
        """Show the rows of everybody."""
        self._narrow("")

    def _narrow(self, about: str, *, patient_id: str = "", account: str = "") -> None:
        self._about, self._patient_id, self._account = about, patient_id, account
        self.read()

    @work(exclusive=True, group="read", exit_on_error=False)
    async def action_older(self) -> None:
        """Read the rows before those that are shown."""
        if self._items:
            oldest = min(line.at for line in self._items.values())
            await self._read_page(oldest.isoformat())
