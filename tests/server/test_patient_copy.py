"""The patient's own copy over HTTP: through the gate, for those who read notes, and a row of the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from server.run import Background
from tests.people import Caller

WHY = {"reason": "diminta oleh pasien", "reason_code": "patient"}


@pytest.fixture
def seen(clerk: Caller, doctor: Caller) -> dict[str, Any]:
    """Somebody in UMUM with a note."""
    receipt = clerk.registered(cluster="UMUM", override_reason="contoh")
    assert doctor.act(receipt["ticket"]["id"], "start").is_success
    note = {"subjective": "RAHASIA batuk", "vitals": {"pulse": 80}}
    assert doctor.put(f"visits/{receipt['visit_id']}/encounter", json=note).is_success
    return receipt


@pytest.fixture
def supervisor(server: Background) -> Iterator[Caller]:
    with Caller(server.url, "supervisor") as caller:
        yield caller


def copy(caller: httpx.Client, seen: dict[str, Any], **body: str) -> httpx.Response:
    return caller.post(f"patients/{seen['patient_id']}/copies", json=body)


def test_ones_own_patient_gets_a_copy_and_the_log_says_so(
    doctor: Caller, supervisor: Caller, seen: dict[str, Any]
) -> None:
    text = copy(doctor, seen)
    assert text.status_code == 201
    assert "RAHASIA batuk" in text.json()["text"]
    made = copy(doctor, seen, form="document").json()["document"]
    assert (made["resourceType"], made["type"]) == ("Bundle", "document")
    assert "RAHASIA batuk" in str(made)
    rows = supervisor.get("audit", params={"patient_id": seen["patient_id"], "action": "copy_given"}).json()
    assert [(row["account"], row["detail"]["form"]) for row in rows] == [
        ("doctor", "document"),
        ("doctor", "text"),
    ]


def test_a_strangers_copy_needs_a_reason_that_the_supervisor_sees(
    dentist: Caller, supervisor: Caller, seen: dict[str, Any]
) -> None:
    for form in ("text", "document", "file"):
        refused = copy(dentist, seen, form=form)
        assert (refused.status_code, refused.json()["code"]) == (403, "reason_required")
        assert "RAHASIA" not in refused.text
    assert copy(dentist, seen, **WHY).status_code == 201
    [broken] = supervisor.get("break-glass").json()
    assert (broken["username"], broken["purpose"], broken["code"]) == ("dentist", "copy", "patient")


def test_who_reads_no_notes_gives_no_copy(
    clerk: Caller, lab: Caller, pharmacist: Caller, admin: Caller, seen: dict[str, Any]
) -> None:
    for caller in (clerk, lab, pharmacist, admin):
        refused = copy(caller, seen, **WHY)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed"), caller.username


def test_nobody_is_copied_who_is_not_there(doctor: Caller) -> None:
    assert doctor.post("patients/x/copies", json=WHY).status_code == 404
