"""Shared behaviour of screens that act on a queue entry: ask, act, report, undo."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from rich.cells import cell_len
from textual import events, on, work
from textual.widgets import Static

from core.foundation.codes import EntryStatus, Priority
from core.schemas.base import Problem
from core.schemas.queues import ClusterOut, EntryCommand, EntryOut, QueueOut
from core.schemas.registration import RoutingOut
from core.schemas.roster import CHANGED as ROSTER_CHANGED
from tui.client.errors import RefusedError, UnreachableError
from tui.messages import QueueChanged, RecordChanged
from tui.registration.decision import Decision
from tui.screens.base import Dialog, LoketScreen, ResultT
from tui.screens.reasons import AgreeDialog, ClusterDialog, DeceasedDialog, LettersDialog, ReasonDialog
from tui.screens.stray_keys import StrayKeys, is_typed
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import problem_words
from tui.text.formatting import fit
from tui.text.translation import N_, _
from tui.widgets import QueuePane, set_text

PRIORITY_DIGITS = "1234567"
STATUS_SIGN_CELLS = 4  # cells: the space before a sentence of the status line and one behind it


ACTS_ON_NO_ROW = frozenset({"call_next", "undo_step", "last_patient", "room", "day_end", "referrals"})
"""Actions of letters that do not act on the chosen entry."""
KEY_WORDS = {"enter": "Enter", "space": N_("Space")}


class ActingScreen(LoketScreen[None]):
    """Shows panes, one of them in use; the keys act on its chosen entry.

    A letter acts only where it was pressed with its entry in view: see `tui.screens.stray_keys`. What ends a visit
    is asked about in a dialog and needs Enter.
    """

    KEY_ROWS = 2

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.shown = ""
        """Code of the cluster in use."""
        self.last: EntryOut | None = None
        """The entry on which this person acted last; an undo begins there."""
        self._stray = StrayKeys()

    @property
    def pane(self) -> QueuePane:
        """Return the pane in use."""
        return next(pane for pane in self.walk_children(QueuePane) if pane.cluster == self.shown)

    def show_line(self) -> None:
        """Show the line above the panes again."""
        set_text(self.query_one("#above", Static), " " + "  ".join(self.line_parts()))

    def line_parts(self) -> list[str]:
        """Return the parts of the line above the panes."""
        raise NotImplementedError

    # Keys that were not meant for a patient

    def on_key(self, event: events.Key) -> None:
        """Set a key aside that cannot have been meant as a command, and say so.

        Textual calls the handlers of all base classes, so a derived screen overrides `took` and never `on_key`.
        """
        if not is_typed(event):
            return
        actions = {binding.key: binding.action for binding in self.shown_keys()}
        action = actions.get(event.key.lower())
        needs_row = action is not None and action not in ACTS_ON_NO_ROW and not action.startswith("app.")
        is_command = action is not None or self.means(event)
        if needs_row and self.pane.chosen is None:
            event.stop()
            self._set_aside(event, None)
            return
        reason = self._stray.judge(event, is_command=is_command, needs_row=needs_row)
        if reason is not None:
            event.stop()
            self._set_aside(event, reason)
        elif self.means(event):
            event.stop()
            self.took(event)

    def means(self, event: events.Key) -> bool:
        """Return whether a key without a binding means something here."""
        return False

    def took(self, event: events.Key) -> None:
        """Act on a key that `means` something."""

    def _set_aside(self, event: events.Key, reason: str | None) -> None:
        key = _(KEY_WORDS[event.key]) if event.key in KEY_WORDS else (event.character or "").upper()
        if reason is None:
            text = _("{key} set aside: nobody is chosen. The arrows choose a patient.")
        else:
            text = _(problem_words.STRAY_KEYS[reason])
        self.say(text.format(key=key), "warning")

    @on(QueuePane.ChoiceChanged)
    def note_choice(self, event: QueuePane.ChoiceChanged) -> None:
        """Remember when another entry was chosen: a key pressed before that meant the earlier one."""
        if event.pane.cluster != self.shown:
            return
        if event.by_itself:
            self._stray.choice_changed(event.time)
        else:
            self._stray.choice_moved(event.time)

    def ask(
        self,
        dialog: Dialog[ResultT],
        answered: Callable[[ResultT], object],
        left: Callable[[], object] | None = None,
    ) -> None:
        """Ask about the chosen entry; typing that was meant for a field answers nothing.

        Args:
            dialog: The question.
            answered: Called with the answer, unless the dialog was left without one.
            left: Called when the dialog was left by Escape.
        """

        def closed(answer: ResultT | None) -> None:
            if dialog.was_typed_into:
                self.say(
                    _("That looked like typing: nothing was done. Press again if meant."),
                    "warning",
                )
            elif answer is not None:
                answered(answer)
            elif left is not None:
                left()

        dialog.guards_typing = True
        self.app.push_screen(dialog, closed)

    # Following the feed

    def on_screen_resume(self) -> None:
        """Show changes that came meanwhile."""
        super().on_screen_resume()
        self._stray.screen_closed(monotonic())
        self.catch_up()
        self.read_roster()
        if self.last is not None:
            self.read_after_record()

    def on_record_changed(self, message: RecordChanged) -> None:
        """Read the roster again when somebody changed it."""
        if message.kind == ROSTER_CHANGED:
            self.session.roster = None
            self.read_roster()

    @work(exclusive=True, group="roster", exit_on_error=False)
    async def read_roster(self) -> None:
        """Read who works when, once a sign-in and after each change: the panes' headings say who is here now."""
        if self.session.roster is not None:
            return
        with suppress(RefusedError, UnreachableError):
            self.session.roster = await self.session.client.roster.roster()
            for pane in self.walk_children(QueuePane):
                pane.repaint()

    @work(exclusive=True, group="resume", exit_on_error=False)
    async def read_after_record(self) -> None:
        """Read the last entry again for undo: the record that was open may have ended its service."""
        with self.saying_refusals():
            await self._renew_last()
            await self.read_again()

    def catch_up(self) -> None:
        """Fill all panes from the feed's last reading."""
        opened = {pane.cluster for pane in self.walk_children(QueuePane)}
        self.session.hub.opened(self.session.panes, opened)
        for pane in self.walk_children(QueuePane):
            queue = self.session.hub.queues.get(pane.cluster)
            if queue is not None:
                pane.show_queue(queue)
        self.show_line()

    async def _renew_last(self) -> None:
        """Take the newer version of the last entry when the same person changed it elsewhere."""
        if self.last is not None:
            entry = await self.session.client.queues.entry(self.last.id)
            if entry.practitioner == self.session.account.name:
                self.last = entry

    def on_queue_changed(self, message: QueueChanged) -> None:
        """Show a queue that changed."""
        self._show(message.queue)
        self.show_line()

    def minute_passed(self) -> None:
        """Show waits that are a minute longer."""
        for pane in self.walk_children(QueuePane):
            pane.minute_passed()

    async def read_again(self) -> None:
        """Read the queue again, to show one's own change at once, also while the feed is away."""
        queue = await self.session.client.queues.get(self.shown)
        self._keep(queue)
        self.catch_up()
        self._show(queue)

    def _keep(self, queue: QueueOut) -> None:
        """Start later screens from one's own reading; one without complaints is not for the others of a door."""
        if self.session.sees_complaints(queue.cluster):
            self.session.hub.queues[queue.cluster] = queue

    def _show(self, queue: QueueOut) -> None:
        for pane in self.walk_children(QueuePane):
            if pane.cluster == queue.cluster:
                pane.show_queue(queue)

    # Doing

    def chosen(self) -> EntryOut | None:
        """Return the chosen entry; say so when there is none."""
        entry = self.pane.chosen
        if entry is None:
            self.say(_("Nobody is chosen."), "warning")
        return entry

    def do(
        self,
        action: str,
        sentence: str,
        entry: EntryOut | None = None,
        command: EntryCommand | None = None,
    ) -> None:
        """Act on an entry, the chosen one unless another is given.

        Args:
            action: Name of the action in the API.
            sentence: Sentence for the status line, with `{number}` and `{person}`.
            entry: The entry as it was shown: when it has changed since, nothing is done.
            command: Further facts of the action.
        """
        entry = entry or self.chosen()
        if entry is not None:
            seen = {"expected_version": entry.version}
            self.act(entry.id, action, (command or EntryCommand()).model_copy(update=seen), sentence)

    @work(exclusive=True, group="act", exit_on_error=False)
    async def act(self, entry_id: str, action: str, command: EntryCommand, sentence: str) -> None:
        """Act on an entry; when another person was faster, name them and show the present state.

        Args:
            entry_id: The entry.
            action: Name of the action in the API.
            command: Facts of the action, with the version that was shown.
            sentence: Sentence for the status line, with `{number}` and `{person}`.
        """
        with self.saying_refusals(), hold_keys(self.app):
            try:
                entry = await self.session.client.queues.act(entry_id, action, command)
            except RefusedError as refusal:
                if action == "undo":
                    self.last = None
                if refusal.problem.code == "override_reason_required":
                    self._ask_reason_to_move(entry_id, command, sentence, refusal.problem)
                    return
                if refusal.problem.code == "patient_deceased":
                    again = command.model_copy(update={"deceased_confirmed": True})
                    self.ask_about_death(refusal, lambda: self.act(entry_id, action, again, sentence))
                    return
                raise
            finally:
                await self.read_again()
            self.acted(entry, sentence)

    def ask_about_death(self, refusal: RefusedError, go_on: Callable[[], object]) -> None:
        """Ask whether a step is meant for a patient who is recorded as dead."""

        def knowingly(answer: str) -> None:
            if answer == "yes":
                go_on()

        self.ask(DeceasedDialog(self.session, refusal.problem), knowingly)

    def _ask_reason_to_move(
        self, entry_id: str, command: EntryCommand, sentence: str, problem: Problem
    ) -> None:
        """Say where the complaint points, and move the patient elsewhere only for a reason that is stored.

        Args:
            entry_id: The entry.
            command: The move that was refused.
            sentence: Sentence for the status line once it is done.
            problem: The refusal, with the rules' decision.
        """
        decision = Decision(RoutingOut.model_validate(problem.details["routing"]), command.cluster)
        proposed = self.session.cluster_name(decision.proposal) if decision.proposal else "?"
        grounds = [f"!! {name} ({found})" for name, found in decision.danger_signs()]
        lines = [decision.judgement(), *grounds, f"{_('Proposed')}: {proposed}", *decision.reasons(1)]

        def because(reason: str) -> None:
            self.act(entry_id, "transfer", command.model_copy(update={"reason": reason}), sentence)

        dialog = ReasonDialog(self.session, problem_words.OVERRIDE_REASONS, note="\n".join(lines))
        self.ask(dialog, because)

    def acted(self, entry: EntryOut, sentence: str) -> None:
        """Remember the entry for an undo, and report the action."""
        self.last = entry
        self.pane.choose(entry.id)
        if self.pane.chosen is not None and self.pane.chosen.id == entry.id:
            self._stray.choice_confirmed()
        odd = [_(words) for code, words in problem_words.TRANSFER_WARNINGS.items() if code in entry.warnings]
        after = "".join(f"  ! {words}" for words in odd) or self._what_next(entry)
        self.say(self._about(entry, sentence, after), "warning" if odd else "good")

    def _about(self, entry: EntryOut, sentence: str, after: str) -> str:
        """Return a sentence about an entry; a long name is cut, the text behind it never is."""
        person = entry.patient.name if entry.patient else ""
        said = cell_len(sentence.format(number=entry.number, person="") + after)
        room = max(8, self.size.width - said - STATUS_SIGN_CELLS)
        return sentence.format(number=entry.number, person=fit(person, room).rstrip()) + after

    def _what_next(self, entry: EntryOut) -> str:
        most = self.session.clinic.calls_before_skip
        if entry.status is not EntryStatus.CALLED or entry.call_count < most:
            return ""
        if entry.call_count < 2 * most:
            return "  " + _("({number} calls; S skips)").format(number=entry.call_count)
        return "  " + _("({number} calls; L: did not come)").format(number=entry.call_count)

    # Keys that both the counter and the rooms have

    def action_undo_step(self) -> None:
        """Undo the last action here; without one, the chosen entry's last step."""
        self.do("undo", _("Undone: {number} {person}"), self.last)

    def action_leave(self) -> None:
        """Mark as gone away or never come, after Enter: one letter alone must not end a visit."""
        entry = self.chosen()
        if entry is None:
            return

        def agreed(_agreed: bool) -> None:
            self.do("leave", _("Has left: {number} {person}"), entry)

        self.ask(AgreeDialog(self.session, N_("Has this patient left?"), who(entry)), agreed)

    def action_transfer(self) -> None:
        """Ask for a cluster and transfer the entry there."""
        self.ask_cluster("transfer", _("Moved: {number} {person}"))

    def ask_cluster(self, action: str, sentence: str, entry: EntryOut | None = None) -> None:
        """Ask for a cluster, then move an entry there, the chosen one unless another is given.

        Args:
            action: Name of the action in the API.
            sentence: Sentence for the status line, with `{number}` and `{person}`.
            entry: The entry.
        """
        entry = entry or self.chosen()
        if entry is None:
            return
        others: list[ClusterOut] = [item for item in self.session.clusters if item.code != entry.cluster]

        def chosen(cluster: str) -> None:
            self.do(action, sentence, entry, EntryCommand(cluster=cluster))

        self.ask(ClusterDialog(self.session, others, note=who(entry)), chosen)

    def action_cancel_entry(self) -> None:
        """End an entry that was made by mistake, for a reason that is stored."""
        entry = self.chosen()
        if entry is None:
            return

        def because(reason: str) -> None:
            self.do("cancel", _("Cancelled: {number} {person}"), entry, EntryCommand(reason=reason))

        reasons = problem_words.CANCEL_REASONS
        self.ask(ReasonDialog(self.session, reasons, note=who(entry), needs_enter=True), because)

    def action_prioritise(self) -> None:
        """Give an entry another urgency class, for a reason that is stored."""
        entry = self.chosen()
        if entry is None:
            return

        def because(priority: Priority, reason: str) -> None:
            command = EntryCommand(priority=priority, reason=reason[:80])
            self.do("prioritise", _("Priority changed: {number} {person}"), entry, command)

        def picked(priority: str) -> None:
            dialog = ReasonDialog(self.session, problem_words.PRIORITY_REASONS, note=who(entry))
            self.ask(dialog, lambda reason: because(Priority(priority), reason))

        options = [
            (digit, item.value, problem_words.word(problem_words.PRIORITIES, item.value) or _("no priority"))
            for digit, item in zip(PRIORITY_DIGITS, Priority, strict=True)
        ]
        self.ask(LettersDialog(self.session, N_("How urgent?"), options), picked)

    @work(exclusive=True, group="act", exit_on_error=False)
    async def action_refresh_data(self) -> None:
        """Read all panes again."""
        with self.saying_refusals():
            read = [await self.session.client.queues.get(p.cluster) for p in self.walk_children(QueuePane)]
            for queue in read:
                self._keep(queue)
            self.catch_up()
            for queue in read:
                self._show(queue)
            self.say(_("Up to date."))


def who(entry: EntryOut) -> str:
    """Return number and name, above a question about an entry."""
    return f"{entry.number} {entry.patient.name if entry.patient else ''}"
