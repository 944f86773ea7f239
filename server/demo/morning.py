"""Plays the demo clinic: the morning that lies behind it at the start, and the hours that follow."""

from __future__ import annotations

import logging
import random
import threading
from datetime import datetime, timedelta

from core.accounts import service as accounts
from core.exchange.bpjs import code_mapping
from core.exchange.bpjs.code_lists import POLI
from core.foundation import clock, logs
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryStatus
from core.foundation.database import connection
from core.foundation.errors import CoreError
from core.models import BpjsCode, QueueEntry
from server.demo.arrivals import arrive
from server.demo.colleagues import CLERK, ROOMS, Room, engage

log = logging.getLogger(__name__)

MORNING = timedelta(minutes=70)
"""Time for which the clinic has been open when the demo starts."""
FEWEST_WAITING = 12
"""Patients waiting below which a start plays the morning before, and somebody comes soon."""
ARRIVED = 26
"""Patients who have come by then."""
MOST_WAITING = 26
STEP_SECONDS = 3.0  # between two things that happen while somebody looks on
NEXT_ARRIVAL = (8.0, 30.0)  # seconds between two arrivals
MOST_TRIES = 400  # people drawn for the morning: some are in a queue already


AT_BPJS = {"LANSIA": "001", "LAB": "004", "IGD": "005"}
"""Cluster -> BPJS's code, for those whose code a new clinic has to say itself."""


class DemoAtWork:
    """The people and the colleagues of the demo."""

    def __init__(self, clinic: Clinic, seed: int = 2026) -> None:
        self._clinic = clinic
        self._chance = random.Random(seed)  # noqa: S311  # a repeatable demo, not a secret
        self._stopping = threading.Event()
        self._next_arrival = clock.now()
        self._thread = threading.Thread(target=self._work, name="demo", daemon=True)
        with connection():
            self._clerk = engage(CLERK)
            self._rooms = [Room(clinic, colleague, self._chance) for colleague in ROOMS]
            _map_clusters(clinic)

    def play_the_morning(self) -> None:
        """Let the first hour and more pass, before anybody is connected, unless people wait already."""
        with connection():
            if self._waiting() >= FEWEST_WAITING:
                return
            now = clock.now()
            began = max(now - MORNING, clock.start_of(self._clinic.today(), self._clinic.zone))
            for place in range(ARRIVED):
                self._at(began + (now - began) * (place + 1) / (ARRIVED + 1))

    def _at(self, moment: datetime) -> None:
        """Let somebody arrive at a moment of the morning, and everybody do the next step."""
        with clock.frozen(lambda: moment):
            for _ in range(MOST_TRIES // ARRIVED):
                if arrive(self._clinic, self._clerk, self._chance):
                    break
            for room in self._rooms:
                _attempt(room)

    def start(self) -> None:
        """Go on by the clock, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; what is under way is finished."""
        self._stopping.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stopping.wait(STEP_SECONDS):
            try:
                with connection():
                    self._step()
            except Exception as error:
                # The edge of this thread: the demo goes on without what failed.
                log.error("demo: %s", logs.describe_failure(error))

    def _step(self) -> None:
        """Let somebody arrive whose time has come, else let one colleague do what is next."""
        now = clock.now()
        if now >= self._next_arrival and self._waiting() < MOST_WAITING:
            arrive(self._clinic, self._clerk, self._chance)
            self._next_arrival = now + timedelta(seconds=self._chance.uniform(*NEXT_ARRIVAL))
            return
        for room in self._chance.sample(self._rooms, len(self._rooms)):
            if _attempt(room):
                return

    def _waiting(self) -> int:
        return (
            QueueEntry.select()
            .where(
                QueueEntry.service_on == self._clinic.today(),
                QueueEntry.status == EntryStatus.WAITING,
                QueueEntry.voided_at.is_null(),
            )
            .count()
        )


def _attempt(room: Room) -> bool:
    """Let a room do its next step; return whether it did one. Somebody at a terminal may have been faster."""
    try:
        return room.step()
    except CoreError:
        return False


def _map_clusters(clinic: Clinic) -> None:
    """Say the codes that an admin would have said by now, unless somebody has said others."""
    said = {item.ours for item in BpjsCode.select().where(BpjsCode.kind == POLI)}
    for cluster, code in AT_BPJS.items():
        if cluster in clinic.clusters and cluster not in said:
            code_mapping.map_code(clinic, accounts.system_actor("demo"), POLI, cluster, code)
