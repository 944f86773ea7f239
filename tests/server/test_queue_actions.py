"""What is done to queue entries, and who may do it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from core.models import QueueEntry, RoutingExample, Visit
from server.run import Background
from tests.people import Caller


def _called(clerk: Caller, dentist: Caller) -> dict[str, Any]:
    clerk.registered()
    return dentist.post("queues/GIGI/call-next", json={"service_point": "Ruang 2"}).json()


def test_through_the_queue(clerk: Caller, dentist: Caller) -> None:
    entry = _called(clerk, dentist)
    assert (entry["status"], entry["service_point"]) == ("called", "Ruang 2")
    assert dentist.act(entry["id"], "recall").json()["call_count"] == 2
    assert dentist.act(entry["id"], "start").json()["status"] == "in_service"
    done = dentist.act(entry["id"], "finish", disposition="home").json()
    assert done["status"] == "done"
    visit = Visit.get_by_id(entry["visit_id"])
    assert (visit.status, visit.disposition) == ("finished", "home")


def test_a_pane_of_open_entries_leaves_the_ended_out_and_keeps_places_and_waits(
    clerk: Caller, dentist: Caller
) -> None:
    for _ in range(6):
        entry = _called(clerk, dentist)
        dentist.act(entry["id"], "start")
        dentist.act(entry["id"], "finish", disposition="home")
    waiting = [clerk.registered()["ticket"]["number"] for _ in range(2)]
    everyone, shown = (dentist.get(f"queues/GIGI{query}").json() for query in ("", "?open=true"))
    assert len(everyone["entries"]) == 8
    assert [item["number"] for item in shown["entries"]] == waiting
    assert shown["entries"] == everyone["entries"][:2]
    assert [item["position"] for item in shown["entries"]] == [1, 2]
    assert shown["expected_wait_minutes"] == everyone["expected_wait_minutes"] is not None


def test_one_entry_is_read_as_its_pane_shows_it_also_when_ended(clerk: Caller, dentist: Caller) -> None:
    entry = _called(clerk, dentist)
    assert (
        dentist.get(f"queue-entries/{entry['id']}").json() == dentist.get("queues/GIGI").json()["entries"][0]
    )
    dentist.act(entry["id"], "leave")
    assert dentist.get(f"queue-entries/{entry['id']}").json()["ended_at"] is not None
    assert dentist.get("queue-entries/nobody").status_code == 404


def test_an_entry_of_a_patient_is_not_for_the_waiting_room(
    server: Background, clerk: Caller, dentist: Caller
) -> None:
    entry = _called(clerk, dentist)
    with Caller(server.url, "display") as display:
        assert display.get(f"queue-entries/{entry['id']}").status_code == 403


def test_transfer_ends_one_entry_and_starts_the_next_at_the_same_instant(
    clerk: Caller, dentist: Caller
) -> None:
    entry = _called(clerk, dentist)
    new = dentist.act(entry["id"], "transfer", cluster="UMUM").json()
    assert (new["cluster"], new["number"], new["came_from"]) == ("UMUM", "A-001", f"{entry['number']} GIGI")
    old, started = QueueEntry.get_by_id(entry["id"]), QueueEntry.get_by_id(new["id"])
    assert old.ended_at == started.started_at
    assert RoutingExample.get().chosen == "UMUM"


def test_undo_of_a_transfer_puts_the_patient_back(clerk: Caller, dentist: Caller) -> None:
    entry = _called(clerk, dentist)
    new = dentist.act(entry["id"], "transfer", cluster="UMUM").json()
    back = dentist.act(new["id"], "undo").json()
    assert (back["id"], back["status"]) == (entry["id"], "called")
    assert clerk.get("queues/UMUM").json()["entries"] == []


def test_who_moved_a_patient_is_told_who_went_on_from_there(
    clerk: Caller, dentist: Caller, doctor: Caller
) -> None:
    entry = _called(clerk, dentist)
    new = dentist.act(entry["id"], "transfer", cluster="UMUM").json()
    doctor.post("queues/UMUM/call-next", json={})
    late = dentist.post(f"queue-entries/{new['id']}/undo", json={"expected_version": new["version"]})
    assert (late.status_code, late.json()["code"]) == (409, "changed_meanwhile")
    blind = dentist.post(f"queue-entries/{new['id']}/undo", json={})
    assert blind.json()["code"] == "undo_not_possible"
    assert doctor.get(f"queue-entries/{new['id']}").json()["status"] == "called"


class TestTheCounterMovesAPatient:
    """The counter's move meets the same rules as its registration; a room moves by what it found."""

    def _waiting(self, clerk: Caller, cluster: str, complaint: str) -> str:
        return str(clerk.registered(cluster=cluster, chief_complaint=complaint)["ticket"]["id"])

    def _move(self, person: Caller, entry: str, **command: Any) -> httpx.Response:
        return person.post(f"queue-entries/{entry}/transfer", json=command)

    @pytest.mark.parametrize("target", ["GIGI", "UMUM", "KIA"])
    def test_who_shows_a_danger_sign_only_with_a_reason(self, clerk: Caller, target: str) -> None:
        entry = self._waiting(clerk, "IGD", "nyeri dada kiri menjalar ke lengan, keringat dingin")
        refused = self._move(clerk, entry, cluster=target)
        assert (refused.status_code, refused.json()["code"]) == (422, "override_reason_required")
        assert refused.json()["details"]["routing"]["red_flags"]
        assert clerk.get(f"queue-entries/{entry}").json()["cluster"] == "IGD"
        moved = self._move(clerk, entry, cluster=target, reason="Dirujuk ke sini oleh petugas medis")
        assert moved.json()["cluster"] == target

    @pytest.mark.parametrize(
        ("cluster", "complaint", "target"),
        [("GIGI", "sakit gigi geraham", "KIA"), ("GIGI", "sakit gigi geraham", "UMUM")],
    )
    def test_any_other_against_the_complaint_is_told(
        self, clerk: Caller, cluster: str, complaint: str, target: str
    ) -> None:
        entry = self._waiting(clerk, cluster, complaint)
        moved = self._move(clerk, entry, cluster=target).json()
        assert (moved["cluster"], moved["warnings"]) == (target, ["against_complaint"])

    def test_where_the_complaint_points_without_one(self, clerk: Caller) -> None:
        complaint = "sakit gigi geraham"
        entry = str(
            clerk.registered(cluster="UMUM", chief_complaint=complaint, override_reason="salah")["ticket"][
                "id"
            ]
        )
        assert self._move(clerk, entry, cluster="GIGI").json()["warnings"] == []

    def test_a_room_needs_none(self, clerk: Caller, dentist: Caller) -> None:
        entry = self._waiting(clerk, "GIGI", "sakit gigi geraham")
        assert self._move(dentist, entry, cluster="UMUM").json()["warnings"] == []


