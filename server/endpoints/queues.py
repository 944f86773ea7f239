"""Clusters, panes, and what is done to queue entries."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response

from core import board, queue_views, queueing
from core.schemas.queues import (
    BoardShape,
    CallNext,
    ClusterShape,
    EntryCommand,
    EntryShape,
    QueueShape,
    WaitingRoomShape,
)
from core.vocabulary import EntryAction, Permission
from core.waiting_room import waiting_room
from server.security import ActorNow, ClinicNow

router = APIRouter(tags=["queues"])

ACTIONS = {
    name: EntryAction(name)
    for name in (
        "call", "recall", "skip", "hold", "resume", "start", "finish", "prioritise", "transfer", "send", "return",
        "cancel", "leave", "undo",
    )
}  # fmt: skip


@router.get("/clusters")
def clusters(actor: ActorNow, clinic: ClinicNow) -> list[ClusterShape]:
    """All clusters with how many wait and the number last called."""
    return queue_views.clusters(clinic, actor)


@router.get("/waiting-room")
def numbers(actor: ActorNow, clinic: ClinicNow) -> WaitingRoomShape:
    """The numbers called or served now, with their rooms; no people."""
    actor.require(Permission.READ_DISPLAY)
    return waiting_room(clinic)


@router.get("/board")
def supervisors_board(
    actor: ActorNow, clinic: ClinicNow, day: Annotated[date | None, Query(alias="date")] = None
) -> BoardShape:
    """All clusters at once: waits, services, staff, the day in half hours; no patients."""
    return board.board(clinic, actor, day)


@router.get("/queues/{cluster}")
def queue(
    cluster: str,
    actor: ActorNow,
    clinic: ClinicNow,
    day: Annotated[date | None, Query(alias="date")] = None,
    open_only: Annotated[bool, Query(alias="open")] = False,
) -> QueueShape:
    """One cluster's pane, in calling order; with `open` without those whose turn is over."""
    return queue_views.queue(clinic, actor, cluster, day, open_only=open_only)


@router.get("/queue-entries/{entry_id}")
def entry(entry_id: str, actor: ActorNow, clinic: ClinicNow) -> EntryShape:
    """One entry as it stands now."""
    return queue_views.entry(clinic, actor, entry_id)


@router.post("/queues/{cluster}/call-next", response_model=EntryShape, responses={204: {"model": None}})
def call_next(
    cluster: str, actor: ActorNow, clinic: ClinicNow, body: CallNext | None = None
) -> EntryShape | Response:
    """Call whoever is first; 204 when nobody waits."""
    point = body.service_point if body else ""
    entry = queueing.call_next(clinic, actor, cluster, point)
    return entry if entry is not None else Response(status_code=204)


def _endpoint(action: EntryAction) -> None:
    def act(
        entry_id: str, actor: ActorNow, clinic: ClinicNow, body: EntryCommand | None = None
    ) -> EntryShape:
        return queueing.act(clinic, actor, entry_id, action, body or EntryCommand())

    act.__doc__ = f"{action.value.capitalize()}: one action on one entry, checked by version."
    router.post(f"/queue-entries/{{entry_id}}/{action}", name=f"{action}_entry")(act)


for _action in ACTIONS.values():
    _endpoint(_action)
