"""One's own queue: call, recall, skip, hold, start, finish, move, undo; each by one key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from core.schemas import ClusterShape, EntryCommand, EntryShape
from core.vocabulary import Disposition, EntryStatus
from tui import keymap, words
from tui.client import Refused
from tui.messages import QueueChanged
from tui.screens.base import LoketScreen
from tui.screens.reasons import ClusterDialog, LettersDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import N_, _
from tui.widgets import QueuePane

OpenRecord = Callable[[EntryShape], Awaitable[None]]
STARTS = frozenset({EntryStatus.WAITING, EntryStatus.SKIPPED, EntryStatus.CALLED})
DISPOSITION_LETTERS = "prkita"


class WorkScreen(LoketScreen[None]):
    """The queue of the clusters this person works in, one at a time."""

    AREA = "work"
    TITLE_TEXT = N_("My queue")
    HELP_TEXT = N_(
        "N calls who is next. R calls again, S skips who does not answer (they come back by themselves), "
        "H puts on hold. Enter starts the service and opens the record. D ends it, T moves the patient to "
        "another cluster, B sends them to one and back. U takes the last step back. The arrows choose "
        "another patient, left and right another of your clusters."
    )
    BINDINGS = [
        keymap.CALL_NEXT,
        keymap.RECALL,
        keymap.SKIP,
        keymap.OPEN,
        keymap.DONE,
        keymap.HOLD,
        keymap.TRANSFER,
        keymap.SENT_BACK,
        keymap.UNDO_STEP,
        keymap.REFRESH,
        Binding("left", "turn(-1)", show=False),
        Binding("right", "turn(1)", show=False),
        Binding("l", "leave", N_("Has left"), show=False),
    ]
    CSS_PATH = "work.tcss"

    def __init__(self, session: Session, open_record: OpenRecord) -> None:
        """Args: `open_record` shows an entry's record over this screen."""
        super().__init__(session)
        self._open_record = open_record
        codes = [cluster.code for cluster in session.clusters]
        self._own = [code for code in codes if code in session.account.clusters] or codes[:1]
        self._shown = self._own[0]
        self._last: str | None = None

    def compose_body(self) -> ComposeResult:
        """Who is being served, then the queue."""
        yield Static("", id="mine", markup=False)
        for cluster in self.session.clusters:
            if cluster.code in self._own:
                yield QueuePane(cluster.code, cluster.name, cluster.prefix, chooses=True)

    def on_mount(self) -> None:
        """Show the first of one's clusters."""
        self._turn_to(self._shown)

    def on_screen_resume(self) -> None:
        """Show what changed meanwhile."""
        super().on_screen_resume()
        self.catch_up()

    def after_language(self) -> None:
        """Show it again."""
        self._turn_to(self._shown)

    @property
    def pane(self) -> QueuePane:
        """The pane of the shown cluster."""
        return next(pane for pane in self.query(QueuePane) if pane.cluster == self._shown)

    def catch_up(self) -> None:
        """Take the panes from the feed's last reading."""
        for pane in self.query(QueuePane):
            if pane.cluster in self.session.hub.queues:
                pane.show_entries(self.entries_of(pane.cluster))
        self._show_line()

    def on_queue_changed(self, message: QueueChanged) -> None:
        """One of the queues changed."""
        for pane in self.query(QueuePane):
            if pane.cluster == message.queue.cluster:
                pane.show_entries(message.queue.entries)
        self._show_line()

    def minute_passed(self) -> None:
        """Waits have grown by a minute."""
        for pane in self.query(QueuePane):
            pane.minute_passed()

    def _show_line(self) -> None:
        parts = []
        for code in self._own:
            entries = [entry for entry in self.entries_of(code) if not entry.status.is_ended]
            mark = ">" if code == self._shown else " "
            parts.append(f"{mark}{self.session.prefix_of(code)} {code} {len(entries)}")
        called = self._in_hand()
        text = " " + "  ".join(parts) if len(parts) > 1 else ""
        if called is not None and called.patient is not None:
            status = words.word(words.STATUSES, called.status)
            text += f"   [{called.number} {called.patient.name}: {status}]"
        self.query_one("#mine", Static).update(text, layout=False)

    def _in_hand(self) -> EntryShape | None:
        """The entry this person called or serves, the newest first."""
        name = self.session.account.name
        busy = {EntryStatus.CALLED, EntryStatus.IN_SERVICE}
        own = [
            item for item in self.entries_of(self._shown) if item.practitioner == name and item.status in busy
        ]
        return max(own, key=lambda item: item.called_at or item.started_at, default=None)

    def action_turn(self, step: int) -> None:
        """Show another of one's clusters."""
        self._turn_to(self._own[(self._own.index(self._shown) + step) % len(self._own)])

    def _turn_to(self, code: str) -> None:
        self._shown = code
        for pane in self.query(QueuePane):
            pane.display = pane.cluster == code
        self.pane.focus()
        self.catch_up()

    # Acting

    def _chosen(self) -> EntryShape | None:
        entry = self.pane.chosen
        if entry is None:
            self.say(_("Nobody is chosen."), "warning")
        return entry

    @work(exclusive=True, group="act", exit_on_error=False)
    async def action_call_next(self) -> None:
        """Call whoever is first."""
        with self.saying_refusals(), hold_keys(self.app):
            entry = await self.session.client.call_next(self._shown)
            await self._read_again()
            if entry is None:
                self.say(_("Nobody waits."), "warning")
            else:
                self._acted(entry, _("Called: {number} {person}"))

    def action_recall(self) -> None:
        """Call again; after several calls propose to skip."""
        self._act("recall", _("Called again: {number} {person}"))

    def action_skip(self) -> None:
        """No answer: others first."""
        self._act("skip", _("Skipped: {number} {person}; comes back after the next ones"))

    def action_hold(self) -> None:
        """Put on hold, or go on with who was on hold."""
        entry = self.pane.chosen
        if entry is not None and entry.status is EntryStatus.ON_HOLD:
            self._act("resume", _("Goes on: {number} {person}"))
        else:
            self._act("hold", _("On hold: {number} {person}"))

    def action_leave(self) -> None:
        """The patient has gone away."""
        self._act("leave", _("Has left: {number} {person}"))

    def action_finish(self) -> None:
        """End the service, with its outcome."""
        entry = self._chosen()
        if entry is None:
            return

        def done(disposition: str | None) -> None:
            if disposition is not None:
                command = EntryCommand(disposition=Disposition(disposition))
                self._act("finish", _("Done: {number} {person}"), entry, command)

        options = list(zip(DISPOSITION_LETTERS, words.DISPOSITIONS.items(), strict=True))
        letters = [(letter.upper(), value, _(label)) for letter, (value, label) in options]
        self.app.push_screen(LettersDialog(self.session, N_("How does the visit end?"), letters), done)

    def action_transfer(self) -> None:
        """Move to another cluster."""
        self._ask_cluster("transfer", _("Moved: {number} {person}"), later=False)

    def action_send(self) -> None:
        """Send to another cluster and back here."""
        self._ask_cluster("send", _("Sent, and comes back: {number} {person}"), later=True)

    def _ask_cluster(self, action: str, sentence: str, *, later: bool) -> None:
        entry = self._chosen()
        if entry is None:
            return
        others: list[ClusterShape] = [item for item in self.session.clusters if item.code != entry.cluster]

        def chosen(cluster: str | None) -> None:
            if cluster is not None:
                self._act(action, sentence, entry, EntryCommand(cluster=cluster))

        note = f"{entry.number} {entry.patient.name if entry.patient else ''}"
        self.app.push_screen(ClusterDialog(self.session, others, note=note), chosen)

    def action_undo_step(self) -> None:
        """Take the last step on the chosen (or last handled) entry back."""
        self._act("undo", _("Undone: {number} {person}"), by_id=self._last)

    def action_open(self) -> None:
        """Start the service if it has not begun, and open the record."""
        entry = self._chosen()
        if entry is not None:
            self.open(entry)

    @work(exclusive=True, group="act", exit_on_error=False)
    async def open(self, entry: EntryShape) -> None:
        """Start, then open; keys typed ahead go into the record."""
        with self.saying_refusals(), hold_keys(self.app):
            if entry.status in STARTS:
                command = EntryCommand(expected_version=entry.version)
                try:
                    entry = await self.session.client.act(entry.id, "start", command)
                except Refused:
                    await self._read_again()
                    raise
                self._last = entry.id
                await self._read_again()
            await self._open_record(entry)

    def _act(
        self,
        action: str,
        sentence: str,
        entry: EntryShape | None = None,
        command: EntryCommand | None = None,
        by_id: str | None = None,
    ) -> None:
        entry = entry or self.pane.chosen
        if entry is None and by_id is None:
            self.say(_("Nobody is chosen."), "warning")
            return
        command = command or EntryCommand()
        entry_id = by_id or (entry.id if entry else "")
        if entry is not None and by_id is None:
            command = command.model_copy(update={"expected_version": entry.version})
        self.act(entry_id, action, command, sentence)

    @work(exclusive=True, group="act", exit_on_error=False)
    async def act(self, entry_id: str, action: str, command: EntryCommand, sentence: str) -> None:
        """Do it; when somebody was faster, say who and show how things are."""
        with self.saying_refusals(), hold_keys(self.app):
            try:
                entry = await self.session.client.act(entry_id, action, command)
            finally:
                await self._read_again()
            self._acted(entry, sentence)

    def _acted(self, entry: EntryShape, sentence: str) -> None:
        self._last = entry.id
        self.pane.choose(entry.id)
        person = entry.patient.name if entry.patient else ""
        text = sentence.format(number=entry.number, person=person)
        if entry.call_count >= self.session.clinic.calls_before_skip and entry.status is EntryStatus.CALLED:
            text += "  " + _("({number} calls; S skips)").format(number=entry.call_count)
        self.say(text, "good")

    async def _read_again(self) -> None:
        """See one's own step at once, also while the feed is away."""
        queue = await self.session.client.queue(self._shown)
        self.session.hub.queues[self._shown] = queue
        self.catch_up()

    @work(exclusive=True, group="act", exit_on_error=False)
    async def action_refresh_data(self) -> None:
        """Read the queue again."""
        with self.saying_refusals():
            await self._read_again()
            self.say(_("Up to date."))