def test_who_has_no_part_in_a_step_may_not_undo_it(clerk: Caller, dentist: Caller, doctor: Caller) -> None:
    entry = _called(clerk, dentist)
    assert doctor.act(entry["id"], "undo").status_code == 403


def test_round_trip_to_the_laboratory_keeps_number_and_place(
    server: Background, clerk: Caller, doctor: Caller
) -> None:
    clerk.registered(cluster="UMUM", chief_complaint="demam batuk")
    clerk.registered(cluster="UMUM", chief_complaint="batuk pilek")
    first = doctor.post("queues/UMUM/call-next", json={}).json()
    doctor.act(first["id"], "start")
    sent = doctor.act(first["id"], "send", cluster="LAB").json()
    assert (sent["cluster"], sent["returns_to"]) == ("LAB", "UMUM")
    with Caller(server.url, "lab") as lab:
        at_lab = lab.post("queues/LAB/call-next", json={}).json()
        lab.act(at_lab["id"], "start")
        back = lab.act(at_lab["id"], "finish").json()
    assert (back["number"], back["cluster"], back["position"]) == (first["number"], "UMUM", 1)
    assert doctor.post("queues/UMUM/call-next", json={}).json()["number"] == first["number"]


def test_skipped_patient_comes_back_after_three_others(clerk: Caller, dentist: Caller) -> None:
    numbers = [clerk.registered()["ticket"]["number"] for _ in range(5)]
    first = dentist.post("queues/GIGI/call-next", json={}).json()
    assert first["number"] == numbers[0]
    dentist.act(first["id"], "skip")
    called = [dentist.post("queues/GIGI/call-next", json={}).json()["number"] for _ in range(4)]
    assert called == [numbers[1], numbers[2], numbers[3], numbers[0]]


