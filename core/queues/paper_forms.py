"""Numbered paper forms: the numbers on which a counter goes on while no computer answers.

A form's number is drawn from a series of its own, one for each letter that stands before the numbers, and is a row
from the moment it is printed. It is used by one late entry, or ends as returned or voided with a reason. The
series' counter is in the clinic's mark like all others, so that a restore or a promotion gives none out twice; a
form that was printed after the restored backup is known by it and gets its row again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from core.foundation import audit, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import NumberSeries, NumberStatus, Permission
from core.foundation.database import connection, transaction
from core.foundation.errors import NotFoundError, RuleError, ValidationError
from core.foundation.high_water import FOREVER
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.models import LentNumber, Visit
from core.queues import number_series
from core.queues.clusters import Cluster
from core.schemas.queues import PaperFormOut

MOST_AT_ONCE = 100
"""Forms of one print: a stack for a cluster's morning."""
LEAST_READY = 5
"""Forms of a cluster below which more should be printed: half an hour of a morning."""
_NUMBER = re.compile(r"([A-Z]{1,2})-?K0*([1-9]\d{0,3})")
"""`A-K07`, also typed as `ak7`."""


def print_forms(clinic: Clinic, actor: Actor, cluster: str, count: int) -> list[LentNumber]:
    """Reserve the next numbers of a cluster's series for forms that are printed now.

    The clinic's mark holds them before this returns: none is printed that a lost disk could give out again.

    Args:
        clinic: The clinic.
        actor: Actor who prints.
        cluster: Code of a cluster that patients are sent to from the counter.
        count: 1 to `MOST_AT_ONCE`.

    Raises:
        ValidationError: `cluster` (`unknown`, `not_a_first_destination`), `count` (`out_of_range`).
        OSError: The data folder cannot be written.
    """
    actor.require(Permission.RESERVE_NUMBERS)
    known = _first_destination(clinic, cluster)
    if not 1 <= count <= MOST_AT_ONCE:
        raise ValidationError({"count": "out_of_range"})
    with transaction():
        last, at = number_series.draw(_counter(known.prefix), FOREVER, count), clock.now()
        rows = [_lend(actor, known, sequence, at) for sequence in range(last - count + 1, last + 1)]
        audit.record(
            actor, "paper_printed", "lent_number", rows[0].id,
            cluster=cluster, first=rows[0].number, last=rows[-1].number,
        )  # fmt: skip
    clinic.note_mark()
    return rows


def _first_destination(clinic: Clinic, code: str) -> Cluster:
    known: Cluster | None = clinic.clusters.get(code)
    if known is None:
        raise ValidationError({"cluster": "unknown"})
    if known.stage != "first":
        raise ValidationError({"cluster": "not_a_first_destination"})
    return known


def _counter(prefix: str) -> str:
    return f"PAPER {prefix}"


def _lend(actor: Actor, cluster: Cluster, sequence: int, at: datetime) -> LentNumber:
    made: LentNumber = LentNumber.create(
        id=new_id(),
        series=NumberSeries.PAPER,
        cluster=cluster.code,
        service_on=FOREVER,
        sequence=sequence,
        number=_printed(cluster.prefix, sequence),
        status=NumberStatus.LENT,
        lent_at=at,
        lent_by=actor.account_id,
    )
    return made


def _printed(prefix: str, sequence: int) -> str:
    return f"{prefix}-K{sequence:02d}"


def as_printed(text: str) -> str | None:
    """Return a form's number as it is printed, from what somebody typed: `ak7` is `A-K07`; None for anything else."""
    match = _NUMBER.fullmatch(text.strip().upper().replace(" ", ""))
    return _printed(match[1], int(match[2])) if match else None


def take(clinic: Clinic, actor: Actor, typed: str) -> LentNumber:
    """Return the form that a late entry is written from; to be called in its transaction.

    Args:
        clinic: The clinic.
        actor: Actor at the counter.
        typed: The form's number.

    Raises:
        ValidationError: `late.paper_number`: `paper_unknown`; `paper_used`, `paper_returned` or `paper_voided`.
    """
    found = _find(clinic, actor, typed)
    if found is None:
        raise ValidationError({"late.paper_number": "paper_unknown"})
    if found.status != NumberStatus.LENT:
        raise ValidationError({"late.paper_number": f"paper_{found.status}"})
    return found


