"""Referrals at BPJS: its lists with and without a line, the number, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.exchange import outbox
from core.exchange.bpjs import code_lists, pcare_run, referral_lists
from core.exchange.bpjs.referral_lists import ReferralQuery
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Disposition, Payer, Role
from core.foundation.database import connection
from core.foundation.errors import NotAllowedError, ValidationError
from core.foundation.permissions import Actor
from core.models import BpjsCode, BpjsListItem, BpjsVisit, Change, Encounter, Prescription, Visit
from server.bpjs_stand_in import Books, PcareHost, PcareRefusal
from tests.core.days import Days, open_clinic

MONDAY = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
DAY, SUNDAY = date(2026, 3, 2), date(2026, 3, 8)
CARD, NIK = "0000000000001", "6371014107900001"
DOCTOR = Actor("2", "doctor", "Doctor", Role.CLINICIAN)
QUICK = httpx.Timeout(5.0)
CHOSEN: dict[str, Any] = {
    "consciousness": "01", "prognosis": "02", "refer_specialist": "PENYAKIT DALAM", "refer_subspecialist": "8",
    "refer_subspecialist_name": "GINJAL-HIPERTENSI", "refer_means": "1", "refer_provider": "0114R001",
    "refer_provider_name": "RSUD KOTA", "refer_on": "2026-03-04", "refer_urgent": False,
}  # fmt: skip


class Referring:
    """A clinic that refers, and its stand-in."""

    def __init__(self, home: Path) -> None:
        zone = open_clinic(home).zone
        self.books = Books(lambda: clock.now().astimezone(zone))
        self.pcare = PcareHost(self.books)
        self.clinic: Clinic = open_clinic(home, **self.pcare.settings())
        with connection():
            self.days = Days(self.clinic)
            BpjsCode.create(kind="doctor", ours="doctor", theirs="D001")

    def referred(self, code: str = "N18.9", **answers: Any) -> Visit:
        """A finished visit that ends with a referral."""
        with connection():
            patient = self.days.patient(nik=NIK, bpjs_number=CARD)
            self.books.add_participant(CARD, NIK, patient.name, "P", patient.birth_date)
            values: dict[str, Any] = {"payer": Payer.JKN_PBI, "disposition": Disposition.REFERRED}
            visit = self.days.visit(DAY, patient, cluster="UMUM", codes=[code], **values)
            form = {
                "bpjs": {name: value for name, value in {**CHOSEN, **answers}.items() if value is not None}
            }
            Encounter.update(form=form, disposition="referred").where(Encounter.visit == visit).execute()
            Prescription.delete().execute()
        return visit

    def send(self) -> pcare_run.PcareOutcome:
        return pcare_run.run(self.clinic, timeout=QUICK)

    def row(self, visit: Visit) -> BpjsVisit:
        with connection():
            return BpjsVisit.get_by_id(visit.id)

    def offered(self, kind: str, **query: Any) -> tuple[dict[str, str], bool]:
        found = referral_lists.offered(self.clinic, DOCTOR, ReferralQuery(kind, **query))
        return {item.code: item.name for item in found.items}, found.answered

    def told(self) -> int:
        with connection():
            return Change.select().where(Change.kind == "referral").count()


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Referring]:
    with clock.frozen(lambda: MONDAY):
        made = Referring(tmp_path / "clinic")
        yield made
        made.pcare.close()


def test_each_list_depends_on_what_was_chosen_before(clinic: Referring) -> None:
    assert clinic.offered("specialist", words="dalam") == ({"INT": "PENYAKIT DALAM"}, True)
    assert clinic.offered("subspecialist", of="INT")[0]["8"] == "GINJAL-HIPERTENSI"
    assert "2" in clinic.offered("means")[0]
    everywhere, _answered = clinic.offered("facility", of="8", on=DAY)
    assert set(everywhere) == {"0114R001", "0114R003"}
    assert set(clinic.offered("facility", of="8", means="3", on=DAY)[0]) == {"0114R003"}
    assert clinic.offered("facility", of="8", on=SUNDAY) == ({}, True), "nobody works on a Sunday"


def test_a_facility_is_told_by_what_it_is_chosen_by(clinic: Referring) -> None:
    found = referral_lists.offered(clinic.clinic, DOCTOR, ReferralQuery("facility", "8", "1", DAY))
    assert found.items[0].note == "3,2 km, kelas B, 12/40, Senin-Sabtu 08:00-14:00, KOTA BANJARMASIN"


def test_without_a_line_the_lists_are_those_that_were_read_last(clinic: Referring) -> None:
    clinic.send()  # the daily work reads specialists, and the subspecialists of a few of them each time
    clinic.send()
    known, _answered = clinic.offered("facility", of="8", means="1", on=DAY)
    clinic.pcare.is_down = True
    assert clinic.offered("specialist")[0].keys() >= {"INT", "JAN"}
    for specialist in ("INT", "ANA", "BED", "OBG", "MAT", "JAN"):
        assert clinic.offered("subspecialist", of=specialist)[0], specialist
    assert clinic.offered("facility", of="8", means="1", on=DAY + timedelta(days=2)) == (known, False)
    assert clinic.offered("facility", of="70", on=DAY) == ({}, False)


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "hospital"},
        {"kind": "subspecialist", "of": "INT/../x"},
        {"kind": "facility", "of": "8"},
        {"kind": "facility", "of": "8", "means": "1/2", "on": DAY},
    ],
)
def test_a_list_that_cannot_be_is_not_asked_for(clinic: Referring, query: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        clinic.offered(**query)


@pytest.mark.parametrize(("code", "flag"), [("I10", True), ("N18.9", False)])
def test_bpjs_is_asked_about_the_diagnosis_when_the_referral_begins(
    clinic: Referring, code: str, flag: bool
) -> None:
    query = ReferralQuery("specialist", diagnosis=code)
    assert referral_lists.offered(clinic.clinic, DOCTOR, query).non_specialist is flag
    clinic.pcare.is_down = True
    assert referral_lists.offered(clinic.clinic, DOCTOR, query).non_specialist is flag, "it is kept"
    other = ReferralQuery("specialist", diagnosis="K29.7")
    assert referral_lists.offered(clinic.clinic, DOCTOR, other).non_specialist is None


def test_only_who_writes_records_refers(clinic: Referring) -> None:
    with pytest.raises(NotAllowedError):
        referral_lists.offered(clinic.clinic, Actor("1", "c", "C", Role.CLERK), ReferralQuery("specialist"))


def test_the_referral_gets_the_number_of_its_visit_once(clinic: Referring) -> None:
    visit = clinic.referred()
    clinic.send()
    [(number, held)] = clinic.books.visits.items()
    assert held["rujukLanjut"] == {
        "kdppk": "0114R001",
        "tglEstRujuk": "04-03-2026",
        "subSpesialis": {"kdSubSpesialis1": "8", "kdSarana": "1"},
        "khusus": None,
    }
    told = clinic.row(visit).referral
    assert (told["number"], told["until"]) == (number, "01-06-2026")
    assert clinic.told() == 1
    asked = clinic.pcare.calls["GET kunjungan"]
    clinic.send()
    assert clinic.pcare.calls["GET kunjungan"] == asked, "a number that is known is not asked for again"


def test_a_number_that_did_not_come_is_asked_for_again_and_nothing_is_sent_twice(clinic: Referring) -> None:
    visit = clinic.referred()
    clinic.send()
    with connection():
        BpjsVisit.update(referral={}, status="pending").where(BpjsVisit.visit == visit.id).execute()
    clinic.pcare.is_down = True
    assert clinic.send().error is not None
    clinic.pcare.is_down = False
    clinic.send()
    assert clinic.row(visit).referral["number"] == next(iter(clinic.books.visits))
    assert len(clinic.books.visits) == 1


def test_a_referral_that_became_none_has_no_number(clinic: Referring) -> None:
    visit = clinic.referred()
    clinic.send()
    with connection():
        Visit.update(disposition=Disposition.HOME).where(Visit.id == visit.id).execute()
        Encounter.update(disposition="home").where(Encounter.visit == visit).execute()
        outbox.enqueue("visit", visit.id)
    clinic.send()
    assert clinic.row(visit).referral == {}


@pytest.mark.parametrize(
    ("code", "answers", "words"),
    [
        ("N18.9", {"refer_provider": "0114R009"}, "Faskes rujukan tidak melayani"),
        ("N18.9", {"refer_on": "2026-03-08"}, "Faskes rujukan tidak melayani"),
        ("N18.9", {"refer_subspecialist": "99"}, "Subspesialis tidak dikenal"),
        ("N18.9", {"refer_on": "2026-03-01"}, "Tanggal rujuk sebelum tanggal kunjungan"),
    ],
)
def test_what_bpjs_refuses_is_told_to_whoever_referred(
    clinic: Referring, code: str, answers: dict[str, Any], words: str
) -> None:
    visit = clinic.referred(code, **answers)
    clinic.send()
    row = clinic.row(visit)
    assert words in (row.error or "")
    assert (row.referral, clinic.told()) == ({}, 1)
    assert not clinic.books.visits


def test_a_primary_care_diagnosis_is_asked_about_before_bpjs_refuses_it(clinic: Referring) -> None:
    visit = clinic.referred("I10")
    clinic.send()
    assert clinic.row(visit).gaps == ["tacc"]
    assert "POST kunjungan" not in clinic.pcare.changes, "nothing was sent that BPJS refuses"


def test_a_hospital_typed_by_hand_waits_for_its_code(clinic: Referring) -> None:
    visit = clinic.referred(refer_provider=None, refer_subspecialist=None)
    clinic.send()
    assert set(clinic.row(visit).gaps) == {"refer_provider", "refer_subspecialist"}


@pytest.mark.parametrize(
    "changes",
    [
        {"rujukLanjut": None},
        {"kdStatusPulang": "3"},
        {"tglEstRujuk": "2026-03-04"},
        {"khusus": {"kdKhusus": "IGD", "kdSubSpesialis": None, "catatan": "-"}},
        {"subSpesialis": None},
    ],
)
def test_the_strict_stand_in_refuses_a_referral_that_is_not_whole(
    clinic: Referring, changes: dict[str, Any]
) -> None:
    clinic.referred()
    clinic.send()
    [(number, held)] = clinic.books.visits.items()
    inner = {name: value for name, value in changes.items() if name in held["rujukLanjut"]}
    outer = {name: value for name, value in changes.items() if name not in inner}
    body = {**held, "rujukLanjut": {**held["rujukLanjut"], **inner}, **outer, "noKunjungan": number}
    with pytest.raises(PcareRefusal):
        clinic.books.edit_visit(body)


@pytest.mark.parametrize(
    ("words", "kept"),
    [("PRB DIABETES MELITUS", "PRB DIABETES MELITUS"), ("", ""), ("Tidak ada", ""), (None, ""), ("0", "")],
)
def test_who_was_referred_back_is_known_at_the_visit(clinic: Referring, words: str | None, kept: str) -> None:
    visit = clinic.referred()
    clinic.books.participants[CARD]["pstPrb"] = words
    clinic.send()
    assert clinic.row(visit).back_referral == kept


def test_the_daily_work_reads_each_list_of_a_referral_once_a_week(clinic: Referring) -> None:
    for _ in range(4):
        clinic.send()
    assert clinic.pcare.calls["GET spesialis"] == 2 + 6, (
        "specialists, means, and six specialists' subspecialists"
    )
    with connection():
        assert BpjsListItem.select().where(BpjsListItem.kind == "sub/JAN").count() == 1
        assert code_lists.read_at("sub/JAN") is not None
