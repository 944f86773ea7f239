"""Metrics of the clinic itself: backups, disk, sign-ins, the feed. No label holds an id or a name."""

from __future__ import annotations

import math
import shutil

from prometheus_client import CollectorRegistry, Gauge

from core.accounts import sign_ins
from core.daily import backup, closing
from core.daily.backup import journal_status
from core.exchange import outbox
from core.foundation import clock, feed
from core.foundation.clinic import Clinic
from core.foundation.database import connection


class ClinicGauges:
    """Gauges that are read when somebody asks for the metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, words: str) -> Gauge:
            return Gauge(f"loket_{name}", words, registry=registry)

        self._outbox = gauge("outbox_pending", "Records the office has yet to get")
        self._backup_age = gauge("backup_age_seconds", "Age of the newest proven backup; NaN: there is none")
        self._backup_lag = gauge("backup_lag_changes", "Changes that the newest proven backup does not hold")
        self._journal_lag = gauge(
            "journal_lag_actions",
            "Saved actions that are not on the second place; NaN: no journal, -1: no base yet, so nothing of it can be restored",
        )
        self._standby_lag = gauge(
            "standby_lag_actions",
            "Saved actions that the nearest standby lacks; NaN: there is no standby, -1: none follows",
        )
        self._disk = gauge("disk_free_bytes", "Room left where the data folder is")
        self._sign_ins = gauge("sign_ins", "Sign-ins that have not ended, doors left out")
        self._feed = gauge("feed_sequence", "Number of the newest change")
        self._ready = gauge("ready", "1 while saving is possible")
        self._days_open = gauge("days_not_closed", "Recent days that were never wholly closed")

    def read(self, clinic: Clinic, problem: str) -> None:
        """Set every gauge to what it is now.

        Args:
            clinic: The clinic.
            problem: Why nothing can be saved; empty when all is well.
        """
        with connection():
            newest = feed.newest_sequence()
            self._outbox.set(outbox.pending_count())
            self._sign_ins.set(sign_ins.live_count())
            self._days_open.set(len(closing.missed_days(clinic)))
            waiting = journal_status.lag()
        self._journal_lag.set(math.nan if waiting is None else waiting)
        behind = journal_status.standbys_lag()
        self._standby_lag.set(math.nan if behind is None else behind)
        proven = next((info for info in backup.list_backups(clinic) if info.verified), None)
        age = (clock.now() - proven.made_at).total_seconds() if proven is not None else math.nan
        self._backup_age.set(age)
        self._backup_lag.set(newest - proven.newest_change if proven is not None else newest)
        self._disk.set(shutil.disk_usage(clinic.settings.home).free)
        self._feed.set(newest)
        self._ready.set(not problem)
