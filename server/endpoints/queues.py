"""Clusters, queues, and the actions on queue entries."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Query, Response

from core.foundation.codes import EntryAction, Permission
from core.queues import board
from core.queues import day_end as day_ending
from core.queues import service as queueing
from core.queues import views as queue_views
from core.queues.waiting_room import waiting_room
from core.schemas.queues import (
    BoardOut,
    CallNext,
    ClusterOut,
    DayEndCommand,
    DayEndOut,
    EntryCommand,
    EntryOut,
    QueueOut,
    WaitingRoomOut,
)
from core.visits import transfers
from server.resources import resource
from server.security import ActorAtSignIn, ActorNow, ClinicNow

router = resource("queues")

NOT_ASKED_FOR = {EntryAction.ISSUE, EntryAction.CLOSE}
"""Actions of a registration and of the day's closing."""


@router.get("/clusters")
def clusters(actor: ActorAtSignIn, clinic: ClinicNow) -> list[ClusterOut]:
    """Return all clusters with the number of waiting patients and the number last called."""
    return queue_views.clusters(clinic, actor)


@router.get("/waiting-room")
def numbers(actor: ActorNow, clinic: ClinicNow) -> WaitingRoomOut:
    """Return the numbers called or served now, with their rooms; no people."""
    actor.require(Permission.READ_DISPLAY)
    return waiting_room(clinic)


@router.get("/board")
def supervisors_board(
    actor: ActorNow, clinic: ClinicNow, day: Annotated[date | None, Query(alias="date")] = None
) -> BoardOut:
    """Return all clusters at once: waits, services, staff, the day in half hours; no patients."""
    return board.board(clinic, actor, day)


@router.get("/queues/{cluster}")
def queue(
    cluster: str,
    actor: ActorNow,
    clinic: ClinicNow,
    day: Annotated[date | None, Query(alias="date")] = None,
    open_only: Annotated[bool, Query(alias="open")] = False,
    seen_by: Annotated[str, Query(max_length=8000)] = "",
) -> QueueOut:
    """Return one cluster's queue in calling order; with `open` without entries that have ended.

    A door reads for many: `seen_by` names the accounts on whose screens the pane is, by id with commas.
    """
    return queue_views.queue(clinic, actor, cluster, day, open_only=open_only)


@router.get("/queues/{cluster}/day-end")
def day_end(cluster: str, actor: ActorNow, clinic: ClinicNow) -> DayEndOut:
    """Return who is still there at the closing hour, and whom the closing ended by itself."""
    return day_ending.day_end(clinic, actor, cluster)


@router.post("/queues/{cluster}/day-end")
def answer_day_end(cluster: str, actor: ActorNow, clinic: ClinicNow, body: DayEndCommand) -> DayEndOut:
    """Answer for a cluster: its people go on for an hour, or all who are still there are ended."""
    return day_ending.answer(clinic, actor, cluster, body.answer)


@router.get("/queue-entries/{entry_id}")
def entry(entry_id: str, actor: ActorNow, clinic: ClinicNow) -> EntryOut:
    """Return the present state of one entry."""
    return queue_views.entry(clinic, actor, entry_id)


@router.post("/queues/{cluster}/call-next", response_model=EntryOut, responses={204: {"model": None}})
def call_next(
    cluster: str, actor: ActorNow, clinic: ClinicNow, body: CallNext | None = None
) -> EntryOut | Response:
    """Call the first patient; 204 when nobody waits."""
    point = body.service_point if body else ""
    confirmed = body.deceased_confirmed if body is not None else False
    entry = queueing.call_next(clinic, actor, cluster, point, deceased_confirmed=confirmed)
    return entry if entry is not None else Response(status_code=204)


def _endpoint(action: EntryAction) -> None:
    def act(entry_id: str, actor: ActorNow, clinic: ClinicNow, body: EntryCommand | None = None) -> EntryOut:
        command = body or EntryCommand()
        if action is EntryAction.TRANSFER:
            return transfers.transfer(clinic, actor, entry_id, command)
        return queueing.act(clinic, actor, entry_id, action, command)

    act.__doc__ = f"{action.value.capitalize()}: one action on one entry, checked by version."
    router.post(f"/queue-entries/{{entry_id}}/{action}", name=f"{action}_entry")(act)


for _action in EntryAction:
    if _action not in NOT_ASKED_FOR:
        _endpoint(_action)
