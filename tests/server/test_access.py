"""The gate to the record over HTTP: what a skilled tester got past, and each door of its kind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.foundation import clock
from core.foundation.config import Settings
from core.models import Addendum, AuditEvent, Change, Encounter
from server.run import Background
from tests.people import Caller

PEOPLE = (
    "clerk", "nurse", "doctor", "dentist", "midwife", "lab", "pharmacist", "records", "supervisor", "admin",
    "display",
)  # fmt: skip
SECRET = "RAHASIA"
WHY = "pasien menelepon minta hasil"


HOURS_SIGNED_IN = 72


@pytest.fixture(scope="module")
def server(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    """One clinic for all of these tests: each has its own patient."""
    home = tmp_path_factory.mktemp("access") / "home"
    shutil.copytree(demo_home, home)
    with Background(Settings(home=home, token_hours=HOURS_SIGNED_IN)) as running:
        yield running


@pytest.fixture(scope="module")
def people(server: Background) -> Iterator[dict[str, Caller]]:
    """Everybody, signed in for days, so that the clock may be set on."""
    signed_in = {name: Caller(server.url, name) for name in PEOPLE}
    yield signed_in
    for caller in signed_in.values():
        caller.close()


def _fixture_of(name: str) -> Any:
    @pytest.fixture(name=name)
    def person(people: dict[str, Caller]) -> Caller:
        return people[name]

    return person


clerk, nurse, doctor, dentist, midwife, lab, pharmacist, records, supervisor, admin, display = map(
    _fixture_of, PEOPLE
)


@pytest.fixture
def seen(clerk: Caller, doctor: Caller) -> dict[str, Any]:
    """Somebody in UMUM whose note the doctor has written."""
    receipt = clerk.registered(cluster="UMUM", chief_complaint="batuk", override_reason="contoh")
    doctor.act(receipt["ticket"]["id"], "start")
    note = {
        "subjective": f"{SECRET}-S",
        "objective": f"{SECRET}-O",
        "assessment": f"{SECRET}-A",
        "plan": f"{SECRET}-P",
        "vitals": {"weight": 61, "pulse": 88},
        "disposition": "home",
    }
    assert doctor.put(f"visits/{receipt['visit_id']}/encounter", json=note).status_code == 200
    return receipt


def ended(doctor: Caller, seen: dict[str, Any]) -> None:
    """The visit is over: who is still in a queue the next day is still its patient."""
    assert doctor.act(seen["ticket"]["id"], "finish", disposition="home").status_code == 200


def sent_on(doctor: Caller, seen: dict[str, Any], cluster: str) -> None:
    assert doctor.act(seen["ticket"]["id"], "transfer", cluster=cluster).status_code == 200


@contextmanager
def later(hours: float) -> Iterator[None]:
    """Some hours on."""
    then = clock.now() + timedelta(hours=hours)
    with clock.frozen(lambda: then):
        yield


def notes(seen: dict[str, Any]) -> int:
    return Encounter.select().where(Encounter.visit == seen["visit_id"]).count()


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# A1: an addendum is no way round the reason


def test_an_addendum_to_anothers_note_asks_for_a_reason_and_shows_nothing(
    midwife: Caller, seen: dict[str, Any]
) -> None:
    path = f"visits/{seen['visit_id']}/addenda"
    refused = midwife.post(path, json={"text": "catatan bidan"})
    assert code_of(refused) == (403, "reason_required")
    assert SECRET not in refused.text
    assert Addendum.select().join(Encounter).where(Encounter.visit == seen["visit_id"]).count() == 0


def test_an_addendum_with_a_reason_is_kept_with_it(midwife: Caller, seen: dict[str, Any]) -> None:
    path = f"visits/{seen['visit_id']}/addenda"
    added = midwife.post(path, json={"text": "catatan bidan", "reason": WHY, "reason_code": "colleague"})
    assert added.status_code == 201
    event = (
        AuditEvent.select()
        .where(AuditEvent.action == "glass_broken")
        .order_by(AuditEvent.sequence.desc())
        .get()
    )
    assert event.patient_id == seen["patient_id"]
    assert event.detail == {"reason": WHY, "code": "colleague", "purpose": "addendum"}


@pytest.mark.parametrize("text", [".", "  ", "- -", "?!"])
def test_an_addendum_that_says_nothing_is_refused(doctor: Caller, seen: dict[str, Any], text: str) -> None:
    refused = doctor.post(f"visits/{seen['visit_id']}/addenda", json={"text": text})
    assert refused.status_code == 422


def test_on_another_day_the_author_adds_to_their_own_note_and_sees_no_others_additions(
    doctor: Caller, midwife: Caller, seen: dict[str, Any]
) -> None:
    path = f"visits/{seen['visit_id']}/addenda"
    midwife.post(path, json={"text": "rahasia bidan", "reason": WHY})
    ended(doctor, seen)
    with later(30):
        assert code_of(doctor.get(f"visits/{seen['visit_id']}")) == (403, "reason_required")
        added = doctor.post(path, json={"text": "menyusul"})
    assert added.status_code == 201
    assert "rahasia bidan" not in added.text
    assert added.json()["addenda"] == ["dr. Yusuf Hakim: menyusul"]


# A2: one writes where the patient was


@pytest.mark.parametrize(
    ("who", "cluster"), [("dentist", "GIGI"), ("midwife", "KIA"), ("doctor", "LANSIA"), ("doctor", "IGD")]
)
def test_nobody_writes_in_a_cluster_that_the_visit_never_had(
    request: pytest.FixtureRequest, doctor: Caller, seen: dict[str, Any], who: str, cluster: str
) -> None:
    caller: Caller = request.getfixturevalue(who)
    body = {"cluster": cluster, "disposition": "referred", "sign": True, "subjective": "x"}
    refused = caller.put(f"visits/{seen['visit_id']}/encounter", json=body)
    assert refused.status_code == 422
    assert refused.json()["fields"]["cluster"] in {"not_visited", "not_yours"}
    assert doctor.get(f"visits/{seen['visit_id']}").json()["disposition"] == "home"
    assert notes(seen) == 1


def test_a_visit_that_was_taken_back_from_a_cluster_is_not_written_there(
    dentist: Caller, doctor: Caller, seen: dict[str, Any]
) -> None:
    moved = doctor.act(seen["ticket"]["id"], "transfer", cluster="GIGI").json()
    assert doctor.act(moved["id"], "undo").status_code == 200
    refused = dentist.put(f"visits/{seen['visit_id']}/encounter", json={"cluster": "GIGI", "subjective": "x"})
    assert refused.json()["fields"] == {"cluster": "not_visited"}


def test_a_late_correction_does_not_change_how_a_later_contact_ended_the_visit(
    dentist: Caller, doctor: Caller, seen: dict[str, Any]
) -> None:
    sent_on(doctor, seen, "GIGI")
    path = f"visits/{seen['visit_id']}/encounter"
    assert dentist.put(path, json={"subjective": "x", "disposition": "referred"}).status_code == 200
    assert doctor.put(path, json={"subjective": "y", "disposition": "home"}).status_code == 200
    assert doctor.get(f"visits/{seen['visit_id']}").json()["disposition"] == "referred"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("diagnoses", {"code": "J06.9"}),
        ("procedures", {"code": "23.09"}),
        ("prescriptions", {"medicine": "Parasetamol"}),
        ("orders", {"test": "Hemoglobin"}),
        ("letters", {"kind": "sick", "answers": {}}),
    ],
)
def test_nothing_is_added_to_a_visit_that_never_came(
    midwife: Caller, seen: dict[str, Any], path: str, body: dict[str, Any]
) -> None:
    refused = midwife.post(f"visits/{seen['visit_id']}/{path}", json=body)
    assert refused.json()["fields"] == {"cluster": "not_yours"}


# A3: the time for corrections is that of the contact to which the thing belongs


def test_a_locked_visit_gets_no_new_note_in_another_cluster(doctor: Caller, seen: dict[str, Any]) -> None:
    with later(49):
        body = {"cluster": "LANSIA", "subjective": "x"}
        refused = doctor.put(f"visits/{seen['visit_id']}/encounter", json=body)
    assert refused.status_code == 422
    assert notes(seen) == 1


def test_an_old_visit_without_a_note_gets_none(clerk: Caller, dentist: Caller) -> None:
    receipt = clerk.registered()
    dentist.act(receipt["ticket"]["id"], "start")
    dentist.act(receipt["ticket"]["id"], "finish")
    with later(49):
        refused = dentist.put(f"visits/{receipt['visit_id']}/encounter", json={"subjective": "x"})
    assert code_of(refused) == (422, "record_locked")


@pytest.mark.parametrize("hours", [0, 49])
def test_anothers_diagnosis_is_not_struck(
    dentist: Caller, doctor: Caller, seen: dict[str, Any], hours: int
) -> None:
    visit = seen["visit_id"]
    found = doctor.post(f"visits/{visit}/diagnoses", json={"code": "J06.9"}).json()
    sent_on(doctor, seen, "GIGI")
    with later(hours):
        refused = dentist.delete(f"visits/{visit}/diagnoses/{found['id']}", params={"reason": "iseng saja"})
    assert code_of(refused) == (403, "not_allowed")
    assert [row["code"] for row in doctor.get(f"visits/{visit}").json()["diagnoses"]] == ["J06.9"]


KINDS = {
    "diagnosis": ("diagnoses", {"code": "J06.9"}, "visits/{visit}/diagnoses/{id}"),
    "procedure": ("procedures", {"code": "23.09"}, "visits/{visit}/procedures/{id}"),
    "prescription": ("prescriptions", {"medicine": "Parasetamol"}, "prescriptions/{id}"),
    "order": ("orders", {"test": "Hemoglobin"}, "orders/{id}"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_in_a_locked_contact_is_not_taken_back(
    dentist: Caller, doctor: Caller, seen: dict[str, Any], kind: str
) -> None:
    add, body, strike = KINDS[kind]
    visit = seen["visit_id"]
    made = doctor.post(f"visits/{visit}/{add}", json=body).json()
    path = strike.format(visit=visit, id=made["id"])
    # The patient comes back to another cluster of the same doctor: a contact that is not locked.
    sent_on(doctor, seen, "IGD")
    with later(49):
        assert code_of(doctor.delete(path, params={"reason": "salah"})) == (422, "record_locked")
        assert code_of(dentist.delete(path, params={"reason": "salah"})) == (403, "not_allowed")


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_recorded_in_ones_own_contact_is_taken_back(
    doctor: Caller, seen: dict[str, Any], kind: str
) -> None:
    add, body, strike = KINDS[kind]
    made = doctor.post(f"visits/{seen['visit_id']}/{add}", json=body).json()
    path = strike.format(visit=seen["visit_id"], id=made["id"])
    assert doctor.delete(path, params={"reason": "salah"}).status_code in {200, 204}


def test_a_result_is_corrected_for_48_hours_and_never_after(
    doctor: Caller, lab: Caller, seen: dict[str, Any]
) -> None:
    order = doctor.post(f"visits/{seen['visit_id']}/orders", json={"test": "Hemoglobin"}).json()
    path = f"orders/{order['id']}/result"
    assert lab.post(path, json={"result": "12,1"}).status_code == 200
    with later(47):
        assert lab.post(path, json={"result": "12,2"}).status_code == 200
    with later(49):  # the correction did not prolong the time
        assert code_of(lab.post(path, json={"result": "6,2"})) == (422, "record_locked")
    assert doctor.get(f"visits/{seen['visit_id']}").json()["orders"][0]["result"] == "12,2"


def test_a_late_first_result_still_comes_in_and_can_be_corrected(
    doctor: Caller, lab: Caller, seen: dict[str, Any]
) -> None:
    order = doctor.post(f"visits/{seen['visit_id']}/orders", json={"test": "Hemoglobin"}).json()
    path = f"orders/{order['id']}/result"
    with later(60):
        assert lab.post(path, json={"result": "12,1"}).status_code == 200
        assert lab.post(path, json={"result": "12,2"}).status_code == 200


# The supervisor's release


def test_a_released_record_is_corrected_and_locked_again(
    doctor: Caller, supervisor: Caller, seen: dict[str, Any]
) -> None:
    visit = seen["visit_id"]
    with later(49):
        path, body = f"visits/{visit}/encounter", {"subjective": "dibetulkan"}
        assert code_of(doctor.put(path, json=body)) == (422, "record_locked")
        release = f"visits/{visit}/release"
        assert doctor.post(release, json={"reason": "salah pasien"}).status_code == 403
        given = supervisor.post(release, json={"reason": "salah pasien", "hours": 2})
        assert given.status_code == 201
        assert given.json()["released_by"] == "dr. Hasan Basri"
        assert doctor.put(path, json=body).json()["subjective"] == "dibetulkan"
        assert [row["reason"] for row in supervisor.get(f"visits/{visit}/releases").json()] == [
            "salah pasien"
        ]
    with later(52):
        assert code_of(doctor.put(path, json=body)) == (422, "record_locked")


# C4: the reason says something, is listed, and laboratory and pharmacy need no notes


@pytest.mark.parametrize(
    "reason", ["", ".", "....", "abcd", "1234567", "a b c d", "aaaaaaa", "ya ya ya", "Xxxxx Yyyyy"]
)
@pytest.mark.parametrize("path", ["visits/{visit_id}", "patients/{patient_id}/history"])
def test_a_reason_that_says_nothing_opens_nothing(
    midwife: Caller, seen: dict[str, Any], reason: str, path: str
) -> None:
    refused = midwife.get(path.format(**seen), params={"reason": reason})
    assert code_of(refused) == (403, "reason_required")


def test_broken_glass_is_listed_for_the_supervisor_of_the_day(
    midwife: Caller, supervisor: Caller, doctor: Caller, seen: dict[str, Any]
) -> None:
    params = {"reason": WHY, "reason_code": "patient"}
    assert midwife.get(f"visits/{seen['visit_id']}", params=params).status_code == 200
    assert doctor.get(f"visits/{seen['visit_id']}", params=params).status_code == 200  # their own queue
    (broken,) = [
        row for row in supervisor.get("break-glass").json() if row["patient_id"] == seen["patient_id"]
    ]
    assert (broken["username"], broken["code"], broken["reason"]) == ("midwife", "patient", WHY)
    yesterday = (clock.now() - timedelta(days=2)).date().isoformat()
    assert supervisor.get("break-glass", params={"date": yesterday}).json() == []
    assert midwife.get("break-glass").status_code == 403


def test_an_allergy_of_a_stranger_asks_for_a_reason(midwife: Caller, seen: dict[str, Any]) -> None:
    path = f"patients/{seen['patient_id']}/allergies"
    assert code_of(midwife.post(path, json={"substance": "penisilin"})) == (403, "reason_required")
    assert midwife.post(path, json={"substance": "penisilin", "reason": WHY}).status_code == 201


def test_a_letter_on_another_day_asks_for_a_reason(doctor: Caller, seen: dict[str, Any]) -> None:
    path, body = f"visits/{seen['visit_id']}/letters", {"kind": "sick", "answers": {}}
    ended(doctor, seen)
    with later(30):
        assert code_of(doctor.post(path, json=body)) == (403, "reason_required")
        assert doctor.post(path, json={**body, "reason": WHY}).json()["code"] == "validation"


@pytest.mark.parametrize("who", ["lab", "pharmacist"])
def test_laboratory_and_pharmacy_see_what_their_work_needs_and_no_note(
    request: pytest.FixtureRequest, doctor: Caller, seen: dict[str, Any], who: str
) -> None:
    caller: Caller = request.getfixturevalue(who)
    visit = seen["visit_id"]
    doctor.post(f"patients/{seen['patient_id']}/allergies", json={"substance": "penisilin"})
    doctor.post(f"visits/{visit}/orders", json={"test": "Hemoglobin"})
    doctor.post(f"visits/{visit}/prescriptions", json={"medicine": "Parasetamol"})
    doctor.post(f"visits/{visit}/addenda", json={"text": f"{SECRET}-N"})
    read = caller.get(f"visits/{visit}", params={"reason": WHY})
    assert read.status_code == 200
    assert SECRET not in read.text
    body = read.json()
    assert body["encounters"][0]["vitals"] == {"weight": 61}
    assert body["patient"]["allergies"] == ["penisilin"]
    assert [row["test"] for row in body["orders"]] == ["Hemoglobin"]
    assert [row["medicine"] for row in body["prescriptions"]] == ["Parasetamol"]
    (line,) = caller.get(f"patients/{seen['patient_id']}/history", params={"reason": WHY}).json()
    assert (line["chief_complaint"], line["diagnoses"]) == ("", [])


# Complaints in queues and in the feed


def complaint(caller: Caller, seen: dict[str, Any]) -> str:
    """The complaint as the pane of UMUM and the entry itself show it."""
    entries = caller.get("queues/UMUM").json()["entries"]
    (text,) = [entry["chief_complaint"] for entry in entries if entry["id"] == seen["ticket"]["id"]]
    assert caller.get(f"queue-entries/{seen['ticket']['id']}").json()["chief_complaint"] == text
    return str(text)


def test_complaints_are_for_own_clusters_clerk_triage_and_supervisor(
    people: dict[str, Caller], seen: dict[str, Any]
) -> None:
    shown = {name: complaint(caller, seen) for name, caller in people.items() if name != "display"}
    assert [name for name, text in shown.items() if text] == ["clerk", "nurse", "doctor", "supervisor"]


def events(caller: Caller, after: int, number: int) -> list[dict[str, Any]]:
    """The first events of the feed after a sequence."""
    found: list[dict[str, Any]] = []
    with caller.stream("GET", "changes", params={"after": after}) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line.removeprefix("data: ")))
                if len(found) == number:
                    break
    return found


def test_the_feed_tells_a_complaint_to_its_own_cluster_only(
    dentist: Caller, doctor: Caller, seen: dict[str, Any]
) -> None:
    after = seen["sequence"] - 1
    (own,), (other,) = events(doctor, after, 1), events(dentist, after, 1)
    assert own["entry"]["chief_complaint"] == "batuk"
    assert other["entry"]["chief_complaint"] == ""
    assert other["entry"]["patient"] is not None


def test_the_feed_begins_with_today(clerk: Caller, dentist: Caller, admin: Caller) -> None:
    clerk.registered(chief_complaint="sakit gigi kemarin")
    yesterday = Change.select().order_by(Change.sequence.desc()).get().sequence
    Change.update(at=clock.now() - timedelta(days=1)).execute()
    today = clerk.registered(chief_complaint="sakit gigi hari ini")
    first, second = events(dentist, 0, 2)
    assert first == {"sequence": yesterday}  # the panes are read again
    assert second["sequence"] > yesterday
    assert second["entry"]["visit_id"] == today["visit_id"]
    assert events(admin, 0, 1)[0]["sequence"] <= yesterday


# C5: rights before versions


@pytest.mark.parametrize("action", ["call", "start", "skip", "transfer", "cancel", "prioritise", "undo"])
def test_a_wrong_version_tells_nothing_to_who_may_not_act(
    people: dict[str, Caller], seen: dict[str, Any], action: str
) -> None:
    for name in ("display", "midwife", "records", "nurse", "lab"):
        for version in (1, 999):
            refused = people[name].act(seen["ticket"]["id"], action, expected_version=version)
            assert code_of(refused) == (403, "not_allowed"), name
            assert "dr. Yusuf" not in refused.text


# C2: what a letter says is printed as it stands


@pytest.mark.parametrize("text", ["\x1b]52;c;QQ==\x07", "a\x9b2J", "a\u202eb", "a\x00b"])
def test_a_letters_answers_hold_no_control_characters(
    doctor: Caller, seen: dict[str, Any], text: str
) -> None:
    kinds = {kind["kind"]: kind for kind in doctor.get("letters").json()}
    free = [
        (kind["kind"], field["name"])
        for kind in kinds.values()
        for field in kind["fields"]
        if field["type"] == "text"
    ]
    assert free
    for kind, name in free:
        body = {"kind": kind, "answers": {name: text}}
        refused = doctor.post(f"visits/{seen['visit_id']}/letters", json=body)
        assert refused.status_code == 422
        assert refused.json()["fields"][name] == "control_characters"


# The nurse


def test_a_nurse_writes_vital_signs_and_nothing_else(
    doctor: Caller, nurse: Caller, seen: dict[str, Any]
) -> None:
    path = f"visits/{seen['visit_id']}/encounter"
    written = nurse.put(path, json={"vitals": {"systolic": 120, "diastolic": 80}})
    assert written.status_code == 200
    assert SECRET not in written.text
    rest: tuple[dict[str, Any], ...] = (
        {"subjective": "x"},
        {"sign": True},
        {"disposition": "home"},
        {"form": {}},
    )
    for more in rest:
        assert nurse.put(path, json={"vitals": {}, **more}).status_code == 403
    assert nurse.post(f"visits/{seen['visit_id']}/diagnoses", json={"code": "J06.9"}).status_code == 403
    (note,) = doctor.get(f"visits/{seen['visit_id']}").json()["encounters"]
    assert note["vitals"] == {"weight": 61, "pulse": 88, "systolic": 120, "diastolic": 80}
    assert (note["subjective"], note["practitioner"]) == (f"{SECRET}-S", "dr. Yusuf Hakim")


# Rights as data, four eyes


def test_a_right_changes_when_two_people_agree(
    admin: Caller, supervisor: Caller, pharmacist: Caller, seen: dict[str, Any]
) -> None:
    change = {"role": "pharmacist", "permission": "read_notes", "granted": True, "reason": "apoteker klinis"}
    path, params = f"visits/{seen['visit_id']}", {"reason": WHY}
    assert supervisor.post("rights/changes", json=change).status_code == 403
    asked = admin.post("rights/changes", json=change)
    assert asked.status_code == 201
    assert code_of(admin.post("rights/changes", json=change)) == (409, "already_requested")
    approve = f"rights/changes/{asked.json()['id']}/approve"
    assert admin.post(approve).status_code == 403
    assert SECRET not in pharmacist.get(path, params=params).text
    assert supervisor.post(approve).json()["outcome"] == "approved"
    assert SECRET in pharmacist.get(path, params=params).text
    assert "read_notes" in pharmacist.get("accounts/me").json()["rights"]
    assert supervisor.post(approve).status_code == 409
    back = admin.post("rights/changes", json={**change, "granted": False}).json()
    assert supervisor.post(f"rights/changes/{back['id']}/approve").status_code == 200
    pharmacist.sign_in()
    assert SECRET not in pharmacist.get(path, params=params).text


def test_a_refused_or_withdrawn_request_changes_nothing(admin: Caller, supervisor: Caller) -> None:
    change = {"role": "clerk", "permission": "merge_patients", "granted": True, "reason": "loket sibuk"}
    first = admin.post("rights/changes", json=change).json()
    assert supervisor.post(f"rights/changes/{first['id']}/refuse").json()["outcome"] == "refused"
    second = admin.post("rights/changes", json=change).json()
    assert admin.delete(f"rights/changes/{second['id']}").json()["outcome"] == "withdrawn"
    (clerk,) = [row for row in supervisor.get("rights").json() if row["role"] == "clerk"]
    assert clerk["rights"] == clerk["defaults"]
    assert [row["outcome"] for row in admin.get("rights/changes").json()[:2]] == ["withdrawn", "refused"]


@pytest.mark.parametrize(
    ("role", "permission", "granted"),
    [
        ("admin", "read_notes", True),
        ("admin", "read_records", True),
        ("admin", "administer", False),
        ("supervisor", "approve", False),
        ("admin", "approve", True),
        ("clerk", "open_door", True),
        ("display", "read_queues", True),
        ("door", "read_records", True),
    ],
)
def test_some_rights_are_never_changed(admin: Caller, role: str, permission: str, granted: bool) -> None:
    change = {"role": role, "permission": permission, "granted": granted, "reason": "coba-coba"}
    assert admin.post("rights/changes", json=change).json()["fields"] == {"permission": "fixed"}


def test_a_taken_right_is_gone_at_once_and_ends_the_sign_ins_that_had_it(
    clerk: Caller, doctor: Caller, admin: Caller, supervisor: Caller, seen: dict[str, Any]
) -> None:
    change = {"role": "clerk", "permission": "read_complaints", "granted": False, "reason": "loket terbuka"}
    asked = admin.post("rights/changes", json=change).json()
    assert complaint(clerk, seen) == "batuk"
    supervisor.post(f"rights/changes/{asked['id']}/approve")
    assert clerk.get("accounts/me").status_code == 401  # its open screens close: they knew the right
    assert doctor.get("accounts/me").status_code == 200
    clerk.sign_in()
    assert complaint(clerk, seen) == ""
    back = admin.post("rights/changes", json={**change, "granted": True}).json()
    supervisor.post(f"rights/changes/{back['id']}/approve")
    assert complaint(clerk, seen) == "batuk"


def test_admin_has_reports_audit_and_no_clinical_text(admin: Caller, seen: dict[str, Any]) -> None:
    for path in ("reports/daily-register", "audit", "sync", "backups", "board"):
        assert admin.get(path).status_code == 200, path
    for path in (f"visits/{seen['visit_id']}", f"patients/{seen['patient_id']}/history"):
        assert admin.get(path, params={"reason": WHY}).status_code == 403
    assert datetime.fromisoformat(admin.get("audit").json()[0]["at"]).tzinfo is not None
