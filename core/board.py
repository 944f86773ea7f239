"""The supervisor's board: all clusters at once, who is at work, arrivals and waits over the day. No patients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from statistics import median

from core import clock, feed
from core.actors import Actor
from core.clinic import Clinic
from core.database import connection
from core.models import Account, QueueEntry, QueueEvent, Ticket, Token
from core.queue_views import CALLABLE, minutes_per_call
from core.schemas.queues import BoardCluster, BoardPeriod, BoardShape, BoardStaff
from core.vocabulary import EntryStatus, Permission, Role

PERIOD = timedelta(minutes=30)
FIRST_HOUR = time(7)
"""Local time at which the board's day begins; earlier arrivals begin it earlier."""
STAFF_ROLES = (Role.CLINICIAN, Role.LAB, Role.PHARMACIST)
AT_WORK = (EntryStatus.CALLED, EntryStatus.IN_SERVICE, EntryStatus.ON_HOLD)


def board(clinic: Clinic, actor: Actor, day: date | None = None) -> BoardShape:
    """The board of a day, today unless given.

    Raises:
        NotAllowedError: The role may not read reports.
    """
    actor.require(Permission.READ_REPORTS)
    day = day or clinic.today()
    with connection():
        sequence = feed.newest_sequence()
        rows = list(
            QueueEntry.select(QueueEntry, Ticket)
            .join(Ticket)
            .where(QueueEntry.service_on == day, QueueEntry.voided_at.is_null())
        )
        staff = _staff(clinic, day, rows)
    now = clock.now()
    return BoardShape(
        date=day,
        sequence=sequence,
        clusters=[
            _cluster(cluster.code, [row for row in rows if row.cluster == cluster.code], now)
            for cluster in clinic.clusters.values()
        ],
        staff=staff,
        periods=_periods(clinic, day, rows, now),
    )


def _cluster(code: str, rows: Sequence[QueueEntry], now: datetime) -> BoardCluster:
    waiting = [row for row in rows if row.status in CALLABLE]
    at_work = sum(row.status in AT_WORK for row in rows)
    minutes = minutes_per_call(rows)
    ahead = len(waiting) + at_work
    return BoardCluster(
        code=code,
        waiting=len(waiting),
        longest_wait_minutes=max((_minutes(row.started_at, now) for row in waiting), default=None),
        at_work=at_work,
        served=sum(row.served_at is not None and row.ended_at is not None for row in rows),
        left=sum(row.status == EntryStatus.LEFT for row in rows),
        expected_end_at=now + timedelta(minutes=ahead * minutes) if ahead and minutes is not None else None,
    )


def _staff(clinic: Clinic, day: date, rows: Iterable[QueueEntry]) -> list[BoardStaff]:
    """Who works queues and is signed in since this day began, with what they do now and did last."""
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
    """Half hours from the first to the clinic's closing hour or now, whichever is later."""
    arrivals = [row.started_at for row in rows if not row.came_from_id]
    opens = datetime.combine(day, FIRST_HOUR, clinic.zone)
    while arrivals and min(arrivals) < opens:
        opens -= PERIOD
    closes = max(datetime.combine(day, clinic.settings.close_at, clinic.zone), *arrivals, opens + PERIOD)
    if clinic.today() == day:
        closes = max(closes, now)
    periods = []
    while opens < closes:
        waits = [
            _minutes(row.started_at, row.called_at)
            for row in rows
            if row.called_at is not None and opens <= row.called_at < opens + PERIOD
        ]
        periods.append(
            BoardPeriod(
                starts_at=opens,
                arrivals=sum(opens <= at < opens + PERIOD for at in arrivals),
                median_wait_minutes=round(median(waits)) if waits else None,
            )
        )
        opens += PERIOD
    return periods


def _minutes(start: datetime, end: datetime) -> int:
    return max(0, int((end - start).total_seconds() // 60))
