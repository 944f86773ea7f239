"""Asks for a new account, or for what is to change of one."""

from __future__ import annotations

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding

from core.foundation.codes import OWN_CREDENTIAL, Role
from core.schemas.accounts import AccountEdit, AccountRow, NewAccount
from tui import keymap
from tui.screens.base import Dialog
from tui.session import Session
from tui.text import problem_words
from tui.text.translation import N_, _
from tui.widgets import Choice, ChoiceField, FieldRow, TextField, labelled

LABEL_CELLS = 18
LETTERS = "123456789"


class AccountDialog(Dialog[str]):
    """Ends with a sentence of what was done; a refusal leaves all that was typed."""

    TITLE_TEXT = N_("Account")
    BINDINGS = [keymap.BACK, Binding("f10", "save", N_("Save"), priority=True)]

    def __init__(self, session: Session, account: AccountRow | None = None) -> None:
        """Args: `account` is the one to change; None asks for a new one."""
        super().__init__(session, account.username if account else N_("New account"))
        self._account = account

    def compose_body(self) -> ComposeResult:
        """A field for each thing that can be said of an account."""
        account = self._account
        roles = [role for role in Role if role not in OWN_CREDENTIAL]
        options = [
            Choice(role, problem_words.ROLES.get(role, role), mark)
            for role, mark in zip(roles, LETTERS + "ABCDEFGH", strict=False)
        ]
        if account is None:
            yield from _row(N_("User name"), TextField("username", cells=24, longest=40))
        yield from _row(N_("Name"), TextField("name", cells=30, longest=80))
        role = account.role if account else Role.CLERK
        yield from _row(N_("Role"), ChoiceField("role", options, value=role))
        yield from _row(N_("Clusters"), TextField("clusters", cells=30, longest=120))
        if account is None:
            yield from _row(N_("First password"), TextField("password", cells=30, longest=200))

    def on_mount(self) -> None:
        """Show what is."""
        if self._account is not None:
            self.query_one("#name", TextField).value = self._account.name
            self.query_one("#clusters", TextField).value = ",".join(self._account.clusters)
        self.query_one("#name" if self._account else "#username").focus()
        self.hint(_("Enter: next field    F10: save    Esc: back"))

    def on_descendant_focus(self) -> None:
        """Say what may be chosen."""
        focused = self.focused
        if isinstance(focused, ChoiceField):
            self.hint(focused.hint())
        elif focused is not None and focused.id == "clusters":
            codes = ",".join(cluster.code for cluster in self.session.clusters)
            self.hint(_("Codes with commas: {codes}").format(codes=codes))
        else:
            self.hint(_("Enter: next field    F10: save    Esc: back"))

    @on(TextField.Submitted)
    @on(ChoiceField.Submitted)
    def go_on(self) -> None:
        """Enter leads to the next field; F10 saves."""
        self.focus_next()

    @work(exclusive=True, group="save", exit_on_error=False)
    async def action_save(self) -> None:
        """Ask the core."""
        name = self.query_one("#name", TextField).text
        role = Role(self.query_one("#role", ChoiceField).value)
        typed = self.query_one("#clusters", TextField).text.upper().replace(" ", ",")
        clusters = [code for code in typed.split(",") if code]
        calls = self.session.client.account_administration
        with self.hinting_refusals():
            if self._account is None:
                saved = await calls.add_account(
                    NewAccount.model_construct(
                        username=self.query_one("#username", TextField).text,
                        name=name,
                        role=role,
                        clusters=clusters,
                        password=self.query_one("#password", TextField).value,
                    )
                )
            else:
                change = AccountEdit.model_construct(name=name, role=role, clusters=clusters)
                saved = await calls.edit_account(self._account.username, change)
            self.dismiss(_("{name} is saved.").format(name=saved.name))


def _row(label: str, field: TextField | ChoiceField) -> ComposeResult:
    with FieldRow():
        yield from labelled(label, field, cells=LABEL_CELLS)
