"""Numbers lent to counters in advance: what a counter gives out while it cannot reach the core.

Each is a row from the moment it is lent: used by one visit, returned, or voided with a reason. The series of a cluster
and day counts on in `ticket_counter`, which the clinic's mark holds, so that a restore or a promotion lends none twice;
one whose row a restore has lost is known by the counter and gets its row again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from core.foundation import audit, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import NumberSeries, NumberStatus
from core.foundation.errors import RuleError, ValidationError
from core.foundation.high_water import FOREVER
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.models import LentNumber, Visit
from core.queues import number_series
from core.queues.clusters import Cluster

BLOCK = 20
"""Numbers that a counter has ready for a cluster and day: two hours of a busy morning at one counter."""
ANY_DAY = FOREVER
"""Day of a medical record number that is lent: it is good for any."""
ABOVE_FORMS = 100_000
"""Added to the sequence of a lent number: printed forms count below it, so the two never meet in one index."""
_NUMBER = re.compile(r"([A-Z]{1,2})-?L0*([1-9]\d{0,3})")
"""`A-L07`, also typed as `al7`."""


def top_up(clinic: Clinic, actor: Actor, counter_id: str, day: date) -> list[LentNumber]:
    """Lend a counter numbers of every cluster until it has `BLOCK` ready; in the caller's transaction.

    Args:
        clinic: The clinic.
        actor: The counter's own account.
        counter_id: The counter.
        day: The service day.
    """
    ready = _ready(counter_id, day)
    made: list[LentNumber] = []
    for cluster in clinic.clusters.values():
        missing = BLOCK - ready.get(cluster.code, 0)
        if cluster.stage == "first" and missing >= BLOCK // 2:
            made += _lend(actor, counter_id, cluster, day, missing)
    return made


def _ready(counter_id: str, day: date) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in _of_counter(counter_id, day):
        found[row.cluster] = found.get(row.cluster, 0) + 1
    return found


def _of_counter(counter_id: str, day: date) -> Iterable[LentNumber]:
    rows: Iterable[LentNumber] = LentNumber.select().where(
        LentNumber.counter == counter_id,
        LentNumber.series == NumberSeries.LENT,
        LentNumber.status == NumberStatus.LENT,
        LentNumber.service_on == day,
    )
    return rows


def _lend(actor: Actor, counter_id: str, cluster: Cluster, day: date, count: int) -> list[LentNumber]:
    last = number_series.draw(_series(cluster.prefix), day, count)
    sequences = range(last - count + 1, last + 1)
    rows = [_row(actor, counter_id, cluster, day, sequence) for sequence in sequences]
    audit.record(
        actor, "numbers_lent", "lent_number", rows[0].id,
        cluster=cluster.code, day=day.isoformat(), first=rows[0].number, last=rows[-1].number,
    )  # fmt: skip
    return rows


def _series(prefix: str) -> str:
    return f"LENT {prefix}"


def _row(actor: Actor, counter_id: str | None, cluster: Cluster, day: date, sequence: int) -> LentNumber:
    made: LentNumber = LentNumber.create(
        id=new_id(),
        series=NumberSeries.LENT,
        cluster=cluster.code,
        service_on=day,
        sequence=sequence + ABOVE_FORMS,
        number=f"{cluster.prefix}-L{sequence:02d}",
        status=NumberStatus.LENT,
        lent_at=clock.now(),
        lent_by=actor.account_id,
        counter=counter_id,
    )
    return made


def as_lent(text: str) -> str | None:
    """Return a lent number as it is printed, from what somebody typed; None for any other number."""
    match = _NUMBER.fullmatch(text.strip().upper().replace(" ", ""))
    return f"{match[1]}-L{int(match[2]):02d}" if match else None


def take(clinic: Clinic, actor: Actor, typed: str, day: date) -> LentNumber:
    """Return the lent number in a patient's hand; to be called in the transaction of the late entry.

    Args:
        clinic: The clinic.
        actor: Actor at the counter.
        typed: The number.
        day: The service day.

    Raises:
        ValidationError: `late.paper_number`: `paper_unknown`; `paper_used`, `paper_returned` or `paper_voided`.
    """
    number = as_lent(typed) or ""
    found = _of_number(number, day) or _lent_before_a_loss(clinic, actor, number, day)
    if found is None:
        raise ValidationError({"late.paper_number": "paper_unknown"})
    if found.status != NumberStatus.LENT:
        raise ValidationError({"late.paper_number": f"paper_{found.status}"})
    return found


def _of_number(number: str, day: date) -> LentNumber | None:
    found: LentNumber | None = LentNumber.get_or_none(
        LentNumber.series == NumberSeries.LENT, LentNumber.service_on == day, LentNumber.number == number
    )
    return found


def _lent_before_a_loss(clinic: Clinic, actor: Actor, number: str, day: date) -> LentNumber | None:
    """Give a number its row again that a restore has lost: the series' counter knows that it was lent."""
    match = _NUMBER.fullmatch(number)
    if match is None:
        return None
    cluster = next((each for each in clinic.clusters.values() if each.prefix == match[1]), None)
    if cluster is None:
        return None
    is_lent = 0 < int(match[2]) <= number_series.last_drawn(_series(cluster.prefix), day)
    return _row(actor, None, cluster, day, int(match[2])) if is_lent else None


