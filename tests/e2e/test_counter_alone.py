"""A counter's own machine goes on while the core is away: registers, is switched off, opens again, delivers, asks."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.counters import chains
from core.foundation.codes import NumberStatus
from core.foundation.config import Settings
from core.foundation.database import connection
from core.models import (
    Counter,
    CounterDelivery,
    LateEntry,
    LentNumber,
    Registration,
    Ticket,
    Visit,
)
from server.run import Background
from tests.counter_machine import CounterMachine
from tests.people import Caller, patient, registration


@pytest.fixture(scope="module")
def core(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    home = tmp_path_factory.mktemp("clinic") / "home"
    shutil.copytree(demo_home, home)
    with Background(Settings(home=home)) as running:
        yield running


@pytest.fixture(scope="module")
def counter(core: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CounterMachine]:
    machine = CounterMachine(core.url, tmp_path_factory.mktemp("counter") / "home", secret=b"token" * 8)
    machine.start()
    machine.near()
    Caller(machine.url, "clerk").close()  # whoever has signed in here opens it later
    try:
        yield machine
    finally:
        machine.stop()


@pytest.fixture
def clerk(counter: CounterMachine) -> Iterator[Caller]:
    with Caller(counter.url, "clerk") as caller:
        yield caller
    counter.line.join()


def new(**changes: Any) -> dict[str, Any]:
    """Somebody whom nobody knows, so that nothing is asked."""
    return registration(**changes)


def test_five_people_are_registered_without_the_core_through_a_power_cut_and_each_is_there_once(
    counter: CounterMachine, core: Background, clerk: Caller
) -> None:
    known = clerk.registered()["patient_id"]
    counter.fresh()
    with connection():
        before = Registration.select().count()
    counter.cut()
    bodies = [new() for _person in range(2)] + [new(cluster="UMUM", patient_id=known, chief_complaint="batuk pilek",
                                                    override_reason="contoh")]  # fmt: skip
    receipts = [clerk.post("registrations", json=body) for body in bodies]
    assert [answer.status_code for answer in receipts] == [201, 201, 201], receipts[-1].text
    numbers = [answer.json()["ticket"]["number"] for answer in receipts]
    assert numbers == ["B-L01", "B-L02", "A-L01"]
    assert clerk.post("registrations", json=bodies[0]).status_code == 200  # once, however often it is sent
    assert counter.standing()["waiting"] == 3
    assert [one["id"] for one in clerk.get("patients", params={"q": bodies[0]["patient"]["name"]}).json()]
    refused = clerk.post("queues/GIGI/call-next", json={})
    assert (refused.status_code, refused.json()["code"]) == (503, "core_away")

    counter.kill()
    assert_unreadable(counter, bodies[0]["patient"]["name"])
    counter.start()
    assert not counter.standing()["is_open"]
    assert clerk.get("patients/recent").json()["code"] == "store_closed"
    clerk.sign_in()  # the store opens by the password, and the token of before is known too
    assert counter.standing()["waiting"] == 3
    bodies += [new(), new()]
    late = [clerk.registered(**body) for body in bodies[3:]]
    shown = [entry["number"] for entry in clerk.get("queues/GIGI").json()["entries"]]
    assert shown[-4:] == ["B-L01", "B-L02", "B-L03", "B-L04"]

    began = time.monotonic()
    assert counter.join()["waiting"] == 0
    assert time.monotonic() - began < 60
    with connection():
        assert Registration.select().count() == before + 5
        for body in bodies:
            assert Registration.select().where(Registration.id == body["id"]).count() == 1
        assert {row.visit_id for row in CounterDelivery.select()} >= {one["visit_id"] for one in late}
        tickets = [row.number for row in Ticket.select().where(Ticket.number.contains("-L"))]
        assert len(tickets) == len(set(tickets)) == 5
        used = LentNumber.select().where(LentNumber.status == NumberStatus.USED, LentNumber.cluster != "")
        assert {row.number for row in used} == set(tickets)
        writers = {row.written_by for row in LateEntry.select()}
        assert writers == {"Rina Pertiwi"}
    assert clerk.get(f"registrations/{bodies[4]['id']}").json()["ticket"]["number"] == "B-L04"
    with Caller(core.url, "dentist") as dentist:
        order = [entry["number"] for entry in dentist.get("queues/GIGI").json()["entries"]]
    assert [number for number in order if "-L" in number] == ["B-L01", "B-L02", "B-L03", "B-L04"]


def assert_unreadable(counter: CounterMachine, name: str) -> None:
    """Nothing of the machine's disk says a name, or that there is a database at all."""
    for file in counter.home.rglob("*"):
        if file.is_file() and file.name != "out.log":
            content = file.read_bytes()
            assert name.encode() not in content, file
            assert b"SQLite format" not in content, file


