"""The confirmation that stands before every save.

It shows who, why they came, the cluster chosen and the cluster the rules propose. What Enter does
depends on the verdict, and never sends anybody to a cluster that the rules did not propose and
nobody picked here: `match` saves, `mismatch` takes the proposal, `blocked` and `unsure` do nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from rich.text import Text
from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from core.schemas import PatientShape, Problem, Receipt, RoutingShape
from core.vocabulary import Verdict
from tui import keymap, theme, words
from tui.client import Refused, UnreachableError
from tui.formatting import age_text, date_text, fit, one_line, sex_letter
from tui.screens.base import Dialog
from tui.screens.reasons import ReasonDialog
from tui.screens.registration.facts import YES, Facts
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import N_, _

WIDTH = 72
Ask = Callable[[str | None], Awaitable[RoutingShape]]
MakeRequest = Callable[[str, str | None], dict[str, Any]]


@dataclass(frozen=True)
class Saved:
    """A registration that the core has proved."""

    receipt: Receipt


class ConfirmDialog(Dialog[Saved | Problem]):
    """Asks, then saves; gives the receipt, the core's refusal, or None when the clerk went back."""

    TITLE_TEXT = N_("Confirm before saving")
    BINDINGS = [
        keymap.BACK,
        Binding("enter", "agree", show=False),
        Binding("k", "keep", show=False),
    ]

    def __init__(
        self,
        session: Session,
        facts: Facts,
        chosen: str | None,
        routing: RoutingShape,
        ask: Ask,
        make_request: MakeRequest,
    ) -> None:
        """Args: `ask` judges another cluster; `make_request` builds the save for cluster and reason."""
        super().__init__(session)
        self._facts = facts
        self._chosen = chosen
        self._picked_here = False
        self._routing = routing
        self._ask = ask
        self._make_request = make_request
        self._saving = False

    def compose_body(self) -> ComposeResult:
        """The facts; red flags come first."""
        yield Static("", id="facts", markup=False)

    def on_mount(self) -> None:
        """Show what is to be confirmed."""
        self._show()

    # What is shown

    @property
    def proposal(self) -> str | None:
        """The cluster the rules propose, None when they do not."""
        if self._routing.verdict is Verdict.UNSURE or not self._routing.suggestions:
            return None
        return self._routing.suggestions[0].cluster

    @property
    def verdict(self) -> Verdict:
        """What the rules say of the cluster as it stands now."""
        return self._routing.verdict

    def _show(self) -> None:
        text = Text(no_wrap=True, overflow="ellipsis")
        for flag in self._routing.red_flags:
            name = words.word(words.RED_FLAGS, flag.rule)
            text.append(_("!! DANGER SIGN: {name}").format(name=name), theme.ALERT)
            text.append(f"  ({one_line(flag.word)})\n")
        if self._routing.red_flags:
            text.append("   " + _("Emergency first, priority RED.") + "\n\n", theme.ALERT)
        self._line(text, _("Patient"), self._who(), theme.STRONG)
        self._line(text, "", self._identity())
        self._line(text, _("Complaint"), self._facts.text("chief_complaint"), theme.STRONG)
        if self._facts.is_pregnant:
            self._line(text, "", _("pregnant"), theme.STRONG)
        chosen = self._cluster_label(self._chosen) if self._chosen else _("none yet")
        self._line(text, _("Chosen"), chosen, theme.STRONG if self._chosen else theme.PLAIN)
        if self.proposal is not None:
            self._line(text, _("Proposed"), self._cluster_label(self.proposal), theme.STRONG)
            for reason in self._routing.suggestions[0].reasons[:3]:
                self._line(text, "", reason.text)
        text.append("\n")
        sentence, style = self._judgement()
        text.append(sentence, style)
        self.query_one("#facts", Static).update(text)
        self.hint(self._keys())

    def _line(self, text: Text, label: str, value: str, style: Any = theme.PLAIN) -> None:
        text.append(f"{fit(label, 10)} ")
        text.append(fit(value, WIDTH - 13).rstrip() + "\n", style)

    def _who(self) -> str:
        born, today = self._facts.birth_date, self.session.clinic.today
        age = age_text(born, today) if born is not None else "?"
        day = _("estimated") if self._facts.is_estimated else date_text(born)
        return f"{self._facts.name}, {sex_letter(self._facts.sex)}, {age} ({day})"

    def _identity(self) -> str:
        patient: PatientShape | None = self._facts.patient
        if patient is not None:
            seen = patient.identity_verified_at is not None
            known = f"RM {patient.medical_record_number}, "
        else:
            seen = self._facts.text("identity_verified") == YES
            known = _("new patient") + ", "
        return known + (_("identity verified") if seen else _("identity not verified"))

    def _cluster_label(self, code: str | None) -> str:
        return f"{self.session.prefix_of(code)}  {self.session.cluster_name(code)}"

    def _judgement(self) -> tuple[str, Any]:
        verdict = self.verdict
        if verdict is Verdict.BLOCKED:
            return "!! " + words.word(words.BLOCKS, self._routing.blocked_code or ""), theme.ALERT
        if verdict is Verdict.UNSURE:
            if self._picked_here:
                return _("The complaint does not say it; you picked this cluster."), theme.STRONG
            question = words.word(words.QUESTIONS, self._routing.question or "which_complaint")
            return "? " + question, theme.WARNING
        if verdict is Verdict.MISMATCH:
            return "! " + _("The complaint points to another cluster than the chosen one."), theme.WARNING
        if self._chosen is None:
            return _("The complaint points to the proposed cluster."), theme.GOOD
        return _("Complaint and cluster agree."), theme.GOOD

    def _keys(self) -> str:
        letters = " ".join(cluster.prefix for cluster in self.session.destinations)
        other = _("{letters}: other cluster").format(letters=letters)
        back = _("Esc: back to the form")
        if self.verdict is Verdict.BLOCKED:
            return _("Cannot be saved.") + "  " + back
        if self.verdict is Verdict.UNSURE and not self._picked_here:
            return _("Press the letter of the cluster: {letters}").format(letters=letters) + "    " + back
        if self.verdict is Verdict.MISMATCH:
            take = _("Enter: SAVE TO {cluster}").format(cluster=self.session.cluster_name(self.proposal))
            keep = _("K: keep {cluster}, with a reason").format(
                cluster=self.session.cluster_name(self._chosen)
            )
            return f"{take}\n{keep}    {back}"
        target = self._chosen or self.proposal
        save = _("Enter: SAVE TO {cluster}").format(cluster=self.session.cluster_name(target))
        return f"{save}    {back}\n{other}"

    # What keys do

    def action_agree(self) -> None:
        """Save, where a reflex may: to what was proposed, or to what was picked by its letter here."""
        if self._saving or self.verdict is Verdict.BLOCKED:
            return
        if self.verdict is Verdict.UNSURE:
            if self._picked_here and self._chosen is not None:
                self.save(self._chosen, None)
            return
        target = self.proposal
        if self.verdict is Verdict.MATCH and self._chosen is not None:
            target = self._chosen
        if target is not None:
            self.save(target, None)

    def action_keep(self) -> None:
        """Keep the other cluster, for a reason that is stored."""
        if not self._saving and self.verdict is Verdict.MISMATCH and self._chosen is not None:
            self.app.push_screen(ReasonDialog(self.session, words.OVERRIDE_REASONS), self._keep_because)

    def _keep_because(self, reason: str | None) -> None:
        if reason and self._chosen is not None:
            self.save(self._chosen, reason)

    def on_key(self, event: events.Key) -> None:
        """A cluster's letter picks that cluster and asks the rules again."""
        if self._saving or self.verdict is Verdict.BLOCKED or not event.character:
            return
        letter = event.character.upper()
        if letter == "K" and self.verdict is Verdict.MISMATCH:
            return
        for cluster in self.session.destinations:
            if cluster.prefix == letter:
                event.stop()
                self.pick(cluster.code)

    @work(exclusive=True, group="pick", exit_on_error=False)
    async def pick(self, cluster: str) -> None:
        """Take another cluster, judged anew."""
        with hold_keys(self.app), self.hinting_refusals():
            self._routing = await self._ask(cluster)
            self._chosen, self._picked_here = cluster, True
            self._show()

    @work(exclusive=True, group="save", exit_on_error=False)
    async def save(self, cluster: str, reason: str | None) -> None:
        """Save and wait for the proof; "saved" is said of nothing else."""
        self._saving = True
        self.hint(_("Saving ..."))
        try:
            with hold_keys(self.app):
                receipt = await self.session.client.register(
                    self._make_request(cluster, reason), self._not_confirmed
                )
        except Refused as refusal:
            problem = refusal.problem
            saved = problem.details.get("receipt") if problem.code == "registration_id_reused" else None
            self.dismiss(Saved(Receipt.model_validate(saved)) if saved else problem)
        except UnreachableError:
            self._saving = False
            self._not_confirmed(1)
        else:
            self.dismiss(Saved(receipt))
        finally:
            self._saving = False

    def _not_confirmed(self, tries: int) -> None:
        self.hint(
            "! "
            + _("NOT CONFIRMED YET: no answer from the server ({number} tries). Still trying.").format(
                number=tries
            )
            + "\n"
            + _("Esc: back to the form. It can be sent again; it is never saved twice.")
        )
