"""People left in a cluster's queue at its closing hour: those who may stay, and those whom the closing has ended.

Reads only; `core.queues.day_end` takes the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from peewee import fn

from core.foundation import clock, state
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryAction, LeaveReason
from core.foundation.database import connection
from core.foundation.statements import Statement, among, as_row, given
from core.models import QueueEntry, QueueEvent
from core.queues import service_days
from core.queues.entries import is_there, open_entries
from core.schemas.queues import DayEndOut

GOES_ON = timedelta(hours=1)
"""Time for which an answer keeps the people of a cluster; then it is asked again."""
TAKEN_BACK_WITHIN = timedelta(days=3)
"""Time in which what a closing ended can be taken back: over a Sunday and a holiday."""


def present_state(clinic: Clinic, cluster: str) -> DayEndOut:
    """Return how a cluster's day ends, as a pane tells it: numbers only.

    Args:
        clinic: The clinic.
        cluster: Code of the cluster.
    """
    day = service_days.asked_day(clinic, cluster)
    people = len(left_in(clinic, [cluster], day))
    until = goes_on_until(cluster)
    now = clock.now()
    closes = service_days.closes_at(clinic, cluster, day)
    return DayEndOut(
        cluster=cluster,
        closes_at=closes,
        latest_at=service_days.latest_at(clinic, cluster, day),
        people=people,
        asks=people > 0 and until is None and now >= closes - service_days.ASKED_BEFORE,
        goes_on_until=until,
        untold=len(_untold(cluster)),
    )


def fact_key(cluster: str) -> str:
    """Return under which key the newest answer of a cluster is kept."""
    return f"day_end:{cluster}"


def goes_on_until(cluster: str) -> datetime | None:
    """Return until when an answer keeps a cluster's people; one of a clock that ran ahead keeps nobody."""
    text = (state.fact(fact_key(cluster)) or {}).get("until")
    if text is None:
        return None
    until, now = datetime.fromisoformat(text), clock.now()
    return until if now < until <= now + GOES_ON + clock.APART else None


def may_stay(clinic: Clinic, day: date) -> Callable[[QueueEntry], bool]:
    """Return the rule by which the closing of a day leaves an entry open.

    Before the latest hour of the entry's cluster everybody stays, later those of clusters that go on, and whoever
    came, or was brought back, after that hour: they are left to the next closing.

    Args:
        clinic: For its hours, and what its clusters answered.
        day: The day that is closed.
    """
    with connection():
        going_on = {code for code in clinic.clusters if goes_on_until(code) is not None}
        brought_back = _brought_back()

    def stays(entry: QueueEntry) -> bool:
        ended = _newest_ended_day(clinic, entry.cluster, day)
        since = max(entry.started_at, brought_back.get(entry.id, entry.started_at))
        is_due = since < service_days.latest_at(clinic, entry.cluster, ended)
        is_unreal = clock.is_future(entry.started_at) and ended == day
        return entry.cluster in going_on or not (is_due or is_unreal)

    return stays


def _newest_ended_day(clinic: Clinic, cluster: str, day: date) -> date:
    """Return the newest service day of a cluster, up to one, whose latest hour has passed."""
    now = clock.now()
    while service_days.latest_at(clinic, cluster, day) > now:
        day -= service_days.ONE_DAY
    return day


def still_here(clinic: Clinic, day: date) -> int:
    """Return how many people keep a day from being closed: they came before its latest hour, and may stay.

    Clusters that work around the clock keep no day open.

    Args:
        clinic: The clinic.
        day: The day that is closed.
    """
    stays = may_stay(clinic, day)
    by_day = [code for code, cluster in clinic.clusters.items() if cluster.day_ends_at is None]
    with connection():
        return sum(stays(entry) for entry in left_in(clinic, by_day, day))


def left_in(clinic: Clinic, clusters: Sequence[str], day: date) -> list[QueueEntry]:
    """Return the open entries of clusters that came before the latest hour of a day.

    Args:
        clinic: For the hours.
        clusters: Their codes.
        day: The day of service.
    """
    here = [as_row(QueueEntry, _HERE_COLUMNS, cells) for cells in _HERE.rows(clusters=list(clusters))]
    since = _brought_back() if here else {}
    present = {entry.cluster for entry in here}
    latest = {code: service_days.latest_at(clinic, code, day) for code in present}
    future = clock.now() + clock.APART
    return [
        entry
        for entry in here
        if max(entry.started_at, since.get(entry.id, entry.started_at)) < latest[entry.cluster]
        or entry.started_at > future
    ]


_HERE_COLUMNS = ("id", "cluster", "started_at", "service_on")
_HERE = Statement(
    lambda: open_entries(QueueEntry.select(*(getattr(QueueEntry, name) for name in _HERE_COLUMNS))).where(
        among(QueueEntry.cluster, "clusters"), is_there()
    )
)


def _brought_back() -> dict[str, datetime]:
    """Return open entry -> instant of its newest undo: who was brought back in the morning is there since then."""
    latest = clock.now() + clock.APART
    return {entry: datetime.fromisoformat(str(at)) for entry, at in _UNDONE.rows(latest=latest)}


_UNDONE = Statement(
    lambda: (
        QueueEvent.select(QueueEvent.entry, fn.MAX(QueueEvent.at))
        .where(
            QueueEvent.entry.in_(open_entries(QueueEntry.select(QueueEntry.id))),
            QueueEvent.action == EntryAction.UNDO,
            QueueEvent.at <= given("latest"),
        )
        .group_by(QueueEvent.entry)
    )
)


def _untold(cluster: str) -> list[str]:
    """Return the entries that the closing ended since somebody of the cluster has last looked."""
    seen = (state.fact(fact_key(cluster)) or {}).get("seen_at")
    return ids_ended(cluster, datetime.fromisoformat(seen) if seen else None)


def ids_ended(cluster: str, after: datetime | None = None) -> list[str]:
    """Return the entries that the closing, and nobody of the cluster, ended: after an instant, if one is given."""
    now = clock.now()
    since = now - TAKEN_BACK_WITHIN
    if after is not None and not clock.is_future(after):
        since = max(since, after)
    rows = _CLOSED.rows(
        cluster=cluster,
        from_day=(since - 2 * service_days.ONE_DAY).date(),
        since=since,
        latest=now + clock.APART,
    )
    return [entry_id for (entry_id,) in rows]


_CLOSED = Statement(
    lambda: (
        QueueEntry.select(QueueEntry.id)
        .where(
            QueueEntry.cluster == given("cluster"),
            QueueEntry.service_on >= given("from_day"),
            QueueEntry.end_reason == LeaveReason.CLOSED,
            QueueEntry.ended_at > given("since"),
            QueueEntry.ended_at <= given("latest"),
            QueueEntry.voided_at.is_null(),
        )
        .limit(100)
    )
)
