"""Visits at BPJS: registered, completed, edited, taken back; after every fault exactly the clinic's, none twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

import core
from core.accounts.service import system_actor
from core.exchange import outbox
from core.exchange.bpjs import code_lists, code_mapping, day_comparison, pcare_bodies, pcare_run, pcare_views
from core.exchange.bpjs.allergy_codes import fold
from core.exchange.bpjs.bpjs_link import pcare_link
from core.foundation import clock, jobs
from core.foundation.clinic import Clinic
from core.foundation.codes import Disposition, EntryStatus, OrderStatus, Payer, VisitStatus
from core.foundation.database import connection, database
from core.foundation.errors import ValidationError
from core.models import (
    Account,
    Allergy,
    BpjsCode,
    BpjsVisit,
    Diagnosis,
    Encounter,
    Patient,
    Prescription,
    Procedure,
    QueueEntry,
    Visit,
)
from core.visits import payers
from server.bpjs_stand_in import Books, PcareHost, PcareRefusal, Unconfirmed, pcare_lists
from server.bpjs_stand_in.pcare_host import SILENT
from server.doctor import CheckResult, sending_checks
from tests.core.days import MEDICINES, Days, open_clinic
from tests.postgres import cluster, new_database

MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
DAY = date(2026, 3, 2)
FAULTS = ("html", "error_500", "lose_request", "lose_answer", "commit_then_500", "cut")
QUICK = httpx.Timeout(5.0)
ANSWERS = {"bpjs": {"consciousness": "01", "prognosis": "02", "other_therapy": "istirahat"}}


class Time:
    """The clock of the clinic and of BPJS."""

    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Iterator[Time]:
    moving = Time()
    with clock.frozen(moving):
        yield moving


class Insured:
    """A clinic whose patients are insured at a stand-in."""

    def __init__(self, home: Path, time: Time, **settings: Any) -> None:
        self.time = time
        zone = open_clinic(home, **settings).zone
        self.books = Books(lambda: clock.now().astimezone(zone))
        self.pcare = PcareHost(self.books)
        self.clinic: Clinic = open_clinic(home, **self.pcare.settings(), **settings)
        with connection():
            self.days = Days(self.clinic)
            BpjsCode.create(kind="doctor", ours="doctor", theirs="D001")
            for medicine in MEDICINES:
                BpjsCode.create(kind="medicine", ours=fold(medicine), theirs="-")
        self.count = 0

    def visit(
        self, day: date = DAY, *, cluster: str = "UMUM", finished: bool = True, **changes: Any
    ) -> Visit:
        self.count += 1
        card = f"{self.count:013d}"
        with connection():
            nik = f"63710141079{self.count:05d}"
            patient = self.days.patient(nik=nik, bpjs_number=card)
            self.books.add_participant(card, nik, patient.name, "P", patient.birth_date)
            values: dict[str, Any] = {"payer": Payer.JKN_PBI, "disposition": Disposition.HOME, **changes}
            visit = self.days.visit(day, patient, cluster=cluster, codes=["J06.9"], full=finished, **values)
            Encounter.update(form=ANSWERS, disposition="home").where(Encounter.visit == visit).execute()
            Prescription.update(frequency="3x1", amount="10 tablet").where(
                Prescription.visit == visit
            ).execute()
            if not finished:
                Visit.update(status=VisitStatus.ARRIVED, disposition=None).where(
                    Visit.id == visit.id
                ).execute()
                QueueEntry.update(status=EntryStatus.WAITING, served_at=None).where(
                    QueueEntry.visit == visit
                ).execute()
        return visit

    def change(self, visit: Visit, **values: Any) -> None:
        """Edit a visit as a screen does: the row, and the outbox in the same transaction."""
        with connection():
            if values:
                Visit.update(**values).where(Visit.id == visit.id).execute()
            outbox.enqueue("visit", visit.id)

    def map(self, kind: str, ours: str, theirs: str) -> None:
        """Say a code as the admin does."""
        with connection():
            code_mapping.map_code(self.clinic, system_actor(), kind, ours, theirs)

    def send(self) -> pcare_run.PcareOutcome:
        return pcare_run.run(self.clinic, timeout=QUICK)

    def send_until_settled(self, limit: int = 400) -> None:
        for _ in range(limit):
            if not self.send().error and not self.send().waiting:
                return
        raise AssertionError(self.rows())

    def row(self, visit: Visit) -> BpjsVisit:
        with connection():
            return BpjsVisit.get_by_id(visit.id)

    def row_card(self, visit: Visit) -> str:
        with connection():
            return str(Visit.get_by_id(visit.id).patient.bpjs_number)

    def medicine_of(self, visit: Visit) -> str:
        """Leave a visit one medicine; return its name."""
        with connection():
            first, *others = Prescription.select().where(Prescription.visit == visit)
            Prescription.delete().where(Prescription.id.in_([row.id for row in others])).execute()
        return str(first.medicine)

    def rows(self) -> list[dict[str, Any]]:
        with connection():
            return [dict(row) for row in BpjsVisit.select().dicts()]  # type: ignore[call-overload]

    def compare(self) -> list[day_comparison.DayComparison]:
        made, problem = day_comparison.compare_days(self.clinic)
        assert problem is None
        return made

    def assert_exact(self) -> None:
        """The stand-in holds exactly what the clinic's rows say, and those are the clinic's visits."""
        rows = self.rows()
        registered = {
            (row["card_number"], row["poli"], row["registration_number"])
            for row in rows
            if row["registration_number"]
        }
        assert {
            (card, poli, held["noUrut"]) for (card, _day, poli), held in self.books.registrations.items()
        } == registered
        assert set(self.books.visits) == {row["visit_number"] for row in rows if row["visit_number"]}
        items = {
            (item["kind"], int(item["number"])) for row in rows for item in row["items"].values()
        }  # fmt: skip
        there = {("medicine", number) for number in self.books.medicines} | {
            ("procedure", number) for number in self.books.procedures
        }
        assert there == items


@pytest.fixture
def insured(tmp_path: Path, time: Time) -> Iterator[Insured]:
    made = Insured(tmp_path / "clinic", time)
    yield made
    made.pcare.close()


def test_a_visit_from_the_save_to_its_number(insured: Insured) -> None:
    visit = insured.visit(finished=False)
    insured.send()
    row = insured.row(visit)
    assert (row.registration_number, row.visit_number, row.status) == ("A1", None, "sent")
    insured.change(visit, status=VisitStatus.FINISHED, disposition=Disposition.HOME)
    with connection():
        entry = QueueEntry.get(QueueEntry.visit == visit)
        insured.days._record(visit, entry, ["I10", "E11.9"], MONDAY)
        Encounter.update(form=ANSWERS).where(Encounter.visit == visit).execute()
        Prescription.delete().execute()
        Prescription.create(
            id="p", visit=visit, encounter=Encounter.get(Encounter.visit == visit), medicine="Paracetamol 500 mg",
            dose="1 tablet", frequency="3x1", amount="10 tablet", status=OrderStatus.ACTIVE, prescribed_at=MONDAY,
            prescribed_by=insured.days.account,
        )  # fmt: skip
    insured.map("medicine", "paracetamol 500 mg", "130000001")
    insured.send()
    number = insured.row(visit).visit_number
    assert number is not None
    there = insured.books.visits[number]
    assert (there["kdDiag1"], there["kdDiag2"], there["kdSadar"], there["kdDokter"]) == (
        "I10",
        "E11.9",
        "01",
        "D001",
    )
    assert (there["beratBadan"], there["terapiNonObat"], there["kdTacc"]) == (0, "istirahat", -1)
    assert "," in there["suhu"]
    [medicine] = insured.books.medicines.values()
    assert (medicine["kdObat"], medicine["signa1"], medicine["signa2"], medicine["jmlObat"]) == (
        "130000001",
        3,
        1,
        10,
    )
    insured.assert_exact()
    assert [made.agrees for made in insured.compare()] == [True]


def test_an_edit_travels_once_and_a_second_run_sends_nothing(insured: Insured) -> None:
    visit = insured.visit()
    insured.send()
    with connection():
        Diagnosis.update(code="J00").where(Diagnosis.visit == visit).execute()
    insured.change(visit)
    insured.send()
    number = insured.row(visit).visit_number
    assert number is not None
    assert insured.books.visits[number]["kdDiag1"] == "J00"
    before = dict(insured.pcare.calls)
    insured.send()
    insured.change(visit)
    insured.send()
    assert insured.pcare.calls == before


def test_a_cancelled_visit_is_taken_back_in_order(insured: Insured) -> None:
    visit = insured.visit()
    insured.send()
    assert insured.books.visits
    insured.change(visit, status=VisitStatus.CANCELLED)
    insured.send()
    assert (insured.books.registrations, insured.books.visits, insured.books.medicines) == ({}, {}, {})
    insured.assert_exact()


def test_who_left_before_anybody_saw_them_is_taken_back_and_comes_again_with_the_undo(
    insured: Insured,
) -> None:
    visit = insured.visit(finished=False)
    insured.send()
    assert len(insured.books.registrations) == 1
    with connection():
        QueueEntry.update(status=EntryStatus.LEFT).where(QueueEntry.visit == visit).execute()
    insured.change(visit, status=VisitStatus.FINISHED)
    insured.send()
    assert (insured.books.registrations, insured.row(visit).gaps) == ({}, [])
    with connection():
        QueueEntry.update(status=EntryStatus.WAITING).where(QueueEntry.visit == visit).execute()
    insured.change(visit, status=VisitStatus.ARRIVED)
    insured.send()
    assert len(insured.books.registrations) == 1
    insured.assert_exact()


def test_another_payer_and_another_cluster_move_the_registration(insured: Insured) -> None:
    visit = insured.visit(finished=False)
    insured.send()
    with connection():
        QueueEntry.update(cluster="GIGI").where(QueueEntry.visit == visit).execute()
    insured.change(visit)
    insured.send()
    assert [poli for _card, _day, poli in insured.books.registrations] == ["002"]
    insured.change(visit, payer=Payer.GENERAL)
    insured.send()
    assert insured.books.registrations == {}


def test_what_the_record_lacks_is_named_and_follows_when_it_has_come(insured: Insured) -> None:
    visit = insured.visit()
    with connection():
        Encounter.update(form={}).where(Encounter.visit == visit).execute()
    insured.send()
    assert insured.row(visit).gaps == ["consciousness", "prognosis"]
    assert len(insured.books.registrations) == 1
    with connection():
        Encounter.update(form=ANSWERS).where(Encounter.visit == visit).execute()
    insured.change(visit)
    insured.send()
    assert insured.row(visit).status == "sent"


def test_a_refused_visit_keeps_the_words_of_bpjs_and_is_sent_again(insured: Insured) -> None:
    visit = insured.visit()
    [person] = insured.books.participants.values()
    person.update(aktif=False, ketAktif="PREMI BELUM DIBAYAR")
    insured.send()
    with connection():
        [listed] = pcare_views.set_aside(insured.clinic, system_actor())
    assert (listed.visit_id, listed.error) == (visit.id, "PREMI BELUM DIBAYAR")
    assert "F7" in " ".join(finding.words for finding in bpjs_findings(insured))
    person.update(aktif=True)
    insured.send()
    assert insured.row(visit).status == "refused"
    with connection():
        pcare_views.send_again(insured.clinic, system_actor(), visit.id)
    insured.send()
    assert insured.row(visit).status == "sent"


def bpjs_findings(insured: Insured) -> list[CheckResult]:
    """What `loket doctor` says of BPJS."""
    with connection():
        return list(sending_checks.check_bpjs(insured.clinic))


def test_the_doctor_tells_of_an_outage_and_of_health(insured: Insured) -> None:
    insured.visit()
    insured.send()
    told, _waiting = bpjs_findings(insured)
    assert (told.level, "Laboratorium, Poli Lansia, Tindakan / Gawat Darurat" in told.words) == (
        "warning",
        True,
    )
    for ours, poli in (("LAB", "004"), ("LANSIA", "001"), ("IGD", "005")):
        insured.map("poli", ours, poli)
    insured.visit()
    insured.pcare.is_down = True
    insured.send()
    assert [finding.level for finding in bpjs_findings(insured)] == ["warning"]
    insured.pcare.is_down = False
    insured.send()
    assert [finding.level for finding in bpjs_findings(insured)] == ["ok"]


def test_a_card_of_somebody_else_is_not_registered(insured: Insured) -> None:
    visit = insured.visit()
    next(iter(insured.books.participants.values()))["tglLahir"] = "01-01-1911"
    insured.send()
    assert insured.row(visit).gaps == ["other_birth_date"]
    assert insured.books.registrations == {}


def test_a_corrected_card_moves_the_registration_by_itself(insured: Insured, time: Time) -> None:
    visit = insured.visit()
    insured.send()
    person = insured.books.add_participant(
        "0000000000099", "6371010101010099", "LAIN", "P", visit.patient.birth_date
    )
    time.now += timedelta(minutes=1)
    with connection():
        Patient.update(bpjs_number=person["noKartu"], updated_at=clock.now()).where(
            Patient.id == visit.patient_id
        ).execute()
    insured.send()
    assert [card for card, _day, _poli in insured.books.registrations] == ["0000000000099"]
    insured.assert_exact()
    before = dict(insured.pcare.calls)
    insured.send()
    assert insured.pcare.calls == before


def test_what_is_not_known_any_more_takes_nothing_back(insured: Insured) -> None:
    visit = insured.visit(finished=False)
    insured.send()
    with connection():
        QueueEntry.update(cluster="LAB").where(QueueEntry.visit == visit).execute()
        Patient.update(bpjs_number=None).execute()
    insured.change(visit)
    insured.send()
    assert (insured.row(visit).gaps, len(insured.books.registrations)) == (["poli: Laboratorium"], 1)


def test_a_second_visit_of_a_day_and_poli_is_set_aside_not_doubled(insured: Insured) -> None:
    visit = insured.visit()
    with connection():
        second = insured.days.visit(
            DAY, visit.patient, cluster="UMUM", codes=["J00"], payer=Payer.JKN_PBI, disposition="home"
        )
        Encounter.update(form=ANSWERS).where(Encounter.visit == second).execute()
    insured.send()
    assert [insured.row(one).gaps for one in (visit, second)] == [[], ["second_visit"]]
    insured.assert_exact()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("at", range(4))
def test_a_fault_at_any_call_never_doubles_and_never_loses(insured: Insured, fault: str, at: int) -> None:
    visit = insured.visit()
    with connection():
        code_lists.refresh(pcare_link(insured.clinic.settings, httpx.Client()))
    with faults_at(insured.pcare, at, fault):
        assert insured.send().error is not None or at > 2
    insured.send_until_settled()
    assert insured.row(visit).visit_number is not None
    insured.assert_exact()
    assert [made.agrees for made in insured.compare()] == [True]


@pytest.mark.parametrize("at", range(4))
def test_silence_after_any_call_never_doubles_and_never_loses(insured: Insured, at: int) -> None:
    visit = insured.visit()
    with connection():
        code_lists.refresh(pcare_link(insured.clinic.settings, httpx.Client()))
    with faults_at(insured.pcare, at, SILENT):
        pcare_run.run(insured.clinic, timeout=httpx.Timeout(1.0))
    insured.send_until_settled()
    assert insured.row(visit).visit_number is not None
    insured.assert_exact()
    assert [made.agrees for made in insured.compare()] == [True]


@contextmanager
def faults_at(pcare: PcareHost, at: int, fault: str) -> Iterator[None]:
    """Let the request with this number meet a fault."""
    answered = 0
    usual = pcare._fault

    def planned() -> str | None:
        nonlocal answered
        answered += 1
        return fault if answered == at + 1 else None

    pcare._fault = planned  # type: ignore[method-assign]
    yield
    pcare._fault = usual  # type: ignore[method-assign]


def test_visits_at_which_bpjs_always_fails_hold_up_nobody_and_are_told(insured: Insured, time: Time) -> None:
    """As many as would be taken for an outage, and the oldest of all."""
    bad = [insured.visit() for _ in range(pcare_run.OUTAGE)]
    insured.send()
    insured.pcare.failing = {row["card_number"] for row in insured.rows()}
    for visit in bad:
        insured.change(visit, chief_complaint="lain")
    good = [insured.visit() for _ in range(4)]
    for _ in range(2):
        insured.send()
    assert {insured.row(visit).status for visit in good} == {"sent"}
    for _ in range(pcare_run.TOO_OFTEN + 1):
        insured.visit()  # others get their answers all the while
        insured.send()
        time.now += timedelta(minutes=1)
    with connection():
        listed = pcare_views.set_aside(insured.clinic, system_actor())
    assert {one.visit_id: one.gaps for one in listed} == {visit.id: ["no_answer: 500"] for visit in bad}
    assert {insured.row(visit).status for visit in good} == {"sent"}
    insured.pcare.failing = set()
    insured.send_until_settled()
    assert {insured.row(visit).status for visit in bad} == {"sent"}
    insured.assert_exact()


def test_an_outage_sets_no_visit_aside(insured: Insured) -> None:
    for _ in range(5):
        insured.visit()
    insured.pcare.is_down = True
    for _ in range(pcare_run.TOO_OFTEN * 2):
        outcome = insured.send()
    assert (outcome.error is not None, outcome.waiting, outcome.set_aside) == (True, 5, 0)
    assert not [row for row in insured.rows() if row["status"] == "refused"]
    insured.pcare.is_down = False
    insured.send_until_settled()
    insured.assert_exact()


@pytest.mark.parametrize("words", ["Kuota kunjungan peserta FKTP lain sudah habis"])
def test_a_quota_is_tried_again_and_told_in_the_words_of_bpjs(insured: Insured, words: str) -> None:
    """Three visits a month for other facilities' members: it may be open again, and somebody must know."""
    visit, other = insured.visit(), insured.visit()
    card = insured.row_card(visit)
    usual = insured.books.register

    def refuse(body: dict[str, Any]) -> dict[str, Any]:
        if body["noKartu"] == card:
            raise PcareRefusal(412, "PRECONDITION_FAILED", noKartu=words)
        return usual(body)

    insured.books.register = refuse  # type: ignore[method-assign]
    for _ in range(pcare_run.TOO_OFTEN + 1):
        insured.change(other)
        insured.send()
    [gap] = insured.row(visit).gaps
    assert words in gap
    insured.books.register = usual  # type: ignore[method-assign]
    insured.send()
    assert insured.row(visit).status == "sent"


