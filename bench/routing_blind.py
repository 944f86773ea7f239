"""Scores the routing on a set whose writer knew nothing of it: one run at first sight, every failure printed.

    python -m bench.routing_blind [FILE]     (bench/data/blind/blind_1.csv unless given)

The brief of the writer is `bench/data/blind/brief.md`; the set's SHA-256 was committed before the first run, in
`bench/data/blind/SHA256SUMS`, and the run of that day stands in `bench/data/blind/blind_1.result.txt`. Afterwards the
set is material to learn from: a later run only shows that nothing got worse. The same holds for `blind_3` and `blind_4`, and for
`blind_2`, whose first run counted ten small injuries among the ordinary that it labels IGD; they are left out of that line
now. Intervals are Wilson's, of 95 %.
A set to come: its writer gets `brief.md` alone and fills `blind_5.csv`; `sha256sum blind_5.csv >> SHA256SUMS` is committed
before anything is run; then once `python -m bench.routing_blind bench/data/blind/blind_5.csv | tee
bench/data/blind/blind_5.result.txt`. A set whose sum is not on the list is not scored.
The second table supposes that whoever is asked answers as labelled; the first that nobody answers, as over the API.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.intervals import interval
from core.complaints.facts import RoutingDecision, RoutingFacts
from core.queues.clusters import load_clusters
from core.routing import route

FOLDER = Path(__file__).parent / "data" / "blind"
EMERGENCY = "IGD"
WITH_SIGN = "  with a danger sign"
AIMS = {
    "ordinary words right": 0.96,
    "near misses right": 0.94,
    "danger to IGD": 0.97,
    "ordinary people to IGD": 0.02,
    "vague words asked": 0.96,
    "vignettes: emergencies to IGD": 13 / 15,
    "vignettes: others kept out": 0.90,
}


@dataclass(frozen=True)
class Answer:
    """One row and what the routing said to it."""

    kind: str
    complaint: str
    wanted: str
    said: str
    is_alarm: bool
    """A danger sign is shown; without one, the emergency room is proposed for a procedure or a small injury."""
    asked: str
    """`doubt`: about a danger sign of the rules; `suspicion`: about one that no rule sees; empty: nothing is asked."""


def read(file: Path) -> list[Answer]:
    """Return each row of a set with the answer to it."""
    clusters = load_clusters("poli")
    with file.open(newline="", encoding="utf-8") as rows:
        return [_answer(row, route(_facts(row), None, clusters)) for row in csv.DictReader(rows)]


def _answer(row: dict[str, str], decision: RoutingDecision) -> Answer:
    asked = "" if decision.doubt is None else "doubt" if decision.red_flags else "suspicion"
    return Answer(
        row["kind"], row["complaint"], row["cluster"], _said(decision), bool(decision.red_flags), asked
    )


def _facts(row: dict[str, str]) -> RoutingFacts:
    return RoutingFacts(row["complaint"], int(row["age_days"]), row["sex"] or None, row["pregnant"] == "yes")


def _said(decision: RoutingDecision) -> str:
    return EMERGENCY if decision.red_flags else decision.proposal or decision.verdict.value


def _of(answers: Iterable[Answer], *kinds: str) -> list[Answer]:
    return [answer for answer in answers if answer.kind in kinds]


def report(answers: Sequence[Answer]) -> None:
    """Print the share of each aim, alarms first, then each failure."""
    calm = [answer for answer in _of(answers, "plain", "near", "vague") if answer.wanted != EMERGENCY]
    vignettes = _of(answers, "vignette")
    dire = [answer for answer in vignettes if answer.wanted == EMERGENCY]
    others = [answer for answer in vignettes if answer.wanted != EMERGENCY]
    lines = [
        ("ordinary people to IGD", _count_said(calm), len(calm)),
        (WITH_SIGN, sum(answer.is_alarm for answer in calm), len(calm)),
        ("danger to IGD", _count_said(_of(answers, "danger")), len(_of(answers, "danger"))),
        ("ordinary words right", _count_right(_of(answers, "plain")), len(_of(answers, "plain"))),
        ("near misses right", _count_right(_of(answers, "near")), len(_of(answers, "near"))),
        ("vague words asked", _count_right(_of(answers, "vague")), len(_of(answers, "vague"))),
        ("vignettes: emergencies to IGD", _count_said(dire), len(dire)),
        ("vignettes: others kept out", len(others) - _count_said(others), len(others)),
    ]
    print(f"{'':<32}{'rows':>6}{'share':>8}   {'interval':<15}{'aim':>6}")
    for name, hits, total in lines:
        if total:
            low, high = interval(hits, total)
            aim = f"{AIMS[name]:>8.2f}" if name in AIMS else ""
            print(f"{name:<32}{total:>6}{hits / total:>8.3f}   [{low:.3f}, {high:.3f}]{aim}")
    report_asked(calm, _of(answers, "danger"))
    print("\nanswered otherwise than labelled:")
    for answer in answers:
        if not _is_right(answer):
            print(f"  {answer.kind:<9}{answer.wanted:<7} -> {answer.said:<7} {answer.complaint}")


def report_asked(calm: Sequence[Answer], dangers: Sequence[Answer]) -> None:
    """Print how many are asked, and what becomes of both when the answers are as labelled.

    Args:
        calm: Ordinary people.
        dangers: Those with a danger.
    """
    print(f"\n{'with the questions answered':<32}{'rows':>6}{'share':>8}   {'interval':<15}")
    for name, hits, total in (
        ("ordinary people asked", sum(bool(a.asked) for a in calm), len(calm)),
        ("ordinary people to IGD", sum(a.said == EMERGENCY and a.asked != "doubt" for a in calm), len(calm)),
        ("danger to IGD", sum(a.said == EMERGENCY or bool(a.asked) for a in dangers), len(dangers)),
        ("dangers asked about", sum(bool(a.asked) for a in dangers), len(dangers)),
    ):
        if total:
            low, high = interval(hits, total)
            print(f"{name:<32}{total:>6}{hits / total:>8.3f}   [{low:.3f}, {high:.3f}]")


def _is_right(answer: Answer) -> bool:
    return answer.said == answer.wanted


def _count_right(answers: Iterable[Answer]) -> int:
    return sum(_is_right(answer) for answer in answers)


def _count_said(answers: Iterable[Answer]) -> int:
    return sum(answer.said == EMERGENCY for answer in answers)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", type=Path, default=FOLDER / "blind_1.csv")
    file: Path = parser.parse_args().file
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if digest not in (FOLDER / "SHA256SUMS").read_text("utf-8").split():
        print(f"{file.name}: commit its sum to {FOLDER / 'SHA256SUMS'} first: {digest}")
        return 1
    print(f"{file.name}  sha256 {digest}\n")
    report(read(file))
    return 0


if __name__ == "__main__":
    sys.exit(main())
