"""The roster: who works in which cluster when, and the days on which the clinic is closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from textual import work
from textual.binding import Binding

from core.schemas.roster import RosterChange, RosterOut, SessionFields
from core.visits.roster import Weekday
from tui import keymap, theme
from tui.screens.item_list import ItemList
from tui.screens.reasons import AgreeDialog, LineDialog
from tui.screens.roster_session import SessionDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import roster_words
from tui.text.formatting import NotADateError, date_text, fit, instant_text, parse_date
from tui.text.translation import N_, _
from tui.widgets.painting import Line

NAME_CELLS = 20  # so that a row fits into 80


@dataclass(frozen=True)
class RosterLine:
    """A row of the screen: a session, a closed day, or the weekdays on which the clinic is closed."""

    session: SessionFields | None = None
    closed_on: date | None = None


class RosterScreen(ItemList[RosterLine]):
    """Sessions by cluster and hours, then the days on which the clinic is closed."""

    AREA = "administer"
    KEY_ROWS = 2
    TITLE_TEXT = N_("Roster")
    HELP_TEXT = N_(
        "Who works in which cluster when, with BPJS's number of the clinician: numbers from home are given by it, Mobile "
        "JKN shows it, and letters bear the licence. A adds hours, Enter changes the chosen row, T adds a closed day, "
        "X takes the chosen row away, W says on which weekdays the clinic is closed. A cluster without hours takes "
        "numbers at any hour. Numbers that were given stay as they are."
    )
    BINDINGS = [
        keymap.BACK,
        Binding("a", "add", N_("Add hours")),
        Binding("e", "edit", N_("Change")),
        Binding("t", "close_day", N_("Closed day")),
        Binding("w", "weekdays", N_("Weekdays")),
        Binding("x", "remove", N_("Take away")),
        keymap.REFRESH,
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._roster: RosterOut | None = None

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self) -> None:
        """Read the roster."""
        with self.saying_refusals():
            self._take(await self.session.client.roster.roster())

    def _take(self, roster: RosterOut) -> None:
        self._roster = roster
        sessions = sorted(roster.sessions, key=lambda each: (each.cluster, each.hours, each.name))
        lines = [RosterLine(session=session) for session in sessions]
        lines.append(RosterLine())
        lines += [RosterLine(closed_on=day) for day in sorted(roster.closed_on)]
        self._items = {str(number): line for number, line in enumerate(lines)}
        self._show()
        self.hint(self._origin(roster))

    def _origin(self, roster: RosterOut) -> str:
        if roster.file:
            return _("From {file}: it is changed there.").format(file=roster.file)
        if roster.changed_at is None:
            return _("Nobody has saved a roster yet: numbers are given at any hour.")
        at = instant_text(roster.changed_at, self.session.clinic.timezone)
        return _("Saved by {name}, {time}").format(name=roster.changed_by, time=at)

    def _row(self, item: RosterLine) -> Line:
        if item.session is not None:
            return [(" " + _session_text(item.session), theme.PLAIN)]
        if item.closed_on is not None:
            return [(" " + _("closed on") + f" {date_text(item.closed_on)}", theme.PLAIN)]
        days = roster_words.weekdays_text(self._roster.closed_weekdays if self._roster else [])
        words = _("closed on") + f" {days}" if days else _("open on every day of the week")
        return [(f" {words}", theme.STRONG)]

    def on_pick_list_picked(self) -> None:
        """Enter changes the chosen row."""
        self.action_edit()

    def action_add(self) -> None:
        """Ask for hours."""
        if self._may_change():
            self.app.push_screen(SessionDialog(self.session), self._add)

    def _add(self, wanted: SessionFields | None) -> None:
        if wanted is not None:
            self._change(lambda roster: roster.sessions.append(wanted))

    def action_edit(self) -> None:
        """Ask what to change of the chosen row."""
        chosen = self._chosen
        if chosen is None or not self._may_change():
            return
        if chosen.session is None:
            self.action_weekdays()
            return
        before = chosen.session

        def given(wanted: SessionFields | None) -> None:
            if wanted is not None:
                self._change(lambda roster: _replace(roster, before, wanted))

        self.app.push_screen(SessionDialog(self.session, before), given)

    def action_close_day(self) -> None:
        """Ask for a day on which the clinic is closed."""

        def given(text: str | None) -> None:
            if text is None:
                return
            try:
                day = parse_date(text)
            except NotADateError:
                self.say(_("That is no date: {text}").format(text=text), "error")
                return
            self._change(lambda roster: _close_day(roster, day))

        if self._may_change():
            self.app.push_screen(
                LineDialog(self.session, N_("Closed on which day?"), note="17-8-2027"), given
            )

    def action_weekdays(self) -> None:
        """Ask on which weekdays the clinic is closed."""

        def given(text: str | None) -> None:
            if text is None:
                return
            days = roster_words.weekdays_typed("" if text == "-" else text)
            if days is None:
                self.say(_("Days are written as {example}").format(example=_("Mon-Thu, Sat")), "error")
                return
            self._change(lambda roster: _close_weekdays(roster, days))

        if self._roster is not None and self._may_change():
            now = roster_words.weekdays_text(self._roster.closed_weekdays) or "-"
            title = N_("Closed on which weekdays?")
            note = _("'-': the clinic is open every day")
            self.app.push_screen(LineDialog(self.session, title, value=now, note=note), given)

    def action_remove(self) -> None:
        """Take the chosen row away."""
        chosen = self._chosen
        if chosen is None or chosen == RosterLine() or not self._may_change():
            return

        def agreed(yes: bool | None) -> None:
            if yes:
                self._change(lambda roster: _remove(roster, chosen))

        session = chosen.session
        note = _session_text(session) if session else date_text(chosen.closed_on)
        self.app.push_screen(AgreeDialog(self.session, N_("Take this away?"), note), agreed)

    def _may_change(self) -> bool:
        roster = self._roster
        if roster is None:
            return False
        if roster.file:
            self.say(self._origin(roster), "warning")
            return False
        return True

    @work(exclusive=True, group="do", exit_on_error=False)
    async def _change(self, make: Callable[[RosterChange], None]) -> None:
        """Save the roster with one thing changed; a refusal leaves it as it was."""
        if self._roster is None:
            return
        kept = {"changed_at", "changed_by", "file"}
        wanted = RosterChange.model_validate(self._roster.model_dump(exclude=kept))
        make(wanted)
        with self.saying_refusals(), hold_keys(self.app):
            self._take(await self.session.client.roster.change_roster(wanted))
            self.say(_("The roster is saved."), "good")


def _session_text(session: SessionFields) -> str:
    quota = _("max {number}").format(number=session.quota) if session.quota else ""
    return "  ".join(
        (
            fit(session.cluster, 7),
            session.hours,
            fit(roster_words.weekdays_text(session.weekdays), 14),
            fit(session.name, NAME_CELLS),
            fit(session.doctor, 7),
            quota,
        )
    ).rstrip()


def _replace(roster: RosterChange, before: SessionFields, wanted: SessionFields) -> None:
    roster.sessions[roster.sessions.index(before)] = wanted


def _close_day(roster: RosterChange, day: date) -> None:
    if day not in roster.closed_on:
        roster.closed_on.append(day)


def _close_weekdays(roster: RosterChange, days: list[Weekday]) -> None:
    roster.closed_weekdays = days


def _remove(roster: RosterChange, line: RosterLine) -> None:
    if line.session is not None:
        roster.sessions.remove(line.session)
    if line.closed_on is not None:
        roster.closed_on.remove(line.closed_on)
