"""The half-typed registration as it is kept on the server, one for each account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.identifiers import new_id
from core.schemas.patients import PatientShape
from core.schemas.registration import DraftShape, Receipt
from tui.client import CoreClient, Refused

DRAFT_KEY = "registration"


@dataclass(frozen=True)
class Draft:
    """What was left unfinished.

    Attributes:
        registration_id: The id it was or will be sent with: a save that succeeded unseen is found by it.
        values: Field -> what was typed or chosen.
        patient: Who it is about when they are known already.
        receipt: The receipt, when it was saved and only the answer was lost.
    """

    registration_id: str
    values: dict[str, str]
    patient: PatientShape | None = None
    receipt: Receipt | None = None


def draft_data(
    registration_id: str, values: Mapping[str, str], patient: PatientShape | None, name: str
) -> dict[str, Any]:
    """A form as `PUT drafts/registration` takes it; `name` is what the clerk is reminded with."""
    patient_id = patient.id if patient is not None else None
    return {"id": registration_id, "label": name, "patient_id": patient_id, "values": dict(values)}


def label_of(draft: DraftShape) -> str:
    """What the clerk is reminded with: the name, or the first thing that was typed instead."""
    typed = [str(value) for value in dict(draft.data.get("values", {})).values() if value]
    return str(draft.data.get("label") or next(iter(typed), "?"))


async def take_up(client: CoreClient, data: Mapping[str, Any]) -> Draft:
    """Turn a kept draft back into a form, and find out whether it was saved meanwhile.

    Raises:
        Refused: The patient cannot be read any more.
        UnreachableError: The core does not answer.
    """
    patient_id = data.get("patient_id")
    registration_id = str(data.get("id") or "") or new_id()
    try:
        receipt = await client.receipt(registration_id)
    except Refused as refusal:
        if refusal.code != "not_found":
            raise
        receipt = None
    return Draft(
        registration_id,
        {str(name): str(value) for name, value in dict(data.get("values", {})).items()},
        await client.patient(str(patient_id)) if patient_id else None,
        receipt,
    )
