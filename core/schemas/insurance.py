"""BPJS's answer about a person at the counter."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from core.foundation.codes import InsuranceStatus, Payer, Sex
from core.schemas.base import Line, Schema


class InsuranceQuery(Schema):
    """`POST insurance/check`: a NIK, a card's number, or both; the card counts first."""

    nik: Annotated[Line, Field(max_length=32)] = ""
    bpjs_number: Annotated[Line, Field(max_length=32)] = ""


class PayerFields(Schema):
    """`PUT visits/{id}/payer`: the one who pays."""

    payer: Payer


class InsuranceOut(Schema):
    """BPJS's answer, or why there is none."""

    status: InsuranceStatus
    reason: str = ""
    """BPJS's own words for a membership that is not active."""
    name: str = ""
    birth_date: date | None = None
    sex: Sex | None = None
    nik: str = ""
    bpjs_number: str = ""
    class_name: str = ""
    kind: str = ""
    """Kind of membership, as BPJS names it."""
    payer: Payer | None = None
    """The payer that the kind of membership means."""
    facility_code: str = ""
    facility_name: str = ""
    """Facility at which the person is registered."""
    is_own_member: bool | None = None
    """True if that is this clinic; None where its own number is not set."""
    back_referral: str = ""
    """The programme in which a hospital referred the person back (PRB), in BPJS's words."""
