"""Try the examples of the danger signs: each raises its sign, and what only sounds like one raises none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.complaints.facts import RoutingFacts
from core.complaints.rules.faults import Fault
from core.complaints.vocabulary import Vocabulary
from core.foundation.ages import DAYS_PER_YEAR
from core.foundation.codes import Sex
from core.queues.clusters import ClusterSet
from core.routing import danger_code, route

_PERSON = re.compile(r"(?P<age>\d+)(?P<unit>[yd])(?: (?P<sex>[mf]))?(?P<pregnant> pregnant)?")
_SEXES = {"m": Sex.MALE, "f": Sex.FEMALE}


def example_facts(example: str) -> RoutingFacts:
    """Return the complaint and the person of an example: `mulut mencong | 60y m`.

    Raises:
        ValueError: It names no person.
    """
    complaint, _, person = example.rpartition(" | ")
    found = _PERSON.fullmatch(person)
    if found is None:
        raise ValueError(example)
    age = int(found["age"])
    # The day after the birthday.
    days = age if found["unit"] == "d" else int(age * DAYS_PER_YEAR) + 1
    return RoutingFacts(complaint, days, _SEXES.get(found["sex"] or ""), bool(found["pregnant"]))


def example_faults(vocabulary: Vocabulary, clusters: ClusterSet) -> Iterator[Fault]:
    """Yield what is wrong with the findings behind the danger signs of a vocabulary.

    Args:
        vocabulary: Compiled words and rules.
        clusters: Where the complaints are sent; any preset.
    """
    raised = {danger_code(rule.id) for rule in vocabulary.rules if rule.kind == "red"}
    for code in sorted(raised - vocabulary.dangers.keys()):
        yield Fault.of(f"red.{code}", "danger_without_finding", name=code)
    for code, finding in vocabulary.dangers.items():
        place = f"[dangers.{code}]"
        if code not in raised:
            yield Fault.of(code, "finding_without_rule", place, name=code)
        for example in (*finding.examples, *finding.not_examples):
            wanted = code if example in finding.examples else None
            yield from _wrong(example, wanted, vocabulary, clusters, place)


def _wrong(
    example: str, wanted: str | None, vocabulary: Vocabulary, clusters: ClusterSet, place: str
) -> Iterator[Fault]:
    """Yield the fault of one example.

    Args:
        example: As written.
        wanted: The sign that it must raise; None: none.
        vocabulary: Compiled words and rules.
        clusters: Any preset.
        place: The finding, for the fault.
    """
    try:
        facts = example_facts(example)
    except ValueError:
        yield Fault.of(example, "example_person", place, example=example)
        return
    flags = [flag.code for flag in route(facts, None, clusters, vocabulary).red_flags]
    if wanted is not None and wanted not in flags:
        yield Fault.of(example, "example_missed", place, example=example)
    if wanted is None and flags:
        yield Fault.of(example, "example_raised", place, example=example, raised=flags[0])