@pytest.mark.parametrize("seed", range(4))
def test_a_day_of_faults_ends_with_exactly_the_clinics_visits(insured: Insured, seed: int) -> None:
    insured.books.facts = Unconfirmed.by_seed(seed)
    insured.pcare._chance.seed(seed)
    insured.pcare.share = 0.3
    visits = [insured.visit(cluster=("UMUM", "GIGI", "KIA")[number % 3]) for number in range(15)]
    insured.send()
    insured.change(visits[0], status=VisitStatus.CANCELLED)
    insured.change(visits[1], payer=Payer.GENERAL)
    insured.send_until_settled()
    insured.pcare.share = 0.0
    insured.assert_exact()
    assert len(insured.books.visits) == 13
    assert [made.agrees for made in insured.compare()] == [True]


def test_a_clock_that_is_off_and_an_outage_of_a_day(insured: Insured, time: Time) -> None:
    insured.visit()
    insured.pcare.is_down = True
    assert insured.send().error is not None
    time.now += timedelta(days=1)
    insured.pcare.is_down = False
    zone = insured.clinic.zone
    insured.books.now = lambda: (clock.now() + timedelta(minutes=30)).astimezone(zone)
    insured.send()
    assert len(insured.books.visits) == 1
    assert [day for _card, day, _poli in insured.books.registrations] == ["02-03-2026"]
    assert all(made.agrees for made in insured.compare())


