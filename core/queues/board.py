"""The supervisor's board: all clusters, the staff at work, arrivals and waits over the day. No patients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from statistics import median

from core.foundation import clock, feed
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryStatus, Permission, Role
from core.foundation.database import connection, instant_text
from core.foundation.permissions import Actor
from core.models import Account, QueueEntry, QueueEvent, Ticket, Token
from core.queues import places, service_days
from core.queues.entries import present
from core.queues.place_queries import CALLABLE
from core.queues.views import minutes_between
from core.schemas.queues import BoardCluster, BoardOut, BoardPeriod, BoardStaff

PERIOD = timedelta(minutes=30)  # one bar of the board
FIRST_HOUR = time(7)
"""Local time at which the board's day begins; earlier arrivals begin it earlier."""
STAFF_ROLES = (Role.CLINICIAN, Role.LAB, Role.PHARMACIST)
AT_WORK = (EntryStatus.CALLED, EntryStatus.IN_SERVICE, EntryStatus.ON_HOLD)


def board(clinic: Clinic, actor: Actor, day: date | None = None) -> BoardOut:
    """Return the board of a day, today unless given.

    Args:
        clinic: The clinic.
        actor: Actor who reads.
        day: The clinic's day.

    Raises:
        NotAllowedError: The role may not read reports.
    """
    actor.require(Permission.READ_REPORTS)
    today = clinic.today()
    day = day or today
    with connection():
        sequence = feed.newest_sequence()
        rows = _entries(clinic, None if day == today else day)
        staff = _staff(clinic, day, rows)
    now = clock.now()
    return BoardOut(
        date=day,
        sequence=sequence,
        clusters=[
            _cluster(cluster.code, [row for row in rows if row.cluster == cluster.code], now)
            for cluster in clinic.clusters.values()
        ],
        staff=staff,
        periods=_periods(clinic, day, rows, now),
    )


def _entries(clinic: Clinic, day: date | None) -> list[QueueEntry]:
    """Return the entries of a day; None: of the present one, with those of other days who are still there."""
    query = QueueEntry.select(QueueEntry, Ticket).join(Ticket)
    if day is None:
        return list(present(query, service_days.present_days(clinic)))
    return list(query.where(QueueEntry.service_on == day, QueueEntry.voided_at.is_null()))


def _cluster(code: str, rows: Sequence[QueueEntry], now: datetime) -> BoardCluster:
    waiting = [row for row in rows if row.status in CALLABLE]
    at_work = sum(row.status in AT_WORK for row in rows)
    minutes = _minutes_per_call(rows)
    ahead = len(waiting) + at_work
    return BoardCluster(
        code=code,
        waiting=len(waiting),
        longest_wait_minutes=max((minutes_between(row.started_at, now) for row in waiting), default=None),
        at_work=at_work,
        served=sum(row.served_at is not None and row.ended_at is not None for row in rows),
        left=sum(row.status == EntryStatus.LEFT for row in rows),
        expected_end_at=now + timedelta(minutes=ahead * minutes) if ahead and minutes is not None else None,
    )


def _minutes_per_call(rows: Iterable[QueueEntry]) -> float | None:
    """Return the minutes between two calls, as a pane tells them."""
    done = [row for row in rows if row.served_at is not None and row.ended_at is not None]
    done.sort(key=lambda row: (clock.known(row.ended_at), row.id))
    return places.pace(
        tuple(
            (
                instant_text(clock.known(row.served_at)),
                instant_text(clock.known(row.ended_at)),
                row.practitioner_id,
            )
            for row in done
        )
    )


def _staff(clinic: Clinic, day: date, rows: Iterable[QueueEntry]) -> list[BoardStaff]:
    """Return the signed-in staff that works queues, with the number in hand and the instant of the last step."""
    start = datetime.combine(day, time(), clinic.zone)
    accounts = (
        Account.select()
        .join(Token)
        .where(
            Account.role.in_(STAFF_ROLES),
            Token.created_at >= start,
            Token.expires_at > clock.now(),
            Token.revoked_at.is_null(),
        )
        .distinct()
        .order_by(Account.name)
    )
    last: dict[str, datetime] = {}
    for event in QueueEvent.select(QueueEvent.by, QueueEvent.at).where(QueueEvent.at >= start):
        last[event.by_id] = max(event.at, last.get(event.by_id, event.at))
    in_hand = {row.practitioner_id: row for row in rows if row.status in AT_WORK}
    return [
        BoardStaff(
            name=account.name,
            clusters=list(account.clusters),
            service_point=account.service_point,
            number=in_hand[account.id].ticket.number if account.id in in_hand else None,
            last_step_at=last.get(account.id),
        )
        for account in accounts
    ]


def _periods(clinic: Clinic, day: date, rows: Sequence[QueueEntry], now: datetime) -> list[BoardPeriod]:
    """Return the half hours of the board's day."""
    arrivals = [row.started_at for row in rows if not row.came_from_id]
    opens, closes = _limits(clinic, day, arrivals, now)
    periods = []
    while opens < closes:
        periods.append(_period(opens, rows, arrivals))
        opens += PERIOD
    return periods


def _limits(
    clinic: Clinic, day: date, arrivals: Sequence[datetime], now: datetime
) -> tuple[datetime, datetime]:
    """Return beginning and end: from the first arrival to the closing hour or now, whichever is later."""
    opens = datetime.combine(day, FIRST_HOUR, clinic.zone)
    while arrivals and min(arrivals) < opens:
        opens -= PERIOD
    closes = max(datetime.combine(day, clinic.settings.close_at, clinic.zone), *arrivals, opens + PERIOD)
    if clinic.today() == day:
        closes = max(closes, now)
    return opens, closes


def _period(opens: datetime, rows: Iterable[QueueEntry], arrivals: Iterable[datetime]) -> BoardPeriod:
    called = [row for row in rows if row.called_at is not None and opens <= row.called_at < opens + PERIOD]
    waits = [minutes_between(row.started_at, clock.known(row.called_at)) for row in called]
    return BoardPeriod(
        starts_at=opens,
        arrivals=sum(opens <= at < opens + PERIOD for at in arrivals),
        median_wait_minutes=round(median(waits)) if waits else None,
    )
