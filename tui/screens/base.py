"""What all screens share: title, status line, keys, and how a refusal is said."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static, TextArea
from textual.worker import Worker, WorkerState

from core.schemas.queues import EntryShape
from tui import keymap, words
from tui.client import Refused, UnreachableError
from tui.messages import FeedState
from tui.session import Session
from tui.terminal.failures import describe_failure
from tui.text import N_, _, language
from tui.widgets import ChoiceField, DialogTitle, KeyBar, Label, StatusLine, TextField, TitleBar

logger = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")
Values = dict[str, str]


def style_for_size(screen: Screen[Any]) -> None:
    """Take the classes of the terminal's size while nothing stands on a screen yet.

    Textual sets them when the screen has been laid out; all that stands there is then styled once more.
    """
    width, height = screen.app.size
    breakpoints = [(width, screen.app.HORIZONTAL_BREAKPOINTS), (height, screen.app.VERTICAL_BREAKPOINTS)]
    for cells, classes in breakpoints:
        screen.add_class(max(entry for entry in classes or [(0, "")] if entry[0] <= cells)[1])


class Body(Vertical):
    """What stands between title and status line; blank itself, which spares rendering it."""

    BLANK = True


class LoketScreen(Screen[ResultT]):
    """A full screen: one title line, the body, one status line, one line of keys."""

    BLANK = True
    TITLE_TEXT = N_("Loket")
    HELP_TEXT = ""
    """A few sentences for the help screen; a msgid."""
    KEY_ROWS = 1
    """Rows of the key bar, where many keys are used all day."""
    AREA = ""
    """The app's area this screen belongs to: its own key is not shown again."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.title_bar = TitleBar("", "", "")
        self.status_line = StatusLine()
        self._shown_in = ""

    def compose(self) -> ComposeResult:
        """Title, body, status, keys."""
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
        """What stands between title and status line."""
        yield from ()

    def shown_keys(self) -> list[Binding]:
        """This screen's keys, then those that work everywhere; each key once."""
        own = [item for item in type(self).BINDINGS if isinstance(item, Binding) and item.show]
        everywhere = [item for item in type(self.app).BINDINGS if isinstance(item, Binding) and item.show]
        found: dict[str, Binding] = {}
        for binding in [*own, *everywhere]:
            node: Any = self.app if binding.action.startswith("app.") else self
            if binding.action == f"app.{self.AREA}":
                continue
            if node.check_action(binding.action.removeprefix("app."), ()) is not False:
                found.setdefault(binding.key, binding)
        return list(found.values())

    # Saying things

    def say(self, text: str, kind: str = "info") -> None:
        """Show a sentence in the status line; it is translated already."""
        self.status_line.say(text, kind)

    def hint(self, text: str) -> None:
        """Show a hint, unless there is something more important to read."""
        if self.status_line.kind in {"info", "good"}:
            self.say(text)

    def settle_status(self) -> None:
        """Somebody types again: what was wrong has been read."""
        if self.status_line.kind in {"error", "warning"}:
            self.say("")

    def point_at(self, path: str, problem: str) -> None:
        """Put the focus on a field that is wrong, mark it, and say what to do.

        Args:
            path: The field's path in the request: `patient.nik`, `vitals.pulse`.
            problem: Stable code.
        """
        name = path.removeprefix("patient.").removeprefix("vitals.").split(".")[0]
        text = words.field_problem(path, problem)
        labels = list(self.query(f"#label-{name}").results(Label))

        def say_again() -> None:
            if not labels or self.is_marked(name):  # else it was corrected meanwhile
                self.say(text, "error")

        self.say(text, "error")
        for label in labels:
            label.mark(True)
        for field in self.query(f"#{name}"):
            field.focus()
        # Once more when the focus has moved: the field that was left may have had something to say.
        self.call_after_refresh(say_again)

    def is_marked(self, field: str) -> bool:
        """Whether a field is marked as wrong."""
        return any(label.is_wrong for label in self.query(f"#label-{field}").results(Label))

    @property
    def said(self) -> str:
        """What the status line shows."""
        return self.status_line.text

    @contextmanager
    def saying_refusals(self) -> Iterator[None]:
        """Say why when the core refuses or does not answer, and go on."""
        try:
            yield
        except Refused as refusal:
            self.say(words.problem_text(refusal.problem), "error")
            if refusal.code == "not_signed_in":
                self.run_worker(self.app.run_action("lock"), exit_on_error=False)
        except UnreachableError:
            self.say(_(words.UNREACHABLE), "error")

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker's fault must neither end the session nor stay hidden."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            logger.error("a worker failed: %s", describe_failure(event.worker.error))
            self.say(_("This screen has a fault; nothing was lost. Try again or go back."), "error")

    # The feed

    def on_feed_state(self, message: FeedState) -> None:
        """Mark lists as old while the feed is away."""
        self.title_bar.set_connected(message.connected)

    def on_screen_resume(self) -> None:
        """Catch up with what was missed while another screen was shown."""
        if self._shown_in and self._shown_in != language():
            self.run_worker(self.show_in_language(), exit_on_error=False)
        self.title_bar.set_connected(self.session.hub.connected or not self.session.hub.started)

    def entries_of(self, cluster: str) -> list[EntryShape]:
        """The pane as last read by the feed: who waits or is served."""
        queue = self.session.hub.queues.get(cluster)
        return list(queue.entries) if queue is not None else []

    # Language

    def field_values(self) -> Values:
        """What is typed and chosen, by field."""
        values: Values = {}
        # A walk and no query: this is done while somebody types, and a query matches selectors at each node.
        for widget in self.walk_children():
            if isinstance(widget, TextField | ChoiceField):
                values[widget.id or ""] = widget.value
            elif isinstance(widget, TextArea):
                values[widget.id or ""] = widget.text
        return values

    def fill(self, values: Values) -> None:
        """Put values into fields, without the fields telling of it."""
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
        """Show everything in the session's language, keeping what was typed and where one was."""
        values, focused = self.field_values(), self.focused.id if self.focused else None
        await self.recompose()
        self.fill(values)
        if focused and self.query(f"#{focused}"):
            self.query_one(f"#{focused}").focus()
        self.after_language()

    def after_language(self) -> None:
        """Fill lists again after the screen was composed anew."""

    async def keep_now(self) -> None:
        """Keep on the server what is half-typed here, where there is anything.

        Raises:
            Refused, UnreachableError: It is not kept.
        """

    def minute_passed(self) -> None:
        """Show anew what counts minutes; nothing on any screen changes by itself more often."""

    def action_back(self) -> None:
        """Leave this screen, unless it is the first."""
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()


