"""The facts that routing is given and the decision that it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from core.foundation import ages
from core.foundation.codes import DoubtAnswer, Priority, Sex, Verdict
from core.foundation.languages import DEFAULT_LANGUAGE, LocalizedText, data_table, in_language
from core.queues.clusters import Cluster

_HALF_A_DAY = 0.5  # days of slack for an age known in days only: five years hold one or two leap days


@dataclass(frozen=True)
class RoutingFacts:
    """Facts that the counter knows about a person, with the complaint.

    Give `birth_date` with `visit_date` for an age that is exact on birthdays, or `age_days`
    alone where only an estimated age is known. Everything but the complaint may be missing.
    """

    chief_complaint: str
    age_days: int | None = None
    """Age at the visit; negative when the birth date lies in the future."""
    sex: Sex | str | None = None
    pregnant: bool = False
    birth_date: date | None = None
    visit_date: date | None = None
    doubt_answer: DoubtAnswer | None = None
    """Answer to `RoutingDecision.doubt`; without a doubt it says nothing."""

    @property
    def days(self) -> int | None:
        """Age in whole days; negative for a birth date after the visit, None when not known."""
        if self.birth_date is not None and self.visit_date is not None:
            return ages.age_in_days(self.birth_date, self.visit_date)
        return self.age_days

    @property
    def months(self) -> int | None:
        """Completed months, None when the age is not known."""
        if self.birth_date is not None and self.visit_date is not None:
            return ages.age_in_months(self.birth_date, self.visit_date)
        return self._completed(ages.DAYS_PER_MONTH)

    @property
    def years(self) -> int | None:
        """Completed years, None when the age is not known."""
        if self.birth_date is not None and self.visit_date is not None:
            return ages.age_in_years(self.birth_date, self.visit_date)
        return self._completed(ages.DAYS_PER_YEAR)

    def _completed(self, unit_days: float) -> int | None:
        return None if self.age_days is None else int((self.age_days + _HALF_A_DAY) // unit_days)


@dataclass(frozen=True)
class Reason:
    """One reason for a proposal."""

    rule_id: str
    """Stable: `dental.tooth`, `age.elderly`, `pregnancy`, `model` ..."""
    word: str
    """The clerk's own words that matched, lower case; for an age rule the age, such as `72`."""
    cluster: str
    """Code of the cluster that it supports."""


@dataclass(frozen=True)
class RedFlag:
    """A danger sign, shown before everything else."""

    code: str
    """Stable: `chest_pain`, `seizure`, `bleeding_in_pregnancy` ..."""
    word: str
    """The clerk's own words that matched."""
    cluster: str
    """Code of the cluster that takes it."""


@dataclass(frozen=True)
class ClusterSuggestion:
    """A cluster that fits, with a score and the reasons."""

    cluster: str
    score: float
    """0 to 1; comparable within one decision only."""
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class RoutingDecision:
    """The answer of `core.routing.route`."""

    verdict: Verdict
    suggestions: tuple[ClusterSuggestion, ...] = ()
    """Best first, each cluster once; empty under `unsure`."""
    reasons: tuple[Reason, ...] = ()
    """All grounds, those of the best suggestion first."""
    red_flags: tuple[RedFlag, ...] = ()
    proposed_priority: Priority | None = None
    """`red`, `yellow`, or None where age and pregnancy give the priority."""
    question: str | None = None
    """Stable code of the one thing to ask when `unsure`: `which_complaint`, `where`, `what_for`, `age` ..."""
    blocked_field: str | None = None
    """Field of the form to correct when `blocked`: `birth_date`, `sex`, `pregnant`."""
    blocked_code: str | None = None
    """The contradiction: `birth_date_in_future`, `age_impossible`, `pregnant_male` ..."""
    doubt: RedFlag | None = None
    """A danger sign to ask about: one of the red flags that may be a misreading and counts until then, or `suspected`,
    which no rule sees and only a "yes" raises."""
    cleared: tuple[RedFlag, ...] = ()
    """Danger signs that a "no" to the doubt took back: priority yellow, and a nurse is told."""
    says_pregnant: bool = False
    """True if the words tell of a pregnancy that the form does not mark."""

    @property
    def proposal(self) -> str | None:
        """Code of the cluster that the rules propose, None when they propose none."""
        if self.verdict is Verdict.UNSURE or not self.suggestions:
            return None
        return self.suggestions[0].cluster


_OWN_WORDS: LocalizedText = {DEFAULT_LANGUAGE: "{word}"}


def reason_text(
    reason: Reason, language: str = DEFAULT_LANGUAGE, clusters: Mapping[str, Cluster] | None = None
) -> str:
    """Return a reason in words that a clerk understands: `geraham → Poli Gigi`, `72 tahun → Poli Lansia`.

    Args:
        reason: One reason of a decision.
        language: The reader's.
        clusters: Gives the cluster's name; without it the code is shown.
    """
    is_age = reason.rule_id.startswith("age.")
    texts = data_table("reasons.toml")["texts"].get("age" if is_age else reason.rule_id, _OWN_WORDS)
    said = in_language(texts, language).format(word=reason.word)
    cluster = clusters.get(reason.cluster) if clusters is not None else None
    return f"{said} → {cluster.name if cluster else reason.cluster}"
