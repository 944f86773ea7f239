"""One's own queue: call, recall, skip, hold, start, finish, move, undo; each by one key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rich.cells import cell_len
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from core.schemas.queues import EntryCommand, EntryShape
from core.vocabulary import Disposition, EntryStatus, Role
from tui import keymap, words
from tui.client import Refused
from tui.formatting import fit
from tui.screens.acting import ActingScreen
from tui.screens.reasons import DispositionDialog, LineDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import N_, _
from tui.widgets import QueuePane

OpenRecord = Callable[[EntryShape], Awaitable[None]]
STARTS = frozenset({EntryStatus.WAITING, EntryStatus.SKIPPED, EntryStatus.CALLED})


class WorkScreen(ActingScreen):
    """The queue of the clusters this person works in, one at a time."""

    AREA = "work"
    TITLE_TEXT = N_("My queue")
    HELP_TEXT = N_(
        "N calls who is next, C the chosen one. R calls again, S skips who does not answer (they come back by "
        "themselves), L notes that they left or never came. H puts on hold and goes on. Enter starts the "
        "service and opens the record, Space opens the last one again. D ends it, T moves the patient to "
        "another cluster, B sends them to one and back, or back to where they came from. P changes the "
        "priority, X cancels, O says in which room you call. U takes the last step back. The arrows choose "
        "another patient, left and right another of your clusters."
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

    def compose_body(self) -> ComposeResult:
        """Who is being served, then the queue."""
        yield Static("", id="above", markup=False)
        for cluster in self.session.clusters:
            if cluster.code in self._own:
                yield QueuePane(cluster, self.session, chooses=True)

    def on_mount(self) -> None:
        """Show the first of one's clusters."""
        self._turn_to(self.shown)

    def after_language(self) -> None:
        """Show it again."""
        self._turn_to(self.shown)

    def line_parts(self) -> list[str]:
        """One's room, one's clusters, and who is in hand."""
        parts = []
        for code in self._own if len(self._own) > 1 else ():
            mark = ">" if code == self.shown else " "
            parts.append(f"{mark}{self.session.prefix_of(code)} {code} {len(self.entries_of(code))}")
        if self.session.account.service_point:
            parts.append(f"({self.session.account.service_point})")
        in_hand = self._in_hand()
        if in_hand is not None and in_hand.patient is not None:
            before, status = "  ".join([*parts, ""]), words.word(words.STATUSES, in_hand.status)
            room = self.size.width - cell_len(f" {before} [{in_hand.number} : {status}] ")
            parts.append(f" [{in_hand.number} {fit(in_hand.patient.name, max(4, room)).rstrip()}: {status}]")
        return parts

    def _in_hand(self) -> EntryShape | None:
        """The entry this person called or serves, the newest first."""
        name = self.session.account.name
        busy = {EntryStatus.CALLED, EntryStatus.IN_SERVICE}
        own = [
            item for item in self.entries_of(self.shown) if item.practitioner == name and item.status in busy
        ]
        return max(own, key=lambda item: item.called_at or item.started_at, default=None)

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
        """Call whoever is first."""
        with self.saying_refusals(), hold_keys(self.app):
            entry = await self.session.client.call_next(self.shown, self._room)
            await self.read_again()
            if entry is None:
                self.say(_("Nobody waits."), "warning")
            else:
                self.acted(entry, _("Called: {number} {person}"))

    def action_call(self) -> None:
        """Call the chosen one, whoever else waits; who is called already is called again."""
        entry = self.chosen()
        if entry is not None and entry.status is EntryStatus.CALLED:
            self.action_recall()
        elif entry is not None:
            self.do("call", _("Called: {number} {person}"), entry, EntryCommand(service_point=self._room))

    def action_recall(self) -> None:
        """Call again; after several calls propose to skip."""
        self.do("recall", _("Called again: {number} {person}"))

    def action_skip(self) -> None:
        """No answer: others first."""
        self.do("skip", _("Skipped: {number} {person}; comes back after the next ones"))

    def action_room(self) -> None:
        """Say where one calls."""

        def given(room: str | None) -> None:
            if room is not None:
                self.choose_room(room)

        title = N_("In which room do you call?")
        self.app.push_screen(LineDialog(self.session, title, value=self._room, shortest=0, longest=40), given)

    @work(exclusive=True, group="act", exit_on_error=False)
    async def choose_room(self, room: str) -> None:
        """Keep the room with the account."""
        with self.saying_refusals(), hold_keys(self.app):
            self.session.account = await self.session.client.choose_service_point(room)
            self.show_line()
            self.say(_("You call to: {room}").format(room=room) if room else _("You call without a room."))

    # Serving

    def action_hold(self) -> None:
        """Put on hold, or go on with who was on hold."""
        entry = self.pane.chosen
        if entry is not None and entry.status is EntryStatus.ON_HOLD:
            self.do("resume", _("Goes on: {number} {person}"))
        else:
            self.do("hold", _("On hold: {number} {person}"))

    def action_finish(self) -> None:
        """End the service; a clinician says how the visit ends, unless the patient goes back to another."""
        entry = self.chosen()
        if entry is None:
            return
        if entry.returns_to is not None:
            self.do("finish", _("Goes back: {number} {person}"), entry)
            return
        if self.session.account.role is not Role.CLINICIAN:
            self.do("finish", _("Done: {number} {person}"), entry)
            return

        def done(disposition: str | None) -> None:
            if disposition == Disposition.INTERNAL_REFERRAL:
                self.action_transfer()
            elif disposition is not None:
                command = EntryCommand(disposition=Disposition(disposition))
                self.do("finish", _("Done: {number} {person}"), entry, command)

        self.app.push_screen(DispositionDialog(self.session), done)

    def action_send(self) -> None:
        """Send to another cluster and back here; who was sent here goes back."""
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
    async def open(self, entry: EntryShape) -> None:
        """Start, then open; keys typed ahead go into the record."""
        with self.saying_refusals(), hold_keys(self.app):
            if entry.status in STARTS:
                command = EntryCommand(expected_version=entry.version, service_point=self._room)
                try:
                    entry = await self.session.client.act(entry.id, "start", command)
                except Refused:
                    await self.read_again()
                    raise
                await self.read_again()
            self.last = entry
            await self._open_record(entry)

    def action_last_patient(self) -> None:
        """Open the record of the last patient again, wherever that one is by now."""
        if self.last is None:
            self.say(_("Nobody was served here yet."), "warning")
        else:
            self.open_again(self.last)

    @work(exclusive=True, group="act", exit_on_error=False)
    async def open_again(self, entry: EntryShape) -> None:
        """Open it without doing anything to the queue."""
        with self.saying_refusals(), hold_keys(self.app):
            await self._open_record(entry)
