"""The routing decision: facts and a vocabulary in, a verdict with reasons out.

Where the whole sentence makes a danger sign unlikely, one question is asked (`core.complaints.learned.doubt`). Without an
answer the danger sign counts; a "no" makes it priority yellow, never an ordinary visit. Where it makes a danger likely that
no rule sees, the same question is asked, and only a "yes" raises one.

Order of precedence: red flags; contradictions in the facts; service words; pregnancy; age band. Nothing is
guessed: a complaint that says too little ends in `unsure` with the one question to ask.

Source: docs/architecture.md; docs/reference/indonesia.md 2.2, 2.3 and 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from core.complaints.facts import ClusterSuggestion, Reason, RedFlag, RoutingDecision, RoutingFacts
from core.complaints.learned.doubt import shipped_doubt
from core.complaints.patient import Fit, has_own_complaint, names_others, without_dead, without_others
from core.complaints.reading.reader import Reading, read
from core.complaints.rules.complaint_rule import ComplaintRule
from core.complaints.rules.matcher import RuleMatch, matching_rules
from core.complaints.subject import Subject
from core.complaints.vocabulary import Vocabulary
from core.foundation.codes import DoubtAnswer, Priority, Sex, Verdict
from core.queues.clusters import Cluster, ClusterSet
from core.queues.services import EMERGENCY, GENERAL, MATERNAL, SERVICES, with_fallbacks

ADULT_YEARS = 18
OLDEST_YEARS = 120  # completed years; an older birth date is taken for a typing error
YOUNGEST_PREGNANT_YEARS = 10
OLDEST_PREGNANT_YEARS = 55

_AGE_BANDS = ((ADULT_YEARS, "age.child"), (60, "age.adult"))
"""(completed years, exclusive; the rule id of the reason), youngest first; above them comes `_OLDEST_BAND`."""

_OLDEST_BAND = "age.elderly"

_SPECIALIST_COMPLAINT_RANK = SERVICES[GENERAL].rank + 2
_GENERAL_COMPLAINT_RANK = SERVICES[GENERAL].rank + 1
_HISTORICAL_RANK = 0
"""Ranks of grounds beside those of `SERVICES`.

A complaint ranks below every service that is asked for by name, and one of a specialist service above a
general one. Historical findings ("dulu TBC") rank below every current finding.
"""

_SCORES = {"red": 1.0, "urgent": 0.95, "service": 0.9, "general": 0.8}
"""Kind of the best ground -> score of the first suggestion. Only the order counts, within one decision."""

_NEVER_DOUBTED = frozenset({"suicide", "violence"})
"""Danger signs of which a "no" at a counter, before others, says nothing."""
_NEVER_DOUBTED_DAYS = 60
"""Age in days below which no danger sign is doubted: MTBS's young infant."""

SUSPECTED = "red.suspected"
"""Id under which the model's suspicion stands beside the rules."""

_OTHER_SCORE = 0.45  # score of the second suggestion; the third has half of it, the fourth a third


class LearnedModel(Protocol):
    """A model learned from corrections; see `core.complaints.learned.corrections`."""

    def opinion(self, facts: RoutingFacts, reading: Reading) -> tuple[str, float, str] | None:
        """Return (label, confidence 0 to 1, the word that weighed most), or None.

        The label is a cluster's code; any other means the cluster that the age gives.
        """


class _Contradiction(NamedTuple):
    field: str
    """The form's field to correct."""
    code: str


@dataclass(frozen=True)
class _Ground:
    """One argument for a cluster."""

    cluster: Cluster
    service: str
    kind: str
    """Key of `_SCORES`."""
    reason: Reason


@dataclass(frozen=True)
class _Case:
    """Everything that a decision rests on, except the cluster chosen at the counter."""

    facts: RoutingFacts
    reading: Reading
    subject: Subject
    matches: Sequence[RuleMatch]
    clusters: ClusterSet

    @staticmethod
    def of(facts: RoutingFacts, clusters: ClusterSet, vocabulary: Vocabulary | None) -> _Case:
        reading, matches = read_of_patient(facts, vocabulary or Vocabulary.load())
        return _Case(facts, reading, subject=Subject.of(facts, reading), matches=matches, clusters=clusters)

    @property
    def has_maternal(self) -> bool:
        """True when some cluster here takes pregnant women."""
        return self.clusters.has_service(MATERNAL)

    @property
    def other_matches(self) -> list[RuleMatch]:
        """The matches that name a service and are no danger sign."""
        return [match for match in self.matches if match.rule.kind not in ("red", "vague")]