def test_what_the_core_cannot_take_is_asked_at_the_counter_and_answered_there(
    counter: CounterMachine, core: Background, clerk: Caller
) -> None:
    counter.near()
    person = patient(name="Budi Santosa Wijaya", birth_date="1979-04-03")
    counter.cut()
    body = registration(patient=person, duplicate_decision=None)
    number = clerk.registered(**body)["ticket"]["number"]
    with Caller(core.url, "clerk") as elsewhere:
        other = elsewhere.registered(patient=person)
    assert counter.join()["asked"] == 1
    (question,) = clerk.get("counter/questions").json()
    assert (question["code"], question["number"]) == ("duplicate_decision_required", number)
    assert question["details"]["candidates"][0]["patient"]["id"] == other["patient_id"]  # the other side
    with connection():
        assert not Registration.select().where(Registration.id == body["id"]).exists()
    late = {"arrived_at": question["arrived_at"], "written_by": question["account"], "paper_number": number}
    answer = {**body, "duplicate_decision": "new", "late": late}
    assert clerk.registered(**answer)["ticket"]["number"] == number
    assert clerk.post("counters/dropped", json={"number": number, "reason": "x"}).status_code == 204
    assert clerk.post("counter/settled", json={"id": question["id"]}).status_code == 204
    assert counter.standing()["asked"] == 0
    with connection():
        assert LentNumber.get(LentNumber.number == number).status == NumberStatus.USED


def test_what_is_undone_at_the_counter_never_reaches_the_core_and_its_number_is_explained(
    counter: CounterMachine, clerk: Caller
) -> None:
    counter.near()
    counter.cut()
    receipt = clerk.registered(**new())
    undone = clerk.post(f"registrations/{receipt['registration_id']}/undo")
    assert undone.status_code == 200, undone.text
    assert counter.join()["waiting"] == 0
    with connection():
        assert not Visit.select().where(Visit.id == receipt["visit_id"]).exists()
        row = LentNumber.get(LentNumber.number == receipt["ticket"]["number"])
        assert (row.status, row.reason) == (NumberStatus.VOIDED, "undone at the counter")


def test_nobody_with_more_rights_and_nobody_unknown_signs_in_and_five_guesses_close_the_store(
    counter: CounterMachine, core: Background, clerk: Caller
) -> None:
    for name in ("supervisor", "admin", "doctor"):
        if name != "doctor":
            Caller(counter.url, name).close()  # through the core, while it is there
    counter.cut()
    for name in ("supervisor", "admin", "doctor"):
        answer = httpx.post(f"{counter.api}tokens", json={"username": name, "password": "demo"})
        assert answer.status_code == 401, name
    wrong = [
        httpx.post(f"{counter.api}tokens", json={"username": "clerk", "password": "salah"}) for _ in "ab"
    ]
    assert [answer.status_code for answer in wrong] == [401, 401]
    closed = httpx.post(f"{counter.api}tokens", json={"username": "clerk", "password": "demo"})
    assert closed.status_code == 429
    assert not counter.standing()["is_open"]
    assert clerk.get("patients/recent").json()["code"] == "store_closed"
    counter.join()
    clerk.sign_in()
    assert clerk.get("patients/recent").status_code == 200


def test_a_silent_line_is_noticed_and_the_counter_goes_on(counter: CounterMachine, clerk: Caller) -> None:
    counter.near()
    counter.line.is_silent = True
    answer = clerk.post("registrations", json=(body := new()), timeout=30)
    while answer.status_code == 504:  # not confirmed: the terminal sends it again
        answer = clerk.post("registrations", json=body, timeout=30)
    assert answer.status_code == 201
    counter.line.cut()
    counter.join()
    with connection():
        assert Registration.select().where(Registration.id == body["id"]).count() <= 1
    if counter.standing()["asked"]:  # the core had it too, and asks about the second number
        (question,) = clerk.get("counter/questions").json()
        assert question["code"] == "registration_id_reused"


def test_half_typed_forms_of_both_times_are_offered(counter: CounterMachine, clerk: Caller) -> None:
    counter.near()
    clerk.put("drafts/registration:1", json={"data": {"values": {"name": "Ani"}}})
    counter.cut()
    clerk.put("drafts/registration:2", json={"data": {"values": {"name": "Beni"}}})
    counter.join()
    listed = clerk.get("drafts", params={"kind": "registration"}).json()
    assert {draft["key"] for draft in listed} == {"registration:1", "registration:2"}
    assert clerk.delete("drafts/registration:2").status_code == 204
    assert [draft["key"] for draft in clerk.get("drafts", params={"kind": "registration"}).json()] == [
        "registration:1"
    ]


def test_both_chains_are_whole(counter: CounterMachine, core: Background) -> None:
    counter.near()
    with connection():
        assert Counter.get(Counter.name == "Loket 1").chain_length > 5
        assert list(chains.breaks()) == []
