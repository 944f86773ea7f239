"""The save: once, numbered, in the pane, or a clear refusal."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import apsw
import httpx
import peewee
import pytest

from core.foundation.identifiers import new_id
from core.models import AuditEvent, Outbox, Visit
from server.run import Background
from tests.people import Caller, patient, registration


def test_receipt_is_in_the_pane_at_its_sequence(clerk: Caller, dentist: Caller) -> None:
    receipt = clerk.registered()
    pane = dentist.get("queues/GIGI").json()
    assert pane["sequence"] >= receipt["sequence"]
    assert [entry["number"] for entry in pane["entries"]] == [receipt["ticket"]["number"]]
    assert receipt["ticket"]["position"] == 1


def test_sending_again_returns_the_same_receipt_and_makes_no_second_visit(clerk: Caller) -> None:
    body = registration()
    first, second = (clerk.post("registrations", json=body) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["ticket"]["number"] == second.json()["ticket"]["number"]
    assert Visit.select().count() == 1


def test_one_id_with_another_content_is_refused_with_what_was_saved(clerk: Caller) -> None:
    body = registration()
    saved = clerk.post("registrations", json=body).json()
    again = clerk.post("registrations", json={**body, "chief_complaint": "gusi bengkak"})
    assert again.status_code == 409
    assert again.json()["code"] == "registration_id_reused"
    assert again.json()["details"]["receipt"]["visit_id"] == saved["visit_id"]


def test_wrong_cluster_needs_a_reason_and_keeps_it(clerk: Caller) -> None:
    refused = clerk.register(cluster="UMUM")
    assert refused.status_code == 422
    assert refused.json()["code"] == "override_reason_required"
    assert refused.json()["details"]["routing"]["suggestions"][0]["cluster"] == "GIGI"
    kept = clerk.registered(cluster="UMUM", override_reason="dokter gigi cuti")
    assert Visit.get_by_id(kept["visit_id"]).override_reason == "dokter gigi cuti"


def test_pregnant_man_is_blocked_and_the_field_named(clerk: Caller) -> None:
    refused = clerk.register(chief_complaint="kontrol kehamilan", cluster="KIA", pregnant=True)
    assert refused.status_code == 422
    assert refused.json()["code"] == "cluster_blocked"
    assert refused.json()["details"]["routing"]["blocked_field"] in {"pregnant", "sex"}


def test_red_flag_goes_first_whatever_the_order_of_arrival(clerk: Caller, doctor: Caller) -> None:
    clerk.registered(cluster="IGD", chief_complaint="luka robek di tangan", override_reason="x")
    red = clerk.registered(cluster="IGD", chief_complaint="nyeri dada sesak berat keringat dingin")
    called = doctor.post("queues/IGD/call-next", json={}).json()
    assert called["number"] == red["ticket"]["number"]
    assert called["priority"] == "red"


def test_same_nik_asks_before_a_second_record_is_made(clerk: Caller) -> None:
    known = patient(nik="6371011708900001", birth_date="1990-08-17", name="Budi Santosa")
    clerk.registered(patient=known)
    again = clerk.register(patient=known, duplicate_decision=None)
    assert again.status_code == 409
    assert again.json()["code"] == "duplicate_decision_required"
    assert again.json()["details"]["band"] == "existing"
    insisted = clerk.register(patient=known)
    assert insisted.status_code == 422
    assert insisted.json()["fields"] == {"patient.nik": "taken"}


def test_one_patient_has_one_place_in_a_queue(clerk: Caller) -> None:
    receipt = clerk.registered()
    again = clerk.register(patient_id=receipt["patient_id"])
    assert again.status_code == 409
    assert again.json()["code"] == "already_in_queue"
    assert again.json()["details"]["number"] == receipt["ticket"]["number"]


def test_undo_within_two_minutes_frees_the_place_but_never_the_number(clerk: Caller) -> None:
    body = registration()
    first = clerk.post("registrations", json=body).json()
    undone = clerk.post(f"registrations/{body['id']}/undo")
    assert undone.json()["status"] == "cancelled"
    second = clerk.registered(patient_id=first["patient_id"])
    assert (first["ticket"]["number"], second["ticket"]["number"]) == ("B-001", "B-002")


def test_fifty_at_once_get_fifty_numbers_without_a_gap(server: Background) -> None:
    callers = [Caller(server.url, "clerk") for _ in range(10)]
    with ThreadPoolExecutor(len(callers)) as pool:
        jobs = [pool.submit(callers[index % 10].registered) for index in range(50)]
        numbers = sorted(job.result()["ticket"]["number"] for job in jobs)
    assert numbers == [f"B-{number:03d}" for number in range(1, 51)]


def test_ten_calls_at_once_call_ten_people(server: Background, clerk: Caller) -> None:
    for _ in range(10):
        clerk.registered()
    callers = [Caller(server.url, "dentist") for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        called = list(
            pool.map(lambda caller: caller.post("queues/GIGI/call-next", json={}).json()["id"], callers)
        )
    assert len(set(called)) == 10
    assert callers[0].post("queues/GIGI/call-next", json={}).status_code == 204


def test_a_save_is_audited_and_in_the_outbox_with_it(clerk: Caller) -> None:
    receipt = clerk.registered()
    assert AuditEvent.select().where(AuditEvent.target == receipt["visit_id"]).exists()
    kinds = {
        row.kind
        for row in Outbox.select().where(Outbox.target.in_([receipt["visit_id"], receipt["patient_id"]]))
    }
    assert kinds == {"visit", "patient"}


BAD = {
    "empty": "",
    "spaces": "   ",
    "too long": "x" * 5000,
    "number": 12,
    "null": None,
    "list": ["a"],
    "nul": "a\x00b",
    "escape": "a\x1b[2Jb",
    "bidi": "Ana\u202egnitset",
    "surrogate": "\ud800",
}
BROKEN = {
    "nothing": b"",
    "cut off": b"{",
    "list": b"[]",
    "null": b"null",
    "wrong fields": b'{"id": 1}',
    "not text": b"\xff\xfe",
    "deep": b'{"a":' * 2000,
}
GOOD = {
    "sql": "Robert'); DROP TABLE patient;--",
    "markup": "[red]Ana[/] <b>B</b> {0} %s",
    "wide": "王小明 ｱﾅ",
    "arabic": "محمد علي",
    "quote": "Nur'aini D’Costa-Ü",
    "emoji": "Ana 👩‍⚕️",
}


@pytest.mark.parametrize("field", ["name", "sex", "birth_date", "nik", "phone", "address", "mother_name"])
def test_bad_patient_fields_are_refused_by_name_and_never_a_500(clerk: Caller, field: str) -> None:
    optional = {
        "nik": ("", "   ", None),
        "phone": ("", "   "),
        "address": ("", "   "),
        "mother_name": ("", "   "),
    }
    for kind, value in BAD.items():
        answer = _post_as_is(clerk, registration(patient=patient(**{field: value})))
        if value in optional.get(field, ()):
            assert answer.status_code == 201, (kind, answer.text)
            continue
        assert answer.status_code == 422, (kind, answer.text)
        assert any(path.startswith(f"patient.{field}") for path in answer.json()["fields"]), (
            kind,
            answer.text,
        )


@pytest.mark.parametrize("field", ["chief_complaint", "cluster", "id", "payer", "override_reason"])
def test_bad_registration_fields_never_a_500(clerk: Caller, field: str) -> None:
    for kind, value in BAD.items():
        answer = _post_as_is(clerk, registration(**{field: value}))
        assert answer.status_code in {201, 422}, (kind, answer.text)
        if answer.status_code == 422:
            assert answer.json()["code"], kind


def _post_as_is(caller: Caller, body: dict[str, object]) -> httpx.Response:
    """Past httpx's own encoder, which refuses lone surrogates."""
    content = json.dumps(body).encode()
    return caller.post("registrations", content=content, headers={"Content-Type": "application/json"})