def read_of_patient(facts: RoutingFacts, vocabulary: Vocabulary) -> tuple[Reading, list[RuleMatch]]:
    """Return the complaint as read, without what is said of others, and the rules that match.

    Args:
        facts: The complaint and what is known of the person.
        vocabulary: Compiled words and rules.
    """
    reading = read(facts.chief_complaint, vocabulary)
    matches = matching_rules(facts, reading, vocabulary)
    if names_others(reading):
        reading = without_dead(reading)
        matches = matching_rules(facts, reading, vocabulary)
        reading = _of_the_patient(facts, reading, matches, vocabulary)
        matches = matching_rules(facts, reading, vocabulary)
    return reading, matches


def _of_the_patient(
    facts: RoutingFacts, reading: Reading, matches: Sequence[RuleMatch], vocabulary: Vocabulary
) -> Reading:
    """Return the reading without what is said of others.

    A danger of somebody else is left out only where the speaker has a complaint of their own: else the wrong person
    may stand on the form, and the danger is shown. A wife's pregnancy never blocks a man.
    """
    if has_own_complaint(facts, reading, vocabulary.classes["speakers"]):
        return without_others(facts, reading, highest=Fit.MAYBE)
    is_for_women = any(match.rule.blocks == "male" for match in matches)
    if is_for_women and _is_man(facts) and not any(match.rule.kind == "red" for match in matches):
        return without_others(facts, reading, highest=Fit.NEVER)
    return reading


def route(
    facts: RoutingFacts,
    cluster: str | None,
    clusters: ClusterSet,
    vocabulary: Vocabulary | None = None,
    model: LearnedModel | None = None,
) -> RoutingDecision:
    """Propose a cluster for a complaint and judge the one that was chosen.

    Args:
        facts: The complaint and what is known of the person.
        cluster: Code of the cluster chosen at the counter, or None when none was chosen yet.
        clusters: The clinic's clusters.
        vocabulary: Compiled words and rules; None for the shipped ones.
        model: Learned from corrections; None to use the rules alone. It never touches red flags or
            contradictions.

    Returns:
        `blocked` when the facts contradict each other, `unsure` when the words say too little,
        `mismatch` when another cluster was chosen than is proposed, else `match`.

    Raises:
        NotFoundError: The clinic has no cluster of that code.
    """
    chosen = clusters[cluster] if cluster is not None else None
    case = _Case.of(facts, clusters, vocabulary)
    return replace(_decide(case, chosen, model), says_pregnant=_says_pregnant(case))


def _says_pregnant(case: _Case) -> bool:
    """Return whether the words tell of a pregnancy, or of a check-up in one, that the form does not mark."""
    if case.subject.is_marked_pregnant or case.facts.sex == Sex.MALE:
        return False
    current = (item for item in case.reading.occurrences if item.is_current and not item.negated)
    return case.subject.is_pregnant or any("antenatal" in item.concepts for item in current)


def _decide(case: _Case, chosen: Cluster | None, model: LearnedModel | None) -> RoutingDecision:
    clusters = case.clusters
    seen = _danger_grounds(case)
    suspicion = [] if seen else _suspected(case)
    if suspicion and case.facts.doubt_answer is DoubtAnswer.YES:
        seen = suspicion
    is_doubted = _is_doubted(case, seen)
    is_cleared = is_doubted and case.facts.doubt_answer is DoubtAnswer.NO
    danger = [] if is_cleared else seen
    contradiction = _contradiction(case, chosen)
    if contradiction is not None:
        return _blocked(contradiction, danger, clusters)
    asked_about = seen if is_doubted else suspicion
    doubt = _red_flags(asked_about)[0] if asked_about and case.facts.doubt_answer is None else None
    asked = replace(_judged(case, chosen, model, danger), doubt=doubt)
    if not is_cleared:
        return asked
    return replace(asked, cleared=_red_flags(seen), proposed_priority=Priority.YELLOW)


