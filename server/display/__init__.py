"""Serves the waiting room's page: numbers and rooms, no people. Open to the clinic's network without signing in."""

from __future__ import annotations

import asyncio
import time
from importlib import resources

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from core.foundation.clinic import Clinic
from core.queues.waiting_room import waiting_room
from core.schemas.queues import WaitingRoomOut
from server.change_follower import ChangeFollower, follow
from server.security import ClinicNow
from server.stream_places import Listener, PlacedStream, RememberedSources

router = APIRouter(include_in_schema=False)

ALIVE_SECONDS = 4.0
"""Between signs of life on a quiet stream: events, not comments, so that the page's script notices when
they stop."""


OLDEST_SECONDS = 30.0  # a board changes without a commit at midnight only


@router.get("/display")
def page() -> HTMLResponse:
    """Return the page: one file, no framework, for a TV box's old browser."""
    text = resources.files("server.display").joinpath("page.html").read_text(encoding="utf-8")
    policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(text, headers=headers)


@router.get("/display/board")
def state(clinic: ClinicNow) -> WaitingRoomOut:
    """Return the board once, for browsers without event streams."""
    return waiting_room(clinic)


class SharedBoard:
    """The board as one event, read once for all streams whenever something was committed."""

    def __init__(self, clinic: Clinic, follower: ChangeFollower) -> None:
        self._clinic = clinic
        self._follower = follower
        self._reading = asyncio.Lock()
        self._generation: int | None = None
        self._read_at = 0.0
        self._event = ""
        self._text = ""

    async def current(self) -> str:
        """Return the event; the same one as before while nobody would see a difference."""
        async with self._reading:
            now = time.monotonic()
            generation = self._follower.generation
            if generation != self._generation or now - self._read_at > OLDEST_SECONDS:
                board = await run_in_threadpool(waiting_room, self._clinic)
                text = board.model_dump_json(exclude={"sequence"})
                if text != self._text:
                    self._text, self._event = text, f"id: {board.sequence}\ndata: {text}\n\n"
                self._generation, self._read_at = generation, now
        return self._event


class BoardReader:
    """Reads the board for one stream, and keeps what it showed last."""

    def __init__(self, board: SharedBoard) -> None:
        self._board = board
        self._last = ""

    async def read(self) -> str:
        """Return the board as an event; empty when it has not changed."""
        event = await self._board.current()
        if event == self._last:
            return ""
        self._last = event
        return event


async def _listener(request: Request) -> Listener:
    """Return who follows; the page needs no sign-in, so the socket's address is all that is known."""
    source = request.client.host if request.client else ""
    remembered: RememberedSources = request.app.state.remembered_sources
    known = remembered.remembered(source)
    if known is None:
        known = await run_in_threadpool(remembered.is_known, source)
    return Listener(source, is_known=known)


@router.get("/display/events", response_model=None)
async def events(request: Request) -> PlacedStream:
    """Send the board whenever it has changed."""
    state = request.app.state
    boards = follow(
        state.follower,
        request,
        BoardReader(state.shared_board).read,
        quiet_seconds=ALIVE_SECONDS,
        sign_of_life="event: alive\ndata: 1\n\n",
    )
    return PlacedStream(boards, state.stream_places, await _listener(request))
