"""A referral chosen from BPJS's lists, one question after the other in one dialog; without an answer, from memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from textual.app import ComposeResult
from textual.widgets import Static

from core.foundation.languages import in_language
from core.records.forms import FormDefinition
from core.records.pcare_form import REASONS, lacking_tacc
from core.schemas.bpjs import ReferralItemOut, ReferralListOut
from core.schemas.record import VisitOut
from tui import theme
from tui.screens.record.search_dialog import SearchDialog
from tui.session import Session
from tui.text.formatting import NotADateError, date_text, fit, instant_text, parse_date
from tui.text.roster_words import weekday_text
from tui.text.translation import N_, _, language
from tui.widgets import PickRow, TextField, set_text
from tui.widgets.bars import DialogTitle

SPECIALIST, SUBSPECIALIST, MEANS, FACILITY = "specialist", "subspecialist", "means", "facility"
DAY, TACC, REASON, CONFIRM = "day", "tacc", "reason", "confirm"
TITLES = {
    SPECIALIST: N_("Referral: specialist"),
    SUBSPECIALIST: N_("Referral: subspecialist"),
    MEANS: N_("Referral: means"),
    DAY: N_("Referral: day"),
    FACILITY: N_("Referral: hospital"),
    TACC: N_("Referral: why a primary-care diagnosis (TACC)"),
    REASON: N_("Referral: reason of the TACC"),
    CONFIRM: N_("Referral: ready"),
}
LISTED = frozenset({SPECIALIST, SUBSPECIALIST, MEANS, FACILITY})
"""Steps that are answered from a list of BPJS's."""
DAYS_OFFERED = 7
LATEST = timedelta(days=90)
"""Time ahead for which a patient may be referred."""
CELLS = 78
NAME_CELLS = 24
LATER, URGENT = "later", "urgent"