def test_an_outage_over_the_end_of_a_month_is_told(insured: Insured, time: Time) -> None:
    visit = insured.visit()
    insured.pcare.is_down = True
    insured.send()
    time.now = MONDAY + timedelta(days=31)
    insured.pcare.is_down = False
    insured.send()
    row = insured.row(visit)
    assert (row.status, row.error) == (
        "refused",
        "tglDaftar: Bulan pelayanan sudah ditutup; PRECONDITION_FAILED",
    )
    assert insured.books.registrations == {}


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("registered", [True, False])
def test_a_clinic_restored_from_an_older_backup_doubles_nothing(
    insured: Insured, told: bool, registered: bool
) -> None:
    """The backup is from before the visits were sent, or from between registration and visit."""
    insured.books.facts = Unconfirmed(second_registration_is_told=told, second_visit_is_told=told)
    for _ in range(4):
        insured.visit()
    insured.send()
    before = (dict(insured.books.registrations), set(insured.books.visits), len(insured.books.medicines))
    assert before[2]
    with connection():
        if registered:
            BpjsVisit.update(visit_number=None, visit_digest="", items={}, change=0).execute()
        else:
            BpjsVisit.delete().execute()
    insured.send()
    after = (dict(insured.books.registrations), set(insured.books.visits), len(insured.books.medicines))
    assert after == before
    insured.assert_exact()


