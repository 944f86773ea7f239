"""Compares two records: one person, two people, or undecided."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.widgets import Static

from core.linkage.addresses import Address, compare_addresses
from core.linkage.birth_dates import compare_birth_dates
from core.linkage.name_comparison import compare_names
from core.patients.fields import BY_NAME, PATIENT_FIELDS
from core.schemas.patients import CandidatePairOut, MergeOut, PatientOut
from tui import keymap, theme
from tui.client.errors import RefusedError
from tui.screens.base import LoketScreen
from tui.screens.reasons import DeceasedDialog, LettersDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import problem_words
from tui.text.formatting import age_text, date_text, fit
from tui.text.translation import N_, _

LABEL_CELLS = 15
Row = tuple[str, str, str, str]
"""Label, value of the record that is kept, value of the other, and the sign of their comparison."""
Outcome = tuple[str, str]
"""`merged`, `not_same` or `later`, and the text of the status line."""


class CompareScreen(LoketScreen[Outcome]):
    """Shows the fields of both records and marks where they agree and differ. Enter decides nothing."""

    AREA = "register"
    TITLE_TEXT = N_("One person or two?")
    HELP_TEXT = N_(
        "Both records side by side; '=' marks what is the same, '~' what is alike, '!' what differs. "
        "S makes them one record: both histories are kept, and it can be undone. X changes which record "
        "number stays. N remembers that they are two people. L leaves it for later."
    )
    BINDINGS = [keymap.SAME, keymap.OTHER_STAYS, keymap.NOT_SAME, keymap.LATER, keymap.BACK]
    CSS_PATH = "compare.tcss"

    def __init__(self, session: Session, pair: CandidatePairOut) -> None:
        super().__init__(session)
        self._pair = pair
        self._stays, self._goes = sorted((pair.left, pair.right), key=_worth, reverse=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Allow a merge only to administrators."""
        return self.session.administers if action in {"same", "other_stays"} else True

    def compose_body(self) -> ComposeResult:
        """Yield the table."""
        yield Static("", id="pair", markup=False)

    def on_mount(self) -> None:
        """Show both records."""
        self._show()

    def after_language(self) -> None:
        """Show both records in the new language."""
        self._show()

    def on_resize(self) -> None:
        """Use the new width."""
        self._show()

    def _show(self) -> None:
        cells = max(20, (self.size.width - LABEL_CELLS - 5) // 2)
        text = Text(no_wrap=True, overflow="ellipsis")
        why = ", ".join(problem_words.likeness(self._pair.reasons))
        alike = _("Alike: {percent} %").format(percent=round(100 * self._pair.score))
        text.append(fit(f" {alike}   {why}", max(20, self.size.width - 1)).rstrip() + "\n\n")
        heads = (_("THIS RECORD STAYS"), _("becomes part of it")) if self.session.administers else ("", "")
        text.append(f"   {fit('', LABEL_CELLS)}{fit(heads[0], cells)} {fit(heads[1], cells)}\n", theme.STRONG)
        for label, left, right, sign in self._rows():
            style = theme.WARNING if sign == "!" else theme.PLAIN
            text.append(f" {sign} ", style)
            text.append(fit(label, LABEL_CELLS), theme.QUIET)
            text.append(f"{fit(left, cells)} {fit(right, cells)}\n", style)
        self.query_one("#pair", Static).update(text)
        if not self.session.administers:
            self.hint(_("N: two people    L: later    an administrator makes two records one"))

    def _rows(self) -> list[Row]:
        pair = self._stays, self._goes
        own = [self._field_row(name) for name in _SHOWN]
        rare = [self._field_row(name) for name in _SHOWN_IF_GIVEN if any(getattr(p, name) for p in pair)]
        return [
            self._plain_row(_("Record number"), lambda patient: patient.medical_record_number),
            *own,
            *rare,
            self._plain_row(_("Card"), _card_text),
            self._plain_row(_("Last visit"), lambda patient: date_text(patient.last_visit_on)),
            self._plain_row(_("Allergies"), lambda patient: ", ".join(patient.allergies)),
        ]

    def _plain_row(self, label: str, text: Callable[[PatientOut], str]) -> Row:
        """Return a row without a comparison."""
        return label, text(self._stays) or "-", text(self._goes) or "-", " "

    def _field_row(self, name: str) -> Row:
        left, right = (self._text(name, patient) or "-" for patient in (self._stays, self._goes))
        compare = _SIGNS.get(name)
        sign = compare(self._stays, self._goes) if compare is not None else self._plain_sign(name)
        return _(BY_NAME[name].label), left, right, sign

    def _plain_sign(self, name: str) -> str:
        left, right = getattr(self._stays, name), getattr(self._goes, name)
        if not left or not right:
            return " "
        return "=" if left == right else "!"

    def _text(self, name: str, patient: PatientOut) -> str:
        """Return a field's value as it is shown."""
        if name == "birth_date":
            about = "~" if patient.birth_date_estimated else ""
            age = age_text(patient.birth_date, self.session.clinic.today)
            return f"{about}{date_text(patient.birth_date)}  {age}"
        if name == "sex":
            return problem_words.word(problem_words.SEXES, patient.sex)
        return _address(patient) if name == "address" else str(getattr(patient, name) or "")

    def action_other_stays(self) -> None:
        """Keep the other record's number instead."""
        self._stays, self._goes = self._goes, self._stays
        self._show()

    def action_same(self) -> None:
        """Merge the records, after one more question."""
        options = [("Y", "yes", _("yes, one person; it can be undone"))]
        self.app.push_screen(
            LettersDialog(self.session, N_("Make these two records one?"), options), self._agreed
        )

    def _agreed(self, answer: str | None) -> None:
        if answer == "yes":
            self.merge()

    def _knowingly(self, answer: str | None) -> None:
        if answer == "yes":
            self.merge(deceased_confirmed=True)

    @work(exclusive=True, group="save", exit_on_error=False)
    async def merge(self, *, deceased_confirmed: bool = False) -> None:
        """Merge, then leave; where one was here after the other had died, only after a yes."""
        with self.saying_refusals(), hold_keys(self.app):
            try:
                made = await self.session.client.patients.merge(
                    self._goes.id, self._stays.id, deceased_confirmed=deceased_confirmed
                )
            except RefusedError as refusal:
                if refusal.code != "patient_deceased":
                    raise
                self.app.push_screen(DeceasedDialog(self.session, refusal.problem), self._knowingly)
                return
            self.dismiss(("merged", merged_text(made)))

    @work(exclusive=True, group="save", exit_on_error=False)
    async def action_not_same(self) -> None:
        """Store that they are two people."""
        with self.saying_refusals(), hold_keys(self.app):
            await self.session.client.patients.not_same(self._stays.id, self._goes.id)
            self.dismiss(("not_same", _("Remembered: two people.")))

    def action_later(self) -> None:
        """Leave the pair undecided."""
        self.dismiss(("later", _("Left for later.")))

    def action_back(self) -> None:
        """Leave the pair undecided, without a status."""
        self.dismiss(None)


def merged_text(made: MergeOut) -> str:
    """Return a sentence about a merge that was made."""
    return _("RM {merged} is part of RM {survivor} now; F7 M takes it back.").format(
        merged=made.merged_number, survivor=made.survivor_number
    )


def _worth(patient: PatientOut) -> tuple[bool, bool, bool, str]:
    """Return the sort key for the better record: card seen, NIK, visits, then the older number."""
    older = "".join(chr(ord("9") - ord(digit) + ord("0")) for digit in patient.medical_record_number)
    return (
        patient.identity_verified_at is not None,
        patient.nik is not None,
        patient.last_visit_on is not None,
        older,
    )


def _sign(code: str | None) -> str:
    if code is None:
        return " "
    if code.startswith("same_") and code not in {"same_birth_year", "same_street"}:
        return "="
    return "!" if code.startswith(("other_", "same_birth_year", "shared_")) else "~"


def _address(patient: PatientOut) -> str:
    beside = "".join(
        f" {label} {number}" for label, number in (("RT", patient.rt), ("RW", patient.rw)) if number
    )
    return (patient.address + beside).strip()


def _card_text(patient: PatientOut) -> str:
    return _("seen") if patient.identity_verified_at is not None else _("not seen")


def _compare_birth_dates(left: PatientOut, right: PatientOut) -> str:
    return _sign(compare_birth_dates(left.birth_date.isoformat(), right.birth_date.isoformat()))


def _compare_addresses(left: PatientOut, right: PatientOut) -> str:
    return _sign(compare_addresses(*(Address(p.address, p.rt, p.rw) for p in (left, right))))


_SIGNS: dict[str, Callable[[PatientOut, PatientOut], str]] = {
    "name": lambda left, right: _sign(compare_names(left.name, right.name)),
    "birth_date": _compare_birth_dates,
    "mother_name": lambda left, right: _sign(compare_names(left.mother_name, right.mother_name)),
    "address": _compare_addresses,
}
"""Field -> its comparison, where equality of both values is not enough."""
_SHOWN = tuple(field.name for field in PATIENT_FIELDS if field.compared and field.name not in {"rt", "rw"})
"""Fields with a row each; RT and RW are part of the address."""
_SHOWN_IF_GIVEN = tuple(field.name for field in PATIENT_FIELDS if field.only_for is not None)
"""Fields with a row only where one of the records has a value."""
