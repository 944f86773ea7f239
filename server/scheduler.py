"""The daily work at its hour, and at the next start when the machine was off; and its end, within seconds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import time, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from core.accounts import service as accounts
from core.accounts import sign_ins
from core.daily import closing
from core.exchange import outbox
from core.exchange import service as synchronisation
from core.exchange.bpjs import bpjs_link, day_comparison, pcare_run, queue_run
from core.exchange.satusehat.ihs_lookup import IhsLookup
from core.foundation import clock, logs, state, stopping
from core.foundation.clinic import Clinic
from core.foundation.database import connection, is_sqlite
from core.queues import day_end, service_days
from server import first_start, worker_process

log = logging.getLogger(__name__)

MISFIRE_SECONDS = 12 * 3600
"""How late a job may still start, after a machine that slept over its hour."""
RETRY_MINUTES = 15
"""How often an interrupted closing, and the records left in the outbox after it, are tried again."""
LOOK_THROUGH_MINUTES = 60
"""How often new and changed patients are compared with all others for the worklist of the quiet hour."""
BPJS_SECONDS = 30
"""Interval at which the visits of insured people are brought up to date at BPJS; a registration waits no longer."""
QUEUE_SECONDS = 15
"""Interval at which Mobile JKN hears of the numbers: somebody at home looks at them."""
BPJS_PROOF = time(19, 30)
"""Hour at which the day is compared with BPJS's: after the last visit, long before midnight."""
IHS_SECONDS = 30
"""Interval at which the IHS numbers of today's patients are looked up, while these wait for their turn."""
TOKENS_MINUTES = 15
"""Interval at which it is looked whether the door's credential ends soon, and for sign-ins of a clock that ran ahead."""
SHARED_MINUTES = 1
"""Interval at which servers of one PostgreSQL exchange their keys, forms and routing model."""
STOP_SECONDS = 5.0
"""Longest wait for jobs that run when the server stops. A request to a slow service takes longer; it is left, as after a
kill: what it would have sent waits in the outbox, and what it did there is asked about first."""
CATCH_UP_SECONDS = 20
"""Pause after a start, so that the counters come up first."""


def start(clinic: Clinic) -> BackgroundScheduler:
    """Schedule the closing at the set hour, and catch up with a day that was never closed.

    The sending begins at the clinic's own offset after that hour; a second run of the closing
    then does what is left.
    """
    stopping.forget()
    scheduler = BackgroundScheduler(timezone=clinic.zone)
    settings = clinic.settings
    hours = {
        "closing": settings.close_at,
        "sending": closing.sends_at(settings),
        "latest": settings.resolved_close_latest,
    }
    for name, at in hours.items():
        if name == "closing" or at != settings.close_at:
            _daily(scheduler, clinic, name, _close, at)
    for at in {_asks_at(clinic, cluster) for cluster in clinic.clusters}:
        _daily(scheduler, clinic, f"ask-{at:%H%M}", _remind, at)
    with_others = [] if is_sqlite() else [("shared", _share_files, SHARED_MINUTES)]
    for name, job, minutes in (
        *with_others,
        ("retry", _retry, RETRY_MINUTES),
        ("remind", _remind, RETRY_MINUTES),
        ("suspects", _look_through, LOOK_THROUGH_MINUTES),
        ("tokens", _look_at_tokens, TOKENS_MINUTES),
    ):
        scheduler.add_job(
            job,
            IntervalTrigger(minutes=minutes, timezone=clinic.zone),
            args=[clinic],
            id=name,
            coalesce=True,
            max_instances=1,
        )
    if bpjs_link.is_set_up(clinic.settings):
        _schedule_bpjs(scheduler, clinic)
    if synchronisation.is_set_up(clinic.settings) and clinic.settings.sync_target == "satusehat":
        _schedule_ihs(scheduler, clinic)
    with connection():
        missed = closing.missed_day(clinic) is not None
    if missed:
        soon = clock.now() + timedelta(seconds=CATCH_UP_SECONDS)
        scheduler.add_job(_close, "date", run_date=soon, args=[clinic], id="catch-up")
    scheduler.start()
    return scheduler


def stop(running: BackgroundScheduler) -> bool:
    """End the daily work, and leave what does not end in time; return whether a thread is left that still waits.

    Args:
        running: From `start`.
    """
    stopping.ask()
    worker_process.end_all()
    ending = threading.Thread(target=running.shutdown, kwargs={"wait": True}, daemon=True, name="loket-stop")
    ending.start()
    ending.join(STOP_SECONDS)
    if ending.is_alive():
        log.warning("a job that waits for an answer is left behind")
    return ending.is_alive()


def _asks_at(clinic: Clinic, cluster: str) -> time:
    """Return the local time from which the people of a cluster are asked who is still there."""
    today = clinic.today()
    closes = service_days.closes_at(clinic, cluster, today)
    return (closes - service_days.ASKED_BEFORE).time()


