"""The change feed as server-sent events that resume where a client stopped."""

from __future__ import annotations

import contextlib
import json
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from typing import Annotated

from fastapi import Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from core.accounts import sign_ins
from core.foundation import audit_reads, clock, feed
from core.foundation.clinic import Clinic
from core.foundation.codes import Permission
from core.foundation.database import connection, tuples
from core.foundation.errors import NotSignedInError
from core.foundation.permissions import Actor
from core.models import Change, QueueEntry, Visit
from core.queues.views import entry_out, for_display
from core.schemas.queues import ChangeOut, EntryOut
from server.change_follower import ChangeFollower, follow
from server.resources import resource
from server.security import ActorNow, ClinicNow, SecretNow, peer
from server.stream_places import Listener, PlacedStream

router = resource("queues")

HEARTBEAT_SECONDS = 15.0  # between comments on a quiet line, so that both ends notice a dead one
CACHED_CHANGES = 500  # rendered events that are kept: more than the busiest minute brings
PUBLIC_KINDS = frozenset({"entry", "day_closed"})
"""Kinds of change that the waiting room may see; the others tell what happens inside."""
FASTEST_HEARTBEAT = 1
INSIDE_KINDS = frozenset({sign_ins.ENDED})
"""Kinds that only doors are told: their screens belong to many accounts. All others just lose their stream."""
EVENT_ID = re.compile("[0-9]{1,18}")
"""Form of this feed's event ids; anything else in Last-Event-ID is another feed's."""


class View(StrEnum):
    """Part of a patient that a stream shows."""

    NUMBERS = "numbers"
    PEOPLE = "people"
    COMPLAINTS = "complaints"


VIEWS: dict[View, Callable[[EntryOut], EntryOut]] = {
    View.NUMBERS: for_display,
    View.PEOPLE: EntryOut.without_findings,
    View.COMPLAINTS: lambda entry: entry,
}
"""What a stream shows of an entry."""


def view_of(actor: Actor, cluster: str | None) -> View:
    """Return what an account sees of the entries of a cluster.

    Raises:
        NotAllowedError: The role may not even see the waiting room.
    """
    actor.require(Permission.READ_DISPLAY)
    if not actor.can(Permission.READ_QUEUES):
        return View.NUMBERS
    return View.COMPLAINTS if actor.sees_complaints(cluster or "") else View.PEOPLE


class RenderedChanges:
    """The newest changes as events, each rendered once for all streams."""

    def __init__(self) -> None:
        self._events: OrderedDict[tuple[int, View], str] = OrderedDict()

    def event(self, clinic: Clinic, change: Change, view: View) -> str:
        """Return one change as an event.

        Args:
            clinic: The clinic.
            change: The change.
            view: How much of a patient it shows.
        """
        key = (change.sequence, view)
        if key not in self._events:
            self._events[key] = _render(clinic, change, view)
            while len(self._events) > CACHED_CHANGES:
                self._events.popitem(last=False)
        return self._events[key]


def _render(clinic: Clinic, change: Change, view: View) -> str:
    numbers_only = view is View.NUMBERS
    entry = entry_out(clinic, change.entry_id) if change.entry_id else None
    if entry is not None:
        entry = VIEWS[view](entry)
    answer = ChangeOut(
        sequence=change.sequence,
        kind=change.kind,
        cluster=change.cluster,
        entry=entry,
        data=change.data if not numbers_only else {"action": change.data.get("action", "")},
    )
    return f"id: {change.sequence}\nevent: change\ndata: {answer.model_dump_json()}\n\n"


@dataclass(frozen=True)
class Wanted:
    """Changes that one stream is told.

    Attributes:
        inside: Also what only doors are told.
        quiet: Nothing: the stream only ends with the sign-in.
        heartbeat: Longest silence, in seconds.
    """

    inside: bool = False
    quiet: bool = False
    heartbeat: float = HEARTBEAT_SECONDS

    def takes(self, kind: str, numbers_only: bool) -> bool:
        """Return whether the stream is told of this kind of change."""
        if self.quiet or (numbers_only and kind not in PUBLIC_KINDS):
            return False
        return self.inside or kind not in INSIDE_KINDS


