"""The confirmation before a save, as rules and sentences; a dialog or a dialogue shows it.

What may be saved depends on the verdict, and nobody is ever sent to a cluster that the rules did
not propose and nobody picked at the confirmation itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.schemas.registration import RoutingShape
from core.vocabulary import Verdict
from tui import words
from tui.formatting import age_text, date_text, one_line, sex_letter
from tui.registration.facts import YES, Facts
from tui.text import _


@dataclass
class Decision:
    """Where a confirmation stands.

    Attributes:
        routing: What the rules say of `chosen`.
        chosen: The cluster somebody chose, None when nobody did.
        picked_here: Whether it was chosen at the confirmation, with the complaint in view.
    """

    routing: RoutingShape
    chosen: str | None
    picked_here: bool = False

    def pick(self, cluster: str, routing: RoutingShape) -> None:
        """Take another cluster, judged anew."""
        self.routing, self.chosen, self.picked_here = routing, cluster, True

    @property
    def verdict(self) -> Verdict:
        """What the rules say of the cluster as it stands now."""
        return self.routing.verdict

    @property
    def proposal(self) -> str | None:
        """The cluster the rules propose, None when they do not."""
        if self.verdict is Verdict.UNSURE or not self.routing.suggestions:
            return None
        return self.routing.suggestions[0].cluster

    @property
    def target(self) -> str | None:
        """Where agreeing saves to; None where there is nothing to agree to.

        `match`: the chosen cluster, or the proposed one when none was chosen. `mismatch`: the proposed
        one. `unsure`: only what was picked here. `blocked`: nothing.
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
        """Whether the chosen cluster can be kept against the rules, for a reason."""
        return self.verdict is Verdict.MISMATCH and self.chosen is not None

    @property
    def can_pick(self) -> bool:
        """Whether another cluster would help; a blocked registration is corrected in the form."""
        return self.verdict is not Verdict.BLOCKED

    def reasons(self, most: int = 3) -> list[str]:
        """Why the proposed cluster is proposed, best first."""
        if self.proposal is None:
            return []
        return [reason.text for reason in self.routing.suggestions[0].reasons[:most]]

    def danger_signs(self) -> Iterator[tuple[str, str]]:
        """Name of each red flag, and the words of the complaint that raised it."""
        for flag in self.routing.red_flags:
            yield words.word(words.RED_FLAGS, flag.rule), one_line(flag.word)

    def judgement(self) -> str:
        """One sentence: whether complaint and cluster agree, or what stands in the way."""
        if self.verdict is Verdict.BLOCKED:
            return "!! " + words.word(words.BLOCKS, self.routing.blocked_code or "")
        if self.verdict is Verdict.UNSURE:
            if self.picked_here:
                return _("The complaint does not say it; you picked this cluster.")
            return "? " + words.word(words.QUESTIONS, self.routing.question or "which_complaint")
        if self.verdict is Verdict.MISMATCH:
            return "! " + _("The complaint points to another cluster than the chosen one.")
        if self.chosen is None:
            return _("The complaint points to the proposed cluster.")
        return _("Complaint and cluster agree.")


def who_text(facts: Facts) -> str:
    """Name, sex, age and birth date: `Ana Mendoza, P, 36 th (17-08-1990)`."""
    born = facts.birth_date
    age = age_text(born, facts.today) if born is not None else "?"
    day = _("estimated") if facts.is_estimated else date_text(born)
    return f"{facts.name}, {sex_letter(facts.sex)}, {age} ({day})"


def identity_text(facts: Facts) -> str:
    """Whether the patient is known, and whether a card was seen."""
    patient = facts.patient
    if patient is not None:
        seen = patient.identity_verified_at is not None
        known = f"RM {patient.medical_record_number}, "
    else:
        seen = facts.text("identity_verified") == YES
        known = _("new patient") + ", "
    return known + (_("identity verified") if seen else _("identity not verified"))