def test_the_job_has_a_lock_on_postgresql() -> None:
    """Several servers may share a database: one of them sends."""
    assert jobs.ADVISORY["bpjs"] not in {lock for job, lock in jobs.ADVISORY.items() if job != "bpjs"}


def test_what_bpjs_lost_is_named_and_sent_again(insured: Insured) -> None:
    visit = insured.visit()
    other = insured.visit()
    insured.send()
    del insured.books.visits[insured.row(visit).visit_number or ""]
    insured.books.medicines.clear()
    with connection():
        BpjsVisit.update(items={}).execute()
    [made] = insured.compare()
    assert (made.missing, made.agrees) == ([visit.id], False)
    insured.send_until_settled()
    insured.assert_exact()
    card = insured.row(other).card_number
    insured.books.registrations[card, "02-03-2026", "002"] = {
        "noUrut": "A99", "noKartu": card, "tglDaftar": "02-03-2026", "kdPoli": "002"
    }  # fmt: skip
    [made] = insured.compare()
    assert (made.only_there, made.missing) == (["A99"], [])


def test_temperatures_and_measures() -> None:
    assert [pcare_bodies.temperature(value, "text") for value in (36.4, 37, None)] == ["36,4", "37,0", "0"]
    assert pcare_bodies.temperature(36.6, "number") == 37


