"""Half-typed forms, kept for the person who types them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Response

from core.accounts import drafts
from core.schemas.registration import DraftFields, DraftOut
from server.resources import resource
from server.security import ActorNow

router = resource("drafts")
DraftKey = Annotated[str, Path(max_length=80)]
DraftKind = Annotated[str, Query(max_length=80)]


@router.get("/drafts")
def read_drafts(kind: DraftKind, actor: ActorNow) -> list[DraftOut]:
    """Return one's own drafts of one kind of form, the newest first."""
    return drafts.read_all(actor, kind)


@router.get("/drafts/{key}")
def read_draft(key: DraftKey, actor: ActorNow) -> DraftOut:
    """Return one's own half-typed form."""
    return drafts.read(actor, key)


@router.put("/drafts/{key}", status_code=204)
def save_draft(key: DraftKey, body: DraftFields, actor: ActorNow) -> Response:
    """Save a half-typed form."""
    drafts.save(actor, key, body.data)
    return Response(status_code=204)


@router.delete("/drafts/{key}", status_code=204)
def drop_draft(key: DraftKey, actor: ActorNow) -> Response:
    """Delete a half-typed form."""
    drafts.drop(actor, key)
    return Response(status_code=204)
