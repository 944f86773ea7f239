"""One person stands once in a queue and once in the register, whichever door is used and whoever else is at another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import pytest

from core.foundation import clock
from core.foundation.config import Settings
from core.foundation.database import connection
from core.models import Patient, QueueEntry, Visit
from core.visits import registration as registering
from server.run import Background
from tests.people import Caller, patient, registration
from tests.postgres import new_database

FILLING = "minta tambal gigi"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def clinic(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    home: Path = tmp_path_factory.mktemp("place")
    settings = Settings(home=home)
    if request.param == "postgresql":
        settings = Settings(home=home, database_url=new_database(request.getfixturevalue("postgres")))
    with Background(settings) as running:
        yield running


class Clinic:
    """People at work, each signed in once."""

    def __init__(self, server: Background) -> None:
        self.people = {
            name: Caller(server.url, name) for name in ("clerk", "doctor", "dentist", "lab", "records")
        }

    def __getattr__(self, name: str) -> Caller:
        return self.people[name]

    def waits(self, cluster: str, complaint: str, **more: Any) -> dict[str, Any]:
        """A registration in a cluster; the receipt."""
        return self.clerk.registered(
            cluster=cluster, chief_complaint=complaint, override_reason="own wish", **more
        )

    def at_both(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """One person who waits in UMUM and in GIGI."""
        general = self.waits("UMUM", "batuk pilek")
        return general, self.waits("GIGI", FILLING, patient_id=general["patient_id"])


@pytest.fixture(scope="module")
def at(clinic: Background) -> Clinic:
    return Clinic(clinic)


def places(patient_id: str) -> list[str]:
    """The clusters in which a person has an open entry."""
    with connection():
        rows = (
            QueueEntry.select(QueueEntry.cluster)
            .join(Visit)
            .where(Visit.patient == patient_id, QueueEntry.ended_at.is_null(), QueueEntry.voided_at.is_null())
        )
        return sorted(row.cluster for row in rows)


def entry(receipt: dict[str, Any]) -> str:
    return str(receipt["ticket"]["id"])


def transfer_by_counter(at: Clinic) -> httpx.Response:
    general, _teeth = at.at_both()
    return at.clerk.act(entry(general), "transfer", cluster="GIGI")


def transfer_by_doctor(at: Clinic) -> httpx.Response:
    general, _teeth = at.at_both()
    at.doctor.act(entry(general), "start")
    return at.doctor.act(entry(general), "transfer", cluster="GIGI")


def send_and_back(at: Clinic) -> httpx.Response:
    general, _teeth = at.at_both()
    at.doctor.act(entry(general), "start")
    return at.doctor.act(entry(general), "send", cluster="GIGI")


def register_while_called(at: Clinic) -> httpx.Response:
    general, _teeth = at.at_both()
    at.doctor.act(entry(general), "call")
    return at.clerk.register(
        cluster="UMUM",
        chief_complaint="batuk pilek",
        patient_id=general["patient_id"],
        duplicate_decision=None,
    )


def register_while_at_the_laboratory(at: Clinic) -> httpx.Response:
    general = at.waits("UMUM", "batuk pilek")
    at.doctor.act(entry(general), "start")
    at.doctor.act(entry(general), "send", cluster="LAB")
    return at.clerk.register(cluster="UMUM", chief_complaint="batuk pilek", patient_id=general["patient_id"])


def transfer_while_at_the_laboratory(at: Clinic) -> httpx.Response:
    general = at.waits("UMUM", "batuk pilek")
    at.doctor.act(entry(general), "start")
    at.doctor.act(entry(general), "send", cluster="LAB")
    teeth = at.waits("GIGI", FILLING, patient_id=general["patient_id"])
    return at.dentist.act(entry(teeth), "transfer", cluster="UMUM")


def undo_of_leaving(at: Clinic) -> httpx.Response:
    teeth = at.waits("GIGI", FILLING)
    at.dentist.act(entry(teeth), "leave")
    at.waits("GIGI", FILLING, patient_id=teeth["patient_id"])
    return at.dentist.act(entry(teeth), "undo")


def undo_of_cancelling(at: Clinic) -> httpx.Response:
    teeth = at.waits("GIGI", FILLING)
    at.dentist.act(entry(teeth), "cancel", reason="slip")
    at.waits("GIGI", FILLING, patient_id=teeth["patient_id"])
    return at.dentist.act(entry(teeth), "undo")


def undo_of_finishing(at: Clinic) -> httpx.Response:
    teeth = at.waits("GIGI", FILLING)
    at.dentist.act(entry(teeth), "start")
    at.dentist.act(entry(teeth), "finish", disposition="home")
    at.waits("GIGI", FILLING, patient_id=teeth["patient_id"])
    return at.dentist.act(entry(teeth), "undo")


def undo_of_moving(at: Clinic) -> httpx.Response:
    teeth = at.waits("GIGI", FILLING)
    moved = at.dentist.act(entry(teeth), "transfer", cluster="UMUM").json()
    at.waits("GIGI", FILLING, patient_id=teeth["patient_id"])
    return at.dentist.act(moved["id"], "undo")


WAYS_IN: list[Callable[[Clinic], httpx.Response]] = [
    transfer_by_counter, transfer_by_doctor, send_and_back, register_while_called, register_while_at_the_laboratory,
    transfer_while_at_the_laboratory, undo_of_leaving, undo_of_cancelling, undo_of_finishing, undo_of_moving,
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS_IN, ids=lambda way: way.__name__)
def test_a_second_place_in_one_queue_is_refused_with_the_number_held(
    at: Clinic, way: Callable[[Clinic], httpx.Response]
) -> None:
    answer = way(at)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_in_queue"), answer.text
    held = answer.json()["details"]["entry_id"]
    with connection():
        owner = Visit.get_by_id(QueueEntry.get_by_id(held).visit_id).patient_id
        assert answer.json()["details"]["number"] == QueueEntry.get_by_id(held).ticket.number
    assert len(places(owner)) == len(set(places(owner)))


def test_what_is_refused_changes_nothing(at: Clinic) -> None:
    general, _teeth = at.at_both()
    at.doctor.act(entry(general), "start")
    at.doctor.act(entry(general), "transfer", cluster="GIGI").json()
    shown = at.doctor.get(f"queue-entries/{entry(general)}").json()
    assert (shown["status"], shown["ended_at"]) == ("in_service", None)


def test_another_queue_stays_possible(at: Clinic) -> None:
    general, _teeth = at.at_both()
    assert places(general["patient_id"]) == ["GIGI", "UMUM"]
    at.doctor.act(entry(general), "start")
    assert at.doctor.act(entry(general), "send", cluster="LAB").status_code == 200
    assert places(general["patient_id"]) == ["GIGI", "LAB"]


def test_who_comes_back_finds_the_own_place(at: Clinic) -> None:
    general = at.waits("UMUM", "batuk pilek")
    at.doctor.act(entry(general), "start")
    there = at.doctor.act(entry(general), "send", cluster="LAB").json()
    back = at.lab.act(there["id"], "finish")
    assert back.status_code == 200
    assert back.json()["number"] == general["ticket"]["number"]
    assert places(general["patient_id"]) == ["UMUM"]


def test_a_place_that_has_ended_is_no_hindrance(at: Clinic) -> None:
    general, teeth = at.at_both()
    at.dentist.act(entry(teeth), "leave")
    assert at.clerk.act(entry(general), "transfer", cluster="GIGI").status_code == 200


def test_two_records_that_wait_in_one_queue_are_not_made_one(at: Clinic) -> None:
    left, right = at.waits("UMUM", "batuk"), at.waits("UMUM", "batuk")
    body = {"into": right["patient_id"]}
    answer = at.records.post(f"patients/{left['patient_id']}/merge", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "both_in_queue")
    numbers = {answer.json()["details"]["number"], answer.json()["details"]["other"]}
    assert numbers == {left["ticket"]["number"], right["ticket"]["number"]}
    at.clerk.act(entry(left), "cancel", reason="registered twice")
    assert at.records.post(f"patients/{left['patient_id']}/merge", json=body).status_code < 300
    assert places(right["patient_id"]) == ["UMUM"]


def test_two_records_one_of_which_comes_back_to_the_queue_are_not_made_one(at: Clinic) -> None:
    left, right = at.waits("UMUM", "batuk"), at.waits("UMUM", "batuk")
    at.doctor.act(entry(left), "start")
    at.doctor.act(entry(left), "send", cluster="LAB")
    answer = at.records.post(f"patients/{left['patient_id']}/merge", json={"into": right["patient_id"]})
    assert answer.json()["code"] == "both_in_queue"


def test_two_records_in_different_queues_are_made_one(at: Clinic) -> None:
    left, right = at.waits("UMUM", "batuk"), at.waits("GIGI", FILLING)
    answer = at.records.post(f"patients/{left['patient_id']}/merge", json={"into": right["patient_id"]})
    assert answer.status_code < 300
    assert places(right["patient_id"]) == ["GIGI", "UMUM"]


# The same moment at another counter


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> Barrier:
    """Both counters have looked before either of them saves."""
    both = Barrier(2, timeout=20)
    look = registering._check_duplicates
    looked: set[str] = set()

    def look_and_wait(clinic: Any, request: Any) -> None:
        look(clinic, request)
        if request.id not in looked:
            looked.add(request.id)
            both.wait()

    monkeypatch.setattr(registering, "_check_duplicates", look_and_wait)
    return both


SAME_PERSON: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("the same words", {}, {}),
    ("another spelling", {"name": "Muhammad Rizki Hidayat"}, {"name": "Moh. Rizky Hidayat"}),
    ("names in another order", {"name": "Sri Wahyuni Lestari"}, {"name": "Lestari Sri Wahyuni"}),
    (
        "a title more",
        {"name": "Hj. Siti Aminah"},
        {"name": "Siti Aminah"},
    ),
    ("one with the mother", {"mother_name": "Nurhasanah"}, {}),
    ("one with the telephone", {"phone": "081234567890"}, {}),
    ("one with the address", {"address": "Jl. Mawar 3"}, {}),
    ("one with a card", {"nik": "6371011708900431"}, {}),
    (
        "both with the same insurance number",
        {"bpjs_number": "0001234567431"},
        {"bpjs_number": "0001234567431"},
    ),
    ("another capital", {"name": "ANA MARIA"}, {"name": "ana maria"}),
]


@pytest.mark.parametrize(
    ("left", "right"), [case[1:] for case in SAME_PERSON], ids=[c[0] for c in SAME_PERSON]
)
def test_one_person_at_two_counters_in_the_same_moment_is_asked_about(
    clinic: Background, together: Barrier, left: dict[str, Any], right: dict[str, Any]
) -> None:
    same = patient(birth_date="1990-08-17")
    bodies = [registration(patient={**same, **each}, duplicate_decision=None) for each in (left, right)]
    for body in bodies:
        body["patient"] = {
            name: value
            for name, value in body["patient"].items()
            if name != "no_identifier_reason" or "nik" not in body["patient"]
        }
    with (
        Caller(clinic.url, "clerk") as one,
        Caller(clinic.url, "clerk") as two,
        ThreadPoolExecutor(2) as pool,
    ):
        jobs = [
            pool.submit(caller.post, "registrations", json=body)
            for caller, body in zip((one, two), bodies, strict=True)
        ]
        answers = sorted((job.result() for job in jobs), key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in answers] == [201, 409], [answer.text for answer in answers]
    assert answers[1].json()["code"] == "duplicate_decision_required"
    candidates = answers[1].json()["details"]["candidates"]
    assert candidates[0]["patient"]["id"] == answers[0].json()["patient_id"]
    with connection():  # nobody is left over for the next case
        Patient.update(voided_at=clock.now()).where(Patient.id == answers[0].json()["patient_id"]).execute()


def test_two_people_at_two_counters_are_not_asked_about(clinic: Background, together: Barrier) -> None:
    bodies = [registration(duplicate_decision=None) for _ in range(2)]
    with (
        Caller(clinic.url, "clerk") as one,
        Caller(clinic.url, "clerk") as two,
        ThreadPoolExecutor(2) as pool,
    ):
        jobs = [
            pool.submit(caller.post, "registrations", json=body)
            for caller, body in zip((one, two), bodies, strict=True)
        ]
        assert [job.result().status_code for job in jobs] == [201, 201]


def test_a_clock_set_back_hides_nobody(clinic: Background, together: Barrier) -> None:
    same = patient(birth_date="1990-08-17")
    bodies = [registration(patient=same, duplicate_decision=None) for _ in range(2)]
    past = clock.now() - timedelta(minutes=3)
    with (
        Caller(clinic.url, "clerk") as one,
        Caller(clinic.url, "clerk") as two,
        ThreadPoolExecutor(2) as pool,
        clock.frozen(lambda: past),
    ):
        jobs = [
            pool.submit(caller.post, "registrations", json=body)
            for caller, body in zip((one, two), bodies, strict=True)
        ]
        assert sorted(job.result().status_code for job in jobs) == [201, 409]


def test_a_record_merged_away_meanwhile_leads_to_the_one_that_remains(
    at: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, kept = at.waits("GIGI", FILLING), at.waits("UMUM", "batuk")
    at.dentist.act(entry(gone), "leave")
    decide = registering._check_decision

    def merged_in_between(*arguments: Any) -> None:
        decide(*arguments)
        at.records.post(f"patients/{gone['patient_id']}/merge", json={"into": kept["patient_id"]})

    monkeypatch.setattr(registering, "_check_decision", merged_in_between)
    receipt = at.waits("GIGI", FILLING, patient_id=gone["patient_id"])
    assert receipt["patient_id"] == kept["patient_id"]