@pytest.mark.parametrize(
    ("dose", "frequency", "signa"),
    [
        ("1 tablet", "3x1", (3, 1)),
        ("1 tablet", "3 x 2", (3, 2)),
        ("2 tablet", "3x sehari", (3, 2)),
        ("1/2 tablet", "2x sehari", (2, 1)),
        ("1 1/2 tablet", "2x1/2", (2, 2)),
        ("2 tablet", "sekali minum", (1, 2)),
        ("oles tipis", "malam", (1, 1)),
        ("1 tablet", "tiap 6 jam", (4, 1)),
        ("0.5 ml", "sekali", (1, 1)),
        ("1 tablet", "3x seminggu", None),
        ("1 tablet", "bila nyeri", None),
        ("1 tablet", "", None),
    ],
)
def test_how_often_and_how_many_each_time(dose: str, frequency: str, signa: tuple[int, int] | None) -> None:
    assert pcare_bodies._signa(Prescription(dose=dose, frequency=frequency)) == signa


def test_a_procedure_travels_and_its_strike_takes_it_back(insured: Insured) -> None:
    visit = insured.visit()
    with connection():
        contact = Encounter.get(Encounter.visit == visit)
        done = Procedure.create(
            id="t", visit=visit, encounter=contact, code="86.59", title="Jahit luka", performed_at=MONDAY,
            performed_by=insured.days.account,
        )  # fmt: skip
    insured.change(visit)
    insured.send()
    assert insured.row(visit).gaps == ["procedure: 86.59"]
    assert insured.row(visit).visit_number is not None
    insured.map("procedure", "86.59", "01002")
    insured.change(visit)
    insured.send()
    assert [held["kdTindakan"] for held in insured.books.procedures.values()] == ["01002"]
    assert insured.row(visit).status == "sent"
    with connection():
        Procedure.update(voided_at=MONDAY).where(Procedure.id == done.id).execute()
    insured.change(visit)
    insured.send()
    assert insured.books.procedures == {}
    insured.assert_exact()


