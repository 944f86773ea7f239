"""Fits the doubt: a logistic regression of danger on words and pieces of words, in plain Python.

    python -m bench.train_doubt [--write]

Trained on every labelled complaint of `bench/data`. Before that it is tried in folds by author and round: what is
counted was written in other rounds, or by another author, than what was fitted. `--write` writes
`core/data/complaint_doubt.tsv`. The threshold is the highest at which at most `MOST_TOUCHED` of the dangers in rounds
held out would be asked about.
"""

from __future__ import annotations

import csv
import math
import random
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from core.complaints.doubt import DoubtModel, features
from core.complaints.facts import RoutingFacts

DATA = Path(__file__).parent / "data"
TARGET = Path(__file__).parents[1] / "core" / "data" / "complaint_doubt.tsv"
SETS = ("complaints.csv", "complaints_later.csv", "complaints_ideas.csv", "complaints_later_ideas.csv")
FOLDS = 6
EPOCHS = 8
RATE = 0.25
DECAY = 2e-5  # of each touched weight, an example
LEAST_WEIGHT = 8  # hundredths; lighter ones are left out of the file
MOST_TOUCHED = 0.05  # of the dangers held out


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
    for name in SETS:
        with (DATA / name).open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["red_flag"] not in ("yes", "no"):
                    continue
                facts = RoutingFacts(
                    row["complaint"], int(row["age_days"]), row["sex"] or None, row["pregnant"] == "yes"
                )
                group = row.get("round") or row.get("idea") or "0"
                found.append(
                    Labelled(facts, group, row["red_flag"] == "yes", tuple(sorted(set(features(facts)))))
                )
    return found


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
    return DoubtModel(kept, round(100 * bias), threshold)


def held_out(rows: Sequence[Labelled]) -> list[tuple[float, Labelled]]:
    """Return each complaint with its likelihood by a model that has seen nothing of its round."""
    groups = sorted({row.group for row in rows})
    random.Random(5).shuffle(groups)
    fold_of = {group: place % FOLDS for place, group in enumerate(groups)}
    found = []
    for fold in range(FOLDS):
        model = as_model(*fit([row for row in rows if fold_of[row.group] != fold]), 0.0)
        found += [(model.likelihood(row.facts), row) for row in rows if fold_of[row.group] == fold]
    return found


def threshold_of(likelihoods: Iterable[float]) -> float:
    """Return the likelihood that at most `MOST_TOUCHED` of the dangers stay below, in whole hundredths."""
    ordered = sorted(likelihoods)
    return math.floor(100 * ordered[int(MOST_TOUCHED * len(ordered))]) / 100


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
    model = as_model(*fit(rows), threshold)
    print(f"{len(model.weights)} features")
    if "--write" in sys.argv:
        lines = [
            "# The doubt about danger signs: feature, weight in hundredths. Written by bench/train_doubt.py.",
            f"# Fitted on {len(rows)} labelled complaints of bench/data, {len(dangers)} of them dangers.",
            f"bias\t{model.bias}",
            f"threshold\t{round(100 * threshold)}",
            *(f"{name}\t{weight}" for name, weight in sorted(model.weights.items())),
        ]
        TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
