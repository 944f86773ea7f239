"""The search box for every kind of term, and its results."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from textual import events, on, work
from textual.app import ComposeResult
from textual.message import Message
from textual.timer import Timer

from core.foundation import clock
from core.foundation.codes import Permission
from core.patients.national_ids import normalise_number
from core.schemas.patients import PatientOut
from core.schemas.registration import DraftOut
from tui import keymap, theme
from tui.client.errors import UnreachableError
from tui.registration.asked_forms import is_question
from tui.registration.drafts import DRAFT_KIND, drop, label_of, take_up, unfinished
from tui.registration.form_values import FormValues, is_number_of, values_from_search
from tui.screens.base import LoketScreen, Values
from tui.screens.patients.bpjs_codes import BpjsCodesScreen
from tui.screens.patients.bpjs_visits import BpjsVisitsScreen
from tui.screens.patients.decisions import DecisionsScreen
from tui.screens.patients.edit import EditScreen
from tui.screens.patients.notes import Corrected
from tui.screens.patients.pairs import PairsScreen
from tui.screens.patients.set_aside import SetAsideScreen
from tui.screens.reasons import LettersDialog
from tui.screens.registration.bookings import BookingsScreen, MissedScreen
from tui.screens.registration.drafts_dialog import DraftsDialog
from tui.screens.registration.late_dialog import LateDialog
from tui.screens.registration.receipt import ReceiptScreen
from tui.screens.registration.registration_form import RegistrationScreen
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text.formatting import age_text, date_text, fit, sex_letter, time_text
from tui.text.translation import N_, _, ngettext
from tui.widgets import FieldRow, PickList, PickRow, TextField, labelled
from tui.widgets.painting import Line

DEBOUNCE_SECONDS = 0.25
RETRY_SECONDS = 5.0  # between two looks at whether the core answers again


class SearchBox(TextField):
    """Search box: the arrows move through the results while the focus stays."""

    class LastWanted(Message):
        """Space in the empty box: open the last patient again."""

    def on_key(self, event: events.Key) -> None:
        """Hand arrows to the list."""
        pick_list = self.screen.query_one("#found", PickList)
        steps = {"up": -1, "down": 1}
        if event.key in steps:
            event.stop()
            pick_list.action_move(steps[event.key])
        elif event.key in {"pageup", "pagedown"}:
            event.stop()
            pick_list.action_page(1 if event.key == "pagedown" else -1)
        elif event.key == keymap.LAST_PATIENT.key and not self.value:
            event.stop()
            event.prevent_default()
            self.post_message(self.LastWanted())


class SearchScreen(LoketScreen[None]):
    """The clerk's home screen, shown again after each patient."""

    AREA = "register"
    TITLE_TEXT = N_("Registration")
    HELP_TEXT = N_(
        "Type or scan a NIK, a BPJS card, a medical record number, or a name (with birth date if there are "
        "many). Enter opens the chosen patient. F2 begins a new one; what you searched for goes along. "
        "The empty box shows the last patients: an arrow chooses one of them, Space opens your last one "
        "again. F9 corrects the chosen patient's card. F7 holds the lists of the quiet hour: cards still to "
        "be seen, records that may be one person, what was decided about them."
    )
    BINDINGS = [
        keymap.NEW_PATIENT,
        keymap.LAST_PATIENT,
        keymap.LISTS,
        keymap.DRAFT,
        keymap.EDIT,
        keymap.BACK,
    ]
    CSS_PATH = "search.tcss"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._found: dict[str, PatientOut] = {}
        self._answered: str | None = None
        self._verifying = False
        self._drafts: list[DraftOut] = []
        self._timer: Timer | None = None
        self._silent_since: datetime | None = None
        """Since when searches get no answer."""
        self._retry: Timer | None = None

    def compose_body(self) -> ComposeResult:
        """Yield the box and the list."""
        with FieldRow():
            yield from labelled(N_("Search"), SearchBox("search", longest=200), cells=8)
        yield PickList("found", focusable=False)

    def on_mount(self) -> None:
        """Show the last patients; offer the unfinished form."""
        self.query_one("#search").focus()
        self.look_up("")
        self.look_for_draft()

    def on_screen_resume(self) -> None:
        """Read the list again after each patient; the status line stays."""
        super().on_screen_resume()
        if self._answered is not None:
            self.look_up(self.query_one("#search", TextField).text, quiet=True)

    def after_language(self) -> None:
        """Fill the list again."""
        self._show_found()

    def begin_next(self, text: str = "", kind: str = "info") -> None:
        """Empty the box for the next patient, with a sentence about the last one."""
        box = self.query_one("#search", TextField)
        with box.prevent(TextField.Changed):
            box.value = ""
        box.focus()
        self._ask_no_more()
        self._drafts = []
        if text:
            self.say(text, kind)
        else:
            self.look_for_draft()
        self.look_up("", quiet=bool(text))

    # Searching

    @on(TextField.Changed, "#search")
    def search_soon(self) -> None:
        """Search when typing pauses: each request costs time on the line and the server."""
        self._ask_no_more()
        self._timer = self.set_timer(DEBOUNCE_SECONDS, self._search_now)

    def _ask_no_more(self) -> None:
        if self._timer is not None:
            self._timer.stop()

    def _search_now(self) -> None:
        self.look_up(self.query_one("#search", TextField).text)

    @on(TextField.Submitted, "#search")
    def open_exactly(self) -> None:
        """Open the patient who matches exactly the typed text: a scanner sends it in one burst."""
        self._ask_no_more()
        text = self.query_one("#search", TextField).text
        chosen = self.query_one("#found", PickList).chosen
        if self._verifying and not text:
            self.action_edit_patient()
        elif self._answered == text and chosen is not None:
            self._open(chosen)
        elif text:
            self.open_when_found(text)
        else:
            self._say_count(text)

    @work(exclusive=True, group="search", exit_on_error=False)
    async def look_up(self, text: str, *, quiet: bool = False) -> None:
        """Search and show the results; keep a status that has just been shown."""
        await self._ask(text, quiet=quiet)

    @work(exclusive=True, group="search", exit_on_error=False)
    async def open_when_found(self, text: str) -> None:
        """Search, then open the patient if only one matches; keys typed ahead wait for that."""
        with hold_keys(self.app):
            await self._ask(text)
            if not self._found and normalise_number(text).isdigit():
                # The next card is another patient's: its number replaces this one; an arrow keeps it.
                self.query_one("#search", TextField).action_select_all()
            if self._answered != text or len(self._found) != 1:
                return
            patient = next(iter(self._found.values()))
            if is_number_of(text, patient) or not normalise_number(text).isdigit():
                self._open(patient.id)

    async def _ask(self, text: str, *, quiet: bool = False) -> None:
        with self.saying_refusals():
            try:
                found = await self.session.client.patients.search(text)
            except UnreachableError:
                self._say_silent()
                return
            self._silent_since = None
            same = self._answered == text and bool(text)
            self._found = {patient.id: patient for patient in found}
            self._answered, self._verifying = text, False
            self._show_found(keep=same)
            if not quiet:
                self._say_count(text)

    def _say_silent(self) -> None:
        """Say since when the core does not answer, how many forms wait here, and how to go on."""
        self._silent_since = self._silent_since or clock.now()
        waiting = len(self.session.client.drafts.kept_here(DRAFT_KIND))
        since = time_text(self._silent_since, self.session.clinic.timezone)
        said = _("No answer since {time}. F2: next form.").format(time=since)
        if waiting:
            said += " " + ngettext(
                "{number} form here, NOT SAVED.", "{number} forms here, NOT SAVED.", waiting
            ).format(number=waiting)
        self.say(said, "error")
        if self._retry is None:
            self._retry = self.set_timer(RETRY_SECONDS, self._try_again)

    def _try_again(self) -> None:
        """Ask whether the core answers again; what was written meanwhile is then offered."""
        self._retry = None
        if self._silent_since is None:
            return
        if self.is_current and not self.query_one("#search", TextField).text:
            self.begin_next()
        else:
            self._retry = self.set_timer(RETRY_SECONDS, self._try_again)

    def _say_count(self, text: str) -> None:
        number = len(self._found)
        if not text and self._drafts:
            self._offer()
        elif not text:
            self.say(_("Last patients: type to search, arrows choose, F2 for a new patient."))
        elif not number:
            self.say(_("Nobody found. F2 registers a new patient."), "warning")
        else:
            self.say(
                ngettext("{number} patient found", "{number} patients found", number).format(number=number)
            )

    def _show_found(self, *, keep: bool = False) -> None:
        rows = [PickRow(patient.id, self._row(patient)) for patient in self._found.values()]
        # The box is empty: one Enter too many after a receipt would open the last patient
        # again, and the next one's name would land in their complaint.
        choose = self._verifying or bool(self._answered)
        self.query_one("#found", PickList).show_rows(rows, keep=keep, choose=choose)

    def _row(self, patient: PatientOut) -> Line:
        width = self.size.width
        name_cells = 26 if width < 120 else 36
        age = age_text(patient.birth_date, self.session.clinic.today)
        line: Line = [
            (f"{fit(patient.name, name_cells)} ", theme.STRONG),
            (f"{sex_letter(patient.sex)} {fit(age, 6)} {date_text(patient.birth_date)} ", theme.PLAIN),
            (f"{patient.medical_record_number} ", theme.PLAIN),
        ]
        if patient.deceased_on is not None:
            line.append((_("DIED {day}").format(day=date_text(patient.deceased_on)) + " ", theme.ALERT))
        if patient.open_entry:
            line.append((f"[{patient.open_entry}] ", theme.CALLED))
        if patient.appointment:
            line.append((f"<{patient.appointment.number}> ", theme.STRONG))
        if width >= 120:
            line.append((f"{fit(patient.nik or '-', 17)}", theme.PLAIN))
        line.append((patient.address, theme.PLAIN))
        return line

    # Opening

    def _open(self, patient_id: str) -> None:
        patient = self._found.get(patient_id)
        if patient is not None:
            self.session.last_patient_id = patient.id
            self.app.push_screen(RegistrationScreen(self.session, patient), self._came_back)

    @on(SearchBox.LastWanted)
    def action_last_patient(self) -> None:
        """Open one's last patient again."""
        if self.session.last_patient_id is None:
            self.say(_("You have opened nobody yet."), "warning")
        else:
            self.open_again(self.session.last_patient_id)

    @work(exclusive=True, group="search", exit_on_error=False)
    async def open_again(self, patient_id: str) -> None:
        """Open a patient with the present data."""
        with self.saying_refusals(), hold_keys(self.app):
            patient = await self.session.client.patients.get(patient_id)
            self._found[patient.id] = patient
            self._open(patient.id)

    def action_new_patient(self) -> None:
        """Begin a new patient, with the number or name that was searched for."""
        text = self.query_one("#search", TextField).text
        values: Values = values_from_search(text)
        self.app.push_screen(RegistrationScreen(self.session, None, values), self._came_back)

    def _came_back(self, note: tuple[str, str] | None) -> None:
        if note is not None:
            self.begin_next(*note)
        elif self._silent_since is not None or not self.session.hub.connected:
            self.begin_next()
        else:
            # The next scan replaces the text; an arrow keeps it.
            self.query_one("#search", TextField).action_select_all()
            self.look_for_draft()

    # Cards and lists

    def action_edit_patient(self) -> None:
        """Correct the chosen patient's card."""
        patient = self._found.get(self.query_one("#found", PickList).chosen or "")
        if patient is None:
            self.say(_("Choose a patient first: press an arrow, or type a name or number."))
        else:
            self.app.push_screen(EditScreen(self.session, patient), self._corrected)

    def _corrected(self, note: Corrected | None) -> None:
        if note is None:
            return
        if self._verifying:
            self.call_after_refresh(self.show_unverified, note.text)
        else:
            self.say(note.text, "good")

    def action_lists(self) -> None:
        """Choose a list for clerical review."""
        options = [
            ("V", "verify", _("verify later: cards still to be seen")),
            ("D", "pairs", _("look-alikes: records that may be one person")),
            ("M", "decisions", _("decisions on look-alikes, to take back")),
        ]
        options.insert(0, ("T", "booked", _("awaited today: return dates, numbers from home")))
        options.insert(1, ("J", "missed", _("return dates at which nobody came")))
        options.append(("L", "late", _("late entry: somebody who was written on paper")))
        if self.session.may(Permission.MERGE_PATIENTS):
            options.append(("R", "set_aside", _("rows of imported lists, to mend")))
        if self.session.clinic.asks_bpjs:
            options.append(("B", "bpjs", _("BPJS: visits that were set aside")))
        if self.session.clinic.asks_bpjs and self.session.administers:
            options.append(("K", "codes", _("BPJS: codes of clusters, clinicians, medicines")))
        self.app.push_screen(LettersDialog(self.session, N_("Which list?"), options), self._open_list)

    def _open_list(self, name: str | None) -> None:
        if name == "late":
            self.app.push_screen(LateDialog(self.session, {}), self._late_given)
        elif name == "verify":
            self.call_after_refresh(self.show_unverified)  # as in `_corrected`
        elif name == "booked":
            self.app.push_screen(BookingsScreen(self.session))
        elif name == "missed":
            self.app.push_screen(MissedScreen(self.session))
        elif name == "pairs":
            self.app.push_screen(PairsScreen(self.session))
        elif name == "decisions":
            self.app.push_screen(DecisionsScreen(self.session))
        elif name == "set_aside":
            self.app.push_screen(SetAsideScreen(self.session))
        elif name == "bpjs":
            self.app.push_screen(BpjsVisitsScreen(self.session))
        elif name == "codes":
            self.app.push_screen(BpjsCodesScreen(self.session))

    def _late_given(self, values: Values | None) -> None:
        """Begin the late entry of the chosen patient, or of a new one with what was searched for."""
        if not values:
            return
        patient = self._found.get(self.query_one("#found", PickList).chosen or "")
        typed = values_from_search(self.query_one("#search", TextField).text) if patient is None else {}
        form = RegistrationScreen(self.session, patient, {**typed, **values})
        self.app.push_screen(form, self._came_back)

    @work(exclusive=True, group="search", exit_on_error=False)
    async def show_unverified(self, note: str = "") -> None:
        """List the patients registered without a card; Enter opens the card."""
        with self.saying_refusals():
            found = await self.session.client.patients.unverified()
            box = self.query_one("#search", TextField)
            with box.prevent(TextField.Changed):
                box.value = ""
            self._found = {patient.id: patient for patient in found}
            self._answered, self._verifying = None, True
            self._show_found()
            count = ngettext(
                "{number} card to see: Enter when the patient has it.",
                "{number} cards to see: Enter when the patient has it.",
                len(found),
            ).format(number=len(found))
            self.say(f"{note} {count}".strip(), "good" if note else "info")

    def action_back(self) -> None:
        """Empty the box."""
        self.begin_next()

    # What was left half-typed

    @work(group="draft", exit_on_error=False)
    async def look_for_draft(self) -> None:
        """Offer the forms that were left: by Esc, or when a connection or a machine failed."""
        with self.saying_refusals(), suppress(UnreachableError):
            self._drafts = await unfinished(self.session.client, at_counter=self.session.clinic.at_counter)
            if self._drafts and self._silent_since is None:
                self._offer()

    def _offer(self) -> None:
        names = ", ".join(label_of(draft) for draft in self._drafts)
        if len(self._drafts) == 1:
            self.say(_("A form was left unfinished: {name}. F8 continues it.").format(name=names), "warning")
            return
        note = _("{number} forms were left unfinished; F8 lists them: {names}")
        self.say(note.format(number=len(self._drafts), names=names), "warning")

    @work(group="draft", exit_on_error=False)
    async def action_continue_draft(self) -> None:
        """Open the unfinished form; of several, the one that is chosen."""
        with self.saying_refusals(), hold_keys(self.app):
            self._drafts = await unfinished(self.session.client, at_counter=self.session.clinic.at_counter)
            if not self._drafts:
                self.say(_("There is no unfinished form."))
            elif len(self._drafts) == 1 and not is_question(self._drafts[0].key):
                await self._continue(self._drafts[0])
            else:
                self.app.push_screen(DraftsDialog(self.session, self._drafts), self._draft_chosen)

    def _draft_chosen(self, draft: DraftOut | None) -> None:
        if draft is not None:
            self.continue_draft(draft)

    @work(group="draft", exit_on_error=False)
    async def continue_draft(self, draft: DraftOut) -> None:
        """Open an unfinished form."""
        with self.saying_refusals(), hold_keys(self.app):
            await self._continue(draft)

    async def _continue(self, draft: DraftOut) -> None:
        left = await take_up(self.session.client, draft)
        if left.receipt is not None:  # saved, and only the answer was lost
            await drop(self.session.client, left.key)
            facts = FormValues(left.values, left.patient, self.session.clinic.today)
            self.app.push_screen(ReceiptScreen(self.session, left.receipt, facts), self._came_back)
            return
        screen = RegistrationScreen(
            self.session,
            left.patient,
            left.values,
            registration_id=left.registration_id,
            draft_key=left.key,
        )
        self.app.push_screen(screen, self._came_back)