class FeedReader:
    """Reads the change feed for one stream, and keeps its position."""

    def __init__(
        self,
        clinic: Clinic,
        rendered: RenderedChanges,
        secret: str,
        after: int,
        wanted: Wanted,
        follower: ChangeFollower,
    ) -> None:
        self._follower = follower
        self._generation: int | None = None
        self._ends_at = clock.now()
        self._clinic = clinic
        self._rendered = rendered
        self._secret = secret
        self._after = after
        self._wanted = wanted

    async def read(self) -> str:
        """Return the next page of events; empty when there is nothing new.

        The database is asked only when something was committed: the end of a sign-in is, too, unless its time is up.

        Raises:
            NotSignedInError: The token has ended; a stream outlives many sign-ins.
        """
        generation = self._follower.generation
        if generation == self._generation and clock.now() < self._ends_at:
            return ""
        events = await run_in_threadpool(self._read)
        if not events:
            self._generation = generation
        return events

    def _read(self) -> str:
        with connection():
            # Each time: rights and clusters may have changed, or the sign-in ended.
            token = sign_ins.live_token(self._secret)
            actor, self._ends_at = sign_ins.actor_for(token), token.expires_at
            numbers_only = view_of(actor, None) is View.NUMBERS
            while page := _until_end_of(actor.session_id, feed.since(self._after)):
                self._after = page[-1].sequence
                shown = [change for change in page if self._wanted.takes(change.kind, numbers_only)]
                if shown:
                    if not numbers_only and not actor.can(Permission.OPEN_DOOR):
                        _write_shown(actor, shown)
                    return "".join(self._event(actor, change) for change in shown)
        return ""

    def _event(self, actor: Actor, change: Change) -> str:
        return self._rendered.event(self._clinic, change, view_of(actor, change.cluster))


def _write_shown(actor: Actor, changes: list[Change]) -> None:
    """Write whom a stream shows for the first time today; a door's people are named where it reads its panes.

    Raises:
        DatabaseError: The row cannot be written: nothing is sent.
    """
    ids = [change.entry_id for change in changes if change.entry_id]
    rows = (
        QueueEntry.select(QueueEntry.cluster, QueueEntry.service_on, Visit.patient)
        .join(Visit)
        .where(QueueEntry.id.in_(ids or [""]))
    )
    panes: dict[tuple[str, str], list[str]] = {}
    for cluster, day, patient_id in tuples(rows):
        panes.setdefault((cluster, day.isoformat()), []).append(patient_id)
    for (cluster, day_shown), people in panes.items():
        audit_reads.pane_shown(actor, actor.account_id, cluster, day_shown, people)


def _until_end_of(session_id: str, page: list[Change]) -> list[Change]:
    """Return what was written before a sign-in ended: it may have been looked at a moment before that."""

    def ends(change: Change) -> bool:
        return change.kind == sign_ins.ENDED and session_id in change.data.get("sessions", [])

    return list(takewhile(lambda change: not ends(change), page))


async def _stream(
    request: Request, clinic: Clinic, actor: Actor, secret: str, after: int | None, wanted: Wanted
) -> AsyncIterator[str]:
    """Yield the events after `after`, then new ones as they are committed, until the sign-in ends."""
    begin = await run_in_threadpool(_begin, clinic, actor, after)
    if begin != after:
        # Nothing to resume from, an earlier day, or a restored database: the client reads its panes again.
        yield f"id: {begin}\nevent: reset\ndata: {json.dumps({'sequence': begin})}\n\n"
    follower: ChangeFollower = request.app.state.follower
    reader = FeedReader(clinic, request.app.state.rendered_changes, secret, begin, wanted, follower)
    events = follow(
        follower,
        request,
        reader.read,
        quiet_seconds=wanted.heartbeat,
        sign_of_life=": still here\n\n",
    )
    with contextlib.suppress(NotSignedInError):
        async for event in events:
            yield event


def _begin(clinic: Clinic, actor: Actor, after: int | None) -> int:
    """Return the sequence after which a stream begins: where it stopped, but within today.

    What happened on earlier days is in the records and the audit log, for those who may read them; the feed
    would tell anybody who was a patient, and why. Only the admin's tools read it from the first day on.
    """
    with connection():
        newest = feed.newest_sequence()
        if after is None or after >= newest:
            return newest
        if actor.can(Permission.ADMINISTER):
            return after
        return max(after, feed.last_before(clock.start_of(clinic.today(), clinic.zone)))


@router.get("/changes", response_class=StreamingResponse)
async def changes(
    request: Request,
    actor: ActorNow,
    secret: SecretNow,
    clinic: ClinicNow,
    after: Annotated[int | None, Query(ge=0)] = None,
    heartbeat: Annotated[int, Query(ge=FASTEST_HEARTBEAT, le=int(HEARTBEAT_SECONDS))] = int(
        HEARTBEAT_SECONDS
    ),
    quiet: bool = False,
    last_event_id: Annotated[str | None, Header()] = None,
) -> StreamingResponse:
    """Follow the change feed from `after` or Last-Event-ID on, whichever is later.

    The stream ends with the sign-in. With `quiet` it carries nothing else, for a screen that shows no changes but
    has to close at once; `heartbeat` is the longest silence in seconds.

    A browser that reconnects sends its first address again, with the id of the last event it saw.
    """
    view_of(actor, None)
    if last_event_id is not None and EVENT_ID.fullmatch(last_event_id):
        after = max(after or 0, int(last_event_id))
    is_door = actor.can(Permission.OPEN_DOOR)
    wanted = Wanted(is_door, quiet, heartbeat)
    source = await run_in_threadpool(lambda: peer(request).source)
    # Whoever has a token has signed in from somewhere, lately.
    listener = Listener(source, actor.account_id or "", is_known=True, is_door=is_door)
    events = _stream(request, clinic, actor, secret, after, wanted)
    return PlacedStream(events, request.app.state.stream_places, listener)