class ReferralDialog(SearchDialog[dict[str, str]]):
    """Returns the answers of the form BPJS, as they are typed into a form."""

    ROWS = 10

    def __init__(
        self, session: Session, visit: VisitOut, form: FormDefinition, typed: Mapping[str, str]
    ) -> None:
        """Initialise the dialog.

        Args:
            session: Session of the terminal.
            visit: Whose patient is referred.
            form: The form BPJS, for the words of a TACC.
            typed: What was answered before.
        """
        super().__init__(session, TITLES[SPECIALIST])
        self._fields = {item.name: item for item in form.fields()}
        self._today = session.clinic.today
        self._answers: dict[str, str] = dict(typed)
        first = min(visit.diagnoses, key=lambda one: one.rank, default=None)
        self._diagnosis = first.code if first is not None else ""
        self._asks_tacc = first is not None and bool(lacking_tacc({}, non_specialist=first.non_specialist))
        self._step = SPECIALIST
        self._specialist = ""
        self._told: ReferralListOut | None = None

    def compose_body(self) -> ComposeResult:
        """Yield what was chosen so far, a box and its results."""
        yield Static("", id="chosen", markup=False)
        yield from super().compose_body()

    def on_mount(self) -> None:
        """Ask for the specialist first."""
        self.query_one("#dialog").styles.width = CELLS
        super().on_mount()

    @property
    def steps(self) -> list[str]:
        """Return the questions of this referral, in their order."""
        tacc = [TACC, REASON] if self._asks_tacc else []
        return [SPECIALIST, SUBSPECIALIST, MEANS, DAY, FACILITY, *tacc, CONFIRM]

    # What is offered

    async def search(self, text: str) -> Sequence[tuple[str, Any]]:
        """Return what fits the words at this step."""
        self._told = None
        if self._step in LISTED:
            return await self._listed(text)
        offered = {DAY: self._days, TACC: self._taccs, REASON: self._reasons, CONFIRM: self._endings}
        words = text.casefold().split()
        found = offered[self._step](text)
        if self._step == DAY:
            return found
        return [(key, name) for key, name in found if all(word in name.casefold() for word in words)]

    async def _listed(self, text: str) -> list[tuple[str, Any]]:
        of = {SUBSPECIALIST: self._specialist, FACILITY: self._answers.get("refer_subspecialist", "")}
        if self._step in of and not of[self._step]:
            self._told = ReferralListOut()  # what was typed by hand has no list
        else:
            self._told = await self.session.client.insurance.referral_list(
                self._step,
                text,
                of=of.get(self._step, ""),
                means=self._answers.get("refer_means", "") if self._step == FACILITY else "",
                on=self._day() if self._step == FACILITY else None,
                diagnosis=self._diagnosis if self._step == SPECIALIST else "",
            )
            if self._told.non_specialist is not None:
                self._asks_tacc = self._told.non_specialist
        found: list[tuple[str, Any]] = [(item.code, item) for item in self._told.items]
        if self._step == MEANS and not text.strip():
            found.insert(0, ("", ReferralItemOut(code="", name=_("any"))))
        self.say_keys()
        return found

    def _day(self) -> date:
        try:
            return parse_date(self._answers.get("refer_on", ""))
        except NotADateError:
            return self._today

    def _days(self, text: str) -> list[tuple[str, str]]:
        days = [self._today + timedelta(days=ahead) for ahead in range(DAYS_OFFERED)]
        if text.strip():
            try:
                days = [parse_date(text)]
            except NotADateError:
                return []
        latest = self._today + LATEST
        return [(date_text(day), weekday_text(day)) for day in days if self._today <= day <= latest]

    def _taccs(self, _text: str) -> list[tuple[str, str]]:
        return self._choices("tacc")

    def _reasons(self, _text: str) -> list[tuple[str, str]]:
        return self._choices(REASONS[self._answers["tacc"]])

    def _choices(self, name: str) -> list[tuple[str, str]]:
        return [(item.value, in_language(item.label, language())) for item in self._fields[name].choices]

    def _endings(self, _text: str) -> list[tuple[str, str]]:
        return [
            (LATER, _("Refer; the letter is printed when BPJS has given its number")),
            (URGENT, _("URGENT: print the letter now, the number follows")),
        ]

    def row(self, key: str, thing: Any) -> PickRow:
        """Return an item with what it is chosen by."""
        if isinstance(thing, ReferralItemOut):
            name = fit(thing.name, NAME_CELLS) if thing.note else thing.name
            return PickRow(key, [(f"{name} ", theme.STRONG), (thing.note, theme.PLAIN)])
        code = f"{key}  " if self._step == DAY else ""
        return PickRow(key, [(code, theme.STRONG), (str(thing), theme.PLAIN)])

    # What is taken

    def take(self, key: str, thing: Any) -> None:
        """Take an item, and ask the next question."""
        name = thing.name if isinstance(thing, ReferralItemOut) else str(thing)
        if self._step == CONFIRM:
            self._answers["refer_urgent"] = "yes" if key == URGENT else "no"
            self.dismiss({name: text for name, text in self._answers.items() if text})
            return
        self._keep(key, name)
        self._go(1)

    def take_text(self, text: str) -> None:
        """Take a name as typed where BPJS gives no list, and the words of a complication."""
        is_unlisted = self._told is not None and not self._told.answered and self._step != MEANS
        if is_unlisted or self._is_free_text:
            self._keep("" if is_unlisted else text, text)
            self._go(1)

    @property
    def _is_free_text(self) -> bool:
        """Return whether the question has no list: a complication is told in words."""
        return self._step == REASON and not self._choices(REASONS[self._answers["tacc"]])

    def _nothing_found(self) -> PickRow:
        return PickRow("", [("", theme.PLAIN)]) if self._is_free_text else super()._nothing_found()

    def _keep(self, code: str, name: str) -> None:
        if self._step == SPECIALIST:
            self._specialist = code
            self._answers["refer_specialist"] = name
        elif self._step == SUBSPECIALIST:
            self._answers |= {"refer_subspecialist": code, "refer_subspecialist_name": name}
        elif self._step == MEANS:
            self._answers["refer_means"] = code
        elif self._step == DAY:
            self._answers["refer_on"] = code
        elif self._step == FACILITY:
            self._answers |= {"refer_provider": code, "refer_provider_name": name}
        elif self._step == TACC:
            self._answers["tacc"] = code
        else:
            self._answers[REASONS[self._answers["tacc"]]] = code

    def _go(self, step: int) -> None:
        """Ask the next question, or the one before."""
        self._step = self.steps[self.steps.index(self._step) + step]
        self.query_one(DialogTitle).show(_(TITLES[self._step]))
        self.query_one("#words", TextField).value = ""
        self._found = {}
        self._answered = None
        self._told = None
        self._stop_timer()
        set_text(self.query_one("#chosen", Static), self._chosen_text(), layout=True)
        self.say_keys()
        self.look_up("", take=False)

    def _chosen_text(self) -> str:
        shown = {
            SUBSPECIALIST: "refer_specialist",
            MEANS: "refer_subspecialist_name",
            FACILITY: "refer_on",
            CONFIRM: "refer_provider_name",
        }
        done = self.steps[: self.steps.index(self._step) + 1]
        parts = [self._answers.get(shown[step], "") for step in done if step in shown]
        return " " + " > ".join(part for part in parts if part) if any(parts) else ""

    def say_keys(self) -> None:
        """Say the keys, and what the list is worth where BPJS gave no answer."""
        keys = _("Enter: choose    Esc: back")
        if self._step == DAY:
            keys = _("Enter: choose, or type ddmmyyyy    Esc: back")
        elif self._is_free_text:
            keys = _("Type code and name, as `I10 - name`, then Enter    Esc: back")
        self.hint("\n".join([*self._warning(), keys]))

    def _warning(self) -> list[str]:
        if self._told is None or self._told.answered:
            return []
        if self._told.read_at is None:
            return ["! " + _("BPJS does not answer: type the name, then Enter.")]
        at, zone = self._told.read_at, self.session.clinic.timezone
        return ["! " + _("BPJS does not answer: the list as of {time}.").format(time=instant_text(at, zone))]

    def action_back(self) -> None:
        """Go back to the question before; from the first one, leave."""
        if self._step == SPECIALIST:
            self.dismiss(None)
        else:
            self._go(-1)
