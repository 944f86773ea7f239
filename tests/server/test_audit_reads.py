"""Every answer that holds a person leaves a row: who was shown, to whom, and what was asked."""

from __future__ import annotations

import threading
from typing import Any

import apsw
import httpx
import pytest

from core.accounts import doors
from core.foundation import audit_check, audit_reads
from core.foundation.database import transaction
from server.commands import console
from server.doctor import database_checks
from server.run import Background
from tests.people import Caller, release_file


@pytest.fixture
def receipt(clerk: Caller) -> dict[str, Any]:
    return clerk.registered()


def rows(admin: Caller, **wanted: str) -> list[dict[str, Any]]:
    answer = admin.get("audit", params={"log": "reads", "limit": 1000, **wanted})
    assert answer.status_code == 200, answer.text
    return [row for row in answer.json() if row["action"] != "audit_read"]


LISTS = {
    "the empty box": ("GET", "patients", {}, "patients_searched"),
    "the last patients": ("GET", "patients/recent", {"limit": "100"}, "recent_read"),
    "the verify-later list": ("GET", "patients/unverified", {}, "unverified_read"),
    "numbers taken from home": ("GET", "appointments", {}, "appointments_read"),
    "suspected pairs": ("GET", "patients/suspected", {}, "suspected_read"),
    "merges": ("GET", "merges", {}, "merges_read"),
    "pairs told apart": ("GET", "not-same", {}, "judged_two_people_read"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_writes_who_was_shown(
    name: str, clerk: Caller, admin: Caller, receipt: dict[str, Any]
) -> None:
    method, path, params, action = LISTS[name]
    answer = clerk.request(method, path, params=params)
    assert answer.status_code == 200
    written = rows(admin, action=action)
    assert len(written) == 1
    assert written[0]["account"] == "clerk"
    shown = {row["id"] for row in answer.json()} if action in {"patients_searched", "recent_read"} else None
    assert shown is None or set(written[0]["patients"]) == shown


def test_who_asked_bpjs_about_whom_is_kept(clerk: Caller, admin: Caller) -> None:
    """BPJS knows everybody, patients of this clinic or not."""
    assert clerk.post("insurance/check", json={"nik": "6371014107900001"}).status_code == 200
    [written] = rows(admin, action="insurance_asked")
    assert (written["account"], written["detail"]["sought"]) == ("clerk", {"nik": "6371014107900001"})


def test_a_search_keeps_the_words_as_typed(clerk: Caller, admin: Caller, receipt: dict[str, Any]) -> None:
    clerk.get("patients", params={"q": "siti"})
    clerk.get("patients", params={"q": "zzqx qqzz"})
    found, nobody = reversed(rows(admin, action="patients_searched"))
    assert found["detail"]["q"] == "siti"
    assert nobody["detail"]["q"] == "zzqx qqzz"
    assert nobody["patients"] == []


def test_a_duplicate_check_writes_the_candidates(
    clerk: Caller, admin: Caller, receipt: dict[str, Any]
) -> None:
    card = clerk.get(f"patients/{receipt['patient_id']}").json()
    typed = {"name": card["name"], "birth_date": card["birth_date"], "sex": card["sex"]}
    assert clerk.post("patients/duplicates", json=typed).json()["candidates"]
    assert clerk.post("registrations/check", json={"person": typed}).status_code == 200
    for action in ("duplicates_read", "check_read"):
        [told] = rows(admin, action=action)
        assert receipt["patient_id"] in told["patients"]
        assert told["detail"]["sought"]["name"] == card["name"]


def test_who_opened_a_patient_is_found_by_the_patient(
    clerk: Caller, admin: Caller, receipt: dict[str, Any]
) -> None:
    clerk.get(f"patients/{receipt['patient_id']}")
    lines = rows(admin, patient_id=receipt["patient_id"])
    assert ("patient_read", "clerk") in {(row["action"], row["account"]) for row in lines}


def test_a_pane_writes_each_person_once_and_a_repaint_nothing(
    dentist: Caller, clerk: Caller, admin: Caller, receipt: dict[str, Any]
) -> None:
    for _ in range(3):
        pane = dentist.get("queues/GIGI").json()
    shown = [row for row in rows(admin, action="pane_read", account="dentist")]
    assert len(shown) == 1
    assert set(shown[0]["patients"]) == {entry["patient"]["id"] for entry in pane["entries"]}


def test_a_door_names_those_who_see_its_pane(
    server: Background, dentist: Caller, admin: Caller, receipt: dict[str, Any]
) -> None:
    door = httpx.Client(
        base_url=f"{server.url}/api/v1/",
        headers={"Authorization": f"Bearer {doors.add('lobby')}"},
    )
    seen_by = dentist.get("accounts/me").json()["id"]
    with door:
        assert door.get("queues/GIGI", params={"seen_by": seen_by}).status_code == 200
    [row] = [row for row in rows(admin, action="pane_read") if receipt["patient_id"] in row["patients"]]
    assert row["account"] == "dentist"


def test_a_daily_register_names_whom_it_shows(
    admin: Caller, server: Background, receipt: dict[str, Any]
) -> None:
    with Caller(server.url, "supervisor") as supervisor:
        release_file(admin, supervisor)
    for output in ("json", "csv", "xlsx"):
        assert admin.get("reports/daily-register", params={"format": output}).status_code == 200
    written = rows(admin, action="report_read")
    assert len(written) == 3
    assert all(receipt["patient_id"] in row["patients"] for row in written)


def test_the_audit_log_says_who_looked_into_it(admin: Caller, receipt: dict[str, Any]) -> None:
    admin.get("audit", params={"patient_id": receipt["patient_id"]})
    answer = admin.get("audit", params={"log": "reads", "action": "audit_read"}).json()
    assert answer[0]["patients"] == [receipt["patient_id"]]


def test_pages_follow_each_other_without_gap(clerk: Caller, admin: Caller) -> None:
    for number in range(7):
        clerk.get("patients", params={"q": f"nama{number}"})
    seen: list[str] = []
    until: dict[str, str] = {}
    for _ in range(4):
        page = admin.get("audit", params={"action": "patients_searched", "limit": 2, **until}).json()
        seen += [row["detail"]["q"] for row in page]
        until = {"until": page[-1]["at"]} if page else until
    assert seen == [f"nama{number}" for number in reversed(range(7))]


def test_a_read_does_not_wait_for_the_writer_of_the_records(clerk: Caller, receipt: dict[str, Any]) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction():
            held.set()
            done.wait(20)

    writer = threading.Thread(target=hold)
    writer.start()
    held.wait(5)
    try:
        assert clerk.get("patients", params={"q": "siti"}, timeout=10).status_code == 200
    finally:
        done.set()
        writer.join()


def full(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise apsw.FullError("database or disk is full")

    monkeypatch.setattr(audit_reads.ReadLog, "_commit", refuse)


def test_without_room_for_the_row_there_is_no_answer(
    server: Background,
    clerk: Caller,
    admin: Caller,
    receipt: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Searches, lists, cards, exports and the log itself."""
    with Caller(str(admin.base_url).partition("/api")[0], "supervisor") as supervisor:
        release_file(admin, supervisor)
    full(monkeypatch)
    card = f"patients/{receipt['patient_id']}"
    asked = [
        (clerk, path)
        for path in ("patients", "patients?q=siti", "patients/recent", "patients/unverified", card)
    ]
    asked += [(admin, f"reports/daily-register?format={output}") for output in ("json", "csv", "xlsx")]
    asked += [(admin, "audit"), (admin, "break-glass"), (admin, "merges")]
    for caller, path in asked:
        answer = caller.get(path)
        assert (answer.status_code, answer.json()["code"]) == (507, "disk_full"), path
    assert not audit_reads.reads().reserve.rows()


def test_one_s_own_queue_goes_on_without_room_and_its_rows_are_carried_in(
    dentist: Caller, clerk: Caller, admin: Caller, receipt: dict[str, Any]
) -> None:
    clerk.get("patients/recent")  # the log is open, its reserve set aside
    with pytest.MonkeyPatch.context() as patch:
        full(patch)
        assert dentist.get("queues/GIGI").status_code == 200
        assert dentist.get(f"visits/{receipt['visit_id']}").status_code == 200
        assert audit_reads.reads().reserve.rows()
        assert any(
            "reserve" in result.words or "cadangan" in result.words
            for result in database_checks.check_reserve()
        )
    clerk.get("patients/recent")
    written = rows(admin, patient_id=receipt["patient_id"], account="dentist")
    assert {row["action"] for row in written} >= {"pane_read", "visit_read"}
    assert all(row["detail"]["carried_in"] for row in written)
    assert not audit_reads.reads().reserve.rows()


READ_TAMPERINGS = {
    "the last rows cut off": ("DELETE FROM read_event WHERE sequence > 2", "rows_cut"),
    "all rows deleted": ("DELETE FROM read_event", "rows_cut"),
    "a middle row deleted": ("DELETE FROM read_event WHERE sequence = 3", "rows_missing"),
    "a row changed": ("UPDATE read_event SET account_id = 'x' WHERE sequence = 3", "row_changed"),
    "a person taken off the list": (
        "DELETE FROM read_person WHERE sequence = 3",
        "index_differs",
    ),
}


@pytest.mark.parametrize("name", READ_TAMPERINGS)
def test_a_tampering_with_the_log_of_reads_is_found(
    name: str, clerk: Caller, receipt: dict[str, Any], server: Background
) -> None:
    statement, code = READ_TAMPERINGS[name]
    for _ in range(4):
        clerk.get("patients/recent")
    assert audit_check.verify().problems == []
    file = apsw.Connection(str(audit_reads.reads().path))
    triggers = file.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for trigger, _sql in triggers:
        file.execute(f"DROP TRIGGER {trigger}")
    file.execute(statement)
    for _trigger, sql in triggers:
        file.execute(str(sql))
    file.close()
    found = {(problem.code, problem.log) for problem in audit_check.verify().problems}
    assert (code, "reads") in found


def test_the_log_binds_whatever_a_clinician_records(
    server: Background, dentist: Caller, receipt: dict[str, Any]
) -> None:
    visit, patient = receipt["visit_id"], receipt["patient_id"]
    assert dentist.act(receipt["ticket"]["id"], "start").is_success
    assert dentist.post(f"patients/{patient}/allergies/none").is_success
    prescribed = dentist.post(
        f"visits/{visit}/prescriptions", json={"medicine": "amoksisilin 500", "frequency": "3x1"}
    )
    assert prescribed.is_success, prescribed.text
    assert dentist.post(
        f"patients/{patient}/allergies", json={"substance": "penisilin", "severity": "severe"}
    ).is_success
    ordered = dentist.post(f"visits/{visit}/orders", json={"test": "Trombosit"}).json()["id"]
    with Caller(server.url, "lab") as lab:
        assert lab.post(f"orders/{ordered}/result", json={"result": "45"}).is_success
        assert lab.post(f"orders/{ordered}/acknowledge", json={"told": "drg. Maya"}).is_success
    allergy = dentist.get(f"patients/{patient}/allergies").json()["allergies"][0]["id"]
    assert dentist.post(f"allergies/{allergy}/void", json={"reason": "salah pasien"}).is_success
    assert audit_check.verify().problems == []


def test_the_log_binds_what_is_corrected_struck_and_taken_back(
    server: Background, clerk: Caller, dentist: Caller
) -> None:
    receipt = clerk.registered()
    visit, patient, entry = receipt["visit_id"], receipt["patient_id"], receipt["ticket"]["id"]
    assert dentist.act(entry, "start").is_success
    for said in ("sakit", "sakit sekali"):
        note = {"subjective": said, "disposition": "home", "sign": True}
        assert dentist.put(f"visits/{visit}/encounter", json=note).is_success
    first, second = (
        dentist.post(f"visits/{visit}/diagnoses", json={"code": code}).json()["id"]
        for code in ("K02.1", "K04.0")
    )
    done = dentist.post(f"visits/{visit}/procedures", json={"code": "23.09"}).json()["id"]
    for kind, id_ in (("diagnoses", first), ("procedures", done)):
        assert dentist.delete(f"visits/{visit}/{kind}/{id_}", params={"reason": "salah gigi"}).is_success
    rest = {"days": 2, "rest_from": dentist.get("clinic").json()["today"]}
    assert dentist.post(f"visits/{visit}/letters", json={"kind": "sick", "answers": rest}).is_success
    assert dentist.post(f"visits/{visit}/addenda", json={"text": "hasil foto menyusul"}).is_success
    assert dentist.act(entry, "finish").is_success
    assert dentist.act(entry, "undo").is_success
    assert dentist.put(f"visits/{visit}/encounter", json={"subjective": "sakit lagi"}).is_success
    assert dentist.act(entry, "finish").is_success
    for phone in ("081234567890", "081234567891"):
        assert clerk.patch(f"patients/{patient}", json={"phone": phone}).is_success
    with Caller(server.url, "records") as records:
        other = clerk.registered()["patient_id"]
        made = records.post(f"patients/{other}/merge", json={"into": patient})
        assert made.is_success, made.text
        assert clerk.patch(f"patients/{patient}", json={"phone": "081234567892"}).is_success
        assert records.post(f"merges/{made.json()['id']}/undo").is_success
    assert clerk.patch(f"patients/{patient}", json={"phone": "081234567893"}).is_success
    assert second
    assert audit_check.verify().problems == []


def test_a_command_names_the_person_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "rina")
    assert console.person_behind() == "rina"
    monkeypatch.setenv("LOKET_ACTOR", "Rina Hartati")
    assert console.person_behind() == "Rina Hartati (rina)"
