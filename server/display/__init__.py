"""The waiting room's page: numbers and rooms, no people. Open to the clinic's network without signing in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import resources
from typing import cast

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from core import feed, queue_views
from core.clinic import Clinic
from core.database import connection
from core.models import Account, QueueEntry, Ticket
from core.schemas import Shape
from core.vocabulary import EntryStatus
from server.endpoints.changes import HEARTBEAT_SECONDS, POLL_SECONDS, Follower
from server.security import ClinicNow

router = APIRouter(include_in_schema=False)

SHOWN_CALLS = 6
"""Numbers of the last calls that the page lists under the newest one."""


class Call(Shape):
    """One number that is being called or served."""

    number: str
    cluster: str
    room: str
    at: str
    calls: int
    """Grows with each recall, so that the page sounds again."""


class Board(Shape):
    """All that the page shows."""

    sequence: int
    facility: str
    language: str
    waiting: dict[str, int]
    """Cluster name -> how many wait."""
    calls: list[Call]
    """Newest first."""


def board(clinic: Clinic) -> Board:
    """The board as it is in the database now: a restart changes nothing."""
    with connection():
        sequence = feed.newest_sequence()
        rows = (
            QueueEntry.select(QueueEntry, Ticket, Account)
            .join_from(QueueEntry, Ticket)
            .join_from(QueueEntry, Account, on=(QueueEntry.practitioner == Account.id), attr="caller")
            .where(
                QueueEntry.service_on == clinic.today(),
                QueueEntry.status.in_([EntryStatus.CALLED, EntryStatus.IN_SERVICE]),
                QueueEntry.voided_at.is_null(),
            )
            .order_by(QueueEntry.called_at.desc())
            .limit(SHOWN_CALLS)
        )
        calls = [
            Call(
                number=row.ticket.number,
                cluster=clinic.clusters[row.cluster].name,
                room=row.service_point or clinic.clusters[row.cluster].room,
                at=row.called_at.astimezone(clinic.zone).strftime("%H:%M"),
                calls=row.call_count,
            )
            for row in rows
        ]
        waiting = {
            cluster.name: len(queue_views.calling_ids(clinic, cluster.code, clinic.today()))
            for cluster in clinic.clusters.values()
        }
    settings = clinic.settings
    return Board(
        sequence=sequence,
        facility=settings.facility_name,
        language=settings.language,
        waiting=waiting,
        calls=calls,
    )


@router.get("/display")
def page() -> HTMLResponse:
    """The page: one file, no framework, for a TV box's old browser."""
    text = resources.files("server.display").joinpath("page.html").read_text(encoding="utf-8")
    policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"
    return HTMLResponse(text, headers={"Content-Security-Policy": policy, "Cache-Control": "no-cache"})


@router.get("/display/board")
def state(clinic: ClinicNow) -> Board:
    """The board once, for browsers without event streams."""
    return board(clinic)


@router.get("/display/events")
async def events(request: Request, clinic: ClinicNow) -> StreamingResponse:
    """The board whenever it changed."""
    follower = cast(Follower, request.app.state.follower)

    async def boards() -> AsyncIterator[str]:
        last, quiet = "", 0.0
        while not follower.closing.is_set() and not await request.is_disconnected():
            now = await run_in_threadpool(board, clinic)
            text = now.model_dump_json(exclude={"sequence"})
            if text != last:
                last, quiet = text, 0.0
                yield f"id: {now.sequence}\ndata: {text}\n\n"
            await follower.wait(POLL_SECONDS)
            quiet += POLL_SECONDS
            if quiet >= HEARTBEAT_SECONDS:
                quiet = 0.0
                yield ": still here\n\n"

    return StreamingResponse(boards(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
