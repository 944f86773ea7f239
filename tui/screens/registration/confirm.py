"""The confirmation before every save.

It shows the patient, the complaint, the chosen cluster and the cluster that the rules propose. Enter acts by
the verdict: `match` saves, `mismatch` takes the proposal, `blocked` and `unsure` do nothing. It never sends
a patient to a cluster that the rules did not propose and that was not picked here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from rich.text import Text
from textual import events, work
from textual.app import ComposeResult
from textual.widgets import Static

from core.foundation.codes import DoubtAnswer, Verdict
from core.schemas.base import Problem
from core.schemas.registration import Receipt, RoutingOut
from tui import keymap, theme
from tui.client.errors import RefusedError, UnreachableError
from tui.registration import late_entry
from tui.registration.decision import Decision, identity_text, payer_text, who_text
from tui.registration.form_values import FormValues
from tui.screens.base import ENTER_TOO_EARLY, Dialog
from tui.screens.reasons import ReasonDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import problem_words
from tui.text.formatting import fit
from tui.text.translation import N_, _

WIDTH = 72
DOUBT_KEYS = {"Y": DoubtAnswer.YES, "T": DoubtAnswer.NO, "N": DoubtAnswer.NO}
"""Letters that answer a doubted danger sign, in either language; only while it is asked about."""
Ask = Callable[[str | None, DoubtAnswer | None], Awaitable[RoutingOut]]
MakeRequest = Callable[[str, str | None], dict[str, Any]]


@dataclass(frozen=True)
class Saved:
    """Registration that the core has confirmed."""

    receipt: Receipt


class ConfirmDialog(Dialog[Saved | Problem]):
    """Asks, then saves; returns the receipt, the core's refusal, or None when the clerk went back."""

    TITLE_TEXT = N_("Confirm before saving")
    BINDINGS = [
        keymap.BACK,
        keymap.KEEP,
    ]

    def __init__(
        self,
        session: Session,
        facts: FormValues,
        chosen: str | None,
        routing: RoutingOut,
        ask: Ask,
        make_request: MakeRequest,
    ) -> None:
        """Args: `ask` judges another cluster; `make_request` builds the save for cluster and reason."""
        super().__init__(session)
        self._facts = facts
        self._decision = Decision(routing, chosen)
        self._ask = ask
        self._make_request = make_request
        self._saving = False

    def compose_body(self) -> ComposeResult:
        """Yield the facts, red flags first."""
        yield Static("", id="facts", markup=False)

    def on_mount(self) -> None:
        """Show the registration to confirm."""
        self._show()

    # What is shown

    def _show(self) -> None:
        text = Text(no_wrap=True, overflow="ellipsis")
        decision = self._decision
        for name, found in decision.danger_signs():
            text.append(_("!! DANGER SIGN: {name}").format(name=name), theme.ALERT)
            text.append(f"  ({found})\n")
        for name in decision.cleared_signs():
            text.append(
                _("Denied: {name}. Priority YELLOW, a nurse is told.").format(name=name) + "\n\n",
                theme.WARNING,
            )
        if decision.is_suspected:
            text.append("?? " + _("These words are like those of a danger sign.") + "\n", theme.WARNING)
            text.append("?? " + _("Is it an emergency now? Y: yes, N: no") + "\n\n", theme.WARNING)
        elif decision.doubted_sign():
            text.append("?? " + _("Is it there now? Y: yes, N: no") + "\n", theme.WARNING)
        if decision.is_suspicion_denied:
            text.append(_("Asked: no emergency now.") + "\n\n", theme.QUIET)
        if decision.routing.red_flags:
            text.append("   " + _("Emergency first, priority RED.") + "\n\n", theme.ALERT)
        self._line(text, _("Patient"), who_text(self._facts), theme.STRONG)
        self._line(text, "", identity_text(self._facts))
        self._line(text, _("Complaint"), self._facts.text("chief_complaint"), theme.STRONG)
        if self._facts.is_pregnant:
            self._line(text, "", _("pregnant"), theme.STRONG)
        self._line(text, _("Payer"), payer_text(self._facts))
        clinic = self.session.clinic
        if late := late_entry.told(self._facts.values, clinic):
            self._line(text, _("Late entry"), late, theme.STRONG)
        chosen = self._cluster_label(decision.chosen) if decision.chosen else _("none yet")
        self._line(text, _("Chosen"), chosen, theme.STRONG if decision.chosen else theme.PLAIN)
        if decision.proposal is not None:
            self._line(text, _("Proposed"), self._cluster_label(decision.proposal), theme.STRONG)
            for reason in decision.reasons():
                self._line(text, "", reason)
        text.append("\n")
        text.append(decision.judgement(), self._judgement_style())
        self.query_one("#facts", Static).update(text)
        self.hint(self._keys())

    def _line(self, text: Text, label: str, value: str, style: Any = theme.PLAIN) -> None:
        text.append(f"{fit(label, 10)} ", theme.QUIET)
        text.append(fit(value, WIDTH - 13).rstrip() + "\n", style)

    def _cluster_label(self, code: str | None) -> str:
        return f"{self.session.prefix_of(code)}  {self.session.cluster_name(code)}"

    def _judgement_style(self) -> Any:
        decision = self._decision
        if decision.verdict is Verdict.UNSURE:
            return theme.STRONG if decision.picked_here else theme.WARNING
        styles = {Verdict.BLOCKED: theme.ALERT, Verdict.MISMATCH: theme.WARNING}
        return styles.get(decision.verdict, theme.GOOD)

    def _keys(self) -> str:
        letters = " ".join(cluster.prefix for cluster in self.session.destinations)
        other = _("{letters}: other cluster").format(letters=letters)
        back = _("Esc: back to the form")
        decision = self._decision
        if decision.verdict is Verdict.BLOCKED:
            return _("Cannot be saved.") + "  " + back
        if decision.target is None:
            return _("Press the letter of the cluster: {letters}").format(letters=letters) + "    " + back
        save = _("Enter: SAVE TO {cluster}").format(cluster=self.session.cluster_name(decision.target))
        if decision.can_keep:
            keep = _("!: keep {cluster}, with a reason").format(
                cluster=self.session.cluster_name(decision.chosen)
            )
            return f"{save}\n{keep}    {back}"
        return f"{save}    {back}\n{other}"

    # What keys do

    def _agree(self) -> None:
        """Save to the proposed cluster, or to the one picked here by its letter, where Enter may."""
        if not self._saving and self._decision.target is not None:
            self.save(self._decision.target, None)

    def action_keep(self) -> None:
        """Keep the other cluster, for a reason that is stored."""
        if not self._saving and self._decision.can_keep:
            self.app.push_screen(
                ReasonDialog(self.session, problem_words.OVERRIDE_REASONS), self._keep_because
            )

    def _keep_because(self, reason: str | None) -> None:
        if reason and self._decision.chosen is not None:
            self.save(self._decision.chosen, reason)

    def on_key(self, event: events.Key) -> None:
        """Agree by an Enter that was pressed with the question in view; pick a cluster by its letter."""
        if event.key == "enter":
            event.stop()
            if self.refuses_early(event):
                self.hint(f"! {_(ENTER_TOO_EARLY)}\n{self._keys()}")
            else:
                self._agree()
            return
        if self._saving or not self._decision.can_pick or not event.character:
            return
        letter = event.character.upper()
        answer = self._doubt_answer_of(letter)
        if answer is not None:
            event.stop()
            if not self.refuses_early(event):
                self.answer_doubt(answer)
            return
        for cluster in self.session.destinations:
            if cluster.prefix == letter:
                event.stop()
                self.pick(cluster.code)

    def _doubt_answer_of(self, letter: str) -> DoubtAnswer | None:
        """Return what a letter answers to the danger question; a cluster's own letter answers nothing."""
        is_of_cluster = any(cluster.prefix == letter for cluster in self.session.destinations)
        if is_of_cluster or not self._decision.doubted_sign():
            return None
        return DOUBT_KEYS.get(letter)

    @work(exclusive=True, group="pick", exit_on_error=False)
    async def pick(self, cluster: str) -> None:
        """Take another cluster, and ask the rules again."""
        with hold_keys(self.app), self.hinting_refusals():
            self._decision.pick(cluster, await self._ask(cluster, self._decision.doubt_answer))
            self._show()
            self.asked_at = monotonic()

    @work(exclusive=True, group="pick", exit_on_error=False)
    async def answer_doubt(self, answer: DoubtAnswer) -> None:
        """Take whether the doubted danger sign is there, and ask the rules again."""
        with hold_keys(self.app), self.hinting_refusals():
            self._decision.answer_doubt(answer, await self._ask(self._decision.chosen, answer))
            self._show()
            self.asked_at = monotonic()

    @work(exclusive=True, group="save", exit_on_error=False)
    async def save(self, cluster: str, reason: str | None) -> None:
        """Save and wait for the receipt; only then is "saved" shown."""
        self._saving = True
        # As many lines as the keys take: a lower dialog would be drawn anew as a whole.
        self.hint(_("Saving ...") + "\n" * self._keys().count("\n"))
        try:
            with hold_keys(self.app):
                receipt = await self.send(cluster, reason)
        except RefusedError as refusal:
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

    async def send(self, cluster: str, reason: str | None) -> Receipt:
        """Save what was confirmed; return the core's receipt.

        Args:
            cluster: Code of the cluster agreed on.
            reason: Reason for another cluster than the proposed one.

        Raises:
            RefusedError: The core refuses it.
            UnreachableError: The core does not answer.
        """
        return await self.session.client.registrations.register(
            self._make_request(cluster, reason) | self._answered(), self._not_confirmed
        )

    def _answered(self) -> dict[str, str]:
        answer = self._decision.doubt_answer
        return {"doubt_answer": answer.value} if answer is not None else {}

    def _not_confirmed(self, tries: int) -> None:
        self.hint(
            "! "
            + _("NOT CONFIRMED YET: no answer from the server ({number} tries). Still trying.").format(
                number=tries
            )
            + "\n"
            + _("Esc: back to the form. It can be sent again; it is never saved twice.")
        )
