"""Late entries: visits registered after their patients had come, from a printed form or a plain sheet.

The checks of the registration are the same. The visit begins with the true arrival, which also decides the day it
belongs to and the place in the queue; who wrote it and which form it was are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.errors import ValidationError
from core.foundation.permissions import Actor
from core.foundation.statements import create
from core.models import LateEntry, LentNumber, Visit
from core.queues import lent_blocks, paper_forms, tickets
from core.queues.tickets import Place
from core.schemas.registration import LateEntryFields

OLDEST = timedelta(days=7)
"""How long after an arrival it can be entered: an outage over a long holiday. Older ones are history, not visits."""
CLOCKS_DIFFER = timedelta(minutes=2)
"""How far a watch on the wall may run ahead of the clinic's clock."""


def problems(late: LateEntryFields | None) -> dict[str, str]:
    """Return field -> problem code of what cannot be true of a late entry."""
    if late is None:
        return {}
    now = clock.now()
    if late.arrived_at > now + CLOCKS_DIFFER:
        return {"late.arrived_at": "in_future"}
    return {"late.arrived_at": "too_long_ago"} if late.arrived_at < now - OLDEST else {}


@dataclass(frozen=True)
class Held:
    """Number in the hand of somebody who is entered late."""

    form: LentNumber | None = None
    """A printed form."""
    sequence: int | None = None
    """The number of a ticket whose row was lost with a disk: its holder still waits with it."""


def enter(clinic: Clinic, actor: Actor, visit: Visit, late: LateEntryFields, cluster: str) -> Held:
    """Keep what is known of a late entry, and return what the patient has in hand.

    Runs in the registration's transaction.

    Args:
        clinic: The clinic.
        actor: Actor at the counter.
        visit: The visit that was made.
        late: What is known of it.
        cluster: Code of the cluster that the patient goes to.

    Raises:
        ValidationError: `late.paper_number`: the form is unknown, used or ended, or no ticket of this number was lost.
    """
    held = _in_hand(clinic, actor, visit, late.paper_number or "", cluster)
    if held.form is not None:
        paper_forms.use(actor, held.form, visit)
    create(
        LateEntry,
        visit=visit,
        arrived_at=visit.started_at,
        written_by=late.written_by,
        paper=held.form.id if held.form is not None else None,
        entered_at=clock.now(),
        entered_by=actor.account_id,
    )
    return held


def placed(held: Held, visit: Visit, cluster: str, place: Place) -> Place:
    """Return the place that an arrival earned.

    Args:
        held: What the patient has in hand.
        visit: The visit.
        cluster: Code of the cluster that the patient goes to.
        place: The place without it.
    """
    # A form of another cluster is used up all the same: its patient gets a number of the cluster agreed on.
    form = held.form if held.form is not None and held.form.cluster == cluster else None
    return replace(place, arrived_at=visit.started_at, paper=form)


def _in_hand(clinic: Clinic, actor: Actor, visit: Visit, number: str, cluster: str) -> Held:
    if not number:
        return Held()
    if lent_blocks.as_lent(number) is not None:
        return Held(form=lent_blocks.take(clinic, actor, number, visit.service_on))
    if paper_forms.as_printed(number) is not None:
        return Held(form=paper_forms.take(clinic, actor, number))
    sequence = tickets.lost_sequence(clinic, cluster, visit.service_on, number)
    if sequence is None:
        raise ValidationError({"late.paper_number": "paper_unknown"})
    return Held(sequence=sequence)


def audited(late: LateEntryFields | None) -> dict[str, str]:
    """Return what the audit log says of a late entry; nothing of any other."""
    if late is None:
        return {}
    return {
        "late": late.arrived_at.isoformat(timespec="minutes"),
        "written_by": late.written_by,
        "form": late.paper_number or "",
    }
