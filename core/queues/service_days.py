"""Service days: to which day of a cluster an instant belongs, and until when its people are served.

Most clusters change the day at midnight and close at `LOKET_CLOSE_AT`. A cluster that works around the clock
(`day_ends_at` in the clusters file) changes it in the morning, at the end of the night shift: who comes at two
at night is counted and called with those who came before midnight.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from core.foundation import clock
from core.foundation.clinic import Clinic

ONE_DAY = timedelta(days=1)
ASKED_BEFORE = timedelta(minutes=10)
"""Time before its closing hour at which the people of a cluster are asked about who is still there."""


def _ends_at(clinic: Clinic, cluster: str) -> time | None:
    known = clinic.clusters.get(cluster)  # one that was taken out of the file closes like the others
    return known.day_ends_at if known is not None else None


def day_at(clinic: Clinic, cluster: str, at: datetime) -> date:
    """Return the service day of a cluster to which an instant belongs.

    Args:
        clinic: For its clusters and time zone.
        cluster: Code of the cluster.
        at: Aware instant.
    """
    local = at.astimezone(clinic.zone)
    ends_at = _ends_at(clinic, cluster)
    is_night_before = ends_at is not None and local.time() < ends_at
    return local.date() - ONE_DAY * is_night_before


def present_day(clinic: Clinic, cluster: str) -> date:
    """Return the service day of a cluster now."""
    return day_at(clinic, cluster, clock.now())


def present_days(clinic: Clinic) -> Mapping[date, list[str]]:
    """Return each present service day with the codes of its clusters: two by night where one works around the clock."""
    days: dict[date, list[str]] = defaultdict(list)
    now = clock.now()
    for cluster in clinic.clusters:
        days[day_at(clinic, cluster, now)].append(cluster)
    return days


def closes_at(clinic: Clinic, cluster: str, day: date) -> datetime:
    """Return the instant at which a cluster's service day closes.

    Args:
        clinic: For its closing hour, clusters and time zone.
        cluster: Code of the cluster.
        day: The service day.
    """
    ends_at = _ends_at(clinic, cluster)
    if ends_at is None:
        return datetime.combine(day, clinic.settings.close_at, clinic.zone)
    return datetime.combine(day + ONE_DAY, ends_at, clinic.zone)


def latest_at(clinic: Clinic, cluster: str, day: date) -> datetime:
    """Return the instant at which those who are still there are ended, unless somebody said that it goes on.

    Args:
        clinic: For its hours, clusters and time zone.
        cluster: Code of the cluster.
        day: The service day.
    """
    return closes_at(clinic, cluster, day) + clinic.settings.closing_grace


def asked_day(clinic: Clinic, cluster: str) -> date:
    """Return the newest service day of a cluster about whose people it may be asked now."""
    now = clock.now()
    day = day_at(clinic, cluster, now)
    return day if now >= closes_at(clinic, cluster, day) - ASKED_BEFORE else day - ONE_DAY
