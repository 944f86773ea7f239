"""The decision: facts and a vocabulary in, a verdict with reasons out.

Order: red flags; hard constraints; service words; pregnancy; age band; general. Nothing is
guessed: words that say too little end in `unsure` with the one question to ask.

Source: DESIGN.md 3; indonesia.md 2.2, 2.3 and 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.clusters import FALLBACKS, Cluster, ClusterSet
from core.routing.document import Rule
from core.routing.facts import Facts, Reason, RedFlag, RoutingDecision, Suggestion
from core.routing.firing import Hit, age_years, fired, is_pregnant
from core.routing.reading import Reading, read
from core.routing.vocabulary import Vocabulary
from core.vocabulary import Priority, Sex, Verdict

SERVICE_RANK = {
    "emergency": 90,
    "procedure": 70,
    "dental": 60,
    "maternal": 58,
    "breastfeeding": 57,
    "family_planning": 57,
    "immunisation": 57,
    "infectious": 55,
    "bride": 54,
    "growth": 50,
    "nutrition": 48,
    "laboratory": 40,
    "pharmacy": 20,
    "general": 10,
}
"""Which service wins when a complaint names several: the more urgent, then the more specific."""

ADULT_YEARS = 18
OLDEST_YEARS = 120
YOUNGEST_PREGNANT_YEARS = 10
OLDEST_PREGNANT_YEARS = 55

_PAST_RANK = 0
"""What is only said of another time ("dulu TBC") speaks after everything of today."""

_SCORES = {"red": 1.0, "urgent": 0.95, "service": 0.9, "general": 0.8}
_OTHER_SCORE = 0.45
_HINT_SCORE = 0.3


class Model(Protocol):
    """What a learned model must answer; see `core.routing.learning`."""

    def opinion(self, facts: Facts, reading: Reading) -> tuple[str, float, str] | None:
        """(label, confidence 0 to 1, the word that weighed most), or None.

        The label is a cluster's code; any other stands for the cluster that the age gives.
        """


@dataclass(frozen=True)
class _Ground:
    """A cluster, why, and how strongly."""

    cluster: Cluster
    service: str
    kind: str
    reason: Reason


def route(
    facts: Facts,
    cluster: str | None,
    clusters: ClusterSet,
    vocabulary: Vocabulary | None = None,
    model: Model | None = None,
) -> RoutingDecision:
    """Propose a cluster for a complaint and judge the one that was chosen.

    Args:
        facts: The complaint and what is known of the person.
        cluster: Code of the cluster chosen at the counter, or None when none was chosen yet.
        clusters: The clinic's clusters.
        vocabulary: Compiled words and rules; None for the shipped ones.
        model: Learned from corrections; None to use the rules alone. It never touches red flags or
            hard constraints.

    Returns:
        `blocked` when the facts contradict each other, `unsure` when the words say too little,
        `mismatch` when another cluster was chosen than is proposed, else `match`.

    Raises:
        NotFoundError: The clinic has no cluster of that code.
    """
    vocabulary = vocabulary or Vocabulary.load()
    chosen = clusters[cluster] if cluster is not None else None
    reading = read(facts.chief_complaint, vocabulary)
    hits = fired(facts, reading, vocabulary)
    red_flags, red_grounds = _red(hits, clusters)
    blocked = _constraint(facts, reading, hits, chosen)
    if blocked is not None:
        field, code = blocked
        return RoutingDecision(
            Verdict.BLOCKED,
            suggestions=_suggestions(red_grounds),
            reasons=tuple(ground.reason for ground in red_grounds),
            red_flags=red_flags,
            proposed_priority=Priority.RED if red_flags else None,
            blocked_field=field,
            blocked_code=code,
        )
    grounds = red_grounds + _service_grounds(facts, reading, hits, clusters)
    priority = _priority(hits, red_flags)
    question = None if red_flags else _question(facts, reading, hits, grounds, clusters)
    if question is None and not red_flags and model is not None:
        grounds = _with_opinion(model, facts, reading, grounds, clusters)
    if question is not None:
        learnt = _learnt(model, facts, reading, clusters) if question != "age" else None
        if learnt is None:
            hints = _suggestions(grounds, ceiling=_HINT_SCORE)
            reasons = tuple(reason for hint in hints for reason in hint.reasons)
            return RoutingDecision(
                Verdict.UNSURE, hints, reasons, proposed_priority=priority, question=question
            )
        grounds = [learnt, *grounds]
    suggestions = _suggestions(grounds)
    verdict = Verdict.MATCH if chosen is None or suggestions[0].cluster == chosen.code else Verdict.MISMATCH
    return RoutingDecision(
        verdict,
        suggestions,
        tuple(reason for suggestion in suggestions for reason in suggestion.reasons),
        red_flags,
        priority,
    )


def _red(hits: Sequence[Hit], clusters: ClusterSet) -> tuple[tuple[RedFlag, ...], list[_Ground]]:
    flags: list[RedFlag] = []
    grounds: list[_Ground] = []
    for hit in hits:
        code = hit.rule.id.removeprefix("red.").partition(".")[0]
        if hit.rule.kind == "red" and code not in {flag.code for flag in flags}:
            service = _service(hit.rule, clusters)
            cluster = clusters.destination(service, None) or clusters.emergency
            flags.append(RedFlag(code, hit.words, cluster.code))
            grounds.append(_Ground(cluster, service, "red", Reason(hit.rule.id, hit.words, cluster.code)))
    # One emergency among several dangers is enough to go there.
    grounds.sort(key=lambda ground: ground.cluster.code != clusters.emergency.code)
    return tuple(flags), grounds


def _service(rule: Rule, clusters: ClusterSet) -> str:
    """The first of the rule's services that this clinic's clusters take themselves."""
    return next((service for service in rule.services if clusters.has_service(service)), rule.services[-1])


def _constraint(
    facts: Facts, reading: Reading, hits: Sequence[Hit], chosen: Cluster | None
) -> tuple[str, str] | None:
    """(field, code) of the first contradiction in the facts, None when there is none."""
    if facts.days is not None and facts.days < 0:
        return "birth_date", "birth_date_in_future"
    if facts.years is not None and facts.years > OLDEST_YEARS:
        return "birth_date", "age_impossible"
    if facts.pregnant and facts.sex == Sex.MALE:
        return "pregnant", "pregnant_male"
    fertile = facts.years is None or YOUNGEST_PREGNANT_YEARS <= facts.years <= OLDEST_PREGNANT_YEARS
    if facts.pregnant and not fertile:
        return "pregnant", "pregnant_age"
    words_block = None if any(hit.rule.kind == "red" for hit in hits) else _blocked_by_words(facts, hits)
    if words_block is not None:
        return words_block
    if facts.days == 0 and chosen is not None and chosen.youngest_years >= 1:
        return "birth_date", "born_today_in_adult_cluster"
    return None


def _blocked_by_words(facts: Facts, hits: Sequence[Hit]) -> tuple[str, str] | None:
    """(field, code) where the complaint cannot concern this person.

    Words may be misread, so unlike contradicting facts they never hold up an emergency.
    """
    years = facts.years
    for hit in hits:
        if hit.rule.blocks == "male" and facts.sex == Sex.MALE:
            if years is None or years >= YOUNGEST_PREGNANT_YEARS:
                return "sex", "service_for_women"
        elif hit.rule.blocks == "adult" and years is not None and years >= ADULT_YEARS and not facts.pregnant:
            return "birth_date", "adult_in_infant_immunisation"
    return None


def _service_grounds(
    facts: Facts, reading: Reading, hits: Sequence[Hit], clusters: ClusterSet
) -> list[_Ground]:
    """Grounds below red flags, the strongest first."""
    years = age_years(facts, reading)
    pregnant = is_pregnant(facts, reading)
    ranked: list[tuple[int, int, _Ground]] = []
    for hit in hits:
        if hit.rule.kind in ("red", "vague"):
            continue
        service = _effective(_service(hit.rule, clusters), clusters)
        moved = service == "general" and pregnant and clusters.has_service("maternal")
        service = "maternal" if moved else service
        cluster = clusters.destination(service, years)
        if cluster is None:
            continue
        rank = SERVICE_RANK[service]
        if moved or hit.rule.kind == "general":
            # A pregnancy is a state, not an errand: after every service word, before the age band.
            rank = SERVICE_RANK["general"] + (service != "general") + (not moved)
        if hit.past:
            rank = _PAST_RANK
        reason = Reason(hit.rule.id, hit.words, cluster.code)
        ranked.append((-rank, hit.first, _Ground(cluster, service, hit.rule.kind, reason)))
    ranked.sort(key=lambda entry: entry[:2])
    grounds = [ground for _, _, ground in ranked]
    general = next((g for g in grounds if g.service == "general"), None)
    if general is not None and years is not None:
        rule_id = "age.child" if years < ADULT_YEARS else "age.elderly" if years >= 60 else "age.adult"
        grounds.append(
            _Ground(general.cluster, "general", "general", Reason(rule_id, str(years), general.cluster.code))
        )
    if pregnant and clusters.has_service("maternal"):
        cluster = clusters.destination("maternal", years)
        if cluster is not None and facts.pregnant and _asks_for_checkup(hits, grounds):
            grounds.append(
                _Ground(cluster, "maternal", "service", Reason("pregnancy.ticked", "hamil", cluster.code))
            )
    return grounds


def _asks_for_checkup(hits: Sequence[Hit], grounds: Sequence[_Ground]) -> bool:
    """True when a pregnancy explains the visit: something was said, or "kontrol" and "periksa" alone."""
    return bool(grounds) or any(hit.rule.question == "what_for" for hit in hits)


def _effective(service: str, clusters: ClusterSet) -> str:
    """`general` for a service that ends at the general clusters here, so that it ranks as general."""
    wanted: str | None = service
    while wanted is not None and not clusters.has_service(wanted):
        wanted = FALLBACKS.get(wanted)
    return wanted or "general"


def _priority(hits: Sequence[Hit], red_flags: Sequence[RedFlag]) -> Priority | None:
    if red_flags:
        return Priority.RED
    if any(hit.rule.priority == "yellow" for hit in hits):
        return Priority.YELLOW
    return None


def _question(
    facts: Facts, reading: Reading, hits: Sequence[Hit], grounds: Sequence[_Ground], clusters: ClusterSet
) -> str | None:
    """The one thing to ask, or None when the words are enough."""
    if grounds:
        return None
    if any(hit.rule.kind not in ("red", "vague") for hit in hits):
        # Something was understood, and only the age decides where it is treated.
        return "age"
    vague = [hit.rule.question for hit in hits if hit.rule.kind == "vague" and hit.rule.question]
    return vague[0] if vague else "which_complaint"


def _with_opinion(
    model: Model, facts: Facts, reading: Reading, grounds: list[_Ground], clusters: ClusterSet
) -> list[_Ground]:
    """Let the model move a complaint that the rules only call general."""
    if any(ground.kind != "general" for ground in grounds):
        return grounds
    learnt = _learnt(model, facts, reading, clusters)
    if learnt is None or learnt.cluster.code == grounds[0].cluster.code:
        return grounds
    return [learnt, *grounds]


def _learnt(model: Model | None, facts: Facts, reading: Reading, clusters: ClusterSet) -> _Ground | None:
    opinion = model.opinion(facts, reading) if model is not None else None
    if opinion is None:
        return None
    label, _, word = opinion
    code = label if label in clusters else cluster_by_age(facts, reading, clusters)
    if code is None:
        return None
    return _Ground(clusters[code], "general", "general", Reason("model", word, code))


def leaves_room(facts: Facts, clusters: ClusterSet, vocabulary: Vocabulary | None = None) -> bool:
    """True where the rules know nothing better than the age: where a model may speak, and learns."""
    vocabulary = vocabulary or Vocabulary.load()
    reading = read(facts.chief_complaint, vocabulary)
    hits = fired(facts, reading, vocabulary)
    if any(hit.rule.kind == "red" for hit in hits):
        return False
    return all(ground.kind == "general" for ground in _service_grounds(facts, reading, hits, clusters))


def cluster_by_age(facts: Facts, reading: Reading, clusters: ClusterSet) -> str | None:
    """Code of the cluster that takes this person's general complaints, None when the age is not known."""
    service = "maternal" if is_pregnant(facts, reading) and clusters.has_service("maternal") else "general"
    cluster = clusters.destination(service, age_years(facts, reading))
    return cluster.code if cluster is not None else None


def _suggestions(grounds: Sequence[_Ground], ceiling: float = 1.0) -> tuple[Suggestion, ...]:
    """One suggestion for each cluster, in the order of its strongest ground."""
    by_cluster: dict[str, list[_Ground]] = {}
    for ground in grounds:
        by_cluster.setdefault(ground.cluster.code, []).append(ground)
    suggestions = []
    for place, (code, found) in enumerate(by_cluster.items()):
        score = max(_SCORES[ground.kind] for ground in found) if place == 0 else _OTHER_SCORE / place
        # The same words lead two rules to one place: said once.
        reasons = {ground.reason.word: ground.reason for ground in reversed(found)}
        suggestions.append(Suggestion(code, min(score, ceiling), tuple(reversed(reasons.values()))))
    return tuple(suggestions)
