"""Fits the doubt and the suspicion: a logistic regression of danger on words, their pieces and findings, in plain Python.

    python -m bench.train_doubt [--write]

Trained on every labelled complaint of `bench/data`. Before that it is tried in folds by author and round, and by leaving one
author out at a time: what is counted was written in other rounds, or by another author, than what was fitted. The words of
the rules have seen all authors, so the reading of an author left out is better than a stranger's; `FIRST_SIGHT` holds what
was counted with the rules as they were when each blind set was new. `--write` writes `core/data/complaint_doubt.tsv`.

A danger that the rules see is asked about below the highest likelihood at which at most `MOST_TOUCHED` of the dangers in
rounds held out would be asked about. One that they do not see is asked about from `SUSPICION` on.
"""

from __future__ import annotations

import csv
import math
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from core.complaints.danger_examples import example_facts
from core.complaints.facts import RoutingFacts
from core.complaints.learned.doubt import DoubtModel, seen
from core.complaints.vocabulary import Vocabulary
from core.queues.clusters import load_clusters
from core.routing import read_of_patient, route

DATA = Path(__file__).parent / "data"
TARGET = Path(__file__).parents[1] / "core" / "data" / "complaint_doubt.tsv"
AUTHORS = {
    "of the rules": ("complaints.csv", "complaints_later.csv"),
    "of the ideas": ("complaints_ideas.csv", "complaints_later_ideas.csv"),
    "of blind_1": ("blind/blind_1.csv",),
    "of blind_2": ("blind/blind_2.csv",),
    "of blind_3": ("blind/blind_3.csv",),
}
"""Authors, with the sets that each wrote. The first two knew rules; the blind ones had seen only the brief."""
FIRST_SIGHT = {
    "of blind_1": (39, 15, 54, 680, 7),
    "of blind_2": (26, 20, 43, 480, 7),
    "of blind_3": (22, 13, 34, 650, 4),
}
"""Author -> dangers that the rules of that day kept out of the emergency room, of these suspected by a model of the other
authors; ordinary people whom those rules sent there, of how many, and ordinary people suspected besides."""
FOLDS = 6
EPOCHS = 8
RATE = 0.25
DECAY = 2e-5  # of each touched weight, an example
LEAST_WEIGHT = 8  # hundredths; lighter ones are left out of the file
MOST_TOUCHED = 0.05  # of the dangers held out


SUSPICION = 0.5
"""Likelihood from which a danger is suspected: 1 to 2 of 100 ordinary people of an author held out are asked."""


class Labelled(NamedTuple):
    """One complaint with its label."""

    facts: RoutingFacts
    group: str
    """Author and round."""
    is_danger: bool
    seen: tuple[str, ...]


def load() -> list[Labelled]:
    """Return every labelled complaint whose danger is certain."""
    found = []
    for author, names in AUTHORS.items():
        for name in names:
            with (DATA / name).open(newline="", encoding="utf-8") as file:
                rows = [(row, is_danger(row)) for row in csv.DictReader(file)]
            found += [labelled(row, author, danger) for row, danger in rows if danger is not None]
    return found + findings()


def findings() -> list[Labelled]:
    """Return the examples of the danger signs, and what only sounds like one: also by the author of the rules."""
    group = f"{next(iter(AUTHORS))} examples"
    found = []
    for finding in Vocabulary.load().dangers.values():
        found += [of_facts(example_facts(text), group, True) for text in finding.examples]
        found += [of_facts(example_facts(text), group, False) for text in finding.not_examples]
    return found


def is_danger(row: dict[str, str]) -> bool | None:
    """Return the label of a row; None where it is not certain, as for a small injury that belongs in the emergency room."""
    if "red_flag" in row:
        return {"yes": True, "no": False}.get(row["red_flag"])
    if row["cluster"] != "IGD":
        return False
    return True if row["kind"] in ("danger", "vignette") else None


def labelled(row: dict[str, str], author: str, danger: bool) -> Labelled:
    """Return a row of a set with what the model sees of it.

    Args:
        row: As the set holds it.
        author: Who wrote it.
        danger: Its label.
    """
    facts = RoutingFacts(row["complaint"], int(row["age_days"]), row["sex"] or None, row["pregnant"] == "yes")
    return of_facts(facts, f"{author} {row.get('round') or row.get('idea') or ''}", danger)


def of_facts(facts: RoutingFacts, group: str, danger: bool) -> Labelled:
    """Return a complaint with what the model sees of it.

    Args:
        facts: The complaint and the person.
        group: Author and round.
        danger: The label.
    """
    reading, _matches = read_of_patient(facts, Vocabulary.load())
    return Labelled(facts, group, danger, tuple(sorted(seen(facts, reading))))


def fit(rows: Sequence[Labelled], seed: int = 7) -> tuple[dict[str, float], float]:
    """Return (weights, bias) by stochastic gradient descent with a step for each weight (AdaGrad)."""
    chance = random.Random(seed)
    weights: dict[str, float] = defaultdict(float)
    squares: dict[str, float] = defaultdict(lambda: 1.0)
    bias = 0.0
    order = list(rows)
    for _ in range(EPOCHS):
        chance.shuffle(order)
        for row in order:
            total = bias + sum(weights[name] for name in row.seen)
            error = float(row.is_danger) - 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
            bias += 0.01 * error
            for name in row.seen:
                squares[name] += error * error
                weights[name] += (
                    RATE * error / math.sqrt(squares[name] * len(row.seen)) - DECAY * weights[name]
                )
    return dict(weights), bias


