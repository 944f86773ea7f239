"""The supervisor's board: what it counts, and that it tells nothing of a patient."""

from __future__ import annotations

import pytest

from server.run import Background
from tests.people import Caller, patient


def test_it_counts_what_the_queues_hold(clerk: Caller, dentist: Caller, admin: Caller) -> None:
    for _ in range(4):
        clerk.registered()
    served = dentist.post("queues/GIGI/call-next", json={"service_point": "Ruang 2"}).json()
    dentist.act(served["id"], "start")
    dentist.act(served["id"], "transfer", cluster="UMUM")
    gone = dentist.post("queues/GIGI/call-next", json={}).json()
    dentist.act(gone["id"], "leave")
    held = dentist.post("queues/GIGI/call-next", json={}).json()
    dentist.act(held["id"], "hold")
    board = admin.get("board").json()
    clusters = {cluster["code"]: cluster for cluster in board["clusters"]}
    assert clusters["GIGI"] == {
        "code": "GIGI", "waiting": 1, "longest_wait_minutes": 0, "at_work": 1, "served": 1, "left": 1,
        "expected_end_at": None,
    }  # fmt: skip
    assert (clusters["UMUM"]["waiting"], clusters["KIA"]["longest_wait_minutes"]) == (1, None)
    assert sum(period["arrivals"] for period in board["periods"]) == 4
    assert [period["median_wait_minutes"] for period in board["periods"]].count(0) in {1, 2}
    staff = {person["name"]: person for person in board["staff"]}
    assert staff["drg. Maya Lestari"]["number"] == held["number"]
    assert "Rina Pertiwi" not in staff


def test_the_end_is_expected_once_enough_were_served(clerk: Caller, dentist: Caller, admin: Caller) -> None:
    for _ in range(6):
        clerk.registered()
    for _ in range(5):
        entry = dentist.post("queues/GIGI/call-next", json={}).json()
        dentist.act(entry["id"], "finish", disposition="home")
    ends = {cluster["code"]: cluster["expected_end_at"] for cluster in admin.get("board").json()["clusters"]}
    assert ends["GIGI"] is not None
    assert ends["UMUM"] is None


def test_it_tells_nothing_of_a_patient(clerk: Caller, admin: Caller) -> None:
    clerk.registered(patient=patient(name="Zulaikha Rahasia"), chief_complaint="sakit gigi geraham")
    text = admin.get("board").text
    assert "Zulaikha" not in text
    assert "sakit" not in text


@pytest.mark.parametrize("username", ["clerk", "doctor", "lab", "display"])
def test_only_who_reads_reports_sees_it(server: Background, username: str) -> None:
    with Caller(server.url, username) as caller:
        assert caller.get("board").status_code == 403
