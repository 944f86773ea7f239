"""Keeps small facts across restarts, one row of `State` a fact."""

from __future__ import annotations

from typing import Any

from core.foundation.database import transaction
from core.foundation.statements import find
from core.models import State


def fact(key: str) -> dict[str, Any] | None:
    """Return the fact kept under `key`, or None when it was never noted."""
    row: State | None = find(State, key)
    return None if row is None else row.value


def note(key: str, **value: Any) -> None:
    """Keep a fact under `key`, in place of what was there before."""
    with transaction():
        State.insert(key=key, value=value).on_conflict(
            conflict_target=[State.key], update={State.value: value}
        ).execute()


def forget(key: str) -> None:
    """Drop a fact that no longer holds, such as the last error."""
    with transaction():
        State.delete().where(State.key == key).execute()
