"""Base of all screens: title, status line, keys, and the report of a refusal."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static, TextArea
from textual.worker import Worker, WorkerState

from core.foundation.logs import describe_failure
from core.schemas.queues import EntryOut
from tui import keymap
from tui.client.errors import RefusedError, UnreachableError
from tui.messages import FeedState
from tui.session import Session
from tui.text import problem_words, standing_words
from tui.text.translation import N_, _, language
from tui.widgets import ChoiceField, DialogTitle, KeyBar, Label, StatusLine, TextField, TitleBar

logger = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")
Values = dict[str, str]
ENTER_TOO_EARLY = N_("Enter came before this question was in view: press it again.")


def style_for_size(screen: Screen[Any]) -> None:
    """Set the size classes of the terminal before the screen has any widgets.

    Textual sets them after the layout, which then styles all widgets a second time.
    """
    width, height = screen.app.size
    breakpoints = [(width, screen.app.HORIZONTAL_BREAKPOINTS), (height, screen.app.VERTICAL_BREAKPOINTS)]
    for cells, classes in breakpoints:
        screen.add_class(max(entry for entry in classes or [(0, "")] if entry[0] <= cells)[1])


def _visible(bindings: Iterable[object]) -> list[Binding]:
    """Return the bindings that the key bar shows."""
    return [item for item in bindings if isinstance(item, Binding) and item.show]


class Body(Vertical):
    """Area between title and status line; blank itself, which saves rendering it."""

    BLANK = True


class LoketScreen(Screen[ResultT]):
    """Full screen: one title line, the body, one status line, one line of keys."""

    BLANK = True
    TITLE_TEXT = N_("Loket")
    HELP_TEXT = ""
    """msgid of a few sentences for the help screen."""
    KEY_ROWS = 1
    """Rows of the key bar; more where many keys are used all day."""
    AREA = ""
    """The app's area this screen belongs to; the key that leads there is not shown."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.title_bar = TitleBar("", "", "")
        self.status_line = StatusLine()
        self._shown_in = ""

    def compose(self) -> ComposeResult:
        """Yield title, body, status line and keys."""
        style_for_size(self)
        self._shown_in = language()
        is_first = len(self.app.screen_stack) <= 1
        place = self.session.clinic.facility_name if is_first else ""
        self.title_bar = TitleBar(place, _(self.TITLE_TEXT), self.session.account.name)
        self.status_line = StatusLine()
        yield self.title_bar
        with Body(id="body"):
            yield from self.compose_body()
        yield self.status_line
        yield KeyBar(self.shown_keys(), self.KEY_ROWS)

    def compose_body(self) -> ComposeResult:
        """Yield the widgets between title and status line."""
        yield from ()

    def shown_keys(self) -> list[Binding]:
        """Return this screen's keys, then those that work everywhere; each key once."""
        found: dict[str, Binding] = {}
        for binding in [*_visible(type(self).BINDINGS), *_visible(type(self.app).BINDINGS)]:
            leads_here = binding.action == f"app.{self.AREA}"
            if not leads_here and self._is_usable(binding):
                found.setdefault(binding.key, binding)
        return list(found.values())

    def _is_usable(self, binding: Binding) -> bool:
        node: Any = self.app if binding.action.startswith("app.") else self
        return node.check_action(binding.action.removeprefix("app."), ()) is not False

    # Saying things

    def say(self, text: str, kind: str = "info") -> None:
        """Show a translated sentence in the status line."""
        self.status_line.say(text, kind)

    def hint(self, text: str) -> None:
        """Show a hint, unless there is something more important to read."""
        if self.status_line.kind in {"info", "good"}:
            self.say(text)

    def settle_status(self) -> None:
        """Clear an error or warning from the status line: the user has read it and types again."""
        if self.status_line.kind in {"error", "warning"}:
            self.say("")

    def point_at(self, path: str, problem: str) -> None:
        """Put the focus on a field that is wrong, mark it, and say what to do.

        Args:
            path: The field's path in the request: `patient.nik`, `vitals.pulse`.
            problem: Stable code.
        """
        name = path.removeprefix("patient.").removeprefix("vitals.").split(".")[0]
        text = problem_words.field_problem(path, problem)
        labels = list(self.query(f"#label-{name}").results(Label))

        def say_again() -> None:
            if not labels or self.is_marked(name):  # otherwise it was corrected meanwhile
                self.say(text, "error")

        self.say(text, "error")
        for label in labels:
            label.mark(True)
        for field in self.query(f"#{name}"):
            field.focus()
        # Again after the focus has moved: leaving the other field may have shown its own message.
        self.call_after_refresh(say_again)

    def is_marked(self, field: str) -> bool:
        """Return whether a field is marked as wrong."""
        return any(label.is_wrong for label in self.query(f"#label-{field}").results(Label))

    @property
    def said(self) -> str:
        """Text of the status line."""
        return self.status_line.text

    @contextmanager
    def saying_refusals(self) -> Iterator[None]:
        """Show the reason when the core refuses or does not answer, and go on."""
        try:
            yield
        except RefusedError as refusal:
            self.say(problem_words.problem_text(refusal.problem), "error")
            if refusal.code == "not_signed_in":
                self.run_worker(self.app.run_action("lock"), exit_on_error=False)
        except UnreachableError:
            self.say(_(problem_words.UNREACHABLE), "error")

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Log a worker's error and show it; it must not end the session."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            logger.error("a worker failed: %s", describe_failure(event.worker.error))
            self.say(_("This screen has a fault; nothing was lost. Try again or go back."), "error")

    # The feed

    def on_feed_state(self, message: FeedState) -> None:
        """Mark lists as old while the feed is away."""
        self.title_bar.set_connected(message.connected)

    def on_screen_resume(self) -> None:
        """Apply changes that came while another screen was shown."""
        if self._shown_in and self._shown_in != language():
            self.run_worker(self.show_in_language(), exit_on_error=False)
        self.title_bar.set_connected(self.session.hub.connected or not self.session.hub.started)
        self.show_standing()

    def show_standing(self) -> None:
        """Show how the counter's own machine stands without the core."""
        self.title_bar.set_standing(standing_words.told(self.session.standing, self.session.clinic.timezone))

    def entries_of(self, cluster: str) -> list[EntryOut]:
        """Return a cluster's entries that wait or are served, as last read by the feed."""
        queue = self.session.hub.queues.get(cluster)
        return list(queue.entries) if queue is not None else []

    # Language

    def field_values(self) -> Values:
        """Return the value of each field."""
        values: Values = {}
        # Walks the tree because this runs while the user types, and a query matches selectors at each node.
        for widget in self.walk_children():
            if isinstance(widget, TextField | ChoiceField):
                values[widget.id or ""] = widget.value
            elif isinstance(widget, TextArea):
                values[widget.id or ""] = widget.text
        return values

    def fill(self, values: Values) -> None:
        """Put values into fields without sending change messages."""
        for name, value in values.items():
            if not name:
                continue
            for widget in self.query(f"#{name}"):
                self._fill_one(widget, value)

    def _fill_one(self, widget: Widget, value: str) -> None:
        if isinstance(widget, TextField):
            with widget.prevent(TextField.Changed):
                widget.value = value
                widget.cursor_position = len(value)
        elif isinstance(widget, ChoiceField):
            with widget.prevent(ChoiceField.Changed):
                widget.value = value
        elif isinstance(widget, TextArea):
            with widget.prevent(TextArea.Changed):
                widget.text = value

    async def show_in_language(self) -> None:
        """Show everything in the session's language, keeping the typed values and the focus."""
        values, focused = self.field_values(), self.focused.id if self.focused else None
        await self.recompose()
        self.fill(values)
        if focused and self.query(f"#{focused}"):
            self.query_one(f"#{focused}").focus()
        self.after_language()

    def after_language(self) -> None:
        """Fill lists again after the screen was composed again."""

    async def keep_now(self) -> None:
        """Save a half-typed form on the server, if there is one.

        Raises:
            RefusedError: The core refuses it; it is not saved.
            UnreachableError: The core does not answer; it is not saved.
        """

    def minute_passed(self) -> None:
        """Show waiting times again; nothing on a screen changes by itself more often."""

    def action_back(self) -> None:
        """Leave this screen, unless it is the first."""
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()


