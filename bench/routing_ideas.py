"""Measures the ideas behind the rules: alarms on ordinary people first, then danger, then each idea left out.

    python -m bench.routing_ideas

Two sets: `complaints_ideas.csv` (written idea by idea, before the mechanisms were built) and
`complaints_later_ideas.csv` (ordinary words, near misses and dangers, written after them and before the rounds' faults were
mended). Both are by one author, who wrote the mechanisms and had read part of the rules: not a blind set, see
`bench/routing_blind.py` for that. `FIRST_SIGHT` holds what was counted when each was new; what is printed below it only
shows that nothing got worse, and what each idea is worth. Intervals are Wilson's, of 95 %.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from bench.intervals import interval
from core.complaints.facts import RoutingFacts
from core.complaints.rules.shipped_rules import shipped_document
from core.complaints.vocabulary import Vocabulary, compile_vocabulary
from core.queues.clusters import load_clusters
from core.routing import route

DATA = Path(__file__).parent / "data"
SETS = ("complaints_ideas.csv", "complaints_later_ideas.csv")
POLI = load_clusters("poli")
FIRST_SIGHT = {
    "ideas": (146, 28, 107, 23),
    "near 1": (100, 9, 0, 0),
    "near 2": (122, 18, 0, 0),
    "near 3": (104, 17, 0, 0),
    "ordinary": (116, 0, 0, 0),
    "danger 1": (0, 0, 153, 10),
    "danger 2": (0, 0, 85, 10),
}
"""Set -> harmless complaints, red flags among them, dangers, dangers without one; when the set was new."""


class Labelled(NamedTuple):
    """One complaint, and whether it is a danger."""

    facts: RoutingFacts
    is_danger: bool


class Counted(NamedTuple):
    """The outcome on all complaints."""

    calm: int
    alarms: int
    sent: int
    """Harmless ones proposed for the emergency room, with or without a red flag: small injuries belong there."""
    asked: int
    dangers: int
    missed: int


def load() -> list[Labelled]:
    """Return the complaints of both sets whose danger is certain."""
    found = []
    for name in SETS:
        with (DATA / name).open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["red_flag"] in ("yes", "no"):
                    facts = RoutingFacts(
                        row["complaint"], int(row["age_days"]), row["sex"] or None, row["pregnant"] == "yes"
                    )
                    found.append(Labelled(facts, row["red_flag"] == "yes"))
    return found


def count(rows: Sequence[Labelled], vocabulary: Vocabulary) -> Counted:
    """Count alarms and dangers missed.

    Args:
        rows: Labelled complaints.
        vocabulary: With all ideas, or without one.
    """
    decided = [(row, route(row.facts, None, POLI, vocabulary)) for row in rows]
    calm = [decision for row, decision in decided if not row.is_danger]
    dire = [decision for row, decision in decided if row.is_danger]
    return Counted(
        calm=len(calm),
        alarms=sum(bool(decision.red_flags) for decision in calm),
        sent=sum(decision.proposal == "IGD" for decision in calm),
        asked=sum(decision.doubt is not None for decision in calm),
        dangers=len(dire),
        missed=sum(not decision.red_flags for decision in dire),
    )


def _without_roles(*roles: str) -> Vocabulary:
    document = shipped_document()
    grammar = {role: "" if role in roles else words for role, words in document["grammar"].items()}
    return compile_vocabulary({**document, "grammar": grammar}, "left out")


def _without_people() -> Vocabulary:
    return compile_vocabulary({**shipped_document(), "people": {}}, "left out")


def _patched(target: str, value: Any) -> Vocabulary:
    with mock.patch(target, value):
        return compile_vocabulary(shipped_document(), "left out")


def _without_rule_field(field: str, value: Any) -> Vocabulary:
    document = shipped_document()
    rows = [{**row, field: value} if row["kind"] in ("red", "sign") else row for row in document["rule"]]
    return compile_vocabulary({**document, "rule": rows}, "left out")


def _with_every_touch_a_blow() -> Vocabulary:
    document = shipped_document()
    words: Mapping[str, str] = document["words"]
    return compile_vocabulary(
        {**document, "words": {**words, "hit": f"{words['hit']}, {words['over_touched']}"}}, "left out"
    )


NO_NAMES = {"drug": (), "blood_thinner": ()}
IDEAS: dict[str, Callable[[], Vocabulary]] = {
    "what strikes, what is caught": _with_every_touch_a_blow,
    "medicines by every name": lambda: _patched(
        "core.complaints.vocabulary.medicine_names", lambda: NO_NAMES
    ),
    "a value apart from its name": lambda: _without_roles("value_link"),
    "whose body": _without_people,
    "denial over a list": lambda: _without_roles("and", "exists"),
    "order": lambda: _without_rule_field("ordered", False),
    "everyday words": lambda: _patched("core.complaints.vocabulary.everyday_words", frozenset),
    "long-standing": lambda: _without_rule_field("any_duration", True),
    "question and fear": lambda: _without_roles("asking", "asked_topic", "conditional"),
    "figures of speech": lambda: _without_roles("likens"),
    "numbers that count": lambda: _without_roles("ordinal", "counted"),
    "a treatment that helped": lambda: _without_roles("treated", "recovered"),
}
"""Idea -> the vocabulary without it."""


def _share(hits: int, total: int) -> str:
    low, high = interval(hits, total)
    return f"{100 * hits / total:>6.1f} of 100  [{100 * low:.1f}, {100 * high:.1f}]"


def main() -> None:
    """Print the tables."""
    print("first sight:")
    for name, (calm, alarms, dangers, missed) in FIRST_SIGHT.items():
        said = [f"false alarms {_share(alarms, calm)}"] if calm else []
        said += [f"dangers missed {_share(missed, dangers)}"] if dangers else []
        print(f"  {name:<10} {'; '.join(said)}")
    rows = load()
    whole = count(rows, Vocabulary.load())
    print(f"\nnow, {len(rows)} complaints seen since:")
    print(f"  false alarms   {_share(whole.alarms, whole.calm)}, asked about {whole.asked} of them")
    print(f"  dangers missed {_share(whole.missed, whole.dangers)}")
    print("\neach idea left out:                 false alarms   harmless to IGD   dangers missed")
    for name, build in IDEAS.items():
        without = count(rows, build())
        print(
            f"  {name:<32}{without.alarms - whole.alarms:>+13}{without.sent - whole.sent:>+18}{without.missed - whole.missed:>+17}"
        )


if __name__ == "__main__":
    main()
