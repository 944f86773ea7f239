"""What routing is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from core.clusters import Cluster
from core.vocabulary import Priority, Sex, Verdict

DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = DAYS_PER_YEAR / 12


@dataclass(frozen=True)
class Facts:
    """What the counter knows about a person and why they came.

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

    @property
    def days(self) -> int | None:
        """Age in whole days; negative for a birth date after the visit, None when not known."""
        if self.birth_date is not None and self.visit_date is not None:
            return (self.visit_date - self.birth_date).days
        return self.age_days

    @property
    def months(self) -> int | None:
        """Completed months, None when the age is not known."""
        if self.birth_date is not None and self.visit_date is not None:
            born, now = self.birth_date, self.visit_date
            return (now.year - born.year) * 12 + now.month - born.month - (now.day < born.day)
        return None if self.age_days is None else int((self.age_days + 0.5) // DAYS_PER_MONTH)

    @property
    def years(self) -> int | None:
        """Completed years, None when the age is not known."""
        if self.birth_date is not None and self.visit_date is not None:
            return (self.months or 0) // 12
        # Half a day of slack: five years hold one or two leap days.
        return None if self.age_days is None else int((self.age_days + 0.5) // DAYS_PER_YEAR)


@dataclass(frozen=True)
class Reason:
    """One ground for a proposal."""

    rule_id: str
    """Stable: `dental.tooth`, `age.elderly`, `pregnancy`, `model` ..."""
    word: str
    """The clerk's own words that matched, lower case; for an age rule the age, such as `72`."""
    cluster: str
    """Code of the cluster this speaks for."""


@dataclass(frozen=True)
class RedFlag:
    """A danger sign. Shown before everything else."""

    code: str
    """Stable: `chest_pain`, `seizure`, `bleeding_in_pregnancy` ..."""
    word: str
    """The clerk's own words that matched."""
    cluster: str
    """Code of the cluster that takes it."""


@dataclass(frozen=True)
class Suggestion:
    """A cluster that fits, with how well and why."""

    cluster: str
    score: float
    """0 to 1; comparable inside one decision only."""
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class RoutingDecision:
    """The answer to `route`."""

    verdict: Verdict
    suggestions: tuple[Suggestion, ...] = ()
    """Best first, each cluster once. Under `unsure` they are hints, never a choice made."""
    reasons: tuple[Reason, ...] = ()
    """All grounds, those of the best suggestion first."""
    red_flags: tuple[RedFlag, ...] = ()
    proposed_priority: Priority | None = None
    """`red`, `yellow`, or None for what the age and pregnancy give."""
    question: str | None = None
    """Stable code of the one thing to ask when `unsure`: `which_complaint`, `where`, `what_for`, `age` ..."""
    blocked_field: str | None = None
    """The form's field to correct when `blocked`: `birth_date`, `sex`, `pregnant`."""
    blocked_code: str | None = None
    """Why: `birth_date_in_future`, `age_impossible`, `pregnant_male` ..."""

    @property
    def proposal(self) -> str | None:
        """Code of the cluster that the rules propose, None when they do not."""
        if self.verdict is Verdict.UNSURE or not self.suggestions:
            return None
        return self.suggestions[0].cluster


_AGE_WORDS = {"id": "{word} tahun", "en": "{word} years"}
_PREGNANT_WORDS = {"id": "hamil", "en": "pregnant"}
_MODEL_WORDS = {"id": "{word} (dari koreksi sebelumnya)", "en": "{word} (learnt from corrections)"}


def reason_text(reason: Reason, language: str = "id", clusters: Mapping[str, Cluster] | None = None) -> str:
    """A reason in the words a clerk understands: `geraham → Poli Gigi`, `72 tahun → Poli Lansia`.

    Args:
        reason: One ground from a decision.
        language: `id` or `en`; anything else is treated as `id`.
        clusters: Gives the cluster's name; without it the code is shown.
    """
    language = language if language in _AGE_WORDS else "id"
    if reason.rule_id.startswith("age."):
        said = _AGE_WORDS[language].format(word=reason.word)
    elif reason.rule_id == "pregnancy.ticked":
        said = _PREGNANT_WORDS[language]
    elif reason.rule_id == "model":
        said = _MODEL_WORDS[language].format(word=reason.word)
    else:
        said = reason.word
    cluster = clusters.get(reason.cluster) if clusters is not None else None
    return f"{said} → {cluster.name if cluster else reason.cluster}"
