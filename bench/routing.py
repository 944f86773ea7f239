"""How well complaints are routed: accuracy by kind, red flags, vague words, time, learning.

    python bench/routing.py [--wrong]

`bench/data/complaints.csv` holds 709 labelled complaints: age in days at the visit, sex, pregnancy, the
expected cluster in both presets (or `unsure`), whether it is a red flag, and its kind. They were written
as counters type them, not from the vocabulary but by the same hand; an outsider's set will score lower.
`complaints_later.csv` was written afterwards in five rounds, the fifth of traps. Each set was first run
unseen; right in both presets and in its red flag were 95 % of the 709 (8 of 121 red flags missed), then
91 % (4 of 71), 88 % (7 of 53), 92 % (1 of 50), 92 % (5 of 48) and 83 % (1 of 12). The vocabulary has
learnt from all of them since, so what is printed says that nothing got worse, not how well an unseen
complaint is answered.

"phrases held out" is the standing estimate for the unseen: in each of five folds, every phrase of two or
more words that stands literally in a tested complaint is taken out of the vocabulary first.

The learning model is cross-validated: five folds, no complaint judged by a model that has seen it; once with
the shipped vocabulary and once with every third concept taken away, where there is something to learn.
`--wrong` lists every complaint that is answered otherwise than expected.
"""

from __future__ import annotations

import csv
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path

from core.clusters import ClusterSet, load_clusters
from core.routing import Example, Facts, Vocabulary, evaluate, route
from core.routing.document import split_words
from core.routing.language import tokens
from core.routing.vocabulary import compile_vocabulary, shipped_document
from core.vocabulary import Verdict

DATA = Path(__file__).parent / "data"
FOLDS = 5
PRESETS = ("poli", "ilp")


def load(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def facts_of(row: dict[str, str]) -> Facts:
    return Facts(row["complaint"], int(row["age_days"]), row["sex"] or None, row["pregnant"] == "yes")


def answer(facts: Facts, clusters: ClusterSet, vocabulary: Vocabulary | None = None) -> tuple[str, bool]:
    decision = route(facts, None, clusters, vocabulary)
    said = (
        decision.verdict.value if decision.verdict in (Verdict.UNSURE, Verdict.BLOCKED) else decision.proposal
    )
    return str(said), bool(decision.red_flags)


def accuracy(rows: list[dict[str, str]], show_wrong: bool) -> None:
    right: dict[str, dict[str, int]] = {preset: defaultdict(int) for preset in PRESETS}
    total: dict[str, int] = defaultdict(int)
    missed, false_alarms, vague, asked = [], [], 0, 0
    for row in rows:
        total[row["kind"]] += 1
        for preset in PRESETS:
            said, is_red = answer(facts_of(row), load_clusters_once(preset))
            right[preset][row["kind"]] += said == row[preset]
            if show_wrong and said != row[preset]:
                print(f"  {preset}: {row['complaint']!r} -> {said}, expected {row[preset]}")
        if row["red_flag"] == "yes" and not is_red:
            missed.append(row["complaint"])
        if row["red_flag"] == "no" and is_red:
            false_alarms.append(row["complaint"])
        if row["poli"] == "unsure":
            vague += 1
            asked += answer(facts_of(row), load_clusters_once("poli"))[0] == "unsure"
    print(f"{'kind':<12}{'n':>5}{'poli':>9}{'ilp':>9}")
    for kind, n in total.items():
        print(f"{kind:<12}{n:>5}" + "".join(f"{right[preset][kind] / n:>9.1%}" for preset in PRESETS))
    shares = "".join(f"{sum(right[preset].values()) / len(rows):>9.1%}" for preset in PRESETS)
    print(f"{'all':<12}{len(rows):>5}{shares}")
    red = sum(row["red_flag"] == "yes" for row in rows)
    print(f"red flags    {red - len(missed)} of {red} seen; missed: {missed or 'none'}")
    print(f"false alarms {len(false_alarms)} of {len(rows) - red}: {false_alarms or 'none'}")
    print(f"vague        {asked} of {vague} answered unsure")


_clusters: dict[str, ClusterSet] = {}


def load_clusters_once(preset: str) -> ClusterSet:
    return _clusters.setdefault(preset, load_clusters(preset))


def speed(rows: list[dict[str, str]]) -> None:
    clusters = load_clusters_once("poli")
    vocabulary = compile_vocabulary(shipped_document(), "fresh")
    for name in ("words seen for the first time", "words seen before"):
        times = []
        for row in rows:
            started = time.perf_counter()
            route(facts_of(row), None, clusters, vocabulary)
            times.append((time.perf_counter() - started) * 1000)
        times.sort()
        p99 = times[int(len(times) * 0.99)]
        print(
            f"time         {name}: median {statistics.median(times):.2f} ms, "
            f"p99 {p99:.2f} ms, worst {times[-1]:.2f} ms"
        )


def held_out(rows: list[dict[str, str]]) -> None:
    document = shipped_document()
    right = dict.fromkeys(PRESETS, 0)
    red_seen = removed = 0
    for fold in range(FOLDS):
        tested = rows[fold::FOLDS]
        text = "\n".join(" ".join(word for _, word in tokens(row["complaint"])) for row in tested)
        words = {}
        for concept, listed in document["words"].items():
            phrases = split_words(listed)
            kept = [phrase for phrase in phrases if " " not in phrase or phrase not in text]
            removed += len(phrases) - len(kept)
            words[concept] = ", ".join(kept) or f"zq{concept}"
        vocabulary = compile_vocabulary({**document, "words": words}, f"fold {fold}")
        for row in tested:
            for preset in PRESETS:
                said, is_red = answer(facts_of(row), load_clusters_once(preset), vocabulary)
                right[preset] += said == row[preset]
            red_seen += is_red and row["red_flag"] == "yes"
    red = sum(row["red_flag"] == "yes" for row in rows)
    shares = ", ".join(f"{preset} {right[preset] / len(rows):.1%}" for preset in PRESETS)
    print(
        f"phrases held out ({removed // FOLDS} a fold), {len(rows)} complaints: {shares}; "
        f"red flags seen {red_seen} of {red}"
    )


def learning(rows: list[dict[str, str]]) -> None:
    clusters = load_clusters_once("poli")
    examples = [Example(facts_of(row), row["poli"]) for row in rows if row["poli"] != "unsure"]
    document = shipped_document()
    poorer = {**document, "words": dict(document["words"])}
    for index, concept in enumerate(sorted(document["words"])):
        if index % 3 == 0 and not concept.startswith(("over_", "at_")):
            poorer["words"][concept] = f"zq{concept}"
    for name, vocabulary in (("shipped vocabulary", Vocabulary.load()), ("poorer vocabulary", None)):
        used = vocabulary or compile_vocabulary(poorer, "poorer")
        figures = evaluate(None, examples, clusters, used)
        print(
            f"learning     {name}, {figures.examples} examples: rules {figures.rules_share:.1%}, "
            f"with model {figures.together_share:.1%} (helped {figures.helped}, harmed {figures.harmed}, "
            f"{'passed' if figures.passed else 'not taken into use'})"
        )


def main() -> None:
    rows, later = load("complaints.csv"), load("complaints_later.csv")
    for part in (rows, later):
        accuracy(part, "--wrong" in sys.argv)
        print()
    held_out(rows + later)
    speed(rows)
    learning(rows)


if __name__ == "__main__":
    main()
