"""The change feed as server-sent events that resume where a client stopped."""

from __future__ import annotations

import asyncio
import json
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from typing import Annotated, cast

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from core import accounts, feed
from core.actors import Actor
from core.clinic import Clinic
from core.database import connection
from core.errors import NotSignedInError
from core.models import Change
from core.queue_views import entry_shape, for_display
from core.schemas.queues import ChangeShape
from core.vocabulary import Permission
from server.security import ActorNow, ClinicNow, SecretNow

router = APIRouter(tags=["queues"])

HEARTBEAT_SECONDS = 15.0  # a comment, so that both ends notice a dead line
POLL_SECONDS = 2.0  # another process may have written: a loket command
CACHED_CHANGES = 500
EVENT_ID = re.compile("[0-9]{1,18}")
"""What this feed gives as an event's id; anything else in Last-Event-ID is another feed's."""


class Follower:
    """Wakes the streams of this process when something was committed."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()
        self._stops: list[Callable[[], None]] = []
        self._cache: OrderedDict[tuple[int, bool], str] = OrderedDict()
        self.closing = asyncio.Event()
        """Set at shutdown, so that streams end and the server need not wait for them."""

    def start(self, database_url: str) -> None:
        """Begin to listen, from the running event loop; to other servers on the same database too."""
        loop = asyncio.get_running_loop()

        def wake_from_any_thread() -> None:
            loop.call_soon_threadsafe(self._wake)

        self._stops = [feed.listen(wake_from_any_thread), feed.hear_other_servers(database_url)]

    def stop(self) -> None:
        """End every stream."""
        for stop in self._stops:
            stop()
        self.closing.set()
        self._wake()

    def _wake(self) -> None:
        for event in self._waiting:
            event.set()

    async def wait(self, seconds: float) -> None:
        """Return when there may be something new, after `seconds` at the latest."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            pass
        finally:
            self._waiting.discard(event)

    def render(self, clinic: Clinic, change: Change, numbers_only: bool) -> str:
        """One change as an event; the same text serves every stream."""
        key = (int(change.sequence), numbers_only)
        if key not in self._cache:
            self._cache[key] = _event(clinic, change, numbers_only)
            while len(self._cache) > CACHED_CHANGES:
                self._cache.popitem(last=False)
        return self._cache[key]


def _event(clinic: Clinic, change: Change, numbers_only: bool) -> str:
    entry = entry_shape(clinic, change.entry_id) if change.entry_id else None
    if entry is not None and numbers_only:
        entry = for_display(entry)
    shape = ChangeShape(
        sequence=change.sequence,
        kind=change.kind,
        cluster=change.cluster,
        entry=entry,
        data=change.data if not numbers_only else {"action": change.data.get("action", "")},
    )
    return f"id: {change.sequence}\nevent: change\ndata: {shape.model_dump_json()}\n\n"


def _read(
    clinic: Clinic, follower: Follower, secret: str, after: int, numbers_only: bool
) -> tuple[int, list[str]]:
    """What came after `after`, for as long as the token is good: a stream outlives many sign-ins.

    Raises:
        NotSignedInError: The token has ended meanwhile.
    """
    with connection():
        accounts.authenticate(secret)
        changes = feed.since(after)
        # The waiting room hears of numbers only; other kinds would tell what happens inside.
        shown = [change for change in changes if not numbers_only or change.kind in {"entry", "day_closed"}]
        events = [follower.render(clinic, change, numbers_only) for change in shown]
    return (int(changes[-1].sequence) if changes else after), events


async def stream(
    clinic: Clinic, follower: Follower, secret: str, after: int | None, numbers_only: bool, request: Request
) -> AsyncIterator[str]:
    """Events after `after`, then whatever comes, with comments while nothing does, until the sign-in ends."""
    newest = await run_in_threadpool(_newest)
    if after is None or after > newest:
        # Nothing to resume from (or a restored database is behind): the client reads its panes anew.
        yield f"id: {newest}\nevent: reset\ndata: {json.dumps({'sequence': newest})}\n\n"
    sequence = newest if after is None else min(after, newest)
    quiet = 0.0
    while not follower.closing.is_set() and not await request.is_disconnected():
        try:
            sequence, events = await run_in_threadpool(
                _read, clinic, follower, secret, sequence, numbers_only
            )
        except NotSignedInError:
            return
        if events:
            quiet = 0.0
            yield "".join(events)
            continue
        await follower.wait(POLL_SECONDS)
        quiet += POLL_SECONDS
        if quiet >= HEARTBEAT_SECONDS:
            quiet = 0.0
            yield ": still here\n\n"


def _newest() -> int:
    with connection():
        return feed.newest_sequence()


def sees_numbers_only(actor: Actor) -> bool:
    """Whether a role gets numbers without patients."""
    actor.require(Permission.READ_DISPLAY)
    return not actor.can(Permission.READ_QUEUES)


@router.get("/changes", response_class=StreamingResponse)
async def changes(
    request: Request,
    actor: ActorNow,
    secret: SecretNow,
    clinic: ClinicNow,
    after: Annotated[int | None, Query(ge=0)] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> StreamingResponse:
    """Follow the change feed from `after` or Last-Event-ID on, whichever is later.

    A browser that reconnects sends its first address again, with the id of the last event it saw.
    """
    if last_event_id is not None and EVENT_ID.fullmatch(last_event_id):
        after = max(after or 0, int(last_event_id))
    follower = cast(Follower, request.app.state.follower)
    return StreamingResponse(
        stream(clinic, follower, secret, after, sees_numbers_only(actor), request),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
