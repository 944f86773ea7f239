"""What the screens share on which something is done to a queue entry: ask, do, say, take back."""

from __future__ import annotations

from rich.cells import cell_len
from textual import work
from textual.widgets import Static

from core.schemas.queues import ClusterShape, EntryCommand, EntryShape
from core.vocabulary import EntryStatus, Priority
from tui import words
from tui.client import Refused
from tui.formatting import fit
from tui.messages import QueueChanged
from tui.screens.base import LoketScreen
from tui.screens.reasons import ClusterDialog, LettersDialog, ReasonDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import N_, _
from tui.widgets import QueuePane, set_text

PRIORITY_DIGITS = "1234567"
STATUS_SIGN_CELLS = 4  # before a sentence of the status line, and one behind it


class ActingScreen(LoketScreen[None]):
    """Panes, one of them in use: its chosen entry is what the keys act on."""

    KEY_ROWS = 2

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.shown = ""
        """Code of the cluster in use."""
        self.last: EntryShape | None = None
        """What this person did something to last; an undo begins there."""

    @property
    def pane(self) -> QueuePane:
        """The pane in use."""
        return next(pane for pane in self.walk_children(QueuePane) if pane.cluster == self.shown)

    def show_line(self) -> None:
        """Show the line above the panes anew."""
        set_text(self.query_one("#above", Static), " " + "  ".join(self.line_parts()))

    def line_parts(self) -> list[str]:
        """What stands in the line above the panes."""
        raise NotImplementedError

    # Following the feed

    def on_screen_resume(self) -> None:
        """Show what changed meanwhile."""
        super().on_screen_resume()
        self.catch_up()
        if self.last is not None:
            self.read_after_record()

    @work(exclusive=True, group="resume", exit_on_error=False)
    async def read_after_record(self) -> None:
        """The record that was open may have ended the service: the undo is to know of it."""
        with self.saying_refusals():
            await self._renew_last()
            await self.read_again()

    def catch_up(self) -> None:
        """Take all panes from the feed's last reading."""
        for pane in self.walk_children(QueuePane):
            queue = self.session.hub.queues.get(pane.cluster)
            if queue is not None:
                pane.show_queue(queue)
        self.show_line()

    async def _renew_last(self) -> None:
        """Know what this person did elsewhere to the entry they handled last, by its version."""
        if self.last is not None:
            entry = await self.session.client.entry(self.last.id)
            if entry.practitioner == self.session.account.name:
                self.last = entry

    def on_queue_changed(self, message: QueueChanged) -> None:
        """One of the queues changed."""
        for pane in self.walk_children(QueuePane):
            if pane.cluster == message.queue.cluster:
                pane.show_queue(message.queue)
        self.show_line()

    def minute_passed(self) -> None:
        """Waits have grown by a minute."""
        for pane in self.walk_children(QueuePane):
            pane.minute_passed()

    async def read_again(self) -> None:
        """See one's own step at once, also while the feed is away."""
        self.session.hub.queues[self.shown] = await self.session.client.queue(self.shown)
        self.catch_up()

    # Doing

    def chosen(self) -> EntryShape | None:
        """The chosen entry; when there is none, that is said."""
        entry = self.pane.chosen
        if entry is None:
            self.say(_("Nobody is chosen."), "warning")
        return entry

    def do(
        self,
        action: str,
        sentence: str,
        entry: EntryShape | None = None,
        command: EntryCommand | None = None,
    ) -> None:
        """Do something to an entry, the chosen one unless another is given.

        Args:
            action: As the server calls it.
            sentence: What is said afterwards, with `{number}` and `{person}`.
            entry: As it was seen: when it has changed since, nothing is done.
            command: What else belongs to it.
        """
        entry = entry or self.chosen()
        if entry is not None:
            seen = {"expected_version": entry.version}
            self.act(entry.id, action, (command or EntryCommand()).model_copy(update=seen), sentence)

    @work(exclusive=True, group="act", exit_on_error=False)
    async def act(self, entry_id: str, action: str, command: EntryCommand, sentence: str) -> None:
        """Do it; when somebody was faster, say who and show how things are."""
        with self.saying_refusals(), hold_keys(self.app):
            try:
                entry = await self.session.client.act(entry_id, action, command)
            except Refused:
                if action == "undo":
                    self.last = None
                raise
            finally:
                await self.read_again()
            self.acted(entry, sentence)

    def acted(self, entry: EntryShape, sentence: str) -> None:
        """Remember it for an undo, and say it."""
        self.last = entry
        self.pane.choose(entry.id)
        self.say(self._about(entry, sentence, self._what_next(entry)), "good")

    def _about(self, entry: EntryShape, sentence: str, after: str) -> str:
        """The sentence of an entry; a long name is cut, what comes behind it never is."""
        person = entry.patient.name if entry.patient else ""
        said = cell_len(sentence.format(number=entry.number, person="") + after)
        room = max(8, self.size.width - said - STATUS_SIGN_CELLS)
        return sentence.format(number=entry.number, person=fit(person, room).rstrip()) + after

    def _what_next(self, entry: EntryShape) -> str:
        most = self.session.clinic.calls_before_skip
        if entry.status is not EntryStatus.CALLED or entry.call_count < most:
            return ""
        if entry.call_count < 2 * most:
            return "  " + _("({number} calls; S skips)").format(number=entry.call_count)
        return "  " + _("({number} calls; L: did not come)").format(number=entry.call_count)

    # Keys that both the counter and the rooms have

    def action_undo_step(self) -> None:
        """Take back the step done last here; without one, the chosen entry's last step."""
        self.do("undo", _("Undone: {number} {person}"), self.last)

    def action_leave(self) -> None:
        """The patient has gone away, or never came."""
        self.do("leave", _("Has left: {number} {person}"))

    def action_transfer(self) -> None:
        """Move to another cluster."""
        self.ask_cluster("transfer", _("Moved: {number} {person}"))

    def ask_cluster(self, action: str, sentence: str) -> None:
        """Ask where to, then do it."""
        entry = self.chosen()
        if entry is None:
            return
        others: list[ClusterShape] = [item for item in self.session.clusters if item.code != entry.cluster]

        def chosen(cluster: str | None) -> None:
            if cluster is not None:
                self.do(action, sentence, entry, EntryCommand(cluster=cluster))

        self.app.push_screen(ClusterDialog(self.session, others, note=_who(entry)), chosen)

    def action_cancel_entry(self) -> None:
        """End an entry that should not be there, for a reason that is kept."""
        entry = self.chosen()
        if entry is None:
            return

        def because(reason: str | None) -> None:
            if reason:
                self.do("cancel", _("Cancelled: {number} {person}"), entry, EntryCommand(reason=reason))

        self.app.push_screen(ReasonDialog(self.session, words.CANCEL_REASONS, note=_who(entry)), because)

    def action_prioritise(self) -> None:
        """Give another urgency class, for a reason that is kept."""
        entry = self.chosen()
        if entry is None:
            return

        def because(priority: Priority, reason: str | None) -> None:
            if reason:
                command = EntryCommand(priority=priority, reason=reason[:80])
                self.do("prioritise", _("Priority changed: {number} {person}"), entry, command)

        def picked(priority: str | None) -> None:
            if priority is not None:
                dialog = ReasonDialog(self.session, words.PRIORITY_REASONS, note=_who(entry))
                self.app.push_screen(dialog, lambda reason: because(Priority(priority), reason))

        options = [
            (digit, item.value, words.word(words.PRIORITIES, item.value) or _("no priority"))
            for digit, item in zip(PRIORITY_DIGITS, Priority, strict=True)
        ]
        self.app.push_screen(LettersDialog(self.session, N_("How urgent?"), options), picked)

    @work(exclusive=True, group="act", exit_on_error=False)
    async def action_refresh_data(self) -> None:
        """Read all panes again."""
        with self.saying_refusals():
            for pane in self.walk_children(QueuePane):
                self.session.hub.queues[pane.cluster] = await self.session.client.queue(pane.cluster)
            self.catch_up()
            self.say(_("Up to date."))


def _who(entry: EntryShape) -> str:
    return f"{entry.number} {entry.patient.name if entry.patient else ''}"