def _judged(
    case: _Case, chosen: Cluster | None, model: LearnedModel | None, danger: Sequence[_Ground]
) -> RoutingDecision:
    """Return the decision on facts without a contradiction.

    Args:
        case: The complaint and the person.
        chosen: The cluster chosen at the counter.
        model: Learned from corrections.
        danger: The danger signs that count.
    """
    clusters = case.clusters
    grounds = [*_emergency_first(danger, clusters), *_service_grounds(case)]
    grounds = _with_opinion(model, case, grounds)
    priority = Priority.RED if danger else _priority(case.matches)
    if not grounds:
        return RoutingDecision(Verdict.UNSURE, proposed_priority=priority, question=_question(case))
    suggestions = _suggestions(grounds)
    is_match = chosen is None or suggestions[0].cluster == chosen.code
    return RoutingDecision(
        Verdict.MATCH if is_match else Verdict.MISMATCH,
        suggestions,
        reasons=tuple(reason for suggestion in suggestions for reason in suggestion.reasons),
        red_flags=_red_flags(danger),
        proposed_priority=priority,
    )


def _is_doubted(case: _Case, danger: Sequence[_Ground]) -> bool:
    """Return whether a danger sign should be asked about: never one that was measured, nor what nobody may deny.

    Only where there is one: an answer to a question about one sign says nothing of another.
    """
    if len(_red_flags(danger)) != 1:
        return False
    if danger[0].reason.rule_id == SUSPECTED:
        return False
    if case.subject.days is not None and case.subject.days < _NEVER_DOUBTED_DAYS:
        return False
    for ground in danger:
        is_measured = any(character.isdigit() for character in ground.reason.word)
        if is_measured or danger_code(ground.reason.rule_id) in _NEVER_DOUBTED:
            return False
    return shipped_doubt().doubts(case.facts, case.reading)


def _suspected(case: _Case) -> list[_Ground]:
    """Return a danger that the rules do not see and the whole sentence makes likely, unless they send to it anyway."""
    if any(match.rule.kind in ("red", "urgent") for match in case.matches):
        return []
    model = shipped_doubt()
    if _contradiction(case, None) is not None or not model.suspects(case.facts, case.reading):
        return []
    cluster = case.clusters.emergency
    return [
        _Ground(cluster, EMERGENCY, "red", Reason(SUSPECTED, model.heaviest_word(case.facts), cluster.code))
    ]


def _blocked(
    contradiction: _Contradiction, danger: Sequence[_Ground], clusters: ClusterSet
) -> RoutingDecision:
    """Return the decision for contradicting facts, which still shows danger signs."""
    grounds = _emergency_first(danger, clusters)
    return RoutingDecision(
        Verdict.BLOCKED,
        suggestions=_suggestions(grounds),
        reasons=tuple(ground.reason for ground in grounds),
        red_flags=_red_flags(danger),
        proposed_priority=Priority.RED if danger else None,
        blocked_field=contradiction.field,
        blocked_code=contradiction.code,
    )


def is_left_to_age(facts: RoutingFacts, clusters: ClusterSet, vocabulary: Vocabulary | None = None) -> bool:
    """Return whether the rules know nothing better than the age: there a model may speak, and learns.

    Args:
        facts: The complaint and what is known of the person.
        clusters: The clinic's clusters.
        vocabulary: Compiled words and rules; None for the shipped ones.
    """
    case = _Case.of(facts, clusters, vocabulary)
    if _danger_grounds(case):
        return False
    return all(ground.kind == "general" for ground in _service_grounds(case))


def cluster_by_age(facts: RoutingFacts, reading: Reading, clusters: ClusterSet) -> str | None:
    """Return the code of the cluster for this person's general complaints, None when the age is not known.

    Args:
        facts: What is known of the person.
        reading: The complaint, which may tell age and pregnancy.
        clusters: The clinic's clusters.
    """
    subject = Subject.of(facts, reading)
    service = MATERNAL if subject.is_pregnant and clusters.has_service(MATERNAL) else GENERAL
    cluster = clusters.destination(service, subject.years)
    return cluster.code if cluster is not None else None


def _danger_grounds(case: _Case) -> list[_Ground]:
    """Return one ground for each danger sign, in the order of the rules."""
    grounds: dict[str, _Ground] = {}
    for match in case.matches:
        if match.rule.kind != "red":
            continue
        service = _service_here(match.rule, case.clusters)
        # A danger sign is not held up by an age that is not known.
        cluster = case.clusters.destination(service, None) or case.clusters.emergency
        reason = Reason(match.rule.id, match.words, cluster.code)
        grounds.setdefault(danger_code(match.rule.id), _Ground(cluster, service, "red", reason))
    return list(grounds.values())


def _emergency_first(danger: Sequence[_Ground], clusters: ClusterSet) -> list[_Ground]:
    """Return the grounds with the emergency room first: one emergency among several dangers is enough."""
    return sorted(danger, key=lambda ground: ground.cluster.code != clusters.emergency.code)


