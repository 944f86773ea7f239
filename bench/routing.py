"""Measures the routing of complaints: accuracy by kind, red flags, vague words, time, learning.

    python bench/routing.py [--wrong]

`bench/data/complaints.csv` holds 709 labelled complaints: age in days at the visit, sex, pregnancy, the
expected cluster in both presets (or `unsure`), whether it is a red flag, and its kind.
`complaints_later.csv` was written afterwards in rounds, each as counters type and before its answers were
known. `FIRST_SIGHT` holds the results at that time: right means both presets and the red flag. The
vocabulary has learnt from all rounds since (ideas and whole classes of words, never the phrase), so their
figures show that nothing got worse, not how well an unseen complaint is answered. Labels judged again since
then count there as they were. Of rounds 22 to 36 half is kept in the
file, of the others all. Rounds from 37 on use many voices (farmers, mothers, clerks' shorthand, referral
notes, the young, Javanese, Sundanese) and put danger into idioms; they were written one or two at a
time, after the lessons of those before were in. Rounds from 48 on hold eight voices and makes each, a score of
complaints a voice. All were written by the same hand; an outsider's set will score
lower.

"phrases held out" is the lasting estimate for unseen complaints: in each of five folds, every phrase of two or
more words that occurs literally in a tested complaint is taken out of the vocabulary first.
"two harmless complaints put together" tries whether rules that look anywhere in a complaint look too far.
"one slip a complaint" (`bench/routing_slips.py`) types every complaint once more with a slip in one word.
The learning model is tried in simulated clinics (`bench/routing_clinic.py`): one with words of its own,
one with ways of its own, one with wrong corrections only, one with nothing to learn.
`--wrong` lists every complaint that is answered otherwise than expected.
"""

from __future__ import annotations

import csv
import gc
import random
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.complaints.facts import RoutingFacts
from core.complaints.language.tokenizer import tokenize
from core.complaints.learned.corrections import Example
from core.complaints.rules.rule_schema import split_words
from core.complaints.rules.shipped_rules import shipped_document
from core.complaints.vocabulary import Vocabulary, compile_vocabulary
from core.queues.clusters import ClusterSet, load_clusters
from core.routing import route

sys.path.insert(0, str(Path(__file__).parents[1]))
from bench import routing_clinic, routing_slips

Row = dict[str, str]

DATA = Path(__file__).parent / "data"
FOLDS = 5
PAIRS = 3000
CLUSTERS: dict[str, ClusterSet] = {preset: load_clusters(preset) for preset in ("poli", "ilp")}
FIRST_SIGHT = {
    "complaints": (709, 0.95, 8, 121),
    "1": (212, 0.91, 4, 71),
    "2": (214, 0.88, 7, 53),
    "3": (199, 0.92, 1, 50),
    "4": (166, 0.92, 5, 48),
    "5": (96, 0.83, 1, 12),
    "6": (223, 0.834, 9, 49),
    "7": (182, 0.945, 5, 49),
    "8": (117, 0.897, 6, 76),
    "9": (149, 0.913, 1, 10),
    "10": (143, 0.909, 3, 26),
    "11": (86, 0.907, 3, 18),
    "12": (148, 0.980, 0, 27),
    "13": (95, 0.937, 2, 50),
    "14": (112, 0.964, 0, 3),
    "15": (60, 0.917, 1, 13),
    "16": (694, 0.918, 23, 165),
    "17": (392, 0.878, 29, 139),
    "18": (351, 0.952, 6, 115),
    "19": (329, 0.942, 9, 114),
    "20": (279, 0.950, 6, 102),
    "21": (105, 0.943, 3, 45),
    "22": (201, 0.900, 11, 91),
    "23": (222, 0.887, 19, 99),
    "24": (219, 0.886, 18, 130),
    "25": (179, 0.810, 22, 110),
    "26": (139, 0.820, 24, 137),
    "27": (103, 0.893, 9, 97),
    "28": (124, 0.903, 1, 3),
    "29": (137, 0.912, 8, 51),
    "30": (137, 0.796, 13, 63),
    "31": (142, 0.965, 1, 24),
    "32": (151, 0.974, 1, 18),
    "33": (80, 0.950, 4, 78),
    "34": (90, 0.944, 4, 67),
    "35": (100, 0.860, 11, 66),
    "36": (90, 0.856, 10, 57),
    "37": (125, 0.904, 5, 61),
    "38": (127, 0.858, 14, 72),
    "39": (129, 0.876, 12, 79),
    "40": (122, 0.893, 10, 55),
    "41": (123, 0.911, 11, 83),
    "42": (124, 0.927, 5, 64),
    "43": (118, 0.924, 9, 72),
    "44": (119, 0.966, 2, 88),
    "45": (101, 0.861, 6, 40),
    "46": (100, 0.910, 7, 52),
    "47": (98, 0.959, 2, 57),
    "48": (152, 0.888, 6, 36),
    "49": (139, 0.892, 2, 31),
    "50": (140, 0.800, 13, 55),
    "51": (136, 0.882, 4, 30),
    "52": (124, 0.839, 7, 32),
    "53": (111, 0.838, 9, 39),
    "54": (117, 0.906, 2, 24),
    "55": (110, 0.964, 1, 25),
    "56": (62, 0.935, 2, 26),
}
"""Round of complaints -> number, share right, red flags missed, red flags; when the round was new."""


