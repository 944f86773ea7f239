"""Counts who is recognised among those who arrive at a clinic with a file of 20,000, and who is found at the search box.

    python bench/arrivals.py [--people 20000] [--arriving 1500] [--seed 1] [--show KIND] [--import]

The people come from `bench/town.py`, which does not know how records are compared; nothing here knows how they were made up
but the names of the kinds. The file is written as it stands (`bench.search.fill`), or brought in as a list.

* "opened": the counter opens a record (`DuplicateBand.EXISTING`); precision counts all arrivals of both groups.
* "told": opened, or asked about with the right record among those shown. "silent" is the rest of the known.
* "asked for nothing": new people who are asked about or opened.
* Bounds are the upper ends of Wilson's interval of 95 %; beside a zero it is what may still be.
* Search: the right one among the first ten. "possible" is what names allow: where more than ten bear the same words, ten of
  them by chance.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.intervals import interval
from bench.people import Record
from bench.search import fill
from bench.town import Arrival, Said, Town, build, searches
from core.foundation.clinic import Clinic
from core.foundation.codes import DuplicateBand
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.linkage import candidates
from core.patients import search as patient_search
from core.patients.duplicate_check import SHOWN

FIRST = 10  # patients that a screen shows without turning the page


def highest(hits: int, of: int) -> float:
    """Return the upper end of Wilson's interval of 95 % for a share."""
    return interval(hits, of)[1]


@dataclass
class Recognised:
    """Outcome of one group of arrivals.

    Attributes:
        kinds: Kind -> outcome (`opened`, `asked`, `silent`, `wrong`, `nothing`, `new`) -> arrivals.
        ranks: Place of the right record -> arrivals.
        examples: Kind and outcome -> arrivals.
    """

    kinds: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    ranks: Counter[int] = field(default_factory=Counter)
    examples: dict[tuple[str, str], list[Arrival]] = field(default_factory=lambda: defaultdict(list))

    def total(self) -> Counter[str]:
        """Return outcome -> arrivals of all kinds."""
        return sum(self.kinds.values(), Counter())


def recognise(arrivals: Sequence[Arrival], ids: Sequence[str]) -> Recognised:
    """Ask the duplicate check about each arrival.

    Args:
        arrivals: Who arrives.
        ids: The ids of the residents, by number.
    """
    found = Recognised()
    for one in arrivals:
        matches = candidates.ranked(one.typed)
        band = candidates.band_of(matches, candidates.meant_as_well(matches))
        shown = [match.patient_id for match in matches[:SHOWN]]
        if one.known is None:
            outcome = {DuplicateBand.NEW: "new", DuplicateBand.REVIEW: "nothing"}.get(band, "wrong")
        else:
            outcome = _of_known(band, shown, ids[one.known])
            if outcome in {"opened", "asked"}:
                found.ranks[shown.index(ids[one.known])] += 1
        found.kinds[one.kind][outcome] += 1
        found.examples[one.kind, outcome].append(one)
    return found


def _of_known(band: DuplicateBand, shown: Sequence[str], expected: str) -> str:
    if band is DuplicateBand.EXISTING:
        return "opened" if shown[0] == expected else "wrong"
    return "asked" if band is DuplicateBand.REVIEW and expected in shown else "silent"


def report(known: Recognised, new: Recognised, twins: Recognised) -> None:
    """Print the shares that count, and each kind."""
    of_known, of_new = known.total(), new.total()
    count, strangers = sum(of_known.values()), sum(of_new.values())
    opened = of_known["opened"] + of_known["wrong"] + of_new["wrong"]
    wrong = of_known["wrong"] + of_new["wrong"]
    silent, nothing = of_known["silent"], of_new["nothing"] + of_new["wrong"]
    print(f"opened as known  recall {of_known['opened'] / count:.3f}  precision {1 - wrong / max(opened, 1):.4f}"
          f"  (wrong {wrong} of {opened}, at most {highest(wrong, max(opened, 1)):.4f})")  # fmt: skip
    print(f"known and told   {1 - (silent + of_known['wrong']) / count:.3f}  silent {silent / count:.3f} (at most"
          f" {highest(silent, count):.3f})  first of those shown {known.ranks[0]} of {sum(known.ranks.values())}")  # fmt: skip
    print(f"asked for nothing {nothing / strangers:.3f} (at most {highest(nothing, strangers):.3f})")
    of_twins = twins.total()
    arrived = sum(of_twins.values())
    print(f"twins arriving   opened {of_twins['wrong']} of {arrived} (at most {highest(of_twins['wrong'], arrived):.4f}),"
          f" asked about {of_twins['nothing'] / max(arrived, 1):.3f}")  # fmt: skip
    for group in (known, new):
        for kind, outcomes in sorted(group.kinds.items(), key=lambda one: -sum(one[1].values())):
            number = sum(outcomes.values())
            shares = "  ".join(
                f"{name} {outcomes[name] / number:6.1%}" for name in _OUTCOMES if outcomes[name]
            )
            print(f"  {kind:24} {number:5d}  {shares}")


