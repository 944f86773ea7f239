"""People in queues, for tests that work at the queue's screens."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.conftest import Counter, press, until
from tests.tui.looking import pane_of, said, session_of
from tui.app import LoketApp

SERIAL = count(1)
NAMES = ("Ani", "Budi", "Citra", "Dodi", "Euis", "Fajar", "Gita", "Hadi", "Intan", "Jaka", "Kiki", "Lusi",
         "Mira", "Nana", "Oka", "Putu", "Qori", "Rudi", "Sari", "Tuti", "Umi", "Vina", "Wulan", "Yeni")  # fmt: skip


def someone(counter: Counter, cluster: str = "GIGI", complaint: str = "sakit gigi") -> dict[str, Any]:
    """A new patient registered at another counter; gives the receipt."""
    serial = next(SERIAL)
    name = f"{NAMES[serial % len(NAMES)]} {NAMES[serial // len(NAMES)]}wati"
    return counter.register(name, f"63710141{1 + serial % 12:02d}79{1000 + serial:04d}", complaint, cluster)


def entry_of(counter: Counter, receipt: dict[str, Any], cluster: str = "") -> dict[str, Any]:
    """The visit's newest entry in a cluster, by the API."""
    with counter.api("clerk") as api:
        entries = api.get(f"queues/{cluster or receipt['ticket']['cluster']}").json()["entries"]
    own = [entry for entry in entries if entry["visit_id"] == receipt["visit_id"]]
    return max(own, key=lambda entry: entry["started_at"])


async def choose(pilot: Pilot[None], app: LoketApp, receipt: dict[str, Any]) -> None:
    """Move the cursor to a patient with the arrows."""
    number = receipt["ticket"]["number"]
    pane = pane_of(app)
    await until(pilot, lambda: number in [entry.number for entry in pane.entries], f"{number} in the pane")
    for _ in range(len(pane.entries)):
        await press(pilot, "up")
    while pane.chosen is None or pane.chosen.number != number:
        await press(pilot, "down")


async def call_until(pilot: Pilot[None], app: LoketApp, number: str) -> None:
    """Press N until it is this number's turn, ending the others' services."""
    while True:
        await press(pilot, "n")
        assert "Called" in said(app), said(app)
        if f"Called: {number} " in said(app):
            return
        outcome = ["p"] if session_of(app).account.username in {"doctor", "dentist"} else []
        await press(pilot, "d", *outcome, "enter")


@pytest.fixture(autouse=True)
def empty_queues(counter: Counter) -> Iterator[None]:
    """Nobody left over from the scenario before."""
    yield
    with counter.api("clerk") as clerk:
        clusters = [cluster["code"] for cluster in clerk.get("clusters").json()]
        left = [
            entry
            for cluster in clusters
            for entry in clerk.get(f"queues/{cluster}").json()["entries"]
            if entry["ended_at"] is None
        ]
    staff = {"UMUM": "doctor", "GIGI": "dentist", "LAB": "lab", "FARMASI": "pharmacist"}
    for entry in left:
        with counter.api(staff.get(entry["cluster"], "clerk")) as api:
            api.post(f"queue-entries/{entry['id']}/leave", json={}).raise_for_status()