def test_a_referral_says_where_and_why(insured: Insured) -> None:
    visit = insured.visit(disposition=Disposition.REFERRED)
    insured.send()
    assert insured.row(visit).gaps == ["refer_provider", "refer_subspecialist", "refer_on", "tacc"]
    referral = {"refer_provider": "0114R001", "refer_subspecialist": "26", "refer_on": "2026-03-05"}
    answers = {"bpjs": {**ANSWERS["bpjs"], **referral}}
    with connection():
        Encounter.update(form=answers).where(Encounter.visit == visit).execute()
    insured.change(visit)
    insured.send()
    assert insured.row(visit).gaps == ["tacc"]
    answers["bpjs"] |= {"tacc": "2", "tacc_reason": "penyulit"}
    with connection():
        Encounter.update(form=answers).where(Encounter.visit == visit).execute()
    insured.change(visit)
    insured.send()
    assert insured.row(visit).gaps == ["tacc_reason"], "a reason of another kind is none"
    answers["bpjs"] |= {"tacc_age": ">= 55 Tahun"}
    with connection():
        Encounter.update(form=answers).where(Encounter.visit == visit).execute()
    insured.change(visit)
    insured.send()
    number = insured.row(visit).visit_number
    assert number is not None
    there = insured.books.visits[number]
    assert (there["kdStatusPulang"], there["kdTacc"], there["alasanTacc"]) == ("4", 2, ">= 55 Tahun")
    assert there["rujukLanjut"]["tglEstRujuk"] == "05-03-2026"


def test_a_poli_of_the_well_makes_a_promotive_visit(tmp_path: Path, time: Time) -> None:
    clusters = tmp_path / "clusters.toml"
    shipped = Path(core.__file__).parent / "data" / "clusters_poli.toml"
    clusters.write_text(shipped.read_text().replace('bpjs_code = "003"', 'bpjs_code = "021"'))
    insured = Insured(tmp_path / "clinic", time, clusters=str(clusters))
    insured.visit(cluster="KIA")
    insured.send()
    [held] = insured.books.registrations.values()
    assert (held["kdPoli"], held["kunjSakit"], held["kdTkp"]) == ("021", False, "50")
    insured.assert_exact()
    insured.pcare.close()


def test_an_unmapped_medicine_is_told_and_never_sent_as_if_it_stood_in_no_list(insured: Insured) -> None:
    visit = insured.visit()
    insured.map("medicine", medicine := insured.medicine_of(visit), "")
    insured.send()
    row = insured.row(visit)
    assert (row.gaps, row.visit_number is not None) == ([f"medicine: {medicine}"], True)
    assert insured.books.medicines == {}
    with connection():
        first = code_mapping.mapping(insured.clinic, system_actor()).items
        assert {"medicine", "poli"} >= {item.kind for item in first if not item.code and item.ours != "well"}
        assert [medicine] == [item.title for item in first if item.kind == "medicine" and not item.code]
    insured.map("medicine", medicine, "130000002")
    insured.send()
    assert insured.row(visit).status == "sent", "it follows at once when it has a code"
    assert [held["kdObat"] for held in insured.books.medicines.values()] == ["130000002"]
    insured.map("medicine", medicine, "-")
    insured.change(visit)
    insured.send()
    [held] = insured.books.medicines.values()
    assert (held["obatDPHO"], held["nmObatNonDPHO"]) == (False, medicine)
    insured.assert_exact()


def test_a_cluster_without_a_code_gets_one_by_the_mapping_and_only_one_of_the_list(insured: Insured) -> None:
    visit = insured.visit(cluster="LANSIA")
    insured.send()
    assert (insured.row(visit).gaps, insured.books.registrations) == (["poli: Poli Lansia"], {})
    with pytest.raises(ValidationError) as refused:
        insured.map("poli", "LANSIA", "777")
    assert refused.value.fields == {"theirs": "not_in_list"}
    for kind, ours in (("poli", "LANSA"), ("doctor", "nobody")):
        with pytest.raises(ValidationError):
            insured.map(kind, ours, "001")
    insured.map("poli", "LANSIA", "001")
    insured.send()
    assert [poli for _card, _day, poli in insured.books.registrations] == ["001"]
    insured.assert_exact()


def allergic(insured: Insured, visit: Visit, *substances: str) -> None:
    with connection():
        account = Account.get(Account.username == "doctor")
        for number, substance in enumerate(substances):
            Allergy.create(
                id=f"{visit.id[:20]}-{number}-{substance[:6]}", patient=visit.patient, substance=substance,
                recorded_at=clock.now() + timedelta(seconds=number), recorded_by=account,
            )  # fmt: skip


