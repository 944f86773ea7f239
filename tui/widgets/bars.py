"""The three fixed lines of every screen: title, status, keys. They change only when told to."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.binding import Binding
from textual.strip import Strip
from textual.widget import Widget

from tui import theme
from tui.formatting import fit, one_line
from tui.keymap import HELP, key_name
from tui.text import _
from tui.widgets.lines import Line, paint


class _Bar(Widget):
    """One line that is painted from parts."""

    DEFAULT_CSS = """
    _Bar { height: 1; width: 1fr; }
    """

    def parts(self) -> Line:
        """What stands on the line."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        """Paint it."""
        return paint(self.parts(), self.size.width)


class TitleBar(_Bar):
    """Where one is, and as whom; the blanks between cost nothing."""

    def __init__(self, place: str, title: str, person: str) -> None:
        """Args: `place` is the clinic, on the first screen of an area; what opens over it need not repeat it."""
        super().__init__()
        self._place = place
        self._title = title
        self._person = person
        self._connected = True

    def set_title(self, title: str) -> None:
        """Show another title, already translated."""
        if title != self._title:
            self._title = title
            self.refresh()

    def set_connected(self, connected: bool) -> None:
        """Say whether changes of others arrive."""
        if connected != self._connected:
            self._connected = connected
            self.refresh()

    def parts(self) -> Line:
        """Place, title, person; a warning while changes do not arrive."""
        right = f" {self._person} "
        if not self._connected:
            right = " " + _("!! NO CONNECTION - LISTS ARE OLD") + " " + right
        left = f" {self._title} - {self._place} " if self._place else f" {self._title} "
        room = max(0, self.size.width - cell_len(right))
        left = fit(left, min(room, cell_len(left)))
        return [(left, theme.TITLE), (" " * (room - cell_len(left)), theme.PLAIN), (right, theme.TITLE)]


class DialogTitle(_Bar):
    """What a dialog is about."""

    def __init__(self, title: str) -> None:
        """Args: `title` is translated."""
        super().__init__()
        self._title = title

    def parts(self) -> Line:
        """The title."""
        return [(f" {one_line(self._title)} ", theme.TITLE)]


SIGNS = {"info": ("", theme.PLAIN), "good": ("", theme.GOOD), "warning": ("! ", theme.WARNING),
         "error": ("!! ", theme.ALERT)}  # fmt: skip


class StatusLine(_Bar):
    """The last thing the screen has to say; it stays until there is something newer."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        """What is shown, for tests and screen readers."""
        self.kind = "info"

    def say(self, text: str, kind: str = "info") -> None:
        """Show a sentence.

        Args:
            text: Already translated.
            kind: `info`, `good`, `warning` or `error`; each has its sign.
        """
        if (text, kind) != (self.text, self.kind):
            self.text, self.kind = text, kind
            self.refresh()

    def parts(self) -> Line:
        """Sign and sentence."""
        sign, style = SIGNS[self.kind]
        return [(" " + sign + one_line(self.text), style)]


class KeyBar(_Bar):
    """The screen's keys, as `F1=Help`: a pen for each would cost more than its words.

    Static: Textual's own footer is rebuilt at each change of focus.

    What does not fit is in the help, so the help's own key always has its place.
    """

    def __init__(self, bindings: Sequence[Binding], rows: int = 1) -> None:
        """Args: `rows` is its height in cells."""
        super().__init__()
        self._bindings_shown = bindings
        self._rows = rows
        self.styles.height = rows

    def render_line(self, y: int) -> Strip:
        """Paint one of its rows."""
        rows = self.rows_of_keys()
        return paint(rows[y] if y < len(rows) else [], self.size.width)

    def rows_of_keys(self) -> list[Line]:
        """Keys with their labels, row by row, as many as fit."""
        left = [(binding, *self._parts(binding)) for binding in self._bindings_shown]
        helps = [item for item in left if item[0].key == HELP.key]
        left = [item for item in left if item[0].key != HELP.key]
        rows: list[Line] = []
        for number in range(1, self._rows + 1):
            reserved = sum(cells for _binding, _line, cells in helps) if number == self._rows else 0
            row: Line = []
            used = 0
            while left and used + left[0][2] <= self.size.width - reserved:
                _binding, line, cells = left.pop(0)
                row += line
                used += cells
            rows.append(row)
        for _binding, line, _cells in helps:
            rows[-1] += line
        return rows

    def _parts(self, binding: Binding) -> tuple[Line, int]:
        text = f" {key_name(binding.key)}={_(binding.description)} "
        return [(text, theme.PLAIN)], cell_len(text)
