"""Simulated clinic for `bench/routing.py`: months of visits with corrections, and the gain of learning.

Nothing here knows the vocabulary. Visits are drawn from the labelled complaints with a fixed seed, each
cluttered as people write ("mau periksa ...", "... sejak 3 hari"); a habit of the clinic then changes where
some of them belong, and a share of labels is wrong, as corrections at a counter are.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from core.complaints.facts import RoutingFacts
from core.complaints.learned.corrections import EvaluationFigures, Example, evaluate, train
from core.foundation.codes import Verdict
from core.queues.clusters import ClusterSet
from core.routing import route

BEFORE = ("", "mau periksa ", "keluhan ", "sudah lama ", "pasien datang dengan ")
AFTER = ("", "", " sejak 3 hari", " dari kemarin", " lagi", " tidak sembuh")
VAGUE = ("sakit", "kontrol", "mau periksa", "obat", "sakit sudah 3 hari", "kontrol ulang", "berobat")


@dataclass(frozen=True)
class Habit:
    """A peculiarity of one clinic."""

    words: tuple[str, ...]
    """Complaints of its own; empty for noise alone."""
    cluster: str
    """Cluster in which the clinic treats them."""
    share: float
    """Share of all visits."""


LOCAL_WORDS = (
    Habit(("kampil", "bagusut kampil", "kampil babunyi"), "GIGI", 0.03),
    Habit(("calungap", "anak calungap", "calungap banar"), "KIA", 0.03),
    Habit(("marungkut", "batis marungkut"), "IGD", 0.02),
)
"""Words that no vocabulary holds, as every village has some."""

OWN_WAYS = (
    Habit(("keputihan", "keputihan gatal", "keputihan banyak"), "KIA", 0.04),
    Habit(("obesitas mau kurus", "konsul diet", "diet kolesterol"), "LAB", 0.03),
)
"""Known words that this clinic treats in another cluster than the rules propose."""


def visits(
    examples: Sequence[Example], habits: Sequence[Habit], wrong: float, count: int, seed: int
) -> list[Example]:
    """Return a stream of visits with the cluster where each ended.

    Args:
        examples: Labelled complaints that are known to belong where they say.
        habits: What is peculiar here.
        wrong: Share of visits that end in some other cluster by mistake.
        count: Visits.
        seed: Of the generator.
    """
    chance = random.Random(seed)
    codes = sorted({example.cluster for example in examples})
    stream = []
    for _ in range(count):
        habit = chance.choices(
            [*habits, None], [*(h.share for h in habits), 1 - sum(h.share for h in habits)]
        )[0]
        if habit is not None:
            facts = RoutingFacts(
                _written(chance.choice(habit.words), chance), chance.randint(20 * 366, 50 * 366), "female"
            )
            cluster = habit.cluster
        else:
            drawn = chance.choice(examples)
            facts = RoutingFacts(
                _written(drawn.facts.chief_complaint, chance),
                drawn.facts.age_days,
                drawn.facts.sex,
                drawn.facts.pregnant,
            )
            cluster = drawn.cluster
        stream.append(Example(facts, chance.choice(codes) if chance.random() < wrong else cluster))
    return stream


def _written(complaint: str, chance: random.Random) -> str:
    return chance.choice(BEFORE) + complaint + chance.choice(AFTER)


@dataclass(frozen=True)
class Outcome:
    """Result of learning in one clinic."""

    trial: EvaluationFigures
    """Cross-validated on the months of training; decides whether the model is used."""
    later: EvaluationFigures
    """On the months after, whose labels are right: the effect of using it."""
    vague_guessed: int
    """Complaints of `VAGUE` answered with a cluster by rules and model together."""
    red_lost: int
    """Visits whose danger sign is lost with the model; must be none."""


def run(examples: Sequence[Example], habits: Sequence[Habit], wrong: float, clusters: ClusterSet) -> Outcome:
    """Train on 1,500 visits, then judge 1,500 visits with other complaints."""
    shuffled = random.Random(7).sample(list(examples), len(examples))
    half = len(shuffled) // 2
    past = visits(shuffled[:half], habits, wrong, 1500, seed=1)
    future = visits(shuffled[half:], habits, 0.0, 1500, seed=2)
    model = train(past, clusters)
    adult = 40 * 366
    return Outcome(
        trial=evaluate(None, past, clusters),
        later=evaluate(model, future, clusters),
        vague_guessed=sum(
            route(RoutingFacts(words, adult), None, clusters, model=model).verdict is not Verdict.UNSURE
            for words in VAGUE
        ),
        red_lost=sum(
            route(e.facts, None, clusters).red_flags != route(e.facts, None, clusters, model=model).red_flags
            for e in future
        ),
    )