def test_the_slower_of_two_is_told_who_was_faster(server: Background, clerk: Caller, dentist: Caller) -> None:
    entry = _called(clerk, dentist)
    with Caller(server.url, "dentist") as other:
        assert other.act(entry["id"], "skip", expected_version=entry["version"]).status_code == 200
    late = dentist.act(entry["id"], "start", expected_version=entry["version"])
    assert late.status_code == 409
    assert late.json()["code"] == "changed_meanwhile"
    assert late.json()["details"]["status"] == "skipped"
    assert late.json()["details"]["changed_by"] == "drg. Maya Lestari"


@pytest.mark.parametrize(
    ("action", "body"), [("transfer", {}), ("transfer", {"cluster": "GIGI"}), ("cancel", {})]
)
def test_missing_or_wrong_target_is_named(
    clerk: Caller, dentist: Caller, action: str, body: dict[str, str]
) -> None:
    entry = _called(clerk, dentist)
    answer = dentist.act(entry["id"], action, **body)
    assert answer.status_code == 422
    assert set(answer.json()["fields"]) <= {"cluster", "reason"}


def test_only_the_clusters_own_staff_call(clerk: Caller, dentist: Caller, doctor: Caller) -> None:
    entry = _called(clerk, dentist)
    assert doctor.post("queues/GIGI/call-next", json={}).status_code == 403
    assert clerk.post("queues/GIGI/call-next", json={}).status_code == 403
    assert doctor.act(entry["id"], "finish").status_code == 403


def test_clerk_moves_whom_nobody_has_called_and_no_one_else(clerk: Caller, dentist: Caller) -> None:
    waiting = clerk.registered()["ticket"]["id"]
    assert clerk.act(waiting, "transfer", cluster="UMUM").json()["cluster"] == "UMUM"
    entry = _called(clerk, dentist)
    assert clerk.act(entry["id"], "cancel", reason="pulang").status_code == 409


def test_display_sees_numbers_and_no_person(server: Background, clerk: Caller) -> None:
    clerk.registered()
    with Caller(server.url, "display") as display:
        assert display.get("clusters").status_code == 200
        assert display.get("queues/GIGI").status_code == 403
        assert display.get("patients", params={"q": "a"}).status_code == 403
        with display.stream("GET", "changes", params={"after": 0}) as stream:
            text = next(line for line in stream.iter_lines() if line.startswith("data"))
    assert '"patient":null' in text


def test_no_token_no_answer(server: Background, clerk: Caller) -> None:
    clerk.headers.pop("Authorization")
    for path in ("clusters", "queues/GIGI", "patients?q=a", "sync", "audit", "changes", "drafts/x"):
        assert clerk.get(path).status_code == 401, path


@pytest.mark.parametrize(
    ("action", "body", "fields"),
    [
        ("prioritise", {"reason": "sesak"}, {"priority": "required"}),
        ("prioritise", {"priority": "red"}, {"reason": "required"}),
        ("prioritise", {"priority": "red", "reason": "x" * 81}, {"reason": "too_long"}),
        ("transfer", {}, {"cluster": "required"}),
        ("transfer", {"cluster": "NOWHERE"}, {"cluster": "unknown"}),
        ("transfer", {"cluster": "GIGI"}, {"cluster": "same"}),
        ("cancel", {}, {"reason": "required"}),
    ],
)
def test_what_an_action_lacks_is_named_and_nothing_changes(
    clerk: Caller, dentist: Caller, action: str, body: dict[str, Any], fields: dict[str, str]
) -> None:
    entry = _called(clerk, dentist)
    refused = dentist.act(entry["id"], action, **body)
    assert (refused.status_code, refused.json()["fields"]) == (422, fields)
    now = QueueEntry.get_by_id(entry["id"])
    assert (now.version, now.status, now.priority) == (entry["version"], "called", entry["priority"])
