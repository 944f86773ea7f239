"""Rights of the roles: the admin asks for a change, the supervisor decides."""

from __future__ import annotations

from collections.abc import Awaitable

from textual import work
from textual.binding import Binding

from core.foundation.codes import MACHINE_ROLES, Permission, Role
from core.schemas.accounts import RightsChangeOut, RightsOut
from tui import keymap, theme
from tui.screens.item_list import ItemList
from tui.screens.reasons import LineDialog
from tui.screens.record.search_dialog import PickDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import problem_words
from tui.text.formatting import fit, instant_text
from tui.text.translation import N_, _
from tui.widgets.painting import Line

SHORTEST_REASON = 5  # characters
OUTCOMES = {"approved": N_("approved"), "refused": N_("refused"), "withdrawn": N_("withdrawn")}


class RightsScreen(ItemList[RightsChangeOut]):
    """A row for each request; those that wait come first."""

    AREA = "rights"
    TITLE_TEXT = N_("Rights")
    HELP_TEXT = N_(
        "What each role may do is changed by two people: the administrator asks, the head of the clinic decides. "
        "A asks for a right, X takes the chosen request back, Y approves it, N refuses it. L lists what every role "
        "may do now. An approved change holds at once, on every screen."
    )
    BINDINGS = [
        keymap.BACK,
        Binding("a", "ask", N_("Ask")),
        Binding("x", "withdraw", N_("Take back")),
        Binding("y", "approve", N_("Approve")),
        Binding("n", "refuse", N_("Refuse")),
        Binding("l", "table", N_("All rights")),
        keymap.REFRESH,
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether this person asks or decides."""
        needed = {
            "ask": Permission.ADMINISTER,
            "withdraw": Permission.ADMINISTER,
            "approve": Permission.APPROVE,
            "refuse": Permission.APPROVE,
        }.get(action)
        return needed is None or self.session.may(needed)

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self) -> None:
        """Read the requests."""
        with self.saying_refusals():
            await self._read()

    async def _read(self) -> None:
        changes = await self.session.client.accounts.rights_changes()
        changes.sort(key=lambda change: change.outcome is not None)  # stable: the newest stay first
        self._items = {change.id: change for change in changes}
        self._show()
        waiting = sum(change.outcome is None for change in changes)
        self.hint(_("{number} requests wait for a decision").format(number=waiting))

    def _row(self, item: RightsChangeOut) -> Line:
        sign, state = self._state(item)
        which_way = _("to be given") if item.granted else _("to be taken away")
        role = problem_words.word(problem_words.ROLES, item.role)
        right = problem_words.word(problem_words.RIGHTS, item.permission)
        text = f" {sign} {fit(role, 14)} {fit(right, 24)} {fit(which_way, 14)} {fit(state, 16)} {item.reason}"
        return [(text, theme.STRONG if item.outcome is None else theme.PLAIN)]

    def _state(self, item: RightsChangeOut) -> tuple[str, str]:
        if item.outcome is None:
            return "?", _("asked: {name}").format(name=item.requested_by)
        return " ", f"{_(OUTCOMES[item.outcome])}: {item.decided_by or ''}"

    def on_pick_list_picked(self) -> None:
        """Enter says who asked, when and why."""
        item = self._chosen
        if item is not None:
            at = instant_text(item.requested_at, self.session.clinic.timezone)
            self.say(f"{at} {item.requested_by}: {item.reason}")

    # Asking

    def action_ask(self) -> None:
        """Ask for whom, which right, and why."""
        roles = [
            (role.value, problem_words.word(problem_words.ROLES, role))
            for role in Role
            if role not in MACHINE_ROLES
        ]

        def chosen(role: str | None) -> None:
            if role:
                self._ask_right(Role(role))

        self.app.push_screen(PickDialog(self.session, N_("Rights of which role?"), roles), chosen)

    @work(exclusive=True, group="ask", exit_on_error=False)
    async def _ask_right(self, role: Role) -> None:
        with self.saying_refusals(), hold_keys(self.app):
            table = await self.session.client.accounts.rights()
        held = next(row.rights for row in table if row.role is role)
        rows = [
            (right.value, f"{_mark(right in held)} {problem_words.word(problem_words.RIGHTS, right)}")
            for right in Permission
        ]

        def chosen(right: str | None) -> None:
            if right:
                self._ask_reason(role, Permission(right), granted=Permission(right) not in held)

        title = N_("Which right is to change? (X: has it now)")
        self.app.push_screen(PickDialog(self.session, title, rows), chosen)

    def _ask_reason(self, role: Role, right: Permission, *, granted: bool) -> None:
        def given(reason: str | None) -> None:
            if reason:
                call = self.session.client.accounts.request_rights_change(role, right, granted, reason)
                self._do(call, _("Asked. The head of the clinic decides."))

        title = N_("Why is this right to be given?") if granted else N_("Why is this right to be taken away?")
        self.app.push_screen(LineDialog(self.session, title, shortest=SHORTEST_REASON), given)

    # Deciding

    def action_withdraw(self) -> None:
        """Take the chosen request back."""
        if (waiting := self._waiting) is not None:
            self._do(self.session.client.accounts.withdraw_rights_change(waiting.id), _("Taken back."))

    def action_approve(self) -> None:
        """Approve the chosen request."""
        if (waiting := self._waiting) is not None:
            call = self.session.client.accounts.approve_rights_change(waiting.id)
            self._do(call, _("Approved; it holds at once."))

    def action_refuse(self) -> None:
        """Refuse the chosen request."""
        if (waiting := self._waiting) is not None:
            self._do(self.session.client.accounts.refuse_rights_change(waiting.id), _("Refused."))

    @property
    def _waiting(self) -> RightsChangeOut | None:
        """Return the chosen request if it waits; otherwise say so."""
        if self._chosen is not None and self._chosen.outcome is None:
            return self._chosen
        self.say(_("Choose a request that waits (?)."), "warning")
        return None

    @work(exclusive=True, group="do", exit_on_error=False)
    async def _do(self, call: Awaitable[object], said: str) -> None:
        with self.saying_refusals(), hold_keys(self.app):
            await call
            await self._read()
            self.say(said, "good")

    # All rights

    @work(exclusive=True, group="ask", exit_on_error=False)
    async def action_table(self) -> None:
        """List what every role may do now."""
        with self.saying_refusals(), hold_keys(self.app):
            self.app.push_screen(RightsTable(self.session, await self.session.client.accounts.rights()))


class RightsTable(PickDialog):
    """Every right of every role; what differs from the default bears a star."""

    def __init__(self, session: Session, table: list[RightsOut]) -> None:
        rows = [
            (f"{row.role}-{right}", _table_row(row, right))
            for row in table
            for right in Permission
            if right in row.rights or right in row.defaults
        ]
        super().__init__(session, N_("All rights (* other than at first)"), rows)

    def keys_text(self) -> str:
        """Say how to leave."""
        return _("arrows: read on    Esc: back")


def _mark(has: bool) -> str:
    return "[X]" if has else "[ ]"


def _table_row(row: RightsOut, right: Permission) -> str:
    star = "*" if (right in row.rights) != (right in row.defaults) else " "
    role = problem_words.word(problem_words.ROLES, row.role)
    return f"{star} {fit(role, 18)} {_mark(right in row.rights)} {problem_words.word(problem_words.RIGHTS, right)}"