def next_of_counter(cluster: str, day: date) -> LentNumber:
    """Return the next number that this counter's machine may give out without the core; in the caller's transaction.

    Args:
        cluster: Code of the cluster.
        day: The service day.

    Raises:
        RuleError: `numbers_ended`: the block is used up; the counter goes on with numbers on paper.
    """
    found = (
        LentNumber.select()
        .where(
            LentNumber.series == NumberSeries.LENT,
            LentNumber.status == NumberStatus.LENT,
            LentNumber.cluster == cluster,
            LentNumber.service_on == day,
        )
        .order_by(LentNumber.sequence)
        .first()
    )
    if found is None:
        raise RuleError("numbers_ended", cluster=cluster)
    number: LentNumber = found
    return number


def next_record_number() -> LentNumber:
    """Return the next medical record number that this counter's machine may give; in the caller's transaction.

    Raises:
        RuleError: `numbers_ended`.
    """
    found = (
        LentNumber.select()
        .where(LentNumber.series == NumberSeries.RECORD, LentNumber.status == NumberStatus.LENT)
        .order_by(LentNumber.sequence)
        .first()
    )
    if found is None:
        raise RuleError("numbers_ended", cluster="")
    number: LentNumber = found
    return number


def use(actor: Actor, number: LentNumber, visit: Visit | None) -> None:
    """Note that a lent number was given out; in the caller's transaction.

    Args:
        actor: Actor at the counter.
        number: The number.
        visit: The visit that was registered with it; None for a medical record number.
    """
    number.status, number.visit = NumberStatus.USED, visit
    number.ended_at, number.ended_by_id = clock.now(), actor.account_id
    number.save()


def left(day: date) -> dict[str, int]:
    """Return cluster -> numbers that this counter's machine can still give out on a day."""
    rows = LentNumber.select(LentNumber.cluster).where(
        LentNumber.series == NumberSeries.LENT,
        LentNumber.status == NumberStatus.LENT,
        LentNumber.service_on == day,
    )
    found: dict[str, int] = {}
    for row in rows:
        found[row.cluster] = found.get(row.cluster, 0) + 1
    return found


def end(actor: Actor, rows: Sequence[LentNumber], outcome: NumberStatus, reason: str) -> None:
    """End lent numbers that nobody will use; in the caller's transaction.

    Args:
        actor: Who ends them.
        rows: The numbers.
        outcome: `returned` or `voided`.
        reason: In words.
    """
    at = clock.now()
    for row in rows:
        row.status, row.reason, row.ended_at, row.ended_by_id = outcome, reason, at, actor.account_id
        row.save()
    if rows:
        facts: dict[str, Any] = {"count": len(rows), "outcome": outcome, "reason": reason}
        audit.record(actor, "numbers_ended", "lent_number", rows[0].id, first=rows[0].number, **facts)
