"""Two records side by side: one person, two people, or to be looked at later."""

from __future__ import annotations

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.widgets import Static

from core.addresses import Address, compare_addresses
from core.likeness import compare_birth_dates
from core.name_likeness import compare_names
from core.schemas.patients import MergeShape, PatientShape, SuspectedShape
from tui import keymap, theme, words
from tui.formatting import age_text, date_text, fit
from tui.screens.base import LoketScreen
from tui.screens.reasons import LettersDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import N_, _

LABEL_CELLS = 15
Outcome = tuple[str, str]
"""`merged`, `not_same` or `later`, and what to say about it."""


class CompareScreen(LoketScreen[Outcome]):
    """What both say of each field, marked where it agrees and where it does not. Enter decides nothing."""

    AREA = "register"
    TITLE_TEXT = N_("One person or two?")
    HELP_TEXT = N_(
        "Both records side by side; '=' marks what is the same, '~' what is alike, '!' what differs. "
        "S makes them one record: both histories are kept, and it can be undone. X changes which record "
        "number stays. N remembers that they are two people. L leaves it for later."
    )
    BINDINGS = [keymap.SAME, keymap.OTHER_STAYS, keymap.NOT_SAME, keymap.LATER, keymap.BACK]
    CSS_PATH = "compare.tcss"

    def __init__(self, session: Session, pair: SuspectedShape) -> None:
        super().__init__(session)
        self._pair = pair
        self._stays, self._goes = sorted((pair.left, pair.right), key=_worth, reverse=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only an administrator merges."""
        return self.session.administers if action in {"same", "other_stays"} else True

    def compose_body(self) -> ComposeResult:
        """The table."""
        yield Static("", id="pair", markup=False)

    def on_mount(self) -> None:
        """Show both."""
        self._show()

    def after_language(self) -> None:
        """Show both again."""
        self._show()

    def on_resize(self) -> None:
        """Use the width there is."""
        self._show()

    def _show(self) -> None:
        cells = max(20, (self.size.width - LABEL_CELLS - 5) // 2)
        text = Text(no_wrap=True, overflow="ellipsis")
        why = ", ".join(words.likeness(self._pair.reasons))
        alike = _("Alike: {percent} %").format(percent=round(100 * self._pair.score))
        text.append(fit(f" {alike}   {why}", max(20, self.size.width - 1)).rstrip() + "\n\n")
        heads = (_("THIS RECORD STAYS"), _("becomes part of it")) if self.session.administers else ("", "")
        text.append(f"   {fit('', LABEL_CELLS)}{fit(heads[0], cells)} {fit(heads[1], cells)}\n", theme.STRONG)
        for label, left, right, sign in self._rows():
            style = theme.WARNING if sign == "!" else theme.PLAIN
            text.append(f" {sign} {fit(label, LABEL_CELLS)}", style)
            text.append(f"{fit(left, cells)} {fit(right, cells)}\n", style)
        self.query_one("#pair", Static).update(text)
        if not self.session.administers:
            self.hint(_("N: two people    L: later    an administrator makes two records one"))

    def _rows(self) -> list[tuple[str, str, str, str]]:
        stays, goes = self._stays, self._goes
        today = self.session.clinic.today

        def born(patient: PatientShape) -> str:
            about = "~" if patient.birth_date_estimated else ""
            return f"{about}{date_text(patient.birth_date)}  {age_text(patient.birth_date, today)}"

        def card(patient: PatientShape) -> str:
            return _("seen") if patient.identity_verified_at is not None else _("not seen")

        names = _sign(compare_names(stays.name, goes.name))
        mothers = _sign(compare_names(stays.mother_name, goes.mother_name))
        dates = _sign(compare_birth_dates(stays.birth_date.isoformat(), goes.birth_date.isoformat()))
        homes = _sign(compare_addresses(*(Address(p.address, p.rt, p.rw) for p in (stays, goes))))
        plain = _plain_sign
        return [
            (_("Record number"), stays.medical_record_number, goes.medical_record_number, " "),
            (_("Name"), stays.name, goes.name, names),
            (_("Sex"), words.word(words.SEXES, stays.sex), words.word(words.SEXES, goes.sex),
             plain(stays.sex, goes.sex)),
            (_("Birth date"), born(stays), born(goes), dates),
            (_("NIK"), stays.nik or "-", goes.nik or "-", plain(stays.nik, goes.nik)),
            (_("BPJS number"), stays.bpjs_number or "-", goes.bpjs_number or "-",
             plain(stays.bpjs_number, goes.bpjs_number)),
            (_("Family card"), stays.family_card_number or "-", goes.family_card_number or "-",
             plain(stays.family_card_number, goes.family_card_number)),
            (_("Mother"), stays.mother_name or "-", goes.mother_name or "-", mothers),
            (_("Phone"), stays.phone or "-", goes.phone or "-", plain(stays.phone, goes.phone)),
            (_("Address"), _address(stays), _address(goes), homes),
            (_("Card"), card(stays), card(goes), " "),
            (_("Last visit"), date_text(stays.last_visit_on) or "-", date_text(goes.last_visit_on) or "-", " "),
            (_("Allergies"), ", ".join(stays.allergies) or "-", ", ".join(goes.allergies) or "-", " "),
        ]  # fmt: skip

    def action_other_stays(self) -> None:
        """Keep the other record's number instead."""
        self._stays, self._goes = self._goes, self._stays
        self._show()

    def action_same(self) -> None:
        """Make them one record, after one more question."""
        options = [("Y", "yes", _("yes, one person; it can be undone"))]
        self.app.push_screen(
            LettersDialog(self.session, N_("Make these two records one?"), options), self._agreed
        )

    def _agreed(self, answer: str | None) -> None:
        if answer == "yes":
            self.merge()

    @work(exclusive=True, group="save", exit_on_error=False)
    async def merge(self) -> None:
        """Merge and leave."""
        with self.saying_refusals(), hold_keys(self.app):
            made = await self.session.client.merge(self._goes.id, self._stays.id)
            self.dismiss(("merged", merged_text(made)))

    @work(exclusive=True, group="save", exit_on_error=False)
    async def action_not_same(self) -> None:
        """Remember that they are two people."""
        with self.saying_refusals(), hold_keys(self.app):
            await self.session.client.not_same(self._stays.id, self._goes.id)
            self.dismiss(("not_same", _("Remembered: two people.")))

    def action_later(self) -> None:
        """Leave it undecided."""
        self.dismiss(("later", _("Left for later.")))

    def action_back(self) -> None:
        """Leave without a word."""
        self.dismiss(None)


def merged_text(made: MergeShape) -> str:
    """What was done, in a sentence."""
    return _("RM {merged} is part of RM {survivor} now; F7 M takes it back.").format(
        merged=made.merged_number, survivor=made.survivor_number
    )


def _worth(patient: PatientShape) -> tuple[bool, bool, bool, str]:
    """Which of two records is better kept: a card seen, a NIK, visits; then the older number."""
    older = "".join(chr(ord("9") - ord(digit) + ord("0")) for digit in patient.medical_record_number)
    return (
        patient.identity_verified_at is not None,
        patient.nik is not None,
        patient.last_visit_on is not None,
        older,
    )


def _plain_sign(left: str | None, right: str | None) -> str:
    if not left or not right:
        return " "
    return "=" if left == right else "!"


def _sign(code: str | None) -> str:
    if code is None:
        return " "
    if code.startswith("same_") and code not in {"same_birth_year", "same_street"}:
        return "="
    return "!" if code.startswith(("other_", "same_birth_year", "shared_")) else "~"


def _address(patient: PatientShape) -> str:
    beside = "".join(
        f" {label} {number}" for label, number in (("RT", patient.rt), ("RW", patient.rw)) if number
    )
    return (patient.address + beside).strip() or "-"