def _red_flags(danger: Sequence[_Ground]) -> tuple[RedFlag, ...]:
    return tuple(
        RedFlag(danger_code(ground.reason.rule_id), ground.reason.word, ground.cluster.code)
        for ground in danger
    )


def danger_code(rule_id: str) -> str:
    """Return the danger sign that a red rule speaks of: `chest_pain` for `red.chest_pain.left`."""
    return rule_id.removeprefix("red.").partition(".")[0]


def _service_here(rule: ComplaintRule, clusters: ClusterSet) -> str:
    """Return the first of the rule's services that a cluster of this clinic takes itself, else its last."""
    return next((service for service in rule.services if clusters.has_service(service)), rule.services[-1])


def _contradiction(case: _Case, chosen: Cluster | None) -> _Contradiction | None:
    """Return the first contradiction in the facts, None when there is none."""
    return (
        _impossible_age(case.facts)
        or _impossible_pregnancy(case.facts)
        or _impossible_complaint(case)
        or _impossible_choice(case.facts, chosen)
    )


def _impossible_age(facts: RoutingFacts) -> _Contradiction | None:
    if facts.days is not None and facts.days < 0:
        return _Contradiction("birth_date", "birth_date_in_future")
    if facts.years is not None and facts.years > OLDEST_YEARS:
        return _Contradiction("birth_date", "age_impossible")
    return None


def _impossible_pregnancy(facts: RoutingFacts) -> _Contradiction | None:
    if not facts.pregnant:
        return None
    if facts.sex == Sex.MALE:
        return _Contradiction("pregnant", "pregnant_male")
    if facts.years is not None and not YOUNGEST_PREGNANT_YEARS <= facts.years <= OLDEST_PREGNANT_YEARS:
        return _Contradiction("pregnant", "pregnant_age")
    return None


def _impossible_complaint(case: _Case) -> _Contradiction | None:
    """Return a contradiction where the complaint cannot concern this person.

    Words may be misread, so unlike contradicting facts they never hold up an emergency.
    """
    if any(match.rule.kind == "red" for match in case.matches):
        return None
    for match in case.matches:
        if match.rule.blocks == "male" and _is_man(case.facts):
            return _Contradiction("sex", "service_for_women")
        if match.rule.blocks == "adult" and _is_adult(case.facts) and not case.facts.pregnant:
            return _Contradiction("birth_date", "adult_in_infant_immunisation")
    return None


def _is_man(facts: RoutingFacts) -> bool:
    """Return whether the patient is a male too old to be brought to his mother's visit."""
    return facts.sex == Sex.MALE and (facts.years is None or facts.years >= YOUNGEST_PREGNANT_YEARS)


def _is_adult(facts: RoutingFacts) -> bool:
    return facts.years is not None and facts.years >= ADULT_YEARS


def _impossible_choice(facts: RoutingFacts, chosen: Cluster | None) -> _Contradiction | None:
    if facts.days == 0 and chosen is not None and chosen.youngest_years >= 1:
        return _Contradiction("birth_date", "born_today_in_adult_cluster")
    return None


def _service_grounds(case: _Case) -> list[_Ground]:
    """Return the grounds below red flags, the strongest first."""
    ranked: list[tuple[int, int, _Ground]] = []
    for match in case.other_matches:
        service = _service_that_ranks(match, case)
        cluster = case.clusters.destination(service, case.subject.years)
        if cluster is not None:
            reason = Reason(match.rule.id, match.words, cluster.code)
            ground = _Ground(cluster, service, match.rule.kind, reason)
            ranked.append((_rank(match, service, case), match.first, ground))
    ranked.sort(key=lambda entry: (-entry[0], entry[1]))
    grounds = [ground for _, _, ground in ranked]
    grounds += _age_ground(case, grounds)
    grounds += _pregnancy_ground(case, grounds)
    return grounds


def _service_that_ranks(match: RuleMatch, case: _Case) -> str:
    """Return the service that a match leads to here: its own, a wider one, or maternal in a pregnancy."""
    service = _own_service(match, case.clusters)
    moves = service == GENERAL and case.subject.is_pregnant and case.has_maternal
    return MATERNAL if moves else service


def _own_service(match: RuleMatch, clusters: ClusterSet) -> str:
    """Return the match's service or the fallback that a cluster here takes, so that it ranks as that."""
    wanted = with_fallbacks(_service_here(match.rule, clusters))
    return next((service for service in wanted if clusters.has_service(service)), GENERAL)


