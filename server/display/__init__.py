"""The waiting room's page: numbers and rooms, no people. Open to the clinic's network without signing in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import resources
from typing import cast

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from core.schemas.queues import WaitingRoomShape
from core.waiting_room import waiting_room
from server.endpoints.changes import POLL_SECONDS, Follower
from server.security import ClinicNow

router = APIRouter(include_in_schema=False)

ALIVE_SECONDS = 4.0
"""Between signs of life: events, not comments, so that the page's script notices when they stop."""


@router.get("/display")
def page() -> HTMLResponse:
    """The page: one file, no framework, for a TV box's old browser."""
    text = resources.files("server.display").joinpath("page.html").read_text(encoding="utf-8")
    policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"
    return HTMLResponse(text, headers={"Content-Security-Policy": policy, "Cache-Control": "no-cache"})


@router.get("/display/board")
def state(clinic: ClinicNow) -> WaitingRoomShape:
    """The board once, for browsers without event streams."""
    return waiting_room(clinic)


@router.get("/display/events")
async def events(request: Request, clinic: ClinicNow) -> StreamingResponse:
    """The board whenever it changed."""
    follower = cast(Follower, request.app.state.follower)

    async def boards() -> AsyncIterator[str]:
        last, quiet = "", 0.0
        while not follower.closing.is_set() and not await request.is_disconnected():
            now = await run_in_threadpool(waiting_room, clinic)
            text = now.model_dump_json(exclude={"sequence"})
            if text != last:
                last, quiet = text, 0.0
                yield f"id: {now.sequence}\ndata: {text}\n\n"
            await follower.wait(POLL_SECONDS)
            quiet += POLL_SECONDS
            if quiet >= ALIVE_SECONDS:
                quiet = 0.0
                yield "event: alive\ndata: 1\n\n"

    return StreamingResponse(boards(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