def _daily(
    scheduler: BackgroundScheduler, clinic: Clinic, name: str, job: Callable[[Clinic], None], at: time
) -> None:
    scheduler.add_job(
        job,
        CronTrigger(hour=at.hour, minute=at.minute, timezone=clinic.zone),
        args=[clinic],
        id=name,
        misfire_grace_time=MISFIRE_SECONDS,
        coalesce=True,
        max_instances=1,
    )


def _schedule_bpjs(scheduler: BackgroundScheduler, clinic: Clinic) -> None:
    """Send in a thread of the server: few short requests, for which a process of its own would cost more."""
    scheduler.add_job(
        _send_to_bpjs,
        IntervalTrigger(seconds=BPJS_SECONDS, timezone=clinic.zone),
        args=[clinic],
        id="bpjs",
        coalesce=True,
        max_instances=1,
    )
    scheduler.add_job(
        _tell_the_queue,
        IntervalTrigger(seconds=QUEUE_SECONDS, timezone=clinic.zone),
        args=[clinic],
        id="bpjs-queue",
        coalesce=True,
        max_instances=1,
    )
    scheduler.add_job(
        _prove_at_bpjs,
        CronTrigger(hour=BPJS_PROOF.hour, minute=BPJS_PROOF.minute, timezone=clinic.zone),
        args=[clinic],
        id="bpjs-proof",
        misfire_grace_time=MISFIRE_SECONDS,
        coalesce=True,
        max_instances=1,
    )


def _schedule_ihs(scheduler: BackgroundScheduler, clinic: Clinic) -> None:
    """Look IHS numbers up in a thread of the server: few short requests, and no key waits for them."""
    scheduler.add_job(
        _look_up_ihs,
        IntervalTrigger(seconds=IHS_SECONDS, timezone=clinic.zone),
        args=[IhsLookup(clinic)],
        id="ihs",
        coalesce=True,
        max_instances=1,
    )


def _look_up_ihs(lookup: IhsLookup) -> None:
    try:
        lookup.look()
    except Exception as error:
        log.error("IHS numbers could not be looked up: %s", logs.describe_failure(error))


def _send_to_bpjs(clinic: Clinic) -> None:
    try:
        pcare_run.run(clinic)
    except Exception as error:
        log.error("BPJS failed: %s", logs.describe_failure(error))


def _tell_the_queue(clinic: Clinic) -> None:
    try:
        queue_run.run(clinic)
    except Exception as error:
        log.error("BPJS's queue failed: %s", logs.describe_failure(error))


def _prove_at_bpjs(clinic: Clinic) -> None:
    try:
        pcare_run.run(clinic)
        day_comparison.compare_days(clinic)
        pcare_run.run(clinic)
    except Exception as error:
        log.error("the comparison with BPJS failed: %s", logs.describe_failure(error))


def _close(clinic: Clinic) -> None:
    """Close the day; as the job's outermost handler, log a failure, show it to the admin, and try again."""
    try:
        worker_process.run(clinic, "closing", send=closing.is_its_turn(clinic))
    except Exception as error:
        log.error("closing failed: %s", logs.describe_failure(error))


def _remind(clinic: Clinic) -> None:
    """Have clusters asked about who is still there; end those who are left of a night shift."""
    try:
        day_end.end_of_night(clinic, accounts.system_actor(closing.JOB))
        day_end.remind(clinic)
    except Exception as error:
        log.error("the closing hour could not be told: %s", logs.describe_failure(error))


def _retry(clinic: Clinic) -> None:
    """Continue an interrupted or failed closing; send what remains, from the clinic's turn until midnight."""
    try:
        with connection():
            again = (
                closing.was_cut_off(clinic) or closing.has_failed(clinic) or closing.waits_for_nobody(clinic)
            )
        if again:
            worker_process.run(clinic, "closing", send=closing.is_its_turn(clinic))
            return
        if not synchronisation.is_set_up(clinic.settings) or not closing.is_its_turn(clinic):
            return
        if clock.now().astimezone(clinic.zone).time() < clinic.settings.close_at:
            return
        with connection():
            waits = outbox.pending_count() > 0 or state.fact(outbox.LAST_ERROR) is not None
        if waits:
            worker_process.run(clinic, "synchronisation")
    except Exception as error:
        log.error("synchronisation failed: %s", logs.describe_failure(error))


def _look_through(clinic: Clinic) -> None:
    """Look for duplicate patients, in a process of its own."""
    try:
        worker_process.run(clinic, "suspects")
    except Exception as error:
        log.error("suspects failed: %s", logs.describe_failure(error))


def _share_files(clinic: Clinic) -> None:
    """Bring forms, keys and the routing model of all servers to the same; a form is used from the next start."""
    try:
        if came := clinic.share_files():
            log.warning(
                "from another server of this database, in use from the next start: %s", ", ".join(came)
            )
    except Exception as error:
        log.error("files could not be shared with the other servers: %s", logs.describe_failure(error))


def _look_at_tokens(clinic: Clinic) -> None:
    """Renew the door's credential; the door reads it by itself. End sign-ins of a clock that ran ahead."""
    with connection():
        first_start.renew_door_token(clinic)
        sign_ins.end_unreal()