class Dialog(ModalScreen[ResultT]):
    """A framed question over the screen; Escape always leaves it without doing anything."""

    BINDINGS = [keymap.BACK]
    TITLE_TEXT = N_("Question")
    HELP_TEXT = ""

    def __init__(self, session: Session, title: str = "") -> None:
        """Args: `title` is a msgid, where whoever asks gives it."""
        super().__init__()
        self.session = session
        self.title_text = title

    def compose(self) -> ComposeResult:
        """Title, body, hint."""
        style_for_size(self)
        with Vertical(id="dialog"):
            yield DialogTitle(_(self.title_text or self.TITLE_TEXT))
            yield from self.compose_body()
            yield Static("", id="dialog-hint", markup=False)

    def compose_body(self) -> ComposeResult:
        """What stands in the frame."""
        yield from ()

    def hint(self, text: str) -> None:
        """Say which keys do what, or what went wrong."""
        self.query_one("#dialog-hint", Static).update(text)

    @contextmanager
    def hinting_refusals(self) -> Iterator[None]:
        """Say why when the core refuses or does not answer, and stay."""
        try:
            yield
        except Refused as refusal:
            self.hint("!! " + words.problem_text(refusal.problem))
        except UnreachableError:
            self.hint("!! " + _(words.UNREACHABLE))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker's fault must neither end the session nor stay hidden."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            logger.error("a worker failed: %s", describe_failure(event.worker.error))
            self.hint("!! " + _("This screen has a fault; nothing was lost. Try again or go back."))

    def action_back(self) -> None:
        """Leave without a result."""
        self.dismiss(None)
