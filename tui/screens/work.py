"""The clinician's own queue: call, recall, skip, hold, start, finish, transfer, undo; one key each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rich.cells import cell_len
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from core.foundation.codes import DayEndAnswer, Disposition, EntryStatus, Role
from core.schemas.bpjs import REFERRED, ReferralOut
from core.schemas.queues import DayEndOut, EntryCommand, EntryOut
from tui import keymap
from tui.client.errors import RefusedError
from tui.messages import RecordChanged
from tui.screens.day_end import DayEndDialog, told
from tui.screens.entry_actions import ActingScreen, who
from tui.screens.reasons import AgreeDialog, DispositionDialog, LineDialog
from tui.screens.referrals import ReferralsScreen
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import problem_words, referral_words
from tui.text.formatting import fit, time_text
from tui.text.outcomes import lacking, outcome_word
from tui.text.translation import N_, _
from tui.widgets import QueuePane

OpenRecord = Callable[[EntryOut], Awaitable[None]]
STARTS = frozenset({EntryStatus.WAITING, EntryStatus.SKIPPED, EntryStatus.CALLED})


class WorkScreen(ActingScreen):
    """Shows the queue of one of the clusters in which this person works."""

    AREA = "work"
    TITLE_TEXT = N_("My queue")
    HELP_TEXT = N_(
        "N calls who is next, C the chosen one. R calls again, S skips who does not answer (they come back by "
        "themselves), L notes that they left or never came. H puts on hold and goes on. Enter starts the "
        "service and opens the record, Space opens the last one again. D ends it, T moves the patient to "
        "another cluster, B sends them to one and back, or back to where they came from. P changes the "
        "priority, X cancels, O says in which room you call. U takes the last step back. The arrows choose "
        "another patient, left and right another of your clusters. E, from ten minutes before the closing hour: do "
        "you go on? It also brings back whom the closing has ended. J lists the referrals whose numbers BPJS gives."
    )
    BINDINGS = [
        keymap.CALL_NEXT,
        keymap.CALL,
        keymap.RECALL,
        keymap.SKIP,
        keymap.OPEN,
        keymap.DONE,
        keymap.HOLD,
        keymap.TRANSFER,
        keymap.SENT_BACK,
        keymap.LEFT,
        keymap.UNDO_STEP,
        keymap.PRIORITY,
        keymap.CANCEL,
        keymap.ROOM,
        keymap.DAY_END,
        keymap.REFERRALS,
        keymap.LAST_PATIENT,
        keymap.REFRESH,
        Binding("left", "turn(-1)", show=False),
        Binding("right", "turn(1)", show=False),
    ]
    CSS_PATH = "work.tcss"

    def __init__(self, session: Session, open_record: OpenRecord) -> None:
        """Args: `open_record` shows an entry's record over this screen."""
        super().__init__(session)
        self._open_record = open_record
        codes = [cluster.code for cluster in session.clusters]
        self._own = [code for code in codes if code in session.account.clusters] or codes[:1]
        self.shown = self._own[0]
        self._referrals: list[ReferralOut] = []

    def compose_body(self) -> ComposeResult:
        """Yield the patient being served, then the queue."""
        yield Static("", id="above", markup=False)
        for cluster in self.session.clusters:
            if cluster.code in self._own:
                yield QueuePane(cluster, self.session, chooses=True)

    def on_mount(self) -> None:
        """Show the first of one's clusters."""
        self._turn_to(self.shown)
        self.read_referrals()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether an action makes sense here: referrals need BPJS, and somebody who writes records."""
        return action != "referrals" or self._refers

    @property
    def _refers(self) -> bool:
        return self.session.clinic.asks_bpjs and self.session.writes_records

    def on_record_changed(self, message: RecordChanged) -> None:
        """Tell whoever referred that the number has come, or was refused."""
        super().on_record_changed(message)
        if message.kind == REFERRED:
            self.read_referrals()

    @work(exclusive=True, group="referrals", exit_on_error=False)
    async def read_referrals(self) -> None:
        """Read how far the referrals are, where there are any."""
        if self._refers:
            with self.saying_refusals():
                self._referrals = await self.session.client.insurance.referrals()
                self.show_line()

    def action_referrals(self) -> None:
        """List the referrals of late, to print their letters."""
        self.app.push_screen(ReferralsScreen(self.session))

    def after_language(self) -> None:
        """Show the queue in the new language."""
        self._turn_to(self.shown)

    def line_parts(self) -> list[str]:
        """Return one's room, one's clusters, and the patient being served."""
        parts = [sentence] if (sentence := told(self.session, self._day_end())) else []
        parts += referral_words.waiting_text(self._referrals)
        for code in self._own if len(self._own) > 1 else ():
            mark = ">" if code == self.shown else " "
            parts.append(f"{mark}{self.session.prefix_of(code)} {code} {len(self.entries_of(code))}")
        if self.session.account.service_point:
            parts.append(f"({self.session.account.service_point})")
        in_hand = self._in_hand()
        if in_hand is not None and in_hand.patient is not None:
            before, status = (
                "  ".join([*parts, ""]),
                problem_words.word(problem_words.STATUSES, in_hand.status),
            )
            room = self.size.width - cell_len(f" {before} [{in_hand.number} : {status}] ")
            parts.append(f" [{in_hand.number} {fit(in_hand.patient.name, max(4, room)).rstrip()}: {status}]")
        return parts

    def _in_hand(self) -> EntryOut | None:
        """Return the entry that this person called or serves, the newest first."""
        name = self.session.account.name
        busy = {EntryStatus.CALLED, EntryStatus.IN_SERVICE}
        own = [
            item for item in self.entries_of(self.shown) if item.practitioner == name and item.status in busy
        ]
        return max(own, key=lambda item: item.called_at or item.started_at, default=None)

    def _day_end(self) -> DayEndOut | None:
        queue = self.session.hub.queues.get(self.shown)
        return queue.day_end if queue is not None else None

    def action_turn(self, step: int) -> None:
        """Show another of one's clusters."""
        self._turn_to(self._own[(self._own.index(self.shown) + step) % len(self._own)])

    def _turn_to(self, code: str) -> None:
        self.shown = code
        for pane in self.query(QueuePane):
            pane.display = pane.cluster == code
        self.pane.focus()
        self.catch_up()

    # Calling

    @property
    def _room(self) -> str:
        return self.session.account.service_point

    @work(exclusive=True, group="act", exit_on_error=False)
    async def action_call_next(self) -> None:
        """Call the first patient."""
        await self._call_next(deceased_confirmed=False)

    @work(exclusive=True, group="act", exit_on_error=False)
    async def call_knowingly(self) -> None:
        """Call the first patient, who is recorded as dead."""
        await self._call_next(deceased_confirmed=True)

    async def _call_next(self, *, deceased_confirmed: bool) -> None:
        with self.saying_refusals(), hold_keys(self.app):
            try:
                entry = await self.session.client.queues.call_next(
                    self.shown, self._room, deceased_confirmed=deceased_confirmed
                )
            except RefusedError as refusal:
                if refusal.code != "patient_deceased":
                    raise
                self.ask_about_death(refusal, self.call_knowingly)
                return
            await self.read_again()
            if entry is None:
                self.say(_("Nobody waits."), "warning")
            else:
                self.acted(entry, _("Called: {number} {person}"))

    def action_call(self) -> None:
        """Call the chosen patient out of turn; call a patient again who is called already."""
        entry = self.chosen()
        if entry is not None and entry.status is EntryStatus.CALLED:
            self.action_recall()
        elif entry is not None:
            self.do("call", _("Called: {number} {person}"), entry, EntryCommand(service_point=self._room))

    def action_recall(self) -> None:
        """Call again; after several calls propose to skip."""
        self.do("recall", _("Called again: {number} {person}"))

    def action_skip(self) -> None:
        """Skip a patient who does not answer; others come first."""
        self.do("skip", _("Skipped: {number} {person}; comes back after the next ones"))

    def action_room(self) -> None:
        """Choose the room to which one calls."""
        title = N_("In which room do you call?")
        dialog = LineDialog(self.session, title, value=self._room, shortest=0, longest=40)
        self.ask(dialog, self.choose_room)

    @work(exclusive=True, group="act", exit_on_error=False)
    async def choose_room(self, room: str) -> None:
        """Store the room with the account."""
        with self.saying_refusals(), hold_keys(self.app):
            self.session.account = await self.session.client.accounts.choose_service_point(room)
            self.show_line()
            self.say(_("You call to: {room}").format(room=room) if room else _("You call without a room."))

    # The day's end

    @work(exclusive=True, group="act", exit_on_error=False)
    async def action_day_end(self) -> None:
        """Ask whether the cluster goes on, and show whom the closing ended."""
        with self.saying_refusals(), hold_keys(self.app):
            found = await self.session.client.queues.day_end(self.shown)

            def answered(value: str) -> None:
                ended = {entry.id: entry for entry in found.ended}
                if value in ended:
                    self.do("undo", _("Brought back: {number} {person}"), ended[value])
                else:
                    self.answer_day_end(found.cluster, DayEndAnswer(value))

            def left() -> None:
                if found.untold:
                    self.answer_day_end(found.cluster, DayEndAnswer.SEEN)

            self.ask(DayEndDialog(self.session, found), answered, left)

    @work(exclusive=True, group="act", exit_on_error=False)
    async def answer_day_end(self, cluster: str, said: DayEndAnswer) -> None:
        """Send the answer, and show what it means."""
        with self.saying_refusals(), hold_keys(self.app):
            now = await self.session.client.queues.answer_day_end(cluster, said)
            await self.read_again()
            if said is DayEndAnswer.END:
                self.say(_("The day has ended here; E brings people back."), "good")
            elif now.goes_on_until is not None:
                until = time_text(now.goes_on_until, self.session.clinic.timezone)
                self.say(_("You go on until {time}; then you are asked again.").format(time=until), "good")

    # Serving

    def action_hold(self) -> None:
        """Put the service on hold, or continue one that is on hold."""
        entry = self.pane.chosen
        if entry is not None and entry.status is EntryStatus.ON_HOLD:
            self.do("resume", _("Goes on: {number} {person}"))
        else:
            self.do("hold", _("On hold: {number} {person}"))

    def action_finish(self) -> None:
        """End the service; a clinician gives the outcome, unless the patient goes back to another cluster."""
        entry = self.chosen()
        if entry is None:
            return
        if entry.returns_to is not None:
            self.do("finish", _("Goes back: {number} {person}"), entry)
            return
        if self.session.account.role is Role.CLINICIAN:
            self.ask_outcome(entry)
            return

        def agreed(_agreed: bool) -> None:
            self.do("finish", _("Done: {number} {person}"), entry)

        self.ask(AgreeDialog(self.session, N_("Is this patient's service done?"), who(entry)), agreed)

    @work(exclusive=True, group="act", exit_on_error=False)
    async def ask_outcome(self, entry: EntryOut) -> None:
        """Ask how the visit ends, with what its record lacks."""

        def done(disposition: str) -> None:
            if disposition == Disposition.INTERNAL_REFERRAL:
                self.ask_cluster("transfer", _("Moved: {number} {person}"), entry)
            else:
                command = EntryCommand(disposition=Disposition(disposition))
                sentence = _("Done: {number} {person}") + f" ({outcome_word(disposition)})"
                self.do("finish", sentence, entry, command)

        with self.saying_refusals(), hold_keys(self.app):
            visit = await self.session.client.visits.get(entry.visit_id)
            person = entry.patient.name if entry.patient is not None else entry.number
            asks = self.session.clinic.asks_bpjs
            missing = lacking(visit, asks_bpjs=asks)
            whole = lacking(visit, Disposition.REFERRED, asks_bpjs=asks)
            of_referral = [code for code in whole if code not in missing]
            dialog = DispositionDialog(self.session, person, missing, of_referral, needs_enter=True)
            self.ask(dialog, done)

    def action_send(self) -> None:
        """Send the patient to another cluster and back here; a patient sent here goes back."""
        entry = self.chosen()
        if entry is not None and entry.returns_to is not None:
            self.do("return", _("Goes back: {number} {person}"), entry)
        elif entry is not None:
            self.ask_cluster("send", _("Sent, and comes back: {number} {person}"))

    def action_open(self) -> None:
        """Start the service if it has not begun, and open the record."""
        entry = self.chosen()
        if entry is not None:
            self.open(entry)

    @work(exclusive=True, group="act", exit_on_error=False)
    async def open(self, entry: EntryOut, *, deceased_confirmed: bool = False) -> None:
        """Start the service, then open the record; keys typed ahead go into the record.

        Args:
            entry: The patient's.
            deceased_confirmed: It was asked about, for a patient who is recorded as dead.
        """
        with self.saying_refusals(), hold_keys(self.app):
            if entry.status in STARTS:
                seen = entry
                command = EntryCommand(
                    expected_version=entry.version,
                    service_point=self._room,
                    deceased_confirmed=deceased_confirmed,
                )
                try:
                    entry = await self.session.client.queues.act(entry.id, "start", command)
                except RefusedError as refusal:
                    await self.read_again()
                    if refusal.code != "patient_deceased":
                        raise
                    self.ask_about_death(refusal, lambda: self.open(seen, deceased_confirmed=True))
                    return
                await self.read_again()
            self.last = entry
            await self._open_record(entry)

    def action_last_patient(self) -> None:
        """Open the record of the last patient again, in whatever cluster that patient is now."""
        if self.last is None:
            self.say(_("Nobody was served here yet."), "warning")
        else:
            self.open_again(self.last)

    @work(exclusive=True, group="act", exit_on_error=False)
    async def open_again(self, entry: EntryOut) -> None:
        """Open the record without changing the queue."""
        with self.saying_refusals(), hold_keys(self.app):
            await self._open_record(entry)
