"""The daily work at its hour, and at the next start when the machine was off."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from core import clock, closing, synchronisation
from core.clinic import Clinic
from core.database import connection
from server.problems import log_unexpected

log = logging.getLogger(__name__)

MISFIRE_SECONDS = 12 * 3600
RETRY_MINUTES = 15
"""How often what is still in the outbox after the closing is tried again."""


def start(clinic: Clinic) -> BackgroundScheduler:
    """Schedule the closing at the set hour, and catch up with a day that was never closed."""
    scheduler = BackgroundScheduler(timezone=clinic.zone)
    at = clinic.settings.close_at
    scheduler.add_job(
        _close,
        CronTrigger(hour=at.hour, minute=at.minute, timezone=clinic.zone),
        args=[clinic],
        id="closing",
        misfire_grace_time=MISFIRE_SECONDS,
        coalesce=True,
        max_instances=1,
    )
    scheduler.add_job(
        _retry,
        IntervalTrigger(minutes=RETRY_MINUTES, timezone=clinic.zone),
        args=[clinic],
        id="retry",
        coalesce=True,
        max_instances=1,
    )
    with connection():
        missed = closing.missed_day(clinic) is not None
    if missed:
        soon = datetime.now(clinic.zone) + timedelta(seconds=20)  # the counters come up first
        scheduler.add_job(_close, "date", run_date=soon, args=[clinic], id="catch-up")
    scheduler.start()
    return scheduler


def _close(clinic: Clinic) -> None:
    """The sync loop's outer handler: a failure is logged, shown to the admin, and tried again."""
    try:
        closing.run(clinic)
    except Exception as error:
        log_unexpected(error, "closing")


def _retry(clinic: Clinic) -> None:
    local = clock.now().astimezone(clinic.zone).time()
    if not clinic.settings.office_url or local < clinic.settings.close_at:
        return
    try:
        synchronisation.run_apart(clinic)
    except Exception as error:
        log_unexpected(error, "synchronisation")
