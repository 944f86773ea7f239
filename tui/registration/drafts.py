"""Half-typed registrations as they are stored on the server, one draft for each form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.foundation.identifiers import new_id
from core.schemas.patients import PatientOut
from core.schemas.registration import DraftOut, Receipt
from tui.client.core_client import CoreClient
from tui.client.errors import RefusedError, UnreachableError
from tui.registration import asked_forms
from tui.registration.late_entry import PAPER

DRAFT_KIND = "registration"


def new_draft_key() -> str:
    """Return the key of a form that begins now: forms lie beside each other, none overwrites another."""
    return f"{DRAFT_KIND}:{new_id()}"


@dataclass(frozen=True)
class RegistrationDraft:
    """An unfinished registration.

    Attributes:
        registration_id: The id under which it was or will be sent; it finds a save whose answer was lost.
        values: Field -> value that was typed or chosen.
        patient: The patient, when already known.
        receipt: The receipt, when it was saved and only the answer was lost.
        key: Key of the draft on the server.
    """

    registration_id: str
    values: dict[str, str]
    patient: PatientOut | None = None
    receipt: Receipt | None = None
    key: str = field(default_factory=new_draft_key)


def draft_data(
    registration_id: str, values: Mapping[str, str], patient: PatientOut | None, name: str
) -> dict[str, Any]:
    """Return the body of `PUT drafts/{key}`.

    Args:
        registration_id: The id under which the registration will be sent.
        values: Field -> value that was typed or chosen.
        patient: The patient, when already known.
        name: Label by which the clerk recognises the draft.
    """
    patient_id = patient.id if patient is not None else None
    return {"id": registration_id, "label": name, "patient_id": patient_id, "values": dict(values)}


def label_of(draft: DraftOut) -> str:
    """Return the label of a draft: the name, or the first other value that was typed."""
    typed = [str(value) for value in dict(draft.data.get("values", {})).values() if value]
    return str(draft.data.get("label") or next(iter(typed), "?"))


def complaint_of(draft: DraftOut) -> str:
    """Return the complaint in a draft; empty before it was typed."""
    return str(dict(draft.data.get("values", {})).get("chief_complaint") or "")


def paper_of(draft: DraftOut) -> str:
    """Return the number of the printed form that the patient got; empty where there is none."""
    return str(dict(draft.data.get("values", {})).get(PAPER) or "")


async def unfinished(client: CoreClient, *, at_counter: bool = False) -> list[DraftOut]:
    """Return one's own unfinished registrations, the newest first; before them what the core asks this counter.

    Args:
        client: One's own calls.
        at_counter: Whether the terminal speaks to a counter's own machine.

    Raises:
        RefusedError: The core refuses it.
        UnreachableError: The core does not answer.
    """
    asked = await asked_forms.asked(client) if at_counter else []
    return asked + [draft for draft in await client.drafts.all(DRAFT_KIND) if draft.data]


async def drop(client: CoreClient, key: str, reason: str = "registered") -> None:
    """Delete a form that is saved or not wanted; a question of the core's is answered by it.

    Args:
        client: One's own calls.
        key: Key of the form.
        reason: Why a number that was given out without the core, and was not used, is voided.

    Raises:
        RefusedError: The core refuses it.
        UnreachableError: The core does not answer.
    """
    if asked_forms.is_question(key):
        await asked_forms.settle(client, key, reason)
    else:
        await client.drafts.drop(key)


async def take_up(client: CoreClient, draft: DraftOut) -> RegistrationDraft:
    """Turn a draft back into a form, and find out whether it was saved meanwhile.

    Raises:
        RefusedError: The patient cannot be read any more.
        UnreachableError: The core does not answer.
    """
    data = draft.data
    patient_id = data.get("patient_id")
    registration_id = str(data.get("id") or "") or new_id()
    receipt = await _receipt_of(client, registration_id, must_answer=bool(patient_id))
    return RegistrationDraft(
        registration_id,
        {str(name): str(value) for name, value in dict(data.get("values", {})).items()},
        await client.patients.get(str(patient_id)) if patient_id else None,
        receipt,
        draft.key,
    )


async def _receipt_of(client: CoreClient, registration_id: str, *, must_answer: bool) -> Receipt | None:
    """Return the receipt of a form that was saved before; None for one that was not, as far as anybody answers.

    Args:
        client: One's own calls.
        registration_id: Id under which the form was or will be sent: sent again it is saved once all the same.
        must_answer: Whether the core is needed for the rest of the form as well.
    """
    try:
        return await client.registrations.receipt(registration_id)
    except RefusedError as refusal:
        if refusal.code != "not_found":
            raise
    except UnreachableError:
        if must_answer:
            raise
    return None