def as_model(weights: dict[str, float], bias: float, threshold: float) -> DoubtModel:
    """Return the model as it will be read from its file."""
    rounded = {name: round(100 * weight) for name, weight in weights.items()}
    kept = {name: weight for name, weight in rounded.items() if abs(weight) >= LEAST_WEIGHT}
    return DoubtModel(kept, round(100 * bias), threshold, SUSPICION)


def held_out(rows: Sequence[Labelled]) -> list[tuple[float, Labelled]]:
    """Return each complaint with its likelihood by a model that has seen nothing of its round."""
    groups = sorted({row.group for row in rows})
    random.Random(5).shuffle(groups)
    fold_of = {group: place % FOLDS for place, group in enumerate(groups)}
    found = []
    for fold in range(FOLDS):
        model = as_model(*fit([row for row in rows if fold_of[row.group] != fold]), 0.0)
        found += [(likelihood(model, row), row) for row in rows if fold_of[row.group] == fold]
    return found


def likelihood(model: DoubtModel, row: Labelled) -> float:
    """Return how likely a labelled complaint is a danger."""
    total = model.bias + sum(model.weights.get(name, 0) for name in row.seen)
    return 1 / (1 + math.exp(-total / 100))


def authors_left_out(rows: Sequence[Labelled], threshold: float) -> None:
    """Print what the model of the other authors asks each author, beside what the rules of today say."""
    clusters = load_clusters("poli")
    print(f"{'author left out':<16}{'dangers':>8}{'unseen':>8}{'suspected':>11}{'doubted':>9}", end="")
    print(f"{'calm':>8}{'alarms':>8}{'doubted':>9}{'suspected':>11}")
    for author in AUTHORS:
        model = as_model(*fit([row for row in rows if not row.group.startswith(author)]), threshold)
        counts: Counter[tuple[bool, str]] = Counter()
        for row in (row for row in rows if row.group.startswith(author)):
            decision = route(row.facts, None, clusters)
            is_alarm = bool(decision.red_flags)
            how = likelihood(model, row)
            counts[row.is_danger, "all"] += 1
            if is_alarm:
                counts[row.is_danger, "alarm"] += 1
                counts[row.is_danger, "doubted"] += how < threshold
            elif decision.proposal != "IGD":
                counts[row.is_danger, "quiet"] += 1
                counts[row.is_danger, "suspected"] += how >= SUSPICION
        dire = [counts[True, name] for name in ("all", "quiet", "suspected", "doubted")]
        calm = [counts[False, name] for name in ("all", "alarm", "doubted", "suspected")]
        cells = zip((*dire, *calm), (8, 8, 11, 9, 8, 8, 9, 11), strict=True)
        print(f"{author:<16}" + "".join(f"{number:>{width}}" for number, width in cells))


def threshold_of(likelihoods: Iterable[float]) -> float:
    """Return the likelihood that at most `MOST_TOUCHED` of the dangers stay below, in whole hundredths."""
    ordered = sorted(likelihoods)
    return math.floor(100 * ordered[int(MOST_TOUCHED * len(ordered))]) / 100


def write(model: DoubtModel, rows: Sequence[Labelled]) -> None:
    """Write the file that ships.

    Args:
        model: Fitted on all rows.
        rows: For the file's heading.
    """
    lines = [
        "# The doubt about danger signs: feature, weight in hundredths. Written by bench/train_doubt.py.",
        f"# Fitted on {len(rows)} labelled complaints of bench/data, {sum(row.is_danger for row in rows)} of them dangers.",
        f"bias\t{model.bias}",
        f"threshold\t{round(100 * model.threshold)}",
        f"suspicion\t{round(100 * model.suspicion)}",
        *(f"{name}\t{weight}" for name, weight in sorted(model.weights.items())),
    ]
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Fit, tell how it does on rounds held out, and write the file where that is wanted."""
    rows = load()
    scored = held_out(rows)
    dangers = [likelihood for likelihood, row in scored if row.is_danger]
    calm = [likelihood for likelihood, row in scored if not row.is_danger]
    threshold = threshold_of(dangers)
    below = sum(likelihood < threshold for likelihood in calm) / len(calm)
    print(f"{len(rows)} complaints, {len(dangers)} dangers; threshold {threshold:.2f}")
    print(
        f"held out: dangers doubted {sum(d < threshold for d in dangers)} of {len(dangers)}; calm below it {below:.1%}"
    )
    for author, (unseen, caught, alarms, ordinary, asked) in FIRST_SIGHT.items():
        print(
            f"{author}, first sight: {caught} of {unseen} dangers unseen by the rules suspected; "
            f"{asked} of {ordinary} ordinary suspected, beside {alarms} sent by the rules"
        )
    authors_left_out(rows, threshold)
    model = as_model(*fit(rows), threshold)
    print(f"{len(model.weights)} features")
    if "--write" in sys.argv:
        write(model, rows)


if __name__ == "__main__":
    main()