def _rank(match: RuleMatch, service: str, case: _Case) -> int:
    if match.is_historical:
        return _HISTORICAL_RANK
    # A pregnancy is a state and not a request: it ranks after every service word, before the age band.
    if service == MATERNAL and _own_service(match, case.clusters) == GENERAL:
        return _GENERAL_COMPLAINT_RANK
    if match.rule.kind == "general":
        return _GENERAL_COMPLAINT_RANK if service == GENERAL else _SPECIALIST_COMPLAINT_RANK
    return SERVICES[service].rank


def _age_ground(case: _Case, grounds: Sequence[_Ground]) -> list[_Ground]:
    """Return the age as a further ground for the general cluster, where one is proposed."""
    years = case.subject.years
    general = next((ground for ground in grounds if ground.service == GENERAL), None)
    if general is None or years is None:
        return []
    rule_id = next((rule_id for limit, rule_id in _AGE_BANDS if years < limit), _OLDEST_BAND)
    reason = Reason(rule_id, str(years), general.cluster.code)
    return [_Ground(general.cluster, GENERAL, "general", reason)]


def _pregnancy_ground(case: _Case, grounds: Sequence[_Ground]) -> list[_Ground]:
    """Return the pregnancy marked on the form as a ground, where it explains the visit."""
    if not case.facts.pregnant or not case.has_maternal or not _asks_for_checkup(case, grounds):
        return []
    cluster = case.clusters.destination(MATERNAL, case.subject.years)
    if cluster is None:
        return []
    reason = Reason("pregnancy.ticked", "hamil", cluster.code)
    return [_Ground(cluster, MATERNAL, "service", reason)]


def _asks_for_checkup(case: _Case, grounds: Sequence[_Ground]) -> bool:
    """Return whether a pregnancy explains the visit: with any ground, or with "kontrol" or "periksa" alone."""
    return bool(grounds) or any(match.rule.question == "what_for" for match in case.matches)


def _priority(matches: Sequence[RuleMatch]) -> Priority | None:
    if any(match.rule.kind == "red" for match in matches):
        return Priority.RED
    if any(match.rule.priority == "yellow" for match in matches):
        return Priority.YELLOW
    return None


def _question(case: _Case) -> str:
    """Return the one thing to ask where there are no grounds."""
    if _lacks_only_age(case):
        return "age"
    questions = (match.rule.question for match in case.matches if match.rule.kind == "vague")
    return next((question for question in questions if question), "which_complaint")


def _lacks_only_age(case: _Case) -> bool:
    """Return whether, without grounds, something was understood and only the age decides where it is treated."""
    return bool(case.other_matches)


def _with_opinion(model: LearnedModel | None, case: _Case, grounds: list[_Ground]) -> list[_Ground]:
    """Put the model's opinion first where the rules know nothing better than the age."""
    if model is None or any(ground.kind != "general" for ground in grounds):
        return grounds
    if not grounds and _lacks_only_age(case):
        return grounds
    learned = _learned_ground(model, case)
    if learned is None or (grounds and learned.cluster == grounds[0].cluster):
        return grounds
    return [learned, *grounds]


def _learned_ground(model: LearnedModel, case: _Case) -> _Ground | None:
    opinion = model.opinion(case.facts, case.reading)
    if opinion is None:
        return None
    label, _, word = opinion
    code = label if label in case.clusters else cluster_by_age(case.facts, case.reading, case.clusters)
    if code is None:
        return None
    return _Ground(case.clusters[code], GENERAL, "general", Reason("model", word, code))


def _suggestions(grounds: Sequence[_Ground]) -> tuple[ClusterSuggestion, ...]:
    """Return one suggestion for each cluster, in the order of its strongest ground."""
    by_cluster: dict[str, list[_Ground]] = {}
    for ground in grounds:
        by_cluster.setdefault(ground.cluster.code, []).append(ground)
    suggestions = []
    for place, (code, found) in enumerate(by_cluster.items()):
        score = _OTHER_SCORE / place if place else max(_SCORES[ground.kind] for ground in found)
        # Where the same words lead two rules to one cluster, only the stronger reason is given.
        reasons = {ground.reason.word: ground.reason for ground in reversed(found)}
        suggestions.append(ClusterSuggestion(code, score, tuple(reversed(reasons.values()))))
    return tuple(suggestions)
