"""The daily work at its hour, and at the next start when the machine was off."""

from __future__ import annotations

import logging
from datetime import datetime, time, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from core import clock, closing, outbox, synchronisation
from core.clinic import Clinic
from core.database import connection
from server import apart
from server.problems import log_unexpected

log = logging.getLogger(__name__)

MISFIRE_SECONDS = 12 * 3600
RETRY_MINUTES = 15
"""How often a closing that was cut off, and what is still in the outbox after it, are tried again."""
LOOK_THROUGH_MINUTES = 60
"""How often new and changed patients are compared with all others for the worklist of the quiet hour."""
CATCH_UP_SECONDS = 20
"""After a start the counters come up first."""


def start(clinic: Clinic) -> BackgroundScheduler:
    """Schedule the closing at the set hour, and catch up with a day that was never closed.

    The sending begins at the clinic's own offset after that hour; a second run of the closing
    then does what is left.
    """
    scheduler = BackgroundScheduler(timezone=clinic.zone)
    closes, sends = clinic.settings.close_at, closing.sends_at(clinic.settings)
    _daily(scheduler, clinic, "closing", closes)
    if sends != closes:
        _daily(scheduler, clinic, "sending", sends)
    for name, job, minutes in (
        ("retry", _retry, RETRY_MINUTES),
        ("suspects", _look_through, LOOK_THROUGH_MINUTES),
    ):
        scheduler.add_job(
            job,
            IntervalTrigger(minutes=minutes, timezone=clinic.zone),
            args=[clinic],
            id=name,
            coalesce=True,
            max_instances=1,
        )
    with connection():
        missed = closing.missed_day(clinic) is not None
    if missed:
        soon = datetime.now(clinic.zone) + timedelta(seconds=CATCH_UP_SECONDS)
        scheduler.add_job(_close, "date", run_date=soon, args=[clinic], id="catch-up")
    scheduler.start()
    return scheduler


def _daily(scheduler: BackgroundScheduler, clinic: Clinic, name: str, at: time) -> None:
    scheduler.add_job(
        _close,
        CronTrigger(hour=at.hour, minute=at.minute, timezone=clinic.zone),
        args=[clinic],
        id=name,
        misfire_grace_time=MISFIRE_SECONDS,
        coalesce=True,
        max_instances=1,
    )


def _close(clinic: Clinic) -> None:
    """The daily work's outer handler: a failure is logged, shown to the admin, and tried again."""
    try:
        apart.run(clinic, "closing", send=closing.is_its_turn(clinic))
    except Exception as error:
        log_unexpected(error, "closing")


def _retry(clinic: Clinic) -> None:
    """Go on with a closing that was cut off; send what is left, from the clinic's turn until midnight."""
    try:
        with connection():
            cut_off = closing.was_cut_off(clinic)
        if cut_off:
            apart.run(clinic, "closing", send=closing.is_its_turn(clinic))
            return
        if not synchronisation.is_set_up(clinic.settings) or not closing.is_its_turn(clinic):
            return
        if clock.now().astimezone(clinic.zone).time() < clinic.settings.close_at:
            return
        with connection():
            waits = outbox.pending_count() > 0 or outbox.fact(outbox.LAST_ERROR) is not None
        if waits:
            apart.run(clinic, "synchronisation")
    except Exception as error:
        log_unexpected(error, "synchronisation")


def _look_through(clinic: Clinic) -> None:
    """Look for patients who are here twice, in a process of its own."""
    try:
        apart.run(clinic, "suspects")
    except Exception as error:
        log_unexpected(error, "suspects")
