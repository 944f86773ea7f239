"""Makes a busy morning in a demo clinic in seconds: 60 people wait, some for long, with long names.

The clock of the process is moved along while people are registered and served over HTTP, so
that waits and estimates are those of a real morning. For pictures and for trying out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import cycle

from core.foundation import clock
from tests.people import patient, registration
from tests.tui.conftest import Counter

LONG_NAMES = (
    "Siti Nurhaliza Rahmawati Kusumaningtyas", "Muhammad Abdurrahman Al-Banjari Putra Pratama", "Ina",
    "Raden Roro Ayuningtyas Widyastuti Hadiningrat", "Bayi Ny. Maimunah binti Haji Abdul Gani", "Budi Santoso",
    "Norhikmah", "Gusti Muhammad Hidayatullah Noor Ramadhani",
)  # fmt: skip
COMPLAINTS = {
    "UMUM": (
        "batuk pilek 3 hari",
        "demam tinggi sejak semalam disertai menggigil",
        "pusing",
        "nyeri ulu hati",
    ),
    "GIGI": ("sakit gigi geraham", "gusi bengkak"),
    "LAB": ("cek gula darah",),
}
PRIORITIES = (
    "regular",
    "regular",
    "elderly",
    "regular",
    "regular",
    "pregnant",
    "regular",
    "yellow",
    "regular",
)


class Morning:
    """The clinic's clock and people."""

    def __init__(self, counter: Counter, start: datetime) -> None:
        self.counter = counter
        self.now = start
        self._serial = 0

    def arrive(self, cluster: str, priority: str, minutes: float) -> None:
        """Register a patient, so many minutes after the one before."""
        self.now += timedelta(minutes=minutes)
        self._serial += 1
        name = LONG_NAMES[self._serial % len(LONG_NAMES)]
        complaints = COMPLAINTS[cluster]
        body = registration(
            patient=patient(name=name, sex="female"), cluster=cluster, priority=priority,
            chief_complaint=complaints[self._serial % len(complaints)], override_reason="contoh",
        )  # fmt: skip
        with self.counter.api() as clerk:
            clerk.post("registrations", json=body).raise_for_status()

    def serve(self, username: str, cluster: str, minutes: float, room: str = "") -> None:
        """Call and serve a patient for so long."""
        with self.counter.api(username) as staff:
            entry = staff.post(f"queues/{cluster}/call-next", json={"service_point": room}).json()
            staff.post(f"queue-entries/{entry['id']}/start", json={}).raise_for_status()
            self.now += timedelta(minutes=minutes)
            staff.post(f"queue-entries/{entry['id']}/finish", json={}).raise_for_status()


@contextmanager
def busy_morning(counter: Counter, waiting: int = 60) -> Iterator[Morning]:
    """Play until half past nine, with so many waiting in UMUM; the clock stays there for the block."""
    day = counter.clinic.today()
    start = datetime(day.year, day.month, day.day, 8, tzinfo=counter.clinic.zone)
    morning = Morning(counter, start)
    priorities = cycle(PRIORITIES)
    with clock.frozen(lambda: morning.now):
        for _ in range(6):
            morning.arrive("UMUM", next(priorities), 0.5)
            morning.arrive("GIGI", "regular", 0.2)
        for number in range(6):
            morning.serve("doctor", "UMUM", 4 + number % 3, "Ruang 1")
        for _ in range(5):
            morning.serve("dentist", "GIGI", 2)
        for _ in range(waiting):
            morning.arrive("UMUM", next(priorities), 1)
        for _ in range(4):
            morning.arrive("LAB", "regular", 1)
            morning.arrive("GIGI", "regular", 1)
        with counter.api("doctor") as doctor:
            first = doctor.post("queues/UMUM/call-next", json={"service_point": "Ruang 1"}).json()
            doctor.post(f"queue-entries/{first['id']}/start", json={})
            missing = doctor.post("queues/UMUM/call-next", json={"service_point": "Ruang 1"}).json()
            doctor.post(f"queue-entries/{missing['id']}/skip", json={})
            doctor.post("queues/UMUM/call-next", json={"service_point": "Ruang 1"})
        yield morning
