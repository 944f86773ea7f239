"""Half-typed forms, kept per person so that a broken line or server loses at most one field."""

from __future__ import annotations

from typing import Any

from core import clock
from core.actors import Actor
from core.database import connection, transaction
from core.errors import NotFoundError
from core.models import Draft
from core.schemas.registration import DraftShape


def save(actor: Actor, key: str, data: dict[str, Any]) -> None:
    """Keep something half-typed; the newest one stands."""
    with transaction():
        Draft.delete().where(Draft.account == actor.account_id, Draft.key == key).execute()
        Draft.create(account=actor.account_id, key=key, data=data, saved_at=clock.now())


def read(actor: Actor, key: str) -> DraftShape:
    """One's own draft.

    Raises:
        NotFoundError: There is none.
    """
    with connection():
        row = Draft.get_or_none(Draft.account == actor.account_id, Draft.key == key)
        if row is None:
            raise NotFoundError("draft", key)
        return DraftShape(key=row.key, data=row.data, saved_at=row.saved_at)


def drop(actor: Actor, key: str) -> None:
    """Forget a draft; none is no error."""
    with transaction():
        Draft.delete().where(Draft.account == actor.account_id, Draft.key == key).execute()
