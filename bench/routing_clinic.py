"""A simulated clinic for `bench/routing.py`: months of visits with corrections, and what learning makes of them.

Nothing here knows the vocabulary. Visits are drawn from the labelled complaints with a fixed seed, each
cluttered as people write ("mau periksa ...", "... sejak 3 hari"); a habit of the clinic then changes where
some of them belong, and a share of labels is wrong, as corrections at a counter are.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from core.clusters import ClusterSet
from core.routing import Example, Facts, Figures, evaluate, route, train
from core.vocabulary import Verdict

BEFORE = ("", "mau periksa ", "keluhan ", "sudah lama ", "pasien datang dengan ")
AFTER = ("", "", " sejak 3 hari", " dari kemarin", " lagi", " tidak sembuh")
VAGUE = ("sakit", "kontrol", "mau periksa", "obat", "sakit sudah 3 hari", "kontrol ulang", "berobat")


@dataclass(frozen=True)
class Habit:
    """Something only this clinic says or does."""

    words: tuple[str, ...]
    """Complaints of its own; empty for noise alone."""
    cluster: str
    """Where it treats them."""
    share: float
    """Of all visits."""


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
"""Known words that this clinic treats elsewhere than the rules say."""


def visits(
    examples: Sequence[Example], habits: Sequence[Habit], wrong: float, count: int, seed: int
) -> list[Example]:
    """A stream of visits with the cluster where each ended.

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
            facts = Facts(
                _written(chance.choice(habit.words), chance), chance.randint(20 * 366, 50 * 366), "female"
            )
            cluster = habit.cluster
        else:
            drawn = chance.choice(examples)
            facts = Facts(
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
    """What learning came to in one clinic."""

    trial: Figures
    """Cross-validated on the months it learnt from; decides whether the model is used."""
    later: Figures
    """On the months after, whose labels are right; what would have come of using it."""
    vague_guessed: int
    """Of `VAGUE`, answered with a cluster by rules and model together."""
    red_lost: int
    """Visits whose danger sign is gone with the model; must be none."""


def run(examples: Sequence[Example], habits: Sequence[Habit], wrong: float, clusters: ClusterSet) -> Outcome:
    """Learn from 1,500 visits, then judge on 1,500 of other complaints than those learnt from."""
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
            route(Facts(words, adult), None, clusters, model=model).verdict is not Verdict.UNSURE
            for words in VAGUE
        ),
        red_lost=sum(
            route(e.facts, None, clusters).red_flags != route(e.facts, None, clusters, model=model).red_flags
            for e in future
        ),
    )
