"""Medical record numbers: eight digits, given once and never reused; those of paper files are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from core.foundation.database import tuples
from core.foundation.statements import Statement, given, given_for
from core.foundation.statements import among as among_given
from core.linkage.key_queries import among
from core.models import Patient, TicketCounter

LENGTH = 8
HIGHEST_GIVEN_AFTER = 99_000_000
"""A paper number above this is kept, but the next ones do not go on above it: it would leave them no room."""

_COUNTER = "RM"
"""The counter row that gives the numbers (never a cluster's code: prefixes are 1-2 letters)."""
_FOREVER = date(1970, 1, 1)


def of_paper(text: str | None) -> str | None:
    """The number of a paper file in eight digits, or None when it cannot be kept."""
    if not text or not text.isascii() or not text.isdigit() or len(text) > LENGTH:
        return None
    return text.zfill(LENGTH) if int(text) else None


def owners(numbers: Sequence[str]) -> dict[str, str]:
    """Number -> the patient who has it or had it."""
    return dict(_OWNERS.rows(numbers=numbers))


_OWNERS = Statement(
    lambda: Patient.select(Patient.medical_record_number, Patient.id).where(
        among_given(Patient.medical_record_number, "numbers")
    )
)


def of_patients(ids: Sequence[str]) -> dict[str, str]:
    """Patient -> number."""
    return dict(
        tuples(Patient.select(Patient.id, Patient.medical_record_number).where(among(Patient.id, ids)))
    )


def go_on_above(papers: Iterable[str]) -> None:
    """Give later numbers above those of paper files, in the caller's transaction."""
    highest = max((number for text in papers if (number := int(text)) <= HIGHEST_GIVEN_AFTER), default=0)
    if highest > _last():
        _count_to(highest)


def give(papers: Sequence[str | None]) -> list[str]:
    """A number for each of several new patients, in the caller's transaction.

    Args:
        papers: The number of each one's paper file as `of_paper` says it, or None. It is kept unless somebody
            has it.
    """
    wanted = [number for number in papers if number]
    if wanted:
        go_on_above(wanted)
    free = set(wanted) - owners(wanted).keys() if wanted else set()
    given: list[str | None] = []
    for number in papers:
        given.append(number if number in free else None)
        free.discard(number or "")
    later = iter(_next(given.count(None)))
    return [number or next(later) for number in given]


def reserve(count: int) -> list[str]:
    """Give out numbers before their patients are known, in the caller's transaction."""
    return _next(count)


def _next(count: int) -> list[str]:
    """So many numbers that nobody has, above the last one given."""
    found: list[str] = []
    while len(found) < count:
        first = _draw(count - len(found)) + 1
        numbers = [f"{number:0{LENGTH}d}" for number in range(first, first + count - len(found))]
        had = owners(numbers)  # by a paper file above HIGHEST_GIVEN_AFTER, or by a restored one
        found += [number for number in numbers if number not in had]
    return found


def _draw(count: int) -> int:
    """Move the counter on by so many numbers; return where it stood."""
    return int(_DRAW.value(count=count)) - count


def _count_on() -> Any:
    first = {
        TicketCounter.cluster: _COUNTER,
        TicketCounter.service_on: _FOREVER,
        TicketCounter.last_number: given_for(TicketCounter.last_number, "count"),
    }
    return (
        TicketCounter.insert(first)
        .on_conflict(
            conflict_target=[TicketCounter.cluster, TicketCounter.service_on],
            update={TicketCounter.last_number: TicketCounter.last_number + given("count")},
        )
        .returning(TicketCounter.last_number)
    )


_DRAW = Statement(_count_on)


def _last() -> int:
    row = TicketCounter.get_or_none(TicketCounter.cluster == _COUNTER, TicketCounter.service_on == _FOREVER)
    return int(row.last_number) if row else 0


def _count_to(number: int) -> None:
    TicketCounter.insert(cluster=_COUNTER, service_on=_FOREVER, last_number=number).on_conflict(
        conflict_target=[TicketCounter.cluster, TicketCounter.service_on],
        update={TicketCounter.last_number: number},
    ).execute()
