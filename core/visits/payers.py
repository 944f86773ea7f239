"""Another payer for a visit that is saved: somebody whose membership does not hold, or whose card came later."""

from __future__ import annotations

from core.exchange import outbox
from core.foundation import audit
from core.foundation.codes import OutboxStatus, Payer, PayerSource, Permission, VisitStatus
from core.foundation.database import transaction
from core.foundation.errors import NotFoundError
from core.foundation.permissions import Actor
from core.models import BpjsVisit, Visit


def change_payer(actor: Actor, visit_id: str, payer: Payer) -> None:
    """Say who pays for a visit. BPJS's books follow by themselves, both ways.

    Args:
        actor: Actor at the counter.
        visit_id: The visit.
        payer: The one who pays.

    Raises:
        NotFoundError: There is no such visit, or it was cancelled.
        NotAllowedError: The actor may not correct patients.
    """
    actor.require(Permission.EDIT_PATIENTS)
    with transaction():
        visit: Visit | None = Visit.get_or_none(
            Visit.id == visit_id, Visit.voided_at.is_null(), Visit.status != VisitStatus.CANCELLED
        )
        if visit is None:
            raise NotFoundError("visit", visit_id)
        if (visit.payer, visit.payer_source) == (payer, PayerSource.CLERK):
            return
        Visit.update(payer=payer, payer_source=PayerSource.CLERK).where(Visit.id == visit.id).execute()
        outbox.enqueue(outbox.VISIT, visit.id)
        BpjsVisit.update(status=OutboxStatus.PENDING).where(
            BpjsVisit.visit == visit.id, BpjsVisit.status == OutboxStatus.REFUSED
        ).execute()
        audit.record(
            actor,
            "payer_changed",
            "visit",
            visit.id,
            visit.patient_id,
            before=visit.payer,
            after=payer.value,
        )
