"""One cluster's queue as lines: one row is repainted when one row changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style
from textual.binding import Binding
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from core.foundation import clock
from core.foundation.codes import DENIED_SIGN, EntryStatus
from core.linkage.names import fold
from core.schemas.queues import ClusterOut, EntryOut, EntryPatient, QueueOut
from tui import theme
from tui.session import Session
from tui.text import problem_words
from tui.text.formatting import date_text, fit, sex_letter, time_text
from tui.text.translation import _
from tui.widgets.painting import Line, paint, plain

STYLES = {
    EntryStatus.CALLED: theme.CALLED,
    EntryStatus.IN_SERVICE: theme.GOOD,
    EntryStatus.ON_HOLD: theme.WARNING,
    EntryStatus.SKIPPED: theme.WARNING,
}
PRIORITY_STYLES = {"red": theme.ALERT, "yellow": theme.WARNING}
WIDE_CELLS = 70  # from here on the complaint and the wait still to come have room
WIDER_CELLS = 110  # and from here on long names
LONG_STATUS_CELLS = 48  # from here on the longest status is not cut
LEFT_CELLS = 1 + 6 + 1 + 2 + 1  # mark, number and sign with the blanks between them
SHORTEST_NAME_CELLS = 4
AT_WORK = (EntryStatus.IN_SERVICE, EntryStatus.CALLED, EntryStatus.ON_HOLD)


class QueuePane(Widget, can_focus=True):
    """A title line and a line for each entry: those being served first, then in calling order.

    Attributes:
        entries: What is shown, open entries only.
        cursor: Index of the chosen entry; -1 in a pane that only shows, and while nobody is chosen.
    """

    @dataclass
    class ChoiceChanged(Message):
        """Posted when another entry is chosen, or none."""

        pane: QueuePane
        by_itself: bool
        """True if the queue changed and not the user: the chosen entry has gone."""

    DEFAULT_CSS = """
    QueuePane { height: 1fr; width: 1fr; }
    """

    BINDINGS = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
    ]

    def __init__(
        self, cluster: ClusterOut, session: Session, *, chooses: bool = False, begins_chosen: bool = True
    ) -> None:
        """Initialise the pane.

        Args:
            cluster: The cluster whose queue it shows.
            session: Session of the terminal.
            chooses: Whether an entry can be chosen.
            begins_chosen: Whether the first entry is chosen until an arrow chooses another; otherwise nobody is.
        """
        super().__init__(id=f"pane-{cluster.code.lower()}")
        self.cluster = cluster.code
        """Its code."""
        self.entries: list[EntryOut] = []
        self._cluster_out = cluster
        self._session = session
        self._chooses = chooses
        self._begins_chosen = begins_chosen
        self._expected: int | None = None
        self.can_focus = chooses
        self.rows = 0
        """Height that its screen gave it, where the screen shares its rows among panes; 0 before."""
        self.cursor = 0 if chooses and begins_chosen else -1
        self._top = 0
        self._seen: set[str] | None = None
        self._new: set[str] = set()
        self._painted: list[Line] = []
        self._namesakes: set[str] = set()
        """Names that more than one person in this queue bears, as `core.linkage.names.fold` gives them."""

    def show_queue(self, queue: QueueOut) -> None:
        """Show the queue as it is now; only rows that differ are painted again."""
        queue = self._session.shown(queue)
        chosen = self.chosen
        self.entries = _at_work_first(queue.entries)
        self._expected = queue.expected_wait_minutes
        self._namesakes = _borne_by_several(self.entries)
        ids = [entry.id for entry in self.entries]
        if self._seen is not None:
            self._new |= set(ids) - self._seen
        self._seen = set(ids) | (self._seen or set())
        self._new &= set(ids)
        if self._chooses:
            self.cursor = self._cursor_after(chosen, ids)
            self._tell_choice(chosen, by_itself=True)
        self._follow()
        self.repaint()

    def _cursor_after(self, chosen: EntryOut | None, ids: list[str]) -> int:
        """Return the cursor for other entries: on the same one, else on its neighbour or on nobody."""
        if chosen is not None and chosen.id in ids:
            return ids.index(chosen.id)
        return min(max(self.cursor, 0), max(0, len(ids) - 1)) if self._begins_chosen else -1

    def _tell_choice(self, before: EntryOut | None, *, by_itself: bool) -> None:
        after = self.chosen
        if (before.id if before else None) != (after.id if after else None):
            self.post_message(self.ChoiceChanged(self, by_itself))

    def minute_passed(self) -> None:
        """Show the waits again; entries shown as new no longer are."""
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
    def chosen(self) -> EntryOut | None:
        """The entry under the cursor."""
        return self.entries[self.cursor] if 0 <= self.cursor < len(self.entries) else None

    def choose(self, entry_id: str) -> None:
        """Put the cursor on an entry, when it is shown."""
        before = self.chosen
        for index, entry in enumerate(self.entries):
            if entry.id == entry_id and self._chooses:
                self.cursor = index
        self._tell_choice(before, by_itself=False)
        self._follow()
        self.repaint()

    def forget_choice(self) -> None:
        """Choose nobody, where nobody is chosen at the beginning."""
        if not self._begins_chosen and self.cursor >= 0:
            before, self.cursor = self.chosen, -1
            self._tell_choice(before, by_itself=False)
            self.repaint()

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        if self.entries and self._chooses:
            before = self.chosen
            self.cursor = min(max(self.cursor + step, 0), len(self.entries) - 1)
            self._tell_choice(before, by_itself=False)
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
        """Show the number of hidden entries instead of the cursor."""
        self._top = 0
        self.repaint()

    def _follow(self) -> None:
        rows = max(1, self.size.height - 1)
        cursor = max(self.cursor, 0)
        if cursor < self._top:
            self._top = cursor
        elif cursor >= self._top + rows:
            self._top = cursor - rows + 1

    def render_line(self, y: int) -> Strip:
        """Return one line: the title, an entry, or a blank."""
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
        left = f" {self._cluster_out.prefix} {self._cluster_out.name}"
        if on_duty := self._session.on_duty(self.cluster, clock.now()):
            left += f"  {on_duty}"
        return [(fit(left, max(0, width - len(right))), theme.STRONG), (right, theme.PLAIN)]

    def _row(self, entry: EntryOut, width: int, chosen: bool) -> Line:
        is_new = entry.id in self._new
        is_wide = width >= WIDE_CELLS
        status = self._status(entry, is_new)
        right = self._right_part(entry, width, status)
        fixed = LEFT_CELLS + sum(cell_len(text) for text, _style in right)
        name_cells = _name_cells(width, fixed)
        line = [
            *self._left_part(entry, chosen=chosen, is_new=is_new, is_marked=is_new or bool(status)),
            (self._name_text(entry.patient, name_cells), _strong_if(is_new)),
            *right,
        ]
        if is_wide:
            line.append((" " + fit(self._why(entry), max(0, width - fixed - name_cells - 1)), theme.PLAIN))
        return line

    def _name_text(self, patient: EntryPatient | None, cells: int) -> str:
        """Return the name, with what tells its bearer from another who waits in this queue."""
        if patient is None:
            return fit("", cells)
        if fold(patient.name) not in self._namesakes:
            return fit(patient.name, cells)
        mark = (
            date_text(patient.birth_date) if patient.birth_date is not None else patient.medical_record_number
        )
        return f"{fit(patient.name, cells - len(mark) - 1)} {mark}"

    def _left_part(self, entry: EntryOut, *, chosen: bool, is_new: bool, is_marked: bool) -> Line:
        """Return the mark, the number and the sign of urgency: `LEFT_CELLS` cells."""
        style = STYLES.get(entry.status, theme.PLAIN)
        mark = "+" if is_new else " "
        return [
            (">" if chosen else mark, theme.STRONG),
            (fit(entry.number, 6), style + theme.STRONG if is_marked else style),
            (" ", theme.PLAIN),
            (
                problem_words.PRIORITY_SIGNS.get(entry.priority, "* "),
                PRIORITY_STYLES.get(entry.priority, theme.PLAIN),
            ),
            (" ", theme.PLAIN),
        ]

    def _right_part(self, entry: EntryOut, width: int, status: str) -> Line:
        """Return sex and age, the waits and the status, which stand behind the name."""
        patient = entry.patient
        sex_age = f"{sex_letter(patient.sex)}{patient.age:>3}" if patient is not None else ""
        wait, wait_style = self._wait(entry)
        status_cells = 11 if width >= LONG_STATUS_CELLS else 9
        return [
            (f" {sex_age:>4} ", theme.PLAIN),
            (wait, wait_style),
            (self._still(entry) if width >= WIDE_CELLS else "", theme.PLAIN),
            (
                " " + fit(status, status_cells),
                theme.ALERT if entry.critical or entry.clashes else STYLES.get(entry.status, theme.PLAIN),
            ),
        ]

    def _status(self, entry: EntryOut, is_new: bool) -> str:
        """Return one word; with a skipped entry the number called first, with a returned one the person it returns to."""
        if entry.clashes:
            return "!!" + _("allergy")
        if entry.corrected and not entry.critical:
            return "!" + _("corrected")
        if entry.critical:
            return "!!" + (
                problem_words.word(problem_words.STATUSES, entry.status) if entry.called_at else _("lab")
            )
        if entry.status is EntryStatus.SKIPPED:
            return f"{problem_words.word(problem_words.STATUSES, entry.status)} +{entry.calls_until_back}"
        if entry.status is not EntryStatus.WAITING:
            return problem_words.word(problem_words.STATUSES, entry.status)
        if entry.priority_reason.startswith(DENIED_SIGN):
            return "?" + _("look")
        if entry.reserved_for == self._session.account.id:
            return _("back")
        if entry.reserved_name:
            return f">{entry.reserved_name}"
        return _("new") if is_new else ""

    def _why(self, entry: EntryOut) -> str:
        """Return the complaint, after critical results and the cluster that the patient was sent from, if any."""
        alerts = self._alerts(entry)
        if alerts:
            return "; ".join([*alerts, entry.chief_complaint])
        return f"{entry.came_from}: {entry.chief_complaint}" if entry.came_from else entry.chief_complaint

    def _alerts(self, entry: EntryOut) -> list[str]:
        """Return the findings that stand before the complaint, a critical result with who was told and when."""
        zone = self._session.clinic.timezone
        told = {item.result: f" ({item.told} {time_text(item.at, zone)})" for item in entry.told}
        return [
            *("!! " + clash for clash in entry.clashes),
            *("!! " + result + told.get(result, "") for result in entry.critical),
            *("! " + _("corrected: {results}").format(results=result) for result in entry.corrected),
            *_denied_sign(entry),
        ]

    def _still(self, entry: EntryOut) -> str:
        """Return five cells: the minutes still to wait, when they are known."""
        minutes = entry.expected_wait_minutes
        return f"~{minutes}'".rjust(5) if minutes is not None else " " * 5

    def _wait(self, entry: EntryOut) -> tuple[str, Style]:
        """Return six cells: the minutes waited, with a sign and a style for a long wait."""
        if entry.status in AT_WORK:
            return " " * 6, theme.PLAIN
        minutes = max(0, int(((entry.called_at or clock.now()) - entry.started_at).total_seconds() // 60))
        clinic = self._session.clinic
        if minutes >= clinic.wait_limit_minutes:
            return f"{minutes:>3}'!!", theme.ALERT
        if minutes >= clinic.wait_warning_minutes:
            return f"{minutes:>3}'! ", theme.WARNING
        return f"{minutes:>3}'  ", theme.PLAIN


def _at_work_first(entries: Sequence[EntryOut]) -> list[EntryOut]:
    """Sort the entries being served to the front; the rest keeps its order, the calling order."""
    rank = {status: index for index, status in enumerate(AT_WORK)}
    return sorted(entries, key=lambda entry: rank.get(entry.status, len(AT_WORK)))


def _borne_by_several(entries: Sequence[EntryOut]) -> set[str]:
    people = {entry.patient.id: fold(entry.patient.name) for entry in entries if entry.patient is not None}
    return {name for name, bearers in Counter(people.values()).items() if bearers > 1}


def _name_cells(width: int, fixed: int) -> int:
    """Return the width of the name: all that is left in a narrow pane, a fixed one where more follows it."""
    if width < WIDE_CELLS:
        return max(SHORTEST_NAME_CELLS, width - fixed)
    return 24 if width < WIDER_CELLS else 34


def _strong_if(is_strong: bool) -> Style:
    return theme.STRONG if is_strong else theme.PLAIN


def _denied_sign(entry: EntryOut) -> list[str]:
    """Return the danger sign that the counter asked about and the patient denied: a nurse looks at it."""
    if not entry.priority_reason.startswith(DENIED_SIGN):
        return []
    sign = problem_words.word(problem_words.RED_FLAGS, entry.priority_reason.removeprefix(DENIED_SIGN))
    return ["? " + _("denied at the counter: {sign}").format(sign=sign)]