def test_an_allergy_is_sent_under_the_code_that_somebody_chose(insured: Insured) -> None:
    """Until then the visit goes without it, and the list says which one lacks a code: nothing is guessed from words."""
    visit = insured.visit()
    allergic(insured, visit, "Udang", "debu  RUMAH", "amoksisilin", "kepiting")
    insured.send()
    [held] = insured.books.visits.values()
    assert (held["alergiMakan"], held["alergiUdara"], held["alergiObat"]) == (None, None, None)
    assert insured.row(visit).gaps == [
        "allergy: Udang", "allergy: debu  RUMAH", "allergy: amoksisilin", "allergy: kepiting",
    ]  # fmt: skip
    with connection():
        needed = {one.ours for one in code_mapping.ours(insured.clinic) if one.kind == "allergy"}
        offered = code_mapping.offered(insured.clinic, system_actor(), "allergy", "")
        found = code_mapping.offered(insured.clinic, system_actor(), "allergy", "seafood")
    assert needed == {"udang", "debu rumah", "amoksisilin", "kepiting"}
    assert "Tidak Ada" not in " ".join(item.name for item in offered)
    assert [(item.code, item.name) for item in found] == [("01/01", "Makanan: Seafood")]
    for ours, theirs in (
        ("udang", "01/01"),
        ("Debu Rumah", "02/03"),
        ("amoksisilin", "03/01"),
        ("kepiting", "-"),
    ):
        insured.map("allergy", ours, theirs)
    insured.send()
    [held] = insured.books.visits.values()
    assert (held["alergiMakan"], held["alergiUdara"], held["alergiObat"]) == ("01", "03", "01")
    assert insured.row(visit).gaps == []
    insured.assert_exact()


@pytest.mark.parametrize("theirs", ["01/99", "01", "04/01", "00", "01/00"])
def test_an_allergys_code_is_one_of_the_lists(insured: Insured, theirs: str) -> None:
    insured.visit()
    insured.send()  # reads the lists
    with pytest.raises(ValidationError) as refused:
        insured.map("allergy", "udang", theirs)
    assert refused.value.fields == {"theirs": "not_in_list"}


def test_of_two_allergies_of_one_list_the_first_is_sent_and_a_struck_one_is_not(insured: Insured) -> None:
    visit = insured.visit()
    allergic(insured, visit, "udang", "susu", "gandum")
    for ours, theirs in (("udang", "01/01"), ("susu", "01/03"), ("gandum", "01/02")):
        insured.map("allergy", ours, theirs)
    with connection():
        Allergy.update(voided_at=clock.now()).where(Allergy.substance == "udang").execute()
    insured.change(visit)
    insured.send()
    [held] = insured.books.visits.values()
    assert (held["alergiMakan"], held["alergiUdara"]) == ("03", None)


def test_a_practitioner_without_a_code_is_named(insured: Insured) -> None:
    visit = insured.visit()
    with connection():
        BpjsCode.delete().where(BpjsCode.kind == "doctor").execute()
        name = Encounter.get(Encounter.visit == visit).practitioner.name
    insured.send()
    assert insured.row(visit).gaps == [f"doctor: {name}"]


WELL_POLIS = (("021", "KUNJUNGAN SEHAT", False), ("020", "POSYANDU", False))


@pytest.mark.parametrize(("polis", "chosen"), [(WELL_POLIS, "021"), (WELL_POLIS[:1], "")])
def test_a_healthy_visit_is_promotive_at_bpjs_and_moves_when_it_is_said_late(
    insured: Insured, monkeypatch: pytest.MonkeyPatch, polis: tuple[tuple[str, str, bool], ...], chosen: str
) -> None:
    """Of several polis of the well somebody chooses one; the only one is taken without being asked about."""
    of_the_ill = tuple(row for row in pcare_lists.POLIS if row[2])
    monkeypatch.setattr(pcare_lists, "POLIS", (*of_the_ill, *polis))
    visit = insured.visit()
    insured.send()
    [held] = insured.books.registrations.values()
    assert (held["kdPoli"], held["kunjSakit"], held["kdTkp"]) == ("001", True, "10")
    answers = {"bpjs": {**ANSWERS["bpjs"], "healthy": True}}
    with connection():
        Encounter.update(form=answers).where(Encounter.visit == visit).execute()
    insured.change(visit)
    insured.send()
    if len(polis) > 1:
        assert insured.row(visit).gaps == ["well_poli"]
        with pytest.raises(ValidationError):
            insured.map("poli", "well", "001")
        offered = code_mapping.offered(insured.clinic, system_actor(), "well", "")
        assert sorted(item.code for item in offered) == ["020", "021"]
        insured.map("poli", "well", chosen)
        insured.send()
    [held] = insured.books.registrations.values()
    assert (held["kdPoli"], held["kunjSakit"], held["kdTkp"]) == (chosen or "021", False, "50")
    assert [one["kdPoli"] for one in insured.books.visits.values()] == [chosen or "021"]
    insured.assert_exact()
    assert [made.agrees for made in insured.compare()] == [True]


