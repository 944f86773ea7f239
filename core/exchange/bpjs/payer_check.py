"""The payer of somebody about whom BPJS gave no answer at the counter: asked again by the daily work.

Only where nobody at the counter chose a payer: BPJS's word is surer than a default, and less than a clerk's.
"""

from __future__ import annotations

from core.exchange import outbox
from core.exchange.bpjs import eligibility
from core.exchange.bpjs.bpjs_link import BpjsLink
from core.foundation.codes import JKN_PAYERS, InsuranceStatus, PayerSource, VisitStatus
from core.foundation.config import Settings
from core.foundation.database import transaction
from core.models import BpjsVisit, Patient, Visit
from core.records.pcare_form import INSURED

ASSUMED = frozenset({PayerSource.DEFAULT, PayerSource.LAST_VISIT})
"""Origins of a payer that nobody has said for this visit."""


def is_open(visit: Visit, row: BpjsVisit) -> bool:
    """Return whether BPJS has still to be asked who pays for a visit.

    Args:
        visit: With its patient.
        row: What is known of it at BPJS.
    """
    if visit.payer in INSURED or visit.payer_source not in ASSUMED:
        return False
    if visit.status == VisitStatus.CANCELLED or visit.voided_at is not None:
        return False
    return row.change == 0 or visit.patient.updated_at > row.updated_at


def is_unasked(visit: Visit, row: BpjsVisit | None) -> bool:
    """Return whether P-Care has yet to say if it pays for somebody whom it can be asked about.

    Args:
        visit: With its patient.
        row: What is known of it at BPJS; None before the first question.
    """
    has_number = bool(visit.patient.nik or visit.patient.bpjs_number)
    is_assumed = visit.payer not in INSURED and visit.payer_source in ASSUMED
    is_asked = row is not None and row.change > 0
    return is_assumed and has_number and not is_asked


def learn(settings: Settings, link: BpjsLink, visit: Visit) -> None:
    """Ask whether the patient is insured; if so BPJS pays, and the visit is entered there with the next run.

    Args:
        settings: For the clinic's own number.
        link: The line to P-Care.
        visit: With its patient.

    Raises:
        TryAgainError: No answer.
        SyncError: BPJS does not let this clinic in.
    """
    patient: Patient = visit.patient
    path = eligibility.path_of(patient.bpjs_number or "", patient.nik or "")
    if path is None:
        return
    person = eligibility.ask(settings, link, path)
    is_other = not patient.birth_date_estimated and person.birth_date not in {None, patient.birth_date}
    if person.status is not InsuranceStatus.ACTIVE or is_other:
        return
    with transaction():
        changed = (
            Visit.update(payer=person.payer or JKN_PAYERS[0], payer_source=PayerSource.BPJS)
            .where(Visit.id == visit.id, Visit.payer_source.in_(list(ASSUMED)))
            .execute()
        )
        if changed:
            outbox.enqueue(outbox.VISIT, visit.id)