class Dialog(ModalScreen[ResultT]):
    """Framed question over the screen; Escape leaves it without any effect."""

    BINDINGS = [keymap.BACK]
    TITLE_TEXT = N_("Question")
    HELP_TEXT = ""

    def __init__(self, session: Session, title: str = "") -> None:
        """Args: `title` is a msgid; empty takes `TITLE_TEXT`."""
        super().__init__()
        self.session = session
        self.title_text = title
        self.guards_typing = False
        """True if a letter opened it, so that more letters may be typing that was meant for a text field."""
        self.was_typed_into = False
        """True if it closed because of such typing."""
        self.asked_at = monotonic()
        """Instant since which the question is in view; a key pressed before it answers something else."""

    def on_mount(self) -> None:
        """Begin to wait for an answer."""
        self.asked_at = monotonic()

    def close_typed_into(self) -> None:
        """Close without an answer: what comes in is typing that was meant for a text field."""
        self.was_typed_into = True
        self.dismiss(None)

    def refuses_early(self, event: events.Key) -> bool:
        """Return whether Enter was pressed before the question was in view; say so."""
        is_early = event.time <= self.asked_at
        if is_early:
            event.stop()
            self.hint("! " + _(ENTER_TOO_EARLY))
        return is_early

    def compose(self) -> ComposeResult:
        """Yield title, body and hint."""
        style_for_size(self)
        with Vertical(id="dialog"):
            yield DialogTitle(_(self.title_text or self.TITLE_TEXT))
            yield from self.compose_body()
            yield Static("", id="dialog-hint", markup=False)

    def compose_body(self) -> ComposeResult:
        """Yield the widgets in the frame."""
        yield from ()

    def hint(self, text: str) -> None:
        """Show the keys and their use, or an error."""
        self.query_one("#dialog-hint", Static).update(text)

    @contextmanager
    def hinting_refusals(self) -> Iterator[None]:
        """Show the reason when the core refuses or does not answer, and stay."""
        try:
            yield
        except RefusedError as refusal:
            self.hint("!! " + problem_words.problem_text(refusal.problem))
        except UnreachableError:
            self.hint("!! " + _(problem_words.UNREACHABLE))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Log a worker's error and show it; it must not end the session."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            logger.error("a worker failed: %s", describe_failure(event.worker.error))
            self.hint("!! " + _("This screen has a fault; nothing was lost. Try again or go back."))

    def action_back(self) -> None:
        """Leave without a result."""
        self.dismiss(None)
