"""Measures the routing with each author's own phrases withheld: alarms on ordinary people first, then danger.

    python -m bench.routing_withheld [--ideas]

For each author, every phrase of two or more words that stands literally in one of that author's complaints is taken out of
the vocabulary of every finding, whoever wrote it in: what is still seen is seen by composing words, not by having read the
phrase. The other authors' phrases stay, so each author is left out once. "as it ships" is the same with nothing withheld.

`--ideas` leaves each mechanism out as well (`bench/routing_ideas.py`), on the sets of the blind authors: its share of the
alarms kept away and of the dangers seen. Intervals are Wilson's, of 95 %. Single words are never withheld: without "kejang"
nothing could be said of a seizure.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.intervals import interval
from bench.routing import without_phrases_of
from bench.routing_ideas import IDEAS, Counted, Labelled, count
from bench.train_doubt import AUTHORS, is_danger
from core.complaints.facts import RoutingFacts
from core.complaints.vocabulary import Vocabulary

DATA = Path(__file__).parent / "data"
MOST = 1500  # complaints of one author, evenly picked: the author of the rules wrote thousands
BLIND = "blind"
"""Part of the names of the authors who had seen only the brief."""


def rows_of(author: str) -> list[dict[str, str]]:
    """Return an author's complaints whose danger is certain, at most `MOST`."""
    rows: list[dict[str, str]] = []
    for name in AUTHORS[author]:
        with (DATA / name).open(newline="", encoding="utf-8") as file:
            rows += [row for row in csv.DictReader(file) if is_danger(row) is not None]
    return rows[:: -(-len(rows) // MOST)]


def labelled(rows: Sequence[dict[str, str]]) -> list[Labelled]:
    """Return rows as they are counted."""
    return [
        Labelled(
            RoutingFacts(
                row["complaint"], int(row["age_days"]), row["sex"] or None, row["pregnant"] == "yes"
            ),
            bool(is_danger(row)),
        )
        for row in rows
    ]


def _share(hits: int, total: int) -> str:
    low, high = interval(hits, total)
    return f"{100 * hits / total:5.1f} [{100 * low:4.1f}, {100 * high:4.1f}]"


def told(name: str, counted: Counted) -> None:
    """Print one line: alarms of 100 ordinary people, those asked, dangers seen of 100."""
    seen = counted.dangers - counted.missed
    print(
        f"  {name:<32} alarms {_share(counted.alarms, counted.calm)}  asked {_share(counted.asked, counted.calm)}"
        f"  dangers seen {_share(seen, counted.dangers)}"
    )


def leave_authors_out() -> None:
    """Print each author's shares, as it ships and with the author's phrases withheld."""
    print("of 100 complaints, with intervals of 95 %")
    for author in AUTHORS:
        rows = rows_of(author)
        vocabulary, withheld = without_phrases_of(rows)
        print(f"author {author}: {len(rows)} complaints, {withheld} phrases withheld")
        told("as it ships", count(labelled(rows), Vocabulary.load()))
        told("phrases withheld", count(labelled(rows), vocabulary))


def leave_ideas_out() -> None:
    """Print each mechanism's share on the sets of the blind authors."""
    rows = labelled([row for author in AUTHORS if BLIND in author for row in rows_of(author)])
    whole = count(rows, Vocabulary.load())
    print(f"\neach mechanism left out, {len(rows)} complaints of the blind authors:  alarms, dangers missed")
    for name, build in IDEAS.items():
        without = count(rows, build())
        print(f"  {name:<32}{without.alarms - whole.alarms:>+5}{without.missed - whole.missed:>+5}")


def main() -> None:
    leave_authors_out()
    if "--ideas" in sys.argv:
        leave_ideas_out()


if __name__ == "__main__":
    main()
