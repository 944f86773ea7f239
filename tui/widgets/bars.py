"""The three fixed lines of every screen: title, status, keys. They change only when told to."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.binding import Binding
from textual.strip import Strip
from textual.widget import Widget

from tui import theme
from tui.keymap import HELP, key_name
from tui.text.formatting import fit, one_line
from tui.text.translation import _
from tui.widgets.painting import Line, Part, paint


class _Bar(Widget):
    """A line painted from parts."""

    DEFAULT_CSS = """
    _Bar { height: 1; width: 1fr; }
    """

    def parts(self) -> Line:
        """Return the parts of the line."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        """Paint it."""
        return paint(self.parts(), self.size.width)


class TitleBar(_Bar):
    """Title of the screen, and the person signed in; the blanks between cost no bytes."""

    def __init__(self, place: str, title: str, person: str) -> None:
        """Args: `place` is the clinic, on the first screen of an area; screens that open over it need not repeat it."""
        super().__init__()
        self._place = place
        self._title = title
        self._person = person
        self._connected = True
        self._standing = ""

    def set_standing(self, words: str) -> None:
        """Show how a counter's own machine stands without the core; empty while the core is there.

        Args:
            words: Already translated.
        """
        if words != self._standing:
            self._standing = words
            self.refresh()

    def set_title(self, title: str) -> None:
        """Show another title, already translated."""
        if title != self._title:
            self._title = title
            self.refresh()

    def set_connected(self, connected: bool) -> None:
        """Show whether other people's changes arrive."""
        if connected != self._connected:
            self._connected = connected
            self.refresh()

    def parts(self) -> Line:
        """Return place, title and person; a warning while changes do not arrive."""
        right = f" {self._person} "
        if not self._connected:
            right = " " + _("!! NO CONNECTION - LISTS ARE OLD") + " " + right
        elif self._standing:
            right = f" {self._standing} {right}"
        left = f" {self._title} - {self._place} " if self._place else f" {self._title} "
        room = max(0, self.size.width - cell_len(right))
        left = fit(left, min(room, cell_len(left)))
        return [(left, theme.TITLE), (" " * (room - cell_len(left)), theme.PLAIN), (right, theme.TITLE)]


class DialogTitle(_Bar):
    """Title of a dialog."""

    def __init__(self, title: str) -> None:
        """Args: `title` is translated."""
        super().__init__()
        self._title = title

    def show(self, title: str) -> None:
        """Show another title, translated."""
        self._title = title
        self.refresh()

    def parts(self) -> Line:
        """Return the title."""
        return [(f" {one_line(self._title)} ", theme.TITLE)]


SIGNS = {"info": ("", theme.PLAIN), "good": ("", theme.GOOD), "warning": ("! ", theme.WARNING),
         "error": ("!! ", theme.ALERT)}  # fmt: skip


class StatusLine(_Bar):
    """The screen's last message, shown until the next one."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        """The text shown, for tests."""
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
        """Return sign and sentence."""
        sign, style = SIGNS[self.kind]
        return [(" " + sign + one_line(self.text), style)]


class KeyBar(_Bar):
    """The screen's keys, as `F1=Help`: a rendition for each would cost more bytes than its words.

    Static: Textual's own footer is rebuilt at each change of focus.

    Keys that do not fit are in the help, so the help's own key is always shown.
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
        """Return the keys with their labels, row by row, as many as fit; the help's key is always there."""
        left = [self._part(binding) for binding in self._bindings_shown if binding.key != HELP.key]
        helps = [self._part(binding) for binding in self._bindings_shown if binding.key == HELP.key]
        rows: list[Line] = []
        for number in range(1, self._rows + 1):
            reserved = sum(map(_cells, helps)) if number == self._rows else 0
            row: Line = []
            used = 0
            while left and used + _cells(left[0]) <= self.size.width - reserved:
                used += _cells(left[0])
                row.append(left.pop(0))
            rows.append(row)
        rows[-1] += helps
        return rows

    def _part(self, binding: Binding) -> Part:
        return f" {key_name(binding.key)}={_(binding.description)} ", theme.PLAIN


def _cells(part: Part) -> int:
    return cell_len(part[0])
