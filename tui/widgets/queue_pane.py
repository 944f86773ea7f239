"""One cluster's queue as lines: one row is repainted when one row changed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.style import Style
from textual.binding import Binding
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from core import clock
from core.schemas.queues import ClusterShape, EntryShape, QueueShape
from core.vocabulary import EntryStatus
from tui import theme, words
from tui.formatting import fit, sex_letter
from tui.session import Session
from tui.text import _
from tui.widgets.lines import Line, paint, plain

STYLES = {
    EntryStatus.CALLED: theme.CALLED,
    EntryStatus.IN_SERVICE: theme.GOOD,
    EntryStatus.ON_HOLD: theme.WARNING,
    EntryStatus.SKIPPED: theme.WARNING,
}
PRIORITY_STYLES = {"red": theme.ALERT, "yellow": theme.WARNING}
WIDE_CELLS = 70  # from here on the complaint and the wait still to come have room
WIDER_CELLS = 110  # and from here on long names
AT_WORK = (EntryStatus.IN_SERVICE, EntryStatus.CALLED, EntryStatus.ON_HOLD)


class QueuePane(Widget, can_focus=True):
    """A title line and one line an entry: those being served first, then in calling order.

    Attributes:
        entries: What is shown, open entries only.
        cursor: Index of the chosen entry; -1 in a pane that only shows.
    """

    DEFAULT_CSS = """
    QueuePane { height: 1fr; width: 1fr; }
    """

    BINDINGS = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
    ]

    def __init__(self, cluster: ClusterShape, session: Session, *, chooses: bool = False) -> None:
        super().__init__(id=f"pane-{cluster.code.lower()}")
        self.cluster = cluster.code
        """Its code."""
        self.entries: list[EntryShape] = []
        self._shape = cluster
        self._session = session
        self._chooses = chooses
        self._expected: int | None = None
        self.can_focus = chooses
        self.cursor = 0 if chooses else -1
        self._top = 0
        self._seen: set[str] | None = None
        self._new: set[str] = set()
        self._painted: list[Line] = []

    # What is shown

    def show_queue(self, queue: QueueShape) -> None:
        """Show the queue as it is now; only rows that differ are painted again."""
        chosen = self.chosen
        before = [entry.id for entry in self.entries]
        self.entries = _at_work_first(queue.entries)
        self._expected = queue.expected_wait_minutes
        ids = [entry.id for entry in self.entries]
        if self._seen is not None:
            self._new |= set(ids) - self._seen
        self._seen = set(ids) | (self._seen or set())
        self._new &= set(ids)
        if self._chooses:
            if chosen is not None and chosen.id in ids and before:
                self.cursor = ids.index(chosen.id)
            else:
                self.cursor = min(max(self.cursor, 0), max(0, len(ids) - 1))
        self._follow()
        self.repaint()

    def minute_passed(self) -> None:
        """Show the waits anew; what was new is so no longer."""
        self._new.clear()
        self.repaint()

    def repaint(self) -> None:
        """Paint the rows that differ from what is on the screen."""
        width, height = self.size
        lines = self._lines(width, height)
        changed = [
            Region(0, y, width, 1)
            for y in range(height)
            if (lines[y] if y < len(lines) else None)
            != (self._painted[y] if y < len(self._painted) else None)
        ]
        self._painted = lines
        if changed:
            self.refresh(*changed)

    @property
    def chosen(self) -> EntryShape | None:
        """The entry under the cursor."""
        return self.entries[self.cursor] if 0 <= self.cursor < len(self.entries) else None

    def choose(self, entry_id: str) -> None:
        """Put the cursor on an entry, when it is shown."""
        for index, entry in enumerate(self.entries):
            if entry.id == entry_id and self._chooses:
                self.cursor = index
        self._follow()
        self.repaint()

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        if self.entries and self._chooses:
            self.cursor = min(max(self.cursor + step, 0), len(self.entries) - 1)
            self._follow()
            self.repaint()

    def on_resize(self) -> None:
        """Fit the new size."""
        self._painted = []
        self._follow()
        self.repaint()

    def on_focus(self) -> None:
        """Show where the cursor is."""
        self.repaint()

    def on_blur(self) -> None:
        """Show how many more there are instead."""
        self._top = 0
        self.repaint()

    def _follow(self) -> None:
        rows = max(1, self.size.height - 1)
        cursor = max(self.cursor, 0)
        if cursor < self._top:
            self._top = cursor
        elif cursor >= self._top + rows:
            self._top = cursor - rows + 1

    # Painting

    def render_line(self, y: int) -> Strip:
        """One line: the title, an entry, or nothing."""
        width = self.size.width
        if y >= len(self._painted):
            return Strip.blank(width)
        if y == 0:
            return paint(self._painted[y], width, theme.BAR)
        chosen = self._chooses and bool(self.entries) and self._top + y - 1 == self.cursor
        if chosen and self.has_focus:
            return paint(plain(self._painted[y]), width, theme.CURSOR)
        return paint(self._painted[y], width)

    def _lines(self, width: int, height: int) -> list[Line]:
        lines = [self._title(width)]
        shown = self.entries[self._top : self._top + height - 1]
        for index, entry in enumerate(shown, start=self._top):
            lines.append(self._row(entry, width, self.has_focus and index == self.cursor))
        hidden = len(self.entries) - self._top - len(shown)
        if hidden > 0 and len(lines) == height and not self.has_focus:
            lines[-1] = [("   " + _("and {number} more").format(number=hidden + 1), theme.PLAIN)]
        if not self.entries:
            lines.append([("   " + _("nobody waits"), theme.PLAIN)])
        return lines

    def _title(self, width: int) -> Line:
        waiting = sum(1 for entry in self.entries if entry.status not in AT_WORK)
        called = [entry.number for entry in self.entries if entry.status is EntryStatus.CALLED]
        right = " " + _("{number} waiting").format(number=waiting)
        if self._expected is not None:
            right += f" ~{self._expected}'"
        if called:
            right += " " + _("called {numbers}").format(numbers=" ".join(called[:2]))
        right += " "
        left = f" {self._shape.prefix} {self._shape.name}"
        return [(fit(left, max(0, width - len(right))), theme.STRONG), (right, theme.PLAIN)]

    def _row(self, entry: EntryShape, width: int, chosen: bool) -> Line:
        style = STYLES.get(entry.status, theme.PLAIN)
        is_new = entry.id in self._new
        mark = ">" if chosen else "+" if is_new else " "
        sign = words.PRIORITY_SIGNS.get(entry.priority, "* ")
        status = self._status(entry, is_new)
        person, sex_age = "", ""
        if entry.patient is not None:
            person = entry.patient.name
            sex_age = f"{sex_letter(entry.patient.sex)}{entry.patient.age:>3}"
        wide = width >= WIDE_CELLS
        wait, wait_style = self._wait(entry)
        parts: Line = [
            (f" {sex_age:>4} ", theme.PLAIN),
            (wait, wait_style),
            (self._still(entry) if wide else "", theme.PLAIN),
            (" " + fit(status, 11 if width >= 48 else 9), style),
        ]
        fixed = 1 + 6 + 1 + 2 + 1 + sum(cell_len(text) for text, _style in parts)
        name_cells = (24 if width < WIDER_CELLS else 34) if wide else max(4, width - fixed)
        line: Line = [
            (mark, theme.STRONG),
            (fit(entry.number, 6), style + theme.STRONG if is_new or status else style),
            (" ", theme.PLAIN),
            (sign, PRIORITY_STYLES.get(entry.priority, theme.PLAIN)),
            (" ", theme.PLAIN),
            (fit(person, name_cells), theme.STRONG if is_new else theme.PLAIN),
            *parts,
        ]
        if wide:
            line.append((" " + fit(self._why(entry), max(0, width - fixed - name_cells - 1)), theme.PLAIN))
        return line

    def _status(self, entry: EntryShape, is_new: bool) -> str:
        """One word; a skipped entry says how many are called first, a returned one to whom it comes back."""
        if entry.status is EntryStatus.SKIPPED:
            return f"{words.word(words.STATUSES, entry.status)} +{entry.calls_until_back}"
        if entry.status is not EntryStatus.WAITING:
            return words.word(words.STATUSES, entry.status)
        if entry.reserved_for == self._session.account.id:
            return _("back")
        if entry.reserved_name:
            return f">{entry.reserved_name}"
        return _("new") if is_new else ""

    def _why(self, entry: EntryShape) -> str:
        """What brings the patient here; sent from elsewhere, that comes first."""
        return f"{entry.came_from}: {entry.chief_complaint}" if entry.came_from else entry.chief_complaint

    def _still(self, entry: EntryShape) -> str:
        """Five cells: the minutes still to wait, when they are known."""
        minutes = entry.expected_wait_minutes
        return f"~{minutes}'".rjust(5) if minutes is not None else " " * 5

    def _wait(self, entry: EntryShape) -> tuple[str, Style]:
        """Six cells: the minutes waited, with a sign and a style for a long wait."""
        if entry.status in AT_WORK:
            return " " * 6, theme.PLAIN
        minutes = max(0, int(((entry.called_at or clock.now()) - entry.started_at).total_seconds() // 60))
        clinic = self._session.clinic
        if minutes >= clinic.wait_limit_minutes:
            return f"{minutes:>3}'!!", theme.ALERT
        if minutes >= clinic.wait_warning_minutes:
            return f"{minutes:>3}'! ", theme.WARNING
        return f"{minutes:>3}'  ", theme.PLAIN


def _at_work_first(entries: Sequence[EntryShape]) -> list[EntryShape]:
    """Those at work in front, the rest in the order given (the calling order)."""
    rank = {status: index for index, status in enumerate(AT_WORK)}
    return sorted(entries, key=lambda entry: rank.get(entry.status, len(AT_WORK)))
