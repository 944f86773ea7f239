"""Rules and sentences of the confirmation before a save, for a dialog or for line mode.

The verdict decides what may be saved. A patient is only ever sent to a cluster that the rules proposed
or that was picked at the confirmation itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.foundation.codes import JKN_PAYERS, DoubtAnswer, InsuranceStatus, PayerSource, Verdict
from core.schemas.registration import RoutingOut
from tui.registration.form_values import YES, FormValues
from tui.registration.payer import is_kind_known
from tui.text import problem_words
from tui.text.formatting import age_text, date_text, one_line, sex_letter
from tui.text.translation import _


@dataclass
class Decision:
    """State of a confirmation.

    Attributes:
        routing: The rules' answer to `chosen`.
        chosen: The cluster chosen by the clerk; None without a choice.
        doubt_answer: Whether a danger sign that is doubted is there now; None: not asked, or not known.
        picked_here: Whether it was chosen at the confirmation, with the complaint in view.
    """

    routing: RoutingOut
    chosen: str | None
    picked_here: bool = False
    doubt_answer: DoubtAnswer | None = None

    was_suspected: bool = False
    """A danger that no rule sees was asked about."""

    def answer_doubt(self, answer: DoubtAnswer, routing: RoutingOut) -> None:
        """Take the answer to the doubted danger sign, with the rules' decision on it."""
        self.was_suspected = self.is_suspected
        self.doubt_answer, self.routing = answer, routing

    def pick(self, cluster: str, routing: RoutingOut) -> None:
        """Take another cluster, with the rules' answer to it."""
        self.routing, self.chosen, self.picked_here = routing, cluster, True

    @property
    def verdict(self) -> Verdict:
        """Verdict of the rules on the present cluster."""
        return self.routing.verdict

    @property
    def proposal(self) -> str | None:
        """The cluster that the rules propose; None without a proposal."""
        if self.verdict is Verdict.UNSURE or not self.routing.suggestions:
            return None
        return self.routing.suggestions[0].cluster

    @property
    def target(self) -> str | None:
        """The cluster in which a confirmation saves; None when nothing can be confirmed.

        `match`: the chosen cluster, or the proposed one when none was chosen. `mismatch`: the proposed
        one. `unsure`: only a cluster picked here. `blocked`: nothing.
        """
        if self.verdict is Verdict.BLOCKED:
            return None
        if self.verdict is Verdict.UNSURE:
            return self.chosen if self.picked_here else None
        if self.verdict is Verdict.MATCH and self.chosen is not None:
            return self.chosen
        return self.proposal

    @property
    def can_keep(self) -> bool:
        """Return whether the chosen cluster can be kept against the rules, for a reason."""
        return self.verdict is Verdict.MISMATCH and self.chosen is not None

    @property
    def can_pick(self) -> bool:
        """Return whether another cluster would help; a blocked registration is corrected in the form."""
        return self.verdict is not Verdict.BLOCKED

    def reasons(self, most: int = 3) -> list[str]:
        """Return the reasons for the proposed cluster, best first."""
        if self.proposal is None:
            return []
        return [reason.text for reason in self.routing.suggestions[0].reasons[:most]]

    def danger_signs(self) -> Iterator[tuple[str, str]]:
        """Return the name of each red flag, and the words of the complaint that raised it."""
        for flag in self.routing.red_flags:
            yield problem_words.word(problem_words.RED_FLAGS, flag.rule), one_line(flag.word)

    def doubted_sign(self) -> str:
        """Return the name of the danger sign to ask about; empty where nothing is asked, or it was answered."""
        doubt = self.routing.doubt
        return problem_words.word(problem_words.RED_FLAGS, doubt.rule) if doubt is not None else ""

    @property
    def is_suspected(self) -> bool:
        """True while a danger that no rule sees is asked about."""
        return self.routing.doubt is not None and not self.routing.red_flags

    @property
    def is_suspicion_denied(self) -> bool:
        """True where a danger that no rule sees was asked about and is not there."""
        return self.was_suspected and self.doubt_answer is DoubtAnswer.NO

    def cleared_signs(self) -> list[str]:
        """Return the names of the danger signs that the answer took back."""
        return [problem_words.word(problem_words.RED_FLAGS, flag.rule) for flag in self.routing.cleared]

    def judgement(self) -> str:
        """Return one sentence: complaint and cluster agree, or the reason why not."""
        if self.verdict is Verdict.BLOCKED:
            return "!! " + problem_words.word(problem_words.BLOCKS, self.routing.blocked_code or "")
        if self.verdict is Verdict.UNSURE:
            if self.picked_here:
                return _("The complaint does not say it; you picked this cluster.")
            return "? " + problem_words.word(
                problem_words.QUESTIONS, self.routing.question or "which_complaint"
            )
        if self.verdict is Verdict.MISMATCH:
            return "! " + _("The complaint points to another cluster than the chosen one.")
        if self.chosen is None:
            return _("The complaint points to the proposed cluster.")
        return _("Complaint and cluster agree.")


def who_text(facts: FormValues) -> str:
    """Return name, sex, age and birth date: `Ana Mendoza, P, 36 th (17-08-1990)`."""
    born = facts.birth_date
    age = age_text(born, facts.today) if born is not None else "?"
    day = _("estimated") if facts.is_estimated else date_text(born)
    return f"{facts.name}, {sex_letter(facts.sex)}, {age} ({day})"


def identity_text(facts: FormValues) -> str:
    """Return whether the patient is known, and whether a card was seen, as text."""
    patient = facts.patient
    if patient is not None:
        seen = patient.identity_verified_at is not None
        known = f"RM {patient.medical_record_number}, "
    else:
        seen = facts.text("identity_verified") == YES
        known = _("new patient") + ", "
    return known + (_("identity verified") if seen else _("identity not verified"))


def payer_text(facts: FormValues) -> str:
    """Return the payer, with its origin where the clerk did not choose it."""
    payer, source = facts.payer
    name = problem_words.word(problem_words.PAYERS, payer)
    if payer in JKN_PAYERS and facts.text("insurance_status") == InsuranceStatus.INACTIVE:
        told = _("BPJS says NOT ACTIVE")
        return f"{name} ({told})"
    if source is PayerSource.NUMBER and not is_kind_known(facts.last_payer):
        unknown = _("from the BPJS number; kind not known yet")
        return f"{name} ({unknown})"
    known = source in problem_words.PAYER_SOURCES
    origin = problem_words.word(problem_words.PAYER_SOURCES, source) if known else ""
    return f"{name} ({origin})" if origin else name