def load(name: str) -> list[Row]:
    with (DATA / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def facts_of(row: Row) -> RoutingFacts:
    return RoutingFacts(row["complaint"], int(row["age_days"]), row["sex"] or None, row["pregnant"] == "yes")


def answer(row: Row, preset: str, vocabulary: Vocabulary | None = None) -> tuple[str, bool]:
    decision = route(facts_of(row), None, CLUSTERS[preset], vocabulary)
    said = decision.proposal or decision.verdict.value
    return said, bool(decision.red_flags)


@dataclass
class Tally:
    """Counts the answers to labelled complaints."""

    total: Counter[str] = field(default_factory=Counter)
    """Kind -> complaints; `all` for the sum."""
    right: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(preset, kind) -> complaints answered as labelled."""
    missed: list[str] = field(default_factory=list)
    """Complaints with a danger sign that was missed."""
    alarms: list[str] = field(default_factory=list)
    """Complaints without one, answered with a red flag."""

    def add(self, row: Row, show_wrong: bool) -> None:
        """Count the answers to one complaint, and print the wrong ones where that is wanted."""
        groups = (row["kind"], "all")
        self.total.update(groups)
        is_red = False
        for preset in CLUSTERS:
            said, is_red = answer(row, preset)
            if said == row[preset]:
                self.right.update((preset, group) for group in groups)
            elif show_wrong:
                print(f"  {preset}: {row['complaint']!r} -> {said}, expected {row[preset]}")
        if is_red != (row["red_flag"] == "yes"):
            (self.alarms if is_red else self.missed).append(row["complaint"])


def accuracy(rows: Sequence[Row], show_wrong: bool) -> None:
    tally = Tally()
    for row in rows:
        tally.add(row, show_wrong)
    print(f"{'kind':<16}{'n':>6}{'poli':>9}{'ilp':>9}")
    for kind, n in sorted(tally.total.items(), key=lambda entry: entry[0] == "all"):
        print(f"{kind:<16}{n:>6}" + "".join(f"{tally.right[preset, kind] / n:>9.1%}" for preset in CLUSTERS))
    red = sum(row["red_flag"] == "yes" for row in rows)
    vague = [row for row in rows if row["poli"] == "unsure"]
    asked = sum(answer(row, "poli")[0] == "unsure" for row in vague)
    print(f"red flags       {red - len(tally.missed)} of {red} seen; missed: {tally.missed or 'none'}")
    print(f"false alarms    {len(tally.alarms)} of {len(rows) - red}: {tally.alarms or 'none'}")
    print(f"vague           {asked} of {len(vague)} answered unsure\n")


def first_sight() -> None:
    print("on first sight, each set when it was new:")
    for name, (count, share, missed, red) in FIRST_SIGHT.items():
        title = f"round {name}" if name.isdigit() else name
        print(f"{title:<16}{count:>6}{share:>9.1%}   red flags missed {missed} of {red}")
    print()


def put_together(rows: Sequence[Row]) -> None:
    """Measure how often two harmless complaints said in one breath raise a red flag."""
    chance = random.Random(3)
    calm = [row for row in rows if row["red_flag"] == "no" and not answer(row, "poli")[1]]
    of_one_age = defaultdict(list)
    for row in calm:
        of_one_age[row["pregnant"], min(int(row["age_days"]) // 1826, 4)].append(row)
    groups = list(of_one_age.values())
    pairs = [
        chance.choices(group, k=2) for group in chance.choices(groups, [len(g) for g in groups], k=PAIRS)
    ]
    said = [{**one, "complaint": f"{one['complaint']}, {two['complaint']}"} for one, two in pairs]
    alarms = sum(answer(row, "poli")[1] for row in said)
    print(f"two harmless complaints put together: red flags in {alarms} of {PAIRS}\n")


def held_out(rows: Sequence[Row], name: str, is_held_out: Callable[[str, str], bool]) -> None:
    """Print the share right without the phrases of the tested complaints: `is_held_out(phrase, text)`."""
    right: Counter[str] = Counter()
    red_seen = removed = 0
    for fold in range(FOLDS):
        tested = rows[fold::FOLDS]
        vocabulary, fewer = without_phrases_of(tested, is_held_out)
        removed += fewer
        for row in tested:
            for preset in CLUSTERS:
                said, is_red = answer(row, preset, vocabulary)
                right[preset] += said == row[preset]
            red_seen += is_red and row["red_flag"] == "yes"
    red = sum(row["red_flag"] == "yes" for row in rows)
    shares = ", ".join(f"{preset} {right[preset] / len(rows):.1%}" for preset in CLUSTERS)
    print(
        f"{name} ({removed // FOLDS} a fold), {len(rows)} complaints: {shares}; red flags seen {red_seen} of {red}"
    )


def _is_phrase_in(phrase: str, text: str) -> bool:
    return " " in phrase and phrase in text


def without_phrases_of(
    tested: Sequence[Row], is_held_out: Callable[[str, str], bool] = _is_phrase_in
) -> tuple[Vocabulary, int]:
    """Return a vocabulary without the phrases held out from the tested complaints, and how many those are.

    Args:
        tested: Complaints that are to be unseen.
        is_held_out: Tells whether a phrase, in the text of all of them, is left out; by default those of several words.
    """
    document = shipped_document()
    text = "\n".join(" ".join(word for _, word in tokenize(row["complaint"])) for row in tested)
    words = {}
    removed = 0
    for concept, listed in document["words"].items():
        phrases = split_words(listed)
        kept = [phrase for phrase in phrases if not is_held_out(phrase, text)]
        removed += len(phrases) - len(kept)
        # No complaint holds this word, and a concept needs one.
        words[concept] = ", ".join(kept) or f"zq{concept}"
    return compile_vocabulary({**document, "words": words}, "held out"), removed


def speed(rows: Sequence[Row]) -> None:
    vocabulary = compile_vocabulary(shipped_document(), "fresh")
    # As the server does after its start.
    gc.freeze()
    for name in ("words seen for the first time", "words seen before"):
        times = []
        for row in rows:
            facts = facts_of(row)
            started = time.thread_time()
            route(facts, None, CLUSTERS["poli"], vocabulary)
            times.append((time.thread_time() - started) * 1000)
        times.sort()
        p99 = times[int(len(times) * 0.99)]
        print(
            f"time, {name}: median {statistics.median(times):.2f} ms, p99 {p99:.2f} ms, worst {times[-1]:.2f} ms"
        )
    print()


def learning(rows: Sequence[Row]) -> None:
    examples = [Example(facts_of(row), row["poli"]) for row in rows if row["poli"] in CLUSTERS["poli"]]
    print(f"{'learning':<26}{'in trial':>22}{'after':>22}  in use  vague guessed  red flags lost")
    for name, habits, wrong in (
        ("words of its own", routing_clinic.LOCAL_WORDS, 0.02),
        ("ways of its own", routing_clinic.OWN_WAYS, 0.02),
        ("wrong corrections, 15 %", (), 0.15),
        ("nothing to learn", (), 0.0),
    ):
        outcome = routing_clinic.run(examples, habits, wrong, CLUSTERS["poli"])
        shown = [
            f"{figures.rules_share:>7.1%} > {figures.together_share:.1%} +{figures.helped} -{figures.harmed}"
            for figures in (outcome.trial, outcome.later)
        ]
        print(
            f"{name:<26}{shown[0]:>22}{shown[1]:>22}  {'yes' if outcome.trial.passed else 'no':<6}  "
            f"{outcome.vague_guessed} of {len(routing_clinic.VAGUE):<8}  {outcome.red_lost}"
        )


def main() -> None:
    rows, later = load("complaints.csv"), load("complaints_later.csv")
    show_wrong = "--wrong" in sys.argv
    first_sight()
    accuracy(rows, show_wrong)
    accuracy(later, show_wrong)
    put_together(rows + later)
    held_out(rows + later, "phrases held out", _is_phrase_in)
    routing_slips.report(rows + later, answer)
    speed(rows + later)
    learning(rows + later)


if __name__ == "__main__":
    main()
