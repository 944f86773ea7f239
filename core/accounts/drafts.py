"""Half-typed forms, kept by account so that a broken line or server loses at most one field."""

from __future__ import annotations

from typing import Any

from core.foundation import clock
from core.foundation.database import connection, document_text, transaction
from core.foundation.errors import NotFoundError, RuleError
from core.foundation.permissions import Actor
from core.models import Draft
from core.schemas.registration import DraftOut

MOST_DRAFTS = 50  # of one account
MOST_BYTES = 1024 * 1024  # of all of them


def save(actor: Actor, key: str, data: dict[str, Any]) -> None:
    """Store a half-typed form in place of an earlier one.

    Args:
        actor: Owner of the draft.
        key: The form.
        data: Field -> text.

    Raises:
        RuleError: `too_many_drafts`.
    """
    with transaction():
        Draft.delete().where(Draft.account == actor.account_id, Draft.key == key).execute()
        _require_room(actor, data)
        Draft.create(account=actor.account_id, key=key, data=data, saved_at=clock.now())


def _require_room(actor: Actor, data: dict[str, Any]) -> None:
    """Refuse more drafts than anybody types: they would fill the disk and every backup.

    Raises:
        RuleError: `too_many_drafts`.
    """
    kept = [
        document_text(row.data) for row in Draft.select(Draft.data).where(Draft.account == actor.account_id)
    ]
    size = sum(len(text.encode()) for text in [*kept, document_text(data)])
    if len(kept) >= MOST_DRAFTS or size > MOST_BYTES:
        raise RuleError("too_many_drafts", most=MOST_DRAFTS)


def read(actor: Actor, key: str) -> DraftOut:
    """Return the actor's own draft.

    Raises:
        NotFoundError: There is no such draft.
    """
    with connection():
        row = Draft.get_or_none(Draft.account == actor.account_id, Draft.key == key)
        if row is None:
            raise NotFoundError("draft", key)
        return DraftOut(key=row.key, data=row.data, saved_at=row.saved_at)


def read_all(actor: Actor, kind: str) -> list[DraftOut]:
    """Return the actor's own drafts of one kind of form, the newest first.

    Args:
        actor: Owner of the drafts.
        kind: Beginning of their keys, up to the colon: `registration` of `registration:01a2...`.
    """
    with connection():
        own = Draft.select().where(Draft.account == actor.account_id).order_by(Draft.saved_at.desc())
        return [
            DraftOut(key=row.key, data=row.data, saved_at=row.saved_at)
            for row in own
            if row.key.partition(":")[0] == kind
        ]


def drop(actor: Actor, key: str) -> None:
    """Delete a draft; a missing one is no error."""
    with transaction():
        Draft.delete().where(Draft.account == actor.account_id, Draft.key == key).execute()