def test_unusual_names_are_stored_as_they_were_typed(clerk: Caller) -> None:
    for name in GOOD.values():
        receipt = clerk.registered(patient=patient(name=name))
        assert clerk.get(f"patients/{receipt['patient_id']}").json()["name"] == name


def test_broken_bodies_are_problems(clerk: Caller) -> None:
    for kind, content in BROKEN.items():
        answer = clerk.post("registrations", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code in {400, 422}, kind
        assert answer.headers["content-type"].startswith("application/problem+json"), kind


def test_unknown_and_later_clusters_are_refused(clerk: Caller) -> None:
    assert clerk.register(cluster="NONE").json()["fields"] == {"cluster": "unknown"}
    assert clerk.register(cluster="FARMASI").json()["fields"] == {"cluster": "not_a_first_destination"}


def test_receipt_can_be_fetched_when_the_answer_was_lost(clerk: Caller) -> None:
    body = registration()
    assert clerk.get(f"registrations/{body['id']}").status_code == 404
    sent = clerk.post("registrations", json=body).json()
    assert clerk.get(f"registrations/{body['id']}").json()["ticket"]["number"] == sent["ticket"]["number"]
    assert clerk.get(f"registrations/{new_id()}").status_code == 404


def test_a_full_disk_is_told_as_such_and_gives_no_number(
    clerk: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = clerk.registered()["ticket"]["number"]

    def full(*_: object) -> None:
        cause = apsw.FullError("database or disk is full")
        raise peewee.OperationalError(cause, *cause.args)  # as Peewee wraps it

    body = registration()
    with monkeypatch.context() as while_full:
        while_full.setattr("core.exchange.outbox.enqueue", full)  # the last write but one of a save
        answer = clerk.post("registrations", json=body)
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
    assert clerk.get(f"registrations/{body['id']}").status_code == 404
    second = clerk.post("registrations", json=body).json()["ticket"]["number"]
    assert int(second[2:]) == int(first[2:]) + 1


def test_a_registration_is_of_one_patient(clerk: Caller) -> None:
    known = clerk.registered()["patient_id"]
    both = clerk.register(patient=patient(), patient_id=known)
    assert (both.status_code, both.json()["fields"]) == (422, {"patient": "only_one"})
    nobody = clerk.post("registrations", json={**registration(), "patient": None})
    assert (nobody.status_code, nobody.json()["fields"]) == (422, {"patient": "required"})
    made_up = clerk.register(patient_id=new_id())
    assert (made_up.status_code, made_up.json()["fields"]) == (422, {"patient_id": "unknown"})