_OUTCOMES = ("opened", "asked", "silent", "wrong", "nothing", "new")


def find(texts: Sequence[Said], ids: Sequence[str], show: str = "") -> None:
    """Search for each text and print, by kind, the share found and the share that is possible.

    Args:
        texts: What is said.
        ids: The ids of the residents, by number.
        show: A kind whose texts are printed where the right one is not found.
    """
    hits: Counter[str] = Counter()
    possible: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    took: dict[str, list[float]] = defaultdict(list)
    for one in texts:
        started = time.perf_counter()
        answer = [patient.id for patient in patient_search.found(one.text, 20)]
        took[one.kind].append((time.perf_counter() - started) * 1000)
        counted[one.kind] += 1
        is_hit = ids[one.meant] in answer[:FIRST]
        hits[one.kind] += is_hit
        possible[one.kind] += min(1.0, FIRST / one.bearers)
        if one.kind == show and not is_hit and one.bearers <= FIRST:
            print("   not found", one)
    for group in ("by name", "with date"):
        kinds = [kind for kind in counted if kind.startswith("date") == (group == "with date")]
        share = sum(hits[k] for k in kinds) / sum(counted[k] for k in kinds)
        ceiling = sum(possible[k] for k in kinds) / sum(counted[k] for k in kinds)
        print(
            f"search {group:9}  in the first ten {share:.3f}, possible {ceiling:.3f}: {share / ceiling:.3f} of it"
        )
        for kind in kinds:
            number, ceiling = counted[kind], possible[kind] / counted[kind]
            print(f"  {kind:24} {number:5d}  found {hits[kind] / number:6.1%}  possible {ceiling:6.1%}"
                  f"  {hits[kind] / number / ceiling:6.1%} of it   p50 {sorted(took[kind])[number // 2]:5.1f} ms")  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--people", type=int, default=20_000)
    options.add_argument("--arriving", type=int, default=1500)
    options.add_argument("--searches", type=int, default=100, help="of each kind")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--show", default="", help="kind whose failures are printed")
    given = options.parse_args()
    town = build(given.seed, given.people, given.arriving)
    with tempfile.TemporaryDirectory() as folder:
        Clinic.open(Settings(home=Path(folder)))
        with connection():
            judge(town, given.seed, given.searches, given.show)
        database.close()


def judge(town: Town, seed: int, count: int, show: str = "") -> None:
    """Write the file and judge everybody who arrives and everything that is said.

    Args:
        town: The file and the arrivals.
        seed: Of what is said.
        count: Texts of each kind; 0 for none.
        show: Kind whose failures are printed.
    """
    ids = fill([Record(one.number, one.household, one.twin, one.filed) for one in town.residents])
    names = Counter(one.filed.name for one in town.residents)
    shared = sum(number for number in names.values() if number > 1) / len(town.residents)
    print(f"{len(ids):,} on file, {shared:.0%} share their full name")
    if town.known:
        known, new, twins = (recognise(group, ids) for group in (town.known, town.new, town.twins))
        report(known, new, twins)
        for group in (known, new, twins):
            for (kind, outcome), examples in group.examples.items():
                if kind == show and outcome in {"silent", "wrong", "nothing"}:
                    for one in examples[:40]:
                        print(
                            outcome,
                            one.typed,
                            town.residents[one.known if one.known is not None else one.like or 0].filed,
                            sep="\n  ",
                        )
    if count:
        find(searches(town, seed, count), ids, show)


if __name__ == "__main__":
    main()