def test_lists_are_kept_and_an_outage_of_a_list_stops_no_visit(insured: Insured, time: Time) -> None:
    insured.visit()
    insured.send()
    with connection():
        assert not code_lists.stale()
        kinds = {kind: len(code_lists.items(kind)) for kind in code_lists.WHOLE}
        assert all(kinds.values()), kinds
        assert code_lists.flags("diagnosis") == {"J06.9": True}, "asked about ahead of a referral"
    time.now += timedelta(days=2)
    usual = insured.pcare._fault
    insured.pcare._fault = lambda: "html" if insured.pcare.met.total() % 2 else None  # type: ignore[method-assign]
    visit = insured.visit(date(2026, 3, 4))
    for _ in range(60):
        insured.send()
    insured.pcare._fault = usual  # type: ignore[method-assign]
    insured.send_until_settled()
    assert insured.row(visit).status == "sent"
    with connection():
        assert {kind: len(code_lists.items(kind)) for kind in code_lists.WHOLE} == kinds


@pytest.mark.parametrize(("source", "payer"), [("number", "jkn_non_pbi"), ("clerk", "jkn_pbi")])
def test_the_kind_that_the_number_did_not_tell_follows_from_bpjs(
    insured: Insured, source: str, payer: str
) -> None:
    visit = insured.visit()
    insured.change(visit, payer_source=source)
    [person] = insured.books.participants.values()
    person["jnsPeserta"] = {"nama": "PEKERJA MANDIRI", "kode": "14"}
    insured.send()
    with connection():
        assert Visit.get_by_id(visit.id).payer == payer
    insured.send()
    assert insured.row(visit).status == "sent"
    insured.assert_exact()


def test_the_same_on_postgresql(tmp_path: Path, time: Time) -> None:
    with cluster() as url:
        insured = Insured(tmp_path / "clinic", time, database_url=new_database(url))
        visits = [insured.visit() for _ in range(3)]
        insured.pcare.share = 0.3
        insured.send_until_settled()
        insured.change(visits[0], status=VisitStatus.CANCELLED)
        insured.send_until_settled()
        insured.pcare.share = 0.0
        insured.assert_exact()
        assert len(insured.books.visits) == 2
        assert [made.agrees for made in insured.compare()] == [True]
        insured.pcare.close()
        database.close()


@pytest.mark.parametrize(
    ("source", "changes", "payer"),
    [
        ("default", {}, "jkn_pbi"),
        ("last_visit", {}, "jkn_pbi"),
        ("clerk", {}, "general"),
        ("default", {"aktif": False, "ketAktif": "PREMI"}, "general"),
        ("default", {"tglLahir": "01-01-1911"}, "general"),
    ],
)
def test_who_got_no_answer_at_the_counter_is_asked_about_again(
    insured: Insured, source: str, changes: dict[str, Any], payer: str
) -> None:
    """BPJS was silent while the person stood there: its later answer enters the visit; a clerk's choice stays."""
    visit = insured.visit(payer=Payer.GENERAL, payer_source=source)
    next(iter(insured.books.participants.values())).update(changes)
    insured.pcare.is_down = True
    insured.send()
    insured.pcare.is_down = False
    insured.send_until_settled()
    with connection():
        assert Visit.get_by_id(visit.id).payer == payer
    assert len(insured.books.visits) == (payer == "jkn_pbi")
    before = dict(insured.pcare.calls)
    insured.send()
    assert insured.pcare.calls == before, "asked once"
    insured.assert_exact()


def test_a_card_that_comes_after_the_save_is_asked_about(insured: Insured, time: Time) -> None:
    visit = insured.visit(payer=Payer.GENERAL, payer_source="default")
    card = insured.row_card(visit)
    with connection():
        Patient.update(bpjs_number=None, nik=None).where(Patient.id == visit.patient_id).execute()
    insured.send()
    assert insured.rows() == []
    time.now += timedelta(minutes=5)
    with connection():
        Patient.update(bpjs_number=card, updated_at=clock.now()).where(
            Patient.id == visit.patient_id
        ).execute()
    insured.send_until_settled()
    insured.send_until_settled()
    assert insured.row(visit).visit_number is not None
    insured.assert_exact()


def test_somebody_else_pays_and_bpjs_holds_nothing_of_the_visit(insured: Insured) -> None:
    visit = insured.visit()
    insured.send()
    assert insured.books.visits
    with connection():
        payers.change_payer(system_actor(), visit.id, Payer.GENERAL)
    insured.send()
    assert (insured.books.registrations, insured.books.visits) == ({}, {})
    with connection():
        payers.change_payer(system_actor(), visit.id, Payer.JKN_PBI)
    insured.send()
    assert len(insured.books.visits) == 1
    insured.assert_exact()


def test_who_pays_instead_leaves_the_list_at_once(insured: Insured) -> None:
    visit = insured.visit()
    next(iter(insured.books.participants.values())).update(aktif=False, ketAktif="PREMI BELUM DIBAYAR")
    insured.send()
    assert insured.row(visit).status == "refused"
    with connection():
        payers.change_payer(system_actor(), visit.id, Payer.GENERAL)
        assert pcare_views.set_aside(insured.clinic, system_actor()) == []
    insured.send()
    assert insured.row(visit).status == "sent"
