"""Danger signs of the complaint rules: the head of the clinic reads each page and signs it."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Iterator
from itertools import groupby

from textual import work
from textual.binding import Binding

from core.foundation.codes import Permission, SignatureState
from core.schemas.oversight import DangerItem, DangerOut, DangerPageOut
from tui import keymap, theme
from tui.screens.item_list import ItemList
from tui.screens.oversight.audit_lines import READ_CELLS
from tui.screens.reasons import LineDialog
from tui.screens.record.dialogs import TextDialog
from tui.terminal.keyboard import hold_keys
from tui.text import problem_words
from tui.text.formatting import fit, instant_text, wrapped
from tui.text.translation import N_, _
from tui.widgets.painting import Line

SHORTEST_REASON = 5  # characters, as the server asks
KINDS = {
    "source": N_("Source"),
    "danger": N_("Danger"),
    "none": N_("No danger"),
    "rule": N_("Rules"),
    "sign": N_("Rules behind them"),
    "word": N_("Words"),
}
"""Kind of a page's item -> heading, in the order of the page."""
READING = N_("(+ and, | or, @ anywhere, unless: not with, span: words apart)")
"""Legend of the rules' lines."""
AGES = {"y": N_("{number} yr"), "d": N_("{number} days")}
"""Unit of an example's age -> its text."""
SIGNS = {SignatureState.SIGNED: "v", SignatureState.CHANGED: "!", SignatureState.UNSIGNED: "?"}


class DangersScreen(ItemList[DangerOut]):
    """A row for each danger sign; those without a valid signature come first."""

    AREA = "oversight"
    TITLE_TEXT = N_("Danger signs")
    HELP_TEXT = N_(
        "Each danger sign that sends a patient to the emergency room, with who has signed it: '?' nobody, '!' signed, but "
        "its rules or words have changed since, 'v' signed as it is. Enter shows its page: the published source, "
        "examples, rules and words, what has changed first; there S signs it. X takes the chosen signature back."
    )
    BINDINGS = [
        keymap.BACK,
        Binding("enter", "read_page", N_("Read and sign")),
        Binding("x", "take_back", N_("Take back")),
        keymap.REFRESH,
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether this person signs."""
        return action != "take_back" or self.session.may(Permission.APPROVE)

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self) -> None:
        """Read the signs."""
        with self.saying_refusals():
            await self._read()

    async def _read(self) -> None:
        signs = await self.session.client.oversight.dangers()
        self._items = {sign.code: sign for sign in signs}
        self._show()
        unsigned = sum(sign.state is not SignatureState.SIGNED for sign in signs)
        self.hint(_("{number} of {all} danger signs are not signed").format(number=unsigned, all=len(signs)))

    def _row(self, item: DangerOut) -> Line:
        title = problem_words.word(problem_words.RED_FLAGS, item.code)
        text = f" {SIGNS[item.state]} {fit(title, 34)} {self._standing(item)}"
        return [(text, theme.PLAIN if item.state is SignatureState.SIGNED else theme.STRONG)]

    def _standing(self, item: DangerOut) -> str:
        if item.signed_at is None:
            return _("nobody has signed")
        day = instant_text(item.signed_at, self.session.clinic.timezone)
        signed = _("{name}, {day}").format(name=item.signed_by, day=day)
        return (
            signed
            if item.state is SignatureState.SIGNED
            else _("CHANGED since {signed}").format(signed=signed)
        )

    def on_pick_list_picked(self) -> None:
        """Show the page of the chosen sign."""
        self.action_read_page()

    @work(exclusive=True, group="ask", exit_on_error=False)
    async def action_read_page(self) -> None:
        """Show the page of the chosen sign; S on it signs."""
        if self._chosen is None:
            return
        with self.saying_refusals(), hold_keys(self.app):
            page = await self.session.client.oversight.danger(self._chosen.code)
            signs = self.session.may(Permission.APPROVE) and page.state is not SignatureState.SIGNED

            def pressed(letter: str | None) -> None:
                if letter == "S":
                    call = self.session.client.oversight.sign_danger(page.code, page.digest)
                    self._do(call, _("Signed."))

            title = problem_words.word(problem_words.RED_FLAGS, page.code)
            hint = _("S: sign this page") if signs else ""
            lines = [f"{SIGNS[page.state]} {self._standing(page)}", *_lines(page)]
            dialog = TextDialog(self.session, title, lines, "S" if signs else "", hint)
            self.app.push_screen(dialog, pressed)

    def action_take_back(self) -> None:
        """Take the chosen signature back, with a reason."""
        item = self._chosen
        if item is None or item.signed_at is None:
            self.say(_("Nobody has signed this one."), "warning")
            return

        def given(reason: str | None) -> None:
            if reason:
                call = self.session.client.oversight.take_signature_back(item.code, reason)
                self._do(call, _("Taken back."))

        title = N_("Why does this signature no longer hold?")
        self.app.push_screen(LineDialog(self.session, title, shortest=SHORTEST_REASON), given)

    @work(exclusive=True, group="do", exit_on_error=False)
    async def _do(self, call: Awaitable[object], said: str) -> None:
        with self.saying_refusals(), hold_keys(self.app):
            await call
            await self._read()
            self.say(said, "good")


def _lines(page: DangerPageOut) -> Iterator[str]:
    """Yield a page's lines: what has changed since the signature, then everything."""
    changed = [("-", item) for item in page.removed] + [("+", item) for item in page.added]
    if changed:
        yield _("CHANGED SINCE IT WAS SIGNED")
        for sign, item in changed:
            yield from wrapped(f"{sign} {_(KINDS[item.kind])}: {item.text}", READ_CELLS)
        yield ""
    for kind, heading in KINDS.items():
        items = [item for item in page.items if item.kind == kind]
        if items:
            yield _(heading)
            if kind == "rule":
                yield from wrapped("  " + _(READING), READ_CELLS)
            yield from (line for text in _texts(kind, items) for line in wrapped(text, READ_CELLS))


def _texts(kind: str, items: Iterable[DangerItem]) -> Iterator[str]:
    """Yield the texts of one kind; the words of a concept together."""
    if kind in ("danger", "none"):
        yield from (f"  {_example(item.text)}" for item in items)
        return
    if kind != "word":
        yield from (f"  {item.text}" for item in items)
        return
    for concept, words in groupby((item.text.split(": ", 1) for item in items), key=lambda pair: pair[0]):
        yield f"  {concept}: {', '.join(word for _name, word in words)}"


def _example(text: str) -> str:
    """Return an example with its person in words: `mulut mencong | 60y m` as `mulut mencong (60 th, L)`."""
    complaint, _bar, person = text.rpartition(" | ")
    age, *others = person.split()
    told = [_(AGES[age[-1]]).format(number=age[:-1])]
    told += [_("pregnant") if other == "pregnant" else _(other.upper()) for other in others]
    return f"{complaint} ({', '.join(told)})"
