"""The queue of Mobile JKN hears of the clinic's numbers: in order, each call once, whatever goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.accounts.service import system_actor
from core.exchange.bpjs import code_mapping, pcare_run, pcare_views, queue_run
from core.exchange.bpjs.queue_bodies import DoctorHours, QueueGapError, chosen_session
from core.foundation import clock
from core.foundation.config import Settings
from core.foundation.database import connection
from core.foundation.identifiers import new_id
from core.models import Appointment, BpjsQueue
from server.bpjs_stand_in import Books, PcareHost, Unconfirmed, pcare_lists
from server.run import Background
from tests.people import Caller

QUICK = httpx.Timeout(5.0)


class Clinic:
    """A clinic over HTTP whose numbers a stand-in's queue hears of."""

    def __init__(self, host: PcareHost, server: Background) -> None:
        self.host, self.server, self.clinic = host, server, server.clinic
        self.count = 0
        self.clerk = Caller(server.url, "clerk")
        self.rooms = {"UMUM": Caller(server.url, "doctor"), "GIGI": Caller(server.url, "dentist")}

    def register(
        self,
        cluster: str = "UMUM",
        *,
        payer: str = "jkn_pbi",
        payer_source: str | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        self.count += 1
        card = f"{self.count:013d}"
        born = date(1970, 1, 1) + timedelta(days=137 * self.count)
        letters = "".join(chr(ord("a") + int(digit)) for digit in f"{self.count:04d}")
        person = {
            "name": f"Orang {letters}", "sex": "male", "birth_date": born.isoformat(),
            "no_identifier_reason": "forgotten", **({"bpjs_number": card} if payer.startswith("jkn") else {}),
            **changes,
        }  # fmt: skip
        self.host.books.add_participant(card, "", person["name"], "L", born)
        complaint = "sakit gigi" if cluster == "GIGI" else "batuk pilek"
        receipt = self.clerk.registered(
            patient=person,
            payer=payer,
            payer_source=payer_source,
            cluster=cluster,
            chief_complaint=complaint,
            override_reason="minta sendiri",
        )
        return {**receipt, "card": person.get("bpjs_number", "")}

    def act(self, receipt: dict[str, Any], action: str, *, room: str = "UMUM", **body: Any) -> dict[str, Any]:
        who = self.clerk if room == "" else self.rooms[room]
        entry = receipt["ticket"]["id"]
        version = who.get(f"queue-entries/{entry}").json()["version"]
        answer = who.act(entry, action, expected_version=version, **body)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def tell(self) -> None:
        for _ in range(200):
            outcome = queue_run.run(self.clinic, timeout=QUICK)
            if outcome.error is None and not outcome.waiting:
                return
        raise AssertionError(outcome)

    def told(self, receipt: dict[str, Any]) -> list[str]:
        """The calls about a patient's numbers, with their poli."""
        names = {receipt["card"], receipt["ticket"]["number"]}
        return [f"{kind} {key[1]}" for kind, key in self.host.queue.log if key[2] in names]

    def row(self, receipt: dict[str, Any]) -> BpjsQueue:
        with connection():
            return BpjsQueue.get_by_id(receipt["visit_id"])


@pytest.fixture(scope="module")
def host() -> Iterator[PcareHost]:
    made = PcareHost(Books(lambda: clock.now().astimezone(Settings().timezone)))
    yield made
    made.close()


@pytest.fixture(scope="module")
def clinic(host: PcareHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    home: Path = tmp_path_factory.mktemp("clinic")
    with Background(Settings(home=home, **host.settings(), **host.queue_settings())) as server:
        yield Clinic(host, server)


def test_a_number_from_the_counter_to_the_room(clinic: Clinic) -> None:
    patient = clinic.register()
    clinic.tell()
    assert clinic.told(patient) == ["add 001"]
    [held] = [one.body for key, one in clinic.host.queue.held.items() if key[2] == patient["card"]]
    assert (held["nomorantrean"], held["angkaantrean"]) == (patient["ticket"]["number"], 1)
    assert {"kodedokter": held["kodedokter"], "jampraktek": held["jampraktek"]} in [
        {"kodedokter": code, "jampraktek": hours} for _poli, code, _name, hours in pcare_lists.SESSIONS
    ]
    clinic.act(patient, "call")
    clinic.act(patient, "recall")
    clinic.tell()
    assert clinic.told(patient) == ["add 001"], "called is not there yet"
    clinic.act(patient, "skip")
    clinic.tell()
    clinic.act(patient, "call")
    clinic.act(patient, "start")
    clinic.tell()
    clinic.act(patient, "finish", disposition="home")
    clinic.tell()
    assert clinic.told(patient) == ["add 001", "panggil 2 001", "panggil 1 001"]
    clinic.tell()
    assert not clinic.host.queue.repeated


def test_who_has_no_card_is_added_alone(clinic: Clinic) -> None:
    patient = clinic.register(payer="general")
    other = clinic.register(payer="general")
    clinic.act(patient, "start")
    clinic.act(other, "cancel", room="", reason="pulang")
    clinic.tell()
    assert clinic.told(patient) == ["add 001"]
    assert clinic.told(other) == [], "it was cancelled before BPJS heard of it"
    assert clinic.row(patient).status == "sent"


def test_a_cancelled_number_comes_back_with_the_undo(clinic: Clinic) -> None:
    patient = clinic.register()
    clinic.tell()
    clinic.act(patient, "call")
    clinic.act(patient, "cancel", reason="salah daftar")
    clinic.tell()
    assert clinic.told(patient) == ["add 001", "batal 001"]
    clinic.act(patient, "undo")
    clinic.tell()
    clinic.act(patient, "start")
    clinic.tell()
    assert clinic.told(patient) == ["add 001", "batal 001", "add 001", "panggil 1 001"]
    undone = clinic.register()
    clinic.tell()
    assert clinic.clerk.post(f"registrations/{undone['registration_id']}/undo").is_success
    clinic.tell()
    assert clinic.told(undone) == ["add 001", "batal 001"]


def test_a_move_before_the_room_is_another_number_and_one_after_it_is_none(clinic: Clinic) -> None:
    patient = clinic.register()
    clinic.tell()
    moved = clinic.act(patient, "transfer", room="", cluster="GIGI")
    clinic.tell()
    assert clinic.told(patient) == ["add 001", "batal 001", "add 002"]
    there = {**patient, "ticket": moved}
    clinic.act(there, "start", room="GIGI")
    clinic.act(there, "transfer", room="GIGI", cluster="UMUM")
    clinic.tell()
    assert clinic.told(patient)[3:] == ["panggil 1 002"]


def test_a_round_trip_to_the_laboratory_is_no_number_of_its_own(clinic: Clinic) -> None:
    with connection():
        code_mapping.map_code(clinic.clinic, system_actor(), "poli", "LAB", "004")
    patient = clinic.register()
    clinic.act(patient, "start")
    clinic.act(patient, "send", cluster="LAB")
    clinic.tell()
    assert clinic.told(patient) == ["add 001", "panggil 1 001"]


@pytest.mark.parametrize("adds", [False, True])
def test_a_number_from_mobile_jkn_is_not_added_but_called(clinic: Clinic, adds: bool) -> None:
    before = clinic.register()
    clinic.act(before, "cancel", room="", reason="pulang")
    with connection():
        # Written by hand: at night, and on a Sunday, nothing can be booked.
        Appointment.create(
            id=new_id(), patient=before["patient_id"], cluster="UMUM", service_on=clinic.clinic.today(),
            sequence=900 + clinic.count, number=f"A-{900 + clinic.count}", status="booked", chief_complaint="batuk",
            card=before["card"], booked_at=clock.now(),
        )  # fmt: skip
    receipt = clinic.clerk.registered(
        patient_id=before["patient_id"],
        cluster="UMUM",
        chief_complaint="batuk pilek",
        payer="jkn_pbi",
        override_reason="minta sendiri",
    )
    patient = {**receipt, "card": before["card"]}
    if adds:
        settings = clinic.clinic.settings.model_copy(update={"bpjs_queue_adds_booked": True})
        object.__setattr__(clinic.clinic, "settings", settings)
    else:  # BPJS itself has it
        key = (clinic.clinic.today().isoformat(), "001", before["card"])
        clinic.host.queue.held[key] = type(next(iter(clinic.host.queue.held.values())))({})
    clinic.act(patient, "start")
    clinic.tell()
    assert clinic.told(patient) == ([*["add 001"] * adds, "panggil 1 001"])
    settings = clinic.clinic.settings.model_copy(update={"bpjs_queue_adds_booked": False})
    object.__setattr__(clinic.clinic, "settings", settings)


def test_there_already_settles_add_and_cancel_and_refuses_a_call(clinic: Clinic) -> None:
    """Typed into BPJS's own form by hand, and called from there."""
    patient = clinic.register()
    key = (clinic.clinic.today().isoformat(), "001", patient["card"])
    held = type(next(iter(clinic.host.queue.held.values())))
    clinic.host.queue.held[key] = held({}, told=[(1, 1)])
    clinic.tell()
    assert (clinic.row(patient).status, clinic.told(patient)) == ("sent", [])
    clinic.act(patient, "start")
    clinic.tell()
    assert "sudah dipanggil" in (clinic.row(patient).error or "")
    with connection():
        listed = pcare_views.set_aside(clinic.clinic, system_actor())
    assert ("queue", patient["visit_id"]) in [(one.what, one.visit_id) for one in listed]
    clinic.host.queue.held[key].told.clear()
    with connection():
        pcare_views.send_again(clinic.clinic, system_actor(), patient["visit_id"])
    clinic.tell()
    assert (clinic.row(patient).status, clinic.told(patient)) == ("sent", ["panggil 1 001"])
    gone = clinic.register()
    clinic.tell()
    clinic.host.queue.held[key[0], key[1], gone["card"]].is_cancelled = True
    clinic.act(gone, "cancel", room="", reason="pulang")
    clinic.tell()
    assert clinic.row(gone).status == "sent"
    clinic.host.queue.repeated.clear()


def test_what_lacks_is_named_and_followed_up(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = pcare_lists.SESSIONS
    monkeypatch.setattr(pcare_lists, "SESSIONS", ())
    patient, unmapped = clinic.register(), clinic.register("LANSIA")
    clinic.tell()
    assert clinic.row(patient).gaps == ["queue_doctor"]
    assert clinic.row(unmapped).gaps == ["poli: Poli Lansia"]
    monkeypatch.setattr(pcare_lists, "SESSIONS", sessions)
    with connection():
        code_mapping.map_code(clinic.clinic, system_actor(), "poli", "LANSIA", "001")
    clinic.tell()
    assert (clinic.told(patient), clinic.told(unmapped)) == (["add 001"], ["add 001"])


def test_a_card_that_p_care_has_to_tell_is_waited_for(clinic: Clinic) -> None:
    nik = "6371010203850002"
    patient = clinic.register(bpjs_number="", nik=nik, birth_date="1985-03-02", no_identifier_reason=None)
    card = f"{clinic.count:013d}"
    clinic.host.books.participants[card] |= {"noKTP": nik, "tglLahir": "02-03-1985"}
    assert queue_run.run(clinic.clinic, timeout=QUICK).waiting == 1
    assert clinic.told({**patient, "card": card}) == []
    pcare_run.run(clinic.clinic, timeout=QUICK)
    clinic.tell()
    assert clinic.told({**patient, "card": card}) == ["add 001"]


def test_who_may_be_insured_is_asked_about_before_the_queue_hears_of_the_number(clinic: Clinic) -> None:
    """Nobody said who pays, and P-Care gave no answer at the counter: without its card nobody could be called."""
    unsaid: dict[str, Any] = {
        "payer": "general", "payer_source": "default", "birth_date": "1985-03-02", "no_identifier_reason": None
    }  # fmt: skip
    nik = "6371010203850003"
    patient = clinic.register(nik=nik, **unsaid)
    card = f"{clinic.count:013d}"
    clinic.host.books.participants[card] |= {"noKTP": nik, "tglLahir": "02-03-1985"}
    assert queue_run.run(clinic.clinic, timeout=QUICK).waiting == 1
    for _ in range(2):
        pcare_run.run(clinic.clinic, timeout=QUICK)
    clinic.act(patient, "start")
    clinic.tell()
    assert clinic.told({**patient, "card": card}) == ["add 001", "panggil 1 001"]
    stranger = clinic.register(nik="6371010203850004", **unsaid)
    pcare_run.run(clinic.clinic, timeout=QUICK)
    clinic.tell()
    assert clinic.told(stranger) == ["add 001"]


@pytest.mark.parametrize("seed", range(3))
def test_faults_lose_nothing_double_nothing_and_keep_the_order(clinic: Clinic, seed: int) -> None:
    clinic.host.books.facts = Unconfirmed.by_seed(seed)
    clinic.host._chance.seed(seed)
    clinic.host.share = 0.3
    served, gone, missed = clinic.register(), clinic.register(), clinic.register()
    queue_run.run(clinic.clinic, timeout=QUICK)
    clinic.act(served, "start")
    clinic.act(missed, "call")
    clinic.act(missed, "skip")
    clinic.act(gone, "cancel", room="", reason="pulang")
    clinic.tell()
    clinic.host.share = 0.0
    clinic.host.books.facts = Unconfirmed()
    assert clinic.told(served) == ["add 001", "panggil 1 001"]
    assert clinic.told(missed) == ["add 001", "panggil 2 001"]
    assert clinic.told(gone) in (["add 001", "batal 001"], [])
    assert not clinic.host.queue.unknown.total()


HOURS = st.tuples(st.integers(0, 22), st.integers(1, 3)).map(
    lambda pair: f"{pair[0]:02d}:00-{min(23, sum(pair)):02d}:30"
)


@given(st.lists(st.tuples(st.integers(1, 9), HOURS), max_size=5), st.times(), st.data())
def test_a_session_is_always_one_of_bpjs_and_the_rosters_where_it_can_be(
    rows: list[tuple[int, str]], at: time, data: st.DataObject
) -> None:
    sessions = [DoctorHours(doctor, "dr.", hours) for doctor, hours in rows]
    if not sessions:
        with pytest.raises(QueueGapError):
            chosen_session(sessions, at, [])
        return
    assert chosen_session(sessions, at, [("77", "08:00-12:00")]) in sessions
    own = data.draw(st.sampled_from(sessions))
    chosen = chosen_session(sessions, at, [(str(own.doctor), own.hours)])
    assert (chosen.doctor, chosen.hours) == (own.doctor, own.hours)
