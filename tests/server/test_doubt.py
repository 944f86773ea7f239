"""A danger sign that is doubted, over HTTP: one question, one gate, recorded."""

from __future__ import annotations

from core.models import AuditEvent, QueueEntry, Visit
from tests.people import Caller

DOUBTFUL = "nyeri dada sebelah karena pegal angkat galon"


def test_without_an_answer_the_danger_sign_stays(clerk: Caller) -> None:
    refused = clerk.register(chief_complaint=DOUBTFUL, cluster="UMUM")
    assert refused.json()["code"] == "override_reason_required"
    routing = refused.json()["details"]["routing"]
    assert routing["doubt"]["rule"] == "chest_pain"
    saved = clerk.registered(chief_complaint=DOUBTFUL, cluster="IGD")
    assert saved["ticket"]["priority"] == "red"


def test_a_no_is_yellow_tells_the_nurse_and_is_recorded(clerk: Caller, doctor: Caller) -> None:
    saved = clerk.registered(chief_complaint=DOUBTFUL, cluster="UMUM", doubt_answer="no")
    assert saved["ticket"]["priority"] == "yellow"
    row = doctor.get("queues/UMUM").json()["entries"][0]
    assert row["priority_reason"] == "denied:chest_pain"
    assert Visit.get_by_id(saved["visit_id"]).routing["cleared"][0][0] == "chest_pain"
    event = AuditEvent.get(AuditEvent.action == "registered", AuditEvent.target == saved["visit_id"])
    assert event.detail["doubt"] == "denied"


def test_a_yes_stays_red(clerk: Caller) -> None:
    saved = clerk.registered(chief_complaint=DOUBTFUL, cluster="IGD", doubt_answer="yes")
    assert saved["ticket"]["priority"] == "red"


def test_a_no_clears_nothing_that_was_not_doubted(clerk: Caller) -> None:
    refused = clerk.register(chief_complaint="muntah darah banyak", cluster="UMUM", doubt_answer="no")
    assert refused.json()["code"] == "override_reason_required"
    saved = clerk.registered(chief_complaint="muntah darah banyak", cluster="IGD", doubt_answer="no")
    assert QueueEntry.get(QueueEntry.id == saved["ticket"]["id"]).priority == "red"


def test_a_wrong_answer_is_refused(clerk: Caller) -> None:
    assert clerk.register(chief_complaint=DOUBTFUL, cluster="IGD", doubt_answer="perhaps").status_code == 422


def test_a_denied_sign_holds_up_no_move(clerk: Caller) -> None:
    saved = clerk.registered(chief_complaint=DOUBTFUL, cluster="UMUM", doubt_answer="no")
    moved = clerk.post(f"queue-entries/{saved['ticket']['id']}/transfer", json={"cluster": "LANSIA"})
    assert moved.status_code == 200
