"""The one search box that answers to everything, and what it found."""

from __future__ import annotations

from textual import events, on, work
from textual.app import ComposeResult
from textual.message import Message
from textual.timer import Timer

from core.identity import normalise_number
from core.schemas.patients import PatientShape
from core.schemas.registration import DraftShape
from tui import keymap, theme
from tui.formatting import age_text, date_text, fit, sex_letter
from tui.registration.drafts import DRAFT_KEY, label_of, take_up
from tui.registration.facts import is_number_of, values_from_search
from tui.screens.base import LoketScreen, Values
from tui.screens.patients.decisions import DecisionsScreen
from tui.screens.patients.edit import EditScreen
from tui.screens.patients.notes import Corrected
from tui.screens.patients.pairs import PairsScreen
from tui.screens.reasons import LettersDialog
from tui.screens.registration.form import RegistrationScreen
from tui.screens.registration.receipt import ReceiptScreen
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import N_, _, ngettext
from tui.widgets import PickList, PickRow, Row, TextField, labelled
from tui.widgets.lines import Line

DEBOUNCE_SECONDS = 0.25


class SearchBox(TextField):
    """The search box: arrows move through what was found, the focus stays."""

    class LastWanted(Message):
        """Space in the empty box: the last patient again."""

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
    """Where the clerk begins and comes back to after each patient."""

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
        self._found: dict[str, PatientShape] = {}
        self._answered: str | None = None
        self._verifying = False
        self._draft: DraftShape | None = None
        self._timer: Timer | None = None

    def compose_body(self) -> ComposeResult:
        """The box and the list."""
        with Row():
            yield from labelled(N_("Search"), SearchBox("search", longest=200), cells=8)
        yield PickList("found", focusable=False)

    def on_mount(self) -> None:
        """Show the last patients; offer what was left half-typed."""
        self.query_one("#search").focus()
        self.look_up("")
        self.look_for_draft()

    def on_screen_resume(self) -> None:
        """Read the list anew after each patient; what was said of the last one stays."""
        super().on_screen_resume()
        if self._answered is not None:
            self.look_up(self.query_one("#search", TextField).text, quiet=True)

    def after_language(self) -> None:
        """Fill the list again."""
        self._show_found()

    def begin_anew(self, text: str = "", kind: str = "info") -> None:
        """Empty the box for the next patient, with a sentence about the last one."""
        box = self.query_one("#search", TextField)
        with box.prevent(TextField.Changed):
            box.value = ""
        box.focus()
        self._ask_no_more()
        self._draft = None
        if text:
            self.say(text, kind)
        self.look_up("", quiet=bool(text))

    # Searching

    @on(TextField.Changed, "#search")
    def search_soon(self) -> None:
        """Ask when typing pauses: each request costs the line and the server."""
        self._ask_no_more()
        self._timer = self.set_timer(DEBOUNCE_SECONDS, self._search_now)

    def _ask_no_more(self) -> None:
        if self._timer is not None:
            self._timer.stop()

    def _search_now(self) -> None:
        self.look_up(self.query_one("#search", TextField).text)

    @on(TextField.Submitted, "#search")
    def open_exactly(self) -> None:
        """Open what stands for exactly the text that was typed: a scanner sends it in one burst."""
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
        """Search and show; quiet when something else has just been said."""
        await self._ask(text, quiet=quiet)

    @work(exclusive=True, group="search", exit_on_error=False)
    async def open_when_found(self, text: str) -> None:
        """Search, then open the patient if it can be only one; keys typed ahead wait for that."""
        with hold_keys(self.app):
            await self._ask(text)
            if self._answered != text or len(self._found) != 1:
                return
            patient = next(iter(self._found.values()))
            if is_number_of(text, patient) or not normalise_number(text).isdigit():
                self._open(patient.id)

    async def _ask(self, text: str, *, quiet: bool = False) -> None:
        with self.saying_refusals():
            found = await self.session.client.search(text)
            same = self._answered == text and bool(text)
            self._found = {patient.id: patient for patient in found}
            self._answered, self._verifying = text, False
            self._show_found(keep=same)
            if not quiet:
                self._say_count(text)

    def _say_count(self, text: str) -> None:
        number = len(self._found)
        if not text and self._draft is not None and self._draft.data:
            self._offer(self._draft)
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
        # Nobody was asked for in the empty box: one Enter too many after a receipt would open the last
        # patient again, and the next one's name would land in their complaint.
        choose = self._verifying or bool(self._answered)
        self.query_one("#found", PickList).show_rows(rows, keep=keep, choose=choose)

    def _row(self, patient: PatientShape) -> Line:
        width = self.size.width
        name_cells = 26 if width < 120 else 36
        age = age_text(patient.birth_date, self.session.clinic.today)
        line: Line = [
            (f"{fit(patient.name, name_cells)} ", theme.STRONG),
            (f"{sex_letter(patient.sex)} {fit(age, 6)} {date_text(patient.birth_date)} ", theme.PLAIN),
            (f"{patient.medical_record_number} ", theme.PLAIN),
        ]
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
        """Open a patient as they are now."""
        with self.saying_refusals(), hold_keys(self.app):
            patient = await self.session.client.patient(patient_id)
            self._found[patient.id] = patient
            self._open(patient.id)

    def action_new_patient(self) -> None:
        """Begin a new patient; a number or name that was searched for goes along."""
        text = self.query_one("#search", TextField).text
        values: Values = values_from_search(text)
        self.app.push_screen(RegistrationScreen(self.session, None, values), self._came_back)

    def _came_back(self, note: tuple[str, str] | None) -> None:
        if note is not None:
            self.begin_anew(*note)
        else:
            # What is scanned next replaces what stands there; an arrow keeps it.
            self.query_one("#search", TextField).action_select_all()

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
        """Choose a list of the quiet hour."""
        options = [
            ("V", "verify", _("verify later: cards still to be seen")),
            ("D", "pairs", _("look-alikes: records that may be one person")),
            ("M", "decisions", _("decisions on look-alikes, to take back")),
        ]
        self.app.push_screen(LettersDialog(self.session, N_("Which list?"), options), self._open_list)

    def _open_list(self, name: str | None) -> None:
        if name == "verify":
            self.call_after_refresh(self.show_unverified)  # as in `_corrected`
        elif name == "pairs":
            self.app.push_screen(PairsScreen(self.session))
        elif name == "decisions":
            self.app.push_screen(DecisionsScreen(self.session))

    @work(exclusive=True, group="search", exit_on_error=False)
    async def show_unverified(self, note: str = "") -> None:
        """List who was registered without a card; Enter opens the card."""
        with self.saying_refusals():
            found = await self.session.client.unverified()
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
        self.begin_anew()

    # What was left half-typed

    @work(group="draft", exit_on_error=False)
    async def look_for_draft(self) -> None:
        """Offer the form that was left when a connection or a machine died."""
        with self.saying_refusals():
            self._draft = await self.session.client.draft(DRAFT_KEY)
            if self._draft is not None and self._draft.data:
                self._offer(self._draft)

    def _offer(self, draft: DraftShape) -> None:
        note = _("A form was left unfinished: {name}. F8 continues it.")
        self.say(note.format(name=label_of(draft)), "warning")

    @work(group="draft", exit_on_error=False)
    async def action_continue_draft(self) -> None:
        """Open the form that was left unfinished."""
        with self.saying_refusals(), hold_keys(self.app):
            self._draft = await self.session.client.draft(DRAFT_KEY)
            if self._draft is None or not self._draft.data:
                self.say(_("There is no unfinished form."))
                return
            left = await take_up(self.session.client, self._draft.data)
            if left.receipt is not None:  # saved, and only the answer was lost
                await self.session.client.drop_draft(DRAFT_KEY)
                name = left.patient.name if left.patient else left.values.get("name", "")
                self.app.push_screen(ReceiptScreen(self.session, left.receipt, name), self._came_back)
                return
            screen = RegistrationScreen(
                self.session, left.patient, left.values, registration_id=left.registration_id
            )
            self.app.push_screen(screen, self._came_back)
