"""BPJS: who is insured, and the visits that it has."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Path, Query

from core.exchange.bpjs import code_mapping, eligibility, pcare_views, referral_lists, referral_views
from core.foundation.database import connection
from core.schemas.base import Identifier
from core.schemas.bpjs import (
    BpjsCodeFields,
    BpjsCodesOut,
    BpjsListItemOut,
    BpjsStatusOut,
    BpjsVisitOut,
    ReferralListOut,
    ReferralOut,
)
from core.schemas.insurance import InsuranceOut, InsuranceQuery, PayerFields
from core.visits import payers
from server.resources import resource
from server.security import ActorNow, ClinicNow
from server.text import problem_words

router = resource("insurance")


@router.post("/insurance/check")
def check_insurance(body: InsuranceQuery, actor: ActorNow, clinic: ClinicNow) -> InsuranceOut:
    """Ask BPJS whether a person is insured, where, and under which name and birth date."""
    return eligibility.check(clinic, actor, body)


@router.get("/bpjs")
def bpjs_status(actor: ActorNow, clinic: ClinicNow) -> BpjsStatusOut:
    """Return how far the visits of insured people are at BPJS, and the last proof of a day."""
    with connection():
        status = pcare_views.status(clinic, actor)
    status.told = problem_words.told(status.last_error)
    return status


@router.get("/bpjs/set-aside")
def bpjs_set_aside(actor: ActorNow, clinic: ClinicNow) -> list[BpjsVisitOut]:
    """Return the visits that BPJS refused, or that lack something, with its own words."""
    with connection():
        return pcare_views.set_aside(clinic, actor)


@router.post("/bpjs/set-aside/{visit_id}/send-again", status_code=204)
def bpjs_send_again(visit_id: Identifier, actor: ActorNow, clinic: ClinicNow) -> None:
    """Let a visit that was set aside be sent again."""
    with connection():
        pcare_views.send_again(clinic, actor, visit_id)


@router.put("/visits/{visit_id}/payer", status_code=204)
def change_payer(visit_id: Identifier, body: PayerFields, actor: ActorNow) -> None:
    """Say who pays for a visit that is saved."""
    with connection():
        payers.change_payer(actor, visit_id, body.payer)


@router.get("/bpjs/codes")
def bpjs_codes(actor: ActorNow, clinic: ClinicNow) -> BpjsCodesOut:
    """Return what needs a code at BPJS with the code it has, first what has none."""
    with connection():
        return code_mapping.mapping(clinic, actor)


@router.put("/bpjs/codes", status_code=204)
def map_bpjs_code(body: BpjsCodeFields, actor: ActorNow, clinic: ClinicNow) -> None:
    """Say which code BPJS has for a cluster, a doctor, a medicine or a procedure."""
    with connection():
        code_mapping.map_code(clinic, actor, body.kind, body.ours, body.theirs, body.name)


@router.get("/bpjs/lists/{kind}")
def bpjs_list(
    kind: Annotated[str, Path(max_length=16)],
    actor: ActorNow,
    clinic: ClinicNow,
    q: Annotated[str, Query(max_length=80)] = "",
) -> list[BpjsListItemOut]:
    """Return items of a list of BPJS's that fit the words, to choose a code from."""
    return code_mapping.offered(clinic, actor, kind, q)


@router.get("/bpjs/referral-lists/{kind}")
def bpjs_referral_list(
    kind: Annotated[str, Path(max_length=16)],
    actor: ActorNow,
    clinic: ClinicNow,
    of: Annotated[str, Query(max_length=8)] = "",
    means: Annotated[str, Query(max_length=4)] = "",
    on: date | None = None,
    q: Annotated[str, Query(max_length=80)] = "",
    diagnosis: Annotated[str, Query(max_length=8)] = "",
) -> ReferralListOut:
    """Return a list of BPJS's for a referral, or what is known of it where BPJS does not answer.

    Args:
        kind: `specialist`, `subspecialist`, `means` or `facility`.
        actor: Who refers.
        clinic: The clinic.
        of: The specialist of subspecialists, the subspecialist of facilities.
        means: Code of the means that a facility must have.
        on: The day on which a facility is to take the patient.
        q: Words that an item must hold.
        diagnosis: First diagnosis of whoever is referred.
    """
    query = referral_lists.ReferralQuery(kind, of, means, on, q, diagnosis)
    return referral_lists.offered(clinic, actor, query)


@router.get("/bpjs/referrals")
def bpjs_referrals(actor: ActorNow, clinic: ClinicNow) -> list[ReferralOut]:
    """Return the referrals of late of one's clusters, each with BPJS's number once it has come."""
    with connection():
        return referral_views.referrals(clinic, actor)