def _find(clinic: Clinic, actor: Actor, typed: str) -> LentNumber | None:
    number = as_printed(typed)
    if number is None:
        return None
    found: LentNumber | None = LentNumber.get_or_none(
        LentNumber.series == NumberSeries.PAPER, LentNumber.number == number
    )
    return found or _printed_before_a_loss(clinic, actor, number)


def _printed_before_a_loss(clinic: Clinic, actor: Actor, number: str) -> LentNumber | None:
    """Give a form its row again that a restore has lost: the series' counter knows that it was printed."""
    match = _NUMBER.fullmatch(number)
    assert match is not None
    cluster = next((each for each in clinic.clusters.values() if each.prefix == match[1]), None)
    sequence = int(match[2])
    if cluster is None or sequence > _last(cluster.prefix):
        return None
    return _lend(actor, cluster, sequence, clock.now())


def _last(prefix: str) -> int:
    return number_series.last_drawn(_counter(prefix), FOREVER)


def use(actor: Actor, form: LentNumber, visit: Visit) -> None:
    """Note the visit that was registered from a form; runs in the registration's transaction.

    Args:
        actor: Actor at the counter.
        form: The form that was taken.
        visit: The visit.
    """
    form.status, form.visit = NumberStatus.USED, visit
    form.ended_at, form.ended_by_id = clock.now(), actor.account_id
    form.save()


def end(clinic: Clinic, actor: Actor, number: str, outcome: NumberStatus, reason: str) -> LentNumber:
    """End a form that nobody will use: it came back, or it was spoiled, lost or not printed.

    Args:
        clinic: The clinic.
        actor: Actor who ends it.
        number: The form's number.
        outcome: `returned` or `voided`.
        reason: In words.

    Raises:
        NotFoundError: No form has this number.
        RuleError: `paper_ended`: it is used, or ended before.
        ValidationError: `outcome` (`not_a_choice`), `reason` (`required`).
    """
    actor.require(Permission.RESERVE_NUMBERS)
    problems = {
        "outcome": "not_a_choice" if outcome not in {NumberStatus.RETURNED, NumberStatus.VOIDED} else "",
        "reason": "" if reason.strip() else "required",
    }
    if any(problems.values()):
        raise ValidationError({name: code for name, code in problems.items() if code})
    with transaction():
        form = _find(clinic, actor, number)
        if form is None:
            raise NotFoundError("lent_number", number)
        if form.status != NumberStatus.LENT:
            raise RuleError("paper_ended", number=form.number, status=form.status)
        form.status, form.reason = outcome, reason.strip()
        form.ended_at, form.ended_by_id = clock.now(), actor.account_id
        form.save()
        audit.record(
            actor,
            "paper_ended",
            "lent_number",
            form.id,
            number=form.number,
            outcome=outcome,
            reason=form.reason,
        )
    return form


def clusters_without_stack(clinic: Clinic) -> list[str]:
    """Return the codes of the clusters that patients are sent to and for which too few forms are out."""
    out = Counter(
        row.cluster
        for row in LentNumber.select(LentNumber.cluster).where(
            LentNumber.series == NumberSeries.PAPER, LentNumber.status == NumberStatus.LENT
        )
    )
    first = [cluster.code for cluster in clinic.clusters.values() if cluster.stage == "first"]
    return [code for code in first if out[code] < LEAST_READY]


def listed(actor: Actor, status: NumberStatus | None = None) -> list[PaperFormOut]:
    """Return the forms, those printed last first.

    Args:
        actor: Actor who looks.
        status: Only those in this state.
    """
    actor.require(Permission.RESERVE_NUMBERS)
    with connection():
        query = LentNumber.select().where(LentNumber.series == NumberSeries.PAPER)
        if status is not None:
            query = query.where(LentNumber.status == status)
        return shapes(list(query.order_by(LentNumber.lent_at.desc(), LentNumber.sequence)))


def shapes(forms: Sequence[LentNumber]) -> list[PaperFormOut]:
    """Return forms as sent to a terminal."""
    return [PaperFormOut(**_facts(form)) for form in forms]


def _facts(form: LentNumber) -> dict[str, Any]:
    names = ("number", "cluster", "status", "lent_at", "ended_at", "reason", "visit_id")
    return {name: getattr(form, name) for name in names}
